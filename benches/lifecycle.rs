//! What the lifecycle analyser costs: `cargo bench --bench lifecycle`.
//!
//! CPU is user and system time of this process. What was measured stands in `benches/README.md`.

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::time::Duration;

use bucketlens::lifecycle::{Action, Configuration, Filter, Rule, StorageClass, Verdict, Versions, When, analyse};
use time::Date;
use time::macros::date;

const TODAY: Date = date!(2026 - 11 - 22);

fn main() {
    println!("{:<44}{:>12}{:>12}{:>16}", "", "bound", "CPU", "not analysed");
    one("1,000 disjoint prefixes", 200, &disjoint());
    for (days, actions) in [(365, 1), (3_650, 3)] {
        let crowd = Crowd { rules: 1_000, prefixes: 20, keys: 6, values: 4, sizes: 4, days, actions };
        one(&format!("1,000 rules, {days} days, up to {actions} actions"), 2_000, &crowd.configuration(1));
    }
    many();
    // No limit of work may be met below 100 rules and 5 tag keys; so whatever they are.
    for (what, crowd) in [
        ("4 keys of 25 values", Crowd { prefixes: 1, values: 25, sizes: 0, ..SMALL }),
        ("33 prefixes and sizes", Crowd { prefixes: 33, values: 5, sizes: 33, ..SMALL }),
        ("one actions each, all on few days", Crowd { days: 5, actions: 1, ..SMALL }),
        ("many actions each, all on few days", Crowd { days: 5, ..SMALL }),
        ("many actions each, each day its own", Crowd { days: 3_650, ..SMALL }),
    ] {
        let slowest = (0..5).map(|seed| measure(&crowd.configuration(seed))).max().expect("there are some");
        line(&format!("99 rules: {what}, slowest of 5"), 2_000, slowest);
    }
}

const SMALL: Crowd = Crowd { rules: 99, prefixes: 5, keys: 4, values: 3, sizes: 4, days: 20, actions: 15 };

fn one(what: &str, bound: u64, configuration: &Configuration) {
    line(what, bound, measure(configuration));
}

fn line(what: &str, bound: u64, (cpu, not_analysed): (Duration, usize)) {
    println!("{what:<44}{bound:>9} ms{:>9} ms{not_analysed:>16}", cpu.as_millis());
}

/// The dearest of the states of versioning.
fn measure(configuration: &Configuration) -> (Duration, usize) {
    let measured = [Versions::Unversioned, Versions::Enabled, Versions::Suspended].map(|versions| {
        let before = cpu();
        let verdicts = analyse(black_box(configuration), versions, TODAY);
        let cpu = cpu().saturating_sub(before);
        (cpu, verdicts.iter().filter(|verdict| verdict.verdict == Verdict::NotAnalysed).count())
    });
    measured.into_iter().max().expect("there are three")
}

/// 100,000 buckets of 5 rules.
fn many() {
    let configurations: Vec<Configuration> = (0..1_000)
        .map(|seed| {
            Crowd { rules: 5, prefixes: 3, keys: 2, values: 2, sizes: 2, days: 365, actions: 2 }.configuration(seed)
        })
        .collect();
    let before = cpu();
    let mut not_analysed = 0;
    for _ in 0..100 {
        for configuration in &configurations {
            let verdicts = black_box(analyse(configuration, Versions::Enabled, TODAY));
            not_analysed += verdicts.iter().filter(|verdict| verdict.verdict == Verdict::NotAnalysed).count();
        }
    }
    line("100,000 buckets of 5 rules", 5_000, (cpu().saturating_sub(before), not_analysed));
}

/// Time on a processor. Source: Linux, `Documentation/scheduler/sched-stats`, `/proc/<pid>/schedstat`, in nanoseconds.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/schedstat").expect("Linux");
    let spent = stat.split_whitespace().next().expect("three figures");
    Duration::from_nanos(spent.parse().expect("nanoseconds"))
}

fn disjoint() -> Configuration {
    let rule = |number: u32| {
        let filter = Filter { prefix: format!("{number}/"), ..Filter::default() };
        let actions = vec![
            Action::Transition { when: When::Days(30), to: StorageClass::Glacier },
            Action::Expiration(When::Days(365)),
        ];
        Rule { id: format!("#{number}"), enabled: true, filter, actions }
    };
    Configuration { rules: (1..=1_000).map(rule).collect() }
}

/// Rules of every kind over nested prefixes.
#[derive(Clone, Copy)]
struct Crowd {
    rules: usize,
    prefixes: usize,
    keys: usize,
    values: usize,
    sizes: u64,
    /// At most.
    days: u32,
    /// At most, of each rule.
    actions: usize,
}

impl Crowd {
    fn configuration(self, seed: u64) -> Configuration {
        let mut random = fastrand::Rng::with_seed(seed);
        Configuration { rules: (1..=self.rules).map(|number| self.rule(number, &mut random)).collect() }
    }

    fn rule(self, number: usize, random: &mut fastrand::Rng) -> Rule {
        let tags: BTreeMap<String, String> = (0..random.usize(0..=3))
            .map(|_| (format!("key{}", random.usize(0..self.keys)), format!("value{}", random.usize(0..self.values))))
            .collect();
        let mut filter = Filter { prefix: "a/".repeat(random.usize(0..self.prefixes)), tags, ..Filter::default() };
        if self.sizes > 0 {
            let bound = 1_000 * random.u64(0..self.sizes);
            match random.u8(0..4) {
                0 => filter.size_greater_than = Some(bound),
                1 => filter.size_less_than = Some(bound + 1_000),
                _ => {}
            }
        }
        let actions = (0..random.usize(1..=self.actions)).map(|_| self.action(random)).collect();
        Rule { id: format!("#{number}"), enabled: true, filter, actions }
    }

    fn action(self, random: &mut fastrand::Rng) -> Action {
        let days = random.u32(1..=self.days);
        let newer = random.u32(0..4);
        let to = StorageClass::ALL[random.usize(1..7)];
        match random.u8(0..10) {
            0 | 1 => Action::Expiration(When::Days(days)),
            2..=4 => Action::Transition { when: When::Days(days), to },
            5 => Action::NoncurrentVersionExpiration { days, newer },
            6..=8 => Action::NoncurrentVersionTransition { days, newer, to },
            _ => Action::AbortIncompleteMultipartUpload { days },
        }
    }
}
