//! Whether a policy denies one action to somebody with long-term keys, which never carry MFA.
//!
//! Source: IAM user guide, "Secure API access with MFA" (MFA stands in temporary credentials only).

use super::classes::Class;
use super::denies::{Denies, Request, Requests, Target, WITHOUT_MFA};
use super::document::Policy;
use super::principals::{Who, of_everybody, truths};
use super::truth::Truth;
use crate::policy::Credentials;

/// On what an action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Bucket,
    /// Every object.
    Objects,
}

/// Whether it is denied whatever the request; `None` where that depends on something that the model does not know. `who`:
/// the principal with this ARN, else everybody.
pub(super) fn denied_to_keys(
    policy: &Policy,
    bucket: &str,
    partition: &str,
    (action, on): (&str, On),
    who: Option<&str>,
) -> Option<bool> {
    let denies = Denies::new(policy, bucket, partition, &[action]);
    let resources = match on {
        On::Bucket => vec![denies.resources.of_bucket()],
        On::Objects => denies.resources.of_objects()?,
    };
    let people = match who.map(Who::arn) {
        Some(who) => vec![Class { truths: truths(&denies.statements, &who), example: who }],
        None => of_everybody(&denies.statements),
    };
    let targets = resources.into_iter().map(|resource| Target { action: denies.action(action), resource }).collect();
    let requests = Requests { targets, people, contexts: denies.contexts()? };
    let is_with_keys = |request: &Request| WITHOUT_MFA[request.state].1 == Credentials::LongTermKeys;
    let answers = requests.all().filter(is_with_keys).map(|request| denies.denies(&requests, request));
    match Truth::all(answers) {
        Truth::True => Some(true),
        Truth::False => Some(false),
        Truth::Unknown => None,
    }
}
