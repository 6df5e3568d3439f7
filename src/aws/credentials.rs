//! Which credentials a session gets: those of the first source that is set, and no others where that source fails.
//!
//! The order is botocore's: `--profile`, keys of the environment, the profile of the environment or the default one, a
//! web identity, a container, the instance. The keys of the environment go before `AWS_PROFILE` and not before
//! `--profile`. A profile that sets no credentials, only a Region say, lets the others have their turn, but for
//! `--profile`, whose account is meant.

// Before the modules that use it.
macro_rules! provides_credentials {
    ($($provider:ty),*) => {$(
        impl ProvideCredentials for $provider {
            fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
            where
                Self: 'a,
            {
                future::ProvideCredentials::new(self.give())
            }
        }
    )*};
}

mod container;
mod instance;
mod role;
mod web_identity;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::identity::IdentityCache;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::types::Credentials as StsCredentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use futures::future::BoxFuture;
use tokio::sync::Mutex;

use super::profile::{Base, Chain, Kind, StaticKeys, Step};
use super::secret::{self, Part};
use super::settings::{By, Settings, SettingsError};
use container::OfContainer;
use instance::OfInstance;
use role::ProfileRole;
use web_identity::OfWebIdentity;
pub(super) use web_identity::WebIdentity;

/// Asks a person for codes of MFA devices.
pub trait AskCode: fmt::Debug + Send + Sync {
    /// Whether there is somebody to ask.
    fn can_ask(&self) -> bool;

    /// Six digits, or why there are none.
    fn code<'a>(&'a self, question: &'a str) -> BoxFuture<'a, Result<String, String>>;
}

/// How a session gets its credentials.
pub(super) struct Source {
    pub provider: SharedCredentialsProvider,
    /// A person has to be asked, before the first request: no request waits long enough for an answer.
    pub asks: bool,
}

/// What the sources of credentials have in common.
pub(super) struct Sources<'a> {
    pub settings: &'a Settings,
    /// Everything but the credentials.
    pub config: &'a SdkConfig,
    pub http: SharedHttpClient,
    /// Containers and instances are never asked through a proxy.
    pub direct: SharedHttpClient,
    pub codes: Arc<dyn AskCode>,
}

impl Sources<'_> {
    pub fn choose(&self) -> Result<Source, SettingsError> {
        let profile = &self.settings.profile;
        if profile.by != By::Option
            && let Some(keys) = self.keys_of_environment()?
        {
            return Ok(without_questions(keys));
        }
        if let Some(chain) = self.settings.files.chain(&profile.name).map_err(SettingsError::Credentials)? {
            return self.of_chain(&chain);
        }
        let named = || self.settings.files.named(&profile.name);
        match profile.by {
            By::Option => return Err(SettingsError::Credentials(format!("{} sets no credentials", named()))),
            By::Variable => {
                tracing::warn!(
                    "{} sets no credentials: those of a web identity, container or instance are used",
                    named()
                );
            }
            By::Default => {}
        }
        if let Some(provider) = self.web_identity_of_environment()? {
            return Ok(without_questions(provider));
        }
        if container::is_set(self.settings) {
            return self.container().map(without_questions);
        }
        let tried = "no keys are in the environment, the profile sets no credentials, and there is no web identity and \
                     no container; then the instance was asked";
        Ok(without_questions(Named { what: tried.to_owned(), inner: self.instance()? }))
    }

    fn of_chain(&self, chain: &Chain) -> Result<Source, SettingsError> {
        let files = &self.settings.files;
        if let Some((step, serial)) = chain.roles.iter().find_map(|step| Some((step, step.mfa_serial.as_ref()?)))
            && !self.codes.can_ask()
        {
            return Err(SettingsError::NoTerminal { named: files.named(&step.profile), serial: serial.clone() });
        }
        let mut provider = self.base(&chain.base)?;
        for step in &chain.roles {
            provider = SharedCredentialsProvider::new(self.role(step, provider));
        }
        Ok(Source { provider, asks: chain.roles.iter().any(|step| step.mfa_serial.is_some()) })
    }

    fn base(&self, base: &Base) -> Result<SharedCredentialsProvider, SettingsError> {
        let files = &self.settings.files;
        let missing = |what: &str| {
            let named = files.named(&self.settings.profile.name);
            SettingsError::Credentials(format!("{named} cannot be used: {what}"))
        };
        let provider = match base {
            Base::Keys { keys, .. } => SharedCredentialsProvider::new(credentials(keys, "Profile")),
            Base::Environment => self
                .keys_of_environment()?
                .ok_or_else(|| missing("its credential_source is Environment, where AWS_ACCESS_KEY_ID is not set"))?,
            Base::Container if !container::is_set(self.settings) => {
                return Err(missing(
                    "its credential_source is EcsContainer, and neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor \
                     AWS_CONTAINER_CREDENTIALS_FULL_URI is set",
                ));
            }
            Base::Container => self.container()?,
            Base::Instance => self.instance()?,
            Base::OfProfile { profile, kind } => self.of_profile(profile, kind),
        };
        Ok(provider)
    }

    /// What the SDK's providers need.
    fn provider_config(&self, http: &SharedHttpClient) -> ProviderConfig {
        let config = ProviderConfig::without_region()
            .with_http_client(http.clone())
            .with_region(self.config.region().cloned())
            .with_use_fips(self.config.use_fips())
            .with_use_dual_stack(self.config.use_dual_stack());
        match self.config.timeout_config() {
            Some(timeouts) => config.with_timeout_config(timeouts.clone()),
            None => config,
        }
    }

    fn of_profile(&self, profile: &str, kind: &Kind) -> SharedCredentialsProvider {
        let what = self.settings.files.named(profile);
        match kind {
            Kind::WebIdentity(identity) => {
                let inner = self.web_identity(identity.clone());
                SharedCredentialsProvider::new(Named { what, inner })
            }
            Kind::Sso | Kind::Login | Kind::Process => {
                let provider = ProfileFileCredentialsProvider::builder()
                    .profile_name(profile)
                    .profile_files(self.settings.files.texts())
                    .configure(&self.provider_config(&self.http))
                    .build();
                let names = match kind {
                    Kind::Process => "what the credential_process printed",
                    Kind::Sso => "the answer of the SSO portal",
                    Kind::Login | Kind::WebIdentity(_) => "the answer of the sign-in service",
                };
                let inner = Checked { source: names.to_owned(), inner: SharedCredentialsProvider::new(provider) };
                SharedCredentialsProvider::new(Named { what, inner: SharedCredentialsProvider::new(inner) })
            }
        }
    }

    fn keys_of_environment(&self) -> Result<Option<SharedCredentialsProvider>, SettingsError> {
        let variable = |name| self.settings.variable(name);
        let (access, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
        let keys = match (variable(access), variable(secret).or_else(|| variable("SECRET_ACCESS_KEY"))) {
            (None, None) => return Ok(None),
            (Some(access_key), Some(secret_key)) => {
                StaticKeys { access_key, secret_key, token: variable("AWS_SESSION_TOKEN") }
            }
            (None, Some(_)) => return Err(half(secret, access)),
            (Some(_), None) => return Err(half(access, secret)),
        };
        secret::check(access, Part::AccessKey, &keys.access_key)
            .and_then(|()| secret::check(secret, Part::SecretKey, &keys.secret_key))
            .and_then(|()| {
                keys.token.as_deref().map_or(Ok(()), |it| secret::check("AWS_SESSION_TOKEN", Part::Token, it))
            })
            .map_err(|why| SettingsError::Credentials(format!("the environment variable {why}")))?;
        Ok(Some(SharedCredentialsProvider::new(credentials(&keys, "Environment"))))
    }

    fn web_identity_of_environment(&self) -> Result<Option<SharedCredentialsProvider>, SettingsError> {
        let variable = |name| self.settings.variable(name);
        let Some(token_file) = variable("AWS_WEB_IDENTITY_TOKEN_FILE") else { return Ok(None) };
        let Some(role_arn) = variable("AWS_ROLE_ARN") else {
            return Err(half("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"));
        };
        let session_name = variable("AWS_ROLE_SESSION_NAME");
        let identity = WebIdentity { token_file: token_file.into(), role_arn, session_name };
        Ok(Some(self.web_identity(identity)))
    }

    /// For the roles of profiles. What they are assumed with may take its time, which the SDK's cache would not give it.
    fn config_of_sts(&self) -> aws_types::sdk_config::Builder {
        let region = self.config.region().cloned().unwrap_or(Region::from_static("us-east-1"));
        self.config
            .to_builder()
            .region(region)
            .retry_config(RetryConfig::standard())
            .identity_cache(IdentityCache::no_cache())
    }

    fn web_identity(&self, identity: WebIdentity) -> SharedCredentialsProvider {
        let client = aws_sdk_sts::Client::new(&self.config_of_sts().build());
        SharedCredentialsProvider::new(OfWebIdentity { identity, client })
    }

    fn container(&self) -> Result<SharedCredentialsProvider, SettingsError> {
        let agent = EcsCredentialsProvider::builder().configure(&self.provider_config(&self.direct)).build();
        let provider = SharedCredentialsProvider::new(OfContainer::new(self.settings, agent)?);
        let source = "the answer of the container's agent".to_owned();
        Ok(SharedCredentialsProvider::new(Checked { source, inner: provider }))
    }

    fn instance(&self) -> Result<SharedCredentialsProvider, SettingsError> {
        let instance = OfInstance::new(self.settings, &self.provider_config(&self.direct))?;
        let source = "the answer of the instance's metadata service".to_owned();
        Ok(SharedCredentialsProvider::new(Checked { source, inner: SharedCredentialsProvider::new(instance) }))
    }

    fn role(&self, step: &Step, source: SharedCredentialsProvider) -> ProfileRole {
        let config = self.config_of_sts().credentials_provider(source);
        ProfileRole {
            named: self.settings.files.named(&step.profile),
            step: step.clone(),
            client: aws_sdk_sts::Client::new(&config.build()),
            codes: Arc::clone(&self.codes),
            with_mfa: Mutex::default(),
        }
    }
}

/// The first credentials of a source that asks a person.
pub(super) async fn first(provider: &SharedCredentialsProvider) -> Result<Credentials, SettingsError> {
    let given = provider.provide_credentials().await;
    given.map_err(|error| SettingsError::Credentials(super::failure::words(&error)))
}

fn without_questions(provider: impl ProvideCredentials + 'static) -> Source {
    Source { provider: SharedCredentialsProvider::new(provider), asks: false }
}

fn half(set: &str, missing: &str) -> SettingsError {
    SettingsError::Credentials(format!(
        "the environment variable {set} is set, and {missing}, which belongs to it, is not"
    ))
}

fn credentials(keys: &StaticKeys, provider: &'static str) -> Credentials {
    Credentials::new(&keys.access_key, &keys.secret_key, keys.token.clone(), None, provider)
}

/// An error with where it belongs.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
struct At {
    what: String,
    source: CredentialsError,
}

/// Credentials whose errors say where they come from.
#[derive(Debug)]
struct Named {
    what: String,
    inner: SharedCredentialsProvider,
}

impl Named {
    async fn give(&self) -> provider::Result {
        let given = self.inner.provide_credentials().await;
        given.map_err(|source| CredentialsError::provider_error(At { what: self.what.clone(), source }))
    }
}

/// Credentials that are looked at before they are used.
#[derive(Debug)]
struct Checked {
    source: String,
    inner: SharedCredentialsProvider,
}

impl Checked {
    async fn give(&self) -> provider::Result {
        let keys = without_empty_token(self.inner.provide_credentials().await?);
        check(&keys).map_err(|why| CredentialsError::invalid_configuration(format!("{}: {why}", self.source)))?;
        Ok(keys)
    }
}

/// Some tools print an empty token beside long-term keys, and mean none.
fn without_empty_token(keys: Credentials) -> Credentials {
    if keys.session_token().is_some_and(str::is_empty) {
        Credentials::new(keys.access_key_id(), keys.secret_access_key(), None, keys.expiry(), "WithoutToken")
    } else {
        keys
    }
}

/// Whether these can be used to sign, with the names that AWS's services give the parts.
pub(super) fn check(keys: &Credentials) -> Result<(), String> {
    secret::check("AccessKeyId", Part::AccessKey, keys.access_key_id())?;
    secret::check("SecretAccessKey", Part::SecretKey, keys.secret_access_key())?;
    keys.session_token().map_or(Ok(()), |token| secret::check("SessionToken", Part::Token, token))
}

/// The credentials in an answer of STS.
fn of_sts(keys: Option<&StsCredentials>, operation: &'static str) -> provider::Result {
    let source = format!("the answer to {operation}");
    let keys = keys.ok_or_else(|| CredentialsError::provider_error(format!("{source} has no credentials")))?;
    let expiry = SystemTime::try_from(*keys.expiration()).ok();
    let token = Some(keys.session_token().to_owned());
    let keys = Credentials::new(keys.access_key_id(), keys.secret_access_key(), token, expiry, operation);
    check(&keys).map_err(|why| CredentialsError::invalid_configuration(format!("{source}: {why}")))?;
    Ok(keys)
}

provides_credentials!(Named, Checked);
