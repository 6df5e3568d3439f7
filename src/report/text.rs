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

/// C0, DEL and C1; line and paragraph separators; bidirectional controls; what has no width; the byte order mark; tags.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{00AD}'
                | '\u{061C}'
                | '\u{180E}'
                | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{FEFF}'
                | '\u{FFF9}'..='\u{FFFB}'
                | '\u{E0000}'..='\u{E007F}'
        )
}

/// For a cell of a CSV file: harmless, and with an apostrophe before what a spreadsheet would take for a formula.
///
/// Source: OWASP, "CSV Injection".
pub fn cell(text: &str) -> Cow<'_, str> {
    if starts_formula(text) { Cow::Owned(format!("'{}", harmless(text))) } else { harmless(text) }
}

/// Spreadsheets skip white space before a formula, and some take the full-width forms of the signs.
fn starts_formula(text: &str) -> bool {
    let trimmed = text.trim_start();
    let white_space = &text[..text.len() - trimmed.len()];
    white_space.contains(['\t', '\r', '\n']) || trimmed.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_get_an_apostrophe() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "＋1", "－1", "＠1", "  =1", "\u{A0}=1", "\u{3000}-1"]
        {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        assert_eq!(cell("\t1"), "'\u{FFFD}1");
        assert_eq!(cell("\r\n=1"), "'\u{FFFD}\u{FFFD}=1");
        assert_eq!(cell(" \t x"), "' \u{FFFD} x");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in ["", "  ", "a=b", "1-2", "Zürich, Küche", "日本語", "'quoted'", "émigré 👍", "o-aa/r-bb"] {
            assert!(matches!(cell(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
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
        fn no_cell_starts_a_formula_or_holds_a_control(text in "(?s)[ \t\r=＝@+x-]{0,3}.{0,8}") {
            let cell = cell(&text);
            prop_assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']), "{cell:?}");
            prop_assert!(!cell.contains(is_harmful), "{cell:?}");
        }
    }
}
