//! Runs in folders that outlive them, for what reads them again; and reports made again.

use std::fs;
use std::path::{Path, PathBuf};

use bucketlens::inventory::{Closing, Inventory, Writer};
use bucketlens::model::Run;
use bucketlens::run_folder::Directory;
use bucketlens::simulator::Organization;
use serde_json::{Value, json};

use crate::common::{Cli, Ran, Sim, files};
use crate::scan::{MANAGEMENT, good, management, organization};

/// The management account of `fixtures/orgs/demo.json`.
const DEMO: &str = "104217683095";

/// A place for the folders of runs.
pub struct Runs {
    space: tempfile::TempDir,
}

impl Runs {
    pub fn new() -> Self {
        Self { space: tempfile::tempdir().expect("a folder") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.space.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("text").to_owned()
    }

    /// A scan of a server into the folder of this name.
    pub fn scan(&self, name: &str, sim: &Sim, account: &str, arguments: &[&str]) -> Ran {
        let out = self.text(name);
        let first = ["scan", "--out", &out];
        Cli::new(first.into_iter().chain(arguments.iter().copied())).at(&sim.endpoint, account).run()
    }

    /// A scan of an organization of one account with these buckets.
    pub fn buckets(&self, name: &str, buckets: &Value) -> Ran {
        let sim = Sim::json(&organization(&json!([management(&json!({"buckets": buckets}))])).to_string());
        self.scan(name, &sim, MANAGEMENT, &["--organization", "--fail-on", "none", "--allow-unknown"]).expect(0)
    }

    /// A command over folders, which are named by `@name`.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let words: Vec<String> = arguments
            .iter()
            .map(|word| word.strip_prefix('@').map_or_else(|| (*word).to_owned(), |name| self.text(name)))
            .collect();
        Cli::new(words.iter().map(String::as_str)).run()
    }

    /// Something else is said of a run, as if it had closed so.
    #[track_caller]
    pub fn say_of(&self, name: &str, change: impl FnOnce(&mut Run)) {
        let folder = self.path(&format!("{name}/inventory"));
        let folder = || Directory::open(&folder).expect("there");
        let closing = Inventory::open(folder()).expect("whole").closing;
        let Closing { mut run, coverage, accounts, .. } = closing;
        change(&mut run);
        let writer = Writer::reopen(folder(), None).expect("readable").expect("a record of the run");
        writer.close(run, coverage, accounts).expect("writable");
    }

    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    #[track_caller]
    pub fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.read(path)).expect("JSON")
    }
}

/// The files of a report, with their bytes.
fn report(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).expect("a whole report");
    let names = sums.lines().filter_map(|line| line.split_once("  ")).map(|(_, name)| name.to_owned());
    names.map(|name| (name.clone(), fs::read(folder.join(&name)).expect("listed"))).collect()
}

#[test]
fn a_report_made_again_is_the_same_byte_for_byte() {
    let runs = Runs::new();
    let sim = Sim::start(Organization::demo());
    let scan = runs.scan("run", &sim, DEMO, &["--organization"]).expect(1);
    drop(sim);
    let again = runs.run(&["report", "@run", "--out", "@again"]).expect(1);
    assert_eq!(report(&runs.path("run")), report(&runs.path("again")));
    assert_eq!(scan.stdout.replace(&runs.text("run"), "X"), again.stdout.replace(&runs.text("again"), "X"));
    assert!(!runs.path("again/inventory").exists(), "what was read stays where it is");
    // In its own place too.
    let before = report(&runs.path("run"));
    runs.run(&["report", "@run", "--out", "@run", "--fail-on", "none"]).expect(3);
    assert_eq!(report(&runs.path("run")), before);
    runs.run(&["report", "@run", "--out", "@third", "--fail-on", "none", "--allow-unknown"]).expect(0);
}

#[test]
fn a_report_made_again_by_another_standard_is_that_of_a_scan_by_it() {
    let runs = Runs::new();
    let sim = Sim::start(Organization::demo());
    runs.scan("cis", &sim, DEMO, &["--organization", "--exclude-ou", "ou-ex4m-secur1ty"]).expect(1);
    // A bucket that vanished is in no list after that.
    let sim = Sim::start(Organization::demo());
    let by = ["--organization", "--exclude-ou", "ou-ex4m-secur1ty", "--standard", "security-hub"];
    runs.scan("hub", &sim, DEMO, &by).expect(1);
    runs.run(&["report", "@cis", "--out", "@again", "--standard", "security-hub", "--format", "json"]).expect(1);
    assert!(!runs.path("again/buckets.csv").exists());
    let (mut scanned, mut again) = (runs.json("hub/report.json"), runs.json("again/report.json"));
    assert_eq!(again["run"]["standard"], "security-hub");
    assert_eq!(scanned["run"]["configuration_digest"], again["run"]["configuration_digest"]);
    assert_ne!(runs.json("cis/report.json")["metrics"], again["metrics"], "the standards differ in nothing");
    for report in [&mut scanned, &mut again] {
        for time in ["id", "start", "end"] {
            report["run"][time] = json!("");
        }
        // The server has other moods the second time.
        for figure in ["requests", "retries"] {
            report["coverage"][figure] = json!(0);
        }
        for finding in report["findings"].as_array_mut().expect("findings") {
            finding["observed_at"] = json!("");
        }
    }
    assert!(scanned == again, "the two reports differ");
}

#[test]
fn lifecycle_dates_are_held_against_the_day_of_the_run() {
    let runs = Runs::new();
    let rule = json!({"ID": "once", "Filter": {}, "Status": "Enabled", "Expiration": {"Date": "2026-06-01T00:00:00Z"}});
    runs.buckets(
        "run",
        &json!([{"name": "dated", "region": "us-east-1", "versioning": "Enabled", "lifecycle": [rule]}]),
    );
    // The day on which the run began is the inventory's word alone.
    let past = |day: &str, out: &str| {
        let start = serde_json::from_value(json!(format!("{day}T00:00:00Z"))).expect("a time");
        runs.say_of("run", |run| run.start = start);
        runs.run(&["report", "@run", "--out", out, "--fail-on", "none", "--allow-unknown"]).expect(0);
    };
    past("2026-05-31", "@before");
    past("2026-06-01", "@after");
    assert!(!runs.read("before/findings.csv").contains("lifecycle-date-in-past"));
    assert!(runs.read("after/findings.csv").contains("lifecycle-date-in-past"));
}

#[test]
fn what_is_no_finished_run_is_refused_with_a_sentence() {
    let runs = Runs::new();
    runs.buckets("run", &json!([good("one")]));
    let refused = |arguments: &[&str], what: &str| {
        let ran = runs.run(arguments).expect(2);
        assert!(ran.stderr.contains(what) && ran.stdout.is_empty(), "{arguments:?}: {}", ran.stderr);
        assert!(!runs.path("none").exists(), "{arguments:?}");
    };
    let out = ["--out", "@none"];
    let report = |folder| [["report", folder], out].concat();
    refused(&report("@nowhere"), "there is no such folder");
    fs::create_dir(runs.path("empty")).expect("writable");
    refused(&report("@empty"), "it holds no inventory");
    refused(&["diff", "@run", "@empty"], "it holds no inventory");
    fs::create_dir_all(runs.path("cut/inventory.partial")).expect("writable");
    refused(&report("@cut"), "it did not end");
    refused(&["scan", "--baseline", "@cut", "--out", "@none"], "it did not end");

    let good = runs.read("run/inventory/run.json");
    let broken = |text: &str, what: &str| {
        fs::write(runs.path("run/inventory/run.json"), text).expect("writable");
        refused(&report("@run"), what);
        refused(&["diff", "@run", "@run"], what);
    };
    broken(&good.replacen("\"version\": 5", "\"version\": 99", 1), "another version of bucketlens");
    // The version before had no sums.
    broken("{\"version\": 2}", "another version of bucketlens (format 2, this one reads 3 to 5)");
    broken(&good[..good.len() / 2], "is damaged in line");
    fs::write(runs.path("run/inventory/run.json"), &good).expect("writable");
    // A segment that lost its end.
    let segment = runs.path(&format!("run/inventory/{MANAGEMENT}.jsonl"));
    let text = fs::read_to_string(&segment).expect("text");
    fs::write(&segment, &text[..text.len() - 20]).expect("writable");
    refused(&report("@run"), "is damaged in line");
    fs::remove_file(&segment).expect("there");
    refused(&report("@run"), "failed to read the inventory");
}

/// Whoever makes something of a run notices what was changed by hand since.
#[test]
fn no_report_takes_a_place_beside_another_run() {
    let runs = Runs::new();
    for name in ["one", "two"] {
        runs.buckets(name, &json!([good(name)]));
    }
    let report = |out: &str| runs.run(&["report", "@one", "--out", out, "--fail-on", "none"]);
    let refused = report("@two").expect(2);
    assert!(refused.stderr.contains("is the folder of another run (--out)"), "{}", refused.stderr);
    assert!(fs::read_to_string(runs.path("two/buckets.csv")).expect("there").contains("two"));
    report("@one").expect(0);
    report("@elsewhere").expect(0);
}

#[test]
fn an_inventory_that_was_altered_is_refused_whatever_is_made_of_it() {
    let runs = Runs::new();
    let sim = |buckets: Value| Sim::json(&organization(&json!([management(&json!({"buckets": buckets}))])).to_string());
    let lax = json!({"name": "lax", "region": "us-east-1"});
    runs.buckets("run", &json!([good("one"), lax]));
    runs.buckets("next", &json!([good("one"), lax]));
    fs::remove_file(runs.path("run/inventory.parquet")).expect("there");
    let run = runs.text("run");
    let everything = |what: &str| {
        for arguments in [
            ["report", "@run", "--out", "@none"].as_slice(),
            &["diff", "@run", "@next"],
            &["diff", "@next", "@run"],
            &["trend", "@run"],
            &["plan", "@run"],
            &["report", "@next", "--baseline", "@run", "--out", "@again"],
        ] {
            let ran = runs.run(arguments).expect(2);
            let says = format!("{what} was altered after its run: its SHA-256 is not that in run.json");
            assert!(ran.stderr.contains(&says) && ran.stderr.contains("\n  help: "), "{arguments:?}: {}", ran.stderr);
        }
    };
    let alter = |file: &str, from: &str, to: &str| {
        let path = runs.path(&format!("run/inventory/{file}"));
        let good = fs::read_to_string(&path).expect("text");
        assert!(good.contains(from), "{file}: {good}");
        fs::write(&path, good.replace(from, to)).expect("writable");
        everything(file);
        fs::write(&path, good).expect("writable");
    };
    let segment = format!("{MANAGEMENT}.jsonl");
    alter(&segment, "\"mfa_delete\":\"never\"", "\"mfa_delete\":\"enabled\"");
    alter(&segment, "{\"closed\"", " {\"closed\"");
    alter("run.json", "\"interrupted\": false", "\"interrupted\": true");
    alter("run.json", "\"buckets\": 2", "\"buckets\": 1");
    alter("start.json", "\"organization\": []", "\"region\": [\"us-east-1\"]");
    runs.run(&["diff", "@run", "@next"]).expect(0);
    // What no run wrote is named, and nothing is made of it.
    fs::copy(runs.path(&format!("run/inventory/{segment}")), runs.path("run/inventory/999999999999.jsonl"))
        .expect("there");
    for arguments in [
        ["report", "@run", "--out", "@none", "--fail-on", "none"].as_slice(),
        &["diff", "@run", "@next"],
        &["trend", "@run"],
    ] {
        let ran = runs.run(arguments).expect(0);
        let told = [ran.stderr, ran.stdout].concat();
        assert!(told.contains("999999999999.jsonl is of no account of its run, and is left out"), "{told}");
    }
    // What is held against it says so before it reads or writes anything.
    assert!(!runs.path("again").exists());
    let path = runs.path(&format!("run/inventory/{segment}"));
    let good = fs::read_to_string(&path).expect("text");
    fs::write(&path, good.replace("\"mfa_delete\":\"never\"", "\"mfa_delete\":\"enabled\"")).expect("writable");
    let sim = sim(json!([{"name": "one", "region": "us-east-1"}]));
    let ran = runs.scan("held", &sim, MANAGEMENT, &["--baseline", &run, "--fail-on", "none"]).expect(2);
    assert!(ran.stderr.contains("was altered after its run"), "{}", ran.stderr);
    assert!(ran.stdout.is_empty() && !runs.path("held").exists(), "{}", ran.stdout);
    assert_eq!(["GetCallerIdentity", "ListBuckets", "GetBucketVersioning"].map(|call| sim.count(call)), [0; 3]);
    fs::write(&path, good).expect("writable");
    runs.scan("held", &sim, MANAGEMENT, &["--baseline", &run, "--fail-on", "none"]).expect(0);
    assert_eq!(sim.count("ListBuckets"), 1);
}

/// Folders in which a report would spoil a run or be removed with it.
#[test]
fn nothing_is_written_among_what_a_run_wrote() {
    let runs = Runs::new();
    let sim = Sim::json(&organization(&json!([management(&json!({"buckets": [good("one")]}))])).to_string());
    runs.scan("run", &sim, MANAGEMENT, &["--format", "csv,storage-lens-csv"]).expect(0);
    runs.buckets("plain", &json!([good("one")]));
    runs.run(&["report", "@run", "--out", "@export", "--format", "storage-lens-csv"]).expect(0);
    let before = files(&runs.path(""));
    let inventory = "/inventory, the inventory of a run";
    let export = "/StorageLens, the Storage Lens export of a run";
    for (out, says) in [
        ("run/inventory", inventory),
        ("run/inventory/", inventory),
        ("run/inventory/not/there", inventory),
        ("run/StorageLens/../inventory", inventory),
        ("plain/inventory.partial", "/inventory.partial, the inventory of a run"),
        ("run/StorageLens", export),
        ("run/StorageLens/o-test000000", export),
        // One that a later report would have.
        ("plain/StorageLens", export),
        ("export/StorageLens", export),
    ] {
        let report = runs.run(&["report", "@plain", "--out", &format!("@{out}")]).expect(2);
        let scan = runs.scan(out, &sim, MANAGEMENT, &[]).expect(2);
        for ran in [report, scan] {
            let told = ran.stderr.contains(": it lies in ") && ran.stderr.contains(says);
            assert!(told && ran.stderr.contains("help: ") && ran.stdout.is_empty(), "{out}: {}", ran.stderr);
        }
        assert_eq!(files(&runs.path("")), before, "{out}");
    }
    // An inventory that was put elsewhere is one.
    fs::rename(runs.path("plain/inventory"), runs.path("moved")).expect("there");
    let moved = runs.run(&["report", "@moved", "--out", "@moved"]).expect(2);
    assert!(moved.stderr.contains("/moved, the inventory of a run"), "{}", moved.stderr);
    // The names alone say nothing.
    for out in ["@mine/inventory", "@mine/StorageLens", "@run/again"] {
        runs.run(&["report", "@moved", "--out", out]).expect(0);
    }
    runs.run(&["trend", "@run"]).expect(0);
}
