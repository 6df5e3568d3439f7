//! A file in the making: it has a name that nobody waits for, and is gone when dropped before it is published.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};

use super::Directory;

#[derive(Debug)]
pub struct Temporary {
    file: File,
    folder: Directory,
    /// `None` once it has another.
    name: Option<OsString>,
}

/// Of a temporary file's name, behind what is by chance.
pub const SUFFIX: &str = ".tmp";

impl Temporary {
    pub(super) fn create(folder: &Directory, prefix: &str) -> io::Result<Self> {
        /// So many names are never all taken by chance.
        const TRIES: usize = 100;
        let mut tries = 0;
        loop {
            let chance: String = std::iter::repeat_with(fastrand::alphanumeric).take(8).collect();
            let name = OsString::from(format!("{prefix}{chance}{SUFFIX}"));
            match folder.create_new(&name) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < TRIES => tries += 1,
                file => return Ok(Self { file: file?, folder: folder.clone(), name: Some(name) }),
            }
        }
    }

    pub fn file(&self) -> &File {
        &self.file
    }

    /// Without any name: it is gone when it is closed.
    pub fn into_file(mut self) -> io::Result<File> {
        let name = self.name.take();
        name.map_or(Ok(()), |name| self.folder.remove(name))?;
        self.file.try_clone()
    }

    /// Gives it its name, in place of a file that has it.
    pub fn publish(mut self, folder: &Directory, name: &OsStr) -> io::Result<()> {
        let own = self.name.take().unwrap_or_default();
        let renamed = self.folder.rename_to(&own, folder, name);
        if renamed.is_err() {
            self.name = Some(own);
        }
        renamed
    }
}

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(name) = self.name.take() {
            // One that cannot be removed does no harm, and is removed by the next run.
            let _ = self.folder.remove(name);
        }
    }
}
