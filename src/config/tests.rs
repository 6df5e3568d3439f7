use std::fs;

use clap::{Args, Command};

use super::*;

fn scan() -> Command {
    ScanArgs::augment_args(Command::new("scan")).no_binary_name(true)
}

/// The configuration from flags, variables and the text of a file, which messages call `scan.toml`.
fn load_from(flags: &[&str], variables: &[(&str, &str)], file: &str) -> Result<Loaded, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scan.toml");
    fs::write(&path, file).expect("written");
    let path = path.to_str().expect("text");
    let flags: Vec<OsString> = flags.iter().chain(&["--config", path]).map(OsString::from).collect();
    let variables: Vec<(OsString, OsString)> =
        variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let matches = scan().try_get_matches_from(&flags).map_err(|error| error.to_string())?;
    load(&scan(), &matches, &flags, &variables).map_err(|mistakes| {
        let sentences: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
        sentences.join("\n").replace(path, "scan.toml")
    })
}

fn config(flags: &[&str], variables: &[(&str, &str)], file: &str) -> Config {
    load_from(flags, variables, file).expect("no mistakes").config
}

fn mistakes(flags: &[&str], variables: &[(&str, &str)], file: &str) -> String {
    load_from(flags, variables, file).expect_err("mistakes")
}

/// An option, a value for it that is not its default, and what else it needs. `true` stands for a flag.
const SAMPLES: &[(&str, &[&str], &[&str])] = &[
    ("profile", &["dev", "prod"], &[]),
    ("organization", &["true"], &[]),
    ("account-id", &["111111111111"], &[]),
    ("role-name", &["team/Audit"], &["--organization"]),
    ("external-id", &["s3cret"], &["--organization"]),
    ("session-name", &["audit"], &["--organization"]),
    ("session-duration", &["900"], &["--organization"]),
    ("account", &["111111111111", "222222222222"], &[]),
    ("exclude-account", &["111111111111"], &[]),
    ("ou", &["ou-ab12-11111111", "r-ab12"], &["--organization"]),
    ("exclude-ou", &["ou-ab12-11111111"], &["--organization"]),
    ("bucket", &["logs-*", "[a-c]?"], &[]),
    ("region", &["eu-central-1"], &[]),
    ("resume", &["reports/today"], &[]),
    ("max-age", &["12h"], &["--resume=reports/today"]),
    ("with", &["policy", "protection"], &[]),
    ("metrics", &["encryption", "replication"], &[]),
    ("group-by-tag", &["team"], &[]),
    ("directory-buckets", &["true"], &[]),
    ("concurrency", &["8"], &[]),
    ("addressing", &["virtual"], &[]),
    ("connect-timeout", &["1"], &[]),
    ("read-timeout", &["2"], &[]),
    ("operation-timeout", &["3"], &[]),
    ("max-attempts", &["1"], &[]),
    ("standard", &["security-hub"], &[]),
    // Alone it has a meaning where the standard may be that of the run that goes on.
    ("accept-control", &["mfa-by-policy", "versions-kept:30"], &["--resume=reports/today"]),
    ("fail-on", &["none"], &[]),
    ("allow-unknown", &["true"], &[]),
    ("baseline", &["reports/before"], &[]),
    ("out", &["reports/today"], &[]),
    ("format", &["json"], &[]),
    ("public-files", &["true"], &[]),
    ("quiet", &["true"], &[]),
    ("log-level", &["trace"], &[]),
    ("log-format", &["json"], &[]),
    ("color", &["never"], &[]),
];

/// These take a file; their tests stand apart.
const FILES: [&str; 2] = ["config", "accounts-file"];

#[test]
fn every_option_has_a_sample() {
    let options: BTreeSet<String> = scan().get_arguments().filter_map(clap::Arg::get_long).map(str::to_owned).collect();
    let samples: BTreeSet<String> =
        SAMPLES.iter().map(|(option, ..)| *option).chain(FILES).map(str::to_owned).collect();
    assert_eq!(options, samples);
}

#[test]
fn every_option_is_the_same_as_flag_variable_and_key() {
    for (option, values, needs) in SAMPLES {
        let flag = *values == ["true"];
        let flags: Vec<String> = if flag {
            vec![format!("--{option}")]
        } else {
            values.iter().map(|value| format!("--{option}={value}")).collect()
        };
        let flags: Vec<&str> = flags.iter().map(String::as_str).chain(needs.iter().copied()).collect();
        let by_flag = format!("{:?}", config(&flags, &[], ""));
        let by_variable = config(needs, &[(&variable(option), &values.join(","))], "");
        assert_eq!(format!("{by_variable:?}"), by_flag, "{option}");

        let number = values[0].len() < 4 && values[0].parse::<u32>().is_ok();
        let value = match values {
            [value] if flag || number => (*value).to_owned(),
            [value] => format!("{value:?}"),
            _ => format!("{values:?}"),
        };
        for key in [(*option).to_owned(), option.replace('-', "_")] {
            let by_key = config(needs, &[], &format!("{key} = {value}"));
            assert_eq!(format!("{by_key:?}"), by_flag, "{key}");
        }
        assert_ne!(format!("{:?}", config(needs, &[], "")), by_flag, "{option}");
    }
}

#[test]
fn flags_go_before_variables_and_variables_before_the_file() {
    let file = "concurrency = 1\nmax-attempts = 1\nread-timeout = 1\nregion = [\"a\", \"b\"]\nquiet = true";
    let variables = [
        ("BUCKETLENS_CONCURRENCY", "2"),
        ("BUCKETLENS_MAX_ATTEMPTS", "2"),
        ("BUCKETLENS_REGION", "c,d"),
        ("BUCKETLENS_QUIET", "false"),
    ];
    let config = config(&["--concurrency=3", "--region=e"], &variables, file);
    assert_eq!(config.reading.concurrency, 3);
    assert_eq!(config.reading.max_attempts, 2);
    assert_eq!(config.reading.timeouts.read, Duration::from_secs(1));
    assert_eq!(config.filters.regions, BTreeSet::from([Region::new("e")]));
    assert!(!config.quiet);
}

#[test]
fn a_list_of_a_higher_level_replaces_the_lower_one() {
    let config = config(&[], &[("BUCKETLENS_REGION", "c,d")], "region = [\"a\", \"b\"]");
    assert_eq!(config.filters.regions, BTreeSet::from(["c", "d"].map(Region::new)));
}

#[test]
fn an_empty_variable_is_not_set() {
    let config = config(&[], &[("BUCKETLENS_CONCURRENCY", ""), ("BUCKETLENS_ORGANIZATION", "")], "concurrency = 7");
    assert_eq!(config.reading.concurrency, 7);
    assert_eq!(config.discovery, Discovery::Current { account_id: None });
}

#[test]
fn the_choice_of_a_higher_level_takes_the_lower_one_with_all_that_belongs_to_it() {
    let file = "organization = true\nrole-name = \"Audit\"\nou = [\"ou-ab12-11111111\"]\naccount = \"111111111111\"";
    let config = config(&["--profile=dev"], &[], file);
    assert_eq!(config.scope(), ["--profile=dev", "--account=111111111111"]);
}

#[test]
fn what_a_lower_level_says_stays_where_the_choice_needs_it() {
    let config = config(&["--organization"], &[("BUCKETLENS_ROLE_NAME", "Audit")], "profile = \"dev\"");
    assert_eq!(config.scope(), ["--organization", "--role-name=Audit"]);
}

#[test]
fn the_file_may_be_named_by_its_variable() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scan.toml");
    fs::write(&path, "concurrency = 5").expect("written");
    let matches = scan().get_matches_from(Vec::<OsString>::new());
    let variables = [("BUCKETLENS_CONFIG".into(), path.into())];
    let loaded = load(&scan(), &matches, &[], &variables).expect("no mistakes");
    assert_eq!(loaded.config.reading.concurrency, 5);
}

#[test]
fn a_double_dash_at_the_end_changes_nothing() {
    let flags: Vec<OsString> = vec!["--quiet".into(), "--".into()];
    let matches = scan().get_matches_from(&flags);
    let variables = [("BUCKETLENS_CONCURRENCY".into(), "9".into())];
    let loaded = load(&scan(), &matches, &flags, &variables).expect("no mistakes");
    assert!(loaded.config.quiet);
    assert_eq!(loaded.config.reading.concurrency, 9);
}

#[test]
fn the_defaults_are_the_documented_ones() {
    insta::assert_debug_snapshot!(config(&[], &[], ""), @r#"
    Config {
        discovery: Current {
            account_id: None,
        },
        role: RoleOptions {
            name: "OrganizationAccountAccessRole",
            external_id: None,
            session_name: "bucketlens",
            duration: 3600s,
        },
        filters: Filters {
            accounts: {},
            exclude_accounts: {},
            ous: {},
            exclude_ous: {},
            buckets: None,
            regions: {},
        },
        more: More {
            with: {},
            metrics: {},
            group_by_tag: None,
            directory_buckets: false,
        },
        resume: None,
        reading: Reading {
            concurrency: 64,
            addressing: Auto,
            timeouts: Timeouts {
                connect: 5s,
                read: 15s,
                operation: 60s,
            },
            max_attempts: 5,
        },
        standard: Cis,
        accepted: {},
        output: Output {
            out: None,
            formats: {
                Csv,
                Json,
                Parquet,
            },
            access: Private,
        },
        fail_on: Some(
            Medium,
        ),
        allow_unknown: false,
        baseline: None,
        quiet: false,
        log: Log {
            level: Warn,
            format: Text,
        },
        color: Auto,
    }
    "#);
}

#[test]
fn every_mistake_of_the_file_is_reported_with_its_place() {
    let file = r#"profle = "x"
organization = true
fail_on = "hihg"
fail-on = "high"
concurrency = "64"
max-attempts = 21
account = [111111111111, "1"]
region = ["eu-central-1", "", "a,b c"]
role-name = 'arn:aws:iam::111111111111:role/x'
session-name = "a"
out = ""
bucket = ["ok", "a{b"]
connect-timeout = -1
config = "x"
quiet = "yes"
log-level = "INFO"
standard = "securty-hub"
[reading]
x = 1
"#;
    insta::assert_snapshot!(mistakes(&[], &[], file), @r#"
    scan.toml:1:1: there is no option "profle"; did you mean profile?
    scan.toml:3:1: fail-on is given twice, once with - and once with _
    scan.toml:5:15: concurrency must be a whole number, not a string
    scan.toml:6:16: max-attempts: 21 is not in 1..=20
    scan.toml:7:12: account must be a string in quotes or an array of such strings, not an integer
    scan.toml:8:27: region: "" is not the name of a Region (eu-central-1)
    scan.toml:8:31: region: "b c" is not the name of a Region (eu-central-1)
    scan.toml:9:13: role-name: "arn:aws:iam::111111111111:role/x" is an ARN: give what stands behind role/ in it
    scan.toml:10:16: session-name: a session name has 2 to 64 letters, digits or any of _+=,.@-, "a" has not
    scan.toml:11:7: out: a value is missing
    scan.toml:12:17: bucket: '{' in the pattern "a{b" can be in no bucket name: use only *, ? and [a-z]
    scan.toml:13:19: connect-timeout: -1 is not in 1..=3600
    scan.toml:14:1: a configuration file cannot name another one
    scan.toml:15:9: quiet must be true or false, not a string
    scan.toml:16:13: log-level: "INFO" is none of error, warn, info, debug, trace
    scan.toml:17:12: standard: "securty-hub" is none of cis, security-hub, cis-with-compensation; did you mean security-hub?
    scan.toml:18:2: "reading" is a section: options stand in the file without sections
    "#);
}

#[test]
fn errors_of_syntax_do_not_hide_the_other_mistakes_or_show_secrets() {
    let file = "quiet = true\nquiet = false\nexternal-id = s3cret\nconcurrency = 0\nfail-on = \nformat = [\"csv\"";
    let mistakes = mistakes(&["--organization"], &[], file);
    assert!(!mistakes.contains("s3cret"));
    insta::assert_snapshot!(mistakes, @"
    scan.toml:2:1: this is no valid TOML: duplicate key
    scan.toml:3:15: this is no valid TOML: string values must be quoted, expected literal string
    scan.toml:4:15: concurrency: 0 is not in 1..=4096
    scan.toml:5:11: this is no valid TOML: string values must be quoted, expected literal string
    scan.toml:6:16: this is no valid TOML: unclosed array, expected `]`
    ");
}

#[test]
fn every_mistake_of_the_environment_is_reported() {
    let variables = [
        ("BUCKETLENS_CONCURRENCY", "many"),
        ("BUCKETLENS_QUIET", "maybe"),
        ("BUCKETLENS_FAIL_ON", "severe"),
        ("BUCKETLENS_REGION", "eu-central-1,eu central"),
        ("BUCKETLENS_EXTERNAL_ID", "not so secret"),
        ("BUCKETLENS_CONFIG", "ignored: the command line names another"),
    ];
    insta::assert_snapshot!(mistakes(&["--organization"], &variables, ""), @r#"
    BUCKETLENS_QUIET: the value must be true or false
    BUCKETLENS_CONCURRENCY: "many" is not a whole number
    BUCKETLENS_FAIL_ON: "severe" is none of info, low, medium, high, critical, none
    BUCKETLENS_EXTERNAL_ID: an external id has 2 to 1224 letters, digits or any of _+=,.@:/-
    BUCKETLENS_REGION: "eu central" is not the name of a Region (eu-central-1)
    "#);
}

#[test]
fn mistakes_of_all_levels_come_together() {
    let flags = ["--account=1", "--bucket=[a", "--ou=Sandbox"];
    insta::assert_snapshot!(mistakes(&flags, &[("BUCKETLENS_MAX_ATTEMPTS", "0")], "region = \"\""), @r#"
    scan.toml:1:10: region: "" is not the name of a Region (eu-central-1)
    BUCKETLENS_MAX_ATTEMPTS: 0 is not in 1..=20
    --account: an AWS account id has 12 digits, "1" has not: it has 1, leading zeros belong to it
    --ou: "Sandbox" is no id of an organizational unit (ou-ab12-11111111) or a root (r-ab12)
    --bucket: the pattern "[a" cannot be understood: unclosed character class; missing ']'
    "#);
}

#[test]
fn options_that_do_not_go_together_are_named_with_their_places() {
    let profile = mistakes(&["--profile=dev", "--role-name=Audit", "--ou=r-ab12"], &[], "");
    insta::assert_snapshot!(profile, @"
    --ou: this has a meaning only with --organization, not with --profile
    --role-name: this has a meaning only with --organization or --accounts-file, not with --profile
    ");
    let nothing = mistakes(&[], &[("BUCKETLENS_EXTERNAL_ID", "s3cret")], "session-duration = 900");
    insta::assert_snapshot!(nothing, @"
    scan.toml:1:20: session-duration: this has a meaning only with --organization or --accounts-file
    BUCKETLENS_EXTERNAL_ID: this has a meaning only with --organization or --accounts-file
    ");
    let ways = mistakes(&[], &[], "organization = true\nprofile = [\"dev\"]\naccount-id = \"111111111111\"");
    insta::assert_snapshot!(ways, @"profile (scan.toml:2:12), organization (scan.toml:1:16) and account-id (scan.toml:3:14) are different ways to find the accounts: give one of them");
    let both = mistakes(&["--exclude-account=111111111111"], &[], "account = [\"111111111111\"]");
    insta::assert_snapshot!(both, @"scan.toml:1:12: account: 111111111111 is asked for here and left out by --exclude-account");
}

#[test]
fn what_may_be_missing_only_because_it_is_misspelt_is_not_missed() {
    insta::assert_snapshot!(mistakes(&[], &[], "organisation = true\nrole-name = \"Audit\""), @r#"scan.toml:1:1: there is no option "organisation"; did you mean organization?"#);
}

#[test]
fn variables_that_name_no_option_are_warnings() {
    let variables =
        [("BUCKETLENS_PROFLE", "x"), ("BUCKETLENS_XYZ", "1"), ("BUCKETLENS_fail_on", "high"), ("BUCKETLENS_OLD", "")];
    let warnings = load_from(&[], &variables, "").expect("no mistakes").warnings;
    insta::assert_snapshot!(warnings.join("\n"), @"
    the environment variable BUCKETLENS_PROFLE is no option; did you mean BUCKETLENS_PROFILE?
    the environment variable BUCKETLENS_XYZ is no option
    the environment variable BUCKETLENS_fail_on is no option; did you mean BUCKETLENS_FAIL_ON?
    ");
}

#[test]
fn a_file_that_cannot_be_read_is_a_mistake() {
    let flags: Vec<OsString> = vec!["--config=/no/such/file.toml".into()];
    let mistakes = load(&scan(), &scan().get_matches_from(&flags), &flags, &[]).expect_err("a mistake");
    insta::assert_snapshot!(mistakes[0], @"cannot read the configuration file /no/such/file.toml: No such file or directory (os error 2)");
}

#[test]
fn a_file_of_windows_is_read() {
    assert_eq!(config(&[], &[], "\u{feff}concurrency = 3\r\nquiet = true\r\n").reading.concurrency, 3);
}

#[test]
fn an_accounts_file_is_read_and_its_mistakes_join_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("accounts.txt");
    let path = path.to_str().expect("text");
    let flag = format!("--accounts-file={path}");
    fs::write(path, "111111111111\n222222222222,arn:aws:iam::222222222222:role/Audit").expect("written");
    let good = config(&[&flag, "--external-id=s3cret"], &[], "");
    assert_eq!(good.scope(), ["--accounts-file (2 accounts)", "--role-name=OrganizationAccountAccessRole"]);
    fs::write(path, "1111\n2222\n").expect("written");
    let mistakes = mistakes(&[&flag, "--region=a b"], &[], "").replace(path, "accounts.txt");
    insta::assert_snapshot!(mistakes, @r#"
    accounts.txt:1: an AWS account id has 12 digits, "1111" has not: it has 4, leading zeros belong to it
    accounts.txt:2: an AWS account id has 12 digits, "2222" has not: it has 4, leading zeros belong to it
    --region: "a b" is not the name of a Region (eu-central-1)
    "#);
}

#[test]
fn the_external_id_is_never_shown() {
    let config = config(&["--organization", "--external-id=s3cret"], &[], "");
    assert_eq!(config.role.external_id.as_ref().map(Secret::expose), Some("s3cret"));
    let shown = format!("{config:?} {:?} {}", config.scope(), config.digest());
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn the_digest_follows_what_decides_the_report_and_nothing_else() {
    let digest = |flags: &[&str]| config(flags, &[], "").digest();
    let plain = digest(&[]);
    assert_eq!(plain.len(), 64);
    for same in ["--concurrency=2", "--format=csv", "--out=x", "--fail-on=high", "--quiet", "--allow-unknown"] {
        assert_eq!(digest(&[same]), plain, "{same}");
    }
    for other in [
        "--standard=security-hub",
        "--region=a",
        "--bucket=a*",
        "--organization",
        "--profile=a",
        "--with=policy",
        "--metrics=all",
        "--directory-buckets",
    ] {
        assert_ne!(digest(&[other]), plain, "{other}");
    }
    assert_eq!(digest(&["--region=a,b"]), digest(&["--region=b", "--region=a"]));
    assert_eq!(digest(&["--metrics=all"]), digest(&["--metrics=encryption,all"]));
    assert_eq!(digest(&["--metrics=basic"]), plain);
    assert_ne!(digest(&["--account=111111111111"]), digest(&["--exclude-account=111111111111"]));
}

#[test]
fn profiles_keep_their_order_and_lose_repeats() {
    let config = config(&["--profile=b,a,b"], &[], "");
    assert_eq!(config.discovery, Discovery::Profiles(vec!["b".to_owned(), "a".to_owned()]));
}

#[test]
fn filters_choose_accounts_units_buckets_and_regions() {
    let flags = [
        "--organization",
        "--account=111111111111,222222222222",
        "--ou=ou-ab12-11111111",
        "--exclude-ou=ou-ab12-22222222",
        "--bucket=logs-*",
        "--bucket=[a-c]?",
        "--region=eu-central-1",
    ];
    let filters = config(&flags, &[], "").filters;
    let account = |id: &str| filters.account(&AccountId::parse(id).expect("an id"));
    assert!(account("111111111111") && !account("333333333333"));
    let ou = |path: &str| filters.ou(&OuPath::from_path(path).expect("ids"));
    assert!(ou("o-a/r-ab12/ou-ab12-11111111/ou-ab12-33333333/111111111111/"), "nested units are included");
    assert!(!ou("o-a/r-ab12/ou-ab12-11111111/ou-ab12-22222222/111111111111/"), "what is left out goes first");
    assert!(!ou("o-a/r-ab12/111111111111/") && !ou(""));
    let names = ["logs-", "logs-a.b", "b1", "xlogs-a", "d1", "B1", "b12"];
    assert_eq!(names.map(|name| filters.bucket(name)), [true, true, true, false, false, false, false]);
    assert!(filters.region(&Region::new("eu-central-1")) && !filters.region(&Region::new("eu-central-2")));
    assert!(filters.needs_ou_paths());
}

#[test]
fn no_filter_chooses_everything_but_what_is_left_out() {
    let filters = config(&["--exclude-account=111111111111"], &[], "").filters;
    let account = |id: &str| filters.account(&AccountId::parse(id).expect("an id"));
    assert!(!account("111111111111") && account("222222222222"));
    assert!(filters.ou(&OuPath::default()) && filters.bucket("x") && filters.region(&Region::new("x")));
    assert!(!filters.needs_ou_paths());
}

#[test]
fn names_are_checked_as_aws_checks_them() {
    for good in ["Audit", "/team/Audit", "a/b/c+=,.@-_", &"x".repeat(64)] {
        assert!(role_name(good).is_ok(), "{good}");
    }
    for bad in ["", "/", "a//b", "a b", "arn:aws:iam::1:role/a", &"x".repeat(65), "é"] {
        assert!(role_name(bad).is_err(), "{bad}");
    }
    assert_eq!(role_name("/team/Audit").as_deref(), Ok("team/Audit"));
    for good in ["ab", "a_b+c=d,e.f@g-h", &"x".repeat(64)] {
        assert!(session_name(good).is_ok(), "{good}");
    }
    for bad in ["a", "a/b", &"x".repeat(65)] {
        assert!(session_name(bad).is_err(), "{bad}");
    }
    for bad in ["ou-ab12", "r-", "r-AB12", "ou-ab12-1111", "o-aa111111aa", "ou-ab12-11111111-2"] {
        assert!(ou(bad).is_err(), "{bad}");
    }
}

#[test]
fn colour_heeds_what_was_asked_then_no_color_then_the_stream() {
    let set = Some(std::ffi::OsStr::new("1"));
    let empty = Some(std::ffi::OsStr::new(""));
    assert!(Color::Auto.is_on(true, None) && Color::Auto.is_on(true, empty));
    assert!(!Color::Auto.is_on(true, set) && !Color::Auto.is_on(false, None));
    assert!(Color::Always.is_on(false, set) && !Color::Never.is_on(true, None));
}
