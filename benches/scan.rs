//! What a scan costs beside a bare loop of the same SDK calls: `cargo bench --bench scan`.
//!
//! Both run as processes of their own, in turn, with the same concurrency, against the same simulator in a third
//! process. CPU is user and system time of the measured process; memory is its peak resident set (`VmHWM`). Times on
//! shared machines are noisy: the ratios count. What was measured stands in `benches/README.md`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use aws_config::BehaviorVersion;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use futures::StreamExt;

const CONCURRENCY: usize = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == "bare") {
        return bare();
    }
    let runs = arguments.first().and_then(|runs| runs.parse().ok()).unwrap_or(5);
    println!("{:<28}{:>12}{:>12}{:>12}{:>12}", "", "CPU", "wall", "memory", "CPU ratio");
    compare("10,000 buckets", 10_000, runs);
    compare("1,000 buckets", 1_000, runs);
    compare("1 bucket", 1, runs * 4);
    ExitCode::SUCCESS
}

/// One line for the bare loop and one for the scan, over the same buckets.
fn compare(what: &str, buckets: u32, runs: u32) {
    let simulator = Simulator::start(buckets);
    let (mut loops, mut scans) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        loops.push(measure(
            simulator.settings(Command::new(std::env::current_exe().expect("this program")).arg("bare")),
        ));
        let out = tempfile::tempdir().expect("a folder");
        let mut scan = Command::new(env!("CARGO_BIN_EXE_bucketlens"));
        scan.args(["scan", "--fail-on", "none", "--allow-unknown", "--out"]).arg(out.path());
        scans.push(measure(simulator.settings(&mut scan)));
    }
    let (bare, scan) = (median(&loops), median(&scans));
    let ratio = scan.cpu.as_secs_f64() / bare.cpu.as_secs_f64();
    println!("{:<28}{}", format!("{what}, bare loop"), bare.columns());
    println!("{:<28}{}{ratio:>12.2}", format!("{what}, scan"), scan.columns());
}

struct Cost {
    cpu: Duration,
    wall: Duration,
    kib: u64,
}

impl Cost {
    fn columns(&self) -> String {
        format!("{:>9} ms{:>9} ms{:>8} MiB", self.cpu.as_millis(), self.wall.as_millis(), self.kib / 1024)
    }
}

/// Each figure's own median.
fn median(costs: &[Cost]) -> Cost {
    fn middle<T: Ord + Copy>(costs: &[Cost], figure: impl Fn(&Cost) -> T) -> T {
        let mut figures: Vec<T> = costs.iter().map(figure).collect();
        figures.sort();
        figures[figures.len() / 2]
    }
    Cost {
        cpu: middle(costs, |cost| cost.cpu),
        wall: middle(costs, |cost| cost.wall),
        kib: middle(costs, |cost| cost.kib),
    }
}

fn measure(command: &mut Command) -> Cost {
    let (before, start) = (cpu_of_children(), Instant::now());
    let mut child = command.stdout(Stdio::null()).spawn().expect("it starts");
    let mut kib = 0;
    let status = loop {
        kib = peak_memory(&child).unwrap_or(kib);
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(status.success(), "{command:?}: {status}");
    Cost { cpu: cpu_of_children().saturating_sub(before), wall: start.elapsed(), kib }
}

/// User and system time of all children that have been waited for. Source: proc(5), `/proc/pid/stat`, fields 16 and 17,
/// in clock ticks of 10 ms.
fn cpu_of_children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit(')').next().expect("a name");
    let ticks: u64 =
        after_name.split_whitespace().skip(13).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(ticks * 10)
}

fn peak_memory(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// `bucketlens simulate` in a process of its own.
struct Simulator {
    process: Child,
    settings: Vec<(String, String)>,
}

impl Simulator {
    fn start(buckets: u32) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_bucketlens"))
            .args(["simulate", "--accounts", "1", "--buckets", &buckets.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the simulator starts");
        let stdout = BufReader::new(process.stdout.take().expect("piped"));
        let settings = stdout.lines().take(4).map(|line| {
            let line = line.expect("text");
            let (name, value) = line.trim_start_matches("export ").split_once('=').expect("a setting");
            (name.to_owned(), value.to_owned())
        });
        Self { settings: settings.collect(), process }
    }

    fn settings<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true").envs(self.settings.iter().cloned())
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a careful programmer would write first: default settings, one client a Region, two calls a bucket.
#[tokio::main]
async fn bare() -> ExitCode {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
    let client = |region: &str| {
        let config = aws_sdk_s3::config::Builder::from(&config)
            .region(aws_config::Region::new(region.to_owned()))
            .force_path_style(true);
        aws_sdk_s3::Client::from_conf(config.build())
    };
    let (mut buckets, mut token) = (Vec::new(), None);
    loop {
        let page = client("us-east-1").list_buckets().max_buckets(1000).set_continuation_token(token).send().await;
        let page = page.expect("a list");
        buckets.extend(page.buckets.unwrap_or_default());
        token = page.continuation_token;
        if token.is_none() {
            break;
        }
    }
    let mut clients = std::collections::HashMap::new();
    for bucket in &buckets {
        let region = bucket.bucket_region().expect("a Region");
        clients.entry(region.to_owned()).or_insert_with(|| client(region));
    }
    let read = futures::stream::iter(&buckets).map(|bucket| {
        let client = clients[bucket.bucket_region().expect("a Region")].clone();
        let name = bucket.name().expect("a name").to_owned();
        async move {
            let versioning = client.get_bucket_versioning().bucket(&name).send().await.is_ok();
            let lifecycle = client.get_bucket_lifecycle_configuration().bucket(&name).send().await.is_ok();
            u64::from(versioning) + u64::from(lifecycle)
        }
    });
    let answers: u64 = read.buffer_unordered(CONCURRENCY).fold(0, |sum, one| async move { sum + one }).await;
    // So that nothing is optimized away, and a loop that read nothing is noticed.
    if answers == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
