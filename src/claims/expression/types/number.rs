//! Numbers between CEL's types and to and from text, as Go's `strconv` writes and reads them.
//!
//! Claims are JSON, whose numbers are doubles, so that what [`double_to_string`] makes of them is
//! what operators see: 1234567 is `1.234567e+06`.

use std::cmp::Ordering;

/// Why a number cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// It is not in the range of an int.
    #[error("integer overflow")]
    Int,
    /// It is not in the range of an uint.
    #[error("unsigned integer overflow")]
    Uint,
    /// The text is not one of this type.
    #[error("type conversion error from 'string' to '{0}'")]
    Text(&'static str),
}

/// `string(double)`: Go's `%g`, the shortest text that reads back as the same number.
pub fn double_to_string(value: f64) -> String {
    if !value.is_finite() {
        return special(value, "+Inf", "-Inf").to_owned();
    }
    let (digits, exponent) = shortest(value);
    if (-4..6).contains(&exponent) {
        return positional(value);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// A finite number without an exponent, in as few digits as [`double_to_string`] has: Go's `%f` of no
/// given precision.
pub(super) fn positional(value: f64) -> String {
    let (digits, exponent) = shortest(value);
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits.as_str()),
    };
    let mut digits = digits.replace('.', "");
    match usize::try_from(exponent) {
        Ok(exponent) if exponent + 1 >= digits.len() => {
            digits.extend(std::iter::repeat_n('0', exponent + 1 - digits.len()));
        }
        Ok(exponent) => digits.insert(exponent + 1, '.'),
        Err(_) => {
            let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
            digits.insert_str(0, &format!("0.{zeros}"));
        }
    }
    format!("{sign}{digits}")
}

/// The digits of a finite number, with a point behind the first, and its exponent of ten. Of two that
/// are as short and as near, Go takes the even one, and Rust the larger.
fn shortest(value: f64) -> (String, i32) {
    let text = format!("{value:e}");
    let digits = text.bytes().take_while(|&byte| byte != b'e').filter(u8::is_ascii_digit).count();
    let even = format!("{value:.0$e}", digits.saturating_sub(1));
    let text = if even.parse() == Ok(value) { even } else { text };
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, ""));
    (digits.to_owned(), exponent.parse().unwrap_or(0))
}

/// `NaN` or one of the infinities.
pub(super) fn special(value: f64, plus: &'static str, minus: &'static str) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        plus
    } else {
        minus
    }
}

/// `int(double)`: towards zero. The least int has no double of its own in upstream's eyes.
pub fn double_to_int(value: f64) -> Result<i64, NumberError> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "the range has been checked")]
    if value > -LIMIT && value < LIMIT { Ok(value as i64) } else { Err(NumberError::Int) }
}

/// `uint(double)`: towards zero.
pub fn double_to_uint(value: f64) -> Result<u64, NumberError> {
    const LIMIT: f64 = 18_446_744_073_709_551_616.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range has been checked"
    )]
    if (0.0..LIMIT).contains(&value) { Ok(value as u64) } else { Err(NumberError::Uint) }
}

/// `double(int)`: to the nearest.
#[expect(clippy::cast_precision_loss, reason = "to the nearest")]
pub fn int_to_double(value: i64) -> f64 {
    value as f64
}

/// `double(uint)`: to the nearest.
#[expect(clippy::cast_precision_loss, reason = "to the nearest")]
pub fn uint_to_double(value: u64) -> f64 {
    value as f64
}

/// `uint(int)`.
pub fn int_to_uint(value: i64) -> Result<u64, NumberError> {
    value.try_into().map_err(|_| NumberError::Uint)
}

/// `int(uint)`.
pub fn uint_to_int(value: u64) -> Result<i64, NumberError> {
    value.try_into().map_err(|_| NumberError::Int)
}

/// `int(string)`.
pub fn string_to_int(text: &str) -> Result<i64, NumberError> {
    text.parse().map_err(|_| NumberError::Text("int"))
}

/// `uint(string)`: no sign, not even a plus.
pub fn string_to_uint(text: &str) -> Result<u64, NumberError> {
    let unsigned = if text.starts_with('+') { "" } else { text };
    unsigned.parse().map_err(|_| NumberError::Text("uint"))
}

/// `bool(string)`.
pub fn string_to_bool(text: &str) -> Result<bool, NumberError> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(NumberError::Text("bool")),
    }
}

/// `double(string)`: decimal or hexadecimal, with `_` between digits, and infinities and NaN by name.
/// What is too large is no double.
pub fn string_to_double(text: &str) -> Result<f64, NumberError> {
    read_double(text).ok_or(NumberError::Text("double"))
}

fn read_double(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity") {
        return text.parse().ok();
    }
    if text.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    let hexadecimal = unsigned.strip_prefix("0x").or(unsigned.strip_prefix("0X"));
    if !underscores_separate_digits(hexadecimal.unwrap_or(unsigned), hexadecimal.is_some()) {
        return None;
    }
    let value = match hexadecimal {
        Some(digits) => read_hexadecimal(&digits.replace('_', ""))?,
        None => {
            let text = unsigned.replace('_', "");
            // The rest of what Rust reads: a second sign, and names.
            let starts = text.starts_with(|first: char| first == '.' || first.is_ascii_digit());
            if starts { text.parse().ok()? } else { return None }
        }
    };
    let value: f64 = if text.starts_with('-') { -value } else { value };
    value.is_finite().then_some(value)
}

/// Whether every `_` stands between two digits, or between the prefix and one.
fn underscores_separate_digits(text: &str, hexadecimal: bool) -> bool {
    let mut after_digit = hexadecimal;
    let mut after_underscore = false;
    for byte in text.bytes() {
        let digit = byte.is_ascii_digit() || hexadecimal && byte.is_ascii_hexdigit();
        if byte == b'_' && !after_digit || after_underscore && !digit {
            return false;
        }
        (after_digit, after_underscore) = (digit, byte == b'_');
    }
    !after_underscore
}

/// A hexadecimal number behind its `0x`, whose exponent of two is not optional.
fn read_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let written: i64 = match exponent.parse::<i64>() {
        Ok(exponent) => exponent.clamp(-1_000_000_000, 1_000_000_000),
        Err(_) if exponent.starts_with('-') => -1_000_000_000,
        Err(_) => 1_000_000_000,
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // 60 bits of the number, and below them one that is set if anything else is.
    let (mut bits, mut exponent, mut rest) = (0_u64, written, false);
    for (digit, fractional) in
        whole.chars().map(|digit| (digit, false)).chain(fraction.chars().map(|digit| (digit, true)))
    {
        let digit = digit.to_digit(16)?;
        if bits < 1 << 56 {
            bits = bits << 4 | u64::from(digit);
            exponent -= if fractional { 4 } else { 0 };
        } else {
            rest |= digit != 0;
            exponent += if fractional { 0 } else { 4 };
        }
    }
    Some(rounded(bits << 1 | u64::from(rest), exponent - 1))
}

/// `bits` × 2^`exponent`, to the nearest and ties to even, where the lowest bit may stand for more.
fn rounded(bits: u64, exponent: i64) -> f64 {
    if bits == 0 {
        return 0.0;
    }
    let length = i64::from(u64::BITS - bits.leading_zeros());
    // The exponent of the last place that a double of this size has.
    let last = (exponent + length - 53).max(-1074);
    let kept = match u32::try_from(last - exponent) {
        Err(_) => bits, // fewer bits than a double has
        Ok(0) => bits,
        Ok(cut @ 1..64) => {
            let (kept, half) = (bits >> cut, 1_u64 << (cut - 1));
            let beyond = bits & ((half << 1) - 1);
            kept + u64::from(beyond > half || beyond == half && kept & 1 == 1)
        }
        Ok(_) => 0,
    };
    let exponent = last.max(exponent);
    if exponent > 1100 {
        return f64::INFINITY;
    }
    // Exact, both: the number is below 2^54, and each step but the last stays in range.
    let half = i32::try_from(exponent / 2).unwrap_or(0);
    let other = i32::try_from(exponent - exponent / 2).unwrap_or(0);
    uint_to_double(kept) * 2_f64.powi(half) * 2_f64.powi(other)
}

/// How a double and an int compare, in `<` as in `==`: as doubles, within the range of the int. A
/// NaN equals nothing and has no order, which is for the caller to see to.
pub fn compare_double_int(left: f64, right: i64) -> Ordering {
    left.partial_cmp(&int_to_double(right)).unwrap_or(Ordering::Equal)
}

/// How a double and an uint compare: as [`compare_double_int`].
pub fn compare_double_uint(left: f64, right: u64) -> Ordering {
    left.partial_cmp(&uint_to_double(right)).unwrap_or(Ordering::Equal)
}

/// How an int and an uint compare: as the numbers they are.
pub fn compare_int_uint(left: i64, right: u64) -> Ordering {
    u64::try_from(left).map_or(Ordering::Less, |left| left.cmp(&right))
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Arguments, bool, check, double, int, shown, text};
    use super::*;

    fn answer(expression: &str, args: &Arguments) -> String {
        match expression {
            "string(a)" => text(double_to_string(args.double(0))),
            "int(a)" => match args.raw(0).as_str().expect("tagged").split_at(1).0 {
                "d" => shown(double_to_int(args.double(0)), int),
                "u" => shown(uint_to_int(args.uint(0)), int),
                _ => shown(string_to_int(args.text(0)), int),
            },
            "uint(a)" => match args.raw(0).as_str().expect("tagged").split_at(1).0 {
                "d" => shown(double_to_uint(args.double(0)), |value| format!("u:{value}")),
                "i" => shown(int_to_uint(args.int(0)), |value| format!("u:{value}")),
                _ => shown(string_to_uint(args.text(0)), |value| format!("u:{value}")),
            },
            "double(a)" => match args.raw(0).as_str().expect("tagged").split_at(1).0 {
                "i" => double(int_to_double(args.int(0))),
                "u" => double(uint_to_double(args.uint(0))),
                _ => shown(string_to_double(args.text(0)), double),
            },
            "bool(a)" => shown(string_to_bool(args.text(0)), bool),
            "a < b" | "a == b" => {
                let side = |index| args.raw(index).as_str().expect("tagged").split_at(1).0;
                let order = match (side(0), side(1)) {
                    ("d", "i") => compare_double_int(args.double(0), args.int(1)),
                    ("d", "u") => compare_double_uint(args.double(0), args.uint(1)),
                    ("i", "u") => compare_int_uint(args.int(0), args.uint(1)),
                    other => panic!("{other:?}"),
                };
                bool(if expression == "a < b" { order.is_lt() } else { order.is_eq() })
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn they_are_what_kubernetes_makes_of_them() {
        check(include_str!("golden/number.jsonl"), answer);
    }

    #[test]
    fn long_ones_take_no_longer_than_they_are() {
        let long = "1".repeat(1 << 20);
        assert!(string_to_int(&long).is_err() && string_to_double(&long).is_err());
        assert!(string_to_double(&format!("0.{long}")).is_ok());
        assert_eq!(string_to_double(&format!("0x{long}p-99999999")), Ok(0.0));
    }
}
