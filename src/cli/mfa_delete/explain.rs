//! The words for what stands in the way, and what to do about it. Pure.
//!
//! Sources: S3 user guide, "Configuring MFA delete" and "How S3 Lifecycle interacts with other bucket configurations";
//! Amazon S3 API reference, "Error responses".

use super::decide::{Answer, Refusal, Server};
use crate::aws::failure::Failure;
use crate::aws::route::Pointer;
use crate::model::{Deny, ErrorClass, Fact, ObjectLock, Observed, Reason, Region, Versioning};
use crate::plan::course::Lock;
use crate::plan::words;

/// Why bucketlens does not send it. `bucket` can be pasted as it is.
pub fn refusal(refusal: &Refusal, bucket: &str) -> String {
    match refusal {
        Refusal::CallerUnknown => "STS does not say whose credentials these are, and on AWS only the root user of the \
                                   bucket's account can change MFA delete"
            .to_owned(),
        Refusal::NotRoot(arn) => format!(
            "on AWS only the root user of the bucket's account can change MFA delete, and these are the credentials of \
             {arn}: use long-term access keys of the root user, and delete them afterwards"
        ),
        Refusal::NotOffered => "AWS does not offer MFA delete in the AWS GovCloud (US) Regions".to_owned(),
        Refusal::OthersDevice(account) => {
            format!("the MFA device belongs to another account: it must be one of the root user of {account}")
        }
        Refusal::NoSuchBucket => "there is no such bucket".to_owned(),
        Refusal::VersioningUnknown(reason) => {
            let help = match help(reason) {
                Help::Permission(action) => {
                    format!(" (only the account that owns a bucket can read it, with {action})")
                }
                Help::Words(words) => words.to_owned(),
            };
            format!("its versioning and MFA delete could not be read{help}: {}", reason.sentence())
        }
        Refusal::LifecycleUnknown(reason) => {
            let help = help(reason).words();
            format!(
                "whether it has a lifecycle configuration, beside which MFA delete cannot be enabled, could not be \
                 read{help}: {}",
                reason.sentence()
            )
        }
        Refusal::Lifecycle { rules } => lifecycle(bucket, *rules),
        Refusal::NeedsVersioning(versioning) => {
            let state = match versioning {
                Versioning::Never => "was never enabled",
                Versioning::Suspended | Versioning::Partial(_) | Versioning::Enabled => "is suspended",
            };
            format!(
                "versioning {state}, and enabling MFA delete enables it too: say that you want it with \
                 --enable-versioning (from then on every version is kept and paid for; versioning can be suspended, \
                 never removed)"
            )
        }
        Refusal::PartialVersioning(exclusions) => format!(
            "versioning leaves out {exclusions}, and this request would end that: change it with the tools of the server \
             first"
        ),
        Refusal::MfaDeleteWithoutVersioning => "the server says that MFA delete is enabled and versioning was never \
                                                configured: there is no versioning state that could be kept"
            .to_owned(),
    }
}

/// What to do where the answers point elsewhere: nothing that a server says leads this command to another place.
pub fn pointer(pointer: &Pointer) -> Vec<String> {
    let region = pointer.region.as_ref().map(|region| {
        format!("the server says that it is in {region}: if it is, run the command again with --region {region}")
    });
    let host = pointer.host.as_ref().map(|host| {
        format!(
            "the server redirects to {host}, where nothing is asked: if the bucket is there, run the command again with \
             AWS_ENDPOINT_URL_S3 set to its endpoint"
        )
    });
    [region, host].into_iter().flatten().collect()
}

fn lifecycle(bucket: &str, rules: usize) -> String {
    let (blocks, without) = (words::lifecycle_blocks(rules), words::WITHOUT_LIFECYCLE);
    format!(
        "{blocks}. Otherwise save it, see what it does, and remove it: {without}. bucketlens plan RUN, with the folder of a \
         scan, has the commands for {bucket} in order, and how to undo them"
    )
}

/// What helps where something could not be read.
enum Help {
    Permission(&'static str),
    /// In parentheses, or nothing.
    Words(&'static str),
}

impl Help {
    fn words(self) -> String {
        match self {
            Self::Permission(action) => format!(" (it needs {action})"),
            Self::Words(words) => words.to_owned(),
        }
    }
}

fn help(reason: &Reason) -> Help {
    match (reason.needs(), reason.deny()) {
        (Some(action), _) => Help::Permission(action),
        (None, Some(Deny::ResourceBasedPolicy)) => Help::Words(" (the bucket's policy denies it)"),
        (None, Some(Deny::OtherPolicy) | None) => Help::Words(""),
    }
}

/// What to consider where MFA delete is enabled beside Object Lock.
pub fn object_lock(fact: &Fact<ObjectLock>) -> Option<String> {
    match &fact.observed {
        Observed::Known(ObjectLock::None) => None,
        Observed::Known(ObjectLock::Enabled(lock)) => words::lock(Lock::Enabled(*lock)).map(|lock| {
            format!(
                "it has {lock}: whether S3 takes MFA delete beside it is not documented, and a default retention \
                 protects versions better"
            )
        }),
        Observed::Unknown(reason) => {
            let help = help(reason).words();
            Some(format!(
                "whether it has Object Lock, beside which MFA delete is not documented, could not be read{help}: {}",
                reason.sentence()
            ))
        }
    }
}

/// What came of a request that was sent, where the server did not simply accept it; then what it said.
pub fn answer(answer: &Answer, server: Server) -> Vec<String> {
    match answer {
        Answer::Accepted(_) => Vec::new(),
        Answer::Unclear(failure) => vec![format!("the request got no clear answer: {}", failure.reason.sentence())],
        Answer::Refused(failure) => {
            let said = format!("the server refused: {}", failure.reason.sentence());
            [Some(said), meaning(failure, server)].into_iter().flatten().collect()
        }
    }
}

/// What an error of `PutBucketVersioning` means, where the server's words do not say it.
fn meaning(failure: &Failure, server: Server) -> Option<String> {
    let message = failure.reason.message.as_str();
    let said = |words: &str| message.to_ascii_lowercase().contains(words);
    let meaning = match failure.code().unwrap_or_default() {
        "InvalidBucketState" if said("lifecycle") => {
            "a lifecycle configuration was put on the bucket in the meantime, or its removal is not in force yet: it \
             may take 15 minutes"
        }
        "InvalidBucketState" if said("object lock") => {
            "the bucket has Object Lock, which keeps versioning from being changed; its default retention is the \
             better protection"
        }
        "InvalidBucketState" => "another configuration of the bucket does not allow it",
        "TokenCodeInvalidError" => {
            "the code is wrong, too old or was used before, or the serial is not that of the device; compare the serial \
             and the clock of the device, wait for the next code and run the command again"
        }
        "NotDeviceOwnerError" => {
            "the device belongs to another user: it must be one of the user whose keys these are, the root user's on AWS"
        }
        "DeviceNotActiveError" => "the device is not active: it must be assigned to the root user first",
        "InvalidRequest" if said("devpay") => {
            "these are temporary credentials, with which AWS takes no code: use long-term access keys of the root user \
             (not CloudShell, no session), and delete them afterwards"
        }
        "AccessDenied" if said("bucket owner") => {
            "on AWS only the root user of the account that owns the bucket can do it, whatever policies allow"
        }
        "AccessDenied" if said("mfa authentication must be used") => {
            "the code did not reach the server: something on the way may have removed the header x-amz-mfa"
        }
        "AccessDenied" if server == Server::Other => {
            "servers other than AWS say no more when the code is wrong or was used before, when the serial is no device \
             of this user, or when the user may not change versioning"
        }
        "AccessDenied" => {
            "the keys may not change the versioning of this bucket, or a service control policy denies it"
        }
        "MethodNotAllowed" | "NotImplemented" => "this server has no MFA delete",
        _ => match failure.reason.class {
            ErrorClass::Throttled => "nothing was changed; run the command again, with the next code",
            ErrorClass::WrongRegion => "the bucket is in another Region than a moment ago, or was made anew",
            ErrorClass::Denied
            | ErrorClass::Credentials
            | ErrorClass::Unavailable
            | ErrorClass::Malformed
            | ErrorClass::Unsupported
            | ErrorClass::Rejected
            | ErrorClass::Interrupted => return None,
        },
    };
    Some(meaning.to_owned())
}

/// Where a bucket is asked.
pub fn place(endpoint: Option<&str>, region: &Region) -> String {
    endpoint.map_or_else(|| format!("Amazon S3 in {region}, HTTPS"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Operation;

    fn said(status: u16, code: &str, message: &str, server: Server) -> Option<String> {
        let reason = Reason {
            operation: Operation::PutBucketVersioning,
            class: ErrorClass::Rejected,
            code: Some(code.to_owned()),
            http_status: Some(status),
            request_id: None,
            message: message.to_owned(),
        };
        meaning(&Failure::new(reason, false), server)
    }

    #[test]
    fn the_errors_of_aws_are_explained() {
        let table = [
            (
                409,
                "InvalidBucketState",
                "Mfa Authentication is not supported on a bucket with lifecycle configuration. Delete lifecycle \
                 configuration before enabling Mfa Authentication.",
                "15 minutes",
            ),
            (
                409,
                "InvalidBucketState",
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
                "Object Lock",
            ),
            (403, "AccessDenied", "This operation may only be performed by the bucket owner", "only the root user"),
            (403, "AccessDenied", "Mfa Authentication must be used for this request", "x-amz-mfa"),
            (403, "AccessDenied", "Access Denied", "service control policy"),
            (
                400,
                "InvalidRequest",
                "DevPay and Mfa are mutually exclusive authorization methods.",
                "temporary credentials",
            ),
            (
                400,
                "TokenCodeInvalidError",
                "The serial number and/or token code you provided is not valid.",
                "wait for the next code",
            ),
            (
                400,
                "NotDeviceOwnerError",
                "The device that generated the token is not owned by the authenticated user.",
                "belongs to another user",
            ),
            (400, "DeviceNotActiveError", "", "not active"),
            (501, "NotImplemented", "", "no MFA delete"),
        ];
        for (status, code, message, words) in table {
            let said = said(status, code, message, Server::Aws).expect("an explanation");
            assert!(said.contains(words), "{code} {message}: {said}");
        }
        assert_eq!(said(400, "InvalidRequest", "something else", Server::Aws), None);
    }

    #[test]
    fn a_plain_denial_of_another_server_may_be_the_code() {
        let said = said(403, "AccessDenied", "", Server::Other).expect("an explanation");
        assert!(said.contains("the code is wrong"), "{said}");
    }
}
