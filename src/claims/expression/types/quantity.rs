//! `quantity()`: amounts as Kubernetes writes them (`1.5Gi`, `100m`, `12e6`), compared and summed
//! without loss.
//!
//! Upstream keeps a quantity in one of two forms, a scaled `int64` or a decimal of any length, and
//! an expression can tell: [`Quantity::as_integer`] and [`Quantity::is_integer`] know the first only,
//! so that `quantity("1000m")` and `quantity("0.5Gi")` are no integers. So do we. No exponent, however
//! large, is ever multiplied out: `1e1000000000` costs what `1e3` does.
//!
//! *Differs*: a number of more than [`MAX_DIGITS`] digits is refused, and so is a sum that would need
//! more; upstream computes them.

use std::cmp::Ordering;
use std::str::FromStr;

use num_bigint::{BigInt, BigUint, Sign};

/// The longest number that is taken, and the longest that a sum may become.
pub const MAX_DIGITS: usize = 4096;

/// How many decimal places upstream keeps; what is smaller is rounded away from zero.
const PLACES: i32 = 9;

/// Why a text is no quantity, or an operation has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// It does not look like one.
    #[error(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Format,
    /// What stands before the suffix is no number, or is longer than [`MAX_DIGITS`].
    #[error("unable to parse numeric part of quantity")]
    Numeric,
    /// The suffix is unknown.
    #[error("unable to parse quantity's suffix")]
    Suffix,
    /// [`Quantity::as_integer`] of what has no integer form.
    #[error("cannot convert value to integer")]
    NoInteger,
    /// The sum has more than [`MAX_DIGITS`] digits.
    #[error("quantity has too many digits")]
    TooLong,
}

/// An amount. Two are equal when their values are, whatever their suffixes.
#[derive(Clone, Debug)]
pub struct Quantity {
    amount: Amount,
}

/// The two forms that upstream keeps.
#[derive(Clone, Debug)]
enum Amount {
    /// `value` × 10^`scale`.
    Scaled { value: i64, scale: i32 },
    /// `unscaled` × 10^-`places`. Arithmetic that leaves an `int64` stays here.
    Decimal { unscaled: BigInt, places: i64 },
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let written = Written::split(text)?;
        let suffix = Suffix::read(written.suffix).ok_or(QuantityError::Suffix)?;
        if written.whole.len() + written.fraction.len() > MAX_DIGITS {
            return Err(QuantityError::Numeric);
        }
        let amount = match written.scaled(suffix)? {
            Some(amount) => amount,
            None => written.decimal(suffix)?,
        };
        Ok(Self { amount })
    }
}

impl Quantity {
    /// Whether `text` is a quantity: `isQuantity()`.
    pub fn is_quantity(text: &str) -> bool {
        text.parse::<Self>().is_ok()
    }

    /// What arithmetic on it takes: its digits are worked out anew each time, however often it is
    /// used.
    pub fn weight(&self) -> usize {
        match &self.amount {
            Amount::Scaled { .. } => 0,
            Amount::Decimal { unscaled, .. } => {
                usize::try_from(unscaled.bits() / 32).unwrap_or(usize::MAX)
            }
        }
    }

    /// `sign()`: 1, 0 or -1.
    pub fn sign(&self) -> i64 {
        match &self.amount {
            Amount::Scaled { value, .. } => value.signum(),
            Amount::Decimal { unscaled, .. } => match unscaled.sign() {
                Sign::Minus => -1,
                Sign::NoSign => 0,
                Sign::Plus => 1,
            },
        }
    }

    /// `asInteger()`: the amount as an int, if it was written as one and fits.
    pub fn as_integer(&self) -> Result<i64, QuantityError> {
        self.integer().ok_or(QuantityError::NoInteger)
    }

    /// `isInteger()`: whether [`Self::as_integer`] has an answer.
    pub fn is_integer(&self) -> bool {
        self.integer().is_some()
    }

    /// `asApproximateFloat()`: near enough, and infinite if it is out of range.
    pub fn as_approximate_float(&self) -> f64 {
        let (base, exponent) = match &self.amount {
            #[expect(clippy::cast_precision_loss, reason = "approximate by name")]
            Amount::Scaled { value, scale } => (*value as f64, i64::from(*scale)),
            // Parsing rounds to the nearest, as a conversion from any length does.
            Amount::Decimal { unscaled, places } => {
                (unscaled.to_string().parse().unwrap_or(f64::NAN), -places)
            }
        };
        if exponent == 0 { base } else { base * power_of_ten(exponent) }
    }

    /// `add()` of another quantity.
    pub fn plus(&self, other: &Self) -> Result<Self, QuantityError> {
        self.sum(other, false)
    }

    /// `add()` of an int.
    pub fn plus_integer(&self, other: i64) -> Result<Self, QuantityError> {
        self.plus(&other.into())
    }

    /// `sub()` of another quantity.
    pub fn minus(&self, other: &Self) -> Result<Self, QuantityError> {
        self.sum(other, true)
    }

    /// `sub()` of an int.
    pub fn minus_integer(&self, other: i64) -> Result<Self, QuantityError> {
        self.minus(&other.into())
    }

    fn integer(&self) -> Option<i64> {
        match self.amount {
            Amount::Scaled { value, scale } => raise(value, scale),
            Amount::Decimal { .. } => None,
        }
    }

    fn sum(&self, other: &Self, negate: bool) -> Result<Self, QuantityError> {
        if let (
            &Amount::Scaled { value, scale },
            &Amount::Scaled { value: other, scale: other_scale },
        ) = (&self.amount, &other.amount)
        {
            // As upstream, which negates before it adds: the least int64 stays what it is.
            let other = if negate { other.wrapping_neg() } else { other };
            if let Some(amount) = sum((value, scale), (other, other_scale)) {
                return Ok(Self { amount });
            }
        }
        let (left, left_places) = self.decimal();
        let (right, right_places) = other.decimal();
        let places = left_places.max(right_places);
        let left = shift(left, places - left_places)?;
        let right = shift(right, places - right_places)?;
        let unscaled = if negate { left - right } else { left + right };
        Ok(Self { amount: Amount::Decimal { unscaled, places } })
    }

    fn decimal(&self) -> (BigInt, i64) {
        match &self.amount {
            Amount::Scaled { value, scale } => ((*value).into(), -i64::from(*scale)),
            Amount::Decimal { unscaled, places } => (unscaled.clone(), *places),
        }
    }
}

impl From<i64> for Quantity {
    fn from(value: i64) -> Self {
        Self { amount: Amount::Scaled { value, scale: 0 } }
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_sign = self.sign().cmp(&other.sign());
        if by_sign != Ordering::Equal || self.sign() == 0 {
            return by_sign;
        }
        let (left, left_places) = self.decimal();
        let (right, right_places) = other.decimal();
        // The power of ten just above each: only where it is the same are the digits compared, and
        // then they differ by no more zeros than one has digits.
        let above = digits(&left) - left_places;
        let by_size = match above.cmp(&(digits(&right) - right_places)) {
            Ordering::Equal => {
                let places = left_places.max(right_places);
                let left = zeros(left.magnitude(), places - left_places);
                left.cmp(&zeros(right.magnitude(), places - right_places))
            }
            unequal => unequal,
        };
        if self.sign() < 0 { by_size.reverse() } else { by_size }
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Quantity {}

/// A quantity in its parts.
struct Written<'a> {
    negative: bool,
    /// Without leading zeros, but for a lone one.
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
    /// All before the suffix was a sign or a dot, in which the longer form sees no number.
    blank: bool,
}

impl<'a> Written<'a> {
    fn split(text: &'a str) -> Result<Self, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, rest) = leading(unsigned, |byte| byte.is_ascii_digit());
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => leading(rest, |byte| byte.is_ascii_digit()),
            None => ("", rest),
        };
        let (_, exponent) = leading(suffix, |byte| b"eEinumkKMGTP".contains(&byte));
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if !exponent.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(QuantityError::Format);
        }
        let blank = whole.is_empty() && fraction.is_empty();
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        Ok(Self { negative: text.starts_with('-'), whole, fraction, suffix, blank })
    }

    fn digits(&self) -> String {
        [self.whole, self.fraction].concat()
    }

    /// The short form, if upstream would use it.
    fn scaled(&self, suffix: Suffix) -> Result<Option<Amount>, QuantityError> {
        let whole = i32::try_from(self.whole.len()).map_err(|_| QuantityError::Numeric)?;
        let fraction = i32::try_from(self.fraction.len()).map_err(|_| QuantityError::Numeric)?;
        let (precision, factor, scale) = match suffix {
            Suffix::Ten(exponent) => (18 - whole - fraction, 1, exponent),
            // A binary suffix takes about three digits for ten bits.
            Suffix::Two(bits) if fraction == 0 => (14 - whole - bits * 3 / 10, 1_i64 << bits, 0),
            Suffix::Two(_) => return Ok(None),
        };
        let scale = scale.wrapping_sub(fraction);
        if precision < 0 || scale < -PLACES {
            return Ok(None);
        }
        let value: i64 = self.digits().parse().map_err(|_| QuantityError::Numeric)?;
        let value = value.checked_mul(factor);
        let signed = value.map(|value| if self.negative { -value } else { value });
        Ok(signed.map(|value| Amount::Scaled { value, scale }))
    }

    /// The long form: rounded away from zero to nine places, and capped if the suffix is binary.
    fn decimal(&self, suffix: Suffix) -> Result<Amount, QuantityError> {
        if self.blank {
            return Err(QuantityError::Numeric);
        }
        let mut size: BigUint = self.digits().parse().map_err(|_| QuantityError::Numeric)?;
        let mut places = i64::try_from(self.fraction.len()).map_err(|_| QuantityError::Numeric)?;
        match suffix {
            Suffix::Ten(exponent) => places -= i64::from(exponent),
            Suffix::Two(bits) => size <<= bits,
        }
        let kept = i64::from(PLACES);
        if size == BigUint::ZERO {
            // Zero is zero at every scale.
        } else if places > kept {
            size = cut(&size, places - kept);
            places = kept;
        } else if places > -FLOAT_DIGITS {
            size = zeros(&size, kept - places);
            places = kept;
        }
        if matches!(suffix, Suffix::Two(_)) {
            let most = i64::MAX.unsigned_abs().into();
            if size > zeros(&most, places) {
                (size, places) = (most, 0);
            }
        }
        let sign = if self.negative { Sign::Minus } else { Sign::Plus };
        Ok(Amount::Decimal { unscaled: BigInt::from_biguint(sign, size), places })
    }
}

/// More digits than any double has: beyond, [`Quantity::as_approximate_float`] is infinite whether
/// the zeros are written out (as upstream does) or not.
const FLOAT_DIGITS: i64 = 400;

/// What a suffix multiplies by.
#[derive(Clone, Copy)]
enum Suffix {
    /// 10 to this.
    Ten(i32),
    /// 2 to this.
    Two(i32),
}

impl Suffix {
    fn read(suffix: &str) -> Option<Self> {
        Some(match suffix {
            "n" => Self::Ten(-9),
            "u" => Self::Ten(-6),
            "m" => Self::Ten(-3),
            "" => Self::Ten(0),
            "k" => Self::Ten(3),
            "M" => Self::Ten(6),
            "G" => Self::Ten(9),
            "T" => Self::Ten(12),
            "P" => Self::Ten(15),
            "E" => Self::Ten(18),
            "Ki" => Self::Two(10),
            "Mi" => Self::Two(20),
            "Gi" => Self::Two(30),
            "Ti" => Self::Two(40),
            "Pi" => Self::Two(50),
            "Ei" => Self::Two(60),
            _ => {
                let exponent: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
                // As upstream, which reads 64 bits and keeps 32.
                #[expect(clippy::cast_possible_truncation, reason = "upstream's")]
                Self::Ten(exponent as i32)
            }
        })
    }
}

/// The sum in the short form, if it fits at the finer of the two scales.
fn sum((left, left_scale): (i64, i32), (right, right_scale): (i64, i32)) -> Option<Amount> {
    let (value, scale) = if right == 0 {
        (left, left_scale)
    } else if left == 0 {
        (right, right_scale)
    } else {
        let scale = left_scale.min(right_scale);
        let left = raise(left, left_scale.checked_sub(scale)?)?;
        (left.checked_add(raise(right, right_scale.checked_sub(scale)?)?)?, scale)
    };
    Some(Amount::Scaled { value, scale })
}

/// `value` × 10^`scale`, unless it overflows or would need a fraction.
fn raise(value: i64, scale: i32) -> Option<i64> {
    let scale = u32::try_from(scale).ok()?;
    if value == 0 { Some(0) } else { value.checked_mul(10_i64.checked_pow(scale)?) }
}

/// As [`zeros`], within [`MAX_DIGITS`].
fn shift(number: BigInt, count: i64) -> Result<BigInt, QuantityError> {
    if number == BigInt::ZERO {
        return Ok(number);
    }
    if usize::try_from(digits(&number) + count).map_or(true, |digits| digits > MAX_DIGITS) {
        return Err(QuantityError::TooLong);
    }
    let (sign, size) = number.into_parts();
    Ok(BigInt::from_biguint(sign, zeros(&size, count)))
}

/// `number` with so many zeros behind it. The caller bounds their count.
fn zeros(number: &BigUint, count: i64) -> BigUint {
    number * BigUint::from(10_u8).pow(u32::try_from(count).unwrap_or(0))
}

/// `number` without so many of its last digits, rounded up.
fn cut(number: &BigUint, count: i64) -> BigUint {
    match u32::try_from(count) {
        // Ten has more than three bits: a power of ten that is too large is not worked out.
        Ok(count) if u64::from(count) * 3 < number.bits() => {
            let divisor = BigUint::from(10_u8).pow(count);
            (number + &divisor - 1_u8) / divisor
        }
        // More than it has.
        _ => BigUint::from(1_u8),
    }
}

/// How many decimal digits `number` has.
fn digits(number: &BigInt) -> i64 {
    i64::try_from(number.magnitude().to_string().len()).unwrap_or(i64::MAX)
}

/// Go's `math.Pow10`, whose results are products of two powers.
fn power_of_ten(exponent: i64) -> f64 {
    let power = |exponent: i64| format!("1e{exponent}").parse().unwrap_or(f64::NAN);
    match exponent {
        0..=308 => power(exponent / 32 * 32) * power(exponent % 32),
        -323..0 => power(exponent / 32 * 32) / power(-exponent % 32),
        309.. => f64::INFINITY,
        _ => 0.0,
    }
}

/// `text` up to its first byte that does not fit, and the rest.
fn leading(text: &str, fits: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !fits(byte)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests;
