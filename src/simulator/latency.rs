//! How long an answer is held back, to a tenth of a millisecond: the runtime's timers have steps of a whole one and end
//! late, which is much beside the few milliseconds of a real answer.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// When somebody is to be woken.
type Turn = (Instant, oneshot::Sender<()>);

/// Holds every answer back equally long, so that whoever comes first is woken first.
pub(super) struct Latency {
    length: Duration,
    turns: Sender<Turn>,
}

impl Latency {
    /// `None` where answers are not held back.
    pub fn of(length: Duration) -> io::Result<Option<Self>> {
        if length.is_zero() {
            return Ok(None);
        }
        let (turns, waiting) = channel();
        thread::Builder::new().name("latency".to_owned()).spawn(move || wake(&waiting))?;
        Ok(Some(Self { length, turns }))
    }

    pub async fn pass(&self) {
        let (turn, woken) = oneshot::channel();
        // Where the thread is gone, so is the simulator.
        let _ = self.turns.send((Instant::now() + self.length, turn));
        let _ = woken.await;
    }
}

/// Until the last sender is gone.
fn wake(waiting: &Receiver<Turn>) {
    for (at, turn) in waiting {
        thread::sleep(at.saturating_duration_since(Instant::now()));
        // Whoever hung up is not waiting any more.
        let _ = turn.send(());
    }
}
