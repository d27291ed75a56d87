//! Answers of the real Kubernetes to these functions, row by row.
//!
//! A line of `golden/*.jsonl` is an expression over the variables `a`, `b`, `c`, `d`, and rows of what
//! they were and, last, what came out in Kubernetes 1.37's own CEL environment, which
//! `tests/cluster/celanswers` asked and can ask again. A value has the first letter of its type before
//! it: `s:`, `i:`, `u:`, `d:`, `b:`, `x:` (bytes), `l:` and `m:` (JSON lists of such); or it is
//! `some(…)`, `none`, or `err:` with the text.

use serde_json::Value;

/// What the variables of one row were.
pub struct Arguments(Vec<Value>);

impl Arguments {
    /// A string.
    pub fn text(&self, index: usize) -> &str {
        self.tagged(index, "s:")
    }

    /// An int.
    pub fn int(&self, index: usize) -> i64 {
        self.tagged(index, "i:").parse().expect("an int")
    }

    /// An uint.
    pub fn uint(&self, index: usize) -> u64 {
        self.tagged(index, "u:").parse().expect("an uint")
    }

    /// A double.
    pub fn double(&self, index: usize) -> f64 {
        self.tagged(index, "d:").parse().expect("a double")
    }

    /// A bool.
    pub fn bool(&self, index: usize) -> bool {
        self.0[index].as_bool().expect("a bool")
    }

    /// As written, for arguments that may have any type.
    pub fn raw(&self, index: usize) -> &Value {
        &self.0[index]
    }

    fn tagged(&self, index: usize, tag: &str) -> &str {
        let text = self.0[index].as_str().expect("a tagged argument");
        text.strip_prefix(tag).unwrap_or_else(|| panic!("{text} is no {tag}"))
    }
}

/// Holds every row of `rows` against `answer`, which gets its expression and its arguments.
#[track_caller]
pub fn check(rows: &str, answer: impl Fn(&str, &Arguments) -> String) {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for line in rows.lines() {
        let line: Value = serde_json::from_str(line).expect("a line");
        let expression = line["e"].as_str().expect("an expression");
        for row in line["rows"].as_array().expect("rows") {
            let (expected, arguments) = row.as_array().expect("a row").split_last().expect("one");
            let expected = expected.as_str().expect("an answer");
            let ours = answer(expression, &Arguments(arguments.to_vec()));
            count += 1;
            if ours != expected {
                let shown: String = row.to_string().chars().take(300).collect();
                wrong.push(format!("{expression} {shown}\n  ours   {ours}\n  theirs {expected}"));
            }
        }
    }
    assert!(count > 0);
    let shown = wrong.iter().take(25).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{shown}", wrong.len());
}

/// A result as a row shows it.
pub fn shown<T, E: std::fmt::Display>(
    result: Result<T, E>,
    show: impl FnOnce(T) -> String,
) -> String {
    match result {
        Ok(value) => show(value),
        Err(error) => format!("err:{error}"),
    }
}

/// A string.
pub fn text(value: impl std::fmt::Display) -> String {
    format!("s:{value}")
}

/// An int.
pub fn int(value: impl Into<i64>) -> String {
    format!("i:{}", value.into())
}

/// A bool.
pub fn bool(value: bool) -> String {
    format!("b:{value}")
}

/// A double, as Go writes it but for the exponent.
pub fn double(value: f64) -> String {
    format!("d:{}", super::number::double_to_string(value))
}

/// A list of strings.
pub fn texts<T: std::fmt::Display>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<_> = values.into_iter().map(|value| Value::from(text(value))).collect();
    format!("l:{}", Value::from(values))
}

/// A map of values that are shown already.
pub fn map(entries: impl IntoIterator<Item = (String, String)>) -> String {
    let mut entries: Vec<_> = entries.into_iter().map(|(key, value)| key + "=" + &value).collect();
    entries.sort();
    format!("m:{}", Value::from(entries))
}
