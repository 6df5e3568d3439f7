//! Exports of S3 Storage Lens: ours, read with other eyes; AWS's, read by us; both held against a scan.

mod bucket;
mod compare;
mod coverage;
mod download;
mod export;
mod import;
mod organization;
mod s3;
mod texts;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{Cli, Ran, Sim, copy, files};

const FORMATS: &str = "csv,json,storage-lens-csv,storage-lens-parquet,storage-lens-tables";

/// The management account of fixtures/orgs/demo.json, with whose keys the demo scans.
const MANAGEMENT: &str = "104217683095";

/// Of fixtures/orgs/minimal.json.
const OWNER: &str = "111122223333";

/// The exports that `fixtures/storage-lens/make.py` wrote.
fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/storage-lens/daily")
}

/// The folder of one of them.
fn dashboard(format: &str) -> PathBuf {
    fixture().join("StorageLens").join(OWNER).join(format!("dashboard-{format}"))
}

/// The one file whose name ends so.
#[track_caller]
fn only(folder: &Path, end: &str) -> PathBuf {
    let found: Vec<String> = files(folder).into_iter().filter(|name| name.ends_with(end)).collect();
    let [name] = found.as_slice() else { panic!("{end}: {found:?}") };
    folder.join(name)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("readable")).expect("JSON")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

fn lens(command: &str, path: &Path, more: &[&str]) -> Ran {
    Cli::new(["storage-lens", command, text(path)].into_iter().chain(more.iter().copied())).run()
}

/// A scan of the minimal organization's only account, which has three buckets and nothing unknown.
fn minimal() -> Ran {
    let simulator = Sim::json(include_str!("../../fixtures/orgs/minimal.json"));
    let arguments = ["scan", "--out", "out", "--format", FORMATS, "--fail-on", "none"];
    Cli::new(arguments).at(&simulator.endpoint, OWNER).run().expect(0)
}

/// A scan of the demo's organization, where everything happens once.
fn demo() -> Ran {
    Cli::new(["demo", "--out", "out", "--format", FORMATS]).run().expect(0)
}
