//! What evaluating an expression takes, prepared: names resolved, constants folded, patterns
//! compiled.

use super::EvaluationError;
use super::checker::{Checked, Meaning, Type};
use super::evaluator::Machine;
use super::library::Function;
use super::syntax::{Kind, Loop, LoopKind, Node};
use super::types::duration::Duration;
use super::types::pattern::Pattern;
use super::val::{Map, Val};

/// A step of an evaluation, which takes those below it.
#[derive(Debug)]
pub enum Step {
    /// A value that does not depend on the input.
    Constant(Val<'static>),
    /// The input.
    Root,
    /// A variable of a loop around.
    Local(usize),
    /// What is in a value under a name or at an index.
    Part(Box<Part>),
    /// `&&`, or `||`.
    Logic {
        /// What one side has to be to settle it.
        settles: bool,
        /// Both.
        sides: Box<[Step; 2]>,
    },
    /// Condition, value if it is true, value if it is not.
    Conditional(Box<[Step; 3]>),
    /// `or` and `orValue`: the optional, what stands in for it, and whether that is a value.
    Or(Box<(Step, Step, bool)>),
    /// A function of its arguments.
    Call(Box<Call>),
    /// A list; optional elements are marked.
    List(Vec<(bool, Step)>),
    /// A map; optional entries are marked.
    Map(Vec<(bool, Step, Step)>),
    /// A loop.
    Loop(Box<LoopStep>),
    /// `optMap` and `optFlatMap`: target, step, whether the step is an optional.
    OptionalMap(Box<(Step, Step, bool)>),
    /// `sortBy`: list and key.
    SortBy(Box<(Step, Step)>),
}

/// What is in a value under a name or at an index.
#[derive(Debug)]
pub struct Part {
    /// In what.
    pub of: Step,
    /// Under which name, or at which index.
    pub key: Step,
    /// What is asked.
    pub question: Question,
    /// Whether the key depends on the input, so that nobody may be told.
    pub is_secret: bool,
}

/// What is asked about a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Its value; it is an error if it is not there.
    Value,
    /// An optional of its value.
    Optional,
    /// Whether it is there.
    Presence,
}

/// A function of its arguments.
#[derive(Debug)]
pub struct Call {
    /// The function.
    pub function: &'static Function,
    /// What a method is called on comes first.
    pub arguments: Vec<Step>,
    /// The pattern, if it is known.
    pub pattern: Option<Pattern>,
    /// Whether anything depends on the input, so that errors must not show it.
    pub is_secret: bool,
}

/// A loop.
#[derive(Debug)]
pub struct LoopStep {
    /// What comes out of it.
    pub kind: LoopKind,
    /// What it goes through.
    pub range: Step,
    /// Whether it has two variables.
    pub two: bool,
    /// Which elements count.
    pub condition: Option<Step>,
    /// What is made of each.
    pub step: Step,
}

/// Prepares an expression. It is an error if a conversion of a constant fails, or its pattern is
/// none, as upstream.
pub fn plan(node: &Node, checked: &Checked) -> Result<Step, EvaluationError> {
    match checked.meaning(node) {
        Some(Meaning::Root) => return Ok(Step::Root),
        Some(Meaning::Local(at)) => return Ok(Step::Local(at)),
        Some(Meaning::TypeName(name @ ("duration" | "timestamp"))) => {
            return Err(EvaluationError::new(format!("reference to undefined type: {name}")));
        }
        Some(Meaning::TypeName(name)) => return Ok(Step::Constant(Val::Type(name))),
        _ => {}
    }
    let plan = |node: &Node| plan(node, checked);
    Ok(match &node.kind {
        Kind::Literal(value) => Step::Constant(value.clone()),
        Kind::Select { operand, field, test } => {
            let question = if *test { Question::Presence } else { Question::Value };
            let key = Step::Constant(Val::string(&**field));
            let of = plan(operand)?;
            Step::Part(Box::new(Part { of, key, question, is_secret: false }))
        }
        Kind::Call { target, arguments, .. } => {
            let (function, target) = match checked.meaning(node) {
                Some(Meaning::Function(function)) => (function, target.as_deref()),
                Some(Meaning::Qualified(function)) => (function, None),
                _ => return Err(EvaluationError::NO_OVERLOAD),
            };
            let arguments = target.into_iter().chain(arguments);
            let mut arguments = arguments.map(plan).collect::<Result<Vec<_>, _>>()?;
            if function.name == "sum" {
                // Nothing at run time tells what an empty list would be a list of.
                arguments.push(Step::Constant(zero(checked.type_of(node))));
            }
            call(function, arguments)?
        }
        Kind::List(elements) => {
            let steps = elements.iter().map(|one| Ok((one.optional, plan(&one.value)?)));
            list(steps.collect::<Result<_, _>>()?)
        }
        Kind::Map(entries) => {
            let steps =
                entries.iter().map(|one| Ok((one.optional, plan(&one.key)?, plan(&one.value)?)));
            map(steps.collect::<Result<_, _>>()?)
        }
        Kind::Loop(part) => {
            let Loop { kind, range, names, condition, step } = &**part;
            Step::Loop(Box::new(LoopStep {
                kind: *kind,
                range: plan(range)?,
                two: names.1.is_some(),
                condition: condition.as_ref().map(plan).transpose()?,
                step: plan(step)?,
            }))
        }
        Kind::OptionalMap(part) => {
            Step::OptionalMap(Box::new((plan(&part.target)?, plan(&part.step)?, part.flat)))
        }
        Kind::SortBy(part) => Step::SortBy(Box::new((plan(&part.target)?, plan(&part.key)?))),
        // Both have a meaning, or a mistake that nobody gets past.
        Kind::Name(_) | Kind::Message(_) => return Err(EvaluationError::NO_OVERLOAD),
    })
}

/// The sum of nothing.
fn zero(of: &Type) -> Val<'static> {
    match of {
        Type::Uint => Val::Uint(0),
        Type::Double => Val::Double(0.0),
        Type::Duration => Val::Duration(Duration::from_nanoseconds(0)),
        _ => Val::Int(0),
    }
}

fn call(function: &'static Function, mut arguments: Vec<Step>) -> Result<Step, EvaluationError> {
    let question = match function.name {
        "_[_]" => Some(Question::Value),
        "_[?_]" | "_?._" => Some(Question::Optional),
        _ => None,
    };
    match (function.name, arguments.len()) {
        ("_&&_" | "_||_", 2) => {
            if let (Some(second), Some(first)) = (arguments.pop(), arguments.pop()) {
                let settles = function.name == "_||_";
                return Ok(Step::Logic { settles, sides: Box::new([first, second]) });
            }
        }
        ("or" | "orValue", 2) => {
            if let (Some(other), Some(one)) = (arguments.pop(), arguments.pop()) {
                return Ok(Step::Or(Box::new((one, other, function.name == "orValue"))));
            }
        }
        ("_?_:_", 3) => {
            if let (Some(second), Some(first), Some(condition)) =
                (arguments.pop(), arguments.pop(), arguments.pop())
            {
                return Ok(Step::Conditional(Box::new([condition, first, second])));
            }
        }
        (_, 2) if let Some(question) = question => {
            if let (Some(key), Some(of)) = (arguments.pop(), arguments.pop()) {
                if let Step::Constant(key) = &key {
                    super::evaluator::key(key)?;
                }
                let is_secret = key.reads_input();
                return Ok(Step::Part(Box::new(Part { of, key, question, is_secret })));
            }
        }
        _ => {}
    }
    let pattern = match (function.name, &*arguments) {
        ("matches" | "find" | "findAll", [_, Step::Constant(Val::String(pattern)), ..]) => {
            Some(pattern.parse().map_err(EvaluationError::of)?)
        }
        _ => None,
    };
    let is_secret = arguments.iter().any(Step::reads_input);
    let call = Call { function, arguments, pattern, is_secret };
    let folds = matches!(
        function.name,
        "bool"
            | "bytes"
            | "double"
            | "duration"
            | "dyn"
            | "int"
            | "string"
            | "timestamp"
            | "type"
            | "uint"
    );
    if folds && let [Step::Constant(value)] = &*call.arguments {
        // Upstream finds out now as well.
        let arguments = [value.clone()];
        let outcome = (function.call)(&mut Machine::constant(), &arguments);
        return outcome.map(Step::Constant).map_err(|error| function.refused(error, &arguments));
    }
    Ok(Step::Call(Box::new(call)))
}

fn list(elements: Vec<(bool, Step)>) -> Step {
    let constants = elements.iter().map(|element| match element {
        (false, Step::Constant(value)) => Some(value.clone()),
        _ => None,
    });
    match constants.collect() {
        Some(values) => Step::Constant(Val::list(values)),
        None => Step::List(elements),
    }
}

fn map(entries: Vec<(bool, Step, Step)>) -> Step {
    let constants = entries.iter().map(|entry| match entry {
        (false, Step::Constant(key), Step::Constant(value)) => Some((key.clone(), value.clone())),
        _ => None,
    });
    match constants.collect::<Option<Vec<_>>>().and_then(|entries| Map::new(entries, false)) {
        Some(map) => Step::Constant(Val::Map(map)),
        None => Step::Map(entries),
    }
}

impl Step {
    /// Whether anything depends on the input; a variable of a loop always may.
    fn reads_input(&self) -> bool {
        match self {
            Self::Constant(_) => false,
            Self::Root | Self::Local(_) => true,
            Self::Part(part) => part.of.reads_input() || part.is_secret,
            Self::Logic { sides, .. } => sides.iter().any(Self::reads_input),
            Self::Conditional(parts) => parts.iter().any(Self::reads_input),
            Self::Or(parts) => parts.0.reads_input() || parts.1.reads_input(),
            Self::Call(call) => call.is_secret,
            Self::List(elements) => elements.iter().any(|(_, one)| one.reads_input()),
            Self::Map(entries) => {
                entries.iter().any(|(_, key, value)| key.reads_input() || value.reads_input())
            }
            Self::Loop(_) | Self::OptionalMap(_) | Self::SortBy(_) => true,
        }
    }
}
