//! The facts that are read only where they were asked for, as texts: for tables that have a column for each.

use serde::Serialize;

use super::{Extra, Extras, Fact, Observed, Reason};

/// What is known of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told<'a> {
    /// Nobody asked.
    NotAsked,
    /// The value as JSON, as it stands in the inventory.
    Known(String),
    Unknown(&'a Reason),
}

impl Extras {
    pub fn told(&self, extra: Extra) -> Told<'_> {
        match extra {
            Extra::Policy => told(self.policy.as_ref()),
            Extra::ObjectLock => told(self.object_lock.as_ref()),
            Extra::Replication => told(self.replication.as_ref()),
            Extra::Encryption => told(self.encryption.as_ref()),
            Extra::Ownership => told(self.ownership.as_ref()),
            Extra::Acceleration => told(self.acceleration.as_ref()),
            Extra::Notification => told(self.notification.as_ref()),
            Extra::Tags => told(self.tags.as_ref()),
        }
    }
}

impl Extra {
    /// Its name in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::ObjectLock => "object_lock",
            Self::Replication => "replication",
            Self::Encryption => "encryption",
            Self::Ownership => "ownership",
            Self::Acceleration => "acceleration",
            Self::Notification => "notification",
            Self::Tags => "tags",
        }
    }
}

fn told<T: Serialize>(fact: Option<&Fact<T>>) -> Told<'_> {
    match fact.map(|fact| &fact.observed) {
        None => Told::NotAsked,
        Some(Observed::Known(value)) => Told::Known(serde_json::to_string(value).expect("texts and numbers are JSON")),
        Some(Observed::Unknown(reason)) => Told::Unknown(reason),
    }
}
