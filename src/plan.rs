//! From findings to a plan: for each bucket that should have MFA delete the steps in order, what each destroys and how to
//! undo it; and for which buckets something else is better. Pure: from the inventory of a run, a bucket at a time.
//!
//! - [`course`]: what is to be done about a bucket;
//! - [`effects`]: what its lifecycle configuration does, and what stops without it; [`contents`]: what it is;
//! - [`targets`]: which buckets others replicate to;
//! - [`words`], [`steps`]: the words and the commands;
//! - [`markdown`], [`script`], [`json`]: how a plan is written, each a [`Sink`];
//! - [`quote`]: names of others in commands and in Markdown.
//!
//! Sources: S3 user guide, "Configuring MFA delete", "How S3 Lifecycle interacts with other bucket configurations",
//! "Object Lock considerations"; IAM user guide, "AWS account root user".

mod contents;
pub mod course;
mod effects;
mod json;
mod markdown;
mod quote;
mod script;
pub mod steps;
mod targets;
#[cfg(test)]
mod tests;
pub mod words;

use std::io::{self, Write};

use crate::model::{AccountId, AccountRecord, BucketRecord, Run, Standard};

pub use course::{Course, Judge, Tally};
pub use effects::Analyst;
pub use quote::shell;
pub use targets::Targets;

/// How a plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people, with commands to paste
    Markdown,
    /// A script for the shell that checks before and after each step; run it without arguments for its usage
    Sh,
    /// For programs
    Json,
}

/// What is known before the first bucket.
pub struct Head<'a> {
    pub run: &'a Run,
    pub standard: Standard,
    /// Of all accounts of the plan.
    pub tally: Tally,
    /// Accounts of the plan that could not be read to the end.
    pub incomplete: u64,
    /// Why more buckets may be replication targets than are known.
    pub target_doubts: Vec<String>,
}

impl Head<'_> {
    /// `aws` where STS did not answer.
    pub fn partition(&self) -> &str {
        self.run.partition.as_deref().unwrap_or("aws")
    }

    /// Where STS and IAM of the partition are asked.
    ///
    /// Source: AWS General Reference, "AWS Identity and Access Management endpoints and quotas".
    pub fn home_region(&self) -> &'static str {
        match self.partition() {
            "aws-cn" => "cn-north-1",
            "aws-us-gov" => "us-gov-west-1",
            "aws-eusc" => "eusc-de-east-1",
            _ => "us-east-1",
        }
    }
}

/// An account, before its first bucket.
pub struct Section<'a> {
    pub account: &'a AccountRecord,
    pub tally: Tally,
}

impl Section<'_> {
    /// Its id; a profile whose credentials said nothing has none.
    pub fn id(&self) -> &str {
        self.account.id.as_ref().map_or("unknown", AccountId::as_str)
    }
}

/// A bucket of which something is to be said.
pub struct Entry<'a> {
    pub account: &'a AccountId,
    pub record: &'a BucketRecord,
    pub course: &'a Course,
}

/// A plan in the making: begun, then for each account begun, its buckets, ended; then finished.
pub trait Sink {
    fn begin(&mut self, head: &Head<'_>) -> io::Result<()>;
    fn account(&mut self, section: &Section<'_>) -> io::Result<()>;
    fn bucket(&mut self, entry: &Entry<'_>) -> io::Result<()>;
    fn account_end(&mut self, section: &Section<'_>) -> io::Result<()>;
    fn finish(&mut self) -> io::Result<()>;
}

pub fn sink<'a>(format: Format, out: &'a mut dyn Write) -> Box<dyn Sink + 'a> {
    match format {
        Format::Markdown => Box::new(markdown::Document::new(out)),
        Format::Sh => Box::new(script::Script::new(out)),
        Format::Json => Box::new(json::Document::new(out)),
    }
}
