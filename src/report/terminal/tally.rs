//! What the page needs to know of the buckets: groups of equal findings and of equal reasons, in bounded memory.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::evaluate::{Analysis, Evaluation};
use crate::model::{
    AccountId, AccountRecord, BucketRecord, Deny, ErrorClass, Finding, Reason, Severity, Status, Timestamp,
};
use crate::policy::{Group as PolicyGroup, Said, Verdict};
use crate::protection::tally::Tally as ProtectionTally;
use crate::report::{Contents, Summary};
use crate::rules;

/// How many findings of a group are kept word for word; a group of more is told as a whole.
pub(super) const KEPT: usize = 3;

/// Error codes come from servers, so their number has a bound; past it codes are no longer told apart.
const GAPS: usize = 200;

#[derive(Default)]
pub(super) struct Tally {
    /// Failed rules: the worst first, then in the order of `rules::ALL`, which has requirements first.
    pub failed: BTreeMap<(Reverse<Severity>, usize), Group>,
    /// Facts that could not be read.
    pub gaps: BTreeMap<Gap, Extent>,
    /// Buckets whose lifecycle configuration was read and could not be analysed.
    pub not_analysed: u64,
    /// What the policies say of each group of actions; empty where nobody asked.
    pub policies: BTreeMap<PolicyGroup, Policies>,
    /// Empty where nobody asked.
    pub protection: ProtectionTally,
    /// When the oldest fact of all was read; `None` without buckets.
    pub oldest: Option<Timestamp>,
}

/// Buckets by what their policies say of MFA for one group of actions.
#[derive(Clone, Copy, Default)]
pub(super) struct Policies {
    pub required: u64,
    pub partial: u64,
    pub not_required: u64,
    /// With MFA, too.
    pub denied: u64,
    pub unknown: u64,
}

impl Policies {
    fn add(&mut self, said: &Said, group: PolicyGroup) {
        let is_denied = said.access(group).is_some_and(|access| access.denied_to_all);
        *match said.verdict(group) {
            Verdict::NotRequired if is_denied => &mut self.denied,
            Verdict::Required => &mut self.required,
            Verdict::Partial => &mut self.partial,
            Verdict::NotRequired => &mut self.not_required,
            Verdict::Unknown => &mut self.unknown,
        } += 1;
    }
}

/// Findings of one rule and severity.
pub(super) struct Group {
    pub extent: Extent,
    /// Where all of them have the same.
    pub evidence: Option<Cow<'static, str>>,
    /// The first [`KEPT`].
    pub first: Vec<Finding>,
}

impl Group {
    fn of(finding: &Finding) -> Self {
        Self { extent: Extent::default(), evidence: Some(finding.evidence.clone()), first: Vec::new() }
    }

    fn add(&mut self, finding: &Finding) {
        self.extent.add(&finding.account);
        self.evidence.take_if(|evidence| *evidence != finding.evidence);
        if self.first.len() < KEPT {
            self.first.push(finding.clone());
        }
    }
}

/// Reasons that differ only by request. The words are those of [`Operation`], [`ErrorClass`] and [`Deny`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Gap {
    pub operation: &'static str,
    pub class: &'static str,
    pub code: Option<String>,
    /// The IAM action whose absence may be why.
    pub needs: Option<&'static str>,
}

/// How far something reaches.
#[derive(Default)]
pub(super) struct Extent {
    pub buckets: u64,
    pub accounts: u64,
    last: Option<AccountId>,
}

impl Extent {
    /// Buckets come sorted by account, so a new account is one that differs from the last.
    fn add(&mut self, account: &AccountId) {
        self.buckets += 1;
        if self.last.as_ref() != Some(account) {
            self.accounts += 1;
            self.last = Some(account.clone());
        }
    }
}

impl Tally {
    /// What the report has beside what every report has.
    pub fn contents(&self, summary: &Summary<'_>) -> Contents {
        Contents {
            policy: !self.policies.is_empty(),
            protection: !self.protection.is_empty(),
            baseline: summary.compared,
        }
    }

    pub fn bucket(&mut self, record: &BucketRecord, evaluation: &Evaluation) {
        let observed_at = record.observed_at();
        self.oldest = Some(self.oldest.map_or(observed_at, |oldest| oldest.min(observed_at)));
        for finding in evaluation.findings.iter().filter(|finding| finding.status == Status::Fail) {
            let position = rules::ALL.iter().position(|rule| rule.id == finding.rule).unwrap_or(usize::MAX);
            let group = self.failed.entry((Reverse(finding.severity), position)).or_insert_with(|| Group::of(finding));
            group.add(finding);
        }
        self.not_analysed += u64::from(evaluation.lifecycle == Analysis::Open);
        if let Some(said) = &evaluation.policy {
            for group in PolicyGroup::ALL {
                self.policies.entry(group).or_default().add(said, group);
            }
        }
        if let Some(protection) = &evaluation.protection {
            self.protection.add(protection);
        }
        let mut gaps: Vec<Gap> = record.facts.reasons().map(|reason| self.gap(reason)).collect();
        gaps.dedup();
        for gap in gaps {
            self.gaps.entry(gap).or_default().add(&record.account);
        }
    }

    /// What could not be read of accounts themselves: no fact of a bucket, but what groups its buckets.
    pub fn of_accounts(&self, accounts: &[AccountRecord]) -> BTreeMap<Gap, u64> {
        let mut gaps = BTreeMap::new();
        for reason in accounts.iter().filter_map(AccountRecord::why_it_lacks_tag) {
            *gaps.entry(self.gap(reason)).or_default() += 1;
        }
        gaps
    }

    fn gap(&self, reason: &Reason) -> Gap {
        let gap = Gap {
            operation: reason.operation.as_str(),
            class: words(reason),
            code: reason.code.clone(),
            needs: reason.needs(),
        };
        if self.gaps.len() < GAPS || self.gaps.contains_key(&gap) { gap } else { Gap { code: None, ..gap } }
    }
}

/// What became of a question, for a person.
fn words(reason: &Reason) -> &'static str {
    match reason.class {
        ErrorClass::Denied => match reason.deny() {
            Some(Deny::ResourceBasedPolicy) => "denied by the bucket's policy",
            Some(Deny::OtherPolicy) => "denied by a policy that is not the bucket's",
            None => "denied",
        },
        ErrorClass::WrongRegion => "asked in the wrong Region",
        ErrorClass::Credentials => "refused for its credentials",
        ErrorClass::Throttled => "throttled",
        ErrorClass::Unavailable => "not answered",
        ErrorClass::Malformed => "answered with something unreadable",
        ErrorClass::Unsupported => "not supported by the server",
        ErrorClass::Rejected => "rejected",
        ErrorClass::Interrupted => "interrupted",
    }
}
