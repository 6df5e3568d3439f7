//! Runs that came to their end, by the folders they left behind.

use std::path::{Path, PathBuf};

use super::Problem;
use super::output::{WRITING, WRITTEN};
use crate::config::{Config, Filters};
use crate::diff::Kept;
use crate::inventory::{Inventory, RUN};
use crate::model::{AccountId, Region, ScopeOptions};
use crate::report::harmless;

/// The inventory of the run whose output folder this is; the inventory's own folder is taken too.
pub fn open(folder: &Path) -> Result<Inventory, Problem> {
    let problem = |what: &str| Problem::new(format!("failed to open the run in {}: {what}", folder.display()));
    let Some(inventory) = inventory(folder) else {
        return Err(if folder.join(WRITING).is_dir() {
            problem("it did not end").with_help("go on with it: bucketlens scan --resume DIR")
        } else if folder.exists() {
            problem("it holds no inventory").with_help("name the output folder of a scan, which has inventory/ in it")
        } else {
            problem("there is no such folder")
        });
    };
    let inventory = Inventory::open(&inventory)?;
    for remark in remarks(&inventory)? {
        eprintln!("note: {}", harmless(&remark));
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

/// Where in this folder the inventory of a run stands that came to its end.
pub fn inventory(folder: &Path) -> Option<PathBuf> {
    [folder.join(WRITTEN), folder.to_owned()].into_iter().find(|folder| folder.join(RUN).is_file())
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
        Problem::new(format!("failed to understand the scope of the run in {}: {what}", inventory.folder().display()))
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
