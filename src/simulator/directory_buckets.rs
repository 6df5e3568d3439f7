//! `ListDirectoryBuckets`: the directory buckets of one Region. Nothing else of S3 Express One Zone is simulated.
//!
//! Source: S3 API reference, `ListDirectoryBuckets`.

use std::collections::BTreeMap;

use super::fixture::{Account, DirectoryBucket, Operation};
use super::s3::{XML, error, invalid_argument, page_start, page_token};
use super::wire::{Answer, Fault, element, root};
use super::world::World;

const MAX_DIRECTORY_BUCKETS: usize = 1000;

pub(super) fn list(
    world: &World,
    account: &Account,
    region: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<Answer, Fault> {
    // For directory buckets S3 does not say what was missing.
    if account.deny.contains(&Operation::ListDirectoryBuckets) || !account.allows("s3express:ListAllMyDirectoryBuckets")
    {
        return Err(error(403, "AccessDenied"));
    }
    if let Some(failure) = world.directory_failure(account, region) {
        return Err(error(failure.status, &failure.code));
    }
    let get = |name: &str| parameters.get(name).map(String::as_str);
    let most = match get("max-directory-buckets") {
        None => MAX_DIRECTORY_BUCKETS,
        Some(text) => text.parse().ok().filter(|number| *number <= MAX_DIRECTORY_BUCKETS).ok_or_else(|| {
            let message = "Argument max-directory-buckets must be an integer between 0 and 1000";
            invalid_argument(message, "max-directory-buckets", text)
        })?,
    };
    let start = match get("continuation-token") {
        None => 0,
        Some(token) => page_start(token).ok_or_else(|| {
            invalid_argument("The continuation token provided is incorrect", "continuation-token", token)
        })?,
    };
    let buckets: Vec<&DirectoryBucket> =
        account.directory_buckets.iter().filter(|bucket| bucket.region == region).collect();
    let partition = world.organization.partition.id();
    let mut listed = String::new();
    for bucket in buckets.iter().skip(start).take(most) {
        listed.push_str("<Bucket>");
        element(&mut listed, "Name", &bucket.name);
        let arn = format!("arn:{partition}:s3express:{region}:{}:bucket/{}", account.id, bucket.name);
        element(&mut listed, "BucketArn", &arn);
        listed.push_str("</Bucket>");
    }
    let mut inner = format!("<Buckets>{listed}</Buckets>");
    if buckets.len() > start.saturating_add(most) {
        element(&mut inner, "ContinuationToken", &page_token(start + most));
    }
    Ok(Answer::ok(XML, root("ListAllMyDirectoryBucketsResult", &inner)))
}
