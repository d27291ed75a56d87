//! Which types fit where, and what the unknown ones must be for it: cel-go's rules.

use std::sync::Arc;

use super::types::Type;

/// Comparing types takes at most so many steps for one expression. Types can grow with each loop,
/// and only expressions that nobody would write get near.
const MAX_STEPS: usize = 1_000_000;

/// What is known of type variables.
#[derive(Debug, Default)]
pub struct Inference {
    variables: Vec<Option<Type>>,
    /// What was found out since something was last taken for granted, to be forgotten if it does
    /// not hold.
    trail: Vec<(usize, Option<Type>)>,
    steps: usize,
}

impl Inference {
    /// The number of the first of so many new variables.
    pub fn fresh(&mut self, count: usize) -> usize {
        let first = self.variables.len();
        self.variables.resize(first + count, None);
        first
    }

    /// Whether types are so large that comparing them took too long; all answers are `false` then.
    pub fn is_exhausted(&self) -> bool {
        self.steps > MAX_STEPS
    }

    /// Whether each of `from` fits into its counterpart; only if all do, anything is learnt.
    pub fn fit(&mut self, from: &[Type], into: &[Type]) -> bool {
        self.trail.clear();
        let fits = from.len() == into.len()
            && from.iter().zip(into).all(|(from, into)| self.assignable(from, into));
        if !fits {
            while let Some((number, before)) = self.trail.pop() {
                if let Some(slot) = self.variables.get_mut(number) {
                    *slot = before;
                }
            }
        }
        fits
    }

    /// The type with all that is known put in; what is not known yet stays, or becomes `dyn`.
    pub fn resolve(&mut self, of: &Type, unknown_is_dyn: bool) -> Type {
        if self.step() {
            return Type::Error;
        }
        match of {
            Type::Variable(number) => match self.known(*number) {
                Some(known) => self.resolve(&known, unknown_is_dyn),
                None if unknown_is_dyn => Type::Dyn,
                None => of.clone(),
            },
            Type::List(element) => Type::list(self.resolve(element, unknown_is_dyn)),
            Type::Optional(value) => Type::optional(self.resolve(value, unknown_is_dyn)),
            Type::Meta(of) => Type::Meta(Arc::new(self.resolve(of, unknown_is_dyn))),
            Type::Map(parts) => Type::map(
                self.resolve(&parts.0, unknown_is_dyn),
                self.resolve(&parts.1, unknown_is_dyn),
            ),
            _ => of.clone(),
        }
    }

    fn step(&mut self) -> bool {
        self.steps += 1;
        self.is_exhausted()
    }

    fn known(&self, number: usize) -> Option<Type> {
        self.variables.get(number).cloned().flatten()
    }

    fn learn(&mut self, number: usize, new: Type) {
        if let Some(slot) = self.variables.get_mut(number) {
            let before = slot.replace(new);
            self.trail.push((number, before));
        }
    }

    fn assignable(&mut self, from: &Type, into: &Type) -> bool {
        if self.step() {
            return false;
        }
        if let Type::Variable(number) = into {
            match self.substitutes(from, *number) {
                Substitution::Fits => return true,
                Substitution::Conflicts => return false,
                // It may still be the other way round.
                Substitution::Circular => {}
            }
        }
        if let Type::Variable(number) = from {
            return matches!(self.substitutes(into, *number), Substitution::Fits);
        }
        let wild = |one: &Type| one.is_dyn() || *one == Type::Error;
        if wild(from) || wild(into) {
            return true;
        }
        let nullable = |one: &Type| {
            matches!(
                one,
                Type::Null
                    | Type::Optional(_)
                    | Type::Opaque(_)
                    | Type::User
                    | Type::Duration
                    | Type::Timestamp
            )
        };
        match (from, into) {
            (Type::Null, other) | (other, Type::Null) => nullable(other),
            (Type::List(from), Type::List(into)) | (Type::Optional(from), Type::Optional(into)) => {
                self.assignable(from, into)
            }
            (Type::Map(from), Type::Map(into)) => {
                self.assignable(&from.0, &into.0) && self.assignable(&from.1, &into.1)
            }
            (Type::Meta(_) | Type::AnyMeta, Type::Meta(_) | Type::AnyMeta) => true,
            (from, into) => from == into,
        }
    }

    /// Whether the variable may be that type.
    fn substitutes(&mut self, one: &Type, variable: usize) -> Substitution {
        if *one == Type::Variable(variable) {
            return Substitution::Fits;
        }
        if let Some(known) = self.known(variable) {
            if *one == known {
                return Substitution::Fits;
            }
            if !self.assignable(one, &known) {
                return Substitution::Conflicts;
            }
            let general = self.most_general(one, &known);
            if self.is_free_of(&general, variable) {
                self.learn(variable, general);
            }
            return Substitution::Fits;
        }
        if self.is_free_of(one, variable) {
            self.learn(variable, one.clone());
            return Substitution::Fits;
        }
        Substitution::Circular
    }

    /// Of two types that fit, the one that says less.
    pub fn most_general(&mut self, one: &Type, other: &Type) -> Type {
        if self.is_no_more_specific(one, other) { one.clone() } else { other.clone() }
    }

    fn is_no_more_specific(&mut self, one: &Type, other: &Type) -> bool {
        if self.step() {
            return false;
        }
        let unknown = |one: &Type| one.is_dyn() || matches!(one, Type::Variable(_));
        if unknown(one) {
            return true;
        }
        match (one, other) {
            (_, other) if unknown(other) => false,
            (Type::List(one), Type::List(other)) | (Type::Optional(one), Type::Optional(other)) => {
                self.is_no_more_specific(one, other)
            }
            (Type::Map(one), Type::Map(other)) => {
                self.is_no_more_specific(&one.0, &other.0)
                    && self.is_no_more_specific(&one.1, &other.1)
            }
            (Type::Meta(_) | Type::AnyMeta, Type::Meta(_) | Type::AnyMeta) => true,
            (one, other) => one == other,
        }
    }

    /// Whether the type can be what a variable is, and not hold the variable in itself.
    fn is_free_of(&mut self, one: &Type, variable: usize) -> bool {
        if self.step() || *one == Type::Variable(variable) {
            return false;
        }
        match one {
            Type::Variable(number) => match self.known(*number) {
                Some(known) => self.is_free_of(&known, variable),
                None => true,
            },
            one => one.parts().all(|part| self.is_free_of(part, variable)),
        }
    }
}

enum Substitution {
    Fits,
    Conflicts,
    Circular,
}
