//! The folder while it is written.

use std::collections::{BTreeMap, HashSet};
use std::io;

use serde::{Deserialize, Serialize};

use super::buckets::from_json;
use super::{
    Begun, Closing, Found, Inventory, InventoryError, Opening, READABLE, Segment, VERSION, digest, segment,
    segment_name,
};
use crate::model::{Account, AccountId, AccountRecord, Coverage, Outcome, Run, Timestamp};
use crate::run_folder::{Directory, LARGEST_RECORD};

/// How a run ended that was not cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    pub end: Timestamp,
    /// Nothing is left that would be asked again, whatever its age.
    pub is_whole: bool,
}

/// The file that a run writes when it begins.
pub const START: &str = "start.json";
/// The file that a run writes when it closes.
pub const RUN: &str = "run.json";

/// The wire of `start.json`: the version is read before anything else is.
#[derive(Serialize)]
struct Versioned<T> {
    version: u32,
    #[serde(flatten)]
    opening: T,
}

#[derive(Debug)]
pub struct Writer {
    folder: Directory,
    opening: Opening,
    /// What was read at or before this moment is read again.
    oldest: Option<Timestamp>,
}

impl Writer {
    /// Makes the folder, which must not exist, and writes down how the run begins.
    pub fn create(above: &Directory, name: &str, opening: Opening) -> Result<Self, InventoryError> {
        let folder = above.create_folder(name);
        let folder = folder.map_err(|source| InventoryError::write(&above.path().join(name), source))?;
        let writer = Self { folder, opening, oldest: None };
        writer.write(START, &Versioned { version: VERSION, opening: &writer.opening })?;
        Ok(writer)
    }

    /// The journal of a run that is to go on; `None` where there is no whole record of how it began.
    pub fn reopen(folder: Directory, oldest: Option<Timestamp>) -> Result<Option<Self>, InventoryError> {
        #[derive(Deserialize)]
        struct Outer {
            version: u32,
        }
        let path = folder.path().join(START);
        let text = match folder.read(START, LARGEST_RECORD) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(InventoryError::read(&path, error)),
        };
        match serde_json::from_slice(&text) {
            Ok(Outer { version }) if READABLE.contains(&version) => {}
            Ok(Outer { version }) => return Err(InventoryError::OtherVersion { path, found: version }),
            Err(_) => return Ok(None),
        }
        // It is whole, so what cannot be understood in it was not written by a run.
        let opening = from_json(&path, &text)?;
        Ok(Some(Self { folder, opening, oldest }))
    }

    pub fn folder(&self) -> &Directory {
        &self.folder
    }

    /// How the run ended that wrote this; `None` where it was cut off.
    pub fn finished(&self) -> Result<Option<Finished>, InventoryError> {
        let text = match self.folder.read(RUN, LARGEST_RECORD) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|source| InventoryError::read(&self.folder.path().join(RUN), source))?,
        };
        // One that was torn is that of a run that did not end.
        let Ok(closing) = serde_json::from_slice::<Closing>(&text) else { return Ok(None) };
        if closing.run.interrupted {
            return Ok(None);
        }
        Ok(Some(Finished { end: closing.run.end, is_whole: self.is_whole(&closing.accounts)? }))
    }

    /// Whether nothing is left that would be asked again.
    fn is_whole(&self, accounts: &[AccountRecord]) -> Result<bool, InventoryError> {
        let was_read = |account: &AccountRecord| match *account.outcome() {
            Outcome::Complete | Outcome::Skipped(_) => true,
            Outcome::Incomplete(_) | Outcome::Failed(_) => false,
        };
        let Some(found) = &self.opening.found else { return Ok(false) };
        if !accounts.iter().all(was_read) {
            return Ok(false);
        }
        let skipped: HashSet<_> =
            accounts.iter().filter(|it| matches!(*it.outcome(), Outcome::Skipped(_))).map(|it| &it.id).collect();
        for account in &found.accounts {
            if !skipped.contains(&Some(account.id.clone())) && !segment::is_whole(&self.folder, &account.id)? {
                return Ok(false);
            }
        }
        Ok(true)
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
        let account = |found: &Found| Some(format!("account {}", found.caller_arn.as_ref()?.account()));
        let organization = |found: &Found| Some(format!("organization {}", found.organization_id.as_deref()?));
        for (began, now) in [(organization(before), organization(now)), (account(before), account(now))] {
            if let (Some(began), Some(now)) = (began, now)
                && began != now
            {
                return Err(InventoryError::OtherCaller { path: self.folder.path().to_owned(), began, now });
            }
        }
        Ok(())
    }

    /// Where the work on an account begins. Reads what an earlier part of the run wrote down of it.
    pub fn segment(&self, account: &AccountId) -> Result<Begun, InventoryError> {
        Segment::open(&self.folder, account, self.oldest)
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
            segments_sha256.insert(id.clone(), digest::of_file(&self.folder, &segment_name(id))?);
        }
        let start_sha256 = digest::of_file(&self.folder, START)?;
        let sha256 = String::new();
        let closing = Closing { version: VERSION, run, coverage, accounts, start_sha256, segments_sha256, sha256 };
        let closing = closing.sealed();
        self.write(RUN, &closing)?;
        Ok(Inventory::new(self.folder, closing))
    }

    /// Writes a file that is there as a whole or not at all, whatever happens, and syncs it.
    fn write(&self, name: &str, content: &impl Serialize) -> Result<(), InventoryError> {
        let json = serde_json::to_vec_pretty(content).map_err(io::Error::from);
        let written = json.and_then(|json| self.folder.write(name, &json));
        written.map_err(|source| InventoryError::write(&self.folder.path().join(name), source))
    }
}
