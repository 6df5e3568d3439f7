//! To whom a policy denies a group of actions, whatever the caller's MFA is.

use super::Place;
use super::callers::Caller;
use super::document::Policy;
use super::groups::Group;
use super::holes::Hole;
use super::reach::{Act, Reach, reach};

/// To whom a policy denies a group of actions, with MFA and without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// To everybody, for everything.
    All,
    /// To some, or for some objects: by what others get through.
    Some(Vec<Hole>),
    /// To nobody, or only to requests that nobody has to make, for example those without TLS.
    Nothing,
    /// It depends on something that the model does not know.
    Unknown(Vec<Hole>),
}

/// What the policy of the bucket in this place denies with MFA and without.
pub fn denied(policy: &Policy, place: &Place, group: Group) -> Denied {
    match reach(policy, place, Caller::Everybody, Act::Group(group)) {
        Reach::All => Denied::All,
        Reach::Part(holes) | Reach::PartAtLeast(holes) => Denied::Some(holes),
        Reach::Nothing => Denied::Nothing,
        Reach::Unknown(holes) => Denied::Unknown(holes),
    }
}
