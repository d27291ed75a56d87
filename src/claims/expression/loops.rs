//! Evaluates macros.

use super::EvaluationError;
use super::evaluator::{Machine, Outcome, not_too_deep};
use super::library;
use super::limits::Meter;
use super::plan::{LoopStep, Step};
use super::syntax::LoopKind;
use super::val::{Map, Val};

impl<'a> Machine<'a> {
    /// Evaluates a loop.
    pub fn run_loop(&mut self, part: &'a LoopStep) -> Outcome<'a> {
        self.meter.charge(1)?;
        let range = self.evaluate(&part.range)?;
        let mut gathered = Gathered::new(part.kind);
        match range {
            Val::List(list) => {
                for (at, element) in list.iter().enumerate() {
                    let element = element.clone().made();
                    let done = if part.two {
                        let at = Val::Int(i64::try_from(at).unwrap_or(i64::MAX));
                        self.turn(part, at, Some(element), &mut gathered)?
                    } else {
                        self.turn(part, element, None, &mut gathered)?
                    };
                    if done {
                        break;
                    }
                }
            }
            Val::Map(map) => {
                for (key, value) in map.entries() {
                    let value = part.two.then(|| value.clone().made());
                    if self.turn(part, key.clone(), value, &mut gathered)? {
                        break;
                    }
                }
            }
            Val::Root(_) if !part.two => {
                for member in self.members()? {
                    if self.turn(part, member, None, &mut gathered)? {
                        break;
                    }
                }
            }
            Val::Root(_) => return Err(EvaluationError::NO_OVERLOAD),
            other if part.two => {
                let text = format!("unsupported comprehension range type: {}", go_name(&other));
                return Err(EvaluationError::new(text));
            }
            other => return Err(not_iterable(&other)),
        }
        not_too_deep(gathered.finish(&mut self.meter)?)
    }

    /// One turn of a loop; whether there need not be another.
    fn turn(
        &mut self,
        part: &'a LoopStep,
        first: Val<'a>,
        second: Option<Val<'a>>,
        gathered: &mut Gathered<'a>,
    ) -> Result<bool, EvaluationError> {
        self.meter.charge(2)?;
        let around = self.locals.len();
        let key = if part.kind == LoopKind::Map { first.clone() } else { Val::Null };
        self.locals.push(first);
        self.locals.extend(second);
        let outcome = self.body(part);
        self.locals.truncate(around);
        match outcome {
            Err(error) if error.is_final() => Err(error),
            outcome => {
                if let (LoopKind::Entries, Ok(Some(Val::Map(map)))) = (part.kind, &outcome) {
                    self.meter.charge(map.len())?;
                }
                gathered.take(key, outcome)
            }
        }
    }

    /// What one turn comes to; absent if a condition leaves it out.
    fn body(&mut self, part: &'a LoopStep) -> Result<Option<Val<'a>>, EvaluationError> {
        if let Some(condition) = &part.condition {
            match self.evaluate(condition)? {
                Val::Bool(true) => {}
                Val::Bool(false) => return Ok(None),
                _ => return Err(EvaluationError::NO_OVERLOAD),
            }
        }
        self.evaluate(&part.step).map(Some)
    }

    /// `target.optMap(name, step)` or `target.optFlatMap(name, step)`.
    pub fn optional_map(&mut self, target: &'a Step, step: &'a Step, flat: bool) -> Outcome<'a> {
        self.meter.charge(3)?;
        let value = match self.evaluate(target)? {
            Val::Optional(None) => return Ok(Val::Optional(None)),
            Val::Optional(Some(value)) => (*value).clone(),
            other => {
                let text = format!("no such overload: hasValue({})", other.type_name());
                return Err(EvaluationError::new(text));
            }
        };
        self.locals.push(value);
        let stepped = self.evaluate(step);
        self.locals.pop();
        if flat { stepped } else { not_too_deep(Val::some(stepped?)) }
    }

    /// `target.sortBy(name, key)`.
    pub fn sort_by(&mut self, target: &'a Step, key: &'a Step) -> Outcome<'a> {
        self.meter.charge(1)?;
        let target = self.evaluate(target)?;
        let elements: Vec<_> = match &target {
            Val::List(list) => {
                self.meter.charge(list.len())?;
                list.to_vec()
            }
            Val::Map(map) => map.entries().iter().map(|(key, _)| key.clone()).collect(),
            other => return Err(not_iterable(other)),
        };
        let mut keys = Vec::with_capacity(elements.len());
        for element in elements {
            self.meter.charge(2)?;
            self.locals.push(element.made());
            let key = self.evaluate(key);
            self.locals.pop();
            keys.push(key?);
        }
        match &target {
            Val::List(list) => library::lists::sort_by_keys(self, list, &keys),
            _ => Err(EvaluationError::new("no such overload: @sortByAssociatedKeys")),
        }
    }
}

fn not_iterable(value: &Val<'_>) -> EvaluationError {
    EvaluationError::new(format!("got '{}', expected iterable type", go_name(value)))
}

/// What upstream calls the type of a value in some of its errors: as Go does.
pub fn go_name(value: &Val<'_>) -> &'static str {
    match value {
        Val::Null => "types.Null",
        Val::Bool(_) => "types.Bool",
        Val::Int(_) => "types.Int",
        Val::Uint(_) => "types.Uint",
        Val::Double(_) => "types.Double",
        Val::String(_) => "types.String",
        Val::Bytes(_) => "types.Bytes",
        Val::Duration(_) => "types.Duration",
        Val::Timestamp(_) => "types.Timestamp",
        Val::Optional(_) => "*types.Optional",
        Val::Type(_) => "*types.Type",
        Val::List(_) => "*types.baseList",
        Val::Map(_) => "*types.baseMap",
        value => value.type_name(),
    }
}

/// What a loop has come to so far.
enum Gathered<'a> {
    /// `all` and `exists`: what settles it, and the first error, which counts if nothing does.
    Quantified {
        settles: bool,
        settled: bool,
        failed: Option<EvaluationError>,
    },
    Count(usize),
    List(Vec<Val<'a>>),
    Entries {
        entries: Vec<(Val<'a>, Val<'a>)>,
        each_is_map: bool,
    },
}

impl<'a> Gathered<'a> {
    fn new(kind: LoopKind) -> Self {
        let quantified = |settles| Self::Quantified { settles, settled: false, failed: None };
        match kind {
            LoopKind::All => quantified(false),
            LoopKind::Exists => quantified(true),
            LoopKind::ExistsOne => Self::Count(0),
            LoopKind::List => Self::List(Vec::new()),
            LoopKind::Map => Self::Entries { entries: Vec::new(), each_is_map: false },
            LoopKind::Entries => Self::Entries { entries: Vec::new(), each_is_map: true },
        }
    }

    /// Takes what a turn came to; whether there need not be another.
    fn take(
        &mut self,
        key: Val<'a>,
        outcome: Result<Option<Val<'a>>, EvaluationError>,
    ) -> Result<bool, EvaluationError> {
        if let Self::Quantified { settles, settled, failed } = self {
            match outcome {
                Ok(Some(Val::Bool(value))) => *settled = value == *settles,
                Ok(_) => *failed = failed.take().or(Some(EvaluationError::NO_OVERLOAD)),
                Err(error) => *failed = failed.take().or(Some(error)),
            }
            return Ok(*settled);
        }
        let Some(value) = outcome? else { return Ok(false) };
        match (self, value) {
            (Self::Count(count), Val::Bool(value)) => *count += usize::from(value),
            (Self::List(list), value) => list.push(value),
            (Self::Entries { entries, each_is_map: false }, value) => entries.push((key, value)),
            (Self::Entries { entries, each_is_map: true }, Val::Map(map)) => {
                entries.extend(map.entries().iter().cloned());
            }
            _ => return Err(EvaluationError::NO_OVERLOAD),
        }
        Ok(false)
    }

    fn finish(self, meter: &mut Meter) -> Outcome<'a> {
        match self {
            Self::Quantified { settles, settled: true, .. } => Ok(Val::Bool(settles)),
            Self::Quantified { failed: Some(error), .. } => Err(error),
            Self::Quantified { settles, .. } => Ok(Val::Bool(!settles)),
            Self::Count(count) => Ok(Val::Bool(count == 1)),
            Self::List(list) => Ok(Val::list(list)),
            Self::Entries { entries, .. } => {
                let count = entries.len();
                meter.charge(Map::price_of_making(&entries))?;
                let map = Map::new(entries, false)
                    .ok_or_else(|| EvaluationError::new("unsupported key type"))?;
                if map.len() < count {
                    return Err(EvaluationError::new("insert failed: key already exists"));
                }
                Ok(Val::Map(map))
            }
        }
    }
}
