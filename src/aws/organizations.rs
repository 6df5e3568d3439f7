//! The accounts of an organization and where they stand. Source: AWS Organizations API reference.

use std::collections::HashMap;
use std::future::Future;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::{AccountState as AwsState, AccountStatus as AwsStatus};

use super::failure::Failure;
use super::session::Session;
use crate::model::{Account, AccountId, AccountState, Operation, OuPath};

/// Organizations refuses more.
const MAX_RESULTS: i32 = 20;

pub struct Organization {
    pub id: Option<String>,
    pub accounts: Vec<Account>,
    /// Why the tree of organizational units could not be walked, where it had to be; then paths are empty.
    pub tree: Result<(), Failure>,
}

/// All accounts: `ListAccounts`, from the management account or a delegated administrator.
pub async fn list_accounts(session: &Session, partition: &str) -> Result<Organization, Failure> {
    let client = &session.organizations(partition);
    let operation = Operation::ListAccounts;
    let listed = pages(session, |token| async move {
        let answer = client.list_accounts().max_results(MAX_RESULTS).set_next_token(token).send().await;
        let answer = answer.map_err(|error| Failure::from_sdk(operation, &error))?;
        Ok((answer.accounts.unwrap_or_default(), answer.next_token))
    })
    .await?;
    let id = listed.iter().find_map(|account| organization_id(account.arn()?));
    let mut accounts = Vec::with_capacity(listed.len());
    let mut without_path = false;
    for account in listed {
        let number = account.id().and_then(|id| AccountId::parse(id).ok());
        let number = number.ok_or_else(|| Failure::malformed(operation, "an account in the list has no id"))?;
        let path = account.paths().iter().map(|path| OuPath::from_path(path)).find(|path| !path.is_empty());
        without_path |= path.is_none();
        accounts.push(Account {
            id: number,
            name: account.name().unwrap_or_default().to_owned(),
            ou_path: path.unwrap_or_default(),
            state: state(&account),
        });
    }
    let mut tree = Ok(());
    if without_path {
        match walk(session, client, id.as_deref()).await {
            Ok(paths) => {
                for account in accounts.iter_mut().filter(|account| account.ou_path.is_empty()) {
                    account.ou_path = paths.get(&account.id).cloned().unwrap_or_default();
                }
            }
            Err(failure) => tree = Err(failure),
        }
    }
    Ok(Organization { id, accounts, tree })
}

/// `State` before `Status`, which AWS retired on 2026-09-09 and which may be missing.
#[allow(deprecated)] // older emulators send only `Status`
fn state(account: &aws_sdk_organizations::types::Account) -> Option<AccountState> {
    let word = account.state().map(AwsState::as_str).or_else(|| account.status().map(AwsStatus::as_str));
    word.map(|word| AccountState::from(word.to_owned()))
}

/// `arn:aws:organizations::111111111111:account/o-exampleorgid/222222222222`
fn organization_id(arn: &str) -> Option<String> {
    arn.split('/').nth(1).filter(|id| id.starts_with("o-")).map(str::to_owned)
}

/// Walks the tree by OU, never by account: the calls grow with the OUs, not with the accounts.
async fn walk(
    session: &Session,
    client: &Client,
    organization: Option<&str>,
) -> Result<HashMap<AccountId, OuPath>, Failure> {
    let roots = pages(session, |token| async move {
        let answer = client.list_roots().max_results(MAX_RESULTS).set_next_token(token).send().await;
        let answer = answer.map_err(|error| Failure::from_sdk(Operation::ListRoots, &error))?;
        Ok((answer.roots.unwrap_or_default(), answer.next_token))
    })
    .await?;
    let above: Vec<String> = organization.map(str::to_owned).into_iter().collect();
    let mut open: Vec<Vec<String>> = Vec::new();
    for root in roots {
        open.extend(root.id.map(|id| [above.clone(), vec![id]].concat()));
    }
    let mut paths = HashMap::new();
    while let Some(path) = open.pop() {
        let parent = path.last().cloned().unwrap_or_default();
        for id in children(session, client, &parent).await? {
            open.push([path.clone(), vec![id]].concat());
        }
        for id in members(session, client, &parent).await? {
            paths.insert(id, OuPath::new(path.clone()));
        }
    }
    Ok(paths)
}

async fn children(session: &Session, client: &Client, parent: &str) -> Result<Vec<String>, Failure> {
    let units = pages(session, |token| async move {
        let request = client.list_organizational_units_for_parent().parent_id(parent).max_results(MAX_RESULTS);
        let answer = request.set_next_token(token).send().await;
        let operation = Operation::ListOrganizationalUnitsForParent;
        let answer = answer.map_err(|error| Failure::from_sdk(operation, &error))?;
        Ok((answer.organizational_units.unwrap_or_default(), answer.next_token))
    });
    Ok(units.await?.into_iter().filter_map(|unit| unit.id).collect())
}

async fn members(session: &Session, client: &Client, parent: &str) -> Result<Vec<AccountId>, Failure> {
    let accounts = pages(session, |token| async move {
        let request = client.list_accounts_for_parent().parent_id(parent).max_results(MAX_RESULTS);
        let answer = request.set_next_token(token).send().await;
        let answer = answer.map_err(|error| Failure::from_sdk(Operation::ListAccountsForParent, &error))?;
        Ok((answer.accounts.unwrap_or_default(), answer.next_token))
    });
    Ok(accounts.await?.into_iter().filter_map(|account| AccountId::parse(account.id()?).ok()).collect())
}

/// Follows `NextToken` to its end: a page may be empty although more follow.
async fn pages<T, F>(session: &Session, page: impl Fn(Option<String>) -> F) -> Result<Vec<T>, Failure>
where
    F: Future<Output = Result<(Vec<T>, Option<String>), Failure>>,
{
    let mut all = Vec::new();
    let mut token = None;
    loop {
        let (items, next) = session.pace.call(|| page(token.clone())).await?;
        all.extend(items);
        match next.filter(|token| !token.is_empty()) {
            Some(next) => token = Some(next),
            None => return Ok(all),
        }
    }
}
