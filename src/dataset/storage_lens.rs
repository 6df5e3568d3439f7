//! The tables of S3 Storage Lens: [`parquet`] writes them; [`read`] takes the rows of a report file in, [`intake`] holds
//! them against the manifest, [`sorted`] brings them into order, and [`doubts`] finds where they contradict each other, all in
//! flat memory. [`problems`] is what is wrong with them, [`missing`] what an export of ours says that it does not have,
//! [`record_types`] counts rows of record types that are not known.

pub mod doubts;
pub mod intake;
mod kept;
pub mod missing;
pub mod parquet;
pub mod problems;
pub mod read;
pub mod record_types;
pub mod sorted;
