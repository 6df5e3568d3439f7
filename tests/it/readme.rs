//! The README tells the truth: its commands run, its policies are what is needed, its picture is the demo's.

use std::fs;
use std::path::Path;

use bucketlens::exit::Exit;
use bucketlens::model::Extra;
use bucketlens::rules;
use bucketlens::simulator::Organization;

use crate::common::{Cli, Sim, copy};

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("README.md")
}

/// The code blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let (mut blocks, mut inside) = (Vec::new(), false);
    for line in readme().lines() {
        match line.strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(name) if name == language => {
                inside = true;
                blocks.push(String::new());
            }
            None if inside => {
                let block: &mut String = blocks.last_mut().expect("a block was begun");
                block.push_str(line);
                block.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

/// Words of a command line; single quotes group.
fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(|word| word.trim_matches('\'').to_owned()).collect()
}

#[test]
fn every_command_runs() {
    let simulator = Sim::json(include_str!("../../fixtures/orgs/readme.json"));
    let keys = |profile: &str, account: &str| {
        let key = bucketlens::simulator::access_key(account);
        format!("[{profile}]\naws_access_key_id = {key}\naws_secret_access_key = secret\n")
    };
    let credentials = keys("production", "111111111111") + &keys("staging", "222222222222");
    // What runs of other days left behind.
    let earlier = |name: &str| {
        let out = format!("reports/{name}");
        let ran = Cli::new(["scan", "--profile", "production,staging", "--out", &out])
            .file(".aws/credentials", &credentials)
            .at(&simulator.endpoint, "111111111111")
            .run();
        ran.expect(0)
    };
    let (monday, tuesday) = (earlier("monday"), earlier("tuesday"));
    // What the commands about exports are given: those of a scan of the same organization.
    let scanned = ["scan", "--out", "out", "--format", "json,storage-lens-parquet"];
    let scanned = Cli::new(scanned).at(&simulator.endpoint, "111111111111").run().expect(0);
    let mut ran = 0;
    for line in blocks("sh").join("").lines() {
        let words = words(line);
        let arguments = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            // This very command runs this test; and installing builds everything once more.
            ["tests/run"] | ["cargo", "install", "--path", ".", "--locked"] => continue,
            ["cargo", "run", "--", arguments @ ..] | ["bucketlens", arguments @ ..] => arguments.join("\u{1f}"),
            _ => panic!("the README has a command that this test does not know: {line}"),
        };
        // What is in force already needs no code, but where codes come from is asked first.
        let codes = line.contains("--apply").then_some("--code-from-stdin");
        let mut cli = Cli::new(arguments.split('\u{1f}').chain(codes));
        let reads_earlier_runs = line.contains("reports/monday") || line.contains("trend");
        if reads_earlier_runs {
            cli = cli.folder("reports/monday", &monday.path("reports/monday"));
            cli = cli.folder("reports/tuesday", &tuesday.path("reports/tuesday"));
        }
        let plans = line.starts_with("bucketlens plan ");
        if plans {
            cli = cli.folder("reports/nightly", &monday.path("reports/monday"));
        }
        let given = cli
            .file(".aws/credentials", &credentials)
            .file("lifecycle.xml", include_str!("../../fixtures/lifecycle/everything.xml"))
            .file("accounts.txt", "# our accounts\n111111111111\n222222222222\n")
            .at(&simulator.endpoint, "111111111111");
        let about_exports = line.contains("storage-lens read") || line.contains("storage-lens compare");
        if about_exports {
            copy(&scanned.path("out/StorageLens"), &given.home().join("exports/StorageLens"));
            copy(&scanned.path("out/inventory"), &given.home().join("reports/nightly/inventory"));
        }
        let outcome = given.run();
        // All buckets of this organization pass.
        assert_eq!(outcome.code, 0, "{line}\n{}{}", outcome.stdout, outcome.stderr);
        let reads = ["lifecycle check", "mfa-delete", "bucketlens policy"].iter().any(|it| line.contains(it));
        let scans = !reads || reads_earlier_runs;
        assert_eq!(outcome.path("reports").is_dir(), scans || about_exports, "{line}");
        ran += 1;
    }
    assert!(ran >= 7, "only {ran} commands were found in the README");
}

#[test]
fn the_configuration_file_is_understood() {
    let simulator = Sim::json(include_str!("../../fixtures/orgs/readme.json"));
    let [file] = blocks("toml").try_into().expect("one TOML block");
    Cli::new(["scan", "--config", "bucketlens.toml"])
        .file("bucketlens.toml", &file)
        .at(&simulator.endpoint, "111111111111")
        .run()
        .expect(0);
}

#[test]
fn the_policies_are_those_that_are_printed() {
    let policies: Vec<serde_json::Value> =
        blocks("json").iter().map(|block| serde_json::from_str(block).expect("JSON")).collect();
    let [hub, member] = policies.as_slice() else { panic!("{} policies in the README", policies.len()) };
    let printed = |words: &str| -> serde_json::Value {
        let ran = Cli::new(["policy"].into_iter().chain(words.split_whitespace())).run().expect(0);
        serde_json::from_str(&ran.stdout).expect("JSON")
    };
    assert_eq!(*hub, printed("--role hub --role-name BucketlensAudit"));
    assert_eq!(*member, printed(""));
}

#[test]
fn what_is_read_only_where_it_is_asked_for_stands_there_with_its_permission() {
    let readme = readme();
    for operation in Extra::ALL.map(Extra::operation) {
        let row = format!("| `{operation}` | `{}` |\n", operation.action().expect("an action"));
        assert!(readme.contains(&row), "the README has no row {row}");
    }
}

#[test]
fn rules_and_exit_codes_are_all_there() {
    let readme = readme();
    for rule in rules::ALL {
        let row = format!("| `{}` | {} |", rule.id, rule.kind.as_str());
        assert!(readme.contains(&row), "the README has no row {row}");
    }
    for exit in Exit::ALL {
        assert!(readme.contains(&format!("\n| {} | ", exit.code())), "exit code {}", exit.code());
    }
}

#[test]
fn the_picture_is_that_of_the_demo() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/example/terminal.txt");
    let example = fs::read_to_string(example).expect("the demo's page");
    let [picture] = blocks("text").try_into().expect("one picture");
    assert_eq!(picture, example, "copy reports/example/terminal.txt into the README");
}

/// What the commands of the README scan: everything in order, so that their exit code is 0.
#[test]
fn the_organization_behind_these_tests_is_in_order() {
    let organization = Organization::from_json(include_str!("../../fixtures/orgs/readme.json")).expect("a fixture");
    assert_eq!(organization.account_ids(), ["111111111111", "222222222222"]);
}
