//! One HTTP client for all accounts: connections are reused over accounts, operations and credentials.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::base64::decode;

/// What the environment says of the way to AWS.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// `AWS_CA_BUNDLE`: certificates to trust instead of the system's.
    pub ca_bundle: Option<PathBuf>,
    /// Whether `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` count; not in the demo, which never leaves
    /// loopback.
    pub proxy_from_environment: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("failed to use the CA bundle {} (AWS_CA_BUNDLE): {why}", .path.display())]
pub struct CaBundleError {
    path: PathBuf,
    why: String,
}

/// `connections`: idle connections kept for each host; more are never needed than requests are in flight.
pub fn client(network: &Network, connections: usize) -> Result<SharedHttpClient, CaBundleError> {
    let trust = match &network.ca_bundle {
        Some(path) => TrustStore::empty().with_pem_certificate(read_bundle(path)?),
        None => TrustStore::default(),
    };
    let tls = TlsContext::builder().with_trust_store(trust).build().map_err(|error| CaBundleError {
        path: network.ca_bundle.clone().unwrap_or_default(),
        why: error.to_string(),
    })?;
    let proxy = if network.proxy_from_environment { ProxyConfig::from_env() } else { ProxyConfig::disabled() };
    let client = Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .proxy_config(proxy.clone())
            .pool_max_idle_per_host(connections)
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    });
    Ok(SharedHttpClient::new(Shared(client)))
}

/// The SDK's client but for its habit to read all certificates anew whenever a client of a service is made: one is made
/// for each account and Region.
#[derive(Debug)]
struct Shared(SharedHttpClient);

impl HttpClient for Shared {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

fn read_bundle(path: &Path) -> Result<Vec<u8>, CaBundleError> {
    let failed = |why: String| CaBundleError { path: path.to_owned(), why };
    let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    certificates(&String::from_utf8_lossy(&text)).map(String::into_bytes).map_err(failed)
}

/// The certificates of a bundle and nothing besides: at anything damaged the SDK panics.
fn certificates(text: &str) -> Result<String, String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let mut pem = String::new();
    for (before, section) in text.split(BEGIN).skip(1).enumerate() {
        let body: Option<String> = section.split_once(END).map(|(body, _)| body.split_whitespace().collect());
        let Some(body) = body.filter(|body| decode(body).is_ok_and(|der| is_sequence(&der))) else {
            return Err(format!("certificate {} in it is damaged", before + 1));
        };
        let _ = writeln!(pem, "{BEGIN}\n{body}\n{END}");
    }
    if pem.is_empty() { Err("it holds no certificate in PEM form".to_owned()) } else { Ok(pem) }
}

/// Whether this is one DER sequence, as long as it says.
fn is_sequence(der: &[u8]) -> bool {
    let (start, length) = match *der {
        [0x30, short @ ..=0x7f, ..] => (2, usize::from(short)),
        [0x30, 0x81, long, ..] => (3, usize::from(long)),
        [0x30, 0x82, high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
        _ => return false,
    };
    der.len() == start + length
}
