use std::fmt;

use serde::{Deserialize, Serialize};

use super::names::is_region;
use super::{AccountId, Extras, Fact, LifecycleConfiguration, NotAName, Reason, Timestamp};

/// An AWS Region's name, or what another S3 server calls its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(String);

impl Region {
    /// Of a name that is known to fit: one of ours, or one that was checked.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        debug_assert!(is_region(&name), "{name:?}");
        Self(name)
    }

    pub fn parse(name: &str) -> Result<Self, NotAName> {
        if is_region(name) {
            Ok(Self(name.to_owned()))
        } else {
            Err(NotAName::new("the name of a Region (us-east-1)", name))
        }
    }

    /// From the words in which S3 names the Region of a bucket: `LocationConstraint` is empty for us-east-1 and
    /// `EU` for eu-west-1. `None` for `default`, with which servers say that they have no Regions.
    ///
    /// Source: Amazon S3 API reference, `GetBucketLocation`.
    pub fn from_location_constraint(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self::new("us-east-1")),
            "EU" => Some(Self::new("eu-west-1")),
            "default" => None,
            // What a server calls a Region goes into host names and reports.
            name => Self::parse(name).ok().filter(Self::is_plain),
        }
    }

    /// Whether it is one label of a host name.
    pub fn is_plain(&self) -> bool {
        let name = &self.0;
        let is_good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=64).contains(&name.len()) && name.bytes().all(is_good)
    }

    /// Whether both are in one partition of AWS, by their names: the addresses of each partition end differently.
    ///
    /// Source: the endpoint rules of AWS's SDKs, `partitions.json`.
    pub fn is_in_partition_of(&self, other: &Self) -> bool {
        const OTHERS: [&str; 7] = ["cn-", "us-gov-", "us-iso-", "us-isob-", "us-isof-", "eu-isoe-", "eusc-"];
        let partition = |region: &Self| OTHERS.iter().position(|start| region.0.starts_with(start));
        partition(self) == partition(other)
    }

    /// Where it could not be found out. No Region of AWS has this name.
    pub fn unknown() -> Self {
        Self::new("unknown")
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Region {
    type Error = NotAName;

    fn try_from(name: String) -> Result<Self, NotAName> {
        Self::parse(&name)
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// `Status` of a bucket's versioning. A bucket that never had versioning has no such element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Versioning {
    Never,
    Enabled,
    /// Enabled, but not for every object: a setting of `MinIO`, which S3 does not have.
    Partial(Exclusions),
    Suspended,
}

/// What versioning leaves out. It is known that there is something, but not which objects that are.
///
/// Source: `MinIO` documentation, "Bucket Versioning": `ExcludedPrefixes` and `ExcludeFolders`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusions {
    /// How many prefixes.
    pub prefixes: u32,
    /// Objects whose keys end with a slash.
    pub folders: bool,
}

/// `2 prefixes (ExcludedPrefixes) and folders (ExcludeFolders)`.
impl fmt::Display for Exclusions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefixes = match self.prefixes {
            0 => None,
            1 => Some("1 prefix (ExcludedPrefixes)".to_owned()),
            prefixes => Some(format!("{prefixes} prefixes (ExcludedPrefixes)")),
        };
        let folders = self.folders.then(|| "folders (ExcludeFolders)".to_owned());
        f.write_str(&prefixes.into_iter().chain(folders).collect::<Vec<_>>().join(" and "))
    }
}

/// `MfaDelete` of a bucket. The element comes only if MFA delete was ever configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MfaDelete {
    Never,
    Disabled,
    Enabled,
}

/// One answer of `GetBucketVersioning`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersioningState {
    pub versioning: Versioning,
    pub mfa_delete: MfaDelete,
}

impl VersioningState {
    pub fn versioning_word(&self) -> &'static str {
        match self.versioning {
            Versioning::Never => "never",
            Versioning::Enabled => "enabled",
            Versioning::Partial(_) => "partial",
            Versioning::Suspended => "suspended",
        }
    }

    pub fn mfa_delete_word(&self) -> &'static str {
        match self.mfa_delete {
            MfaDelete::Never => "never",
            MfaDelete::Disabled => "disabled",
            MfaDelete::Enabled => "enabled",
        }
    }
}

/// One answer of `GetBucketLifecycleConfiguration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    None,
    Present(LifecycleConfiguration),
}

/// What was read of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facts {
    /// It was listed and was gone when it was read: normal in S3, whose lists are eventually consistent.
    Vanished { at: Timestamp },
    /// A directory bucket that was listed. It has none of what is read of others, and is not asked for it.
    Directory { at: Timestamp },
    Read {
        versioning: Fact<VersioningState>,
        lifecycle: Fact<Lifecycle>,
        /// Nothing, unless more was asked for.
        #[serde(default, skip_serializing_if = "Extras::is_empty")]
        extras: Box<Extras>,
    },
}

/// A bucket that was listed, and what was read of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketRecord {
    pub account: AccountId,
    pub region: Region,
    pub bucket: String,
    pub facts: Facts,
}

impl Facts {
    /// Why facts are unknown, in the order in which they are read.
    pub fn reasons(&self) -> impl Iterator<Item = &Reason> {
        let (versioning, lifecycle, extras) = match self {
            Self::Vanished { .. } | Self::Directory { .. } => (None, None, None),
            Self::Read { versioning, lifecycle, extras } => (versioning.reason(), lifecycle.reason(), Some(extras)),
        };
        let two = versioning.into_iter().chain(lifecycle).map(AsRef::as_ref);
        two.chain(extras.into_iter().flat_map(|extras| extras.reasons()))
    }

    /// Whether something could be read.
    pub fn some_known(&self) -> bool {
        match self {
            Self::Vanished { .. } | Self::Directory { .. } => true,
            Self::Read { versioning, lifecycle, extras } => {
                versioning.known().is_some() || lifecycle.known().is_some() || extras.some_known()
            }
        }
    }
}

impl BucketRecord {
    /// Its Region, where something of the bucket was read in it. The list of buckets names one too, and nobody has looked
    /// there yet.
    pub fn confirmed_region(&self) -> Option<&Region> {
        match &self.facts {
            Facts::Vanished { .. } => None,
            // Each Region lists its own.
            Facts::Directory { .. } => Some(&self.region),
            facts @ Facts::Read { .. } => facts.some_known().then_some(&self.region),
        }
    }

    /// When the oldest of its facts was read: the row is true of that moment at the earliest.
    pub fn observed_at(&self) -> Timestamp {
        match &self.facts {
            Facts::Vanished { at } | Facts::Directory { at } => *at,
            Facts::Read { versioning, lifecycle, extras } => {
                extras.oldest().into_iter().fold(versioning.at.min(lifecycle.at), Timestamp::min)
            }
        }
    }

    /// Whether something could not be read.
    pub fn has_unknown(&self) -> bool {
        self.facts.reasons().next().is_some()
    }

    pub fn versioning_word(&self) -> &'static str {
        match &self.facts {
            Facts::Vanished { .. } | Facts::Directory { .. } => "not_applicable",
            Facts::Read { versioning, .. } => versioning.known().map_or("unknown", VersioningState::versioning_word),
        }
    }

    pub fn mfa_delete_word(&self) -> &'static str {
        match &self.facts {
            Facts::Vanished { .. } | Facts::Directory { .. } => "not_applicable",
            Facts::Read { versioning, .. } => versioning.known().map_or("unknown", VersioningState::mfa_delete_word),
        }
    }

    pub fn lifecycle_word(&self) -> &'static str {
        match &self.facts {
            Facts::Vanished { .. } | Facts::Directory { .. } => "not_applicable",
            Facts::Read { lifecycle, .. } => match lifecycle.known() {
                None => "unknown",
                Some(Lifecycle::None) => "none",
                Some(Lifecycle::Present(_)) => "present",
            },
        }
    }

    /// How many lifecycle rules it has, disabled ones included; `None` when that is unknown, the bucket is gone or nobody
    /// asked, because it is a directory bucket.
    pub fn lifecycle_rules(&self) -> Option<usize> {
        match &self.facts {
            Facts::Vanished { .. } | Facts::Directory { .. } => None,
            Facts::Read { lifecycle, .. } => lifecycle.known().map(|lifecycle| match lifecycle {
                Lifecycle::None => 0,
                Lifecycle::Present(configuration) => configuration.rules.len(),
            }),
        }
    }

    /// Why facts are unknown, a sentence each; `vanished` for a bucket that is gone, `directory_bucket` for one of which
    /// nothing is read. Equal ones once.
    pub fn unknown_reasons(&self) -> Vec<String> {
        match &self.facts {
            Facts::Vanished { .. } => vec!["vanished".to_owned()],
            Facts::Directory { .. } => vec!["directory_bucket".to_owned()],
            facts @ Facts::Read { .. } => {
                let mut reasons: Vec<String> =
                    facts.reasons().map(|reason| reason.to_string().replace(';', ",")).collect();
                reasons.dedup();
                reasons
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_in_one_partition_by_their_names() {
        let is_one = |one: &str, other: &str| Region::new(one).is_in_partition_of(&Region::new(other));
        assert!(
            is_one("us-east-1", "eu-west-1") && is_one("us-east-1", "mx-central-1") && is_one("cn-north-1", "cn-x-9")
        );
        for other in
            ["cn-north-1", "us-gov-east-1", "us-iso-east-1", "us-isob-east-1", "us-isof-south-1", "eusc-de-east-1"]
        {
            assert!(!is_one("us-east-1", other) && !is_one(other, "us-east-1") && is_one(other, other), "{other}");
        }
        assert!(!is_one("us-iso-east-1", "us-isob-east-1"));
    }

    #[test]
    fn location_constraints_are_read_as_s3_writes_them() {
        let region = |text| Region::from_location_constraint(text).map(|region| region.to_string());
        assert_eq!(region("").as_deref(), Some("us-east-1"));
        assert_eq!(region("EU").as_deref(), Some("eu-west-1"));
        assert_eq!(region("eu-central-1").as_deref(), Some("eu-central-1"));
        assert_eq!(region("default"), None);
        assert_eq!(region("evil.example#"), None);
    }
}
