//! From what the user named to the manifest: the manifest itself, its `dt=` folder, the folder of the configuration, of
//! the account, `StorageLens/`, or what holds that.

use super::Problem;
use super::options::Order;
use super::source::{Source, SourceError};
use crate::storage_lens::VERSION;
use crate::storage_lens::manifest::is_date;
use crate::storage_lens::place::{COVERAGE, MANIFEST, TOP, below_version};

/// A manifest that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub manifest: String,
    /// Of so many days the latest was taken; `None` where the day was named.
    pub latest_of: Option<usize>,
}

impl Found {
    /// Where a report file with this key may stand: where the export has it, or beside the manifest. A key that leads
    /// elsewhere has no place.
    pub fn places(&self, key: &str) -> Vec<String> {
        let Some(below) = below_version(key) else { return Vec::new() };
        let day = above(&self.manifest);
        let mut places = Vec::new();
        if last(above(day)) == "manifests" {
            places.push(join(above(above(day)), below));
        }
        places.push(join(day, last(below)));
        places
    }

    /// Where `coverage.json` stands, if it does.
    pub fn coverage(&self) -> String {
        join(above(&self.manifest), COVERAGE)
    }
}

pub async fn find(source: &Source, order: &Order) -> Result<Found, Problem> {
    let name = source.name_of(order)?;
    if source.is_file(&name) {
        return Ok(Found { manifest: name, latest_of: None });
    }
    let level = level(source, &name).await?;
    let has = |folder: &str| level.folders.contains(folder);
    if level.objects.contains(MANIFEST) {
        Ok(Found { manifest: join(&name, MANIFEST), latest_of: None })
    } else if last(&name).starts_with("dt=") && last(above(&name)) == "reports" {
        let day = join(&join(above(above(&name)), "manifests"), last(&name));
        Ok(Found { manifest: join(&day, MANIFEST), latest_of: None })
    } else if has(VERSION) {
        latest(source, &join(&join(&name, VERSION), "manifests")).await
    } else if has("manifests") {
        latest(source, &join(&name, "manifests")).await
    } else if level.folders.iter().any(|folder| day_of(folder).is_some()) {
        let days = if last(&name) == "reports" { join(above(&name), "manifests") } else { name };
        latest(source, &days).await
    } else if has(TOP) {
        only(source, &join(&name, TOP), 2).await
    } else if last(&name) == TOP {
        only(source, &name, 2).await
    } else if last(above(&name)) == TOP {
        only(source, &name, 1).await
    } else {
        let what = format!("there is no export of S3 Storage Lens in {}", source.shown(&name));
        Err(Problem::new(what).with_help("name the manifest.json of an export, or what holds the folder StorageLens"))
    }
}

/// The one export below this folder, so many levels down.
async fn only(source: &Source, folder: &str, levels: usize) -> Result<Found, Problem> {
    let mut folders = vec![folder.to_owned()];
    for _ in 0..levels {
        let mut below = Vec::new();
        for folder in folders {
            let level = level(source, &folder).await?;
            below.extend(level.folders.iter().map(|name| join(&folder, name)));
        }
        folders = below;
    }
    let mut exports = Vec::new();
    for folder in folders {
        if level(source, &folder).await?.folders.contains(VERSION) {
            exports.push(folder);
        }
    }
    match exports.as_slice() {
        [export] => latest(source, &join(&join(export, VERSION), "manifests")).await,
        [] => {
            let what = format!("there is no export of version {VERSION} in {}", source.shown(folder));
            Err(Problem::new(what)
                .with_help("name the manifest.json of an export, or what holds the folder StorageLens"))
        }
        _ => {
            let names: Vec<String> = exports.iter().map(|export| source.shown(export)).collect();
            let what = format!("there are {} exports in {}: {}", names.len(), source.shown(folder), names.join(", "));
            Err(Problem::new(what)
                .with_help("name one of them: exports of several accounts or configurations are not mixed"))
        }
    }
}

async fn latest(source: &Source, days: &str) -> Result<Found, Problem> {
    let level = level(source, days).await?;
    let dates = level.folders.iter().filter(|folder| day_of(folder).is_some());
    match dates.clone().max() {
        Some(day) => Ok(Found { manifest: join(&join(days, day), MANIFEST), latest_of: Some(dates.count()) }),
        None => Err(Problem::new(format!("there is no day (dt=YYYY-MM-DD) in {}", source.shown(days)))
            .with_help("name the folder of a configuration that has exported something")),
    }
}

async fn level(source: &Source, name: &str) -> Result<crate::aws::list_objects::Level, Problem> {
    source.level(name).await.map_err(|error| {
        let problem = Problem::new(format!("failed to list {}: {error}", source.shown(name)));
        match error {
            SourceError::Aws(_) => {
                problem.with_help("s3:ListBucket on the bucket and s3:GetObject on the export are needed")
            }
            SourceError::Missing | SourceError::TooLong { .. } | SourceError::BeyondLimit | SourceError::Io(_) => {
                problem.with_help("name the manifest.json of an export, or a folder above it")
            }
        }
    })
}

/// The date in `dt=YYYY-MM-DD`.
fn day_of(folder: &str) -> Option<&str> {
    folder.strip_prefix("dt=").filter(|date| is_date(date))
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn above(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(above, _)| above)
}

fn last(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, last)| last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_file_is_looked_for_where_the_copy_has_it() {
        let found = |manifest: &str| Found { manifest: manifest.to_owned(), latest_of: None };
        let key = "prefix/StorageLens/1/x/V_1/reports/dt=2026-01-01/a.par";
        let whole = found("/copies/x/V_1/manifests/dt=2026-01-01/manifest.json");
        let beside = "/copies/x/V_1/manifests/dt=2026-01-01/a.par";
        assert_eq!(whole.places(key), ["/copies/x/V_1/reports/dt=2026-01-01/a.par", beside]);
        assert_eq!(found("/flat/manifest.json").places(key), ["/flat/a.par"]);
        assert_eq!(found("manifest.json").places(key), ["a.par"]);
        assert_eq!(whole.places("x/V_1/reports/../../../../etc/passwd"), Vec::<String>::new());
    }
}
