//! Plain data: what an account, a bucket, a fact and a finding are. No I/O, and nothing here knows AWS's SDK.
//!
//! The type that carries the product's promise is [`Fact`]: a value that was read, or the reason why it was not,
//! and when. What was never configured is a *known* absence (`Versioning::Never`, `Lifecycle::None`); what could
//! not be read is [`Observed::Unknown`], and nothing turns the one into the other.

pub mod account;
pub mod bucket;
pub mod control;
pub mod directory;
pub mod doubt;
pub mod extra;
pub mod finding;
pub mod lifecycle;
pub mod names;
pub mod observed;
pub mod run;
pub mod timestamp;
pub mod told;

pub use account::{Account, AccountId, AccountRecord, AccountState, OuPath, Outcome};
pub use bucket::{BucketRecord, Exclusions, Facts, Lifecycle, MfaDelete, Region, Versioning, VersioningState};
pub use control::{AcceptedControl, Control, ControlError};
pub use directory::{DirectoryGap, directory_regions, is_directory_bucket};
pub use doubt::Doubt;
pub use extra::{
    Acceleration, BucketPolicy, DefaultLock, DefaultRetention, Encryption, EventHold, Extra, Extras, KmsObjects,
    LeftOut, Notification, ObjectLock, ObjectOwnership, Replication, ReplicationRule, RetentionMode, RetentionPeriod,
    Tags,
};
pub use finding::{Finding, Kind, Severity, Status};
pub use lifecycle::{ActionKind, LifecycleConfiguration, LifecycleRule, Reading, RuleStatus};
pub use names::{Arn, NotAName, OrganizationId, Partition, RunId, Sha256Sum, Version, is_bucket_name, is_unit_id};
pub use observed::{Deny, ErrorClass, Fact, Observed, Operation, Reason};
pub use run::{Breadth, Coverage, Run, ScopeOptions, Standard, leaves_out_buckets};
pub use timestamp::Timestamp;
pub use told::Told;
