//! What is known of the policy of one bucket.

use std::sync::OnceLock;

use super::callers::Caller;
use super::conditions::is_about_mfa;
use super::denied::{Denied, denied};
use super::document::{Policy, Statement};
use super::groups::Group;
use super::holes::Hole;
use super::judge::{Access, Gap, MfaAccess, Verdict, judge};
use super::keys::is_denied;
use super::reach::{Act, Reach, reach};
use super::{Place, read, scanner};
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
    place: Place,
    pub mfa: MfaAccess,
    /// Whether versions may be deleted at all.
    pub version_deletion: Denied,
    /// One for each of [`ASKED`], once it was asked for.
    reaches: [OnceLock<Reach>; ASKED.len()],
}

type Asked = (Caller, Act, Statements);

/// What is asked of a policy again and again.
const ASKED: [Asked; 21] = {
    use Statements::{AboutMfa, All, Others};
    const VERSIONS: Act = Act::Group(Group::DeleteVersions);
    const OBJECTS: Act = Act::Group(Group::DeleteObjects);
    const RULE: Act = Act::Group(Group::ChangeLifecycle);
    [
        (Caller::UserKeys, VERSIONS, All),
        (Caller::UserKeys, VERSIONS, AboutMfa),
        (Caller::UserKeys, VERSIONS, Others),
        (Caller::UserKeys, OBJECTS, All),
        (Caller::UserKeys, OBJECTS, AboutMfa),
        (Caller::UserKeys, OBJECTS, Others),
        (Caller::Role, VERSIONS, All),
        (Caller::Role, VERSIONS, AboutMfa),
        (Caller::Role, VERSIONS, Others),
        (Caller::Role, OBJECTS, All),
        (Caller::Role, OBJECTS, AboutMfa),
        (Caller::Role, OBJECTS, Others),
        (Caller::UserSession, VERSIONS, All),
        (Caller::UserSession, OBJECTS, All),
        (Caller::Anyone, RULE, All),
        (Caller::Anyone, RULE, AboutMfa),
        (Caller::Anyone, RULE, Others),
        (Caller::Administrator, VERSIONS, All),
        (Caller::Administrator, RULE, All),
        (Caller::Administrator, Act::Group(Group::ChangePolicy), All),
        (Caller::UserKeys, Act::BypassGovernance, All),
    ]
};

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
    /// `place` is unknown where the partition of the bucket's ARN is.
    pub fn of(fact: &Fact<BucketPolicy>, place: Option<Place>) -> Self {
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
        let Some(place) = place else {
            return not_judged(
                "the partition of its ARN is unknown, because STS did not say who the caller is".to_owned(),
            );
        };
        Self::Judged(Box::new(Judged {
            mfa: judge(&policy, &place.bucket, &place.partition),
            version_deletion: denied(&policy, &place, Group::DeleteVersions),
            reaches: Default::default(),
            place,
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

    /// How far the statements go against a caller; `None` where the policy is unknown.
    pub fn reach(&self, caller: Caller, act: Act, statements: Statements) -> Option<Reach> {
        match self {
            Self::NoPolicy => Some(Reach::Nothing),
            Self::Unknown(_) => None,
            Self::Judged(judged) => Some(judged.reach(caller, act, statements)),
        }
    }

    /// The hole of every bucket policy; `None` where there is none.
    pub fn owner_hole(&self) -> Option<Hole> {
        match self {
            Self::NoPolicy | Self::Unknown(_) => None,
            Self::Judged(judged) => Some(Hole::whoever_owns(&judged.place.partition)),
        }
    }

    /// Whether the root user of an account may do this to the bucket with long-term keys, as far as the policy goes; `None`
    /// where that is unknown.
    pub fn lets_root(&self, account: &AccountId, action: &str) -> Option<bool> {
        let arn = match self {
            Self::NoPolicy | Self::Unknown(_) => String::new(),
            Self::Judged(judged) => format!("arn:{}:iam::{account}:root", judged.place.partition),
        };
        match self {
            Self::NoPolicy => Some(true),
            Self::Unknown(_) => None,
            Self::Judged(judged) => is_denied(&judged.policy, &judged.place, action, &arn).map(|is_denied| !is_denied),
        }
    }

    /// Whether a fact of the bucket was denied to us because its policy wants MFA, as far as that is certain.
    pub fn explains(&self, refusal: &Reason) -> bool {
        match self {
            Self::Judged(judged) if refusal.class == ErrorClass::Denied => {
                scanner::is_for_want_of_mfa(&judged.policy, &judged.place.bucket, &judged.place.partition, refusal)
            }
            Self::NoPolicy | Self::Unknown(_) | Self::Judged(_) => false,
        }
    }
}

/// Which statements of a policy are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statements {
    All,
    /// Those with a condition on MFA.
    AboutMfa,
    /// Those without.
    Others,
}

impl Judged {
    fn reach(&self, caller: Caller, act: Act, statements: Statements) -> Reach {
        match ASKED.iter().position(|asked| *asked == (caller, act, statements)) {
            Some(place) => self.reaches[place].get_or_init(|| self.find_reach(caller, act, statements)).clone(),
            None => self.find_reach(caller, act, statements),
        }
    }

    fn find_reach(&self, caller: Caller, act: Act, statements: Statements) -> Reach {
        let is_wanted = |statement: &&Statement| match statements {
            Statements::All => true,
            Statements::AboutMfa => is_about_mfa(statement),
            Statements::Others => !is_about_mfa(statement),
        };
        let count = self.policy.statements.iter().filter(is_wanted).count();
        if count == self.policy.statements.len() {
            return reach(&self.policy, &self.place, caller, act);
        }
        let statements = self.policy.statements.iter().filter(is_wanted).cloned().collect();
        reach(&Policy { statements, ..self.policy.clone() }, &self.place, caller, act)
    }
}

impl Access {
    pub fn guard(&self) -> Guard {
        match self.verdict {
            _ if self.denied_to_all => Guard::Denied,
            Verdict::Required => Guard::Mfa,
            Verdict::Partial => Guard::InPart,
            Verdict::NotRequired if self.passes => Guard::Open,
            Verdict::NotRequired | Verdict::Unknown => Guard::Unknown,
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
