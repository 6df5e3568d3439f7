//! The only place that knows the AWS SDK. Everything else is given plain data of `model`.
//!
//! - [`http`]: one HTTP client for all accounts; [`proxy`]: who is asked without a proxy;
//! - [`session`]: whose credentials, which partition, a client for each Region;
//! - [`settings`]: AWS's own settings; [`profile`]: what the configuration files say about a profile; [`credentials`]: the
//!   one source that is chosen; [`secret`]: what a key can hold;
//! - [`secrets`]: what is blanked where a server repeats it;
//! - [`keys`]: credentials, renewed when they end; [`clock`]: the time with which requests are signed;
//! - [`organizations`]: the accounts and where they stand;
//! - [`endpoint`]: the address of a bucket and how its requests are signed; [`addressing`]: whether its name is in the path;
//! - [`route`]: the way to a bucket; [`redirect`]: which answers may change it; [`address`] and [`partition`]: what they name;
//! - [`lean`]: what the SDK adds to requests and nobody reads is left out;
//! - one file for each S3 operation;
//! - [`body`]: no answer is believed before its raw body was checked; [`document`]: what stands in it, read strictly;
//! - `listing`: where a list in pages goes on, and when it is given up;
//! - [`failure`]: what each error means;
//! - [`pace`]: requests in flight, retries, counts.
//!
//! The line between the service's errors and ours: what S3 documents as an answer (`NoSuchLifecycleConfiguration`,
//! `NoSuchBucket`) is a value of the operation's result; everything else is a [`failure::Failure`] with a
//! [`crate::model::Reason`], and the fact it was to give stays unknown.

pub mod address;
pub mod addressing;
pub mod body;
pub mod bucket_region;
pub mod clock;
pub mod credentials;
pub mod document;
pub mod endpoint;
pub mod failure;
pub mod get_bucket_accelerate_configuration;
pub mod get_bucket_encryption;
pub mod get_bucket_lifecycle_configuration;
pub mod get_bucket_notification_configuration;
pub mod get_bucket_ownership_controls;
pub mod get_bucket_policy;
pub mod get_bucket_replication;
pub mod get_bucket_tagging;
pub mod get_bucket_versioning;
pub mod get_object;
pub mod get_object_lock_configuration;
pub mod http;
mod keys;
pub mod lean;
mod learn;
pub mod list_buckets;
pub mod list_directory_buckets;
pub mod list_objects;
mod listing;
pub mod organizations;
pub mod pace;
pub mod partition;
mod profile;
pub mod proxy;
pub mod put_bucket_versioning;
pub mod redirect;
pub mod route;
mod secret;
pub mod secrets;
pub mod session;
pub mod settings;
