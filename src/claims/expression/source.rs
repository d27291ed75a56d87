//! Where something stands in an expression, and how a mistake is shown there.

use std::fmt::Write as _;

/// More mistakes than this are not shown, as upstream.
const MAX_SHOWN: usize = 100;

/// A place in an expression: bytes from its beginning.
pub type Offset = usize;

/// Something wrong with an expression, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// From 1.
    line: usize,
    /// In characters, from 0.
    column: usize,
    text: String,
}

impl Mistake {
    /// At a place in `source`.
    pub fn at(source: &str, offset: Offset, text: impl Into<String>) -> Self {
        let before = source.get(..offset.min(source.len())).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count();
        Self { line: before.matches('\n').count() + 1, column, text: text.into() }
    }

    /// In a line and a column that are known, both from 1.
    pub fn in_line(line: usize, column: usize, text: impl Into<String>) -> Self {
        Self { line, column: column.saturating_sub(1), text: text.into() }
    }
}

/// All mistakes in the order they stand, each with its line and a caret under the place: what
/// cel-go prints.
pub fn show(source: &str, mut mistakes: Vec<Mistake>) -> String {
    mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
    let more = mistakes.len().saturating_sub(MAX_SHOWN);
    mistakes.truncate(MAX_SHOWN);
    let mut shown: Vec<_> = mistakes.iter().map(|mistake| mistake.show(source)).collect();
    if more > 0 {
        shown.push(format!("{more} more errors were truncated"));
    }
    shown.join("\n")
}

impl Mistake {
    fn show(&self, source: &str) -> String {
        let Self { line, column, text } = self;
        let mut shown = format!("ERROR: <input>:{line}:{}: {text}", column + 1);
        let Some(snippet) = source.split('\n').nth(line.saturating_sub(1)) else { return shown };
        let snippet = snippet.replace('\t', " ");
        // Letters that are not ASCII may be wide, and so get wide dots.
        let wide = |letter: char| !letter.is_ascii();
        let _ = write!(shown, "\n | {snippet}\n | ");
        shown.extend(snippet.chars().take(*column).map(|c| if wide(c) { '．' } else { '.' }));
        shown.push(if snippet.chars().nth(*column).is_some_and(wide) { '＾' } else { '^' });
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_shown_under_their_place() {
        let source = "a +\n\té☃ * x";
        let at = |offset| Mistake::at(source, offset, "wrong");
        let second = source.find('x').unwrap();
        assert_eq!(
            show(source, vec![at(second), at(0)]),
            "ERROR: <input>:1:1: wrong\n | a +\n | ^\n\
             ERROR: <input>:2:7: wrong\n |  é☃ * x\n | .．．...^"
        );
        assert_eq!(
            show(source, vec![at(source.find('☃').unwrap())]),
            "ERROR: <input>:2:3: wrong\n |  é☃ * x\n | .．＾"
        );
        assert!(show(source, vec![at(1); 101]).ends_with("\n1 more errors were truncated"));
        for offset in 0..40 {
            show(source, vec![at(offset), Mistake::in_line(offset, 0, "")]);
        }
    }
}
