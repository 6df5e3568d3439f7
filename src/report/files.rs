//! All chosen formats as one sink, and the order in which a report takes its place.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::changes::TableFormat;
use super::folder::{Finished, named};
use super::{Draft, Folder, FolderError, Format, Sink, Summary, csv, json, parquet, storage_lens, sums};
use crate::evaluate::Evaluation;
use crate::model::{AccountRecord, BucketRecord, Run};
use crate::storage_lens::{ReportFormat, place};

/// The file that makes a folder a report.
pub(super) const SUMS: &str = "SHA256SUMS";

/// One format's files in the making.
pub(super) trait Writer {
    /// See [`Sink::begin`].
    fn begin(&mut self, _: &Run) -> io::Result<()> {
        Ok(())
    }

    fn bucket(&mut self, account: &AccountRecord, record: &BucketRecord, evaluation: &Evaluation) -> io::Result<()>;
    fn finish(self: Box<Self>, summary: &Summary<'_>, folder: &Folder) -> io::Result<Vec<Finished>>;
}

/// The files of a report. Everything is written to temporary files first; what was in the folder stays whole until
/// all of them are, and from then on there are only renames.
pub struct Files {
    // Dropped in this order: the folder can go only when the temporary files have.
    writers: Vec<Box<dyn Writer>>,
    formats: BTreeSet<Format>,
    /// What is different from the baseline, where there is one.
    comparison: Vec<Finished>,
    folder: Folder,
}

impl Files {
    /// The names in the SHA256SUMS of a folder; none where that cannot be read.
    pub fn written(folder: &Path) -> BTreeSet<String> {
        sums::sums(folder).into_keys().collect()
    }

    /// Opens a temporary file for every file of the formats. A format named twice is written once.
    pub fn open(folder: Folder, formats: &[Format]) -> Result<Self, FolderError> {
        let formats: BTreeSet<Format> = formats.iter().copied().collect();
        let mut names = formats.iter().flat_map(|format| format.files()).copied().chain([SUMS]);
        if let Some(name) = names.find(|name| is_taken(&folder, name)) {
            return Err(FolderError::Taken { folder: folder.path().to_owned(), name });
        }
        let open = |format| -> io::Result<Box<dyn Writer>> {
            Ok(match format {
                Format::Csv => Box::new(csv::Report::create(&folder)?),
                Format::Json => Box::new(json::Report::create(&folder)?),
                Format::Parquet => Box::new(parquet::Report::create(&folder)?),
                Format::StorageLensCsv => Box::new(storage_lens::long(&folder, ReportFormat::Csv)?),
                Format::StorageLensParquet => Box::new(storage_lens::long(&folder, ReportFormat::Parquet)?),
                Format::StorageLensTables => Box::new(storage_lens::Wide::create(&folder)?),
            })
        };
        let writers = formats.iter().copied().map(open).collect::<io::Result<_>>();
        match writers {
            Ok(writers) => Ok(Self { writers, formats, comparison: Vec::new(), folder }),
            Err(source) => Err(FolderError::Other { folder: folder.path().to_owned(), source }),
        }
    }

    /// The files for the comparison with a baseline, in the formats that were asked for.
    pub fn begin_comparison(&self) -> io::Result<Vec<(TableFormat, Draft)>> {
        let files = self.formats.iter().filter_map(|format| format.of_baseline());
        files.map(|(name, format)| Ok((format, self.folder.create(name)?))).collect()
    }

    /// They become part of the report.
    pub fn add_comparison(&mut self, files: Vec<Finished>) {
        self.comparison = files;
    }
}

impl Sink for Files {
    fn begin(&mut self, run: &Run) -> io::Result<()> {
        self.writers.iter_mut().try_for_each(|writer| writer.begin(run))
    }

    fn bucket(&mut self, account: &AccountRecord, record: &BucketRecord, evaluation: &Evaluation) -> io::Result<()> {
        self.writers.iter_mut().try_for_each(|writer| writer.bucket(account, record, evaluation))
    }

    fn finish(self: Box<Self>, summary: &Summary<'_>) -> io::Result<()> {
        let Self { writers, comparison: mut files, folder, .. } = *self;
        for writer in writers {
            files.extend(writer.finish(summary, &folder)?);
        }
        publish(&folder, files)
    }
}

/// Whether something else stands where the report is to write: a folder where a file is to be, or a file where a folder
/// is to be, whose name ends with `/`.
fn is_taken(folder: &Folder, name: &str) -> bool {
    match name.strip_suffix('/') {
        Some(name) => folder.path().join(name).exists() && !folder.path().join(name).is_dir(),
        None => folder.path().join(name).is_dir(),
    }
}

fn publish(folder: &Folder, mut files: Vec<Finished>) -> io::Result<()> {
    files.sort_by(|a, b| a.name().cmp(b.name()));
    let mut sums = folder.create(SUMS)?;
    sums.write_all(sums_of(&files).as_bytes())?;
    let sums = sums.finish()?;
    let stale = stale(folder, &files)?;
    // From here to the last rename the folder holds no complete report, and says so by having no SHA256SUMS.
    remove(folder, SUMS)?;
    for name in stale {
        remove(folder, &name)?;
        // The folders that were made for it, as far up as nothing else is in them.
        let above = Path::new(&name).ancestors().skip(1).filter(|path| !path.as_os_str().is_empty());
        let _ = above.map(|path| fs::remove_dir(folder.path().join(path))).take_while(Result::is_ok).count();
    }
    // A manifest speaks of files that are there.
    let (manifests, files): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| file.name().ends_with(place::MANIFEST));
    for file in files.into_iter().chain(manifests) {
        file.publish()?;
    }
    sums.publish()
}

/// As `sha256sum` writes and checks it.
fn sums_of(files: &[Finished]) -> String {
    let line = |file: &Finished| [file.sha256(), "  ", file.name(), "\n"].concat();
    files.iter().map(line).collect()
}

/// The files of an earlier report that this one does not replace. Only what its SHA256SUMS names is touched, and of
/// that only names that some format of ours has.
fn stale(folder: &Folder, files: &[Finished]) -> io::Result<Vec<String>> {
    let old = match fs::read(folder.path().join(SUMS)) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(named(SUMS, &error)),
    };
    let listed: BTreeSet<&str> = old.lines().filter_map(sums::listed).map(|(_, name)| name).collect();
    let ours =
        |name: &str| Format::ALL.into_iter().flat_map(Format::files).any(|it| *it == name) || place::is_ours(name);
    let replaced = |name: &str| files.iter().any(|file| file.name() == name);
    Ok(listed.into_iter().filter(|name| ours(name) && !replaced(name)).map(str::to_owned).collect())
}

fn remove(folder: &Folder, name: &str) -> io::Result<()> {
    match fs::remove_file(folder.path().join(name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(name, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
