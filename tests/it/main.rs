//! The integration tests: they drive the real program against servers on loopback.

mod common;
mod wire;
