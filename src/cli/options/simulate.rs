//! `bucketlens simulate`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::demo::{Generated, GeneratedArgs};

/// A simulator that runs until it is stopped.
#[derive(Debug, PartialEq, Eq)]
pub struct Simulate {
    /// 0 for any free port.
    pub port: u16,
    pub organization: Simulated,
    /// Slept before each answer.
    pub latency: Duration,
    /// S3 requests a second of one account; `None` for no limit.
    pub rate: Option<u32>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Simulated {
    /// The organization that comes with the program.
    Demo,
    File(PathBuf),
    Generated(Generated),
}

#[derive(Args)]
pub struct SimulateArgs {
    /// Listen on this port; 0 for any free one
    #[arg(long, value_name = "N", default_value = "0")]
    port: u16,
    /// Serve the organization of this JSON file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["accounts", "buckets"])]
    org: Option<PathBuf>,
    /// Milliseconds to sleep before each answer
    #[arg(long, value_name = "MS", default_value = "0", value_parser = clap::value_parser!(u64).range(0..=600_000))]
    latency: u64,
    /// S3 requests a second of one account before it is throttled [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    #[command(flatten)]
    generated: GeneratedArgs,
}

impl SimulateArgs {
    pub fn read(self) -> Simulate {
        let generated = self.generated.size().map_or(Simulated::Demo, Simulated::Generated);
        Simulate {
            port: self.port,
            organization: self.org.map_or(generated, Simulated::File),
            latency: Duration::from_millis(self.latency),
            rate: self.rate,
        }
    }
}
