//! What a run wrote holds nothing else: a report among it would make it unreadable, or go with it.

use std::path::{Path, PathBuf};

use super::{WRITING, WRITTEN};
use crate::cli::Problem;
use crate::inventory::{RUN, START};
use crate::report::Files;
use crate::run_folder::Directory;

/// Below the folder of a report.
const STORAGE_LENS: &str = "StorageLens";

/// Refuses a folder that lies in the inventory of a run, or in its export for Storage Lens; whether it is there yet or not.
pub fn check(out: &Path) -> Result<(), Problem> {
    let place = resolved(out);
    let Some((folder, what)) = place.ancestors().find_map(|folder| Some((folder, of_a_run(folder)?))) else {
        return Ok(());
    };
    let (out, folder) = (out.display(), folder.display());
    Err(Problem::new(format!("failed to open the output folder {out}: it lies in {folder}, {what} of a run"))
        .with_help("choose a folder outside of it with --out DIR"))
}

/// What this folder is to a run.
fn of_a_run(folder: &Path) -> Option<&'static str> {
    let name = folder.file_name()?;
    let above = folder.parent()?;
    let is_inventory_name = |name: &str| name == WRITTEN || name == WRITING;
    let has = |folder: &Directory, name: &str| folder.has_file(name).unwrap_or(false);
    let above = Directory::open(above).ok()?;
    let has_run = [WRITTEN, WRITING].into_iter().any(|name| above.folder(name).is_ok_and(|it| has(&it, START)));
    let is_named = name.to_str().is_some_and(is_inventory_name);
    let is_inventory = || above.folder(name).is_ok_and(|folder| has(&folder, START) && has(&folder, RUN));
    if is_named && has_run || is_inventory() {
        return Some("the inventory");
    }
    let was_written = || Files::written(&above).iter().any(|file| Path::new(file).starts_with(STORAGE_LENS));
    (name == STORAGE_LENS && (has_run || was_written())).then_some("the Storage Lens export")
}

/// Without links and `..` as far as it is there.
fn resolved(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = whole.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    let Some((part, real)) = there else { return whole };
    // What is not there yet stands behind it.
    let rest = whole.strip_prefix(part).unwrap_or(Path::new(""));
    real.components().chain(rest.components()).collect()
}
