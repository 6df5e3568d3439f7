//! Parquet files that are none, or are damaged: what polars makes of them, in words for a person. Its own words name
//! structures of the format, and on some files it panics, on threads of its own too, with pages of its source code.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use polars::prelude::{PolarsError, PolarsResult};

/// Why a file cannot be read.
#[derive(Debug)]
pub(super) enum Broken {
    /// The disk.
    Io(io::Error),
    /// What stands in it.
    Content,
}

/// Reads that are under way, whose panics nobody is to see.
static READING: AtomicUsize = AtomicUsize::new(0);

/// Counts as long as it lives.
struct Reading;

impl Reading {
    fn begin() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let usual = take_hook();
            set_hook(Box::new(move |panic| {
                if READING.load(Ordering::SeqCst) == 0 {
                    usual(panic);
                } else {
                    tracing::debug!("while Parquet was read: {panic}");
                }
            }));
        });
        READING.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        READING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whatever goes wrong in polars is a fault of the file. `read` must be polars and nothing of ours: a fault of this program
/// is none of the file.
pub(super) fn guarded<T>(read: impl FnOnce() -> PolarsResult<T>) -> Result<T, Broken> {
    let reading = Reading::begin();
    let done = catch_unwind(AssertUnwindSafe(read));
    drop(reading);
    match done {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(PolarsError::IO { error, .. })) if error.raw_os_error().is_some() => {
            Err(Broken::Io(io::Error::new(error.kind(), error.to_string())))
        }
        Ok(Err(error)) => {
            tracing::debug!("Parquet could not be read: {error}");
            Err(Broken::Content)
        }
        Err(_) => Err(Broken::Content),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_panics_are_faults_of_the_file() {
        assert!(matches!(guarded(|| Ok(1)), Ok(1)));
        let error: Result<(), _> = guarded(|| Err(PolarsError::ComputeError("thrift".into())));
        assert!(matches!(error, Err(Broken::Content)));
        let panic: Result<(), _> = guarded(|| panic!("thrift"));
        assert!(matches!(panic, Err(Broken::Content)));
        assert_eq!(READING.load(Ordering::SeqCst), 0);
        let missing: Result<(), _> = guarded(|| Err(io::Error::from_raw_os_error(5).into()));
        assert!(matches!(missing, Err(Broken::Io(_))));
    }
}
