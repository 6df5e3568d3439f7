//! How much of what exists was seen, and what kept the rest from being seen.

use std::cmp::Reverse;

use super::page::{Page, WIDE, id_of, name_of};
use super::table::{Column, Text, Tone, listed, plural};
use super::tally::{Extent, Gap};
use crate::model::{AccountRecord, Outcome, Region};

const ACCOUNTS: usize = 10;
const GAPS: usize = 6;

impl Page<'_> {
    pub(super) fn coverage(&self) -> String {
        let coverage = self.summary.coverage;
        let accounts = [
            (coverage.accounts_complete, "read"),
            (coverage.accounts_incomplete, "not to the end"),
            (coverage.accounts_failed, "failed"),
            (coverage.accounts_skipped, "skipped"),
        ];
        let buckets = [
            (coverage.buckets_complete, "read"),
            (coverage.buckets_unknown, "with something unknown"),
            (coverage.buckets_vanished, "vanished"),
            (coverage.buckets_directory.unwrap_or_default(), "only listed"),
        ];
        let requests = [(coverage.retries, "were retries"), (coverage.throttled, "were throttled")];
        let row = |name: &str, number: u64, verb: &str, words: &str| {
            let words = if words.is_empty() { verb.to_owned() } else { format!("{verb}: {words}") };
            vec![Text::new(name), Text::number(number), Text::new(&words)]
        };
        let mut rows = vec![
            row("Accounts", coverage.accounts, "found", &listed(&accounts)),
            row("Buckets", coverage.buckets, "listed", &listed(&buckets)),
            self.fully_known(),
            row("Requests", coverage.requests, "sent", &listed(&requests)),
        ];
        if let Some(regions) = &self.summary.run.directory_regions {
            let regions: Vec<&str> = regions.iter().map(Region::as_str).collect();
            let regions = if regions.is_empty() { "no Region".to_owned() } else { regions.join(", ") };
            let words = format!("asked for in {regions}; no rule speaks of them");
            rows.insert(2, row("Directory buckets", coverage.buckets_directory.unwrap_or_default(), &words, ""));
        }
        let extras = &self.summary.run.extras;
        if !extras.is_empty() {
            let more: Vec<&str> = extras.iter().map(|extra| extra.operation().as_str()).collect();
            let words = format!("the two of every scan and {}", more.join(", "));
            rows.push(row("A bucket", 2 + more.len() as u64, "requests", &words));
        }
        let table = self.layout.table(rows, &[Column::Fit, Column::Fit, Column::Wrap]);
        let verdicts = self.verdicts().into_iter().map(|words| vec![words]).collect();
        self.layout.title("COVERAGE") + &table + "\n" + &self.layout.table(verdicts, &[Column::Wrap])
    }

    /// What stayed unknown, a sentence or two each.
    fn verdicts(&self) -> Vec<Text> {
        let coverage = self.summary.coverage;
        let not_analysed = self.tally.not_analysed;
        let mut verdicts = Vec::new();
        if self.summary.run.interrupted {
            let words = format!(
                "The run was interrupted before everything was read: what is missing is unknown. bucketlens scan \
                 --resume {} reads it.",
                self.options.folder
            );
            verdicts.push(Text::new(&words).tone(Tone::Bad));
        } else if !coverage.is_complete() {
            let words = "What is unknown is neither pass nor fail: it is counted by itself and is in no percentage of \
                what is known. Of buckets that could not be listed nothing is said at all.";
            verdicts.push(Text::new(words).tone(Tone::Warning));
        } else if not_analysed == 0 && !self.summary.accounts.iter().any(AccountRecord::lacks_tag) {
            verdicts.push(Text::new("Nothing stayed unknown.").tone(Tone::Good));
        }
        let lacking = self.summary.accounts.iter().filter(|account| account.lacks_tag()).count() as u64;
        if lacking > 0 {
            let why = self.summary.accounts.iter().find_map(AccountRecord::why_it_lacks_tag);
            let why = why.map_or_else(String::new, |reason| {
                let needs = reason.needs().map(|action| format!(", needs {action}")).unwrap_or_default();
                format!(" ({} {}{needs})", reason.operation, reason.class.as_str())
            });
            let words = format!(
                "The tags of {} could not be read{why}: their buckets without a tag of their own are in the group (unknown).",
                plural(lacking, "account")
            );
            verdicts.push(Text::new(&words).tone(Tone::Warning));
        }
        if not_analysed > 0 {
            let words = format!(
                "What the lifecycle rules of {} do together is unknown: the configuration was read and could not be \
                 analysed; the findings say why.",
                plural(not_analysed, "bucket")
            );
            verdicts.push(Text::new(&words).tone(Tone::Warning));
        }
        let unplaced = self.summary.accounts.iter().filter(|account| account.ou_path.is_empty()).count() as u64;
        if self.summary.run.organization_id.is_some() && unplaced > 0 {
            let words = format!(
                "The organizational units of {} could not be read: metrics by OU leave them out.",
                plural(unplaced, "account")
            );
            verdicts.push(Text::new(&words).tone(Tone::Warning));
        }
        verdicts
    }

    /// How many buckets are known in every fact, and of how many.
    fn fully_known(&self) -> Vec<Text> {
        let figures = &self.organization;
        let buckets = figures.count("BucketCount");
        let known = buckets - figures.count("UnknownBucketCount");
        let accounts = self.summary.accounts.iter();
        let unlisted = accounts.filter(|account| match account.listing {
            Outcome::Failed(_) | Outcome::Incomplete(_) => true,
            Outcome::Complete | Outcome::Skipped(_) => false,
        });
        let behind = match unlisted.count() as u64 {
            0 => format!("of {} = {}", plural(buckets, "bucket"), figures.percent("KnownBucketPercent")),
            unlisted => format!(
                "of {} listed, unknown %: {} may have more",
                plural(buckets, "bucket"),
                plural(unlisted, "account")
            ),
        };
        vec![Text::new("Fully known"), Text::number(known), Text::new(&behind)]
    }

    /// Failed accounts before those that were not read to the end, before those that were not tried.
    pub(super) fn accounts_not_read(&self) -> Option<String> {
        let accounts = self.summary.accounts.iter();
        let mut troubled: Vec<_> = accounts.filter_map(|account| Some((trouble(account)?, account))).collect();
        troubled.sort_by_key(|((rank, _), _)| *rank);
        let wide = self.layout.width >= WIDE;
        let row = |((_, tone), account): &((u8, Tone), &AccountRecord)| {
            let outcome = Text::new(account.outcome().as_str()).tone(*tone);
            let (name, reason) = (name_of(account), account.reason());
            if wide {
                vec![Text::new(id_of(account)), outcome, Text::new(&name), Text::new(&reason)]
            } else {
                let prefix = if name.is_empty() { String::new() } else { format!("{name}: ") };
                vec![Text::new(id_of(account)), outcome, Text::new(&format!("{prefix}{reason}"))]
            }
        };
        let rows = troubled.iter().take(ACCOUNTS).map(row).collect();
        let table = if wide {
            let header = ["Account", "Outcome", "Name", "Reason"].map(Text::new).into();
            self.layout.headed(header, rows, &[Column::Fit, Column::Fit, Column::Wrap, Column::Wrap])
        } else {
            let header = ["Account", "Outcome", "Reason"].map(Text::new).into();
            self.layout.headed(header, rows, &[Column::Fit, Column::Fit, Column::Wrap])
        };
        (!troubled.is_empty()).then(|| table + &self.rest(troubled.len(), ACCOUNTS, "accounts.csv"))
    }

    /// The facts that could not be read, by what kept them.
    pub(super) fn gaps(&self) -> Option<String> {
        let mut gaps: Vec<_> = self.tally.gaps.iter().collect();
        gaps.sort_by_key(|(_, extent)| Reverse(extent.buckets));
        let words = |gap: &Gap| {
            let code = gap.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
            let needs = gap.needs.map(|action| format!(", needs {action}")).unwrap_or_default();
            Text::new(&format!("{} {}{code}{needs}", gap.operation, gap.class))
        };
        let row = |(gap, extent): &(&Gap, &Extent)| {
            vec![words(gap), Text::number(extent.buckets), Text::number(extent.accounts)]
        };
        let of_accounts = self.tally.of_accounts(self.summary.accounts);
        let more = of_accounts.iter().take(GAPS);
        let more = more.map(|(gap, accounts)| vec![words(gap), Text::new("-").right(), Text::number(*accounts)]);
        let rows: Vec<_> = gaps.iter().take(GAPS).map(row).chain(more).collect();
        let is_any = !rows.is_empty();
        let header = vec![Text::new("Could not be read"), Text::new("Buckets").right(), Text::new("Accounts").right()];
        let table = self.layout.headed(header, rows, &[Column::Wrap, Column::Fit, Column::Fit]);
        is_any.then(|| {
            let rest = self.rest(gaps.len(), GAPS, "buckets.csv");
            table + &rest + &self.rest(of_accounts.len(), GAPS, "accounts.csv")
        })
    }
}

/// Where the account stands in the list, and its tone; `None` where there is no trouble.
fn trouble(account: &AccountRecord) -> Option<(u8, Tone)> {
    match *account.outcome() {
        Outcome::Failed(_) => Some((0, Tone::Bad)),
        Outcome::Incomplete(_) => Some((1, Tone::Warning)),
        Outcome::Skipped(_) => Some((2, Tone::Faint)),
        Outcome::Complete => None,
    }
}
