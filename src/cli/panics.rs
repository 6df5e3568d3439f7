//! A panic is a fault of this program. Wherever it happens, the command ends with one sentence, without a report and
//! with exit code 2: a task that panicked is a gap that no count shows.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook};
use std::sync::OnceLock;

use futures::FutureExt;
use tokio::sync::Notify;

use super::Problem;
use crate::exit::Exit;

/// The first, in words.
static FIRST: OnceLock<String> = OnceLock::new();
static HAPPENED: Notify = Notify::const_new();

/// From here on a panic prints nothing by itself.
pub fn watch() {
    set_hook(Box::new(|panic| {
        let _ = FIRST.set(words(panic));
        HAPPENED.notify_waiters();
    }));
}

/// Whether something panicked.
pub fn happened() -> bool {
    FIRST.get().is_some()
}

/// Where, and what. Words of other crates may hold what they were given, keys included; ours never do.
fn words(panic: &PanicHookInfo<'_>) -> String {
    let Some(place) = panic.location() else { return "at an unknown place".to_owned() };
    // Of other crates, from the name of the crate on: the rest is a path of the machine that built this.
    let parts: Vec<&str> = place.file().split('/').collect();
    let start = parts.iter().rposition(|part| *part == "src").unwrap_or_default().saturating_sub(1);
    let file = parts[start..].join("/");
    let at = format!("in {file}, line {}", place.line());
    if place.file().starts_with("src/") { format!("{at}: {}", said(panic.payload())) } else { at }
}

fn said(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words")
}

fn problem() -> Problem {
    let place = FIRST.get().map_or("at an unknown place", String::as_str);
    Problem::new(format!("bucketlens has a fault and stopped {place}"))
        .with_help("no report was written; please report this sentence and what was scanned")
}

/// What comes of the work, unless something panics before its end.
pub async fn guard(work: impl Future<Output = Result<Exit, Problem>>) -> Result<Exit, Problem> {
    let happens = async {
        let told = HAPPENED.notified();
        if !happened() {
            told.await;
        }
    };
    let work = AssertUnwindSafe(work).catch_unwind();
    let done = tokio::select! {
        biased;
        () = happens => return Err(problem()),
        done = work => done,
    };
    if happened() { Err(problem()) } else { done.unwrap_or_else(|_| Err(problem())) }
}

/// The same for what runs before there is a runtime.
pub fn guard_all(work: impl FnOnce() -> Exit) -> Result<Exit, Problem> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| problem())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, because what panicked first is kept for the whole process.
    #[test]
    fn a_panic_of_a_task_that_nobody_waits_for_ends_the_work() {
        watch();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let ended = runtime.block_on(guard(async {
            tokio::spawn(async { panic!("the roof is on fire") });
            std::future::pending().await
        }));
        let told = ended.expect_err("it panicked").to_string();
        assert!(told.contains("src/cli/panics.rs") && told.contains("the roof is on fire"), "{told}");
        assert!(happened());

        // One that comes with the work itself, and one before there is a runtime.
        let ended = runtime.block_on(guard(async { panic!("again") }));
        assert!(ended.is_err());
        assert!(guard_all(|| panic!("again")).is_err());
    }
}
