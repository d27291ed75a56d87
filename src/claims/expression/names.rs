//! Names that are no identifiers, as upstream escapes them: `claims.a__dot__b` is the claim `a.b`.

use std::borrow::Cow;

/// Words that cannot be identifiers.
const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// The name that an identifier stands for; absent if it has an escape that is none.
///
/// An escape is two underscores, a word without underscores, and two underscores; they are looked
/// for from the left.
pub fn unescaped(escaped: &str) -> Option<Cow<'_, str>> {
    if !escaped.contains("__") {
        return Some(Cow::Borrowed(escaped));
    }
    let mut name = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some(start) = rest.find("__") {
        let after = rest.get(start + 2..)?;
        let word = after.find('_').and_then(|end| after.split_at_checked(end));
        let escape = word.filter(|(word, end)| !word.is_empty() && end.starts_with("__"));
        let Some((word, end)) = escape else {
            // One underscore on, as a regular expression would.
            let (before, next) = rest.split_at_checked(start + 1)?;
            name.push_str(before);
            rest = next;
            continue;
        };
        name.push_str(rest.get(..start)?);
        name.push_str(match word {
            "underscores" => "__",
            "dot" => ".",
            "dash" => "-",
            "slash" => "/",
            word if RESERVED.contains(&word) && word.len() + 4 == escaped.len() => word,
            _ => return None,
        });
        rest = end.get(2..)?;
    }
    name.push_str(rest);
    Some(Cow::Owned(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unescaped() {
        for (escaped, name) in [
            ("a", Some("a")),
            ("a__dot__b", Some("a.b")),
            ("a__dash____slash__b", Some("a-/b")),
            ("__underscores__a", Some("__a")),
            ("__in__", Some("in")),
            ("a__in__", None),
            ("a__b__c", None),
            ("a__b", Some("a__b")),
            ("___dot__", Some("_.")),
            ("____", Some("____")),
            ("_____dot__", Some("___.")),
            ("a_b_", Some("a_b_")),
            ("", Some("")),
            ("__é__", None),
        ] {
            assert_eq!(unescaped(escaped).as_deref(), name, "{escaped}");
        }
    }
}
