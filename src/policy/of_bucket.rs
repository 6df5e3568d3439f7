//! What is known of the policy of one bucket.

use super::denied::{Denied, denied};
use super::document::Policy;
use super::groups::Group;
use super::judge::{Access, Gap, MfaAccess, Verdict, judge};
use super::keys::{On, denied_to_keys};
use super::{read, scanner};
use crate::model::{AccountId, BucketPolicy, Doubt, ErrorClass, Fact, Observed, Reason};

/// What the policy of a bucket says, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// There is no policy, and so no Deny.
    NoPolicy,
    Judged(Box<Judged>),
    Unknown(Doubt),
}

/// A policy that was read, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    policy: Policy,
    bucket: String,
    partition: String,
    pub mfa: MfaAccess,
    /// Whether versions may be deleted at all.
    pub version_deletion: Denied,
}

/// What stands before a group of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Nobody may, with MFA or without.
    Denied,
    /// Only with MFA.
    Mfa,
    /// Some are kept out for want of MFA, others are not.
    InPart,
    Open,
    Unknown,
}

impl Said {
    /// `partition`: the second part of the bucket's ARN, where it is known.
    pub fn of(fact: &Fact<BucketPolicy>, bucket: &str, partition: Option<&str>) -> Self {
        let text = match &fact.observed {
            Observed::Unknown(reason) => return Self::Unknown(Doubt::Unread(reason.clone())),
            Observed::Known(BucketPolicy::None) => return Self::NoPolicy,
            Observed::Known(BucketPolicy::Present(text)) => text,
        };
        let not_judged = |why: String| Self::Unknown(Doubt::NotJudged(why));
        let policy = match read(text.as_bytes()) {
            Ok(policy) => policy,
            Err(error) => return not_judged(error.to_string()),
        };
        let Some(partition) = partition else {
            return not_judged(
                "the partition of its ARN is unknown, because STS did not say who the caller is".to_owned(),
            );
        };
        Self::Judged(Box::new(Judged {
            mfa: judge(&policy, bucket, partition),
            version_deletion: denied(&policy, bucket, partition, Group::DeleteVersions),
            bucket: bucket.to_owned(),
            partition: partition.to_owned(),
            policy,
        }))
    }

    pub fn guard(&self, group: Group) -> Guard {
        match self {
            Self::NoPolicy => Guard::Open,
            Self::Unknown(_) => Guard::Unknown,
            Self::Judged(judged) => judged.mfa.of(group).guard(),
        }
    }

    /// What it says of MFA for a group; `None` where there is no policy, or it is unknown.
    pub fn access(&self, group: Group) -> Option<&Access> {
        match self {
            Self::NoPolicy | Self::Unknown(_) => None,
            Self::Judged(judged) => Some(judged.mfa.of(group)),
        }
    }

    /// The verdict on a group: without a policy nothing is required.
    pub fn verdict(&self, group: Group) -> Verdict {
        match self {
            Self::NoPolicy => Verdict::NotRequired,
            Self::Unknown(_) => Verdict::Unknown,
            Self::Judged(judged) => judged.mfa.of(group).verdict,
        }
    }

    /// Whether nobody may bypass governance retention with long-term keys; `None` where that is unknown.
    pub fn keeps_governance(&self) -> Option<bool> {
        self.denied_to_keys(("s3:BypassGovernanceRetention", On::Objects), None)
    }

    /// Whether the root user of an account may do this to the bucket with long-term keys, as far as the policy goes; `None`
    /// where that is unknown.
    pub fn lets_root(&self, account: &AccountId, action: &str) -> Option<bool> {
        let arn = match self {
            Self::NoPolicy | Self::Unknown(_) => String::new(),
            Self::Judged(judged) => format!("arn:{}:iam::{account}:root", judged.partition),
        };
        self.denied_to_keys((action, On::Bucket), Some(&arn)).map(|is_denied| !is_denied)
    }

    fn denied_to_keys(&self, what: (&str, On), who: Option<&str>) -> Option<bool> {
        match self {
            Self::NoPolicy => Some(false),
            Self::Unknown(_) => None,
            Self::Judged(judged) => denied_to_keys(&judged.policy, &judged.bucket, &judged.partition, what, who),
        }
    }

    /// Whether a fact of the bucket was denied to us because its policy wants MFA, as far as that is certain.
    pub fn explains(&self, refusal: &Reason) -> bool {
        match self {
            Self::Judged(judged) if refusal.class == ErrorClass::Denied => {
                scanner::is_for_want_of_mfa(&judged.policy, &judged.bucket, &judged.partition, refusal)
            }
            Self::NoPolicy | Self::Unknown(_) | Self::Judged(_) => false,
        }
    }
}

impl Access {
    pub fn guard(&self) -> Guard {
        match self.verdict {
            _ if self.denied_to_all => Guard::Denied,
            Verdict::Required => Guard::Mfa,
            Verdict::Partial => Guard::InPart,
            Verdict::NotRequired => Guard::Open,
            Verdict::Unknown => Guard::Unknown,
        }
    }

    /// The holes, a sentence each with its statement, the same once.
    pub fn holes(&self) -> Vec<String> {
        let mut holes: Vec<String> = self.gaps.iter().map(Gap::sentence).collect();
        holes.dedup();
        holes
    }
}

impl Gap {
    /// `statement 2: long-term keys pass: ...`; statements are counted from 1.
    pub fn sentence(&self) -> String {
        match self.statement {
            Some(position) => format!("statement {}: {}", position + 1, self.hole),
            None => self.hole.to_string(),
        }
    }
}
