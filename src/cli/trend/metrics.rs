//! `--metric` of `trend`: what it names has to be counted.

use super::Problem;
use crate::aggregate;
use crate::config::MetricGroup;
use crate::trend::{Day, Wanted, has, listed};

/// Whether there is such a metric at all.
pub fn check_names(wanted: &Wanted) -> Result<(), Problem> {
    let Some(unknown) = wanted.metrics.iter().find(|name| !aggregate::metrics().any(|metric| metric == *name)) else {
        return Ok(());
    };
    let known = aggregate::metrics().collect::<Vec<_>>().join(", ");
    Err(Problem::new(format!("--metric: there is no metric {unknown:?}; there are {known}")))
}

/// Whether each metric was read on one of the days; where only some have it, a remark says which have not.
pub fn check(days: &[Day], wanted: &Wanted) -> Result<Vec<String>, Problem> {
    let mut remarks = Vec::new();
    for metric in &wanted.metrics {
        let without: Vec<String> =
            days.iter().filter(|day| !has(&day.source, metric)).map(|day| day.date.to_string()).collect();
        if without.len() == days.len() {
            return Err(nobody(metric));
        }
        if !without.is_empty() {
            remarks.push(format!("{metric} was not read on {}{}", listed(without, ", "), with(metric)));
        }
    }
    Ok(remarks)
}

fn nobody(metric: &str) -> Problem {
    Problem::new(format!("--metric: no run of these days has read {metric}{}", with(metric)))
        .with_help("name another metric, or follow runs that read this one")
}

/// How a scan is told to read it.
fn with(metric: &str) -> String {
    let asks = aggregate::asks(metric);
    let groups = MetricGroup::ALL.into_iter().filter(|group| asks.contains(&group.extra()));
    let groups: Vec<&str> = groups.map(MetricGroup::as_str).collect();
    if groups.is_empty() { String::new() } else { format!(": scan --metrics {} reads it", groups.join(",")) }
}
