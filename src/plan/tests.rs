//! Plans of made-up buckets, with names that nobody should give, in every format.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Arc;

use time::macros::date;

use super::*;
use crate::evaluate::Evaluator;
use crate::lifecycle::{Action, Configuration, Filter, Rule, When};
use crate::model::{
    Account, ActionKind, DefaultLock, DefaultRetention, ErrorClass, Extras, Fact, Facts, LeftOut, Lifecycle,
    LifecycleConfiguration, LifecycleRule, MfaDelete, ObjectLock, Observed, Operation, OuPath, Outcome, Partition,
    Reading, Reason, Region, Replication, ReplicationRule, RetentionMode, RetentionPeriod, RuleStatus, RunId,
    Sha256Sum, Timestamp, Version, Versioning, VersioningState,
};

const ONE: &str = "111111111111";

fn at() -> Timestamp {
    Timestamp::from_unix(1_800_000_000).expect("in range")
}

fn known<T>(value: T) -> Fact<T> {
    Fact { at: at(), observed: Observed::Known(value) }
}

fn unknown<T>(operation: Operation, message: &str) -> Fact<T> {
    let reason = Reason {
        operation,
        class: ErrorClass::Denied,
        code: Some("AccessDenied".to_owned()),
        http_status: Some(403),
        request_id: None,
        message: message.to_owned(),
    };
    Fact { at: at(), observed: Observed::Unknown(Arc::new(reason)) }
}

fn state(versioning: Versioning, mfa_delete: MfaDelete) -> Fact<VersioningState> {
    known(VersioningState { versioning, mfa_delete })
}

fn plain() -> Fact<VersioningState> {
    state(Versioning::Enabled, MfaDelete::Never)
}

fn rules(id: &str, kind: ActionKind, action: Action) -> Fact<Lifecycle> {
    let rule = LifecycleRule { id: id.to_owned(), status: RuleStatus::Enabled, actions: BTreeSet::from([kind]) };
    let read = Rule { id: id.to_owned(), enabled: true, filter: Filter::default(), actions: vec![action] };
    let reading = Reading::Read(Configuration { rules: vec![read] });
    known(Lifecycle::Present(LifecycleConfiguration { rules: vec![rule], reading, minimum_size: None }))
}

fn abort() -> Fact<Lifecycle> {
    rules("uploads", ActionKind::AbortIncompleteMultipartUpload, Action::AbortIncompleteMultipartUpload { days: 7 })
}

fn expire() -> Fact<Lifecycle> {
    rules("old", ActionKind::Expiration, Action::Expiration(When::Days(90)))
}

fn none() -> Fact<Lifecycle> {
    known(Lifecycle::None)
}

fn bucket(name: &str, versioning: Fact<VersioningState>, lifecycle: Fact<Lifecycle>, extras: Extras) -> BucketRecord {
    BucketRecord {
        account: AccountId::parse(ONE).expect("an id"),
        region: Region::new("eu-west-1"),
        bucket: name.to_owned(),
        facts: Facts::Read { versioning, lifecycle, extras: Box::new(extras) },
    }
}

fn locked(mode: RetentionMode) -> Extras {
    let retention = Some(DefaultRetention { mode, period: RetentionPeriod::Days(30) });
    let lock = DefaultLock { retention, event_hold: None };
    Extras { object_lock: Some(known(ObjectLock::Enabled(lock))), ..Extras::default() }
}

fn replicates(to: &str, account: &str) -> Extras {
    let rule = ReplicationRule {
        id: None,
        enabled: true,
        prefix: String::new(),
        tags: Vec::new(),
        destination: format!("arn:aws:s3:::{to}"),
        account: AccountId::parse(account).ok(),
        left_out: LeftOut::default(),
        delete_markers: None,
        kms_objects: None,
    };
    let replication = Some(known(Replication::Present(vec![rule])));
    Extras { object_lock: Some(known(ObjectLock::None)), replication, ..Extras::default() }
}

fn courses(buckets: &[BucketRecord], standard: Standard) -> BTreeMap<String, Course> {
    let today = date!(2027 - 01 - 15);
    let (evaluator, analyst, mut targets) =
        (Evaluator::new(standard, today, Some("aws")), Analyst::new(today), Targets::default());
    for record in buckets {
        targets.meet(record);
    }
    let judge = Judge { evaluator: &evaluator, analyst: &analyst, targets: &targets };
    buckets.iter().map(|record| (record.bucket.clone(), judge.course(record))).collect()
}

fn run() -> Run {
    Run {
        id: RunId::parse("run").expect("an id"),
        start: at(),
        end: at(),
        resumed: Vec::new(),
        interrupted: false,
        version: Version::parse("0.0.0").expect("a version"),
        standard: Standard::Cis,
        accepted_controls: BTreeSet::new(),
        scope: Vec::new(),
        extras: BTreeSet::new(),
        group_by_tag: None,
        directory_regions: None,
        caller_arn: None,
        organization_id: None,
        partition: Partition::parse("aws-eusc").ok(),
        clock_skew_seconds: None,
        configuration_digest: Sha256Sum::parse(&"0".repeat(64)).expect("a digest"),
    }
}

fn written(format: Format, account_name: &str, buckets: &[BucketRecord]) -> String {
    let courses = courses(buckets, Standard::Cis);
    let mut tally = Tally::default();
    for course in courses.values() {
        tally.count(course);
    }
    let id = AccountId::parse(ONE).expect("an id");
    let account =
        Account { id: id.clone(), name: account_name.to_owned(), ou_path: OuPath::default(), state: None, tag: None };
    let record = AccountRecord::new(&account, Outcome::Incomplete(format!("cut off: {account_name}")), 0);
    let (run, section) = (run(), Section { account: &record, tally });
    let mut out = Vec::new();
    let mut plan = sink(format, &mut out);
    let head =
        Head { run: &run, standard: Standard::Cis, tally, incomplete: 1, target_doubts: vec!["mind it".to_owned()] };
    plan.begin(&head).and_then(|()| plan.account(&section)).expect("memory");
    for bucket in buckets {
        let course = &courses[&bucket.bucket];
        plan.bucket(&Entry { account: &id, record: bucket, course }).expect("memory");
    }
    plan.account_end(&section).and_then(|()| plan.finish()).expect("memory");
    drop(plan);
    String::from_utf8(out).expect("text")
}

#[test]
fn the_course_follows_from_this_table() {
    let denied = || unknown(Operation::GetBucketVersioning, "no");
    let buckets = [
        bucket("plain", plain(), none(), Extras::default()),
        bucket("switched-off", state(Versioning::Enabled, MfaDelete::Disabled), none(), Extras::default()),
        bucket("never", state(Versioning::Never, MfaDelete::Never), none(), Extras::default()),
        bucket("halved", state(Versioning::Suspended, MfaDelete::Enabled), none(), Extras::default()),
        bucket("guarded", state(Versioning::Enabled, MfaDelete::Enabled), none(), Extras::default()),
        bucket("uploads", plain(), abort(), Extras::default()),
        bucket("logs", plain(), expire(), Extras::default()),
        bucket("both", state(Versioning::Enabled, MfaDelete::Enabled), abort(), Extras::default()),
        bucket("both-expiring", state(Versioning::Enabled, MfaDelete::Enabled), expire(), Extras::default()),
        bucket("both-suspended", state(Versioning::Suspended, MfaDelete::Enabled), abort(), Extras::default()),
        bucket("locked", plain(), none(), locked(RetentionMode::Compliance)),
        bucket("source", plain(), none(), replicates("target", "222222222222")),
        bucket("target", plain(), none(), Extras::default()),
        bucket("secret-state", denied(), none(), Extras::default()),
        bucket("secret-rules", plain(), unknown(Operation::GetBucketLifecycleConfiguration, "no"), Extras::default()),
        bucket("no name", plain(), none(), Extras::default()),
    ];
    let words = |standard| -> BTreeMap<String, String> {
        let reasons = |why: &[course::Why]| {
            why.iter().fold(String::new(), |text, why| {
                text + match why {
                    course::Why::LifecycleDeletes => " deletes",
                    course::Why::ReplicationTarget(_) => " target",
                    course::Why::ObjectLock(_) => " lock",
                }
            })
        };
        let word = |course: &Course| match course {
            Course::Nothing => "nothing".to_owned(),
            Course::NotOffered => "not offered".to_owned(),
            Course::Conflict(_, why) => format!("conflict:{}", reasons(why)),
            Course::Enable(work) => format!("enable {}", work.lifecycle.as_ref().map_or(0, |it| it.rules)),
            Course::WrongTool(_, why) => format!("wrong tool:{}", reasons(why)),
            Course::Unknown(reasons) => format!("unknown {}", reasons[0].action.unwrap_or_default()),
            Course::NoName => "no name".to_owned(),
        };
        courses(&buckets, standard).iter().map(|(name, course)| (name.clone(), word(course))).collect()
    };
    let cis = [
        ("plain", "enable 0"),
        ("switched-off", "enable 0"),
        ("never", "enable 0"),
        ("halved", "enable 0"),
        ("guarded", "nothing"),
        ("uploads", "enable 1"),
        ("logs", "wrong tool: deletes"),
        ("both", "conflict:"),
        ("both-expiring", "conflict: deletes"),
        ("both-suspended", "conflict:"),
        ("locked", "wrong tool: lock"),
        ("source", "enable 0"),
        ("target", "wrong tool: target"),
        ("secret-state", "unknown s3:GetBucketVersioning"),
        ("secret-rules", "unknown s3:GetLifecycleConfiguration"),
        ("no name", "no name"),
    ];
    let found = words(Standard::Cis);
    assert_eq!(found.len(), cis.len());
    for (name, course) in cis {
        assert_eq!(found[name], course, "{name}");
    }
    // There a bucket with a lifecycle configuration gets no finding for MFA delete.
    let hub = words(Standard::SecurityHub);
    assert_eq!((hub["uploads"].as_str(), hub["logs"].as_str()), ("nothing", "nothing"));
}

/// Names with everything that a shell, Markdown or a terminal obeys.
fn hostile() -> Vec<BucketRecord> {
    let words = "'\"`$(touch owned)`\\\n# \u{1B}[2J</code>|[x](y)\u{202E}";
    let expiring = |id: &str| rules(id, ActionKind::Expiration, Action::Expiration(When::Days(1)));
    vec![
        bucket(words, plain(), none(), Extras::default()),
        bucket("--profile", plain(), none(), Extras::default()),
        bucket("file://etc", plain(), none(), Extras::default()),
        bucket("logs", plain(), expiring(words), Extras::default()),
        bucket("quiet", unknown(Operation::GetBucketVersioning, words), none(), Extras::default()),
        bucket("source'", plain(), none(), replicates("target", "222222222222")),
        bucket("target", plain(), none(), Extras::default()),
        bucket("file://unread", unknown(Operation::GetBucketVersioning, words), none(), Extras::default()),
    ]
}

#[test]
fn hostile_names_stay_names_in_a_script() {
    let folder = tempfile::tempdir().expect("a folder");
    let words = "'; touch owned; '\n$(touch owned)";
    let script = written(Format::Sh, words, &hostile());
    assert!(!script.contains('\u{1B}') && !script.contains('\u{202E}'));
    // What speaks of the buckets is run by a function that only shows what it is given.
    let data = script[script.find("# Account").expect("data")..].replace("main \"$@\"", "plan_111111111111");
    let shows = "turn() { printf '%s|' \"$@\"; echo; }\nsays() { turn \"$@\"; }\nunlike() { turn \"$@\"; }\n\
                 unknown() { turn \"$@\"; }\n";
    for shell in ["/bin/sh", "/bin/bash"] {
        let checked = Command::new(shell).args(["-n", "-c", &script]).output().expect("a shell");
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        let ran = Command::new(shell).args(["-c", &(shows.to_owned() + &data)]).current_dir(&folder).output();
        let ran = ran.expect("a shell");
        let text = String::from_utf8(ran.stdout).expect("text");
        assert_eq!((ran.status.code(), ran.stderr.as_slice()), (Some(0), [].as_slice()), "{text}");
        let turns: Vec<&str> = text.lines().filter(|line| line.contains(".json|")).collect();
        let logs = format!("logs|eu-west-1|Enabled|None|1|unread|wrong-tool|lifecycle-{ONE}-logs.json|");
        let contents = turns[0].strip_prefix(&logs).and_then(|rest| rest.strip_suffix('|')).expect(turns[0]);
        let rules: serde_json::Value = serde_json::from_str(contents).expect("JSON");
        assert!(contents.is_ascii() && rules[0][6][0] == 1, "{contents}");
        assert_eq!(rules[0][0], "'\"`$(touch owned)`\\\n# \u{1B}[2J</code>|[x](y)\u{202E}");
        let target = format!("target|eu-west-1|Enabled|None|0|unread|wrong-tool|lifecycle-{ONE}-target.json||");
        assert_eq!(turns[1..], [target.as_str()]);
    }
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 0, "something was run");
}

#[test]
fn hostile_names_stay_names_in_markdown() {
    let document = written(Format::Markdown, "`# Account`\n# Account", &hostile());
    assert!(!document.contains('\u{1B}') && !document.contains('\u{202E}'));
    let headings: Vec<&str> = document.lines().filter(|line| line.starts_with('#')).collect();
    assert!(headings.iter().all(|line| !line.contains("touch") || line.starts_with("### ``")), "{headings:#?}");
    assert_eq!(headings.iter().filter(|line| line.starts_with("# ")).count(), 1, "{headings:#?}");
    let commands = document.lines().filter(|line| line.trim_start().starts_with("aws "));
    assert!(commands.clone().count() > 5);
    for command in commands {
        assert!(
            ["touch", "--profile", "file://etc", "file://unread", "source'"].iter().all(|it| !command.contains(it)),
            "{command}"
        );
    }
}

#[test]
fn json_has_every_bucket_that_needs_something() {
    let plan: serde_json::Value = serde_json::from_str(&written(Format::Json, "\"", &hostile())).expect("JSON");
    let buckets = plan["accounts"][0]["buckets"].as_array().expect("a list");
    let courses: Vec<&str> = buckets.iter().map(|bucket| bucket["course"].as_str().expect("a word")).collect();
    assert_eq!(courses, ["no_name", "no_name", "no_name", "wrong_tool", "unknown", "no_name", "wrong_tool", "unknown"]);
    assert_eq!(buckets[7]["read_first"], serde_json::json!([]), "no such name is put into a command");
    assert_eq!(buckets[4]["needs"][0], "s3:GetBucketVersioning");
    assert_eq!(plan["accounts"][0]["about"]["outcome"], "incomplete");
}

#[test]
fn every_step_of_a_partition_names_its_own_arns() {
    let document = written(Format::Markdown, "", &[bucket("plain", plain(), none(), Extras::default())]);
    assert!(document.contains("MFA_SERIAL=arn:aws-eusc:iam::111111111111:mfa/root-account-mfa-device"));
    assert!(document.contains("`arn:aws-eusc:iam::111111111111:root`") && !document.contains("arn:aws:"), "{document}");
}
