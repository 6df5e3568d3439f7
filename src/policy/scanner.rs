//! Whether a policy keeps the scanner itself out: credentials of a role never carry MFA, so a Deny that demands it denies
//! them what it is for.
//!
//! Source: IAM user guide, "Secure API access with MFA".

use super::classes::Class;
use super::denies::{Denies, Request, Requests, Target};
use super::document::Policy;
use super::principals::{Who, truths};
use super::truth::Truth;
use crate::model::{ErrorClass, Reason};

/// Whether a policy denies the scanner something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    No,
    /// For want of MFA: with it, the policy would not deny it.
    ForWantOfMfa,
    /// With MFA, too.
    Always,
    /// It depends on the request; where it is denied, it is for want of MFA.
    PerhapsForWantOfMfa,
    /// It depends on the request, or on something that the model does not know.
    Perhaps,
}

/// Whether the policy of this bucket denies an action on it, in IAM's name, to who has this ARN and no MFA.
pub fn denial(policy: &Policy, bucket: &str, partition: &str, action: &str, arn: &str) -> Denial {
    let denies = Denies::new(policy, bucket, partition, &[action]);
    let Some(contexts) = denies.contexts() else { return Denial::Perhaps };
    let scanner = Who::arn(arn);
    let requests = Requests {
        targets: vec![Target { action: denies.action(action), resource: denies.resources.of_bucket() }],
        people: vec![Class { truths: truths(&denies.statements, &scanner), example: scanner }],
        contexts,
    };
    let answers: Vec<(Request, Truth)> =
        requests.all().map(|request| (request, denies.denies(&requests, request))).collect();
    if answers.iter().all(|(_, denied)| *denied == Truth::False) {
        return Denial::No;
    }
    if answers.iter().all(|(_, denied)| *denied == Truth::True) {
        let opens = |(request, _): &(Request, Truth)| denies.opening_ages(&requests, *request).next().is_some();
        return if answers.iter().any(opens) { Denial::ForWantOfMfa } else { Denial::Always };
    }
    let for_want_of_mfa = |(request, denied): &(Request, Truth)| match denied {
        Truth::False => true,
        Truth::Unknown => false,
        Truth::True => denies.opening_ages(&requests, *request).any(|(_, denied)| denied == Truth::False),
    };
    if answers.iter().all(for_want_of_mfa) { Denial::PerhapsForWantOfMfa } else { Denial::Perhaps }
}

/// Whether this refusal came of a policy that wants MFA. It did where S3 says that the bucket's policy denies it, and the
/// policy denies it to this caller only for want of MFA.
///
/// S3 names the caller and the kind of policy to callers of the same account or organization. Source: S3 user guide,
/// "Troubleshoot access denied (403 Forbidden) errors in Amazon S3".
pub fn is_for_want_of_mfa(policy: &Policy, bucket: &str, partition: &str, refusal: &Reason) -> bool {
    let message = refusal.message.to_ascii_lowercase();
    let is_of_the_policy =
        refusal.class == ErrorClass::Denied && message.contains("with an explicit deny in a resource-based policy");
    // Lower case keeps the places of characters.
    let caller = message.find("user: ").and_then(|at| refusal.message[at + "user: ".len()..].split_whitespace().next());
    match (is_of_the_policy, refusal.operation.action(), caller) {
        (true, Some(action), Some(arn)) => match denial(policy, bucket, partition, action, arn) {
            Denial::ForWantOfMfa | Denial::PerhapsForWantOfMfa => true,
            Denial::No | Denial::Always | Denial::Perhaps => false,
        },
        _ => false,
    }
}
