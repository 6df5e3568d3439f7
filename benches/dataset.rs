//! What reading `inventory.parquet` costs: `cargo bench --bench dataset`, or one part with `-- sums` or `-- trend`.
//!
//! - **sums**: 1,000,000 buckets of one run added up over all scopes at once, beside `DuckDB` doing the same with the same
//!   file, in one run; and what writing the file took. `DuckDB` is that of `tests/servers/install`.
//! - **trend**: the real program over 365 runs of 100,000 buckets.
//!
//! `BUCKETS` and `DAYS` in the environment make it smaller. What was measured stands in `benches/README.md`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use bucketlens::dataset::inventory::{read, write::Table};
use bucketlens::evaluate::Evaluator;
use bucketlens::model::{
    Account, AccountId, AccountRecord, BucketRecord, Coverage, Fact, Facts, Lifecycle, MfaDelete, Observed,
    OrganizationId, OuPath, Outcome, Partition, Region, Run, RunId, Sha256Sum, Standard, Timestamp, Version,
    Versioning, VersioningState,
};
use bucketlens::{aggregate, trend};

const ACCOUNTS: u64 = 500;
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    let parts: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|other| other == part);
    if is_wanted("sums") {
        sums(number("BUCKETS").unwrap_or(1_000_000));
    }
    if is_wanted("trend") {
        over_time(number("BUCKETS").unwrap_or(100_000), number("DAYS").unwrap_or(365));
    }
    ExitCode::SUCCESS
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn sums(buckets: u64) {
    let space = tempfile::tempdir().expect("a folder");
    let path = space.path().join("inventory.parquet");
    let before = cpu();
    write(&path, buckets, 0);
    let size = fs::metadata(&path).expect("written").len() / 1_000_000;
    println!("written: {buckets} buckets, {size} MB, {} ms of CPU", cpu().saturating_sub(before).as_millis());

    let mut ours: Vec<(Duration, Duration)> = (0..ROUNDS)
        .map(|_| {
            let (before, start) = (cpu(), Instant::now());
            let handle = fs::File::open(&path).expect("there");
            let file = read::File::open(&handle, &path).expect("ours");
            let metrics = trend::added_up(&file).expect("adds up");
            assert!(metrics.rows().count() > 1000);
            (start.elapsed(), cpu().saturating_sub(before))
        })
        .collect();
    let (wall, own) = median(&mut ours);
    println!("bucketlens: {} ms, {} ms of CPU", wall.as_millis(), own.as_millis());

    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers/python");
    let columns: Vec<String> = aggregate::counters().map(|name| format!("sum({name})")).collect();
    let script = DUCKDB.replace("FILE", path.to_str().expect("text")).replace("SUMS", &columns.join(", "));
    let script = script.replace("ROUNDS", &ROUNDS.to_string());
    match Command::new(python).args(["-c", &script]).output() {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8(output.stdout).expect("numbers");
            let mut theirs: Vec<(Duration, Duration)> = text.lines().map(pair).collect();
            let (their_wall, their_own) = median(&mut theirs);
            println!("DuckDB: {} ms, {} ms of CPU", their_wall.as_millis(), their_own.as_millis());
            let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
            println!("ratio: {:.2} of the time, {:.2} of the CPU", ratio(wall, their_wall), ratio(own, their_own));
        }
        Ok(output) => println!("DuckDB failed: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => println!("DuckDB is not there (tests/servers/install): {error}"),
    }
}

/// All scopes at once; an account adds to each OU above it.
const DUCKDB: &str = "
import duckdb, time
for _ in range(ROUNDS):
    start, cpu = time.perf_counter(), time.process_time()
    db = duckdb.connect()
    rows = db.sql('''
        with sums as materialized (
            select account_id, ou_path, region, SUMS from 'FILE' group by all)
        select count(*) from (
            select grouping(account_id, region), account_id, region, count(*), sum(columns('sum.*'))
            from sums group by grouping sets ((), (account_id), (region), (account_id, region))
            union all by name
            select ou, count(*), sum(columns('sum.*'))
            from (select *, unnest(string_split(ou_path, '/')) as ou from sums) where ou like 'ou-%' group by ou)
    ''').fetchall()
    assert rows[0][0] > 500, rows
    print(time.perf_counter() - start, time.process_time() - cpu)
";

fn pair(line: &str) -> (Duration, Duration) {
    let (wall, own) = line.split_once(' ').expect("two numbers");
    let seconds = |text: &str| Duration::from_secs_f64(text.parse().expect("a number"));
    (seconds(wall), seconds(own))
}

/// By each for itself.
fn median(rounds: &mut [(Duration, Duration)]) -> (Duration, Duration) {
    rounds.sort_by_key(|round| round.0);
    let wall = rounds[rounds.len() / 2].0;
    rounds.sort_by_key(|round| round.1);
    (wall, rounds[rounds.len() / 2].1)
}

fn over_time(buckets: u64, days: u64) {
    let space = tempfile::tempdir().expect("a folder");
    for day in 0..days {
        let folder = space.path().join(format!("{day:04}"));
        fs::create_dir(&folder).expect("writable");
        write(&folder.join("inventory.parquet"), buckets, day);
    }
    for arguments in [["--scope", "organization"], ["--scope", "account"]] {
        let (before, start) = (cpu_of_children(), Instant::now());
        let mut child = Command::new(env!("CARGO_BIN_EXE_bucketlens"))
            .arg("trend")
            .arg(space.path())
            .args(["--format", "csv"])
            .args(arguments)
            .env_clear()
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
        let (wall, cpu) = (start.elapsed(), cpu_of_children().saturating_sub(before));
        println!(
            "trend {}: {days} runs of {buckets} buckets, {} ms, {} ms of CPU, {} MiB",
            arguments[1],
            wall.as_millis(),
            cpu.as_millis(),
            kib / 1024
        );
    }
}

fn write(path: &Path, buckets: u64, day: u64) {
    const REGIONS: [&str; 4] = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"];
    let at = Timestamp::from_unix(1_760_000_000 + i64::try_from(day).expect("small") * 86_400).expect("in range");
    let run = Run {
        id: RunId::parse(&format!("0193f0a0-0000-7000-8000-{day:012}")).expect("an id"),
        start: at,
        end: at,
        resumed: Vec::new(),
        interrupted: false,
        version: Version::parse(env!("CARGO_PKG_VERSION")).expect("a version"),
        standard: Standard::Cis,
        accepted_controls: BTreeSet::new(),
        extras: BTreeSet::new(),
        scope: Vec::new(),
        group_by_tag: None,
        directory_regions: None,
        caller_arn: None,
        organization_id: OrganizationId::parse("o-bench00000").ok(),
        partition: Partition::parse("aws").ok(),
        clock_skew_seconds: None,
        configuration_digest: Sha256Sum::parse(&"0".repeat(64)).expect("a digest"),
    };
    let mut table = Table::create(BufWriter::new(File::create(path).expect("writable"))).expect("writable");
    let (evaluator, mut accounts) = (Evaluator::of(&run), Vec::new());
    for place in 0..ACCOUNTS {
        let id = AccountId::parse(&format!("{:012}", 100_000_000_000 + place)).expect("12 digits");
        let ou_path = OuPath::from_path(&format!("o-bench00000/r-ab12/ou-ab12-{:08}/{id}/", place % 20)).expect("ids");
        let account = Account { id: id.clone(), name: format!("account {place}"), ou_path, state: None, tag: None };
        let own = buckets / ACCOUNTS + u64::from(place < buckets % ACCOUNTS);
        let record = AccountRecord::new(&account, Outcome::Complete, own);
        for number in 0..own {
            let (versioning, mfa_delete) = match (number + day) % 3 {
                0 => (Versioning::Enabled, MfaDelete::Enabled),
                1 => (Versioning::Enabled, MfaDelete::Never),
                _ => (Versioning::Never, MfaDelete::Never),
            };
            let bucket = BucketRecord {
                account: id.clone(),
                region: Region::new(REGIONS[usize::try_from(number % 4).expect("small")]),
                bucket: format!("company-department-{id}-{number:09}-data"),
                facts: Facts::Read {
                    versioning: Fact { at, observed: Observed::Known(VersioningState { versioning, mfa_delete }) },
                    lifecycle: Fact { at, observed: Observed::Known(Lifecycle::None) },
                    extras: Box::default(),
                },
            };
            table.push(&run, &record, &bucket, &evaluator.evaluate(&bucket)).expect("written");
        }
        accounts.push(record);
    }
    let (accounts_complete, buckets_complete) = (ACCOUNTS, buckets);
    let coverage = Coverage { accounts: ACCOUNTS, accounts_complete, buckets, buckets_complete, ..Coverage::default() };
    let mut out = table.finish(&run, &coverage, &accounts).expect("written");
    out.flush().expect("written");
}

/// User and system time of this process. Source: proc(5), `/proc/pid/stat`, fields 14 and 15, in clock ticks of 10 ms.
fn cpu() -> Duration {
    ticks(11)
}

/// The same of all children that have been waited for: fields 16 and 17.
fn cpu_of_children() -> Duration {
    ticks(13)
}

fn ticks(after_name: usize) -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit(')').next().expect("a name").split_whitespace();
    let ticks: u64 = fields.skip(after_name).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(ticks * 10)
}

fn peak_memory(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
