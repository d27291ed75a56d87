//! What was checked of one token, what was expected and what was found.
//!
//! A [`Transcript`] is off unless somebody wants to have a token explained. Whoever checks something
//! says so in passing, by a closure, which costs one branch that is not taken while it is off: no
//! value is copied, no text made. It is not `tracing`: no level of a log can turn it on, since it
//! holds what claims say. That is kept apart from all else ([`Part::Said`]), so that whoever prints
//! it decides; tokens and signatures are never in it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Where checks are noted down, or nowhere. Clones write to the same one.
#[derive(Clone, Default)]
pub struct Transcript {
    sources: Option<Arc<Mutex<Vec<Source>>>>,
    aside: bool,
}

/// One that was asked about the token, and its checks in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Its configured name.
    pub name: String,
    /// What it checked, until it had an answer.
    pub checks: Vec<Check>,
}

/// One thing that was checked, or learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What, in a word or two.
    pub what: &'static str,
    /// The field that asks for it, without the path of its source; empty if none does.
    pub place: String,
    /// How it went.
    pub outcome: Outcome,
    /// What it should have been.
    pub expected: Text,
    /// What it was.
    pub found: Text,
    /// Whether it is not about the token itself, but about something that was fetched for it.
    pub aside: bool,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not, and nothing after it was looked at but by rules that are all evaluated.
    Failed,
    /// There was nothing to hold.
    Noted,
}

impl Transcript {
    /// One that takes no notes.
    pub fn off() -> Self {
        Self::default()
    }

    /// One that does.
    pub fn on() -> Self {
        Self { sources: Some(Arc::default()), aside: false }
    }

    /// The same, for checks of what was fetched for the token.
    pub fn aside(&self) -> Self {
        Self { sources: self.sources.clone(), aside: true }
    }

    /// What follows is checked by the source of that name.
    #[inline]
    pub fn source(&self, name: &str) {
        if let Some(sources) = &self.sources {
            lock(sources).push(Source { name: name.to_owned(), checks: Vec::new() });
        }
    }

    /// Notes whether something `holds`, and gives it back.
    #[inline]
    pub fn holds(&self, holds: bool, check: impl FnOnce() -> Check) -> bool {
        if let Some(sources) = &self.sources {
            let outcome = if holds { Outcome::Passed } else { Outcome::Failed };
            self.write(sources, Check { outcome, ..check() });
        }
        holds
    }

    /// Notes how something went, and gives it back.
    #[inline]
    pub fn judged<T, E>(
        &self,
        result: Result<T, E>,
        check: impl FnOnce(Result<&T, &E>) -> Check,
    ) -> Result<T, E> {
        if let Some(sources) = &self.sources {
            let outcome = if result.is_ok() { Outcome::Passed } else { Outcome::Failed };
            self.write(sources, Check { outcome, ..check(result.as_ref()) });
        }
        result
    }

    /// Notes why something failed, if it did, and gives it back.
    #[inline]
    pub fn unless<T, E>(
        &self,
        result: Result<T, E>,
        check: impl FnOnce(&E) -> Check,
    ) -> Result<T, E> {
        if let (Some(sources), Err(error)) = (&self.sources, &result) {
            self.write(sources, Check { outcome: Outcome::Failed, ..check(error) });
        }
        result
    }

    /// Notes what was learned.
    #[inline]
    pub fn note(&self, check: impl FnOnce() -> Check) {
        if let Some(sources) = &self.sources {
            self.write(sources, check());
        }
    }

    /// How many checks the present source has made: where to [`rewind`](Self::rewind) to.
    pub fn position(&self) -> usize {
        let Some(sources) = &self.sources else { return 0 };
        lock(sources).last().map_or(0, |source| source.checks.len())
    }

    /// Forgets what was noted since `position`: it is all checked once more.
    pub fn rewind(&self, position: usize) {
        let Some(sources) = &self.sources else { return };
        if let Some(source) = lock(sources).last_mut() {
            source.checks.truncate(position);
        }
    }

    /// Everything that was noted.
    pub fn read(&self) -> Vec<Source> {
        self.sources.as_ref().map_or_else(Vec::new, |sources| lock(sources).clone())
    }

    /// Out of line: whoever checks something should stay small.
    #[cold]
    fn write(&self, sources: &Mutex<Vec<Source>>, check: Check) {
        let mut sources = lock(sources);
        if sources.is_empty() {
            sources.push(Source { name: String::new(), checks: Vec::new() });
        }
        if let Some(source) = sources.last_mut() {
            source.checks.push(Check { aside: self.aside, ..check });
        }
    }
}

fn lock(sources: &Mutex<Vec<Source>>) -> std::sync::MutexGuard<'_, Vec<Source>> {
    sources.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcript").finish_non_exhaustive()
    }
}

impl Check {
    /// A check of `what`, with nothing expected or found yet.
    pub fn of(what: &'static str) -> Self {
        let (place, outcome) = (String::new(), Outcome::Noted);
        let (expected, found) = (Text::default(), Text::default());
        Self { what, place, outcome, expected, found, aside: false }
    }

    /// The same, asked for by the field at `place`.
    #[must_use]
    pub fn at(self, place: impl Into<String>) -> Self {
        Self { place: place.into(), ..self }
    }

    /// The same, with what it should be.
    #[must_use]
    pub fn expected(self, text: impl Into<Text>) -> Self {
        Self { expected: text.into(), ..self }
    }

    /// The same, with what it is.
    #[must_use]
    pub fn found(self, text: impl Into<Text>) -> Self {
        Self { found: text.into(), ..self }
    }
}

/// A text, of which some parts are not for everybody.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text(pub Vec<Part>);

/// A part of a [`Text`].
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Fixed, configured, or what any JWT says about itself: `alg`, `kid`, `iss`, `aud`.
    Plain(String),
    /// What a claim says, or what was made of one.
    Said {
        /// What to show instead: its type, or `<sub>`.
        instead: String,
        /// The value.
        value: String,
    },
    /// An instant.
    Time(SystemTime),
    /// A duration.
    Span(Duration),
}

impl Text {
    /// The same, and that.
    #[must_use]
    pub fn and(mut self, more: impl Into<Self>) -> Self {
        self.0.extend(more.into().0);
        self
    }

    /// What a claim says, and what to show `instead`.
    pub fn said(instead: impl Into<String>, value: impl Into<String>) -> Self {
        Self(vec![Part::Said { instead: instead.into(), value: value.into() }])
    }

    /// `items`, each in quotes, or `none` if there is none.
    pub fn list<'a>(items: impl IntoIterator<Item = &'a String>, none: &str) -> Self {
        let items: Vec<_> = items.into_iter().map(|item| format!("{item:?}")).collect();
        if items.is_empty() { none.into() } else { items.join(", ").into() }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(vec![Part::Plain(text)])
    }
}

impl From<SystemTime> for Text {
    fn from(time: SystemTime) -> Self {
        Self(vec![Part::Time(time)])
    }
}

impl From<Duration> for Text {
    fn from(span: Duration) -> Self {
        Self(vec![Part::Span(span)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_off_asks_for_nothing() {
        let off = Transcript::off();
        off.source("a");
        off.note(|| unreachable!());
        assert!(off.holds(true, || unreachable!()));
        assert_eq!(off.aside().judged(Err::<(), _>(1), |_| unreachable!()), Err(1));
        off.rewind(off.position());
        assert!(off.read().is_empty());
    }

    #[test]
    fn checks_stand_under_their_source_in_order() {
        let on = Transcript::on();
        on.source("a");
        on.note(|| Check::of("one").found("x"));
        on.source("b");
        let begun = on.position();
        on.holds(true, || Check::of("forgotten"));
        on.rewind(begun);
        assert!(!on.holds(false, || Check::of("two").at("f").expected("y")));
        let found =
            on.aside().judged(Ok::<_, ()>(3), |it| Check::of("three").found(format!("{it:?}")));
        assert_eq!(found, Ok(3));
        let read = on.read();
        let told: Vec<_> = read
            .iter()
            .flat_map(|source| {
                source.checks.iter().map(|it| (source.name.as_str(), it.what, it.outcome, it.aside))
            })
            .collect();
        let want = [
            ("a", "one", Outcome::Noted, false),
            ("b", "two", Outcome::Failed, false),
            ("b", "three", Outcome::Passed, true),
        ];
        assert_eq!(told, want);
    }
}
