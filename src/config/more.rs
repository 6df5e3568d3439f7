//! What is read of a bucket beside versioning and lifecycle, as it is asked for.

use std::collections::BTreeSet;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::Check;
use super::options::MoreArgs;
use crate::model::Extra;

/// The choices, of which [`More::extras`] makes the requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct More {
    pub with: BTreeSet<With>,
    /// In the words of S3 Storage Lens; `basic` is none of them.
    pub metrics: BTreeSet<MetricGroup>,
    /// The key of the tag by whose values buckets are grouped.
    pub group_by_tag: Option<String>,
    /// Whether directory buckets are listed: a request a Region of each account.
    pub directory_buckets: bool,
}

/// An option without values.
pub(super) const DIRECTORY_BUCKETS: &str = "directory-buckets";

/// `--with`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum With {
    /// The bucket policy
    Policy,
    /// Bucket policy, Object Lock and replication
    Protection,
}

impl With {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Protection => "protection",
        }
    }

    /// Whether all of it is among what was read.
    pub fn is_in(self, extras: &BTreeSet<Extra>) -> bool {
        self.extras().iter().all(|extra| extras.contains(extra))
    }

    fn extras(self) -> &'static [Extra] {
        match self {
            Self::Policy => &[Extra::Policy],
            Self::Protection => &[Extra::Policy, Extra::ObjectLock, Extra::Replication],
        }
    }
}

/// Settings that S3 Storage Lens counts and that take a request of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricGroup {
    Encryption,
    Ownership,
    Acceleration,
    Notification,
    Replication,
}

impl MetricGroup {
    pub const ALL: [Self; 5] =
        [Self::Encryption, Self::Ownership, Self::Acceleration, Self::Notification, Self::Replication];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Encryption => "encryption",
            Self::Ownership => "ownership",
            Self::Acceleration => "acceleration",
            Self::Notification => "notification",
            Self::Replication => "replication",
        }
    }

    /// What it reads.
    pub fn extra(self) -> Extra {
        match self {
            Self::Encryption => Extra::Encryption,
            Self::Ownership => Extra::Ownership,
            Self::Acceleration => Extra::Acceleration,
            Self::Notification => Extra::Notification,
            Self::Replication => Extra::Replication,
        }
    }
}

/// A value of `--metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsArg {
    /// What the two requests of every scan give.
    Basic,
    All,
    Group(MetricGroup),
}

impl MetricsArg {
    fn groups(self) -> Vec<MetricGroup> {
        match self {
            Self::Basic => Vec::new(),
            Self::All => MetricGroup::ALL.into(),
            Self::Group(group) => vec![group],
        }
    }
}

impl ValueEnum for MetricsArg {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Basic,
            Self::All,
            Self::Group(MetricGroup::Encryption),
            Self::Group(MetricGroup::Ownership),
            Self::Group(MetricGroup::Acceleration),
            Self::Group(MetricGroup::Notification),
            Self::Group(MetricGroup::Replication),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Basic => "basic",
            Self::All => "all",
            Self::Group(group) => group.as_str(),
        }))
    }
}

impl More {
    /// Each is one more request a bucket.
    pub fn extras(&self) -> BTreeSet<Extra> {
        let with = self.with.iter().flat_map(|with| with.extras()).copied();
        let metrics = self.metrics.iter().map(|group| group.extra());
        with.chain(metrics).chain(self.group_by_tag.as_ref().map(|_| Extra::Tags)).collect()
    }

    /// The options with their values, where there is something to say.
    pub(super) fn options(&self) -> impl Iterator<Item = (&'static str, Vec<String>)> {
        let words = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect();
        let options = [
            ("with", words(self.with.iter().map(|with| with.as_str()).collect())),
            ("metrics", words(self.metrics.iter().map(|group| group.as_str()).collect())),
            ("group-by-tag", words(self.group_by_tag.as_deref().into_iter().collect())),
        ];
        options.into_iter().filter(|(_, values): &(_, Vec<String>)| !values.is_empty())
    }
}

impl Check<'_> {
    pub(super) fn more(&mut self, args: MoreArgs) -> More {
        if args.group_by_tag.as_ref().is_some_and(String::is_empty) {
            self.mistake("group-by-tag", 0, "the key of a tag is empty");
        }
        More {
            with: args.with.into_iter().collect(),
            metrics: args.metrics.into_iter().flat_map(MetricsArg::groups).collect(),
            group_by_tag: args.group_by_tag,
            directory_buckets: args.directory_buckets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_extra_can_be_asked_for_and_costs_nothing_twice() {
        let all = More {
            with: [With::Policy, With::Protection].into(),
            metrics: MetricGroup::ALL.into(),
            group_by_tag: Some("team".to_owned()),
            directory_buckets: true,
        };
        assert_eq!(all.extras(), Extra::ALL.into());
        assert!(More::default().extras().is_empty());
        assert_eq!(More::default().options().count(), 0);
        let names: Vec<&str> = all.options().map(|(option, _)| option).collect();
        assert_eq!(names, ["with", "metrics", "group-by-tag"]);
    }

    #[test]
    fn every_group_has_a_value() {
        let values = MetricsArg::value_variants().iter().flat_map(|value| match value {
            MetricsArg::Group(group) => vec![*group],
            MetricsArg::Basic | MetricsArg::All => Vec::new(),
        });
        assert!(values.eq(MetricGroup::ALL));
    }
}
