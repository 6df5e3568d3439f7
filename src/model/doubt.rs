use std::sync::Arc;

use super::{Extra, Reason};

/// Why it cannot be told how a bucket stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// A fact that could not be read.
    Unread(Arc<Reason>),
    /// A fact that the service denied, and why by the bucket's own policy, which was read.
    DeniedByPolicy(Arc<Reason>),
    /// The lifecycle configuration was read, and what its rules do together could not be found out: why.
    NotAnalysed(String),
    /// The bucket policy was read, and what it says could not be found out: why.
    NotJudged(String),
    /// Nobody asked for it in this run.
    NotAsked(Extra),
}

impl Doubt {
    pub fn sentence(&self) -> String {
        match self {
            Self::Unread(reason) => reason.sentence(),
            Self::DeniedByPolicy(reason) => format!("{}; {MFA_GATED}", reason.sentence()),
            Self::NotAnalysed(why) => format!("{NOT_ANALYSED}: {why}"),
            Self::NotJudged(why) => format!("what the bucket policy says could not be found out: {why}"),
            Self::NotAsked(extra) => format!("{} was not asked for in this run", extra.operation()),
        }
    }
}

/// With these words the evidence of a rule begins that has no verdicts to go by.
const NOT_ANALYSED: &str = "the lifecycle configuration could not be analysed";

/// Source: IAM user guide, "Secure API access with MFA".
const MFA_GATED: &str =
    "the bucket policy denies this for want of MFA: the request carried none, or none recent enough";
