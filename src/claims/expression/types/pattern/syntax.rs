//! Go's regular expressions (`regexp/syntax` in its Perl mode), and the same in the words of the regex
//! crate.
//!
//! Flags are resolved here, so that each piece that comes out says itself what it folds and what it
//! excludes. Groups capture nothing: nobody asks. No part recurses.

use super::classes::{class, code_point, escaped, named_class};
use super::{DEPTH_LIMIT, PatternError};

/// The most repetitions of one thing, also of repetitions of it.
const MOST_REPETITIONS: u32 = 1000;

/// Reads `text` as Go does.
pub(super) fn translate(text: &str) -> Result<String, PatternError> {
    let mut reader = Reader { whole: text, groups: Vec::new(), group: Group::default() };
    let mut rest = text;
    // What the last repetition began with, if nothing came after it.
    let mut repetition = None;
    while let Some(first) = rest.chars().next() {
        let before = rest;
        rest = reader.piece(first, rest, &mut repetition)?;
        if repetition.is_some_and(|started: &str| started.len() > before.len()) {
            repetition = None;
        }
    }
    if !reader.groups.is_empty() {
        return Err(PatternError::new("missing closing )", text));
    }
    Ok(reader.group.close())
}

#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    /// `i`
    fold: bool,
    /// `m`
    lines: bool,
    /// `s`
    dot_all: bool,
    /// `U`
    swap_greed: bool,
}

/// A group that is not closed yet.
#[derive(Debug, Default)]
struct Group {
    flags: Flags,
    /// The alternatives before the last `|`.
    alternatives: Vec<String>,
    pieces: Vec<Piece>,
    repetitions: u32,
}

/// A part that a repetition can follow.
#[derive(Debug)]
struct Piece {
    /// One item to the regex crate, but for those that are repeated.
    text: String,
    repeated: bool,
    /// How often a repetition in it may repeat something.
    repetitions: u32,
}

impl Group {
    fn push(&mut self, text: String) {
        self.pieces.push(Piece { text, repeated: false, repetitions: 1 });
    }

    fn alternative(&mut self) {
        let pieces = std::mem::take(&mut self.pieces);
        self.repetitions =
            pieces.iter().map(|piece| piece.repetitions).fold(self.repetitions, u32::max);
        self.alternatives.push(pieces.into_iter().map(|piece| piece.text).collect());
    }

    fn close(&mut self) -> String {
        self.alternative();
        self.alternatives.join("|")
    }
}

struct Reader<'a> {
    whole: &'a str,
    groups: Vec<Group>,
    group: Group,
}

impl<'a> Reader<'a> {
    /// Reads the next piece of `rest`, which begins with `first`, and returns what is behind it.
    fn piece(
        &mut self,
        first: char,
        rest: &'a str,
        repetition: &mut Option<&'a str>,
    ) -> Result<&'a str, PatternError> {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        let flags = self.group.flags;
        match first {
            '(' if after.starts_with('?') => return self.flags(rest),
            '(' => self.open(flags)?,
            ')' => self.close()?,
            '|' => self.group.alternative(),
            '^' => self.group.push(if flags.lines { "(?m:^)" } else { r"\A" }.to_owned()),
            '$' => self.group.push(if flags.lines { "(?m:$)" } else { r"\z" }.to_owned()),
            '.' => self.group.push(if flags.dot_all { "(?s:.)" } else { "(?-s:.)" }.to_owned()),
            '[' => {
                let (class, after) = class(rest)?;
                self.folded(class);
                return Ok(after);
            }
            '*' => return self.repeat(rest, after, "*", 1, repetition),
            '+' => return self.repeat(rest, after, "+", 1, repetition),
            '?' => return self.repeat(rest, after, "?", 1, repetition),
            '{' => match counts(after) {
                Some(Counts { least, most, after }) => {
                    let size = counted_part(rest, after);
                    let wrong = || PatternError::new("invalid repeat count", size);
                    let least =
                        least.filter(|&least| least <= MOST_REPETITIONS).ok_or_else(wrong)?;
                    let (text, count) = match most {
                        Most::Same => (format!("{{{least}}}"), least),
                        Most::None => (format!("{{{least},}}"), least),
                        Most::These(Some(most)) if (least..=MOST_REPETITIONS).contains(&most) => {
                            (format!("{{{least},{most}}}"), most)
                        }
                        Most::These(_) => return Err(wrong()),
                    };
                    return self.repeat(rest, after, &text, count, repetition);
                }
                None => self.literal('{'),
            },
            '\\' => return self.escape(rest, after),
            letter => self.literal(letter),
        }
        Ok(after)
    }

    fn literal(&mut self, letter: char) {
        let text = code_point(letter.into());
        self.folded(text);
    }

    /// Pushes what the flag `i` applies to.
    fn folded(&mut self, text: String) {
        let fold = self.group.flags.fold;
        self.group.push(if fold { format!("(?i:{text})") } else { text });
    }

    fn open(&mut self, flags: Flags) -> Result<(), PatternError> {
        if self.groups.len() >= DEPTH_LIMIT {
            return Err(PatternError::new("expression nests too deeply", self.whole));
        }
        let inner = Group { flags, ..Group::default() };
        self.groups.push(std::mem::replace(&mut self.group, inner));
        Ok(())
    }

    fn close(&mut self) -> Result<(), PatternError> {
        let outer = self.groups.pop();
        let outer = outer.ok_or_else(|| PatternError::new("unexpected )", self.whole))?;
        let mut inner = std::mem::replace(&mut self.group, outer);
        let text = format!("(?:{})", inner.close());
        let repetitions = inner.repetitions;
        self.group.pieces.push(Piece { text, repeated: false, repetitions });
        Ok(())
    }

    /// A repetition of the last piece by `operator`, which says so many times `count`.
    fn repeat(
        &mut self,
        rest: &'a str,
        after: &'a str,
        operator: &str,
        count: u32,
        repetition: &mut Option<&'a str>,
    ) -> Result<&'a str, PatternError> {
        let (after, lazy) = match after.strip_prefix('?') {
            Some(after) => (after, !self.group.flags.swap_greed),
            None => (after, self.group.flags.swap_greed),
        };
        if let Some(started) = repetition {
            let part = counted_part(started, after);
            return Err(PatternError::new("invalid nested repetition operator", part));
        }
        let part = counted_part(rest, after);
        let Some(piece) = self.group.pieces.last_mut() else {
            return Err(PatternError::new("missing argument to repetition operator", part));
        };
        if piece.repeated {
            piece.text = format!("(?:{})", piece.text);
        }
        piece.text.push_str(operator);
        piece.text.push_str(if lazy { "?" } else { "" });
        piece.repeated = true;
        let repetitions = piece.repetitions.saturating_mul(count.max(1));
        if count > 1 && repetitions > MOST_REPETITIONS {
            return Err(PatternError::new("invalid repeat count", part));
        }
        // Nothing at all is as good as once.
        piece.repetitions = if operator == "{0}" || operator == "{0,0}" { 1 } else { repetitions };
        *repetition = Some(rest);
        Ok(after)
    }

    /// `(?…`: a name, flags, or a group with flags.
    fn flags(&mut self, rest: &'a str) -> Result<&'a str, PatternError> {
        let named = rest.strip_prefix("(?P<").or(rest.strip_prefix("(?<"));
        if let Some(named) = named.filter(|named| !named.is_empty()) {
            let wrong = |part| PatternError::new("invalid named capture", part);
            let (name, after) = named.split_once('>').ok_or_else(|| wrong(rest))?;
            let fits = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
            if name.is_empty() || !name.bytes().all(fits) {
                return Err(wrong(counted_part(rest, after)));
            }
            self.open(self.group.flags)?;
            return Ok(after);
        }
        let mut flags = self.group.flags;
        // Whether flags are set, and whether one is, since the sign.
        let (mut set, mut seen) = (true, false);
        let mut letters = rest.get(2..).unwrap_or_default().chars();
        while let Some(letter) = letters.next() {
            match letter {
                'i' => flags.fold = set,
                'm' => flags.lines = set,
                's' => flags.dot_all = set,
                'U' => flags.swap_greed = set,
                '-' if set => {
                    (set, seen) = (false, false);
                    continue;
                }
                ')' if set || seen => {
                    self.group.flags = flags;
                    return Ok(letters.as_str());
                }
                ':' if set || seen => {
                    self.open(flags)?;
                    return Ok(letters.as_str());
                }
                _ => break,
            }
            seen = true;
        }
        let part = counted_part(rest, letters.as_str());
        Err(PatternError::new("invalid or unsupported Perl syntax", part))
    }

    /// A backslash, and `after` it.
    fn escape(&mut self, rest: &'a str, after: &'a str) -> Result<&'a str, PatternError> {
        let behind = after.get(1..).unwrap_or_default();
        match after.as_bytes().first() {
            Some(b'A') => self.group.push(r"\A".to_owned()),
            Some(b'z') => self.group.push(r"\z".to_owned()),
            Some(b'b') => self.group.push(r"(?-u:\b)".to_owned()),
            Some(b'B') => self.group.push(r"(?-u:\B)".to_owned()),
            Some(b'Q') => {
                let (quoted, after) = behind.split_once(r"\E").unwrap_or((behind, ""));
                quoted.chars().for_each(|letter| self.literal(letter));
                return Ok(after);
            }
            _ => {
                if let Some((class, after)) = named_class(rest)? {
                    self.folded(class);
                    return Ok(after);
                }
                let (letter, after) = escaped(rest)?;
                let text = code_point(letter);
                self.folded(text);
                return Ok(after);
            }
        }
        Ok(behind)
    }
}

/// How often: `{2}`, `{2,}`, `{2,3}`. A number that is too large is none.
struct Counts<'a> {
    least: Option<u32>,
    most: Most,
    after: &'a str,
}

enum Most {
    Same,
    None,
    These(Option<u32>),
}

/// The counts behind a `{`, unless it is a literal one.
fn counts(text: &str) -> Option<Counts<'_>> {
    let (least, after) = number(text)?;
    if let Some(after) = after.strip_prefix('}') {
        return Some(Counts { least, most: Most::Same, after });
    }
    let after = after.strip_prefix(',')?;
    if let Some(after) = after.strip_prefix('}') {
        return Some(Counts { least, most: Most::None, after });
    }
    let (most, after) = number(after)?;
    Some(Counts { least, most: Most::These(most), after: after.strip_prefix('}')? })
}

/// A decimal number without zeros before it.
fn number(text: &str) -> Option<(Option<u32>, &str)> {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, after) = text.split_at_checked(count)?;
    let whole = !digits.is_empty() && (digits == "0" || !digits.starts_with('0'));
    whole.then(|| (digits.parse().ok(), after))
}

/// The beginning of `text`, up to `after`, its end.
pub(super) fn counted_part<'a>(text: &'a str, after: &str) -> &'a str {
    text.get(..text.len().saturating_sub(after.len())).unwrap_or(text)
}
