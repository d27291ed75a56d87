//! The names that people's dashboards and alerts stand on.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use countersign::authn::REASONS;
use serde_json::json;

use crate::support::service::Setup;
use crate::support::{Issuer, Service, Verdict, until};

/// Does one of everything, and compares names and labels with `metrics.golden`.
#[tokio::test(flavor = "multi_thread")]
async fn names_and_labels_are_those_of_the_golden_file() {
    let issuer = Issuer::start().await;
    let setup = Setup::new(json!({
        "jwt": [issuer.entry(json!({}))],
        "tokenFile": {"path": "tokens.csv"},
    }));
    let service = setup.with_file("tokens.csv", "a,b,c\n").start().await;
    let kube = service.kube().await;
    assert_eq!(kube.authenticate("a").await.username(), "b");
    kube.authenticate(&issuer.token(json!({"exp": 1}))).await.error();
    service.write("tokens.csv", "d,e,f\n");
    until("the file was read again", async || {
        matches!(kube.authenticate("d").await, Verdict::User(..))
    })
    .await;
    assert_eq!(kube.authenticate("a").await, Verdict::Nobody, "its answer left the cache");

    let shapes = service.metrics().await.shapes();
    let golden = include_str!("metrics.golden").lines().map(str::to_owned).collect();
    let missing: Vec<_> = shapes.symmetric_difference(&golden).collect();
    assert!(missing.is_empty(), "only in one of service and golden file: {missing:#?}");
}

/// Whatever arrives, labels come from the configuration and from fixed words.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_make_no_series() {
    let issuer = Issuer::start().await;
    let service = Setup::new(json!({"jwt": [issuer.entry(json!({}))]})).start().await;
    let kube = service.kube().await;
    let ask = async |number: usize| {
        let elsewhere = json!({"iss": format!("https://issuer-{number}.test")});
        kube.authenticate(&issuer.token(elsewhere)).await;
        let mut request = kube.review("x", &[]);
        *request.uri_mut() = format!("https://webhook/path-{number}").parse().unwrap();
        kube.send(request).await.unwrap();
    };
    ask(0).await;
    let before = service.metrics().await.len();
    for number in 1..20 {
        ask(number).await;
    }
    assert_eq!(service.metrics().await.len(), before);
}

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

/// Where there is a promtool; `.ci/run` sees to it that there is one.
#[tokio::test(flavor = "multi_thread")]
async fn promtool_has_nothing_to_say() {
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else { return };
    let issuer = Issuer::start().await;
    let service = Service::trusting([issuer.entry(json!({}))]).await;
    let kube = service.kube().await;
    assert_eq!(kube.authenticate(&issuer.token(json!({}))).await.username(), "alice");
    kube.authenticate(&issuer.token(json!({"exp": 1}))).await.error();
    let (_, metrics) = service.admin("/metrics").await;
    promtool.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    assert!(said.status.success() && said.stderr.is_empty(), "{said:?}");
}
