//! The configuration file: TOML whose keys are the names of the options, without sections.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::layers::{Argument, Entry, Kind, Known};
use super::{Mistake, Origin, Place};

/// The entries of the file that can be understood, and what is wrong with the others.
pub(super) fn read(path: &Path, known: &Known<'_>) -> (Vec<Entry>, Vec<Mistake>) {
    let problem = |what: String| (Vec::new(), vec![Mistake::new(what)]);
    match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => parse(path, text.strip_prefix('\u{feff}').unwrap_or(&text), known),
        Ok(Err(_)) => problem(format!("the configuration file {} is not UTF-8 text", path.display())),
        Err(error) => problem(format!("cannot read the configuration file {}: {error}", path.display())),
    }
}

fn parse(path: &Path, text: &str, known: &Known<'_>) -> (Vec<Entry>, Vec<Mistake>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let file = File { path, text, known };
    let mut mistakes = file.syntax(&errors);
    // An entry around an error of syntax is half guessed: what it seems to say is not judged.
    let sound = |key: &Spanned<Cow<'_, str>>, value: &Spanned<DeValue<'_>>| {
        let entry = key.span().start..=value.span().end;
        !errors.iter().filter_map(toml::de::Error::span).any(|error| entry.contains(&error.start))
    };
    let mut entries: Vec<Entry> = Vec::new();
    for (key, value) in table.get_ref().iter().filter(|(key, value)| sound(key, value)) {
        match file.entry(key, value) {
            Ok(entry) if entries.iter().any(|other| other.option == entry.option) => {
                let twice = format!("{} is given twice, once with - and once with _", entry.option);
                mistakes.push(file.mistake(&key.span(), twice));
            }
            Ok(entry) => entries.push(entry),
            Err((span, what)) => mistakes.push(file.mistake(&span, what)),
        }
    }
    (entries, mistakes)
}

struct File<'a> {
    path: &'a Path,
    text: &'a str,
    known: &'a Known<'a>,
}

/// What is wrong, and where.
type Wrong = (Range<usize>, String);

impl File<'_> {
    fn place(&self, span: &Range<usize>) -> Place {
        Place::of_byte(self.path, self.text, span.start)
    }

    fn mistake(&self, span: &Range<usize>, what: impl std::fmt::Display) -> Mistake {
        Mistake::in_file(self.place(span), what)
    }

    /// The first error of each line: those behind it mostly follow from it.
    fn syntax(&self, errors: &[toml::de::Error]) -> Vec<Mistake> {
        let mut errors: Vec<_> =
            errors.iter().map(|error| (error.span().unwrap_or_default(), error.message())).collect();
        errors.sort_by_key(|(span, _)| span.start);
        errors.dedup_by_key(|(span, _)| self.place(span).line);
        let sentence = |(span, message)| self.mistake(&span, format!("this is no valid TOML: {message}"));
        errors.into_iter().map(sentence).collect()
    }

    fn entry(&self, key: &Spanned<Cow<'_, str>>, value: &Spanned<DeValue<'_>>) -> Result<Entry, Wrong> {
        if value.get_ref().is_table() {
            let what = format!("{:?} is a section: options stand in the file without sections", key.get_ref());
            return Err((key.span(), what));
        }
        let name = key.get_ref().replace('_', "-");
        if name == "config" {
            return Err((key.span(), "a configuration file cannot name another one".to_owned()));
        }
        let Some((option, kind)) = self.known.find(&name) else {
            let hint = self.known.similar(&name).map(|name| format!("; did you mean {name}?")).unwrap_or_default();
            return Err((key.span(), format!("there is no option {:?}{hint}", key.get_ref())));
        };
        let argument = |value: &Spanned<DeValue<'_>>| self.argument(option, kind, value);
        let arguments = match (kind, value.get_ref()) {
            (Kind::Flag, DeValue::Boolean(false)) => Vec::new(),
            (Kind::List, DeValue::Array(values)) => values.iter().map(argument).collect::<Result<_, _>>()?,
            (Kind::Flag | Kind::Number | Kind::Text | Kind::List, _) => vec![argument(value)?],
        };
        Ok(Entry { option: option.to_owned(), arguments })
    }

    fn argument(&self, option: &str, kind: Kind, value: &Spanned<DeValue<'_>>) -> Result<Argument, Wrong> {
        let text = match (kind, value.get_ref()) {
            (Kind::Flag, DeValue::Boolean(true)) => None,
            (Kind::Text | Kind::List, DeValue::String(text)) => Some(text.to_string()),
            (Kind::Number, DeValue::Integer(number)) => Some(
                i128::from_str_radix(number.as_str(), number.radix())
                    .map_or_else(|_| number.to_string(), |number| number.to_string()),
            ),
            (_, other) => {
                let what = format!("{option} must be {}, not {}", kind.toml(), article(other.type_str()));
                return Err((value.span(), what));
            }
        };
        let origin = Origin::File { option: option.to_owned(), place: self.place(&value.span()) };
        Ok(Argument::new(option, text.map(Into::into), origin))
    }
}

fn article(noun: &str) -> String {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { format!("an {noun}") } else { format!("a {noun}") }
}
