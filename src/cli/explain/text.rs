//! A report for people: short lines, a mark before each check, colour where there is a terminal.

use std::io::{self, IsTerminal, Write};

use super::report::{Check, FAILED, Report, Source, TOKEN};
use super::server::Server;
use super::unproven::{Claim, Instant, Token};

/// What of a value is shown in a line.
const SHOWN: usize = 100;
/// What of a text is shown in several.
const MOST: usize = 400;
/// What of a status is shown: all, but for a user of a thousand groups.
const STATUS: usize = 1_000;
/// How long lines are, where they can be broken.
const WIDTH: usize = 100;
/// What lines below a heading begin with.
const INDENT: &str = "          ";
/// Where the values of checks begin.
const VALUES: usize = 27;

/// Whether there is colour.
#[derive(Clone, Copy)]
pub(super) struct Style {
    is_coloured: bool,
}

impl Style {
    /// Colour on a terminal that has it, unless `NO_COLOR` says otherwise (no-color.org).
    pub(super) fn of_this_terminal() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_none_or(|term| term == "dumb");
        Self { is_coloured: io::stdout().is_terminal() && set("NO_COLOR").is_none() && !dumb }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.is_coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }
}

pub(super) fn write(report: &Report, style: Style, out: &mut impl Write) -> io::Result<()> {
    token(&report.token, style, out)?;
    for asked in &report.sources {
        source(asked, style, out)?;
    }
    answer(report, style, out)?;
    if let Some(server) = &report.server {
        self::server(server, style, out)?;
    }
    Ok(())
}

fn token(token: &Token, style: Style, out: &mut impl Write) -> io::Result<()> {
    let head = style.bold("token");
    if let Some(flaw) = &token.not_a_jwt {
        return writeln!(out, "{head}     not a JWT: {}", token.oddity.unwrap_or(flaw));
    }
    writeln!(out, "{head}     a JWT, which says of itself (nothing of it is proven):")?;
    let mut line = |name: &str, value: Option<String>| match value {
        Some(value) => writeln!(out, "{INDENT}{name:4} {}", cut(&value)),
        None => Ok(()),
    };
    let instant = |it: &Option<Instant>| {
        it.as_ref().map(|Instant { time, distance }| format!("{time}, {distance}"))
    };
    line("iss", token.issuer.clone())?;
    line("alg", token.algorithm.clone())?;
    line("kid", token.key_id.clone())?;
    let audiences: Vec<_> = token.audiences.iter().map(|it| format!("{it:?}")).collect();
    line("aud", Some(audiences.join(", ")).filter(|list| !list.is_empty()))?;
    line("iat", instant(&token.issued_at))?;
    line("nbf", instant(&token.not_before))?;
    line("exp", instant(&token.expires_at))?;
    claims(&token.claims, out)?;
    match token.oddity {
        Some(oddity) => writeln!(out, "{INDENT}but {oddity}"),
        None => Ok(()),
    }
}

/// Those that are not told already.
fn claims(claims: &[Claim], out: &mut impl Write) -> io::Result<()> {
    let told = ["iss", "aud", "iat", "nbf", "exp"];
    let rest: Vec<_> = claims.iter().filter(|claim| !told.contains(&&*claim.name)).collect();
    if rest.is_empty() {
        return Ok(());
    }
    if rest.iter().all(|claim| claim.value.is_none()) {
        let names: Vec<_> =
            rest.iter().map(|claim| format!("{} ({})", claim.name, claim.kind)).collect();
        let names = names.join(", ");
        let names = format!("and has {names} (--show-claims shows what they say)");
        write!(out, "{INDENT}")?;
        return wrapped(&names, INDENT.len(), out);
    }
    for claim in rest {
        let value = match &claim.value {
            Some(value) => super::words::printable(&value.to_string()),
            None => format!("({}, not shown)", claim.kind),
        };
        writeln!(out, "{INDENT}{} {}", cut(&claim.name), cut(&value))?;
    }
    Ok(())
}

fn source(source: &Source, style: Style, out: &mut impl Write) -> io::Result<()> {
    let (place, name) = (style.bold(&source.place), &source.name);
    match *name == source.place {
        true => writeln!(out, "\n{place}")?,
        false => writeln!(out, "\n{place}  {}", cut(name))?,
    }
    for made in &source.checks {
        check(made, style, out)?;
    }
    Ok(())
}

fn check(check: &Check, style: Style, out: &mut impl Write) -> io::Result<()> {
    let mark = match check.outcome {
        "passed" => style.good("ok    "),
        FAILED => style.bad("FAILED"),
        _ => style.faint("-     "),
    };
    let what = match check.of {
        TOKEN => check.check.to_owned(),
        _ => format!("> {}", check.check),
    };
    let line = format!("{what:16} {}", cut(&check.found));
    if check.outcome != FAILED {
        let expected = format!("  (wanted: {})", check.expected);
        let is_news = !check.expected.is_empty() && check.expected != check.found;
        let fits = line.chars().count() + expected.chars().count() < WIDTH;
        let expected = if is_news && fits { style.faint(&expected) } else { String::new() };
        return writeln!(out, "  {mark}  {line}{expected}");
    }
    // What is wrong may end with what helps: it is not cut, but at a length that says no more.
    write!(out, "  {mark}  {what:16} ")?;
    wrapped(&check.found, VALUES, out)?;
    for (name, value) in [("  wanted", &check.expected), ("  field", &check.field)] {
        if !value.is_empty() {
            write!(out, "{INDENT}{name:16} ")?;
            wrapped(value, VALUES, out)?;
        }
    }
    Ok(())
}

fn answer(report: &Report, style: Style, out: &mut impl Write) -> io::Result<()> {
    let answer = &report.answer;
    let result = match (answer.reason, answer.result) {
        (None, result) => style.good(result),
        (Some(reason), result) => format!("{} ({reason})", style.bad(result)),
    };
    writeln!(out, "\n{}    {result}, HTTP {}", style.bold("answer"), answer.http)?;
    writeln!(out, "{INDENT}{}", cut_at(STATUS, &answer.status.to_string()))?;
    if let Some(nearest) = &report.nearest {
        writeln!(out, "{}   {}, at {}", style.bold("nearest"), nearest.issuer, nearest.field)?;
        for difference in &nearest.differences {
            write!(out, "{INDENT}")?;
            wrapped(difference, INDENT.len(), out)?;
        }
    }
    match &report.remedy {
        Some(remedy) => {
            write!(out, "{}     ", style.bold("to do"))?;
            wrapped(remedy, INDENT.len(), out)
        }
        None => Ok(()),
    }
}

fn server(server: &Server, style: Style, out: &mut impl Write) -> io::Result<()> {
    let head = style.bold("server");
    let Some(status) = &server.status else {
        let error = server.error.as_deref().unwrap_or_default();
        write!(out, "\n{head}    {}: ", style.bad("no answer"))?;
        return wrapped(error, INDENT.len(), out);
    };
    if server.agrees {
        return writeln!(out, "\n{head}    {}", style.good("agrees"));
    }
    let differences = server.differences.join(", ");
    writeln!(out, "\n{head}    {} on {differences}", style.bad("DISAGREES"))?;
    writeln!(out, "{INDENT}{}", cut_at(STATUS, &status.to_string()))?;
    for hint in &server.hints {
        write!(out, "{INDENT}")?;
        wrapped(hint, INDENT.len(), out)?;
    }
    Ok(())
}

/// The rest of a line that has begun with `indent` characters, broken between words where it gets too
/// long; every further line is indented as far.
fn wrapped(text: &str, indent: usize, out: &mut impl Write) -> io::Result<()> {
    let mut column = indent;
    for (index, word) in cut_at(MOST, text).split(' ').enumerate() {
        let length = word.chars().count();
        match index {
            0 => {}
            _ if column + 1 + length > WIDTH => {
                write!(out, "\n{:indent$}", "")?;
                column = indent;
            }
            _ => {
                write!(out, " ")?;
                column += 1;
            }
        }
        write!(out, "{word}")?;
        column += length;
    }
    writeln!(out)
}

/// As much of a value as fits.
fn cut(text: &str) -> String {
    cut_at(SHOWN, text)
}

fn cut_at(characters: usize, text: &str) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Answer;
    use super::*;

    fn said(is_coloured: bool) -> String {
        let check = |outcome, found: String| Check {
            check: "aud",
            field: "jwt[0].issuer.audiences".to_owned(),
            outcome,
            expected: "one of \"a\"".to_owned(),
            found,
            of: TOKEN,
        };
        let words = "word ".repeat(50);
        let report = Report {
            sources: vec![Source {
                name: "https://x".to_owned(),
                place: "jwt[0]".to_owned(),
                keys: None,
                checks: vec![check("passed", "\"a\"".to_owned()), check(FAILED, words)],
            }],
            answer: Answer { result: "rejected", reason: Some("expired"), ..Answer::default() },
            ..Report::default()
        };
        let mut out = Vec::new();
        write(&report, Style { is_coloured }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn colour_is_all_that_a_terminal_adds() {
        let (plain, coloured) = (said(false), said(true));
        assert!(coloured.contains("\x1b[1;31mFAILED\x1b[0m"), "{coloured}");
        let codes = ["1", "32", "1;31", "2", "0"].map(|code| format!("\x1b[{code}m"));
        assert_eq!(codes.iter().fold(coloured, |text, code| text.replace(code, "")), plain);
    }

    #[test]
    fn long_texts_are_broken_between_words_below_where_they_began() {
        let plain = said(false);
        let lines: Vec<_> = plain.lines().skip_while(|line| !line.contains("FAILED")).collect();
        assert!(lines[0].starts_with("  FAILED  aud              word word"), "{plain}");
        assert!(lines[1].starts_with(&format!("{:27}word word", "")), "{plain}");
        assert!(plain.lines().all(|line| line.chars().count() <= WIDTH), "{plain}");
    }

    #[test]
    fn a_long_value_is_cut() {
        assert_eq!(cut(&"é".repeat(5000)).chars().count(), SHOWN + 1);
    }
}
