//! The output folder of a run, and what is written where.

use std::cell::Cell;
use std::fs;
use std::io::{self, IsTerminal, Write};
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

/// The reports of a run. The page is finished last, because it says where the files are.
pub struct Reports {
    pub files: Box<dyn Sink>,
    pub page: Box<dyn Sink>,
}

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
        // Every file is tried and let go: what stands in its way is told now, not after the scan.
        drop(Files::open(Folder::open(&path)?, &config.output.formats.iter().copied().collect::<Vec<_>>())?);
        if let Some(file) = [WRITING, WRITTEN].into_iter().find(|name| path.join(name).is_file()) {
            return Err(Problem::new(format!(
                "failed to open the output folder {}: {file} in it is a file",
                path.display()
            ))
            .with_help("choose another folder with --out DIR"));
        }
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

    /// Every report that was asked for.
    pub fn reports(&self, config: &Config) -> Result<Reports, Problem> {
        let folder = self.folder.take().expect("the reports are made once");
        let formats: Vec<_> = config.output.formats.iter().copied().collect();
        let stdout = io::stdout();
        let options = TerminalOptions {
            width: terminal_size::terminal_size_of(&stdout).map_or(100, |(width, _)| width.0),
            color: config.color.is_on(stdout.is_terminal(), std::env::var_os("NO_COLOR").as_deref()),
            folder: self.path.display().to_string(),
            formats: formats.clone(),
        };
        let files = Box::new(Files::open(folder, &formats)?);
        Ok(Reports { files, page: Box::new(Terminal::new(Box::new(Page(stdout)), options)) })
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

    /// The files are whole, and the page could not be printed.
    pub fn page_problem(&self, error: &io::Error) -> Problem {
        Problem::new(format!("failed to print the report: {error}; its files in {} are complete", self.path.display()))
    }

    pub fn write_problem(&self, error: &io::Error) -> Problem {
        Problem::new(format!("failed to write the report in {}: {error}", self.path.display())).with_help(
            "free space or choose another folder with --out; the report is complete once SHA256SUMS is there",
        )
    }
}

/// stdout, for a page that its reader may close before the end (`bucketlens scan | head`): the report's files are whole
/// all the same.
struct Page(io::Stdout);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
    }
}

/// The folder's name, or the next that is free: two runs may start in one second.
fn unused(path: &Path) -> PathBuf {
    let (mut free, mut number) = (path.to_owned(), 1);
    while free.exists() {
        number += 1;
        free = PathBuf::from(format!("{}-{number}", path.display()));
    }
    free
}
