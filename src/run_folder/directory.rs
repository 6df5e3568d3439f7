//! A folder that is open, and what is in it by name.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, mkdirat, openat, renameat, stat, statat, unlinkat};
use rustix::io::Errno;

use super::{Access, Refused, Temporary, read_all};

/// What stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    File,
    Folder,
    Link,
    Fifo,
    Device,
    Socket,
    Other,
}

impl Kind {
    /// Of a file that is open.
    pub(super) fn of_file(file: &File) -> io::Result<Self> {
        Ok(Self::of(FileType::from_raw_mode(fstat(file)?.st_mode)))
    }

    /// Of what the user named; links are followed.
    pub(super) fn of_named(path: &Path) -> io::Result<Self> {
        Ok(Self::of(FileType::from_raw_mode(stat(path)?.st_mode)))
    }

    fn of(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Folder,
            FileType::Symlink => Self::Link,
            FileType::Fifo => Self::Fifo,
            FileType::CharacterDevice | FileType::BlockDevice => Self::Device,
            FileType::Socket => Self::Socket,
            FileType::Unknown => Self::Other,
        }
    }

    /// Why it is not read as a file.
    pub fn not_a_file(self) -> Option<Refused> {
        match self {
            Self::File => None,
            Self::Folder => Some(Refused::Folder),
            Self::Link => Some(Refused::Link),
            Self::Fifo => Some(Refused::Fifo),
            Self::Device => Some(Refused::Device),
            Self::Socket => Some(Refused::Socket),
            Self::Other => Some(Refused::Other),
        }
    }

    /// With its article.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "a file",
            Self::Folder => "a folder",
            Self::Link => "a symbolic link",
            Self::Fifo => "a FIFO",
            Self::Device => "a device",
            Self::Socket => "a socket",
            Self::Other => "no file",
        }
    }
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub name: OsString,
    pub kind: Kind,
}

/// An open folder. It stays this folder, whatever becomes of its name.
#[derive(Debug, Clone)]
pub struct Directory {
    handle: Arc<OwnedFd>,
    /// For messages, and for what the user named.
    path: PathBuf,
    access: Access,
}

/// Of everything that is opened inside.
const INSIDE: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

impl Directory {
    /// A folder that the user named; links on the way are followed.
    pub fn open(path: &Path) -> io::Result<Self> {
        let folder = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags = OFlags::DIRECTORY | OFlags::NONBLOCK;
        let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(folder)?;
        Ok(Self { handle: Arc::new(file.into()), path: path.to_owned(), access: Access::Private })
    }

    /// The folder in which a file stands that the user named, and the file's name.
    pub fn of_file(path: &Path) -> io::Result<(Self, OsString)> {
        let name = path.file_name().ok_or(Refused::Folder)?;
        Ok((Self::open(path.parent().unwrap_or(Path::new("")))?, name.to_owned()))
    }

    /// Who can read what is created in it from now on.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What stands under this name; `None` where nothing does.
    pub fn kind(&self, name: impl AsRef<OsStr>) -> io::Result<Option<Kind>> {
        match statat(&*self.handle, plain(name.as_ref())?, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Kind::of(FileType::from_raw_mode(stat.st_mode)))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a regular file has this name; what else has it is refused.
    pub fn has_file(&self, name: impl AsRef<OsStr>) -> io::Result<bool> {
        match self.kind(name)? {
            None => Ok(false),
            Some(kind) => kind.not_a_file().map_or(Ok(true), |refused| Err(refused.into())),
        }
    }

    /// Whether a folder has this name; what else has it is refused.
    pub fn has_folder(&self, name: impl AsRef<OsStr>) -> io::Result<bool> {
        match self.kind(name)? {
            None => Ok(false),
            Some(Kind::Folder) => Ok(true),
            Some(kind) => Err(kind.not_a_file().unwrap_or(Refused::File).into()),
        }
    }

    /// A folder in this one.
    pub fn folder(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        let name = plain(name.as_ref())?;
        if !self.has_folder(name)? {
            return Err(io::ErrorKind::NotFound.into());
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | INSIDE;
        let handle = openat(&*self.handle, name, flags, Mode::empty()).map_err(exchanged)?;
        Ok(Self { handle: Arc::new(handle), path: self.path.join(name), access: self.access })
    }

    /// Makes a folder, whose name must be free.
    pub fn create_folder(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        let name = plain(name.as_ref())?;
        mkdirat(&*self.handle, name, self.access.directory_mode())?;
        self.folder(name)
    }

    /// The folder in which a file of this name stands, which may have `/` in it, and the last part of the name.
    pub fn beneath(&self, name: &Path) -> io::Result<(Self, OsString)> {
        self.walk(name, |folder, part| folder.folder(part))
    }

    /// The same. Folders that are missing are made.
    pub fn made_beneath(&self, name: &Path) -> io::Result<(Self, OsString)> {
        self.walk(name, |folder, part| match folder.folder(part) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => folder.create_folder(part),
            opened => opened,
        })
    }

    fn walk(&self, name: &Path, step: impl Fn(&Self, &OsStr) -> io::Result<Self>) -> io::Result<(Self, OsString)> {
        let part = |part: Component<'_>| match part {
            Component::Normal(part) => Ok(part.to_owned()),
            Component::CurDir | Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                Err(Refused::Elsewhere)
            }
        };
        let mut parts = name.components().map(part).collect::<Result<Vec<_>, _>>()?;
        let last = parts.pop().ok_or(Refused::Elsewhere)?;
        let folder = parts.iter().try_fold(self.clone(), |folder, part| step(&folder, part))?;
        Ok((folder, last))
    }

    /// Opens a file to read it.
    pub fn file(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        self.opened(name.as_ref(), OFlags::RDONLY, Mode::empty())
    }

    /// All of a file that must be no larger than this.
    pub fn read(&self, name: impl AsRef<OsStr>, largest: u64) -> io::Result<Vec<u8>> {
        read_all(&self.file(name)?, largest)
    }

    /// Opens a file to read it and to write to it; makes one where there is none.
    pub fn writable(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        self.written(name.as_ref(), OFlags::RDWR)
    }

    /// The same, and everything is written to its end.
    pub fn appendable(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        self.written(name.as_ref(), OFlags::WRONLY | OFlags::APPEND)
    }

    fn written(&self, name: &OsStr, flags: OFlags) -> io::Result<File> {
        let file = self.opened(name, flags | OFlags::CREATE, self.access.file_mode())?;
        if file.metadata()?.nlink() > 1 { Err(Refused::SecondName.into()) } else { Ok(file) }
    }

    fn opened(&self, name: &OsStr, flags: OFlags, mode: Mode) -> io::Result<File> {
        let name = plain(name)?;
        // A device may do something as soon as it is opened.
        self.has_file(name)?;
        let file = File::from(openat(&*self.handle, name, flags | INSIDE, mode).map_err(exchanged)?);
        match Kind::of_file(&file)?.not_a_file() {
            Some(refused) => Err(refused.into()),
            None => Ok(file),
        }
    }

    /// A new file that nothing else has opened.
    pub(super) fn create_new(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | INSIDE;
        let mode = self.access.file_mode();
        Ok(openat(&*self.handle, plain(name)?, flags, mode)?.into())
    }

    /// A file in the making, see [`Temporary`].
    pub fn temporary(&self, prefix: &str) -> io::Result<Temporary> {
        Temporary::create(self, prefix)
    }

    /// Writes a file that is there as a whole or not at all, whatever happens; it is on the disk when this returns.
    pub fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let draft = format!("{name}.tmp");
        // That of a run that was killed.
        self.remove(&draft)?;
        let mut file = self.create_new(draft.as_ref())?;
        file.write_all(content)?;
        file.sync_all()?;
        self.rename(&draft, name)?;
        self.sync()
    }

    /// Gives a file or folder another name in this folder, in place of a file that has it.
    pub fn rename(&self, from: impl AsRef<OsStr>, to: impl AsRef<OsStr>) -> io::Result<()> {
        self.rename_to(from.as_ref(), self, to.as_ref())
    }

    pub(super) fn rename_to(&self, from: &OsStr, folder: &Self, to: &OsStr) -> io::Result<()> {
        Ok(renameat(&*self.handle, plain(from)?, &*folder.handle, plain(to)?)?)
    }

    /// Removes what is no folder: a link, not what it leads to. Nothing of this name is no error.
    pub fn remove(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        gone(unlinkat(&*self.handle, plain(name.as_ref())?, AtFlags::empty()))
    }

    /// Removes a folder without anything in it.
    pub fn remove_folder(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        gone(unlinkat(&*self.handle, plain(name.as_ref())?, AtFlags::REMOVEDIR))
    }

    /// Removes a folder and the files in it. One with folders in it is none of a run, and stays.
    pub fn remove_with_files(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        let name = plain(name.as_ref())?;
        let folder = match self.folder(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        for entry in folder.entries()? {
            folder.remove(&entry.name)?;
        }
        self.remove_folder(name)
    }

    /// Everything in it, sorted by name.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&*self.handle)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let kind = match Kind::of(entry.file_type()) {
                // Some file systems do not say.
                Kind::Other => self.kind(name)?,
                kind => Some(kind),
            };
            entries.extend(kind.map(|kind| Entry { name: name.to_owned(), kind }));
        }
        entries.sort();
        Ok(entries)
    }

    /// The names of new files are on the disk when this returns.
    pub fn sync(&self) -> io::Result<()> {
        File::from(self.handle.try_clone()?).sync_all()
    }

    /// Takes the folder as long as the value lives; another process cannot.
    pub fn lock(&self) -> Result<File, TryLockError> {
        let folder = File::from(self.handle.try_clone().map_err(TryLockError::Error)?);
        folder.try_lock().map(|()| folder)
    }

    /// Whether both are the same folder.
    pub fn is_same(&self, other: &Self) -> bool {
        let identity = |folder: &Self| fstat(&*folder.handle).map(|stat| (stat.st_dev, stat.st_ino)).ok();
        identity(self).is_some() && identity(self) == identity(other)
    }
}

/// A name that can only be something in the folder itself.
fn plain(name: &OsStr) -> io::Result<&OsStr> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(part)), None) if part == name && !name.as_bytes().contains(&0) => Ok(name),
        (_, _) => Err(Refused::Elsewhere.into()),
    }
}

/// It was something else a moment ago.
fn exchanged(error: Errno) -> io::Error {
    match error {
        Errno::LOOP => Refused::Link.into(),
        Errno::NXIO => Refused::Other.into(),
        Errno::ISDIR => Refused::Folder.into(),
        Errno::NOTDIR => Refused::File.into(),
        error => error.into(),
    }
}

fn gone(removed: Result<(), Errno>) -> io::Result<()> {
    match removed {
        Err(Errno::NOENT) => Ok(()),
        removed => Ok(removed?),
    }
}
