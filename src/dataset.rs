//! Tables in and out of Parquet and CSV. With `aggregate` the only place that knows polars.

mod broken;
pub mod inventory;
pub mod storage_lens;
