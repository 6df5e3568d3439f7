//! What is different between two readings of one bucket.

use super::change::{Kind, Lost, Weight, What};
use super::lifecycle;
use super::settings::{Setting, compliance_days};
use crate::evaluate::Evaluation;
use crate::model::{
    BucketRecord, Extra, Extras, Fact, Facts, Lifecycle, ObjectLock, Observed, Reason, Region, Status, VersioningState,
};

/// A difference, without the bucket it is of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub kind: Kind,
    pub what: What,
    pub old: Option<String>,
    pub new: Option<String>,
    pub weight: Weight,
    pub words: String,
}

/// What is different, and what the newer reading lacks.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub differences: Vec<Difference>,
    /// Whether the newer run asked for a fact and does not know it.
    pub lacks: bool,
}

/// One fact, as one run knows it.
enum State<'a> {
    NotAsked,
    Known(String),
    Unknown(&'a Reason),
}

/// Of a bucket that was there both times. Nothing is said of one that was gone.
pub(super) fn compare(
    (old, before): (&BucketRecord, &Evaluation),
    (new, after): (&BucketRecord, &Evaluation),
) -> Comparison {
    let mut comparison = Comparison::default();
    let (
        Facts::Read { versioning: old_state, lifecycle: old_lifecycle, extras: old_extras },
        Facts::Read { versioning: new_state, lifecycle: new_lifecycle, extras: new_extras },
    ) = (&old.facts, &new.facts)
    else {
        return comparison;
    };
    comparison.region(old, new);
    let versioning = |state: &VersioningState| state.versioning_word();
    let mfa_delete = |state: &VersioningState| state.mfa_delete_word();
    comparison.state(What::Versioning, Lost::Versioning, old_state, new_state, versioning);
    comparison.state(What::MfaDelete, Lost::MfaDelete, old_state, new_state, mfa_delete);
    comparison.lifecycle(old_lifecycle, new_lifecycle);
    for extra in Extra::ALL {
        comparison.extra(extra, old_extras, new_extras);
    }
    comparison.status(before.status, after.status);
    comparison
}

impl Comparison {
    fn add(&mut self, kind: Kind, what: What, old: Option<String>, new: Option<String>, words: String) {
        self.differences.push(Difference { kind, what, old, new, weight: Weight::Plain, words });
    }

    /// Buckets do not move. A Region that was only listed proves nothing of one in which the bucket was read.
    fn region(&mut self, old: &BucketRecord, new: &BucketRecord) {
        let (was, is) = (&old.region, &new.region);
        if was == is || [was, is].into_iter().any(|region| *region == Region::unknown()) {
            return;
        }
        let unread = |region: &Region| format!("listed in {region}, where nothing of it could be read");
        match (old.confirmed_region(), new.confirmed_region()) {
            (Some(was), Some(is)) => {
                let words = "deleted and created again".to_owned();
                self.add(Kind::Changed, What::Region, Some(was.to_string()), Some(is.to_string()), words);
            }
            (Some(was), None) => {
                self.add(Kind::BecameUnknown, What::Region, Some(was.to_string()), None, unread(is));
            }
            (None, Some(is)) => {
                let words = format!("it was {}", unread(was));
                self.add(Kind::BecameKnown, What::Region, None, Some(is.to_string()), words);
            }
            // That nothing of it is known is told by its facts.
            (None, None) => {}
        }
    }

    /// A change of a fact, unless it is the knowledge of it that changed.
    fn fact(&mut self, what: What, old: State<'_>, new: State<'_>) {
        self.lacks |= matches!(new, State::Unknown(_));
        match (old, new) {
            (State::Known(old), State::Known(new)) if old != new => {
                self.add(Kind::Changed, what, Some(old), Some(new), String::new());
            }
            (State::Known(old), State::Unknown(why)) => {
                self.add(Kind::BecameUnknown, what, Some(old), None, why.sentence());
            }
            (State::Unknown(why), State::Known(new)) => {
                self.add(Kind::BecameKnown, what, None, Some(new), format!("it was unknown: {}", why.sentence()));
            }
            (State::Known(_), State::Known(_))
            | (State::Unknown(_), State::Unknown(_))
            // What one of the runs did not ask for cannot be compared.
            | (State::NotAsked, State::NotAsked | State::Known(_) | State::Unknown(_))
            | (State::Known(_) | State::Unknown(_), State::NotAsked) => {}
        }
    }

    fn state(
        &mut self,
        what: What,
        lost: Lost,
        old: &Fact<VersioningState>,
        new: &Fact<VersioningState>,
        word: fn(&VersioningState) -> &'static str,
    ) {
        let so_far = self.differences.len();
        self.fact(what, state(old, word), state(new, word));
        // Enabled once. What never was configured now is another bucket of the name, and as unprotected.
        if let Some(difference) = self.differences.get_mut(so_far)
            && difference.kind == Kind::Changed
            && difference.old.as_deref() == Some("enabled")
        {
            difference.weight = Weight::Lost(lost);
            if difference.new.as_deref() == Some("never") {
                "deleted and created again, or the service answers otherwise".clone_into(&mut difference.words);
            }
        }
    }

    fn lifecycle(&mut self, old: &Fact<Lifecycle>, new: &Fact<Lifecycle>) {
        let word = |lifecycle: &Lifecycle| match lifecycle {
            Lifecycle::None => "none",
            Lifecycle::Present(_) => "present",
        };
        if let (Some(then), Some(now)) = (old.known(), new.known()) {
            if let Some(words) = lifecycle::difference(then, now) {
                let (old, new) = (word(then).to_owned(), word(now).to_owned());
                self.add(Kind::Changed, What::Lifecycle, Some(old), Some(new), words);
            }
        } else {
            self.fact(What::Lifecycle, state(old, word), state(new, word));
        }
    }

    fn extra(&mut self, extra: Extra, old: &Extras, new: &Extras) {
        let what = What::Extra(extra);
        match extra {
            Extra::Policy => self.setting(what, old.policy.as_ref(), new.policy.as_ref()),
            Extra::ObjectLock => {
                let so_far = self.differences.len();
                self.setting(what, old.object_lock.as_ref(), new.object_lock.as_ref());
                let known = |extras: &Extras| extras.object_lock.as_ref().and_then(Fact::known).copied();
                if let (Some(old), Some(new)) = (known(old), known(new)) {
                    self.lock(so_far, &old, &new);
                }
            }
            Extra::Replication => self.setting(what, old.replication.as_ref(), new.replication.as_ref()),
            Extra::Encryption => self.setting(what, old.encryption.as_ref(), new.encryption.as_ref()),
            Extra::Ownership => self.setting(what, old.ownership.as_ref(), new.ownership.as_ref()),
            Extra::Acceleration => self.setting(what, old.acceleration.as_ref(), new.acceleration.as_ref()),
            Extra::Notification => self.setting(what, old.notification.as_ref(), new.notification.as_ref()),
            Extra::Tags => self.setting(what, old.tags.as_ref(), new.tags.as_ref()),
        }
    }

    fn setting<T: Setting>(&mut self, what: What, old: Option<&Fact<T>>, new: Option<&Fact<T>>) {
        if let (Some(old), Some(new)) = (old.and_then(Fact::known), new.and_then(Fact::known)) {
            if !old.is_same(new) {
                self.add(Kind::Changed, what, Some(old.word()), Some(new.word()), old.difference(new));
            }
            return;
        }
        let old = old.map_or(State::NotAsked, |fact| state(fact, T::word));
        let new = new.map_or(State::NotAsked, |fact| state(fact, T::word));
        self.fact(what, old, new);
    }

    /// What compliance mode locks cannot be deleted by anybody. `place`: that of the change, where there is one.
    fn lock(&mut self, place: usize, old: &ObjectLock, new: &ObjectLock) {
        if let Some(days) = compliance_days(old)
            && compliance_days(new).is_none_or(|now| now < days)
            && let Some(difference) = self.differences.get_mut(place)
        {
            difference.weight = Weight::Lost(Lost::ComplianceLock);
        }
    }

    /// What became unknown, or known, has told so itself.
    fn status(&mut self, old: Status, new: Status) {
        if old == new || old == Status::Unknown || new == Status::Unknown {
            return;
        }
        let weight = if (old, new) == (Status::Pass, Status::Fail) { Weight::Fails } else { Weight::Plain };
        self.differences.push(Difference {
            kind: Kind::Changed,
            what: What::Status,
            old: Some(old.as_str().to_owned()),
            new: Some(new.as_str().to_owned()),
            weight,
            words: String::new(),
        });
    }
}

fn state<T, W: Into<String>>(fact: &Fact<T>, word: impl Fn(&T) -> W) -> State<'_> {
    match &fact.observed {
        Observed::Known(value) => State::Known(word(value).into()),
        Observed::Unknown(reason) => State::Unknown(reason),
    }
}
