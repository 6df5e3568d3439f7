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
        Self { format, account: source(run, first), date: date_of(run), id: run.id.to_string() }
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

/// Whose export it is. Paths of an organization-level dashboard have the organization's id, where others have an
/// account's. AWS does not document which of them `sourceAccountId` in its manifest has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    Account(AccountId),
    Organization(String),
}

impl Owner {
    /// Source of the form of an organization's id: AWS Organizations API reference, `Organization`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_organization = |rest: &str| {
            let letters = rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            letters && (10..=32).contains(&rest.len())
        };
        match text.strip_prefix("o-") {
            Some(rest) => is_organization(rest).then(|| Self::Organization(text.to_owned())),
            None => AccountId::parse(text).ok().map(Self::Account),
        }
    }

    pub fn organization(self) -> Option<String> {
        match self {
            Self::Account(_) => None,
            Self::Organization(id) => Some(id),
        }
    }

    /// Whether a path with this owner may belong to a manifest with this `sourceAccountId`.
    pub fn may_be_one(path: &str, source: &str) -> bool {
        path == source
            || match (Self::parse(path), Self::parse(source)) {
                (Some(Self::Organization(_)), Some(Self::Account(_)))
                | (Some(Self::Account(_)), Some(Self::Organization(_))) => true,
                (Some(Self::Account(_)), Some(Self::Account(_)))
                | (Some(Self::Organization(_)), Some(Self::Organization(_)))
                | (None, _)
                | (_, None) => false,
            }
    }
}

/// The account that stands for the owner of the configuration: that of the credentials or, where it is not known, as with
/// several profiles or on servers without STS, `first`: the first that was found, in the order of ids.
pub fn source(run: &Run, first: Option<&AccountId>) -> Option<AccountId> {
    let caller = run.caller_arn.as_ref().and_then(|arn| AccountId::parse(arn.account()).ok());
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
    fn an_owner_is_an_account_or_an_organization() {
        let (account, other) = ("111122223333", "444455556666");
        let (organization, another) = ("o-exampleorgid", "o-ex4mplec0rp");
        assert!(Owner::parse(organization).is_some() && Owner::parse(account).is_some());
        for none in ["o-", "o-short", "o-EXAMPLEORGID", "o-exampleorgid/x", "ou-exampleorgid", "11112222333", ""] {
            assert_eq!(Owner::parse(none), None, "{none}");
        }
        for (path, source) in [(account, account), (organization, organization), (organization, account)] {
            assert!(Owner::may_be_one(path, source), "{path} {source}");
        }
        for (path, source) in [(account, other), (organization, another), ("o-short", account), (account, "")] {
            assert!(!Owner::may_be_one(path, source), "{path} {source}");
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
