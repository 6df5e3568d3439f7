//! Lines and columns of a file.

use std::fmt;

use super::{Fault, ReadError};

/// Both from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Finds places one after the other; forwards it is one walk through the file.
pub(super) struct Places<'a> {
    bytes: &'a [u8],
    at: usize,
    place: Place,
}

impl<'a> Places<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, place: Place { line: 1, column: 1 } }
    }

    /// Where this byte is, or the end of the file.
    pub fn of(&mut self, at: usize) -> Place {
        let at = at.min(self.bytes.len());
        if at < self.at {
            *self = Self::new(self.bytes);
        }
        for byte in &self.bytes[self.at..at] {
            match byte {
                b'\n' => self.place = Place { line: self.place.line + 1, column: 1 },
                // The rest of a character of several bytes.
                0x80..=0xBF => {}
                _ => self.place.column += 1,
            }
        }
        self.at = at;
        self.place
    }

    pub fn error(&mut self, fault: Fault) -> ReadError {
        ReadError { place: self.of(fault.at), message: fault.message, code: fault.code }
    }
}
