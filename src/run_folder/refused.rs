//! Why something in a folder is neither read nor written.

use std::io;

/// It stands in the way of nothing but this program's trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("it is a symbolic link, and bucketlens follows none inside a folder")]
    Link,
    #[error("it is a FIFO and not a file")]
    Fifo,
    #[error("it is a device and not a file")]
    Device,
    #[error("it is a socket and not a file")]
    Socket,
    #[error("it is a folder and not a file")]
    Folder,
    #[error("it is a file and not a folder")]
    File,
    #[error("it is neither a file nor a folder")]
    Other,
    /// Its other name may be that of a file of somebody else.
    #[error(
        "it has a second name (hard link), and bucketlens writes to no such file: copy the folder, and use the copy"
    )]
    SecondName,
    #[error("it was replaced by another file while it was read")]
    Replaced,
    #[error("it is larger than {0} bytes, which no file of its kind is")]
    TooLarge(u64),
    #[error("it has a line of more than {0} bytes, which no file of its kind has")]
    LongLine(u64),
    #[error("its name leads out of the folder")]
    Elsewhere,
}

impl Refused {
    /// Whether this is why something failed.
    pub fn is(error: &io::Error) -> bool {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()).is_some()
    }
}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        Self::new(io::ErrorKind::InvalidData, refused)
    }
}
