//! Folders that a stranger made: nothing outside of them is read, written or removed, nothing hangs, and credentials go
//! nowhere that only the folder names.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::common::{Cli, Ran, Sim};
use crate::saved::Runs;
use crate::scan::{MANAGEMENT, buckets, good, management, many, organization};

const SECRET: &str = "nothing of this is for anybody";
const SEGMENT: &str = "111111111111.jsonl";

/// What can stand where a file or a folder of a run belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trap {
    LinkToFile,
    LinkToNothing,
    LinkToFolder,
    Fifo,
    Socket,
    LinkToDevice,
    HardLink,
}

const TRAPS: [Trap; 7] = [
    Trap::LinkToFile,
    Trap::LinkToNothing,
    Trap::LinkToFolder,
    Trap::Fifo,
    Trap::Socket,
    Trap::LinkToDevice,
    Trap::HardLink,
];

/// A place outside of the folders of runs, and what is in it.
struct Outside {
    space: tempfile::TempDir,
}

impl Outside {
    fn new() -> Self {
        let space = tempfile::tempdir().expect("a folder");
        fs::create_dir(space.path().join("folder")).expect("new");
        for name in ["file", "folder/run.json", "folder/start.json", "folder/notes.jsonl"] {
            fs::write(space.path().join(name), SECRET).expect("new");
        }
        Self { space }
    }

    fn set(&self, trap: Trap, place: &Path) {
        if place.is_dir() && !place.is_symlink() {
            fs::remove_dir_all(place).expect("there");
        } else if place.symlink_metadata().is_ok() {
            fs::remove_file(place).expect("there");
        }
        let at = |name: &str| self.space.path().join(name);
        match trap {
            Trap::LinkToFile => symlink(at("file"), place).expect("new"),
            Trap::LinkToNothing => symlink(at("none"), place).expect("new"),
            Trap::LinkToFolder => symlink(at("folder"), place).expect("new"),
            Trap::LinkToDevice => symlink("/dev/zero", place).expect("new"),
            Trap::HardLink => fs::hard_link(at("file"), place).expect("new"),
            // Sockets have short names when they are made.
            Trap::Socket => {
                drop(UnixListener::bind(at("socket")).expect("new"));
                fs::rename(at("socket"), place).expect("moved");
            }
            Trap::Fifo => assert!(Command::new("mkfifo").arg(place).status().expect("a program").success()),
        }
    }

    /// Nothing was changed, made or removed.
    #[track_caller]
    fn assert_untouched(&self, what: &str) {
        let mut names = crate::common::files(self.space.path());
        names.retain(|name| {
            assert_eq!(fs::read_to_string(self.space.path().join(name)).expect("there"), SECRET, "{what}: {name}");
            true
        });
        assert_eq!(names, ["file", "folder/notes.jsonl", "folder/run.json", "folder/start.json"], "{what}");
    }
}

/// It ended by itself, with one of these codes and a sentence, and said nothing of what stands outside.
#[track_caller]
fn assert_ended(ran: &Ran, begun: Instant, codes: &[i32], what: &str) {
    assert!(begun.elapsed() < Duration::from_secs(30), "{what}: it hung");
    assert!(codes.contains(&ran.code), "{what}: {}\n{}", ran.code, ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{what}: {}", ran.stderr);
    assert!(!ran.stderr.contains(SECRET) && !ran.stdout.contains(SECRET), "{what}: {}{}", ran.stderr, ran.stdout);
    if ran.code == 2 {
        assert!(ran.stderr.lines().any(|line| line.starts_with("error: ")), "{what}: {}", ran.stderr);
    }
}

/// A finished run of one account with one bucket, in every format.
fn finished(runs: &Runs, name: &str, sim: &Sim) {
    let all = ["--format", "csv,json,parquet,storage-lens-csv,storage-lens-tables", "--account-id", MANAGEMENT];
    runs.scan(name, sim, MANAGEMENT, &all).expect(0);
}

pub fn run_with(cli: Cli, sim: &Sim) -> Ran {
    cli.at(&sim.endpoint, MANAGEMENT).run()
}

#[test]
fn whatever_stands_in_a_finished_run_leads_nowhere() {
    let (sim, outside) = (buckets(&json!([good("one")])), Outside::new());
    let runs = Runs::new();
    finished(&runs, "good", &sim);
    let names = ["inventory", "inventory/run.json", "inventory/start.json", "SHA256SUMS", "inventory.parquet"];
    let segment = format!("inventory/{SEGMENT}");
    let mut turn = 0;
    for trap in TRAPS {
        for name in names.into_iter().chain([segment.as_str(), "inventory.partial", "StorageLens"]) {
            let what = format!("{trap:?} as {name}");
            let at = |commanded: &str| format!("{what}, {commanded}");
            let (run, good) = (runs.text("run"), runs.text("good"));
            let set = || {
                let _ = fs::remove_dir_all(runs.path("run"));
                crate::common::copy(&runs.path("good"), &runs.path("run"));
                outside.set(trap, &runs.path(&format!("run/{name}")));
            };
            for arguments in [
                &["report", &run, "--out", "elsewhere"][..],
                &["report", &run, "--out", &run],
                &["report", &good, "--baseline", &run, "--out", "elsewhere"],
                &["diff", &run, &good],
                &["diff", &good, &run],
                &["trend", &run],
                &["plan", &run],
                &["storage-lens", "read", &run],
                &["storage-lens", "compare", &good, "--with", &run],
                &["scan", "--account-id", MANAGEMENT, "--out", &run],
                &["scan", "--account-id", MANAGEMENT, "--baseline", &run, "--out", "elsewhere"],
                &["scan", "--account-id", MANAGEMENT, "--resume", &run, "--max-age", "0s"],
            ] {
                // Each of the combinations takes a while, and a fourth of them has every pair.
                turn += 1;
                if turn % 4 != 0 {
                    continue;
                }
                set();
                let begun = Instant::now();
                let ran = run_with(Cli::new(arguments.iter().copied()), &sim);
                assert_ended(&ran, begun, &[0, 1, 2, 3], &at(&arguments.join(" ")));
                outside.assert_untouched(&at(&arguments.join(" ")));
            }
        }
    }
}

#[test]
fn what_is_no_file_of_a_run_is_refused_with_its_kind() {
    let (sim, outside) = (buckets(&json!([good("one")])), Outside::new());
    let runs = Runs::new();
    finished(&runs, "good", &sim);
    finished(&runs, "other", &sim);
    let segment = format!("inventory/{SEGMENT}");
    for (trap, says) in [
        (Trap::LinkToFile, "it is a symbolic link, and bucketlens follows none inside a folder"),
        (Trap::LinkToFolder, "it is a symbolic link, and bucketlens follows none inside a folder"),
        (Trap::LinkToDevice, "it is a symbolic link, and bucketlens follows none inside a folder"),
        (Trap::Fifo, "it is a FIFO and not a file"),
        (Trap::Socket, "it is a socket and not a file"),
    ] {
        for name in ["inventory", "inventory/run.json", "inventory/start.json", segment.as_str()] {
            let _ = fs::remove_dir_all(runs.path("run"));
            crate::common::copy(&runs.path("good"), &runs.path("run"));
            outside.set(trap, &runs.path(&format!("run/{name}")));
            for arguments in [&["report", "@run", "--out", "@none"][..], &["diff", "@other", "@run"], &["plan", "@run"]]
            {
                let ran = runs.run(arguments).expect(2);
                let told = ran.stderr.contains(says) && ran.stderr.contains(name);
                assert!(told && ran.stderr.contains("\n  help: "), "{trap:?} {name}: {}", ran.stderr);
            }
        }
    }
}

/// Segments and drafts that were links had been truncated and overwritten.
#[test]
fn a_run_that_goes_on_writes_to_nothing_outside() {
    let (sim, outside) = (buckets(&many(3)), Outside::new());
    let runs = Runs::new();
    finished(&runs, "cut", &sim);
    fs::rename(runs.path("cut/inventory"), runs.path("cut/inventory.partial")).expect("there");
    fs::remove_file(runs.path("cut/inventory.partial/run.json")).expect("there");
    let segment = format!("inventory.partial/{SEGMENT}");
    for trap in TRAPS {
        for name in [
            "inventory.partial",
            "inventory.partial/start.json",
            "inventory.partial/start.json.tmp",
            "inventory.partial/run.json",
            "inventory.partial/run.json.tmp",
            &segment,
            "inventory",
            ".buckets.csv-abcdefgh.tmp",
            "buckets.csv",
            "SHA256SUMS",
        ] {
            for option in ["--resume", "--out"] {
                let _ = fs::remove_dir_all(runs.path("run"));
                crate::common::copy(&runs.path("cut"), &runs.path("run"));
                outside.set(trap, &runs.path(&format!("run/{name}")));
                let what = format!("{option}: {trap:?} as {name}");
                let run = runs.text("run");
                let arguments = ["scan", option, &run, "--account-id", MANAGEMENT, "--format", "csv,json"];
                let begun = Instant::now();
                let ran = run_with(Cli::new(arguments), &sim);
                assert_ended(&ran, begun, &[0, 2], &what);
                outside.assert_untouched(&what);
            }
        }
    }
}

#[test]
fn a_file_with_another_name_is_not_written_to() {
    let (sim, runs) = (buckets(&many(3)), Runs::new());
    finished(&runs, "run", &sim);
    let segment = runs.path(&format!("run/inventory/{SEGMENT}"));
    fs::hard_link(&segment, runs.path("other")).expect("new");
    let before = fs::read(&segment).expect("there");
    // A backup may share files with what it is a backup of.
    runs.run(&["report", "@run", "--out", "@again", "--fail-on", "none"]).expect(0);
    let run = runs.text("run");
    let resume = ["scan", "--account-id", MANAGEMENT, "--resume", &run, "--max-age", "0s"];
    let ran = run_with(Cli::new(resume), &sim).expect(2);
    assert!(ran.stderr.contains("it has a second name (hard link)"), "{}", ran.stderr);
    assert_eq!(fs::read(runs.path("other")).expect("there"), before);
}

/// Names in the files of a folder that lead out of it.
#[test]
fn no_name_in_a_folder_leads_out_of_it() {
    let (sim, outside) = (buckets(&json!([good("one")])), Outside::new());
    let runs = Runs::new();
    let file = outside.space.path().join("file");
    let sum = "0".repeat(64);
    for name in
        ["../outside/file", "./file", file.to_str().expect("text"), "StorageLens/../../file", "inventory/../../x"]
    {
        let _ = fs::remove_dir_all(runs.path("run"));
        finished(&runs, "run", &sim);
        let sums = runs.read("run/SHA256SUMS") + &format!("{sum}  {name}\n{sum}  StorageLens/{name}\n");
        fs::write(runs.path("run/SHA256SUMS"), sums).expect("writable");
        runs.run(&["report", "@run", "--out", "@run", "--format", "json", "--fail-on", "none"]).expect(0);
        runs.run(&["trend", "@run"]).expect(0);
        outside.assert_untouched(name);
    }
    // Accounts become names of files.
    for id in ["../../file", "/etc/passwd", "111111111111/../../x", "11111111111\u{661}"] {
        let _ = fs::remove_dir_all(runs.path("run"));
        finished(&runs, "run", &sim);
        for inside in ["run.json", "start.json"] {
            let path = runs.path(&format!("run/inventory/{inside}"));
            let good = fs::read_to_string(&path).expect("there");
            fs::write(&path, good.replace(MANAGEMENT, id)).expect("writable");
            let ran = runs.run(&["report", "@run", "--out", "@none"]).expect(2);
            assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
            let run = runs.text("run");
            let resume = ["scan", "--account-id", MANAGEMENT, "--resume", &run, "--max-age", "0s"];
            let ran = run_with(Cli::new(resume), &sim);
            assert_ended(&ran, Instant::now(), &[0, 2], id);
            outside.assert_untouched(id);
            fs::write(&path, good).expect("writable");
        }
    }
}

#[test]
fn files_without_an_end_are_not_read_to_it() {
    let (sim, runs) = (buckets(&json!([good("one")])), Runs::new());
    for name in ["SHA256SUMS", "inventory/run.json", "inventory/start.json", &format!("inventory/{SEGMENT}")] {
        let _ = fs::remove_dir_all(runs.path("run"));
        finished(&runs, "run", &sim);
        let file = fs::OpenOptions::new().write(true).open(runs.path(&format!("run/{name}"))).expect("there");
        // It takes no room on the disk.
        file.set_len(1 << 42).expect("sparse");
        for arguments in [
            &["report", "@run", "--out", "@none", "--fail-on", "none"][..],
            &["report", "@run", "--out", "@run", "--fail-on", "none"],
            &["trend", "@run"],
            &["plan", "@run"],
            &["scan", "--account-id", MANAGEMENT, "--resume", "@run", "--max-age", "0s"],
        ] {
            let words: Vec<String> = arguments
                .iter()
                .map(|word| word.strip_prefix('@').map_or((*word).to_owned(), |it| runs.text(it)))
                .collect();
            let begun = Instant::now();
            let cli = Cli::new(words.iter().map(String::as_str)).at(&sim.endpoint, MANAGEMENT);
            let (ran, peak) = cli.run_measured();
            assert_ended(&ran, begun, &[0, 2], &format!("{name}, {arguments:?}"));
            assert!(peak < 600_000, "{name}, {arguments:?}: {peak} KiB");
        }
    }
}

/// Runs in a folder of runs: those that are links are named, and what they lead to is not read.
#[test]
fn a_trend_leaves_links_out_and_says_so() {
    let (runs, elsewhere) = (Runs::new(), Runs::new());
    runs.buckets("all/one", &json!([good("one")]));
    elsewhere.buckets("two", &json!([good("two"), good("three")]));
    symlink(elsewhere.path("two"), runs.path("all/latest")).expect("new");
    symlink(elsewhere.path("two/inventory.parquet"), runs.path("all/two.parquet")).expect("new");
    let ran = runs.run(&["trend", "@all", "--format", "csv", "--metric", "BucketCount"]).expect(0);
    assert!(ran.stderr.contains("all/latest is a symbolic link and is left out"), "{}", ran.stderr);
    assert!(ran.stderr.contains("all/two.parquet"), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
    // What the user names is taken as it is.
    let link = runs.run(&["trend", "@all/latest", "--format", "csv", "--metric", "BucketCount"]).expect(0);
    assert_eq!(link.stdout.lines().count(), 2, "{}", link.stdout);
    runs.run(&["report", "@all/latest", "--out", "@again", "--fail-on", "none"]).expect(0);
}

/// An export of a stranger's.
#[test]
fn an_export_leads_nowhere() {
    let (sim, outside) = (buckets(&json!([good("one")])), Outside::new());
    let runs = Runs::new();
    finished(&runs, "good", &sim);
    let below = crate::common::files(&runs.path("good/StorageLens"));
    let folders: Vec<String> = ["", "111111111111", "111111111111/bucketlens-csv", "111111111111/bucketlens-csv/V_1"]
        .into_iter()
        .map(str::to_owned)
        .chain(
            below
                .iter()
                .flat_map(|name| Path::new(name).ancestors().skip(1).take(2))
                .map(|it| it.display().to_string()),
        )
        .collect();
    let mut turn = 0;
    for trap in TRAPS.into_iter().filter(|trap| *trap != Trap::HardLink) {
        for name in below.iter().chain(&folders) {
            let _ = fs::remove_dir_all(runs.path("run"));
            crate::common::copy(&runs.path("good"), &runs.path("run"));
            outside.set(trap, Path::new(&runs.text(&format!("run/StorageLens/{name}")).trim_end_matches('/')));
            turn += 1;
            let place = ["@run", "@run/StorageLens", "@run/StorageLens/111111111111/bucketlens-csv"][turn % 3];
            let begun = Instant::now();
            let ran = runs.run(&["storage-lens", "read", place, "--allow-partial"]);
            assert_ended(&ran, begun, &[0, 2, 3], &format!("{trap:?} as {name}, {place}"));
            outside.assert_untouched(name);
        }
    }
}

#[track_caller]
fn modes(folder: &Path) -> (Vec<u32>, Vec<u32>) {
    let (mut folders, mut files, mut left) = (Vec::new(), Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = left.pop() {
        folders.push(fs::metadata(&folder).expect("there").permissions().mode() & 0o7777);
        for entry in fs::read_dir(folder).expect("a folder") {
            let entry = entry.expect("readable");
            if entry.path().is_dir() {
                left.push(entry.path());
            } else {
                files.push(entry.metadata().expect("there").mode() & 0o7777);
            }
        }
    }
    folders.sort_unstable();
    folders.dedup();
    files.sort_unstable();
    files.dedup();
    (folders, files)
}

#[test]
fn only_the_user_can_read_what_is_written_unless_all_may() {
    let sim = buckets(&json!([good("one")]));
    let formats = "csv,json,parquet,storage-lens-csv,storage-lens-tables";
    let scan = |more: &[&str], umask: &str| {
        let first = ["scan", "--account-id", MANAGEMENT, "--out", "new/out", "--format", formats];
        Cli::new(first.into_iter().chain(more.iter().copied()))
            .at(&sim.endpoint, MANAGEMENT)
            .run_by_shell(umask)
            .expect(0)
    };
    for umask in ["umask 0", "umask 022"] {
        assert_eq!(modes(&scan(&[], umask).path("new")), (vec![0o700], vec![0o600]), "{umask}");
    }
    let public = scan(&["--public-files"], "umask 027");
    assert_eq!(modes(&public.path("new")), (vec![0o750], vec![0o640]));
    // Made again, resumed, and of the demo.
    let out = public.path("new/out").to_str().expect("text").to_owned();
    let report = ["report", &out, "--out", "again"];
    assert_eq!(modes(&Cli::new(report).run_by_shell("umask 0").expect(0).path("again")), (vec![0o700], vec![0o600]));
    let demo = ["demo", "--out", "new"];
    assert_eq!(modes(&Cli::new(demo).run_by_shell("umask 0").expect(0).path("new")), (vec![0o700], vec![0o600]));
}

#[test]
fn a_program_that_holds_credentials_leaves_no_core_dump() {
    let organization = organization(&json!([management(&json!({"buckets": [good("ours")]}))]));
    let sim = Sim::with(
        bucketlens::simulator::Organization::from_json(&organization.to_string()).expect("good"),
        bucketlens::simulator::Options { latency: Duration::from_secs(20), ..Default::default() },
    );
    for arguments in [
        &["scan"][..],
        &["scan", "--organization"],
        &["mfa-delete", "status", "ours"],
        &["storage-lens", "read", "s3://ours/x"],
    ] {
        let running = Cli::new(arguments.iter().copied()).at(&sim.endpoint, MANAGEMENT).start();
        let proc = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", running.id())).unwrap_or_default();
        let is_off = || {
            let limits = proc("limits");
            let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().skip(4).take(2).collect();
            words == ["0", "0"] && proc("coredump_filter").trim().trim_start_matches('0').is_empty()
        };
        // It takes a while to start, and then waits for an answer.
        let begun = Instant::now();
        while !is_off() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{arguments:?}: {}", proc("limits"));
            std::thread::sleep(Duration::from_millis(5));
        }
        running.signal("KILL");
        running.wait();
    }
}
