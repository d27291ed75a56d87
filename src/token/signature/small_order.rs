//! Points of Edwards curves with which anybody can sign.
//!
//! The order of such a point divides the curve's cofactor, so that signatures without a private key
//! verify with it: of one message in a few, or of all. No key generator gives one, but a file that
//! was zeroed does. RFC 8032 leaves it to the caller to refuse them, and so do the libraries.

/// Whether `key` is one of the points of Ed25519 (RFC 8032, section 5.1.2: y, and in its highest
/// bit the sign of x). Some come in two spellings, since y may be written beyond the prime.
pub(super) fn ed25519(key: &[u8]) -> bool {
    let Some((last, rest)) = key.split_last() else { return false };
    let y = [rest, &[last & 0x7f]].concat();
    match &*y {
        // 0 and 1.
        [0 | 1, rest @ ..] if all(0, rest) => true,
        // The prime 2^255 - 19, one less and one more.
        [0xec..=0xee, rest @ .., 0x7f] if all(0xff, rest) => true,
        y => [ORDER_8, OTHER_ORDER_8].iter().any(|point| y == point),
    }
}

/// Whether `key` is one of the points of Ed448 (section 5.2.2: y, and a byte for the sign of x).
pub(super) fn ed448(key: &[u8]) -> bool {
    let Some((low, high)) = key.split_last().and_then(|(_, y)| y.split_at_checked(28)) else {
        return false;
    };
    match (low, high) {
        // 0 and 1.
        ([0 | 1, low @ ..], high) if all(0, low) && all(0, high) => true,
        // The prime 2^448 - 2^224 - 1, and one less.
        ([0xfe | 0xff, low @ ..], [0xfe, high @ ..]) => all(0xff, low) && all(0xff, high),
        // One more.
        _ => all(0, low) && all(0xff, high),
    }
}

fn all(value: u8, bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == value)
}

/// The y of four points of order 8 of Ed25519.
const ORDER_8: [u8; 32] = [
    0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
    0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
];

/// The y of the other four.
const OTHER_ORDER_8: [u8; 32] = [
    0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
    0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
];
