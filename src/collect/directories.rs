//! Directory buckets, where they were asked for: each is a row, and nothing is asked about it. The Regions are asked at
//! once, and one that gives no whole list is a gap of the account: what it did not name may be there. The account's other
//! buckets are known without it.
//!
//! A run that goes on lists them again with every account that it enters, so no Region is taken for whole that was not.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use futures::{StreamExt, stream};

use super::{Context, FLUSH_EVERY};
use crate::aws::failure::Failure;
use crate::aws::list_buckets::Listed;
use crate::aws::list_directory_buckets;
use crate::aws::session::Session;
use crate::inventory::{InventoryError, Segment};
use crate::model::{
    AccountId, BucketRecord, DirectoryGap, ErrorClass, Facts, Operation, Outcome, Reason, Region, Timestamp,
};

/// The Regions whose directory buckets are not all known, and why.
pub(super) struct Lacks(BTreeMap<Region, Arc<Reason>>);

impl Lacks {
    /// Whether the run was told to stop before every list was read.
    pub fn is_cut(&self) -> bool {
        self.0.values().any(|reason| reason.class == ErrorClass::Interrupted)
    }

    /// Regions that failed alike are named together, with the words of the first.
    pub fn gaps(&self) -> Vec<DirectoryGap> {
        let kind = |reason: &Reason| (reason.class, reason.code.clone(), reason.http_status);
        let mut alike: Vec<(&Reason, BTreeSet<Region>)> = Vec::new();
        for (region, reason) in &self.0 {
            match alike.iter_mut().find(|(first, _)| kind(first) == kind(reason)) {
                Some((_, regions)) => {
                    regions.insert(region.clone());
                }
                None => alike.push((reason, BTreeSet::from([region.clone()]))),
            }
        }
        let gaps = alike.into_iter().map(|(reason, regions)| {
            // S3 does not say so itself where directory buckets are concerned.
            let needs = reason.needs().map(|action| format!(", needs {action}")).unwrap_or_default();
            DirectoryGap { regions, reason: reason.sentence() + &needs }
        });
        gaps.collect()
    }
}

/// What is not known where these Regions were not asked, because the account's other buckets could not be listed.
pub(super) fn not_asked(regions: &BTreeSet<Region>, listing: &Outcome) -> Vec<DirectoryGap> {
    match listing {
        Outcome::Incomplete(why) if !regions.is_empty() => {
            vec![DirectoryGap { regions: regions.clone(), reason: why.clone() }]
        }
        Outcome::Complete | Outcome::Incomplete(_) | Outcome::Failed(_) | Outcome::Skipped(_) => Vec::new(),
    }
}

/// What comes of a Region.
enum Step<'a> {
    Page(Vec<Listed>),
    Failed(&'a Region, Failure),
    Whole(&'a Region),
}

/// Writes a row for each, and returns what is lacking. `named`: buckets of other kinds with such names, which keep their rows.
pub(super) async fn list(
    context: &Context,
    session: &Session,
    account: &AccountId,
    segment: &mut Segment,
    mut named: HashSet<String>,
) -> Result<Lacks, InventoryError> {
    let regions = &context.asked.directories;
    let lists = regions.iter().map(|region| {
        // Nothing follows a failure.
        let pages = list_directory_buckets::list(session, region).map(Some).chain(stream::iter([None]));
        let steps = pages.scan(false, move |failed, page| {
            let step = match page {
                Some(Ok(listed)) => Some(Step::Page(listed)),
                Some(Err(failure)) => {
                    *failed = true;
                    Some(Step::Failed(region, failure))
                }
                None => (!*failed).then_some(Step::Whole(region)),
            };
            futures::future::ready(step)
        });
        Box::pin(steps)
    });
    let mut steps = std::pin::pin!(stream::select_all(lists).take_until(context.stop.asked()));
    // Until its list comes to its end, something cut it.
    let cut = Arc::new(Reason::interrupted(Operation::ListDirectoryBuckets));
    let mut lacks = Lacks(regions.iter().map(|region| (region.clone(), Arc::clone(&cut))).collect());
    loop {
        match tokio::time::timeout(FLUSH_EVERY, steps.next()).await {
            Err(_) => segment.flush()?,
            Ok(None) => break,
            Ok(Some(Step::Page(listed))) => {
                for bucket in listed {
                    // A server that has no Regions may name it in each.
                    if named.insert(bucket.name.clone()) {
                        write(context, account, segment, bucket)?;
                    }
                }
            }
            Ok(Some(Step::Failed(region, failure))) => {
                lacks.0.insert(region.clone(), failure.reason);
            }
            Ok(Some(Step::Whole(region))) => {
                lacks.0.remove(region);
            }
        }
    }
    // What an earlier part of the run saw too long ago is in no row, as if it had never been listed.
    let gone = segment.earlier().directories_again().filter(|(name, region)| {
        !lacks.is_cut() && !lacks.0.contains_key(*region) && regions.contains(*region) && !named.contains(*name)
    });
    let gone: Vec<String> = gone.map(|(name, _)| name.to_owned()).collect();
    gone.into_iter().try_for_each(|bucket| segment.out_of_scope(bucket))?;
    segment.flush()?;
    Ok(lacks)
}

fn write(context: &Context, account: &AccountId, segment: &mut Segment, listed: Listed) -> Result<(), InventoryError> {
    let Listed { name: bucket, region } = listed;
    let region = region.unwrap_or_else(Region::unknown);
    let filters = &context.asked.filters;
    let earlier = segment.earlier();
    let is_known = earlier.has(&bucket);
    let is_other = is_known && !earlier.is_directory(&bucket);
    if is_other || !filters.bucket(&bucket) || !filters.region(&region) {
        return Ok(());
    }
    if !is_known {
        context.progress.buckets_found(1);
        context.progress.bucket_done();
    }
    let facts = Facts::Directory { at: Timestamp::now() };
    segment.bucket(BucketRecord { account: account.clone(), region, bucket, facts })
}
