//! `bucketlens lifecycle check`: what the rules of a configuration in a file really do together.

mod table;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use time::{Date, OffsetDateTime};

use super::Problem;
use crate::exit::{self, Exit, Seen};
use crate::lifecycle::problems::{self, Bucket, Kind};
use crate::lifecycle::read::{self, Dialect, Document, Form, ReadError};
use crate::lifecycle::words::does;
use crate::lifecycle::{Action, ActionVerdict, Configuration, Filter, Verdict, Versions, When, analyse};
use crate::model::Severity;
use crate::report::harmless as plain;
use table::Page;

/// What is to be checked, and how it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `-` for stdin.
    pub file: PathBuf,
    /// `None`: taken as enabled.
    pub versions: Option<Versions>,
    pub mfa_delete: Option<bool>,
    /// `None`: the clock's day in UTC.
    pub today: Option<Date>,
    pub format: Format,
    pub fail_on: Option<Severity>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Table,
    Json,
}

pub fn run(check: &Check) -> Result<Exit, Problem> {
    let bytes = bytes(&check.file).map_err(|error| {
        Problem::new(format!("failed to read {}: {error}", shown(&check.file)))
            .with_help("name a file with a lifecycle configuration, or - for stdin")
    })?;
    let document = read::read(&bytes).map_err(|error| Problem::new(sentence(&check.file, &error)))?;
    let today = check.today.unwrap_or_else(|| OffsetDateTime::now_utc().date());
    let judged = Judged::new(&document, check, today);
    let text = match check.format {
        Format::Json => judged.json(),
        Format::Table => {
            let stdout = io::stdout();
            let width = terminal_size::terminal_size_of(&stdout).filter(|_| stdout.is_terminal());
            Page::new(&judged, &shown(&check.file), width.map_or(80, |(width, _)| width.0)).text()
        }
    };
    print(&text).map_err(|error| Problem::new(format!("failed to print the verdicts: {error}")))?;
    let worst = judged.problems.iter().map(|problem| problem.severity).max();
    Ok(exit::decide(worst, check.fail_on, Seen::All, false))
}

/// No more than is read of it: what is larger is an error all the same.
fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    let most = read::MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn shown(file: &Path) -> String {
    if file == Path::new("-") { "stdin".to_owned() } else { harmless(&file.display().to_string()) }
}

fn sentence(file: &Path, error: &ReadError) -> String {
    let code = error.code.map_or_else(String::new, |code| format!(" (S3: {code})"));
    format!("{}:{}: {}{code}", shown(file), error.place, error.message)
}

/// A reader may close its end early (`| head`).
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Names of others, for a terminal: what is no plain character is escaped.
pub fn harmless(text: &str) -> String {
    text.chars().fold(String::new(), |mut text, c| {
        match c {
            '"' | '\'' | '\\' => text.push(c),
            _ => text.extend(c.escape_debug()),
        }
        text
    })
}

/// A configuration with its verdicts and problems.
struct Judged<'a> {
    configuration: &'a Configuration,
    dialect: Dialect,
    forms: &'a [Form],
    bucket: Bucket,
    /// Versioning was taken for enabled.
    is_assumed: bool,
    verdicts: Vec<ActionVerdict>,
    problems: Vec<problems::Problem>,
}

impl<'a> Judged<'a> {
    fn new(document: &'a Document, check: &Check, today: Date) -> Self {
        let versions = check.versions.unwrap_or(Versions::Enabled);
        let bucket = Bucket { versions, mfa_delete: check.mfa_delete, today };
        let verdicts = analyse(&document.configuration, versions, today);
        let mut problems = problems::problems(document, &verdicts, bucket);
        if check.versions.is_none() {
            let message = "versioning was not given and is taken as enabled; --versioning says otherwise";
            let assumed = problems::Problem {
                severity: Severity::Info,
                kind: Kind::Effect,
                code: None,
                rule: None,
                message: message.to_owned(),
            };
            problems.insert(0, assumed);
        }
        Self {
            configuration: &document.configuration,
            dialect: document.dialect,
            forms: &document.forms,
            bucket,
            is_assumed: check.versions.is_none(),
            verdicts,
            problems,
        }
    }

    fn id(&self, rule: usize) -> &'a str {
        &self.configuration.rules[rule].id
    }

    fn action(&self, verdict: &ActionVerdict) -> &'a Action {
        &self.configuration.rules[verdict.rule].actions[verdict.action]
    }

    fn is_refused(&self) -> bool {
        self.problems.iter().any(|problem| problem.kind == Kind::Refusal)
    }

    /// The analyser's, but for a rule that could not be read.
    fn verdict(&self, verdict: &ActionVerdict) -> Verdict {
        match self.forms[verdict.rule] {
            Form::Unread => Verdict::NotAnalysed,
            Form::Filter | Form::Prefix => verdict.verdict,
        }
    }

    fn json(&self) -> String {
        let actions = self.verdicts.iter().map(|verdict| {
            let action = self.action(verdict);
            ActionRow {
                rule: plain(self.id(verdict.rule)),
                action: problems::name(action),
                storage_class: match action {
                    Action::Transition { to, .. } | Action::NoncurrentVersionTransition { to, .. } => Some(to.as_str()),
                    _ => None,
                },
                verdict: self.verdict(verdict).as_str(),
                by: verdict.by.iter().map(|rule| plain(self.id(*rule))).collect(),
                why: self.why(verdict),
            }
        });
        let problems = self.problems.iter().map(|problem| ProblemRow {
            severity: problem.severity,
            refused: problem.kind == Kind::Refusal,
            code: problem.code.map(read::Code::as_str),
            rule: problem.rule.map(|rule| plain(self.id(rule))),
            message: plain(&problem.message),
        });
        let answer = Answer {
            dialect: self.dialect.as_str(),
            refused: self.is_refused(),
            actions: actions.collect(),
            problems: problems.collect(),
        };
        serde_json::to_string_pretty(&answer).expect("texts and lists are JSON") + "\n"
    }

    /// A sentence: what the action does, and who prevails with what.
    fn why(&self, verdict: &ActionVerdict) -> String {
        let rule = &self.configuration.rules[verdict.rule];
        let action = self.action(verdict);
        let does = does(action);
        match self.verdict(verdict) {
            Verdict::Disabled => format!("The rule is disabled: its {does} does nothing."),
            Verdict::NoEffect => match action {
                Action::ExpiredObjectDeleteMarker(false) => {
                    "ExpiredObjectDeleteMarker is false, which does nothing.".to_owned()
                }
                _ if rule.filter.is_empty_interval() && population(action) != Population::Uploads => {
                    "No object has a size that the filter matches.".to_owned()
                }
                _ => format!("{does} has nothing to do: an unversioned bucket has no such versions or delete markers."),
            },
            Verdict::Effective => match action {
                Action::Expiration(When::Date(date)) | Action::Transition { when: When::Date(date), .. }
                    if *date > self.bucket.today =>
                {
                    format!("{does} lies in the future and is not weighed against the other rules.")
                }
                _ => format!("{does} applies to every kind of object in the rule's scope."),
            },
            Verdict::NeverApplies if rule.filter.has_too_many_tags() => {
                format!("{does} never applies: an object has at most {} tags.", Filter::MOST_TAGS)
            }
            Verdict::NeverApplies => format!("{does} never applies: {}.", self.prevailing(verdict)),
            Verdict::PartlyShadowed => {
                format!(
                    "{does} does not apply to some objects of the rule's scope: {} there.",
                    self.prevailing(verdict)
                )
            }
            Verdict::NotAnalysed if self.forms[verdict.rule] == Form::Unread => {
                "The rule could not be read to its end.".to_owned()
            }
            Verdict::NotAnalysed => "The configuration is past the analyser's work limit.".to_owned(),
        }
    }

    /// `rule "a" (Expiration at 14 days) prevails`.
    fn prevailing(&self, verdict: &ActionVerdict) -> String {
        let winners: Vec<String> = verdict.by.iter().map(|winner| self.winner(verdict, *winner)).collect();
        let verb = if winners.len() == 1 { "prevails" } else { "prevail together" };
        format!("{} {verb}", winners.join(" and "))
    }

    /// The rule with those of its actions that can stand in the way.
    fn winner(&self, verdict: &ActionVerdict, winner: usize) -> String {
        let loser = self.action(verdict);
        let rule = &self.configuration.rules[winner];
        let others: Vec<&Action> = (rule.actions.iter().enumerate())
            .filter(|(index, action)| (winner, *index) != (verdict.rule, verdict.action) && self.days(action).is_some())
            .map(|(_, action)| action)
            .collect();
        let of = |wanted: Population| -> Vec<&Action> {
            others.iter().copied().filter(|action| population(action) == wanted).collect()
        };
        let mut actions = of(population(loser));
        let early: Vec<&Action> =
            actions.iter().copied().filter(|action| self.days(action) <= self.days(loser)).collect();
        if !early.is_empty() {
            actions = early;
        } else if actions.is_empty() && population(loser) == Population::Noncurrent {
            // They gave the versions another class before they became noncurrent.
            actions = of(Population::Current);
        }
        let own = if winner == verdict.rule { " itself" } else { "" };
        let name = format!("rule {:?}{own}", rule.id);
        let does: Vec<String> = actions.into_iter().map(does).collect();
        if does.is_empty() { name } else { format!("{name} ({})", does.join(", ")) }
    }

    /// From which age it acts, `None` for a date to come and for delete markers.
    fn days(&self, action: &Action) -> Option<u32> {
        match action {
            Action::Expiration(when) | Action::Transition { when, .. } => when.days(self.bucket.today),
            Action::NoncurrentVersionExpiration { days, .. }
            | Action::NoncurrentVersionTransition { days, .. }
            | Action::AbortIncompleteMultipartUpload { days } => Some(*days),
            Action::ExpiredObjectDeleteMarker(_) => None,
        }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    /// Whose names the file uses.
    dialect: &'static str,
    /// Whether S3 would refuse the configuration.
    refused: bool,
    actions: Vec<ActionRow<'a>>,
    problems: Vec<ProblemRow<'a>>,
}

#[derive(Serialize)]
struct ActionRow<'a> {
    rule: Cow<'a, str>,
    action: &'static str,
    storage_class: Option<&'static str>,
    verdict: &'static str,
    by: Vec<Cow<'a, str>>,
    why: String,
}

#[derive(Serialize)]
struct ProblemRow<'a> {
    severity: Severity,
    refused: bool,
    code: Option<&'static str>,
    rule: Option<Cow<'a, str>>,
    message: Cow<'a, str>,
}

/// What an action is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Population {
    Current,
    Noncurrent,
    Markers,
    Uploads,
}

impl Population {
    fn words(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Noncurrent => "noncurrent",
            Self::Markers => "markers",
            Self::Uploads => "uploads",
        }
    }
}

fn population(action: &Action) -> Population {
    match action {
        Action::Expiration(_) | Action::Transition { .. } => Population::Current,
        Action::NoncurrentVersionExpiration { .. } | Action::NoncurrentVersionTransition { .. } => {
            Population::Noncurrent
        }
        Action::ExpiredObjectDeleteMarker(_) => Population::Markers,
        Action::AbortIncompleteMultipartUpload { .. } => Population::Uploads,
    }
}
