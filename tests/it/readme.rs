//! The README names what there is: every reason with its remedy, every metric with its labels.

use std::collections::BTreeSet;

use countersign::authn::{AuthnError, Cause, REASONS};
use countersign::claims::NumericDate;
use countersign::token::{KeysUnavailable, VerifyError};

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_has_each_reason_with_its_remedy() {
    let rows = README.lines().filter_map(|line| line.strip_prefix("| <a id=\""));
    let rows: Vec<_> = rows.map(|row| row.split(['"', '|']).collect::<Vec<_>>()).collect();
    let listed: Vec<_> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(listed, REASONS);
    for row in rows {
        assert!(row[1].contains(&format!("`{}`", row[0])), "{row:?}");
        assert!(row[2..].iter().filter(|cell| cell.len() > 10).count() >= 2, "{row:?}");
    }
}

/// What stands between stars in a row is a message of ours, `…` where it varies.
#[test]
fn the_readme_quotes_messages_as_they_are() {
    let valid_from = NumericDate::new(1);
    let causes: [Cause; 13] = [
        VerifyError::AlgorithmNotAllowed("none").into(),
        VerifyError::UnknownKey.into(),
        VerifyError::BadSignature.into(),
        VerifyError::Expired.into(),
        VerifyError::NoExpiry.into(),
        VerifyError::IssuedInTheFuture { valid_from }.into(),
        VerifyError::IssuerMismatch.into(),
        VerifyError::NotYetValid { valid_from }.into(),
        VerifyError::LifetimeTooLong.into(),
        VerifyError::AudienceMismatch.into(),
        Cause::Audiences,
        KeysUnavailable::Unreachable.into(),
        Cause::Timeout,
    ];
    let said = causes.map(|cause| {
        let error = AuthnError::new(&"issuer".into(), cause);
        (error.reason(), error.cause.to_string())
    });
    let mut quoted = 0;
    for row in README.lines().filter_map(|line| line.strip_prefix("| <a id=\"")) {
        let reason = row.split('"').next().unwrap();
        for quote in row.split('|').nth(1).unwrap().split('*').skip(1).step_by(2) {
            assert!(quote.len() > 10, "{reason}: {quote:?}");
            let is_said = |(_, text): &&(&str, String)| {
                quote.split('…').all(|part| text.contains(part.trim()))
            };
            let texts = said.iter().filter(|(word, _)| *word == reason);
            assert!(texts.clone().any(|said| is_said(&said)), "{reason}: nothing says {quote:?}");
            quoted += 1;
        }
    }
    assert!(quoted >= 13, "{quoted}");
}

#[test]
fn the_readme_has_each_metric_with_its_labels() {
    let words = |cell: &str| -> Vec<String> {
        let words = cell.split(',').map(|word| word.trim_matches([' ', '`']).to_owned());
        words.filter(|word| !word.is_empty()).collect()
    };
    let mut listed = BTreeSet::new();
    for row in README.lines().filter(|line| line.starts_with("| `countersign_")) {
        let cells: Vec<_> = row.split('|').map(words).collect();
        let mut labels = cells[2].clone();
        labels.sort();
        let labels = labels.join(",");
        listed.extend(cells[1].iter().map(|name| format!("{name}{{{labels}}}")));
    }
    let golden = include_str!("metrics.golden").lines().map(str::to_owned);
    let golden = golden.filter(|line| line.starts_with("countersign_")).collect();
    let missing: Vec<_> = listed.symmetric_difference(&golden).collect();
    assert!(missing.is_empty(), "only in one of README and golden file: {missing:#?}");
}
