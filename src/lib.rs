//! bucketlens reads the versioning, MFA delete and lifecycle configuration of every S3 bucket of an organization, judges
//! them, and reports. What could not be read is *unknown* everywhere: no pass, no fail, no default.
//!
//! ```text
//! discover -> collect  |  Inventory  |  evaluate -> aggregate -> report
//! async, talks to AWS     a value       pure: same Inventory, same bytes, whatever the concurrency was
//! ```
//!
//! [`discover`] finds the accounts, [`collect`] reads their buckets with concurrent workers, both by way of [`aws`],
//! the only place that knows the SDK. What they read is the [`inventory`]: a folder of segments on disk, one an account,
//! so memory stays flat. From there on nothing asks AWS: [`evaluate`] holds the [`rules`] against each bucket,
//! [`aggregate`] counts, [`report`] writes; [`diff`] holds one inventory beside another, [`trend`] follows metrics over
//! many, [`dataset`] is the inventory as Parquet. [`cli`] strings these together; `cli/scan.rs` is the whole sentence.
//! [`storage_lens`] has the names and files of S3 Storage Lens, which [`dataset`] reads and writes as tables.
//! [`run_folder`] opens the folders of runs, which may be a stranger's.
//! [`plan`] makes steps of the findings of a run, [`permissions`] says what a scan needs.
//! Nothing of this changes anything in AWS; only `cli/mfa_delete.rs` does, where the user asked for it by name.
//!
//! The modules in the order in which they are best read:

pub mod lifecycle;
pub mod model;
pub mod policy;
pub mod protection;
pub mod replication;
pub mod rules;
pub mod storage_lens;

pub mod evaluate;

pub mod plan;

pub mod permissions;

pub mod discover;

pub mod collect;

pub mod aws;

pub mod run_folder;

pub mod inventory;

pub mod aggregate;
pub mod dataset;
pub mod diff;
pub mod trend;

pub mod report;

pub mod config;
pub mod exit;

pub mod cli;

pub mod simulator;
