//! What the rules of a lifecycle configuration really do together: which action takes effect, which is shadowed by
//! which rule, which can never apply.
//!
//! - [`configuration`]: rules, filters, actions;
//! - [`classes`]: which sets of rules match one and the same object;
//! - [`history`]: what happens to an object that such a set matches, day by day;
//! - [`verdicts`]: both put together, a verdict for every action;
//! - [`words`]: actions and filters for people.
//!
//! The model. Objects that every filter treats alike are one class; a class is known by the set of rules that match
//! it. A current version is created in STANDARD; each day at most one thing happens to it: a permanent deletion, else a
//! transition to a class that can be reached, else a delete marker. A version becomes noncurrent at any age, in the
//! class it has then, with any number of newer noncurrent versions. An action applies to a class when some history of
//! an object of that class executes it. Where AWS's documentation is silent the model decides: days may lag in reality,
//! uploads directly into another class, the 128 KB minimum for transitions, replication and Object Lock are left out.
//!
//! Sources: S3 user guide, "How Amazon S3 handles conflicts in lifecycle configurations", "Transitioning objects using
//! Amazon S3 Lifecycle", "Expiring objects", "Lifecycle configuration elements".

mod classes;
pub mod configuration;
mod history;
pub mod problems;
pub mod read;
mod verdicts;
pub mod words;

pub use configuration::{Action, Configuration, Filter, Rule, StorageClass, Versions, When};
pub use verdicts::{ActionVerdict, Verdict, analyse};
