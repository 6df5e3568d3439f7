//! The conditions on every key that is not MFA's: each can be true or false in any request that has the key.
//!
//! Source: IAM user guide, "JSON policy elements: Condition operators", "Conditions with multiple context keys or values".

use super::budget::Budget;
use super::classes::{Class, distinct};
use super::conditions::{any, boolean, doubt, others, when_missing};
use super::document::{Condition, Meaning, Quantifier, Statement, Test};
use super::holes::Hole;
use super::truth::Truth;

/// Tests of one key beyond which nobody looks at all that can be.
const MOST_ATOMS: usize = 8;
const MOST_CONTEXTS: usize = 2_000;

/// What the conditions ask of the keys that are not MFA's.
pub(super) struct OtherKeys {
    keys: Vec<Key>,
}

struct Key {
    /// In lower case.
    name: String,
    atoms: Vec<Atom>,
}

/// What can be true or false of a value of a key: a test with its values. The same test of another operator (`Not`,
/// `IfExists`) is the same atom.
#[derive(Debug, PartialEq, Eq)]
struct Atom {
    test: Test,
    values: Vec<String>,
    /// A quantified test is no negation of another.
    quantified: Option<(Quantifier, bool)>,
}

impl Atom {
    fn new(condition: &Condition, meaning: Meaning) -> Self {
        let mut values = condition.values.clone();
        values.sort_unstable();
        values.dedup();
        let quantified = meaning.quantifier.map(|quantifier| (quantifier, meaning.negated));
        Self { test: meaning.test, values, quantified }
    }
}

/// For every key whether it is there, and then which of its atoms are true.
pub(super) type Context = Vec<Option<Vec<bool>>>;

impl OtherKeys {
    pub fn new(statements: &[&Statement]) -> Self {
        let mut keys: Vec<Key> = Vec::new();
        for condition in statements.iter().flat_map(|statement| others(statement)) {
            let Some(meaning) = condition.operator.meaning else { continue };
            let name = condition.key.to_ascii_lowercase();
            let place = keys.iter().position(|key| key.name == name).unwrap_or_else(|| {
                keys.push(Key { name, atoms: Vec::new() });
                keys.len() - 1
            });
            let atom = Atom::new(condition, meaning);
            if meaning.test != Test::Null && !keys[place].atoms.contains(&atom) {
                keys[place].atoms.push(atom);
            }
        }
        Self { keys }
    }

    /// Every context that the statements can tell from others; `None` where there are too many to look at.
    pub fn contexts(&self, statements: &[&Statement], budget: &Budget) -> Option<Vec<Class<Context>>> {
        let mut contexts = vec![Class { example: Context::new(), truths: vec![Truth::True; statements.len()] }];
        for (place, key) in self.keys.iter().enumerate() {
            if key.atoms.len() > MOST_ATOMS {
                return None;
            }
            budget.take((1 << key.atoms.len()) * (4 + statements.len()))?;
            let values = (0..1_usize << key.atoms.len())
                .map(|bits| Some((0..key.atoms.len()).map(|atom| bits >> atom & 1 == 1).collect::<Vec<bool>>()));
            // Missing comes last: some keys never are.
            let values: Vec<Option<Vec<bool>>> = values.chain([None]).collect();
            let of_key: Vec<Class<Option<Vec<bool>>>> = distinct(values.into_iter().map(|value| {
                let truth = |statement: &&Statement| {
                    let own = others(statement).filter(|condition| self.place(condition) == Some(place));
                    Truth::all(own.map(|condition| self.truth(condition, value.as_ref())))
                };
                Class { truths: statements.iter().map(truth).collect(), example: value }
            }));
            budget.take(4 * contexts.len() * of_key.len() * (4 + statements.len()))?;
            let both = |a: &Class<Context>, b: &Class<Option<Vec<bool>>>| Class {
                example: a.example.iter().chain([&b.example]).cloned().collect(),
                truths: a.truths.iter().zip(&b.truths).map(|(a, b)| a.and(*b)).collect(),
            };
            let product = contexts.iter().flat_map(|context| of_key.iter().map(move |value| both(context, value)));
            contexts = distinct(product);
            if contexts.len() > MOST_CONTEXTS {
                return None;
            }
        }
        let unknown: Vec<Truth> = statements
            .iter()
            .map(|statement| {
                Truth::all(others(statement).filter(|c| c.operator.meaning.is_none()).map(|_| Truth::Unknown))
            })
            .collect();
        for context in &mut contexts {
            context.truths = context.truths.iter().zip(&unknown).map(|(a, b)| a.and(*b)).collect();
        }
        Some(contexts)
    }

    fn place(&self, condition: &Condition) -> Option<usize> {
        condition.operator.meaning?;
        self.keys.iter().position(|key| condition.key.eq_ignore_ascii_case(&key.name))
    }

    fn truth(&self, condition: &Condition, value: Option<&Vec<bool>>) -> Truth {
        let (Some(meaning), Some(place)) = (condition.operator.meaning, self.place(condition)) else {
            return Truth::Unknown;
        };
        if meaning.test == Test::Null {
            return any(condition, |wanted| boolean(wanted).map(|is_null| is_null == value.is_none()));
        }
        let Some(value) = value else { return when_missing(meaning) };
        let atom = Atom::new(condition, meaning);
        let atom = self.keys[place].atoms.iter().position(|known| *known == atom).expect("every test is an atom");
        Truth::from(value[atom]).negated_if(meaning.negated && meaning.quantifier.is_none())
    }

    /// The keys whose conditions this context does not fulfil.
    pub fn holes(&self, statement: &Statement, context: &Context) -> Vec<Hole> {
        self.with(statement, context, Truth::False, |condition| Hole::NarrowingCondition { key: condition.key.clone() })
    }

    /// Why it is unknown whether this context fulfils the conditions.
    pub fn doubts(&self, statement: &Statement, context: &Context) -> Vec<Hole> {
        self.with(statement, context, Truth::Unknown, doubt)
    }

    fn with(&self, statement: &Statement, context: &Context, truth: Truth, hole: fn(&Condition) -> Hole) -> Vec<Hole> {
        let is = |condition: &&Condition| {
            let value = self.place(condition).and_then(|place| context[place].as_ref());
            self.truth(condition, value) == truth
        };
        others(statement).filter(is).map(hole).collect()
    }

    /// Whether there certainly are such requests. Several tests of one key may exclude each other, or be one inside the
    /// other; a value that no test asks for there is.
    pub fn is_possible(context: &Context) -> bool {
        context.iter().flatten().all(|atoms| atoms.len() < 2 || atoms.iter().all(|is_true| !is_true))
    }

    /// What a context says of the keys, for a person.
    pub fn words(&self, context: &Context) -> Vec<String> {
        let words = |(key, value): (&Key, &Option<Vec<bool>>)| match value {
            None => format!("{} is missing", key.name),
            Some(atoms) => {
                let values = key.atoms.iter().zip(atoms).map(|(atom, is_true)| {
                    format!("{} match {}", if *is_true { "does" } else { "does not" }, atom.values.join(" or "))
                });
                let values: Vec<String> = values.collect();
                if values.is_empty() {
                    format!("{} is there", key.name)
                } else {
                    format!("{} {}", key.name, values.join(" and "))
                }
            }
        };
        self.keys.iter().zip(context).map(words).collect()
    }
}
