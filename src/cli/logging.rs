//! Logs on stderr. stdout carries the report only.

use std::io::{self, Write};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::set_global_default;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt};

use super::progress::Progress;
use crate::aws::secrets;
use crate::config::{Log, LogFormat, LogLevel};
use crate::report::harmless;

/// From here on events are written. The first call in a process holds; further ones change nothing.
pub fn start(log: Log, progress: &Progress) {
    let lines = Lines { progress: progress.clone() };
    // A log that cannot be written must not end the run, which a message about it on a closed stderr would do.
    let layer = fmt::layer().with_ansi(false).with_writer(lines).log_internal_errors(false);
    let layer = match log.format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    // Fails only when there is a subscriber already, as in tests that run the program several times.
    let _ = set_global_default(Registry::default().with(layer.with_filter(targets(log.level))));
}

/// Our own events at the level that was asked for, those of other crates never below a warning: with `trace` the SDK
/// writes requests and the output of `credential_process` as they are, secrets included, and with `info` the external
/// ids of profiles. Its sources of credentials write these ids even in warnings, and say in debug output what our own
/// sentence says: errors only.
fn targets(level: LogLevel) -> Targets {
    let ours = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let sources =
        ["default_provider::endpoint_url", "ecs", "imds", "meta", "profile", "provider_config", "web_identity_token"];
    Targets::new()
        .with_default(ours.min(LevelFilter::WARN))
        // It calls an answer that we refuse an error of its own, with the SDK's debug output.
        .with_target("aws_smithy_runtime_api", LevelFilter::OFF)
        .with_target("aws_smithy_http_client", ours.min(LevelFilter::ERROR))
        // The files are read several times, and what is wrong with them is told by our own sentences.
        .with_target("aws_runtime::env_config", LevelFilter::ERROR)
        .with_targets(sources.map(|source| (format!("aws_config::{source}"), LevelFilter::ERROR)))
        .with_target(env!("CARGO_CRATE_NAME"), ours)
}

/// Writes each event, which comes as one piece, as one line that does not tear the progress display. What others wrote
/// stays in its line and drives no terminal.
#[derive(Clone)]
struct Lines {
    progress: Progress,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Lines {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = secrets::blank_in_line(text.trim_end_matches('\n'));
        let line = harmless(&line);
        self.progress.suspend(|| writeln!(io::stderr(), "{line}"))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn other_crates_are_never_heard_below_a_warning() {
        let table = [
            (LogLevel::Error, Level::ERROR, Level::ERROR),
            (LogLevel::Warn, Level::WARN, Level::WARN),
            (LogLevel::Info, Level::INFO, Level::WARN),
            (LogLevel::Debug, Level::DEBUG, Level::WARN),
            (LogLevel::Trace, Level::TRACE, Level::WARN),
        ];
        for (level, ours, others) in table {
            let targets = targets(level);
            let most = |target| {
                let levels = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];
                levels.into_iter().find(|level| targets.would_enable(target, level))
            };
            assert_eq!(most("bucketlens::collect"), Some(ours), "{level:?}");
            assert_eq!(most("aws_smithy_runtime::client::orchestrator"), Some(others), "{level:?}");
        }
    }
}
