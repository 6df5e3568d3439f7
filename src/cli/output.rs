//! The output folder of a run, and what is written where.

pub mod inside;

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use uuid::{NoContext, Timestamp as UuidTimestamp, Uuid};

use super::{Problem, saved};
use crate::config::{self, Color, Config};
use crate::inventory::{Inventory, Opening, Writer};
use crate::model::{RunId, Timestamp};
use crate::report::{Files, Folder, Format, Sink, Terminal, TerminalOptions};
use crate::run_folder::{Access, Directory, Entry, Kind, Refused};

/// The inventory while it is written; it takes the place of an older one when the run closes.
pub const WRITING: &str = "inventory.partial";
pub const WRITTEN: &str = "inventory";

/// The reports of a run. The page is finished last, because it says where the files are.
pub struct Reports {
    pub files: Box<Files>,
    pub page: Box<dyn Sink>,
}

pub struct Output {
    directory: Directory,
    /// Held while the run writes here: a second run in the same folder would mix its buckets with ours.
    _lock: Option<File>,
    /// Taken by the report's files.
    folder: Cell<Option<Folder>>,
}

/// Where the run stands when it begins.
pub struct Journal {
    pub writer: Writer,
    /// As the run goes on with it: the scope of a run that is resumed is its own.
    pub config: Config,
    /// Whether something of an earlier part of the run is in it.
    pub goes_on: bool,
}

impl Output {
    /// Opens the folder before the scan: a scan whose report cannot be written must not start.
    pub fn open(asked: &config::Output, start: Timestamp) -> Result<Self, Problem> {
        let reports = Path::new("reports");
        inside::check(asked.out.as_deref().unwrap_or(reports))?;
        let (folder, lock) = match &asked.out {
            Some(path) => {
                let folder = Folder::open(path, asked.access)?;
                let lock = lock(&folder)?;
                (folder, lock)
            }
            None => unused(&reports.join(start.compact()), asked.access)?,
        };
        let directory = folder.directory().clone();
        sweep(&directory);
        // Every file is tried and let go: what stands in its way is told now, not after the scan.
        drop(Files::open(folder.again(), &asked.formats.iter().copied().collect::<Vec<_>>())?);
        for name in [WRITING, WRITTEN] {
            if let Some(what) = strange_inventory(&directory, name).map_err(|error| unreadable(&directory, &error))? {
                return Err(Problem::new(format!(
                    "failed to open the output folder {}: {what}",
                    directory.path().display()
                ))
                .with_help("choose another folder with --out DIR"));
            }
        }
        if let Some(name) = strange_report(&directory).map_err(|error| unreadable(&directory, &error))? {
            return Err(Problem::new(format!(
                "failed to open the output folder {}: no run of bucketlens wrote {name} in it, and this one would \
                 overwrite it",
                directory.path().display()
            ))
            .with_help("choose another folder with --out DIR, or move the file away"));
        }
        Ok(Self { directory, _lock: lock, folder: Cell::new(Some(folder)) })
    }

    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The journal of a run of its own.
    pub fn begin(&self, config: &Config, start: Timestamp) -> Result<Journal, Problem> {
        let left = self.existing(WRITING)?.map(|folder| Writer::reopen(folder, None));
        if let Some(Ok(Some(left))) = left {
            let (folder, began) = (self.path().display(), left.opening().start);
            let what = "what it had read is discarded; scan --resume goes on with such a run";
            tracing::warn!("a run that began at {began} in {folder} did not end: {what}");
        }
        // A job that writes to one folder every night must not be blocked by the one night in which it was killed.
        self.directory.remove_with_files(WRITING).map_err(|error| self.write_problem(&error))?;
        let seconds = u64::try_from(start.unix()).unwrap_or_default();
        let opening = Opening {
            run_id: run_id(Uuid::new_v7(UuidTimestamp::from_unix(NoContext, seconds, 0))),
            start,
            resumed: Vec::new(),
            standard: config.standard,
            accepted_controls: config.accepted.clone(),
            scope: config.scope_options(),
            found: None,
        };
        let writer = Writer::create(&self.directory, WRITING, opening)?;
        Ok(Journal { writer, config: config.clone(), goes_on: false })
    }

    /// What was read by a run that did not end or, where there is none, by one that did.
    pub(super) fn inventory(&self) -> Result<Option<Directory>, Problem> {
        match self.existing(WRITING)? {
            Some(unfinished) => Ok(Some(unfinished)),
            None => self.existing(WRITTEN),
        }
    }

    fn existing(&self, name: &str) -> Result<Option<Directory>, Problem> {
        saved::existing(&self.directory, name).map_err(|error| unreadable(&self.directory, &error))
    }

    /// Every report that was asked for.
    pub fn reports(&self, asked: &config::Output, color: Color) -> Result<Reports, Problem> {
        let folder = self.folder.take().expect("the reports are made once");
        let formats: Vec<_> = asked.formats.iter().copied().collect();
        let stdout = io::stdout();
        let options = TerminalOptions {
            width: width(),
            color: color.is_on(stdout.is_terminal(), std::env::var_os("NO_COLOR").as_deref()),
            folder: self.path().display().to_string(),
            formats: formats.clone(),
        };
        let files = Box::new(Files::open(folder, &formats)?);
        Ok(Reports { files, page: Box::new(Terminal::new(Box::new(Page(stdout)), options)) })
    }

    /// The inventory is whole: it takes its place beside the report.
    pub fn keep(&self, inventory: &Inventory) -> Result<(), Problem> {
        if inventory.folder().path() == self.path().join(WRITTEN) {
            return Ok(());
        }
        let keep = || {
            if !self.directory.folder(WRITING)?.is_same(inventory.folder()) {
                return Err(Refused::Replaced.into());
            }
            self.directory.remove_with_files(WRITTEN)?;
            self.directory.rename(WRITING, WRITTEN)
        };
        keep().map_err(|error| self.write_problem(&error))
    }

    /// The run could not run, and nothing was read: nothing of it stays.
    pub fn abandon(&self) {
        // What cannot be removed is no report, and is removed by the next run.
        let _ = self.directory.remove_with_files(WRITING);
    }

    /// The files are whole, and the page could not be printed.
    pub fn page_problem(&self, error: &io::Error) -> Problem {
        Problem::new(format!(
            "failed to print the report: {error}; its files in {} are complete",
            self.path().display()
        ))
    }

    pub fn write_problem(&self, error: &io::Error) -> Problem {
        Problem::new(format!("failed to write the report in {}: {error}", self.path().display())).with_help(
            "free space and go on with scan --resume DIR, which reads nothing twice (or run report once more, where that \
             wrote it); the report is complete once SHA256SUMS is there",
        )
    }
}

/// Characters in a line of a page on stdout.
pub fn width() -> u16 {
    /// Of what is no terminal, as a pipe to a pager.
    const USUAL: u16 = 100;
    terminal_size::terminal_size_of(io::stdout()).map_or(USUAL, |(width, _)| width.0).clamp(60, 200)
}

/// stdout, for a page that its reader may close before the end (`bucketlens scan | head`): the report's files are whole
/// all the same.
pub struct Page(pub io::Stdout);

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

/// A file with the name of one of ours, in a folder in which no run ever wrote. A run that was killed in the middle of
/// its report leaves files without sums, and its inventory.
fn strange_report(folder: &Directory) -> io::Result<Option<&'static str>> {
    if saved::has_inventory(folder)? {
        return Ok(None);
    }
    let written = Files::written(folder);
    let is_ours = |name: &str| written.iter().any(|file| file == name || name.ends_with('/') && file.starts_with(name));
    for name in Format::ALL.into_iter().flat_map(Format::files).copied() {
        if !is_ours(name) && folder.kind(name.trim_end_matches('/'))?.is_some() {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// What stands in the place of an inventory, or in it, and was written by no run.
fn strange_inventory(folder: &Directory, name: &str) -> io::Result<Option<String>> {
    match folder.kind(name)? {
        None => return Ok(None),
        Some(Kind::Folder) => {}
        Some(kind) => return Ok(Some(format!("{name} in it is {}", kind.as_str()))),
    }
    let inventory = folder.folder(name)?;
    for Entry { name, kind } in inventory.entries()? {
        let path = inventory.path().join(&name);
        let is_named = matches!(path.extension().and_then(OsStr::to_str), Some("json" | "jsonl" | "tmp"));
        match kind {
            Kind::File if is_named => {}
            Kind::File | Kind::Folder => {
                let path = path.display();
                return Ok(Some(format!("{path} in it is not bucketlens's, and a run would remove it")));
            }
            Kind::Link | Kind::Fifo | Kind::Device | Kind::Socket | Kind::Other => {
                let (path, kind) = (path.display(), kind.as_str());
                return Ok(Some(format!("{path} in it is {kind}, which no run of bucketlens makes")));
            }
        }
    }
    Ok(None)
}

fn run_id(id: Uuid) -> RunId {
    RunId::parse(&id.to_string()).expect("a UUID is the id of a run")
}

fn unreadable(folder: &Directory, error: &io::Error) -> Problem {
    Problem::new(format!("failed to read the output folder {}: {error}", folder.path().display()))
        .with_help("check who can write to it, or choose another folder")
}

/// Removes the temporary files of a run that was killed; the folder is ours.
fn sweep(folder: &Directory) {
    let Ok(entries) = folder.entries() else { return };
    for Entry { name, .. } in entries {
        let text = name.to_string_lossy();
        let ours = Format::ALL.into_iter().flat_map(Format::drafts).chain(&["SHA256SUMS", "bucketlens"]);
        if text.ends_with(".tmp") && ours.into_iter().any(|file| text.starts_with(&format!(".{file}-"))) {
            // One that cannot be removed does no harm.
            let _ = folder.remove(&name);
        }
    }
}

/// Takes the folder for this run. `None` where the file system knows no locks: then nobody watches.
fn lock(folder: &Folder) -> Result<Option<File>, Problem> {
    match folder.directory().lock() {
        Ok(lock) => Ok(Some(lock)),
        Err(TryLockError::Error(_)) => Ok(None),
        Err(TryLockError::WouldBlock) => {
            let problem = Problem::new(format!("another run of bucketlens is writing to {}", folder.path().display()));
            Err(problem.with_help("wait for it to end, or choose another folder with --out DIR"))
        }
    }
}

/// The folder of this name, or the next that nobody has: two runs may start in one second.
fn unused(name: &Path, access: Access) -> Result<(Folder, Option<File>), Problem> {
    let (mut path, mut number) = (name.to_owned(), 1);
    loop {
        if path.symlink_metadata().is_err() {
            let folder = Folder::open(&path, access)?;
            // Another run may have taken it in the meantime.
            if let Ok(lock) = lock(&folder) {
                return Ok((folder, lock));
            }
        }
        number += 1;
        path = PathBuf::from(format!("{}-{number}", name.display()));
    }
}
