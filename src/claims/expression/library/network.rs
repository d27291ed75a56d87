//! `ip`, `cidr` and `url`.

use super::super::EvaluationError;
use super::super::evaluator::{Machine, Outcome};
use super::super::types::cidr::{Cidr, CidrError};
use super::super::types::ip::Ip;
use super::super::val::Val;
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
        _ => NO_OVERLOAD,
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
        _ => NO_OVERLOAD,
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
                    _ => NO_OVERLOAD,
                },
                _ => NO_OVERLOAD,
            },
            _ => NO_OVERLOAD,
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
                    _ => NO_OVERLOAD,
                },
                _ => NO_OVERLOAD,
            },
            _ => NO_OVERLOAD,
        },
    ),
    Function::new("prefixLength", &["net.CIDR.() int"], |_, a| {
        of_cidr(a, |cidr| Val::Int(cidr.prefix_length()))
    }),
    Function::new("masked", &["net.CIDR.() net.CIDR"], |_, a| {
        of_cidr(a, |cidr| Val::opaque(cidr.masked()))
    }),
];

const NO_OVERLOAD: Outcome<'static> = Err(EvaluationError::NO_OVERLOAD);

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
        _ => NO_OVERLOAD,
    }
}

fn contains<'a>(machine: &Machine<'a>, result: Result<bool, CidrError>) -> Outcome<'a> {
    result.map(Val::Bool).map_err(|error| match error {
        // This is all that upstream says of it, also where others would have its types.
        CidrError::NoAddress => EvaluationError::new(error.to_string() + ""),
        error => machine.error(error, NO_CIDR),
    })
}

fn of_ip<'a>(arguments: &[Val<'a>], of: fn(Ip) -> Val<'static>) -> Outcome<'a> {
    match arguments {
        [Val::Opaque(ip)] => match &**ip {
            Opaque::Ip(ip) => Ok(of(*ip)),
            _ => NO_OVERLOAD,
        },
        _ => NO_OVERLOAD,
    }
}

fn of_cidr<'a>(arguments: &[Val<'a>], of: fn(Cidr) -> Val<'static>) -> Outcome<'a> {
    match arguments {
        [Val::Opaque(cidr)] => match &**cidr {
            Opaque::Cidr(cidr) => Ok(of(*cidr)),
            _ => NO_OVERLOAD,
        },
        _ => NO_OVERLOAD,
    }
}

/// `kubernetes.URL`.
#[derive(Clone, Debug, PartialEq)]
pub struct Url;
