//! Directory buckets, S3 Express One Zone: which names and which Regions they have.
//!
//! They have no versioning, MFA delete, Object Lock or replication, so no rule speaks of them. Source: S3 user guide,
//! "Differences for directory buckets".

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Region;

/// The Regions with S3 Express One Zone, all of the partition `aws`, as of 2025; there may be more by now.
///
/// Source: S3 user guide, "S3 Express One Zone Availability Zones and Regions".
const REGIONS: [&str; 7] =
    ["ap-northeast-1", "ap-south-1", "eu-north-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2"];

/// The only partition with such Regions.
const PARTITION: &str = "aws";

/// Whether only a directory bucket can have this name.
///
/// Source: S3 user guide, "Directory bucket naming rules"; "General purpose bucket naming rules" reserve the suffix.
pub fn is_directory_bucket(name: &str) -> bool {
    name.ends_with("--x-s3")
}

/// The Regions that are asked for directory buckets: those that were chosen, else AWS's. `partition`: the second part of
/// ARNs; where nobody knows it, that of AWS's table is taken.
pub fn directory_regions(chosen: &BTreeSet<Region>, partition: Option<&str>) -> BTreeSet<Region> {
    match partition {
        _ if !chosen.is_empty() => chosen.clone(),
        Some(PARTITION) | None => REGIONS.into_iter().map(Region::new).collect(),
        Some(_) => BTreeSet::new(),
    }
}

/// Regions of an account whose directory buckets are not all known. Those that failed alike stand together, with the words of
/// the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryGap {
    pub regions: BTreeSet<Region>,
    pub reason: String,
}

impl DirectoryGap {
    pub fn sentence(&self) -> String {
        let regions = self.regions.iter().map(Region::as_str).collect::<Vec<_>>().join(", ");
        format!("the directory buckets of {regions} could not be listed: {}", self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_that_were_chosen_are_asked_and_no_other() {
        let chosen = BTreeSet::from([Region::new("eu-central-1")]);
        for partition in [None, Some("aws"), Some("aws-cn")] {
            assert_eq!(directory_regions(&chosen, partition), chosen);
        }
        let all = BTreeSet::new();
        assert_eq!(directory_regions(&all, Some("aws")).len(), REGIONS.len());
        assert_eq!(directory_regions(&all, None), directory_regions(&all, Some("aws")));
        assert!(directory_regions(&all, Some("aws-us-gov")).is_empty());
    }
}
