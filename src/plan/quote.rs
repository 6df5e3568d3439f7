//! Names of others in commands and in Markdown, so that they stay names.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::report::harmless;

/// One word for any POSIX shell, whatever it holds: in single quotes, unless it needs none.
pub fn shell(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:,@%+".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
    }
}

/// A line of a shell's comment, or of what a script says: it stays one line.
pub fn line(text: &str) -> Cow<'_, str> {
    harmless(text)
}

/// Markdown's code, in which nothing else is Markdown. The fence is longer than any run of backticks in the text.
pub fn code(text: &str) -> String {
    let text = harmless(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    if longest == 0 && !text.is_empty() {
        return format!("`{text}`");
    }
    let fence = "`".repeat(longest + 1);
    format!("{fence} {text} {fence}")
}

/// A file's name for any bucket name; different names have different ones.
pub fn file_name(bucket: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    bucket.bytes().fold(String::new(), |mut name, byte| {
        if plain(byte) {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "_{byte:02x}");
        }
        name
    })
}

/// Whether a bucket of S3 can have this name: only such names are put into commands, because the AWS CLI takes a value
/// that begins with `-`, `file://` or `http://` for something else, however well it is quoted.
///
/// Source: S3 user guide, "General purpose bucket naming rules" (old buckets may have capitals, `_` and 255 characters).
pub fn is_bucket_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (3..=255).contains(&text.len())
        && text.bytes().all(allowed)
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn as_a_shell_reads(text: &str) -> String {
        let output = Command::new("/bin/sh").arg("-c").arg(format!("printf %s {}", shell(text))).output();
        String::from_utf8(output.expect("a shell").stdout).expect("text")
    }

    #[test]
    fn a_shell_reads_every_name_back() {
        for name in ["orders", "it's", "$(touch x)", "`id`", "a b", "", "a\nb", "-rf", "\\", "';exit 1;'", "é*?[a]~#"]
        {
            assert_eq!(as_a_shell_reads(name), name);
        }
    }

    #[test]
    fn code_is_fenced_by_more_backticks_than_it_has() {
        assert_eq!(code("orders"), "`orders`");
        assert_eq!(code("a`b``c"), "``` a`b``c ```");
        assert_eq!(code(""), "`  `");
        assert_eq!(code("a\n# b"), "`a\u{FFFD}# b`");
    }

    #[test]
    fn only_names_that_s3_has_are_put_into_commands() {
        for good in ["abc", "Old_Bucket", "a.b-c", "0ab"] {
            assert!(is_bucket_name(good), "{good}");
        }
        for bad in ["ab", "-rf", "a b", "a'b", "file://x", "tenant:a", "a/b", "..a", "Ünicode", "a\nb"] {
            assert!(!is_bucket_name(bad), "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn any_word_comes_back(text in "[^\0]{0,12}") {
            prop_assert_eq!(as_a_shell_reads(&text), text);
        }

        #[test]
        fn files_are_as_different_as_buckets(one in "[a_5/. é]{0,4}", two in "[a_5/. é]{0,4}") {
            prop_assert_eq!(file_name(&one) == file_name(&two), one == two);
            prop_assert!(!file_name(&one).contains('/'));
        }
    }
}
