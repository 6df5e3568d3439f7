//! Credentials of an EC2 instance.

use aws_config::imds::{self, credentials::ImdsCredentialsProvider};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};

use super::super::secret::{self, Part};
use super::super::settings::{Settings, SettingsError, without_password};

#[derive(Debug)]
pub struct OfInstance {
    client: imds::Client,
    config: ProviderConfig,
    is_disabled: bool,
}

impl OfInstance {
    pub fn new(settings: &Settings, config: &ProviderConfig) -> Result<Self, SettingsError> {
        let mut client = imds::Client::builder().configure(config);
        let endpoint = settings.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
        if let Some(endpoint) = endpoint.as_deref().or_else(|| settings.of_profile("ec2_metadata_service_endpoint")) {
            client = client.endpoint(endpoint).map_err(|_| {
                let shown = without_password(endpoint);
                let what = format!("{shown:?} is no URL: correct AWS_EC2_METADATA_SERVICE_ENDPOINT");
                SettingsError::Credentials(what)
            })?;
        }
        let disabled = settings.variable("AWS_EC2_METADATA_DISABLED");
        let is_disabled = disabled.is_some_and(|disabled| disabled.eq_ignore_ascii_case("true"));
        Ok(Self { client: client.build(), config: config.clone(), is_disabled })
    }

    async fn give(&self) -> provider::Result {
        let mut provider = ImdsCredentialsProvider::builder().imds_client(self.client.clone()).configure(&self.config);
        // The SDK makes a URL of the role's name, whatever it is. Where it cannot be had, the SDK says why.
        if !self.is_disabled
            && let Ok(role) = self.client.get("/latest/meta-data/iam/security-credentials/").await
        {
            let role: String = role.into();
            secret::check("the name of the role in the answer of the instance's metadata service", Part::Token, &role)
                .map_err(CredentialsError::invalid_configuration)?;
            provider = provider.profile(role);
        }
        provider.build().provide_credentials().await
    }
}

provides_credentials!(OfInstance);
