//! Patterns with `*` and `?`, and which of them match one and the same text.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::budget::Budget;
use super::document::Version;

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

    /// The text itself, without wildcards.
    pub fn literal(text: &str) -> Self {
        Self(text.chars().map(Token::Char).collect())
    }

    /// Whether it has no wildcard.
    fn is_text(&self) -> bool {
        self.0.iter().all(|token| matches!(token, Token::Char(_)))
    }

    /// A pattern of a policy of this version, and whether it has a policy variable, which can be any text.
    pub fn of(pattern: &str, version: &Version) -> (Self, bool) {
        match version {
            Version::V2012 => Self::with_variables(pattern),
            Version::V2008 | Version::Other(_) => (Self::new(pattern), false),
        }
    }

    /// `${*}`, `${?}` and `${$}` are these characters.
    fn with_variables(pattern: &str) -> (Self, bool) {
        let (mut tokens, mut has_variable, mut rest) = (Vec::new(), false, pattern);
        while let Some((before, (name, after))) =
            rest.split_once("${").and_then(|(before, after)| Some((before, after.split_once('}')?)))
        {
            tokens.extend(Self::new(before).0);
            match name {
                "*" => tokens.push(Token::Char('*')),
                "?" => tokens.push(Token::Char('?')),
                "$" => tokens.push(Token::Char('$')),
                _ => {
                    tokens.push(Token::Many);
                    has_variable = true;
                }
            }
            rest = after;
        }
        tokens.extend(Self::new(rest).0);
        (Self(tokens), has_variable)
    }

    /// The parts of an ARN's pattern; the last has all further colons.
    pub fn parts(&self) -> Vec<Self> {
        self.0.splitn(6, |token| *token == Token::Char(':')).map(|part| Self(part.to_vec())).collect()
    }

    /// One pattern and then the other.
    pub fn joined(two: [&Self; 2]) -> Self {
        Self(two.into_iter().flat_map(|glob| &glob.0).copied().collect())
    }

    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut place, mut read) = (0, 0);
        // Where the last `*` is, and how far the text was read when it was met.
        let mut star: Option<(usize, usize)> = None;
        while read < text.len() {
            match self.0.get(place) {
                Some(Token::Many) => {
                    star = Some((place, read));
                    place += 1;
                }
                Some(Token::One) => (place, read) = (place + 1, read + 1),
                Some(Token::Char(own)) if *own == text[read] => (place, read) = (place + 1, read + 1),
                Some(Token::Char(_)) | None => match &mut star {
                    None => return false,
                    Some((at, skipped)) => {
                        *skipped += 1;
                        (place, read) = (*at + 1, *skipped);
                    }
                },
            }
        }
        self.0[place..].iter().all(|token| *token == Token::Many)
    }
}

/// The patterns side by side: each place in each of them has one number.
struct Machine {
    /// `None` is the end of a pattern.
    tokens: Vec<Option<Token>>,
    /// The place of each pattern's end.
    ends: Vec<usize>,
}

/// The places to which the text read so far can have led, a bit each.
type Places = Vec<u64>;

impl Machine {
    fn new(patterns: &[Glob]) -> Self {
        let (mut tokens, mut ends) = (Vec::new(), Vec::new());
        for pattern in patterns {
            tokens.extend(pattern.0.iter().copied().map(Some));
            ends.push(tokens.len());
            tokens.push(None);
        }
        Self { tokens, ends }
    }

    fn nowhere(&self) -> Places {
        vec![0; self.tokens.len().div_ceil(64)]
    }

    fn begin(&self) -> Places {
        let mut places = self.nowhere();
        let starts = [0].into_iter().chain(self.ends.iter().map(|end| end + 1));
        starts.take(self.ends.len()).for_each(|start| self.put(&mut places, start));
        places
    }

    /// With the places behind every `*`, which can stand for nothing.
    fn put(&self, places: &mut Places, mut place: usize) {
        places[place / 64] |= 1 << (place % 64);
        while self.tokens[place] == Some(Token::Many) {
            place += 1;
            places[place / 64] |= 1 << (place % 64);
        }
    }

    fn step(&self, places: &Places, c: char) -> Places {
        let mut next = self.nowhere();
        for place in each(places) {
            match self.tokens[place] {
                Some(Token::Many) => self.put(&mut next, place),
                Some(Token::One) => self.put(&mut next, place + 1),
                Some(Token::Char(own)) if own == c => self.put(&mut next, place + 1),
                Some(Token::Char(_)) | None => {}
            }
        }
        next
    }

    fn accepting(&self, places: &Places) -> Vec<bool> {
        self.ends.iter().map(|end| places[end / 64] >> (end % 64) & 1 == 1).collect()
    }
}

fn each(places: &Places) -> impl Iterator<Item = usize> {
    places.iter().enumerate().flat_map(|(word, bits)| {
        let rest = |bits: &u64| (*bits & (*bits - 1) != 0).then_some(*bits & (*bits - 1));
        std::iter::successors(Some(*bits).filter(|bits| *bits != 0), rest)
            .map(move |bits| word * 64 + bits.trailing_zeros() as usize)
    })
}

/// For every set of these patterns that is all that match some text which begins with `start` and goes on: a shortest
/// such text, and for each pattern whether it matches. The first text holds a character that no pattern asks for. `None`
/// where there are too many to look at.
pub(super) fn classes(start: &str, patterns: &[Glob], budget: &Budget) -> Option<Vec<(String, Vec<bool>)>> {
    classes_of(start, patterns, |_| true, budget)
}

/// The same of texts that go on with these characters alone.
pub(super) fn classes_of(
    start: &str,
    patterns: &[Glob],
    is_allowed: impl Fn(char) -> bool,
    budget: &Budget,
) -> Option<Vec<(String, Vec<bool>)>> {
    let machine = Machine::new(patterns);
    let begin = start.chars().fold(machine.begin(), |places, c| machine.step(&places, c));
    let literals: HashSet<char> = patterns.iter().flat_map(|glob| &glob.0).copied().filter_map(literal).collect();
    // A character that no pattern asks for stands for all others.
    let others = ('x'..='z').chain('a'..='w').chain('A'..='Z').chain('0'..='9').chain('\u{a1}'..=char::MAX);
    let other = others.into_iter().find(|c| !literals.contains(c)).expect("patterns do not hold every character");
    if patterns.iter().all(Glob::is_text) {
        return texts(start, other, patterns, budget);
    }
    let mut queue = VecDeque::from([(start.to_owned(), begin)]);
    let mut seen = HashSet::new();
    let (mut found, mut sets) = (Vec::new(), HashSet::new());
    while let Some((text, places)) = queue.pop_front() {
        let wanted: BTreeSet<char> =
            each(&places).filter_map(|place| machine.tokens[place].and_then(literal)).collect();
        for c in [other].into_iter().chain(wanted.into_iter().filter(|c| is_allowed(*c))) {
            let next = machine.step(&places, c);
            // A step for each place, for each word that is copied, and for the text.
            budget.take(8 + each(&places).count() + 2 * next.len() + text.len() / 8)?;
            if !seen.insert(next.clone()) {
                continue;
            }
            let text = format!("{text}{c}");
            let matched = machine.accepting(&next);
            if sets.insert(matched.clone()) {
                found.push((text.clone(), matched));
            }
            queue.push_back((text, next));
        }
    }
    Some(found)
}

/// The same of patterns without wildcards: each matches itself alone.
fn texts(start: &str, other: char, patterns: &[Glob], budget: &Budget) -> Option<Vec<(String, Vec<bool>)>> {
    budget.take(patterns.len() * patterns.len() + 8)?;
    let unlike = (format!("{start}{other}"), vec![false; patterns.len()]);
    let matched = |glob: &Glob| {
        let text: String = glob.0.iter().copied().filter_map(literal).collect();
        let goes_on = text.len() > start.len() && text.starts_with(start);
        goes_on.then(|| (text, patterns.iter().map(|other| other == glob).collect()))
    };
    let mut found: Vec<(String, Vec<bool>)> = [unlike].into_iter().chain(patterns.iter().filter_map(matched)).collect();
    found.dedup_by(|next, kept| next.0 == kept.0);
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
        let mut found = classes("b/", &globs, &Budget::new()).expect("few");
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
        assert_eq!(classes("b/", &globs, &Budget::new()), None);
    }
}
