//! Rows of record types that this version does not know, counted by type.
//!
//! AWS adds record types. A new one says nothing about the settings of a bucket that the rows of accounts and buckets do
//! not say, so it does not keep an export from being read.

use std::collections::BTreeMap;

/// Types that are named.
const MOST: usize = 10;

/// Characters of a type that are shown.
const LONGEST: usize = 60;

#[derive(Debug, Default)]
pub struct UnknownTypes {
    rows: BTreeMap<String, u64>,
    /// Rows of types beyond [`MOST`].
    further: u64,
}

impl UnknownTypes {
    pub(super) fn add(&mut self, record_type: &str) {
        let name: String = record_type.chars().take(LONGEST).collect();
        if let Some(rows) = self.rows.get_mut(&name) {
            *rows += 1;
        } else if self.rows.len() < MOST {
            self.rows.insert(name, 1);
        } else {
            self.further += 1;
        }
    }

    /// A sentence each.
    pub fn sentences(&self) -> impl Iterator<Item = String> {
        let counted = |rows: u64| format!("{rows} {}", if rows == 1 { "row" } else { "rows" });
        let named = self
            .rows
            .iter()
            .map(move |(name, rows)| format!("{} of the unknown record type {name:?} not read", counted(*rows)));
        let further =
            (self.further > 0).then(|| format!("{} of further unknown record types not read", counted(self.further)));
        named.chain(further)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_up_to_a_bound() {
        let mut types = UnknownTypes::default();
        for number in 0..12 {
            types.add(&format!("TYPE_{number:02}"));
        }
        types.add("TYPE_00");
        types.add(&"X".repeat(1_000));
        let sentences: Vec<String> = types.sentences().collect();
        assert_eq!(sentences[0], "2 rows of the unknown record type \"TYPE_00\" not read");
        assert_eq!((sentences.len(), sentences[10].as_str()), (11, "3 rows of further unknown record types not read"));
    }
}
