//! What a plan's commands and its script do where the AWS CLI fails half-way, which no server does when asked to: an `aws`
//! in PATH keeps a bucket in files and fails as it is told. What real servers do is in `real_plan.rs`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::Ran;
use crate::plan::{organization, plan, scan};

const ONE: &str = "111111111111";
const RULES: &str = "{\n    \"Rules\": [\n        {\n            \"ID\": \"uploads\",\n            \"Filter\": {},\n            \
                     \"Status\": \"Enabled\",\n            \"AbortIncompleteMultipartUpload\": {\n                \
                     \"DaysAfterInitiation\": 7\n            }\n        }\n    ]\n}\n";
const DENIED: &str = "An error occurred (AccessDenied) when calling the operation: no";
const CLOSED: &str = "Connection was closed before we received a valid response from endpoint URL";

/// Its bucket is in the files of HOME: `state-BUCKET`, and `gone-BUCKET` where the lifecycle configuration is removed.
/// `fail-OPERATION` and `fail-OPERATION-BUCKET` hold what it says instead of an answer; `slow` makes a new state unseen.
const AWS: &str = r#"#!/bin/sh
operation=$2 bucket=$4
printf '%s\n' "$operation" >>"$HOME/asked"
for fault in "$HOME/fail-$operation" "$HOME/fail-$operation-$bucket"; do
  if [ -e "$fault" ]; then cat "$fault" >&2; exit 254; fi
done
absent() { printf 'An error occurred (%s) when calling the operation: none\n' "$1" >&2; exit 254; }
case "$operation $*" in
  get-bucket-versioning*) cat "$HOME/state-$bucket" ;;
  get-object-lock-configuration*) absent ObjectLockConfigurationNotFoundError ;;
  put-bucket-versioning*) [ -e "$HOME/slow" ] || printf 'Enabled\tEnabled\n' >"$HOME/state-$bucket" ;;
  delete-bucket-lifecycle*) : >"$HOME/gone-$bucket" ;;
  get-bucket-lifecycle-configuration*)
    [ ! -e "$HOME/gone-$bucket" ] || absent NoSuchLifecycleConfiguration
    case $* in
      *'{Rules: Rules}'*) cat "$HOME/rules" ;;
      *TransitionDefault*) echo all_storage_classes_128K ;;
      *'[length'*) printf '1\t[["uploads","Enabled",null,[],null,null,null,null,null,null,7]]\n' ;;
      *) echo 1 ;;
    esac ;;
esac
"#;

struct Desk {
    ran: Ran,
    folder: PathBuf,
}

struct Said {
    code: Option<i32>,
    all: String,
}

impl Desk {
    /// The buckets `tidy`, with lifecycle rules, and `plain`, without, as they were scanned.
    fn new() -> Self {
        let sim = organization();
        let ran = scan(&sim, "--with protection").expect(3);
        let folder = ran.path("desk");
        fs::create_dir(&folder).expect("a folder");
        let desk = Self { ran, folder };
        desk.write("aws", AWS);
        fs::set_permissions(desk.folder.join("aws"), fs::Permissions::from_mode(0o755)).expect("a program");
        desk.write("rules", RULES);
        desk.write("state-tidy", "None\tNone\n");
        desk.write("state-plain", "Enabled\tDisabled\n");
        desk.write("gone-plain", "");
        desk.write("plan.sh", &plan(&desk.ran.path("out"), "--format sh").expect(3).stdout);
        desk
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.join(file), text).expect("writable");
    }

    fn forget(&self, file: &str) {
        fs::remove_file(self.folder.join(file)).expect("there");
    }

    fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(file)).ok()
    }

    fn asked(&self, operation: &str) -> usize {
        let asked = self.read("asked").unwrap_or_default();
        asked.lines().filter(|line| *line == operation).count()
    }

    fn shell(&self) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_bucketlens")).parent().expect("a folder");
        let mut shell = Command::new("/bin/sh");
        shell.current_dir(&self.folder).env_clear().env("HOME", &self.folder).env("MFA_SERIAL", "GAHT12345678");
        shell.env("PATH", format!("{}:{}:/usr/bin:/bin", self.folder.display(), program.display()));
        shell.env("SKIP_ROOT_CHECK", ONE).env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        shell
    }

    fn finish(mut shell: Command, stdin: &str) -> Said {
        use std::io::Write;
        let mut child = shell.spawn().expect("a shell");
        // It may end without having read.
        let _ = child.stdin.take().expect("a pipe").write_all(stdin.as_bytes());
        let output = child.wait_with_output().expect("a child");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        Said { code: output.status.code(), all: text(&output.stdout) + &text(&output.stderr) }
    }

    fn paste(&self, command: &str) -> Said {
        let mut shell = self.shell();
        shell.args(["-c", command]);
        Self::finish(shell, "")
    }

    fn script(&self, words: &str, stdin: &str, wait: &str) -> Said {
        let mut shell = self.shell();
        shell.arg("plan.sh").args(words.split(' ')).env("WAIT", wait);
        Self::finish(shell, stdin)
    }

    /// The commands of a step for `tidy`.
    fn commands(&self, kind: &str) -> Vec<String> {
        let plan = plan(&self.ran.path("out"), "--format json").expect(3);
        let plan: Value = serde_json::from_str(&plan.stdout).expect("JSON");
        let buckets = plan["accounts"][0]["buckets"].as_array().expect("a list");
        let tidy = buckets.iter().find(|bucket| bucket["bucket"] == "tidy").expect("in the plan");
        let mut steps = tidy["steps"].as_array().expect("a list").iter();
        let step = steps.find(|step| step["kind"] == kind).expect("a step");
        serde_json::from_value(step["commands"].clone()).expect("texts")
    }
}

impl Said {
    #[track_caller]
    fn expect(&self, code: i32, words: &[&str], never: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.all);
        for words in words {
            assert!(self.all.contains(words), "{words}: {}", self.all);
        }
        for words in never {
            assert!(!self.all.contains(words), "{words}: {}", self.all);
        }
    }
}

#[test]
fn pasted_commands_remove_only_what_is_saved_and_was_read_again() {
    let desk = Desk::new();
    let (save, remove) = (desk.commands("save_lifecycle"), desk.commands("remove_lifecycle"));
    let (file, size) = (format!("lifecycle-{ONE}-tidy.json"), format!("lifecycle-{ONE}-tidy.json.minimum-size"));
    let read = "get-bucket-lifecycle-configuration";

    // Nothing can be read: nothing is saved, and so nothing is removed, also beside an empty file.
    desk.write(&format!("fail-{read}"), DENIED);
    desk.paste(&save[0]).expect(1, &["NOT SAVED: it could not be read", "AccessDenied"], &["old file"]);
    desk.paste(&save[1]).expect(1, &["NOT SAVED: it could not be read"], &["old file"]);
    assert_eq!((desk.read(&file), desk.read(&size)), (None, None));
    desk.paste(&remove[0]).expect(1, &["NOT REMOVED: nothing is saved"], &[]);
    desk.write(&file, "");
    desk.paste(&remove[0]).expect(1, &["NOT REMOVED: nothing is saved"], &[]);
    desk.forget(&file);
    desk.forget(&format!("fail-{read}"));

    // What is there of another time stays, and is not removed by.
    desk.write(&file, "old");
    desk.paste(&save[0]).expect(1, &["NOT SAVED: an old file is there"], &["could not be read"]);
    desk.paste(&remove[0]).expect(1, &["NOT REMOVED: it is not what was saved"], &[]);
    assert_eq!(desk.read(&file).as_deref(), Some("old"));
    desk.forget(&file);

    desk.paste(&save[0]).expect(0, &[], &["NOT SAVED"]);
    desk.paste(&save[1]).expect(0, &[], &["NOT SAVED"]);
    desk.paste(&save[2]).expect(0, &["1 rule"], &[]);
    assert_eq!(desk.read(&file).as_deref(), Some(RULES));
    assert_eq!(desk.read(&size).as_deref(), Some("all_storage_classes_128K\n"));
    desk.write(&format!("fail-{read}"), "An error occurred (SlowDown) when calling the operation: slow");
    desk.paste(&remove[0]).expect(1, &["NOT REMOVED: it could not be read again"], &[]);
    desk.forget(&format!("fail-{read}"));
    assert_eq!((desk.asked("delete-bucket-lifecycle"), desk.read(&file).as_deref()), (0, Some(RULES)));

    desk.paste(&remove[0]).expect(0, &[], &["NOT REMOVED"]);
    assert_eq!((desk.asked("delete-bucket-lifecycle"), desk.read(&format!("{file}.now"))), (1, None));
}

#[test]
fn a_script_tells_refused_from_accepted_from_no_answer() {
    let desk = Desk::new();
    let put = "fail-put-bucket-versioning";
    let (refused, lost) =
        ("refused, or its code was wrong or late", "no answer to the request for tidy: it may have been");
    let removed = "The lifecycle configuration of tidy is removed; it is saved in";
    let before = "before another code is sent or anything is undone";
    // The first start removes the rules; the others know that they are gone.
    for (fault, wait, typed, code, words, never) in [
        (Some(DENIED), "0", "tidy\n111111\n", 1, [refused, DENIED], ["accepted", "no answer"]),
        (Some(CLOSED), "2", "222222\n", 3, [lost, CLOSED], ["refused", "accepted"]),
        (Some("An error occurred (500) when calling: oh"), "0", "333333\n", 3, [lost, before], ["refused", "accepted"]),
        (None, "0", "444444\n", 3, ["was accepted and is not yet seen", before], ["refused", "no answer"]),
        (None, "0", "", 1, ["there is no further code", "no code was sent"], ["nothing was sent", "A request"]),
    ] {
        desk.write("slow", "");
        if let Some(words) = fault {
            desk.write(put, words);
        }
        let said = desk.script("enable tidy", typed, wait);
        said.expect(code, &words, &never);
        said.expect(code, &[removed], &["Nothing was changed by it, as far as can be read\nA request"]);
        if fault.is_some() {
            desk.forget(put);
        }
    }
    desk.forget("slow");
    // An answer that is lost, of a request that was done.
    desk.write("state-tidy", "Enabled\tEnabled\n");
    desk.script("enable tidy", "", "0").expect(0, &["MFA delete is enabled already"], &[]);
    assert_eq!(desk.asked("delete-bucket-lifecycle"), 1);
}

#[test]
fn a_removal_without_an_answer_is_not_called_refused() {
    let desk = Desk::new();
    desk.write("fail-delete-bucket-lifecycle", CLOSED);
    let sent = "A request was sent, to remove the lifecycle configuration of tidy";
    desk.script("enable tidy", "tidy\n", "0").expect(3, &[sent, CLOSED], &[]);
    desk.write("fail-delete-bucket-lifecycle", DENIED);
    desk.script("enable tidy", "tidy\n", "0").expect(1, &["could not be removed", DENIED], &[sent]);
}

#[test]
fn whoever_interrupts_the_waiting_is_told_that_a_request_was_sent() {
    use std::io::Write;
    let desk = Desk::new();
    desk.write("slow", "");
    let mut shell = desk.shell();
    shell.args(["plan.sh", "enable", "plain"]).env("WAIT", "60");
    let mut child = shell.spawn().expect("a shell");
    child.stdin.take().expect("a pipe").write_all(b"123456\n").expect("it reads");
    let end = Instant::now() + Duration::from_secs(20);
    // The state is read before, and once after.
    while desk.asked("get-bucket-versioning") < 2 {
        assert!(Instant::now() < end, "it never polls");
        std::thread::sleep(Duration::from_millis(20));
    }
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    let output = child.wait_with_output().expect("a child");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!((output.status.code(), desk.asked("put-bucket-versioning")), (Some(130), 1), "{said}");
    assert!(said.contains("not yet seen, to set versioning Enabled and MFA delete Enabled on plain"), "{said}");
    assert!(!said.contains("no request to change anything"), "{said}");
}

#[test]
fn a_check_goes_on_behind_a_bucket_that_cannot_be_read() {
    let desk = Desk::new();
    desk.script("check plain tidy", "", "0").expect(
        0,
        &["as known plain", "as known tidy"],
        &["UNKNOWN  plain", "UNKNOWN:"],
    );
    desk.write("fail-get-bucket-versioning-plain", DENIED);
    let unknown = "UNKNOWN  plain: the versioning state of plain could not be read";
    desk.script("check plain tidy", "", "0").expect(3, &[unknown, "as known tidy", DENIED], &["CHANGED", "STOP"]);
    desk.write("state-tidy", "Suspended\tNone\n");
    desk.script("check plain tidy", "", "0").expect(1, &[unknown, "CHANGED  tidy"], &[]);
    desk.script("enable plain", "111111\n", "0").expect(1, &["STOP: the versioning state of plain could not"], &[]);
    assert_eq!(desk.asked("put-bucket-versioning"), 0);
}
