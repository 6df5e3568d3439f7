//! The output folder: opened before the scan, written at its end.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

/// A folder that exists and can be written. Folders that were made for it and stayed empty go when it is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The deepest first.
    made: Vec<PathBuf>,
}

/// Why there is no folder to write to.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("open the output folder {}: {} is a file", folder.display(), file.display())]
    File { folder: PathBuf, file: PathBuf },
    #[error("open the output folder {}: permission denied", folder.display())]
    Denied { folder: PathBuf },
    #[error("open the output folder {}: its file system is read-only", folder.display())]
    ReadOnly { folder: PathBuf },
    #[error("open the output folder {}: no space is left", folder.display())]
    Full { folder: PathBuf },
    /// A folder stands where the report is to write a file.
    #[error("open the output folder {}: {name} in it is a folder", folder.display())]
    Taken { folder: PathBuf, name: &'static str },
    #[error("open the output folder {}: {source}", folder.display())]
    Other { folder: PathBuf, source: io::Error },
}

impl FolderError {
    fn new(folder: &Path, source: io::Error) -> Self {
        // The kind of the error differs by system and by how far down the file is; what stands there does not.
        if let Some(file) = folder.ancestors().find(|path| path.exists()).filter(|path| !path.is_dir()) {
            return Self::File { folder: folder.to_owned(), file: file.to_owned() };
        }
        let folder = folder.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied => Self::Denied { folder },
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { folder },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { folder },
            _ => Self::Other { folder, source },
        }
    }
}

impl Folder {
    /// Makes the folder and those above it where they are missing, and proves that a file can be written there.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let missing = path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        let folder = Self { path: path.to_owned(), made: missing.map(Path::to_owned).collect() };
        let proof = fs::create_dir_all(path)
            .and_then(|()| temporary(path, ".bucketlens-"))
            .and_then(|mut file| file.write_all(b"bucketlens was here"));
        match proof {
            Ok(()) => Ok(folder),
            Err(error) => Err(FolderError::new(path, error)),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in the making: it has no name of its own until [`Finished::publish`], and is gone when dropped before.
    pub fn create(&self, name: &'static str) -> io::Result<Draft> {
        draft(&self.path, name)
    }
}

/// The same for a folder that is open.
pub(super) fn draft(folder: &Path, name: &'static str) -> io::Result<Draft> {
    let file = temporary(folder, &format!(".{name}-")).map_err(|error| named(name, &error))?;
    Ok(Draft { name, path: folder.join(name), file, digest: Sha256::new() })
}

/// A file for what is to stand in this one later; nobody sees it.
pub(super) fn scratch(folder: &Path, name: &'static str) -> io::Result<File> {
    temporary(folder, &format!(".{name}-")).map(NamedTempFile::into_file).map_err(|error| named(name, &error))
}

fn temporary(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(".tmp");
    // Temporary files are private by default; a report is as readable as any file its user makes (umask).
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Only empty folders can be removed; the first that is not ends it, and that is as it should be.
        let _ = self.made.iter().try_for_each(fs::remove_dir);
    }
}

/// What failed, with the file it failed for: the system's words name none.
pub(super) fn named(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{name}: {error}"))
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// A file of the report while it is written. Not buffered.
#[derive(Debug)]
pub struct Draft {
    name: &'static str,
    path: PathBuf,
    file: NamedTempFile,
    digest: Sha256,
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes).map_err(|error| named(self.name, &error))?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush().map_err(|error| named(self.name, &error))
    }
}

impl Draft {
    /// The end of its content, which is on the disk when this returns.
    pub fn finish(self) -> io::Result<Finished> {
        self.file.as_file().sync_all().map_err(|error| named(self.name, &error))?;
        let sha256 = hexadecimal(&self.digest.finalize());
        Ok(Finished { name: self.name.into(), path: self.path, file: self.file, sha256 })
    }
}

/// A file with all its content and without its name.
#[derive(Debug)]
pub struct Finished {
    name: Cow<'static, str>,
    path: PathBuf,
    file: NamedTempFile,
    sha256: String,
}

impl Finished {
    /// Below the folder, with `/` between what is above it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Under another name than the one it was made with, which was not known then.
    #[must_use]
    pub fn named(self, folder: &Folder, name: String) -> Self {
        Self { path: folder.path.join(&name), name: name.into(), ..self }
    }

    /// In lower-case hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Gives it its name, in place of a file that has it.
    pub fn publish(self) -> io::Result<()> {
        if let Some(above) = self.path.parent() {
            fs::create_dir_all(above).map_err(|error| named(&self.name, &error))?;
        }
        self.file.persist(&self.path).map_err(|error| named(&self.name, &error.error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    #[test]
    fn a_folder_is_made_with_those_above_it_and_goes_if_it_stays_empty() {
        let space = space();
        let path = space.path().join("a/b");
        let folder = Folder::open(&path).expect("made");
        assert!(path.is_dir());
        assert_eq!(fs::read_dir(&path).expect("readable").count(), 0, "the proof leaves nothing");
        drop(folder);
        assert!(!space.path().join("a").exists());
        assert!(space.path().exists());
    }

    #[test]
    fn a_folder_that_was_there_stays() {
        let space = space();
        drop(Folder::open(space.path()).expect("there"));
        assert!(space.path().is_dir());
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let space = space();
        let file = space.path().join("file");
        fs::write(&file, "mine").expect("written");
        for path in [file.clone(), file.join("deeper/still")] {
            let error = Folder::open(&path).expect_err("a file is in the way");
            assert!(matches!(&error, FolderError::File { file: named, .. } if *named == file), "{error}");
            assert!(error.to_string().ends_with("file is a file"), "{error}");
        }
        assert_eq!(fs::read_to_string(&file).expect("untouched"), "mine");
    }

    #[test]
    fn the_systems_refusals_have_words() {
        let space = space();
        let words = |kind| FolderError::new(space.path(), io::Error::from(kind)).to_string();
        assert!(words(io::ErrorKind::PermissionDenied).ends_with("permission denied"));
        assert!(words(io::ErrorKind::ReadOnlyFilesystem).ends_with("its file system is read-only"));
        assert!(words(io::ErrorKind::StorageFull).ends_with("no space is left"));
        assert!(words(io::ErrorKind::TimedOut).ends_with("timed out"));
    }

    #[test]
    fn a_draft_has_no_name_until_it_is_published() {
        let space = space();
        let folder = Folder::open(space.path()).expect("there");
        let mut draft = folder.create("report.json").expect("created");
        draft.write_all(b"abc").expect("written");
        let finished = draft.finish().expect("finished");
        assert_eq!(finished.sha256(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(!space.path().join("report.json").exists());
        finished.publish().expect("renamed");
        assert_eq!(fs::read_to_string(space.path().join("report.json")).expect("there"), "abc");
        drop(folder.create("report.json").expect("created"));
        assert_eq!(fs::read_dir(space.path()).expect("readable").count(), 1, "a dropped draft is gone");
    }

    #[cfg(unix)]
    #[test]
    fn a_report_is_as_readable_as_other_files_of_its_user() {
        use std::os::unix::fs::PermissionsExt;
        let space = space();
        let mode = |name: &str| fs::metadata(space.path().join(name)).expect("there").permissions().mode() & 0o777;
        fs::write(space.path().join("other"), "").expect("written");
        let folder = Folder::open(space.path()).expect("there");
        folder.create("report.json").and_then(Draft::finish).and_then(Finished::publish).expect("published");
        assert_eq!(mode("report.json"), mode("other"));
    }
}
