//! Credentials of the role that a profile assumes, with a code of an MFA device where the profile names one.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use tokio::sync::Mutex;

use super::super::failure::words;
use super::super::profile::Step;
use super::{AskCode, At, of_sts};

pub struct ProfileRole {
    pub named: String,
    pub step: Step,
    pub client: aws_sdk_sts::Client,
    pub codes: Arc<dyn AskCode>,
    /// What a code gave: it is asked for once in a run.
    pub with_mfa: Mutex<Option<Credentials>>,
}

impl fmt::Debug for ProfileRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileRole").field("named", &self.named).finish_non_exhaustive()
    }
}

impl ProfileRole {
    async fn give(&self) -> provider::Result {
        let given = match &self.step.mfa_serial {
            None => self.assume(None).await,
            Some(serial) => self.assume_with_code(serial).await,
        };
        given.map_err(|source| {
            let what = format!("{}, role {}", self.named, self.step.role_arn);
            CredentialsError::provider_error(At { what, source })
        })
    }

    async fn assume_with_code(&self, serial: &str) -> provider::Result {
        let mut held = self.with_mfa.lock().await;
        if let Some(keys) = &*held {
            if keys.expiry().is_none_or(|end| end > SystemTime::now()) {
                return Ok(keys.clone());
            }
            return Err(CredentialsError::provider_error(
                "its credentials have ended, and a code of the MFA device is asked for only when a run starts: start \
                 again, or set duration_seconds to a longer time",
            ));
        }
        let question = format!("Code of the MFA device {serial} for {}: ", self.named);
        let code = self.codes.code(&question).await.map_err(CredentialsError::provider_error)?;
        let keys = self.assume(Some((serial, code))).await?;
        *held = Some(keys.clone());
        Ok(keys)
    }

    async fn assume(&self, mfa: Option<(&str, String)>) -> provider::Result {
        // The service may repeat them.
        let secrets = [self.step.external_id.clone(), mfa.as_ref().map(|(_, code)| code.clone())];
        let (serial, code) = mfa.map(|(serial, code)| (serial.to_owned(), code)).unzip();
        let session_name = self.step.session_name.clone().unwrap_or_else(|| "bucketlens".to_owned());
        let answer = self
            .client
            .assume_role()
            .role_arn(&self.step.role_arn)
            .role_session_name(session_name)
            .set_external_id(self.step.external_id.clone())
            .set_duration_seconds(self.step.duration)
            .set_serial_number(serial)
            .set_token_code(code)
            .send()
            .await
            .map_err(|error| {
                let secrets = secrets.iter().flatten().filter(|secret| !secret.is_empty());
                let words = secrets.fold(words(&error), |words, secret| words.replace(secret.as_str(), "***"));
                CredentialsError::provider_error(words)
            })?;
        of_sts(answer.credentials(), "AssumeRole")
    }
}

provides_credentials!(ProfileRole);
