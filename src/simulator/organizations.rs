//! Organizations: the accounts and the tree they stand in.

use hyper::Request;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::caller::{Caller, Refusal, Scope};
use super::fixture::{Account, Operation, Organization, OrganizationsCall, Unit, named};
use super::wire::{Answer, Fault, moment, request_uuid};
use super::world::World;

const JSON: &str = "application/x-amz-json-1.1";
/// The largest page of the service, and the page without `MaxResults`.
const MAX_RESULTS: usize = 20;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Parameters {
    parent_id: String,
    resource_id: String,
    max_results: Option<usize>,
    next_token: Option<String>,
}

pub(super) fn answer(world: &World, request: &Request<Bytes>, scope: &Scope, now: OffsetDateTime) -> Answer {
    let target = request.headers().get("x-amz-target");
    let name = target
        .and_then(|target| target.to_str().ok())
        .and_then(|target| target.strip_prefix("AWSOrganizationsV20161128."))
        .unwrap_or_default();
    let call = named::<OrganizationsCall>(name);
    world.count(call.map(Operation::Organizations));
    let body = String::from_utf8_lossy(request.body());
    let result =
        world.caller(scope, request.headers(), now).map_err(|refusal| unauthenticated(&refusal)).and_then(|caller| {
            let unknown = || Fault::new(400, "UnknownOperationException", "");
            let call = call.ok_or_else(unknown)?;
            authorize(&world.organization, &caller, call)?;
            let parameters = serde_json::from_slice(request.body())
                .map_err(|error| Fault::new(400, "SerializationException", error.to_string()))?;
            respond(&world.organization, call, &parameters)
        });
    let mut answer = match result {
        Ok(members) => Answer::ok(JSON, members.to_string()),
        Err(fault) => Answer { status: fault.status, ..Answer::ok(JSON, failure(&fault)) },
    };
    let id = request_uuid(scope.account(), name, &body);
    answer.headers.push(("x-amzn-requestid", id));
    answer
}

fn failure(fault: &Fault) -> String {
    let mut members = json!({"__type": fault.code, "Message": fault.message});
    for (name, value) in &fault.fields {
        members[*name] = value.as_str().into();
    }
    members.to_string()
}

fn unauthenticated(refusal: &Refusal) -> Fault {
    match refusal {
        Refusal::UnknownKey | Refusal::BadToken => {
            Fault::new(400, "UnrecognizedClientException", "The security token included in the request is invalid.")
        }
        Refusal::ExpiredToken => {
            Fault::new(400, "ExpiredTokenException", "The security token included in the request is expired")
        }
    }
}

/// Any member may ask what organization it is in; the rest is for those who administer it.
fn authorize(organization: &Organization, caller: &Caller, call: OrganizationsCall) -> Result<(), Fault> {
    let id = &caller.account.id;
    if caller.account.ou.is_none() {
        let message = "Your account is not a member of an organization.";
        return Err(Fault::new(400, "AWSOrganizationsNotInUseException", message));
    }
    let (for_all_members, is_tree) = match call {
        OrganizationsCall::DescribeOrganization => (true, false),
        OrganizationsCall::ListAccounts | OrganizationsCall::ListTagsForResource => (false, false),
        OrganizationsCall::ListRoots
        | OrganizationsCall::ListOrganizationalUnitsForParent
        | OrganizationsCall::ListAccountsForParent => (false, true),
    };
    let action = format!("organizations:{call:?}");
    let denied = caller.account.deny.contains(&Operation::Organizations(call)) || !caller.account.allows(&action);
    if denied || organization.deny_tree && is_tree {
        let message = format!(
            "User: {} is not authorized to perform: {action} on resource: * \
             because no identity-based policy allows the {action} action",
            caller.arn
        );
        return Err(Fault::new(400, "AccessDeniedException", message));
    }
    let administers = *id == organization.management_account || organization.delegated_administrators.contains(id);
    if administers || for_all_members {
        Ok(())
    } else {
        let message = "You don't have permissions to access this resource.";
        Err(Fault::new(400, "AccessDeniedException", message))
    }
}

fn respond(organization: &Organization, call: OrganizationsCall, parameters: &Parameters) -> Result<Value, Fault> {
    let accounts = organization.accounts.iter();
    match call {
        OrganizationsCall::ListAccounts => {
            let members = accounts.filter(|account| account.ou.is_some());
            page("Accounts", members, parameters, |account| account_json(organization, account))
        }
        OrganizationsCall::ListAccountsForParent => {
            known_parent(organization, &parameters.parent_id)?;
            let children = accounts.filter(|account| account.ou.as_ref() == Some(&parameters.parent_id));
            page("Accounts", children, parameters, |account| account_json(organization, account))
        }
        OrganizationsCall::ListOrganizationalUnitsForParent => {
            known_parent(organization, &parameters.parent_id)?;
            let children = organization.ous.iter().filter(|unit| unit.parent == parameters.parent_id);
            page("OrganizationalUnits", children, parameters, |unit| unit_json(organization, unit))
        }
        OrganizationsCall::ListRoots => {
            let arn = arn(organization, "root", &organization.root);
            Ok(json!({"Roots": [{"Id": organization.root, "Arn": arn, "Name": "Root", "PolicyTypes": []}]}))
        }
        OrganizationsCall::ListTagsForResource => {
            let account = organization.accounts.iter().find(|account| account.id == parameters.resource_id);
            let account = account.ok_or_else(|| {
                Fault::new(400, "TargetNotFoundException", "You specified a target that doesn't exist.")
            })?;
            let tags = account.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
            Ok(json!({"Tags": tags.collect::<Vec<_>>()}))
        }
        OrganizationsCall::DescribeOrganization => Ok(organization_json(organization)),
    }
}

fn known_parent(organization: &Organization, id: &str) -> Result<(), Fault> {
    if id == organization.root || organization.ous.iter().any(|unit| unit.id == id) {
        Ok(())
    } else {
        let message = "You specified parent that doesn't exist.";
        Err(Fault::new(400, "ParentNotFoundException", message))
    }
}

/// One page. Even a short list takes two, and after the first comes an empty one that says there is more,
/// which the service documents and clients forget.
fn page<'a, T: 'a>(
    name: &str,
    items: impl Iterator<Item = &'a T>,
    parameters: &Parameters,
    write: impl Fn(&T) -> Value,
) -> Result<Value, Fault> {
    let invalid = |reason: &str| {
        let message = "You provided a value that does not match the required pattern.";
        Fault::new(400, "InvalidInputException", message).with("Reason", reason)
    };
    let items: Vec<&T> = items.collect();
    let max = parameters.max_results.unwrap_or(MAX_RESULTS);
    if !(1..=MAX_RESULTS).contains(&max) {
        return Err(invalid("MAX_LIMIT_EXCEEDED_FILTER"));
    }
    let (start, empty) = match parameters.next_token.as_deref() {
        None => (0, false),
        Some(token) => page_start(token).ok_or_else(|| invalid("INVALID_NEXT_TOKEN"))?,
    };
    let size = if empty { 0 } else { max.min(items.len().div_ceil(2)) };
    let listed = items.iter().skip(start).take(size).map(|item| write(item));
    let mut answer = json!({ name: listed.collect::<Vec<_>>() });
    let end = start + size;
    if end < items.len() {
        let kind = if start == 0 { "empty" } else { "items" };
        answer["NextToken"] = format!("{kind}-{end}").into();
    }
    Ok(answer)
}

/// Where a page starts, and whether it is the empty one.
fn page_start(token: &str) -> Option<(usize, bool)> {
    let (kind, start) = token.split_once('-')?;
    Some((start.parse().ok()?, kind == "empty"))
}

fn arn(organization: &Organization, kind: &str, id: &str) -> String {
    let Organization { id: organization_id, management_account, partition, .. } = organization;
    let partition = partition.id();
    format!("arn:{partition}:organizations::{management_account}:{kind}/{organization_id}/{id}")
}

fn organization_json(organization: &Organization) -> Value {
    let id = &organization.id;
    let management = &organization.management_account;
    let partition = organization.partition.id();
    let email = organization.accounts.iter().find(|account| account.id == *management).map(email);
    json!({"Organization": {
        "Id": id,
        "Arn": format!("arn:{partition}:organizations::{management}:organization/{id}"),
        "FeatureSet": "ALL",
        "MasterAccountId": management,
        "MasterAccountArn": arn(organization, "account", management),
        "MasterAccountEmail": email,
        "AvailablePolicyTypes": [],
    }})
}

fn email(account: &Account) -> String {
    let made_up = || format!("aws+{}@example.com", account.id);
    account.email.clone().unwrap_or_else(made_up)
}

fn account_json(organization: &Organization, account: &Account) -> Value {
    let is_management = account.id == organization.management_account;
    let mut members = json!({
        "Id": account.id,
        "Arn": arn(organization, "account", &account.id),
        "Email": email(account),
        "Name": account.name,
        "Status": account.status(),
        "JoinedMethod": if is_management { "INVITED" } else { "CREATED" },
        "JoinedTimestamp": moment(&["joined", &account.id]).unix_timestamp(),
    });
    if !organization.omit_state {
        members["State"] = account.state().into();
    }
    if !organization.omit_paths {
        let parent = account.ou.as_deref().unwrap_or_default();
        let path = format!("{}{}/", path(organization, parent), account.id);
        members["Paths"] = json!([path]);
    }
    members
}

fn unit_json(organization: &Organization, unit: &Unit) -> Value {
    let mut members = json!({
        "Id": unit.id,
        "Arn": arn(organization, "ou", &unit.id),
        "Name": unit.name,
    });
    if !organization.omit_paths {
        members["Path"] = path(organization, &unit.id).into();
    }
    members
}

/// `o-.../r-.../ou-.../` down to this root or unit.
fn path(organization: &Organization, id: &str) -> String {
    match organization.ous.iter().find(|unit| unit.id == id) {
        Some(unit) => format!("{}{id}/", path(organization, &unit.parent)),
        None => format!("{}/{}/", organization.id, organization.root),
    }
}
