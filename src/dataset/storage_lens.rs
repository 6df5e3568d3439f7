//! The tables of S3 Storage Lens: [`parquet`] writes them; [`read`] takes the rows of a report file in, [`intake`] holds
//! them against the manifest, [`sorted`] brings them into order, and [`doubts`] finds where they contradict each other, all in
//! flat memory.

pub mod doubts;
pub mod intake;
pub mod parquet;
pub mod read;
pub mod sorted;
