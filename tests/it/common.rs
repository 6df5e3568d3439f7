//! Drives the real program: nothing of this machine's environment reaches it.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use bucketlens::simulator::{self, Options, Organization, Simulator};
use tempfile::TempDir;

/// A run of `bucketlens` in an empty home.
pub struct Cli {
    command: Command,
    home: TempDir,
}

/// What came of it.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    /// Kept: files of the run stand in it.
    home: TempDir,
}

impl Cli {
    pub fn new<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_bucketlens"));
        command.args(arguments).current_dir(home.path()).env_clear();
        command.env("HOME", home.path()).env("AWS_EC2_METADATA_DISABLED", "true");
        Self { command, home }
    }

    /// Points it at a server on loopback, with an account's keys as the simulator names them.
    pub fn at(self, endpoint: &str, account: &str) -> Self {
        self.keys(endpoint, &simulator::access_key(account), simulator::SECRET_KEY)
    }

    pub fn keys(self, endpoint: &str, access_key: &str, secret_key: &str) -> Self {
        self.env("AWS_ENDPOINT_URL", endpoint)
            .env("AWS_ACCESS_KEY_ID", access_key)
            .env("AWS_SECRET_ACCESS_KEY", secret_key)
            .env("AWS_REGION", "us-east-1")
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Writes a file below the run's home.
    pub fn file(self, path: &str, text: &str) -> Self {
        let path = self.home.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        std::fs::write(path, text).expect("writable");
        self
    }

    /// Copies a folder below the run's home.
    pub fn folder(self, path: &str, from: &Path) -> Self {
        fn copy(from: &Path, to: &Path) {
            std::fs::create_dir_all(to).expect("writable");
            for entry in std::fs::read_dir(from).expect("a folder") {
                let entry = entry.expect("readable");
                let to = to.join(entry.file_name());
                if entry.path().is_dir() {
                    copy(&entry.path(), &to);
                } else {
                    std::fs::copy(entry.path(), to).expect("writable");
                }
            }
        }
        copy(from, &self.home.path().join(path));
        self
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn run(mut self) -> Ran {
        let output = self.command.output().expect("bucketlens starts");
        Ran::new(output, self.home)
    }

    /// Starts it, which must say little.
    pub fn start(mut self) -> Running {
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running { child: self.command.spawn().expect("bucketlens starts"), home: self.home }
    }

    /// The same command behind these words of the shell.
    pub fn run_by_shell(self, words: &str) -> Ran {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(format!("{words}; exec \"$0\" \"$@\"")).arg(self.command.get_program());
        shell.args(self.command.get_args()).current_dir(self.home.path()).env_clear();
        shell.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = shell.output().expect("a shell");
        Ran::new(output, self.home)
    }

    /// Runs it with this on its standard input.
    pub fn run_with(mut self, stdin: &str) -> Ran {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("bucketlens starts");
        let mut input = child.stdin.take().expect("a pipe");
        // It may end without having read.
        let _ = input.write_all(stdin.as_bytes());
        drop(input);
        Ran::new(child.wait_with_output().expect("a child"), self.home)
    }

    /// Runs it on a terminal of its own, where a person types each line once it is asked for with `question`.
    /// What the terminal showed is `stdout`.
    pub fn run_on_terminal(self, question: &str, typed: &[&str]) -> Ran {
        let mut command = Command::new("/usr/bin/script");
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let line: Vec<String> = words.map(|word| format!("'{}'", word.to_str().expect("text"))).collect();
        command.args(["--quiet", "--return", "--command", &format!("exec {}", line.join(" ")), "/dev/null"]);
        command.env_clear().current_dir(self.home.path());
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("script starts");
        let mut keys = child.stdin.take().expect("a pipe");
        let mut screen = child.stdout.take().expect("a pipe");
        let (mut shown, mut answered, mut buffer) = (Vec::new(), 0, [0; 4096]);
        while let Ok(read @ 1..) = screen.read(&mut buffer) {
            shown.extend_from_slice(&buffer[..read]);
            let asked = String::from_utf8_lossy(&shown).matches(question).count();
            if let Some(line) = typed.get(answered)
                && asked > answered
            {
                keys.write_all(line.as_bytes()).expect("script reads");
                answered += 1;
            }
        }
        assert_eq!(answered, typed.len(), "{}", String::from_utf8_lossy(&shown));
        let mut output = child.wait_with_output().expect("a child");
        output.stdout = shown;
        Ran::new(output, self.home)
    }

    /// Runs it, which must say little, and tells how many KiB of memory it had at most.
    pub fn run_measured(mut self) -> (Ran, u64) {
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("bucketlens starts");
        let mut peak = 0;
        while child.try_wait().expect("a child").is_none() {
            peak = peak.max(peak_memory(&child));
            std::thread::sleep(Duration::from_millis(10));
        }
        (Ran::new(child.wait_with_output().expect("a child"), self.home), peak)
    }
}

/// A run that is under way.
pub struct Running {
    child: Child,
    home: TempDir,
}

impl Running {
    /// `INT`, `TERM`, `KILL`, ...
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("/bin/sh").args(["-c", &kill]).status().expect("a shell").success(), "{kill}");
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    /// The code of one that a signal ended is -1.
    pub fn wait(self) -> Ran {
        Ran::new(self.child.wait_with_output().expect("a child"), self.home)
    }
}

/// `VmHWM`, in KiB; 0 once it has ended.
fn peak_memory(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

impl Ran {
    fn new(Output { status, stdout, stderr }: Output, home: TempDir) -> Self {
        Self {
            code: status.code().unwrap_or(-1),
            stdout: String::from_utf8(stdout).expect("text"),
            stderr: String::from_utf8(stderr).expect("text"),
            home,
        }
    }

    /// The run must have ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.stderr))
    }

    /// The rows of a CSV file, each by its header.
    #[track_caller]
    pub fn rows(&self, path: &str) -> Vec<Row> {
        let text = self.read(path);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        reader.deserialize().collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    #[track_caller]
    pub fn json(&self, path: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The one row of `buckets.csv` that speaks of a bucket.
    #[track_caller]
    pub fn bucket(&self, name: &str) -> Row {
        let mut rows: Vec<Row> = self.rows("out/buckets.csv").into_iter().filter(|row| row["bucket"] == name).collect();
        assert_eq!(rows.len(), 1, "rows of {name}: {rows:?}");
        rows.remove(0)
    }
}

pub type Row = std::collections::BTreeMap<String, String>;

/// The simulator in this process, on a runtime of its own.
pub struct Sim {
    pub endpoint: String,
    simulator: Option<Simulator>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Sim {
    pub fn start(organization: Organization) -> Self {
        Self::with(organization, Options::default())
    }

    pub fn json(text: &str) -> Self {
        Self::start(Organization::from_json(text).expect("a good fixture"))
    }

    pub fn with(organization: Organization, options: Options) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let simulator = runtime.block_on(Simulator::start(organization, options)).expect("loopback");
        Self { endpoint: simulator.endpoint(), simulator: Some(simulator), runtime: Some(runtime) }
    }

    /// Requests of any kind.
    pub fn total(&self) -> u64 {
        self.simulator.as_ref().expect("running").counts().values().sum()
    }

    /// How often an operation was asked.
    pub fn count(&self, operation: &str) -> u64 {
        let counts = self.simulator.as_ref().expect("running").counts();
        counts.get(operation).copied().unwrap_or_default()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        drop(self.simulator.take());
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// All files below a folder, by their names from there, sorted.
pub fn files(folder: &Path) -> Vec<String> {
    let (mut folders, mut names) = (vec![folder.to_owned()], Vec::new());
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                names.push(path.strip_prefix(folder).expect("below").to_str().expect("text").to_owned());
            }
        }
    }
    names.sort();
    names
}

/// A folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    for name in files(from) {
        let path = to.join(&name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        std::fs::copy(from.join(&name), path).expect("writable");
    }
}
