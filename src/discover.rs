//! Which accounts there are, which of them are scanned, and how each is entered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};

use crate::aws::failure::Failure;
use crate::aws::organizations;
use crate::aws::secrets;
use crate::aws::session::{Aws, Caller, Role, Session};
use crate::aws::settings::SettingsError;
use crate::config::{AccountEntry, Config, Discovery, Filters, RoleOptions};
use crate::model::{
    Account, AccountId, AccountRecord, AccountState, Arn, ErrorClass, Observed, OrganizationId, OuPath, Outcome,
    Partition,
};

/// An account to scan, and the way in.
#[derive(Clone)]
pub struct Target {
    pub account: Account,
    pub entry: Entry,
}

#[derive(Clone)]
pub enum Entry {
    /// With credentials that are there.
    Session(Arc<Session>),
    /// By assuming a role from these.
    Role { hub: Arc<Session>, role: Role },
    /// There is none: an earlier part of the run found the account, and this one did not.
    Gone,
    /// There is none any more, for this reason: an earlier part of the run found it in another state.
    Skipped(String),
}

/// What was found before the first bucket is asked for.
#[derive(Default)]
pub struct Discovered {
    pub targets: Vec<Target>,
    /// Accounts that are not scanned, each with its reason.
    pub others: Vec<AccountRecord>,
    /// `None` where STS did not answer, and where several profiles are scanned.
    pub caller_arn: Option<Arn>,
    pub organization_id: Option<OrganizationId>,
    /// `None` where STS did not answer.
    pub partition: Option<Partition>,
    /// Names of organizational units by id, as far as they could be read.
    pub unit_names: BTreeMap<String, String>,
}

/// Why a run cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    #[error("failed to find out whose credentials these are: {0}")]
    Caller(Failure),
    #[error("none of the profiles can be used: {0}")]
    NoProfile(String),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("failed to list the accounts of the organization: {0}")]
    Organization(Failure),
    #[error("the organization's tree cannot be read, so nobody knows which accounts --ou and --exclude-ou mean: {0}")]
    Tree(Failure),
    #[error("the credentials belong to account {found}, not to {asked} (--account-id)")]
    OtherAccount { asked: AccountId, found: AccountId },
    #[error("not among the accounts that were found: {0} (--account)")]
    NoSuchAccount(String),
    #[error("not among the organizational units of the accounts that were found: {0} (--ou)")]
    NoSuchOu(String),
    #[error("no account is left to scan: the filters exclude all that were found")]
    Nothing,
}

impl DiscoverError {
    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Caller(failure) | Self::Organization(failure) | Self::Tree(failure) if failure.help().is_some() => {
                failure.help()
            }
            Self::Caller(failure) if failure.reason.class == ErrorClass::Credentials => Some(
                "give credentials as for the AWS CLI (`aws configure`, `aws sso login`, AWS_PROFILE, AWS_ACCESS_KEY_ID, \
                 …), and log in again if they have expired; --profile NAME chooses a profile",
            ),
            Self::Caller(_) => Some(
                "check the network, AWS_REGION and AWS_ENDPOINT_URL; for an S3-compatible server without STS name the \
                 account with --account-id",
            ),
            Self::NoProfile(_) => Some(
                "log in again (`aws sso login --profile NAME`), correct the profile in ~/.aws/config, or leave it out",
            ),
            Self::Settings(error) => Some(error.help()),
            Self::Organization(failure) if failure.code() == Some("AWSOrganizationsNotInUseException") => {
                Some("this account is in no organization: leave out --organization to scan it alone")
            }
            Self::Organization(failure) if failure.reason.class == ErrorClass::Denied => Some(
                "--organization needs organizations:ListAccounts in the management account or a delegated administrator \
                 account; --accounts-file FILE names the accounts instead",
            ),
            Self::Tree(_) => Some(
                "allow organizations:ListRoots, organizations:ListOrganizationalUnitsForParent and \
                 organizations:ListAccountsForParent, or choose accounts with --account",
            ),
            Self::OtherAccount { .. } => Some("leave out --account-id: STS answers, so the account is known"),
            Self::NoSuchAccount(_) | Self::NoSuchOu(_) => Some("check the id"),
            Self::Nothing | Self::Organization(_) => None,
        }
    }
}

pub async fn discover(aws: &Aws, config: &Config) -> Result<Discovered, DiscoverError> {
    // Before the first answer comes.
    config.role.external_id.iter().for_each(|id| secrets::hold_external_id(id.expose()));
    let found = match &config.discovery {
        Discovery::Current { account_id } => current(aws, account_id.as_ref()).await?,
        Discovery::Profiles(names) => profiles(aws, names).await?,
        Discovery::Organization => organization(aws, config).await?,
        Discovery::AccountsFile(entries) => accounts_file(aws, entries, &config.role).await?,
    };
    choose(found, config)
}

async fn current(aws: &Aws, named: Option<&AccountId>) -> Result<Discovered, DiscoverError> {
    let Identity { session, caller, account } = identify(aws, None, named).await?;
    warn_of_plain_text(&session);
    let partition = caller.as_ref().map(Caller::partition);
    Ok(Discovered {
        targets: vec![Target { account: bare(account), entry: Entry::Session(Arc::new(session)) }],
        others: Vec::new(),
        caller_arn: caller.map(|caller| caller.arn),
        partition,
        ..Discovered::default()
    })
}

/// Whose credentials these are.
pub struct Identity {
    pub session: Session,
    /// `None` where STS did not answer and the account was named.
    pub caller: Option<Caller>,
    pub account: AccountId,
}

/// Of the environment or a profile. `named`: the account, for servers without STS.
pub async fn identify(aws: &Aws, profile: Option<&str>, named: Option<&AccountId>) -> Result<Identity, DiscoverError> {
    let session = aws.session(profile).await?;
    let answer = match named {
        // Servers without STS need not be asked five times; one that has it and stumbles is.
        Some(_) => match session.caller_at_most(1).await {
            Err(failure) if failure.again && failure.reason.http_status.is_some() => session.caller().await,
            answer => answer,
        },
        None => session.caller().await,
    };
    let (session, caller) = match (answer, named) {
        (Ok(caller), Some(asked)) if caller.account != *asked => {
            return Err(DiscoverError::OtherAccount { asked: asked.clone(), found: caller.account });
        }
        (Ok(caller), _) => (session.owned_by(caller.account.clone()), Some(caller)),
        // Without credentials nobody was asked, and S3 cannot be asked either.
        (Err(failure), Some(_)) if failure.is_without_credentials() => return Err(DiscoverError::Caller(failure)),
        (Err(failure), Some(_)) => {
            tracing::warn!(reason = %failure, "STS does not say whose credentials these are; --account-id is believed");
            (session, None)
        }
        (Err(failure), None) => return Err(DiscoverError::Caller(failure)),
    };
    let account = caller.as_ref().map(|caller| &caller.account).or(named).cloned();
    let account = account.expect("either STS or --account-id named the account");
    Ok(Identity { session, caller, account })
}

fn warn_of_plain_text(session: &Session) {
    for endpoint in session.unprotected() {
        tracing::warn!(
            "requests to {endpoint} go over a network without TLS: whoever is on the way can read session tokens and \
             change the answers; use an endpoint that begins with https://"
        );
    }
}

/// An account of which only the id is known.
fn bare(id: AccountId) -> Account {
    Account { id, name: String::new(), ou_path: OuPath::default(), state: None, tag: None }
}

async fn profiles(aws: &Aws, names: &[String]) -> Result<Discovered, DiscoverError> {
    let mut sessions = Vec::new();
    for name in names {
        sessions.push((name, aws.session(Some(name)).await?));
    }
    let mut targets: BTreeMap<AccountId, Target> = BTreeMap::new();
    let mut others = Vec::new();
    let mut callers = Vec::new();
    for (name, session) in sessions {
        match session.caller().await {
            Ok(caller) if targets.contains_key(&caller.account) => {
                tracing::warn!(profile = name, account = %caller.account, "another profile has this account already");
            }
            Ok(caller) => {
                warn_of_plain_text(&session);
                let id = caller.account.clone();
                let entry = Entry::Session(Arc::new(session.owned_by(id.clone())));
                targets.insert(id.clone(), Target { account: bare(id), entry });
                callers.push(caller);
            }
            Err(failure) => others.push(AccountRecord {
                id: None,
                name: format!("profile {name}"),
                ou_path: OuPath::default(),
                state: None,
                tag: None,
                listing: Outcome::Failed(failure.reason.sentence()),
                directory_gaps: Vec::new(),
                buckets: 0,
            }),
        }
    }
    if targets.is_empty() {
        let reasons: Vec<String> =
            others.iter().map(|record| format!("{}: {}", record.name, record.listing.reason())).collect();
        return Err(DiscoverError::NoProfile(reasons.join("; ")));
    }
    // Profiles may be of different partitions: then the run has none.
    let mut partitions: Vec<Partition> = callers.iter().map(Caller::partition).collect();
    partitions.dedup();
    let partition = if partitions.len() == 1 { partitions.pop() } else { None };
    let caller_arn = if let [only] = callers.as_slice() { Some(only.arn.clone()) } else { None };
    Ok(Discovered { targets: targets.into_values().collect(), others, caller_arn, partition, ..Discovered::default() })
}

async fn hub(aws: &Aws) -> Result<(Arc<Session>, Caller), DiscoverError> {
    let session = aws.session(None).await?;
    let caller = session.caller().await.map_err(DiscoverError::Caller)?;
    warn_of_plain_text(&session);
    Ok((Arc::new(session.owned_by(caller.account.clone())), caller))
}

async fn organization(aws: &Aws, config: &Config) -> Result<Discovered, DiscoverError> {
    let (hub, caller) = hub(aws).await?;
    let organization =
        organizations::list_accounts(&hub, &caller.partition()).await.map_err(DiscoverError::Organization)?;
    if let Err(failure) = organization.tree {
        if config.filters.needs_ou_paths() {
            return Err(DiscoverError::Tree(failure));
        }
        tracing::warn!(reason = %failure, "the organization's tree cannot be read; ou_path stays empty");
    }
    let (mut targets, mut others) = (Vec::new(), Vec::new());
    for account in organization.accounts {
        if let Some(reason) = account.state.as_ref().and_then(AccountState::skip_reason) {
            others.push(AccountRecord::new(&account, Outcome::Skipped(reason.to_owned()), 0));
        } else {
            let entry = entry(&hub, &caller, &account.id, None, &config.role);
            targets.push(Target { account, entry });
        }
    }
    if let Some(key) = &config.more.group_by_tag {
        tag(&hub, &caller.partition(), key, &mut targets, &config.filters).await;
    }
    Ok(Discovered {
        targets,
        others,
        partition: Some(caller.partition()),
        caller_arn: Some(caller.arn),
        organization_id: organization.id,
        unit_names: organization.unit_names,
    })
}

/// Reads the tag of every account that is to be scanned: a request each.
async fn tag(hub: &Session, partition: &str, key: &str, targets: &mut [Target], filters: &Filters) {
    /// Organizations takes few requests a second; its lane has the pace.
    const AT_ONCE: usize = 8;
    let wanted = |account: &Account| filters.account(&account.id) && filters.ou(&account.ou_path);
    let wanted = targets.iter_mut().map(|target| &mut target.account).filter(|account| wanted(account));
    let tags = stream::iter(wanted).map(|account| async move {
        let read = organizations::tag(hub, partition, &account.id, key).await;
        let failure = read.as_ref().err().map(|failure| failure.reason.sentence());
        account.tag = Some(match read {
            Ok(value) => Observed::Known(value),
            Err(failure) => Observed::Unknown(failure.reason),
        });
        failure
    });
    let failures: Vec<String> = tags.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await;
    if let Some(reason) = failures.first() {
        tracing::warn!(accounts = failures.len(), %reason, "the tags of accounts cannot be read; their buckets without a tag of their own are in the group (unknown)");
    }
}

async fn accounts_file(
    aws: &Aws,
    entries: &[AccountEntry],
    options: &RoleOptions,
) -> Result<Discovered, DiscoverError> {
    let (hub, caller) = hub(aws).await?;
    let target = |listed: &AccountEntry| {
        let entry = entry(&hub, &caller, &listed.id, listed.role_arn.as_deref(), options);
        Target { account: bare(listed.id.clone()), entry }
    };
    Ok(Discovered {
        targets: entries.iter().map(target).collect(),
        partition: Some(caller.partition()),
        caller_arn: Some(caller.arn.clone()),
        ..Discovered::default()
    })
}

/// The caller's own account is read with the caller's own credentials: `OrganizationAccountAccessRole` does not exist
/// there. A role that the user named for it is assumed all the same.
fn entry(
    hub: &Arc<Session>,
    caller: &Caller,
    account: &AccountId,
    role_arn: Option<&str>,
    options: &RoleOptions,
) -> Entry {
    if role_arn.is_none() && *account == caller.account {
        return Entry::Session(Arc::clone(hub));
    }
    let arn = role_arn
        .map_or_else(|| format!("arn:{}:iam::{account}:role/{}", caller.partition(), options.name), str::to_owned);
    let role = Role {
        account: account.clone(),
        arn,
        session_name: options.session_name.clone(),
        external_id: options.external_id.as_ref().map(|secret| secret.expose().to_owned()),
        duration: session_duration(caller, options),
    };
    Entry::Role { hub: Arc::clone(hub), role }
}

/// A role assumed from a role lasts at most an hour; STS refuses to give more.
fn session_duration(caller: &Caller, options: &RoleOptions) -> Duration {
    const CHAINED: Duration = Duration::from_hours(1);
    if caller.is_assumed_role() { options.duration.min(CHAINED) } else { options.duration }
}

/// Applies the account filters. An account that the user did not ask for is in no table; one that was asked for and
/// does not exist is a mistake.
fn choose(mut found: Discovered, config: &Config) -> Result<Discovered, DiscoverError> {
    let filters = &config.filters;
    let ids: BTreeSet<AccountId> = (found.targets.iter().map(|target| &target.account.id))
        .chain(found.others.iter().filter_map(|record| record.id.as_ref()))
        .cloned()
        .collect();
    let missing = |asked: &BTreeSet<AccountId>| -> Vec<String> {
        asked.iter().filter(|id| !ids.contains(*id)).map(ToString::to_string).collect()
    };
    let missing_accounts = missing(&filters.accounts);
    if !missing_accounts.is_empty() {
        return Err(DiscoverError::NoSuchAccount(missing_accounts.join(", ")));
    }
    let paths: Vec<&OuPath> = (found.targets.iter().map(|target| &target.account.ou_path))
        .chain(found.others.iter().map(|record| &record.ou_path))
        .collect();
    let missing_ous: Vec<&str> =
        filters.ous.iter().filter(|ou| !paths.iter().any(|path| path.is_within(ou))).map(String::as_str).collect();
    if !missing_ous.is_empty() {
        return Err(DiscoverError::NoSuchOu(missing_ous.join(", ")));
    }
    found.targets.retain(|target| filters.account(&target.account.id) && filters.ou(&target.account.ou_path));
    found
        .others
        .retain(|record| record.id.as_ref().is_none_or(|id| filters.account(id)) && filters.ou(&record.ou_path));
    if found.targets.is_empty() && found.others.is_empty() {
        return Err(DiscoverError::Nothing);
    }
    Ok(found)
}
