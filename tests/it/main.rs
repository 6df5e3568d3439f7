//! The integration tests: they drive the real program against servers on loopback.

mod common;
mod connections;
mod contract;
mod credentials;
mod discovery;
mod expiry;
mod extras;
mod faults;
mod hostile;
mod layout;
mod lifecycle;
mod lifecycle_check;
mod lifecycle_scan;
mod mfa_delete;
mod nonsense;
mod pace;
mod policy;
mod proxy;
mod readme;
mod real_lifecycle;
mod real_mfa_delete;
mod real_servers;
mod resume;
mod scan;
mod servers;
mod wire;
