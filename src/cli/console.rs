//! What goes to stderr beside the logs: errors and notes, as text or, with `--log-format json`, as an object a line.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::config::{LogFormat, Mistake, variable};
use crate::model::Timestamp;
use crate::report::harmless;

static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// The first call in a process holds.
pub fn start(format: LogFormat) {
    let _ = FORMAT.set(format);
}

fn is_json() -> bool {
    matches!(FORMAT.get(), Some(LogFormat::Json))
}

/// The format as far as it can be known before the options are: they may be what is wrong.
pub fn guess(argv: &[OsString], environment: &[(OsString, OsString)]) -> LogFormat {
    const OPTION: &str = "--log-format";
    let words: Vec<&str> = argv.iter().map_while(|word| word.to_str()).take_while(|word| *word != "--").collect();
    let behind = words.windows(2).filter(|pair| pair[0] == OPTION).map(|pair| pair[1]).next_back();
    let joined = words.iter().filter_map(|word| word.strip_prefix(OPTION)?.strip_prefix('=')).next_back();
    let is_scan = words.get(1) == Some(&"scan");
    let set = environment.iter().find(|(name, _)| is_scan && *name == *variable("log-format"));
    let set = set.and_then(|(_, value)| value.to_str());
    match behind.or(joined).or(set) {
        Some("json") => LogFormat::Json,
        Some(_) | None => LogFormat::Text,
    }
}

/// Why a command could not run.
pub fn error(what: &str, help: Option<&str>) {
    let text = || match help {
        Some(help) => format!("error: {}\n  help: {}", harmless(what), harmless(help)),
        None => format!("error: {}", harmless(what)),
    };
    say("ERROR", what, help, text);
}

/// Mistakes of the configuration: one sentence, or a list of them.
pub fn mistakes(mistakes: &[Mistake]) {
    if is_json() {
        for mistake in mistakes {
            error(&mistake.to_string(), None);
        }
    } else {
        let _ = io::stderr().write_all(sentences(mistakes).as_bytes());
    }
}

pub fn sentences(mistakes: &[Mistake]) -> String {
    match mistakes {
        [mistake] => format!("error: {mistake}\n"),
        _ => mistakes.iter().fold(format!("error: {} mistakes\n", mistakes.len()), |mut text, mistake| {
            let _ = writeln!(text, "  {mistake}");
            text
        }),
    }
}

/// clap's words: the first paragraph is the error.
pub fn usage(error: &clap::Error) {
    if !is_json() {
        let _ = error.print();
        return;
    }
    let text = error.render().to_string();
    let paragraphs: Vec<String> =
        text.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let (first, rest) = paragraphs.split_first().expect("a split text has a part");
    let line = match first.strip_prefix("error: ") {
        Some(what) => object("ERROR", what, Some(&rest.join(" ")).filter(|rest| !rest.is_empty()).map(String::as_str)),
        // It is the help itself.
        None => object("ERROR", "no command is given", Some("bucketlens --help lists the commands")),
    };
    let _ = writeln!(io::stderr(), "{line}");
}

/// What a person should know beside what the command prints.
pub fn note(what: &str) {
    say("INFO", what, None, || format!("note: {}", harmless(what)));
}

/// What goes on while a person waits.
pub fn tell(what: &str) {
    say("INFO", what, None, || harmless(what).into_owned());
}

fn say(level: &str, what: &str, help: Option<&str>, text: impl FnOnce() -> String) {
    let line = if is_json() { object(level, what, help) } else { text() };
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(io::stderr(), "{line}");
}

/// As the logs are.
fn object(level: &str, what: &str, help: Option<&str>) -> String {
    let mut fields = Map::new();
    fields.insert("timestamp".to_owned(), json!(Timestamp::now().to_string()));
    fields.insert("level".to_owned(), json!(level));
    fields.insert("message".to_owned(), json!(harmless(what)));
    fields.extend(help.map(|help| ("help".to_owned(), json!(help))));
    fields.insert("target".to_owned(), json!(env!("CARGO_CRATE_NAME")));
    Value::Object(fields).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_known_before_the_options_are_understood() {
        let json = |words: &str, environment: &[(&str, &str)]| {
            let argv: Vec<OsString> = words.split(' ').map(OsString::from).collect();
            let environment: Vec<_> = environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
            guess(&argv, &environment) == LogFormat::Json
        };
        let variable = ("BUCKETLENS_LOG_FORMAT", "json");
        assert!(json("bucketlens scan --nonsense --log-format json", &[]));
        assert!(json("bucketlens storage-lens read x --log-format=json", &[]));
        assert!(json("bucketlens scan --nonsense", &[variable]));
        assert!(!json("bucketlens scan --log-format text", &[variable]));
        assert!(!json("bucketlens diff a", &[variable]), "only scan has variables");
        assert!(!json("bucketlens scan -- --log-format json", &[]));
        assert!(!json("bucketlens scan", &[]));
    }
}
