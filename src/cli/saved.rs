//! Runs that came to their end, by the folders they left behind.

use std::fmt;
use std::io;
use std::path::Path;

use super::output::{WRITING, WRITTEN};
use super::{Problem, console};
use crate::config::{Config, Filters};
use crate::diff::Kept;
use crate::inventory::{Inventory, RUN};
use crate::model::{AccountId, Region, ScopeOptions};
use crate::run_folder::Directory;

/// The inventory of the run whose output folder this is; the inventory's own folder is taken too.
pub fn open(folder: &Path) -> Result<Inventory, Problem> {
    let problem =
        |what: &dyn fmt::Display| Problem::new(format!("failed to open the run in {}: {what}", folder.display()));
    let folder = Directory::open(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => problem(&"there is no such folder"),
        _ => problem(&error),
    })?;
    let unreadable = |error: io::Error| problem(&error).with_help("check who can write to this folder");
    let Some(inventory) = inventory(&folder).map_err(unreadable)? else {
        return Err(if existing(&folder, WRITING).map_err(unreadable)?.is_some() {
            problem(&"it did not end").with_help("go on with it: bucketlens scan --resume DIR")
        } else {
            problem(&"it holds no inventory").with_help("name the output folder of a scan, which has inventory/ in it")
        });
    };
    let inventory = Inventory::open(inventory)?;
    for remark in remarks(&inventory)? {
        console::note(&remark);
    }
    Ok(inventory)
}

/// The run that another is held against. It is read when that one is through, so what is wrong with it is told now.
pub fn baseline(folder: &Path) -> Result<Inventory, Problem> {
    let inventory = open(folder)?;
    inventory.verify()?;
    Ok(inventory)
}

/// What is to be said of the folder of an inventory, a sentence each.
pub fn remarks(inventory: &Inventory) -> Result<Vec<String>, Problem> {
    let strangers = inventory.strangers()?.into_iter();
    Ok(strangers.map(|path| format!("{} is of no account of its run, and is left out", path.display())).collect())
}

/// The folder in this one with the inventory of a run that came to its end; or this one itself.
pub fn inventory(folder: &Directory) -> io::Result<Option<Directory>> {
    for inventory in existing(folder, WRITTEN)?.into_iter().chain([folder.clone()]) {
        if inventory.has_file(RUN).map_err(|error| named(&inventory.path().join(RUN), &error))? {
            return Ok(Some(inventory));
        }
    }
    Ok(None)
}

/// The folder of this name, if there is one.
pub fn existing(folder: &Directory, name: &str) -> io::Result<Option<Directory>> {
    match folder.folder(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some).map_err(|error| named(&folder.path().join(name), &error)),
    }
}

/// Whether a run wrote to this folder, or something has the name of what it writes.
pub fn has_inventory(folder: &Directory) -> io::Result<bool> {
    Ok(folder.kind(WRITING)?.is_some() || folder.kind(WRITTEN)?.is_some())
}

/// The system's words name no file.
fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// What was to be read, as it was said when the run began.
pub struct Scope {
    filters: Filters,
    /// The options that say how the accounts are found.
    pub discovery: ScopeOptions,
    pub config: Config,
}

pub fn scope(inventory: &Inventory) -> Result<Scope, Problem> {
    let options = inventory.opening()?.scope;
    let config = Config::of_scope(&options).map_err(|what| {
        Problem::new(format!(
            "failed to understand the scope of the run in {}: {what}",
            inventory.folder().path().display()
        ))
    })?;
    let ways = crate::config::options::Way::ALL.map(crate::config::options::Way::option);
    let discovery = options.into_iter().filter(|(option, _)| ways.contains(&option.as_str())).collect();
    Ok(Scope { filters: config.filters.clone(), discovery, config })
}

impl Kept for Scope {
    fn account(&self, id: &AccountId) -> bool {
        self.filters.account(id)
    }

    fn looks_at_units(&self) -> bool {
        self.filters.needs_ou_paths()
    }

    fn bucket(&self, name: &str) -> bool {
        self.filters.bucket(name)
    }

    fn region(&self, region: Option<&Region>) -> bool {
        self.filters.regions.is_empty() || region.is_some_and(|region| self.filters.region(region))
    }
}
