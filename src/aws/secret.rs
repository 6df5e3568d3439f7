//! What a key or a token can hold. Line ends and blanks come with files of Windows and with secrets of Kubernetes; the
//! SDK panics at some of them, and AWS refuses the others without saying why. Nothing is trimmed: the AWS CLI does not
//! either, and a key that works in one program only is harder to find than a sentence.

/// A part of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// It goes into a header.
    AccessKey,
    /// It is only signed with. Servers other than AWS choose their own.
    SecretKey,
    /// It is a header.
    Token,
    /// The same, where words such as `Bearer` may be part of it.
    Authorization,
}

/// Whether the value can be used; else a sentence that says why not and never holds the value.
pub(super) fn check(name: &str, part: Part, value: &str) -> Result<(), String> {
    match trouble(part, value) {
        None => Ok(()),
        Some(trouble) => Err(format!("{name} {trouble}")),
    }
}

fn trouble(part: Part, value: &str) -> Option<&'static str> {
    if value.is_empty() {
        return Some("is empty");
    }
    if value.trim().is_empty() {
        return Some("holds nothing but blanks");
    }
    if value.ends_with(['\r', '\n']) {
        return Some("ends with a line end: remove it");
    }
    if value.contains(['\r', '\n']) {
        return Some("holds a line end: remove it");
    }
    if value.trim() != value {
        return Some("has a blank before or behind it: remove it");
    }
    if value.chars().any(char::is_control) {
        return Some("holds a control character: remove it");
    }
    let is_of_header = |c: char| c.is_ascii_graphic();
    match part {
        Part::AccessKey | Part::Token if value.contains(char::is_whitespace) => Some("holds a blank: remove it"),
        Part::AccessKey | Part::Token if !value.chars().all(is_of_header) => {
            Some("holds a character that is not ASCII: correct it")
        }
        Part::Authorization if !value.chars().all(|c| is_of_header(c) || c == ' ') => {
            Some("holds a character that is not ASCII: correct it")
        }
        Part::AccessKey | Part::SecretKey | Part::Token | Part::Authorization => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_cannot_be_used_is_told_and_never_shown() {
        let every = [Part::AccessKey, Part::SecretKey, Part::Token, Part::Authorization];
        for part in every {
            assert_eq!(check("it", part, "AKIA/+=x"), Ok(()));
            for (value, trouble) in [
                ("", "is empty"),
                (" \t", "nothing but blanks"),
                ("key\n", "ends with a line end"),
                ("key\r\n", "ends with a line end"),
                ("key\nkey", "holds a line end"),
                ("\nkey", "holds a line end"),
                (" key", "has a blank"),
                ("key\t", "has a blank"),
                ("key\u{a0}", "has a blank"),
                ("key\0key", "a control character"),
                ("key\u{7f}", "a control character"),
            ] {
                let told = check("it", part, value).expect_err(value);
                assert!(
                    told.starts_with("it ") && told.contains(trouble) && !told.contains("key"),
                    "{value:?}: {told}"
                );
            }
        }
        for part in [Part::AccessKey, Part::Token] {
            assert!(check("it", part, "a b").is_err() && check("it", part, "kéy").is_err());
        }
        assert_eq!(check("it", Part::SecretKey, "a b é"), Ok(()));
        assert_eq!(check("it", Part::Authorization, "Bearer x"), Ok(()));
        assert!(check("it", Part::Authorization, "Bearer é").is_err());
    }
}
