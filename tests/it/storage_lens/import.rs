//! Exports as AWS writes them, and what can be wrong with them.

use std::fs;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::{OWNER, copy, dashboard, files, fixture, json, lens, minimal, text};
use crate::common::Cli;
use crate::servers::python;

const DAY: &str = "dt=2026-03-18";

#[test]
fn the_fixture_is_what_its_script_writes() {
    let space = tempfile::tempdir().expect("a folder");
    if python("fixtures/storage-lens/make.py", &[text(space.path())]).is_none() {
        return;
    }
    let (made, there) = (space.path().join("daily"), fixture());
    assert_eq!(files(&made), files(&there));
    for name in files(&made) {
        assert!(fs::read(made.join(&name)).ok() == fs::read(there.join(&name)).ok(), "{name}");
    }
}

#[test]
fn an_export_of_aws_becomes_the_list_of_buckets_with_mfa_delete() {
    for (format, name) in [("csv", "CSV"), ("parquet", "Parquet")] {
        let config = dashboard(format);
        let page = lens("read", &config, &[]).expect(3).stdout;
        let page = page.replace(text(&config), "PATH").replace(&format!("dashboard-{format}"), "dashboard");
        insta::allow_duplicates! {
            insta::assert_snapshot!(page.replace(name, "FORMAT"), @r"
            S3 Storage Lens export dashboard of account 111122223333
             2026-03-18, the latest of 2 days, FORMAT, 2 report files, 48 rows
             PATH

            MFA DELETE ENABLED
             Account       Region          Bucket
             111122223333  us-east-1       only-deleted
             111122223333  us-east-1       only-good
             111122223333  us-east-1       only-never
             444455556666  eu-west-1       member-logs

            MFA DELETE UNKNOWN: the export has no usable row of it for these
             Account       Region          Bucket
             111122223333  us-east-1       only-silent

             4 of 7 buckets; 2 not enabled, 1 unknown
            ");
        }
        let rows = lens("read", &config, &["--format", "csv"]).expect(3).stdout;
        assert_eq!(rows.lines().count(), 6);
        assert!(
            rows.contains(&format!(
                "\n444455556666,eu-west-1,member-logs,enabled,dashboard-{format},2026-03-18,complete\n"
            )),
            "{rows}"
        );
        let said: Value =
            serde_json::from_str(&lens("read", &config, &["--format", "json"]).expect(3).stdout).expect("JSON");
        assert_eq!(said["export"]["partial"], false);
        assert_eq!((&said["mfa_delete_enabled"], &said["mfa_delete_unknown"]), (&json!(4), &json!(1)));
        assert_eq!(
            said["buckets"][3],
            json!({"account_id": "444455556666", "region": "eu-west-1", "bucket": "member-logs"})
        );
    }
}

#[test]
fn every_way_to_name_an_export_leads_to_it() {
    let config = dashboard("csv");
    let day = config.join("V_1/manifests").join(DAY);
    let other = config.join("V_1/manifests/dt=2026-03-17");
    // Only one export stands there.
    let space = tempfile::tempdir().expect("a folder");
    let root = space.path().join("StorageLens").join(OWNER);
    copy(&config, &root.join("dashboard-csv"));
    // A copy without folders.
    let flat = space.path().join("flat");
    copy(&day, &flat);
    copy(&config.join("V_1/reports").join(DAY), &flat);
    for (path, said) in [
        (day.join("manifest.json"), "2026-03-18, CSV"),
        (day.clone(), "2026-03-18, CSV"),
        (other, "2026-03-17, CSV"),
        (config.join("V_1/reports").join(DAY), "2026-03-18, CSV"),
        (config.join("V_1/reports"), "2026-03-18, the latest of 2 days, CSV"),
        (config.join("V_1/manifests"), "2026-03-18, the latest of 2 days, CSV"),
        (config.join("V_1"), "2026-03-18, the latest of 2 days, CSV"),
        (config.clone(), "2026-03-18, the latest of 2 days, CSV"),
        (root.clone(), "2026-03-18, the latest of 2 days, CSV"),
        (space.path().join("StorageLens"), "2026-03-18, the latest of 2 days, CSV"),
        (space.path().to_owned(), "2026-03-18, the latest of 2 days, CSV"),
        (flat.clone(), "2026-03-18, CSV"),
        (flat.join("manifest.json"), "2026-03-18, CSV"),
    ] {
        let page = lens("read", &path, &[]).expect(3).stdout;
        assert!(page.contains(&format!("\n {said}, 2 report files, 48 rows\n")), "{}: {page}", path.display());
        assert!(page.ends_with("\n 4 of 7 buckets; 2 not enabled, 1 unknown\n"), "{page}");
    }
    // A path from the working directory.
    let ran = Cli::new(["storage-lens", "read", "here/../here"]).file("here/x", "");
    copy(&flat, &ran.home().join("here"));
    ran.run().expect(3);
}

#[test]
fn several_exports_are_not_mixed() {
    let ran = lens("read", &fixture(), &[]).expect(2);
    assert!(ran.stderr.contains("there are 2 exports in ") && ran.stderr.contains("dashboard-csv"), "{}", ran.stderr);
    assert!(ran.stderr.contains("help: name one of them"), "{}", ran.stderr);
    let own = minimal();
    assert!(lens("read", &own.path("out"), &[]).expect(2).stderr.contains("bucketlens-parquet"));
}

#[test]
fn what_is_no_export_is_refused_with_a_sentence() {
    let space = tempfile::tempdir().expect("a folder");
    let write = |name: &str, content: &str| {
        let path = space.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(&path, content).expect("writable");
        path
    };
    fs::create_dir(space.path().join("empty")).expect("writable");
    fs::create_dir_all(space.path().join("config/V_1/manifests")).expect("writable");
    for (path, words) in [
        (space.path().join("nowhere"), "failed to open "),
        (space.path().join("empty"), "there is no export of S3 Storage Lens in "),
        (space.path().join("config"), "there is no day (dt=YYYY-MM-DD) in "),
        (write("a/manifest.json", "{}"), "it is no manifest of S3 Storage Lens: missing field `sourceAccountId`"),
        (write("b/manifest.json", "\u{1b}[2J"), "it is no manifest of S3 Storage Lens: expected value"),
        (PathBuf::from("s3://"), "\"s3://\" is no place in S3"),
        (
            dashboard("csv").join("V_1/reports").join(DAY).join("a38f6bc4-2e3d-4355-ac8a-e2fdcf3de150.csv"),
            "it is no manifest",
        ),
    ] {
        let ran = lens("read", &path, &[]).expect(2);
        assert!(ran.stderr.contains(words), "{}: {}", path.display(), ran.stderr);
        assert!(ran.stderr.contains("\n  help: ") && !ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
    let ran = lens("compare", &dashboard("csv"), &["--with", text(space.path())]).expect(2);
    assert!(ran.stderr.contains("it holds no inventory"), "{}", ran.stderr);
}

/// A copy of a fixture that a test may change.
pub(super) struct Copy {
    pub(super) space: tempfile::TempDir,
    extension: &'static str,
}

impl Copy {
    pub(super) fn of(format: &str) -> Self {
        let space = tempfile::tempdir().expect("a folder");
        copy(&dashboard(format), space.path());
        Self { space, extension: if format == "csv" { "csv" } else { "par" } }
    }

    pub(super) fn manifest(&self) -> PathBuf {
        self.space.path().join("V_1/manifests").join(DAY).join("manifest.json")
    }

    pub(super) fn part(&self, number: usize) -> PathBuf {
        let name = format!("a38f6bc4-2e3d-4355-ac8a-e2fdcf3de15{number}.{}", self.extension);
        self.space.path().join("V_1/reports").join(DAY).join(name)
    }

    pub(super) fn change_manifest(&self, change: impl Fn(&mut Value)) {
        let mut manifest = json(&self.manifest());
        change(&mut manifest);
        fs::write(self.manifest(), manifest.to_string()).expect("writable");
    }

    /// Other content, with the manifest that belongs to it.
    pub(super) fn rewrite(&self, number: usize, content: &[u8]) {
        fs::write(self.part(number), content).expect("writable");
        let md5 = Md5::digest(content).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        self.change_manifest(|manifest| {
            manifest["reportFiles"][number]["size"] = json!(content.len());
            manifest["reportFiles"][number]["md5Checksum"] = json!(md5);
        });
    }

    fn replace(&self, number: usize, from: &str, to: &str) {
        let text = fs::read_to_string(self.part(number)).expect("text");
        assert!(text.contains(from), "{from}");
        self.rewrite(number, text.replacen(from, to, 1).as_bytes());
    }

    /// It is refused with these words, and read in part with `--allow-partial`, marked so. Gives the page.
    #[track_caller]
    fn is_partial(&self, words: &str) -> String {
        let path = self.space.path();
        let refused = lens("read", path, &[]).expect(2);
        assert!(refused.stderr.contains("is not whole: ") && refused.stderr.contains(words), "{}", refused.stderr);
        assert!(refused.stderr.contains("--allow-partial"), "{}", refused.stderr);
        assert_eq!(refused.stdout, "");
        let page = lens("read", path, &["--allow-partial"]).expect(3).stdout;
        assert!(page.contains("\nPARTIAL: ") && page.contains(words), "{page}");
        let said = lens("read", path, &["--allow-partial", "--format", "json"]).expect(3).stdout;
        let said: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(said["export"]["partial"], true);
        let problems = said["export"]["problems"].as_array().expect("a list");
        assert!(problems.iter().any(|it| it.as_str().is_some_and(|it| it.contains(words))), "{problems:?}");
        let rows = lens("read", path, &["--allow-partial", "--format", "csv"]).expect(3).stdout;
        assert!(rows.lines().skip(1).all(|row| row.ends_with(",partial")), "{rows}");
        page
    }
}

#[test]
fn a_report_file_that_is_not_the_manifests_is_named_and_nothing_of_it_is_read() {
    for format in ["csv", "parquet"] {
        let copy = Copy::of(format);
        fs::remove_file(copy.part(1)).expect("there");
        let page = copy.is_partial("it is missing");
        assert!(page.ends_with(" 1 of 2 buckets in what could be read; 1 not enabled, 0 unknown\n"), "{page}");

        let copy = Copy::of(format);
        let content = fs::read(copy.part(1)).expect("there");
        fs::write(copy.part(1), &content[..content.len() - 1]).expect("writable");
        copy.is_partial(&format!("it has {} bytes where the manifest says {}", content.len() - 1, content.len()));

        let mut flipped = content.clone();
        flipped[content.len() / 2] ^= 1;
        fs::write(copy.part(1), &flipped).expect("writable");
        copy.is_partial("where the manifest says");
    }
}

#[test]
fn parquet_that_is_none_or_has_other_columns_is_named() {
    let copy = Copy::of("parquet");
    copy.rewrite(1, b"PAR1 or so");
    copy.is_partial("it is no Parquet file, or one that was cut off: its footer cannot be read");
    // Ours, but the wide table.
    let wide = fs::read(minimal().path("out/bucket_property_metrics.parquet")).expect("there");
    copy.rewrite(1, &wide);
    copy.is_partial("it has other columns than version V_1: version_number string, ");
    // The footer says what the file does not hold.
    let mut torn = fs::read(Copy::of("parquet").part(1)).expect("there");
    torn[4..60].fill(0xFF);
    copy.rewrite(1, &torn);
    let ran = lens("read", copy.space.path(), &[]).expect(2);
    assert!(ran.stderr.contains("is not whole: "), "{}", ran.stderr);
    for words in ["panicked", ".rs:", "parquet: File", "thrift"] {
        assert!(!ran.stderr.contains(words), "{}", ran.stderr);
    }
    copy.is_partial("it is a damaged Parquet file: from row 1 on its rows cannot be decoded");
}

#[test]
fn rows_that_do_not_belong_to_the_export_are_counted_and_left_out() {
    let first = "V_1,dashboard-csv,2026-03-18,111122223333,us-east-1,";
    for (from, to, words) in [
        ("V_1,", "V_2,", "1 row of another version than V_1, such as \"V_2\""),
        ("dashboard-csv", "other", "1 row of another configuration than the manifest's, such as \"other\""),
        ("2026-03-18", "2026-03-17", "1 row of another day than the manifest's, such as \"2026-03-17\""),
        (OWNER, "1111", "1 row whose account is no account id, such as \"1111\""),
        (
            first,
            "V_1,dashboard-csv\r\nV_1,dashboard-csv,2026-03-18,111122223333,us-east-1,",
            "1 row with another number of columns, such as row 1 with 2",
        ),
        (",BUCKET,,only-good,", ",BUCKET,,,", "1 row of a bucket without a name"),
        (
            "MFADeleteEnabledBucketCount,1\r\n",
            "MFADeleteEnabledBucketCount,1\r\nV_1,dashboard-csv,2026-03-18,111122223333,us-east-1,,BUCKET,,only-good,MFADeleteEnabledBucketCount,-1\r\n",
            "1 row whose value is no number from 0 on, such as MFADeleteEnabledBucketCount of only-good",
        ),
        (
            "MFADeleteEnabledBucketCount,1\r\n",
            "MFADeleteEnabledBucketCount,1\r\nV_1,dashboard-csv,2026-03-18,111122223333,us-east-1,,BUCKET,,only-good,MFADeleteEnabledBucketCount,0\r\n",
            "1 row of one bucket and metric that contradict each other, such as MFADeleteEnabledBucketCount of only-good",
        ),
        (
            "only-good,VersioningEnabledBucketCount,1",
            "only-good,VersioningEnabledBucketCount,2",
            "1 row of one bucket that count several, such as VersioningEnabledBucketCount 2 of only-good",
        ),
    ] {
        let copy = Copy::of("csv");
        copy.replace(0, from, to);
        copy.is_partial(words);
    }
    let copy = Copy::of("csv");
    let text = fs::read(copy.part(0)).expect("there");
    copy.rewrite(
        0,
        &[&text[..], b"V_1,dashboard-csv,2026-03-18,111122223333,x,,BUCKET,,\xff,StorageBytes,1\r\n"].concat(),
    );
    copy.is_partial("1 row that are no text in UTF-8, such as row 21");
}

impl Copy {
    /// Both parts, line by line; `None` leaves one out.
    pub(super) fn change_lines(&self, change: impl Fn(&str) -> Option<String>) {
        for number in [0, 1] {
            let text = fs::read_to_string(self.part(number)).expect("text");
            let text: String = text.lines().filter_map(|line| Some(change(line)? + "\r\n")).collect();
            self.rewrite(number, text.as_bytes());
        }
    }

    /// Nothing is unknown but what it says nothing of.
    #[track_caller]
    fn is_not_doubtful(&self) {
        let said = lens("read", self.space.path(), &["--format", "json"]).expect(3).stdout;
        let said: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!((&said["export"]["doubts"], &said["export"]["partial"]), (&json!([]), &json!(false)));
    }

    /// It is read, with these words about what it contradicts itself in, and the result counts as partial. Gives the page.
    #[track_caller]
    fn is_doubtful(&self, words: &str) -> String {
        let path = self.space.path();
        let page = lens("read", path, &[]).expect(3).stdout;
        assert!(page.contains("\nDOUBTFUL: ") && page.contains(&format!("\n {words}\n")), "{page}");
        let said = lens("read", path, &["--format", "json"]).expect(3).stdout;
        let said: Value = serde_json::from_str(&said).expect("JSON");
        let export = &said["export"];
        assert_eq!(
            (&export["doubts"], &export["problems"]),
            (&json!(words.lines().map(str::trim).collect::<Vec<_>>()), &json!([]))
        );
        assert_eq!(export["partial"], true);
        let rows = lens("read", path, &["--format", "csv"]).expect(3);
        for words in words.lines() {
            assert!(rows.stderr.contains(&format!("note: {}\n", words.trim())), "{}", rows.stderr);
        }
        assert!(rows.stdout.lines().skip(1).all(|row| row.ends_with(",partial")), "{}", rows.stdout);
        page
    }
}

#[test]
fn sums_of_accounts_that_are_not_those_of_their_buckets_are_named() {
    let (of_bucket, of_account) = (",BUCKET,,only-deleted,MFADelete", ",ACCOUNT,,,MFADelete");
    let sum = |account: &str, region: &str, said: u32, added: u32| {
        format!(
            "account {account}, {region}: its ACCOUNT rows of MFADeleteEnabledBucketCount add up to {said}, its BUCKET rows to {added}"
        )
    };
    // A bucket that was lost on the way.
    let copy = Copy::of("csv");
    copy.change_lines(|line| (!line.contains(of_bucket)).then(|| line.to_owned()));
    let page = copy.is_doubtful(&sum(OWNER, "us-east-1", 3, 2));
    assert!(page.ends_with("\n 3 of 7 buckets in what could be read; 2 not enabled, 2 unknown\n"), "{page}");
    let ran = minimal();
    let compared = lens("compare", copy.space.path(), &["--with", text(&ran.path("out"))]).expect(3).stdout;
    assert!(compared.contains(&sum(OWNER, "us-east-1", 3, 2)), "{compared}");
    // Rows of an account that are too few, and none, against which nothing can be held.
    let copy = Copy::of("csv");
    copy.change_lines(|line| {
        let is_it = line.contains(of_account) && line.contains("444455556666,eu-west-1");
        Some(if is_it { line.replace("Count,1", "Count,0") } else { line.to_owned() })
    });
    copy.is_doubtful(&sum("444455556666", "eu-west-1", 0, 1));
    let copy = Copy::of("csv");
    copy.change_lines(|line| (!line.contains(of_account)).then(|| line.to_owned()));
    copy.is_not_doubtful();
    // What the command does not use is not held against anything.
    let copy = Copy::of("csv");
    copy.change_lines(|line| (!line.contains(",BUCKET,,only-good,Versioning")).then(|| line.to_owned()));
    copy.is_not_doubtful();
    // Rows of one account and Region that say two things.
    let copy = Copy::of("csv");
    copy.change_lines(|line| {
        let is_it = line.contains(of_account) && line.contains("444455556666,eu-west-1");
        Some(if is_it { format!("{line}\r\n{}", line.replace("Count,1", "Count,2")) } else { line.to_owned() })
    });
    copy.is_doubtful(
        "account 444455556666, eu-west-1: its ACCOUNT rows of MFADeleteEnabledBucketCount contradict each other",
    );
}

#[test]
fn sums_are_held_by_region_where_rows_have_one() {
    let of_account = ",ACCOUNT,,,MFADelete";
    // One account's: they are the same in sum.
    let copy = Copy::of("csv");
    copy.change_lines(|line| {
        let is = |region: &str| line.contains(&format!("444455556666,{region},")) && line.contains(of_account);
        let other = |from: &str, to: &str| line.replace(from, to);
        Some(if is("eu-west-1") {
            other("Count,1", "Count,0")
        } else if is("us-east-1") {
            other("Count,0", "Count,1")
        } else {
            line.to_owned()
        })
    });
    copy.is_doubtful(
        "account 444455556666, eu-west-1: its ACCOUNT rows of MFADeleteEnabledBucketCount add up to 0, its BUCKET rows to 1\n \
         account 444455556666, us-east-1: its ACCOUNT rows of MFADeleteEnabledBucketCount add up to 1, its BUCKET rows to 0",
    );
    // No row of one Region.
    let copy = Copy::of("csv");
    let is_it = |line: &str| line.contains("444455556666,eu-west-1,") && line.contains(of_account);
    copy.change_lines(|line| (!is_it(line)).then(|| line.to_owned()));
    copy.is_doubtful(
        "account 444455556666, eu-west-1: it has no ACCOUNT row of MFADeleteEnabledBucketCount, and its BUCKET rows add up to 1",
    );
    // AWS does not say that rows of accounts have one: here a row an account.
    let empty = |line: &str| {
        let zero = format!("{OWNER},eu-west-1,,ACCOUNT,,,MFADelete");
        let another = "444455556666,us-east-1,,ACCOUNT,,,MFADelete";
        let is_one = line.contains(of_account);
        let without = || line.replace(",us-east-1,", ",,").replace(",eu-west-1,", ",,");
        (!line.contains(&zero) && !line.contains(another)).then(|| if is_one { without() } else { line.to_owned() })
    };
    let copy = Copy::of("csv");
    copy.change_lines(empty);
    copy.is_not_doubtful();
    copy.change_lines(|line| {
        let is_it = line.contains("444455556666,,,ACCOUNT,,,MFADelete");
        Some(if is_it { line.replace("Count,1", "Count,0") } else { line.to_owned() })
    });
    copy.is_doubtful(
        "account 444455556666: its ACCOUNT rows of MFADeleteEnabledBucketCount add up to 0, its BUCKET rows to 1",
    );
}

/// Also where the sums of MFA delete are right, because there is none.
#[test]
fn a_region_whose_buckets_have_no_row_is_named() {
    let copy = Copy::of("csv");
    copy.change_lines(|line| (!line.contains(",BUCKET,,only-lifecycle,")).then(|| line.to_owned()));
    copy.is_doubtful(&format!("account {OWNER}, eu-west-1: it has ACCOUNT rows and no BUCKET row"));
}

#[test]
fn an_account_without_any_bucket_is_named() {
    for metric in ["MFADeleteEnabledBucketCount,0", "MFADeleteEnabledBucketCount,2", "StorageBytes,17"] {
        let copy = Copy::of("csv");
        let row = format!("V_1,dashboard-csv,2026-03-18,777788889999,eu-west-1,,ACCOUNT,,,{metric}");
        copy.change_lines(|line| {
            let is_last = line.contains(",STORAGE_LENS_GROUP_ACCOUNT,");
            Some(if is_last { format!("{line}\r\n{row}") } else { line.to_owned() })
        });
        copy.is_doubtful("account 777788889999: it has ACCOUNT rows and no BUCKET row");
    }
}

#[test]
fn a_name_that_several_buckets_would_have_is_named() {
    for (account, region) in [("444455556666", "eu-west-1"), (OWNER, "eu-west-1")] {
        let copy = Copy::of("csv");
        let place = format!("2026-03-18,{account},{region},");
        copy.change_lines(|line| {
            let is_it = line.contains(",BUCKET,,only-good,StorageBytes,");
            let twice = || line.replace(&format!("2026-03-18,{OWNER},us-east-1,"), &place);
            Some(if is_it { format!("{line}\r\n{}", twice()) } else { line.to_owned() })
        });
        let mut places = [(OWNER, "us-east-1"), (account, region)];
        places.sort_unstable();
        let [(account, region), (other, there)] = places;
        copy.is_doubtful(&format!(
            "bucket only-good: in account {account}, {region}, and in account {other}, {there}, and a name belongs to one \
             bucket"
        ));
    }
}

#[test]
fn a_header_line_is_one_only_with_these_columns() {
    let copy = Copy::of("csv");
    let text = fs::read_to_string(copy.part(0)).expect("text");
    let header = bucketlens::storage_lens::COLUMNS.join(",");
    copy.rewrite(0, format!("{header}\r\n{text}").as_bytes());
    let page = lens("read", copy.space.path(), &[]).expect(3).stdout;
    assert!(page.ends_with("\n 4 of 7 buckets; 2 not enabled, 1 unknown\n"), "{page}");
    copy.rewrite(0, format!("{}\r\n{text}", header.replace("metric_value", "value")).as_bytes());
    copy.is_partial("it has other columns than version V_1: version_number,");
}

#[test]
fn an_export_that_says_nothing_is_no_list_without_buckets() {
    let copy = Copy::of("csv");
    for number in [0, 1] {
        copy.rewrite(number, b"");
    }
    assert!(lens("read", copy.space.path(), &[]).expect(2).stderr.contains("is empty: its report files hold no row"));

    let copy = Copy::of("csv");
    copy.change_manifest(|manifest| manifest["reportFiles"] = json!([]));
    for more in [vec![], vec!["--allow-partial"]] {
        assert!(lens("read", copy.space.path(), &more).expect(2).stderr.contains("it lists no report file"));
    }

    let copy = Copy::of("csv");
    for number in [0, 1] {
        let text = fs::read_to_string(copy.part(number)).expect("text");
        copy.rewrite(number, text.replace("MFADeleteEnabledBucketCount", "ObjectCount").as_bytes());
    }
    let ran = lens("read", copy.space.path(), &[]).expect(2);
    assert!(ran.stderr.contains("no BUCKET row of MFADeleteEnabledBucketCount: nothing can be said"), "{}", ran.stderr);
}

#[test]
fn a_manifest_never_leads_out_of_its_export() {
    let copy = Copy::of("csv");
    let outside = copy.space.path().join("outside.csv");
    fs::copy(copy.part(1), &outside).expect("writable");
    for key in ["daily/StorageLens/111122223333/dashboard-csv/V_1/reports/../../outside.csv", text(&outside)] {
        copy.change_manifest(|manifest| manifest["reportFiles"][1]["key"] = json!(key));
        copy.is_partial("it is missing");
    }
    // The same file under the name of another account, or of another configuration.
    for (from, to) in [(OWNER, "444455556666"), ("dashboard-csv", "dashboard")] {
        let copy = Copy::of("csv");
        copy.change_manifest(|manifest| {
            let key = manifest["reportFiles"][1]["key"].as_str().expect("a key").replace(from, to);
            manifest["reportFiles"][1]["key"] = json!(key);
        });
        copy.is_partial("its name does not belong to the export: ");
    }
}

#[test]
fn a_manifest_of_another_version_cannot_be_read_at_all() {
    for (field, value, words) in [
        ("reportVersion", "V_2", "it is of version \"V_2\", and only V_1 is known"),
        ("reportSchema", "version_number,metric_value", "its columns are not those of version V_1"),
        ("reportDate", "yesterday", "its reportDate \"yesterday\" is no day"),
    ] {
        let copy = Copy::of("csv");
        copy.change_manifest(|manifest| manifest[field] = json!(value));
        let ran = lens("read", copy.space.path(), &["--allow-partial"]).expect(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}

#[test]
fn our_own_export_beside_its_run_differs_in_nothing() {
    let ran = minimal();
    for config in ["bucketlens-csv", "bucketlens-parquet"] {
        let export = ran.path("out/StorageLens").join(OWNER).join(config);
        let page = lens("compare", &export, &["--with", text(&ran.path("out"))]).expect(0).stdout;
        let end = "\nDIFFERENCES\n none\n\n 3 general purpose buckets, 27 values equal, 0 disagreement, \
                   0 other_region, 0 lag, 0 run_lag, 0 new, 0 gone, 0 contradiction, 0 unknown\n";
        assert!(page.ends_with(end), "{page}");
        let read = lens("read", &export, &["--format", "csv"]).expect(0).stdout;
        assert_eq!(read.lines().count(), 2, "{read}");
        assert!(read.contains("\n111122223333,us-east-1,only-good,enabled,"), "{read}");
    }
}

#[test]
fn what_the_run_does_not_know_is_unknown_and_not_different() {
    let ran = super::demo();
    let export = ran.path("out/StorageLens").join(super::MANAGEMENT).join("bucketlens-parquet");
    let said = lens("compare", &export, &["--with", text(&ran.path("out")), "--format", "json"]).expect(3).stdout;
    let said: Value = serde_json::from_str(&said).expect("JSON");
    let none = ["disagreement", "other_region", "lag", "run_lag", "new", "gone", "contradiction", "directory_buckets"];
    let none = none.iter().map(|kind| ((*kind).to_owned(), json!(0))).collect();
    let some = json!({"buckets": 37, "vanished_buckets": 1, "equal": 324, "unknown": 9});
    let counts = crate::scan::with(Value::Object(none), &some);
    assert_eq!(said["counts"], counts);
    assert_eq!(said["metrics_not_exported"], json!([]));
}

#[test]
fn differences_have_names() {
    let ran = minimal();
    let run = ran.path("out");
    let compare = |path: &Path, more: &[&str]| lens("compare", path, &[&["--with", text(&run)], more].concat());
    // Older than the scan: what differs may have changed since.
    let page = compare(&dashboard("parquet"), &[]).expect(3).stdout;
    let (_, differences) = page.split_once("\nDIFFERENCES\n").expect("a page");
    insta::assert_snapshot!(differences, @r"
     111122223333  us-east-1  only-deleted
       gone           the run listed all buckets of the account
     111122223333  us-east-1  only-never
       lag            MFADeleteEnabledBucketCount: export 1, run 0; the export is of 2026-03-18, before it was read
     111122223333  us-east-1  only-silent
       gone           the run listed all buckets of the account
     444455556666  eu-west-1  member-logs
       unknown        the run did not read this account
     444455556666  us-east-1  member-scratch
       unknown        the run did not read this account

     7 general purpose buckets, 5 values equal, 0 disagreement, 0 other_region, 1 lag, 0 run_lag, 0 new, 2 gone, 0 contradiction, 2 unknown
     The export has no bucket row of TransitionLifecycleRuleCount, ExpirationLifecycleRuleCount, NoncurrentVersionTransitionLifecycleRuleCount, NoncurrentVersionExpirationLifecycleRuleCount, AbortIncompleteMPULifecycleRuleCount, ExpiredObjectDeleteMarkerLifecycleRuleCount, TotalLifecycleRuleCount.
    ");
    // Without a bucket that the run has, and of another day.
    let of_day = |day: &str| {
        let copy = Copy::of("csv");
        // The sums of accounts are those of all buckets.
        let is_left = |line: &str| !line.contains(",only-lifecycle,") && !line.contains(",ACCOUNT,");
        copy.change_lines(|line| is_left(line).then(|| line.replace("2026-03-18", day)));
        copy.change_manifest(|manifest| manifest["reportDate"] = json!(day));
        copy
    };
    let kinds = |rows: &str, kind: &str| {
        let rows = rows.lines().filter(|row| row.contains(&format!(",{kind},")));
        rows.map(|row| row.split(',').nth(2).unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    // Of the day of the scan: one of them is wrong.
    let start = json(&run.join("report.json"))["run"]["start"].as_str().expect("a time")[..10].to_owned();
    let same_day = of_day(&start);
    let rows = compare(same_day.space.path(), &["--format", "csv"]).expect(1).stdout;
    assert!(rows.contains(",only-never,disagreement,MFADeleteEnabledBucketCount,1,0,"), "{rows}");
    assert_eq!(kinds(&rows, "disagreement"), ["only-never"], "{rows}");
    assert_eq!((kinds(&rows, "new"), kinds(&rows, "run_lag").len()), (vec!["only-lifecycle".to_owned()], 0), "{rows}");
    // Of a later day: everything may have changed since the scan, and nothing is held against either.
    let later = of_day("2999-03-18");
    let rows = compare(later.space.path(), &["--format", "csv"]).expect(3).stdout;
    assert_eq!(kinds(&rows, "run_lag"), ["only-deleted", "only-lifecycle", "only-never", "only-silent"], "{rows}");
    for kind in ["disagreement", "lag", "new", "gone"] {
        assert!(kinds(&rows, kind).is_empty(), "{kind}: {rows}");
    }
    for why in [
        "MFADeleteEnabledBucketCount,1,0,",
        ",the export of 2999-03-18 has no row of it: it may be gone since",
        &format!(",the run of {start} does not have it: it may have come since"),
        ",\"the export is of 2999-03-18, after it was read\"",
    ] {
        assert!(rows.contains(why), "{why}: {rows}");
    }
    let partial = Copy::of("csv");
    fs::remove_file(partial.part(1)).expect("there");
    assert!(compare(partial.space.path(), &[]).expect(2).stderr.contains("it is missing"));
    assert!(compare(partial.space.path(), &["--allow-partial"]).expect(3).stdout.contains("The export is partial."));
}

#[test]
fn a_bucket_of_a_filtered_run_is_not_gone() {
    let simulator = crate::common::Sim::json(include_str!("../../../fixtures/orgs/minimal.json"));
    let arguments = ["scan", "--out", "out", "--bucket", "only-g*", "--fail-on", "none"];
    let ran = Cli::new(arguments).at(&simulator.endpoint, OWNER).run().expect(0);
    let rows =
        lens("compare", &dashboard("csv"), &["--with", text(&ran.path("out")), "--format", "csv"]).expect(3).stdout;
    assert!(!rows.contains(",gone,"), "{rows}");
    assert!(rows.contains(",only-deleted,unknown,,,,,the run was asked for some buckets or Regions only"), "{rows}");
}
