//! The output folder: opened before the scan, written at its end.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::run_folder::{self, Access, Directory, Kind, Temporary};

/// A folder that exists and can be written. Folders that were made for it and stayed empty go when it is dropped.
#[derive(Debug)]
pub struct Folder {
    directory: Directory,
    _made: Made,
}

/// Folders that were not there, the deepest first.
#[derive(Debug)]
struct Made(Vec<PathBuf>);

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
    /// Something else stands where the report is to write a file or a folder.
    #[error("open the output folder {}: {name} in it is {}", folder.display(), kind.as_str())]
    Taken { folder: PathBuf, name: String, kind: Kind },
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
    pub fn open(path: &Path, access: Access) -> Result<Self, FolderError> {
        let missing = path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        let made = Made(missing.map(Path::to_owned).collect());
        let proof = || {
            run_folder::create_named(path, access)?;
            let directory = Directory::open(path)?.with_access(access);
            directory.temporary(".bucketlens-")?.write_all(b"bucketlens was here")?;
            Ok(directory)
        };
        match proof() {
            Ok(directory) => Ok(Self { directory, _made: made }),
            Err(error) => Err(FolderError::new(path, error)),
        }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The same folder, for another use of it.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { directory: self.directory.clone(), _made: Made(Vec::new()) }
    }

    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// A file in the making: it has no name of its own until [`Finished::publish`], and is gone when dropped before.
    pub fn create(&self, name: &'static str) -> io::Result<Draft> {
        draft(&self.directory, name)
    }
}

/// The same for a folder that is open.
pub(super) fn draft(folder: &Directory, name: &'static str) -> io::Result<Draft> {
    let file = folder.temporary(&format!(".{name}-")).map_err(|error| named(name, &error))?;
    Ok(Draft { name, folder: folder.clone(), file, digest: Sha256::new() })
}

/// A file for what is to stand in this one later; nobody sees it.
pub(super) fn scratch(folder: &Directory, name: &'static str) -> io::Result<File> {
    folder.temporary(&format!(".{name}-")).and_then(Temporary::into_file).map_err(|error| named(name, &error))
}

impl Drop for Made {
    fn drop(&mut self) {
        // Only empty folders can be removed; the first that is not ends it, and that is as it should be.
        let _ = self.0.iter().try_for_each(fs::remove_dir);
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
    folder: Directory,
    file: Temporary,
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
        self.file.file().sync_all().map_err(|error| named(self.name, &error))?;
        let sha256 = hexadecimal(&self.digest.finalize());
        Ok(Finished { name: self.name.into(), folder: self.folder, file: self.file, sha256 })
    }
}

/// A file with all its content and without its name.
#[derive(Debug)]
pub struct Finished {
    name: Cow<'static, str>,
    folder: Directory,
    file: Temporary,
    sha256: String,
}

impl Finished {
    /// Below the folder, with `/` between what is above it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Under another name than the one it was made with, which was not known then.
    #[must_use]
    pub fn named(self, name: String) -> Self {
        Self { name: name.into(), ..self }
    }

    /// In lower-case hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Gives it its name, in place of a file that has it.
    pub fn publish(self) -> io::Result<()> {
        let publish = || {
            let (folder, name) = self.folder.made_beneath(Path::new(&*self.name))?;
            self.file.publish(&folder, &name)
        };
        publish().map_err(|error| named(&self.name, &error))
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
        let folder = Folder::open(&path, Access::Private).expect("made");
        assert!(path.is_dir());
        assert_eq!(fs::read_dir(&path).expect("readable").count(), 0, "the proof leaves nothing");
        drop(folder);
        assert!(!space.path().join("a").exists());
        assert!(space.path().exists());
    }

    #[test]
    fn a_folder_that_was_there_stays() {
        let space = space();
        drop(Folder::open(space.path(), Access::Private).expect("there"));
        assert!(space.path().is_dir());
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let space = space();
        let file = space.path().join("file");
        fs::write(&file, "mine").expect("written");
        for path in [file.clone(), file.join("deeper/still")] {
            let error = Folder::open(&path, Access::Private).expect_err("a file is in the way");
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
        let folder = Folder::open(space.path(), Access::Private).expect("there");
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

    #[test]
    fn a_report_can_be_read_by_others_only_where_that_is_asked_for() {
        use std::os::unix::fs::PermissionsExt;
        let space = space();
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        let written = |name: &str, access| {
            let folder = Folder::open(&space.path().join(name), access).expect("made");
            let finished = folder.create("report.json").and_then(Draft::finish).expect("finished");
            finished.named("deep/report.json".to_owned()).publish().expect("published");
            [name, &format!("{name}/deep"), &format!("{name}/deep/report.json")].map(|it| mode(&space.path().join(it)))
        };
        assert_eq!(written("private", Access::Private), [0o700, 0o700, 0o600]);
        fs::write(space.path().join("other"), "").expect("written");
        fs::create_dir(space.path().join("others")).expect("made");
        let [file, folder] = ["other", "others"].map(|name| mode(&space.path().join(name)));
        assert_eq!(written("public", Access::Umask), [folder, folder, file]);
    }
}
