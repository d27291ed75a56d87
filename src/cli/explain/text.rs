//! A report for people: short lines, a mark before each check, colour where there is a terminal.

use std::io::{self, IsTerminal, Write};

use super::report::{Check, Claim, Instant, Report, Source, Token};
use super::server::Server;

/// What of a value is shown.
const SHOWN: usize = 140;

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
        return writeln!(out, "{head}     not a JWT: {flaw}");
    }
    writeln!(out, "{head}     a JWT, which says of itself (nothing of it is proven):")?;
    let mut line = |name: &str, value: Option<String>| match value {
        Some(value) => writeln!(out, "          {name:4} {}", cut(&value)),
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
    claims(&token.claims, style, out)
}

/// Those that are not told already.
fn claims(claims: &[Claim], style: Style, out: &mut impl Write) -> io::Result<()> {
    let told = ["iss", "aud", "iat", "nbf", "exp"];
    let rest: Vec<_> = claims.iter().filter(|claim| !told.contains(&&*claim.name)).collect();
    if rest.is_empty() {
        return Ok(());
    }
    if rest.iter().all(|claim| claim.value.is_none()) {
        let names: Vec<_> =
            rest.iter().map(|claim| format!("{} ({})", claim.name, claim.kind)).collect();
        let hint = style.faint("(--show-claims shows what they say)");
        return writeln!(out, "          and has {} {hint}", names.join(", "));
    }
    for claim in rest {
        let value = match &claim.value {
            Some(value) => super::words::printable(&value.to_string()),
            None => format!("({}, never shown)", claim.kind),
        };
        writeln!(out, "          {} {}", claim.name, cut(&value))?;
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
    match source.keys.as_ref().and_then(|keys| keys.error.as_ref()) {
        Some(error) => writeln!(out, "  {}    keys             {error}", style.bad("note")),
        None => Ok(()),
    }
}

fn check(check: &Check, style: Style, out: &mut impl Write) -> io::Result<()> {
    let mark = match check.outcome {
        "passed" => style.good("ok    "),
        super::report::FAILED => style.bad("FAILED"),
        _ => style.faint("-     "),
    };
    let what = match check.of {
        "token" => check.check.to_owned(),
        _ => format!("> {}", check.check),
    };
    writeln!(out, "  {mark}  {what:16} {}", cut(&check.found))?;
    if check.outcome == super::report::FAILED {
        if !check.expected.is_empty() {
            writeln!(out, "          {:16} {}", "  wanted", cut(&check.expected))?;
        }
        if !check.field.is_empty() {
            writeln!(out, "          {:16} {}", "  by", check.field)?;
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
    writeln!(out, "          {}", answer.status)?;
    if let Some(nearest) = &report.nearest {
        writeln!(out, "{}   {}, at {}", style.bold("nearest"), nearest.issuer, nearest.field)?;
        for difference in &nearest.differences {
            writeln!(out, "          {}", cut(difference))?;
        }
    }
    match &report.remedy {
        Some(remedy) => writeln!(out, "{}     {remedy}", style.bold("to do")),
        None => Ok(()),
    }
}

fn server(server: &Server, style: Style, out: &mut impl Write) -> io::Result<()> {
    let head = style.bold("server");
    let Some(status) = &server.status else {
        let error = server.error.as_deref().unwrap_or_default();
        return writeln!(out, "\n{head}    {}: {error}", style.bad("no answer"));
    };
    if server.agrees {
        return writeln!(out, "\n{head}    {}", style.good("agrees"));
    }
    let differences = server.differences.join(", ");
    writeln!(out, "\n{head}    {} on {differences}", style.bad("DISAGREES"))?;
    writeln!(out, "          {status}")?;
    for hint in &server.hints {
        writeln!(out, "          {hint}")?;
    }
    Ok(())
}

/// As much of a value as fits.
fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
