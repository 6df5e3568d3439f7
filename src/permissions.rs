//! The least IAM permissions for a scan, as a policy document. Which action an operation needs is known by
//! [`Operation::action`] alone.
//!
//! Not among them, although they are asked where `ListBuckets` names no Region (on AWS it always does):
//! `s3:ListBucket` for `HeadBucket`, whose header comes whatever the permissions, and `s3:GetBucketLocation`, which is
//! asked where that header is missing.
//!
//! Sources: S3 user guide, "Required permissions for Amazon S3 API operations"; Organizations and STS API references.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::{Extra, Operation};

/// Who needs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Who runs the scan of an organization: finds the accounts and assumes the role in each.
    Hub {
        /// The second part of ARNs.
        partition: String,
        /// The role in each account, maybe with a path.
        role: String,
        /// Whether the tags of accounts are read.
        tags: bool,
    },
    /// The role in each account, and whoever scans an account with credentials of its own; the hub too, where its own
    /// buckets are scanned.
    Member {
        extras: BTreeSet<Extra>,
        /// Whether directory buckets are listed.
        directory_buckets: bool,
    },
}

/// What finds the accounts of an organization. The last three are asked only where Organizations sends no paths.
pub const ORGANIZATION: [Operation; 4] = [
    Operation::ListAccounts,
    Operation::ListRoots,
    Operation::ListOrganizationalUnitsForParent,
    Operation::ListAccountsForParent,
];

/// What is asked of each account and bucket, whatever was chosen.
pub const BASIC: [Operation; 3] =
    [Operation::ListBuckets, Operation::GetBucketVersioning, Operation::GetBucketLifecycleConfiguration];

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    action: OneOrMore,
    resource: String,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum OneOrMore {
    One(&'static str),
    More(Vec<&'static str>),
}

fn actions(operations: impl IntoIterator<Item = Operation>) -> Vec<&'static str> {
    operations.into_iter().filter_map(Operation::action).collect()
}

/// The document, indented as IAM's console does it.
pub fn policy(role: &Role) -> String {
    let allow = |sid, action, resource: String| Statement { sid, effect: "Allow", action, resource };
    let statement = match role {
        Role::Hub { partition, role, tags } => vec![
            allow(
                "Hub",
                OneOrMore::More(actions(
                    ORGANIZATION.into_iter().chain(tags.then_some(Operation::ListTagsForResource)),
                )),
                "*".to_owned(),
            ),
            allow(
                "EnterAccounts",
                OneOrMore::One(Operation::AssumeRole.action().unwrap_or_default()),
                format!("arn:{partition}:iam::*:role/{role}"),
            ),
        ],
        Role::Member { extras, directory_buckets } => {
            let extras = extras.iter().map(|extra| extra.operation());
            let directories = directory_buckets.then_some(Operation::ListDirectoryBuckets);
            let operations = BASIC.into_iter().chain(extras).chain(directories);
            vec![allow("Member", OneOrMore::More(actions(operations)), "*".to_owned())]
        }
    };
    let document = Document { version: "2012-10-17", statement };
    serde_json::to_string_pretty(&document).expect("texts and lists are JSON") + "\n"
}
