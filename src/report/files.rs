//! All chosen formats as one sink, and the order in which a report takes its place.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use super::changes::TableFormat;
use super::folder::{Finished, named};
use super::{Draft, Folder, FolderError, Format, Sink, Summary, csv, json, parquet, storage_lens, sums};
use crate::evaluate::Evaluation;
use crate::model::{AccountRecord, BucketRecord, Run};
use crate::run_folder::{Directory, Kind, LARGEST_SUMS};
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
    pub fn written(folder: &Directory) -> BTreeSet<String> {
        sums::sums(folder).into_keys().collect()
    }

    /// Opens a temporary file for every file of the formats. A format named twice is written once.
    pub fn open(folder: Folder, formats: &[Format]) -> Result<Self, FolderError> {
        let formats: BTreeSet<Format> = formats.iter().copied().collect();
        let other = |source| FolderError::Other { folder: folder.path().to_owned(), source };
        for name in formats.iter().flat_map(|format| format.files()).copied().chain([SUMS]) {
            if let Some((name, kind)) = taken(folder.directory(), name).map_err(other)? {
                return Err(FolderError::Taken { folder: folder.path().to_owned(), name, kind });
            }
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

/// What stands where the report is to write something else: a name that ends with `/` is that of a folder, in which there
/// must be nothing but folders and files.
fn taken(folder: &Directory, name: &str) -> io::Result<Option<(String, Kind)>> {
    let Some(name) = name.strip_suffix('/') else {
        let kind = folder.kind(name)?.filter(|kind| *kind != Kind::File);
        return Ok(kind.map(|kind| (name.to_owned(), kind)));
    };
    match folder.kind(name)? {
        None => Ok(None),
        Some(Kind::Folder) => strange(&folder.folder(name)?, name, DEEPEST),
        Some(kind) => Ok(Some((name.to_owned(), kind))),
    }
}

/// Folders of an export for Storage Lens, one in the other.
const DEEPEST: usize = 8;

/// Something that is neither a folder nor a file, in this folder or below.
fn strange(folder: &Directory, path: &str, depth: usize) -> io::Result<Option<(String, Kind)>> {
    for entry in folder.entries()? {
        let path = format!("{path}/{}", entry.name.display());
        let found = match entry.kind {
            Kind::Folder if depth > 0 => strange(&folder.folder(&entry.name)?, &path, depth - 1)?,
            // Too deep for any name of a report.
            Kind::File | Kind::Folder => None,
            kind @ (Kind::Link | Kind::Fifo | Kind::Device | Kind::Socket | Kind::Other) => Some((path, kind)),
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
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
        let empty = above.map(|path| {
            let (folder, name) = folder.directory().beneath(path)?;
            folder.remove_folder(name)
        });
        let _ = empty.take_while(Result::is_ok).count();
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
    let old = match folder.directory().read(SUMS, LARGEST_SUMS) {
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
    let removed = folder.directory().beneath(Path::new(name)).and_then(|(folder, name)| folder.remove(name));
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named(name, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
