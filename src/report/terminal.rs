//! The page for a person: coverage first, because it says how much the rest is worth; then the organization, the
//! accounts that need work, the findings that matter most, and where the files are.
//!
//! Only counts and short lists are kept while buckets go by; the page is written at the end.

mod coverage;
mod findings;
mod page;
mod protection;
mod settings;
mod standing;
mod table;
mod tags;
mod tally;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use super::{Format, Sink, Summary};
use crate::evaluate::Evaluation;
use crate::model::{AccountRecord, BucketRecord};
use page::Page;
use tally::Tally;

/// How the page is to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalOptions {
    /// Columns; taken as 60 where it is less and as 200 where it is more.
    pub width: u16,
    /// Whether escape sequences for colors are written. The caller looks at `NO_COLOR` and at the terminal.
    pub color: bool,
    /// The folder of the files, as the person is to read it.
    pub folder: String,
    /// The formats that are written there; none leaves the page's last part out.
    pub formats: Vec<Format>,
}

/// Writes the page when it is finished, and nothing before.
pub struct Terminal {
    out: Box<dyn Write>,
    options: TerminalOptions,
    tally: Tally,
}

impl Terminal {
    pub fn new(out: Box<dyn Write>, options: TerminalOptions) -> Self {
        Self { out, options, tally: Tally::default() }
    }
}

impl Sink for Terminal {
    fn bucket(&mut self, _: &AccountRecord, record: &BucketRecord, evaluation: &Evaluation) -> io::Result<()> {
        self.tally.bucket(record, evaluation);
        Ok(())
    }

    fn finish(mut self: Box<Self>, summary: &Summary<'_>) -> io::Result<()> {
        let page = Page::new(&self.options, &self.tally, summary);
        self.out.write_all(page.text().as_bytes())?;
        self.out.flush()
    }
}
