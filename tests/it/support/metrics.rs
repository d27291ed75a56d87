//! Reads the Prometheus text format.

use std::collections::{BTreeMap, BTreeSet};

/// What `/metrics` said at one time.
pub struct Scrape(Vec<Series>);

/// One line.
pub struct Series {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Scrape {
    /// Reads all lines that are not comments.
    pub fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        Self(lines.map(Series::read).collect())
    }

    /// The sum of the series of `countersign_<name>` that have these labels; zero if there are none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.matching(name, labels).map(|series| series.value).sum()
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each name with its labels' names, without those that belong to the format.
    pub fn shapes(&self) -> BTreeSet<String> {
        let shape = |series: &Series| {
            let name = &series.name;
            let name = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end))
                .unwrap_or(name);
            let labels = series.labels.keys().filter(|label| *label != "le");
            format!("{name}{{{}}}", labels.cloned().collect::<Vec<_>>().join(","))
        };
        self.0.iter().map(shape).collect()
    }

    /// The series of `countersign_<name>` that have these labels.
    pub fn matching<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&str, &str)],
    ) -> impl Iterator<Item = &'a Series> {
        self.0.iter().filter(move |series| {
            series.name.strip_prefix("countersign_") == Some(name)
                && labels
                    .iter()
                    .all(|(label, value)| series.labels.get(*label).is_some_and(|it| it == value))
        })
    }
}

impl Series {
    fn read(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels.strip_suffix('}').unwrap();
        // No label of ours holds a comma or a quote, which a real reader would have to expect.
        let pairs = labels.split(',').filter(|pair| !pair.is_empty()).map(|pair| {
            let (label, value) = pair.split_once('=').unwrap();
            (label.to_owned(), value.trim_matches('"').to_owned())
        });
        Self { name: name.to_owned(), labels: pairs.collect(), value: value.parse().unwrap() }
    }
}
