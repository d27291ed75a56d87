//! Values of the libraries' own types.

use super::super::types::cidr::Cidr;
use super::super::types::formats::Format;
use super::super::types::ip::Ip;
use super::super::types::quantity::Quantity;
use super::super::types::semver::Semver;
use super::super::types::url::Url;

/// A value of a library's own type.
#[derive(Clone, Debug, PartialEq)]
pub enum Opaque {
    /// `net.IP`.
    Ip(Ip),
    /// `net.CIDR`.
    Cidr(Cidr),
    /// `kubernetes.URL`.
    Url(Url),
    /// `kubernetes.Quantity`.
    Quantity(Quantity),
    /// `kubernetes.Semver`.
    Semver(Semver),
    /// `kubernetes.NamedFormat`.
    Format(Format),
}

impl Opaque {
    /// The name of its type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Url(_) => "kubernetes.URL",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Format(_) => "kubernetes.NamedFormat",
        }
    }
}

impl Opaque {
    /// What comparing it with another of its type may cost.
    pub fn weight(&self) -> usize {
        match self {
            Self::Ip(_) | Self::Cidr(_) | Self::Format(_) => 0,
            Self::Url(url) => url.length() / 10,
            Self::Quantity(quantity) => quantity.weight(),
            Self::Semver(version) => version.length() / 10,
        }
    }
}

impl From<Ip> for Opaque {
    fn from(value: Ip) -> Self {
        Self::Ip(value)
    }
}

impl From<Cidr> for Opaque {
    fn from(value: Cidr) -> Self {
        Self::Cidr(value)
    }
}

impl From<Url> for Opaque {
    fn from(value: Url) -> Self {
        Self::Url(value)
    }
}

impl From<Quantity> for Opaque {
    fn from(value: Quantity) -> Self {
        Self::Quantity(value)
    }
}

impl From<Semver> for Opaque {
    fn from(value: Semver) -> Self {
        Self::Semver(value)
    }
}

impl From<Format> for Opaque {
    fn from(value: Format) -> Self {
        Self::Format(value)
    }
}
