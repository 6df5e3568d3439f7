//! S3: the calls bucketlens makes. Anything else is refused as not implemented.

use std::collections::BTreeMap;

use hyper::body::Bytes;
use hyper::header::HOST;
use hyper::{HeaderMap, Method, Request};
use time::OffsetDateTime;
use time::macros::format_description;

use super::caller::{Caller, Refusal, Scope, Service};
use super::directory_buckets;
use super::fixture::{Bucket, BucketCall, MfaDelete, Operation, Redirect, Versioning};
use super::lifecycle;
use super::put_versioning;
use super::settings;
use super::wire::{
    Answer, BASE64, DECLARATION, Fault, HEX, draw, element, moment, parameters, percent_decode, request_id, root,
};
use super::world::{State, World};

pub(super) const XML: &str = "application/xml";
/// S3's largest page of buckets, and the most it lists without pages.
const MAX_BUCKETS: usize = 10_000;

/// The parameters that ask for something of a bucket.
const SUBRESOURCES: [(&str, BucketCall); 11] = [
    ("versioning", BucketCall::GetBucketVersioning),
    ("lifecycle", BucketCall::GetBucketLifecycleConfiguration),
    ("location", BucketCall::GetBucketLocation),
    ("policy", BucketCall::GetBucketPolicy),
    ("object-lock", BucketCall::GetObjectLockConfiguration),
    ("replication", BucketCall::GetBucketReplication),
    ("encryption", BucketCall::GetBucketEncryption),
    ("ownershipControls", BucketCall::GetBucketOwnershipControls),
    ("accelerate", BucketCall::GetBucketAccelerateConfiguration),
    ("notification", BucketCall::GetBucketNotificationConfiguration),
    ("tagging", BucketCall::GetBucketTagging),
];

/// What a request asks for.
struct Asked {
    call: Call,
    resource: String,
    parameters: BTreeMap<String, String>,
}

enum Call {
    ListBuckets,
    ListDirectoryBuckets,
    OnBucket(BucketCall, String),
    Unknown,
}

impl Asked {
    /// `service`: that for which the request is signed.
    fn read(request: &Request<Bytes>, service: Option<Service>) -> Self {
        let path = percent_decode(request.uri().path().trim_start_matches('/'));
        let (bucket, key) = match (virtual_host(request.headers()), path.split_once('/')) {
            (Some(bucket), _) => (bucket, path.as_str()),
            (None, Some((bucket, key))) => (bucket.to_owned(), key),
            (None, None) => (path.clone(), ""),
        };
        let parameters = parameters(request.uri().query().unwrap_or_default());
        let resource = format!("/{bucket}");
        let is_express = service == Some(Service::S3Express);
        let call = match (is_express, key.is_empty()) {
            (true, _) if request.method() == Method::GET && path.is_empty() => Call::ListDirectoryBuckets,
            (false, true) => Call::read(request.method(), bucket, &parameters),
            (true, _) | (false, false) => Call::Unknown,
        };
        Self { call, resource, parameters }
    }
}

impl Call {
    fn read(method: &Method, bucket: String, parameters: &BTreeMap<String, String>) -> Self {
        let asks = |name: &str| parameters.contains_key(name);
        let call = match (method, bucket.is_empty()) {
            (&Method::GET, true) => return Self::ListBuckets,
            (&Method::HEAD, false) => BucketCall::HeadBucket,
            (&Method::GET, false) => match SUBRESOURCES.iter().find(|(name, _)| asks(name)) {
                Some((_, call)) => *call,
                None => return Self::Unknown,
            },
            (&Method::PUT, false) if asks("versioning") => BucketCall::PutBucketVersioning,
            _ => return Self::Unknown,
        };
        Self::OnBucket(call, bucket)
    }

    fn operation(&self) -> Option<Operation> {
        match self {
            Self::ListBuckets => Some(Operation::ListBuckets),
            Self::ListDirectoryBuckets => Some(Operation::ListDirectoryBuckets),
            Self::OnBucket(call, _) => Some(Operation::Bucket(*call)),
            Self::Unknown => None,
        }
    }
}

/// The bucket of `Host: bucket.localhost:port`.
fn virtual_host(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let name = host.split_once(':').map_or(host, |(name, _port)| name);
    Some(name.strip_suffix(".localhost")?.to_owned())
}

pub(super) fn answer(world: &World, request: &Request<Bytes>, scope: &Scope, now: OffsetDateTime) -> Answer {
    let asked = Asked::read(request, scope.service);
    world.count(asked.call.operation());
    let ids = Ids::new(scope.account(), &asked);
    let answer = respond(world, request, scope, &asked, now);
    let mut answer = answer.unwrap_or_else(|fault| ids.refusal(&fault));
    if let Call::OnBucket(call, name) = &asked.call {
        let is_head = *call == BucketCall::HeadBucket;
        let tells = answer.status == 301 || is_head && matches!(answer.status, 200 | 400 | 403);
        if tells && let Some((_, bucket)) = world.bucket(name) {
            let region = bucket.region.clone();
            answer.headers.push(("x-amz-bucket-region", region));
        }
        if is_head {
            answer.body.clear();
        }
    }
    ids.stamp(answer)
}

/// The answer to a request of which not even the caller or the service is known.
pub(super) fn refuse(request: &Request<Bytes>, fault: &Fault) -> Answer {
    let ids = Ids::new("", &Asked::read(request, None));
    let answer = ids.refusal(fault);
    ids.stamp(answer)
}

pub(super) fn not_signed() -> Fault {
    Fault::new(403, "AccessDenied", "Access Denied")
}

pub(super) fn not_implemented(resource: &str) -> Fault {
    let message = "A header you provided implies functionality that is not implemented";
    Fault::new(501, "NotImplemented", message).with("Resource", resource)
}

/// The two ids S3 gives every answer.
struct Ids {
    request: String,
    host: String,
}

impl Ids {
    fn new(account: &str, asked: &Asked) -> Self {
        let operation = asked.call.operation().map_or_else(String::new, Operation::name);
        let resource = &asked.resource;
        let host = draw(&["host", account, &operation, resource], 75, BASE64);
        Self { request: request_id(account, &operation, resource), host: format!("{host}=") }
    }

    fn refusal(&self, fault: &Fault) -> Answer {
        let mut body = format!("{DECLARATION}<Error>");
        element(&mut body, "Code", &fault.code);
        element(&mut body, "Message", &fault.message);
        for (name, value) in &fault.fields {
            element(&mut body, name, value);
        }
        element(&mut body, "RequestId", &self.request);
        element(&mut body, "HostId", &self.host);
        body.push_str("</Error>");
        Answer { status: fault.status, ..Answer::ok(XML, body) }
    }

    fn stamp(self, mut answer: Answer) -> Answer {
        answer.headers.extend([
            ("x-amz-request-id", self.request),
            ("x-amz-id-2", self.host),
            ("server", "AmazonS3".to_owned()),
        ]);
        answer
    }
}

fn respond(
    world: &World,
    request: &Request<Bytes>,
    scope: &Scope,
    asked: &Asked,
    now: OffsetDateTime,
) -> Result<Answer, Fault> {
    let caller = world.caller(scope, request.headers(), now).map_err(|refusal| unauthenticated(&refusal, scope.key))?;
    if !world.admits(&caller.account.id, now) {
        return Err(error(503, "SlowDown"));
    }
    match &asked.call {
        Call::ListBuckets => list_buckets(world, &caller, scope.region, &asked.parameters),
        Call::ListDirectoryBuckets => directory_buckets::list(world, caller.account, scope.region, &asked.parameters),
        Call::OnBucket(call, name) => on_bucket(world, request, scope, &caller, *call, name),
        Call::Unknown => Err(not_implemented(&asked.resource)),
    }
}

fn on_bucket(
    world: &World,
    request: &Request<Bytes>,
    scope: &Scope,
    caller: &Caller,
    call: BucketCall,
    name: &str,
) -> Result<Answer, Fault> {
    let (owner, bucket) = world.bucket(name).ok_or_else(|| {
        let message = "The specified bucket does not exist";
        Fault::new(404, "NoSuchBucket", message).with("BucketName", name)
    })?;
    let partition = world.organization.partition;
    // Any Region tells where a bucket is.
    if scope.region != bucket.region && call != BucketCall::GetBucketLocation {
        return Err(wrong_region(bucket, scope.region, partition.dns_suffix()));
    }
    let expected = request.headers().get("x-amz-expected-bucket-owner");
    if owner.id != caller.account.id || expected.is_some_and(|id| id != owner.id.as_str()) {
        return Err(error(403, "AccessDenied"));
    }
    authorize(caller, bucket, call, partition.id())?;
    if let Some(failure) = world.failure(bucket, call) {
        return Err(error(failure.status, &failure.code));
    }
    let xml = |body| Answer::ok(XML, body);
    match call {
        BucketCall::GetBucketVersioning => Ok(Answer::ok(XML, versioning(world.state(bucket)))),
        BucketCall::GetBucketLifecycleConfiguration => lifecycle_answer(bucket),
        BucketCall::GetBucketPolicy => settings::policy(bucket).map(|json| Answer::ok("application/json", json)),
        BucketCall::GetObjectLockConfiguration => settings::object_lock(bucket).map(xml),
        BucketCall::GetBucketReplication => settings::replication(bucket).map(xml),
        BucketCall::GetBucketEncryption => settings::encryption(bucket).map(xml),
        BucketCall::GetBucketOwnershipControls => settings::ownership(bucket).map(xml),
        BucketCall::GetBucketAccelerateConfiguration => Ok(xml(settings::acceleration(bucket))),
        BucketCall::GetBucketNotificationConfiguration => Ok(xml(settings::notification(bucket))),
        BucketCall::GetBucketTagging => settings::tags(bucket).map(xml),
        BucketCall::GetBucketLocation => Ok(Answer::ok(XML, location(bucket))),
        BucketCall::HeadBucket => Ok(Answer::ok(XML, String::new())),
        BucketCall::PutBucketVersioning => {
            put_versioning::put(world, request, caller, bucket).map(|()| Answer::ok(XML, String::new()))
        }
    }
}

fn unauthenticated(refusal: &Refusal, key: &str) -> Fault {
    match refusal {
        Refusal::UnknownKey => {
            let message = "The AWS Access Key Id you provided does not exist in our records.";
            Fault::new(403, "InvalidAccessKeyId", message).with("AWSAccessKeyId", key)
        }
        Refusal::BadToken => {
            let message = "The provided token is malformed or otherwise invalid.";
            Fault::new(400, "InvalidToken", message)
        }
        Refusal::ExpiredToken => Fault::new(400, "ExpiredToken", "The provided token has expired."),
    }
}

/// An error in S3's own words, as far as they are known.
pub(super) fn error(status: u16, code: &str) -> Fault {
    let message = match code {
        "InternalError" => "We encountered an internal error. Please try again.",
        "SlowDown" => "Please reduce your request rate.",
        "ServiceUnavailable" => "Service is unable to handle request.",
        "AccessDenied" => "Access Denied",
        other => other,
    };
    Fault::new(status, code, message)
}

fn wrong_region(bucket: &Bucket, sent_to: &str, suffix: &str) -> Fault {
    let region = &bucket.region;
    match bucket.redirect {
        Redirect::Permanent => Fault::new(
            301,
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint. \
             Please send all future requests to this endpoint.",
        )
        .with("Endpoint", format!("{}.s3.{region}.{suffix}", bucket.name))
        .with("Bucket", &bucket.name),
        Redirect::HeaderMalformed => Fault::new(
            400,
            "AuthorizationHeaderMalformed",
            format!("The authorization header is malformed; the region '{sent_to}' is wrong; expecting '{region}'"),
        )
        .with("Region", region),
        Redirect::IllegalLocation => {
            let constraint = match region.as_str() {
                "us-east-1" => "unspecified",
                region => region,
            };
            let message = format!(
                "The {constraint} location constraint is incompatible for the region specific endpoint \
                 this request was sent to."
            );
            Fault::new(400, "IllegalLocationConstraintException", message)
        }
    }
}

fn authorize(caller: &Caller, bucket: &Bucket, call: BucketCall, partition: &str) -> Result<(), Fault> {
    // Not always the operation's name.
    let action = match call {
        BucketCall::GetBucketVersioning => "s3:GetBucketVersioning",
        BucketCall::GetBucketLifecycleConfiguration => "s3:GetLifecycleConfiguration",
        BucketCall::GetBucketLocation => "s3:GetBucketLocation",
        BucketCall::HeadBucket => "s3:ListBucket",
        BucketCall::PutBucketVersioning => "s3:PutBucketVersioning",
        BucketCall::GetBucketPolicy => "s3:GetBucketPolicy",
        BucketCall::GetObjectLockConfiguration => "s3:GetBucketObjectLockConfiguration",
        BucketCall::GetBucketReplication => "s3:GetReplicationConfiguration",
        BucketCall::GetBucketEncryption => "s3:GetEncryptionConfiguration",
        BucketCall::GetBucketOwnershipControls => "s3:GetBucketOwnershipControls",
        BucketCall::GetBucketAccelerateConfiguration => "s3:GetAccelerateConfiguration",
        BucketCall::GetBucketNotificationConfiguration => "s3:GetBucketNotification",
        BucketCall::GetBucketTagging => "s3:GetBucketTagging",
    };
    let arn = format!("arn:{partition}:s3:::{}", bucket.name);
    if caller.account.deny.contains(&Operation::Bucket(call)) || !caller.account.allows(action) {
        return Err(denied(caller, action, Some(&arn), &no_policy_allows(action)));
    }
    match bucket.deny.get(&call) {
        Some(reason) => Err(denied(caller, action, Some(&arn), reason)),
        None => Ok(()),
    }
}

fn no_policy_allows(action: &str) -> String {
    format!("because no identity-based policy allows the {action} action")
}

fn denied(caller: &Caller, action: &str, resource: Option<&str>, reason: &str) -> Fault {
    if reason.is_empty() {
        return error(403, "AccessDenied");
    }
    let on = resource.map(|arn| format!(" on resource: \"{arn}\"")).unwrap_or_default();
    let arn = &caller.arn;
    let message = format!("User: {arn} is not authorized to perform: {action}{on} {reason}");
    Fault::new(403, "AccessDenied", message)
}

/// What was never configured is absent, not `Disabled`.
fn versioning(state: State) -> String {
    let mut inner = String::new();
    match state.versioning {
        Some(Versioning::Enabled) => element(&mut inner, "Status", "Enabled"),
        Some(Versioning::Suspended) => element(&mut inner, "Status", "Suspended"),
        None => {}
    }
    match state.mfa_delete {
        Some(MfaDelete::Enabled) => element(&mut inner, "MfaDelete", "Enabled"),
        Some(MfaDelete::Disabled) => element(&mut inner, "MfaDelete", "Disabled"),
        None => {}
    }
    root("VersioningConfiguration", &inner)
}

/// The only answer whose root holds a bare text.
fn location(bucket: &Bucket) -> String {
    match bucket.region.as_str() {
        "us-east-1" => root("LocationConstraint", ""),
        region => root("LocationConstraint", region),
    }
}

fn lifecycle_answer(bucket: &Bucket) -> Result<Answer, Fault> {
    let Some(rules) = &bucket.lifecycle else {
        let message = "The lifecycle configuration does not exist";
        let fault = Fault::new(404, "NoSuchLifecycleConfiguration", message);
        return Err(fault.with("BucketName", &bucket.name));
    };
    let mut answer = Answer::ok(XML, lifecycle::xml(rules));
    answer.headers.push(("x-amz-transition-default-minimum-object-size", "all_storage_classes_128K".to_owned()));
    Ok(answer)
}

/// Which buckets of the account are asked for.
struct Page<'a> {
    /// Whether the request has a parameter; only then S3 gives Regions and a continuation token.
    paged: bool,
    max: usize,
    start: usize,
    prefix: Option<&'a str>,
    region: Option<&'a str>,
}

impl<'a> Page<'a> {
    fn read(parameters: &'a BTreeMap<String, String>, endpoint: &str) -> Result<Self, Fault> {
        let get = |name: &str| parameters.get(name).map(String::as_str);
        let max = match get("max-buckets") {
            None => MAX_BUCKETS,
            Some(text) => text.parse().ok().filter(|max| (1..=MAX_BUCKETS).contains(max)).ok_or_else(|| {
                let message = "Argument max-buckets must be an integer between 1 and 10000";
                invalid_argument(message, "max-buckets", text)
            })?,
        };
        let start = match get("continuation-token") {
            None => 0,
            Some(token) => page_start(token).ok_or_else(|| {
                let message = "The continuation token provided is incorrect";
                invalid_argument(message, "continuation-token", token)
            })?,
        };
        let region = get("bucket-region");
        if let Some(other) = region.filter(|region| *region != endpoint) {
            let message = "The bucket-region must be the Region of the endpoint";
            return Err(invalid_argument(message, "bucket-region", other));
        }
        let prefix = get("prefix");
        let known = ["max-buckets", "continuation-token", "prefix", "bucket-region"];
        Ok(Self { paged: known.iter().any(|name| parameters.contains_key(*name)), max, start, prefix, region })
    }

    fn wants(&self, bucket: &Bucket) -> bool {
        self.prefix.is_none_or(|prefix| bucket.name.starts_with(prefix))
            && self.region.is_none_or(|region| region == bucket.listed_region())
    }
}

pub(super) fn invalid_argument(message: &str, name: &str, value: &str) -> Fault {
    Fault::new(400, "InvalidArgument", message).with("ArgumentName", name).with("ArgumentValue", value)
}

pub(super) fn page_token(start: usize) -> String {
    format!("buckets-from-{start}")
}

pub(super) fn page_start(token: &str) -> Option<usize> {
    token.strip_prefix("buckets-from-")?.parse().ok()
}

fn list_buckets(
    world: &World,
    caller: &Caller,
    endpoint: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<Answer, Fault> {
    let account = caller.account;
    let action = "s3:ListAllMyBuckets";
    if account.deny.contains(&Operation::ListBuckets) || !account.allows(action) {
        return Err(denied(caller, action, None, &no_policy_allows(action)));
    }
    let page = Page::read(parameters, endpoint)?;
    let breaks_after = account.list_breaks_after.unwrap_or(usize::MAX);
    if page.start >= breaks_after {
        return Err(error(500, "InternalError"));
    }
    if page.start == 0 {
        world.begin_list(account);
    }
    let mut listed = String::new();
    let mut taken = 0;
    let mut next = None;
    for (position, bucket) in account.buckets.iter().enumerate().skip(page.start) {
        if !page.wants(bucket) || !world.is_listed(bucket) {
            continue;
        }
        if taken == page.max || position >= breaks_after {
            next = Some(position);
            break;
        }
        write_bucket(&mut listed, bucket, page.paged);
        taken += 1;
    }
    if next.is_some() && !page.paged {
        return Err(Fault::new(
            400,
            "InvalidRequest",
            "This account has more than 10,000 buckets: send a paginated request",
        ));
    }
    Ok(Answer::ok(XML, listing(&account.id, &listed, next, page.prefix)))
}

fn listing(owner: &str, buckets: &str, next: Option<usize>, prefix: Option<&str>) -> String {
    let owner = draw(&["canonical user", owner], 64, HEX);
    let mut inner = format!("<Owner><ID>{owner}</ID></Owner><Buckets>{buckets}</Buckets>");
    if let Some(start) = next {
        element(&mut inner, "ContinuationToken", &page_token(start));
    }
    if let Some(prefix) = prefix {
        element(&mut inner, "Prefix", prefix);
    }
    root("ListAllMyBucketsResult", &inner)
}

fn write_bucket(out: &mut String, bucket: &Bucket, with_region: bool) {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].000Z");
    let created = moment(&["created", &bucket.name]).format(&format).expect("a time has all parts of the format");
    out.push_str("<Bucket>");
    element(out, "Name", &bucket.name);
    element(out, "CreationDate", &created);
    if with_region {
        element(out, "BucketRegion", bucket.listed_region());
    }
    out.push_str("</Bucket>");
}
