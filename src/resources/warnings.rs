//! `Warning` headers, as kube-apiserver writes them: agent `-`, code 299 (RFC 9111, section 5.5).
//!
//! Each text once; those with control characters not at all; when all of them are long, all are cut.

use http::header::WARNING;
use http::{HeaderMap, HeaderValue};

/// Texts longer than this together are cut, in characters.
const MAX_TOTAL: usize = 4096;
/// To this many characters each.
const MAX_EACH: usize = 256;

/// What the caller should know beside the answer.
#[derive(Debug, Default)]
pub struct Warnings {
    texts: Vec<String>,
}

impl Warnings {
    /// Adds one, unless it is there already.
    pub fn add(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() && !text.chars().any(char::is_control) && !self.texts.contains(&text) {
            self.texts.push(text);
        }
    }

    /// Writes them into the headers of an answer.
    pub fn write(&self, headers: &mut HeaderMap) {
        let long = self.texts.iter().map(|text| text.chars().count()).sum::<usize>() > MAX_TOTAL;
        let mut total = 0;
        for text in &self.texts {
            let end = text.char_indices().nth(MAX_EACH).map(|(at, _)| at).filter(|_| long);
            let text = end.and_then(|end| text.get(..end)).unwrap_or(text);
            total += text.chars().count();
            if total > MAX_TOTAL {
                return;
            }
            let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
            // Text without control characters is a header's value.
            if let Ok(value) = HeaderValue::from_bytes(format!("299 - \"{quoted}\"").as_bytes()) {
                headers.append(WARNING, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(texts: &[&str]) -> Vec<String> {
        let mut warnings = Warnings::default();
        texts.iter().for_each(|text| warnings.add(*text));
        let mut headers = HeaderMap::new();
        warnings.write(&mut headers);
        let values = headers.get_all(WARNING).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    }

    #[test]
    fn each_is_quoted_and_comes_once() {
        assert_eq!(
            written(&["unknown field \"a\\b\"", "ü", "", "x\ny", "ü"]),
            ["299 - \"unknown field \\\"a\\\\b\\\"\"", "299 - \"ü\""]
        );
    }

    #[test]
    fn many_words_are_cut_and_end_somewhere() {
        let long = "l".repeat(4096);
        assert_eq!(written(&[&long]), [format!("299 - \"{long}\"")]);
        let texts: Vec<_> = (0..30).map(|n| format!("{n:02}{}", "l".repeat(400))).collect();
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        let written = written(&texts);
        assert_eq!(written.len(), 16);
        assert!(written.iter().all(|text| text.len() == "299 - \"\"".len() + 256), "{written:?}");
    }
}
