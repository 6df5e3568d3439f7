//! `storage-lens read`: the buckets with MFA delete enabled, by account and Region.

use std::io;

use super::options::Order;
use super::show::{Head, Page, Shown};
use super::{Export, disk, must_have, take};
use crate::aws::http::Network;
use crate::cli::Problem;
use crate::dataset::storage_lens::sorted;
use crate::exit::Exit;
use crate::storage_lens::Metric;

/// Buckets, by what the export says of MFA delete. It does not tell disabled from never configured.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub enabled: u64,
    pub not_enabled: u64,
    /// It has no row of the metric for the bucket, or contradicts itself.
    pub unknown: u64,
}

pub async fn run(order: &Order, network: &Network) -> Result<Exit, Problem> {
    let export = take(order, network, &[Metric::MfaDeleteEnabled], sorted::Order::Region).await?;
    must_have(&export, Metric::MfaDeleteEnabled)?;
    let tally = tally(&export).map_err(|error| disk(&error))?;
    let head = Head::of(&export, order);
    let mut page = Page::new(order.format);
    let printed = print(&mut page, &head, tally, &export);
    printed.map_err(|error| Problem::new(format!("failed to print the buckets: {error}")))?;
    Ok(if head.partial || tally.unknown > 0 { Exit::Unknown } else { Exit::Ok })
}

fn enabled(values: &[Option<u64>; Metric::COUNT]) -> Option<bool> {
    values[Metric::MfaDeleteEnabled.index()].map(|value| value > 0)
}

fn tally(export: &Export) -> io::Result<Tally> {
    let mut tally = Tally::default();
    for said in export.taken.buckets.buckets()? {
        match enabled(&said?.values) {
            Some(true) => tally.enabled += 1,
            Some(false) => tally.not_enabled += 1,
            None => tally.unknown += 1,
        }
    }
    Ok(tally)
}

fn print(page: &mut Page, head: &Head, tally: Tally, export: &Export) -> io::Result<()> {
    page.begin_read(head, tally)?;
    for said in export.taken.buckets.buckets()? {
        let said = said?;
        if enabled(&said.values) == Some(true) {
            page.bucket(head, &Shown { account: &said.account, region: &said.region, bucket: &said.bucket })?;
        }
    }
    page.end_read(head, tally)
}
