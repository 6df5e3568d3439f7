//! The names that the AWS CLI and `CloudFormation` have for S3's elements.
//!
//! Sources: S3 model, `LifecycleRule`; `CloudFormation` template reference, `AWS::S3::Bucket Rule`, `Transition`,
//! `NoncurrentVersionTransition`, `NoncurrentVersionExpiration`, `TagFilter`, `AbortIncompleteMultipartUpload`.

use std::fmt;

/// The names that a file uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// The elements of S3's API.
    #[default]
    S3Xml,
    /// The keys of the AWS CLI and the SDKs.
    AwsCli,
    CloudFormation,
}

impl Dialect {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S3Xml => "s3-xml",
            Self::AwsCli => "aws-cli",
            Self::CloudFormation => "cloudformation",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::S3Xml => "S3's XML",
            Self::AwsCli => "names of the AWS CLI",
            Self::CloudFormation => "names of CloudFormation",
        })
    }
}

/// A key, S3's element for it, and what it holds.
pub(super) struct Name {
    pub key: &'static str,
    pub element: &'static str,
    pub shape: Shape,
    pub owner: Owner,
}

#[derive(Clone, Copy)]
pub(super) enum Shape {
    Text,
    /// ISO 8601 or seconds since 1970.
    Date,
    StorageClass,
    One(&'static [Name]),
    /// A list of them, or one alone.
    Many(&'static [Name]),
}

/// Who has this name, and how the other one writes the same.
#[derive(Clone, Copy)]
pub(super) enum Owner {
    Both,
    AwsCli { elsewhere: &'static str },
    CloudFormation { elsewhere: &'static str },
}

impl Owner {
    pub fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Both => None,
            Self::AwsCli { .. } => Some(Dialect::AwsCli),
            Self::CloudFormation { .. } => Some(Dialect::CloudFormation),
        }
    }

    /// What is wrong with the name in a file that uses the names of `dialect`.
    pub fn complaint(self, key: &str, dialect: Dialect) -> Option<String> {
        match self {
            Self::CloudFormation { elsewhere } if dialect != Dialect::CloudFormation => {
                Some(format!("`{key}` is CloudFormation's name; the AWS CLI calls it {elsewhere}"))
            }
            Self::AwsCli { elsewhere } if dialect == Dialect::CloudFormation => {
                Some(format!("`{key}` is the AWS CLI's name; CloudFormation calls it {elsewhere}"))
            }
            Self::Both | Self::AwsCli { .. } | Self::CloudFormation { .. } => None,
        }
    }
}

const fn both(key: &'static str, element: &'static str, shape: Shape) -> Name {
    Name { key, element, shape, owner: Owner::Both }
}

const fn same(key: &'static str, shape: Shape) -> Name {
    both(key, key, shape)
}

const fn cli(key: &'static str, element: &'static str, shape: Shape, elsewhere: &'static str) -> Name {
    Name { key, element, shape, owner: Owner::AwsCli { elsewhere } }
}

const fn cloudformation(key: &'static str, element: &'static str, shape: Shape, elsewhere: &'static str) -> Name {
    Name { key, element, shape, owner: Owner::CloudFormation { elsewhere } }
}

const TAG: &[Name] = &[same("Key", Shape::Text), same("Value", Shape::Text)];
const ABORT: &[Name] = &[same("DaysAfterInitiation", Shape::Text)];
const FILTER: &[Name] = &[
    same("Prefix", Shape::Text),
    same("Tag", Shape::One(TAG)),
    same("ObjectSizeGreaterThan", Shape::Text),
    same("ObjectSizeLessThan", Shape::Text),
    same(
        "And",
        Shape::One(&[
            same("Prefix", Shape::Text),
            both("Tags", "Tag", Shape::Many(TAG)),
            same("ObjectSizeGreaterThan", Shape::Text),
            same("ObjectSizeLessThan", Shape::Text),
        ]),
    ),
];
const EXPIRATION: &[Name] =
    &[same("Days", Shape::Text), same("Date", Shape::Date), same("ExpiredObjectDeleteMarker", Shape::Text)];
const NONCURRENT_EXPIRATION: &[Name] =
    &[same("NoncurrentDays", Shape::Text), same("NewerNoncurrentVersions", Shape::Text)];
const TRANSITION: &[Name] = &[
    cli("Days", "Days", Shape::Text, "`TransitionInDays`"),
    cloudformation("TransitionInDays", "Days", Shape::Text, "`Days`"),
    cli("Date", "Date", Shape::Date, "`TransitionDate`"),
    cloudformation("TransitionDate", "Date", Shape::Date, "`Date`"),
    same("StorageClass", Shape::StorageClass),
];
const NONCURRENT_TRANSITION: &[Name] = &[
    cli("NoncurrentDays", "NoncurrentDays", Shape::Text, "`TransitionInDays`"),
    cloudformation("TransitionInDays", "NoncurrentDays", Shape::Text, "`NoncurrentDays`"),
    same("NewerNoncurrentVersions", Shape::Text),
    same("StorageClass", Shape::StorageClass),
];

/// The keys of a rule. What `CloudFormation` writes beside each other is put into S3's elements afterwards.
pub(super) const RULE: &[Name] = &[
    cli("ID", "ID", Shape::Text, "`Id`"),
    cloudformation("Id", "ID", Shape::Text, "`ID`"),
    same("Status", Shape::Text),
    same("Prefix", Shape::Text),
    cli("Filter", "Filter", Shape::One(FILTER), "`Prefix`, `TagFilters` and `ObjectSize...` of the rule itself"),
    cloudformation("TagFilters", "Tag", Shape::Many(TAG), "`Tag` or `And` with `Tags` in `Filter`"),
    cloudformation(
        "ObjectSizeGreaterThan",
        "ObjectSizeGreaterThan",
        Shape::Text,
        "`ObjectSizeGreaterThan` in `Filter`",
    ),
    cloudformation("ObjectSizeLessThan", "ObjectSizeLessThan", Shape::Text, "`ObjectSizeLessThan` in `Filter`"),
    cli("Expiration", "Expiration", Shape::One(EXPIRATION), "`ExpirationInDays` or `ExpirationDate`"),
    cloudformation("ExpirationInDays", "Days", Shape::Text, "`Days` in `Expiration`"),
    cloudformation("ExpirationDate", "Date", Shape::Date, "`Date` in `Expiration`"),
    cloudformation(
        "ExpiredObjectDeleteMarker",
        "ExpiredObjectDeleteMarker",
        Shape::Text,
        "`ExpiredObjectDeleteMarker` in `Expiration`",
    ),
    both("Transitions", "Transition", Shape::Many(TRANSITION)),
    same("Transition", Shape::Many(TRANSITION)),
    both("NoncurrentVersionTransitions", "NoncurrentVersionTransition", Shape::Many(NONCURRENT_TRANSITION)),
    same("NoncurrentVersionTransition", Shape::Many(NONCURRENT_TRANSITION)),
    same("NoncurrentVersionExpiration", Shape::One(NONCURRENT_EXPIRATION)),
    cloudformation(
        "NoncurrentVersionExpirationInDays",
        "NoncurrentDays",
        Shape::Text,
        "`NoncurrentDays` in `NoncurrentVersionExpiration`",
    ),
    same("AbortIncompleteMultipartUpload", Shape::One(ABORT)),
];
