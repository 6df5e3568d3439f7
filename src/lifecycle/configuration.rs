//! A lifecycle configuration as the analyser sees it. Source: S3 user guide, "Lifecycle configuration elements".

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::Date;

// In records a date is the text `2031-01-01`.
time::serde::format_description!(day, Date, "[year]-[month]-[day]");

/// The rules of a bucket, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Configuration {
    pub rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rule {
    /// Its ID, or `#N` by position from 1 where it has none.
    pub id: String,
    pub enabled: bool,
    #[serde(default, skip_serializing_if = "Filter::is_default")]
    pub filter: Filter,
    /// In the order of the elements; the same element may stand there several times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
}

/// Which objects a rule is for: all of its parts must match.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// The start of the key; empty for every key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// Key and value must both be equal; further tags of the object do not matter.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Bytes, exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_greater_than: Option<u64>,
    /// Bytes, exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_less_than: Option<u64>,
}

impl Filter {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub fn matches_size(&self, bytes: u64) -> bool {
        self.size_greater_than.is_none_or(|bound| bytes > bound)
            && self.size_less_than.is_none_or(|bound| bytes < bound)
    }

    /// S3's limit for the tags of an object.
    pub const MOST_TAGS: usize = 10;

    /// Whether it asks for more tags than an object can have.
    pub fn has_too_many_tags(&self) -> bool {
        self.tags.len() > Self::MOST_TAGS
    }

    pub fn has_size(&self) -> bool {
        self.size_greater_than.or(self.size_less_than).is_some()
    }

    /// Whether no object has a size that it matches.
    pub fn is_empty_interval(&self) -> bool {
        let smallest = self.size_greater_than.map_or(Some(0), |bound| bound.checked_add(1));
        !smallest.is_some_and(|bytes| self.matches_size(bytes))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Expiration(When),
    /// `false` does nothing.
    ExpiredObjectDeleteMarker(bool),
    Transition {
        when: When,
        to: StorageClass,
    },
    /// Days since the version became noncurrent, and how many newer noncurrent versions are kept (0 where absent).
    NoncurrentVersionExpiration {
        days: u32,
        #[serde(default, skip_serializing_if = "is_zero")]
        newer: u32,
    },
    NoncurrentVersionTransition {
        days: u32,
        #[serde(default, skip_serializing_if = "is_zero")]
        newer: u32,
        to: StorageClass,
    },
    /// Days since the upload began.
    AbortIncompleteMultipartUpload {
        days: u32,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Days since the object was created.
    Days(u32),
    Date(#[serde(with = "day")] Date),
}

impl When {
    /// Days of age from which the action is eligible; a date that has come counts as 0. `None` for a date that is yet
    /// to come.
    pub fn days(self, today: Date) -> Option<u32> {
        match self {
            Self::Days(days) => Some(days),
            Self::Date(date) => (date <= today).then_some(0),
        }
    }
}

/// Which objects S3 leaves out of transitions where a rule's filter has no size of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MinimumSize {
    /// Objects below 128 KB move to no class. S3's default since September 2024.
    #[serde(rename = "all_storage_classes_128K")]
    AllStorageClasses128K,
    /// Objects below 128 KB move to GLACIER and `DEEP_ARCHIVE` only.
    #[serde(rename = "varies_by_storage_class")]
    VariesByStorageClass,
}

impl MinimumSize {
    pub const ALL: [Self; 2] = [Self::AllStorageClasses128K, Self::VariesByStorageClass];

    /// S3's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllStorageClasses128K => "all_storage_classes_128K",
            Self::VariesByStorageClass => "varies_by_storage_class",
        }
    }

    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.as_str() == word)
    }

    /// Whether objects below 128 KB stay where they are.
    pub fn leaves_small_objects(self, to: StorageClass) -> bool {
        match self {
            Self::AllStorageClasses128K => true,
            Self::VariesByStorageClass => !matches!(to, StorageClass::Glacier | StorageClass::DeepArchive),
        }
    }
}

/// What versioning makes of deletions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Versions {
    /// Never configured.
    Unversioned,
    Enabled,
    Suspended,
}

/// From dear to cheap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StorageClass {
    Standard,
    StandardIa,
    IntelligentTiering,
    OnezoneIa,
    GlacierIr,
    Glacier,
    DeepArchive,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no storage class that a lifecycle rule can move objects to")]
pub struct UnknownStorageClass(pub String);

impl StorageClass {
    pub const ALL: [Self; 7] = [
        Self::Standard,
        Self::StandardIa,
        Self::IntelligentTiering,
        Self::OnezoneIa,
        Self::GlacierIr,
        Self::Glacier,
        Self::DeepArchive,
    ];

    /// S3's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::StandardIa => "STANDARD_IA",
            Self::IntelligentTiering => "INTELLIGENT_TIERING",
            Self::OnezoneIa => "ONEZONE_IA",
            Self::GlacierIr => "GLACIER_IR",
            Self::Glacier => "GLACIER",
            Self::DeepArchive => "DEEP_ARCHIVE",
        }
    }
}

impl fmt::Display for StorageClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Nothing moves to STANDARD.
impl FromStr for StorageClass {
    type Err = UnknownStorageClass;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let classes = Self::ALL.into_iter().filter(|class| *class != Self::Standard);
        classes.into_iter().find(|class| class.as_str() == name).ok_or_else(|| UnknownStorageClass(name.to_owned()))
    }
}
