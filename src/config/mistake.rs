use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The environment variable of an option: `--fail-on` is `BUCKETLENS_FAIL_ON`.
pub const PREFIX: &str = "BUCKETLENS_";

pub fn variable(option: &str) -> String {
    format!("{PREFIX}{}", option.replace('-', "_").to_ascii_uppercase())
}

/// A place in a text file, counted from 1; columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub file: PathBuf,
    pub line: usize,
    pub column: Option<usize>,
}

impl Place {
    /// The place of a byte of `text`.
    pub fn of_byte(file: &Path, text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: Some(before[line_start..].chars().count() + 1),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)?;
        self.column.map_or(Ok(()), |column| write!(f, ":{column}"))
    }
}

/// Where a value was given. The text of the value is never kept here: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    CommandLine { option: String },
    Environment { option: String },
    File { option: String, place: Place },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine { option } => write!(f, "--{option}"),
            Self::Environment { option } => f.write_str(&variable(option)),
            Self::File { option, place } => write!(f, "{place}: {option}"),
        }
    }
}

impl Origin {
    /// For the middle of a sentence.
    pub fn inline(&self) -> String {
        match self {
            Self::CommandLine { .. } | Self::Environment { .. } => self.to_string(),
            Self::File { option, place } => format!("{option} ({place})"),
        }
    }
}

/// One thing that is wrong with what was asked for: a clear sentence that says where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    place: Option<Place>,
    sentence: String,
}

impl Mistake {
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { place: None, sentence: sentence.into() }
    }

    pub fn of(origin: &Origin, what: impl fmt::Display) -> Self {
        let place = match origin {
            Origin::CommandLine { .. } | Origin::Environment { .. } => None,
            Origin::File { place, .. } => Some(place.clone()),
        };
        Self { place, sentence: format!("{origin}: {what}") }
    }

    pub fn in_file(place: Place, what: impl fmt::Display) -> Self {
        Self { sentence: format!("{place}: {what}"), place: Some(place) }
    }

    /// Those in files first, in the order of the lines; the others after them as they were found.
    pub fn sort(mistakes: &mut [Self]) {
        mistakes.sort_by(|a, b| (a.place.is_none(), &a.place).cmp(&(b.place.is_none(), &b.place)));
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// Which options were given at all, on the level that won, and where each of their values stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given {
    origins: BTreeMap<String, Vec<Origin>>,
    broken: bool,
}

impl Given {
    /// `broken`: some options could not be read.
    pub fn new(broken: bool) -> Self {
        Self { broken, ..Self::default() }
    }

    /// Whether what seems to be missing may be an option that could not be read.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    pub fn insert(&mut self, option: &str, origins: Vec<Origin>) {
        self.origins.insert(option.to_owned(), origins);
    }

    pub fn contains(&self, option: &str) -> bool {
        self.origins.contains_key(option)
    }

    pub fn options(&self) -> impl Iterator<Item = &str> {
        self.origins.keys().map(String::as_str)
    }

    /// Where the `nth` value of an option stands. The values of a flag and of a variable stand all in one place.
    pub fn origin(&self, option: &str, nth: usize) -> Origin {
        let origins = self.origins.get(option).map(Vec::as_slice).unwrap_or_default();
        let origin = origins.get(nth).or(origins.last()).cloned();
        origin.unwrap_or_else(|| Origin::CommandLine { option: option.to_owned() })
    }
}
