//! `ip()`: addresses as Go's `net/netip` reads them, without zones and without IPv4 in IPv6.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::api::quote::quoted;

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IpError {
    /// It is none at all.
    #[error("IP Address {} parse error during conversion from string: {flaw}", quoted(.text))]
    Parse {
        /// The text.
        text: String,
        /// Go's word on it.
        flaw: AddressError,
    },
    /// It has a zone.
    #[error("IP address {} with zone value is not allowed", quoted(.0))]
    Zone(String),
    /// It is an IPv4 address in the form of an IPv6 one.
    #[error("IPv4-mapped IPv6 address {} is not allowed", quoted(.0))]
    Mapped(String),
}

/// What Go's `netip.ParseAddr` says of a text that is no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    text: String,
    flaw: Flaw,
}

impl fmt::Display for AddressError {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "ParseAddr({}): {}", quoted(&self.text), self.flaw.what)?;
        if self.flaw.at.is_empty() {
            Ok(())
        } else {
            write!(out, " (at {})", quoted(&self.flaw.at))
        }
    }
}

impl std::error::Error for AddressError {}

/// An address: IPv4, or IPv6 that is not IPv4 in disguise. Shown, it is canonical.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ip(IpAddr);

impl FromStr for Ip {
    type Err = IpError;

    fn from_str(text: &str) -> Result<Self, IpError> {
        match Address::read(text) {
            Err(flaw) => Err(IpError::Parse { text: text.to_owned(), flaw }),
            Ok(Address { zone: true, .. }) => Err(IpError::Zone(text.to_owned())),
            Ok(address) if address.is_mapped() => Err(IpError::Mapped(text.to_owned())),
            Ok(address) => Ok(Self(address.ip)),
        }
    }
}

impl Ip {
    /// `isIP()`: whether `text` is an address.
    pub fn is_ip(text: &str) -> bool {
        text.parse::<Self>().is_ok()
    }

    /// `ip.isCanonical()`: whether `text` is an address in the one form that `string(ip)` has.
    pub fn is_canonical(text: &str) -> Result<bool, IpError> {
        Ok(text.parse::<Self>()?.to_string() == text)
    }

    /// `family()`: 4 or 6.
    pub fn family(self) -> i64 {
        if self.0.is_ipv4() { 4 } else { 6 }
    }

    /// `isUnspecified()`: whether all its bits are 0.
    pub fn is_unspecified(self) -> bool {
        self.0.is_unspecified()
    }

    /// `isLoopback()`.
    pub fn is_loopback(self) -> bool {
        self.0.is_loopback()
    }

    /// `isLinkLocalMulticast()`: `224.0.0.0/24` (RFC 5771, section 4), or IPv6 multicast of link-local
    /// scope, whatever its flags (RFC 4291, section 2.7).
    pub fn is_link_local_multicast(self) -> bool {
        match self.0 {
            IpAddr::V4(ip) => matches!(ip.octets(), [224, 0, 0, _]),
            IpAddr::V6(ip) => matches!(ip.octets(), [0xff, scope, ..] if scope & 0xf == 2),
        }
    }

    /// `isLinkLocalUnicast()`: `169.254.0.0/16` or `fe80::/10`.
    pub fn is_link_local_unicast(self) -> bool {
        match self.0 {
            IpAddr::V4(ip) => ip.is_link_local(),
            IpAddr::V6(ip) => ip.is_unicast_link_local(),
        }
    }

    /// `isGlobalUnicast()`: everything else, private addresses among it, but for multicast and
    /// `255.255.255.255`.
    pub fn is_global_unicast(self) -> bool {
        let broadcast = self.0 == IpAddr::V4(Ipv4Addr::BROADCAST);
        let special = self.is_unspecified() || self.is_loopback() || self.is_link_local_unicast();
        !(broadcast || special || self.0.is_multicast())
    }

    /// Its length in bytes, which is its size where cost is counted.
    pub fn size(self) -> u64 {
        if self.0.is_ipv4() { 4 } else { 16 }
    }

    pub(super) fn new(ip: IpAddr) -> Self {
        Self(ip)
    }

    pub(super) fn address(self) -> IpAddr {
        self.0
    }
}

impl fmt::Display for Ip {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// An address as Go reads it.
pub(super) struct Address {
    pub(super) ip: IpAddr,
    /// It has a zone, which nothing here needs to know.
    pub(super) zone: bool,
}

impl Address {
    pub(super) fn read(text: &str) -> Result<Self, AddressError> {
        let decided = text.bytes().find(|byte| b".:%".contains(byte));
        let address = match decided {
            Some(b'.') => four(text).map(|ip| Self { ip: ip.into(), zone: false }),
            Some(b':') => six(text),
            Some(_) => Err(flaw("missing IPv6 address", "")),
            None => Err(flaw("unable to parse IP", "")),
        };
        address.map_err(|flaw| AddressError { text: text.to_owned(), flaw })
    }

    pub(super) fn is_mapped(&self) -> bool {
        matches!(self.ip, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Flaw {
    what: &'static str,
    at: String,
}

fn flaw(what: &'static str, at: &str) -> Flaw {
    Flaw { what, at: at.to_owned() }
}

/// Four decimal numbers, without zeros before them.
fn four(text: &str) -> Result<Ipv4Addr, Flaw> {
    let mut done = Vec::with_capacity(4);
    // The value of the current field; none before its first digit.
    let mut field: Option<u32> = None;
    for (at, byte) in text.bytes().enumerate() {
        let rest = text.get(at..).unwrap_or_default();
        match (byte, field) {
            (b'0'..=b'9', Some(0)) => {
                return Err(flaw("IPv4 field has octet with leading zero", ""));
            }
            (b'0'..=b'9', _) => {
                let value = field.unwrap_or(0) * 10 + u32::from(byte - b'0');
                if value > 255 {
                    return Err(flaw("IPv4 field has value >255", ""));
                }
                field = Some(value);
            }
            (b'.', Some(_)) if done.len() == 3 && rest.len() > 1 => {
                return Err(flaw("IPv4 address too long", ""));
            }
            (b'.', Some(value)) if rest.len() > 1 => {
                done.push(value);
                field = None;
            }
            (b'.', _) => return Err(flaw("IPv4 field must have at least one digit", rest)),
            _ => return Err(flaw("unexpected character", rest)),
        }
    }
    match (done.as_slice(), field) {
        (&[a, b, c], Some(d)) => Ok(Ipv4Addr::from_bits(a << 24 | b << 16 | c << 8 | d)),
        _ => Err(flaw("IPv4 address too short", "")),
    }
}

/// Eight hexadecimal numbers of which `::` may stand for some, or six and an IPv4 address.
fn six(text: &str) -> Result<Address, Flaw> {
    let (mut rest, zone) = match text.split_once('%') {
        Some((_, "")) => return Err(flaw("zone must be a non-empty string", "")),
        Some((address, _)) => (address, true),
        None => (text, false),
    };
    let mut fields: Vec<u16> = Vec::with_capacity(8);
    let mut gap = None;
    if let Some(after) = rest.strip_prefix("::") {
        gap = Some(0);
        rest = after;
    }
    while fields.len() < 8 && !(rest.is_empty() && gap == Some(fields.len())) {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let (field, after) = rest.split_at_checked(digits).unwrap_or((rest, ""));
        if digits > 4 {
            return Err(flaw("each group must have 4 or less digits", rest));
        }
        let Ok(field) = u16::from_str_radix(field, 16) else {
            return Err(flaw("each colon-separated field must have at least one digit", rest));
        };
        if after.starts_with('.') {
            if gap.is_none() && fields.len() != 6 {
                let what = "embedded IPv4 address must replace the final 2 fields of the address";
                return Err(flaw(what, rest));
            }
            if fields.len() > 6 {
                let what = "too many hex fields to fit an embedded IPv4 at the end of the address";
                return Err(flaw(what, rest));
            }
            let [a, b, c, d] = four(rest)?.octets();
            fields.extend([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]);
            rest = "";
            break;
        }
        fields.push(field);
        rest = after;
        if rest.is_empty() {
            break;
        }
        rest = match rest.strip_prefix(':') {
            None => return Err(flaw("unexpected character, want colon", rest)),
            Some("") => return Err(flaw("colon must be followed by more characters", rest)),
            Some(after) => after,
        };
        if let Some(after) = rest.strip_prefix(':') {
            if gap.is_some() {
                return Err(flaw("multiple :: in address", rest));
            }
            gap = Some(fields.len());
            rest = after;
        }
    }
    if !rest.is_empty() {
        return Err(flaw("trailing garbage after address", rest));
    }
    let missing = 8_usize.saturating_sub(fields.len());
    match gap {
        None if missing > 0 => return Err(flaw("address string too short", "")),
        Some(_) if missing == 0 => {
            return Err(flaw("the :: must expand to at least one field of zeros", ""));
        }
        Some(gap) => drop(fields.splice(gap..gap, std::iter::repeat_n(0, missing))),
        None => {}
    }
    let bits = fields.iter().fold(0_u128, |bits, &field| bits << 16 | u128::from(field));
    Ok(Address { ip: Ipv6Addr::from_bits(bits).into(), zone })
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Arguments, bool, check, int, shown, text};
    use super::*;

    fn answer(expression: &str, args: &Arguments) -> String {
        let ip = || args.text(0).parse::<Ip>();
        match expression {
            "isIP(a)" => bool(Ip::is_ip(args.text(0))),
            "ip.isCanonical(a)" => shown(Ip::is_canonical(args.text(0)), bool),
            "string(ip(a))" => shown(ip(), text),
            "ip(a).family()" => shown(ip(), |ip| int(ip.family())),
            "ip(a).isUnspecified()" => shown(ip(), |ip| bool(ip.is_unspecified())),
            "ip(a).isLoopback()" => shown(ip(), |ip| bool(ip.is_loopback())),
            "ip(a).isLinkLocalMulticast()" => shown(ip(), |ip| bool(ip.is_link_local_multicast())),
            "ip(a).isLinkLocalUnicast()" => shown(ip(), |ip| bool(ip.is_link_local_unicast())),
            "ip(a).isGlobalUnicast()" => shown(ip(), |ip| bool(ip.is_global_unicast())),
            "ip(a) == ip(b)" => shown(ip(), |ip| bool(Ok(ip) == args.text(1).parse())),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn it_answers_as_kubernetes_does() {
        check(include_str!("golden/ip.jsonl"), answer);
    }

    #[test]
    fn sizes_are_in_bytes() {
        assert_eq!("1.2.3.4".parse::<Ip>().map(Ip::size), Ok(4));
        assert_eq!("::1".parse::<Ip>().map(Ip::size), Ok(16));
    }
}
