//! Tables and paragraphs of one width, in one style: no frames, a line below the header.

use std::borrow::Cow;

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Table};
use comfy_table::{ContentLineStyle, TableStyle};

use crate::report::text::harmless;

const STYLE: TableStyle = NOTHING
    .header_lines(ContentLineStyle::none().junction(' '))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none().junction(' '));

/// What a text is, from which follows how it is shown. Color repeats what the words say and adds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Strong,
    /// Beside the point.
    Faint,
    Good,
    /// Wants attention.
    Warning,
    Bad,
}

/// A cell: text, its tone, and on which side it stands.
pub(super) struct Text {
    content: String,
    tone: Tone,
    alignment: CellAlignment,
}

impl Text {
    pub fn new(text: &str) -> Self {
        /// What is longer is no sentence of ours or of AWS; the files have it whole.
        const LONGEST: usize = 1_000;
        let text = harmless(text);
        let content = shortened(&text, LONGEST).into_owned();
        Self { content, tone: Tone::Plain, alignment: CellAlignment::Left }
    }

    /// With the line breaks it has; for words of ours.
    pub fn broken(text: &str) -> Self {
        Self { content: text.to_owned(), ..Self::new("") }
    }

    pub fn strong(text: &str) -> Self {
        Self::new(text).tone(Tone::Strong)
    }

    pub fn faint(text: &str) -> Self {
        Self::new(text).tone(Tone::Faint)
    }

    pub fn number(number: u64) -> Self {
        Self::new(&grouped(number)).right()
    }

    pub fn right(self) -> Self {
        Self { alignment: CellAlignment::Right, ..self }
    }

    pub fn tone(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    /// The same tone for a number that counts something, none for a zero.
    pub fn tone_unless_zero(self, number: u64, tone: Tone) -> Self {
        if number == 0 { self } else { self.tone(tone) }
    }

    fn into_cell(self) -> Cell {
        let cell = Cell::new_owned(self.content).set_alignment(self.alignment);
        match self.tone {
            Tone::Plain => cell,
            Tone::Strong => cell.add_attribute(Attribute::Bold),
            Tone::Faint => cell.add_attribute(Attribute::Dim),
            Tone::Good => cell.fg(Color::DarkGreen),
            Tone::Warning => cell.fg(Color::DarkYellow),
            Tone::Bad => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        }
    }
}

/// The text, or its beginning where it has more characters than this.
pub(super) fn shortened(text: &str, characters: usize) -> Cow<'_, str> {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// With commas between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// `1 bucket`, `2 buckets`.
pub(super) fn plural(number: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// `2 failed, 1 skipped`: the numbers that are not zero, with their words.
pub(super) fn listed(parts: &[(u64, &str)]) -> String {
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    parts.map(|(number, words)| format!("{} {words}", grouped(*number))).collect::<Vec<_>>().join(", ")
}

/// How a column gets its width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// What its longest cell needs: for ids, words and numbers of ours, which are short.
    Fit,
    /// What the others leave; longer text is wrapped.
    Wrap,
}

/// Where the parts of the page are laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub width: u16,
    pub color: bool,
}

impl Layout {
    /// The heading of a part; it stands out by one column.
    pub fn title(self, title: &str) -> String {
        self.render(None, vec![vec![Text::strong(title)]], &[Column::Wrap], 0)
    }

    pub fn paragraph(self, text: Text) -> String {
        self.table(vec![vec![text]], &[Column::Wrap])
    }

    /// Cells beside each other, no wider than the page.
    pub fn table(self, rows: Vec<Vec<Text>>, columns: &[Column]) -> String {
        self.render(None, rows, columns, 1)
    }

    pub fn headed(self, header: Vec<Text>, rows: Vec<Vec<Text>>, columns: &[Column]) -> String {
        self.render(Some(header), rows, columns, 1)
    }

    fn render(self, header: Option<Vec<Text>>, rows: Vec<Vec<Text>>, columns: &[Column], margin: u16) -> String {
        let mut table = Table::new();
        table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic).set_width(self.width);
        if self.color {
            table.enforce_styling().style_text_only();
        } else {
            table.force_no_tty();
        }
        if let Some(header) = header {
            table.set_header(header.into_iter().map(|text| text.tone(Tone::Strong).into_cell()));
        }
        table.add_rows(rows.into_iter().map(|row| row.into_iter().map(Text::into_cell).collect::<Vec<_>>()));
        for (column, kind) in table.column_iter_mut().zip(columns) {
            column.set_padding((margin, 0));
            match kind {
                Column::Fit => column.set_constraint(ColumnConstraint::ContentWidth),
                Column::Wrap => column,
            };
        }
        table.trim_fmt() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(plural(1, "bucket"), "1 bucket");
        assert_eq!(listed(&[(2, "failed"), (0, "skipped"), (1_000, "read")]), "2 failed, 1,000 read");
    }
}
