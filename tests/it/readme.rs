//! The README names what there is: every reason with its remedy, every metric with its labels.

use std::collections::BTreeSet;

use countersign::authn::REASONS;

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
