//! `format.…()`: named checks of text, each with the complaints that Kubernetes has elsewhere.

use super::timestamp::is_date;
use super::url::check_uri;

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const LABEL_COMPLAINT: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric \
     characters or '-', and must start and end with an alphanumeric character";
const SUBDOMAIN: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const SUBDOMAIN_COMPLAINT: &str = "a lowercase RFC 1123 subdomain must consist of lower case \
     alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const LABEL_1035: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
const LABEL_1035_COMPLAINT: &str = "a DNS-1035 label must consist of lower case alphanumeric \
     characters or '-', start with an alphabetic character, and end with an alphanumeric character";
const NAME: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const NAME_COMPLAINT: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must \
     start and end with an alphanumeric character";

/// The longest label, name or value.
const LABEL_LENGTH: usize = 63;
/// The longest subdomain.
const SUBDOMAIN_LENGTH: usize = 253;

/// A format. Two are equal when they are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A label of RFC 1123.
    Dns1123Label,
    /// Labels of RFC 1123 between dots.
    Dns1123Subdomain,
    /// A label of RFC 1035, which begins with a letter.
    Dns1035Label,
    /// A name, perhaps with a domain and a slash before it.
    QualifiedName,
    /// As [`Self::Dns1123Label`], to which something will be appended: it may end with a dash.
    Dns1123LabelPrefix,
    /// As [`Self::Dns1123Subdomain`], to which something will be appended.
    Dns1123SubdomainPrefix,
    /// As [`Self::Dns1035Label`], to which something will be appended.
    Dns1035LabelPrefix,
    /// The value of a label of an object.
    LabelValue,
    /// A URL, or a path.
    Uri,
    /// A UUID, with or without its dashes.
    Uuid,
    /// Padded base64 of the standard alphabet.
    Byte,
    /// A date of RFC 3339.
    Date,
    /// A date and time of RFC 3339.
    Datetime,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 13] = [
        Self::Dns1123Label,
        Self::Dns1123Subdomain,
        Self::Dns1035Label,
        Self::QualifiedName,
        Self::Dns1123LabelPrefix,
        Self::Dns1123SubdomainPrefix,
        Self::Dns1035LabelPrefix,
        Self::LabelValue,
        Self::Uri,
        Self::Uuid,
        Self::Byte,
        Self::Date,
        Self::Datetime,
    ];

    /// `format.named()`: the format of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// What expressions call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dns1123Label => "dns1123Label",
            Self::Dns1123Subdomain => "dns1123Subdomain",
            Self::Dns1035Label => "dns1035Label",
            Self::QualifiedName => "qualifiedName",
            Self::Dns1123LabelPrefix => "dns1123LabelPrefix",
            Self::Dns1123SubdomainPrefix => "dns1123SubdomainPrefix",
            Self::Dns1035LabelPrefix => "dns1035LabelPrefix",
            Self::LabelValue => "labelValue",
            Self::Uri => "uri",
            Self::Uuid => "uuid",
            Self::Byte => "byte",
            Self::Date => "date",
            Self::Datetime => "datetime",
        }
    }

    /// How long upstream takes its regular expression to be where cost is counted.
    pub fn pattern_length(self) -> u64 {
        match self {
            Self::Dns1123Label
            | Self::Dns1035Label
            | Self::Dns1123LabelPrefix
            | Self::Dns1035LabelPrefix => 30,
            Self::Dns1123Subdomain | Self::QualifiedName | Self::Dns1123SubdomainPrefix => 60,
            Self::LabelValue => 40,
            Self::Uri => 1103,
            Self::Uuid => 70,
            Self::Byte => 84,
            Self::Date | Self::Datetime => 71,
        }
    }

    /// `validate()`: everything that is wrong with `text`; upstream's `optional.none()` is an empty
    /// list here.
    pub fn validate(self, text: &str) -> Vec<String> {
        let unless = |valid: bool, complaint: &str| {
            if valid { Vec::new() } else { vec![complaint.to_owned()] }
        };
        let bytes = text.as_bytes();
        match self {
            Self::Dns1123Label => label(bytes),
            Self::Dns1123LabelPrefix => label(&without_dash(bytes)),
            Self::Dns1123Subdomain => subdomain(bytes),
            Self::Dns1123SubdomainPrefix => subdomain(&without_dash(bytes)),
            Self::Dns1035Label => label_1035(bytes),
            Self::Dns1035LabelPrefix => label_1035(&without_dash(bytes)),
            Self::QualifiedName => qualified_name(text),
            Self::LabelValue => label_value(text),
            Self::Uri => check_uri(text).err().map(|error| error.to_string()).into_iter().collect(),
            Self::Uuid => unless(is_uuid(text), "does not match the UUID format"),
            Self::Byte => unless(is_base64(text), "invalid base64"),
            Self::Date => unless(is_date(text), "invalid date"),
            Self::Datetime => unless(is_datetime(text), "invalid datetime"),
        }
    }
}

fn label(text: &[u8]) -> Vec<String> {
    let mut wrong = too_long(text.len(), LABEL_LENGTH, "characters");
    if !is_label(text) {
        wrong.push(if is_subdomain(text) {
            "must not contain dots".to_owned()
        } else {
            complaint(LABEL_COMPLAINT, &["my-name", "123-abc"], LABEL)
        });
    }
    wrong
}

fn subdomain(text: &[u8]) -> Vec<String> {
    let mut wrong = too_long(text.len(), SUBDOMAIN_LENGTH, "characters");
    if !is_subdomain(text) {
        wrong.push(complaint(SUBDOMAIN_COMPLAINT, &["example.com"], SUBDOMAIN));
    }
    wrong
}

fn label_1035(text: &[u8]) -> Vec<String> {
    let mut wrong = too_long(text.len(), LABEL_LENGTH, "characters");
    if !(is_label(text) && text.first().is_some_and(u8::is_ascii_lowercase)) {
        wrong.push(complaint(LABEL_1035_COMPLAINT, &["my-name", "abc-123"], LABEL_1035));
    }
    wrong
}

fn qualified_name(text: &str) -> Vec<String> {
    let complaint = || complaint(NAME_COMPLAINT, &["MyName", "my.name", "123-abc"], NAME);
    let (prefix, name) = match text.split_once('/') {
        Some((_, name)) if name.contains('/') => {
            let rule = complaint();
            return vec![format!(
                "a valid label key {rule} with an optional DNS subdomain prefix and '/' (e.g. \
                 'example.com/MyName')"
            )];
        }
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    let mut wrong = match prefix {
        Some("") => vec!["prefix part must be non-empty".to_owned()],
        Some(prefix) => {
            let wrong = subdomain(prefix.as_bytes());
            wrong.into_iter().map(|wrong| format!("prefix part {wrong}")).collect()
        }
        None => Vec::new(),
    };
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    }
    let long = too_long(name.len(), LABEL_LENGTH, "bytes");
    wrong.extend(long.into_iter().map(|long| format!("name part {long}")));
    if !is_name(name) {
        wrong.push(format!("name part {}", complaint()));
    }
    wrong
}

fn label_value(text: &str) -> Vec<String> {
    let mut wrong = too_long(text.len(), LABEL_LENGTH, "bytes");
    if !(text.is_empty() || is_name(text)) {
        let rule = format!("a valid label must be an empty string or {}", &rest_of(NAME_COMPLAINT));
        wrong.push(complaint(&rule, &["MyValue", "my_value", "12345"], &format!("({NAME})?")));
    }
    wrong
}

/// A rule without its `must `.
fn rest_of(rule: &str) -> &str {
    rule.strip_prefix("must ").unwrap_or(rule)
}

/// Upstream's sentence on a text that does not match, commas and all.
fn complaint(rule: &str, examples: &[&str], pattern: &str) -> String {
    let examples: Vec<_> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{rule} (e.g. {}regex used for validation is '{pattern}')", examples.join(" or "))
}

fn too_long(length: usize, most: usize, unit: &str) -> Vec<String> {
    if length <= most { Vec::new() } else { vec![format!("must be no more than {most} {unit}")] }
}

/// What a prefix is checked as: its dash and the letter before it are an `a`, whatever that was.
fn without_dash(text: &[u8]) -> Vec<u8> {
    match text {
        [start @ .., _, b'-'] => start.iter().copied().chain([b'a']).collect(),
        _ => text.to_owned(),
    }
}

fn is_label(text: &[u8]) -> bool {
    let end = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.first().is_some_and(end)
        && text.last().is_some_and(end)
        && text.iter().all(|byte| end(byte) || *byte == b'-')
}

fn is_subdomain(text: &[u8]) -> bool {
    text.split(|&byte| byte == b'.').all(is_label)
}

fn is_name(text: &str) -> bool {
    let end = |byte: u8| byte.is_ascii_alphanumeric();
    text.bytes().next().is_some_and(end)
        && text.bytes().next_back().is_some_and(end)
        && text.bytes().all(|byte| end(byte) || b"-_.".contains(&byte))
}

fn is_uuid(text: &str) -> bool {
    let mut rest = text.as_bytes();
    for (at, digits) in [8_usize, 4, 4, 4, 12].into_iter().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix(b"-").unwrap_or(rest);
        }
        match rest.split_at_checked(digits) {
            Some((group, after)) if group.iter().all(u8::is_ascii_hexdigit) => rest = after,
            _ => return false,
        }
    }
    rest.is_empty()
}

fn is_base64(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
    let unpadded = text.strip_suffix("==").or(text.strip_suffix('=')).unwrap_or(text);
    !text.is_empty() && text.len().is_multiple_of(4) && unpadded.bytes().all(digit)
}

/// Both letters may be small, and what follows another `T` does not count.
fn is_datetime(text: &str) -> bool {
    let mut parts = text.split(['T', 't']);
    match (parts.next(), parts.next()) {
        (Some(date), Some(time)) => is_date(date) && is_time(time),
        _ => false,
    }
}

/// `23:59:59`, a fraction behind whatever character, and an offset of any digits.
fn is_time(text: &str) -> bool {
    let (clock, rest) = text.split_at_checked(8).unwrap_or((text, ""));
    let parts: Vec<_> = clock.split(':').collect();
    let two = |text: &str, most: &str| {
        text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()) && text <= most
    };
    let &[hour, minute, second] = parts.as_slice() else { return false };
    if !(two(hour, "23") && two(minute, "59") && two(second, "59")) {
        return false;
    }
    let offset = |text: &str| {
        let zone = text.strip_prefix(['+', '-']).and_then(|zone| zone.split_once(':'));
        matches!(text, "z" | "Z")
            || zone.is_some_and(|(hours, minutes)| two(hours, "99") && two(minutes, "99"))
    };
    let mut fraction = rest.chars();
    let mark = fraction.next().is_some_and(|mark| mark != '\n');
    let digits = fraction.as_str().trim_start_matches(|digit: char| digit.is_ascii_digit());
    offset(rest) || mark && digits.len() < fraction.as_str().len() && offset(digits)
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Arguments, bool, check, texts};
    use super::*;

    fn validated(format: Format, text: &str) -> String {
        let wrong = format.validate(text);
        if wrong.is_empty() { "none".to_owned() } else { format!("some({})", texts(wrong)) }
    }

    fn answer(expression: &str, args: &Arguments) -> String {
        let named = |index| Format::named(args.text(index));
        match expression {
            "format.named(a).hasValue()" => bool(named(0).is_some()),
            "format.named(a).value().validate(b)" => {
                validated(named(0).expect("a format"), args.text(1))
            }
            "format.named(a).value() == format.named(b).value()" => bool(named(0) == named(1)),
            call => {
                let name = call.strip_prefix("format.").expect("a format");
                let name = name.strip_suffix("().validate(a)").expect("a call");
                validated(Format::named(name).expect("a format"), args.text(0))
            }
        }
    }

    #[test]
    fn it_answers_as_kubernetes_does() {
        check(include_str!("golden/formats.jsonl"), answer);
    }
}
