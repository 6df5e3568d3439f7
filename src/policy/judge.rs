//! The verdict: one request of every class against every Deny.

use super::conditions::State;
use super::denies::{Denies, Request, Requests, WITHOUT_MFA};
use super::document::Policy;
use super::gaps::{Obstacles, demands, mistaken_allows};
use super::groups::Group;
use super::holes::Hole;
use super::principals::Who;
use super::truth::Truth;

/// Whether a policy demands MFA for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every request without MFA is denied.
    Required,
    /// Some requests without MFA are denied for want of it, others are not.
    Partial,
    /// No request is denied because its temporary credentials came without MFA.
    NotRequired,
    /// It depends on something that the model does not know.
    Unknown,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Partial => "partial",
            Self::NotRequired => "not_required",
            Self::Unknown => "unknown",
        }
    }
}

/// What a policy says about MFA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MfaAccess {
    /// One for each of [`Group::ALL`], in that order.
    pub groups: Vec<Access>,
}

impl MfaAccess {
    pub fn of(&self, group: Group) -> &Access {
        self.groups.iter().find(|access| access.group == group).expect("every group is there")
    }

    /// By which other groups versions can be lost with less MFA than deleting them needs.
    fn ways_round(&self) -> Vec<(Group, Hole)> {
        let is_open = |way: &Access| {
            way.passes
                && match self.of(Group::DeleteVersions).verdict {
                    Verdict::Required => matches!(way.verdict, Verdict::Partial | Verdict::NotRequired),
                    Verdict::Partial => way.verdict == Verdict::NotRequired,
                    Verdict::NotRequired | Verdict::Unknown => false,
                }
        };
        WAYS_ROUND.into_iter().filter(|(way, _)| is_open(self.of(*way))).collect()
    }
}

/// Other actions by which versions are lost.
const WAYS_ROUND: [(Group, Hole); 4] = [
    (Group::DeleteObjects, Hole::DeleteObjectsOpen),
    (Group::ChangeVersioning, Hole::VersioningOpen),
    (Group::ChangeLifecycle, Hole::LifecycleOpen),
    (Group::ChangePolicy, Hole::PolicyOpen),
];

/// What a policy says about MFA for one group of actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub group: Group,
    pub verdict: Verdict,
    /// The statements that demand MFA, if only of some and for some.
    pub demands: Vec<Demand>,
    /// Seconds since MFA was used, at most; of all requests that the policy demands MFA of, the longest.
    pub max_age: Option<u64>,
    /// The policy denies it to everybody, with MFA, too: nothing is demanded, and nothing left open.
    pub denied_to_all: bool,
    /// Some request without MFA certainly gets through.
    pub passes: bool,
    /// Each once, in the order of the statements.
    pub gaps: Vec<Gap>,
}

impl Access {
    /// Whether the policy keeps somebody out here, as far as is known.
    fn guards(&self) -> bool {
        match self.verdict {
            Verdict::Required | Verdict::Partial => true,
            Verdict::NotRequired | Verdict::Unknown => self.denied_to_all,
        }
    }

    /// The gaps but the one that no policy can close.
    pub fn closable_gaps(&self) -> impl Iterator<Item = &Gap> {
        self.gaps.iter().filter(|gap| !matches!(gap.hole, Hole::RootUser | Hole::OwnerUnconfirmed))
    }
}

/// A statement that demands MFA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Its position in the policy.
    pub statement: usize,
    pub resources: Scope,
    pub principals: Scope,
    /// Seconds.
    pub max_age: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    All,
    /// As the policy names them.
    Part(Vec<String>),
    AllBut(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    pub hole: Hole,
    /// Position of the statement that leaves it; `None` for what the policy as a whole leaves open.
    pub statement: Option<usize>,
    /// A request without MFA that gets through here as far as this policy goes, where there certainly is one.
    pub escape: Option<Escape>,
}

/// A request without MFA that no Deny of the policy hits. Whether it is allowed is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escape {
    /// An action that no pattern of the policy names is made up.
    pub action: String,
    /// An ARN.
    pub resource: String,
    pub who: Who,
    pub credentials: Credentials,
    /// What must hold of the other keys that the policy asks for.
    pub context: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    LongTermKeys,
    /// Made without MFA.
    Temporary,
}

/// What the policy of this bucket says about MFA. `partition` is the second part of the bucket's ARN.
///
/// The hole of the root user is in [`Group::ChangePolicy`], wherever the policy guards that.
pub fn judge(policy: &Policy, bucket: &str, partition: &str) -> MfaAccess {
    let groups = Group::ALL.into_iter().map(|group| {
        let denies = Denies::new(policy, bucket, partition, group.actions());
        let mut access = match denies.requests(group) {
            Some(requests) => judged(&denies, group, &requests),
            None => too_large(group),
        };
        if access.verdict != Verdict::Required && !access.denied_to_all {
            access.gaps.extend(mistaken_allows(policy, bucket, partition, group));
        }
        if group == Group::ChangePolicy && access.guards() {
            access.gaps.push(Gap { hole: Hole::whoever_owns(partition), statement: None, escape: None });
        }
        access
    });
    let mut access = MfaAccess { groups: groups.collect() };
    for (_, hole) in access.ways_round() {
        let versions = access.groups.iter_mut().find(|access| access.group == Group::DeleteVersions);
        versions.expect("every group is there").gaps.push(Gap { hole, statement: None, escape: None });
    }
    access
}

fn too_large(group: Group) -> Access {
    let gap = Gap { hole: Hole::TooManyCases, statement: None, escape: None };
    Access {
        group,
        verdict: Verdict::Unknown,
        demands: Vec::new(),
        max_age: None,
        denied_to_all: false,
        passes: false,
        gaps: vec![gap],
    }
}

/// What was seen of all requests without MFA.
struct Seen {
    /// Whether they are all denied.
    denied: Truth,
    /// Whether some are that would not be with MFA.
    bites: Truth,
    /// The longest time since MFA was used that opens what it is demanded for.
    oldest: Option<u64>,
}

impl Seen {
    fn verdict(&self) -> Verdict {
        match (self.denied, self.bites) {
            (_, Truth::False) => Verdict::NotRequired,
            (Truth::True, _) => Verdict::Required,
            (Truth::False, Truth::True) => Verdict::Partial,
            _ => Verdict::Unknown,
        }
    }

    /// What MFA would change for a request that is denied, or may be.
    fn look_at_ages(&mut self, denies: &Denies, requests: &Requests, request: Request) -> Truth {
        let (mut oldest, mut any) = (None, Truth::False);
        for (age, bites) in denies.bites(requests, request) {
            any = any.or(bites);
            if bites == Truth::True {
                oldest = oldest.max(Some(age));
            }
        }
        if oldest.is_some() {
            let open = denies.opening_ages(requests, request).map(|(age, _)| age);
            self.oldest = self.oldest.max(open.max());
        }
        self.bites = self.bites.or(any);
        any
    }
}

fn judged(denies: &Denies, group: Group, requests: &Requests) -> Access {
    let mut seen = Seen { denied: Truth::True, bites: Truth::False, oldest: None };
    let mut obstacles = Obstacles::new(denies, requests, Truth::False);
    let mut doubts = Obstacles::new(denies, requests, Truth::Unknown);
    for request in requests.all() {
        let without = denies.denies(requests, request);
        seen.denied = seen.denied.and(without);
        match without {
            Truth::True => {}
            Truth::Unknown => doubts.note(request),
            Truth::False => obstacles.note(request),
        }
        // Long-term keys can have no MFA, and those of roles have none: whom they are denied to is no question of it.
        let can_have_mfa =
            WITHOUT_MFA[request.state].0 == State::Temporary && !requests.people[request.who].example.is_role();
        if without != Truth::False && can_have_mfa {
            let bites = seen.look_at_ages(denies, requests, request);
            if bites == Truth::Unknown && without == Truth::True {
                doubts.note(request);
            }
        }
    }
    let verdict = seen.verdict();
    let passes = seen.denied == Truth::False;
    let mut gaps = Vec::new();
    if verdict != Verdict::Required {
        gaps.extend(obstacles.gaps(group));
    }
    if verdict == Verdict::Unknown {
        gaps.extend(doubts.gaps(group));
    }
    Access {
        group,
        verdict,
        demands: demands(denies, requests),
        max_age: seen.oldest.filter(|age| *age != denies.oldest_age()),
        denied_to_all: seen.denied == Truth::True && seen.bites == Truth::False,
        passes,
        gaps,
    }
}
