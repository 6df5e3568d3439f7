//! `bucketlens diff`: what is different between two runs.

use std::io;
use std::path::PathBuf;

use super::output::Page;
use super::{Problem, saved};
use crate::diff::{self, DiffError, Side, Totals};
use crate::exit::{self, Exit, Seen};
use crate::inventory::Inventory;
use crate::model::{Severity, Standard};
use crate::report::changes::{Runs, TableFormat};

/// What is to be compared, and how it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    pub old: PathBuf,
    pub new: PathBuf,
    /// `None`: that of the newer run.
    pub standard: Option<Standard>,
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
    let standard = comparison.standard.unwrap_or(new.closing.run.standard);
    let stdout = io::BufWriter::with_capacity(1 << 16, Page(io::stdout()));
    let totals = compare(&old, &new, standard, comparison.format, stdout)?;
    let worst = (totals.regressions > 0).then_some(diff::Lost::SEVERITY);
    let seen = if totals.unclear > 0 { Seen::InPart } else { Seen::All };
    Ok(exit::decide(worst, Some(Severity::Info), seen, comparison.allow_unknown))
}

/// The comparison as text, for where the rest is known only later. The page has bounds, the other formats have not.
pub fn compared(old: &Inventory, new: &Inventory, format: TableFormat) -> Result<(String, Totals), Problem> {
    let mut text = Vec::new();
    let totals = compare(old, new, new.closing.run.standard, format, &mut text)?;
    Ok((String::from_utf8_lossy(&text).into_owned(), totals))
}

fn compare(
    old: &Inventory,
    new: &Inventory,
    standard: Standard,
    format: TableFormat,
    out: impl io::Write,
) -> Result<Totals, Problem> {
    let scopes = [saved::scope(old)?, saved::scope(new)?];
    let (before, after) = (side(old, &scopes[0]), side(new, &scopes[1]));
    let runs = Runs { old: &old.closing.run, new: &new.closing.run };
    // Before the first line is written.
    diff::check(&before, &after)?;
    let mut changes = format.changes(runs, out).map_err(DiffError::Write)?;
    let totals = diff::compare(&before, &after, standard, &mut |change| changes.change(change))?;
    changes.finish(&totals).map_err(DiffError::Write)?;
    Ok(totals)
}

fn side<'a>(inventory: &'a Inventory, scope: &'a saved::Scope) -> Side<'a> {
    Side { inventory, discovery: scope.discovery.clone(), kept: scope }
}
