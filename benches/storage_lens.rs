//! What exports of S3 Storage Lens cost, to write, to read and to compare: `cargo bench --bench storage_lens`.
//!
//! The journal of a whole run is written with the library; the real program makes the exports of it, reads them, and
//! holds them against the run. A bucket has nine rows: an argument sets how many buckets there are, 1,111,112 for ten
//! million rows. What was measured stands in `benches/README.md`.

mod journal;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use bucketlens::model::AccountId;
use bucketlens::simulator::{self, Options, Organization, Simulator};
use journal::{cpu_of_children, peak_memory};

const ACCOUNTS: u32 = 100;

fn main() -> ExitCode {
    let arguments: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if arguments.is_empty() { vec![111_112, 1_111_112] } else { arguments };
    println!("{:<40}{:>12}{:>12}{:>12}", "", "CPU", "wall", "memory");
    for buckets in sizes {
        measure(buckets);
    }
    ExitCode::SUCCESS
}

fn measure(buckets: u64) {
    let out = tempfile::tempdir().expect("a folder");
    let organization = Organization::generate(ACCOUNTS, 0);
    let ids: Vec<AccountId> =
        organization.account_ids().iter().map(|id| AccountId::parse(id).expect("12 digits")).collect();
    journal::write(&out.path().join("inventory.partial"), &ids, buckets);
    let management = organization.management_account().to_owned();
    let access_key = simulator::access_key(&management);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let simulator = runtime.block_on(Simulator::start(organization, Options::default())).expect("loopback");
    let folder = out.path().to_str().expect("text");
    let endpoint = simulator.endpoint();
    let environment = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", access_key.as_str()),
        ("AWS_SECRET_ACCESS_KEY", simulator::SECRET_KEY),
        ("AWS_REGION", "us-east-1"),
    ];
    let run = |what: &str, arguments: &[&str]| {
        let (before, start) = (cpu_of_children(), Instant::now());
        let mut child = Command::new(env!("CARGO_BIN_EXE_bucketlens"))
            .args(arguments)
            .env_clear()
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(environment)
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut kib = 0;
        let status = loop {
            kib = peak_memory(&child).unwrap_or(kib);
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        };
        assert!(status.success(), "{what}: {status}");
        let (cpu, wall) = (cpu_of_children().saturating_sub(before), start.elapsed());
        println!("{what:<40}{:>9} ms{:>9} ms{:>8} MiB", cpu.as_millis(), wall.as_millis(), kib / 1024);
    };
    println!("{buckets} buckets, {} rows", buckets * 9);
    let scan = ["scan", "--organization", "--fail-on", "none", "--log-level", "error", "--resume", folder, "--format"];
    run("report.json", &[&scan[..], &["json"]].concat());
    run("report.json and CSV", &[&scan[..], &["json,storage-lens-csv"]].concat());
    run("report.json and Parquet", &[&scan[..], &["json,storage-lens-parquet"]].concat());
    run(
        "report.json, CSV, Parquet and tables",
        &[&scan[..], &["json,storage-lens-csv,storage-lens-parquet,storage-lens-tables"]].concat(),
    );
    for format in ["csv", "parquet"] {
        let export = export(out.path(), &management, format);
        let export = export.to_str().expect("text");
        run(&format!("read {format}"), &["storage-lens", "read", export, "--format", "csv"]);
        run(&format!("compare {format}"), &["storage-lens", "compare", export, "--with", folder, "--format", "csv"]);
    }
}

fn export(out: &Path, management: &str, format: &str) -> PathBuf {
    out.join("StorageLens").join(management).join(format!("bucketlens-{format}"))
}
