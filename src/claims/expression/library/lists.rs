//! Lists: Kubernetes' library (`isSorted`, `sum`, `min`, …) and version 3 of cel-go's extension
//! (`distinct`, `flatten`, `sort`, …).

use std::cmp::Ordering;

use super::super::EvaluationError;
use super::super::compare;
use super::super::evaluator::{Machine, Outcome};
use super::super::limits::Meter;
use super::super::val::Val;
use super::Function;
use super::strings::count;

/// The longest list that `lists.range` makes upstream.
const MAX_RANGE: i64 = 1_000_000;

/// What this file has. Strings have `indexOf` and `lastIndexOf` as well, which are there.
pub const FUNCTIONS: &[Function] = &[
    Function::new(
        "isSorted",
        &[
            "list(int).() bool",
            "list(uint).() bool",
            "list(double).() bool",
            "list(bool).() bool",
            "list(duration).() bool",
            "list(timestamp).() bool",
            "list(string).() bool",
            "list(bytes).() bool",
        ],
        |machine, arguments| match arguments {
            [Val::List(list)] if list.first().is_none_or(is_comparable) => {
                for (one, next) in list.iter().zip(list.iter().skip(1)) {
                    machine.meter.charge(1)?;
                    if compare::order(one, next, &mut machine.meter)?.is_gt() {
                        return Ok(Val::Bool(false));
                    }
                }
                Ok(Val::Bool(true))
            }
            _ => UNRESOLVED,
        },
    ),
    Function::new(
        "sum",
        &[
            "list(int).() int",
            "list(uint).() uint",
            "list(double).() double",
            "list(duration).() duration",
        ],
        sum,
    ),
    Function::new("min", EXTREMES, |machine, arguments| {
        extreme(machine, arguments, Ordering::is_lt, "min called on empty list")
    }),
    Function::new("max", EXTREMES, |machine, arguments| {
        extreme(machine, arguments, Ordering::is_gt, "max called on empty list")
    }),
    Function::new("includes", &["dyn.(dyn) bool"], |machine, arguments| match arguments {
        [Val::List(list), one] => {
            let found = position(machine, list, one, false)?;
            Ok(Val::Bool(!matches!(found, Val::Int(-1))))
        }
        // What is no list is taken for one of itself.
        [one, other] => compare::equal(one, other, &mut machine.meter).map(Val::Bool),
        _ => UNRESOLVED,
    }),
    Function::new("distinct", &["list(T).() list(T)"], |machine, arguments| match arguments {
        [Val::List(list)] => {
            let mut kept: Vec<Val<'_>> = Vec::new();
            'items: for item in list.iter() {
                machine.meter.charge(1)?;
                for one in &kept {
                    machine.meter.charge(1)?;
                    if compare::equal(one, item, &mut machine.meter)? {
                        continue 'items;
                    }
                }
                kept.push(item.clone().made());
            }
            Ok(Val::list(kept))
        }
        _ => UNRESOLVED,
    }),
    Function::new(
        "flatten",
        &["list(list(T)).() list(T)", "list(dyn).(int) list(dyn)"],
        |machine, arguments| {
            let (list, levels) = match arguments {
                [Val::List(list)] => (list, 1),
                [Val::List(list), Val::Int(levels)] => (list, *levels),
                [other] => {
                    let text = format!("no such overload: {}.flatten()", other.type_name());
                    return Err(EvaluationError::new(text));
                }
                _ => return UNRESOLVED,
            };
            if levels < 0 {
                return Err(EvaluationError::new("level must be non-negative"));
            }
            let mut flat = Vec::new();
            flatten(machine, list, levels, &mut flat)?;
            Ok(Val::list(flat))
        },
    ),
    Function::new("lists.range", &["(int) list(int)"], |machine, arguments| match arguments {
        [Val::Int(end)] if *end < 0 => Err(machine.error(
            format_args!("lists.range: size must be non-negative, got {end}"),
            "lists.range: size must be non-negative",
        )),
        [Val::Int(end)] if *end > MAX_RANGE => Err(machine.error(
            format_args!("lists.range: size {end} exceeds maximum allowed ({MAX_RANGE})"),
            "lists.range: size exceeds maximum allowed (1000000)",
        )),
        [Val::Int(end)] => {
            machine.meter.charge(usize::try_from(*end).unwrap_or(usize::MAX))?;
            Ok(Val::list((0..*end).map(Val::Int).collect()))
        }
        _ => UNRESOLVED,
    }),
    Function::new("reverse", &["list(T).() list(T)"], |machine, arguments| match arguments {
        [Val::List(list)] => {
            machine.meter.charge(list.len())?;
            Ok(Val::list(list.iter().rev().map(|item| item.clone().made()).collect()))
        }
        _ => UNRESOLVED,
    }),
    Function::new("slice", &["list(T).(int, int) list(T)"], slice),
    Function::new(
        "sort",
        &[
            "list(int).() list(int)",
            "list(uint).() list(uint)",
            "list(double).() list(double)",
            "list(bool).() list(bool)",
            "list(duration).() list(duration)",
            "list(timestamp).() list(timestamp)",
            "list(string).() list(string)",
            "list(bytes).() list(bytes)",
        ],
        |machine, arguments| match arguments {
            [Val::List(list)] => sort_by_keys(machine, list, list),
            _ => UNRESOLVED,
        },
    )
    .named(),
    // What upstream's expansion of `sortBy` calls.
    Function::new(
        "@sortByAssociatedKeys",
        &[
            "list(T).(list(int)) list(T)",
            "list(T).(list(uint)) list(T)",
            "list(T).(list(double)) list(T)",
            "list(T).(list(bool)) list(T)",
            "list(T).(list(duration)) list(T)",
            "list(T).(list(timestamp)) list(T)",
            "list(T).(list(string)) list(T)",
            "list(T).(list(bytes)) list(T)",
        ],
        |machine, arguments| match arguments {
            [Val::List(list), Val::List(keys)] => sort_by_keys(machine, list, keys),
            _ => UNRESOLVED,
        },
    )
    .named(),
];

const EXTREMES: &[&str] = &[
    "list(int).() int",
    "list(uint).() uint",
    "list(double).() double",
    "list(bool).() bool",
    "list(duration).() duration",
    "list(timestamp).() timestamp",
    "list(string).() string",
    "list(bytes).() bytes",
];

const UNRESOLVED: Outcome<'static> = Err(EvaluationError::UNRESOLVED);

/// Whether values of its type have an order.
fn is_comparable(value: &Val<'_>) -> bool {
    matches!(
        value,
        Val::Bool(_)
            | Val::Int(_)
            | Val::Uint(_)
            | Val::Double(_)
            | Val::String(_)
            | Val::Bytes(_)
            | Val::Duration(_)
            | Val::Timestamp(_)
    )
}

/// Where an item is in a list, from the one end or the other; -1 if it is not.
pub fn position<'a>(
    machine: &mut Machine<'a>,
    list: &[Val<'a>],
    wanted: &Val<'a>,
    last: bool,
) -> Outcome<'a> {
    let mut places: Vec<usize> = (0..list.len()).collect();
    machine.meter.charge(list.len() / 10)?;
    if last {
        places.reverse();
    }
    for place in places {
        machine.meter.charge(1)?;
        if let Some(item) = list.get(place)
            && compare::equal(item, wanted, &mut machine.meter)?
        {
            return Ok(count(place));
        }
    }
    Ok(Val::Int(-1))
}

/// The list in the order of keys, one for each of its items.
pub fn sort_by_keys<'a>(
    machine: &mut Machine<'a>,
    list: &[Val<'a>],
    keys: &[Val<'a>],
) -> Outcome<'a> {
    if let Some(first) = keys.first() {
        if !is_comparable(first) {
            return Err(EvaluationError::new("list elements must be comparable"));
        }
        if keys.iter().any(|key| key.type_name() != first.type_name()) {
            return Err(EvaluationError::new("list elements must have the same type"));
        }
    }
    // About as many comparisons as there can be; what comparing texts takes is counted apart.
    let levels = usize::BITS - keys.len().leading_zeros();
    machine.meter.charge(keys.len().saturating_mul(levels as usize))?;
    let sorted = sorted(keys.iter().zip(list).collect(), &mut machine.meter)?;
    Ok(Val::list(sorted.into_iter().map(|(_, item)| item.clone().made()).collect()))
}

type Keyed<'v, 'a> = (&'v Val<'a>, &'v Val<'a>);

/// Merges halves. The standard library's sort cannot be stopped, and may panic if what orders its
/// items fails on the way and has to say something all the same.
fn sorted<'v, 'a>(
    mut items: Vec<Keyed<'v, 'a>>,
    meter: &mut Meter,
) -> Result<Vec<Keyed<'v, 'a>>, EvaluationError> {
    if items.len() < 2 {
        return Ok(items);
    }
    let right = sorted(items.split_off(items.len() / 2), meter)?;
    let left = sorted(items, meter)?;
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some((one, _)), Some((other, _))) = (left.peek(), right.peek()) {
        let from_right = compare::order(one, other, meter)?.is_gt();
        merged.extend(if from_right { right.next() } else { left.next() });
    }
    merged.extend(left.chain(right));
    Ok(merged)
}

/// Its second argument is the sum of nothing, which an expression does not write.
fn sum<'a>(machine: &mut Machine<'a>, arguments: &[Val<'a>]) -> Outcome<'a> {
    let [list, zero] = arguments else { return UNRESOLVED };
    let refused = || {
        let text = format!("no such overload: sum({})", list.type_name());
        Err(EvaluationError::new(text))
    };
    let Val::List(list) = list else { return refused() };
    let Some((first, rest)) = list.split_first() else { return Ok(zero.clone()) };
    let (Val::Int(_) | Val::Uint(_) | Val::Double(_) | Val::Duration(_)) = first else {
        return refused();
    };
    let add = super::function("_+_").ok_or(EvaluationError::UNRESOLVED)?;
    // Upstream begins at 0, so that the sum of -0.0 is 0.0.
    let mut sum =
        if let Val::Double(first) = first { Val::Double(0.0 + first) } else { first.clone() };
    for item in rest {
        machine.meter.charge(1)?;
        sum = (add.call)(machine, &[sum, item.clone()])?;
    }
    Ok(sum)
}

fn extreme<'a>(
    machine: &mut Machine<'a>,
    arguments: &[Val<'a>],
    replaces: fn(Ordering) -> bool,
    empty: &'static str,
) -> Outcome<'a> {
    let [Val::List(list)] = arguments else { return UNRESOLVED };
    let Some((first, rest)) = list.split_first() else { return Err(EvaluationError::new(empty)) };
    if !is_comparable(first) {
        return UNRESOLVED;
    }
    let mut found = first;
    for item in rest {
        machine.meter.charge(1)?;
        if replaces(compare::order(item, found, &mut machine.meter)?) {
            found = item;
        }
    }
    Ok(found.clone())
}

/// Values stand only so deep in each other, and so does this.
fn flatten<'a>(
    machine: &mut Machine<'a>,
    list: &[Val<'a>],
    levels: i64,
    flat: &mut Vec<Val<'a>>,
) -> Result<(), EvaluationError> {
    for item in list {
        machine.meter.charge(1)?;
        match item {
            Val::List(inner) if levels > 0 => flatten(machine, inner, levels - 1, flat)?,
            item => flat.push(item.clone().made()),
        }
    }
    Ok(())
}

fn slice<'a>(machine: &mut Machine<'a>, arguments: &[Val<'a>]) -> Outcome<'a> {
    let [Val::List(list), Val::Int(start), Val::Int(end)] = arguments else { return UNRESOLVED };
    let wrong = |why: String| {
        Err(machine.error(format_args!("cannot slice({start}, {end}), {why}"), "cannot slice"))
    };
    if *start < 0 || *end < 0 {
        return wrong("negative indexes not supported".to_owned());
    }
    if start > end {
        return wrong("start index must be less than or equal to end index".to_owned());
    }
    let (from, to) = (usize::try_from(*start), usize::try_from(*end));
    match from.ok().zip(to.ok()).and_then(|(from, to)| list.get(from..to)) {
        Some(part) => {
            machine.meter.charge(part.len())?;
            Ok(Val::list(part.iter().map(|item| item.clone().made()).collect()))
        }
        None => wrong(format!("list is length {}", list.len())),
    }
}
