//! Whose credentials, which partition, and a client for each Region.

use std::collections::HashMap;
use std::error::Error;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileLoadError, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::{AppName, BehaviorVersion, Region as SdkRegion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_s3::config::{IdentityCache, StalledStreamProtectionConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::sdk_config::TimeSource;
use aws_types::service_config::ServiceConfigKey;

use super::clock::Clock;
use super::endpoint::{Endpoints, Signature};
use super::failure::{Failure, Remedy};
use super::keys::Keys;
use super::lean::Lean;
use super::pace::{Lane, Pace};
use crate::model::{AccountId, Operation, Region};

/// How S3 is asked. Path-style is the default everywhere: virtual-hosted names cost a DNS look-up and a TLS connection
/// for every bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    Path,
    Virtual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    pub connect: Duration,
    /// From the request to the first byte of the answer.
    pub read: Duration,
    /// The whole of one attempt.
    pub operation: Duration,
}

/// Where credentials, Region and endpoints come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// AWS's own settings, as the AWS CLI reads them: environment, files, SSO, IMDS, …
    Environment,
    /// One endpoint for every service and one pair of keys: the demo's simulator. Nothing of the environment is read.
    Fixed { endpoint: String, access_key: String, secret_key: String, region: Region },
}

/// What all sessions of a run share.
#[derive(Debug, Clone)]
pub struct Aws {
    pub source: Source,
    pub http: SharedHttpClient,
    pub pace: Arc<Pace>,
    pub clock: Arc<Clock>,
    pub addressing: Addressing,
    pub timeouts: Timeouts,
}

/// Who the credentials belong to, as STS says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub account: AccountId,
    pub arn: String,
}

/// The second part of an ARN: `arn:PARTITION:...`.
fn partition(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').next().filter(|partition| !partition.is_empty())
}

impl Caller {
    /// `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`, …
    pub fn partition(&self) -> &str {
        partition(&self.arn).expect("the caller's ARN was checked when STS gave it")
    }

    /// Whether the credentials are those of an assumed role: from there STS gives at most one hour.
    pub fn is_assumed_role(&self) -> bool {
        self.arn.contains(":assumed-role/")
    }
}

/// The credentials of one account, and clients made with them.
#[derive(Debug)]
pub struct Session {
    config: SdkConfig,
    /// Also the provider in `config`.
    keys: Keys,
    clock: Arc<Clock>,
    /// The Region of the environment or profile; where none is set, us-east-1.
    pub region: Region,
    /// The account, where STS confirmed it: then every request says whose bucket it means (`ExpectedBucketOwner`).
    pub owner: Option<AccountId>,
    /// For S3, …
    pub lane: Arc<Lane>,
    /// … and for STS and Organizations.
    control: Arc<Lane>,
    /// Whether some address of the settings is without TLS: only then may a redirect lead to one.
    plain: bool,
    addressing: Addressing,
    sts: OnceLock<aws_sdk_sts::Client>,
    clients: Mutex<HashMap<Route, aws_sdk_s3::Client>>,
}

/// Where a bucket is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Route {
    pub region: Region,
    /// Instead of the endpoint of the settings, where a server redirected to another address.
    pub endpoint: Option<String>,
}

/// Clients that a session keeps.
const MOST_CLIENTS: usize = 100;

impl From<Region> for Route {
    fn from(region: Region) -> Self {
        Self { region, endpoint: None }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the AWS configuration has no profile {name:?}; it has {}", .known.join(", "))]
pub struct UnknownProfile {
    name: String,
    known: Vec<String>,
}

impl Aws {
    /// The session of the environment, or of a profile of the AWS configuration files.
    pub async fn session(&self, profile: Option<&str>) -> Session {
        let config = match &self.source {
            Source::Environment => {
                let loader = aws_config::defaults(BehaviorVersion::latest())
                    .http_client(self.http.clone())
                    .timeout_config(self.timeout_config());
                let config = match profile {
                    Some(name) => self.with_profile_credentials(name, loader.profile_name(name).load().await),
                    None => loader.load().await,
                };
                match mistake(profile, &config).await {
                    Some(mistake) => self.settings(refuse(mistake)).build(),
                    None => config,
                }
            }
            Source::Fixed { endpoint, access_key, secret_key, region } => {
                let keys = Credentials::new(access_key, secret_key, None, None, "demo");
                self.settings(keys).endpoint_url(endpoint).region(SdkRegion::new(region.to_string())).build()
            }
        };
        self.session_with(config, None, None)
    }

    /// Settings into which nothing of the environment goes.
    fn settings(&self, credentials: impl ProvideCredentials + 'static) -> aws_types::sdk_config::Builder {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(self.http.clone())
            .timeout_config(self.timeout_config())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
    }

    /// A profile that was named is meant, as with the AWS CLI: the SDK's own chain would take keys of the environment
    /// before it.
    fn with_profile_credentials(&self, name: &str, config: SdkConfig) -> SdkConfig {
        let settings =
            ProviderConfig::without_region().with_http_client(self.http.clone()).with_region(config.region().cloned());
        let provider = ProfileFileCredentialsProvider::builder().profile_name(name).configure(&settings).build();
        config.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
    }

    /// A profile that no file defines is a mistake to be told before anything is asked.
    pub async fn check_profile(&self, name: &str) -> Result<(), UnknownProfile> {
        match profiles().await {
            Ok(profiles) => defined(&profiles, name),
            // The session tells it, with the place.
            Err(_) => Ok(()),
        }
    }

    /// `given`: credentials that the provider of the settings gave already.
    fn session_with(&self, config: SdkConfig, owner: Option<AccountId>, given: Option<Credentials>) -> Session {
        let source = config.credentials_provider().expect("all our settings have one");
        // The source must fail before the attempt that waits for it, so that its reason is told.
        let keys = Keys::new(source, Arc::clone(&self.clock), self.timeouts.operation.mul_f32(0.9), given);
        let region = config.region().map_or("us-east-1", SdkRegion::as_ref).to_owned();
        let mut config = config
            .into_builder()
            .region(SdkRegion::new(region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(keys.clone()))
            .identity_cache(IdentityCache::no_cache())
            .time_source(OfAws(Arc::clone(&self.clock)))
            .disable_clock_skew_correction(true)
            // The retries are ours: they know the account and hold no permit while they wait.
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        config.set_app_name(AppName::new(concat!("bucketlens-", env!("CARGO_PKG_VERSION"))).ok());
        let config = config.build();
        let plain = endpoints(&config).any(|endpoint| endpoint.starts_with("http://"));
        let account = owner.as_ref().map_or_else(|| "of the credentials".to_owned(), ToString::to_string);
        Session {
            config,
            keys,
            clock: Arc::clone(&self.clock),
            sts: OnceLock::new(),
            plain,
            region: Region::new(region),
            owner,
            lane: self.pace.lane(account),
            control: Arc::clone(&self.pace.control),
            addressing: self.addressing,
            clients: Mutex::default(),
        }
    }

    fn timeout_config(&self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.timeouts.connect)
            .read_timeout(self.timeouts.read)
            .operation_attempt_timeout(self.timeouts.operation)
            .build()
    }

    /// Enters another account. The role is really assumed here, so that a refusal is told before anything is listed.
    pub async fn assume(&self, hub: &Arc<Session>, role: Role) -> Result<Session, Failure> {
        let account = role.account.clone();
        let role = AssumedRole { hub: Arc::clone(hub), role };
        let credentials = hub.call_control(Operation::AssumeRole, || role.assume()).await?;
        let config = hub.config.to_builder().credentials_provider(SharedCredentialsProvider::new(role)).build();
        Ok(self.session_with(config, Some(account), Some(credentials)))
    }
}

/// The clock of AWS for the SDK.
#[derive(Debug)]
struct OfAws(Arc<Clock>);

impl TimeSource for OfAws {
    fn now(&self) -> SystemTime {
        self.0.aws_now()
    }
}

impl Session {
    /// Asks, and asks again where that may help: also where that needs other credentials or another time.
    pub(super) async fn call<T, F>(&self, operation: Operation, ask: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.remedied(|| self.lane.call(operation, &ask)).await
    }

    /// The same for a question on which the whole account hangs.
    pub(super) async fn call_in_two_passes<T, F>(&self, operation: Operation, ask: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.remedied(|| self.lane.call_in_two_passes(operation, &ask)).await
    }

    /// The same for STS and Organizations.
    pub(super) async fn call_control<T, F>(&self, operation: Operation, ask: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.remedied(|| self.control.call_in_two_passes(operation, &ask)).await
    }

    async fn remedied<T, F>(&self, ask: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        /// Credentials and time, and a second time where they changed while the request waited.
        const REMEDIES: u32 = 3;
        let mut left = REMEDIES;
        loop {
            let (number, skew) = (self.keys.number(), self.clock.skew());
            let failure = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let again = left > 0
                && match failure.remedy {
                    Some(Remedy::Renew) => self.keys.renew(number).await,
                    Some(Remedy::SetClock(Some(measured))) => {
                        let again = self.clock.correct(measured, skew);
                        if !again {
                            self.clock.give_up(&failure);
                        }
                        again
                    }
                    Some(Remedy::SetClock(None)) => {
                        self.clock.is_left_open(&failure);
                        false
                    }
                    None => false,
                };
            if !again {
                return Err(self.keys.conceal(failure).await);
            }
            left -= 1;
            tracing::debug!(reason = %failure.reason, "asking again with other credentials or another time");
        }
    }

    /// The S3 client for a Region, made once.
    pub fn s3(&self, route: &Route) -> aws_sdk_s3::Client {
        let mut clients = self.clients.lock().expect("no code panics while it holds this lock");
        if let Some(client) = clients.get(route) {
            return client.clone();
        }
        let mut builder = aws_sdk_s3::config::Builder::from(&self.config)
            .region(SdkRegion::new(route.region.to_string()))
            .force_path_style(self.addressing == Addressing::Path)
            // Sessions are for what is inside directory buckets, which nobody here reads; with an endpoint of the settings
            // the rules would want one for the list of them too.
            .disable_s3_express_session_auth(true)
            .endpoint_resolver(Endpoints::default())
            .auth_scheme_resolver(Signature)
            .interceptor(Lean)
            .interceptor(self.lane.guard());
        if let Some(endpoint) = &route.endpoint {
            builder = builder.endpoint_url(endpoint);
        }
        let client = aws_sdk_s3::Client::from_conf(builder.build());
        // A server can name as many Regions as it has buckets, and AWS has few.
        if clients.len() >= MOST_CLIENTS {
            clients.clear();
        }
        clients.insert(route.clone(), client.clone());
        client
    }

    /// `ExpectedBucketOwner`: a bucket that somebody else has made anew is refused, not read.
    pub(super) fn expected_owner(&self) -> Option<String> {
        self.owner.as_ref().map(ToString::to_string)
    }

    /// Where S3 is asked instead of at AWS: an endpoint of the settings.
    pub fn s3_endpoint(&self) -> Option<String> {
        endpoint_of(&self.config, "S3").or_else(|| self.config.endpoint_url().map(str::to_owned))
    }

    /// Whether a redirect to this address may be followed: requests carry the session token.
    pub fn may_follow(&self, endpoint: &str) -> bool {
        self.plain || endpoint.starts_with("https://")
    }

    fn sts(&self) -> &aws_sdk_sts::Client {
        self.sts.get_or_init(|| {
            let config = aws_sdk_sts::config::Builder::from(&self.config).interceptor(self.lane.guard()).build();
            aws_sdk_sts::Client::from_conf(config)
        })
    }

    /// The Organizations client, in the one Region of the partition where Organizations answers.
    ///
    /// Source: AWS Organizations endpoints and quotas.
    pub(super) fn organizations(&self, partition: &str) -> aws_sdk_organizations::Client {
        let region = match partition {
            "aws-cn" => "cn-northwest-1",
            "aws-us-gov" => "us-gov-west-1",
            "aws-eusc" => "eusc-de-east-1",
            _ => "us-east-1",
        };
        let config = aws_sdk_organizations::config::Builder::from(&self.config)
            .region(SdkRegion::new(region))
            .interceptor(self.lane.guard())
            .build();
        aws_sdk_organizations::Client::from_conf(config)
    }

    /// `sts:GetCallerIdentity`, which needs no permission.
    pub async fn caller(&self) -> Result<Caller, Failure> {
        self.caller_at_most(self.control.max_attempts()).await
    }

    /// The same where the answer may be done without: servers without STS need not be asked five times.
    pub async fn caller_at_most(&self, attempts: u32) -> Result<Caller, Failure> {
        let operation = Operation::GetCallerIdentity;
        let sts = self.sts();
        let ask =
            || async { sts.get_caller_identity().send().await.map_err(|error| Failure::from_sdk(operation, &error)) };
        let answer = self.remedied(|| self.control.call_at_most(operation, attempts, &ask)).await?;
        let account = answer.account().and_then(|id| AccountId::parse(id).ok());
        match (account, answer.arn()) {
            (Some(account), Some(arn)) if partition(arn).is_some() => Ok(Caller { account, arn: arn.to_owned() }),
            _ => Err(Failure::malformed(operation, "the answer names no account")),
        }
    }

    /// The session of the same credentials, once it is known whose they are.
    #[must_use]
    pub fn owned_by(self, owner: AccountId) -> Self {
        Self { owner: Some(owner), ..self }
    }
}

/// A setting at which the SDK would panic, or which it would pass over and go on with other credentials, in another
/// Region or to another server than the user means.
async fn mistake(profile: Option<&str>, config: &SdkConfig) -> Option<String> {
    let profiles = match profiles().await {
        Ok(profiles) => profiles,
        Err(error) => return Some(words(&error)),
    };
    let name = profile.unwrap_or(profiles.selected_profile());
    if let Err(unknown) = defined(&profiles, name)
        && name != "default"
    {
        return Some(unknown.to_string());
    }
    let region = config.region().map(SdkRegion::as_ref);
    if let Some(region) = region.filter(|region| !is_host_name(region)) {
        return Some(format!("{region:?} is not the name of a Region: correct AWS_REGION, or region in the profile"));
    }
    let endpoint = endpoints(config).find(|endpoint| !is_url(endpoint))?;
    Some(format!("{endpoint:?} is no URL (http://host:port): correct AWS_ENDPOINT_URL, or endpoint_url in the profile"))
}

/// Credentials that are never given, and why: so no client sends anything.
fn refuse(mistake: String) -> impl ProvideCredentials {
    provide_credentials_fn(move || {
        let mistake = mistake.clone();
        async { Err(provider::error::CredentialsError::invalid_configuration(mistake)) }
    })
}

/// `~/.aws/config` and `~/.aws/credentials`, or where the environment says they are.
async fn profiles() -> Result<ProfileSet, ProfileFileLoadError> {
    let (fs, env) = (aws_types::os_shim_internal::Fs::real(), aws_types::os_shim_internal::Env::real());
    #[allow(deprecated)] // the only name under which aws-config exports the type that its own function takes
    let files = aws_config::profile::profile_file::ProfileFiles::default();
    aws_config::profile::load(&fs, &env, &files, None).await
}

fn defined(profiles: &ProfileSet, name: &str) -> Result<(), UnknownProfile> {
    if profiles.get_profile(name).is_some() {
        return Ok(());
    }
    let mut known: Vec<String> = profiles.profiles().map(str::to_owned).collect();
    known.sort();
    if known.is_empty() {
        known.push("none".to_owned());
    }
    Err(UnknownProfile { name: name.to_owned(), known })
}

/// With the cause, which names file and line; all in one line.
fn words(error: &ProfileFileLoadError) -> String {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    format!("{error}: {cause}").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The addresses that are set for the services a run may ask, those that give credentials among them.
fn endpoints(config: &SdkConfig) -> impl Iterator<Item = String> {
    let services = ["S3", "STS", "Organizations", "SSO", "SSO OIDC", "Signin"];
    services.into_iter().filter_map(|service| endpoint_of(config, service))
}

fn endpoint_of(config: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url");
    config.service_config()?.load_config(key.build().ok()?)
}

fn is_url(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).unwrap_or_default();
    !host.is_empty() && !host.starts_with(['/', '?', '#', ':']) && host.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The SDK makes names of hosts from Regions.
fn is_host_name(text: &str) -> bool {
    text.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// A role to assume, with what STS is told.
#[derive(Clone)]
pub struct Role {
    pub account: AccountId,
    pub arn: String,
    pub session_name: String,
    pub external_id: Option<String>,
    pub duration: Duration,
}

/// Gives the credentials of a role, each time by assuming it.
struct AssumedRole {
    hub: Arc<Session>,
    role: Role,
}

impl AssumedRole {
    async fn assume(&self) -> Result<Credentials, Failure> {
        let operation = Operation::AssumeRole;
        let seconds = i32::try_from(self.role.duration.as_secs()).unwrap_or(i32::MAX);
        let answer = self
            .hub
            .sts()
            .assume_role()
            .role_arn(&self.role.arn)
            .role_session_name(&self.role.session_name)
            .set_external_id(self.role.external_id.clone())
            .duration_seconds(seconds)
            .send()
            .await
            .map_err(|error| Failure::from_sdk(operation, &error).without(self.role.external_id.as_deref()))?;
        let keys =
            answer.credentials().ok_or_else(|| Failure::malformed(operation, "the answer has no credentials"))?;
        let expiry = SystemTime::try_from(*keys.expiration()).ok();
        let token = Some(keys.session_token().to_owned());
        Ok(Credentials::new(keys.access_key_id(), keys.secret_access_key(), token, expiry, "AssumeRole"))
    }

    /// Without a permit: those who wait for the credentials hold theirs.
    async fn assume_again(&self) -> provider::Result {
        let assumed = self.hub.remedied(|| self.hub.control.call_within(|| self.assume())).await;
        assumed.map_err(CredentialsError::provider_error)
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume_again())
    }
}

/// Without keys and external id.
impl std::fmt::Debug for AssumedRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssumedRole").field("arn", &self.role.arn).finish_non_exhaustive()
    }
}
