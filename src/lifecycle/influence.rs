//! What one action can do to the fate of another that matches the same object.
//!
//! Most can do nothing, or prevail whatever else matches; only a few depend on third ones. To tell them apart keeps the
//! search small: what can do nothing is left out of it, what prevails ends it, and the rest is played out.
//!
//! That this is right follows from the shape of histories. A class once left cannot be reached again, and what cannot
//! be reached now never can be later. So a transition to a class is decided on the first day on which one is eligible:
//! it wins that day or none does, ever; but for `ONEZONE_IA` and `GLACIER_IR`, which can still be reached after they
//! lost their day to `INTELLIGENT_TIERING`. And a delete marker is put off only by transitions on every day since its
//! expiration was due, of which there are five at most.

use super::configuration::{StorageClass, Versions};
use super::history::{Act, reaches};

/// Of one action on another, whatever third ones match besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Influence {
    /// With it or without it: the same.
    None,
    /// Beside it the other is never executed.
    Prevails,
    /// It depends. As far as the other is concerned it acts like this.
    Depends(Act),
}

/// The actions that can match together with those of one rule, its own among them.
#[derive(Debug, Default)]
pub(super) struct Company {
    /// Days of expirations, ascending.
    expirations: Vec<u32>,
    /// Class and day, ascending.
    moves: Vec<(StorageClass, u32)>,
    noncurrent_moves: Vec<(StorageClass, u32)>,
    /// Days on which both `INTELLIGENT_TIERING` and a class that can follow it later are asked for.
    ties: Vec<u32>,
}

/// The most days that transitions can put off a delete marker: no history has more of them, but one that ends with
/// `DEEP_ARCHIVE`, in a row.
const LONGEST_CHAIN: u32 = 5;

const AFTER_TIERING: [StorageClass; 2] = [StorageClass::OnezoneIa, StorageClass::GlacierIr];

impl Company {
    pub(super) fn new(acts: impl Iterator<Item = Act>) -> Self {
        let mut company = Self::default();
        for act in acts {
            match act {
                Act::Expire { days } => company.expirations.push(days),
                Act::Move { days, to } => company.moves.push((to, days)),
                Act::MoveNoncurrent { days, to, .. } => company.noncurrent_moves.push((to, days)),
                Act::ExpireNoncurrent { .. } | Act::Abort { .. } => {}
            }
        }
        company.expirations.sort_unstable();
        company.moves.sort_unstable();
        company.noncurrent_moves.sort_unstable();
        let of_tiering = company.moves.iter().filter(|(to, _)| *to == StorageClass::IntelligentTiering);
        let is_tied = |day: &u32| AFTER_TIERING.iter().any(|to| company.has_move(*to, *day));
        let ties = of_tiering.map(|(_, day)| *day).filter(is_tied).collect();
        company.ties = ties;
        company
    }

    fn has_move(&self, to: StorageClass, day: u32) -> bool {
        self.moves.binary_search(&(to, day)).is_ok()
    }

    fn first_move(moves: &[(StorageClass, u32)], to: StorageClass) -> Option<u32> {
        let at = moves.partition_point(|it| *it < (to, 0));
        moves.get(at).filter(|it| it.0 == to).map(|it| it.1)
    }

    fn has_noncurrent_move(&self, to: StorageClass, day: u32) -> bool {
        self.noncurrent_moves.binary_search(&(to, day)).is_ok()
    }

    /// Whether transitions could put off a delete marker from one day to the other, each to a class of these.
    fn can_put_off(&self, from: u32, until: u32, is_of_these: impl Fn(StorageClass) -> bool) -> bool {
        until - from <= LONGEST_CHAIN
            && (from..until)
                .all(|day| StorageClass::ALL.into_iter().any(|to| is_of_these(to) && self.has_move(to, day)))
    }
}

/// One action, and what can match together with it.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    act: Act,
    company: &'a Company,
    versions: Versions,
    /// The first day of an expiration before its own whose delete marker transitions could put off.
    put_off_from: Option<u32>,
    /// For noncurrent transitions: whether more newer versions, or the class it had before, could make a difference.
    is_open: IsOpen,
}

#[derive(Debug, Clone, Copy, Default)]
struct IsOpen {
    to_newer: bool,
    /// Up to this day of the current version.
    to_current: Option<u32>,
}

impl<'a> Subject<'a> {
    /// `near` are the acts that the company was made of.
    pub(super) fn new(act: Act, company: &'a Company, versions: Versions, near: impl Iterator<Item = Act>) -> Self {
        let mut subject = Self { act, company, versions, put_off_from: None, is_open: IsOpen::default() };
        match act {
            Act::Expire { days } | Act::Move { days, .. } if versions != Versions::Unversioned => {
                let first = days.saturating_sub(LONGEST_CHAIN);
                subject.put_off_from = (first..days)
                    .find(|day| company.expirations.binary_search(day).is_ok() && subject.can_be_put_off(*day));
            }
            Act::MoveNoncurrent { days, newer, to } if AFTER_TIERING.contains(&to) => {
                subject.is_open = subject.open(days, newer, near);
            }
            _ => {}
        }
        subject
    }

    /// What it acts like itself in the company of what [`Influence::Depends`] says.
    pub(super) fn act(&self) -> Act {
        self.later(self.act)
    }

    pub(super) fn of(&self, other: Act) -> Influence {
        let influence = match (self.act, other) {
            (Act::Abort { days }, Act::Abort { days: other }) => prevails_if(other < days),
            (Act::Expire { days }, Act::Expire { days: other }) => self.expiration(days, other),
            (Act::Expire { days }, Act::Move { days: other, .. }) => self.in_a_chain(days, other),
            (Act::Move { days, .. }, Act::Expire { days: other }) => match self.versions {
                Versions::Unversioned => prevails_if(other <= days),
                Versions::Enabled | Versions::Suspended => self.expiration(days, other),
            },
            (Act::Move { days, to }, Act::Move { days: other, to: other_to }) => {
                self.transition((days, to), (other, other_to))
            }
            (Act::ExpireNoncurrent { days, newer }, Act::ExpireNoncurrent { days: other, newer: other_newer }) => {
                prevails_if(other < days && other_newer <= newer)
            }
            (Act::MoveNoncurrent { .. }, _) => self.of_noncurrent_move(other),
            _ => Influence::None,
        };
        match influence {
            Influence::Depends(_) => Influence::Depends(self.like(other)),
            known => known,
        }
    }

    /// Whether transitions before its own day could put off the delete marker of that day.
    fn can_be_put_off(&self, expiration: u32) -> bool {
        match self.act {
            Act::Expire { days } => self.company.can_put_off(expiration, days, |_| true),
            Act::Move { days, to } => self.company.can_put_off(expiration, days, |class| reaches(class, to)),
            Act::ExpireNoncurrent { .. } | Act::MoveNoncurrent { .. } | Act::Abort { .. } => false,
        }
    }

    fn expiration(&self, days: u32, other: u32) -> Influence {
        if other >= days {
            Influence::None
        } else if self.versions != Versions::Unversioned && self.can_be_put_off(other) {
            DEPENDS
        } else {
            Influence::Prevails
        }
    }

    /// A transition that matters only where it puts off a delete marker.
    fn in_a_chain(&self, days: u32, other: u32) -> Influence {
        if self.put_off_from.is_some() && other < days { DEPENDS } else { Influence::None }
    }

    fn transition(&self, own: (u32, StorageClass), other: (u32, StorageClass)) -> Influence {
        let ((days, to), (day, other_to)) = (own, other);
        match rivalry(own, other) {
            Rivalry::None => Influence::None,
            Rivalry::Harmless => self.in_a_chain(days, day),
            Rivalry::Prevails => Influence::Prevails,
            Rivalry::UnlessSpent => {
                debug_assert!(AFTER_TIERING.contains(&to) && AFTER_TIERING.contains(&other_to));
                if self.company.has_move(StorageClass::IntelligentTiering, day) { DEPENDS } else { Influence::Prevails }
            }
            Rivalry::Tiering if day == days => {
                let first = Company::first_move(&self.company.moves, StorageClass::IntelligentTiering);
                if first.is_some_and(|first| first < days) { DEPENDS } else { Influence::Prevails }
            }
            Rivalry::Tiering => {
                let is_tied = self.company.ties.first().is_some_and(|tie| *tie < days);
                let returns = self.company.has_move(StorageClass::IntelligentTiering, days);
                if is_tied || returns || self.put_off_from.is_some() { DEPENDS } else { Influence::None }
            }
        }
    }

    /// Whether anything but the actions that ask for as few newer versions as this one can make a difference.
    fn open(&self, days: u32, newer: u32, near: impl Iterator<Item = Act>) -> IsOpen {
        let mut open = IsOpen::default();
        let last = self.company.moves.iter().filter(|(to, _)| *to == StorageClass::IntelligentTiering);
        let last = last.map(|(_, day)| *day).max();
        let first = Company::first_move(&self.company.noncurrent_moves, StorageClass::IntelligentTiering);
        for act in near {
            let Act::MoveNoncurrent { days: day, newer: other, to } = act else { continue };
            if other > newer {
                continue;
            }
            if to == StorageClass::IntelligentTiering && day == days {
                open.to_current = last;
                open.to_newer |= first.is_some_and(|first| first < days);
            }
            open.to_newer |= AFTER_TIERING.contains(&to)
                && day < days
                && self.company.has_noncurrent_move(StorageClass::IntelligentTiering, day);
        }
        open
    }

    fn of_noncurrent_move(&self, other: Act) -> Influence {
        let Act::MoveNoncurrent { days, newer, to } = self.act else { return Influence::None };
        let open = self.is_open;
        match other {
            Act::Abort { .. } => Influence::None,
            Act::Expire { days: day } | Act::Move { days: day, .. } => {
                if open.to_current.is_some_and(|last| day <= last) { DEPENDS } else { Influence::None }
            }
            Act::ExpireNoncurrent { days: day, .. } if day > days => Influence::None,
            Act::ExpireNoncurrent { newer: more, .. } if more <= newer => Influence::Prevails,
            Act::ExpireNoncurrent { .. } => {
                if open.to_newer {
                    DEPENDS
                } else {
                    Influence::None
                }
            }
            Act::MoveNoncurrent { days: day, newer: more, to: other_to } => {
                let rivalry = rivalry((days, to), (day, other_to));
                if more > newer && !open.to_newer {
                    return Influence::None;
                }
                match rivalry {
                    Rivalry::None | Rivalry::Harmless => Influence::None,
                    Rivalry::Prevails if more <= newer => Influence::Prevails,
                    Rivalry::UnlessSpent
                        if more <= newer
                            && !self.company.has_noncurrent_move(StorageClass::IntelligentTiering, day) =>
                    {
                        Influence::Prevails
                    }
                    Rivalry::Tiering if more <= newer && day == days => {
                        let is_open = open.to_newer || open.to_current.is_some();
                        if is_open { DEPENDS } else { Influence::Prevails }
                    }
                    Rivalry::Tiering if !open.to_newer => Influence::None,
                    Rivalry::Prevails | Rivalry::UnlessSpent | Rivalry::Tiering => DEPENDS,
                }
            }
        }
    }

    /// An action that does the same to the subject, of which there are fewer: what lies before the days that count is
    /// known by its order only.
    fn like(&self, other: Act) -> Act {
        use StorageClass::{DeepArchive, Glacier, GlacierIr, IntelligentTiering, OnezoneIa};
        match (self.act, other) {
            (Act::Expire { .. } | Act::Move { .. }, Act::Move { days, to }) => {
                let Some(first) = self.put_off_from.filter(|first| days < *first) else { return self.later(other) };
                // After shifting, day 0 is free and `first` is the day before the days that count.
                let days = match to {
                    IntelligentTiering if self.company.ties.first().is_some_and(|tie| *tie < first) => days + 1,
                    OnezoneIa | GlacierIr if self.company.has_move(IntelligentTiering, days) => days + 1,
                    OnezoneIa | GlacierIr => 0,
                    _ => first,
                };
                Act::Move { days, to }
            }
            (Act::MoveNoncurrent { .. }, Act::Move { days, to }) => match to {
                // All of them keep it from INTELLIGENT_TIERING; these only from the next day on.
                OnezoneIa | GlacierIr => Act::Move { days: days.saturating_add(1), to: Glacier },
                Glacier | DeepArchive => Act::Move { days, to: Glacier },
                _ => other,
            },
            (Act::MoveNoncurrent { days, newer, to }, Act::MoveNoncurrent { days: day, newer: more, to: other_to }) => {
                match rivalry((days, to), (day, other_to)) {
                    Rivalry::Prevails if more > newer => Act::ExpireNoncurrent { days: 0, newer: more },
                    Rivalry::UnlessSpent => Act::MoveNoncurrent { days: day, newer: more, to: OnezoneIa },
                    _ => other,
                }
            }
            (Act::MoveNoncurrent { .. }, Act::ExpireNoncurrent { newer, .. }) => {
                Act::ExpireNoncurrent { days: 0, newer }
            }
            _ => self.later(other),
        }
    }

    /// All days of current versions are shifted where [`Self::like`] needs a day before the first.
    fn later(&self, act: Act) -> Act {
        match act {
            _ if self.put_off_from.is_none() => act,
            Act::Expire { days } => Act::Expire { days: days.saturating_add(1) },
            Act::Move { days, to } => Act::Move { days: days.saturating_add(1), to },
            Act::ExpireNoncurrent { .. } | Act::MoveNoncurrent { .. } | Act::Abort { .. } => act,
        }
    }
}

/// [`Subject::of`] says on what.
const DEPENDS: Influence = Influence::Depends(Act::Abort { days: 0 });

fn prevails_if(prevails: bool) -> Influence {
    if prevails { Influence::Prevails } else { Influence::None }
}

/// Of one transition to another, by day and class.
enum Rivalry {
    None,
    /// It can only put off a delete marker.
    Harmless,
    Prevails,
    /// It prevails unless it lost its day to `INTELLIGENT_TIERING`.
    UnlessSpent,
    /// `INTELLIGENT_TIERING` before `ONEZONE_IA` or `GLACIER_IR`.
    Tiering,
}

fn rivalry((days, to): (u32, StorageClass), (day, other): (u32, StorageClass)) -> Rivalry {
    use StorageClass::{DeepArchive, Glacier, GlacierIr, IntelligentTiering, OnezoneIa, Standard, StandardIa};
    if day > days || (day == days && to == other) {
        return Rivalry::None;
    }
    match (to, other) {
        (OnezoneIa | GlacierIr, IntelligentTiering) => Rivalry::Tiering,
        (OnezoneIa | GlacierIr, OnezoneIa | GlacierIr) if day < days => Rivalry::UnlessSpent,
        (IntelligentTiering, OnezoneIa | GlacierIr) if day == days => Rivalry::None,
        (Standard, _) | (_, Standard) | (GlacierIr, OnezoneIa) => Rivalry::None,
        (StandardIa | IntelligentTiering, IntelligentTiering | OnezoneIa | GlacierIr | Glacier | DeepArchive)
        | (OnezoneIa | GlacierIr | Glacier, Glacier | DeepArchive)
        | (OnezoneIa, OnezoneIa | GlacierIr)
        | (StandardIa, StandardIa)
        | (GlacierIr, GlacierIr)
        | (DeepArchive, DeepArchive) => Rivalry::Prevails,
        (IntelligentTiering | OnezoneIa | GlacierIr | Glacier | DeepArchive, StandardIa)
        | (Glacier | DeepArchive, IntelligentTiering | OnezoneIa | GlacierIr)
        | (DeepArchive, Glacier) => Rivalry::Harmless,
    }
}

/// Leaves out what makes no difference beside the rest, whatever is added to both.
pub(super) fn simplify(acts: &mut Vec<Act>) {
    use StorageClass::{DeepArchive, Glacier, IntelligentTiering, StandardIa};
    let first = |acts: &[Act], wanted: &dyn Fn(StorageClass) -> bool| {
        let day = |act: &Act| match act {
            Act::Move { days, to } if wanted(*to) => Some(*days),
            _ => None,
        };
        acts.iter().filter_map(day).min().unwrap_or(u32::MAX)
    };
    let expires = |act: &Act| if let Act::Expire { days } = act { Some(*days) } else { None };
    let expiration = acts.iter().filter_map(expires).min();
    let [deep, glacier, tiering, infrequent] =
        [DeepArchive, Glacier, IntelligentTiering, StandardIa].map(|class| first(acts, &|to| to == class));
    let side = first(acts, &|to| AFTER_TIERING.contains(&to));
    // Of these classes the days after the second cannot matter: at most those of one day are spent.
    let second = acts.iter().filter_map(|act| match act {
        Act::Move { days, to } if AFTER_TIERING.contains(to) && *days > side => Some(*days),
        _ => None,
    });
    let second = second.min().unwrap_or(side);
    let archive = deep.min(glacier);
    acts.retain(|act| match *act {
        Act::Expire { days } => Some(days) == expiration,
        Act::Move { days, to } => match to {
            DeepArchive => days == deep,
            Glacier => days == glacier && days < deep,
            IntelligentTiering => days == tiering && days <= side && days < archive,
            StandardIa => days == infrequent && days < tiering.min(side).min(archive),
            _ => days <= second && days < archive,
        },
        Act::ExpireNoncurrent { .. } | Act::MoveNoncurrent { .. } | Act::Abort { .. } => true,
    });
    simplify_noncurrent(acts);
    acts.sort_unstable();
    acts.dedup();
}

/// The same for noncurrent versions. Here expirations come at once: with so many newer versions all is over.
fn simplify_noncurrent(acts: &mut Vec<Act>) {
    let over = |act: &Act| if let Act::ExpireNoncurrent { newer, .. } = act { Some(*newer) } else { None };
    let mut over = acts.iter().filter_map(over).min();
    // With two days of those that follow INTELLIGENT_TIERING one is not spent: all is over, too.
    let mut side: Vec<(u32, u32)> = acts
        .iter()
        .filter_map(|act| match act {
            Act::MoveNoncurrent { days, newer, to: StorageClass::OnezoneIa } => Some((*newer, *days)),
            _ => None,
        })
        .collect();
    side.sort_unstable();
    if let Some(first) = side.first()
        && let Some((newer, _)) = side.iter().find(|(_, day)| *day != first.1)
        && over.is_none_or(|over| *newer < over)
    {
        over = Some(*newer);
        acts.push(Act::ExpireNoncurrent { days: 0, newer: *newer });
    }
    let tiering: Vec<(u32, u32)> = acts
        .iter()
        .filter_map(|act| match act {
            Act::MoveNoncurrent { days, newer, to: StorageClass::IntelligentTiering } => Some((*days, *newer)),
            _ => None,
        })
        .collect();
    acts.retain(|act| match *act {
        Act::ExpireNoncurrent { newer, .. } => Some(newer) == over,
        Act::MoveNoncurrent { newer, .. } if over.is_some_and(|over| newer >= over) => false,
        Act::MoveNoncurrent { days, newer, to: StorageClass::IntelligentTiering } => {
            !tiering.iter().any(|(day, other)| *day <= days && *other <= newer && (*day, *other) != (days, newer))
        }
        Act::MoveNoncurrent { days, newer, .. } => !side.iter().any(|(other, day)| *day == days && *other < newer),
        Act::Expire { .. } | Act::Move { .. } | Act::Abort { .. } => true,
    });
}
