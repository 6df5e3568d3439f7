use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

/// A moment in UTC, to the second: what reports print is what the program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    /// The clock of this machine. Called at the edge (`collect`, `cli`); pure code is given its times.
    pub fn now() -> Self {
        Self::from(OffsetDateTime::now_utc())
    }

    /// From seconds since 1970-01-01T00:00:00Z; `None` outside the years that RFC 3339 can write.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        let at = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
        (0..=9999).contains(&at.year()).then_some(Self(at))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> i64 {
        self.0.unix_timestamp()
    }

    /// The day, in UTC.
    pub fn date(self) -> Date {
        self.0.date()
    }

    /// The moment this long before; `None` for one that cannot be written.
    pub fn before(self, duration: Duration) -> Option<Self> {
        Self::from_unix(self.unix().checked_sub_unsigned(duration.as_secs())?)
    }

    /// A name for a folder: `20261122T144320Z`.
    pub fn compact(self) -> String {
        self.to_string().replace(['-', ':'], "")
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(at: OffsetDateTime) -> Self {
        Self(at.to_offset(time::UtcOffset::UTC).replace_nanosecond(0).unwrap_or(at))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

/// In records a timestamp is RFC 3339 text.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let at = OffsetDateTime::parse(&text, &Rfc3339).map_err(serde::de::Error::custom)?;
        // In UTC it may be in a year that cannot be written.
        Self::from_unix(at.unix_timestamp()).ok_or_else(|| serde::de::Error::custom("the year is not 0 to 9999 in UTC"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_rfc_3339_in_utc_to_the_second() {
        let at = Timestamp::from_unix(1_795_358_600).expect("in range");
        assert_eq!(at.to_string(), "2026-11-22T14:43:20Z");
        assert_eq!(at.compact(), "20261122T144320Z");
        let json = serde_json::to_string(&at).expect("text");
        assert_eq!(serde_json::from_str::<Timestamp>(&json).expect("same"), at);
    }

    #[test]
    fn a_time_that_is_out_of_range_in_utc_is_refused() {
        for text in ["9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"] {
            assert!(serde_json::from_str::<Timestamp>(&format!("\"{text}\"")).is_err(), "{text}");
        }
        for text in ["9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z"] {
            let at: Timestamp = serde_json::from_str(&format!("\"{text}\"")).expect("in range");
            assert_eq!(at.to_string(), text);
        }
    }

    #[test]
    fn a_time_that_cannot_be_written_is_refused() {
        assert_eq!(Timestamp::from_unix(i64::MAX), None);
        assert_eq!(Timestamp::from_unix(-99_999_999_999), None);
    }
}
