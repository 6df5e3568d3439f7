use std::fmt;

/// What a control leaves open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hole {
    // Object Lock.
    OnlyNewObjects,
    OwnRetention,
    RetentionEnds {
        days: u32,
    },
    HoldEnds {
        days: u32,
    },
    GovernanceBypass,

    // Replication.
    PartOfObjects {
        /// For which objects the rules are.
        scopes: String,
    },
    DeleteMarkersTravel,
    KmsObjectsLeftOut,
    CopyUnseen,

    // Versions.
    VersionsExpire {
        days: u32,
        by: String,
    },
    VersionsMayExpire,
    NoneKept,
    VersionsDeletable,

    // The bucket policy, in its own words.
    Policy(String),
}

impl Hole {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::OnlyNewObjects => "only_new_objects",
            Self::OwnRetention => "own_retention",
            Self::RetentionEnds { .. } => "retention_ends",
            Self::HoldEnds { .. } => "hold_ends",
            Self::GovernanceBypass => "governance_bypass",
            Self::PartOfObjects { .. } => "part_of_objects",
            Self::DeleteMarkersTravel => "delete_markers_travel",
            Self::KmsObjectsLeftOut => "kms_objects_left_out",
            Self::CopyUnseen => "copy_unseen",
            Self::VersionsExpire { .. } => "versions_expire",
            Self::VersionsMayExpire => "versions_may_expire",
            Self::NoneKept => "none_kept",
            Self::VersionsDeletable => "versions_deletable",
            Self::Policy(_) => "policy",
        }
    }
}

/// A sentence without its full stop.
impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnlyNewObjects => f.write_str("objects that are older than the default retention are not locked by it"),
            Self::OwnRetention => f.write_str("an upload that names its own retention gets that one"),
            Self::RetentionEnds { days } => write!(f, "{} after its upload a version can be deleted", days_of(*days)),
            Self::HoldEnds { days } => write!(
                f,
                "{} after its event hold is released a version can be deleted, and who may release holds is not seen here",
                days_of(*days)
            ),
            Self::GovernanceBypass => {
                f.write_str(
                    "who has s3:BypassGovernanceRetention deletes all the same, with a header, where no policy denies it",
                )
            }
            Self::PartOfObjects { scopes } => write!(f, "only {scopes}"),
            Self::DeleteMarkersTravel => {
                f.write_str("delete markers travel: what is deleted here is hidden there, too, and its versions stay")
            }
            Self::KmsObjectsLeftOut => f.write_str("objects that are encrypted with SSE-KMS are not copied"),
            Self::CopyUnseen => f.write_str(
                "whether every version was copied, and what the other account does with the copies, is not seen from here",
            ),
            Self::VersionsExpire { days, by } => {
                write!(f, "a version can be gone {} after it became noncurrent, by {by}", days_of(*days))
            }
            Self::VersionsMayExpire => f.write_str("whether a lifecycle rule ends noncurrent versions is not known"),
            Self::NoneKept => f.write_str("no number of versions is kept beyond that (NewerNoncurrentVersions)"),
            Self::VersionsDeletable => f.write_str("who has s3:DeleteObjectVersion deletes versions at once"),
            Self::Policy(sentence) => f.write_str(sentence),
        }
    }
}

pub(super) fn days_of(days: u32) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}
