//! Which objects of a bucket, and whether the bucket itself, a statement is for.
//!
//! Source: IAM user guide, "JSON policy elements: Resource", "Policy elements: Variables and tags".

use super::budget::Budget;
use super::classes::{Class, distinct};
use super::document::{Element, Statement, Version};
use super::glob::{Glob, classes};
use super::holes::Hole;
use super::truth::Truth;

/// What one resource of a statement matches, as a pattern for what follows `arn:PARTITION:s3:::`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    /// With a doubt: the most that it can match.
    glob: Glob,
    /// Why nobody can tell whether it matches what the glob matches.
    doubt: Option<Hole>,
}

impl Pattern {
    /// `None` for a resource that is nothing of this S3.
    fn new(resource: &str, version: &Version, partition: &str) -> Option<Self> {
        if resource == "*" {
            return Some(Self { glob: Glob::new("*"), doubt: None });
        }
        let parts: Vec<&str> = resource.splitn(6, ':').collect();
        let [arn, of_partition, service, region, account, rest] = parts[..] else {
            let doubt = Some(Hole::UnknownResource { resource: resource.to_owned() });
            return Some(Self { glob: Glob::new("*"), doubt });
        };
        let head = [(arn, "arn"), (of_partition, partition), (service, "s3"), (region, ""), (account, "")];
        if !head.iter().all(|(pattern, part)| Glob::new(pattern).matches(part)) {
            return None;
        }
        let (glob, has_variable) = Glob::of(rest, version);
        let doubt = has_variable.then(|| Hole::PolicyVariable { resource: resource.to_owned() });
        Some(Self { glob, doubt })
    }
}

/// The resources of some statements, seen from one bucket.
pub(super) struct Resources {
    /// `arn:PARTITION:s3:::`
    head: String,
    bucket: String,
    statements: Vec<Element<Vec<Pattern>>>,
}

impl Resources {
    pub fn new(statements: &[&Statement], version: &Version, bucket: &str, partition: &str) -> Self {
        let patterns = |listed: &Vec<String>| {
            listed.iter().filter_map(|resource| Pattern::new(resource, version, partition)).collect()
        };
        let statements = statements.iter().map(|statement| match &statement.resource {
            Element::Only(listed) => Element::Only(patterns(listed)),
            Element::AllBut(listed) => Element::AllBut(patterns(listed)),
        });
        Self { head: format!("arn:{partition}:s3:::"), bucket: bucket.to_owned(), statements: statements.collect() }
    }

    /// The bucket itself.
    pub fn of_bucket(&self) -> Class<String> {
        let truths =
            self.statements.iter().map(|patterns| truth(patterns, |pattern| pattern.glob.matches(&self.bucket)));
        Class { example: format!("{}{}", self.head, self.bucket), truths: truths.collect() }
    }

    /// Its objects; `None` where there are too many classes to look at.
    pub fn of_objects(&self, budget: &Budget) -> Option<Vec<Class<String>>> {
        let mut globs: Vec<Glob> = Vec::new();
        for pattern in self.statements.iter().flat_map(Element::listed) {
            if !globs.contains(&pattern.glob) {
                globs.push(pattern.glob.clone());
            }
        }
        let found = classes(&format!("{}/", self.bucket), &globs, budget)?;
        Some(distinct(found.into_iter().map(|(object, matched)| {
            let matches = |pattern: &Pattern| globs.iter().zip(&matched).any(|(glob, is)| *is && *glob == pattern.glob);
            let truths = self.statements.iter().map(|patterns| truth(patterns, matches)).collect();
            Class { example: format!("{}{object}", self.head), truths }
        })))
    }

    /// Why it is unknown whether a statement is for a resource.
    pub fn doubts(&self, statement: usize) -> impl Iterator<Item = Hole> {
        self.statements[statement].listed().iter().filter_map(|pattern| pattern.doubt.clone())
    }
}

fn truth(patterns: &Element<Vec<Pattern>>, matches: impl Fn(&Pattern) -> bool) -> Truth {
    let of_pattern = |pattern: &Pattern| match &pattern.doubt {
        Some(_) if matches(pattern) => Truth::Unknown,
        _ => Truth::from(matches(pattern)),
    };
    let listed = Truth::any(patterns.listed().iter().map(of_pattern));
    listed.negated_if(matches!(patterns, Element::AllBut(_)))
}
