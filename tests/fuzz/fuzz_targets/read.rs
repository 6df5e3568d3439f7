//! Any bytes as a lifecycle configuration: read, judged in every versioning state, and looked through for problems.
//!
//! By hand, with a nightly toolchain and cargo-fuzz; of bucketlens only the lifecycle modules are built, and the model
//! that they need. No sanitizer, because none of it has unsafe code:
//!
//!     mkdir -p tests/fuzz/corpus/read
//!     cargo +nightly fuzz run --fuzz-dir tests/fuzz --sanitizer none read tests/fuzz/corpus/read fixtures/lifecycle -- \
//!         -dict=tests/fuzz/lifecycle.dict -max_len=65536 -timeout=10 -report_slow_units=2
//!
//! Without nightly and cargo-fuzz, a release build in this folder does, with the flags of cargo-fuzz for coverage:
//!
//!     RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
//!         -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
//!         -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Ccodegen-units=1" \
//!         cargo build --release --target x86_64-unknown-linux-gnu

#![no_main]
// Modules of another crate: it uses what is not used here.
#![allow(dead_code, unused_imports)]

#[path = "../../../src"]
mod source {
    pub mod lifecycle;
    pub mod model;
}

use libfuzzer_sys::fuzz_target;
use source::{lifecycle, model};
use time::macros::date;

use lifecycle::problems::{Bucket, problems};
use lifecycle::read::{Document, ReadError, read};
use lifecycle::{Verdict, Versions, analyse};

fuzz_target!(|bytes: &[u8]| match read(bytes) {
    Ok(document) => judge(&document, bytes),
    Err(error) => explain(&error, bytes),
});

fn judge(document: &Document, bytes: &[u8]) {
    let rules = &document.configuration.rules;
    assert_eq!(document.forms.len(), rules.len());
    for remark in &document.remarks {
        assert!(remark.rule.is_none_or(|rule| rule < rules.len()), "{remark:?}");
        is_within(remark.place.line, remark.place.column, bytes);
    }
    let actions: Vec<(usize, usize)> = rules
        .iter()
        .enumerate()
        .flat_map(|(index, rule)| (0..rule.actions.len()).map(move |action| (index, action)))
        .collect();
    let today = date!(2026 - 11 - 22);
    for versions in [Versions::Unversioned, Versions::Enabled, Versions::Suspended] {
        let verdicts = analyse(&document.configuration, versions, today);
        assert!(verdicts.iter().map(|verdict| (verdict.rule, verdict.action)).eq(actions.iter().copied()));
        for verdict in &verdicts {
            let is_beaten = matches!(verdict.verdict, Verdict::NeverApplies | Verdict::PartlyShadowed)
                && !rules[verdict.rule].filter.has_too_many_tags();
            assert_eq!(!verdict.by.is_empty(), is_beaten, "{verdict:?}");
            assert!(verdict.by.iter().all(|rule| rules[*rule].enabled), "{verdict:?}");
        }
        for problem in problems(document, &verdicts, Bucket { versions, mfa_delete: Some(true), today }) {
            assert!(problem.rule.is_none_or(|rule| rule < rules.len()), "{problem:?}");
        }
    }
}

fn explain(error: &ReadError, bytes: &[u8]) {
    is_within(error.place.line, error.place.column, bytes);
    assert!(!error.message.is_empty() && !error.message.contains(char::is_control), "{error:?}");
}

/// One past the end of a line is still in it: that is where something is missing.
fn is_within(line: usize, column: usize, bytes: &[u8]) {
    let text = bytes.split(|byte| *byte == b'\n').nth(line - 1);
    assert!(text.is_some_and(|text| (1..=text.len() + 1).contains(&column)), "{line}:{column}");
}
