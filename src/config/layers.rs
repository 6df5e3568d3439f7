//! Flags over environment over file. A variable or an entry of the file becomes the argument that it stands for, so
//! that clap checks and reads all three in the same way; what a higher level gave, a list too, replaces the lower one.
//!
//! The way in which accounts are found is one decision, whatever options it takes: when a higher level makes it, the
//! lower one's falls with everything that has a meaning only there. `--profile` on the command line goes before
//! `organization = true` and `ou = […]` in the file.

use std::any::TypeId;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::builder::ArgAction;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::mistake::{PREFIX, variable};
use super::options::{Way, ways_of};
use super::{Given, Mistake, Origin, file};

/// What the environment and the file add to the command line.
pub(super) struct Layers {
    pub arguments: Vec<OsString>,
    pub given: Given,
    pub mistakes: Vec<Mistake>,
    /// What is odd but no mistake.
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    File,
    Environment,
    CommandLine,
}

/// One option as one level gives it.
pub(super) struct Entry {
    pub option: String,
    /// None for a flag that is turned off and for an empty list: both still replace what a lower level says.
    pub arguments: Vec<Argument>,
}

pub(super) struct Argument {
    text: OsString,
    /// As many as clap will find values in the text.
    origins: Vec<Origin>,
}

impl Argument {
    /// `--option=value`, or `--option` where there is no value.
    pub fn new(option: &str, value: Option<OsString>, origin: Origin) -> Self {
        let mut text = OsString::from(format!("--{option}"));
        let mut values = 1;
        if let Some(value) = value {
            values += value.to_string_lossy().matches(',').count();
            text.push("=");
            text.push(value);
        }
        Self { text, origins: vec![origin; values] }
    }
}

/// What kind of value an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Flag,
    Number,
    Text,
    List,
}

impl Kind {
    fn of(arg: &Arg) -> Self {
        let number = [TypeId::of::<u32>(), TypeId::of::<u64>(), TypeId::of::<usize>()];
        match arg.get_action() {
            ArgAction::SetTrue => Self::Flag,
            ArgAction::Append => Self::List,
            _ if number.iter().any(|number| arg.get_value_parser().type_id() == *number) => Self::Number,
            _ => Self::Text,
        }
    }

    pub fn toml(self) -> &'static str {
        match self {
            Self::Flag => "true or false",
            Self::Number => "a whole number",
            Self::Text => "a string in quotes",
            Self::List => "a string in quotes or an array of such strings",
        }
    }
}

/// The options that there are.
pub(super) struct Known<'a> {
    scan: &'a Command,
}

impl<'a> Known<'a> {
    fn options(&self) -> impl Iterator<Item = (&'a Arg, &'a str)> + use<'a> {
        self.scan.get_arguments().filter_map(|arg| Some((arg, arg.get_long()?)))
    }

    pub fn find(&self, name: &str) -> Option<(&'a str, Kind)> {
        self.options().find(|(_, option)| *option == name).map(|(arg, option)| (option, Kind::of(arg)))
    }

    /// An option whose name is nearly this one; clap knows how to find it.
    pub fn similar(&self, name: &str) -> Option<String> {
        let error = self.try_parse(OsStr::new(&format!("--{name}"))).err()?;
        match error.get(ContextKind::SuggestedArg) {
            Some(ContextValue::String(flag)) => Some(flag.trim_start_matches('-').to_owned()),
            _ => None,
        }
    }

    fn try_parse(&self, argument: &OsStr) -> Result<ArgMatches, clap::Error> {
        self.scan.clone().no_binary_name(true).try_get_matches_from([argument])
    }

    /// The entries of which clap takes each argument by itself.
    fn check(&self, entries: Vec<Entry>, mistakes: &mut Vec<Mistake>) -> Vec<Entry> {
        let is_sound = |entry: &Entry| {
            let before = mistakes.len();
            mistakes.extend(entry.arguments.iter().filter_map(|argument| {
                let error = self.try_parse(&argument.text).err()?;
                Some(Mistake::of(&argument.origins[0], self.explain(&entry.option, &error)))
            }));
            mistakes.len() == before
        };
        entries.into_iter().filter(is_sound).collect()
    }

    /// clap's error as the end of a sentence.
    fn explain(&self, option: &str, error: &clap::Error) -> String {
        let value = error.get(ContextKind::InvalidValue).map(ContextValue::to_string).unwrap_or_default();
        match (error.kind(), error.get(ContextKind::ValidValue)) {
            (ErrorKind::InvalidValue, Some(ContextValue::Strings(valid))) if !value.is_empty() => {
                let hint = error.get(ContextKind::SuggestedValue);
                let hint = hint.map(|value| format!("; did you mean {value}?")).unwrap_or_default();
                format!("{value:?} is none of {}{hint}", valid.join(", "))
            }
            (ErrorKind::InvalidValue, _) => "a value is missing".to_owned(),
            (ErrorKind::InvalidUtf8, _) => "the value is not UTF-8 text".to_owned(),
            (ErrorKind::ValueValidation, _) if self.wants_number(option) && value.parse::<i128>().is_err() => {
                format!("{value:?} is not a whole number")
            }
            (ErrorKind::ValueValidation, _) => std::error::Error::source(error).map_or(value, ToString::to_string),
            // No other kind can come from one well-formed argument; its words are then better than none.
            _ => error.kind().to_string(),
        }
    }

    fn wants_number(&self, option: &str) -> bool {
        self.find(option).is_some_and(|(_, kind)| kind == Kind::Number)
    }
}

/// `scan` is the subcommand's definition, `flags` what clap read from the command line.
pub(super) fn resolve(scan: &Command, flags: &ArgMatches, environment: &[(OsString, OsString)]) -> Layers {
    let known = Known { scan };
    let (variables, mut mistakes, warnings) = read_environment(&known, environment);
    let (entries, file_mistakes) =
        config_file(flags, environment).map_or_else(Default::default, |path| file::read(&path, &known));
    mistakes.extend(file_mistakes);

    let from_flags = known.options().filter(|(arg, _)| is_flag_given(flags, arg));
    let from_flags = from_flags.map(|(_, option)| Entry { option: option.to_owned(), arguments: Vec::new() });
    // What is overruled is checked too: it would be wrong the day the higher level says nothing.
    let entries = known.check(entries, &mut mistakes);
    let variables = known.check(variables, &mut mistakes);
    let levels = [(Level::File, entries), (Level::Environment, variables), (Level::CommandLine, from_flags.collect())];
    let winners = drop_overruled(win(levels));
    let mut given = Given::new(!mistakes.is_empty());
    let mut arguments = Vec::new();
    for (level, entry) in winners {
        let origins: Vec<Origin> = entry.arguments.iter().flat_map(|argument| argument.origins.clone()).collect();
        if level == Level::CommandLine || !origins.is_empty() {
            given.insert(&entry.option, origins);
        }
        arguments.extend(entry.arguments.into_iter().map(|argument| argument.text));
    }
    Layers { arguments, given, mistakes, warnings }
}

fn is_flag_given(flags: &ArgMatches, arg: &Arg) -> bool {
    flags.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
}

/// `--config`, on the command line or in the environment.
fn config_file(flags: &ArgMatches, environment: &[(OsString, OsString)]) -> Option<PathBuf> {
    flags.get_one::<PathBuf>("config").cloned().or_else(|| {
        let (_, path) = environment.iter().find(|(name, path)| *name == *variable("config") && !path.is_empty())?;
        Some(Path::new(path).to_owned())
    })
}

/// The variables that name an option; an empty one counts as not set. The names that are no option are warnings:
/// a scheduler's environment is not always the user's to change.
fn read_environment(
    known: &Known<'_>,
    environment: &[(OsString, OsString)],
) -> (Vec<Entry>, Vec<Mistake>, Vec<String>) {
    let (mut entries, mut mistakes, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    let ours = environment.iter().filter_map(|(name, value)| Some((name.to_str()?, value)));
    let mut ours: Vec<_> = ours.filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty()).collect();
    ours.sort_unstable();
    for (name, value) in ours {
        let option = name[PREFIX.len()..].to_ascii_lowercase().replace('_', "-");
        let found = known.find(&option);
        let Some((option, kind)) = found.filter(|(option, _)| variable(option) == name) else {
            let meant = found.map(|(option, _)| option.to_owned()).or_else(|| known.similar(&option));
            let hint = meant.map(|option| format!("; did you mean {}?", variable(&option))).unwrap_or_default();
            warnings.push(format!("the environment variable {name} is no option{hint}"));
            continue;
        };
        let origin = Origin::Environment { option: option.to_owned() };
        let argument = |value| Argument::new(option, value, origin.clone());
        let arguments = match (kind, value.to_str().map(str::to_ascii_lowercase).as_deref()) {
            (Kind::Flag, Some("true" | "1" | "yes" | "on")) => vec![argument(None)],
            (Kind::Flag, Some("false" | "0" | "no" | "off")) => Vec::new(),
            (Kind::Flag, _) => {
                mistakes.push(Mistake::of(&origin, "the value must be true or false"));
                continue;
            }
            (Kind::Number | Kind::Text | Kind::List, _) => vec![argument(Some(value.clone()))],
        };
        entries.push(Entry { option: option.to_owned(), arguments });
    }
    (entries, mistakes, warnings)
}

/// The entry of the highest level for each option.
fn win(levels: [(Level, Vec<Entry>); 3]) -> Vec<(Level, Entry)> {
    let mut winners: Vec<(Level, Entry)> = Vec::new();
    for (level, entries) in levels {
        winners.retain(|(_, old)| entries.iter().all(|new| new.option != old.option));
        winners.extend(entries.into_iter().map(|entry| (level, entry)));
    }
    winners
}

/// Without the ways to find accounts that a higher level's choice overrules, and what has a meaning only there.
fn drop_overruled(mut winners: Vec<(Level, Entry)>) -> Vec<(Level, Entry)> {
    let way_of = |level: Level, entry: &Entry| {
        let says_so = level == Level::CommandLine || !entry.arguments.is_empty();
        Way::ALL.into_iter().find(|way| says_so && way.option() == entry.option)
    };
    let decided: Vec<(Level, Way)> =
        winners.iter().filter_map(|(level, entry)| Some((*level, way_of(*level, entry)?))).collect();
    let Some(highest) = decided.iter().map(|(level, _)| *level).max() else { return winners };
    let chosen = |way: &Way| decided.contains(&(highest, *way));
    winners.retain(|(level, entry)| {
        let overruled_way = way_of(*level, entry).is_some();
        let meaningless = ways_of(&entry.option).is_some_and(|ways| !ways.iter().any(chosen));
        *level >= highest || !(overruled_way || meaningless)
    });
    winners
}
