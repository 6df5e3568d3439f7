//! What a simulated organization holds: the shape of `fixtures/orgs/*.json`.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::value::{self, StrDeserializer};
use serde_json::json;

use super::lifecycle;
use super::settings::{Notification, ObjectLock, Policy, ReplicationRule};
use super::wire::hash;

/// An AWS organization as data: accounts, the tree they stand in, and the state of every bucket.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    #[serde(rename = "organization_id")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) partition: Partition,
    pub(super) management_account: String,
    #[serde(default)]
    pub(super) delegated_administrators: Vec<String>,
    /// The id of the root, the parent of all organizational units.
    pub(super) root: String,
    /// A parent stands before its children.
    #[serde(default)]
    pub(super) ous: Vec<Unit>,
    pub(super) accounts: Vec<Account>,
    /// Answers of an older emulator: `Status` without `State`.
    #[serde(default)]
    pub(super) omit_state: bool,
    #[serde(default)]
    pub(super) omit_paths: bool,
    /// Denies `ListRoots`, `ListOrganizationalUnitsForParent` and `ListAccountsForParent`.
    #[serde(default)]
    pub(super) deny_tree: bool,
}

/// The public partitions of AWS.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Partition {
    #[default]
    Aws,
    AwsCn,
    AwsUsGov,
    AwsEusc,
}

impl Partition {
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsEusc => "aws-eusc",
        }
    }

    pub(super) fn dns_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "amazonaws.com",
            Self::AwsCn => "amazonaws.com.cn",
            Self::AwsEusc => "amazonaws.eu",
        }
    }
}

/// An organizational unit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unit {
    pub(super) id: String,
    pub(super) name: String,
    /// The root or another unit.
    pub(super) parent: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: Option<String>,
    /// The root or a unit; absent for an account outside any organization.
    pub(super) ou: Option<String>,
    /// `ACTIVE` when absent. Free text, so that a fixture can hold a state AWS has yet to invent.
    pub(super) state: Option<String>,
    /// The retired field; derived from `state` when absent.
    pub(super) status: Option<String>,
    /// Whether a role in this account can be entered at all.
    #[serde(default = "yes")]
    pub(super) assumable: bool,
    #[serde(default = "created_with_the_account")]
    pub(super) role_names: Vec<String>,
    /// Required of whoever assumes a role here.
    pub(super) external_id: Option<String>,
    /// As Organizations has them.
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    /// What callers of this account may not do.
    #[serde(default)]
    pub(super) deny: Vec<Operation>,
    /// The only IAM actions that callers of this account may use; absent: all.
    pub(super) allow: Option<Vec<String>>,
    /// The MFA device of the root user.
    pub(super) mfa_device: Option<MfaDevice>,
    /// After this many buckets every further page of `ListBuckets` is an internal error.
    pub(super) list_breaks_after: Option<usize>,
    /// Sorted by name after parsing, as S3 lists them.
    #[serde(default)]
    pub(super) buckets: Vec<Bucket>,
    /// Listed in this order.
    #[serde(default)]
    pub(super) directory_buckets: Vec<DirectoryBucket>,
    /// By Region, how `ListDirectoryBuckets` fails.
    #[serde(default)]
    pub(super) directory_buckets_fail: BTreeMap<String, Failure>,
}

impl Account {
    pub(super) fn allows(&self, action: &str) -> bool {
        self.allow.as_ref().is_none_or(|allowed| allowed.iter().any(|it| it == action))
    }

    pub(super) fn state(&self) -> &str {
        self.state.as_deref().unwrap_or("ACTIVE")
    }

    /// The old field had no word of its own for a closed account.
    pub(super) fn status(&self) -> &str {
        match (self.status.as_deref(), self.state()) {
            (Some(status), _) => status,
            (None, "CLOSED") => "SUSPENDED",
            (None, state) => state,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MfaDevice {
    pub(super) serial: String,
    /// Each is good at any time, and once.
    pub(super) codes: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) region: String,
    /// Absent: never configured.
    pub(super) versioning: Option<Versioning>,
    /// Absent: never configured.
    pub(super) mfa_delete: Option<MfaDelete>,
    /// Rules in the AWS CLI's JSON; absent: no configuration.
    pub(super) lifecycle: Option<Arc<[lifecycle::Rule]>>,
    /// Of this and the other settings down to the tags, what is absent was never configured.
    pub(super) policy: Option<Arc<Policy>>,
    pub(super) object_lock: Option<Arc<ObjectLock>>,
    pub(super) replication: Option<Arc<[ReplicationRule]>>,
    /// The algorithm of the default encryption.
    pub(super) encryption: Option<Arc<str>>,
    /// `ObjectOwnership`.
    pub(super) ownership: Option<Arc<str>>,
    /// `Status` of transfer acceleration.
    pub(super) acceleration: Option<Arc<str>>,
    pub(super) notification: Option<Notification>,
    pub(super) tags: Option<Arc<BTreeMap<String, String>>>,
    /// The reason AWS gives after the resource; empty for a plain `Access Denied`.
    #[serde(default)]
    pub(super) deny: BTreeMap<BucketCall, String>,
    /// Deleted, but still listed; once it was listed and asked for, the next list lacks it.
    #[serde(default)]
    pub(super) vanished: bool,
    /// How a request sent to another Region is refused.
    #[serde(default)]
    pub(super) redirect: Redirect,
    /// What `ListBuckets` says when that is not `region`.
    pub(super) listed_region: Option<String>,
    #[serde(default)]
    pub(super) fail: BTreeMap<BucketCall, Failure>,
}

impl Bucket {
    pub(super) fn listed_region(&self) -> &str {
        self.listed_region.as_deref().unwrap_or(&self.region)
    }
}

/// What its list tells of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DirectoryBucket {
    pub(super) name: String,
    pub(super) region: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) enum Versioning {
    Enabled,
    Suspended,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) enum MfaDelete {
    Enabled,
    Disabled,
}

/// The three ways S3 refuses a request sent to the wrong Region.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) enum Redirect {
    #[default]
    #[serde(rename = "301-permanent-redirect")]
    Permanent,
    #[serde(rename = "400-header-malformed")]
    HeaderMalformed,
    #[serde(rename = "illegal-location")]
    IllegalLocation,
}

/// An answer that is an error, always or the first `times` times.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) times: Option<u32>,
}

/// Every operation the simulator answers, sorted by what is needed to answer it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) enum Operation {
    ListBuckets,
    ListDirectoryBuckets,
    #[serde(untagged)]
    Bucket(BucketCall),
    #[serde(untagged)]
    Sts(StsCall),
    #[serde(untagged)]
    Organizations(OrganizationsCall),
}

impl Operation {
    /// AWS's name: each variant bears it.
    pub(super) fn name(self) -> String {
        match self {
            Self::ListBuckets | Self::ListDirectoryBuckets => format!("{self:?}"),
            Self::Bucket(call) => format!("{call:?}"),
            Self::Sts(call) => format!("{call:?}"),
            Self::Organizations(call) => format!("{call:?}"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) enum BucketCall {
    GetBucketVersioning,
    GetBucketLifecycleConfiguration,
    GetBucketLocation,
    HeadBucket,
    PutBucketVersioning,
    GetBucketPolicy,
    GetObjectLockConfiguration,
    GetBucketReplication,
    GetBucketEncryption,
    GetBucketOwnershipControls,
    GetBucketAccelerateConfiguration,
    GetBucketNotificationConfiguration,
    GetBucketTagging,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) enum StsCall {
    GetCallerIdentity,
    AssumeRole,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) enum OrganizationsCall {
    DescribeOrganization,
    ListAccounts,
    ListRoots,
    ListOrganizationalUnitsForParent,
    ListAccountsForParent,
    ListTagsForResource,
}

/// The call that bears this name.
pub(super) fn named<'a, T: Deserialize<'a>>(name: &'a str) -> Option<T> {
    T::deserialize(StrDeserializer::<value::Error>::new(name)).ok()
}

fn yes() -> bool {
    true
}

fn created_with_the_account() -> Vec<String> {
    vec!["OrganizationAccountAccessRole".into()]
}

/// What is wrong with a fixture.
#[derive(Debug, thiserror::Error)]
pub enum OrganizationError {
    #[error("not an organization: {0}")]
    Json(#[from] serde_json::Error),
    #[error("`{0}` is no account id: twelve digits expected")]
    AccountId(String),
    #[error("{kind} `{id}` is given twice")]
    Duplicate { kind: &'static str, id: String },
    #[error("{0} administers the organization, but is none of its accounts")]
    Administrator(String),
    #[error("the parent {parent} of organizational unit {unit} does not stand before it")]
    UnknownParent { unit: String, parent: String },
    #[error("account {account} is in {unit}, which is neither the root nor a unit")]
    UnknownUnit { account: String, unit: String },
    #[error("bucket `{bucket}`: `{region}` is no Region")]
    Region { bucket: String, region: String },
    #[error("directory bucket `{0}`: its name does not end with --x-s3")]
    DirectoryBucket(String),
    #[error("bucket `{bucket}`: {status} is not the status of an error")]
    Status { bucket: String, status: u16 },
    #[error("bucket `{bucket}`: {fault}")]
    Lifecycle { bucket: String, fault: lifecycle::Fault },
}

impl Organization {
    /// Reads and checks a fixture.
    pub fn from_json(text: &str) -> Result<Self, OrganizationError> {
        let mut organization: Self = serde_json::from_str(text)?;
        organization.check()?;
        organization.sort_buckets();
        Ok(organization)
    }

    /// Example Corp: nine accounts, every state a bucket can be in, and everything that can go wrong.
    pub fn demo() -> Self {
        Self::from_json(include_str!("../../fixtures/orgs/demo.json")).expect("a test reads the same file")
    }

    /// An organization of any size, for measurements: the same arguments give the same organization.
    /// `buckets` is their total; there is always a management account.
    pub fn generate(accounts: u32, buckets: u32) -> Self {
        let unit =
            |id: &str, name: &str, parent: &str| Unit { id: id.into(), name: name.into(), parent: parent.into() };
        let mut all: Vec<Account> = (0..accounts.max(1)).map(generated_account).collect();
        // Shared, so that the rules and settings of many buckets take no memory.
        let rules = generated_lifecycle();
        let settings = Settings::generate();
        for (number, place) in (0..buckets).zip((0..all.len()).cycle()) {
            let mut bucket = generated_bucket(number, &rules);
            settings.give(&mut bucket);
            all[place].buckets.push(bucket);
        }
        Self {
            id: "o-generated0".into(),
            partition: Partition::Aws,
            management_account: all[0].id.clone(),
            delegated_administrators: Vec::new(),
            root: "r-gen1".into(),
            ous: vec![
                unit("ou-gen1-sandbox0", "Sandbox", "r-gen1"),
                unit("ou-gen1-workload", "Workloads", "r-gen1"),
                unit("ou-gen1-producti", "Production", "ou-gen1-workload"),
                unit("ou-gen1-developm", "Development", "ou-gen1-workload"),
            ],
            accounts: all,
            omit_state: false,
            omit_paths: false,
            deny_tree: false,
        }
    }

    /// The id of the management account.
    pub fn management_account(&self) -> &str {
        &self.management_account
    }

    /// The ids of all accounts, in the order of the fixture.
    pub fn account_ids(&self) -> Vec<String> {
        self.accounts.iter().map(|account| account.id.clone()).collect()
    }

    fn sort_buckets(&mut self) {
        for account in &mut self.accounts {
            account.buckets.sort_by(|a, b| a.name.cmp(&b.name));
        }
    }

    pub(super) fn check(&self) -> Result<(), OrganizationError> {
        let mut parents = HashSet::from([self.root.as_str()]);
        for unit in &self.ous {
            if !parents.contains(unit.parent.as_str()) {
                let (unit, parent) = (unit.id.clone(), unit.parent.clone());
                return Err(OrganizationError::UnknownParent { unit, parent });
            }
            if !parents.insert(&unit.id) {
                return Err(duplicate("organizational unit", &unit.id));
            }
        }
        let members = self.check_accounts(&parents)?;
        let mut administrators = self.delegated_administrators.iter().chain([&self.management_account]);
        match administrators.find(|id| !members.contains(id.as_str())) {
            Some(id) => Err(OrganizationError::Administrator(id.clone())),
            None => Ok(()),
        }
    }

    /// The ids of the accounts that are in the organization.
    fn check_accounts(&self, parents: &HashSet<&str>) -> Result<HashSet<&str>, OrganizationError> {
        let (mut ids, mut members, mut names) = (HashSet::new(), HashSet::new(), HashSet::new());
        for account in &self.accounts {
            if account.id.len() != 12 || !account.id.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(OrganizationError::AccountId(account.id.clone()));
            }
            if !ids.insert(account.id.as_str()) {
                return Err(duplicate("account", &account.id));
            }
            if let Some(unit) = &account.ou {
                if !parents.contains(unit.as_str()) {
                    let (account, unit) = (account.id.clone(), unit.clone());
                    return Err(OrganizationError::UnknownUnit { account, unit });
                }
                members.insert(account.id.as_str());
            }
            for bucket in &account.buckets {
                if !names.insert(bucket.name.as_str()) {
                    return Err(duplicate("bucket", &bucket.name));
                }
                check_bucket(bucket)?;
            }
            for bucket in &account.directory_buckets {
                if !names.insert(bucket.name.as_str()) {
                    return Err(duplicate("bucket", &bucket.name));
                }
                check_region(&bucket.name, &bucket.region)?;
                if !bucket.name.ends_with("--x-s3") {
                    return Err(OrganizationError::DirectoryBucket(bucket.name.clone()));
                }
            }
            check_failures(&account.id, account.directory_buckets_fail.values())?;
        }
        Ok(members)
    }
}

fn duplicate(kind: &'static str, id: &str) -> OrganizationError {
    OrganizationError::Duplicate { kind, id: id.to_owned() }
}

fn check_bucket(checked: &Bucket) -> Result<(), OrganizationError> {
    let bucket = checked.name.clone();
    check_region(&bucket, &checked.region)?;
    check_region(&bucket, checked.listed_region())?;
    check_failures(&bucket, checked.fail.values())?;
    match &checked.lifecycle {
        Some(rules) => lifecycle::check(rules).map_err(|fault| OrganizationError::Lifecycle { bucket, fault }),
        None => Ok(()),
    }
}

fn check_region(bucket: &str, region: &str) -> Result<(), OrganizationError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.is_empty() || !region.bytes().all(allowed) {
        let (bucket, region) = (bucket.to_owned(), region.to_owned());
        return Err(OrganizationError::Region { bucket, region });
    }
    Ok(())
}

/// `of`: the bucket or the account.
fn check_failures<'a>(of: &str, failures: impl Iterator<Item = &'a Failure>) -> Result<(), OrganizationError> {
    let mut statuses = failures.map(|failure| failure.status);
    match statuses.find(|status| !(400..600).contains(status)) {
        Some(status) => Err(OrganizationError::Status { bucket: of.to_owned(), status }),
        None => Ok(()),
    }
}

fn generated_account(number: u32) -> Account {
    let unit = match number % 4 {
        _ if number == 0 => "r-gen1",
        0 => "ou-gen1-sandbox0",
        1 | 2 => "ou-gen1-producti",
        _ => "ou-gen1-developm",
    };
    Account {
        id: format!("{:012}", 100_000_000_000 + u64::from(number)),
        name: format!("Account {number:05}"),
        email: None,
        ou: Some(unit.into()),
        state: None,
        status: None,
        // The management account has no such role: nobody created it from above.
        assumable: number != 0,
        role_names: created_with_the_account(),
        external_id: None,
        tags: BTreeMap::new(),
        deny: Vec::new(),
        allow: None,
        mfa_device: None,
        list_breaks_after: None,
        buckets: Vec::new(),
        directory_buckets: Vec::new(),
        directory_buckets_fail: BTreeMap::new(),
    }
}

/// About as many good, bad and unreadable buckets as a large company has.
fn generated_bucket(number: u32, rules: &Arc<[lifecycle::Rule]>) -> Bucket {
    let regions = ["us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2"];
    let name = format!("generated-{number:07}");
    let dice = hash(&[&name]);
    let region = regions[usize::from(dice.to_le_bytes()[7]) % regions.len()];
    let mut bucket = Bucket { name, region: region.into(), versioning: Some(Versioning::Enabled), ..Bucket::default() };
    match dice % 100 {
        0..40 => bucket.mfa_delete = Some(MfaDelete::Enabled),
        40..60 => bucket.lifecycle = Some(Arc::clone(rules)),
        60..70 => bucket.mfa_delete = Some(MfaDelete::Disabled),
        70..85 => bucket.versioning = None,
        85..92 => bucket.versioning = Some(Versioning::Suspended),
        92..96 => {
            bucket.mfa_delete = Some(MfaDelete::Enabled);
            bucket.lifecycle = Some(Arc::clone(rules));
        }
        96..98 => {
            let reason = "with an explicit deny in a service control policy".into();
            bucket.deny.insert(BucketCall::GetBucketVersioning, reason);
        }
        _ => bucket.listed_region = Some("us-west-2".into()),
    }
    bucket
}

/// The settings that generated buckets share.
struct Settings {
    mfa_to_delete: Arc<Policy>,
    lock: Arc<ObjectLock>,
    replication: Arc<[ReplicationRule]>,
    words: [Arc<str>; 4],
    tags: [Arc<BTreeMap<String, String>>; 3],
}

impl Settings {
    fn generate() -> Self {
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "MfaToDelete", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObjectVersion",
            "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
        }]});
        let tags = |team: &str| Arc::new(BTreeMap::from([("team".to_owned(), team.to_owned())]));
        Self {
            mfa_to_delete: serde_json::from_value(policy).expect("an object, as written above"),
            lock: Arc::new(ObjectLock::of("GOVERNANCE", 30)),
            replication: Arc::new([ReplicationRule::to("generated-copies", "100000000001")]),
            words: ["AES256", "aws:kms", "BucketOwnerEnforced", "Enabled"].map(Arc::from),
            tags: ["payments", "search", "data"].map(tags),
        }
    }

    /// Some of each, whatever else the bucket is.
    fn give(&self, bucket: &mut Bucket) {
        let [policy, lock, replication, encryption, ownership, acceleration, notification, tags] =
            hash(&["settings", &bucket.name]).to_le_bytes();
        let [aes, kms, enforced, enabled] = &self.words;
        bucket.policy = (policy < 64).then(|| Arc::clone(&self.mfa_to_delete));
        bucket.object_lock = (lock < 16).then(|| Arc::clone(&self.lock));
        bucket.replication = (replication < 32).then(|| Arc::clone(&self.replication));
        bucket.encryption = Some(Arc::clone(if encryption < 64 { kms } else { aes }));
        bucket.ownership = (ownership < 224).then(|| Arc::clone(enforced));
        bucket.acceleration = (acceleration < 8).then(|| Arc::clone(enabled));
        bucket.notification = (notification < 32).then(|| Notification::of_queues(1));
        bucket.tags = (tags < 192).then(|| Arc::clone(&self.tags[usize::from(tags) % self.tags.len()]));
    }
}

fn generated_lifecycle() -> Arc<[lifecycle::Rule]> {
    let rules = json!([{
        "ID": "tidy", "Status": "Enabled", "Filter": {"Prefix": "logs/"},
        "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}],
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90, "NewerNoncurrentVersions": 3},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}
    }]);
    serde_json::from_value(rules).expect("a list of objects, as written above")
}
