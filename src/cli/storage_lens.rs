//! `bucketlens storage-lens`: reads an export of S3 Storage Lens through its manifest, and holds it against a run. Nothing
//! is asked of any bucket but the one in which the export stands, and only where it is named as `s3://...`.
//!
//! - [`source`]: files and objects by name; [`find`]: from a path to the manifest;
//! - [`mod@read`], [`compare`]: the two commands; [`show`]: what is printed.

mod compare;
mod find;
pub mod options;
mod read;
mod show;
mod source;

use self::find::Found;
use self::options::{Order, Task};
use self::source::{Source, SourceError};
use super::Problem;
use crate::aws::http::Network;
use crate::dataset::storage_lens::intake::{Intake, Taken};
use crate::dataset::storage_lens::sorted;
use crate::exit::Exit;
use crate::storage_lens::{Manifest, Metric, RecordType, ReportFormat};

pub async fn run(order: &Order, network: &Network) -> Result<Exit, Problem> {
    match &order.task {
        Task::Read => read::run(order, network).await,
        Task::Compare(run) => compare::run(order, run, network).await,
    }
}

/// An export that was taken in.
struct Export {
    found: Found,
    manifest: Manifest,
    taken: Taken,
}

/// Finds the export, checks its files and takes in what they say of buckets.
async fn take(order: &Order, network: &Network, metrics: &[Metric], by: sorted::Order) -> Result<Export, Problem> {
    let source = Source::open(order, network).await?;
    let found = find::find(&source, order).await?;
    let shown = source.shown(&found.manifest);
    let bytes = source.manifest(&found).await.map_err(|error| no_manifest(&shown, &error))?;
    let manifest = Manifest::read(&bytes).map_err(|error| {
        Problem::new(format!("failed to read the export {shown}: {error}"))
            .with_help("name the manifest.json of an export to a general purpose bucket, or a folder above it")
    })?;
    source.check_size(&manifest)?;
    let mut intake = Intake::new(&manifest, metrics, by);
    for file in &manifest.report_files {
        intake.part(file, source.report(&found, file).await?).map_err(|error| disk(&error))?;
    }
    if ReportFormat::ALL.into_iter().any(|format| format.config_id() == manifest.config_id) {
        intake.coverage(source.coverage(&found).await?).map_err(|error| disk(&error))?;
    }
    let taken = intake.finish().map_err(|error| disk(&error))?;
    let sentences = taken.problems.sentences();
    if !sentences.is_empty() && !order.allow_partial {
        return Err(Problem::new(format!("the export {shown} is not whole: {}", sentences.join("; ")))
            .with_help("have it written again or copied again, or read what can be read with --allow-partial"));
    }
    if taken.counts.rows == 0 && sentences.is_empty() {
        return Err(Problem::new(format!("the export {shown} is empty: its report files hold no row"))
            .with_help("choose another day, or look at the configuration of S3 Storage Lens"));
    }
    Ok(Export { found, manifest, taken })
}

fn no_manifest(shown: &str, error: &SourceError) -> Problem {
    Problem::new(format!("failed to read the manifest {shown}: {error}"))
        .with_help("name a manifest.json, or a folder above one")
}

fn disk(error: &std::io::Error) -> Problem {
    Problem::new(format!("failed to sort the buckets of the export: {error}"))
        .with_help("free space where temporary files are written, or set TMPDIR to another folder")
}

/// An export without any row of a metric says nothing about it.
fn must_have(export: &Export, metric: Metric) -> Result<(), Problem> {
    if export.taken.counts.metrics[metric.index()] > 0 || !export.taken.problems.is_empty() {
        return Ok(());
    }
    let (bucket, name) = (RecordType::Bucket.as_str(), metric.name());
    Err(Problem::new(format!("the export has no {bucket} row of {name}: nothing can be said about MFA delete"))
        .with_help("export bucket-level metrics, or scan with bucketlens scan"))
}
