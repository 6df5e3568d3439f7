//! The analyser of lifecycle rules against an oracle that follows every history of every class of objects, and against
//! cases worked out by hand from the lifecycle model.
//!
//! `BUCKETLENS_LIFECYCLE_CASES` is how many configurations each of the two strategies yields; 1,000 if absent.

mod brute;
pub mod strategy;

use std::collections::{BTreeMap, BTreeSet};
use std::env;

use bucketlens::lifecycle::duplicates::duplicates;
use bucketlens::lifecycle::overlap::{Overlap, overlap};
use bucketlens::lifecycle::superfluous::{Superfluous, advice, superfluous};
use bucketlens::lifecycle::{
    Action, ActionVerdict, Configuration, Filter, Rule, StorageClass, Verdict, Versions, When, analyse,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use time::ext::NumericalDuration;

use StorageClass::{DeepArchive, Glacier, GlacierIr, IntelligentTiering, OnezoneIa, StandardIa};
use Versions::{Enabled, Suspended, Unversioned};

use brute::Oracle;
use strategy::{Readable, TODAY};

const ALL: [Versions; 3] = [Unversioned, Enabled, Suspended];
const VERSIONED: [Versions; 2] = [Enabled, Suspended];

// Random configurations.

fn cases() -> ProptestConfig {
    let cases = env::var("BUCKETLENS_LIFECYCLE_CASES").map_or(1_000, |cases| cases.parse().expect("a number of cases"));
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn agrees(configuration: &Readable) -> Result<(), TestCaseError> {
    for versions in ALL {
        let mistakes =
            Oracle::new(&configuration.0, versions, TODAY).check(&analyse(&configuration.0, versions, TODAY));
        prop_assert!(mistakes.is_empty(), "{versions:?}:\n  {}\n{configuration:?}\n", mistakes.join("\n  "));
        let given = duplicates(&configuration.0, versions, TODAY, usize::MAX);
        let pairs: BTreeSet<(usize, usize)> = given.pairs.iter().map(|pair| pair.rules).collect();
        let wanted = Oracle::new(&configuration.0, versions, TODAY).duplicates();
        prop_assert_eq!((pairs, given.is_cut), (wanted, false), "{:?}:{:?}\n", versions, configuration);
    }
    let rules = &configuration.0.rules;
    let pairs = (0..rules.len()).flat_map(|one| (0..one).map(move |other| (other, one)));
    let meet = |(one, other): &(usize, usize)| overlap(&rules[*one].filter, &rules[*other].filter) != Overlap::Disjoint;
    let given: BTreeSet<(usize, usize)> = pairs.filter(meet).collect();
    prop_assert_eq!(given, Oracle::overlapping(&configuration.0), "{:?}\n", configuration);
    Ok(())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_bit_of_everything_is_judged_as_by_brute_force(configuration in strategy::everything()) {
        agrees(&configuration)?;
    }

    #[test]
    fn crowded_transitions_are_judged_as_by_brute_force(configuration in strategy::crowded()) {
        agrees(&configuration)?;
    }
}

/// What can go changes nothing for any object, even if all of it goes at once.
fn can_go(configuration: &Readable) -> Result<usize, TestCaseError> {
    let rules = &configuration.0.rules;
    let all: Vec<usize> = (0..rules.len()).collect();
    let places = |found: &[Superfluous]| found.iter().map(|it| (it.rule, it.action)).collect::<Vec<_>>();
    let everything: Vec<Superfluous> =
        all.iter().flat_map(|rule| superfluous(&configuration.0, *rule, &all, TODAY)).collect();
    let mut advised = 0;
    for versions in ALL {
        let pairs = duplicates(&configuration.0, versions, TODAY, usize::MAX).pairs;
        let given = advice(&configuration.0, &pairs, TODAY);
        advised += given.len();
        let oracle = Oracle::new(&configuration.0, versions, TODAY);
        let before = oracle.outcomes(&[]);
        for gone in [places(&given), places(&everything)] {
            prop_assert_eq!(&oracle.outcomes(&gone), &before, "{:?} without {:?}\n", configuration, gone);
        }
    }
    Ok(advised)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn what_can_go_changes_no_object(configuration in strategy::everything(), crowded in strategy::crowded()) {
        can_go(&configuration)?;
        can_go(&crowded)?;
    }
}

/// Rules, and what can go of them: rule, action, and the rule that is kept.
type CanGo = (Vec<Rule>, &'static [(usize, usize, usize)]);

#[test]
fn of_two_rules_that_ask_for_the_same_the_narrow_one_can_go() {
    let cases: [CanGo; 8] = [
        (vec![rule("testobject", [expire(7)]), rule("test", [expire(7)])], &[(0, 0, 1)]),
        (vec![rule("test", [expire(7)]), rule("testobject", [expire(7)])], &[(1, 0, 0)]),
        // Of two that are alike the later one.
        (vec![every(expire(7)), every(expire(7))], &[(1, 0, 0)]),
        (vec![every(expire(7)), every(expire(7)), rule("a", [expire(7)])], &[(1, 0, 0), (2, 0, 0)]),
        // Each has objects of its own.
        (vec![tagged(&[("k", "1")], expire(7)), rule("a", [expire(7)])], &[]),
        (vec![rule("a", [to(Glacier, 7), expire(9)]), every(to(Glacier, 7))], &[(0, 0, 1)]),
        (vec![rule("a", [expire_noncurrent(7, 2)]), every(expire_noncurrent(7, 0))], &[(0, 0, 1)]),
        (vec![tagged(&[("k", "1")], abort(3)), every(abort(3))], &[(1, 0, 0)]),
    ];
    for (rules, wanted) in cases {
        let configuration = Configuration { rules };
        let pairs = duplicates(&configuration, Enabled, TODAY, usize::MAX).pairs;
        let found = advice(&configuration, &pairs, TODAY);
        let found: Vec<(usize, usize, usize)> = found.iter().map(|it| (it.rule, it.action, it.kept)).collect();
        assert_eq!(found, wanted, "{:?}", Readable(configuration));
    }
}

#[test]
fn the_random_configurations_have_something_that_can_go() {
    let mut runner = TestRunner::deterministic();
    let advised = (0..300).map(|_| {
        let configuration = strategy::everything().new_tree(&mut runner).expect("nothing is rejected").current();
        can_go(&configuration).expect("nothing changes")
    });
    assert!(advised.sum::<usize>() > 50);
}

/// Otherwise the first two would say little.
#[test]
fn the_random_configurations_reach_every_kind_of_answer() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..400 {
        let configuration = if number % 2 == 0 {
            strategy::everything().new_tree(&mut runner).expect("nothing is rejected").current()
        } else {
            strategy::crowded().new_tree(&mut runner).expect("nothing is rejected").current()
        };
        for versions in ALL {
            let mut oracle = Oracle::new(&configuration.0, versions, TODAY);
            for (rule, action, verdict) in oracle.verdicts() {
                let lists = oracle.lists(rule, action);
                let mut see = |what: &str| *seen.entry(what.to_owned()).or_default() += 1;
                see(&format!("{verdict:?}"));
                for (what, so) in [
                    ("several lists", lists.len() > 1),
                    ("lists of different length", lists.first().map(Vec::len) != lists.last().map(Vec::len)),
                    ("more than one name", lists.iter().any(|list| list.len() > 1)),
                    ("more than two names", lists.iter().any(|list| list.len() > 2)),
                    ("own rule", lists.iter().any(|list| *list == [rule])),
                    ("own rule and others", lists.iter().any(|list| list.len() > 1 && list.contains(&rule))),
                ] {
                    if so {
                        see(what);
                    }
                }
            }
        }
    }
    println!("{seen:?}");
    assert_eq!(seen.len(), 11, "{seen:?}");
}

// Cases by hand: each sentence of the model that decides something.

/// A verdict and every list of rules that may stand in its `by`.
type Wanted = (Verdict, &'static [&'static [usize]]);

const DISABLED: Wanted = (Verdict::Disabled, &[]);
const NO_EFFECT: Wanted = (Verdict::NoEffect, &[]);
const EFFECTIVE: Wanted = (Verdict::Effective, &[]);

fn never(by: &'static [&'static [usize]]) -> Wanted {
    (Verdict::NeverApplies, by)
}

fn partly(by: &'static [&'static [usize]]) -> Wanted {
    (Verdict::PartlyShadowed, by)
}

/// The verdicts are these, for every action of every rule in order: by the oracle and by the analyser.
fn judged(versions: impl IntoIterator<Item = Versions>, rules: &[Rule], wanted: &[Wanted]) {
    let configuration = Configuration { rules: rules.to_vec() };
    for versions in versions {
        let what = format!("{versions:?}{:?}", Readable(configuration.clone()));
        let mut oracle = Oracle::new(&configuration, versions, TODAY);
        let by_oracle: Vec<(Verdict, Vec<Vec<usize>>)> = oracle
            .verdicts()
            .into_iter()
            .map(|(rule, action, verdict)| (verdict, oracle.lists(rule, action)))
            .collect();
        let by_hand: Vec<(Verdict, Vec<Vec<usize>>)> = wanted
            .iter()
            .map(|(verdict, lists)| (*verdict, lists.iter().map(|list| list.to_vec()).collect()))
            .collect();
        assert_eq!(by_oracle, by_hand, "oracle and hand: {what}");
        let given = analyse(&configuration, versions, TODAY);
        let places: Vec<(usize, usize)> = given.iter().map(|given| (given.rule, given.action)).collect();
        let actions = |rule: usize| (0..rules[rule].actions.len()).map(move |action| (rule, action));
        assert_eq!(places, (0..rules.len()).flat_map(actions).collect::<Vec<_>>(), "{what}");
        for (given, (verdict, lists)) in given.iter().zip(by_hand) {
            let mut by = given.by.clone();
            by.sort_unstable();
            assert_eq!(given.verdict, verdict, "{given:?}: {what}");
            assert!(lists.contains(&by) || lists.is_empty() && by.is_empty(), "{given:?}, not {lists:?}: {what}");
        }
    }
}

fn rule(prefix: &str, actions: impl IntoIterator<Item = Action>) -> Rule {
    let filter = Filter { prefix: prefix.to_owned(), ..Filter::default() };
    Rule { id: String::new(), enabled: true, filter, actions: actions.into_iter().collect() }
}

/// For every object.
fn every(action: Action) -> Rule {
    rule("", [action])
}

fn tagged(tags: &[(&str, &str)], action: Action) -> Rule {
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Rule { filter: Filter { tags, ..Filter::default() }, ..every(action) }
}

fn sized(greater: Option<u64>, less: Option<u64>, actions: impl IntoIterator<Item = Action>) -> Rule {
    let filter = Filter { size_greater_than: greater, size_less_than: less, ..Filter::default() };
    Rule { filter, ..rule("", actions) }
}

fn disabled(rule: Rule) -> Rule {
    Rule { enabled: false, ..rule }
}

fn expire(days: u32) -> Action {
    Action::Expiration(When::Days(days))
}

fn to(to: StorageClass, days: u32) -> Action {
    Action::Transition { when: When::Days(days), to }
}

/// A date so many days from today.
fn on(days: i64) -> When {
    When::Date(TODAY + days.days())
}

fn expire_noncurrent(days: u32, newer: u32) -> Action {
    Action::NoncurrentVersionExpiration { days, newer }
}

fn noncurrent_to(to: StorageClass, days: u32, newer: u32) -> Action {
    Action::NoncurrentVersionTransition { days, newer, to }
}

fn abort(days: u32) -> Action {
    Action::AbortIncompleteMultipartUpload { days }
}

/// The examples of S3's user guide, "How Amazon S3 handles conflicts in lifecycle configurations".
mod documented {
    use super::*;

    #[test]
    fn a_transition_before_the_expiration_of_a_wider_prefix() {
        judged(ALL, &[every(expire(365)), rule("logs/", [to(StandardIa, 30)])], &[EFFECTIVE, EFFECTIVE]);
    }

    #[test]
    fn expiration_beats_a_transition_of_the_same_day_where_it_deletes() {
        let rules = [rule("logs/", [to(StandardIa, 365)]), rule("logs/", [expire(365)])];
        judged([Unversioned], &rules, &[never(&[&[1]]), EFFECTIVE]);
        // Here it makes a delete marker: transition beats it, and it follows a day later.
        judged(VERSIONED, &rules, &[EFFECTIVE, EFFECTIVE]);
        let one = [rule("logs/", [to(StandardIa, 365), expire(365)])];
        judged([Unversioned], &one, &[never(&[&[0]]), EFFECTIVE]);
        judged(VERSIONED, &one, &[EFFECTIVE, EFFECTIVE]);
    }

    #[test]
    fn neither_the_longest_prefix_nor_the_order_decides() {
        let all = every(to(StandardIa, 10));
        let logs = rule("logs/", [to(StandardIa, 365)]);
        judged(ALL, &[all.clone(), logs.clone()], &[EFFECTIVE, never(&[&[0]])]);
        judged(ALL, &[logs, all], &[never(&[&[1]]), EFFECTIVE]);
    }

    #[test]
    fn an_object_with_both_tags_expires() {
        let rules = [tagged(&[("tag1", "1")], to(Glacier, 365)), tagged(&[("tag2", "2")], expire(14))];
        judged(ALL, &rules, &[partly(&[&[1]]), EFFECTIVE]);
    }
}

mod scopes {
    use super::*;

    #[test]
    fn prefixes_are_plain_starts_of_the_key() {
        let rules = ["sales", "sales/", "sal", "/sales"]
            .into_iter()
            .zip(1..)
            .map(|(prefix, days)| rule(prefix, [expire(days)]));
        judged(ALL, &rules.collect::<Vec<_>>(), &[EFFECTIVE, never(&[&[0]]), partly(&[&[0]]), EFFECTIVE]);
    }

    #[test]
    fn the_empty_prefix_takes_every_key() {
        judged(ALL, &[rule("a", [expire(1)]), every(expire(2))], &[EFFECTIVE, partly(&[&[0]])]);
        judged(ALL, &[every(expire(1)), rule("a", [expire(2)])], &[EFFECTIVE, never(&[&[0]])]);
    }

    #[test]
    fn a_tag_with_another_value_does_not_match() {
        let rules = [tagged(&[("k", "1")], expire(1)), tagged(&[("k", "2")], expire(2))];
        judged(ALL, &rules, &[EFFECTIVE, EFFECTIVE]);
    }

    #[test]
    fn objects_may_carry_further_tags() {
        let rules = [tagged(&[("k", "1")], expire(1)), tagged(&[("l", "1")], expire(2))];
        judged(ALL, &rules, &[EFFECTIVE, partly(&[&[0]])]);
        let rules = [tagged(&[("k", "1")], expire(1)), tagged(&[("k", "1"), ("l", "1")], expire(2))];
        judged(ALL, &rules, &[EFFECTIVE, never(&[&[0]])]);
    }

    #[test]
    fn every_tag_may_be_absent_or_have_a_value_that_is_not_named() {
        let rules = [tagged(&[("k", "")], expire(1)), tagged(&[("k", "1")], expire(1)), every(expire(2))];
        judged(ALL, &rules, &[EFFECTIVE, EFFECTIVE, partly(&[&[0], &[1]])]);
    }

    #[test]
    fn sizes_are_exclusive_at_both_ends() {
        let above = sized(Some(5), None, [expire(1)]);
        judged(ALL, &[above.clone(), sized(None, Some(6), [expire(2)])], &[EFFECTIVE, EFFECTIVE]);
        judged(ALL, &[above.clone(), sized(None, Some(7), [expire(2)])], &[EFFECTIVE, partly(&[&[0]])]);
        judged(ALL, &[above, sized(Some(5), Some(7), [expire(2)])], &[EFFECTIVE, never(&[&[0]])]);
        // Nothing between 0 and what is greater than 0 escapes.
        let rules = [sized(Some(0), None, [expire(1)]), sized(None, Some(1), [expire(1)]), every(expire(2))];
        judged(ALL, &rules, &[EFFECTIVE, EFFECTIVE, never(&[&[0], &[1]])]);
    }

    #[test]
    fn an_empty_size_interval_has_no_effect_but_on_uploads() {
        for (greater, less) in [(Some(5), Some(6)), (Some(5), Some(5)), (Some(5), Some(2)), (None, Some(0))] {
            let actions = [
                expire(1),
                to(Glacier, 0),
                Action::Expiration(on(9)),
                abort(1),
                expire_noncurrent(1, 0),
                noncurrent_to(Glacier, 0, 0),
                Action::ExpiredObjectDeleteMarker(true),
            ];
            let rules = [sized(greater, less, actions), rule("", [expire(2), abort(3)])];
            let wanted = [
                NO_EFFECT,
                NO_EFFECT,
                NO_EFFECT,
                EFFECTIVE,
                NO_EFFECT,
                NO_EFFECT,
                NO_EFFECT,
                EFFECTIVE,
                never(&[&[0]]),
            ];
            judged(ALL, &rules, &wanted);
        }
        judged(ALL, &[sized(Some(u64::MAX), None, [expire(1)])], &[NO_EFFECT]);
        judged(ALL, &[sized(Some(u64::MAX - 1), None, [expire(1)])], &[EFFECTIVE]);
    }

    #[test]
    fn uploads_have_no_tags_and_no_size() {
        judged(ALL, &[tagged(&[("k", "1")], abort(1)), every(abort(3))], &[EFFECTIVE, never(&[&[0]])]);
        judged(ALL, &[sized(Some(5), None, [abort(1)]), every(abort(3))], &[EFFECTIVE, never(&[&[0]])]);
        judged(ALL, &[rule("a", [abort(1)]), every(abort(3))], &[EFFECTIVE, partly(&[&[0]])]);
        judged(ALL, &[every(abort(1)), every(abort(1))], &[EFFECTIVE, EFFECTIVE]);
        judged(ALL, &[every(expire(1)), every(abort(3))], &[EFFECTIVE, EFFECTIVE]);
    }
}

mod rows {
    use super::*;

    #[test]
    fn a_disabled_rule_has_no_effect_on_anything() {
        judged(ALL, &[disabled(every(expire(1))), every(expire(2))], &[DISABLED, EFFECTIVE]);
        judged(ALL, &[every(expire(1)), disabled(every(expire(2)))], &[EFFECTIVE, DISABLED]);
        judged(ALL, &[disabled(every(Action::ExpiredObjectDeleteMarker(false)))], &[DISABLED]);
        judged(ALL, &[disabled(every(Action::Expiration(on(1))))], &[DISABLED]);
    }

    #[test]
    fn what_is_for_versions_does_nothing_without_them() {
        let actions = [
            Action::ExpiredObjectDeleteMarker(true),
            Action::ExpiredObjectDeleteMarker(false),
            expire_noncurrent(1, 0),
            noncurrent_to(Glacier, 0, 0),
        ];
        let rules = [rule("", actions)];
        judged([Unversioned], &rules, &[NO_EFFECT, NO_EFFECT, NO_EFFECT, NO_EFFECT]);
        judged(VERSIONED, &rules, &[EFFECTIVE, NO_EFFECT, EFFECTIVE, EFFECTIVE]);
    }

    #[test]
    fn a_date_to_come_is_left_out_and_one_that_has_come_counts_as_0() {
        let tomorrow = every(Action::Expiration(on(1)));
        judged(ALL, &[tomorrow.clone(), every(expire(5))], &[EFFECTIVE, EFFECTIVE]);
        let (past, today) = (every(Action::Expiration(on(-400))), every(Action::Expiration(on(0))));
        judged(ALL, &[past.clone(), tomorrow], &[EFFECTIVE, EFFECTIVE]);
        judged(ALL, &[past.clone(), today, every(expire(1))], &[EFFECTIVE, EFFECTIVE, never(&[&[0, 1]])]);
        judged([Unversioned], &[past.clone(), every(to(Glacier, 0))], &[EFFECTIVE, never(&[&[0]])]);
        judged(VERSIONED, &[past, every(to(Glacier, 0))], &[EFFECTIVE, EFFECTIVE]);
        let past = Action::Transition { when: on(-1), to: Glacier };
        judged(ALL, &[every(past), every(to(Glacier, 1))], &[EFFECTIVE, never(&[&[0]])]);
    }

    #[test]
    fn every_name_is_needed_and_several_lists_can_be_right() {
        let rules = [every(expire(5)), every(expire(6)), every(expire(10))];
        judged(ALL, &rules, &[EFFECTIVE, never(&[&[0]]), never(&[&[0, 1]])]);
        let rules = [rule("a", [expire(1)]), rule("b", [expire(1)]), every(expire(5))];
        judged(ALL, &rules, &[EFFECTIVE, EFFECTIVE, partly(&[&[0], &[1]])]);
    }

    #[test]
    fn no_part_of_a_list_is_enough_either() {
        // Without rule 0: STANDARD_IA on day 1, GLACIER on day 2, a delete marker on day 3. Without 1 or 2 as well the
        // marker comes too early. Without all three it does not, and [0, 1, 2] with one name less would not do: it is
        // not minimal all the same, for [0] does.
        let today = Action::Expiration(on(0));
        let rules = [rule("", [today, expire(3)]), rule("", [to(Glacier, 2), expire(1)])];
        let rules = [rules.as_slice(), &[rule("", [expire(1), to(StandardIa, 1)])]].concat();
        let never = never(&[&[0]]);
        judged(VERSIONED, &rules, &[EFFECTIVE, never, never, never, never, never]);
    }

    #[test]
    fn the_own_rule_is_named_where_its_other_actions_have_to_go() {
        judged(ALL, &[rule("", [to(Glacier, 5), expire(3)])], &[never(&[&[0]]), EFFECTIVE]);
        let rules = [rule("", [to(Glacier, 5), expire(3)]), every(expire(2))];
        judged(ALL, &rules, &[never(&[&[0, 1]]), never(&[&[1]]), EFFECTIVE]);
    }
}

mod current_versions {
    use super::*;

    #[test]
    fn the_first_expiration_wins_and_those_of_its_day_count_too() {
        judged(ALL, &[every(expire(5)), every(expire(6))], &[EFFECTIVE, never(&[&[0]])]);
        judged(ALL, &[every(expire(5)), every(expire(5))], &[EFFECTIVE, EFFECTIVE]);
    }

    #[test]
    fn transitions_of_the_same_day_to_the_same_class_are_executed_together() {
        judged(ALL, &[every(to(Glacier, 5)), every(to(Glacier, 5))], &[EFFECTIVE, EFFECTIVE]);
    }

    #[test]
    fn of_the_transitions_of_a_day_one_class_wins() {
        let classes = [StandardIa, OnezoneIa, GlacierIr, IntelligentTiering, Glacier, DeepArchive];
        let rules = classes.map(|class| every(to(class, 1)));
        let wanted = [
            never(&[&[1, 2, 3, 4, 5]]),
            never(&[&[2, 3, 4, 5]]),
            never(&[&[3, 4, 5]]),
            never(&[&[4, 5]]),
            never(&[&[5]]),
            EFFECTIVE,
        ];
        judged(ALL, &rules, &wanted);
        let rules = classes.map(|class| every(noncurrent_to(class, 1, 0)));
        judged(VERSIONED, &rules, &wanted);
    }

    #[test]
    fn a_transition_that_lost_the_day_does_not_follow() {
        let rules = [every(to(IntelligentTiering, 30)), every(to(GlacierIr, 30)), every(to(GlacierIr, 60))];
        judged(ALL, &rules, &[EFFECTIVE, never(&[&[0]]), EFFECTIVE]);
        let noncurrent = |class, days| every(noncurrent_to(class, days, 0));
        let rules = [noncurrent(IntelligentTiering, 30), noncurrent(GlacierIr, 30), noncurrent(GlacierIr, 60)];
        judged(VERSIONED, &rules, &[EFFECTIVE, never(&[&[0]]), EFFECTIVE]);
    }

    #[test]
    fn from_each_class_only_some_can_be_reached() {
        let reachable: [(StorageClass, &[StorageClass]); 6] = [
            (StandardIa, &[IntelligentTiering, OnezoneIa, GlacierIr, Glacier, DeepArchive]),
            (IntelligentTiering, &[OnezoneIa, GlacierIr, Glacier, DeepArchive]),
            (OnezoneIa, &[Glacier, DeepArchive]),
            (GlacierIr, &[Glacier, DeepArchive]),
            (Glacier, &[DeepArchive]),
            (DeepArchive, &[]),
        ];
        for (from, reached) in reachable {
            for (class, _) in reachable {
                let second = if reached.contains(&class) { EFFECTIVE } else { never(&[&[0]]) };
                judged(ALL, &[every(to(from, 1)), every(to(class, 2))], &[EFFECTIVE, second]);
                let rules = [every(noncurrent_to(from, 1, 0)), every(noncurrent_to(class, 2, 0))];
                judged(VERSIONED, &rules, &[EFFECTIVE, second]);
            }
        }
    }

    #[test]
    fn a_transition_puts_off_a_delete_marker() {
        let rules = [every(to(StandardIa, 5)), every(expire(5)), every(expire(6))];
        judged([Unversioned], &rules, &[never(&[&[1]]), EFFECTIVE, never(&[&[1]])]);
        // In a suspended bucket the versions with an id of their own fare as in an enabled one.
        judged(VERSIONED, &rules, &[EFFECTIVE, EFFECTIVE, EFFECTIVE]);
        let rules = [every(expire(5)), rule("a", [to(StandardIa, 5)]), every(expire(6))];
        judged(VERSIONED, &rules, &[EFFECTIVE, EFFECTIVE, partly(&[&[0]])]);
        judged([Unversioned], &rules, &[EFFECTIVE, never(&[&[0]]), never(&[&[0]])]);
        // Day after day: it follows on day 8.
        let rules = [every(expire(5)), every(to(StandardIa, 5)), every(to(GlacierIr, 6)), every(to(DeepArchive, 7))];
        let eighth = [rules.as_slice(), &[every(expire(8))]].concat();
        judged(VERSIONED, &eighth, &[EFFECTIVE; 5]);
        let ninth = [rules.as_slice(), &[every(expire(9))]].concat();
        judged(VERSIONED, &ninth, &[EFFECTIVE, EFFECTIVE, EFFECTIVE, EFFECTIVE, never(&[&[0]])]);
    }

    #[test]
    fn under_a_delete_marker_transitions_end() {
        judged(ALL, &[every(expire(3)), every(to(Glacier, 4))], &[EFFECTIVE, never(&[&[0]])]);
    }
}

mod noncurrent_versions {
    use super::*;

    #[test]
    fn their_user_is_earlier_than_any_transition() {
        let rules = [every(to(DeepArchive, 0)), every(noncurrent_to(StandardIa, 1, 0))];
        judged(VERSIONED, &rules, &[EFFECTIVE, EFFECTIVE]);
    }

    #[test]
    fn they_start_in_every_class_they_can_have() {
        let [tiering, instant] = [IntelligentTiering, GlacierIr].map(|class| every(noncurrent_to(class, 1, 0)));
        judged(VERSIONED, &[tiering.clone(), instant.clone()], &[EFFECTIVE, never(&[&[0]])]);
        // One that is in INTELLIGENT_TIERING already cannot lose the day to it.
        let rules = [every(to(IntelligentTiering, 5)), tiering.clone(), instant.clone()];
        judged(VERSIONED, &rules, &[EFFECTIVE, EFFECTIVE, EFFECTIVE]);
        let rules = [rule("a", [to(IntelligentTiering, 5)]), tiering.clone(), instant.clone()];
        judged(VERSIONED, &rules, &[EFFECTIVE, EFFECTIVE, partly(&[&[1]])]);
        // It is current long enough for that, or it is not.
        let rules = [every(to(IntelligentTiering, 5)), every(expire(5)), tiering.clone(), instant.clone()];
        judged(VERSIONED, &rules, &[EFFECTIVE, EFFECTIVE, EFFECTIVE, EFFECTIVE]);
        let rules = [every(to(IntelligentTiering, 5)), every(expire(4)), tiering, instant];
        judged(VERSIONED, &rules, &[never(&[&[1]]), EFFECTIVE, EFFECTIVE, never(&[&[1], &[2]])]);
    }

    #[test]
    fn expiration_beats_a_transition_of_the_same_day() {
        judged(
            VERSIONED,
            &[every(expire_noncurrent(3, 0)), every(noncurrent_to(Glacier, 3, 0))],
            &[EFFECTIVE, never(&[&[0]])],
        );
        judged(
            VERSIONED,
            &[every(expire_noncurrent(3, 0)), every(noncurrent_to(Glacier, 2, 0))],
            &[EFFECTIVE, EFFECTIVE],
        );
    }

    #[test]
    fn days_and_newer_versions_must_both_be_met() {
        let pairs = [
            ((5, 2), (10, 0), EFFECTIVE),
            ((5, 3), (10, 2), EFFECTIVE),
            ((5, 2), (10, 2), never(&[&[0]])),
            ((5, 0), (10, 2), never(&[&[0]])),
            // Together, whatever the number of newer versions.
            ((5, 0), (5, 2), EFFECTIVE),
        ];
        for (first, second, wanted) in pairs {
            let rules = [first, second].map(|(days, newer)| every(expire_noncurrent(days, newer)));
            judged(VERSIONED, &rules, &[EFFECTIVE, wanted]);
            let rules = [first, second].map(|(days, newer)| every(noncurrent_to(Glacier, days, newer)));
            judged(VERSIONED, &rules, &[EFFECTIVE, wanted]);
        }
        // With two newer ones NewerNoncurrentVersions of 2 is met.
        let pairs =
            [(2, 0, EFFECTIVE), (1, 0, EFFECTIVE), (3, 2, EFFECTIVE), (2, 2, never(&[&[0]])), (1, 2, never(&[&[0]]))];
        for (expires, moves, wanted) in pairs {
            let rules = [every(expire_noncurrent(3, expires)), every(noncurrent_to(Glacier, 3, moves))];
            judged(VERSIONED, &rules, &[EFFECTIVE, wanted]);
        }
        for (wins, loses, wanted) in [(2, 0, EFFECTIVE), (0, 2, never(&[&[0]]))] {
            let rules = [every(noncurrent_to(Glacier, 1, wins)), every(noncurrent_to(StandardIa, 1, loses))];
            judged(VERSIONED, &rules, &[EFFECTIVE, wanted]);
        }
    }

    #[test]
    fn they_are_another_matter_than_current_ones() {
        let rules =
            [every(expire(1)), every(expire_noncurrent(1, 0)), every(expire(2)), every(expire_noncurrent(2, 0))];
        judged(VERSIONED, &rules, &[EFFECTIVE, EFFECTIVE, never(&[&[0]]), never(&[&[1]])]);
        let rules = [every(to(Glacier, 1)), every(noncurrent_to(Glacier, 1, 0))];
        judged(VERSIONED, &rules, &[EFFECTIVE, EFFECTIVE]);
    }
}

/// The limit of work is not for these: fewer than 100 rules with at most 4 tag keys.
mod many_rules {
    use super::*;

    fn all_are_analysed(rules: &[Rule]) {
        for versions in ALL {
            let verdicts = analyse(&Configuration { rules: rules.to_vec() }, versions, TODAY);
            assert!(verdicts.iter().all(|given| given.verdict != Verdict::NotAnalysed), "{versions:?}");
        }
    }

    #[test]
    fn four_tag_keys_with_25_values_each() {
        let rules = (0..99_u32).map(|number| {
            let actions = [
                expire(number + 1),
                to(StorageClass::ALL[1 + number as usize % 6], number),
                expire_noncurrent(number, 0),
            ];
            let tagged = tagged(&[(&format!("k{}", number % 4), &number.to_string())], abort(1));
            Rule { actions: actions.to_vec(), ..tagged }
        });
        all_are_analysed(&rules.collect::<Vec<_>>());
    }

    #[test]
    fn nested_prefixes_with_sizes_and_tags() {
        let rules = (0..99_u32).map(|number| {
            let actions = [to(StorageClass::ALL[1 + number as usize % 6], number % 7), expire(1 + number % 9)];
            let mut rule = tagged(&[(&format!("k{}", number % 4), &(number % 5).to_string())], abort(1));
            rule.filter.prefix = "a/".repeat(number as usize / 3);
            rule.filter.size_greater_than = Some(u64::from(number % 33));
            Rule { actions: actions.to_vec(), ..rule }
        });
        all_are_analysed(&rules.collect::<Vec<_>>());
    }
}
