//! What is different between two runs: as a page, as CSV, as JSON. Lines are written as they come; the page keeps the
//! first of each part and counts the rest.

mod csv;
mod json;
mod page;

use std::io::{self, Write};

use crate::diff::{Change, Judged, Totals};
use crate::model::Run;

/// The comparison with a baseline, beside the report.
pub(super) const CSV: &str = "diff.csv";
pub(super) const JSON: &str = "diff.json";

/// What `diff --format` and its like name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TableFormat {
    Table,
    Csv,
    Json,
}

/// The two runs, and by what both are judged here.
#[derive(Debug, Clone, Copy)]
pub struct Runs<'a> {
    pub old: &'a Run,
    pub new: &'a Run,
    pub judged: &'a Judged,
}

/// A comparison in the making.
pub trait Changes {
    /// One change, sorted by account id, then bucket name.
    fn change(&mut self, change: &Change<'_>) -> io::Result<()>;

    fn finish(self: Box<Self>, totals: &Totals) -> io::Result<()>;
}

impl TableFormat {
    /// `width`: that of a page, in characters.
    pub fn changes<'a>(self, runs: Runs<'a>, width: u16, out: impl Write + 'a) -> io::Result<Box<dyn Changes + 'a>> {
        Ok(match self {
            Self::Table => Box::new(page::Page::new(runs, width, out)),
            Self::Csv => Box::new(csv::Table::new(runs, out)?),
            Self::Json => Box::new(json::Document::new(runs, out)?),
        })
    }
}
