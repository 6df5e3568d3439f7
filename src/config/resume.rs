//! A run that goes on: what was asked for at its beginning holds, and what is said again must be the same.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, FromArgMatches};

use super::compensation::ACCEPT_CONTROL;
use super::more::DIRECTORY_BUCKETS;
use super::options::{ResumeArgs, ScanArgs};
use super::{Check, Config, Discovery, Given, Mistake, RoleOptions, accounts};
use crate::model::{AcceptedControl, ScopeOptions, Standard};

/// `--resume`.
#[derive(Clone)]
pub struct Resume {
    pub folder: PathBuf,
    /// What is older than this is read again; `None` for nothing.
    pub max_age: Option<Duration>,
    /// What was said beside it.
    given: Given,
}

/// Without where it was said: that does not make another configuration.
impl fmt::Debug for Resume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { folder, max_age, given: _ } = self;
        f.debug_struct("Resume").field("folder", folder).field("max_age", max_age).finish_non_exhaustive()
    }
}

/// What nothing but the folder of a run says of its scope, in the words of the command line.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct OnlyInFolder {
    /// Whose credentials are used for which accounts, and how these are entered.
    pub credentials: Vec<String>,
    /// The options that have to be given for all of that, whoever gives them, with their values.
    pub command_line: Vec<(String, Vec<String>)>,
    /// Everything else.
    pub others: Vec<String>,
}

const EXTERNAL_ID: &str = "external-id";
const ROLE_NAME: &str = "role-name";
const ACCOUNTS_FILE: &str = "accounts-file";

impl Check<'_> {
    pub(super) fn resume(&mut self, args: ResumeArgs, out: Option<&Path>) -> Option<Resume> {
        let Some(folder) = args.resume else {
            if args.max_age.is_some() {
                self.mistake("max-age", 0, "this has a meaning only with --resume");
            }
            return None;
        };
        if let Some(out) = out
            && !is_same(out, &folder)
        {
            let what = format!(
                "the report of a run that goes on stands in its own folder {}, not in {}: leave this out",
                folder.display(),
                out.display()
            );
            self.mistake("out", 0, what);
        }
        Some(Resume { folder, max_age: args.max_age, given: self.given.clone() })
    }
}

/// Whether two paths lead to one folder, which need not exist.
fn is_same(a: &Path, b: &Path) -> bool {
    let place = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).ok();
    place(a) == place(b)
}

impl Config {
    /// What decides what is read, to be kept with the run.
    pub fn scope_options(&self) -> ScopeOptions {
        let mut scope = ScopeOptions::new();
        let mut add = |option: &str, values: Vec<String>| {
            scope.insert(option.to_owned(), values);
        };
        match &self.discovery {
            Discovery::Current { account_id: Some(id) } => add("account-id", texts([id])),
            Discovery::Current { account_id: None } => {}
            Discovery::Profiles(names) => add("profile", names.clone()),
            Discovery::Organization => add("organization", Vec::new()),
            Discovery::AccountsFile(entries) => add(ACCOUNTS_FILE, entries.iter().map(ToString::to_string).collect()),
        }
        if matches!(self.discovery, Discovery::Organization | Discovery::AccountsFile(_)) {
            add(ROLE_NAME, vec![self.role.name.clone()]);
            if self.role.external_id.is_some() {
                add(EXTERNAL_ID, Vec::new());
            }
        }
        let filters = &self.filters;
        for (option, values) in [
            ("account", texts(&filters.accounts)),
            ("exclude-account", texts(&filters.exclude_accounts)),
            ("ou", texts(&filters.ous)),
            ("exclude-ou", texts(&filters.exclude_ous)),
            ("bucket", texts(filters.buckets.iter().flat_map(|patterns| &patterns.texts))),
            ("region", texts(&filters.regions)),
        ] {
            if !values.is_empty() {
                add(option, values);
            }
        }
        self.more.options().for_each(|(option, values)| add(option, values));
        if self.more.directory_buckets {
            add(DIRECTORY_BUCKETS, Vec::new());
        }
        scope
    }

    /// This configuration with the scope of the run that goes on, and its standard and accepted controls unless others
    /// are asked for. What was said of the scope must be what was said then.
    pub fn going_on(
        self,
        resume: &Resume,
        scope: &ScopeOptions,
        standard: Standard,
        accepted: &BTreeSet<AcceptedControl>,
    ) -> Result<Self, Mistake> {
        /// What is no way to find accounts and still part of the scope.
        const OTHERS: [&str; 11] = [
            ROLE_NAME,
            "account",
            "exclude-account",
            "ou",
            "exclude-ou",
            "bucket",
            "region",
            "with",
            "metrics",
            "group-by-tag",
            DIRECTORY_BUCKETS,
        ];
        let ways = super::Way::ALL.map(super::Way::option);
        let own = self.scope_options();
        for option in ways.into_iter().chain(OTHERS).filter(|option| resume.given.contains(option)) {
            let role = [(ROLE_NAME.to_owned(), vec![self.role.name.clone()])].into();
            let now = if option == ROLE_NAME { &role } else { &own };
            if !is_equal(scope.get(option), now.get(option)) {
                let what = other(resume, option, scope.get(option), now.get(option));
                return Err(Mistake::of(&resume.given.origin(option, 0), what));
            }
        }
        if scope.contains_key(EXTERNAL_ID) && self.role.external_id.is_none() {
            let what = "the run was begun with an external id, which is kept nowhere: give it again";
            return Err(Mistake::new(format!("--{EXTERNAL_ID}: {what}")));
        }
        let begun = Self::of_scope(scope).map_err(|what| {
            Mistake::new(format!("the scope of the run in {} cannot be understood: {what}", resume.folder.display()))
        })?;
        let standard = if resume.given.contains("standard") { self.standard } else { standard };
        let accepted = match standard {
            _ if resume.given.contains(ACCEPT_CONTROL) => self.accepted,
            Standard::CisWithCompensation => accepted.clone(),
            Standard::Cis | Standard::SecurityHub => BTreeSet::new(),
        };
        let role = RoleOptions { name: begun.role.name, ..self.role };
        let (discovery, filters, more) = (begun.discovery, begun.filters, begun.more);
        let config = Self { discovery, role, filters, more, standard, accepted, ..self };
        config.check_compensation().map(|()| config)
    }

    /// What the folder of a run says of its scope and neither the command line nor the environment or the configuration
    /// file does.
    pub fn only_in(&self, scope: &ScopeOptions) -> OnlyInFolder {
        let mut own = self.scope_options();
        own.insert(ROLE_NAME.to_owned(), vec![self.role.name.clone()]);
        let ways = super::Way::ALL.map(super::Way::option);
        // The Regions become part of host names where directory buckets are listed in each.
        let region = scope.contains_key(DIRECTORY_BUCKETS).then_some("region");
        let uses_credentials = |option: &str| ways.contains(&option) || option == ROLE_NAME || region == Some(option);
        let mut alone = OnlyInFolder::default();
        for (option, values) in scope.iter().filter(|(option, _)| *option != EXTERNAL_ID) {
            let is_own = is_equal(Some(values), own.get(option));
            let words = if option == ACCOUNTS_FILE { vec![accounts_words(values)] } else { words(option, values) };
            if uses_credentials(option) {
                let file = ["FILE".to_owned()];
                let values = if option == ACCOUNTS_FILE { &file[..] } else { values };
                alone.command_line.push((option.clone(), values.to_vec()));
                alone.credentials.extend(words.into_iter().filter(|_| !is_own));
            } else {
                alone.others.extend(words.into_iter().filter(|_| !is_own));
            }
        }
        alone
    }

    /// What these options say, and defaults: what a run kept of its scope, without the external id.
    pub fn of_scope(scope: &ScopeOptions) -> Result<Self, String> {
        let (mut arguments, mut given) = (Vec::new(), Given::default());
        let mut entries = None;
        for (option, values) in scope {
            match option.as_str() {
                ACCOUNTS_FILE => {
                    entries = Some(values.iter().map(|value| accounts::entry(value)).collect::<Result<_, _>>()?);
                }
                EXTERNAL_ID => {}
                // The way may be a file that is not read again.
                ROLE_NAME => arguments.extend(values.iter().map(|value| format!("--{option}={value}"))),
                _ => {
                    given.insert(option, Vec::new());
                    arguments.extend(values.iter().map(|value| format!("--{option}={value}")));
                    if values.is_empty() {
                        arguments.push(format!("--{option}"));
                    }
                }
            }
        }
        let command = ScanArgs::augment_args(clap::Command::new("scan")).no_binary_name(true);
        let args = command.try_get_matches_from(arguments).and_then(|matches| ScanArgs::from_arg_matches(&matches));
        let args = args.map_err(|error| error.kind().to_string())?;
        let mut config = Self::new(args, &given).map_err(|mistakes| mistakes[0].to_string())?;
        if let Some(entries) = entries {
            config.discovery = Discovery::AccountsFile(entries);
        }
        Ok(config)
    }
}

/// A word for each value.
fn words(option: &str, values: &[String]) -> Vec<String> {
    if values.is_empty() {
        return vec![format!("--{option}")];
    }
    values.iter().map(|value| format!("--{option}={value}")).collect()
}

/// The accounts of a file, of which there may be many.
fn accounts_words(entries: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<&str> = entries.iter().take(SHOWN).map(String::as_str).collect();
    let more = entries.len().saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    format!("--{ACCOUNTS_FILE} (a FILE with the lines {}{more})", shown.join("; "))
}

fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

/// In whatever order.
fn is_equal(then: Option<&Vec<String>>, now: Option<&Vec<String>>) -> bool {
    let set = |values: Option<&Vec<String>>| values.map(|values| values.iter().cloned().collect::<BTreeSet<_>>());
    set(then) == set(now)
}

fn other(resume: &Resume, option: &str, then: Option<&Vec<String>>, now: Option<&Vec<String>>) -> String {
    let words = |values: Option<&Vec<String>>| match values {
        None => "without it".to_owned(),
        Some(values) if values.is_empty() => "with it".to_owned(),
        // They are many.
        Some(values) if option == ACCOUNTS_FILE => format!("with other accounts ({})", values.len()),
        Some(values) => format!("with {}", values.join(",")),
    };
    let (then, folder) = (words(then), resume.folder.display());
    let now = if option == ACCOUNTS_FILE { format!("with these ({})", now.map_or(0, Vec::len)) } else { words(now) };
    format!("the run in {folder} was begun {then}, not {now}: leave this out, or begin another run with --out")
}
