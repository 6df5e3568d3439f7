//! SIGINT and SIGTERM: the first tells a run to stop, the second ends it at once.
//!
//! A closed terminal (SIGHUP) ends the program as it always did, and a closed pipe ends nothing: what was read so far
//! is in the journal either way.

use std::io;

use tokio::sync::watch;

/// Says that the run is to stop when the first signal comes, and returns with the second.
pub async fn twice(stop: watch::Sender<bool>) {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::warn!(%error, "signals cannot be heard: one ends the run at once");
            return std::future::pending().await;
        }
    };
    signals.next().await;
    tracing::warn!("told to stop: what was asked has 5 s, then the report is written; a second signal stops at once");
    stop.send_replace(true);
    signals.next().await;
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// Nobody listens: it is caught so that a file at its limit is an error of writing and not the end of the program.
    _file_size: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        /// `SIGXFSZ`, of Linux and macOS.
        const FILE_SIZE: i32 = 25;
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            _file_size: signal(SignalKind::from_raw(FILE_SIZE))?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
