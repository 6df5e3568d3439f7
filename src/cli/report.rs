//! `bucketlens report`: the report of a run made again from what it read, without AWS.

use std::path::{Path, PathBuf};

use super::judging::{self, Judging};
use super::output::{Output, inside};
use super::{Problem, judge, saved};
use crate::config::{self, Color, Log};
use crate::exit::{self, Exit};
use crate::inventory::Inventory;
use crate::model::{Severity, Timestamp};
use crate::run_folder::Directory;

/// Which report is to be made again, and how.
#[derive(Debug, Clone)]
pub struct Again {
    /// The output folder of the run.
    pub folder: PathBuf,
    pub judging: Judging,
    pub fail_on: Option<Severity>,
    pub allow_unknown: bool,
    pub baseline: Option<PathBuf>,
    pub output: config::Output,
    pub color: Color,
    pub log: Log,
}

/// Changes by what the run is judged, and with it the digest.
fn judge_by(inventory: &mut Inventory, again: &Again) -> Result<(), Problem> {
    let run = &inventory.closing.run;
    let (standard, accepted) = again.judging.of(run)?;
    judging::check_read(run, standard, "the run", "scan with --with protection")?;
    if standard == run.standard && accepted == run.accepted_controls {
        return Ok(());
    }
    let mut config = saved::scope(inventory)?.config;
    (config.standard, config.accepted) = (standard, accepted.clone());
    let run = &mut inventory.closing.run;
    (run.standard, run.accepted_controls, run.configuration_digest) = (standard, accepted, config.digest());
    Ok(())
}

/// A report beside the inventory of another run would say of it what is not so.
fn another_run(out: &Path, inventory: &Inventory) -> Result<(), Problem> {
    // A folder that cannot be opened is told of when it is opened for the report.
    let there = Directory::open(out).ok().and_then(|folder| saved::inventory(&folder).ok().flatten());
    if there.is_none_or(|folder| folder.is_same(inventory.folder())) {
        return Ok(());
    }
    let what = format!("{} is the folder of another run (--out)", out.display());
    Err(Problem::new(what).with_help("choose a folder without a run: --out DIR"))
}

pub fn run(again: &Again) -> Result<Exit, Problem> {
    let mut inventory = saved::open(&again.folder)?;
    let baseline = again.baseline.as_deref().map(saved::baseline).transpose()?;
    judge_by(&mut inventory, again)?;
    if let Some(out) = &again.output.out {
        inside::check(out)?;
        another_run(out, &inventory)?;
    }
    let output = Output::open(&again.output, Timestamp::now())?;
    let reports = output.reports(&again.output, again.color)?;
    let seen = judge::seen(&inventory);
    let worst = judge::judge(&inventory, baseline.as_ref(), reports, &output, || Ok(()))?;
    Ok(exit::decide(worst, again.fail_on, seen, again.allow_unknown))
}
