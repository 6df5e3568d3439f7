//! Path-style addressing keeps the number of TLS connections independent of the number of buckets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bucketlens::simulator::Organization;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::common::{Cli, Sim};

/// TLS in front of the simulator, with a certificate of its own.
pub struct Tls {
    pub endpoint: String,
    pub certificate: String,
    connections: Arc<AtomicU64>,
    _runtime: tokio::runtime::Runtime,
}

/// With a certificate that a run can be told to trust.
pub fn in_front_of(endpoint: &str) -> Tls {
    in_front_of_as(endpoint, &["localhost", "127.0.0.1"])
}

/// The same under other names.
pub fn in_front_of_as(endpoint: &str, names: &[&str]) -> Tls {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).expect("a certificate");
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("the key fits");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let behind = endpoint.trim_start_matches("http://").to_owned();
    let connections = Arc::new(AtomicU64::new(0));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    let counted = Arc::clone(&connections);
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            tokio::spawn(async move {
                let Ok(mut front) = acceptor.accept(stream).await else { return };
                let Ok(mut back) = TcpStream::connect(behind).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut front, &mut back).await;
            });
        }
    });
    Tls { endpoint: format!("https://localhost:{port}"), certificate: cert.pem(), connections, _runtime: runtime }
}

#[test]
fn a_thousand_buckets_need_no_more_connections_than_requests_in_flight() {
    let organization = Organization::generate(1, 1000);
    let account = organization.management_account().to_owned();
    let simulator = Sim::start(organization);
    let tls = in_front_of(&simulator.endpoint);
    let cli = Cli::new(["scan", "--out", "out", "--concurrency", "16", "--fail-on", "none", "--allow-unknown"]);
    let bundle = cli.home().join("ca.pem").display().to_string();
    let ran =
        cli.file("ca.pem", &tls.certificate).env("AWS_CA_BUNDLE", &bundle).at(&tls.endpoint, &account).run().expect(0);
    let rows = ran.rows("out/buckets.csv");
    assert_eq!(rows.len(), 1000);
    let regions: std::collections::BTreeSet<&str> = rows.iter().map(|row| row["region"].as_str()).collect();
    let connections = tls.connections.load(Ordering::Relaxed);
    eprintln!("{connections} connections for {} Regions", regions.len());
    assert!(connections > 0, "nothing came through TLS");
    assert!(connections <= 16 * regions.len() as u64 + 10, "{connections} connections, {} Regions", regions.len());
}

/// A server whose certificate nobody vouches for is not read.
#[test]
fn an_unknown_certificate_is_refused() {
    let simulator = Sim::start(Organization::demo());
    let tls = in_front_of(&simulator.endpoint);
    let ran =
        Cli::new(["scan", "--out", "out", "--max-attempts", "1"]).at(&tls.endpoint, "104217683095").run().expect(2);
    assert!(ran.stderr.contains("certificate"), "{}", ran.stderr);
    assert_eq!(simulator.count("GetCallerIdentity"), 0);
}
