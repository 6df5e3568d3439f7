//! What each error of AWS means (the taxonomy).
//!
//! Sources: Amazon S3 API reference, "Error responses"; S3 user guide, "Troubleshoot access denied (403 Forbidden)
//! errors in Amazon S3"; STS and Organizations API references.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::addressing::refuses_path_style;
use super::body::{self, BodyError, ErrorBody};
use super::clock::Skew;
use super::redirect::{Elsewhere, NotFollowed};
use super::secrets;
use crate::model::{ErrorClass, Operation, Reason, Region};

/// A call that gave no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .reason.sentence())]
pub struct Failure {
    pub reason: Arc<Reason>,
    /// Whether asking again may help.
    pub again: bool,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether the request was sent at all: an account that answers nothing is given up.
    pub asked: bool,
    pub elsewhere: Box<Elsewhere>,
    /// What has to be changed before asking again can help.
    pub(super) remedy: Option<Remedy>,
}

/// What has to be changed before asking again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The credentials: they have ended, or AWS does not know them any more.
    Renew,
    /// The time: the request was refused for it. `None` where the answer did not tell that of AWS.
    SetClock(Option<Skew>),
    /// The bucket's name belongs before the host.
    LeavePathStyle,
}

impl Failure {
    /// Whether the service answered with this status and code.
    pub fn is(&self, status: u16, code: &str) -> bool {
        self.reason.http_status == Some(status) && self.code() == Some(code)
    }

    pub fn code(&self) -> Option<&str> {
        self.reason.code.as_deref()
    }

    /// Whether there were no credentials to ask with.
    pub fn is_without_credentials(&self) -> bool {
        self.reason.class == ErrorClass::Credentials && self.reason.http_status.is_none()
    }

    /// Whether there may be an answer at another time: the last pass asks once more for what is no refusal. Credentials
    /// that could be renewed were.
    pub fn may_pass(&self) -> bool {
        match self.reason.class {
            ErrorClass::WrongRegion | ErrorClass::Throttled | ErrorClass::Unavailable | ErrorClass::Malformed => true,
            ErrorClass::Denied
            | ErrorClass::Credentials
            | ErrorClass::Unsupported
            | ErrorClass::Rejected
            | ErrorClass::Interrupted => self.again,
        }
    }

    /// Of a server's words what it was told in confidence is left out.
    pub fn new(reason: Reason, again: bool) -> Self {
        let plain = |text: String| secrets::blank(&text).into_owned();
        let Reason { code, request_id, message, .. } = reason;
        let (code, request_id, message) = (code.map(plain), request_id.map(plain), plain(message));
        let reason = Arc::new(shortened(Reason { code, request_id, message, ..reason }));
        Self { reason, again, retry_after: None, asked: true, elsewhere: Box::default(), remedy: None }
    }

    /// What stays unknown of an account that is asked no more, because all that was asked of it failed like this.
    #[must_use]
    pub fn given_up(&self, operation: Operation) -> Self {
        let reason = Reason {
            operation,
            class: self.reason.class,
            code: None,
            http_status: None,
            request_id: None,
            message: format!("not asked, since nothing else came of the account any more than: {self}"),
        };
        Self { asked: false, ..Self::new(reason, true) }
    }

    /// What to do about it, where that does not depend on what was asked.
    pub fn help(&self) -> Option<&'static str> {
        match self.remedy {
            Some(Remedy::SetClock(_)) => {
                Some("set the clock of this machine: AWS refuses requests that are minutes off")
            }
            Some(Remedy::Renew | Remedy::LeavePathStyle) | None => self.may_be_of_another_server().then_some(
                "something between this machine and AWS may answer in its place: look at the proxy (HTTPS_PROXY), the \
                 firewall and AWS_ENDPOINT_URL",
            ),
        }
    }

    /// Whether something between this machine and AWS may have answered.
    fn may_be_of_another_server(&self) -> bool {
        self.reason.class == ErrorClass::Malformed || self.elsewhere.location.is_some()
    }

    /// Tells of an answer that points elsewhere why nothing was asked there.
    #[must_use]
    pub(super) fn not_followed(self, region: Option<&NotFollowed>, location: Option<&NotFollowed>) -> Self {
        if *self.elsewhere == Elsewhere::default() {
            return self;
        }
        let message = self.elsewhere.words(region, location);
        Self { reason: Arc::new(Reason { message, ..(*self.reason).clone() }), ..self }
    }

    /// What was not asked, because the run was told to stop.
    pub(super) fn interrupted(operation: Operation) -> Self {
        Self { asked: false, ..Self::new(Reason::interrupted(operation), false) }
    }

    /// An answer that was received and cannot be believed, for a reason that only the operation knows.
    pub fn malformed(operation: Operation, message: impl Into<String>) -> Self {
        let reason = Reason {
            operation,
            class: ErrorClass::Malformed,
            code: None,
            http_status: Some(200),
            request_id: None,
            message: message.into(),
        };
        Self::new(reason, false)
    }

    /// What was not asked, because no request can hold the question.
    pub fn not_asked(operation: Operation, message: impl Into<String>) -> Self {
        let reason = Reason {
            operation,
            class: ErrorClass::Malformed,
            code: None,
            http_status: None,
            request_id: None,
            message: message.into(),
        };
        Self { asked: false, ..Self::new(reason, false) }
    }

    /// The same with what the service does not say.
    #[must_use]
    pub(super) fn with_hint(self, hint: &str) -> Self {
        let reason = &*self.reason;
        let message = if reason.message.is_empty() { hint.to_owned() } else { format!("{} ({hint})", reason.message) };
        Self { reason: Arc::new(Reason { message, ..reason.clone() }), ..self }
    }

    /// From what the SDK returned.
    pub fn from_sdk<E>(operation: Operation, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(service) => from_answer(operation, service.raw(), Some(service.err())),
            // A redirect needs no body to be understood.
            SdkError::ResponseError(response) if is_redirect(response.raw().status().as_u16()) => {
                from_answer::<E>(operation, response.raw(), None)
            }
            SdkError::ResponseError(response) => from_unreadable(operation, response.raw(), error),
            SdkError::TimeoutError(_) => no_answer(operation, "no answer in time".to_owned()),
            _ => match cause::<CredentialsError>(error) {
                Some(credentials) => from_credentials(operation, credentials),
                None => no_answer(operation, words(error)),
            },
        }
    }
}

/// AWS names a code with every error.
const NOT_OF_AWS: &str = "the answer is no whole error of AWS: it was cut, or something between sent it";

/// The service answered with an error.
fn from_answer<E: ProvideErrorMetadata>(operation: Operation, raw: &HttpResponse, error: Option<&E>) -> Failure {
    let status = raw.status().as_u16();
    let body = raw.body().bytes().unwrap_or_default();
    // Words that are no whole error document: cut on the way, or those of somebody between.
    let mut cut = false;
    // Organizations answers in JSON, which the SDK reads; bodies in XML are read here, strictly.
    let said = if operation.is_of_organizations() {
        let metadata = error.map(ProvideErrorMetadata::meta);
        ErrorBody {
            code: metadata.and_then(|meta| meta.code()).map(str::to_owned),
            message: metadata.and_then(|meta| meta.message()).map(str::to_owned),
            region: None,
        }
    } else {
        let said = body::error_body(body);
        cut = said.is_none() && !body.is_empty();
        said.unwrap_or_default()
    };
    let region = raw.headers().get("x-amz-bucket-region").map(str::to_owned).or(said.region);
    let (class, again) = match (status, operation) {
        // Its answers have no body.
        (401 | 403, Operation::HeadBucket) if said.code.is_none() => (ErrorClass::Denied, false),
        _ => classify(status, said.code.as_deref(), region.is_some()),
    };
    let again = again || cut && class == ErrorClass::Malformed;
    let elsewhere = if class == ErrorClass::WrongRegion {
        Elsewhere {
            region: region.as_deref().filter(|name| !secrets::are_in(name)).and_then(Region::from_location_constraint),
            location: raw.headers().get("location").map(|url| secrets::blank(url).into_owned()),
            said: said.message.as_deref().map(|words| secrets::blank(words).into_owned()).unwrap_or_default(),
        }
    } else {
        Elsewhere::default()
    };
    let reason = Reason {
        operation,
        class,
        code: said.code,
        http_status: Some(status),
        request_id: request_id(raw),
        message: match said.message {
            _ if class == ErrorClass::Malformed => NOT_OF_AWS.to_owned(),
            message => message.unwrap_or_default(),
        },
    };
    let retry_after = raw.headers().get("retry-after").and_then(|seconds| seconds.trim().parse().ok());
    let remedy = remedy(&reason, raw);
    let failure = Failure::new(reason, again);
    Failure { elsewhere: Box::new(elsewhere), remedy, retry_after: retry_after.map(Duration::from_secs), ..failure }
        .not_followed(None, None)
}

/// Sources: Amazon S3 API reference, "Error responses"; AWS STS API reference, "Common Errors"; IAM user guide,
/// "Troubleshoot Signature Version 4" (the time is refused with the code of a wrong signature).
fn remedy(reason: &Reason, raw: &HttpResponse) -> Option<Remedy> {
    let for_its_time = || ["Signature expired", "Signature not yet current"].map(|it| reason.message.starts_with(it));
    match reason.code.as_deref()? {
        "ExpiredToken"
        | "ExpiredTokenException"
        | "TokenRefreshRequired"
        | "InvalidToken"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException" => Some(Remedy::Renew),
        "RequestTimeTooSkewed" | "RequestExpired" => Some(Remedy::SetClock(skew(raw))),
        "SignatureDoesNotMatch" | "InvalidSignatureException" if for_its_time().contains(&true) => {
            Some(Remedy::SetClock(skew(raw)))
        }
        code if refuses_path_style(code, &reason.message) => Some(Remedy::LeavePathStyle),
        _ => None,
    }
}

/// By the `Date` of an answer that comes from no cache.
fn skew(raw: &HttpResponse) -> Option<Skew> {
    let date = raw.headers().get("date").filter(|_| raw.headers().get("age").is_none())?;
    let date = SystemTime::try_from(DateTime::from_str(date, Format::HttpDate).ok()?).ok()?;
    Skew::between(date, SystemTime::now())
}

/// An answer came, and it was not what it should be.
fn from_unreadable<E: Error + 'static>(operation: Operation, raw: &HttpResponse, error: &E) -> Failure {
    let body_error = cause::<BodyError>(error);
    let status = raw.status().as_u16();
    let reason = Reason {
        operation,
        class: ErrorClass::Malformed,
        code: None,
        http_status: Some(status),
        request_id: request_id(raw),
        message: match body_error {
            Some(body_error) => body_error.to_string(),
            None if !raw.status().is_success() => NOT_OF_AWS.to_owned(),
            None => words(error),
        },
    };
    let again = match body_error {
        // A body that broke off on the wire never reached the check: that may be repeated too.
        None | Some(BodyError::Broken(_)) => true,
        // A page of a proxy, of a login, of an outage.
        Some(BodyError::OtherDocument { found, .. }) => found.eq_ignore_ascii_case("html"),
        Some(BodyError::TooLong { .. } | BodyError::TooMuch(_)) if !raw.status().is_success() => {
            classify(status, None, false).1
        }
        Some(
            BodyError::Undocumented(_)
            | BodyError::GoesOn(_)
            | BodyError::TooLong { .. }
            | BodyError::TooMuch(_)
            | BodyError::Indiscreet,
        ) => false,
    };
    Failure::new(reason, again)
}

/// A reason is in every row that it hides: what a server says is cut where no service of AWS says as much. The longest
/// messages of AWS name two ARNs.
fn shortened(reason: Reason) -> Reason {
    const LONGEST_MESSAGE: usize = 4096;
    const LONGEST_ID: usize = 256;
    let cut = |mut text: String, longest: usize| {
        if text.len() > longest {
            text.truncate(text.floor_char_boundary(longest));
            text.push('…');
        }
        text
    };
    Reason {
        code: reason.code.map(|code| cut(code, LONGEST_ID)),
        request_id: reason.request_id.map(|id| cut(id, LONGEST_ID)),
        message: cut(reason.message, LONGEST_MESSAGE),
        ..reason
    }
}

fn from_credentials(operation: Operation, error: &CredentialsError) -> Failure {
    let reason = Reason {
        operation,
        class: ErrorClass::Credentials,
        code: None,
        http_status: None,
        request_id: None,
        message: words(error),
    };
    Failure::new(reason, matches!(error, CredentialsError::ProviderTimedOut(_)))
}

fn no_answer(operation: Operation, message: String) -> Failure {
    let reason =
        Reason { operation, class: ErrorClass::Unavailable, code: None, http_status: None, request_id: None, message };
    Failure::new(reason, true)
}

/// The class of an error answer, and whether asking again may help. Denials are never asked again.
fn classify(status: u16, code: Option<&str>, names_region: bool) -> (ErrorClass, bool) {
    match code.unwrap_or_default() {
        "AccessDenied"
        | "AccessDeniedException"
        | "AllAccessDisabled"
        | "AccountProblem"
        | "InvalidPayer"
        | "NotSignedUp"
        | "UnauthorizedAccess"
        | "UnauthorizedOperation" => (ErrorClass::Denied, false),
        "PermanentRedirect"
        | "TemporaryRedirect"
        | "Redirect"
        | "IllegalLocationConstraintException"
        | "IncorrectEndpoint" => (ErrorClass::WrongRegion, false),
        "AuthorizationHeaderMalformed" if names_region => (ErrorClass::WrongRegion, false),
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidToken"
        | "TokenRefreshRequired"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "RequestTimeTooSkewed"
        | "RequestExpired"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignature"
        | "InvalidSecurity"
        | "AuthorizationHeaderMalformed" => (ErrorClass::Credentials, false),
        "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "TooManyRequests"
        | "RequestThrottled"
        | "BandwidthLimitExceeded" => (ErrorClass::Throttled, true),
        "ServiceUnavailable"
        | "InternalError"
        | "InternalFailure"
        | "ServiceException"
        | "RequestTimeout"
        | "RequestTimeoutException"
        | "OperationAborted" => (ErrorClass::Unavailable, true),
        "MethodNotAllowed" | "NotImplemented" => (ErrorClass::Unsupported, false),
        _ => match status {
            redirect if is_redirect(redirect) => (ErrorClass::WrongRegion, false),
            // AWS names a code: a gateway or firewall between, whose word on permissions nobody needs.
            401 | 403 if code.is_none() => (ErrorClass::Malformed, true),
            401 | 403 => (ErrorClass::Denied, false),
            405 | 501 => (ErrorClass::Unsupported, false),
            429 => (ErrorClass::Throttled, true),
            408 | 500.. => (ErrorClass::Unavailable, true),
            // A status that no service of AWS sends comes from somebody between.
            _ if code.is_none() => (ErrorClass::Malformed, status < 400),
            _ => (ErrorClass::Rejected, false),
        },
    }
}

/// Whether a client that follows redirects would follow this one.
fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

fn request_id(raw: &HttpResponse) -> Option<String> {
    ["x-amz-request-id", "x-amzn-requestid"]
        .into_iter()
        .find_map(|name| raw.headers().get(name))
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
}

/// The first cause of this type, down the chain.
pub(super) fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The words of the whole chain, in one line, but for the SDK's own layers, which say nothing to a person.
pub(super) fn words(error: &(dyn Error + 'static)) -> String {
    const LAYERS: [&str; 12] = [
        "dispatch failure",
        "io error",
        "client error (Connect)",
        "response error",
        "service error",
        "other",
        "the credentials provider was not properly configured",
        "the credential provider was not enabled",
        "an error occurred while loading credentials",
        "an error occurred while loading an access token",
        "unexpected credentials error",
        "ProfileFile provider could not be built",
    ];
    let mut said: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let words = one_line(&error.to_string());
        // Some layers repeat the words of the next.
        if !LAYERS.contains(&words.as_str()) && !said.iter().any(|before| before.contains(&words)) {
            said.push(words);
        }
        next = error.source();
    }
    let said = if said.is_empty() { error.to_string() } else { said.join(": ") };
    let said = secrets::blank(&said);
    // What a `credential_process` prints may hold anything.
    match said.split_once(". Stderr: ") {
        Some((before, _)) => format!("{before}; run the credential_process by hand to see what it says"),
        None => said.into_owned(),
    }
}

/// The chain of sources of credentials names one a line, and before each that it was not enabled.
fn one_line(words: &str) -> String {
    let lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.collect::<Vec<_>>().join("; ").replace("Attempted:; ", "Attempted: ");
    line.replace(": the credential provider was not enabled", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_code_has_its_class() {
        let class = |status, code| classify(status, Some(code), true).0;
        assert_eq!(class(403, "AccessDenied"), ErrorClass::Denied);
        assert_eq!(class(403, "AllAccessDisabled"), ErrorClass::Denied);
        assert_eq!(class(301, "PermanentRedirect"), ErrorClass::WrongRegion);
        assert_eq!(class(400, "AuthorizationHeaderMalformed"), ErrorClass::WrongRegion);
        assert_eq!(class(400, "IllegalLocationConstraintException"), ErrorClass::WrongRegion);
        assert_eq!(class(400, "ExpiredToken"), ErrorClass::Credentials);
        assert_eq!(class(403, "InvalidAccessKeyId"), ErrorClass::Credentials);
        assert_eq!(class(503, "SlowDown"), ErrorClass::Throttled);
        assert_eq!(class(400, "RequestTimeout"), ErrorClass::Unavailable);
        assert_eq!(class(409, "OperationAborted"), ErrorClass::Unavailable);
        assert_eq!(class(405, "MethodNotAllowed"), ErrorClass::Unsupported);
        assert_eq!(class(400, "InvalidArgument"), ErrorClass::Rejected);
    }

    #[test]
    fn only_what_may_pass_is_asked_again() {
        let again = |status, code| classify(status, code, false).1;
        for transient in [Some("SlowDown"), Some("InternalError"), Some("RequestTimeout"), Some("OperationAborted")] {
            assert!(again(503, transient), "{transient:?}");
        }
        assert!(again(502, None) && again(429, None));
        assert!(again(403, None), "AWS names a code");
        for final_answer in ["AccessDenied", "InvalidArgument", "NoSuchBucket", "SomethingNew"] {
            assert!(!again(403, Some(final_answer)), "{final_answer:?}");
        }
    }

    #[test]
    fn without_a_code_the_status_decides() {
        assert_eq!(classify(403, None, false).0, ErrorClass::Malformed);
        assert_eq!(classify(403, Some("SomethingNew"), false).0, ErrorClass::Denied);
        assert_eq!(classify(301, None, false).0, ErrorClass::WrongRegion);
        assert_eq!(classify(404, None, false).0, ErrorClass::Malformed);
        assert_eq!(classify(400, Some("AuthorizationHeaderMalformed"), false).0, ErrorClass::Credentials);
    }
}
