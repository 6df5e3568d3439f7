//! Patterns with `*` and `?`, and which of them match one and the same text.

use std::collections::{BTreeSet, HashSet, VecDeque};

/// Places in patterns that are looked at before the search for classes gives up.
const BUDGET: usize = 500_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob(pub Vec<Token>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// `*`
    Many,
    /// `?`
    One,
    Char(char),
}

impl Glob {
    pub fn new(pattern: &str) -> Self {
        let token = |c| match c {
            '*' => Token::Many,
            '?' => Token::One,
            c => Token::Char(c),
        };
        Self(pattern.chars().map(token).collect())
    }

    pub fn matches(&self, text: &str) -> bool {
        let end = text.chars().fold(self.start(), |places, c| self.step(&places, c));
        self.accepts(&end)
    }

    fn accepts(&self, places: &Places) -> bool {
        places.contains(&self.0.len())
    }

    fn start(&self) -> Places {
        self.closed([0])
    }

    /// With the places behind every `*`, which can stand for nothing.
    fn closed(&self, places: impl IntoIterator<Item = usize>) -> Places {
        let mut closed = Places::new();
        for mut place in places {
            closed.push(place);
            while self.0.get(place) == Some(&Token::Many) {
                place += 1;
                closed.push(place);
            }
        }
        closed.sort_unstable();
        closed.dedup();
        closed
    }

    fn step(&self, places: &Places, c: char) -> Places {
        let next = places.iter().filter_map(|place| match self.0.get(*place)? {
            Token::Many => Some(*place),
            Token::One => Some(place + 1),
            Token::Char(own) => (*own == c).then_some(place + 1),
        });
        self.closed(next)
    }
}

/// Where in a pattern the text read so far can have led; ascending.
type Places = Vec<usize>;

/// The patterns that still can match, by their positions.
type State = Vec<(usize, Places)>;

/// For every set of these patterns that is all that match some text which begins with `start` and goes on: a shortest
/// such text, and for each pattern whether it matches. `None` where there are too many to look at.
pub(super) fn classes(start: &str, patterns: &[Glob]) -> Option<Vec<(String, Vec<bool>)>> {
    let step = |state: &State, c| -> State {
        let next = state.iter().map(|(pattern, places)| (*pattern, patterns[*pattern].step(places, c)));
        next.filter(|(_, places)| !places.is_empty()).collect()
    };
    let begin: State = patterns.iter().map(Glob::start).enumerate().collect();
    let begin = start.chars().fold(begin, |state, c| step(&state, c));
    let literals: HashSet<char> = patterns.iter().flat_map(|glob| &glob.0).copied().filter_map(literal).collect();
    // A character that no pattern asks for stands for all others.
    let other = ('x'..=char::MAX).find(|c| !literals.contains(c)).expect("patterns do not hold every character");
    let mut budget = BUDGET;
    let mut queue = VecDeque::from([(start.to_owned(), begin)]);
    let mut seen = HashSet::new();
    let (mut found, mut sets) = (Vec::new(), HashSet::new());
    while let Some((text, state)) = queue.pop_front() {
        let next =
            state.iter().flat_map(|(pattern, places)| places.iter().map(|place| patterns[*pattern].0.get(*place)));
        let wanted: BTreeSet<char> = next.flatten().copied().filter_map(literal).collect();
        for c in [other].into_iter().chain(wanted) {
            let next = step(&state, c);
            budget = usize::checked_sub(budget, 1 + next.iter().map(|(_, places)| places.len()).sum::<usize>())?;
            if !seen.insert(next.clone()) {
                continue;
            }
            let text = format!("{text}{c}");
            let accepted = next.iter().filter(|(pattern, places)| patterns[*pattern].accepts(places));
            let matching: Vec<usize> = accepted.map(|(pattern, _)| *pattern).collect();
            if sets.insert(matching.clone()) {
                let matched = (0..patterns.len()).map(|pattern| matching.contains(&pattern)).collect();
                found.push((text.clone(), matched));
            }
            queue.push_back((text, next));
        }
    }
    Some(found)
}

fn literal(token: Token) -> Option<char> {
    match token {
        Token::Char(c) => Some(c),
        Token::Many | Token::One => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_they_should() {
        for (pattern, text, matches) in [
            ("*", "", true),
            ("?", "", false),
            ("a*c", "abbc", true),
            ("a*c", "abcb", false),
            ("**?", "x", true),
            ("s3:Delete*", "s3:DeleteObjectVersion", true),
            ("s3:Delete", "s3:DeleteObjectVersion", false),
            ("*a*a*", "xaxxax", true),
            ("*a*a*", "xaxx", false),
            ("", "", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), matches, "{pattern} {text}");
        }
    }

    #[track_caller]
    fn assert_classes(patterns: &[&str], expected: &[(&str, &[bool])]) {
        let globs: Vec<Glob> = patterns.iter().map(|pattern| Glob::new(pattern)).collect();
        let mut found = classes("b/", &globs).expect("few");
        found.sort();
        let found: Vec<(&str, &[bool])> = found.iter().map(|(text, set)| (text.as_str(), set.as_slice())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_set_of_patterns_that_match_together_is_found_once() {
        assert_classes(&[], &[("b/x", &[])]);
        assert_classes(&["b/*"], &[("b/x", &[true])]);
        assert_classes(&["b*", "c/*"], &[("b/x", &[true, false])]);
        assert_classes(&["b/x*"], &[("b/x", &[true]), ("b/y", &[false])]);
        // Together they are everything.
        assert_classes(&["b/?", "b/??*"], &[("b/x", &[true, false]), ("b/xx", &[false, true])]);
        let sets: [(&str, &[bool]); 3] = [("b/a", &[true, false]), ("b/ab", &[true, true]), ("b/x", &[false, false])];
        assert_classes(&["b/a*", "b/ab*"], &sets);
    }

    #[test]
    fn patterns_that_multiply_end_the_search() {
        let globs: Vec<Glob> = ('a'..='r').map(|c| Glob::new(&format!("*{c}*"))).collect();
        assert_eq!(classes("b/", &globs), None);
    }
}
