//! The folders of runs, which this program does not trust: whoever can write to a folder must not decide which other
//! files bucketlens reads, overwrites or removes.
//!
//! - A path that the user typed is opened as it is, symbolic links included ([`Directory::open`], [`file_named`]).
//! - Everything inside is reached by one name at a time, beneath an open handle. Symbolic links, FIFOs, devices and
//!   sockets are refused, and a name that would lead elsewhere is no name ([`Refused`]).
//! - A file is looked at before it is opened and again when it is open, so that one that is exchanged in between is
//!   refused too. A FIFO does not block.
//! - A file is written only where it has no second name (hard link). New files have a name of their own until they are
//!   whole ([`Temporary`]).
//! - Files that are read as a whole have a largest size, and so has a line.

mod directory;
mod refused;
mod temporary;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

pub use directory::{Directory, Entry, Kind};
pub use refused::Refused;
pub use temporary::Temporary;

/// The largest `start.json` or `run.json`: they have a record for each account.
pub const LARGEST_RECORD: u64 = 512 << 20;
/// The largest `SHA256SUMS`: it has a line for each file of a report.
pub const LARGEST_SUMS: u64 = 4 << 20;
/// The longest line of a segment: the settings of one bucket.
pub const LONGEST_LINE: u64 = 64 << 20;
/// The largest segment: an account with a million buckets has less.
pub const LARGEST_SEGMENT: u64 = 32 << 30;

/// Who can read what is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Only the user who runs the program.
    #[default]
    Private,
    /// Whoever the umask allows.
    Umask,
}

impl Access {
    pub fn of(public_files: bool) -> Self {
        if public_files { Self::Umask } else { Self::Private }
    }

    fn file_mode(self) -> Mode {
        Mode::from_raw_mode(match self {
            Self::Private => 0o600,
            Self::Umask => 0o666,
        })
    }

    fn directory_mode(self) -> Mode {
        Mode::from_raw_mode(match self {
            Self::Private => 0o700,
            Self::Umask => 0o777,
        })
    }
}

/// Makes a folder that the user named, and those above it that are missing.
pub fn create_named(path: &Path, access: Access) -> io::Result<()> {
    let mode = match access {
        Access::Private => 0o700,
        Access::Umask => 0o777,
    };
    DirBuilder::new().recursive(true).mode(mode).create(path)
}

/// Opens a file that the user named. Links are followed; what is no regular file is refused, and does not block.
pub fn file_named(path: &Path) -> io::Result<File> {
    // A device may do something as soon as it is opened.
    if let Some(refused) = Kind::of_named(path)?.not_a_file() {
        return Err(refused.into());
    }
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    match Kind::of_file(&file)?.not_a_file() {
        Some(refused) => Err(refused.into()),
        None => Ok(file),
    }
}

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino() })
    }

    /// The file once more, which must be the same one.
    pub fn reopen(self, path: &Path) -> io::Result<File> {
        let file = file_named(path)?;
        if Self::of(&file)? == self { Ok(file) } else { Err(Refused::Replaced.into()) }
    }
}

/// A file must be no larger than this.
pub fn check_size(file: &File, largest: u64) -> io::Result<()> {
    if file.metadata()?.len() > largest { Err(Refused::TooLarge(largest).into()) } else { Ok(()) }
}

/// A file that is open must still have a name: what is written to another one is lost.
pub fn check_there(file: &File) -> io::Result<()> {
    if file.metadata()?.nlink() == 0 { Err(Errno::NOENT.into()) } else { Ok(()) }
}

/// Reads the rest of a file that must be no larger than this.
pub fn read_all(file: &File, largest: u64) -> io::Result<Vec<u8>> {
    check_size(file, largest)?;
    let mut bytes = Vec::new();
    file.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest { Err(Refused::TooLarge(largest).into()) } else { Ok(bytes) }
}

/// Reads a line with its end into `line`, which is emptied first; returns its length, 0 at the end of the file.
pub fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    line.clear();
    let length = reader.take(LONGEST_LINE).read_until(b'\n', line)?;
    if length as u64 == LONGEST_LINE && line.last() != Some(&b'\n') {
        return Err(Refused::LongLine(LONGEST_LINE).into());
    }
    Ok(length)
}

#[cfg(test)]
mod tests;
