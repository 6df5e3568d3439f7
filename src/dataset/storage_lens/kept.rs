//! Sentences of which only the first are kept.

/// Sentences that are kept of each kind.
const MOST: usize = 20;

/// The first sentences, and how many there are.
#[derive(Debug, Default)]
pub(super) struct Kept {
    sentences: Vec<String>,
    all: u64,
}

impl Kept {
    pub fn add(&mut self, sentence: impl FnOnce() -> String) {
        self.all += 1;
        if self.sentences.len() < MOST {
            self.sentences.push(sentence());
        }
    }

    pub fn is_empty(&self) -> bool {
        self.all == 0
    }

    /// `what`: that of which there are more.
    pub fn told(&self, what: &str) -> impl Iterator<Item = String> {
        let rest = self.all - self.sentences.len() as u64;
        self.sentences.iter().cloned().chain((rest > 0).then(|| format!("and {rest} more {what}")))
    }
}
