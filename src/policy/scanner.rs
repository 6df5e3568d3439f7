//! Whether a policy keeps the scanner itself out: credentials of a role never carry MFA, so a Deny that demands it denies
//! them what it is for.
//!
//! Source: IAM user guide, "Secure API access with MFA".

use super::classes::Class;
use super::denies::{Denies, Request, Requests, Target};
use super::document::Policy;
use super::principals::{Who, truths};
use super::truth::Truth;

/// What the scanner reads of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reading {
    Versioning,
    Lifecycle,
    Policy,
}

impl Reading {
    pub const ALL: [Self; 3] = [Self::Versioning, Self::Lifecycle, Self::Policy];

    /// IAM's name for it.
    pub fn action(self) -> &'static str {
        match self {
            Self::Versioning => "s3:GetBucketVersioning",
            Self::Lifecycle => "s3:GetLifecycleConfiguration",
            Self::Policy => "s3:GetBucketPolicy",
        }
    }
}

/// Whether a policy denies the scanner something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    No,
    /// For want of MFA: with it, the policy would not deny it.
    ForWantOfMfa,
    /// With MFA, too.
    Always,
    /// It depends on the request, or on something that the model does not know.
    Perhaps,
}

/// Whether the policy of this bucket denies it to who has this ARN and no MFA.
pub fn denial(policy: &Policy, bucket: &str, partition: &str, reading: Reading, arn: &str) -> Denial {
    let denies = Denies::new(policy, bucket, partition, &[reading.action()]);
    let Some(contexts) = denies.contexts() else { return Denial::Perhaps };
    let scanner = Who::arn(arn);
    let requests = Requests {
        targets: vec![Target { action: denies.action(reading.action()), resource: denies.resources.of_bucket() }],
        people: vec![Class { truths: truths(&denies.statements, &scanner), example: scanner }],
        contexts,
    };
    let answers: Vec<(Request, Truth)> =
        requests.all().map(|request| (request, denies.denies(&requests, request))).collect();
    if answers.iter().all(|(_, denied)| *denied == Truth::False) {
        return Denial::No;
    }
    if answers.iter().any(|(_, denied)| *denied != Truth::True) {
        return Denial::Perhaps;
    }
    let opens = |(request, _): &(Request, Truth)| denies.opening_ages(&requests, *request).next().is_some();
    if answers.iter().any(opens) { Denial::ForWantOfMfa } else { Denial::Always }
}
