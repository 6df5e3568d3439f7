//! A journal of a run in which nothing is missing, for the benches of what comes after reading; and what a child cost.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use bucketlens::inventory::{Begun, Opening, Writer};
use bucketlens::lifecycle::read::read;
use bucketlens::model::{
    Account, AccountId, AccountRecord, ActionKind, BucketRecord, Fact, Facts, Lifecycle, LifecycleConfiguration,
    LifecycleRule, MfaDelete, Observed, OuPath, Outcome, Reading, Region, RuleStatus, RunId, ScopeOptions, Standard,
    Timestamp, Versioning, VersioningState,
};
use bucketlens::run_folder::Directory;

/// Its buckets nearly in the order of their names, as a scan finishes them.
pub fn write(folder: &Path, ids: &[AccountId], buckets: u64) {
    let now = Timestamp::now();
    let opening = Opening {
        run_id: RunId::parse("0193f0a0-0000-7000-8000-000000000000").expect("an id"),
        start: now,
        resumed: Vec::new(),
        standard: Standard::Cis,
        accepted_controls: BTreeSet::new(),
        scope: ScopeOptions::from([
            ("organization".to_owned(), Vec::new()),
            ("role-name".to_owned(), vec!["OrganizationAccountAccessRole".to_owned()]),
        ]),
        found: None,
    };
    let above = Directory::open(folder.parent().expect("a folder")).expect("there");
    let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
    let writer = Writer::create(&above, name, opening).expect("a journal");
    let accounts = ids.len() as u64;
    for (place, id) in (0..).zip(ids) {
        let Begun::Open(mut segment) = writer.segment(id).expect("a segment") else { panic!("it is new") };
        for number in 0..buckets / accounts + u64::from(place < buckets % accounts) {
            // Neighbours change places.
            segment.bucket(bucket(id, number ^ 0b1_0101, now)).expect("written");
        }
        let account =
            Account { id: id.clone(), name: String::new(), ou_path: OuPath::default(), state: None, tag: None };
        let record = AccountRecord::new(&account, Outcome::Complete, segment.tally().buckets());
        segment.close(now, record).expect("closed");
    }
}

/// A third fails, a third has a lifecycle configuration.
fn bucket(account: &AccountId, number: u64, at: Timestamp) -> BucketRecord {
    const REGIONS: [&str; 4] = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"];
    let (versioning, mfa_delete) = match number % 3 {
        0 => (Versioning::Enabled, MfaDelete::Enabled),
        1 => (Versioning::Enabled, MfaDelete::Never),
        _ => (Versioning::Never, MfaDelete::Never),
    };
    let lifecycle = if number % 3 == 1 { configured() } else { Lifecycle::None };
    BucketRecord {
        account: account.clone(),
        region: Region::new(REGIONS[usize::try_from(number % 4).expect("small")]),
        bucket: format!("company-department-{account}-{number:09}-data"),
        facts: Facts::Read {
            versioning: Fact { at, observed: Observed::Known(VersioningState { versioning, mfa_delete }) },
            lifecycle: Fact { at, observed: Observed::Known(lifecycle) },
            extras: Box::default(),
        },
    }
}

fn configured() -> Lifecycle {
    let rules = r#"{"Rules": [{"ID": "expire-old-versions", "Status": "Enabled", "Filter": {"Prefix": "logs/"},
        "Expiration": {"Days": 365}, "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}]}"#;
    let configuration = read(rules.as_bytes()).expect("a lifecycle configuration").configuration;
    let rule = LifecycleRule {
        id: "expire-old-versions".to_owned(),
        status: RuleStatus::Enabled,
        actions: [ActionKind::Expiration, ActionKind::NoncurrentVersionExpiration].into(),
    };
    Lifecycle::Present(LifecycleConfiguration {
        rules: vec![rule],
        reading: Reading::Read(configuration),
        minimum_size: None,
    })
}

/// User and system time of all children that have been waited for. Source: proc(5), `/proc/pid/stat`, fields 16 and 17,
/// in clock ticks of 10 ms.
pub fn cpu_of_children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit(')').next().expect("a name");
    let ticks: u64 =
        after_name.split_whitespace().skip(13).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(ticks * 10)
}

pub fn peak_memory(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
