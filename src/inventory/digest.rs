//! What shows that a closed inventory is as its run left it.

use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{Closing, InventoryError};
use crate::run_folder::{self, Directory, LARGEST_SEGMENT};

/// In lower-case hexadecimal digits.
pub(super) fn finished(digest: Sha256) -> String {
    let bytes = digest.finalize();
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

pub(super) fn of(bytes: &[u8]) -> String {
    finished(Sha256::new().chain_update(bytes))
}

pub(super) fn of_file(folder: &Directory, name: &str) -> Result<String, InventoryError> {
    let read = || -> io::Result<String> {
        let (mut file, mut digest, mut buffer) = (folder.file(name)?, Sha256::new(), vec![0; 1 << 16]);
        run_folder::check_size(&file, LARGEST_SEGMENT)?;
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(finished(digest)),
                length => digest.update(&buffer[..length]),
            }
        }
    };
    read().map_err(|source| InventoryError::read(&folder.path().join(name), source))
}

impl Closing {
    /// Its own digest, whatever stands in it.
    fn own_sha256(&mut self) -> String {
        let said = std::mem::take(&mut self.sha256);
        let text = serde_json::to_vec(self).expect("what was JSON becomes JSON");
        self.sha256 = said;
        of(&text)
    }

    pub(super) fn sealed(mut self) -> Self {
        self.sha256 = self.own_sha256();
        self
    }

    pub(super) fn check(mut self, path: &Path) -> Result<Self, InventoryError> {
        if self.own_sha256() == self.sha256 { Ok(self) } else { Err(InventoryError::Altered { path: path.to_owned() }) }
    }
}
