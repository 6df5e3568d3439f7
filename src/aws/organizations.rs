//! The accounts of an organization and where they stand. Source: AWS Organizations API reference.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::future::Future;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::{
    Account as AwsAccount, AccountState as AwsState, AccountStatus as AwsStatus, OrganizationalUnit, Root, Tag,
};

use super::failure::Failure;
use super::listing::{Most, Seen};
use super::session::Session;
use crate::model::{Account, AccountId, AccountState, Operation, OrganizationId, OuPath, is_unit_id};

/// Organizations refuses more.
const MAX_RESULTS: i32 = 20;

pub struct Organization {
    pub id: Option<OrganizationId>,
    pub accounts: Vec<Account>,
    /// Why the tree of organizational units could not be walked, where it had to be; then paths are empty.
    pub tree: Result<(), Failure>,
    /// Names of organizational units by id, as far as they could be read: nothing that is reported depends on them.
    pub unit_names: BTreeMap<String, String>,
}

/// All accounts: `ListAccounts`, from the management account or a delegated administrator.
pub async fn list_accounts(session: &Session, partition: &str) -> Result<Organization, Failure> {
    let client = &session.organizations(partition);
    let operation = Operation::ListAccounts;
    let listed = pages(
        session,
        operation,
        |account: &AwsAccount| account.id(),
        |token| async move {
            let answer = client.list_accounts().max_results(MAX_RESULTS).set_next_token(token).send().await;
            let answer = answer.map_err(|error| Failure::from_sdk(operation, &error))?;
            Ok((answer.accounts, answer.next_token))
        },
    )
    .await?;
    let id = listed.iter().find_map(|account| organization_id(account.arn()?));
    let mut accounts: BTreeMap<AccountId, Account> = BTreeMap::new();
    for account in listed {
        let number = account_id(operation, account.id())?;
        // A path that is none is like one that is not told: the tree is walked.
        let paths = account.paths().iter().filter_map(|path| OuPath::from_path(path).ok());
        let path = paths.into_iter().find(|path| !path.is_empty());
        let name = account.name().unwrap_or_default().to_owned();
        let ou_path = path.unwrap_or_default();
        let account = Account { id: number.clone(), name, ou_path, state: state(&account), tag: None };
        if accounts.insert(number.clone(), account).is_some() {
            tracing::warn!(account = %number, "ListAccounts names this account twice");
        }
    }
    let mut accounts: Vec<Account> = accounts.into_values().collect();
    let (mut tree, mut unit_names) = (Ok(()), BTreeMap::new());
    if accounts.iter().any(|account| account.ou_path.is_empty()) {
        tree = place(&mut accounts, walk(session, client, id.as_deref(), &mut unit_names).await);
    } else {
        name_units(session, client, &accounts, &mut unit_names).await;
    }
    Ok(Organization { id, accounts, tree, unit_names })
}

/// Reads the names of the organizational units on the paths of accounts: a request or more for each parent of some.
async fn name_units(session: &Session, client: &Client, accounts: &[Account], names: &mut BTreeMap<String, String>) {
    /// Organizations takes five such requests a second; the scan waits for them.
    const MOST_PARENTS: usize = 100;
    let parents: BTreeSet<&str> = accounts.iter().flat_map(|account| account.ou_path.parents_of_ous()).collect();
    for parent in parents.into_iter().take(MOST_PARENTS) {
        match children(session, client, parent).await {
            Ok(units) => names.extend(units),
            Err(failure) => {
                tracing::info!(reason = %failure, "the names of organizational units cannot be read");
                return;
            }
        }
    }
}

/// The value of one of an account's tags; `None` where it has no such tag: `ListTagsForResource`.
pub async fn tag(
    session: &Session,
    partition: &str,
    account: &AccountId,
    key: &str,
) -> Result<Option<String>, Failure> {
    let client = &session.organizations(partition);
    let operation = Operation::ListTagsForResource;
    let tags = pages(
        session,
        operation,
        |tag: &Tag| Some(tag.key()),
        |token| async move {
            let request = client.list_tags_for_resource().resource_id(account.as_str());
            let answer = request.set_next_token(token).send().await;
            let answer = answer.map_err(|error| Failure::from_sdk(operation, &error))?;
            Ok((answer.tags, answer.next_token))
        },
    );
    Ok(tags.await?.into_iter().find(|tag| tag.key == key).map(|tag| tag.value))
}

/// Gives the accounts without a path the place at which the walk met them. One that it did not meet may be anywhere.
fn place(accounts: &mut [Account], walked: Result<HashMap<AccountId, OuPath>, Failure>) -> Result<(), Failure> {
    let mut paths = walked?;
    let mut missing = None;
    for account in accounts.iter_mut().filter(|account| account.ou_path.is_empty()) {
        match paths.remove(&account.id) {
            Some(path) => account.ou_path = path,
            None => missing = Some(account.id.clone()),
        }
    }
    let operation = Operation::ListAccountsForParent;
    missing.map_or(Ok(()), |id| Err(Failure::malformed(operation, format!("account {id} is in no part of the tree"))))
}

fn account_id(operation: Operation, id: Option<&str>) -> Result<AccountId, Failure> {
    id.and_then(|id| AccountId::parse(id).ok()).ok_or_else(|| no_id(operation))
}

fn unit_id(operation: Operation, id: Option<String>) -> Result<String, Failure> {
    id.filter(|id| is_unit_id(id)).ok_or_else(|| no_id(operation))
}

fn no_id(operation: Operation) -> Failure {
    Failure::malformed(operation, "an entry of the list has no id")
}

/// `State` before `Status`, which AWS retired on 2026-09-09 and which may be missing.
#[allow(deprecated)] // older emulators send only `Status`
fn state(account: &AwsAccount) -> Option<AccountState> {
    let word = account.state().map(AwsState::as_str).or_else(|| account.status().map(AwsStatus::as_str));
    word.map(|word| AccountState::from(word.to_owned()))
}

/// `arn:aws:organizations::111111111111:account/o-exampleorgid/222222222222`
fn organization_id(arn: &str) -> Option<OrganizationId> {
    OrganizationId::parse(arn.split('/').nth(1)?).ok()
}

/// Levels of the tree; AWS has the organization, the root and five of organizational units.
const MOST_LEVELS: usize = 12;

/// Organizational units, of which AWS allows 2,000.
const MOST_UNITS: usize = 20_000;

/// Walks the tree by OU, never by account: the calls grow with the OUs, not with the accounts.
async fn walk(
    session: &Session,
    client: &Client,
    organization: Option<&str>,
    names: &mut BTreeMap<String, String>,
) -> Result<HashMap<AccountId, OuPath>, Failure> {
    let above: Vec<String> = organization.map(str::to_owned).into_iter().collect();
    let mut open: Vec<Vec<String>> =
        roots(session, client).await?.into_iter().map(|root| [above.clone(), vec![root]].concat()).collect();
    let (mut paths, mut met) = (HashMap::new(), HashSet::new());
    while let Some(path) = open.pop() {
        let parent = path.last().cloned().unwrap_or_default();
        let malformed = |why: String| Err(Failure::malformed(Operation::ListOrganizationalUnitsForParent, why));
        if !met.insert(parent.clone()) {
            return malformed(format!("{parent} is in the tree twice"));
        }
        if path.len() > MOST_LEVELS || met.len() > MOST_UNITS {
            return malformed(format!("the tree has more than {MOST_LEVELS} levels or {MOST_UNITS} units"));
        }
        for (id, name) in children(session, client, &parent).await? {
            open.push([path.clone(), vec![id.clone()]].concat());
            names.insert(id, name);
        }
        for id in members(session, client, &parent).await? {
            let path = OuPath::parse(path.clone());
            let path = path.map_err(|error| Failure::malformed(Operation::ListAccountsForParent, error.to_string()))?;
            paths.insert(id, path);
        }
    }
    Ok(paths)
}

async fn roots(session: &Session, client: &Client) -> Result<Vec<String>, Failure> {
    let operation = Operation::ListRoots;
    let roots = pages(
        session,
        operation,
        |root: &Root| root.id(),
        |token| async move {
            let answer = client.list_roots().max_results(MAX_RESULTS).set_next_token(token).send().await;
            let answer = answer.map_err(|error| Failure::from_sdk(operation, &error))?;
            Ok((answer.roots, answer.next_token))
        },
    );
    roots.await?.into_iter().map(|root| unit_id(operation, root.id)).collect()
}

/// Ids and names of the organizational units directly below.
async fn children(session: &Session, client: &Client, parent: &str) -> Result<Vec<(String, String)>, Failure> {
    let operation = Operation::ListOrganizationalUnitsForParent;
    let units = pages(
        session,
        operation,
        |unit: &OrganizationalUnit| unit.id(),
        |token| async move {
            let request = client.list_organizational_units_for_parent().parent_id(parent).max_results(MAX_RESULTS);
            let answer = request.set_next_token(token).send().await;
            let answer = answer.map_err(|error| Failure::from_sdk(operation, &error))?;
            Ok((answer.organizational_units, answer.next_token))
        },
    );
    let named = |unit: OrganizationalUnit| Ok((unit_id(operation, unit.id)?, unit.name.unwrap_or_default()));
    units.await?.into_iter().map(named).collect()
}

async fn members(session: &Session, client: &Client, parent: &str) -> Result<Vec<AccountId>, Failure> {
    let operation = Operation::ListAccountsForParent;
    let accounts = pages(
        session,
        operation,
        |account: &AwsAccount| account.id(),
        |token| async move {
            let request = client.list_accounts_for_parent().parent_id(parent).max_results(MAX_RESULTS);
            let answer = request.set_next_token(token).send().await;
            let answer = answer.map_err(|error| Failure::from_sdk(operation, &error))?;
            Ok((answer.accounts, answer.next_token))
        },
    );
    accounts.await?.into_iter().map(|account| account_id(operation, account.id())).collect()
}

/// Follows `NextToken` to its end: a page may be empty although more follow. A page without its list is none. `name` tells an
/// entry from others.
async fn pages<T, F>(
    session: &Session,
    operation: Operation,
    name: impl Fn(&T) -> Option<&str>,
    page: impl Fn(Option<String>) -> F,
) -> Result<Vec<T>, Failure>
where
    F: Future<Output = Result<(Option<Vec<T>>, Option<String>), Failure>>,
{
    let (mut all, mut token, mut seen) = (Vec::new(), None, Seen::new(Most::OF_ORGANIZATIONS));
    loop {
        let (items, next) = session.call_control(operation, || page(token.clone())).await?;
        let items = items.ok_or_else(|| Failure::malformed(operation, "the answer has no list"))?;
        seen.new_of(items.iter().map(|item| name(item).unwrap_or_default()).collect(), |name| name);
        all.extend(items);
        let next = next.filter(|token| !token.is_empty());
        let given_up = seen.too_much(all.len()).or_else(|| seen.refuse(next.as_deref()?));
        if let Some(why) = given_up {
            return Err(Failure::malformed(operation, why));
        }
        match next {
            Some(next) => token = Some(next),
            None => return Ok(all),
        }
    }
}
