//! `bucketlens diff`: what is different between two runs.

use std::io;
use std::path::PathBuf;

use super::judging::{self, Judging};
use super::output::{Page, width};
use super::{Problem, saved};
use crate::diff::{self, DiffError, Judged, Side, Totals};
use crate::exit::{self, Exit, Seen};
use crate::inventory::Inventory;
use crate::model::Severity;
use crate::report::changes::{Runs, TableFormat};
use crate::report::{Draft, Finished};

/// What is to be compared, and how it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    pub old: PathBuf,
    pub new: PathBuf,
    /// The run is the newer one.
    pub judging: Judging,
    pub format: TableFormat,
    pub allow_unknown: bool,
}

impl From<DiffError> for Problem {
    fn from(error: DiffError) -> Self {
        match error {
            DiffError::Inventory(error) => error.into(),
            DiffError::SameRun(_) | DiffError::OtherOrganization { .. } | DiffError::NothingInCommon => {
                Self::new(format!("failed to {error}")).with_help("name two runs over the same accounts")
            }
            DiffError::Write(_) => Self::new(format!("failed to {error}")),
        }
    }
}

pub fn run(comparison: &Comparison) -> Result<Exit, Problem> {
    let (old, new) = (saved::open(&comparison.old)?, saved::open(&comparison.new)?);
    let (standard, accepted) = comparison.judging.of(&new.closing.run)?;
    for (inventory, which) in [(&old, "the older run"), (&new, "the newer run")] {
        let help = "compare by another one, as --standard cis, or runs that were scanned with --with protection";
        judging::check_read(&inventory.closing.run, standard, which, help)?;
    }
    let judged = Judged { standard, accepted };
    let mut stdout = io::BufWriter::with_capacity(1 << 16, Page(io::stdout()));
    let totals = compare(&old, &new, &judged, vec![(comparison.format, &mut stdout)])?;
    let worst = (totals.regressions > 0).then_some(diff::Lost::SEVERITY);
    let seen = if totals.unclear > 0 { Seen::InPart } else { Seen::All };
    Ok(exit::decide(worst, Some(Severity::Info), seen, comparison.allow_unknown))
}

/// The comparison as a page, for where the rest is known only later, and in files. The page has bounds.
pub fn compared(
    old: &Inventory,
    new: &Inventory,
    files: Vec<(TableFormat, Draft)>,
) -> Result<(String, Totals, Vec<Finished>), Problem> {
    let mut page = Vec::new();
    let buffered = |(format, draft)| (format, io::BufWriter::with_capacity(1 << 16, draft));
    let mut files: Vec<(TableFormat, io::BufWriter<Draft>)> = files.into_iter().map(buffered).collect();
    let mut outs: Vec<(TableFormat, &mut dyn io::Write)> = vec![(TableFormat::Table, &mut page)];
    outs.extend(files.iter_mut().map(|(format, file)| (*format, file as &mut dyn io::Write)));
    let run = &new.closing.run;
    // Where the older run did not read the controls, what it would be judged is unknown, and no change.
    let judged = Judged { standard: run.standard, accepted: run.accepted_controls.clone() };
    let totals = compare(old, new, &judged, outs)?;
    let finish = |(_, file): (TableFormat, io::BufWriter<Draft>)| {
        file.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
    };
    let finished = files.into_iter().map(finish).collect::<io::Result<_>>().map_err(DiffError::Write)?;
    Ok((String::from_utf8_lossy(&page).into_owned(), totals, finished))
}

fn compare(
    old: &Inventory,
    new: &Inventory,
    judged: &Judged,
    outs: Vec<(TableFormat, &mut dyn io::Write)>,
) -> Result<Totals, Problem> {
    let scopes = [saved::scope(old)?, saved::scope(new)?];
    let (before, after) = (side(old, &scopes[0])?, side(new, &scopes[1])?);
    let runs = Runs { old: &old.closing.run, new: &new.closing.run, judged };
    // Before the first line is written.
    diff::check(&before, &after)?;
    let width = width();
    let changes = outs.into_iter().map(|(format, out)| format.changes(runs, width, out));
    let mut changes = changes.collect::<io::Result<Vec<_>>>().map_err(DiffError::Write)?;
    let mut tell = |change: &diff::Change<'_>| changes.iter_mut().try_for_each(|changes| changes.change(change));
    let totals = diff::compare(&before, &after, judged, &mut tell)?;
    changes.into_iter().try_for_each(|changes| changes.finish(&totals)).map_err(DiffError::Write)?;
    Ok(totals)
}

fn side<'a>(inventory: &'a Inventory, scope: &'a saved::Scope) -> Result<Side<'a>, Problem> {
    let found = inventory.opening()?.found;
    Ok(Side { inventory, discovery: scope.discovery.clone(), kept: scope, found })
}
