//! What is wrong with a configuration beside its verdicts: what S3 would refuse, what costs more than it seems, and what
//! is dangerous.

mod dangers;
mod order;
mod refused;
mod traps;

use time::Date;

use super::configuration::{Action, Configuration, Versions};
use super::read::{Code, Document, Form};
use super::verdicts::{ActionVerdict, Verdict};
use crate::model::Severity;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    pub kind: Kind,
    /// What S3 would answer, where it would refuse the configuration and its answer is known.
    pub code: Option<Code>,
    /// The rule's position in the configuration.
    pub rule: Option<usize>,
    pub message: String,
}

/// What a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// S3 refuses the configuration for it, so that no rule takes effect.
    Refusal,
    /// What the configuration does, or does not do.
    Effect,
}

/// The bucket that the configuration is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    pub versions: Versions,
    /// Whether MFA delete is on, where somebody says so.
    pub mfa_delete: Option<bool>,
    pub today: Date,
}

/// S3's limit, not adjustable.
pub(super) const MOST_RULES: usize = 1_000;

/// First what concerns the whole configuration, then rule by rule. The verdicts are all of [`super::analyse`].
pub fn problems(document: &Document, verdicts: &[ActionVerdict], bucket: Bucket) -> Vec<Problem> {
    let mut found = Found::default();
    found.remarks(document);
    found.unread(document);
    found.configuration(&document.configuration);
    found.old_schema(document);
    found.mfa_delete(&document.configuration, verdicts, bucket);
    for (index, rule) in document.configuration.rules.iter().enumerate() {
        let mut of_rule = OfRule { found: &mut found, index };
        of_rule.elements(rule);
        of_rule.combinations(rule);
        let of_its_actions = verdicts.partition_point(|verdict| verdict.rule < index)..;
        let of_its_actions = &verdicts[of_its_actions][..rule.actions.len()];
        of_rule.dangers(rule, of_its_actions, bucket);
        of_rule.traps(document, rule, of_its_actions, bucket);
    }
    found.growing(&document.configuration, verdicts, bucket);
    found.delete_markers(&document.configuration, bucket);
    found.costs(&document.configuration, bucket);
    found.duplicates(&document.configuration, bucket);
    if verdicts.iter().any(|verdict| verdict.verdict == Verdict::NotAnalysed) {
        found.add(
            Severity::Info,
            None,
            None,
            "the configuration is past the analyser's work limit: some verdicts are open",
        );
    }
    let mut problems = found.problems;
    problems.sort_by_key(|problem| problem.rule);
    problems
}

#[derive(Default)]
struct Found {
    problems: Vec<Problem>,
}

impl Found {
    fn add(&mut self, severity: Severity, code: Option<Code>, rule: Option<usize>, message: impl Into<String>) {
        self.problems.push(Problem { severity, kind: Kind::Effect, code, rule, message: message.into() });
    }

    /// What S3 would refuse keeps the whole configuration from taking effect.
    fn refused(&mut self, code: impl Into<Option<Code>>, rule: Option<usize>, message: impl Into<String>) {
        let (severity, kind) = (Severity::High, Kind::Refusal);
        self.problems.push(Problem { severity, kind, code: code.into(), rule, message: message.into() });
    }

    fn remarks(&mut self, document: &Document) {
        for remark in &document.remarks {
            let message = format!("line {}: {}", remark.place.line, remark.message);
            if remark.kind.is_refusal() {
                self.refused(remark.code, remark.rule, message);
            } else {
                self.add(Severity::Info, remark.code, remark.rule, message);
            }
        }
    }

    fn unread(&mut self, document: &Document) {
        let unread = |rule: &usize| document.forms[*rule] == Form::Unread;
        let rules: Vec<usize> = (0..document.forms.len()).filter(unread).collect();
        if !rules.is_empty() {
            let message = format!(
                "the verdicts leave out what could not be read: {} {}",
                if rules.len() == 1 { "rule" } else { "rules" },
                named(&document.configuration, &rules)
            );
            self.add(Severity::Info, None, None, message);
        }
    }
}

struct OfRule<'a> {
    found: &'a mut Found,
    index: usize,
}

impl OfRule<'_> {
    fn refuse(&mut self, code: impl Into<Option<Code>>, message: impl Into<String>) {
        self.found.refused(code, Some(self.index), message);
    }

    fn add(&mut self, severity: Severity, message: impl Into<String>) {
        self.found.add(severity, None, Some(self.index), message);
    }
}

/// S3's name for the action; an `Expiration` of delete markers has one of its own here.
pub fn name(action: &Action) -> &'static str {
    match action {
        Action::Expiration(_) => "Expiration",
        Action::ExpiredObjectDeleteMarker(_) => "ExpiredObjectDeleteMarker",
        Action::Transition { .. } => "Transition",
        Action::NoncurrentVersionExpiration { .. } => "NoncurrentVersionExpiration",
        Action::NoncurrentVersionTransition { .. } => "NoncurrentVersionTransition",
        Action::AbortIncompleteMultipartUpload { .. } => "AbortIncompleteMultipartUpload",
    }
}

/// The first rules by their ids.
fn named(configuration: &Configuration, rules: &[usize]) -> String {
    const SHOWN: usize = 5;
    let mut names: Vec<String> = rules.iter().take(SHOWN).map(|rule| configuration.rules[*rule].id.clone()).collect();
    if rules.len() > SHOWN {
        names.push(format!("{} more", rules.len() - SHOWN));
    }
    names.join(", ")
}
