//! One HTTP client for all accounts: connections are reused over accounts, operations and credentials.

use std::path::{Path, PathBuf};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

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
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .proxy_config(proxy.clone())
            .pool_max_idle_per_host(connections)
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.build()
    }))
}

fn read_bundle(path: &Path) -> Result<Vec<u8>, CaBundleError> {
    let failed = |why: String| CaBundleError { path: path.to_owned(), why };
    let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    if String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
        Ok(pem)
    } else {
        Err(failed("it holds no certificate in PEM form".to_owned()))
    }
}
