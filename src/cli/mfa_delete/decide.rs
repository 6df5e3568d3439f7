//! What is to be done with a bucket, and what came of it. Pure: everything that decides is an argument.

use std::sync::Arc;

use crate::aws::failure::Failure;
use crate::aws::partition::is_aws_host;
use crate::aws::put_bucket_versioning::{Change, Status, Switch};
use crate::aws::session::Caller;
use crate::aws::settings::{host, is_unprotected};
use crate::exit::Exit;
use crate::model::{
    AccountId, ErrorClass, Exclusions, Facts, Lifecycle, MfaDelete, Observed, Reason, Versioning, VersioningState,
    is_bucket_name, is_directory_bucket,
};

/// What the user asked for, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Enable,
    /// And versioning with it, where it is not enabled.
    EnableWithVersioning,
    Disable,
}

impl Wish {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enable | Self::EnableWithVersioning => "enable",
            Self::Disable => "disable",
        }
    }
}

/// Serial number of an MFA device, or the ARN of a virtual one; no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serial(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotASerial {
    #[error("a serial number has up to 256 letters, digits or any of _+=/:,.@-, and no spaces")]
    Characters,
    #[error("this is a security key, which gives no codes: S3 takes those of a hardware token or an authenticator app")]
    SecurityKey,
    #[error("this is the ARN of something else than an MFA device, which is arn:PARTITION:iam::ACCOUNT:mfa/NAME")]
    NoDevice,
    #[error("this looks like a code, not a serial: codes are asked for when they are needed")]
    Code,
}

impl Serial {
    /// Source: IAM API reference, `EnableMFADevice`: `SerialNumber`. Other servers have shorter ones.
    pub fn parse(text: &str) -> Result<Self, NotASerial> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=/:,.@-".contains(&byte);
        if !(1..=256).contains(&text.len()) || !text.bytes().all(allowed) {
            return Err(NotASerial::Characters);
        }
        if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotASerial::Code);
        }
        if !text.starts_with("arn:") {
            return Ok(Self(text.to_owned()));
        }
        match arn(text) {
            Some((_, resource)) if resource.starts_with("u2f/") => Err(NotASerial::SecurityKey),
            Some((_, resource)) if resource.strip_prefix("mfa/").is_some_and(|name| !name.is_empty()) => {
                Ok(Self(text.to_owned()))
            }
            Some(_) | None => Err(NotASerial::NoDevice),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account of a device that has an ARN.
    fn account(&self) -> Option<&str> {
        arn(&self.0).map(|(account, _)| account)
    }
}

/// Account and resource of `arn:PARTITION:iam::ACCOUNT:RESOURCE`.
fn arn(text: &str) -> Option<(&str, &str)> {
    match text.splitn(6, ':').collect::<Vec<_>>()[..] {
        ["arn", partition, "iam", "", account, resource] if !partition.is_empty() && !account.is_empty() => {
            Some((account, resource))
        }
        _ => None,
    }
}

/// What can be a bucket of its own. Its name is put into commands that users paste, so nothing else passes.
pub fn bucket_name(text: &str) -> Result<String, String> {
    if is_directory_bucket(text) {
        return Err("a directory bucket has no versioning and no MFA delete".to_owned());
    }
    if let ["arn", _, "s3", "", "", name] = text.splitn(6, ':').collect::<Vec<_>>()[..] {
        return Err(format!("this is the ARN of a bucket: give its name, {name}"));
    }
    if text.ends_with("-s3alias") || text.ends_with("--ol-s3") || text.starts_with("arn:") {
        return Err("this names an access point, which has no versioning: name the bucket itself".to_owned());
    }
    is_bucket_name(text).then(|| text.to_owned()).ok_or_else(|| "no bucket can have this name".to_owned())
}

/// Whose rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    Aws,
    Other,
}

/// From the endpoint of the settings; none means AWS.
pub fn server(endpoint: Option<&str>) -> Server {
    match endpoint {
        Some(url) if !is_aws_host(&host(url)) => Server::Other,
        Some(_) | None => Server::Aws,
    }
}

/// Whether a code may travel there: with TLS, or without leaving this machine.
pub fn is_protected(url: &str) -> bool {
    !is_unprotected(url)
}

/// Why bucketlens sends nothing for a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// On AWS.
    CallerUnknown,
    NotRoot(String),
    /// In AWS `GovCloud` (US).
    NotOffered,
    OthersDevice(AccountId),
    NoSuchBucket,
    VersioningUnknown(Arc<Reason>),
    LifecycleUnknown(Arc<Reason>),
    Lifecycle {
        rules: usize,
    },
    NeedsVersioning(Versioning),
    /// The request would drop what versioning leaves out: S3 has no words for it.
    PartialVersioning(Exclusions),
    /// MFA delete without versioning: no server can have it, and there is no `Status` to send.
    MfaDeleteWithoutVersioning,
}

/// What can be said of a change before any bucket is looked at.
pub fn caller_refusals(server: Server, caller: Option<&Caller>, account: &AccountId, serial: &Serial) -> Vec<Refusal> {
    if server == Server::Other {
        return Vec::new();
    }
    let caller = match caller {
        None => Some(Refusal::CallerUnknown),
        Some(caller) if caller.partition().as_str() == "aws-us-gov" => Some(Refusal::NotOffered),
        Some(caller) if !may_be_asked(caller) => Some(Refusal::NotRoot(caller.arn.to_string())),
        Some(_) => None,
    };
    let device = serial.account().filter(|owner| *owner != account.as_str());
    caller.into_iter().chain(device.map(|_| Refusal::OthersDevice(account.clone()))).collect()
}

/// Whether it is `arn:PARTITION:iam::ACCOUNT:root`. A session of `sts:AssumeRoot` is not this user and may not do it. The AWS
/// China Regions have no root user: who may do it there is not documented, so S3 decides.
fn may_be_asked(caller: &Caller) -> bool {
    let root = format!("arn:{}:iam::{}:root", caller.partition(), caller.account);
    caller.partition().as_str() == "aws-cn" || *caller.arn == *root
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Already,
    Send(Change),
    /// With every reason there is.
    Refuse(Vec<Refusal>),
}

/// From what was read of the bucket.
pub fn decide(wish: Wish, facts: &Facts) -> Decision {
    let (versioning, lifecycle) = match facts {
        // Nobody can ask for a directory bucket: its name is refused.
        Facts::Vanished { .. } | Facts::Directory { .. } => return Decision::Refuse(vec![Refusal::NoSuchBucket]),
        Facts::Read { versioning, lifecycle, .. } => (&versioning.observed, &lifecycle.observed),
    };
    let state = match versioning {
        Observed::Known(state) => *state,
        Observed::Unknown(reason) => return Decision::Refuse(vec![Refusal::VersioningUnknown(Arc::clone(reason))]),
    };
    if let Versioning::Partial(exclusions) = state.versioning {
        return Decision::Refuse(vec![Refusal::PartialVersioning(exclusions)]);
    }
    match wish {
        Wish::Disable => disable(state),
        Wish::Enable | Wish::EnableWithVersioning => enable(wish, state, lifecycle),
    }
}

/// Versioning stays what it was read to be.
fn disable(state: VersioningState) -> Decision {
    let status = match (state.mfa_delete, state.versioning) {
        (MfaDelete::Never | MfaDelete::Disabled, _) => return Decision::Already,
        (MfaDelete::Enabled, Versioning::Never) => return Decision::Refuse(vec![Refusal::MfaDeleteWithoutVersioning]),
        (MfaDelete::Enabled, Versioning::Enabled | Versioning::Partial(_)) => Status::Enabled,
        (MfaDelete::Enabled, Versioning::Suspended) => Status::Suspended,
    };
    Decision::Send(Change { status, mfa_delete: Switch::Off })
}

fn enable(wish: Wish, state: VersioningState, lifecycle: &Observed<Lifecycle>) -> Decision {
    let change = Change { status: Status::Enabled, mfa_delete: Switch::On };
    if change.holds_in(state) {
        return Decision::Already;
    }
    let mut refusals = Vec::new();
    match lifecycle {
        Observed::Known(Lifecycle::None) => {}
        Observed::Known(Lifecycle::Present(configuration)) => {
            refusals.push(Refusal::Lifecycle { rules: configuration.rules.len() });
        }
        Observed::Unknown(reason) => refusals.push(Refusal::LifecycleUnknown(Arc::clone(reason))),
    }
    if wish == Wish::Enable && state.versioning != Versioning::Enabled {
        refusals.push(Refusal::NeedsVersioning(state.versioning));
    }
    if refusals.is_empty() { Decision::Send(change) } else { Decision::Refuse(refusals) }
}

/// What the server said to the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// With the id of the request.
    Accepted(Option<String>),
    /// Nothing was changed, it says.
    Refused(Failure),
    /// No answer, or none from which it can be told: it may have been done.
    Unclear(Failure),
}

impl From<Result<Option<String>, Failure>> for Answer {
    fn from(answer: Result<Option<String>, Failure>) -> Self {
        match answer {
            Ok(request_id) => Self::Accepted(request_id),
            Err(failure) if is_unclear(&failure) => Self::Unclear(failure),
            Err(failure) => Self::Refused(failure),
        }
    }
}

fn is_unclear(failure: &Failure) -> bool {
    match failure.reason.class {
        ErrorClass::Malformed => true,
        ErrorClass::Unavailable => failure.reason.http_status.is_none_or(|status| status >= 500),
        // Without keys nothing is sent, nor after a stop; in all the others the server speaks.
        ErrorClass::Credentials
        | ErrorClass::Interrupted
        | ErrorClass::Denied
        | ErrorClass::WrongRegion
        | ErrorClass::Throttled
        | ErrorClass::Unsupported
        | ErrorClass::Rejected => false,
    }
}

/// What came of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Of `status`.
    Read,
    Unknown,
    /// It was so before; nothing was sent.
    Already,
    DryRun,
    Confirmed,
    /// Accepted by the server, and not seen in force while it was waited for.
    NotVisible,
    /// No answer, and not seen in force while it was waited for.
    NoAnswer,
    /// By bucketlens or by the server.
    Refused,
    /// Because of something that happened before its turn came.
    NotSent,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Unknown => "unknown",
            Self::Already => "already",
            Self::DryRun => "dry_run",
            Self::Confirmed => "confirmed",
            Self::NotVisible => "accepted_not_visible",
            Self::NoAnswer => "no_answer",
            Self::Refused => "refused",
            Self::NotSent => "not_sent",
        }
    }

    pub fn exit(self) -> Exit {
        match self {
            Self::Read | Self::Already | Self::DryRun | Self::Confirmed => Exit::Ok,
            Self::Refused | Self::NotSent => Exit::Findings,
            Self::Unknown | Self::NotVisible | Self::NoAnswer => Exit::Unknown,
        }
    }
}

/// Whether it was read to be so.
pub fn is_as(change: Change, facts: &Facts) -> bool {
    match facts {
        Facts::Read { versioning, .. } => versioning.known().is_some_and(|state| change.holds_in(*state)),
        Facts::Vanished { .. } | Facts::Directory { .. } => false,
    }
}

/// What was read afterwards goes before what the server said: it may have refused what it had done already, when
/// something between us and it sent the request twice.
pub fn outcome(answer: &Answer, change: Change, after: &Facts) -> Outcome {
    match answer {
        _ if is_as(change, after) => Outcome::Confirmed,
        Answer::Accepted(_) => Outcome::NotVisible,
        Answer::Unclear(_) => Outcome::NoAnswer,
        Answer::Refused(_) => Outcome::Refused,
    }
}

/// What is known to be bad goes before what is not known, and that before what was not begun because of it.
pub fn exit(outcomes: impl Iterator<Item = Outcome>) -> Exit {
    let outcomes: Vec<Outcome> = outcomes.collect();
    let worst_first = [Outcome::Refused, Outcome::NoAnswer, Outcome::NotVisible, Outcome::Unknown, Outcome::NotSent];
    worst_first.into_iter().find(|outcome| outcomes.contains(outcome)).map_or(Exit::Ok, Outcome::exit)
}

#[cfg(test)]
mod tests;
