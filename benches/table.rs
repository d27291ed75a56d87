//! The table: what was compared, the median of the ratios, and between which ratios the middle half of
//! the rounds lies. A goal that is not reached has a `!`.

use std::time::Duration;

/// One side by side in one round: what it is compared with, and the thing itself.
pub type Pair = (f64, f64);

#[derive(Default)]
pub struct Table {
    lines: Vec<String>,
    notes: Vec<String>,
}

/// What the numbers of a row are.
#[derive(Clone, Copy)]
pub enum Unit {
    Microseconds,
    Milliseconds,
    PerSecond,
    Mebibytes,
    Bytes,
}

/// What a row should reach.
#[derive(Clone, Copy)]
pub enum Goal {
    None,
    /// The ratio, at most.
    Ratio(f64),
    /// The thing itself, at most, in the row's unit.
    Itself(f64),
}

impl Table {
    /// Begins a group of rows, each of which compares `this` with `that`.
    pub fn group(&mut self, title: &str, that: &str, this: &str) {
        self.lines.push(String::new());
        self.lines.push(format!(
            "{title:<46}{that:>14}{this:>14}{:>8}  {:<13}{:>8}",
            "ratio", "middle half", "goal"
        ));
    }

    /// A row of rounds.
    pub fn compare(&mut self, name: &str, unit: Unit, rounds: &[Pair], goal: Goal) {
        let ratios = sorted(rounds.iter().map(|(that, this)| this / that));
        let that = median(&sorted(rounds.iter().map(|(that, _)| *that)));
        let this = median(&sorted(rounds.iter().map(|(_, this)| *this)));
        let ratio = median(&ratios);
        let [low, high] = quartiles(&ratios);
        let spread = format!("{low:.2}-{high:.2}");
        let (goal, missed) = match goal {
            Goal::None => (String::new(), false),
            Goal::Ratio(goal) => (format!("{goal:.2}"), ratio > goal),
            Goal::Itself(goal) => (unit.show(goal), this > goal),
        };
        self.lines.push(format!(
            "  {name:<44}{:>14}{:>14}{ratio:>8.2}  {spread:<13}{goal:>8}{}",
            unit.show(that),
            unit.show(this),
            if missed { " !" } else { "" },
        ));
    }

    /// A row of something that is compared with nothing.
    pub fn tell(&mut self, name: &str, unit: Unit, rounds: &[f64], goal: Goal) {
        let values = sorted(rounds.iter().copied());
        let this = median(&values);
        let spread = quartiles(&values).map(|it| unit.plain(it)).join("-");
        let (goal, missed) = match goal {
            Goal::Itself(goal) => (unit.show(goal), this > goal),
            _ => (String::new(), false),
        };
        self.lines.push(format!(
            "  {name:<44}{:>14}{:>14}{:>8}  {spread:<13}{goal:>8}{}",
            "",
            unit.show(this),
            "",
            if missed { " !" } else { "" },
        ));
    }

    /// Something to know about the whole.
    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    pub fn print(&self) {
        self.lines.iter().chain(&self.notes).for_each(|line| println!("{line}"));
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        let unit = match self {
            Self::Microseconds => " us",
            Self::Milliseconds => " ms",
            Self::PerSecond => "/s",
            Self::Mebibytes => " MiB",
            Self::Bytes => " B",
        };
        self.plain(value) + unit
    }

    fn plain(self, value: f64) -> String {
        match self {
            Self::PerSecond | Self::Bytes => format!("{value:.0}"),
            Self::Microseconds if value >= 1000.0 => format!("{value:.0}"),
            Self::Microseconds if value < 10.0 => format!("{value:.2}"),
            Self::Microseconds | Self::Milliseconds | Self::Mebibytes => format!("{value:.1}"),
        }
    }
}

pub fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

fn quartiles(sorted: &[f64]) -> [f64; 2] {
    let quarter = sorted.len() / 4;
    [sorted[quarter], sorted[sorted.len() - 1 - quarter]]
}
