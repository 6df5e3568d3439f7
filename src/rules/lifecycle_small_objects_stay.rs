use super::analysis::{Answer, Case};
use super::{BucketFacts, Rule, Verdict, analysis};
use crate::lifecycle::MinimumSize;
use crate::lifecycle::traps::leaves_small_objects;
use crate::model::{Kind, Lifecycle, Severity, Standard};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle-small-objects-stay",
    title: "Lifecycle transitions leave out no objects below 128 KB",
    kind: Kind::Advisory,
    severity: Severity::Info,
    asks: &[],
    standards: &[],
    explanation: "By default S3 moves no object below 128 KB to another storage class: such objects stay in STANDARD. \
        With varies_by_storage_class, the setting of configurations from before September 2024, they still move to \
        GLACIER and DEEP_ARCHIVE. A filter with an object size takes precedence. Servers that do not state the setting \
        are not judged.",
    remediation: "Small objects often cost more in another class than they save, so usually nothing is to be done. \
        Where they have to move, add ObjectSizeGreaterThan to the filter of the rule (s3:PutLifecycleConfiguration).",
    check,
};

fn check(facts: &BucketFacts<'_>, _: Standard) -> Verdict {
    let minimum = match facts.lifecycle.known() {
        Some(Lifecycle::Present(configuration)) => configuration.minimum_size,
        Some(Lifecycle::None) => return Verdict::Pass,
        None => return facts.undecided(),
    };
    match minimum {
        None => Verdict::NotApplicable,
        Some(MinimumSize::AllStorageClasses128K) => {
            facts.no_action(|case| leaves(case, MinimumSize::AllStorageClasses128K), analysis::words)
        }
        Some(MinimumSize::VariesByStorageClass) => {
            facts.no_action(|case| leaves(case, MinimumSize::VariesByStorageClass), analysis::words)
        }
    }
}

fn leaves(case: &Case<'_>, minimum: MinimumSize) -> Answer {
    match leaves_small_objects(&case.rule.filter, case.action, minimum) {
        Some(_) => case.applies(),
        None => Answer::No,
    }
}
