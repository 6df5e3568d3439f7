use super::{BucketFacts, Rule, Verdict, analysis};
use crate::lifecycle::traps::taken_literally;
use crate::model::{Kind, Lifecycle, Severity, Standard};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle-prefix-taken-literally",
    title: "No lifecycle prefix begins with / or contains *",
    kind: Kind::Advisory,
    severity: Severity::Low,
    asks: &[],
    standards: &[],
    explanation: "S3 compares the prefix of a rule with the start of each key, character by character. It knows no \
        wildcard, and keys rarely begin with a slash: the rule then matches no object, and nobody notices.",
    remediation: "Write the start of the keys as S3 lists them (aws s3api list-objects-v2 --bucket NAME), without a \
        slash before it and without *: logs/ matches every key below logs/. Where keys really begin with / or contain \
        *, nothing is to be done.",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    let configuration = match facts.lifecycle.known() {
        None => return facts.undecided_by_lifecycle(),
        Some(Lifecycle::None) => return Verdict::Pass,
        Some(Lifecycle::Present(configuration)) => match analysis::reading(configuration) {
            Ok(configuration) => configuration,
            Err(doubt) => return Verdict::Unknown(vec![doubt]),
        },
    };
    let enabled = configuration.rules.iter().filter(|rule| rule.enabled);
    let wrong: Vec<String> = enabled
        .filter_map(|rule| {
            let what = taken_literally(&rule.filter)?;
            Some(format!("rule {}: the prefix {:?} {what}", rule.id, rule.filter.prefix))
        })
        .collect();
    if wrong.is_empty() { Verdict::Pass } else { Verdict::fail(analysis::list(&wrong, "; ", String::clone)) }
}
