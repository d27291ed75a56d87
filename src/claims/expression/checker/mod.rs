//! Static types: whether an expression makes sense, before any token is there.
//!
//! The rules, their order and the wording are cel-go's, so that a mistake is reported as
//! kube-apiserver reports it.

mod inference;
mod literals;
mod loops;
mod types;

use self::inference::Inference;
pub use self::types::{Signature, Type};
use super::Environment;
use super::library::{self, Function};
use super::source::{Mistake, Offset};
use super::syntax::{Kind, Node};
use super::val::Val;

/// What became of an expression: what each of its nodes means, by [`Node::id`].
#[derive(Debug)]
pub struct Checked {
    /// What it evaluates to.
    pub result: Type,
    meanings: Vec<Option<Meaning>>,
    types: Vec<Type>,
}

impl Checked {
    /// What a name, a qualified name or a call means; absent for all other nodes.
    pub fn meaning(&self, node: &Node) -> Option<Meaning> {
        self.meanings.get(node.id).copied().flatten()
    }

    /// The type of a node.
    pub fn type_of(&self, node: &Node) -> &Type {
        self.types.get(node.id).unwrap_or(&Type::Error)
    }
}

/// What a node means.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    /// The variable of the environment.
    Root,
    /// A variable of a loop: so many are around it.
    Local(usize),
    /// A type.
    TypeName(&'static str),
    /// A function whose name is qualified, so that what looks like a target is none.
    Qualified(&'static Function),
    /// A function, a method or an operator.
    Function(&'static Function),
}

/// Types an expression.
pub fn check(node: &Node, environment: Environment, source: &str) -> Result<Checked, Vec<Mistake>> {
    let mut checker = Checker {
        environment,
        source,
        inference: Inference::default(),
        locals: Vec::new(),
        meanings: Vec::new(),
        types: Vec::new(),
        mistakes: Vec::new(),
    };
    checker.check(node);
    let Checker { mut inference, meanings, types, mut mistakes, .. } = checker;
    let types: Vec<_> = types.iter().map(|one| inference.resolve(one, true)).collect();
    if inference.is_exhausted() {
        return Err(vec![Mistake::at(
            source,
            node.at,
            "the types of the expression are too large",
        )]);
    }
    let result = types.get(node.id).cloned().unwrap_or(Type::Error);
    let checked = Checked { result, meanings, types };
    if mistakes.is_empty() {
        literals::check(node, &checked, source, &mut mistakes);
    }
    if mistakes.is_empty() { Ok(checked) } else { Err(mistakes) }
}

struct Checker<'a> {
    environment: Environment,
    source: &'a str,
    inference: Inference,
    /// The variables of the loops around, from the outside in.
    locals: Vec<(&'a str, Type)>,
    meanings: Vec<Option<Meaning>>,
    types: Vec<Type>,
    mistakes: Vec<Mistake>,
}

impl<'a> Checker<'a> {
    /// Types a node and all below it.
    fn check(&mut self, node: &'a Node) -> Type {
        let found = match &node.kind {
            Kind::Literal(value) => literal(value),
            Kind::Name(name) => self.name(node, name),
            Kind::Select { operand, field, test } => self.select(node, operand, field, *test),
            Kind::Call { function, target, arguments } => {
                self.call(node, function, target.as_deref(), arguments)
            }
            Kind::List(elements) => {
                let mut joined = None;
                for element in elements {
                    let one = self.check(&element.value);
                    let one = self.present(&element.value, one, element.optional);
                    joined = Some(self.join(joined, one));
                }
                Type::list(joined.unwrap_or_else(|| self.unknown()))
            }
            Kind::Map(entries) => {
                let mut joined = None;
                for entry in entries {
                    let (keys, values) = joined.unzip();
                    let key = self.check(&entry.key);
                    let keys = self.join(keys, key);
                    let value = self.check(&entry.value);
                    let value = self.present(&entry.value, value, entry.optional);
                    joined = Some((keys, self.join(values, value)));
                }
                let (keys, values) = joined.unwrap_or_else(|| (self.unknown(), self.unknown()));
                Type::map(keys, values)
            }
            Kind::Message(name) => self.undeclared(node.at, name),
            Kind::Loop(part) => self.check_loop(node, part),
            Kind::OptionalMap(part) => self.optional_map(node, part),
            Kind::SortBy(part) => self.sort_by(node, part),
        };
        if self.types.len() <= node.id {
            self.types.resize(node.id + 1, Type::Error);
        }
        if let Some(slot) = self.types.get_mut(node.id) {
            *slot = found.clone();
        }
        found
    }

    fn mean(&mut self, node: &Node, meaning: Meaning) {
        if self.meanings.len() <= node.id {
            self.meanings.resize(node.id + 1, None);
        }
        if let Some(slot) = self.meanings.get_mut(node.id) {
            *slot = Some(meaning);
        }
    }

    fn mistake(&mut self, at: Offset, text: impl Into<String>) {
        self.mistakes.push(Mistake::at(self.source, at, text));
    }

    fn undeclared(&mut self, at: Offset, name: &str) -> Type {
        self.mistake(at, format!("undeclared reference to '{name}' (in container '')"));
        Type::Error
    }

    /// The type as far as it is known by now.
    fn now(&mut self, one: &Type) -> Type {
        self.inference.resolve(one, false)
    }

    fn unknown(&mut self) -> Type {
        Type::Variable(self.inference.fresh(1))
    }

    fn fits(&mut self, from: &Type, into: &Type) -> bool {
        self.inference.fit(std::slice::from_ref(from), std::slice::from_ref(into))
    }

    fn mismatch(&mut self, at: Offset, expected: &Type, found: &Type) {
        self.mistake(at, format!("expected type '{expected}' but found '{found}'"));
    }

    fn name(&mut self, node: &Node, name: &str) -> Type {
        let local = self.locals.iter().rposition(|(local, _)| *local == name);
        if let Some(at) = local {
            self.mean(node, Meaning::Local(at));
            return self.locals.get(at).map_or(Type::Error, |(_, found)| found.clone());
        }
        match self.global(node, name.strip_prefix('.').unwrap_or(name)) {
            Some(found) => found,
            None => self.undeclared(node.at, name),
        }
    }

    /// A name of the environment, dotted or not.
    fn global(&mut self, node: &Node, name: &str) -> Option<Type> {
        let (root, of) = self.environment.variable();
        if name == root {
            self.mean(node, Meaning::Root);
            return Some(of);
        }
        let (name, of) = library::type_name(name)?;
        self.mean(node, Meaning::TypeName(name));
        Some(Type::Meta(of.into()))
    }

    fn select(&mut self, node: &Node, operand: &'a Node, field: &str, test: bool) -> Type {
        if !test && let Some(qualified) = node.qualified_name() {
            let first = qualified.split('.').next().unwrap_or_default();
            let is_local = self.locals.iter().any(|(local, _)| *local == first);
            let name = qualified.strip_prefix('.').unwrap_or(&qualified);
            if !is_local && let Some(found) = self.global(node, name) {
                return found;
            }
        }
        let found = self.field(node, operand, field, false);
        if test { Type::Bool } else { self.now(&found) }
    }

    /// `operand.field`, or `operand.?field`.
    fn field(&mut self, node: &Node, operand: &'a Node, field: &str, optional: bool) -> Type {
        let operand = self.check(operand);
        let operand = self.now(&operand);
        let (target, was_optional) = match &operand {
            Type::Optional(value) => ((**value).clone(), true),
            other => (other.clone(), false),
        };
        let found = match &target {
            Type::Map(parts) => parts.1.clone(),
            Type::User => match self.environment.field(field) {
                Some(found) => found,
                None => {
                    self.mistake(node.at, format!("undefined field '{field}'"));
                    Type::Error
                }
            },
            Type::Variable(_) => {
                self.fits(&Type::Dyn, &target);
                Type::Dyn
            }
            Type::Dyn | Type::Any | Type::Error => Type::Dyn,
            other => {
                self.mistake(node.at, format!("type '{other}' does not support field selection"));
                Type::Dyn
            }
        };
        if was_optional || optional { Type::optional(found) } else { found }
    }

    fn call(
        &mut self,
        node: &'a Node,
        name: &str,
        target: Option<&'a Node>,
        arguments: &'a [Node],
    ) -> Type {
        if let ("_?._", None, [operand, field]) = (name, target, arguments)
            && let Some(field) = field.literal_str()
        {
            let found = self.field(node, operand, field, true);
            if let Some(function) = library::function(name) {
                self.mean(node, Meaning::Function(function));
            }
            return self.now(&found);
        }
        let mut types: Vec<_> = arguments.iter().map(|argument| self.check(argument)).collect();
        let Some(target) = target else {
            let name = name.strip_prefix('.').unwrap_or(name);
            let Some(function) = library::function(name) else {
                return self.undeclared(node.at, name);
            };
            self.mean(node, Meaning::Function(function));
            if matches!(name, "_&&_" | "_||_") {
                return self.logic(arguments, &types);
            }
            return self.resolve(node.at, function, false, &types);
        };
        if let Some(prefix) = target.qualified_name() {
            let prefix = prefix.strip_prefix('.').unwrap_or(&prefix);
            if let Some(function) = library::function(&format!("{prefix}.{name}")) {
                self.mean(node, Meaning::Qualified(function));
                return self.resolve(node.at, function, false, &types);
            }
        }
        types.insert(0, self.check(target));
        let Some(function) = library::function(name) else {
            return self.undeclared(node.at, name);
        };
        self.mean(node, Meaning::Function(function));
        self.resolve(node.at, function, true, &types)
    }

    fn logic(&mut self, arguments: &[Node], types: &[Type]) -> Type {
        let mut result = Type::Bool;
        for (argument, found) in arguments.iter().zip(types) {
            if !self.fits(found, &Type::Bool) {
                self.mismatch(argument.at, &Type::Bool, found);
                result = Type::Error;
            }
        }
        result
    }

    /// What a function returns for arguments of these types: what the first overload that takes
    /// them does, or `dyn` if several do that return different types.
    fn resolve(
        &mut self,
        at: Offset,
        function: &'static Function,
        is_method: bool,
        arguments: &[Type],
    ) -> Type {
        let mut result: Option<Type> = None;
        for signature in function.signatures {
            // Parameters are single letters, so there are never more than three of them.
            let first = self.inference.fresh(3);
            let Some(signature) = Signature::parse(signature, first) else { continue };
            if signature.is_method != is_method
                || !self.inference.fit(arguments, &signature.arguments)
            {
                continue;
            }
            let returned = self.now(&signature.result);
            match &result {
                None => result = Some(returned),
                Some(before) if !before.is_dyn() && *before != returned => result = Some(Type::Dyn),
                Some(_) => {}
            }
        }
        if let Some(result) = result {
            return result;
        }
        let shown: Vec<_> = arguments
            .iter()
            .map(|argument| self.inference.resolve(argument, true).to_string())
            .collect();
        let (target, rest) = match shown.split_first() {
            Some((target, rest)) if is_method => (format!("{target}."), rest),
            _ => (String::new(), &*shown),
        };
        let (name, rest) = (function.name, rest.join(", "));
        let text = format!("found no matching overload for '{name}' applied to '{target}({rest})'");
        self.mistake(at, text);
        Type::Error
    }

    /// [`Self::resolve`] for a function that an expansion would call.
    fn resolve_named(
        &mut self,
        at: Offset,
        name: &str,
        is_method: bool,
        arguments: &[Type],
    ) -> Type {
        match library::function(name) {
            Some(function) => self.resolve(at, function, is_method, arguments),
            None => self.undeclared(at, name),
        }
    }

    /// The type of what an element or entry adds to its literal.
    fn present(&mut self, value: &Node, found: Type, optional: bool) -> Type {
        match found {
            Type::Optional(value) if optional => (*value).clone(),
            found => {
                if optional && !found.is_dyn() {
                    self.mismatch(value.at, &Type::optional(found.clone()), &found);
                }
                found
            }
        }
    }

    /// The type of elements that go into one literal. That they are of one is seen to later.
    fn join(&mut self, before: Option<Type>, one: Type) -> Type {
        let Some(before) = before else { return one };
        if self.fits(&before, &one) {
            return self.inference.most_general(&before, &one);
        }
        Type::Dyn
    }
}

fn literal(value: &Val<'_>) -> Type {
    match value {
        Val::Null => Type::Null,
        Val::Bool(_) => Type::Bool,
        Val::Int(_) => Type::Int,
        Val::Uint(_) => Type::Uint,
        Val::Double(_) => Type::Double,
        Val::String(_) => Type::String,
        Val::Bytes(_) => Type::Bytes,
        _ => Type::Error,
    }
}

impl Environment {
    fn variable(self) -> (&'static str, Type) {
        match self {
            Self::Claims => ("claims", Type::map(Type::String, Type::Any)),
            Self::User => ("user", Type::User),
        }
    }

    /// A field of [`Type::User`].
    fn field(self, name: &str) -> Option<Type> {
        Some(match name {
            "username" | "uid" => Type::String,
            "groups" => Type::list(Type::String),
            "extra" => Type::map(Type::String, Type::list(Type::String)),
            _ => return None,
        })
    }
}
