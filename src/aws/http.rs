//! One HTTP client for all accounts: connections are reused over accounts, operations and credentials.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::base64::decode;

use super::proxy::NoProxy;

/// What the environment says of the way to AWS.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// `AWS_CA_BUNDLE`: certificates to trust instead of the system's.
    pub ca_bundle: Option<PathBuf>,
    /// Whether `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` count; not in the demo, which never leaves loopback.
    pub proxy_from_environment: bool,
    /// `NO_PROXY`
    pub no_proxy: NoProxy,
}

impl Network {
    /// The same without any proxy.
    #[must_use]
    pub fn direct(&self) -> Self {
        Self { proxy_from_environment: false, ..self.clone() }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("failed to use the CA bundle {} ({setting}): {why}", .path.display())]
pub struct CaBundleError {
    path: PathBuf,
    /// Where the bundle is named.
    setting: String,
    why: String,
}

impl CaBundleError {
    /// The same for a bundle that another setting names.
    #[must_use]
    pub(super) fn named_by(self, setting: String) -> Self {
        Self { setting, ..self }
    }
}

/// `connections`: idle connections kept for each host; more are never needed than requests are in flight.
pub fn client(network: &Network, connections: usize) -> Result<SharedHttpClient, CaBundleError> {
    let trust = match &network.ca_bundle {
        Some(path) => TrustStore::empty().with_pem_certificate(read_bundle(path)?),
        None => TrustStore::default(),
    };
    let tls = TlsContext::builder().with_trust_store(trust).build().map_err(|error| {
        let path = network.ca_bundle.clone().unwrap_or_default();
        unusable(&path, error.to_string())
    })?;
    let direct = transport(ProxyConfig::disabled(), &tls, connections);
    if !network.proxy_from_environment {
        return Ok(SharedHttpClient::new(Shared(direct)));
    }
    let proxied = transport(ProxyConfig::from_env(), &tls, connections);
    Ok(SharedHttpClient::new(Divided { proxied, direct, without_proxy: Arc::new(network.no_proxy.clone()) }))
}

fn transport(proxy: ProxyConfig, tls: &TlsContext, connections: usize) -> SharedHttpClient {
    let tls = tls.clone();
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
    SharedHttpClient::new(client)
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

/// The same, where the hosts of `NO_PROXY` are asked without a proxy.
#[derive(Debug)]
struct Divided {
    proxied: SharedHttpClient,
    direct: SharedHttpClient,
    without_proxy: Arc<NoProxy>,
}

impl HttpClient for Divided {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(DividedConnector {
            proxied: self.proxied.http_connector(settings, components),
            direct: self.direct.http_connector(settings, components),
            without_proxy: Arc::clone(&self.without_proxy),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.proxied.connector_metadata()
    }
}

#[derive(Debug)]
struct DividedConnector {
    proxied: SharedHttpConnector,
    direct: SharedHttpConnector,
    without_proxy: Arc<NoProxy>,
}

impl HttpConnector for DividedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let way = if self.without_proxy.covers(request.uri()) { &self.direct } else { &self.proxied };
        way.call(request)
    }
}

fn unusable(path: &Path, why: String) -> CaBundleError {
    CaBundleError { path: path.to_owned(), setting: "AWS_CA_BUNDLE".to_owned(), why }
}

fn read_bundle(path: &Path) -> Result<Vec<u8>, CaBundleError> {
    let failed = |why: String| unusable(path, why);
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
