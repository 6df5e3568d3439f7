//! What a bucket policy says about MFA: whether it demands MFA ("MFA-protected API access") of those who delete versions
//! or change what protects them. It is another mechanism than MFA delete and never stands in for it.
//!
//! - [`document`]: a policy as it is written;
//! - [`mod@read`]: a policy from its JSON;
//! - [`judge()`]: for every group of actions whether the policy demands MFA, and the [`Hole`]s it leaves;
//! - [`denied()`]: what it denies to all or some, MFA or not;
//! - [`Reach`]: what it denies to a [`Caller`], whatever way that takes;
//! - [`Said`]: what is known of the policy of one bucket;
//! - [`scanner`]: whether such a policy keeps the scanner itself out.
//!
//! The model. Only a Deny can demand MFA: an Allow takes nothing from other grants. A request comes with long-term keys
//! (neither `aws:MultiFactorAuthPresent` nor `aws:MultiFactorAuthAge` is there), with temporary credentials without MFA
//! (the first is false, the second is not there), or with MFA (true, and its age in seconds). Actions, resources,
//! principals and the remaining condition keys fall into classes that the policy's Denies treat alike; one request of
//! every class is held against every Deny, and what holds for all of them is the verdict. Principals that the policy
//! does not name are alike. A condition on another key can be true or false in any request that has the key, whatever
//! other conditions on it are, so that a verdict can be partial where conditions on one key are a whole together. What the
//! model does not know, an operator or an element of the language, makes a statement's effect unknown, never a demand.
//!
//! That is the model of the verdicts on MFA, in which every request counts. Whether a policy holds somebody up is asked of
//! that one's requests alone, with the values that their condition keys have: see [`Reach`].
//!
//! Sources: IAM user guide, "JSON policy elements" (Condition operators, Principal, `NotPrincipal`, Resource, Version),
//! "Policy elements: Variables and tags", "Conditions with multiple context keys or values", "AWS global condition context
//! keys", "Secure API access with MFA"; S3 user guide, "Examples of Amazon S3 bucket policies".

mod budget;
mod callers;
mod classes;
mod conditions;
mod denied;
mod denies;
pub mod document;
mod gaps;
mod glob;
mod groups;
mod holes;
mod judge;
mod keys;
mod knowledge;
mod left_open;
mod of_bucket;
mod other_keys;
mod place;
mod principals;
mod reach;
pub mod read;
mod resources;
pub mod scanner;
mod surroundings;
#[cfg(test)]
mod tests;
mod truth;
mod values;

pub use callers::Caller;
pub use denied::{Denied, denied};
pub use document::Policy;
pub use groups::Group;
pub use holes::Hole;
pub use judge::{Access, Credentials, Demand, Escape, Gap, MfaAccess, Scope, Verdict, judge};
pub use of_bucket::{Guard, Judged, Said, Statements};
pub use place::Place;
pub use principals::Who;
pub use reach::{Act, Reach};
pub use read::read;
