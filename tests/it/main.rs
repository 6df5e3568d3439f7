//! The integration tests: they drive the real program against servers on loopback.

mod common;
mod connections;
mod credentials;
mod contract;
mod scan;
mod real_servers;
mod readme;
mod servers;
mod wire;
