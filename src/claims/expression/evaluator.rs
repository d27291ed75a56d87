//! Evaluates a prepared expression.
//!
//! It recurses along the expression, whose depth is bounded, and along claims, whose depth is as
//! well. Each step is paid for before it is taken.

use std::collections::BTreeMap;

use super::limits::{Budget, MAX_VALUE_DEPTH, Meter};
use super::names::unescaped;
use super::plan::{Call, Part, Question, Step};
use super::types::pattern::Pattern;
use super::val::{Map, Text, Val};
use super::{EvaluationError, Input, json};

/// What an evaluation comes to.
pub type Outcome<'a> = Result<Val<'a>, EvaluationError>;

/// One evaluation.
pub struct Machine<'a> {
    /// What it may still cost.
    pub meter: Meter,
    /// Whether what is being called depends on the input, so that its errors must not show it.
    pub is_secret: bool,
    /// The variables of the loops around, from the outside in.
    pub locals: Vec<Val<'a>>,
    /// The pattern of what is being called, if it was known before.
    pub pattern: Option<&'a Pattern>,
    /// Patterns that were made on the way.
    pub patterns: Vec<(String, Pattern)>,
    input: Option<Input<'a>>,
    /// Lists and maps of the input that were decoded, by where they stand.
    decoded: BTreeMap<usize, Val<'a>>,
}

impl<'a> Machine<'a> {
    /// For one evaluation.
    pub fn new(input: Input<'a>, meter: Meter) -> Self {
        Self { input: Some(input), meter, ..Self::constant() }
    }

    /// For what does not depend on any input.
    pub fn constant() -> Self {
        Self {
            meter: Budget::new().lend(),
            is_secret: false,
            locals: Vec::new(),
            pattern: None,
            patterns: Vec::new(),
            input: None,
            decoded: BTreeMap::new(),
        }
    }

    /// An error about a value: with it only if that tells nothing of the input.
    pub fn error(&self, full: impl std::fmt::Display, without: &'static str) -> EvaluationError {
        if self.is_secret {
            EvaluationError::new(without)
        } else {
            EvaluationError::new(full.to_string())
        }
    }

    /// Evaluates a step.
    pub fn evaluate(&mut self, step: &'a Step) -> Outcome<'a> {
        match step {
            Step::Constant(value) => Ok(value.clone()),
            Step::Root => {
                self.meter.charge(1)?;
                self.root().ok_or(EvaluationError::NO_OVERLOAD)
            }
            Step::Local(at) => {
                self.meter.charge(1)?;
                self.locals.get(*at).cloned().ok_or(EvaluationError::NO_OVERLOAD)
            }
            Step::Part(part) => self.part(part),
            Step::Logic { settles, sides } => self.logic(*settles, sides),
            Step::Conditional(parts) => {
                let [condition, first, second] = &**parts;
                self.meter.charge(1)?;
                match self.evaluate(condition)? {
                    Val::Bool(true) => self.evaluate(first),
                    Val::Bool(false) => self.evaluate(second),
                    _ => Err(EvaluationError::NO_OVERLOAD),
                }
            }
            Step::Or(parts) => self.or(&parts.0, &parts.1, parts.2),
            Step::Call(call) => self.call(call),
            Step::List(elements) => self.list(elements),
            Step::Map(entries) => self.map(entries),
            Step::Loop(part) => self.run_loop(part),
            Step::OptionalMap(parts) => self.optional_map(&parts.0, &parts.1, parts.2),
            Step::SortBy(parts) => self.sort_by(&parts.0, &parts.1),
        }
    }

    fn root(&self) -> Option<Val<'a>> {
        Some(Val::Root(match self.input? {
            Input::Claims(_) => "kubernetes.claims",
            Input::User(_) => "kubernetes.UserInfo",
        }))
    }

    /// An error on one side does not count if the other side settles it.
    fn logic(&mut self, settles: bool, sides: &'a [Step; 2]) -> Outcome<'a> {
        let [first, second] = sides;
        self.meter.charge(1)?;
        let boolean = |outcome: Outcome<'a>| match outcome {
            Ok(Val::Bool(value)) => Ok(value),
            Ok(_) => Err(EvaluationError::NO_OVERLOAD),
            Err(error) => Err(error),
        };
        let first = boolean(self.evaluate(first));
        match first {
            Ok(first) if first == settles => return Ok(Val::Bool(settles)),
            Err(error) if error.is_final() => return Err(error),
            _ => {}
        }
        match boolean(self.evaluate(second)) {
            Err(error) if error.is_final() => Err(error),
            Ok(second) if second == settles => Ok(Val::Bool(settles)),
            second => first.and(second).map(Val::Bool),
        }
    }

    /// Calls a function. Nothing else is kept on the stack while its arguments are evaluated.
    pub fn call(&mut self, call: &'a Call) -> Outcome<'a> {
        self.meter.charge(1)?;
        match &*call.arguments {
            [] => self.apply(call, &[]),
            [one] => {
                let one = self.evaluate(one)?;
                self.apply(call, &[one])
            }
            [one, other] => {
                let one = self.evaluate(one)?;
                let other = self.evaluate(other)?;
                self.apply(call, &[one, other])
            }
            arguments => {
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    values.push(self.evaluate(argument)?);
                }
                self.apply(call, &values)
            }
        }
    }

    fn apply(&mut self, call: &'a Call, arguments: &[Val<'a>]) -> Outcome<'a> {
        self.is_secret = call.is_secret;
        self.pattern = call.pattern.as_ref();
        match (call.function.call)(self, arguments) {
            Ok(value) => {
                if let Val::Opaque(_) = value {
                    // It takes more room than others.
                    self.meter.charge(4)?;
                }
                not_too_deep(value)
            }
            Err(error) => Err(call.function.refused(error, arguments)),
        }
    }

    fn list(&mut self, elements: &'a [(bool, Step)]) -> Outcome<'a> {
        self.meter.charge(10 + elements.len())?;
        let mut values = Vec::with_capacity(elements.len());
        for (optional, element) in elements {
            match self.evaluate(element)? {
                Val::Optional(value) if *optional => {
                    values.extend(value.map(|value| (*value).clone()));
                }
                _ if *optional => return Err(EvaluationError::NO_OVERLOAD),
                value => values.push(value),
            }
        }
        not_too_deep(Val::list(values))
    }

    fn map(&mut self, entries: &'a [(bool, Step, Step)]) -> Outcome<'a> {
        self.meter.charge(30 + entries.len())?;
        let mut values = Vec::with_capacity(entries.len());
        for (optional, key, value) in entries {
            let key = self.evaluate(key)?;
            match self.evaluate(value)? {
                Val::Optional(value) if *optional => {
                    values.extend(value.map(|value| (key, (*value).clone())));
                }
                _ if *optional => return Err(EvaluationError::NO_OVERLOAD),
                value => values.push((key, value)),
            }
        }
        self.meter.charge(Map::price_of_making(&values))?;
        let map = Map::new(values, false);
        not_too_deep(map.map(Val::Map).ok_or_else(|| EvaluationError::new("unsupported key type"))?)
    }

    /// What stands in is evaluated only if it has to.
    fn or(&mut self, one: &'a Step, other: &'a Step, is_value: bool) -> Outcome<'a> {
        self.meter.charge(1)?;
        match self.evaluate(one)? {
            Val::Optional(Some(value)) if is_value => Ok((*value).clone()),
            one @ Val::Optional(Some(_)) => Ok(one),
            Val::Optional(None) => self.evaluate(other),
            _ => Err(EvaluationError::NO_OVERLOAD),
        }
    }

    fn part(&mut self, part: &'a Part) -> Outcome<'a> {
        // Presence costs nothing upstream; here it does as all else.
        self.meter.charge(1)?;
        let (of, in_optional) = match self.evaluate(&part.of)? {
            // Nothing is looked for in nothing.
            Val::Optional(None) => {
                let is_presence = part.question == Question::Presence;
                return Ok(if is_presence { Val::Bool(false) } else { Val::Optional(None) });
            }
            Val::Optional(Some(value)) => ((*value).clone(), true),
            value => (value, false),
        };
        let key = self.evaluate(&part.key)?;
        self::key(&key)?;
        self.is_secret = part.is_secret;
        let found = self.find(&of, &key)?;
        match (part.question, found) {
            (Question::Presence, found) => Ok(Val::Bool(found.is_some())),
            (Question::Optional, found) => Ok(Val::optional(found)),
            (Question::Value, found) if in_optional => Ok(Val::optional(found)),
            (Question::Value, Some(found)) => Ok(found),
            (Question::Value, None) => Err(self.missing(&of, &key)),
        }
    }

    #[cold]
    fn missing(&self, of: &Val<'_>, key: &Val<'_>) -> EvaluationError {
        let key = super::library::formatting::key(key);
        match of {
            Val::List(_) => {
                self.error(format!("index out of bounds: {key}"), "index out of bounds")
            }
            _ => self.error(format!("no such key: {key}"), "no such key"),
        }
    }

    /// What is in a value; absent if it is not there. What could not have it is an error.
    fn find(&mut self, of: &Val<'a>, key: &Val<'a>) -> Result<Option<Val<'a>>, EvaluationError> {
        match of {
            Val::Root(_) => match key {
                Val::String(name) => self.member(name),
                _ => Err(EvaluationError::NO_OVERLOAD),
            },
            Val::Map(map) => {
                self.meter.charge(map.price(key))?;
                let found = match key {
                    Val::String(name) if map.is_input => {
                        self.meter.charge(name.len() / 100)?;
                        let unescaped = unescaped(name);
                        map.get_str(unescaped.as_deref().unwrap_or(name))
                    }
                    key => map.get(key),
                };
                Ok(found.map(|found| found.clone().input(map.is_input)))
            }
            Val::List(list) => {
                let wrong = |text: String| Err(EvaluationError::new(text));
                let at = match *key {
                    Val::Int(at) => at,
                    Val::Uint(at) => i64::try_from(at).unwrap_or(-1),
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "it is a small whole number"
                    )]
                    Val::Double(at) if at.fract() == 0.0 && at.abs() < 9e15 => at as i64,
                    Val::Double(_) => {
                        let key = super::library::formatting::key(key);
                        let full = format_args!("unsupported index value {key} in list");
                        return Err(self.error(full, "unsupported index value in list"));
                    }
                    ref key => {
                        let name = key.type_name();
                        return wrong(format!("unsupported index type '{name}' in list"));
                    }
                };
                let found = usize::try_from(at).ok().and_then(|at| list.get(at));
                Ok(found.map(|found| found.clone().input(list.is_input)))
            }
            _ => Ok(None),
        }
    }

    /// A member of the input.
    fn member(&mut self, name: &str) -> Result<Option<Val<'a>>, EvaluationError> {
        self.meter.charge(name.len() / 100)?;
        let (Some(name), Some(input)) = (unescaped(name), self.input) else { return Ok(None) };
        match input {
            Input::Claims(claims) => match claims.get(&name) {
                Some(value) => self.decode(value.json()).map(Some),
                None => Ok(None),
            },
            Input::User(user) => {
                let place = std::ptr::from_ref(user).addr();
                Ok(match &*name {
                    "username" => Some(Val::String(Text::Borrowed(&user.username))),
                    "uid" => Some(Val::String(Text::Borrowed(&user.uid))),
                    "groups" => Some(self.once(place, |meter| strings(&user.groups, meter))?),
                    "extra" => Some(self.once(place.wrapping_add(1), |meter| {
                        let mut entries = Vec::with_capacity(user.extra.len());
                        for (key, values) in &user.extra {
                            let key = Val::String(Text::Borrowed(key));
                            entries.push((key, strings(&values.items, meter)?));
                        }
                        Map::new(entries, true).map(Val::Map).ok_or(EvaluationError::NO_OVERLOAD)
                    })?),
                    _ => None,
                })
            }
        }
    }

    /// A claim. Lists and maps are decoded once for an evaluation.
    fn decode(&mut self, json: &'a str) -> Outcome<'a> {
        let decode = |meter: &mut Meter| {
            meter.text(json.len())?;
            json::decode(json).ok_or_else(|| EvaluationError::new("claim failed to unmarshal"))
        };
        match json.as_bytes().first() {
            Some(b'[' | b'{') => self.once(json.as_ptr().addr(), decode),
            _ => decode(&mut self.meter),
        }
    }

    fn once(&mut self, place: usize, make: impl FnOnce(&mut Meter) -> Outcome<'a>) -> Outcome<'a> {
        if let Some(value) = self.decoded.get(&place) {
            return Ok(value.clone());
        }
        let value = make(&mut self.meter)?;
        self.decoded.insert(place, value.clone());
        Ok(value)
    }

    /// All members of the input: what a loop over it goes through upstream.
    pub fn members(&mut self) -> Result<Vec<Val<'a>>, EvaluationError> {
        match self.input {
            Some(Input::Claims(claims)) => {
                let decode = |(_, value): (_, crate::claims::Value<'a>)| {
                    // Also if it was decoded before.
                    self.meter.charge(1)?;
                    self.decode(value.json())
                };
                claims.members().map(decode).collect()
            }
            Some(Input::User(_)) => ["username", "uid", "groups", "extra"]
                .into_iter()
                .filter_map(|name| self.member(name).transpose())
                .collect(),
            None => Ok(Vec::new()),
        }
    }
}

/// Refuses what nothing can be looked up by.
pub fn key(key: &Val<'_>) -> Result<(), EvaluationError> {
    match key {
        Val::Bool(_) | Val::Int(_) | Val::Uint(_) | Val::Double(_) | Val::String(_) => Ok(()),
        other => {
            let text = format!("invalid qualifier type: {}", super::loops::go_name(other));
            Err(EvaluationError::new(text))
        }
    }
}

/// Values that stand deep in each other cannot be compared or dropped on any stack.
pub fn not_too_deep(value: Val<'_>) -> Outcome<'_> {
    if value.depth() > MAX_VALUE_DEPTH {
        Err(EvaluationError::new("value is nested too deeply"))
    } else {
        Ok(value)
    }
}

fn strings<'a>(texts: &'a [String], meter: &mut Meter) -> Outcome<'a> {
    meter.charge(texts.len())?;
    let texts = texts.iter().map(|text| Val::String(Text::Borrowed(text))).collect();
    Ok(Val::List(super::val::List::new(texts, true)))
}
