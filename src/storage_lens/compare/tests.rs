use std::sync::Arc;

use super::*;
use crate::model::{
    AccountId, Extras, Fact, Lifecycle, MfaDelete, Observed, Operation, Reason, Region, Versioning, VersioningState,
};

/// 2026-01-01T00:00:00Z.
fn at() -> Timestamp {
    Timestamp::from_unix(1_767_225_600).expect("in range")
}

fn record(known: bool) -> BucketRecord {
    let state = VersioningState { versioning: Versioning::Enabled, mfa_delete: MfaDelete::Enabled };
    let reason = || Observed::Unknown(Arc::new(Reason::interrupted(Operation::GetBucketVersioning)));
    let versioning = Fact { at: at(), observed: if known { Observed::Known(state) } else { reason() } };
    let reason = || Observed::Unknown(Arc::new(Reason::interrupted(Operation::GetBucketLifecycleConfiguration)));
    let lifecycle = Fact { at: at(), observed: if known { Observed::Known(Lifecycle::None) } else { reason() } };
    BucketRecord {
        account: AccountId::parse("111111111111").expect("12 digits"),
        region: Region::new("eu-west-1"),
        bucket: "b".to_owned(),
        facts: Facts::Read { versioning, lifecycle, extras: Box::<Extras>::default() },
    }
}

fn export(versioning: Option<u64>, mfa_delete: Option<u64>) -> [Option<u64>; Metric::COUNT] {
    let mut values = [None; Metric::COUNT];
    values[Metric::VersioningEnabled.index()] = versioning;
    values[Metric::MfaDeleteEnabled.index()] = mfa_delete;
    values
}

fn exported() -> [bool; Metric::COUNT] {
    Metric::ALL.map(|metric| matches!(metric, Metric::VersioningEnabled | Metric::MfaDeleteEnabled))
}

/// Of the day of the run.
fn terms(exported: &[bool; Metric::COUNT]) -> Terms<'_> {
    let date = "2026-01-01";
    Terms { report_date: date, exported, run_date: date, export: Whole::Yes, run_is_filtered: false }
}

fn kinds(compared: &Compared) -> Vec<(Kind, Option<Metric>)> {
    compared.differences.iter().map(|difference| (difference.kind, difference.metric)).collect()
}

#[test]
fn a_difference_is_lag_where_one_of_them_is_older() {
    let exported = exported();
    for (report_date, kind) in
        [("2025-12-31", Kind::Lag), ("2026-01-01", Kind::Disagreement), ("2026-01-02", Kind::RunLag)]
    {
        let terms = Terms { report_date, ..terms(&exported) };
        let compared = both(terms, "eu-west-1", &export(Some(1), Some(0)), &record(true), None);
        assert_eq!(compared.same, 1);
        assert_eq!(kinds(&compared), [(kind, Some(Metric::MfaDeleteEnabled))], "{report_date}");
    }
}

#[test]
fn what_one_of_them_does_not_know_is_unknown_and_what_the_export_never_says_is_nothing() {
    let exported = exported();
    let terms = terms(&exported);
    let compared = both(terms, "eu-west-1", &export(Some(1), None), &record(true), None);
    assert_eq!((compared.same, kinds(&compared)), (1, vec![(Kind::Unknown, Some(Metric::MfaDeleteEnabled))]));
    let compared = both(terms, "eu-west-1", &export(Some(1), Some(1)), &record(false), None);
    let of = |metric| (Kind::Unknown, Some(metric));
    assert_eq!(kinds(&compared), [of(Metric::VersioningEnabled), of(Metric::MfaDeleteEnabled)]);
    assert!(compared.differences[0].why.contains("GetBucketVersioning interrupted"), "{compared:?}");
}

#[test]
fn a_bucket_that_one_of_them_lacks_is_new_or_gone_only_where_that_is_certain() {
    let exported = exported();
    let terms = terms(&exported);
    let filtered = Terms { run_is_filtered: true, ..terms };
    let kind = |compared: Compared| compared.differences.iter().map(|it| it.kind).collect::<Vec<_>>();
    assert_eq!(kind(only_run(terms, &record(true), None, true)), [Kind::New]);
    for whole in [Whole::InPart, Whole::Doubtful, Whole::Unread("denied")] {
        let partial = Terms { export: whole, ..terms };
        assert_eq!(kind(only_run(partial, &record(true), None, true)), [Kind::Unknown], "{whole:?}");
    }
    assert_eq!(kind(only_run(terms, &record(true), None, false)), [Kind::Unknown]);
    assert_eq!(kind(only_run(terms, &record(false), None, true)), [Kind::Unknown]);
    let gone = BucketRecord { facts: Facts::Vanished { at: at() }, ..record(true) };
    assert_eq!(kind(only_run(terms, &gone, None, true)), []);
    assert_eq!(kind(both(terms, "eu-west-1", &export(Some(1), Some(1)), &gone, None)), [Kind::Gone]);
    assert_eq!(kind(only_export(terms, Some(&Outcome::Complete))), [Kind::Gone]);
    // Of a later day: it may have come or gone since.
    let later = Terms { report_date: "2026-01-02", ..terms };
    assert_eq!(kind(only_run(later, &record(true), None, true)), [Kind::RunLag]);
    assert_eq!(kind(only_export(later, Some(&Outcome::Complete))), [Kind::RunLag]);
    assert_eq!(kind(both(later, "eu-west-1", &export(Some(1), Some(1)), &gone, None)), [Kind::RunLag]);
    assert_eq!(kind(only_export(filtered, Some(&Outcome::Complete))), [Kind::Unknown]);
    assert_eq!(kind(only_export(terms, Some(&Outcome::Failed("no".to_owned())))), [Kind::Unknown]);
    assert_eq!(kind(only_export(terms, None)), [Kind::Unknown]);
}

#[test]
fn a_bucket_in_another_region_is_not_compared_and_an_unknown_region_is_no_other() {
    let exported = exported();
    let terms = terms(&exported);
    let compared = both(terms, "us-east-1", &export(Some(1), Some(1)), &record(true), None);
    assert_eq!((compared.same, kinds(&compared)), (0, vec![(Kind::OtherRegion, None)]));
    assert!(compared.differences[0].why.contains("has it in us-east-1, the run in eu-west-1"), "{compared:?}");
    for region in ["eu-west-1", "", "unknown"] {
        assert_eq!(both(terms, region, &export(Some(1), Some(1)), &record(true), None).same, 2, "{region}");
    }
    let somewhere = BucketRecord { region: Region::unknown(), ..record(true) };
    assert_eq!(both(terms, "eu-west-1", &export(Some(1), Some(1)), &somewhere, None).same, 2);
}
