//! Text that was written by others, made harmless for where it is shown.

use std::borrow::Cow;

/// With control characters, those that change the direction of text and those that nobody sees replaced by U+FFFD: they
/// can hide text, fake lines and names, and drive a terminal. Borrowed where nothing is replaced, which is nearly always.
pub fn harmless(text: &str) -> Cow<'_, str> {
    // Nearly every text, and much faster to see.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    if text.contains(is_harmful) { Cow::Owned(text.replace(is_harmful, "\u{FFFD}")) } else { Cow::Borrowed(text) }
}

/// C0, DEL and C1; line and paragraph separators; bidirectional controls; what has no width or is blank and no space;
/// the byte order mark; variation selectors; tags.
///
/// Source: Unicode Character Database, `Default_Ignorable_Code_Point` and `Bidi_Control`.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{00AD}'
                | '\u{034F}'
                | '\u{061C}'
                | '\u{115F}'..='\u{1160}'
                | '\u{17B4}'..='\u{17B5}'
                | '\u{180B}'..='\u{180F}'
                | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{FE00}'..='\u{FE0F}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{FFF0}'..='\u{FFFB}'
                | '\u{1BCA0}'..='\u{1BCA3}'
                | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E0FFF}'
        )
}

/// For a cell of a CSV file: harmless, and with an apostrophe before what a spreadsheet would take for a formula. In
/// many countries spreadsheets separate cells at semicolons, whatever is quoted: there too.
///
/// Source: OWASP, "CSV Injection".
pub fn cell(text: &str) -> Cow<'_, str> {
    // Nearly every text is one cell in all countries, and no formula.
    if !text.split(';').any(starts_formula) {
        return harmless(text);
    }
    let parts = text.split(';').map(|part| {
        let apostrophe = if starts_formula(part) { "'" } else { "" };
        format!("{apostrophe}{}", harmless(part))
    });
    Cow::Owned(parts.collect::<Vec<_>>().join(";"))
}

/// Spreadsheets skip white space and quotation marks before a formula, and some take the full-width forms of the signs.
fn starts_formula(text: &str) -> bool {
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '"' || is_harmful(c));
    let skipped = &text[..text.len() - start.len()];
    skipped.contains(['\t', '\r', '\n']) || start.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// The text in lines of at most `width` characters, each with its end. The first is indented by so many blanks, the others
/// by `rest`. A word that is longer than a line is broken.
pub fn wrapped(text: &str, width: usize, first: usize, rest: usize) -> String {
    /// Narrower lines are not worth breaking.
    const LEAST: usize = 20;
    let mut lines = String::new();
    let mut line = " ".repeat(first);
    let (mut length, mut is_empty) = (first, true);
    let mut turn = |line: &mut String, length: &mut usize| {
        lines.extend([line.trim_end(), "\n"]);
        *line = " ".repeat(rest);
        *length = rest;
    };
    for word in text.split(' ') {
        let mut word = word;
        let characters = word.chars().count();
        if !is_empty && length + 1 + characters > width {
            turn(&mut line, &mut length);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
            length += 1;
        }
        loop {
            let fits = width.saturating_sub(length).max(LEAST);
            match word.char_indices().nth(fits) {
                Some((end, _)) => {
                    line.push_str(&word[..end]);
                    word = &word[end..];
                    turn(&mut line, &mut length);
                }
                None => break,
            }
        }
        line.push_str(word);
        length += word.chars().count();
        is_empty = false;
    }
    turn(&mut line, &mut length);
    lines
}

/// The words without what differs between two refusals of the same kind: the id of the request, and these names.
pub fn gist(words: &str, names: &[&str]) -> String {
    const REQUEST: &str = ", request ";
    let (mut rest, mut gist) = (words, String::new());
    while let Some((before, after)) = rest.split_once(REQUEST) {
        gist.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_+/=".contains(c));
    }
    gist.push_str(rest);
    names.iter().filter(|name| !name.is_empty()).fold(gist, |gist, name| gist.replace(name, "…"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_get_an_apostrophe() {
        for formula in
            ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "＋1", "－1", "＠1", "  =1", "\u{A0}=1", "\u{3000}-1", "\"=1\""]
        {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        assert_eq!(cell("\t1"), "'\u{FFFD}1");
        assert_eq!(cell("\r\n=1"), "'\u{FFFD}\u{FFFD}=1");
        assert_eq!(cell(" \t x"), "' \u{FFFD} x");
        assert_eq!(cell("\u{200B}=1"), "'\u{FFFD}=1");
    }

    #[test]
    fn cells_that_a_semicolon_makes_are_no_formulas_either() {
        assert_eq!(cell("a;=1;b; +2;\"@x\";-"), "a;'=1;b;' +2;'\"@x\";'-");
        assert_eq!(cell("a;\t=1"), "a;'\u{FFFD}=1");
        assert_eq!(cell("one-rule;another-rule"), "one-rule;another-rule");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in ["", "  ", "a=b", "1-2", "Zürich, Küche", "日本語", "'quoted'", "émigré 👍", "o-aa/r-bb"] {
            assert!(matches!(cell(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }

    #[test]
    fn text_is_wrapped_at_words_and_words_are_broken() {
        assert_eq!(wrapped("one two three four five six", 21, 1, 3), " one two three four\n   five six\n");
        assert_eq!(wrapped("", 80, 1, 3), "\n");
        let long = "x".repeat(50);
        let lines = wrapped(&format!("a {long} b"), 30, 2, 4);
        assert!(lines.lines().all(|line| line.chars().count() <= 30), "{lines}");
        assert_eq!(lines.split_whitespace().collect::<String>(), format!("a{long}b"));
    }

    #[test]
    fn reasons_that_differ_by_request_and_name_are_alike() {
        let reason = |account: &str, request: &str| {
            format!(
                "denied (AccessDenied, HTTP 403, request {request}): User: arn:aws:sts::{account}:assumed-role/x is not authorized"
            )
        };
        let gist = |account, request| gist(&reason(account, request), &[account, ""]);
        assert_eq!(
            gist("111111111111", "CT4PW8W15CDBRCBM"),
            gist("222222222222", "dfe67012-97ba-ec5a-3726-5989ec37ac89")
        );
        assert_ne!(gist("111111111111", "X"), super::gist("throttled (SlowDown, HTTP 503, request X)", &[]));
    }

    #[test]
    fn controls_are_replaced() {
        let harmful =
            "\0\u{1B}[2J\u{7F}\u{85}\u{9B}\u{202E}\u{2066}\u{2069}\u{200E}\u{200F}\u{61C}\u{2028}\u{2029}\u{FEFF}";
        assert_eq!(harmless(harmful), format!("\u{FFFD}\u{FFFD}[2J{}", "\u{FFFD}".repeat(12)));
        assert_eq!(harmless("a\nb"), "a\u{FFFD}b");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_cell_starts_a_formula_or_holds_a_control(text in "(?s)[ \t\r=＝@+x;\"-]{0,6}.{0,8}") {
            let cell = cell(&text);
            for part in cell.split(';') {
                let start = part.trim_start_matches([' ', '"', '\u{FFFD}']);
                prop_assert!(!start.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']), "{cell:?}");
            }
            prop_assert!(!cell.contains(is_harmful), "{cell:?}");
        }
    }
}
