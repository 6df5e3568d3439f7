//! Credentials of a role that is assumed with a token of an identity provider.

use std::path::PathBuf;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};

use super::super::secret::{self, Part};
use super::of_sts;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebIdentity {
    pub token_file: PathBuf,
    pub role_arn: String,
    pub session_name: Option<String>,
}

#[derive(Debug)]
pub struct OfWebIdentity {
    pub identity: WebIdentity,
    pub client: aws_sdk_sts::Client,
}

impl OfWebIdentity {
    async fn give(&self) -> provider::Result {
        let WebIdentity { token_file, role_arn, session_name } = &self.identity;
        let file = token_file.display();
        let wrong = |why: String| CredentialsError::invalid_configuration(why);
        let token = std::fs::read(token_file)
            .map_err(|error| wrong(format!("the token file {file} of the web identity cannot be read: {error}")))?;
        let token = String::from_utf8(token)
            .map_err(|_| wrong(format!("the token file {file} of the web identity is not UTF-8 text")))?;
        let name = format!("the token of the web identity in {file}");
        secret::check(&name, Part::Token, &token).map_err(wrong)?;
        let answer = self
            .client
            .assume_role_with_web_identity()
            .role_arn(role_arn)
            .role_session_name(session_name.clone().unwrap_or_else(|| "bucketlens".to_owned()))
            .web_identity_token(token)
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        of_sts(answer.credentials(), "AssumeRoleWithWebIdentity")
    }
}

provides_credentials!(OfWebIdentity);
