use super::{BucketFacts, Rule, Verdict, analysis};
use crate::lifecycle::{self, Action};
use crate::model::{Kind, Lifecycle, Severity, Standard};

pub(super) const RULE: Rule = Rule {
    id: "incomplete-uploads-kept-forever",
    title: "Incomplete uploads are ended, whatever their key",
    kind: Kind::Advisory,
    severity: Severity::Info,
    asks: &[],
    standards: &[],
    explanation: "The parts of a multipart upload that was begun and neither completed nor aborted are stored and paid \
        for without being seen in a listing. Only AbortIncompleteMultipartUpload ends them, and here no enabled rule \
        has it for all keys.",
    remediation: "Add an enabled rule with an empty Filter and AbortIncompleteMultipartUpload, for instance after 7 days \
        (s3:PutLifecycleConfiguration). On a bucket with MFA delete S3 takes no configuration: abort uploads by hand \
        there (aws s3api list-multipart-uploads, abort-multipart-upload).",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    let configuration = match facts.lifecycle.known() {
        None => return facts.undecided_by_lifecycle(),
        Some(Lifecycle::None) => return Verdict::fail("there is no lifecycle configuration"),
        Some(Lifecycle::Present(configuration)) => configuration,
    };
    let rules = match analysis::reading(configuration) {
        Err(doubt) => return Verdict::Unknown(vec![doubt]),
        Ok(read) => &read.rules,
    };
    let ending: Vec<&lifecycle::Rule> = rules.iter().filter(|rule| ends_uploads(rule)).collect();
    // Uploads have neither tags nor a size: the prefix alone is their scope.
    if ending.iter().any(|rule| rule.filter.prefix.is_empty()) {
        Verdict::Pass
    } else if ending.is_empty() {
        Verdict::fail("no enabled lifecycle rule has AbortIncompleteMultipartUpload")
    } else {
        let words = |rule: &&lifecycle::Rule| format!("rule {} for {:?}", rule.id, rule.filter.prefix);
        Verdict::fail(format!("uploads are ended below some prefixes only: {}", analysis::list(&ending, ", ", words)))
    }
}

fn ends_uploads(rule: &lifecycle::Rule) -> bool {
    rule.enabled && rule.actions.iter().any(|action| matches!(action, Action::AbortIncompleteMultipartUpload { .. }))
}
