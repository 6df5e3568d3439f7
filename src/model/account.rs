use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::names::is_unit_id;
use super::{DirectoryGap, NotAName, Observed, Reason, Region};

/// A 12-digit AWS account id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an AWS account id has 12 digits, {0:?} has not")]
pub struct NotAnAccountId(String);

impl AccountId {
    pub fn parse(text: &str) -> Result<Self, NotAnAccountId> {
        let digits = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        if digits { Ok(Self(text.to_owned())) } else { Err(NotAnAccountId(text.to_owned())) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccountId {
    type Error = NotAnAccountId;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> Self {
        id.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Where an account stands in its organization, as ids from the organization down: `o-…`, `r-…`, `ou-…`, `ou-….`
/// Empty when there is no organization, or its tree could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct OuPath(Vec<String>);

impl OuPath {
    pub fn parse(ids: Vec<String>) -> Result<Self, NotAName> {
        match ids.iter().find(|id| !is_unit_id(id)) {
            Some(other) => Err(NotAName::new("the id of an organizational unit (ou-ab12-11111111)", other)),
            None => Ok(Self(ids)),
        }
    }

    /// From one of Organizations' `Paths`: `o-…/r-…/ou-…/<account>/`. The account's own id is left out.
    pub fn from_path(path: &str) -> Result<Self, NotAName> {
        let ids = path.split('/').filter(|id| !id.is_empty() && AccountId::parse(id).is_err());
        Self::parse(ids.map(str::to_owned).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the account is in this root or OU, directly or in a nested one.
    pub fn is_within(&self, id: &str) -> bool {
        self.0.iter().any(|part| part == id)
    }

    /// The OUs the account is in, nested ones included, from the top down; the organization and its root are no OUs.
    pub fn ous(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str).filter(|id| id.starts_with("ou-"))
    }

    /// The root and the OUs that are directly above one of [`OuPath::ous`].
    pub fn parents_of_ous(&self) -> impl Iterator<Item = &str> {
        self.0.windows(2).filter(|pair| pair[1].starts_with("ou-")).map(|pair| pair[0].as_str())
    }
}

impl TryFrom<Vec<String>> for OuPath {
    type Error = NotAName;

    fn try_from(ids: Vec<String>) -> Result<Self, NotAName> {
        Self::parse(ids)
    }
}

impl From<OuPath> for Vec<String> {
    fn from(path: OuPath) -> Self {
        path.0
    }
}

impl fmt::Display for OuPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// Organizations' `State` of an account; `Status` in answers that have no `State` yet.
///
/// Source: Organizations API reference, `Account`; AWS Organizations user guide, "Monitor the state of your AWS accounts".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum AccountState {
    PendingActivation,
    Active,
    Suspended,
    PendingClosure,
    Closed,
    /// A state that this version does not know; such an account is tried.
    Other(String),
}

impl AccountState {
    pub fn as_str(&self) -> &str {
        match self {
            Self::PendingActivation => "PENDING_ACTIVATION",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
            Self::Closed => "CLOSED",
            Self::Other(name) => name,
        }
    }

    /// Why an account in this state is not scanned; `None` for one that is.
    pub fn skip_reason(&self) -> Option<&'static str> {
        match self {
            Self::PendingActivation => Some("the account is not activated yet (PENDING_ACTIVATION)"),
            Self::Suspended => Some("the account is suspended by AWS (SUSPENDED)"),
            Self::Closed => Some("the account is closed (CLOSED)"),
            Self::Active | Self::PendingClosure | Self::Other(_) => None,
        }
    }
}

impl From<String> for AccountState {
    fn from(name: String) -> Self {
        match name.as_str() {
            "PENDING_ACTIVATION" => Self::PendingActivation,
            "ACTIVE" => Self::Active,
            "SUSPENDED" => Self::Suspended,
            "PENDING_CLOSURE" => Self::PendingClosure,
            "CLOSED" => Self::Closed,
            _ => Self::Other(name),
        }
    }
}

impl From<AccountState> for String {
    fn from(state: AccountState) -> Self {
        state.as_str().to_owned()
    }
}

/// An account to scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: AccountId,
    /// Its name in the organization; empty where there is none.
    pub name: String,
    pub ou_path: OuPath,
    /// `None` outside an organization: nobody was asked.
    pub state: Option<AccountState>,
    /// The value of the tag by which the run groups, where it has one; `None` where nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Observed<Option<String>>>,
}

/// How far the scan of an account, or of its general purpose buckets, came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "reason", rename_all = "snake_case")]
pub enum Outcome {
    /// All its buckets were listed and read; single facts may still be unknown.
    Complete,
    /// The list of buckets broke off, or the run ended: there may be buckets that no row speaks of.
    Incomplete(String),
    /// It could not be entered, or its buckets could not be listed at all.
    Failed(String),
    /// It was not tried.
    Skipped(String),
}

impl Outcome {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete(_) => "incomplete",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
        }
    }

    pub fn reason(&self) -> &str {
        match self {
            Self::Complete => "",
            Self::Incomplete(reason) | Self::Failed(reason) | Self::Skipped(reason) => reason,
        }
    }

    /// Whether its buckets were listed, at least in part.
    pub fn has_listed(&self) -> bool {
        match self {
            Self::Complete | Self::Incomplete(_) => true,
            Self::Failed(_) | Self::Skipped(_) => false,
        }
    }
}

/// A row of `accounts.csv`: every account that was found, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// `None` for a profile whose credentials could not say whose they are.
    pub id: Option<AccountId>,
    pub name: String,
    pub ou_path: OuPath,
    pub state: Option<AccountState>,
    /// As in [`Account::tag`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Observed<Option<String>>>,
    /// Of its general purpose buckets, which `ListBuckets` lists. In an inventory of format 3 a Region that did not list its
    /// directory buckets is in here, too.
    #[serde(flatten)]
    pub listing: Outcome,
    /// What is not known of its directory buckets, where they were asked for. A Region that no gap names was read to its end,
    /// unless the account failed or was skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directory_gaps: Vec<DirectoryGap>,
    /// Buckets that were listed and are in the scope.
    pub buckets: u64,
}

impl AccountRecord {
    pub fn new(account: &Account, listing: Outcome, buckets: u64) -> Self {
        Self {
            id: Some(account.id.clone()),
            name: account.name.clone(),
            ou_path: account.ou_path.clone(),
            state: account.state.clone(),
            tag: account.tag.clone(),
            listing,
            directory_gaps: Vec::new(),
            buckets,
        }
    }

    /// How far the scan came of all that was asked for, directory buckets too.
    pub fn outcome(&self) -> Cow<'_, Outcome> {
        // What kept the other buckets from being listed is said once.
        let gaps = self.directory_gaps.iter().filter(|gap| gap.reason != self.listing.reason());
        let gaps = gaps.map(DirectoryGap::sentence).collect::<Vec<_>>().join("; ");
        match &self.listing {
            listing if gaps.is_empty() => Cow::Borrowed(listing),
            Outcome::Complete => Cow::Owned(Outcome::Incomplete(gaps)),
            Outcome::Incomplete(reason) => Cow::Owned(Outcome::Incomplete(format!("{reason}; {gaps}"))),
            listing @ (Outcome::Failed(_) | Outcome::Skipped(_)) => Cow::Borrowed(listing),
        }
    }

    /// The words of [`AccountRecord::outcome`].
    pub fn reason(&self) -> Cow<'_, str> {
        match self.outcome() {
            Cow::Borrowed(outcome) => Cow::Borrowed(outcome.reason()),
            Cow::Owned(outcome) => Cow::Owned(outcome.reason().to_owned()),
        }
    }

    /// Whether all its general purpose buckets are known by name, else why not.
    pub fn listed(&self) -> Result<(), &str> {
        match &self.listing {
            Outcome::Complete => Ok(()),
            Outcome::Incomplete(why) | Outcome::Failed(why) | Outcome::Skipped(why) => Err(why),
        }
    }

    /// Whether all its directory buckets in a Region that was asked for them are known by name, else why not.
    pub fn directories_listed(&self, region: &Region) -> Result<(), &str> {
        match &self.listing {
            Outcome::Failed(why) | Outcome::Skipped(why) => Err(why),
            Outcome::Complete | Outcome::Incomplete(_) => {
                let gap = self.directory_gaps.iter().find(|gap| gap.regions.contains(region));
                gap.map_or(Ok(()), |gap| Err(gap.reason.as_str()))
            }
        }
    }

    /// Whether its tags were asked for and could not be read.
    pub fn lacks_tag(&self) -> bool {
        self.why_it_lacks_tag().is_some()
    }

    /// Why something of the account itself is unknown that was asked for; its buckets have reasons of their own.
    pub fn unknown_reasons(&self) -> Option<String> {
        self.why_it_lacks_tag().map(|reason| reason.to_string().replace(';', ","))
    }

    pub fn why_it_lacks_tag(&self) -> Option<&Reason> {
        match &self.tag {
            Some(Observed::Unknown(reason)) => Some(reason),
            Some(Observed::Known(_)) | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_has_twelve_digits() {
        assert!(AccountId::parse("111111111111").is_ok());
        for wrong in ["11111111111", "1111111111111", "11111111111a", "", "１１１１１１１１１１１１"] {
            assert!(AccountId::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_path_of_organizations_is_taken_without_the_account() {
        let path = OuPath::from_path("o-aa111111aa/r-ab12/ou-ab12-11111111/ou-ab12-22222222/111111111111/");
        let path = path.expect("ids");
        assert_eq!(path.to_string(), "o-aa111111aa/r-ab12/ou-ab12-11111111/ou-ab12-22222222");
        assert_eq!(path.ous().collect::<Vec<_>>(), ["ou-ab12-11111111", "ou-ab12-22222222"]);
        assert_eq!(path.parents_of_ous().collect::<Vec<_>>(), ["r-ab12", "ou-ab12-11111111"]);
        assert!(path.is_within("ou-ab12-11111111") && path.is_within("r-ab12"));
        assert!(!path.is_within("ou-ab12-1111111"));
        assert!(OuPath::from_path("o-aa111111aa/r-ab12/ou-ab12-$(id)/111111111111/").is_err());
    }

    #[test]
    fn only_accounts_that_work_are_scanned() {
        let skipped = |state: &str| AccountState::from(state.to_owned()).skip_reason().is_some();
        assert!(skipped("SUSPENDED") && skipped("CLOSED") && skipped("PENDING_ACTIVATION"));
        assert!(!skipped("ACTIVE") && !skipped("PENDING_CLOSURE") && !skipped("SOMETHING_NEW"));
    }
}
