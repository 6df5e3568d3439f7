//! The output folder of a run, and what is written where.

use std::cell::Cell;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use uuid::{NoContext, Timestamp as UuidTimestamp, Uuid};

use super::Problem;
use crate::config::Config;
use crate::inventory;
use crate::model::Timestamp;
use crate::report::{Files, Folder, Sink, Terminal, TerminalOptions};

/// The inventory while it is written; it takes the place of an older one when the run closes.
const WRITING: &str = "inventory.partial";
const WRITTEN: &str = "inventory";

pub struct Output {
    pub run_id: String,
    path: PathBuf,
    /// Taken by the report's files.
    folder: Cell<Option<Folder>>,
}

impl Output {
    /// Opens the folder before the scan: a scan whose report cannot be written must not start.
    pub fn open(config: &Config, start: Timestamp) -> Result<Self, Problem> {
        let path = config.output.out.clone().unwrap_or_else(|| unused(&Path::new("reports").join(start.compact())));
        let folder = Cell::new(Some(Folder::open(&path)?));
        let seconds = u64::try_from(start.unix()).unwrap_or_default();
        let run_id = Uuid::new_v7(UuidTimestamp::from_unix(NoContext, seconds, 0)).to_string();
        Ok(Self { run_id, path, folder })
    }

    /// The inventory to write. What a run that did not end left behind goes: nothing reads it yet.
    pub fn inventory(&self) -> Result<inventory::Writer, Problem> {
        let path = self.path.join(WRITING);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.write_problem(&error)),
            _ => Ok(inventory::Writer::create(&path)?),
        }
    }

    /// Every report that was asked for; the terminal is the last, because it says where the files are.
    pub fn sinks(&self, config: &Config) -> Result<Vec<Box<dyn Sink>>, Problem> {
        let folder = self.folder.take().expect("the sinks are made once");
        let formats: Vec<_> = config.output.formats.iter().copied().collect();
        let stdout = io::stdout();
        let options = TerminalOptions {
            width: terminal_size::terminal_size().map_or(100, |(width, _)| width.0),
            color: config.color.is_on(stdout.is_terminal(), std::env::var_os("NO_COLOR").as_deref()),
            folder: self.path.display().to_string(),
            formats: formats.clone(),
        };
        Ok(vec![Box::new(Files::open(folder, &formats)?), Box::new(Terminal::new(Box::new(stdout), options))])
    }

    /// The inventory is whole: it takes its place beside the report.
    pub fn keep_inventory(&self) -> Result<(), Problem> {
        let (from, to) = (self.path.join(WRITING), self.path.join(WRITTEN));
        let removed = fs::remove_dir_all(&to).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        });
        removed.and_then(|()| fs::rename(from, to)).map_err(|error| self.write_problem(&error))
    }

    /// The run could not run: nothing of it stays.
    pub fn abandon_inventory(&self) {
        // What cannot be removed is no report, and is removed by the next run.
        let _ = fs::remove_dir_all(self.path.join(WRITING));
    }

    pub fn write_problem(&self, error: &io::Error) -> Problem {
        Problem::new(format!("failed to write the report in {}: {error}", self.path.display()))
            .with_help("free space or choose another folder with --out; the report is complete once SHA256SUMS is there")
    }
}

/// The folder's name, or the next that is free: two runs may start in one second.
fn unused(path: &Path) -> PathBuf {
    let named = |number: u32| match number {
        1 => path.to_owned(),
        number => PathBuf::from(format!("{}-{number}", path.display())),
    };
    (1..).map(named).find(|path| !path.exists()).expect("there are more numbers than folders")
}
