//! Equality and order of values: numbers compare by value whatever their type.

use std::cmp::Ordering;

use super::EvaluationError;
use super::limits::Meter;
use super::types::number;
use super::val::Val;

/// Whether two values are equal. Those of types that have nothing in common are not.
pub fn equal(one: &Val<'_>, other: &Val<'_>, meter: &mut Meter) -> Result<bool, EvaluationError> {
    if let Some(order) = numbers(one, other) {
        return Ok(order == Some(Ordering::Equal));
    }
    Ok(match (one, other) {
        (Val::Null, Val::Null) => true,
        (Val::Bool(one), Val::Bool(other)) => one == other,
        (Val::String(one), Val::String(other)) => {
            meter.text(one.len().min(other.len()))?;
            **one == **other
        }
        (Val::Bytes(one), Val::Bytes(other)) => {
            meter.text(one.len().min(other.len()))?;
            one == other
        }
        (Val::Duration(one), Val::Duration(other)) => one == other,
        (Val::Timestamp(one), Val::Timestamp(other)) => one == other,
        (Val::Type(one), Val::Type(other)) => one == other,
        (Val::Opaque(one), Val::Opaque(other)) => {
            meter.charge(one.weight().min(other.weight()))?;
            one == other
        }
        (Val::Root(one), Val::Root(other)) => one == other,
        (Val::Root(_), _) => return Err(EvaluationError::NO_OVERLOAD),
        (Val::Optional(one), Val::Optional(other)) => match (one, other) {
            (Some(one), Some(other)) => equal(one, other, meter)?,
            (one, other) => one.is_none() && other.is_none(),
        },
        (Val::List(one), Val::List(other)) => {
            if one.len() != other.len() {
                return Ok(false);
            }
            for (one, other) in one.iter().zip(other.iter()) {
                meter.charge(1)?;
                if !equal(one, other, meter)? {
                    return Ok(false);
                }
            }
            true
        }
        (Val::Map(one), Val::Map(other)) => {
            if one.len() != other.len() {
                return Ok(false);
            }
            for (key, value) in one.entries() {
                meter.charge(1 + other.price(key))?;
                match other.get(key) {
                    Some(found) if equal(value, found, meter)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        _ => false,
    })
}

/// Whether a list holds a value: one that cannot be compared with it is not it.
pub fn holds<'a, 'b: 'a>(
    list: impl IntoIterator<Item = &'a Val<'b>>,
    wanted: &Val<'_>,
    meter: &mut Meter,
) -> Result<bool, EvaluationError> {
    for item in list {
        meter.charge(1)?;
        match equal(wanted, item, meter) {
            Ok(true) => return Ok(true),
            Err(error) if error != EvaluationError::NO_OVERLOAD => return Err(error),
            Ok(false) | Err(_) => {}
        }
    }
    Ok(false)
}

/// The order of two values that have one.
pub fn order(
    one: &Val<'_>,
    other: &Val<'_>,
    meter: &mut Meter,
) -> Result<Ordering, EvaluationError> {
    if let Some(order) = numbers(one, other) {
        return order.ok_or_else(|| EvaluationError::new("NaN values cannot be ordered"));
    }
    match (one, other) {
        (Val::Bool(one), Val::Bool(other)) => Ok(one.cmp(other)),
        (Val::String(one), Val::String(other)) => {
            meter.text(one.len().min(other.len()))?;
            Ok((**one).cmp(&**other))
        }
        (Val::Bytes(one), Val::Bytes(other)) => {
            meter.text(one.len().min(other.len()))?;
            Ok(one.cmp(other))
        }
        (Val::Duration(one), Val::Duration(other)) => Ok(one.cmp(other)),
        (Val::Timestamp(one), Val::Timestamp(other)) => Ok(one.cmp(other)),
        _ => Err(EvaluationError::NO_OVERLOAD),
    }
}

/// The order of two numbers, which one that is none does not have; absent if they are not both
/// numbers.
fn numbers(one: &Val<'_>, other: &Val<'_>) -> Option<Option<Ordering>> {
    Some(match (one, other) {
        (Val::Int(one), Val::Int(other)) => Some(one.cmp(other)),
        (Val::Uint(one), Val::Uint(other)) => Some(one.cmp(other)),
        (Val::Double(one), Val::Double(other)) => one.partial_cmp(other),
        (Val::Int(one), Val::Uint(other)) => Some(number::compare_int_uint(*one, *other)),
        (Val::Uint(one), Val::Int(other)) => Some(number::compare_int_uint(*other, *one).reverse()),
        (Val::Double(one), Val::Int(_) | Val::Uint(_)) if one.is_nan() => None,
        (Val::Int(_) | Val::Uint(_), Val::Double(other)) if other.is_nan() => None,
        (Val::Double(one), Val::Int(other)) => Some(number::compare_double_int(*one, *other)),
        (Val::Double(one), Val::Uint(other)) => Some(number::compare_double_uint(*one, *other)),
        (Val::Int(one), Val::Double(other)) => {
            Some(number::compare_double_int(*other, *one).reverse())
        }
        (Val::Uint(one), Val::Double(other)) => {
            Some(number::compare_double_uint(*other, *one).reverse())
        }
        _ => return None,
    })
}
