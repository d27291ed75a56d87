//! `cidr()`: networks as Go's `net/netip` reads them, host bits and all.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::ip::{Address, AddressError, Ip};
use crate::api::quote::quoted;

/// Why a text is no network, or an operation has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// It is none at all. (Upstream says so twice.)
    #[error(
        "network address parse error during conversion from string: network address parse error \
         during conversion from string: netip.ParsePrefix({}): {flaw}", quoted(.text)
    )]
    Parse {
        /// The text.
        text: String,
        /// Go's word on it.
        flaw: PrefixError,
    },
    /// Its address is an IPv4 address in the form of an IPv6 one.
    #[error(
        "network address parse error during conversion from string: IPv4-mapped IPv6 address {} is \
         not allowed", quoted(.0)
    )]
    Mapped(String),
    /// [`Cidr::contains_ip_text`] of what is no address, of which upstream says no more.
    #[error("no such overload")]
    NoAddress,
}

/// What Go's `netip.ParsePrefix` says of a text that is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// It has no length.
    #[error("no '/'")]
    NoSlash,
    /// What stands before the length is no address.
    #[error(transparent)]
    Address(AddressError),
    /// The address has a zone.
    #[error("IPv6 zones cannot be present in a prefix")]
    Zone,
    /// The length is no number.
    #[error("bad bits after slash: {}", quoted(.0))]
    Bits(String),
    /// The length is more than the address has.
    #[error("prefix length out of range")]
    Range,
}

/// A network, which remembers the address that it was written with: two of which only the host bits
/// differ are not equal, before [`Cidr::masked`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    ip: IpAddr,
    bits: u8,
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let wrong = |flaw| CidrError::Parse { text: text.to_owned(), flaw };
        let (address, bits) = text.rsplit_once('/').ok_or_else(|| wrong(PrefixError::NoSlash))?;
        let address = Address::read(address).map_err(|flaw| wrong(PrefixError::Address(flaw)))?;
        if address.zone {
            return Err(wrong(PrefixError::Zone));
        }
        // Neither a sign nor zeros before it.
        let number = bits == "0" || bits.starts_with(|first: char| matches!(first, '1'..='9'));
        let digits = bits.bytes().all(|byte| byte.is_ascii_digit());
        let length = if number && digits { bits.parse::<i64>().ok() } else { None };
        let length = length.ok_or_else(|| wrong(PrefixError::Bits(bits.to_owned())))?;
        let most = if address.ip.is_ipv4() { 32 } else { 128 };
        let bits = u8::try_from(length).ok().filter(|&bits| bits <= most);
        let bits = bits.ok_or_else(|| wrong(PrefixError::Range))?;
        if address.is_mapped() {
            return Err(CidrError::Mapped(text.to_owned()));
        }
        Ok(Self { ip: address.ip, bits })
    }
}

impl Cidr {
    /// `isCIDR()`: whether `text` is a network.
    pub fn is_cidr(text: &str) -> bool {
        text.parse::<Self>().is_ok()
    }

    /// `containsIP()` of an address: one of another family is in no network.
    pub fn contains_ip(self, ip: Ip) -> bool {
        let host = Self { ip: ip.address(), bits: self.bits };
        self.masked() == host.masked()
    }

    /// `containsIP()` of a text.
    pub fn contains_ip_text(self, ip: &str) -> Result<bool, CidrError> {
        ip.parse().map(|ip| self.contains_ip(ip)).map_err(|_| CidrError::NoAddress)
    }

    /// `containsCIDR()` of a network: whether all of it is in this one.
    pub fn contains_cidr(self, other: Self) -> bool {
        self.bits <= other.bits && self.contains_ip(other.ip())
    }

    /// `containsCIDR()` of a text.
    pub fn contains_cidr_text(self, other: &str) -> Result<bool, CidrError> {
        other.parse().map(|other| self.contains_cidr(other))
    }

    /// `ip()`: the address that it was written with.
    pub fn ip(self) -> Ip {
        Ip::new(self.ip)
    }

    /// `prefixLength()`.
    pub fn prefix_length(self) -> i64 {
        self.bits.into()
    }

    /// `masked()`: the same network, its host bits 0.
    #[must_use]
    pub fn masked(self) -> Self {
        let bits = u32::from(self.bits);
        let ip = match self.ip {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0);
                Ipv4Addr::from_bits(ip.to_bits() & mask).into()
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or(0);
                Ipv6Addr::from_bits(ip.to_bits() & mask).into()
            }
        };
        Self { ip, ..self }
    }

    /// The bytes that its prefix takes, which is its size where cost is counted.
    pub fn size(self) -> u64 {
        u64::from(self.bits).div_ceil(8)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{}/{}", self.ip, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Arguments, bool, check, int, shown, text};
    use super::*;

    fn answer(expression: &str, args: &Arguments) -> String {
        let cidr = || args.text(0).parse::<Cidr>();
        let second = || args.text(1).parse::<Cidr>();
        match expression {
            "isCIDR(a)" => bool(Cidr::is_cidr(args.text(0))),
            "string(cidr(a))" => shown(cidr(), text),
            "cidr(a).prefixLength()" => shown(cidr(), |cidr| int(cidr.prefix_length())),
            "string(cidr(a).masked())" => shown(cidr(), |cidr| text(cidr.masked())),
            "string(cidr(a).ip())" => shown(cidr(), |cidr| text(cidr.ip())),
            "cidr(a).containsIP(b)" => {
                shown(cidr().and_then(|cidr| cidr.contains_ip_text(args.text(1))), bool)
            }
            "cidr(a).containsIP(ip(b))" => {
                let cidr = cidr().expect("a network");
                shown(args.text(1).parse().map(|ip| cidr.contains_ip(ip)), bool)
            }
            "cidr(a).containsCIDR(b)" => {
                shown(cidr().and_then(|cidr| cidr.contains_cidr_text(args.text(1))), bool)
            }
            "cidr(a).containsCIDR(cidr(b))" => {
                shown(cidr().and_then(|cidr| Ok(cidr.contains_cidr(second()?))), bool)
            }
            "cidr(a) == cidr(b)" => bool(cidr() == second()),
            "cidr(a) == cidr(b).masked()" => bool(cidr() == second().map(Cidr::masked)),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn it_answers_as_kubernetes_does() {
        check(include_str!("golden/cidr.jsonl"), answer);
    }

    #[test]
    fn sizes_are_in_bytes() {
        let size = |text: &str| text.parse::<Cidr>().expect(text).size();
        assert_eq!((size("1.2.3.4/0"), size("1.2.3.4/9"), size("::/128")), (0, 2, 16));
    }
}
