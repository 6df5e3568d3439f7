//! `storage-lens read`: the buckets with MFA delete enabled, and those of which it is unknown, by account and Region.

use std::io;

use super::options::Order;
use super::show::{Head, Page, Shown};
use super::{Export, disk, must_have, take};
use crate::aws::http::Network;
use crate::cli::Problem;
use crate::dataset::storage_lens::sorted::{self, Said};
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

/// What the export says of a bucket's MFA delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Enabled,
    NotEnabled,
    Unknown,
}

impl State {
    fn of(said: &Said) -> Self {
        match said.values[Metric::MfaDeleteEnabled.index()] {
            Some(0) => Self::NotEnabled,
            Some(_) => Self::Enabled,
            None => Self::Unknown,
        }
    }
}

fn tally(export: &Export) -> io::Result<Tally> {
    let mut tally = Tally::default();
    for said in export.taken.buckets.buckets()? {
        *match State::of(&said?) {
            State::Enabled => &mut tally.enabled,
            State::NotEnabled => &mut tally.not_enabled,
            State::Unknown => &mut tally.unknown,
        } += 1;
    }
    Ok(tally)
}

fn print(page: &mut Page, head: &Head, tally: Tally, export: &Export) -> io::Result<()> {
    page.begin_read(head, tally)?;
    print_all(page, head, State::Enabled, export)?;
    page.begin_unknown(tally)?;
    if tally.unknown > 0 {
        print_all(page, head, State::Unknown, export)?;
    }
    page.end_read(head, tally)
}

/// The buckets in this state. Each state takes a pass of its own over the sorted export, so that none is held in memory.
fn print_all(page: &mut Page, head: &Head, state: State, export: &Export) -> io::Result<()> {
    for said in export.taken.buckets.buckets()? {
        let said = said?;
        if State::of(&said) == state {
            let shown = Shown { account: &said.account, region: &said.region, bucket: &said.bucket };
            page.bucket(head, &shown, state)?;
        }
    }
    Ok(())
}
