//! How a run is told to stop: nothing more is asked, and what is in flight has a few seconds to come in.

use std::future::{self, Future};
use std::time::Duration;

use tokio::sync::watch;

/// What was asked when the run was told to stop is waited for this long.
const GRACE: Duration = Duration::from_secs(5);

/// Clones hear of the same stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// The sender says `true` when the run is to stop.
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when the run is told to stop.
    pub fn asked(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut receiver = self.0.clone();
        async move {
            if receiver.wait_for(|asked| *asked).await.is_err() {
                // Nobody is left who could say it.
                future::pending::<()>().await;
            }
        }
    }

    /// What comes of this, unless the run is told to stop before.
    pub async fn unless_asked<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.asked() => None,
            done = work => Some(done),
        }
    }

    /// What comes of this, unless it takes too long after the run was told to stop.
    pub async fn in_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let late = async {
            self.asked().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            done = work => Some(done),
            () = late => None,
        }
    }
}
