//! Credentials of ECS, EKS Pod Identity and whatever else answers like them.

use std::fmt;
use std::path::PathBuf;

use aws_config::ecs::EcsCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};

use super::super::failure::words;
use super::super::secret::{self, Part};
use super::super::settings::{Settings, SettingsError, without_password};

const RELATIVE_URI: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// Whether this is a container whose agent gives credentials.
pub fn is_set(settings: &Settings) -> bool {
    [RELATIVE_URI, FULL_URI].iter().any(|name| settings.variable(name).is_some())
}

/// What the agent of a container is told. It has no `Debug`: nothing may show it.
enum ContainerToken {
    Variable(String),
    File(PathBuf),
}

impl ContainerToken {
    fn check(&self) -> Result<(), String> {
        match self {
            Self::Variable(token) => secret::check(TOKEN, Part::Authorization, token)
                .map_err(|why| format!("the environment variable {why}")),
            Self::File(file) => {
                let name = format!("the file {} ({TOKEN_FILE})", file.display());
                let token = std::fs::read(file).map_err(|error| format!("{name} cannot be read: {error}"))?;
                let token = String::from_utf8(token).map_err(|_| format!("{name} is not UTF-8 text"))?;
                secret::check(&name, Part::Authorization, &token)
            }
        }
    }
}

pub struct OfContainer {
    uri: String,
    token: Option<ContainerToken>,
    inner: EcsCredentialsProvider,
}

impl fmt::Debug for OfContainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfContainer").finish_non_exhaustive()
    }
}

impl OfContainer {
    pub fn new(settings: &Settings, inner: EcsCredentialsProvider) -> Result<Self, SettingsError> {
        let uri = uri(settings).map_err(SettingsError::Credentials)?;
        let token = match (settings.variable(TOKEN_FILE), settings.variable(TOKEN)) {
            (Some(file), _) => Some(ContainerToken::File(file.into())),
            (None, Some(token)) => Some(ContainerToken::Variable(token)),
            (None, None) => None,
        };
        if let Some(token) = &token {
            token.check().map_err(SettingsError::Credentials)?;
        }
        Ok(Self { uri, token, inner })
    }

    async fn give(&self) -> provider::Result {
        // The file is read anew each time: the token in it ends after some hours.
        if let Some(token) = &self.token {
            token.check().map_err(CredentialsError::invalid_configuration)?;
        }
        let given = self.inner.provide_credentials().await;
        given.map_err(|error| {
            let words = words(&error);
            // The SDK quotes it.
            CredentialsError::provider_error(words.replace(&self.uri, &without_password(&self.uri)))
        })
    }
}

/// At some of what is no URL the SDK panics.
fn uri(settings: &Settings) -> Result<String, String> {
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    match (settings.variable(RELATIVE_URI), settings.variable(FULL_URI)) {
        (Some(path), _) if path.starts_with('/') && is_plain(&path) => Ok(path),
        (Some(_), _) => Err(format!("{RELATIVE_URI} is not a path (/...)")),
        (None, uri) => {
            let uri = uri.unwrap_or_default();
            let host = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://")).unwrap_or_default();
            let is_url = !host.is_empty() && !host.starts_with(['/', '?', '#', ':']) && is_plain(host);
            if is_url { Ok(uri) } else { Err(format!("{FULL_URI} is no URL (http://host/path)")) }
        }
    }
}

provides_credentials!(OfContainer);
