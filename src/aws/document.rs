//! An answer as a tree, for the facts that hang on which elements are there.
//!
//! The SDK passes over what it does not know: a `<Rule>` that a server spells `<rule>` would be a rule less, and of two
//! elements that contradict each other it takes the last. Here an element that is looked for stands once, where it is
//! documented and as it is written there, or the answer is not believed. What is not looked for may be there: S3 gets
//! new elements.

use std::str::FromStr;

use super::body::bounds::RULES;
use super::body::{Kept, Piece, walk};
use super::failure::Failure;
use crate::model::Operation;

#[derive(Debug, PartialEq, Eq)]
pub struct Element {
    name: String,
    /// All text between its tags, children's not among it.
    text: String,
    children: Vec<Element>,
}

/// Why an answer cannot be believed: a fragment that fits after a colon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Undocumented(String);

impl Undocumented {
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// What the operation makes of the body that was kept of its answer.
pub(super) fn read<T>(
    operation: Operation,
    kept: &Kept,
    read: impl FnOnce(&Element) -> Result<T, Undocumented>,
) -> Result<T, Failure> {
    let undocumented =
        |Undocumented(why)| Failure::malformed(operation, format!("the answer is not as documented: {why}"));
    parse(&kept.take()).and_then(|root| read(&root)).map_err(undocumented)
}

/// The root element; its name was compared when the body was checked.
pub fn parse(body: &[u8]) -> Result<Element, Undocumented> {
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let walked = walk(body, RULES.elements, |path, piece| match piece {
        Piece::Open => {
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            open.push(Element { name, text: String::new(), children: Vec::new() });
        }
        Piece::Text(text) => {
            if let Some(element) = open.last_mut() {
                element.text.push_str(text);
            }
        }
        Piece::Close => {
            if let Some(element) = open.pop() {
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => root = Some(element),
                }
            }
        }
    });
    walked.map_err(|error| Undocumented::new(error.to_string()))?;
    root.ok_or_else(|| Undocumented::new("it is empty"))
}

impl Element {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn children(&self) -> &[Self] {
        &self.children
    }

    /// Its children of this name, in their order.
    pub fn all(&self, name: &str) -> Result<Vec<&Self>, Undocumented> {
        let alike = self.children.iter().filter(|child| child.name.eq_ignore_ascii_case(name));
        let alike: Vec<&Self> = alike.collect();
        match alike.iter().find(|child| child.name != name) {
            Some(other) => Err(Undocumented::new(format!("{} stands in {} for {name}", other.name, self.name))),
            None => Ok(alike),
        }
    }

    /// Its child of this name, of which there is one or none.
    pub fn one(&self, name: &str) -> Result<Option<&Self>, Undocumented> {
        match self.all(name)?.as_slice() {
            [] => Ok(None),
            [child] => Ok(Some(child)),
            many => Err(Undocumented::new(format!("{name} stands {} times in {}", many.len(), self.name))),
        }
    }

    /// Its child of this name, which there must be.
    pub fn required(&self, name: &str) -> Result<&Self, Undocumented> {
        self.one(name)?.ok_or_else(|| Undocumented::new(format!("{} has no {name}", self.name)))
    }

    /// Its text, where it holds nothing else.
    pub fn text(&self) -> Result<&str, Undocumented> {
        match self.children.first() {
            None => Ok(&self.text),
            Some(child) => Err(Undocumented::new(format!("{} stands in {}", child.name, self.name))),
        }
    }

    /// What a documented word of it means.
    pub fn word<T>(&self, meaning: impl FnOnce(&str) -> Option<T>) -> Result<T, Undocumented> {
        let word = self.text()?;
        let undocumented = || Undocumented::new(format!("{} is {word:?}, which is not documented", self.name));
        meaning(word).ok_or_else(undocumented)
    }

    pub fn number<T: FromStr>(&self) -> Result<T, Undocumented> {
        let text = self.text()?;
        text.trim().parse().map_err(|_| Undocumented::new(format!("{} is {text:?}, no such number", self.name)))
    }
}

/// `Status` of a rule.
pub fn enabled(word: &str) -> Option<bool> {
    match word {
        "Enabled" => Some(true),
        "Disabled" => Some(false),
        _ => None,
    }
}

/// Key and value of a `Tag`.
pub fn tag(tag: &Element) -> Result<(String, String), Undocumented> {
    Ok((tag.required("Key")?.text()?.to_owned(), tag.required("Value")?.text()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_for_stands_where_it_is_documented_and_as_often() {
        let root = parse(b"<R><A>1</A><B/><A>&lt;2</A><C><D>x</D></C></R>").expect("whole");
        let texts =
            |elements: Vec<&Element>| elements.iter().map(|it| it.text().map(str::to_owned)).collect::<Vec<_>>();
        assert_eq!(texts(root.all("A").expect("two")), [Ok("1".to_owned()), Ok("<2".to_owned())]);
        assert_eq!(root.one("B").expect("one").map(Element::text), Some(Ok("")));
        assert_eq!(root.one("X"), Ok(None));
        let wrong = |what: Result<Option<&Element>, Undocumented>| what.expect_err("undocumented").to_string();
        assert_eq!(wrong(root.one("A")), "A stands 2 times in R");
        assert_eq!(wrong(root.one("b")), "B stands in R for b");
        assert_eq!(root.required("X").expect_err("missing").to_string(), "R has no X");
        let c = root.required("C").expect("there");
        assert_eq!(c.text().expect_err("an element").to_string(), "D stands in C");
        assert_eq!(
            c.required("D").expect("there").number::<u32>().expect_err("a text").to_string(),
            "D is \"x\", no such number"
        );
    }

    #[test]
    fn elements_without_end_do_not_fill_the_stack() {
        let deep = |levels: usize| "<a>".repeat(levels) + &"</a>".repeat(levels);
        assert!(parse(deep(16).as_bytes()).is_ok());
        for levels in [17, 100_000] {
            let error = parse(deep(levels).as_bytes()).expect_err("too deep").to_string();
            assert_eq!(error, "the answer has more than 16 elements within each other");
        }
        let wide = format!("<a>{}</a>", "<b/>".repeat(RULES.elements));
        let error = parse(wide.as_bytes()).expect_err("too many").to_string();
        assert_eq!(error, "the answer has more than 100000 elements");
    }
}
