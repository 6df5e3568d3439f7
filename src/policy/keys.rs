//! Whether a policy denies an action on a bucket to somebody with long-term keys, which never carry MFA.
//!
//! Source: IAM user guide, "Secure API access with MFA" (MFA stands in temporary credentials only).

use super::Place;
use super::classes::Class;
use super::denies::{Denies, Request, Requests, Target, WITHOUT_MFA};
use super::document::Policy;
use super::principals::{Who, truths};
use super::truth::Truth;
use crate::policy::Credentials;

/// Whether it is denied to who has this ARN, whatever the request; `None` where that depends on something that the model
/// does not know.
pub(super) fn is_denied(policy: &Policy, place: &Place, action: &str, arn: &str) -> Option<bool> {
    let denies = Denies::new(policy, &place.bucket, &place.partition, &[action]);
    let who = Who::arn(arn);
    let requests = Requests {
        targets: vec![Target { action: denies.action(action), resource: denies.resources.of_bucket() }],
        people: vec![Class { truths: truths(&denies.statements, &who), example: who }],
        contexts: denies.contexts()?,
    };
    let is_with_keys = |request: &Request| WITHOUT_MFA[request.state].1 == Credentials::LongTermKeys;
    let answers = requests.all().filter(is_with_keys).map(|request| denies.denies(&requests, request));
    match Truth::all(answers) {
        Truth::True => Some(true),
        Truth::False => Some(false),
        Truth::Unknown => None,
    }
}
