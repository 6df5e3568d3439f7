use std::time::Duration;

use super::*;
use crate::cli::lifecycle::Format;
use crate::config::Discovery;
use crate::lifecycle::Versions;
use crate::model::{Severity, Standard};

fn read(line: &str, variables: &[(&str, &str)]) -> Result<Command, Problem> {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let argv: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    parse(&argv, &variables)
}

fn problem(line: &str) -> Problem {
    read(line, &[]).expect_err("a problem")
}

fn demo(line: &str, variables: &[(&str, &str)]) -> Demo {
    match read(line, variables) {
        Ok(Command::Demo(demo)) => demo,
        other => panic!("no demo: {other:?}"),
    }
}

fn simulate(line: &str) -> Simulate {
    match read(line, &[]) {
        Ok(Command::Simulate(simulate)) => simulate,
        other => panic!("no simulator: {other:?}"),
    }
}

#[test]
fn the_definition_is_sound() {
    command().debug_assert();
}

#[test]
fn help_and_version_are_no_failures_and_everything_else_is_code_2() {
    for line in ["bucketlens --help", "bucketlens --version", "bucketlens scan -h", "bucketlens help demo"] {
        assert_eq!(problem(line).exit(), Exit::Ok, "{line}");
    }
    for line in [
        "bucketlens",
        "bucketlens scna",
        "bucketlens scan --nope",
        "bucketlens scan bucket",
        "bucketlens scan --concurrency 0",
        "bucketlens scan --account 1",
        "bucketlens demo --organization",
        "bucketlens demo --config x.toml",
        "bucketlens simulate --org x.json --buckets 3",
    ] {
        assert_eq!(problem(line).exit(), Exit::CouldNotRun, "{line}");
    }
}

#[test]
fn mistakes_are_a_sentence_or_a_list() {
    let Problem::Configuration { mistakes, .. } = problem("bucketlens scan --account 1 --region a,é") else {
        panic!("mistakes of the configuration")
    };
    insta::assert_snapshot!(console::sentences(&mistakes[..1]), @r#"error: --account: an AWS account id has 12 digits, "1" has not: it has 1, leading zeros belong to it"#);
    insta::assert_snapshot!(console::sentences(&mistakes), @r#"
        error: 2 mistakes
          --account: an AWS account id has 12 digits, "1" has not: it has 1, leading zeros belong to it
          --region: "é" is not the name of a Region (eu-central-1)
        "#);
}

#[test]
fn scan_reads_its_variables_and_names_the_unknown_ones() {
    let variables = [("BUCKETLENS_FAIL_ON", "high"), ("BUCKETLENS_FALL_ON", "low"), ("AWS_PROFILE", "dev")];
    let Ok(Command::Scan { config, warnings }) = read("bucketlens scan --standard security-hub", &variables) else {
        panic!("a scan")
    };
    assert_eq!((config.fail_on, config.standard), (Some(Severity::High), Standard::SecurityHub));
    assert_eq!(warnings.len(), 1);
}

#[test]
fn the_demo_takes_no_variables_and_exits_0_unless_it_is_asked_for_more() {
    let variables = [("BUCKETLENS_FAIL_ON", "high"), ("BUCKETLENS_CONCURRENCY", "none")];
    let plain = demo("bucketlens demo --standard security-hub", &variables);
    assert_eq!((plain.config.fail_on, plain.config.allow_unknown), (None, true));
    assert_eq!((&plain.config.discovery, plain.config.reading.concurrency), (&Discovery::Organization, 64));
    assert_eq!((plain.config.standard, plain.generated), (Standard::SecurityHub, None));

    let strict = demo("bucketlens demo --fail-on low --buckets 7", &[]);
    assert_eq!((strict.config.fail_on, strict.config.allow_unknown), (Some(Severity::Low), false));
    assert_eq!(strict.generated, Some(Generated { accounts: 10, buckets: 7 }));
}

#[test]
fn the_simulator_serves_the_demo_a_file_or_a_generated_organization() {
    let plain = Simulate { port: 0, organization: Simulated::Demo, latency: Duration::ZERO, rate: None };
    assert_eq!(simulate("bucketlens simulate"), plain);
    let slow = simulate("bucketlens simulate --port 9000 --org x.json --latency 20 --rate 50");
    let file = Simulated::File("x.json".into());
    assert_eq!(slow, Simulate { port: 9000, organization: file, latency: Duration::from_millis(20), rate: Some(50) });
    let generated = Simulated::Generated(Generated { accounts: 3, buckets: 1000 });
    assert_eq!(simulate("bucketlens simulate --accounts 3").organization, generated);
}

#[test]
fn a_check_knows_only_what_it_is_told() {
    let check = |line: &str| match read(line, &[("BUCKETLENS_FAIL_ON", "high")]) {
        Ok(Command::LifecycleCheck(check)) => check,
        other => panic!("no check: {other:?}"),
    };
    let plain =
        Check { file: "-".into(), versions: None, mfa_delete: None, today: None, format: Format::Table, fail_on: None };
    assert_eq!(check("bucketlens lifecycle check -"), plain);
    let all = "bucketlens lifecycle check x.xml --versioning suspended --mfa-delete disabled --today 2026-02-28 \
                   --format json --fail-on low";
    let told = Check {
        file: "x.xml".into(),
        versions: Some(Versions::Suspended),
        mfa_delete: Some(false),
        today: Some(time::macros::date!(2026 - 02 - 28)),
        format: Format::Json,
        fail_on: Some(Severity::Low),
    };
    assert_eq!(check(all), told);
    for line in ["bucketlens lifecycle", "bucketlens lifecycle check", "bucketlens lifecycle check x --today 2026-2-3"]
    {
        assert_eq!(problem(line).exit(), Exit::CouldNotRun, "{line}");
    }
}

fn help(of: &str) -> String {
    let mut command = command().term_width(100);
    command.build();
    command.find_subcommand_mut(of).expect("a subcommand").render_help().to_string()
}

#[test]
fn the_help_of_scan_is_grouped() {
    insta::assert_snapshot!(help("scan"), @"
        Scan the buckets of one account, several accounts or an AWS organization, and report

        Usage: bucketlens scan [OPTIONS]

        Options:
          -h, --help  Print help (see more with '--help')

        Discovery (default: the account of the current credentials):
              --profile <NAME>        Scan the account of this AWS profile (repeatable)
              --organization          Scan every account of the organization that the credentials manage
              --accounts-file <FILE>  Scan the accounts of this file; a line is ID or ID,ROLE-ARN
              --account-id <ID>       Id of the current credentials' account, for S3 servers without STS

        Role in each account (with --organization or --accounts-file):
              --role-name <NAME>            Role to assume, maybe with a path [default:
                                            OrganizationAccountAccessRole]
              --external-id <ID>            External id to assume it with; never printed or logged
              --session-name <NAME>         Name of the session in AWS's logs [default: bucketlens]
              --session-duration <SECONDS>  Seconds its credentials last, 900 to 43200 [default: 3600]

        Filters:
              --account <ID>          Scan only this account (repeatable)
              --exclude-account <ID>  Leave out this account (repeatable)
              --ou <ID>               Scan only accounts in or under this OU or root (repeatable)
              --exclude-ou <ID>       Leave out accounts in or under this OU (repeatable)
              --bucket <GLOB>         Scan only buckets with such a name: *, ? and [a-z] (repeatable)
              --region <NAME>         Scan only buckets in this Region (repeatable)

        Resuming a run that was cut off:
              --resume <DIR>        Read only what the run in this folder lacks, and report there; say again
                                    how accounts are found, and the role
              --max-age <DURATION>  With --resume: also read again what is older: 90s, 30m, 12h, 7d

        What is read (default: two requests a bucket):
              --with <WHAT>         Read what else protects buckets, 1 or 3 requests each (comma list)
                                    [possible values: policy, protection]
              --metrics <GROUP>     Read the settings that S3 Storage Lens counts, a request a bucket for
                                    each group (comma list) [default: basic] [possible values: basic, all,
                                    encryption, ownership, acceleration, notification, replication]
              --group-by-tag <KEY>  Read the tags of buckets, a request each, to group them by this one
              --directory-buckets   List directory buckets too, a request for each Region of --region, else
                                    for us-east-1, us-east-2, us-west-2, ap-south-1, ap-northeast-1,
                                    eu-west-1 and eu-north-1

        Reading:
              --concurrency <N>              Requests in flight over all accounts, 1 to 4096 [default: 64]
              --addressing <STYLE>           S3 addressing style; auto: path, but virtual for FIPS endpoints
                                             and services that refuse path (a connection per bucket)
                                             [default: auto] [possible values: auto, path, virtual]
              --connect-timeout <SECONDS>    Seconds until a connection stands [default: 5]
              --read-timeout <SECONDS>       Seconds until an answer begins [default: 15]
              --operation-timeout <SECONDS>  Seconds until an answer is read to its end [default: 60]
              --max-attempts <N>             Attempts for one request, 1 to 20 [default: 5]

        Judging and report:
              --standard <NAME>           Which reading of the MFA delete requirement holds [default: cis]
                                          [possible values: cis, security-hub, cis-with-compensation]
              --accept-control <CONTROL>  Control that waives it, as NAME or NAME:DAYS (comma list)
              --fail-on <SEVERITY>        Exit 1 when a finding is at least this severe [default: medium]
                                          [possible values: info, low, medium, high, critical, none]
              --allow-unknown             Exit 0 instead of 3 when something stayed unknown
              --baseline <DIR>            Let only what the run in this folder did not have decide the exit
                                          code, and show what changed
              --out <DIR>                 Folder of the report's files [default: reports/<UTC time>]
              --format <FORMAT>           Formats of the report's files (comma list) [default:
                                          csv,json,parquet] [possible values: csv, json, parquet,
                                          storage-lens-csv, storage-lens-parquet, storage-lens-tables]
              --public-files              Let the umask decide who can read the files [default: only you]

        Console:
              --quiet                Show no progress
              --log-level <LEVEL>    Least level of the logs on stderr [default: warn] [possible values:
                                     error, warn, info, debug, trace]
              --log-format <FORMAT>  Format of the logs [default: text] [possible values: text, json]
              --color <WHEN>         When to colour the report; auto heeds NO_COLOR and pipes [default:
                                     auto] [possible values: auto, always, never]

        Configuration:
              --config <FILE>  TOML file with further options, keys named like them
        ");
}

#[test]
fn the_long_help_of_scan_names_variables_examples_and_exit_codes() {
    let mut command = command().term_width(100);
    let help = command.find_subcommand_mut("scan").expect("a subcommand").render_long_help().to_string();
    let options: Vec<String> = scan_command().get_arguments().filter_map(clap::Arg::get_long).map(variable).collect();
    assert!(options.iter().all(|variable| help.contains(variable)));
    assert!(help.contains("Examples:") && help.contains("Exit codes:"));
}

#[test]
fn the_long_help_tells_the_exit_codes() {
    for (words, of) in [
        (["report"].as_slice(), Of::Report),
        (&["diff"], Of::Diff),
        (&["trend"], Of::Trend),
        (&["storage-lens", "read"], Of::ExportRead),
        (&["storage-lens", "compare"], Of::ExportCompared),
    ] {
        let argv = ["bucketlens"].iter().chain(words).chain(&["--help"]).map(OsString::from);
        let help = command().term_width(120).try_get_matches_from(argv).expect_err("help").to_string();
        assert!(help.contains(&of.told()), "{words:?}: {help}");
    }
}
