//! STS: who am I, and one role after another.

use std::collections::BTreeMap;

use hyper::Request;
use hyper::body::Bytes;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use super::SECRET_KEY;
use super::caller::{Caller, Kind, Refusal, Scope, Session, session_key};
use super::fixture::{Operation, StsCall, named};
use super::wire::{Answer, Fault, element, parameters, request_uuid};
use super::world::World;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const HOUR: i64 = 3600;

pub(super) fn answer(world: &World, request: &Request<Bytes>, scope: &Scope, now: OffsetDateTime) -> Answer {
    let form = parameters(&String::from_utf8_lossy(request.body()));
    let action = form.get("Action").map_or("", String::as_str);
    let call = named::<StsCall>(action);
    world.count(call.map(Operation::Sts));
    let resource = form.get("RoleArn").map_or("", String::as_str);
    let id = request_uuid(scope.account(), action, resource);
    let result =
        world.caller(scope, request.headers(), now).map_err(|refusal| unauthenticated(&refusal)).and_then(|caller| {
            match call {
                Some(StsCall::GetCallerIdentity) => Ok(caller_identity(&caller)),
                Some(StsCall::AssumeRole) => assume_role(world, &caller, &form, now),
                None => Err(unknown_action(action)),
            }
        });
    let mut answer = match result {
        Ok(result) => Answer::ok("text/xml", success(action, &result, &id)),
        Err(fault) => Answer { status: fault.status, ..Answer::ok("text/xml", failure(&fault, &id)) },
    };
    answer.headers.push(("x-amzn-requestid", id));
    answer
}

fn success(action: &str, result: &str, id: &str) -> String {
    format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{action}Response>"
    )
}

fn failure(fault: &Fault, id: &str) -> String {
    let mut inner = String::from("<Type>Sender</Type>");
    element(&mut inner, "Code", &fault.code);
    element(&mut inner, "Message", &fault.message);
    format!("<ErrorResponse xmlns=\"{NAMESPACE}\"><Error>{inner}</Error><RequestId>{id}</RequestId></ErrorResponse>")
}

fn unauthenticated(refusal: &Refusal) -> Fault {
    match refusal {
        Refusal::UnknownKey | Refusal::BadToken => {
            Fault::new(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        }
        Refusal::ExpiredToken => {
            Fault::new(403, "ExpiredToken", "The security token included in the request is expired")
        }
    }
}

fn unknown_action(action: &str) -> Fault {
    let message = format!("Could not find operation {action} for version 2011-06-15");
    Fault::new(400, "InvalidAction", message)
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(400, "ValidationError", message)
}

fn caller_identity(caller: &Caller) -> String {
    let mut result = String::new();
    element(&mut result, "Arn", &caller.arn);
    element(&mut result, "UserId", &caller.user_id);
    element(&mut result, "Account", &caller.account.id);
    result
}

fn assume_role(
    world: &World,
    caller: &Caller,
    form: &BTreeMap<String, String>,
    now: OffsetDateTime,
) -> Result<String, Fault> {
    let get = |name: &str| form.get(name).map(String::as_str);
    let arn = get("RoleArn").unwrap_or_default();
    let name = session_name(get("RoleSessionName").unwrap_or_default())?;
    let seconds = duration(get("DurationSeconds"), caller)?;
    let (account, role) = role(arn).ok_or_else(|| invalid(format!("{arn} is invalid")))?;
    let may_enter = world.account(account).is_some_and(|target| {
        target.assumable
            && target.role_names.iter().any(|name| name == role)
            && (target.external_id.is_none() || target.external_id.as_deref() == get("ExternalId"))
    });
    let denied =
        caller.account.deny.contains(&Operation::Sts(StsCall::AssumeRole)) || !caller.account.allows("sts:AssumeRole");
    if !may_enter || denied {
        return Err(Fault::new(
            403,
            "AccessDenied",
            format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}", caller.arn),
        ));
    }
    let expires = now + Duration::seconds(seconds);
    let session = Session { account, role, name, expires: expires.unix_timestamp() };
    Ok(credentials(&session, world.organization.partition.id(), expires))
}

/// Account and name of a role; its path is no part of its name.
fn role(arn: &str) -> Option<(&str, &str)> {
    let ["arn", _, "iam", "", account, resource] = arn.splitn(6, ':').collect::<Vec<_>>()[..] else {
        return None;
    };
    let name = resource.strip_prefix("role/")?.rsplit('/').next()?;
    Some((account, name))
}

fn session_name(name: &str) -> Result<&str, Fault> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if (2..=64).contains(&name.len()) && name.bytes().all(allowed) {
        Ok(name)
    } else {
        Err(invalid(format!(
            "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: [\\w+=,.@-]*"
        )))
    }
}

fn duration(text: Option<&str>, caller: &Caller) -> Result<i64, Fault> {
    let text = text.unwrap_or("3600");
    let seconds = text.parse().ok().filter(|seconds| (900..=12 * HOUR).contains(seconds)).ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value '{text}' at 'durationSeconds' failed to satisfy constraint: \
                 Member must have value between 900 and 43200"
        ))
    })?;
    if caller.kind == Kind::Role && seconds > HOUR {
        return Err(invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    Ok(seconds)
}

fn credentials(session: &Session, partition: &str, expires: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let expiration = expires.format(&format).expect("a time has all parts of the format");
    let mut result = String::from("<AssumedRoleUser>");
    element(&mut result, "AssumedRoleId", &session.user_id());
    element(&mut result, "Arn", &session.arn(partition));
    result.push_str("</AssumedRoleUser><Credentials>");
    element(&mut result, "AccessKeyId", &session_key(session.account));
    element(&mut result, "SecretAccessKey", SECRET_KEY);
    element(&mut result, "SessionToken", &session.token());
    element(&mut result, "Expiration", &expiration);
    result.push_str("</Credentials>");
    result
}
