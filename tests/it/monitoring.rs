//! The alert rules and the dashboard ask only for metrics that there are, and leave none out.

use std::collections::BTreeSet;

const ALERTS: &str = include_str!("../../deploy/chart/files/alerts.yaml");
const DASHBOARD: &str = include_str!("../../deploy/chart/files/dashboard.json");
const README: &str = include_str!("../../README.md");

/// The names in `metrics.golden`, each line of which is a name and perhaps labels.
fn golden() -> BTreeSet<&'static str> {
    let end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    include_str!("metrics.golden").lines().filter_map(|line| line.split(end).next()).collect()
}

/// Every `countersign_…` of a text, a histogram's parts under its own name.
fn asked_for(text: &str) -> BTreeSet<String> {
    let golden = golden();
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("countersign_") && *word != "countersign_")
        .map(|word| {
            let whole =
                ["_bucket", "_sum", "_count"].iter().find_map(|part| word.strip_suffix(part));
            whole.filter(|name| golden.contains(name)).unwrap_or(word).to_owned()
        })
        .collect()
}

#[test]
fn rules_and_dashboard_ask_only_for_metrics_that_there_are() {
    for text in [ALERTS, DASHBOARD] {
        let unknown: Vec<_> =
            asked_for(text).into_iter().filter(|name| !golden().contains(name.as_str())).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

#[test]
fn the_dashboard_shows_every_metric() {
    let shown = asked_for(DASHBOARD);
    let missing: Vec<_> = golden()
        .into_iter()
        .filter(|name| name.starts_with("countersign_") && !shown.contains(*name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_alert_leads_to_a_section_of_the_readme() {
    for anchor in
        ALERTS.lines().filter_map(|line| line.trim().strip_prefix("runbook_url: README.md#"))
    {
        assert!(README.contains(&format!("id=\"{anchor}\"")), "{anchor}");
    }
}
