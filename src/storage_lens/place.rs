//! Where the files of an export stand.
//!
//! `<prefix>/StorageLens/<account>/<configuration>/V_1/reports/dt=<date>/<uuid>.csv` (or `.par`), with the manifest in
//! `.../V_1/manifests/dt=<date>/manifest.json`.

use super::{ReportFormat, VERSION};
use crate::model::{AccountId, Run};

/// The folder under which all exports stand.
pub const TOP: &str = "StorageLens";
pub const MANIFEST: &str = "manifest.json";
/// Ours: what the export does not say, and why.
pub const COVERAGE: &str = "coverage.json";

/// An export of ours: what every row of it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    pub format: ReportFormat,
    /// `None` where nobody knows whose credentials were used, and no account was read.
    pub account: Option<AccountId>,
    /// `YYYY-MM-DD`: the day on which the run began, in UTC.
    pub date: String,
    /// The run's id, which is a UUID: the same run gives the same names.
    id: String,
}

impl Export {
    /// `first`: see [`source`].
    pub fn of(format: ReportFormat, run: &Run, first: Option<&AccountId>) -> Self {
        Self { format, account: source(run, first), date: date_of(run), id: run.id.clone() }
    }

    /// The source account, as manifest and paths name it.
    pub fn account(&self) -> &str {
        name_of(self.account.as_ref())
    }

    pub fn report(&self) -> String {
        format!("{}/reports/dt={}/{}.{}", self.root(), self.date, self.id, self.format.extension())
    }

    pub fn manifest(&self) -> String {
        format!("{}/manifests/dt={}/{MANIFEST}", self.root(), self.date)
    }

    pub fn coverage(&self) -> String {
        format!("{}/manifests/dt={}/{COVERAGE}", self.root(), self.date)
    }

    fn root(&self) -> String {
        format!("{TOP}/{}/{}/{VERSION}", self.account(), self.format.config_id())
    }
}

/// The account that stands for the owner of the configuration: that of the credentials or, where it is not known, as with
/// several profiles or on servers without STS, `first`: the first that was found, in the order of ids.
pub fn source(run: &Run, first: Option<&AccountId>) -> Option<AccountId> {
    let caller = run.caller_arn.as_deref().and_then(|arn| arn.split(':').nth(4));
    let caller = caller.and_then(|account| AccountId::parse(account).ok());
    caller.or_else(|| first.cloned())
}

/// How manifest, paths and coverage name it.
pub fn name_of(source: Option<&AccountId>) -> &str {
    source.map_or("unknown", AccountId::as_str)
}

/// `YYYY-MM-DD`.
pub fn date_of(run: &Run) -> String {
    let date = run.start.date();
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

/// Whether a file of this name below the output folder is one that we may have written.
pub fn is_ours(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let [TOP, _, config, VERSION, kind, date, file] = parts.as_slice() else { return false };
    let ours = ReportFormat::ALL.into_iter().find(|format| format.config_id() == *config);
    let named = match (*kind, ours) {
        ("manifests", Some(_)) => [MANIFEST, COVERAGE].contains(file),
        ("reports", Some(format)) => file.ends_with(&format!(".{}", format.extension())),
        (_, _) => false,
    };
    named && date.starts_with("dt=") && !parts.iter().any(|part| part.is_empty() || part.starts_with('.'))
}

/// The part of a key that is the same wherever a copy of the export stands: from `reports/` on. `None` for a key that is
/// no report of this version, or that would lead out of its folder.
pub fn below_version(key: &str) -> Option<&str> {
    let (_, below) = key.rsplit_once(&format!("/{VERSION}/")).unwrap_or(("", key));
    let good = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0', ':']);
    let mut parts = below.split('/');
    let is_report = parts.next() == Some("reports") && parts.clone().count() == 2;
    (is_report && parts.all(good)).then_some(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_we_write_are_ours() {
        for ours in [
            "StorageLens/111111111111/bucketlens-csv/V_1/reports/dt=2026-01-01/0193.csv",
            "StorageLens/unknown/bucketlens-parquet/V_1/reports/dt=2026-01-01/0193.par",
            "StorageLens/111111111111/bucketlens-csv/V_1/manifests/dt=2026-01-01/manifest.json",
            "StorageLens/111111111111/bucketlens-csv/V_1/manifests/dt=2026-01-01/coverage.json",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in [
            "buckets.csv",
            "StorageLens/111111111111/dashboard/V_1/reports/dt=2026-01-01/0193.csv",
            "StorageLens/111111111111/bucketlens-csv/V_1/reports/dt=2026-01-01/0193.par",
            "StorageLens/111111111111/bucketlens-csv/V_1/reports/../../../../x.csv",
            "StorageLens/../bucketlens-csv/V_1/reports/dt=2026-01-01/0193.csv",
            "/StorageLens/1/bucketlens-csv/V_1/reports/dt=2026-01-01/0193.csv",
            "StorageLens//bucketlens-csv/V_1/manifests/dt=2026-01-01/manifest.json",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }

    #[test]
    fn a_key_never_leads_out_of_its_folder() {
        let below = "reports/dt=2026-01-01/a.csv";
        assert_eq!(below_version(&format!("a/prefix/StorageLens/1/x/V_1/{below}")), Some(below));
        assert_eq!(below_version(below), Some(below));
        for key in [
            "StorageLens/1/x/V_1/reports/../../../etc/passwd",
            "StorageLens/1/x/V_1/reports/dt=1/..",
            "StorageLens/1/x/V_2/reports/dt=1/a.csv",
            "StorageLens/1/x/V_1/reports/dt=1/",
            "/etc/passwd",
            "",
        ] {
            assert_eq!(below_version(key), None, "{key}");
        }
    }
}
