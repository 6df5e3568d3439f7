//! An AWS organization on 127.0.0.1: S3, STS and Organizations on the wire, the answers as data.
//!
//! It serves `bucketlens demo`, `bucketlens simulate`, tests and measurements, so that the whole scanner can be tried
//! without an AWS account. It is no second S3: it answers the few calls bucketlens makes, in the words of AWS, from a
//! fixture that says in which state every bucket is and what goes wrong where; only versioning and MFA delete can be
//! changed. It imports nothing from the scanner, and no part of the scanner knows of it.
//!
//! Service, Region and account of a request come from the credential scope of its signature, which is not verified.
//! Besides, `GET /-/health` answers `ok` and `GET /-/requests` the counts of [`Simulator::counts`] as JSON, unsigned.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use time::OffsetDateTime;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

mod caller;
mod directory_buckets;
mod fixture;
mod latency;
mod lifecycle;
mod organizations;
mod put_versioning;
mod s3;
mod settings;
mod sts;
#[cfg(test)]
mod tests;
mod wire;
mod world;

pub use caller::{access_key, root_access_key};
pub use fixture::{Organization, OrganizationError};
pub use lifecycle::Fault as LifecycleFault;

use caller::{Scope, Service};
use latency::Latency;
use wire::Answer;
use world::World;

/// The secret of every key: signatures are not verified, but clients want one.
pub const SECRET_KEY: &str = "simulated/secret/not/a/credential/000000";

/// No request of a scanner is longer.
const MAX_BODY: usize = 64 * 1024;

/// How the simulator behaves besides what the organization says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// 0 for any free port.
    pub port: u16,
    /// From the request to its answer.
    pub latency: Duration,
    /// S3 requests a second of one account; over it S3 says 503 `SlowDown`. `None` for no limit.
    pub rate: Option<u32>,
}

/// A running simulator; it ends when dropped.
pub struct Simulator {
    address: SocketAddr,
    world: Arc<World>,
    accepting: JoinHandle<()>,
}

impl Simulator {
    /// Listens on 127.0.0.1 and serves in tasks of the current runtime. Fails where the port cannot be had.
    pub async fn start(organization: Organization, options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let world = Arc::new(World::new(organization, options.rate));
        let latency = Latency::of(options.latency)?.map(Arc::new);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&world), latency));
        Ok(Self { address, world, accepting })
    }

    /// The endpoint of all three services.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests so far by the name of their operation, throttled ones among them; `Throttled` says how many those
    /// were, `NotImplemented` how many signed requests had no known operation.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.world.counts()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Accepts until aborted; the connections end with this task, which owns them.
async fn accept(listener: TcpListener, world: Arc<World>, latency: Option<Arc<Latency>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, Arc::clone(&world), latency.clone()));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: trying again at once would spin.
                    tracing::warn!(%error, "the simulator could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, world: Arc<World>, latency: Option<Arc<Latency>>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let service = service_fn(|request| respond(request, &world, latency.as_deref()));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection to the simulator broke");
    }
}

async fn respond(
    request: Request<Incoming>,
    world: &World,
    latency: Option<&Latency>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(response);
    };
    if let Some(latency) = latency {
        latency.pass().await;
    }
    let request = Request::from_parts(head, body.to_bytes());
    let answer = answer(world, &request, OffsetDateTime::now_utc());
    Ok(response(answer))
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).expect("a fixture holds only such");
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    for (name, value) in answer.headers {
        let value = HeaderValue::from_str(&value).expect("ids and Regions are plain ASCII");
        headers.insert(name, value);
    }
    response
}

/// The whole simulator but for the network: a function of the world, the request and the time.
fn answer(world: &World, request: &Request<Bytes>, now: OffsetDateTime) -> Answer {
    match request.uri().path() {
        "/-/health" => return Answer::ok("text/plain", "ok".to_owned()),
        "/-/requests" => {
            return Answer::ok("application/json", json!(world.counts()).to_string());
        }
        _ => {}
    }
    let Some(scope) = Scope::read(request.headers()) else {
        return s3::refuse(request, &s3::not_signed());
    };
    match scope.service {
        Some(Service::S3 | Service::S3Express) => s3::answer(world, request, &scope, now),
        Some(Service::Sts) => sts::answer(world, request, &scope, now),
        Some(Service::Organizations) => organizations::answer(world, request, &scope, now),
        None => {
            world.count(None);
            s3::refuse(request, &s3::not_implemented(request.uri().path()))
        }
    }
}
