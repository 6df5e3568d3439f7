use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

type Rows = Vec<(u8, u8, u8, Option<(u8, u64)>)>;

fn names(row: (u8, u8, u8)) -> [String; 3] {
    [format!("11111111111{}", row.0), format!("eu-west-{}", row.1), format!("b-{}{}", row.2, "x".repeat(row.2.into()))]
}

fn sorted(rows: &Rows, order: Order, memory: usize) -> Vec<Said> {
    let mut sorter = Sorter::with_memory(order, memory);
    for (account, region, bucket, value) in rows {
        let [account, region, bucket] = names((*account, *region, *bucket));
        let value = value.map(|(metric, value)| (Metric::ALL[usize::from(metric)], value));
        sorter.push(&account, &region, &bucket, value).expect("a disk");
    }
    let all = sorter.finish().expect("a disk");
    let once: Vec<Said> = all.buckets().expect("a disk").map(|said| said.expect("a disk")).collect();
    let again: Vec<Said> = all.buckets().expect("a disk").map(|said| said.expect("a disk")).collect();
    assert_eq!(once, again);
    once
}

#[test]
fn rows_that_contradict_each_other_say_nothing_and_are_named() {
    let rows = vec![(1, 1, 1, Some((1, 1))), (1, 1, 2, None), (1, 1, 1, Some((1, 0))), (1, 1, 1, Some((0, 1)))];
    for memory in [1, IN_MEMORY] {
        let said = sorted(&rows, Order::Name, memory);
        assert_eq!(said.len(), 2);
        assert_eq!(said[0].contradicted, [Metric::MfaDeleteEnabled]);
        assert_eq!(said[0].values[..2], [Some(1), None]);
        assert_eq!(said[1].values, [None; Metric::COUNT]);
    }
}

#[test]
fn what_is_said_of_accounts_is_no_bucket() {
    for order in [Order::Region, Order::Name, Order::Bucket] {
        let mut sorter = Sorter::with_memory(order, 1);
        for (region, bucket) in [("eu-west-1", "b"), ("eu-west-2", ""), ("eu-west-1", "a")] {
            sorter.push("111111111111", region, bucket, Some((Metric::MfaDeleteEnabled, 1))).expect("a disk");
        }
        let all = sorter.finish().expect("a disk");
        let names = |said: io::Result<Said>| said.expect("a disk").bucket;
        assert_eq!(all.buckets().expect("a disk").map(names).collect::<Vec<_>>(), ["a", "b"]);
        let mut entries: Vec<String> = all.entries().expect("a disk").map(names).collect();
        entries.sort();
        assert_eq!(entries, ["", "a", "b"]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// Beside a plain map, in memory and with a file for every few rows.
    #[test]
    fn every_bucket_comes_once_and_in_order(
        rows in prop::collection::vec((0_u8..3, 0_u8..3, 0_u8..12, prop::option::of((0_u8..20, 0_u64..2))), 0..60),
        memory in prop::sample::select(vec![1_usize, 200, IN_MEMORY]),
        by_name in any::<bool>(),
    ) {
        let order = if by_name { Order::Name } else { Order::Region };
        let said = sorted(&rows, order, memory);
        let mut expected: BTreeMap<[String; 3], [Vec<u64>; Metric::COUNT]> = BTreeMap::new();
        for (account, region, bucket, value) in &rows {
            let [account, region, bucket] = names((*account, *region, *bucket));
            let key = if by_name { [account, bucket, region] } else { [account, region, bucket] };
            let values = expected.entry(key).or_default();
            if let Some((metric, value)) = value {
                values[usize::from(*metric)].push(*value);
            }
        }
        prop_assert_eq!(said.len(), expected.len());
        for (said, (key, values)) in said.iter().zip(expected) {
            let found = if by_name {
                [&said.account, &said.bucket, &said.region]
            } else {
                [&said.account, &said.region, &said.bucket]
            };
            prop_assert_eq!(found.map(Clone::clone), key);
            for (metric, mut values) in Metric::ALL.into_iter().zip(values) {
                values.dedup();
                let agreed = match values.as_slice() { [one] => Some(*one), _ => None };
                prop_assert_eq!(said.values[metric.index()], agreed);
                prop_assert_eq!(said.contradicted.contains(&metric), values.len() > 1);
            }
        }
    }
}
