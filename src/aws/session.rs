//! Whose credentials, which partition, and a client for each Region.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use aws_config::imds::region::ImdsRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{AppName, BehaviorVersion, Region as SdkRegion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_s3::config::{IdentityCache, StalledStreamProtectionConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::sdk_config::TimeSource;

use super::address::Address;
use super::addressing::{self, Style, Styles};
use super::clock::Clock;
use super::credentials::{self, AskCode, Sources};
use super::endpoint::{Endpoints, Signature, with_slash};
use super::failure::{Failure, Remedy};
use super::http::{self, CaBundleError, Network};
use super::keys::Keys;
use super::lean::Lean;
use super::learn::Learning;
use super::pace::{Lane, Pace};
use super::partition::Partition as AwsPartition;
use super::profile::at_home;
use super::redirect::Service;
use super::route::Route;
use super::settings::{self, Settings, SettingsError, endpoint_of, endpoints};
use crate::model::{AccountId, Arn, Operation, Partition, Region};

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
    Environment(Box<Surroundings>),
    /// One endpoint for every service and one pair of keys: the demo's simulator. Nothing of the environment is read.
    Fixed { endpoint: String, access_key: String, secret_key: String, region: Region },
}

/// What AWS's own settings leave open.
#[derive(Debug, Clone)]
pub struct Surroundings {
    network: Network,
    connections: usize,
    /// Containers and instances are asked so.
    direct: SharedHttpClient,
    codes: Arc<dyn AskCode>,
    /// Where no setting names a Region: one of those that the user asks for.
    region: Option<Region>,
}

impl Surroundings {
    pub fn new(
        network: &Network,
        connections: usize,
        codes: Arc<dyn AskCode>,
        region: Option<Region>,
    ) -> Result<Self, CaBundleError> {
        let direct = http::client(&network.direct(), connections)?;
        Ok(Self { network: network.clone(), connections, direct, codes, region })
    }
}

/// What all sessions of a run share.
#[derive(Debug, Clone)]
pub struct Aws {
    pub source: Source,
    pub http: SharedHttpClient,
    pub pace: Arc<Pace>,
    pub clock: Arc<Clock>,
    pub addressing: Styles,
    pub timeouts: Timeouts,
}

/// Who the credentials belong to, as STS says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub account: AccountId,
    pub arn: Arn,
}

impl Caller {
    /// `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`, …
    pub fn partition(&self) -> Partition {
        self.arn.partition()
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
    region_is_set: bool,
    /// The account, where STS confirmed it: then every request says whose bucket it means (`ExpectedBucketOwner`).
    pub owner: Option<AccountId>,
    /// For S3, …
    pub lane: Arc<Lane>,
    /// … and for STS and Organizations.
    control: Arc<Lane>,
    /// S3, and where its answers may lead.
    service: Service,
    style: Arc<Style>,
    sts: OnceLock<aws_sdk_sts::Client>,
    clients: Mutex<HashMap<Route, aws_sdk_s3::Client>>,
}

/// Clients that a session keeps.
const MOST_CLIENTS: usize = 100;

impl Aws {
    /// The session of the environment, or of a profile of the AWS configuration files. Where a profile wants a code of
    /// an MFA device, a person is asked for it here.
    pub async fn session(&self, profile: Option<&str>) -> Result<Session, SettingsError> {
        match &self.source {
            Source::Environment(surroundings) => {
                let (settings, config) = self.configuration(surroundings, profile).await?;
                let sources = Sources {
                    settings: &settings,
                    config: &config,
                    http: learning(config.http_client().unwrap_or_else(|| self.http.clone())),
                    direct: learning(surroundings.direct.clone()),
                    codes: Arc::clone(&surroundings.codes),
                };
                let source = sources.choose()?;
                let given = if source.asks { Some(credentials::first(&source.provider).await?) } else { None };
                let config = config.into_builder().credentials_provider(source.provider).build();
                Ok(self.session_with(config, None, given))
            }
            Source::Fixed { endpoint, access_key, secret_key, region } => {
                let keys = Credentials::new(access_key, secret_key, None, None, "demo");
                let config = SdkConfig::builder()
                    .behavior_version(BehaviorVersion::latest())
                    .http_client(self.http.clone())
                    .timeout_config(self.timeout_config())
                    .credentials_provider(SharedCredentialsProvider::new(keys))
                    .endpoint_url(endpoint)
                    .region(SdkRegion::new(region.to_string()));
                Ok(self.session_with(config.build(), None, None))
            }
        }
    }

    /// Where S3 is asked instead of at AWS: an endpoint of the settings. No credentials are needed for it.
    pub async fn s3_endpoint(&self, profile: Option<&str>) -> Result<Option<String>, SettingsError> {
        match &self.source {
            Source::Environment(surroundings) => {
                let (_, config) = self.configuration(surroundings, profile).await?;
                Ok(s3_endpoint(&config))
            }
            Source::Fixed { endpoint, .. } => Ok(Some(endpoint.clone())),
        }
    }

    /// AWS's own settings, and what the SDK makes of them, but for the credentials.
    async fn configuration(
        &self,
        surroundings: &Surroundings,
        profile: Option<&str>,
    ) -> Result<(Settings, SdkConfig), SettingsError> {
        let settings = Settings::read(profile).await?;
        let http = self.http_of(surroundings, &settings)?;
        let region = settings.region().or_else(|| surroundings.region.as_ref().map(ToString::to_string));
        let region = if let Some(region) = region {
            Some(SdkRegion::new(region))
        } else {
            let conf = ProviderConfig::without_region().with_http_client(surroundings.direct.clone());
            ImdsRegionProvider::builder().configure(&conf).build().region().await
        };
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .timeout_config(self.timeout_config())
            // Else the SDK panics at a setting of retries that it does not understand.
            .retry_config(RetryConfig::standard())
            .profile_files(settings.files.texts())
            .profile_name(&settings.profile.name)
            .region(region)
            .no_credentials()
            .load()
            .await;
        settings::check(&config)?;
        Ok((settings, config))
    }

    /// `ca_bundle` of the profile holds where `AWS_CA_BUNDLE` names none, as with botocore.
    fn http_of(&self, surroundings: &Surroundings, settings: &Settings) -> Result<SharedHttpClient, SettingsError> {
        let bundle = settings.of_profile("ca_bundle").filter(|_| surroundings.network.ca_bundle.is_none());
        let Some(bundle) = bundle else { return Ok(self.http.clone()) };
        let network = Network { ca_bundle: Some(at_home(settings.env(), bundle)), ..surroundings.network.clone() };
        let named = || format!("ca_bundle of {}", settings.files.named(&settings.profile.name));
        Ok(http::client(&network, surroundings.connections).map_err(|error| error.named_by(named()))?)
    }

    /// `given`: credentials that the provider of the settings gave already.
    fn session_with(&self, config: SdkConfig, owner: Option<AccountId>, given: Option<Credentials>) -> Session {
        let source = config.credentials_provider().expect("all our settings have one");
        // The source must fail before the attempt that waits for it, so that its reason is told.
        let keys = Keys::new(source, Arc::clone(&self.clock), self.timeouts.operation.mul_f32(0.9), given);
        let region_is_set = config.region().is_some();
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
        // Where it is none, `settings` has refused it.
        let region = Region::parse(&region).unwrap_or_else(|_| Region::unknown());
        let endpoint = s3_endpoint(&config);
        let fips = config.use_fips().unwrap_or_default()
            || endpoint.as_deref().and_then(|url| Address::parse(url).ok()).is_some_and(|it| it.is_fips());
        let account = owner.as_ref().map_or_else(|| "of the credentials".to_owned(), ToString::to_string);
        Session {
            config,
            keys,
            clock: Arc::clone(&self.clock),
            sts: OnceLock::new(),
            service: Service::new(endpoint.as_deref(), &region),
            style: self.addressing.of(addressing::Service { endpoint, fips }),
            region,
            region_is_set,
            owner,
            lane: self.pace.lane(account),
            control: Arc::clone(&self.pace.control),
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
            let virtual_hosted = self.style.is_virtual_hosted();
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
                    Some(Remedy::LeavePathStyle) => self.style.leave_path_style(virtual_hosted, &failure),
                    None => false,
                };
            if !again {
                return Err(self.explain(failure));
            }
            left -= 1;
            tracing::debug!(reason = %failure.reason, "asking again with what the answer wants");
        }
    }

    /// Keys that are unknown there may be known elsewhere, which the words of AWS do not say.
    ///
    /// Source: IAM user guide, "Manage AWS STS in an AWS Region" (tokens of the global endpoint).
    fn explain(&self, failure: Failure) -> Failure {
        let region = self.region.as_str();
        match failure.code() {
            Some("InvalidToken") => failure.with_hint(
                "in a Region that an account has to enable (opt-in) this is the answer where it is not enabled, and to \
                 tokens of the global STS endpoint: use a session of a regional endpoint",
            ),
            Some("InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId")
                if !self.region_is_set =>
            {
                failure.with_hint(
                    "no Region is set, and so us-east-1 was asked, where keys of AWS GovCloud (US) and of the China \
                     Regions are not known: set AWS_REGION if these are such keys",
                )
            }
            Some("InvalidClientTokenId" | "UnrecognizedClientException") if settings::is_opt_in(region) => failure
                .with_hint(&format!("an account has to enable {region} (opt-in) before its keys are known there")),
            Some(_) | None => failure,
        }
    }

    /// The S3 client for a Region, made once.
    pub fn s3(&self, route: &Route) -> aws_sdk_s3::Client {
        let mut clients = self.clients.lock().expect("no code panics while it holds this lock");
        if let Some(client) = clients.get(route) {
            return client.clone();
        }
        let mut builder = aws_sdk_s3::config::Builder::from(&self.config)
            .region(SdkRegion::new(route.region().to_string()))
            // Where the style is another, `Endpoints` changes it.
            .force_path_style(true)
            // Sessions are for what is inside directory buckets, which nobody here reads; with an endpoint of the settings
            // the rules would want one for the list of them too.
            .disable_s3_express_session_auth(true)
            .endpoint_resolver(Endpoints::new(Arc::clone(&self.style)))
            .auth_scheme_resolver(Signature)
            .interceptor(Lean)
            .interceptor(self.lane.guard());
        if let Some(endpoint) = self.endpoint_of(route) {
            builder = builder.endpoint_url(with_slash(&endpoint));
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
        s3_endpoint(&self.config)
    }

    /// Addresses of the settings to which requests go over a network without TLS.
    pub fn unprotected(&self) -> Vec<String> {
        let mut unprotected: Vec<String> = endpoints(&self.config).filter(|it| settings::is_unprotected(it)).collect();
        unprotected.sort();
        unprotected.dedup();
        unprotected
    }

    /// Where S3 is asked on this route; `None` where the Region decides.
    pub fn endpoint_of(&self, route: &Route) -> Option<String> {
        let elsewhere = route.endpoint().cloned().or_else(|| self.service.endpoint_in(route.region()));
        elsewhere.map(|address| address.to_string()).or_else(|| self.s3_endpoint())
    }

    pub(super) fn service(&self) -> &Service {
        &self.service
    }

    fn sts(&self) -> &aws_sdk_sts::Client {
        self.sts.get_or_init(|| {
            let config = aws_sdk_sts::config::Builder::from(&self.config).interceptor(self.lane.guard()).build();
            aws_sdk_sts::Client::from_conf(config)
        })
    }

    /// The Organizations client, in the one Region of the partition where Organizations answers.
    ///
    /// `partition`: of the caller. STS may be another server, so the Region of the settings decides where AWS is asked.
    ///
    /// Source: AWS Organizations endpoints and quotas.
    pub(super) fn organizations(&self, partition: &str) -> aws_sdk_organizations::Client {
        let of_aws =
            endpoint_of(&self.config, "Organizations").or(self.config.endpoint_url().map(str::to_owned)).is_none();
        let ours = AwsPartition::of_region(self.region.as_str()).filter(|_| of_aws);
        let region = match ours.map_or(partition, |partition| partition.as_str()) {
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
        let refused = |why: String| Failure::malformed(operation, format!("the answer names no account: {why}"));
        let account =
            AccountId::parse(answer.account().unwrap_or_default()).map_err(|error| refused(error.to_string()))?;
        let arn = Arn::parse(answer.arn().unwrap_or_default()).map_err(|error| refused(error.to_string()))?;
        Ok(Caller { account, arn })
    }

    /// The session of the same credentials, once it is known whose they are.
    #[must_use]
    pub fn owned_by(self, owner: AccountId) -> Self {
        Self { owner: Some(owner), ..self }
    }
}

/// For sources of credentials.
fn learning(http: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(Learning(http))
}

fn s3_endpoint(config: &SdkConfig) -> Option<String> {
    endpoint_of(config, "S3").or_else(|| config.endpoint_url().map(str::to_owned))
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
            .map_err(|error| Failure::from_sdk(operation, &error))?;
        let keys =
            answer.credentials().ok_or_else(|| Failure::malformed(operation, "the answer has no credentials"))?;
        let expiry = SystemTime::try_from(*keys.expiration()).ok();
        let token = Some(keys.session_token().to_owned());
        let keys = Credentials::new(keys.access_key_id(), keys.secret_access_key(), token, expiry, "AssumeRole");
        credentials::check(&keys)
            .map_err(|why| Failure::malformed(operation, format!("the answer cannot be used: {why}")))?;
        Ok(keys)
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
