use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::lifecycle::{Configuration, MinimumSize};

/// The rules of a bucket, in the order in which S3 returned them. Its existence alone, whatever the rules say, keeps
/// MFA delete from being enabled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleConfiguration {
    /// Read with tolerance: enough to count them and to name them.
    pub rules: Vec<LifecycleRule>,
    pub reading: Reading,
    /// `None` where the server does not state it, as in inventories from before this was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_size: Option<MinimumSize>,
}

/// The same configuration for the analyser, which guesses nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    Read(Configuration),
    /// It holds something that the analyser does not know, such as another server's storage class: what its rules do
    /// together is unknown.
    Unreadable {
        /// What S3 would answer to it, where that is known.
        code: Option<String>,
        /// Where and what, as a fragment that fits after a colon.
        why: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleRule {
    /// Its ID, or `#N` by position from 1 where it has none.
    pub id: String,
    pub status: RuleStatus,
    /// The kinds of action it has, each once, however often it stands there.
    pub actions: BTreeSet<ActionKind>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleStatus {
    Enabled,
    Disabled,
    /// A word that S3 does not document; other servers may send one.
    Other(String),
}

/// Kinds of lifecycle action, as Storage Lens counts them.
///
/// Source: S3 user guide, "Lifecycle configuration elements", and "Amazon S3 Storage Lens metrics glossary".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    Transition,
    /// Expiration by `Days` or `Date`.
    Expiration,
    NoncurrentVersionTransition,
    NoncurrentVersionExpiration,
    AbortIncompleteMultipartUpload,
    /// `ExpiredObjectDeleteMarker` set to true; set to false it does nothing and is no action.
    ExpiredObjectDeleteMarker,
}

impl LifecycleRule {
    /// Whether the rule acts and has this kind of action.
    pub fn enabled_with(&self, kind: ActionKind) -> bool {
        self.status == RuleStatus::Enabled && self.actions.contains(&kind)
    }
}
