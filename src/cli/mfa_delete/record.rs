//! The record of what was sent: a line of JSON before a request goes out, one when it is known what came of it. A line
//! that says `sending` and has none after it belongs to a run that was killed in between.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::show::{Before, Row, Sent, State};
use crate::cli::Problem;
use crate::model::Timestamp;
use crate::report::harmless;
use crate::run_folder::{self, Access, Directory};

/// Only ever appended to, and on the disk before anything else happens.
pub struct Record {
    file: File,
    path: PathBuf,
    who: Who,
}

/// What is the same for every line of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Who {
    pub command: &'static str,
    pub account: String,
    /// `None` where STS did not answer.
    pub caller_arn: Option<String>,
    /// Of the device: it shows which one, and is worth nothing without a code.
    pub mfa_serial: String,
}

#[derive(Serialize)]
struct Line<'a> {
    time: Timestamp,
    #[serde(flatten)]
    who: &'a Who,
    region: &'a str,
    bucket: &'a str,
    before: Before,
    request: Option<Sent>,
    /// `sending` before the request goes out.
    outcome: &'a str,
    after: Option<State>,
    reasons: Vec<Cow<'a, str>>,
    request_id: Option<Cow<'a, str>>,
}

impl Record {
    pub fn open(path: &Path, who: Who) -> Result<Self, Problem> {
        let file = create(path).map_err(|error| {
            Problem::new(format!("failed to open the record {}: {error}; nothing was sent", path.display()))
                .with_help("name a file that can be written with --record FILE")
        })?;
        Ok(Self { file, path: path.to_owned(), who })
    }

    /// The request is about to go out.
    pub fn sending(&mut self, row: &Row) -> Result<(), Problem> {
        self.append(row, "sending").map_err(|error| {
            Problem::new(format!(
                "failed to write the record {}: {error}; nothing was sent for {}",
                self.path.display(),
                row.before.bucket
            ))
        })
    }

    /// It is known what came of it.
    pub fn outcome(&mut self, row: &Row) -> Result<(), Problem> {
        self.append(row, row.outcome.as_str()).map_err(|error| {
            Problem::new(format!(
                "failed to write to the record {} what came of {}, which is shown above: {error}",
                self.path.display(),
                row.before.bucket
            ))
        })
    }

    fn append(&mut self, row: &Row, outcome: &str) -> io::Result<()> {
        let line = Line {
            time: Timestamp::now(),
            who: &self.who,
            region: row.before.region.as_str(),
            bucket: &row.before.bucket,
            before: Before::of(&row.before),
            request: row.change.map(Sent::of),
            outcome,
            after: row.after.as_ref().map(State::of),
            reasons: row.reasons.iter().map(|reason| harmless(reason)).collect(),
            request_id: row.request_id.as_deref().map(harmless),
        };
        let mut text = serde_json::to_string(&line)?;
        text.push('\n');
        // In one piece, so that two runs do not mix their lines.
        self.file.write_all(text.as_bytes())?;
        self.file.sync_all()
    }
}

/// A new file's name is on the disk too.
fn create(path: &Path) -> io::Result<File> {
    let above = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    above.map_or(Ok(()), |folder| run_folder::create_named(folder, Access::Private))?;
    let (folder, name) = Directory::of_file(path)?;
    let file = folder.appendable(name)?;
    file.sync_all()?;
    folder.sync()?;
    Ok(file)
}
