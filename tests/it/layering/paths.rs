//! Every path that a Rust source names, by its tokens: enough of Rust's grammar for that, and no
//! more.

/// A path somewhere in a source.
pub struct Found {
    /// Where it begins, counted from 1.
    pub line: usize,
    /// `crate` first if it leads into this crate, made absolute; `*` for all that is there.
    pub segments: Vec<String>,
    /// What it is there for.
    pub role: Role,
    /// Whether it stands in test code.
    pub in_tests: bool,
}

#[derive(PartialEq)]
pub enum Role {
    /// A branch of a `use`, or an `extern crate`.
    Import,
    /// A path in code.
    Path,
    /// A single word in code: a keyword, a variable, a macro.
    Word,
}

/// The paths in `source`, which is the file of `module`.
pub fn find(source: &str, module: &[String]) -> Vec<Found> {
    let tokens = tokens(source);
    let mut reader = Reader { tokens: &tokens, at: 0, module: module.to_vec(), found: Vec::new() };
    reader.read();
    reader.found
}

#[derive(Debug, PartialEq)]
enum Kind {
    Word(String),
    /// `::`
    Colons,
    Sign(char),
}

struct Token {
    line: usize,
    kind: Kind,
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    /// The module that is being read, inline modules included.
    module: Vec<String>,
    found: Vec<Found>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        // For each open brace, whether it is that of a module.
        let mut braces = Vec::new();
        while let Some(token) = self.tokens.get(self.at) {
            match &token.kind {
                Kind::Word(word) if word == "mod" => {
                    if let (Some(Kind::Word(name)), Some(Kind::Sign('{'))) =
                        (self.kind(1), self.kind(2))
                    {
                        self.module.push(name.clone());
                        braces.push(true);
                        self.at += 2;
                    }
                    self.at += 1;
                }
                Kind::Word(word) if word == "use" => {
                    self.at += 1;
                    self.tree(&[]);
                }
                Kind::Word(word) if word == "extern" && self.is_word(1, "crate") => {
                    self.at += 2;
                    self.tree(&[]);
                }
                Kind::Word(_) => self.path(),
                Kind::Sign('{') => {
                    braces.push(false);
                    self.at += 1;
                }
                Kind::Sign('}') => {
                    if braces.pop() == Some(true) {
                        self.module.pop();
                    }
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    /// A path in code: words with `::` between them.
    fn path(&mut self) {
        let start = self.at;
        let before = |count: usize| {
            start.checked_sub(count).and_then(|at| self.tokens.get(at)).map(|token| &token.kind)
        };
        // What follows `Type::<…>::` or `<… as Trait>::` is not the beginning of a path; what
        // follows `-> ::` is.
        let inside = before(1) == Some(&Kind::Colons)
            && before(2) == Some(&Kind::Sign('>'))
            && !matches!(before(3), Some(Kind::Sign('-' | '=')));
        let mut segments = Vec::new();
        while let Some(Kind::Word(word)) = self.kind(0) {
            segments.push(word.clone());
            self.at += 1;
            if self.kind(0) != Some(&Kind::Colons) || !matches!(self.kind(1), Some(Kind::Word(_))) {
                break;
            }
            self.at += 1;
        }
        if !inside {
            let role = if segments.len() == 1 { Role::Word } else { Role::Path };
            self.push(start, segments, role);
        }
    }

    /// One branch of a `use`, and the branches below it.
    fn tree(&mut self, prefix: &[String]) {
        let start = self.at;
        let mut segments = prefix.to_vec();
        loop {
            match self.kind(0) {
                Some(Kind::Colons) => self.at += 1,
                Some(Kind::Word(word)) if word == "as" => {
                    self.at += 2;
                    break;
                }
                Some(Kind::Word(word)) => {
                    // In braces `self` is what stands before them.
                    if word != "self" || segments.is_empty() {
                        segments.push(word.clone());
                    }
                    self.at += 1;
                }
                Some(Kind::Sign('*')) => {
                    segments.push("*".to_owned());
                    self.at += 1;
                    break;
                }
                Some(Kind::Sign('{')) => {
                    self.at += 1;
                    while !matches!(self.kind(0), None | Some(Kind::Sign('}'))) {
                        self.tree(&segments);
                        if self.kind(0) == Some(&Kind::Sign(',')) {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                _ => break,
            }
        }
        if self.at == start {
            self.at += 1; // no tree at all: whatever it is, it is read only once
        }
        self.push(start, segments, Role::Import);
    }

    fn push(&mut self, start: usize, segments: Vec<String>, role: Role) {
        let line = self.tokens.get(start).map_or(0, |token| token.line);
        let in_tests = self.module.iter().any(|name| name == "tests");
        let segments = if role == Role::Word { segments } else { self.absolute(segments) };
        self.found.push(Found { line, segments, role, in_tests });
    }

    /// The path from `crate` on, if it leads into this crate; else as it is.
    fn absolute(&self, segments: Vec<String>) -> Vec<String> {
        let mut rest = segments.iter().map(String::as_str).peekable();
        let mut absolute = match rest.peek() {
            Some(&("crate" | "countersign")) => {
                rest.next();
                Vec::new()
            }
            Some(&("self" | "super")) => self.module.clone(),
            _ => return segments,
        };
        while let Some(step) = rest.next_if(|word| matches!(*word, "self" | "super")) {
            if step == "super" {
                absolute.pop();
            }
        }
        absolute.insert(0, "crate".to_owned());
        absolute.extend(rest.map(str::to_owned));
        absolute
    }

    fn kind(&self, ahead: usize) -> Option<&'a Kind> {
        self.tokens.get(self.at + ahead).map(|token| &token.kind)
    }

    fn is_word(&self, ahead: usize, wanted: &str) -> bool {
        matches!(self.kind(ahead), Some(Kind::Word(word)) if word == wanted)
    }
}

/// The words and signs of `source`, without comments, texts, characters, lifetimes and numbers.
fn tokens(source: &str) -> Vec<Token> {
    let mut rest = source;
    let mut line = 1;
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest).unwrap_or_else(|| {
            let (kind, length) = match word(rest) {
                0 if rest.starts_with("::") => (Kind::Colons, 2),
                0 => (Kind::Sign(first), first.len_utf8()),
                length => (Kind::Word(rest[..length].to_owned()), length),
            };
            tokens.push(Token { line, kind });
            length
        });
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// How much at the beginning of `rest` names nothing, if it begins so.
fn skipped(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let end_of = |from: usize, end: &str| {
        rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len())
    };
    match bytes[0] {
        b'/' if rest.starts_with("//") => Some(end_of(0, "\n")),
        b'/' if rest.starts_with("/*") => Some(block_comment(rest)),
        b'"' => Some(text(rest, 1, b'"')),
        b'b' if rest.starts_with("b\"") || rest.starts_with("b'") => Some(text(rest, 2, bytes[1])),
        b'c' if rest.starts_with("c\"") => Some(text(rest, 2, b'"')),
        // A character, or else a lifetime.
        b'\'' if rest.starts_with("'\\") => Some(text(rest, 1, b'\'')),
        b'\'' => {
            let name = rest[1..].chars().next().map_or(1, |first| 1 + first.len_utf8());
            if rest[name..].starts_with('\'') { Some(name + 1) } else { Some(1 + word(&rest[1..])) }
        }
        b'r' | b'b' | b'c' => {
            let hashes = rest.trim_start_matches(['b', 'c']).strip_prefix('r')?;
            let opened = hashes.trim_start_matches('#').strip_prefix('"')?;
            let count = hashes.len() - opened.len() - 1;
            Some(end_of(rest.len() - opened.len(), &format!("\"{}", "#".repeat(count))))
        }
        first if first.is_ascii_whitespace() => Some(1),
        first if first.is_ascii_digit() => Some(word(rest)),
        _ => None,
    }
}

/// The length of the word at the beginning of `rest`; 0 if there is none.
fn word(rest: &str) -> usize {
    rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len())
}

/// The length of a text whose quote stands before `from`.
fn text(rest: &str, from: usize, quote: u8) -> usize {
    let mut escaped = false;
    let end = rest.bytes().skip(from).position(|byte| {
        let ends = byte == quote && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(rest.len(), |at| from + at + 1)
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}
