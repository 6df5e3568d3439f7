//! Flags, environment variables and a file in; a valid [`Config`] out, or every mistake at once.
//!
//! - [`options`]: each option, defined once;
//! - [`layers`]: what flags, environment and file say, brought together;
//! - [`Config::new`]: what was said, checked until it makes sense.
//!
//! AWS's own settings (profiles, endpoints, proxies) are none of these: they come from aws-config.

mod accounts;
mod compensation;
mod file;
mod layers;
mod mistake;
mod more;
pub mod options;
mod resume;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgMatches, FromArgMatches, ValueEnum};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use sha2::{Digest, Sha256};

pub use accounts::AccountEntry;
pub use compensation::NEEDS_CONTROLS;
pub use mistake::{Given, Mistake, Origin, Place, variable};
pub use more::{MetricGroup, More, With};
pub use resume::{OnlyInFolder, Resume};

use crate::aws::addressing::Addressing;
use crate::aws::session::Timeouts;
use crate::model::{AcceptedControl, AccountId, OuPath, Region, Severity, Sha256Sum, Standard};
use crate::report::Format;
use crate::run_folder::Access;
use options::{DiscoveryArgs, FailOn, FilterArgs, ReadingArgs, RoleArgs, ScanArgs, Way, ways_of};

/// What a scan does, known to make sense.
#[derive(Debug, Clone)]
pub struct Config {
    pub discovery: Discovery,
    pub role: RoleOptions,
    pub filters: Filters,
    /// What is read beside versioning and lifecycle.
    pub more: More,
    /// `None` for a run of its own.
    pub resume: Option<Resume>,
    pub reading: Reading,
    pub standard: Standard,
    /// What [`Standard::CisWithCompensation`] takes for MFA delete.
    pub accepted: BTreeSet<AcceptedControl>,
    pub output: Output,
    /// The severity from which a finding decides the exit code; `None` when findings never do.
    pub fail_on: Option<Severity>,
    pub allow_unknown: bool,
    /// The folder of an earlier run: what that had does not decide the exit code.
    pub baseline: Option<PathBuf>,
    pub quiet: bool,
    pub log: Log,
    pub color: Color,
}

/// How the accounts are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discovery {
    /// The account of the current credentials, which has this id where STS does not answer.
    Current {
        account_id: Option<AccountId>,
    },
    Profiles(Vec<String>),
    Organization,
    AccountsFile(Vec<AccountEntry>),
}

/// The role to assume in each account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleOptions {
    /// With its path, without a slash before it.
    pub name: String,
    pub external_id: Option<Secret>,
    pub session_name: String,
    pub duration: Duration,
}

/// Text that must not show up in logs, reports or messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Which of the accounts and buckets that are found are scanned. An empty set of what to scan means all.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    pub accounts: BTreeSet<AccountId>,
    pub exclude_accounts: BTreeSet<AccountId>,
    /// Ids of organizational units and roots.
    pub ous: BTreeSet<String>,
    pub exclude_ous: BTreeSet<String>,
    pub buckets: Option<BucketPatterns>,
    pub regions: BTreeSet<Region>,
}

impl Filters {
    /// Whether buckets are chosen by name or Region.
    pub fn chooses_buckets(&self) -> bool {
        self.buckets.is_some() || !self.regions.is_empty()
    }

    pub fn account(&self, id: &AccountId) -> bool {
        (self.accounts.is_empty() || self.accounts.contains(id)) && !self.exclude_accounts.contains(id)
    }

    /// Whether [`Filters::ou`] can tell accounts apart only with their place in the organization.
    pub fn needs_ou_paths(&self) -> bool {
        !self.ous.is_empty() || !self.exclude_ous.is_empty()
    }

    /// An empty path (no organization, or a tree that could not be read) is in no unit.
    pub fn ou(&self, path: &OuPath) -> bool {
        let within = |ids: &BTreeSet<String>| ids.iter().any(|id| path.is_within(id));
        (self.ous.is_empty() || within(&self.ous)) && !within(&self.exclude_ous)
    }

    pub fn bucket(&self, name: &str) -> bool {
        self.buckets.as_ref().is_none_or(|patterns| patterns.set.is_match(name))
    }

    pub fn region(&self, region: &Region) -> bool {
        self.regions.is_empty() || self.regions.contains(region)
    }
}

/// Patterns of bucket names, with their text.
#[derive(Debug, Clone)]
pub struct BucketPatterns {
    texts: BTreeSet<String>,
    set: GlobSet,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Requests in flight at once, over all accounts.
    pub concurrency: usize,
    pub addressing: Addressing,
    pub timeouts: Timeouts,
    /// For one call, the first attempt included.
    pub max_attempts: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// `None` for a folder named by the time of the run.
    pub out: Option<PathBuf>,
    pub formats: BTreeSet<Format>,
    /// Who can read the files.
    pub access: Access,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    pub level: LogLevel,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Whether to colour what goes to a stream. `no_color` is the value of `NO_COLOR`, of which an empty one counts
    /// as not set (<https://no-color.org>).
    pub fn is_on(self, terminal: bool, no_color: Option<&std::ffi::OsStr>) -> bool {
        match self {
            Self::Auto => terminal && no_color.is_none_or(std::ffi::OsStr::is_empty),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// A configuration, and what is odd about where it came from.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    pub warnings: Vec<String>,
}

/// The configuration from all three sources.
///
/// - `scan`: clap's definition of the options, [`ScanArgs`] and nothing else;
/// - `flags`: what clap read from `arguments`, which stand behind the name of the subcommand;
/// - `environment`: of which only `BUCKETLENS_*` is looked at.
pub fn load(
    scan: &clap::Command,
    flags: &ArgMatches,
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
) -> Result<Loaded, Vec<Mistake>> {
    let layers = layers::resolve(scan, flags, environment);
    let mut mistakes = layers.mistakes;
    // Before the flags, because these may end with `--`.
    let all = scan.clone().no_binary_name(true).try_get_matches_from(layers.arguments.iter().chain(arguments));
    let args = all.and_then(|matches| ScanArgs::from_arg_matches(&matches));
    let args = args.map_err(|error| vec![Mistake::new(error.to_string())]);
    match args.and_then(|args| Config::new(args, &layers.given)) {
        Ok(config) if mistakes.is_empty() => return Ok(Loaded { config, warnings: layers.warnings }),
        Ok(_) => {}
        Err(further) => mistakes.extend(further),
    }
    Mistake::sort(&mut mistakes);
    Err(mistakes)
}

/// How errors are to be told, as far as the options say that could be read, whatever is wrong with the others.
pub fn log_format(scan: &clap::Command, flags: &ArgMatches, environment: &[(OsString, OsString)]) -> Option<LogFormat> {
    const OPTION: &str = "--log-format";
    let layers = layers::resolve(scan, flags, environment);
    let lower =
        layers.arguments.iter().filter_map(|argument| argument.to_str()?.strip_prefix(OPTION)?.strip_prefix('='));
    let lower = lower.filter_map(|value| LogFormat::from_str(value, false).ok()).next_back();
    lower.or_else(|| flags.get_one("log_format").copied())
}

impl Config {
    /// Checks everything before it gives up: each mistake is reported.
    pub fn new(args: ScanArgs, given: &Given) -> Result<Self, Vec<Mistake>> {
        let mut check = Check { given, mistakes: Vec::new() };
        let discovery = check.discovery(args.discovery);
        let role = check.role(args.role);
        let filters = check.filters(&args.filters);
        let more = check.more(args.more);
        let out = args.report.out;
        let resume = check.resume(args.resume, out.as_deref());
        let accepted = check.accepted(&args.judging, &more);
        check.meanings();
        if !check.mistakes.is_empty() {
            return Err(check.mistakes);
        }
        let log = Log { level: args.console.log_level, format: args.console.log_format };
        Ok(Self {
            discovery,
            role,
            filters,
            more,
            output: Output {
                out: resume.as_ref().map(|resume| resume.folder.clone()).or(out),
                formats: args.report.format.into_iter().collect(),
                access: Access::of(args.report.public_files),
            },
            resume,
            reading: reading(args.concurrency.concurrency, &args.reading),
            standard: args.judging.standard,
            accepted,
            fail_on: args.judging.fail_on.and_then(FailOn::severity),
            allow_unknown: args.judging.allow_unknown,
            baseline: args.judging.baseline,
            quiet: args.console.quiet,
            log,
            color: args.console.color,
        })
    }

    /// What decides which buckets are scanned and what is read of them, in the words of the command line and without
    /// secrets. Empty for the account of the current credentials, no filters and the two requests of every bucket.
    pub fn scope(&self) -> Vec<String> {
        let role = format!("--role-name={}", self.role.name);
        let mut words = match &self.discovery {
            Discovery::Current { account_id } => each("account-id", account_id),
            Discovery::Profiles(names) => each("profile", names),
            Discovery::Organization => vec!["--organization".to_owned(), role],
            Discovery::AccountsFile(entries) => vec![format!("--accounts-file ({} accounts)", entries.len()), role],
        };
        let filters = &self.filters;
        words.extend(each("account", &filters.accounts));
        words.extend(each("exclude-account", &filters.exclude_accounts));
        words.extend(each("ou", &filters.ous));
        words.extend(each("exclude-ou", &filters.exclude_ous));
        words.extend(each("bucket", filters.buckets.iter().flat_map(|patterns| &patterns.texts)));
        words.extend(each("region", &filters.regions));
        words.extend(self.more.options().flat_map(|(option, values)| each(option, values)));
        words.extend(self.more.directory_buckets.then(|| format!("--{}", more::DIRECTORY_BUCKETS)));
        words
    }

    /// SHA-256 in hex of what decides what the report says: two runs with the same digest may be compared.
    pub fn digest(&self) -> Sha256Sum {
        let mut words = self.scope();
        if let Discovery::AccountsFile(entries) = &self.discovery {
            let mut entries: Vec<String> = entries
                .iter()
                .map(|entry| format!("{},{}", entry.id, entry.role_arn.as_deref().unwrap_or_default()))
                .collect();
            entries.sort_unstable();
            words.append(&mut entries);
        }
        words.push(format!("--standard={}", self.standard.as_str()));
        words.extend(each("accept-control", &self.accepted));
        // No word contains NUL, so it separates them without doubt.
        let hash = Sha256::digest(words.join("\0"));
        let digits = hash.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        Sha256Sum::parse(&digits).expect("32 bytes have 64 digits")
    }
}

/// `--option=value` for each value.
fn each<T: fmt::Display>(option: &str, values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| format!("--{option}={value}")).collect()
}

/// What clap has checked already.
pub fn reading(concurrency: usize, args: &ReadingArgs) -> Reading {
    let timeouts = Timeouts {
        connect: Duration::from_secs(args.connect_timeout),
        read: Duration::from_secs(args.read_timeout),
        operation: Duration::from_secs(args.operation_timeout),
    };
    Reading { concurrency, addressing: args.addressing, timeouts, max_attempts: args.max_attempts }
}

/// Checks value after value and keeps what is wrong. What it returns for a wrong value is never used.
struct Check<'a> {
    given: &'a Given,
    mistakes: Vec<Mistake>,
}

impl Check<'_> {
    fn mistake(&mut self, option: &str, nth: usize, what: impl fmt::Display) {
        self.mistakes.push(Mistake::of(&self.given.origin(option, nth), what));
    }

    /// The values that `parse` accepts.
    fn values<T, C: FromIterator<T>>(
        &mut self,
        option: &str,
        values: &[String],
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> C {
        let parsed = values.iter().enumerate().filter_map(|(nth, value)| match parse(value) {
            Ok(value) => Some(value),
            Err(what) => {
                self.mistake(option, nth, what);
                None
            }
        });
        parsed.collect()
    }

    fn discovery(&mut self, args: DiscoveryArgs) -> Discovery {
        let ways = self.ways();
        let named: Vec<String> = ways.iter().map(|way| self.given.origin(way.option(), 0).inline()).collect();
        if let [others @ .., last] = &named[..]
            && !others.is_empty()
        {
            let what = "are different ways to find the accounts: give one of them";
            self.mistakes.push(Mistake::new(format!("{} and {last} {what}", others.join(", "))));
        }
        // Each is read, whichever is meant: its own mistakes are reported too.
        let profiles: Vec<String> = self.values("profile", &args.profile, profile);
        let account_id: Vec<AccountId> = self.values("account-id", args.account_id.as_slice(), accounts::account_id);
        let entries = args.accounts_file.map(|path| accounts::read(&path)).transpose().unwrap_or_else(|mistakes| {
            self.mistakes.extend(mistakes);
            None
        });
        match (ways.first(), entries) {
            (Some(Way::Profile), _) => Discovery::Profiles(without_repeats(profiles)),
            (Some(Way::Organization), _) => Discovery::Organization,
            (Some(Way::AccountsFile), Some(entries)) => Discovery::AccountsFile(entries),
            (Some(Way::AccountsFile | Way::AccountId) | None, _) => {
                Discovery::Current { account_id: account_id.into_iter().next() }
            }
        }
    }

    fn ways(&self) -> Vec<Way> {
        Way::ALL.into_iter().filter(|way| self.given.contains(way.option())).collect()
    }

    fn role(&mut self, args: RoleArgs) -> RoleOptions {
        let external_id = args.external_id;
        if external_id.as_ref().is_some_and(|id| !is_external_id(id.expose())) {
            self.mistake("external-id", 0, "an external id has 2 to 1224 letters, digits or any of _+=,.@:/-");
        }
        RoleOptions {
            name: self.value("role-name", args.role_name, role_name),
            external_id,
            session_name: self.value("session-name", args.session_name, session_name),
            duration: Duration::from_secs(args.session_duration),
        }
    }

    /// The value, as `parse` likes it.
    fn value(&mut self, option: &str, value: String, parse: impl Fn(&str) -> Result<String, String>) -> String {
        let parsed: Option<String> = self.values::<_, Vec<_>>(option, &[value], parse).pop();
        parsed.unwrap_or_default()
    }

    fn filters(&mut self, args: &FilterArgs) -> Filters {
        let filters = Filters {
            accounts: self.values("account", &args.account, accounts::account_id),
            exclude_accounts: self.values("exclude-account", &args.exclude_account, accounts::account_id),
            ous: self.values("ou", &args.ou, ou),
            exclude_ous: self.values("exclude-ou", &args.exclude_ou, ou),
            buckets: self.buckets(&args.bucket),
            regions: self.values("region", &args.region, region),
        };
        self.disjoint("account", &filters.accounts, &filters.exclude_accounts);
        self.disjoint("ou", &filters.ous, &filters.exclude_ous);
        filters
    }

    fn buckets(&mut self, patterns: &[String]) -> Option<BucketPatterns> {
        let globs: Vec<globset::Glob> = self.values("bucket", patterns, bucket_pattern);
        let mut set = GlobSetBuilder::new();
        for glob in &globs {
            set.add(glob.clone());
        }
        match set.build() {
            Ok(_) if globs.is_empty() => None,
            Ok(set) => Some(BucketPatterns { texts: patterns.iter().cloned().collect(), set }),
            Err(error) => {
                self.mistake("bucket", 0, format!("the patterns cannot be used together: {error}"));
                None
            }
        }
    }

    fn disjoint<T: Ord + fmt::Display>(&mut self, option: &str, wanted: &BTreeSet<T>, excluded: &BTreeSet<T>) {
        for both in wanted.intersection(excluded) {
            let exclude = self.given.origin(&format!("exclude-{option}"), 0).inline();
            self.mistake(option, 0, format!("{both} is asked for here and left out by {exclude}"));
        }
    }

    /// Options that have no meaning with the way in which accounts are found.
    fn meanings(&mut self) {
        let chosen = self.ways();
        // A way that could not be read, or that of the run that is to go on, may be the one that an option is for.
        if chosen.is_empty() && (self.given.is_broken() || self.given.contains("resume")) {
            return;
        }
        let meaningless = self.given.options().filter_map(|option| {
            let ways = ways_of(option)?;
            let useless = !ways.iter().any(|way| chosen.contains(way));
            useless.then(|| Mistake::of(&self.given.origin(option, 0), self.no_meaning(ways, &chosen)))
        });
        let meaningless: Vec<Mistake> = meaningless.collect();
        self.mistakes.extend(meaningless);
    }

    fn no_meaning(&self, ways: &[Way], chosen: &[Way]) -> String {
        let wanted: Vec<String> = ways.iter().map(|way| format!("--{}", way.option())).collect();
        let instead = chosen.first().map(|way| format!(", not with {}", self.given.origin(way.option(), 0).inline()));
        format!("this has a meaning only with {}{}", wanted.join(" or "), instead.unwrap_or_default())
    }
}

fn without_repeats(mut names: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn profile(name: &str) -> Result<String, String> {
    if name.trim().is_empty() { Err("the name of a profile is empty".to_owned()) } else { Ok(name.to_owned()) }
}

/// `\w` of AWS's patterns, which means ASCII, and what else it allows.
fn is_made_of(text: &str, besides: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || besides.contains(c))
}

/// Source: STS API reference, `AssumeRole`: `ExternalId`.
fn is_external_id(id: &str) -> bool {
    (2..=1224).contains(&id.len()) && is_made_of(id, "+=,.@:/-")
}

/// Source: STS API reference, `AssumeRole`: `RoleSessionName`.
fn session_name(name: &str) -> Result<String, String> {
    let valid = (2..=64).contains(&name.len()) && is_made_of(name, "+=,.@-");
    let what = || format!("a session name has 2 to 64 letters, digits or any of _+=,.@-, {name:?} has not");
    valid.then(|| name.to_owned()).ok_or_else(what)
}

/// Source: IAM API reference, `CreateRole`: `RoleName` and `Path`.
fn role_name(text: &str) -> Result<String, String> {
    if text.starts_with("arn:") {
        return Err(format!("{text:?} is an ARN: give what stands behind role/ in it"));
    }
    let path = text.strip_prefix('/').unwrap_or(text);
    let valid = |part: &str| (1..=64).contains(&part.len()) && is_made_of(part, "+=,.@-");
    if path.len() <= 512 + 64 && path.split('/').all(valid) {
        Ok(path.to_owned())
    } else {
        Err(format!(
            "{text:?} is not the name of a role: up to 64 letters, digits or any of _+=,.@-, maybe with a path"
        ))
    }
}

/// Source: Organizations API reference, `ListAccountsForParent`: `ParentId`.
fn ou(text: &str) -> Result<String, String> {
    let part = |part: &str, least: usize| {
        (least..=32).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
    };
    let valid = match text.split('-').collect::<Vec<_>>()[..] {
        ["r", root] => part(root, 4),
        ["ou", root, unit] => part(root, 4) && part(unit, 8),
        _ => false,
    };
    let what = || format!("{text:?} is no id of an organizational unit (ou-ab12-11111111) or a root (r-ab12)");
    valid.then(|| text.to_owned()).ok_or_else(what)
}

/// Other servers choose their own names: only what cannot be a name is refused.
fn region(name: &str) -> Result<Region, String> {
    Region::parse(name).map_err(|_| format!("{name:?} is not the name of a Region (eu-central-1)"))
}

/// `*`, `?` and `[..]`; a name is compared as it is written.
fn bucket_pattern(text: &str) -> Result<globset::Glob, String> {
    if text.is_empty() {
        return Err("a pattern is empty".to_owned());
    }
    // globset would take braces for alternatives, but a comma separates patterns here.
    if let Some(c) = text.chars().find(|c| "{}\\/".contains(*c)) {
        return Err(format!("{c:?} in the pattern {text:?} can be in no bucket name: use only *, ? and [a-z]"));
    }
    GlobBuilder::new(text)
        .build()
        .map_err(|error| format!("the pattern {text:?} cannot be understood: {}", error.kind()))
}
