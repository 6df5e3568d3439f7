//! What is said of the files of a search, each reason once.

use std::path::Path;

use crate::report::gist;
use crate::trend::listed;

/// A sentence about one file or folder, and others of which the same is to be said.
struct Remark {
    gist: String,
    first: String,
    others: Vec<String>,
}

#[derive(Default)]
pub struct Remarks(Vec<Remark>);

impl Remarks {
    /// `sentence` may have the name of what it is about.
    pub fn add(&mut self, about: &Path, sentence: String) {
        let about = about.display().to_string();
        let gist = gist(&sentence, &[&about]);
        match self.0.iter_mut().find(|remark| remark.gist == gist) {
            Some(remark) => remark.others.push(about),
            None => self.0.push(Remark { gist, first: sentence, others: Vec::new() }),
        }
    }

    /// A sentence each.
    pub fn sentences(self) -> Vec<String> {
        let sentence = |Remark { first, others, .. }: Remark| {
            if others.is_empty() { first } else { format!("{first}; likewise {}", listed(others, ", ")) }
        };
        self.0.into_iter().map(sentence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_given_once() {
        let mut remarks = Remarks::default();
        for name in ["a", "b", "c", "d", "e", "f"] {
            let path = Path::new("runs").join(name);
            let sentence = format!("left out: failed to read {}: it is damaged", path.display());
            remarks.add(&path, sentence);
        }
        remarks.add(Path::new("runs/x"), "the run in runs/x did not end".to_owned());
        assert_eq!(
            remarks.sentences(),
            [
                "left out: failed to read runs/a: it is damaged; likewise runs/b, runs/c, runs/d and 2 more",
                "the run in runs/x did not end"
            ]
        );
    }
}
