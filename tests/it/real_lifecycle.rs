//! The verdicts on lifecycle rules against a server that acts them out: Ceph RGW, whose days are made short.
//!
//! Where RGW does otherwise than AWS documents the case says so: see `fixtures/lifecycle/README.md`.

mod cases;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use bucketlens::lifecycle::read::read;
use bucketlens::lifecycle::{Action, Configuration, Filter, StorageClass, Verdict, Versions, When, analyse};
use serde_json::json;
use time::OffsetDateTime;

use crate::common::Cli;
use crate::servers::{LifecyclePass, Requests, Rgw};

const ACCOUNT: &str = "111111111111";
/// Seconds. RGW begins its round anew when a day is over, so a day must last longer than it needs for a few buckets.
const DAY: u32 = 5;
/// For what takes 20 seconds on an idle machine.
const PATIENCE: Duration = Duration::from_mins(4);

/// An enabled rule.
fn rule(id: &str, filter: &str, actions: &str) -> String {
    format!("<Rule><ID>{id}</ID>{filter}<Status>Enabled</Status>{actions}</Rule>")
}

fn configuration(rules: &str) -> String {
    format!(
        "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rules}</LifecycleConfiguration>"
    )
}

/// What a key has when the rules are put.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    /// An object; in a suspended bucket with the version id `null`.
    Current,
    /// In a suspended bucket: an object from the time when versioning was enabled.
    Older,
    /// An object that was overwritten once: it is for the noncurrent version.
    Noncurrent,
    /// A delete marker alone.
    Marker,
    Upload,
}

struct Object {
    key: &'static str,
    tags: &'static [(&'static str, &'static str)],
    bytes: u16,
    made: Made,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept(StorageClass),
    /// It lies under a delete marker.
    Marked(StorageClass),
    Gone,
}

const KEPT: Fate = Fate::Kept(StorageClass::Standard);

fn object(key: &'static str, made: Made) -> Object {
    Object { key, tags: &[], bytes: 10, made }
}

fn current(key: &'static str) -> Object {
    object(key, Made::Current)
}

/// Where RGW differs from AWS.
#[derive(Clone, Copy)]
enum Differs {
    Nowhere,
    /// It leaves elements out when it takes the rules, so the verdicts on what it returns hold all the same.
    LeavesOut(&'static [(&'static str, Fate)]),
    /// It acts otherwise.
    Acts(&'static [(&'static str, Fate)]),
}

struct Case {
    bucket: &'static str,
    versions: Versions,
    rules: String,
    objects: Vec<Object>,
    differs: Differs,
}

/// A bucket of the account that these tests look into.
struct Bucket<'a> {
    name: &'a str,
    requests: &'a mut Requests,
}

impl Bucket<'_> {
    fn path(&self, key: &str) -> String {
        format!("/{}/{key}", self.name).trim_end_matches('/').to_owned()
    }

    fn put_versioning(&mut self, status: &str) {
        let body = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        self.requests.must(&json!({"method": "PUT", "path": self.path(""), "query": "versioning", "body": body}));
    }

    fn put_rules(&mut self, rules: &str) {
        let body = configuration(rules);
        self.requests.must(&json!({"method": "PUT", "path": self.path(""), "query": "lifecycle", "body": body}));
    }

    fn put(&mut self, object: &Object) {
        let tags: Vec<String> = object.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let headers = if tags.is_empty() { json!({}) } else { json!({"x-amz-tagging": tags.join("&")}) };
        let (path, body) = (self.path(object.key), "x".repeat(object.bytes.into()));
        self.requests.must(&json!({"method": "PUT", "path": path, "body": body, "headers": headers}));
    }

    fn make(&mut self, case: &Case) {
        self.requests.must(&json!({"method": "PUT", "path": self.path("")}));
        if case.versions != Versions::Unversioned {
            self.put_versioning("Enabled");
        }
        for object in case.objects.iter().filter(|object| object.made == Made::Older) {
            self.put(object);
        }
        if case.versions == Versions::Suspended {
            self.put_versioning("Suspended");
        }
        for object in &case.objects {
            match object.made {
                Made::Older => {}
                Made::Current => self.put(object),
                Made::Noncurrent => {
                    self.put(object);
                    self.put(object);
                }
                Made::Marker => {
                    self.requests.must(&json!({"method": "DELETE", "path": self.path(object.key)}));
                }
                Made::Upload => {
                    let path = self.path(object.key);
                    self.requests.must(&json!({"method": "POST", "path": path, "query": "uploads"}));
                }
            }
        }
    }

    fn list(&mut self) -> Listed {
        let of = |bucket: &mut Self, query: &str| {
            bucket.requests.must(&json!({"method": "GET", "path": bucket.path(""), "query": query}))
        };
        let (versions, uploads) = (of(self, "versions"), of(self, "uploads"));
        assert!(versions.contains("<IsTruncated>false"), "{versions}");
        let version = |text: &str| Version {
            id: field(text, "VersionId").to_owned(),
            is_latest: field(text, "IsLatest") == "true",
            class: match field(text, "StorageClass") {
                "STANDARD" => StorageClass::Standard,
                class => class.parse().expect("a storage class of AWS"),
            },
        };
        let marker = |text: &str| field(text, "IsLatest") == "true";
        let key = |text: &str| field(text, "Key").to_owned();
        let mut listed = Listed::default();
        for text in elements(&versions, "Version") {
            listed.versions.entry(key(text)).or_default().push(version(text));
        }
        for text in elements(&versions, "DeleteMarker").filter(|text| marker(text)) {
            listed.markers.push(key(text));
        }
        listed.uploads = elements(&uploads, "Upload").map(key).collect();
        listed
    }
}

/// The elements of this name, as text. Enough for RGW, whose names have no attributes and no prefixes here.
fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let end = format!("</{name}>");
    xml.split(&format!("<{name}>"))
        .skip(1)
        .map(move |rest| rest.split(&end).next().expect("a first part"))
        .collect::<Vec<_>>()
        .into_iter()
}

#[track_caller]
fn field<'a>(xml: &'a str, name: &str) -> &'a str {
    elements(xml, name).next().unwrap_or_else(|| panic!("no {name}: {xml}"))
}

struct Version {
    id: String,
    is_latest: bool,
    class: StorageClass,
}

#[derive(Default)]
struct Listed {
    versions: BTreeMap<String, Vec<Version>>,
    /// Keys whose latest version is a delete marker.
    markers: Vec<String>,
    uploads: Vec<String>,
}

impl Listed {
    fn fate(&self, object: &Object) -> Fate {
        let has = |keys: &[String]| if keys.iter().any(|key| key == object.key) { KEPT } else { Fate::Gone };
        let versions = self.versions.get(object.key).map_or(&[][..], Vec::as_slice);
        match object.made {
            Made::Upload => has(&self.uploads),
            Made::Marker => has(&self.markers),
            Made::Noncurrent => {
                // The older one is listed last.
                let older = versions.get(1).or_else(|| versions.first().filter(|version| !version.is_latest));
                older.map_or(Fate::Gone, |version| Fate::Kept(version.class))
            }
            Made::Current | Made::Older => match versions {
                [] => Fate::Gone,
                [version] if version.is_latest => Fate::Kept(version.class),
                [version] => Fate::Marked(version.class),
                _ => panic!("{} versions of {}", versions.len(), object.key),
            },
        }
    }
}

/// What the verdicts make of the object within a few days.
fn predicted(configuration: &Configuration, versions: Versions, object: &Object) -> Fate {
    let today = OffsetDateTime::now_utc().date();
    let matches = |filter: &Filter| {
        let has_tag = |(key, value): (&String, &String)| object.tags.contains(&(key.as_str(), value.as_str()));
        let is_upload = object.made == Made::Upload;
        object.key.starts_with(&filter.prefix)
            && (is_upload || filter.tags.iter().all(has_tag) && filter.matches_size(object.bytes.into()))
    };
    let applies = |verdict: Verdict| match verdict {
        Verdict::Effective | Verdict::PartlyShadowed => true,
        Verdict::Disabled | Verdict::NoEffect | Verdict::NeverApplies => false,
        Verdict::NotAnalysed => panic!("a small configuration is analysed"),
    };
    let actions: Vec<&Action> = analyse(configuration, versions, today)
        .iter()
        .filter(|given| applies(given.verdict) && matches(&configuration.rules[given.rule].filter))
        .map(|given| &configuration.rules[given.rule].actions[given.action])
        .collect();
    let is_due = |when: &When| when.days(today).is_some_and(|days| days <= 1);
    let any = |wanted: fn(&Action) -> bool| actions.iter().any(|action| wanted(action));
    let expires = actions.iter().any(|action| matches!(action, Action::Expiration(when) if is_due(when)));
    let moved = |wanted: fn(&Action) -> Option<StorageClass>| {
        actions.iter().filter_map(|action| wanted(action)).max().unwrap_or(StorageClass::Standard)
    };
    match object.made {
        Made::Current if expires && versions != Versions::Enabled => Fate::Gone,
        Made::Current | Made::Older => {
            let class = moved(|action| if let Action::Transition { to, .. } = action { Some(*to) } else { None });
            if expires { Fate::Marked(class) } else { Fate::Kept(class) }
        }
        // None of them has a newer noncurrent version.
        Made::Noncurrent if any(|action| matches!(action, Action::NoncurrentVersionExpiration { newer: 0, .. })) => {
            Fate::Gone
        }
        Made::Noncurrent => Fate::Kept(moved(|action| match action {
            Action::NoncurrentVersionTransition { newer: 0, to, .. } => Some(*to),
            _ => None,
        })),
        Made::Marker if expires || any(|action| *action == Action::ExpiredObjectDeleteMarker(true)) => Fate::Gone,
        Made::Upload if any(|action| matches!(action, Action::AbortIncompleteMultipartUpload { .. })) => Fate::Gone,
        Made::Marker | Made::Upload => KEPT,
    }
}

fn differing(case: &Case, key: &str) -> Option<Fate> {
    let (Differs::LeavesOut(list) | Differs::Acts(list)) = case.differs else { return None };
    list.iter().find(|(differing, _)| *differing == key).map(|(_, fate)| *fate)
}

/// Asks every half second until there is nothing left to wait for.
fn wait(mut left: impl FnMut() -> String) {
    let start = Instant::now();
    loop {
        let missing = left();
        if missing.is_empty() {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "this did not come within {PATIENCE:?}:\n{missing}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Waits until RGW has been through the rules of every bucket with rules, from beginning to end: what should have
/// happened by now and has not happened then does not happen.
fn wait_for_a_pass(rgw: &Rgw) {
    let of = |passes: Vec<LifecyclePass>| -> BTreeMap<String, LifecyclePass> {
        passes.into_iter().map(|pass| (pass.bucket.clone(), pass)).collect()
    };
    // Times are whole seconds; two passes over a bucket are a day apart.
    let before = of(rgw.lifecycle_passes());
    assert!(!before.is_empty());
    let mut begun: BTreeMap<String, LifecyclePass> = BTreeMap::new();
    wait(|| {
        let mut missing = String::new();
        for (bucket, pass) in of(rgw.lifecycle_passes()) {
            if pass.started == before[&bucket].started {
                writeln!(missing, "{bucket}: a pass").expect("a String takes everything");
                continue;
            }
            let first = begun.entry(bucket.clone()).or_insert_with(|| pass.clone());
            if first.started != pass.started || pass.status == "COMPLETE" {
                "over".clone_into(&mut first.status);
            }
            if first.status != "over" {
                writeln!(missing, "{bucket}: the end of a pass").expect("a String takes everything");
            }
        }
        missing
    });
}

#[test]
fn rgw_does_what_the_verdicts_say() {
    let Some(rgw) = Rgw::start_with_lifecycle_day(DAY) else { return };
    let mut requests = rgw.requests(ACCOUNT);
    let cases = cases::all();
    for case in &cases {
        Bucket { name: case.bucket, requests: &mut requests }.make(case);
    }
    // What is due between one rule's turn and the next one's would be the next one's.
    std::thread::sleep(Duration::from_secs(u64::from(DAY) + 1));
    for case in &cases {
        Bucket { name: case.bucket, requests: &mut requests }.put_rules(&case.rules);
    }
    let mut wanted = Vec::new();
    for case in &cases {
        let of_file = read(configuration(&case.rules).as_bytes()).expect("a configuration").configuration;
        let answer =
            requests.must(&json!({"method": "GET", "path": format!("/{}", case.bucket), "query": "lifecycle"}));
        let of_server = read(answer.as_bytes()).expect("a configuration").configuration;
        for object in &case.objects {
            let by_file = predicted(&of_file, case.versions, object);
            let by_server = predicted(&of_server, case.versions, object);
            let fate = differing(case, object.key).unwrap_or(by_file);
            let what = format!("{}: {}", case.bucket, object.key);
            match case.differs {
                Differs::Acts(_) => assert_eq!(by_server, by_file, "{what}"),
                Differs::Nowhere | Differs::LeavesOut(_) => assert_eq!(by_server, fate, "{what}"),
            }
            if differing(case, object.key).is_some() {
                assert_ne!(by_file, fate, "{what} is no difference");
            }
            wanted.push((case, object, fate));
        }
    }
    let mut wrong = || {
        let mut wrong = String::new();
        for case in &cases {
            let listed = Bucket { name: case.bucket, requests: &mut requests }.list();
            for (_, object, fate) in wanted.iter().filter(|(of, ..)| of.bucket == case.bucket) {
                let seen = listed.fate(object);
                if seen != *fate {
                    let bucket = case.bucket;
                    writeln!(wrong, "{bucket}: {} is {seen:?}, not {fate:?}", object.key).expect("a String");
                }
            }
        }
        wrong
    };
    wait(&mut wrong);
    wait_for_a_pass(&rgw);
    assert_eq!(wrong(), "");
}

#[test]
fn rgw_deletes_by_lifecycle_what_mfa_delete_protects() {
    const NAME: &str = "versioned-mfa";
    let Some(rgw) = Rgw::start_with_lifecycle_day(DAY) else { return };
    let mut requests = rgw.requests(ACCOUNT);
    let severity = || {
        let ran = Cli::new(["scan", "--account-id", ACCOUNT, "--bucket", NAME, "--out", "out", "--fail-on", "none"])
            .keys(&rgw.endpoint, &format!("AK{ACCOUNT}"), &format!("SK{ACCOUNT}"))
            .run()
            .expect(0);
        assert_eq!(ran.bucket(NAME)["mfa_delete"], "enabled");
        let rows = ran.rows("out/findings.csv");
        let mut found = rows.iter().filter(|row| row["rule"] == "lifecycle-bypasses-mfa-delete");
        let row = found.next().unwrap_or_else(|| panic!("no such finding: {rows:?}"));
        assert_eq!((row["status"].as_str(), found.count()), ("fail", 0));
        row["severity"].clone()
    };
    let delete_without_code = |requests: &mut Requests, id: &str| {
        let request = json!({"method": "DELETE", "path": format!("/{NAME}/a"), "query": format!("versionId={id}")});
        requests.send(&request).status
    };
    let ids = |requests: &mut Requests| -> Vec<String> {
        let listed = Bucket { name: NAME, requests }.list();
        listed.versions["a"].iter().map(|version| version.id.clone()).collect()
    };
    for _ in 0..3 {
        Bucket { name: NAME, requests: &mut requests }.put(&current("a"));
    }
    let made = ids(&mut requests);
    assert_eq!(made.len(), 3);
    assert_eq!(delete_without_code(&mut requests, &made[2]), 403);

    // Disabled, the rule does nothing.
    let everything = "<Filter><Prefix></Prefix></Filter>";
    let enabled = rule("expire-noncurrent", everything, cases::EXPIRE_NONCURRENT);
    Bucket { name: NAME, requests: &mut requests }.put_rules(&enabled.replace("Enabled", "Disabled"));
    assert_eq!(severity(), "high");
    std::thread::sleep(Duration::from_secs(2 * u64::from(DAY)));
    wait_for_a_pass(&rgw);
    assert_eq!(ids(&mut requests), made);

    Bucket { name: NAME, requests: &mut requests }.put_rules(&enabled);
    assert_eq!(severity(), "critical");
    wait(|| if ids(&mut requests).len() == 1 { String::new() } else { "the end of two versions".to_owned() });
    assert_eq!(ids(&mut requests), made[..1]);
    assert_eq!(delete_without_code(&mut requests, &made[0]), 403);
    assert_eq!(ids(&mut requests), made[..1]);
}
