//! An organization for the tests of reports: nine accounts, forty buckets, everything that can happen to them once.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Sink, Summary};
use crate::aggregate::{Aggregator, Metrics};
use crate::evaluate::Evaluator;
use crate::lifecycle::{self, Action, Configuration, Filter, MinimumSize, StorageClass, When};
use crate::model::{
    AccountId, AccountRecord, AccountState, ActionKind, Arn, BucketPolicy, BucketRecord, Coverage, DefaultLock,
    DefaultRetention, ErrorClass, Extra, Extras, Fact, Facts, KmsObjects, LeftOut, Lifecycle, LifecycleConfiguration,
    LifecycleRule, MfaDelete, ObjectLock, Observed, Operation, OrganizationId, OuPath, Outcome, Partition, Reading,
    Reason, Region, Replication, ReplicationRule, RetentionMode, RetentionPeriod, RuleStatus, Run, RunId, Sha256Sum,
    Standard, Timestamp, Version, Versioning, VersioningState,
};

pub struct Example {
    pub run: Run,
    pub coverage: Coverage,
    /// With their buckets, both sorted.
    pub accounts: Vec<(AccountRecord, Vec<BucketRecord>)>,
}

impl Example {
    pub fn records(&self) -> Vec<AccountRecord> {
        self.accounts.iter().map(|(account, _)| account.clone()).collect()
    }

    pub fn evaluator(&self) -> Evaluator {
        Evaluator::of(&self.run)
    }

    pub fn metrics(&self) -> Metrics {
        let (mut aggregator, evaluator) =
            (Aggregator::new(&self.run.extras).by_tag(self.run.group_by_tag.as_deref()), self.evaluator());
        for (account, buckets) in &self.accounts {
            for record in buckets {
                aggregator.push(account, record, &evaluator.evaluate(record));
            }
        }
        aggregator.finish(&self.records()).expect("adds up")
    }

    /// As the scan does it: every bucket once, then the end.
    pub fn write(&self, mut sink: Box<dyn Sink>) {
        let evaluator = self.evaluator();
        sink.begin(&self.run).expect("written");
        for (account, buckets) in &self.accounts {
            for record in buckets {
                sink.bucket(account, record, &evaluator.evaluate(record)).expect("written");
            }
        }
        let (accounts, metrics) = (self.records(), self.metrics());
        let summary = Summary {
            run: &self.run,
            coverage: &self.coverage,
            accounts: &accounts,
            metrics: &metrics,
            compared: false,
        };
        sink.finish(&summary).expect("written");
    }

    /// Adds an account and counts it, with its buckets, in the coverage.
    pub fn add(&mut self, mut account: AccountRecord, buckets: Vec<BucketRecord>) {
        account.buckets = buckets.len() as u64;
        let coverage = &mut self.coverage;
        coverage.accounts += 1;
        *match *account.outcome() {
            Outcome::Complete => &mut coverage.accounts_complete,
            Outcome::Incomplete(_) => &mut coverage.accounts_incomplete,
            Outcome::Failed(_) => &mut coverage.accounts_failed,
            Outcome::Skipped(_) => &mut coverage.accounts_skipped,
        } += 1;
        coverage.buckets += account.buckets;
        for record in &buckets {
            *match record.facts {
                Facts::Vanished { .. } => &mut coverage.buckets_vanished,
                Facts::Directory { .. } => coverage.buckets_directory.get_or_insert_default(),
                Facts::Read { .. } if record.has_unknown() => &mut coverage.buckets_unknown,
                Facts::Read { .. } => &mut coverage.buckets_complete,
            } += 1;
        }
        self.accounts.push((account, buckets));
    }
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_795_358_600 + seconds).expect("in range")
}

pub fn account(digit: u8, name: &str, ou_path: &str, outcome: Outcome) -> AccountRecord {
    AccountRecord {
        tag: None,
        id: Some(AccountId::parse(&digit.to_string().repeat(12)).expect("12 digits")),
        name: name.to_owned(),
        ou_path: OuPath::from_path(ou_path).expect("ids"),
        state: Some(AccountState::Active),
        listing: outcome,
        directory_gaps: Vec::new(),
        buckets: 0,
    }
}

pub fn reason(operation: Operation, class: ErrorClass, code: &str, http_status: u16, message: &str) -> Reason {
    Reason {
        operation,
        class,
        code: (!code.is_empty()).then(|| code.to_owned()),
        http_status: Some(http_status),
        request_id: Some("4442587FB7D0A2F9".to_owned()),
        message: message.to_owned(),
    }
}

fn denied(operation: Operation) -> Reason {
    reason(operation, ErrorClass::Denied, "AccessDenied", 403, "Access Denied")
}

/// A configuration of an enabled rule that expires old versions and a disabled one.
fn two_rules() -> LifecycleConfiguration {
    let rule = |id: &str, status, actions: &[ActionKind]| LifecycleRule {
        id: id.to_owned(),
        status,
        actions: actions.iter().copied().collect::<BTreeSet<_>>(),
    };
    let read = |id: &str, enabled, actions: &[Action]| lifecycle::Rule {
        id: id.to_owned(),
        enabled,
        filter: Filter::default(),
        actions: actions.to_vec(),
    };
    let (old, glacier) = ("expire-old-versions", "to-glacier");
    let expire_old = Action::NoncurrentVersionExpiration { days: 90, newer: 3 };
    let to_glacier = Action::Transition { when: When::Days(30), to: StorageClass::Glacier };
    LifecycleConfiguration {
        rules: vec![
            rule(old, RuleStatus::Enabled, &[ActionKind::NoncurrentVersionExpiration]),
            rule(glacier, RuleStatus::Disabled, &[ActionKind::Transition, ActionKind::Expiration]),
        ],
        reading: Reading::Read(Configuration {
            rules: vec![
                read(old, true, &[expire_old]),
                read(glacier, false, &[to_glacier, Action::Expiration(When::Days(365))]),
            ],
        }),
        minimum_size: Some(MinimumSize::AllStorageClasses128K),
    }
}

/// A bucket in few letters. First versioning: `E`nabled, `S`uspended, `N`ever, `?` denied. Then MFA delete:
/// `+` enabled, `-` disabled, `.` never. Then lifecycle: `.` none, `L` two rules, `?` throttled. Or `gone`.
pub fn bucket(account: u8, region: &str, name: &str, letters: &str) -> BucketRecord {
    let mut letter = letters.chars();
    let facts = if letters == "gone" {
        Facts::Vanished { at: at(7) }
    } else {
        let state = versioning(letter.next(), letter.next());
        Facts::Read { versioning: state, lifecycle: lifecycle(letter.next()), extras: Box::default() }
    };
    let account = AccountId::parse(&account.to_string().repeat(12)).expect("12 digits");
    BucketRecord { account, region: Region::new(region), bucket: name.to_owned(), facts }
}

fn versioning(versioning: Option<char>, mfa_delete: Option<char>) -> Fact<VersioningState> {
    let mfa_delete = match mfa_delete {
        Some('+') => MfaDelete::Enabled,
        Some('-') => MfaDelete::Disabled,
        _ => MfaDelete::Never,
    };
    let versioning = match versioning {
        Some('E') => Versioning::Enabled,
        Some('S') => Versioning::Suspended,
        Some('N') => Versioning::Never,
        _ => {
            let reason = Arc::new(denied(Operation::GetBucketVersioning));
            return Fact { at: at(5), observed: Observed::Unknown(reason) };
        }
    };
    Fact { at: at(5), observed: Observed::Known(VersioningState { versioning, mfa_delete }) }
}

fn lifecycle(letter: Option<char>) -> Fact<Lifecycle> {
    let observed = match letter {
        Some('L') => Observed::Known(Lifecycle::Present(two_rules())),
        Some('.') => Observed::Known(Lifecycle::None),
        _ => {
            let operation = Operation::GetBucketLifecycleConfiguration;
            let reason = reason(operation, ErrorClass::Throttled, "SlowDown", 503, "Please reduce your request rate.");
            Observed::Unknown(Arc::new(reason))
        }
    };
    Fact { at: at(6), observed }
}

pub fn empty() -> Example {
    let run = Run {
        id: RunId::parse("019e3b1c-8f4e-7c11-9d2b-3a6c5b8f1e20").expect("an id"),
        start: at(0),
        end: at(48),
        resumed: Vec::new(),
        interrupted: false,
        version: Version::parse("0.1.0").expect("a version"),
        standard: Standard::Cis,
        accepted_controls: BTreeSet::new(),
        scope: vec!["--organization".to_owned(), "--role-name BucketlensScan".to_owned()],
        extras: BTreeSet::new(),
        group_by_tag: None,
        directory_regions: None,
        caller_arn: Arn::parse("arn:aws:sts::111111111111:assumed-role/Auditor/nightly").ok(),
        organization_id: OrganizationId::parse("o-exampleorgid").ok(),
        partition: Partition::parse("aws").ok(),
        clock_skew_seconds: None,
        configuration_digest: Sha256Sum::parse("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
            .expect("a digest"),
    };
    Example { run, coverage: Coverage { requests: 97, retries: 3, ..Coverage::default() }, accounts: Vec::new() }
}

/// Buckets of one account whose policy, Object Lock and replication were asked for.
pub fn protected() -> Example {
    let mut example = empty();
    example.run.extras = [Extra::Policy, Extra::ObjectLock, Extra::Replication].into();
    let known = |policy: BucketPolicy, object_lock: ObjectLock, replication: Replication| Extras {
        policy: Some(Fact { at: at(7), observed: Observed::Known(policy) }),
        object_lock: Some(Fact { at: at(8), observed: Observed::Known(object_lock) }),
        replication: Some(Fact { at: at(9), observed: Observed::Known(replication) }),
        ..Extras::default()
    };
    let deny = |bucket: &str, actions: &str, condition: &str| {
        let text = format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"{actions}\",\
             \"Resource\":[\"arn:aws:s3:::{bucket}\",\"arn:aws:s3:::{bucket}/*\"],\"Condition\":{{{condition}}}}}}}"
        );
        BucketPolicy::Present(text.into())
    };
    let if_exists = "\"BoolIfExists\":{\"aws:MultiFactorAuthPresent\":\"false\"}";
    let plain = "\"Bool\":{\"aws:MultiFactorAuthPresent\":\"false\"}";
    let retention = DefaultRetention { mode: RetentionMode::Compliance, period: RetentionPeriod::Years(1) };
    let locked = ObjectLock::Enabled(DefaultLock { retention: Some(retention), event_hold: None });
    let away = ReplicationRule {
        id: Some("vault".to_owned()),
        enabled: true,
        prefix: "2026/".to_owned(),
        tags: Vec::new(),
        destination: "arn:aws:s3:::vault".to_owned(),
        account: Some(AccountId::parse("999999999999").expect("12 digits")),
        left_out: LeftOut::default(),
        delete_markers: Some(true),
        kms_objects: Some(KmsObjects::Copied),
    };
    let reading = Operation::GetBucketPolicy;
    let refused = |operation| Observed::Unknown(Arc::new(denied(operation)));
    let buckets = [
        ("audit", "E+.", known(BucketPolicy::None, ObjectLock::None, Replication::None)),
        ("backups", "E.L", known(BucketPolicy::None, locked, Replication::Present(vec![away]))),
        ("exports", "N..", known(deny("exports", "s3:Delete*", if_exists), ObjectLock::None, Replication::None)),
        ("invoices", "E..", known(deny("invoices", "s3:*", plain), ObjectLock::None, Replication::None)),
        ("ledger", "E..", known(deny("ledger", "s3:*", if_exists), ObjectLock::None, Replication::None)),
        ("media", "E.L", known(BucketPolicy::None, ObjectLock::None, Replication::None)),
        (
            "payments",
            "E..",
            Extras {
                policy: Some(Fact { at: at(7), observed: refused(reading) }),
                ..known(BucketPolicy::None, ObjectLock::None, Replication::None)
            },
        ),
    ];
    let buckets = buckets.map(|(name, letters, of_bucket)| {
        let mut record = bucket(1, "eu-central-1", name, letters);
        if let Facts::Read { extras, .. } = &mut record.facts {
            **extras = of_bucket;
        }
        record
    });
    example.add(account(1, "Production", "", Outcome::Complete), buckets.into());
    example
}

pub fn organization() -> Example {
    const ROOT: &str = "o-exampleorgid/r-ab12/";
    const SECURITY: &str = "o-exampleorgid/r-ab12/ou-ab12-security/";
    const WORK: &str = "o-exampleorgid/r-ab12/ou-ab12-workload/";
    const DATA: &str = "o-exampleorgid/r-ab12/ou-ab12-workload/ou-ab12-dataaaaa/";
    const SANDBOX: &str = "o-exampleorgid/r-ab12/ou-ab12-sandboxx/";
    let mut example = empty();
    let mut add = |account: AccountRecord, region: &str, buckets: &[(&str, &str)]| {
        let digit = account.id.as_ref().expect("set").as_str().as_bytes()[0] - b'0';
        let records = buckets.iter().map(|(name, letters)| bucket(digit, region, name, letters)).collect();
        example.add(account, records);
    };
    add(
        account(1, "Management", ROOT, Outcome::Complete),
        "us-east-1",
        &[("acme-billing-exports", "E.."), ("acme-org-cloudtrail", "E+."), ("acme-terraform-state", "E-.")],
    );
    add(
        account(2, "Log archive", SECURITY, Outcome::Complete),
        "eu-central-1",
        &[
            ("acme-audit-2019", "S+."),
            ("acme-audit-2024", "E+."),
            ("acme-config-history", "E+."),
            ("acme-flow-logs", "E+L"),
        ],
    );
    add(
        account(3, "Production", WORK, Outcome::Complete),
        "eu-central-1",
        &[
            ("acme-prod-assets", "E.L"),
            ("acme-prod-backups", "E.L"),
            ("acme-prod-exports", "N.."),
            ("acme-prod-invoices", "E-."),
            ("acme-prod-media", "S.."),
            ("acme-prod-reports", "E.L"),
            ("acme-prod-uploads", "N.L"),
            ("acme-prod-web", "E.?"),
        ],
    );
    add(
        account(4, "Data lake Zürich", DATA, Outcome::Complete),
        "eu-central-2",
        &[
            ("acme-lake-bronze", "E.L"),
            ("acme-lake-checkpoints", "N.."),
            ("acme-lake-gold", "E.L"),
            ("acme-lake-ledger", "S+L"),
            ("acme-lake-queries", "N.L"),
            ("acme-lake-silver", "E.L"),
            ("acme-lake-spark-logs", "N.L"),
        ],
    );
    add(
        account(5, "Staging", WORK, Outcome::Complete),
        "eu-west-1",
        &[
            ("acme-stage-assets", "N.."),
            ("acme-stage-backups", "E.."),
            ("acme-stage-preview", "gone"),
            ("acme-stage-reports", "N.L"),
            ("acme-stage-uploads", "N.."),
            ("acme-stage-web", "N.."),
        ],
    );
    add(
        account(6, "Payments", WORK, Outcome::Complete),
        "eu-west-1",
        &[("pay-card-vault", "?.."), ("pay-disputes", "?.L"), ("pay-ledger", "?.."), ("pay-settlement", "?..")],
    );
    let cut = "ListBuckets unavailable (HTTP 503) on page 2: Service Unavailable";
    add(
        account(7, "Sandbox", SANDBOX, Outcome::Incomplete(cut.to_owned())),
        "us-west-2",
        &[
            ("anna-test", "N.."),
            ("ben-notebooks", "N.."),
            ("chris-tmp", "N.L"),
            ("dora-models-eu", "E.."),
            ("emil-scratch", "N.."),
            ("fay-tmp", "N.."),
            ("gus-demo", "?.."),
            ("hana-exports", "S-."),
        ],
    );
    let refused = "AssumeRole denied (AccessDenied, HTTP 403, request 7c1f0a52): User: arn:aws:sts::111111111111:\
        assumed-role/Auditor/nightly is not authorized to perform: sts:AssumeRole on resource: \
        arn:aws:iam::888888888888:role/BucketlensScan";
    add(account(8, "Legacy shop", WORK, Outcome::Failed(refused.to_owned())), "", &[]);
    let mut closed = account(9, "Old playground", SANDBOX, Outcome::Skipped(String::new()));
    closed.state = Some(AccountState::Suspended);
    closed.listing = Outcome::Skipped("the account is suspended by AWS (SUSPENDED)".to_owned());
    add(closed, "", &[]);
    example
}
