//! The configurations, what they meet, and where RGW does otherwise with them than AWS.

use super::{Case, Differs, Fate, KEPT, Made, Object, Versions, current, object, rule};
use bucketlens::lifecycle::StorageClass;

use Made::{Marker, Noncurrent, Older, Upload};
use Versions::{Enabled, Suspended, Unversioned};

const EXPIRE: &str = "<Expiration><Days>1</Days></Expiration>";
const LATE: &str = "<Expiration><Days>1000</Days></Expiration>";
const ARCHIVE: &str = "<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>";
pub const EXPIRE_NONCURRENT: &str =
    "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
const ARCHIVE_NONCURRENT: &str = "<NoncurrentVersionTransition><NoncurrentDays>1</NoncurrentDays>\
    <StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition>";
const A: &str = "<Filter><Prefix>a/</Prefix></Filter>";

const DELETE_MARKERS: &str = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
const ABORT: &str =
    "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
const MARKED: Fate = Fate::Marked(StorageClass::Standard);

/// One of each bucket.
pub fn all() -> Vec<Case> {
    expirations().into_iter().chain(filters()).chain(other_actions()).chain(several_rules()).collect()
}

fn case<const N: usize>(bucket: &'static str, versions: Versions, rules: String, objects: [Object; N]) -> Case {
    Case { bucket, versions, rules, objects: objects.into(), differs: Differs::Nowhere }
}

fn tagged(key: &'static str, tags: &'static [(&'static str, &'static str)]) -> Object {
    Object { tags, ..current(key) }
}

fn sized(key: &'static str, bytes: u16) -> Object {
    Object { bytes, ..current(key) }
}

fn and(predicates: &str) -> String {
    format!("<Filter><And>{predicates}</And></Filter>")
}

fn tag(key: &str, value: &str) -> String {
    format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>")
}

fn on(year: u16) -> String {
    format!("<Expiration><Date>{year}-01-01T00:00:00.000Z</Date></Expiration>")
}

fn expirations() -> Vec<Case> {
    vec![
        case("expire-unversioned", Unversioned, rule("r", A, EXPIRE), [current("a/x"), current("b/x")]),
        case(
            "expire-enabled",
            Enabled,
            rule("r", A, EXPIRE),
            [current("a/x"), object("a/twice", Noncurrent), current("b/x")],
        ),
        Case {
            differs: Differs::Acts(&[("a/null", KEPT)]),
            ..case(
                "expire-suspended",
                Suspended,
                rule("r", A, EXPIRE),
                [object("a/older", Older), current("a/null"), object("b/older", Older), current("b/null")],
            )
        },
        case(
            "expire-noncurrent",
            Enabled,
            rule("r", A, EXPIRE_NONCURRENT),
            [object("a/twice", Noncurrent), object("b/twice", Noncurrent), current("a/once")],
        ),
        Case {
            differs: Differs::LeavesOut(&[("a/twice", Fate::Gone)]),
            ..case(
                "newer-noncurrent",
                Enabled,
                rule("r", A, EXPIRE_NONCURRENT).replace(
                    "</NoncurrentDays>",
                    "</NoncurrentDays><NewerNoncurrentVersions>3</NewerNoncurrentVersions>",
                ),
                [object("a/twice", Noncurrent), object("b/twice", Noncurrent)],
            )
        },
    ]
}

fn filters() -> Vec<Case> {
    vec![
        case(
            "tag",
            Unversioned,
            rule("r", &format!("<Filter>{}</Filter>", tag("k", "v")), EXPIRE),
            [tagged("x", &[("k", "v"), ("l", "w")]), tagged("other", &[("k", "w")]), current("none")],
        ),
        case(
            "prefix-and-tags",
            Unversioned,
            rule("r", &and(&format!("<Prefix>a/</Prefix>{}{}", tag("k", "v"), tag("l", "w"))), EXPIRE),
            [
                tagged("a/both", &[("k", "v"), ("l", "w")]),
                tagged("a/one", &[("k", "v")]),
                tagged("b/both", &[("k", "v"), ("l", "w")]),
            ],
        ),
        Case {
            differs: Differs::LeavesOut(&[("a/small", Fate::Gone)]),
            ..case(
                "size",
                Unversioned,
                rule("r", "<Filter><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan></Filter>", EXPIRE),
                [sized("a/small", 5), sized("a/large", 6)],
            )
        },
        Case {
            differs: Differs::LeavesOut(&[("a/small", Fate::Gone)]),
            ..case(
                "prefix-and-size",
                Unversioned,
                rule("r", &and("<Prefix>a/</Prefix><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan>"), EXPIRE),
                [sized("a/small", 5), sized("a/large", 6), sized("b/large", 6)],
            )
        },
    ]
}

fn other_actions() -> Vec<Case> {
    vec![
        case("disabled", Unversioned, rule("r", A, EXPIRE).replace("Enabled", "Disabled"), [current("a/x")]),
        case(
            "markers-and-uploads",
            Enabled,
            rule("m", A, DELETE_MARKERS) + &rule("u", "<Filter><Prefix>u/</Prefix></Filter>", ABORT),
            [
                object("a/marker", Marker),
                current("a/x"),
                object("b/marker", Marker),
                object("b/upload", Upload),
                object("u/upload", Upload),
                current("u/x"),
            ],
        ),
        case(
            "dates",
            Unversioned,
            rule("past", A, &on(2020)) + &rule("future", "<Filter><Prefix>b/</Prefix></Filter>", &on(2099)),
            [current("a/x"), current("b/x")],
        ),
    ]
}

fn several_rules() -> Vec<Case> {
    vec![
        // The old schema, and the longer prefix does not protect what is below it.
        case(
            "overlapping-prefixes",
            Unversioned,
            rule("logs", "<Prefix>a/</Prefix>", LATE) + &rule("rest", "<Prefix></Prefix>", EXPIRE),
            [current("a/x"), current("b/x")],
        ),
        case(
            "deletion-before-transition",
            Unversioned,
            rule("1", A, ARCHIVE)
                + &rule("2", "<Filter><Prefix>a/d</Prefix></Filter>", EXPIRE)
                + &rule("3", "<Filter><Prefix>a/d/</Prefix></Filter>", ARCHIVE),
            [current("a/x"), current("a/d"), current("a/d/x"), current("b/x")],
        ),
        case(
            "transition-before-marker",
            Enabled,
            rule("1", A, ARCHIVE) + &rule("2", A, EXPIRE),
            [current("a/x"), current("b/x")],
        ),
        Case {
            differs: Differs::Acts(&[("a/x", MARKED)]),
            ..case(
                "marker-before-transition",
                Enabled,
                rule("1", A, EXPIRE) + &rule("2", A, ARCHIVE),
                [current("a/x"), current("b/x")],
            )
        },
        case(
            "noncurrent",
            Enabled,
            rule("1", "<Filter><Prefix>a/d/</Prefix></Filter>", EXPIRE_NONCURRENT) + &rule("2", A, ARCHIVE_NONCURRENT),
            [object("a/d/twice", Noncurrent), object("a/twice", Noncurrent), object("b/twice", Noncurrent)],
        ),
        case(
            "no-effect",
            Unversioned,
            rule("1", A, EXPIRE_NONCURRENT) + &rule("2", A, DELETE_MARKERS),
            [current("a/x")],
        ),
    ]
}
