//! What the second half of a run costs, from an inventory to the report: `cargo bench --bench report`.
//!
//! The journal of a whole run is written with the library, and the real program goes on with it: it finds the
//! accounts, sees that nothing is missing, and judges, adds up and reports. An argument sets the numbers of buckets:
//! `cargo bench --bench report -- 100000 1000000`. What was measured stands in `benches/README.md`.

mod journal;

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use bucketlens::model::AccountId;
use bucketlens::simulator::{self, Options, Organization, Simulator};
use journal::{cpu_of_children, peak_memory};

fn main() -> ExitCode {
    let arguments: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if arguments.is_empty() { vec![100_000, 1_000_000] } else { arguments };
    println!("{:<40}{:>12}{:>12}{:>12}", "", "CPU", "wall", "memory");
    for buckets in sizes {
        for accounts in [1, 100, 5_000] {
            measure(accounts, buckets);
        }
    }
    ExitCode::SUCCESS
}

fn measure(accounts: u32, buckets: u64) {
    let out = tempfile::tempdir().expect("a folder");
    let organization = Organization::generate(accounts, 0);
    let ids: Vec<AccountId> =
        organization.account_ids().iter().map(|id| AccountId::parse(id).expect("12 digits")).collect();
    journal::write(&out.path().join("inventory.partial"), &ids, buckets);
    let access_key = simulator::access_key(organization.management_account());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let simulator = runtime.block_on(Simulator::start(organization, Options::default())).expect("loopback");

    let (before, start) = (cpu_of_children(), Instant::now());
    let mut child = Command::new(env!("CARGO_BIN_EXE_bucketlens"))
        .args(["scan", "--organization", "--fail-on", "none", "--resume"])
        .arg(out.path())
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ENDPOINT_URL", simulator.endpoint())
        .env("AWS_ACCESS_KEY_ID", access_key)
        .env("AWS_SECRET_ACCESS_KEY", simulator::SECRET_KEY)
        .env("AWS_REGION", "us-east-1")
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut kib = 0;
    let status = loop {
        kib = peak_memory(&child).unwrap_or(kib);
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(status.success(), "{status}");
    let (cpu, wall) = (cpu_of_children().saturating_sub(before), start.elapsed());
    let what = format!("{buckets} buckets in {accounts} accounts");
    println!("{what:<40}{:>9} ms{:>9} ms{:>8} MiB", cpu.as_millis(), wall.as_millis(), kib / 1024);
}
