//! What was found in a configuration, and in which of its files.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::document::{Remark, Report, SyntaxError};

/// Something to be said of a place in a file. It reads `path: text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    file: PathBuf,
    line: Option<usize>,
    text: String,
}

impl Finding {
    /// About the file as a whole, or about one line of it.
    pub(super) fn new(file: &Path, line: Option<usize>, text: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, text: text.into() }
    }

    fn of(file: &Path, remark: &Remark) -> Self {
        Self::new(file, Some(remark.place.line()), remark.to_string())
    }

    /// `FILE` or `FILE:LINE`.
    pub fn place(&self) -> String {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("{}{line}", self.file.display())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Something in a valid configuration that perhaps is not as meant.
pub type Warning = Finding;

/// Every mistake of one configuration, each in a line of its own: `FILE:LINE: path: text`.
#[derive(Debug)]
pub struct Problems(Vec<Finding>);

impl Problems {
    /// How many; at least one.
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// One by one, in the order of the files.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.0.iter()
    }

    /// The same, without their places.
    #[cfg(test)]
    pub(super) fn texts(self) -> Vec<String> {
        self.0.into_iter().map(|finding| finding.text).collect()
    }
}

impl From<Finding> for Problems {
    fn from(finding: Finding) -> Self {
        Self(vec![finding])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{}: {problem}", problem.place())?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// So many of something.
pub fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Why a file cannot be read, and by whom, where that is the reason.
pub(super) fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let user = rustix::process::geteuid().as_raw();
            format!("{error}: let user {user} read it, and enter its folders")
        }
        _ => error.to_string(),
    }
}

/// What was found in all files of a configuration, file by file.
#[derive(Default)]
pub(super) struct Findings {
    problems: Vec<Finding>,
    warnings: Vec<Finding>,
}

impl Findings {
    /// Takes what was said of one file.
    pub fn add(&mut self, file: &Path, report: Report) {
        let (problems, warnings) = report.finish();
        self.problems.extend(problems.iter().map(|remark| Finding::of(file, remark)));
        self.warnings.extend(warnings.iter().map(|remark| Finding::of(file, remark)));
    }

    /// Takes that a file is no document at all.
    pub fn not_a_document(&mut self, file: &Path, error: &SyntaxError) {
        self.problems.push(Finding::new(file, error.line, error.to_string()));
    }

    /// What was read, if nothing is wrong with it.
    pub fn judge<T>(self, read: Option<T>) -> Result<(T, Vec<Warning>), Problems> {
        match read {
            Some(read) if self.problems.is_empty() => Ok((read, self.warnings)),
            _ => Err(Problems(self.problems)),
        }
    }
}
