//! A whole export: its report files held against the manifest, its rows judged one by one, what they say of buckets
//! brought into order. What does not fit is counted and named, never passed over.

use std::fs::File;
use std::io::{self, Read};

use super::doubts::{self, Doubts};
use super::missing::{Missing, MissingError, NoCoverage};
use super::problems::{Fault, Problems};
use super::read::{self, NoRow, PartError, RawRow};
use super::record_types::UnknownTypes;
use super::sorted::{Order, Sorted, Sorter};
use crate::storage_lens::coverage::{AccountsListed, Coverage};
use crate::storage_lens::place::{Owner, TOP};
use crate::storage_lens::rows::OTHER_RECORD_TYPES;
use crate::storage_lens::{Manifest, Metric, RecordType, ReportFile, VERSION};

/// A report file that is at hand.
#[derive(Debug)]
pub struct Received {
    pub file: File,
    /// In bytes.
    pub size: u64,
    pub md5: String,
}

impl Received {
    /// One in a folder of this machine. `said`: its size by the manifest; nothing is read of a file of another size.
    pub fn read(file: File, said: Option<u64>) -> Result<Self, PartError> {
        let found = file.metadata()?.len();
        match said {
            Some(said) if said != found => return Err(PartError::OtherSize { said, found }),
            Some(_) | None => {}
        }
        // It may grow while it is read.
        let (size, md5) = read::sum((&file).take(found.saturating_add(1)))?;
        Ok(Self { file, size, md5 })
    }
}

/// What stood in an export, in rows.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub rows: u64,
    /// Rows of buckets and settings, by [`Metric::index`].
    pub metrics: [u64; Metric::COUNT],
}

/// Why an export cannot be taken in further.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error(transparent)]
    Part(#[from] PartError),
    /// The temporary files in which buckets are sorted.
    #[error("sort the buckets of the export: {0}")]
    Disk(io::Error),
}

/// Takes the report files one by one.
pub struct Intake<'a> {
    manifest: &'a Manifest,
    metrics: &'a [Metric],
    sorter: Sorter,
    problems: Problems,
    unknown_types: UnknownTypes,
    counts: Counts,
    missing: Missing,
    coverage: Option<Coverage>,
    /// The owner in the keys of the report files, once one was checked.
    owner: Option<String>,
}

impl<'a> Intake<'a> {
    /// `metrics`: those that matter, whose sums are held against the rows of accounts.
    pub fn new(manifest: &'a Manifest, metrics: &'a [Metric], order: Order) -> Self {
        let mut problems = Problems::default();
        if Owner::parse(&manifest.source_account_id).is_none() {
            problems.add(Fault::NoAccount, format!("sourceAccountId {:?} of the manifest", manifest.source_account_id));
        }
        Self {
            manifest,
            metrics,
            sorter: Sorter::new(order),
            problems,
            unknown_types: UnknownTypes::default(),
            counts: Counts::default(),
            missing: Missing::default(),
            coverage: None,
            owner: None,
        }
    }

    /// A report file, or why there is none. Nothing is taken of one whose size or MD5 is not the manifest's.
    pub fn part(&mut self, file: &ReportFile, received: Result<Received, PartError>) -> io::Result<()> {
        let taken = received.map_err(IntakeError::from).and_then(|received| {
            self.check(file, &received)?;
            let format = self.manifest.report_format;
            read::rows(&received.file, format, |row| self.row(row))
        });
        match taken {
            Ok(()) => Ok(()),
            Err(IntakeError::Disk(error)) => Err(error),
            Err(IntakeError::Part(error)) => {
                self.problems.parts.push((file.key.clone(), error));
                Ok(())
            }
        }
    }

    /// The `coverage.json` of an export of ours, or why there is none. Its buckets are those of the export, of which
    /// nothing may be known.
    pub fn coverage(&mut self, received: Result<Received, PartError>) -> io::Result<()> {
        let read = match received {
            Err(PartError::Missing) => {
                self.missing = Missing::unsaid();
                return Ok(());
            }
            Err(error) => Err(MissingError::Content(NoCoverage::Part(error))),
            Ok(received) => Missing::read(&received.file, self.manifest, self.metrics, |gap| {
                self.sorter.push(&gap.account, &gap.region, &gap.bucket, None)
            }),
        };
        match read {
            Ok((missing, coverage)) => (self.missing, self.coverage) = (missing, Some(coverage)),
            Err(MissingError::Content(error)) => self.problems.coverage = Some(error),
            Err(MissingError::Disk(error)) => return Err(error),
        }
        Ok(())
    }

    fn check(&mut self, file: &ReportFile, received: &Received) -> Result<(), PartError> {
        let mut parts = file.key.rsplit_once(&format!("/{VERSION}/")).map_or("", |(above, _)| above).rsplit('/');
        // A manifest that was written for a flat folder names files without what is above them.
        if let (Some(config), Some(owner), Some(TOP)) = (parts.next(), parts.next(), parts.next()) {
            let first = self.owner.get_or_insert_with(|| owner.to_owned());
            let fits = owner == first.as_str() && Owner::may_be_one(owner, &self.manifest.source_account_id);
            if config != self.manifest.config_id || !fits {
                return Err(PartError::Foreign(file.key.clone()));
            }
        }
        if received.size != file.size {
            return Err(PartError::OtherSize { said: file.size, found: received.size });
        }
        if !received.md5.eq_ignore_ascii_case(&file.md5_checksum) {
            return Err(PartError::OtherSum { said: file.md5_checksum.clone(), found: received.md5.clone() });
        }
        Ok(())
    }

    fn row(&mut self, row: Result<RawRow<'_>, NoRow>) -> Result<(), IntakeError> {
        self.counts.rows += 1;
        let row = match row {
            Ok(row) => row,
            Err(NoRow::Columns(found)) => {
                self.problems.add(Fault::Columns, format!("row {} with {found}", self.counts.rows));
                return Ok(());
            }
            Err(NoRow::NotText) => {
                self.problems.add(Fault::NotText, format!("row {}", self.counts.rows));
                return Ok(());
            }
            Err(NoRow::Null) => {
                self.problems.add(Fault::Null, format!("row {}", self.counts.rows));
                return Ok(());
            }
        };
        if let Some((fault, example)) = self.mistake(&row) {
            self.problems.add(fault, example);
            return Ok(());
        }
        let Some(record_type) = RecordType::find(row.record_type) else {
            if !OTHER_RECORD_TYPES.contains(&row.record_type) {
                self.unknown_types.add(row.record_type);
            }
            return Ok(());
        };
        if let Some((fault, example)) = mistake_of_subject(&row, record_type) {
            self.problems.add(fault, example);
            return Ok(());
        }
        let is_bucket = record_type == RecordType::Bucket;
        let bucket = if is_bucket { row.bucket } else { "" };
        let value = match (Metric::find(row.metric), row.value) {
            (Some(metric), Some(value)) if is_bucket && metric.counts_buckets() && value > 1 => {
                self.problems.add(Fault::SeveralBuckets, format!("{} {value} of {}", row.metric, row.bucket));
                None
            }
            (Some(metric), Some(value)) => {
                self.counts.metrics[metric.index()] += u64::from(is_bucket);
                Some((metric, value))
            }
            (Some(_), None) => {
                let subject = if is_bucket { row.bucket } else { row.account };
                self.problems.add(Fault::NoValue, format!("{} of {subject}", row.metric));
                None
            }
            // Metrics of objects and requests, and those of years to come.
            (None, _) => None,
        };
        self.sorter.push(row.account, row.region, bucket, value).map_err(IntakeError::Disk)
    }

    /// Why the row does not belong to the export, whatever it is of.
    fn mistake(&self, row: &RawRow<'_>) -> Option<(Fault, String)> {
        let quoted = |text: &str| format!("{text:?}");
        if row.version != VERSION {
            Some((Fault::OtherVersion, quoted(row.version)))
        } else if row.config_id != self.manifest.config_id {
            Some((Fault::OtherConfiguration, quoted(row.config_id)))
        } else if row.date != self.manifest.report_date {
            Some((Fault::OtherDate, quoted(row.date)))
        } else {
            None
        }
    }

    /// All report files were taken. Goes once through the buckets, to find what contradicts itself.
    pub fn finish(self) -> io::Result<Taken> {
        let Self { manifest, metrics, sorter, mut problems, unknown_types, counts, mut missing, coverage, owner } =
            self;
        let buckets = sorter.finish()?;
        let all = metrics;
        // An export without any bucket row of a metric says nothing about buckets.
        let metrics: Vec<Metric> =
            metrics.iter().copied().filter(|metric| counts.metrics[metric.index()] > 0).collect();
        let doubts = doubts::find(&buckets, &metrics, |said| {
            for metric in &said.contradicted {
                problems.add(Fault::Contradiction, format!("{} of {}", metric.name(), said.bucket));
            }
        })?;
        if let Some(coverage) = coverage.as_ref().filter(|_| problems.is_empty()) {
            missing.hold(coverage, &counts.metrics, all);
        }
        let accounts_listed = coverage.and_then(|coverage| coverage.accounts_listed);
        let owners = owner.iter().map(String::as_str).chain([manifest.source_account_id.as_str()]);
        let organization = owners.filter_map(Owner::parse).find_map(Owner::organization);
        Ok(Taken { buckets, problems, doubts, missing, unknown_types, counts, organization, accounts_listed })
    }
}

/// What is wrong with the account or bucket of a row.
fn mistake_of_subject(row: &RawRow<'_>, record_type: RecordType) -> Option<(Fault, String)> {
    let lacks_bucket = record_type == RecordType::Bucket && row.bucket.is_empty();
    if !is_account(row.account) {
        Some((Fault::NoAccount, format!("{:?}", row.account)))
    } else if lacks_bucket || [row.bucket, row.region].iter().any(|text| text.contains('\0')) {
        Some((Fault::NoBucket, format!("{:?}", row.bucket)))
    } else {
        None
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// All that an export says of buckets.
pub struct Taken {
    pub buckets: Sorted,
    pub problems: Problems,
    pub doubts: Doubts,
    pub missing: Missing,
    /// Rows that are of neither an account nor a bucket, nor of anything else that is known.
    pub unknown_types: UnknownTypes,
    pub counts: Counts,
    /// The id of the organization, for an organization-level dashboard.
    pub organization: Option<String>,
    /// Of an export of ours.
    pub accounts_listed: Option<AccountsListed>,
}
