//! The actions that matter.

use std::fmt;

/// What somebody does to a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    DeleteVersions,
    DeleteObjects,
    ChangeVersioning,
    ChangeLifecycle,
    ChangePolicy,
    /// Any action of S3, on the bucket and on its objects.
    Everything,
}

impl Group {
    pub const ALL: [Self; 6] = [
        Self::DeleteVersions,
        Self::DeleteObjects,
        Self::ChangeVersioning,
        Self::ChangeLifecycle,
        Self::ChangePolicy,
        Self::Everything,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::DeleteVersions => "delete_versions",
            Self::DeleteObjects => "delete_objects",
            Self::ChangeVersioning => "change_versioning",
            Self::ChangeLifecycle => "change_lifecycle",
            Self::ChangePolicy => "change_policy",
            Self::Everything => "everything",
        }
    }

    /// IAM's names; of `Everything` there is no list.
    pub fn actions(self) -> &'static [&'static str] {
        match self {
            Self::DeleteVersions => &["s3:DeleteObjectVersion"],
            Self::DeleteObjects => &["s3:DeleteObject"],
            Self::ChangeVersioning => &["s3:PutBucketVersioning"],
            // It is for deleting the configuration, too.
            Self::ChangeLifecycle => &["s3:PutLifecycleConfiguration"],
            Self::ChangePolicy => &["s3:PutBucketPolicy", "s3:DeleteBucketPolicy"],
            Self::Everything => &[],
        }
    }

    /// Whether objects are acted on, and not the bucket.
    pub(super) fn is_of_objects(self) -> bool {
        matches!(self, Self::DeleteVersions | Self::DeleteObjects)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
