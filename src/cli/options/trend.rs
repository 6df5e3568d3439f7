//! `bucketlens trend`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::trend::{Order, ScopeName};
use crate::report::changes::TableFormat;
use crate::trend::Wanted;

#[derive(Args)]
pub struct TrendArgs {
    /// Folder in which output folders of scans stand, or inventory.parquet files
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// What the values add up over
    #[arg(long, value_name = "SCOPE", default_value = "organization")]
    scope: ScopeName,
    /// Only this OU, account or Region (repeatable)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    id: Vec<String>,
    /// Only this metric of metrics.csv (repeatable) [default: all; eight of them as a table]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    metric: Vec<String>,
    /// How the values are shown
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: TableFormat,
    /// Leave out runs that cannot be read, and say so
    #[arg(long)]
    allow_partial: bool,
}

impl TrendArgs {
    pub fn read(self) -> Order {
        Order {
            folder: self.folder,
            wanted: Wanted { scope: self.scope.scope(), ids: self.id, metrics: self.metric },
            format: self.format,
            allow_partial: self.allow_partial,
        }
    }
}
