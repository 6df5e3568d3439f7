//! Names of others in commands and in Markdown, so that they stay names.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::report::harmless;

/// One word for any POSIX shell, whatever it holds: quoted, unless it needs no quotes. What drives a terminal is
/// replaced, because commands are pasted and scripts are read.
pub fn shell(text: &str) -> Cow<'_, str> {
    match harmless(text) {
        Cow::Borrowed(text) => quoted(text),
        Cow::Owned(text) => Cow::Owned(quoted(&text).into_owned()),
    }
}

fn quoted(text: &str) -> Cow<'_, str> {
    shlex::try_quote(text).expect("a text without NUL can be quoted")
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
        for name in
            ["orders", "it's", "$(touch x)", "`id`", "a b", "", "-rf", "\\", "';exit 1;'", "é*?[a]~#", "!!", "^a^b"]
        {
            assert_eq!(as_a_shell_reads(name), name);
        }
        assert_eq!(shell("a\nb\0\u{1b}[2J\u{202e}"), "'a\u{FFFD}b\u{FFFD}\u{FFFD}[2J\u{FFFD}'");
    }

    #[test]
    fn code_is_fenced_by_more_backticks_than_it_has() {
        assert_eq!(code("orders"), "`orders`");
        assert_eq!(code("a`b``c"), "``` a`b``c ```");
        assert_eq!(code(""), "`  `");
        assert_eq!(code("a\n# b"), "`a\u{FFFD}# b`");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn any_word_comes_back(text in "(?s).{0,12}") {
            prop_assert_eq!(as_a_shell_reads(&text), harmless(&text));
        }

        #[test]
        fn files_are_as_different_as_buckets(one in "[a_5/. é]{0,4}", two in "[a_5/. é]{0,4}") {
            prop_assert_eq!(file_name(&one) == file_name(&two), one == two);
            prop_assert!(!file_name(&one).contains('/'));
        }
    }
}
