//! `scan --resume`: whether a run can go on, and what its folder may decide. Somebody else may have written the folder,
//! so it does not decide alone where credentials are used.

use std::io;

use super::ask::{ask, can_ask, line};
use super::output::{Journal, Output, WRITTEN};
use super::{Problem, saved};
use crate::config::{Config, Resume};
use crate::inventory::Writer;
use crate::model::{ScopeOptions, Timestamp};
use crate::plan::shell;
use crate::report::harmless;
use crate::run_folder::Directory;

/// A folder that holds something else than a run is a mistake, and so is one that is not there where nothing says what
/// would be scanned: nothing is begun in it.
pub fn may_go_on(config: &Config) -> Result<(), Problem> {
    let Some(Resume { folder, .. }) = &config.resume else { return Ok(()) };
    let help = "name the folder of the run that is to go on, or begin another run with --out DIR";
    let problem = |what: &str| Problem::new(format!("--resume: {} {what}", folder.display())).with_help(help);
    let directory = match Directory::open(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && config.scope().is_empty() => {
            return Err(problem("does not exist, and nothing says what is to be scanned"));
        }
        // What else is wrong with it is told when it is opened for the report.
        Err(_) => return Ok(()),
        Ok(directory) => directory,
    };
    match saved::has_inventory(&directory) {
        // What is wrong with it is told when it is opened for the report.
        Err(_) | Ok(true) => return Ok(()),
        Ok(false) => {}
    }
    match directory.entries() {
        Ok(entries) if !entries.is_empty() => Err(problem("holds no run of bucketlens")),
        Ok(_) if config.scope().is_empty() => Err(problem("is empty, and nothing says what is to be scanned")),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The journal of the run to go on with, or a new one where the folder has no record of a run.
pub async fn journal(output: &Output, config: &Config, resume: &Resume, start: Timestamp) -> Result<Journal, Problem> {
    let oldest = resume.max_age.and_then(|age| start.before(age));
    let inventory = output.inventory()?;
    let writer = inventory.clone().map(|folder| Writer::reopen(folder, oldest)).transpose()?.flatten();
    let Some(writer) = writer else { return begin_unrecorded(output, config, inventory.as_ref(), start) };
    let opening = writer.opening();
    let resumed = config.clone().going_on(resume, &opening.scope, opening.standard, &opening.accepted_controls)?;
    let warning = check_unfinished(output, &writer, resume)?;
    confirm(config, &opening.scope, resume).await?;
    if let Some(warning) = warning {
        tracing::warn!("{warning}");
    }
    Ok(Journal { writer, config: resumed, goes_on: true })
}

/// A run that came to its end goes on only where something is left to ask: its other facts do not get newer. Returns what is
/// to be said of that.
fn check_unfinished(output: &Output, writer: &Writer, resume: &Resume) -> Result<Option<String>, Problem> {
    if writer.folder().path() != output.path().join(WRITTEN) {
        return Ok(None);
    }
    let Some(finished) = writer.finished()? else { return Ok(None) };
    let (folder, end) = (output.path().display(), finished.end);
    if finished.is_whole && resume.max_age.is_none() {
        let what = "read all that it could: there is nothing to resume";
        return Err(Problem::new(format!("the run in {folder} was finished at {end} and {what}")).with_help(
            "scan anew with scan --out DIR; read again what is older than 12 hours with --resume DIR --max-age 12h; or \
             make the report again with report DIR",
        ));
    }
    let what = match resume.max_age {
        None => "only what failed is read again, and the rest is as old as it was",
        Some(_) => "only what failed and what is older than --max-age is read again",
    };
    Ok(Some(format!("the run in {folder} was finished at {end}: {what}")))
}

/// Where nothing but the folder says which accounts are entered and how, a person or the command line has to agree.
async fn confirm(config: &Config, scope: &ScopeOptions, resume: &Resume) -> Result<(), Problem> {
    let (folder, alone) = (resume.folder.display(), config.only_in(scope));
    if alone.credentials.is_empty() {
        if !alone.others.is_empty() {
            tracing::warn!("the run in {folder} goes on with {}, as its folder says", alone.others.join(" "));
        }
        return Ok(());
    }
    let (credentials, all) = (alone.credentials.join(" "), scope_words(scope));
    let what = format!("only the folder {folder} says that the run was begun with {credentials}");
    if can_ask() {
        let (what, shown) = (harmless(&what).into_owned(), harmless(&all.join(" ")).into_owned());
        ask(&format!("{what}. Its whole scope:\n  {shown}\nUse your credentials for this scan? [y/N] "));
        let answer = line().await.unwrap_or_default();
        if ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()) {
            return Ok(());
        }
        return Err(Problem::new("the scan was not confirmed: nothing was read"));
    }
    let words = alone.command_line.iter().flat_map(|(option, values)| {
        let flag = values.is_empty().then(|| format!("--{option}"));
        flag.into_iter().chain(values.iter().map(move |value| format!("--{option}={}", shell(value))))
    });
    let words = words.collect::<Vec<_>>().join(" ");
    let line = format!("bucketlens scan --resume {} {words}", shell(&resume.folder.to_string_lossy()));
    Err(Problem::new(format!("{what}, and a folder does not decide where credentials are used"))
        .with_help(format!("if that is what you want, say it: {line}")))
}

/// A word for each value, as on the command line.
fn scope_words(scope: &ScopeOptions) -> Vec<String> {
    let words = |(option, values): (&String, &Vec<String>)| {
        let flag = values.is_empty().then(|| format!("--{option}"));
        flag.into_iter().chain(values.iter().map(|value| format!("--{option}={value}"))).collect::<Vec<_>>()
    };
    scope.iter().flat_map(words).collect()
}

/// Nothing says how the run in the folder began: it is scanned from the start, where somebody says what.
fn begin_unrecorded(
    output: &Output,
    config: &Config,
    inventory: Option<&Directory>,
    start: Timestamp,
) -> Result<Journal, Problem> {
    let (folder, scope) = (output.path().display(), config.scope().join(" "));
    let what = format!("there is no whole record of a run in {folder}");
    if scope.is_empty() {
        let problem = Problem::new(format!("{what}, and nothing says what is to be scanned"));
        return Err(problem.with_help(
            "say again what is scanned (--organization, …) to scan it from the start; where it is the account of the \
             credentials alone, begin another run with --out DIR",
        ));
    }
    config.check_compensation()?;
    let lost = match inventory.map_or(0, segments) {
        0 => String::new(),
        1 => "; what was read of an account before is discarded".to_owned(),
        accounts => format!("; what was read of {accounts} accounts before is discarded"),
    };
    tracing::warn!("{what}: it is scanned from the start: {scope}{lost}");
    output.begin(config, start)
}

/// The accounts of which something was written down.
fn segments(inventory: &Directory) -> usize {
    let entries = inventory.entries().unwrap_or_default();
    entries.iter().filter(|entry| entry.name.as_encoded_bytes().ends_with(b".jsonl")).count()
}
