//! What the sources of credentials tell servers in confidence: tokens of SSO and of web identities, external ids of
//! profiles, codes. The SDK reads them by itself, so they are taken from the requests in which it sends them.

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::secrets;

/// The client for sources of credentials.
#[derive(Debug)]
pub(super) struct Learning(pub SharedHttpClient);

impl HttpClient for Learning {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Attentive(self.0.http_connector(settings, components)))
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[derive(Debug)]
struct Attentive(SharedHttpConnector);

impl HttpConnector for Attentive {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        learn(&request);
        self.0.call(request)
    }
}

fn learn(request: &HttpRequest) {
    let headers = request.headers();
    for name in ["x-amz-security-token", "x-amz-sso_bearer_token", "x-aws-ec2-metadata-token"] {
        secrets::hold(headers.get(name).unwrap_or_default());
    }
    let authorization = headers.get("authorization").unwrap_or_default();
    match authorization.split_once("Credential=") {
        Some((_, signed)) => secrets::hold_access_key_id(signed.split('/').next().unwrap_or_default()),
        None => secrets::hold(authorization.strip_prefix("Bearer ").unwrap_or(authorization)),
    }
    let body = request.body().bytes().unwrap_or_default();
    for (name, value) in std::str::from_utf8(body).unwrap_or_default().split('&').filter_map(|it| it.split_once('=')) {
        let value = secrets::percent_decoded(&value.replace('+', " "));
        match name {
            "WebIdentityToken" | "SAMLAssertion" => secrets::hold(&value),
            "ExternalId" => secrets::hold_external_id(&value),
            "TokenCode" => secrets::hold_mfa_code(&value),
            _ => {}
        }
    }
    // SSO OIDC and the sign-in service.
    if let Ok(serde_json::Value::Object(members)) = serde_json::from_slice(body) {
        for name in ["clientSecret", "refreshToken", "deviceCode", "code", "codeVerifier", "assertion", "subjectToken"]
        {
            secrets::hold(members.get(name).and_then(|value| value.as_str()).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[test]
    fn what_is_sent_in_confidence_is_held() {
        let mut form = HttpRequest::new(SdkBody::from(
            "Action=AssumeRole&ExternalId=ext%2D0123456789abc&WebIdentityToken=eyJh.bGciOi%2BJ&TokenCode=573829",
        ));
        let signed =
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7LEARNT0/20260101/us-east-1/sts/aws4_request, Signature=00";
        form.headers_mut().insert("authorization", signed);
        form.headers_mut().insert("x-amz-security-token", "token-of-a-profile");
        learn(&form);
        let mut json = HttpRequest::new(SdkBody::from(r#"{"clientId": "public", "clientSecret": "secret-of-client"}"#));
        json.headers_mut().insert("authorization", "Bearer token-of-a-bearer");
        learn(&json);
        for secret in [
            "AKIAIOSFODNN7LEARNT0",
            "token-of-a-profile",
            "ext-0123456789abc",
            "eyJh.bGciOi+J",
            "573829",
            "secret-of-client",
            "token-of-a-bearer",
        ] {
            assert_eq!(secrets::blank(secret), "***", "{secret}");
        }
        assert_eq!(secrets::blank("public AssumeRole"), "public AssumeRole");
    }
}
