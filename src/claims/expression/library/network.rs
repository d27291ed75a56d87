//! `ip`, `cidr` and `url`.

use super::super::EvaluationError;
use super::super::evaluator::{Machine, Outcome};
use super::super::types::cidr::{Cidr, CidrError};
use super::super::types::ip::Ip;
use super::super::types::url::Url;
use super::super::val::{Map, Val};
use super::Function;
use super::opaque::Opaque;

/// What this file has.
pub const FUNCTIONS: &[Function] = &[
    Function::new("ip", &["(string) net.IP", "net.CIDR.() net.IP"], |machine, arguments| {
        match arguments {
            [Val::String(text)] => {
                machine.meter.text(text.len())?;
                text.parse::<Ip>().map(Val::opaque).map_err(|error| machine.error(error, NO_IP))
            }
            _ => of_cidr(arguments, |cidr| Val::opaque(cidr.ip())),
        }
    }),
    Function::new("isIP", &["(string) bool"], |machine, a| text(machine, a, Ip::is_ip)),
    Function::new("ip.isCanonical", &["(string) bool"], |machine, arguments| match arguments {
        [Val::String(text)] => {
            machine.meter.text(text.len())?;
            let canonical = Ip::is_canonical(text);
            canonical.map(Val::Bool).map_err(|error| machine.error(error, NO_IP))
        }
        _ => UNRESOLVED,
    }),
    Function::new("family", &["net.IP.() int"], |_, a| of_ip(a, |ip| Val::Int(ip.family()))),
    Function::new("isUnspecified", &["net.IP.() bool"], |_, a| {
        of_ip(a, |ip| Val::Bool(ip.is_unspecified()))
    }),
    Function::new("isLoopback", &["net.IP.() bool"], |_, a| {
        of_ip(a, |ip| Val::Bool(ip.is_loopback()))
    }),
    Function::new("isLinkLocalMulticast", &["net.IP.() bool"], |_, a| {
        of_ip(a, |ip| Val::Bool(ip.is_link_local_multicast()))
    }),
    Function::new("isLinkLocalUnicast", &["net.IP.() bool"], |_, a| {
        of_ip(a, |ip| Val::Bool(ip.is_link_local_unicast()))
    }),
    Function::new("isGlobalUnicast", &["net.IP.() bool"], |_, a| {
        of_ip(a, |ip| Val::Bool(ip.is_global_unicast()))
    }),
    Function::new("cidr", &["(string) net.CIDR"], |machine, arguments| match arguments {
        [Val::String(text)] => {
            machine.meter.text(text.len())?;
            let cidr = text.parse::<Cidr>();
            cidr.map(Val::opaque).map_err(|error| machine.error(error, NO_CIDR))
        }
        _ => UNRESOLVED,
    }),
    Function::new("isCIDR", &["(string) bool"], |machine, a| text(machine, a, Cidr::is_cidr)),
    Function::new(
        "containsIP",
        &["net.CIDR.(string) bool", "net.CIDR.(net.IP) bool"],
        |machine, arguments| match arguments {
            [Val::Opaque(cidr), other] => match (&**cidr, other) {
                (Opaque::Cidr(cidr), Val::String(text)) => {
                    machine.meter.text(text.len())?;
                    contains(machine, cidr.contains_ip_text(text))
                }
                (Opaque::Cidr(cidr), Val::Opaque(ip)) => match &**ip {
                    Opaque::Ip(ip) => Ok(Val::Bool(cidr.contains_ip(*ip))),
                    _ => UNRESOLVED,
                },
                _ => UNRESOLVED,
            },
            _ => UNRESOLVED,
        },
    ),
    Function::new(
        "containsCIDR",
        &["net.CIDR.(string) bool", "net.CIDR.(net.CIDR) bool"],
        |machine, arguments| match arguments {
            [Val::Opaque(cidr), other] => match (&**cidr, other) {
                (Opaque::Cidr(cidr), Val::String(text)) => {
                    machine.meter.text(text.len())?;
                    contains(machine, cidr.contains_cidr_text(text))
                }
                (Opaque::Cidr(cidr), Val::Opaque(other)) => match &**other {
                    Opaque::Cidr(other) => Ok(Val::Bool(cidr.contains_cidr(*other))),
                    _ => UNRESOLVED,
                },
                _ => UNRESOLVED,
            },
            _ => UNRESOLVED,
        },
    ),
    Function::new("prefixLength", &["net.CIDR.() int"], |_, a| {
        of_cidr(a, |cidr| Val::Int(cidr.prefix_length()))
    }),
    Function::new("url", &["(string) kubernetes.URL"], |machine, arguments| match arguments {
        [Val::String(text)] => {
            machine.meter.text(text.len())?;
            let url = text.parse::<Url>();
            url.map(Val::opaque).map_err(|error| machine.error(error, NO_URL))
        }
        _ => UNRESOLVED,
    }),
    Function::new("isURL", &["(string) bool"], |machine, a| text(machine, a, Url::is_url)),
    Function::new("getScheme", URL, |m, a| of_url(m, a, |url| Val::string(url.scheme()))),
    Function::new("getHost", URL, |m, a| of_url(m, a, |url| Val::string(url.host()))),
    Function::new("getHostname", URL, |m, a| of_url(m, a, |url| Val::string(url.hostname()))),
    Function::new("getPort", URL, |m, a| of_url(m, a, |url| Val::string(url.port()))),
    Function::new("getEscapedPath", URL, |m, a| {
        of_url(m, a, |url| Val::string(url.escaped_path()))
    }),
    Function::new(
        "getQuery",
        &["kubernetes.URL.() map(string, list(string))"],
        |machine, arguments| of_url(machine, arguments, query),
    ),
    Function::new("masked", &["net.CIDR.() net.CIDR"], |_, a| {
        of_cidr(a, |cidr| Val::opaque(cidr.masked()))
    }),
];

const UNRESOLVED: Outcome<'static> = Err(EvaluationError::UNRESOLVED);

const URL: &[&str] = &["kubernetes.URL.() string"];

const NO_URL: &str = "URL parse error during conversion from string";

const NO_IP: &str = "IP Address parse error during conversion from string";

const NO_CIDR: &str = "network address parse error during conversion from string";

fn text<'a>(
    machine: &mut Machine<'a>,
    arguments: &[Val<'a>],
    holds: fn(&str) -> bool,
) -> Outcome<'a> {
    match arguments {
        [Val::String(text)] => {
            machine.meter.text(text.len())?;
            Ok(Val::Bool(holds(text)))
        }
        _ => UNRESOLVED,
    }
}

fn contains<'a>(machine: &Machine<'a>, result: Result<bool, CidrError>) -> Outcome<'a> {
    result.map(Val::Bool).map_err(|error| match error {
        // This is all that upstream says of it, also where others would have its types.
        CidrError::NoAddress => EvaluationError::of(error),
        error => machine.error(error, NO_CIDR),
    })
}

fn of_ip<'a>(arguments: &[Val<'a>], of: fn(Ip) -> Val<'static>) -> Outcome<'a> {
    match arguments {
        [Val::Opaque(ip)] => match &**ip {
            Opaque::Ip(ip) => Ok(of(*ip)),
            _ => UNRESOLVED,
        },
        _ => UNRESOLVED,
    }
}

fn of_cidr<'a>(arguments: &[Val<'a>], of: fn(Cidr) -> Val<'static>) -> Outcome<'a> {
    match arguments {
        [Val::Opaque(cidr)] => match &**cidr {
            Opaque::Cidr(cidr) => Ok(of(*cidr)),
            _ => UNRESOLVED,
        },
        _ => UNRESOLVED,
    }
}

fn of_url<'a>(
    machine: &mut Machine<'a>,
    arguments: &[Val<'a>],
    of: fn(&Url) -> Val<'static>,
) -> Outcome<'a> {
    match arguments {
        [Val::Opaque(url)] => match &**url {
            Opaque::Url(url) => {
                machine.meter.text(url.length())?;
                Ok(of(url))
            }
            _ => UNRESOLVED,
        },
        _ => UNRESOLVED,
    }
}

fn query(url: &Url) -> Val<'static> {
    let entries = url.query().into_iter().map(|(name, values)| {
        (Val::string(name), Val::list(values.into_iter().map(Val::string).collect()))
    });
    // Strings can be keys.
    Map::new(entries.collect(), false).map_or(Val::Null, Val::Map)
}
