//! `bucketlens diff`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::diff::Comparison;
use crate::cli::judging::Judging;
use crate::model::Standard;
use crate::report::changes::TableFormat;

#[derive(Args)]
pub struct DiffArgs {
    /// Output folder of the older run
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// Output folder of the newer run
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Which reading of the MFA delete requirement holds for both [default: that of the newer run]
    #[arg(long, value_name = "NAME")]
    standard: Option<Standard>,
    /// Control that waives it, as NAME or NAME:DAYS (comma list) [default: those of the newer run]
    #[arg(long, value_name = "CONTROL", value_delimiter = ',')]
    accept_control: Vec<String>,
    /// How the differences are shown
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: TableFormat,
    /// Exit 0 instead of 3 when the newer run does not know all
    #[arg(long)]
    allow_unknown: bool,
}

impl DiffArgs {
    pub fn read(self) -> Comparison {
        Comparison {
            old: self.old,
            new: self.new,
            judging: Judging { standard: self.standard, accepted: self.accept_control },
            format: self.format,
            allow_unknown: self.allow_unknown,
        }
    }
}
