//! The runs of a folder, as `trend` finds them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::remarks::Remarks;
use crate::aggregate::Aggregator;
use crate::cli::output::{WRITING, WRITTEN};
use crate::cli::{Problem, judge, saved};
use crate::dataset::inventory::read::{File, ReadError};
use crate::evaluate::Evaluator;
use crate::inventory::{Inventory, InventoryError, is_apple_double};
use crate::model::{Run, RunId};
use crate::report::{Format, sums};
use crate::run_folder::{self, Directory, Entry, Kind};
use crate::trend::Source;

/// Looks for runs in a folder and in those below it.
pub struct Search {
    found: Found,
    allow_partial: bool,
    remarks: Remarks,
}

/// What was found.
#[derive(Default)]
pub struct Found {
    pub sources: Vec<Source>,
    /// By id, what the inventories of runs say of them.
    pub scanned: BTreeMap<RunId, Run>,
    /// A sentence each.
    pub remarks: Vec<String>,
}

impl Search {
    pub fn new(allow_partial: bool) -> Self {
        Self { found: Found::default(), allow_partial, remarks: Remarks::default() }
    }

    pub fn all(mut self, folder: &Path) -> Result<Found, Problem> {
        self.folder(folder)?;
        Ok(Found { remarks: self.remarks.sentences(), ..self.found })
    }

    fn folder(&mut self, folder: &Path) -> Result<(), Problem> {
        if folder.is_file() {
            let (beside, name) = Directory::of_file(folder).map_err(|error| unreadable(folder, &error))?;
            let opened = run_folder::file_named(folder);
            return self.file(&beside.path().join(name), opened, &sums::sums(&beside));
        }
        let opened = Directory::open(folder).map_err(|error| unreadable(folder, &error))?;
        self.opened(&opened, DEEPEST)
    }

    fn opened(&mut self, folder: &Directory, depth: usize) -> Result<(), Problem> {
        let path = folder.path();
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for Entry { name, kind } in folder.entries().map_err(|error| unreadable(path, &error))? {
            let is_parquet = Path::new(&name).extension().is_some_and(|extension| extension == "parquet");
            match kind {
                Kind::File if is_apple_double(&name) => {}
                Kind::File if is_parquet => files.push(name),
                Kind::File => {}
                Kind::Folder => folders.push(name),
                Kind::Link | Kind::Fifo | Kind::Device | Kind::Socket | Kind::Other => {
                    let (path, kind) = (path.join(name), kind.as_str());
                    self.remarks.add(&path, format!("{} is {kind} and is left out", path.display()));
                }
            }
        }
        let so_far = self.found.sources.len();
        let sums = sums::sums(folder);
        let inventory = saved::inventory(folder).map_err(|error| unreadable(path, &error));
        let inventory = match inventory {
            Ok(inventory) => inventory.map(Inventory::open),
            Err(problem) => return self.try_to(path, || Err(problem)),
        };
        for name in &files {
            // What proves itself goes before what nothing proves.
            let text = name.to_string_lossy();
            if inventory.is_none() || !is_ours(&text) || sums.contains_key(&*text) {
                self.file(&path.join(name), folder.file(name), &sums)?;
            }
        }
        match inventory {
            Some(inventory) => self.run(folder, inventory, so_far, &sums)?,
            None if self.found.sources.len() == so_far && folders.iter().any(|name| name == WRITING) => {
                self.remarks.add(path, format!("the run in {} did not end and is left out", path.display()));
            }
            None => {}
        }
        for name in folders {
            if name == WRITTEN || name == WRITING || name == "StorageLens" {
                continue;
            }
            let below = path.join(&name);
            match folder.folder(&name) {
                _ if depth == 0 => {
                    self.remarks.add(&below, format!("{} lies too deep and is left out", below.display()));
                }
                Ok(below) => self.opened(&below, depth - 1)?,
                Err(error) => self.try_to(&below, || Err(unreadable(&below, &error)))?,
            }
        }
        Ok(())
    }

    /// A folder in which a run came to its end. What it read is added up where its report has no `inventory.parquet`; that
    /// takes longer. `so_far`: the sources that are not of this folder.
    fn run(
        &mut self,
        folder: &Directory,
        inventory: Result<Inventory, InventoryError>,
        so_far: usize,
        sums: &BTreeMap<String, String>,
    ) -> Result<(), Problem> {
        let path = folder.path();
        let inventory = match inventory {
            Ok(inventory) => inventory,
            Err(error) if self.found.sources.len() == so_far => return self.try_to(path, || Err(error.into())),
            Err(error) => {
                let what = format!("{}: its inventory.parquet counts, for {error}", path.display());
                self.remarks.add(path, what);
                return Ok(());
            }
        };
        for remark in saved::remarks(&inventory)? {
            self.remarks.add(path, remark);
        }
        let run = &inventory.closing.run;
        let known = self.found.scanned.entry(run.id.clone()).or_insert_with(|| run.clone());
        if known.end < run.end {
            known.clone_from(run);
        }
        if sums.is_empty() && !inventory.folder().is_same(folder) {
            let what = format!("{} has no whole report (no SHA256SUMS): what its run read counts", path.display());
            self.remarks.add(path, what);
        }
        if self.found.sources[so_far..].iter().any(|source| source.run().id == run.id) {
            return Ok(());
        }
        self.try_to(path, || added(&inventory))
    }

    /// `sums`: those of the report in its folder.
    fn file(
        &mut self,
        path: &Path,
        opened: io::Result<fs::File>,
        sums: &BTreeMap<String, String>,
    ) -> Result<(), Problem> {
        let handle = match opened {
            Ok(handle) => handle,
            Err(source) => return self.try_to(path, || Err(ReadError::Open { path: path.to_owned(), source }.into())),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(said) = sums.get(&*name) {
            // Another table of a report.
            if !is_ours(&name) {
                return Ok(());
            }
            let found = sums::sha256(&handle).map_err(|source| ReadError::Open { path: path.to_owned(), source })?;
            if found != *said {
                return self.try_to(path, || Err(altered(path)));
            }
        }
        match File::open(&handle, path) {
            Err(ReadError::NotOurs { .. }) => {
                self.remarks.add(path, format!("{} is no inventory of bucketlens and is left out", path.display()));
                Ok(())
            }
            opened => {
                if opened.is_ok() && !sums.contains_key(&*name) {
                    let what = "no SHA256SUMS beside it shows whether it is as it was written";
                    self.remarks.add(path, format!("{}: {what}", path.display()));
                }
                self.try_to(path, || Ok(Source::File(opened?)))
            }
        }
    }

    fn try_to(&mut self, path: &Path, open: impl FnOnce() -> Result<Source, Problem>) -> Result<(), Problem> {
        match open() {
            Ok(source) => self.found.sources.push(source),
            Err(problem) if self.allow_partial => self.remarks.add(path, format!("left out: {}", problem.what)),
            Err(problem) => return Err(problem),
        }
        Ok(())
    }
}

/// Whether a report has its inventory under this name.
fn is_ours(name: &str) -> bool {
    Format::Parquet.files().contains(&name)
}

/// Folders in one another that are looked into.
const DEEPEST: usize = 64;

fn unreadable(folder: &Path, error: &io::Error) -> Problem {
    Problem::new(format!("failed to read the folder {}: {error}", folder.display()))
        .with_help("check who can write to it, or leave it out with --allow-partial")
}

fn altered(path: &Path) -> Problem {
    let what = "it was altered after its report was written: its SHA-256 is not that in SHA256SUMS";
    Problem::new(format!("failed to read {}: {what}", path.display()))
        .with_help("make it again with bucketlens report DIR, or leave it out with --allow-partial")
}

fn added(inventory: &Inventory) -> Result<Source, Problem> {
    let closing = &inventory.closing;
    let evaluator = Evaluator::of(&closing.run).knowing(judge::destinations(inventory)?);
    let organization = closing.run.organization_id.as_deref();
    let mut aggregator = Aggregator::new(&closing.run.extras).of_organization(organization);
    for account in inventory.accounts() {
        for record in inventory.buckets(account)? {
            let record = record?;
            aggregator.push(account, &record, &evaluator.evaluate(&record));
        }
    }
    let metrics = aggregator.finish(inventory.accounts())?;
    let (run, coverage, accounts) = (closing.run.clone(), closing.coverage.clone(), closing.accounts.clone());
    Ok(Source::Added { run, coverage, accounts, metrics })
}
