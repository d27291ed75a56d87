//! The types of macros: what typing upstream's expansions of them comes to.

use super::super::syntax::{Loop, LoopKind, Node, OptionalMap, SortBy};
use super::{Checker, Type};

impl<'a> Checker<'a> {
    pub(super) fn check_loop(&mut self, node: &Node, part: &'a Loop) -> Type {
        let Loop { kind, range, names, condition, step } = part;
        let over = self.check(range);
        let (first, second) = self.elements(range, &over, names.1.is_some());
        self.locals.push((&names.0, first.clone()));
        self.locals.extend(names.1.iter().map(|name| (&**name, second.clone())));
        let condition = condition.as_ref().map(|condition| self.check(condition));
        let stepped = self.check(step);
        let result = match kind {
            LoopKind::All | LoopKind::Exists => {
                if !self.fits(&stepped, &Type::Bool) {
                    self.mismatch(step.at, &Type::Bool, &stepped);
                }
                Type::Bool
            }
            LoopKind::ExistsOne => {
                self.resolve_named(node.at, "_?_:_", false, &[stepped, Type::Int, Type::Int]);
                Type::Bool
            }
            LoopKind::List => self.gathered(node, condition, Type::list(stepped)),
            LoopKind::Map => self.gathered(node, condition, Type::map(first, stepped)),
            LoopKind::Entries => {
                let before = Type::map(self.unknown(), self.unknown());
                let after =
                    self.resolve_named(node.at, "cel.@mapInsert", false, &[before, stepped]);
                self.gathered(node, condition, after)
            }
        };
        self.locals.truncate(self.locals.len() - 1 - usize::from(names.1.is_some()));
        self.now(&result)
    }

    /// What a loop gathers, if elements may be left out by a condition.
    fn gathered(&mut self, node: &Node, condition: Option<Type>, gathered: Type) -> Type {
        if let Some(condition) = condition {
            let arguments = [condition, gathered.clone(), gathered.clone()];
            self.resolve_named(node.at, "_?_:_", false, &arguments);
        }
        gathered
    }

    /// The types of the variables of a loop over something.
    fn elements(&mut self, range: &Node, over: &Type, two: bool) -> (Type, Type) {
        match self.now(over) {
            Type::List(element) if two => (Type::Int, (*element).clone()),
            Type::List(element) => ((*element).clone(), Type::Error),
            Type::Map(parts) => (parts.0.clone(), parts.1.clone()),
            over @ (Type::Dyn | Type::Error | Type::Variable(_)) => {
                self.fits(&Type::Dyn, &over);
                (Type::Dyn, Type::Dyn)
            }
            over => {
                let text = format!(
                    "expression of type '{over}' cannot be range of a comprehension (must be \
                     list, map, or dynamic)"
                );
                self.mistake(range.at, text);
                (Type::Error, Type::Error)
            }
        }
    }

    pub(super) fn optional_map(&mut self, node: &Node, part: &'a OptionalMap) -> Type {
        let before = self.mistakes.len();
        let target = self.check(&part.target);
        let in_target = self.mistakes.get(before..).unwrap_or_default().to_vec();
        let has = self.resolve_named(node.at, "hasValue", true, std::slice::from_ref(&target));
        // The expansion has its target twice, and so all mistakes in it.
        self.mistakes.extend(in_target);
        let value = self.resolve_named(node.at, "value", true, &[target]);
        self.locals.push((&part.name, value));
        let stepped = self.check(&part.step);
        self.locals.pop();
        let stepped = self.now(&stepped);
        let stepped = if part.flat {
            stepped
        } else {
            self.resolve_named(node.at, "optional.of", false, &[stepped])
        };
        let none = self.resolve_named(node.at, "optional.none", false, &[]);
        self.resolve_named(node.at, "_?_:_", false, &[has, stepped, none])
    }

    pub(super) fn sort_by(&mut self, node: &Node, part: &'a SortBy) -> Type {
        let target = self.check(&part.target);
        let (element, _) = self.elements(node, &target, false);
        self.locals.push((&part.name, element));
        let key = self.check(&part.key);
        self.locals.pop();
        let arguments = [target, Type::list(key)];
        self.resolve_named(node.at, "@sortByAssociatedKeys", true, &arguments)
    }
}
