//! The actions of a rule, and what their elements hold.

use std::borrow::Cow;

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, Time, UtcOffset};

use super::rules::Reading;
use super::tree::{Content, Element};
use super::{Code, Fault, malformed, quoted};
use crate::lifecycle::configuration::{Action, StorageClass, When};

/// S3's numbers are signed, of 32 bits.
const MOST_DAYS: u32 = i32::MAX as u32;

/// The child of this name, which must not stand twice.
pub(super) fn once<'e, 'a>(parent: &'e Element<'a>, name: &'e str) -> Result<Option<&'e Element<'a>>, Fault> {
    let mut children = parent.all(name);
    let first = children.next();
    match children.next() {
        Some(second) => Err(malformed(second, format!("{} stands twice in {}", second.written, parent.written))),
        None => Ok(first),
    }
}

/// What the format already found wrong. S3 never sees it: there is no code.
fn right(element: &Element<'_>) -> Result<(), Fault> {
    element.wrong.as_ref().map_or(Ok(()), |wrong| Err(Fault::new(element.at, None, wrong)))
}

pub(super) fn holds_elements(element: &Element<'_>) -> Result<(), Fault> {
    right(element)?;
    if element.text.trim().is_empty() {
        return Ok(());
    }
    let message = format!("{} holds elements, not the text {}", element.written, quoted(element.text.trim()));
    Err(malformed(element, message))
}

/// The text of an element, as it is.
pub(super) fn text<'e>(element: &'e Element<'_>) -> Result<&'e str, Fault> {
    right(element)?;
    match element.children.first() {
        Some(child) => Err(malformed(child, format!("{} holds text, not elements", element.written))),
        None if element.content == Content::Elements => {
            Err(malformed(element, format!("{} holds text, not elements", element.written)))
        }
        None => Ok(&element.text),
    }
}

/// The same without the blanks around it, for what is no free text.
pub(super) fn word<'e>(element: &'e Element<'_>) -> Result<&'e str, Fault> {
    text(element).map(str::trim)
}

/// `negative`: what S3 answers to a negative number.
pub(super) fn whole(element: &Element<'_>, negative: Code, most: u64) -> Result<u64, Fault> {
    let written = word(element)?;
    let unsigned = written.strip_prefix(['-', '+']).unwrap_or(written);
    let name = element.written;
    if unsigned.is_empty() || !unsigned.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(malformed(element, format!("{name} must be a whole number, not {}", quoted(written))));
    }
    if written.starts_with('-') && unsigned.bytes().any(|digit| digit != b'0') {
        return Err(Fault::new(
            element.at,
            negative,
            format!("{name} must not be negative, it is {}", quoted(written)),
        ));
    }
    let value = unsigned.parse().ok().filter(|value| *value <= most);
    value.ok_or_else(|| Fault::new(element.at, None, format!("{name} is larger than {most}: {}", quoted(written))))
}

fn count(element: &Element<'_>) -> Result<u32, Fault> {
    let value = whole(element, Code::InvalidArgument, u64::from(MOST_DAYS))?;
    Ok(u32::try_from(value).unwrap_or(MOST_DAYS))
}

fn storage_class(parent: &Element<'_>) -> Result<StorageClass, Fault> {
    let Some(element) = once(parent, "StorageClass")? else {
        return Err(malformed(parent, format!("{} without a StorageClass", parent.written)));
    };
    let written = word(element)?;
    written.parse().map_err(|_| {
        let known: Vec<&str> = StorageClass::ALL.iter().skip(1).map(|class| class.as_str()).collect();
        let bare = |name: &str| name.to_ascii_uppercase().replace(['_', '-', ' '], "");
        let meant = known.iter().find(|name| bare(name) == bare(written));
        let hint = meant.map_or_else(|| known.join(", "), |name| format!("S3 writes it {name}"));
        let message = format!("{} is no storage class that a rule can move objects to ({hint})", quoted(written));
        malformed(element, message)
    })
}

impl Reading {
    /// S3 takes an empty one, which does nothing.
    pub(super) fn expiration(&mut self, element: &Element<'_>) -> Result<Option<Action>, Fault> {
        self.only(element, &["Days", "Date", "ExpiredObjectDeleteMarker"])?;
        let marker = once(element, "ExpiredObjectDeleteMarker")?;
        match (self.when(element)?, marker) {
            (Some(when), None) => Ok(Some(Action::Expiration(when))),
            (None, Some(marker)) => match word(marker)? {
                "true" => Ok(Some(Action::ExpiredObjectDeleteMarker(true))),
                "false" => Ok(Some(Action::ExpiredObjectDeleteMarker(false))),
                other => {
                    let message = format!("{} must be true or false, not {}", marker.written, quoted(other));
                    Err(malformed(marker, message))
                }
            },
            (Some(_), Some(marker)) => {
                let message = "ExpiredObjectDeleteMarker cannot stand beside Days or Date: that is another rule's work";
                Err(malformed(marker, message))
            }
            (None, None) => {
                let message = "Expiration has no Days, no Date and no ExpiredObjectDeleteMarker: it does nothing";
                self.passed_over(Fault::new(element.at, None, message));
                Ok(None)
            }
        }
    }

    pub(super) fn transition(&mut self, element: &Element<'_>) -> Result<Action, Fault> {
        self.only(element, &["Days", "Date", "StorageClass"])?;
        let to = storage_class(element)?;
        match self.when(element)? {
            Some(when) => Ok(Action::Transition { when, to }),
            None => Err(malformed(element, "Transition without Days or Date")),
        }
    }

    fn when(&mut self, parent: &Element<'_>) -> Result<Option<When>, Fault> {
        match (once(parent, "Days")?, once(parent, "Date")?) {
            (None, None) => Ok(None),
            (Some(days), None) => Ok(Some(When::Days(count(days)?))),
            (None, Some(element)) => {
                let (date, is_midnight) = date(element)?;
                if !is_midnight {
                    let message = format!("'{}' must be at midnight GMT; the day is read", element.written);
                    self.refused(Fault::new(element.at, Code::InvalidArgument, message));
                }
                Ok(Some(When::Date(date)))
            }
            (Some(days), Some(date)) => {
                let message = format!("{} and {} cannot stand beside each other", days.written, date.written);
                Err(malformed(date, message))
            }
        }
    }

    pub(super) fn noncurrent_expiration(&mut self, element: &Element<'_>) -> Result<Action, Fault> {
        self.only(element, &["NoncurrentDays", "NewerNoncurrentVersions"])?;
        let (days, newer) = self.noncurrent(element)?;
        Ok(Action::NoncurrentVersionExpiration { days, newer })
    }

    pub(super) fn noncurrent_transition(&mut self, element: &Element<'_>) -> Result<Action, Fault> {
        self.only(element, &["NoncurrentDays", "NewerNoncurrentVersions", "StorageClass"])?;
        let to = storage_class(element)?;
        let (days, newer) = self.noncurrent(element)?;
        Ok(Action::NoncurrentVersionTransition { days, newer, to })
    }

    /// Days and how many newer versions are kept.
    fn noncurrent(&mut self, element: &Element<'_>) -> Result<(u32, u32), Fault> {
        let mut newer = 0;
        if let Some(given) = once(element, "NewerNoncurrentVersions")? {
            newer = count(given)?;
            if newer == 0 {
                let message = format!(
                    "'NewerNoncurrentVersions' for {} action must be a positive integer; leave it out to keep none",
                    element.name
                );
                self.refused(Fault::new(given.at, Code::InvalidArgument, message));
            }
        }
        match once(element, "NoncurrentDays")? {
            Some(days) => Ok((count(days)?, newer)),
            None => Err(malformed(element, format!("{} without NoncurrentDays", element.written))),
        }
    }

    pub(super) fn abort(&mut self, element: &Element<'_>) -> Result<Action, Fault> {
        self.only(element, &["DaysAfterInitiation"])?;
        match once(element, "DaysAfterInitiation")? {
            Some(days) => Ok(Action::AbortIncompleteMultipartUpload { days: count(days)? }),
            None => Err(malformed(element, "AbortIncompleteMultipartUpload without DaysAfterInitiation")),
        }
    }
}

/// A day in UTC, and whether its midnight is what is written.
fn date(element: &Element<'_>) -> Result<(Date, bool), Fault> {
    let written = word(element)?;
    if let Ok(date) = Date::parse(written, format_description!("[year]-[month]-[day]")) {
        return Ok((date, true));
    }
    let mut full = Cow::Borrowed(written);
    // Python writes a blank before the time.
    if written.is_ascii() && written.len() >= 19 && written.as_bytes()[10] == b' ' {
        full.to_mut().replace_range(10..11, "T");
    }
    // Without an offset it is UTC.
    if written.is_ascii() && written.len() == 19 {
        full.to_mut().push('Z');
    }
    let time = OffsetDateTime::parse(&full, &Rfc3339).ok().and_then(|time| time.checked_to_offset(UtcOffset::UTC));
    time.map(|time| (time.date(), time.time() == Time::MIDNIGHT)).ok_or_else(|| {
        let message =
            format!("{} must be a date such as 2031-01-01T00:00:00Z, not {}", element.written, quoted(written));
        malformed(element, message)
    })
}
