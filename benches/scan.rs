//! What a scan costs beside a bare loop of the same SDK calls, and how near it comes to the least time that a limit of
//! each account allows: `cargo bench --bench scan`, or only one of both with `-- cpu` and `-- pace`.
//!
//! All run as processes of their own, in turn, with the same concurrency, against the same simulator in a third
//! process. The bare loop is this program: it has the system's allocator and the SDK's default settings. CPU is user
//! and system time of the measured process; memory is its peak resident set (`VmHWM`). Times on shared machines are
//! noisy: the ratios count. What was measured stands in `benches/README.md`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use aws_config::BehaviorVersion;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use futures::StreamExt;

const CONCURRENCY: u32 = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let named = |name: &str| arguments.iter().any(|argument| argument == name);
    if named("bare") {
        return bare();
    }
    let runs = arguments.iter().find_map(|runs| runs.parse().ok()).unwrap_or(5);
    let all = !named("cpu") && !named("pace");
    if all || named("cpu") {
        println!("{:<28}{:>12}{:>12}{:>12}{:>12}", "", "CPU", "wall", "memory", "CPU ratio");
        compare("10,000 buckets", 10_000, runs);
        compare("1,000 buckets", 1_000, runs);
        compare("1 bucket", 1, runs * 4);
    }
    if all || named("pace") {
        println!(
            "{:<40}{:>9}{:>10}{:>9}{:>11}{:>8}{:>9}",
            "", "wall", "bound", "memory", "throttled", "ratio", "allowed"
        );
        for organization in PACED {
            organization.measure();
        }
    }
    ExitCode::SUCCESS
}

/// An organization that is scanned with default settings.
struct Paced {
    what: &'static str,
    accounts: u32,
    buckets: u32,
    milliseconds: u32,
    /// What an account takes a second, after as many at once.
    rate: Option<u32>,
    /// How many times the bound it may take.
    allowed: f64,
}

/// No request of these is counted among those that go out beside each other.
const ALONE: [&str; 2] = ["ListAccounts", "Throttled"];

const PACED: [Paced; 4] = [
    Paced {
        what: "200 buckets, 60/s, 10 ms",
        accounts: 1,
        buckets: 200,
        milliseconds: 10,
        rate: Some(60),
        // 1.25 times the bound and a second.
        allowed: 1.42,
    },
    Paced {
        what: "4 accounts, 6,000 buckets, 60/s, 10 ms",
        accounts: 4,
        buckets: 6_000,
        milliseconds: 10,
        rate: Some(60),
        allowed: 1.10,
    },
    Paced {
        what: "10 accounts, 10,000 buckets, 30 ms",
        accounts: 10,
        buckets: 10_000,
        milliseconds: 30,
        rate: None,
        allowed: 1.10,
    },
    Paced {
        what: "5,000 accounts, 10,000 buckets, 30 ms",
        accounts: 5_000,
        buckets: 10_000,
        milliseconds: 30,
        rate: None,
        allowed: 1.10,
    },
];

impl Paced {
    /// One scan beside the bound, after one without latency and limit that says what is right.
    fn measure(&self) {
        let (_, expected) = self.scan(&self.simulator(0, None));
        let simulator = self.simulator(self.milliseconds, self.rate);
        let (cost, found) = self.scan(&simulator);
        let wrong = expected.iter().zip(&found).filter(|(expected, found)| expected != found).count();
        assert!(expected.len() == found.len() && wrong == 0, "{}: {wrong} rows are wrong", self.what);
        let counts = simulator.counts();
        let throttled = counts["Throttled"];
        let answered = |wanted: fn(&str) -> bool| {
            let counts = counts.iter().filter(|(name, _)| wanted(name));
            f64::from(counts.map(|(_, count)| count).sum::<u32>() - throttled)
        };
        let bound = if let Some(rate) = self.rate {
            // Every account has as many buckets. Only S3 throttles, and its operations are all about buckets.
            let requests = answered(|name| name.contains("Bucket")) / f64::from(self.accounts);
            (requests - f64::from(rate)) / f64::from(rate)
        } else {
            // Each page of ListAccounts names the next, and accounts are entered when all are known.
            let (pages, others) = (answered(|name| name == "ListAccounts"), answered(|name| !ALONE.contains(&name)));
            (pages + others / f64::from(CONCURRENCY)) * f64::from(self.milliseconds) / 1000.0
        };
        let wall = cost.wall.as_secs_f64();
        let (ratio, allowed) = (wall / bound, self.allowed);
        let mib = cost.kib / 1024;
        let what = self.what;
        println!("{what:<40}{wall:>7.2} s{bound:>8.2} s{mib:>5} MiB{throttled:>11}{ratio:>8.3}{allowed:>9.2}");
    }

    fn simulator(&self, milliseconds: u32, rate: Option<u32>) -> Simulator {
        let mut options = vec!["--latency".to_owned(), milliseconds.to_string()];
        options.extend(rate.into_iter().flat_map(|rate| ["--rate".to_owned(), rate.to_string()]));
        Simulator::start(self.accounts, self.buckets, &options)
    }

    /// What it cost, and every row but for its times.
    fn scan(&self, simulator: &Simulator) -> (Cost, Vec<Vec<String>>) {
        let out = tempfile::tempdir().expect("a folder");
        let mut scan = Command::new(env!("CARGO_BIN_EXE_bucketlens"));
        scan.args(["scan", "--fail-on", "none", "--allow-unknown", "--out"]).arg(out.path());
        if self.accounts > 1 {
            scan.arg("--organization");
        }
        let cost = measure(simulator.settings(&mut scan));
        let mut table = csv::Reader::from_path(out.path().join("buckets.csv")).expect("a table");
        let observed_at = table.headers().expect("a header").iter().position(|name| name == "observed_at");
        let row = |row: csv::StringRecord| {
            let cells = row.iter().enumerate().filter(|(at, _)| Some(*at) != observed_at);
            cells.map(|(_, cell)| cell.to_owned()).collect()
        };
        (cost, table.records().map(|read| row(read.expect("a row"))).collect())
    }
}

/// One line for the bare loop and one for the scan, over the same buckets.
fn compare(what: &str, buckets: u32, runs: u32) {
    let simulator = Simulator::start(1, buckets, &[]);
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
    fn start(accounts: u32, buckets: u32, options: &[String]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_bucketlens"))
            .args(["simulate", "--accounts", &accounts.to_string(), "--buckets", &buckets.to_string()])
            .args(options)
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

    /// How often each operation was asked, and how many requests were throttled.
    fn counts(&self) -> BTreeMap<String, u32> {
        let address = self.settings[0].1.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.write_all(b"GET /-/requests HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("read");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).expect("counts")
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
    let answers: u64 = read.buffer_unordered(CONCURRENCY as usize).fold(0, |sum, one| async move { sum + one }).await;
    // So that nothing is optimized away, and a loop that read nothing is noticed.
    if answers == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
