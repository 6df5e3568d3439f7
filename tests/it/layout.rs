//! The house keeps its shape: who may import whom, who knows the SDK and polars, who prints.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A module and those it may import. A new module is new here too.
const MAY_IMPORT: [(&str, &[&str]); 24] = [
    ("model", &["lifecycle"]),
    ("lifecycle", &["model"]),
    ("policy", &["model"]),
    ("protection", &["model", "policy"]),
    ("replication", &["model"]),
    ("rules", &["lifecycle", "model", "policy", "protection"]),
    ("storage_lens", &["model", "replication"]),
    ("evaluate", &["model", "policy", "protection", "replication", "rules"]),
    ("plan", &["evaluate", "lifecycle", "model", "report"]),
    ("permissions", &["model"]),
    ("aws", &["lifecycle", "model"]),
    ("discover", &["aws", "config", "model"]),
    ("collect", &["aws", "config", "discover", "inventory", "model"]),
    ("run_folder", &[]),
    ("inventory", &["model", "run_folder"]),
    ("aggregate", &["evaluate", "model", "replication"]),
    ("diff", &["evaluate", "inventory", "lifecycle", "model"]),
    ("dataset", &["aggregate", "evaluate", "model", "run_folder", "storage_lens"]),
    ("trend", &["aggregate", "dataset", "model"]),
    (
        "report",
        &[
            "aggregate",
            "dataset",
            "diff",
            "evaluate",
            "lifecycle",
            "model",
            "policy",
            "protection",
            "rules",
            "run_folder",
            "storage_lens",
            "trend",
        ],
    ),
    ("config", &["aws", "model", "report", "run_folder"]),
    ("exit", &["model"]),
    ("simulator", &[]),
    (
        "cli",
        &[
            "aggregate",
            "aws",
            "collect",
            "config",
            "dataset",
            "diff",
            "discover",
            "evaluate",
            "exit",
            "inventory",
            "lifecycle",
            "model",
            "permissions",
            "plan",
            "replication",
            "report",
            "run_folder",
            "simulator",
            "storage_lens",
            "trend",
        ],
    ),
];

/// Of these modules an importer may use only these items: the rest is their own business.
const ONLY: [(&str, &str, &[&str]); 10] = [
    ("model", "lifecycle", &["lifecycle::Configuration", "lifecycle::MinimumSize"]),
    ("aws", "lifecycle", &["lifecycle::MinimumSize", "lifecycle::read", "lifecycle::read::RemarkKind"]),
    ("report", "aggregate", &["aggregate::MetricRow", "aggregate::Metrics", "aggregate::Scope", "aggregate::Value"]),
    ("plan", "report", &["report::harmless"]),
    ("plan", "evaluate", &["evaluate::Evaluation", "evaluate::Evaluator"]),
    // For its tests.
    ("report", "lifecycle", &[]),
    ("report", "evaluate", &["evaluate::Analysis", "evaluate::Evaluation"]),
    ("config", "aws", &["aws::addressing::Addressing", "aws::session::Timeouts"]),
    ("config", "report", &["report::Format"]),
    ("config", "run_folder", &["run_folder::Access"]),
];

struct Source {
    /// From `src` on.
    path: String,
    module: String,
    /// Without comments, texts and the tests at its end.
    code: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src is there") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    let sources: Vec<Source> = files.iter().map(|path| Source::read(path)).collect();
    assert!(sources.len() > 50, "{}", sources.len());
    sources
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("text");
        let below: PathBuf = path.strip_prefix(root()).expect("below").to_owned();
        let module = below.components().nth(1).expect("a name").as_os_str().to_string_lossy();
        let code = code(&text);
        let end = code.find("#[cfg(test)]\nmod tests {").unwrap_or(code.len());
        Self {
            path: below.to_string_lossy().into_owned(),
            module: module.trim_end_matches(".rs").to_owned(),
            code: code[..end].to_owned(),
        }
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path == "src/report/example.rs"
    }

    fn mentions(&self, word: &str) -> bool {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        self.code.match_indices(word).any(|(at, _)| {
            let (before, after) = (&self.code[..at], &self.code[at + word.len()..]);
            // A word that ends in _ is the beginning of one.
            !before.ends_with(is_part) && (word.ends_with('_') || !after.starts_with(is_part))
        })
    }
}

/// Without comments and the content of texts: what is left is code.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").expect("closed") + 2
        } else if let Some(length) = raw_text(rest) {
            length
        } else if c == '"' {
            closing(rest, '"')
        } else if rest.starts_with("'\\") {
            closing(rest, '\'')
        } else if c == '\'' && rest.chars().nth(2) == Some('\'') {
            rest.char_indices().nth(3).map_or(rest.len(), |(at, _)| at)
        } else {
            code.push(c);
            c.len_utf8()
        };
        rest = &rest[skipped..];
    }
    code
}

/// The length of a text or character that begins here, to its closing sign.
fn closing(text: &str, sign: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == sign => return at + 1,
            _ => {}
        }
    }
    panic!("not closed: {text}")
}

/// The length of a raw text that begins here.
fn raw_text(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix('r')?;
    let count = hashes.len() - hashes.trim_start_matches('#').len();
    let content = hashes[count..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(count));
    Some(2 + count + content.find(&end).expect("closed") + end.len())
}

/// Every path below the root module, groups resolved: `crate::a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, start) in code.match_indices("crate::") {
        resolve("", &code[at + start.len()..], &mut found);
    }
    found
}

/// Reads one path or group, and returns what stands behind it.
fn resolve<'a>(before: &str, text: &'a str, found: &mut Vec<String>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut group) = text.strip_prefix('{') {
        while !group.trim_start().starts_with('}') {
            group = resolve(before, group, found).trim_start().trim_start_matches(',');
        }
        return group.trim_start().strip_prefix('}').expect("the end of the group");
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let path = if before.is_empty() { text[..end].to_owned() } else { format!("{before}::{}", &text[..end]) };
    match text[end..].strip_prefix("::") {
        Some(rest) if rest.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '{') => {
            resolve(&path, rest, found)
        }
        _ => {
            found.push(path.trim_end_matches("::self").to_owned());
            &text[end..]
        }
    }
}

#[test]
fn paths_are_understood() {
    let text = "use crate::a::{self, b, c::{D, e}};\n// crate::comment\nlet x = \"crate::text\"; crate::f::g::<T>(r#\"crate::\"raw\"#, 'c', '\"');\nfn y<'a>() { crate::{h, i::j}; }";
    assert_eq!(paths(&code(text)), ["a", "a::b", "a::c::D", "a::c::e", "f::g", "h", "i::j"]);
}

#[test]
fn modules_import_only_what_they_may() {
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.into();
    for source in sources() {
        if source.path == "src/lib.rs" || source.path == "src/main.rs" {
            continue;
        }
        let allowed = table.get(source.module.as_str()).unwrap_or_else(|| panic!("{}: a new module", source.path));
        for path in paths(&source.code) {
            let other = path.split("::").next().expect("a name");
            let is_own = other == source.module;
            assert!(is_own || allowed.contains(&other), "{} imports {path}", source.path);
            let limit = ONLY.iter().find(|(importer, module, _)| *importer == source.module && *module == other);
            if let Some((_, _, items)) = limit
                && !source.is_test()
            {
                assert!(items.contains(&path.as_str()), "{} imports {path}", source.path);
            }
        }
        // `super` must not lead where `crate` may not: src/a/b.rs is two below the root.
        let depth = source.path.matches('/').count();
        assert!(!source.code.contains(&"super::".repeat(depth)), "{} reaches the root by super", source.path);
    }
}

#[test]
fn main_knows_only_the_command_line() {
    let main = Source::read(&root().join("src/main.rs"));
    assert_eq!(main.code.matches("bucketlens::").count(), main.code.matches("bucketlens::cli::").count());
    let lines = fs::read_to_string(root().join("src/main.rs")).expect("text").lines().count();
    assert!(lines <= 20, "{lines}");
}

/// Only sources in these modules may mention one of these words.
#[track_caller]
fn assert_only(modules: &[&str], words: &[&str]) {
    let mut users = 0;
    for source in sources() {
        for word in words.iter().filter(|word| source.mentions(word)) {
            assert!(modules.contains(&source.module.as_str()), "{} mentions {word}", source.path);
            users += 1;
        }
    }
    assert_ne!(users, 0, "nobody mentions any of {words:?}: this test would not notice anything");
}

#[test]
fn only_aws_knows_the_sdk() {
    assert_only(&["aws"], &["aws_"]);
}

#[test]
fn only_the_aggregates_know_polars() {
    assert_only(&["aggregate", "dataset"], &["polars", "polars_"]);
}

#[test]
fn only_the_command_line_prints_and_reads_the_environment() {
    assert_only(&["cli"], &["println!", "eprintln!", "print!", "eprint!", "dbg!", "io::stdout", "io::stderr"]);
    assert_only(
        &["cli", "main"],
        &["env::args_os", "env::args", "env::vars_os", "env::vars", "env::var_os", "env::var"],
    );
}

/// What is in a folder may be a stranger's.
#[test]
fn only_the_run_folder_opens_and_removes_what_is_in_a_folder() {
    const WORDS: [&str; 8] = [
        "fs::read_dir",
        "fs::rename",
        "fs::remove_file",
        "fs::remove_dir_all",
        "fs::create_dir_all",
        "File::create",
        "File::open",
        "OpenOptions",
    ];
    // The user names the file, which may be a pipe of the shell; and a table that is open already.
    const EXCEPT: [&str; 3] = ["src/aws/profile.rs", "src/cli/lifecycle.rs", "src/cli/trend/search.rs"];
    let is_except = |source: &Source| source.is_test() || EXCEPT.contains(&source.path.as_str());
    let others = |source: &&Source| source.module != "run_folder" && source.module != "simulator" && !is_except(source);
    for source in sources().iter().filter(others) {
        let word = WORDS.into_iter().find(|word| source.mentions(word));
        assert_eq!(word, None, "{}", source.path);
    }
}

#[test]
fn only_main_exits() {
    for source in sources() {
        assert!(!source.mentions("process::exit") && !source.mentions("process::abort"), "{}", source.path);
    }
}

#[test]
fn only_the_edge_looks_at_the_clock() {
    assert_only(&["cli", "collect"], &["Timestamp::now"]);
    assert_only(&["aws", "cli", "inventory", "model", "simulator"], &["now_utc", "SystemTime::now", "Instant::now"]);
}

#[test]
fn no_tracked_file_speaks_of_a_developers_machine() {
    // With a slash before and behind, which this file does not have.
    let places =
        ["home", "root", "Users", "tmp/bash_jobs", "work/main", "work/shared"].map(|place| format!("/{place}"));
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    // Without git, as in an unpacked archive, nobody knows what is tracked.
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else { return };
    let names = String::from_utf8(listed.stdout).expect("names are text");
    for name in names.split_terminator('\0') {
        // One that was deleted and not yet committed is gone, one that is no text says nothing.
        let Ok(text) = fs::read_to_string(root().join(name)) else { continue };
        let found = places.iter().find(|place| {
            text.match_indices(*place).any(|(at, place)| text[at + place.len()..].starts_with(['/', '.']))
        });
        assert_eq!(found, None, "{name}");
    }
}
