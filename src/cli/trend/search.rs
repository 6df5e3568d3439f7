//! The runs of a folder, as `trend` finds them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::aggregate::Aggregator;
use crate::cli::output::{WRITING, WRITTEN};
use crate::cli::{Problem, judge, saved};
use crate::dataset::inventory::read::{File, ReadError};
use crate::evaluate::Evaluator;
use crate::inventory::{Inventory, InventoryError};
use crate::model::Run;
use crate::report::{Format, sums};
use crate::trend::Source;

/// Looks for runs in a folder and in those below it.
pub struct Search {
    found: Found,
    allow_partial: bool,
    /// Files of which nothing shows whether they are as they were written.
    unproven: Vec<PathBuf>,
}

/// What was found.
#[derive(Default)]
pub struct Found {
    pub sources: Vec<Source>,
    /// By id, what the inventories of runs say of them.
    pub scanned: BTreeMap<String, Run>,
    /// A sentence each.
    pub remarks: Vec<String>,
}

impl Search {
    pub fn new(allow_partial: bool) -> Self {
        Self { found: Found::default(), allow_partial, unproven: Vec::new() }
    }

    pub fn all(mut self, folder: &Path) -> Result<Found, Problem> {
        self.folder(folder)?;
        let what = "no SHA256SUMS beside it shows whether it is as it was written";
        match self.unproven.as_slice() {
            [] => {}
            [one] => self.found.remarks.push(format!("{}: {what}", one.display())),
            [first, rest @ ..] => {
                let (first, rest) = (first.display(), rest.len());
                self.found.remarks.push(format!("{first} and {rest} more: {what}"));
            }
        }
        Ok(self.found)
    }

    fn folder(&mut self, folder: &Path) -> Result<(), Problem> {
        if folder.is_file() {
            let beside = folder.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            return self.file(folder, &sums::sums(beside));
        }
        let problem =
            |error: io::Error| Problem::new(format!("failed to read the folder {}: {error}", folder.display()));
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(problem)? {
            entries.push(entry.map_err(problem)?.path());
        }
        entries.sort();
        let is_parquet = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "parquet");
        let (files, others): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|path| path.is_file() && is_parquet(path));
        let so_far = self.found.sources.len();
        let sums = sums::sums(folder);
        let inventory = saved::inventory(folder).map(|path| Inventory::open(&path));
        for file in &files {
            // What proves itself goes before what nothing proves.
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            if inventory.is_none() || !is_ours(&name) || sums.contains_key(&*name) {
                self.file(file, &sums)?;
            }
        }
        match inventory {
            Some(inventory) => self.run(folder, inventory, so_far, &sums)?,
            None if self.found.sources.len() == so_far && folder.join(WRITING).is_dir() => {
                self.found.remarks.push(format!("the run in {} did not end and is left out", folder.display()));
            }
            None => {}
        }
        for path in others.into_iter().filter(|path| path.is_dir()) {
            let name = path.file_name().unwrap_or_default();
            if name != WRITTEN && name != WRITING && name != "StorageLens" {
                self.folder(&path)?;
            }
        }
        Ok(())
    }

    /// A folder in which a run came to its end. What it read is added up where its report has no `inventory.parquet`; that
    /// takes longer. `so_far`: the sources that are not of this folder.
    fn run(
        &mut self,
        folder: &Path,
        inventory: Result<Inventory, InventoryError>,
        so_far: usize,
        sums: &BTreeMap<String, String>,
    ) -> Result<(), Problem> {
        let inventory = match inventory {
            Ok(inventory) => inventory,
            Err(error) if self.found.sources.len() == so_far => return self.try_to(|| Err(error.into())),
            Err(error) => {
                let folder = folder.display();
                self.found.remarks.push(format!("{folder}: its inventory.parquet counts, for {error}"));
                return Ok(());
            }
        };
        self.found.remarks.extend(saved::remarks(&inventory)?);
        let run = &inventory.closing.run;
        let known = self.found.scanned.entry(run.id.clone()).or_insert_with(|| run.clone());
        if known.end < run.end {
            known.clone_from(run);
        }
        if sums.is_empty() && inventory.folder() != folder {
            let folder = folder.display();
            self.found.remarks.push(format!("{folder} has no whole report (no SHA256SUMS): what its run read counts"));
        }
        if self.found.sources[so_far..].iter().any(|source| source.run().id == run.id) {
            return Ok(());
        }
        self.try_to(|| added(&inventory))
    }

    /// `sums`: those of the report in its folder.
    fn file(&mut self, path: &Path, sums: &BTreeMap<String, String>) -> Result<(), Problem> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(said) = sums.get(&*name) {
            // Another table of a report.
            if !is_ours(&name) {
                return Ok(());
            }
            let found = sums::sha256(path).map_err(|source| ReadError::Open { path: path.to_owned(), source })?;
            if found != *said {
                return self.try_to(|| Err(altered(path)));
            }
        }
        match File::open(path) {
            Err(ReadError::NotOurs { path }) => {
                self.found.remarks.push(format!("{} is no inventory of bucketlens and is left out", path.display()));
                Ok(())
            }
            opened => {
                if opened.is_ok() && !sums.contains_key(&*name) {
                    self.unproven.push(path.to_owned());
                }
                self.try_to(|| Ok(Source::File(opened?)))
            }
        }
    }

    fn try_to(&mut self, open: impl FnOnce() -> Result<Source, Problem>) -> Result<(), Problem> {
        match open() {
            Ok(source) => self.found.sources.push(source),
            Err(problem) if self.allow_partial => self.found.remarks.push(format!("left out: {}", problem.what)),
            Err(problem) => return Err(problem),
        }
        Ok(())
    }
}

/// Whether a report has its inventory under this name.
fn is_ours(name: &str) -> bool {
    Format::Parquet.files().contains(&name)
}

fn altered(path: &Path) -> Problem {
    let what = "it was altered after its report was written: its SHA-256 is not that in SHA256SUMS";
    Problem::new(format!("failed to read {}: {what}", path.display()))
        .with_help("make it again with bucketlens report DIR, or leave it out with --allow-partial")
}

fn added(inventory: &Inventory) -> Result<Source, Problem> {
    let closing = &inventory.closing;
    let evaluator = Evaluator::of(&closing.run).knowing(judge::destinations(inventory)?);
    let mut aggregator = Aggregator::new(&closing.run.extras);
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
