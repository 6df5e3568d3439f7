//! Two sorted streams as one.

use std::cmp::Ordering;
use std::iter::Peekable;

/// What stands in both streams, or in one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pair<T> {
    Old(T),
    New(T),
    Both(T, T),
}

/// The elements of both, side by side. An error is passed on where it comes.
pub(super) fn merge<T, E>(
    old: impl Iterator<Item = Result<T, E>>,
    new: impl Iterator<Item = Result<T, E>>,
    order: fn(&T, &T) -> Ordering,
) -> impl Iterator<Item = Result<Pair<T>, E>> {
    let (mut old, mut new) = (old.peekable(), new.peekable());
    std::iter::from_fn(move || next(&mut old, &mut new, order))
}

fn next<T, E>(
    old: &mut Peekable<impl Iterator<Item = Result<T, E>>>,
    new: &mut Peekable<impl Iterator<Item = Result<T, E>>>,
    order: fn(&T, &T) -> Ordering,
) -> Option<Result<Pair<T>, E>> {
    let ordering = match (old.peek(), new.peek()) {
        (None, None) => return None,
        (Some(Ok(old)), Some(Ok(new))) => order(old, new),
        (Some(_), None) | (Some(Err(_)), Some(_)) => Ordering::Less,
        (None, Some(_)) | (Some(Ok(_)), Some(Err(_))) => Ordering::Greater,
    };
    Some(match ordering {
        Ordering::Less => old.next()?.map(Pair::Old),
        Ordering::Greater => new.next()?.map(Pair::New),
        Ordering::Equal => {
            let (old, new) = (old.next()?, new.next()?);
            old.and_then(|old| new.map(|new| Pair::Both(old, new)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_comes_once_beside_its_like() {
        let ok = |values: &[u8]| values.iter().copied().map(Ok::<u8, u8>).collect::<Vec<_>>();
        let merged: Result<Vec<_>, _> = merge(ok(&[1, 2, 4]).into_iter(), ok(&[2, 3]).into_iter(), Ord::cmp).collect();
        assert_eq!(merged, Ok(vec![Pair::Old(1), Pair::Both(2, 2), Pair::New(3), Pair::Old(4)]));
        let broken = vec![Ok(1), Err(9)];
        let merged: Result<Vec<_>, _> = merge(broken.into_iter(), ok(&[1, 5]).into_iter(), Ord::cmp).collect();
        assert_eq!(merged, Err(9));
    }
}
