//! `bucketlens plan`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::plan::Order;
use crate::model::{AccountId, Standard};
use crate::plan::Format;

#[derive(Args)]
pub struct PlanArgs {
    /// Output folder of a scan
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Only this account (repeatable)
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = AccountId::parse)]
    account: Vec<AccountId>,
    /// Which reading of the MFA delete requirement holds [default: that of the run]
    #[arg(long, value_name = "NAME")]
    standard: Option<Standard>,
    /// How the plan is written
    #[arg(long, value_name = "FORMAT", default_value = "markdown")]
    format: Format,
}

impl PlanArgs {
    pub fn read(self) -> Order {
        let accounts = self.account.into_iter().collect();
        Order { run: self.run, accounts, standard: self.standard, format: self.format }
    }
}

pub const EXAMPLES: &str = "\
Examples:
  For people:
    bucketlens plan reports/nightly > plan.md
  A script for one account; run without arguments it says how it is used:
    bucketlens plan reports/nightly --account 111111111111 --format sh > plan.sh
    sh plan.sh check";
