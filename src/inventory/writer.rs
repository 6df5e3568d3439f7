//! The folder while it is written.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    Begun, Closing, Found, Inventory, InventoryError, Opening, READABLE, Segment, VERSION, digest, segment_path,
};
use crate::model::{Account, AccountId, AccountRecord, Coverage, Run, Timestamp};

/// The file that a run writes when it begins.
pub const START: &str = "start.json";
/// The file that a run writes when it closes.
pub const RUN: &str = "run.json";

/// The wire of `start.json`: the version is read before anything else is.
#[derive(Serialize, Deserialize)]
pub(super) struct Versioned<T> {
    version: u32,
    #[serde(flatten)]
    pub opening: T,
}

#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    opening: Opening,
    /// What was read at or before this moment is read again.
    oldest: Option<Timestamp>,
}

impl Writer {
    /// Makes the folder, which must not exist, and writes down how the run begins.
    pub fn create(folder: &Path, opening: Opening) -> Result<Self, InventoryError> {
        fs::create_dir(folder).map_err(|source| InventoryError::write(folder, source))?;
        let writer = Self { folder: folder.to_owned(), opening, oldest: None };
        writer.write(START, &Versioned { version: VERSION, opening: &writer.opening })?;
        Ok(writer)
    }

    /// The journal of a run that is to go on; `None` where there is no whole record of how it began.
    pub fn reopen(folder: &Path, oldest: Option<Timestamp>) -> Result<Option<Self>, InventoryError> {
        #[derive(Deserialize)]
        struct Anything {}
        let path = folder.join(START);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(InventoryError::read(&path, error)),
        };
        match serde_json::from_slice::<Versioned<Anything>>(&text) {
            Ok(Versioned { version, .. }) if READABLE.contains(&version) => {}
            Ok(Versioned { version, .. }) => return Err(InventoryError::OtherVersion { path, found: version }),
            Err(_) => return Ok(None),
        }
        let opening = serde_json::from_slice::<Versioned<Opening>>(&text).ok().map(|whole| whole.opening);
        Ok(opening.map(|opening| Self { folder: folder.to_owned(), opening, oldest }))
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// When the run ended that wrote this, unless it was cut off.
    pub fn finished(&self) -> Option<Timestamp> {
        let text = fs::read(self.folder.join(RUN)).ok()?;
        let closing: Closing = serde_json::from_slice(&text).ok()?;
        (!closing.run.interrupted).then_some(closing.run.end)
    }

    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// Writes down how the run goes on, before the first account is entered. Returns the accounts that an earlier
    /// part of the run found and this one did not. Another caller's journal is refused.
    pub fn found(&mut self, mut found: Found, how: Opening) -> Result<Vec<Account>, InventoryError> {
        let mut gone = Vec::new();
        if let Some(before) = &self.opening.found {
            self.check_caller(before, &found)?;
            let now: HashSet<&AccountId> = found.accounts.iter().map(|account| &account.id).collect();
            gone.extend(before.accounts.iter().filter(|account| !now.contains(&account.id)).cloned());
            found.accounts.extend(gone.iter().cloned());
        }
        self.opening = Opening { found: Some(found), ..how };
        self.write(START, &Versioned { version: VERSION, opening: &self.opening })?;
        Ok(gone)
    }

    fn check_caller(&self, before: &Found, now: &Found) -> Result<(), InventoryError> {
        let account = |found: &Found| Some(format!("account {}", found.caller_arn.as_deref()?.split(':').nth(4)?));
        let organization = |found: &Found| Some(format!("organization {}", found.organization_id.as_deref()?));
        for (began, now) in [(organization(before), organization(now)), (account(before), account(now))] {
            if let (Some(began), Some(now)) = (began, now)
                && began != now
            {
                return Err(InventoryError::OtherCaller { path: self.folder.clone(), began, now });
            }
        }
        Ok(())
    }

    /// Where the work on an account begins. Reads what an earlier part of the run wrote down of it.
    pub fn segment(&self, account: &AccountId) -> Result<Begun, InventoryError> {
        Segment::open(segment_path(&self.folder, account), account, self.oldest)
    }

    /// Writes `run.json`: from here on the inventory can be read, and whoever does notices what is altered. Reads the
    /// segments once more for that.
    pub fn close(
        self,
        run: Run,
        coverage: Coverage,
        accounts: Vec<AccountRecord>,
    ) -> Result<Inventory, InventoryError> {
        let mut segments_sha256 = BTreeMap::new();
        for id in accounts.iter().filter(|account| account.buckets > 0).filter_map(|account| account.id.as_ref()) {
            segments_sha256.insert(id.clone(), digest::of_file(&segment_path(&self.folder, id))?);
        }
        let start_sha256 = digest::of_file(&self.folder.join(START))?;
        let sha256 = String::new();
        let closing = Closing { version: VERSION, run, coverage, accounts, start_sha256, segments_sha256, sha256 };
        let closing = closing.sealed();
        self.write(RUN, &closing)?;
        Ok(Inventory::new(self.folder, closing))
    }

    /// Writes a file that is there as a whole or not at all, whatever happens, and syncs it.
    fn write(&self, name: &str, content: &impl Serialize) -> Result<(), InventoryError> {
        let (path, draft) = (self.folder.join(name), self.folder.join(format!("{name}.tmp")));
        let written = serde_json::to_vec_pretty(content).map_err(io::Error::from).and_then(|json| {
            let mut file = File::create(&draft)?;
            file.write_all(&json)?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            sync(&self.folder)
        });
        written.map_err(|source| InventoryError::write(&path, source))
    }
}

/// The names of new files are on the disk when this returns.
#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Other systems cannot open a folder, and need not.
#[cfg(not(unix))]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}
