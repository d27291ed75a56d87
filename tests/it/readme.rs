//! The README names what there is: every reason, every metric, and a configuration that is good.

use countersign::authn::REASONS;

const README: &str = include_str!("../../README.md");

#[test]
fn every_reason_has_its_row() {
    for reason in REASONS {
        let row = format!("| <a id=\"{reason}\"></a>`{reason}` |");
        assert_eq!(README.matches(&row).count(), 1, "{row}");
    }
    let rows = README.matches("| <a id=\"").count();
    assert_eq!(rows, REASONS.len(), "a row for a reason that there is not");
}

#[test]
fn every_metric_has_its_row() {
    for metric in include_str!("metrics.golden").lines() {
        let (name, labels) = metric.split_once('{').expect("a name and its labels");
        if !name.starts_with("countersign_") {
            continue;
        }
        let row = README
            .lines()
            .find(|line| line.starts_with('|') && line.contains(&format!("`{name}`")));
        let row = row.unwrap_or_else(|| panic!("no row for {name}"));
        for label in labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty()) {
            assert!(row.contains(&format!("`{label}`")), "{name} has the label {label}: {row}");
        }
    }
}
