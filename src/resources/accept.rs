//! The `Accept` header, as a list of what a caller takes, the best first.

use http::{HeaderMap, header};

/// One thing that a caller takes.
#[derive(Debug, PartialEq)]
pub struct Clause<'a> {
    media_type: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    quality: f32,
}

impl<'a> Clause<'a> {
    /// The media type as it is written.
    pub fn media_type(&self) -> &'a str {
        self.media_type
    }

    /// Whether a body of this media type is meant.
    pub fn takes(&self, media_type: &str) -> bool {
        match self.media_type.strip_suffix("/*") {
            Some("*") => true,
            Some(kind) => media_type
                .split_once('/')
                .is_some_and(|(offered, _)| offered.eq_ignore_ascii_case(kind)),
            None => self.media_type.eq_ignore_ascii_case(media_type),
        }
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(found, _)| *found == name).map(|(_, value)| *value)
    }

    fn of(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next().filter(|media_type| !media_type.is_empty())?;
        let mut clause = Self { media_type, parameters: Vec::new(), quality: 1.0 };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match (name.trim(), value.trim()) {
                ("q", value) => clause.quality = value.parse().unwrap_or(0.0),
                parameter => clause.parameters.push(parameter),
            }
        }
        Some(clause)
    }

    /// How little is left open: a media type, all of a kind, or all.
    fn precision(&self) -> u8 {
        match self.media_type.strip_suffix("/*") {
            Some("*") => 0,
            Some(_) => 1,
            None => 2,
        }
    }
}

/// The values of the `Accept` headers; one that is no text takes nothing.
pub fn values(headers: &HeaderMap) -> Vec<&str> {
    let values = headers.get_all(header::ACCEPT).iter();
    values.map(|value| value.to_str().unwrap_or("?")).collect()
}

/// What the `Accept` headers with these values take: by quality, then the precise before the
/// general, then as they stand. What has the quality 0 is refused, and left out. Without a header
/// everything is taken (RFC 9110, section 12.5.1).
pub fn clauses<'a>(values: &[&'a str]) -> Vec<Clause<'a>> {
    let mut clauses: Vec<_> =
        values.iter().flat_map(|value| value.split(',')).filter_map(Clause::of).collect();
    if values.iter().all(|value| value.trim().is_empty()) {
        clauses.extend(Clause::of("*/*"));
    }
    clauses.retain(|clause| clause.quality > 0.0);
    clauses.sort_by(|a, b| {
        b.quality.total_cmp(&a.quality).then_with(|| b.precision().cmp(&a.precision()))
    });
    clauses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_comes_first() {
        for (values, want) in [
            (&[][..], &["*/*"][..]),
            (&["", " "], &["*/*"]),
            (&[","], &[]),
            (&["application/json, */*"], &["application/json", "*/*"]),
            (&["*/*, application/*, text/html"], &["text/html", "application/*", "*/*"]),
            (&["a/b;q=0.2, c/d;q=0.9;x=y", "e/f"], &["e/f", "c/d", "a/b"]),
            (&["a/b;q=0, c/d;q=nonsense, e/f;q=0.0"], &[]),
            (&["a/b ; q = 0.5 ,c/d"], &["c/d", "a/b"]),
        ] {
            let clauses = clauses(values);
            let found: Vec<_> = clauses.iter().map(|clause| clause.media_type).collect();
            assert_eq!(found, want, "{values:?}");
        }
    }

    #[test]
    fn a_clause_takes_what_it_names() {
        for (text, takes) in [
            ("*/*", true),
            ("application/*", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/*", false),
            ("application/json-patch+json", false),
            ("*", false),
        ] {
            assert_eq!(Clause::of(text).unwrap().takes("application/json"), takes, "{text}");
        }
        let clause = Clause::of("application/json;v=v2 ; as=List;g").unwrap();
        assert_eq!(clause.parameter("v"), Some("v2"));
        assert_eq!(clause.parameter("as"), Some("List"));
        assert_eq!(clause.parameter("g"), None);
    }
}
