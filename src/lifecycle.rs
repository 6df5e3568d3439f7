//! What the rules of a lifecycle configuration really do together: which action takes effect, which is shadowed by
//! which rule, which can never apply.
//!
//! - [`configuration`]: rules, filters, actions;
//! - [`classes`]: which rules match one and the same object;
//! - [`history`]: what happens to an object that some rules match, day by day;
//! - [`influence`]: what one action can do to another, whatever else matches;
//! - [`search`]: whether some object is such that an action is executed on it, or is not;
//! - [`verdicts`]: a verdict for every action;
//! - [`overlap`], [`duplicates`], [`superfluous`]: rules two by two, and what can go;
//! - [`timeline`], [`traps`], [`problems`]: what people want to know besides;
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
pub mod duplicates;
mod history;
mod influence;
pub mod overlap;
pub mod problems;
pub mod read;
mod search;
pub mod superfluous;
pub mod timeline;
pub mod traps;
mod verdicts;
pub mod words;

pub use configuration::{Action, Configuration, Filter, MinimumSize, Rule, StorageClass, Versions, When};
pub use verdicts::{ActionVerdict, Verdict, analyse};
