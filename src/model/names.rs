//! Names that servers and folders give and that end up in commands, paths, host names and pages. Each kind is a type
//! with an alphabet and a length: a text that does not fit is refused where it enters, before anything is made of it.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {kind}")]
pub struct NotAName {
    kind: &'static str,
    /// The beginning of the text: the whole may be as long as an answer.
    text: String,
}

impl NotAName {
    pub(super) fn new(kind: &'static str, text: &str) -> Self {
        const SHOWN: usize = 60;
        let text = match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        };
        Self { kind, text }
    }
}

/// A kind of name: its type, what it is called, and which texts fit.
macro_rules! name {
    ($(#[$about:meta])* $name:ident, $kind:literal, $fits:expr) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn parse(text: &str) -> Result<Self, NotAName> {
                let fits: fn(&str) -> bool = $fits;
                if fits(text) { Ok(Self(text.to_owned())) } else { Err(NotAName::new($kind, text)) }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAName;

            fn try_from(text: String) -> Result<Self, NotAName> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name! {
    /// The second part of an ARN: `aws`, `aws-cn`, `aws-us-gov`, or a word of another server.
    Partition, "the name of a partition (aws, aws-cn)", |text| {
        made_of(text, 1..=32, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && text.starts_with(|first: char| first.is_ascii_lowercase())
    }
}

name! {
    /// `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`. Paths of IAM users may have any printable character.
    ///
    /// Source: IAM user guide, "IAM identifiers".
    Arn, "an ARN (arn:aws:iam::111111111111:root)", |text| {
        let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, resource] = parts[..] else { return false };
        Partition::parse(partition).is_ok()
            && [service, region, account].into_iter().all(|text| made_of(text, 0..=64, part))
            && made_of(resource, 1..=2048, |byte| byte.is_ascii_graphic())
    }
}

impl Arn {
    pub fn partition(&self) -> Partition {
        Partition(self.part(1).to_owned())
    }

    /// The account, where the ARN has one.
    pub fn account(&self) -> &str {
        self.part(4)
    }

    fn part(&self, place: usize) -> &str {
        self.0.splitn(6, ':').nth(place).unwrap_or_default()
    }
}

name! {
    /// `o-exampleorgid`.
    OrganizationId, "the id of an organization (o-exampleorgid)", |text| is_unit_id(text) && text.starts_with("o-")
}

name! {
    /// Of a run: a UUID.
    RunId, "the id of a run (a UUID)", |text| {
        made_of(text, 1..=64, |byte| byte.is_ascii_alphanumeric() || byte == b'-')
    }
}

name! {
    /// Of bucketlens.
    Version, "a version (0.1.0)", |text| {
        made_of(text, 1..=64, |byte| byte.is_ascii_alphanumeric() || b".+-".contains(&byte))
    }
}

name! {
    /// A SHA-256 in lower-case hexadecimal digits.
    Sha256Sum, "a SHA-256 (64 hexadecimal digits)", |text| {
        made_of(text, 64..=64, |byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    }
}

/// Whether this is the id of an organization, a root or an organizational unit.
///
/// Source: Organizations API reference, `ListAccountsForParent`; emulators have shorter ids.
pub fn is_unit_id(text: &str) -> bool {
    ["o-", "r-", "ou-"].iter().any(|kind| text.len() > kind.len() && text.starts_with(kind))
        && made_of(text, 3..=80, |byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whether this can be the name of a Region. Other servers than AWS choose their own: `default`, `eu-central-003`, `RegionOne`.
pub(super) fn is_region(text: &str) -> bool {
    made_of(text, 1..=64, |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Whether a general purpose bucket of S3 can have this name.
///
/// Source: S3 user guide, "General purpose bucket naming rules" (old buckets may have capitals, `_` and 255 characters).
pub fn is_bucket_name(text: &str) -> bool {
    made_of(text, 3..=255, |byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
}

fn made_of(text: &str, length: std::ops::RangeInclusive<usize>, allowed: impl Fn(u8) -> bool) -> bool {
    length.contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYLOADS: [&str; 12] = [
        "$(touch x)",
        "aws;id",
        "aws`id`",
        "aws\nid",
        "a b",
        "a'b",
        "<b>",
        "a|b",
        "=1",
        "\u{1b}[2J",
        "\u{202e}swa",
        "é",
    ];

    #[test]
    fn names_of_real_servers_fit() {
        for partition in ["aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso-f", "minio"] {
            assert_eq!(Partition::parse(partition).map(|it| it.to_string()), Ok(partition.to_owned()));
        }
        for arn in [
            "arn:aws:iam::111111111111:root",
            "arn:aws:iam::111111111111:user/a\"b/$it's`/Bob",
            "arn:aws-cn:sts::111111111111:assumed-role/Audit/a=b,c.d@e-f",
            "arn:aws:iam:::user/ceph",
            "arn:aws:sts::111111111111:federated-user/x",
        ] {
            assert_eq!(Arn::parse(arn).map(|it| it.to_string()), Ok(arn.to_owned()));
        }
        let arn = Arn::parse("arn:aws-cn:iam::111111111111:user/a:b").expect("an ARN");
        assert_eq!((arn.partition().as_str(), arn.account()), ("aws-cn", "111111111111"));
        for region in ["us-east-1", "default", "eu-central-003", "RegionOne", "my_zone", "garage", "fr-par", "a.b"] {
            assert!(is_region(region), "{region}");
        }
        for unit in ["o-exampleorgid", "r-ab12", "ou-ab12-11111111", "o-plan"] {
            assert!(is_unit_id(unit), "{unit}");
        }
        assert!(RunId::parse("019e3b1c-8f4e-7c11-9d2b-3a6c5b8f1e20").is_ok() && Version::parse("0.1.0-dev+1").is_ok());
    }

    #[test]
    fn payloads_fit_nowhere() {
        for text in PAYLOADS.map(str::to_owned).into_iter().chain([String::new(), "a".repeat(3000)]) {
            let fits = [
                Partition::parse(&text).is_ok(),
                Arn::parse(&text).is_ok(),
                Arn::parse(&format!("arn:{text}:iam::111111111111:root")).is_ok(),
                Arn::parse(&format!("arn:aws:iam::{text}:root")).is_ok() && !text.is_empty(),
                OrganizationId::parse(&format!("o-{text}")).is_ok(),
                RunId::parse(&text).is_ok(),
                Version::parse(&text).is_ok(),
                Sha256Sum::parse(&text).is_ok(),
                is_unit_id(&format!("ou-{text}")),
                is_region(&text),
                is_bucket_name(&text),
            ];
            assert!(!fits.contains(&true), "{text:?}: {fits:?}");
        }
        let error = Partition::parse(&"x".repeat(1000)).expect_err("too long").to_string();
        assert!(
            error.chars().count() < 120 && error.ends_with("is not the name of a partition (aws, aws-cn)"),
            "{error}"
        );
    }

    #[test]
    fn only_names_that_s3_has_are_names_of_buckets() {
        for good in ["abc", "Old_Bucket", "a.b-c", "0ab"] {
            assert!(is_bucket_name(good), "{good}");
        }
        for bad in ["ab", "-rf", "a b", "a'b", "file://x", "tenant:a", "a/b", "..a", "Ünicode", "a\nb"] {
            assert!(!is_bucket_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_record_with_an_unfit_name_says_of_what_kind_it_is() {
        let error = serde_json::from_str::<Partition>("\"aws; id\"").expect_err("unfit").to_string();
        assert_eq!(error, "\"aws; id\" is not the name of a partition (aws, aws-cn)");
    }
}
