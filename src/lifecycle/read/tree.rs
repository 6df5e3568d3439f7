//! The tree that every format becomes.

use std::borrow::Cow;

/// An element with S3's name.
#[derive(Debug)]
pub(super) struct Element<'a> {
    /// For one of [`Content::Unknown`] the name that may have been meant.
    pub name: &'a str,
    /// The name that the file has for it.
    pub written: &'a str,
    /// The byte at which it begins.
    pub at: usize,
    pub content: Content,
    /// What keeps it from being read, where the format already decides that.
    pub wrong: Option<String>,
    /// All text between its tags, children's not among it.
    pub text: Cow<'a, str>,
    pub children: Vec<Element<'a>>,
}

/// What an element may hold, as far as the format says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// XML: text or elements, who can tell when there is neither.
    Any,
    Text,
    Elements,
    /// The format has no such name: nothing may take it for one of S3's.
    Unknown,
}

impl<'a> Element<'a> {
    pub fn new(name: &'a str, written: &'a str, at: usize, content: Content) -> Self {
        Self { name, written, at, content, wrong: None, text: Cow::Borrowed(""), children: Vec::new() }
    }

    pub fn is(&self, name: &str) -> bool {
        self.name == name && self.content != Content::Unknown
    }

    /// Its children of this name, in their order.
    pub fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element<'a>> {
        self.children.iter().filter(move |child| child.is(name))
    }
}
