//! The output folder of a run, and what is written where.

pub mod inside;

use std::cell::Cell;
use std::fs::{self, File, TryLockError};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use uuid::{NoContext, Timestamp as UuidTimestamp, Uuid};

use super::Problem;
use crate::config::{self, Color, Config, Resume};
use crate::inventory::{Inventory, Opening, Writer};
use crate::model::Timestamp;
use crate::report::{Files, Folder, Format, Sink, Terminal, TerminalOptions};

/// The inventory while it is written; it takes the place of an older one when the run closes.
pub const WRITING: &str = "inventory.partial";
pub const WRITTEN: &str = "inventory";

/// The reports of a run. The page is finished last, because it says where the files are.
pub struct Reports {
    pub files: Box<Files>,
    pub page: Box<dyn Sink>,
}

pub struct Output {
    path: PathBuf,
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
        let (path, folder, lock) = match &asked.out {
            Some(path) => {
                let folder = Folder::open(path)?;
                (path.clone(), folder, lock(path)?)
            }
            None => unused(&reports.join(start.compact()))?,
        };
        let folder = Cell::new(Some(folder));
        sweep(&path);
        // Every file is tried and let go: what stands in its way is told now, not after the scan.
        drop(Files::open(Folder::open(&path)?, &asked.formats.iter().copied().collect::<Vec<_>>())?);
        if let Some(file) = [WRITING, WRITTEN].into_iter().find(|name| path.join(name).is_file()) {
            return Err(Problem::new(format!(
                "failed to open the output folder {}: {file} in it is a file",
                path.display()
            ))
            .with_help("choose another folder with --out DIR"));
        }
        if let Some(stranger) = [WRITING, WRITTEN].into_iter().find_map(|name| stranger(&path.join(name))) {
            return Err(Problem::new(format!(
                "failed to open the output folder {}: {} in it is not bucketlens's, and a run would remove it",
                path.display(),
                stranger.display()
            ))
            .with_help("choose another folder with --out DIR"));
        }
        if let Some(name) = strange_report(&path) {
            return Err(Problem::new(format!(
                "failed to open the output folder {}: no run of bucketlens wrote {name} in it, and this one would \
                 overwrite it",
                path.display()
            ))
            .with_help("choose another folder with --out DIR, or move the file away"));
        }
        Ok(Self { path, _lock: lock, folder })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The journal of this run: that of the run to go on with, or a new one.
    pub fn journal(&self, config: &Config, start: Timestamp) -> Result<Journal, Problem> {
        let Some(resume) = &config.resume else { return self.begin(config, start) };
        let Some(writer) = self.reopen(resume.max_age.and_then(|age| start.before(age)))? else {
            return self.begin_unrecorded(config, start);
        };
        let opening = writer.opening();
        let config = config.clone().going_on(resume, &opening.scope, opening.standard, &opening.accepted_controls)?;
        if writer.folder() == self.path.join(WRITTEN)
            && let Some(end) = writer.finished()
        {
            let (folder, why) = (self.path.display(), "only what failed and what --max-age names is read again");
            tracing::warn!("the run in {folder} was finished at {end}: {why}");
        }
        Ok(Journal { writer, config, goes_on: true })
    }

    /// Nothing says how the run in the folder began: it is scanned from the start, where somebody says what.
    fn begin_unrecorded(&self, config: &Config, start: Timestamp) -> Result<Journal, Problem> {
        let (folder, scope) = (self.path.display(), config.scope().join(" "));
        let what = format!("there is no whole record of a run in {folder}");
        if scope.is_empty() {
            let problem = Problem::new(format!("{what}, and nothing says what is to be scanned"));
            return Err(problem.with_help(
                "say again what is scanned (--organization, …) to scan it from the start; where it is the account of the \
                 credentials alone, begin another run with --out DIR",
            ));
        }
        config.check_compensation()?;
        let lost = match segments(&self.inventory()) {
            0 => String::new(),
            1 => "; what was read of an account before is discarded".to_owned(),
            accounts => format!("; what was read of {accounts} accounts before is discarded"),
        };
        tracing::warn!("{what}: it is scanned from the start: {scope}{lost}");
        self.begin(config, start)
    }

    /// That of a run that did not end, or what was read by one that did.
    fn inventory(&self) -> PathBuf {
        let unfinished = self.path.join(WRITING);
        if unfinished.is_dir() { unfinished } else { self.path.join(WRITTEN) }
    }

    fn reopen(&self, oldest: Option<Timestamp>) -> Result<Option<Writer>, Problem> {
        Ok(Writer::reopen(&self.inventory(), oldest)?)
    }

    /// What a run that did not end left behind goes: a job that writes to one folder every night must not be blocked
    /// by the one night in which it was killed.
    fn begin(&self, config: &Config, start: Timestamp) -> Result<Journal, Problem> {
        let path = self.path.join(WRITING);
        if let Ok(Some(left)) = Writer::reopen(&path, None) {
            let (folder, began) = (self.path.display(), left.opening().start);
            let what = "what it had read is discarded; scan --resume goes on with such a run";
            tracing::warn!("a run that began at {began} in {folder} did not end: {what}");
        }
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.write_problem(&error)),
            Ok(()) | Err(_) => {}
        }
        let seconds = u64::try_from(start.unix()).unwrap_or_default();
        let opening = Opening {
            run_id: Uuid::new_v7(UuidTimestamp::from_unix(NoContext, seconds, 0)).to_string(),
            start,
            resumed: Vec::new(),
            standard: config.standard,
            accepted_controls: config.accepted.clone(),
            scope: config.scope_options(),
            found: None,
        };
        Ok(Journal { writer: Writer::create(&path, opening)?, config: config.clone(), goes_on: false })
    }

    /// Every report that was asked for.
    pub fn reports(&self, asked: &config::Output, color: Color) -> Result<Reports, Problem> {
        let folder = self.folder.take().expect("the reports are made once");
        let formats: Vec<_> = asked.formats.iter().copied().collect();
        let stdout = io::stdout();
        let options = TerminalOptions {
            width: terminal_size::terminal_size_of(&stdout).map_or(100, |(width, _)| width.0),
            color: color.is_on(stdout.is_terminal(), std::env::var_os("NO_COLOR").as_deref()),
            folder: self.path.display().to_string(),
            formats: formats.clone(),
        };
        let files = Box::new(Files::open(folder, &formats)?);
        Ok(Reports { files, page: Box::new(Terminal::new(Box::new(Page(stdout)), options)) })
    }

    /// The inventory is whole: it takes its place beside the report.
    pub fn keep(&self, inventory: &Inventory) -> Result<(), Problem> {
        let (from, to) = (inventory.folder(), self.path.join(WRITTEN));
        if from == to {
            return Ok(());
        }
        let removed = fs::remove_dir_all(&to).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        });
        removed.and_then(|()| fs::rename(from, to)).map_err(|error| self.write_problem(&error))
    }

    /// The run could not run, and nothing was read: nothing of it stays.
    pub fn abandon(&self) {
        // What cannot be removed is no report, and is removed by the next run.
        let _ = fs::remove_dir_all(self.path.join(WRITING));
    }

    /// The files are whole, and the page could not be printed.
    pub fn page_problem(&self, error: &io::Error) -> Problem {
        Problem::new(format!("failed to print the report: {error}; its files in {} are complete", self.path.display()))
    }

    pub fn write_problem(&self, error: &io::Error) -> Problem {
        Problem::new(format!("failed to write the report in {}: {error}", self.path.display())).with_help(
            "free space and go on with scan --resume DIR, which reads nothing twice (or run report once more, where that \
             wrote it); the report is complete once SHA256SUMS is there",
        )
    }
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

/// A folder that holds something else than a run is a slip of the pen, and so is one that is not there where nothing
/// says what would be scanned: nothing is begun in it.
pub fn may_go_on(config: &Config) -> Result<(), Problem> {
    let Some(Resume { folder, .. }) = &config.resume else { return Ok(()) };
    let help = "name the folder of the run that is to go on, or begin another run with --out DIR";
    let problem = |what: &str| Problem::new(format!("--resume: {} {what}", folder.display())).with_help(help);
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && config.scope().is_empty() => {
            Err(problem("does not exist, and nothing says what is to be scanned"))
        }
        // What else is wrong with it is told when it is opened.
        Err(_) => Ok(()),
        Ok(_) if [WRITING, WRITTEN].iter().any(|name| folder.join(name).exists()) => Ok(()),
        Ok(mut entries) => match entries.next() {
            Some(_) => Err(problem("holds no run of bucketlens")),
            None if config.scope().is_empty() => Err(problem("is empty, and nothing says what is to be scanned")),
            None => Ok(()),
        },
    }
}

/// A file with the name of one of ours, in a folder in which no run ever wrote. A run that was killed in the middle of
/// its report leaves files without sums, and its inventory.
fn strange_report(folder: &Path) -> Option<&'static str> {
    if [WRITING, WRITTEN].iter().any(|name| folder.join(name).exists()) {
        return None;
    }
    let written = Files::written(folder);
    let mut names = Format::ALL.into_iter().flat_map(Format::files).copied();
    let is_ours = |name: &str| written.iter().any(|file| file == name || name.ends_with('/') && file.starts_with(name));
    names.find(|name| folder.join(name).exists() && !is_ours(name))
}

/// The accounts of which something was written down.
fn segments(inventory: &Path) -> usize {
    let Ok(entries) = fs::read_dir(inventory) else { return 0 };
    entries.flatten().filter(|entry| entry.path().extension().is_some_and(|extension| extension == "jsonl")).count()
}

/// Something in an inventory's folder that no run wrote.
fn stranger(inventory: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(inventory).ok()?;
    let paths = entries.flatten().map(|entry| entry.path());
    let is_ours = |path: &Path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        path.is_file() && matches!(extension, Some("json" | "jsonl" | "tmp"))
    };
    paths.filter(|path| !is_ours(path)).min()
}

/// Removes the temporary files of a run that was killed; the folder is ours.
fn sweep(path: &Path) {
    let Ok(entries) = fs::read_dir(path) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ours = Format::ALL.into_iter().flat_map(Format::drafts).chain(&["SHA256SUMS", "bucketlens"]);
        if name.ends_with(".tmp") && ours.into_iter().any(|file| name.starts_with(&format!(".{file}-"))) {
            // One that cannot be removed does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Takes the folder for this run. `None` where the file system knows no locks: then nobody watches.
fn lock(path: &Path) -> Result<Option<File>, Problem> {
    let Ok(folder) = File::open(path) else { return Ok(None) };
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::Error(_)) => Ok(None),
        Err(TryLockError::WouldBlock) => {
            let problem = Problem::new(format!("another run of bucketlens is writing to {}", path.display()));
            Err(problem.with_help("wait for it to end, or choose another folder with --out DIR"))
        }
    }
}

/// The folder of this name, or the next that nobody has: two runs may start in one second.
fn unused(name: &Path) -> Result<(PathBuf, Folder, Option<File>), Problem> {
    let (mut path, mut number) = (name.to_owned(), 1);
    loop {
        if !path.exists() {
            let folder = Folder::open(&path)?;
            // Another run may have taken it in the meantime.
            if let Ok(lock) = lock(&path) {
                return Ok((path, folder, lock));
            }
        }
        number += 1;
        path = PathBuf::from(format!("{}-{number}", name.display()));
    }
}
