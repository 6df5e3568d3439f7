//! Directory buckets, where they were asked for: each is a row, and nothing is asked about it. The Regions are asked at
//! once, and one that gives no whole list makes the account incomplete: what it did not name may be there.
//!
//! A run that goes on lists them again with every account that it enters, so no Region is taken for whole that was not.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures::{StreamExt, stream};

use super::{Context, FLUSH_EVERY};
use crate::aws::failure::Failure;
use crate::aws::list_buckets::Listed;
use crate::aws::list_directory_buckets;
use crate::aws::session::Session;
use crate::inventory::{InventoryError, Segment};
use crate::model::{AccountId, BucketRecord, ErrorClass, Facts, Outcome, Region, Timestamp};

/// The Regions whose directory buckets are not all known, and why.
#[derive(Default)]
pub(super) struct Lacks(BTreeMap<Region, Failure>);

impl Lacks {
    /// What came of an account, with what is lacking.
    pub fn added_to(&self, outcome: Outcome) -> Outcome {
        match outcome {
            outcome if self.0.is_empty() => outcome,
            Outcome::Complete => Outcome::Incomplete(self.sentence()),
            Outcome::Incomplete(reason) => Outcome::Incomplete(format!("{reason}; {}", self.sentence())),
            outcome @ (Outcome::Failed(_) | Outcome::Skipped(_)) => outcome,
        }
    }

    /// Regions that failed alike are named together, with the words of the first.
    fn sentence(&self) -> String {
        let mut alike: Vec<(&Failure, Vec<&str>)> = Vec::new();
        for (region, failure) in &self.0 {
            let kind = |failure: &Failure| {
                let reason = &failure.reason;
                (reason.class, reason.code.clone(), reason.http_status)
            };
            match alike.iter_mut().find(|(first, _)| kind(first) == kind(failure)) {
                Some((_, regions)) => regions.push(region.as_str()),
                None => alike.push((failure, vec![region.as_str()])),
            }
        }
        let sentences = alike.into_iter().map(|(failure, regions)| {
            let (reason, regions) = (&failure.reason, regions.join(", "));
            // S3 does not say so itself where directory buckets are concerned.
            let needs = reason.operation.action().filter(|_| reason.class == ErrorClass::Denied);
            let needs = needs.map(|action| format!(", needs {action}")).unwrap_or_default();
            format!("the directory buckets of {regions} could not be listed: {}{needs}", reason.sentence())
        });
        sentences.collect::<Vec<_>>().join("; ")
    }
}

/// What comes of a Region.
enum Step<'a> {
    Page(Vec<Listed>),
    Failed(&'a Region, Failure),
    Whole(&'a Region),
}

/// Writes a row for each. Returns whether the run was told to stop before every list was read. `named`: buckets of other
/// kinds with such names, which keep their rows.
pub(super) async fn list(
    context: &Context,
    session: &Session,
    account: &AccountId,
    segment: &mut Segment,
    mut named: HashSet<String>,
    lacks: &mut Lacks,
) -> Result<bool, InventoryError> {
    let regions = &context.asked.directories;
    let lists = regions.iter().map(|region| {
        let pages = list_directory_buckets::list(session, region).map(move |page| match page {
            Ok(listed) => Step::Page(listed),
            Err(failure) => Step::Failed(region, failure),
        });
        Box::pin(pages.chain(stream::iter([Step::Whole(region)])))
    });
    let mut steps = std::pin::pin!(stream::select_all(lists).take_until(context.stop.asked()));
    let mut ended = BTreeSet::new();
    let mut cut = false;
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
            Ok(Some(Step::Failed(_, failure))) if failure.reason.class == ErrorClass::Interrupted => cut = true,
            Ok(Some(Step::Failed(region, failure))) => {
                lacks.0.insert(region.clone(), failure);
            }
            Ok(Some(Step::Whole(region))) => {
                ended.insert(region);
            }
        }
    }
    cut |= ended.len() < regions.len();
    // What an earlier part of the run saw too long ago is in no row, as if it had never been listed.
    let gone = segment.earlier().directories_again().filter(|(name, region)| {
        !cut && ended.contains(region) && !lacks.0.contains_key(*region) && !named.contains(*name)
    });
    let gone: Vec<String> = gone.map(|(name, _)| name.to_owned()).collect();
    gone.into_iter().try_for_each(|bucket| segment.out_of_scope(bucket))?;
    segment.flush()?;
    Ok(cut)
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
