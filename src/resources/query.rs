//! The query parameters of a request, and those of a create: `metav1.CreateOptions`.
//!
//! Names are case-sensitive and unknown ones are ignored, as upstream (the contract, section 5.4).

use std::borrow::Cow;

use crate::api::Status;
use crate::api::quote::{is_printable, quoted};
use crate::api::status::Cause;

/// A query, decoded.
pub struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Query<'a> {
    /// Reads what stands behind the `?`.
    pub fn parse(query: Option<&'a str>) -> Self {
        Self { pairs: form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect() }
    }

    /// Whether JSON is to be indented, if the caller says so.
    pub fn pretty(&self) -> Option<bool> {
        // strconv.ParseBool; junk is false.
        let is_true = |text| matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True");
        self.first("pretty").filter(|text| !text.is_empty()).map(is_true)
    }

    /// Checks `timeout`. It is not needed: nothing here takes longer than `limits.requestTimeout`.
    ///
    /// # Errors
    ///
    /// 400 if it is not a duration.
    pub fn check_timeout(&self) -> Result<(), Status> {
        match self.first("timeout") {
            Some(text) if !text.is_empty() && !is_duration(text) => {
                Err(Status::bad_request(format!(
                    "invalid timeout specified in the request URL - time: invalid duration {text:?}"
                )))
            }
            _ => Ok(()),
        }
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    fn all<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s str> {
        self.pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| &**value)
    }
}

/// Whether Go's `time.ParseDuration` takes it.
fn is_duration(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "0" {
        return true;
    }
    let mut rest = unsigned;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(number);
        let unit = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let is_unit = matches!(unit, "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h");
        if number.parse::<f64>().is_err() || !is_unit {
            return false;
        }
        rest = tail;
    }
    !unsigned.is_empty()
}

/// How something is to be created.
#[derive(Debug, PartialEq, Eq)]
pub struct CreateOptions {
    /// `dryRun=All`: nothing is to be made.
    pub dry_run: bool,
    /// `fieldManager`: who is said to have set the fields.
    pub field_manager: Option<String>,
    /// `fieldValidation`: what is done about fields that should not be there.
    pub field_validation: FieldValidation,
}

/// What is done about fields that are unknown or come twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldValidation {
    /// Nothing.
    Ignore,
    /// A `Warning` for each.
    Warn,
    /// A 400.
    Strict,
}

/// The longest `fieldManager`, in bytes.
const MAX_MANAGER_BYTES: usize = 128;

impl CreateOptions {
    /// Reads them out of `query`.
    ///
    /// # Errors
    ///
    /// 422 with every option that is wrong.
    pub fn read(query: &Query<'_>) -> Result<Self, Status> {
        let mut causes = Vec::new();
        let manager = query.first("fieldManager").unwrap_or_default();
        check_manager(manager, &mut causes);
        let dry_run: Vec<_> = query.all("dryRun").collect();
        if dry_run.iter().any(|value| *value != "All") {
            let shown: Vec<_> = dry_run.iter().map(|value| quoted(value)).collect();
            let shown = format!("[{}]", shown.join(","));
            causes.push(Cause::not_supported("dryRun", &shown, &["All"]));
        }
        let field_validation = match query.first("fieldValidation").unwrap_or_default() {
            "" | "Warn" => FieldValidation::Warn,
            "Ignore" => FieldValidation::Ignore,
            "Strict" => FieldValidation::Strict,
            other => {
                let supported = ["", "Ignore", "Strict", "Warn"];
                causes.push(Cause::not_supported("fieldValidation", &quoted(other), &supported));
                FieldValidation::Warn
            }
        };
        if !causes.is_empty() {
            return Err(Status::invalid("meta.k8s.io", "CreateOptions", "", causes));
        }
        let field_manager = (!manager.is_empty()).then(|| manager.to_owned());
        Ok(Self { dry_run: !dry_run.is_empty(), field_manager, field_validation })
    }

    /// Who set the fields: `fieldManager`, or else what begins the User-Agent.
    pub fn manager(&self, user_agent: &str) -> String {
        if let Some(manager) = &self.field_manager {
            return manager.clone();
        }
        let name = user_agent.split('/').next().unwrap_or_default();
        let mut name: String = name.chars().filter(|letter| is_printable(*letter)).collect();
        name.truncate(name.floor_char_boundary(MAX_MANAGER_BYTES));
        if name.is_empty() { "unknown".to_owned() } else { name }
    }
}

fn check_manager(manager: &str, causes: &mut Vec<Cause>) {
    let field = "fieldManager";
    if manager.len() > MAX_MANAGER_BYTES {
        causes.push(Cause::too_long(field, MAX_MANAGER_BYTES));
    }
    for (at, letter) in manager.char_indices().filter(|(_, letter)| !is_printable(*letter)) {
        let why = format!("invalid character U+{:04X} (at position {at})", u32::from(letter));
        causes.push(Cause::invalid(field, &quoted(manager), &why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(query: &str) -> Result<CreateOptions, String> {
        CreateOptions::read(&Query::parse(Some(query))).map_err(|status| status.message)
    }

    #[test]
    fn options_are_read_as_upstream_reads_them() {
        let defaults = CreateOptions {
            dry_run: false,
            field_manager: None,
            field_validation: FieldValidation::Warn,
        };
        for query in ["", "foo=bar&limit=x", "fieldmanager=x", "fieldValidation=", "fieldManager="]
        {
            assert_eq!(options(query).as_ref(), Ok(&defaults), "{query}");
        }
        let all =
            options("dryRun=All&dryRun=All&fieldManager=a+b&fieldManager=c&fieldValidation=Strict");
        let manager = Some("a b".to_owned());
        let strict = FieldValidation::Strict;
        assert_eq!(
            all,
            Ok(CreateOptions { dry_run: true, field_manager: manager, field_validation: strict })
        );
    }

    /// The contract, section 5.4.
    #[test]
    fn every_wrong_option_is_named() {
        let begin = "CreateOptions.meta.k8s.io \"\" is invalid: ";
        for (query, says) in [
            ("dryRun=", r#"dryRun: Unsupported value: [""]: supported values: "All""#),
            (
                "dryRun=All&dryRun=x",
                r#"dryRun: Unsupported value: ["All","x"]: supported values: "All""#,
            ),
            (
                "fieldValidation=strict",
                r#"fieldValidation: Unsupported value: "strict": supported values: "", "Ignore", "Strict", "Warn""#,
            ),
            (
                "fieldManager=a%0Ab",
                r#"fieldManager: Invalid value: "a\nb": invalid character U+000A (at position 1)"#,
            ),
            (
                "fieldManager=%C3%A9%E2%80%8B",
                "fieldManager: Invalid value: \"é\\u200b\": invalid character U+200B (at position 2)",
            ),
            (
                "fieldManager=%09&dryRun=x",
                r#"[fieldManager: Invalid value: "\t": invalid character U+0009 (at position 0), dryRun: Unsupported value: ["x"]: supported values: "All"]"#,
            ),
        ] {
            assert_eq!(options(query), Err(format!("{begin}{says}")), "{query}");
        }
        let long = options(&format!("fieldManager={}", "a".repeat(129))).unwrap_err();
        assert!(long.ends_with("fieldManager: Too long: may not be more than 128 bytes"), "{long}");
        assert!(options(&format!("fieldManager={}", "a".repeat(128))).is_ok());
    }

    #[test]
    fn a_manager_is_named_or_what_begins_the_user_agent() {
        let manager = |query, agent| options(query).unwrap().manager(agent);
        assert_eq!(manager("fieldManager=me", "kubectl/v1"), "me");
        assert_eq!(manager("", "kubectl/v1.33.1 (linux/amd64)"), "kubectl");
        assert_eq!(manager("", "a\tb"), "ab");
        assert_eq!(manager("", ""), "unknown");
        assert_eq!(manager("", "/v1"), "unknown");
        assert_eq!(manager("", &"é".repeat(100)).len(), 128);
    }

    #[test]
    fn a_timeout_is_a_duration_of_go() {
        for (query, good) in [
            ("", true),
            ("timeout=", true),
            ("timeout=5s", true),
            ("timeout=1h30m0.5s", true),
            ("timeout=-1.5h", true),
            ("timeout=0", true),
            ("timeout=xx", false),
            ("timeout=5", false),
            ("timeout=s", false),
            ("timeout=-", false),
            ("timeout=5s3", false),
        ] {
            assert_eq!(Query::parse(Some(query)).check_timeout().is_ok(), good, "{query}");
        }
    }
}
