//! The steps for one bucket, in order, each with its commands, what it destroys and how it is undone.

use serde::Serialize;

use super::course::{Lock, Work};
use super::quote::{file_name, shell};
use super::words::counted;
use crate::model::{BucketRecord, MfaDelete, Versioning, is_bucket_name};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Check,
    SaveLifecycle,
    RemoveLifecycle,
    EnableMfaDelete,
    Verify,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub kind: Kind,
    pub title: String,
    /// For the AWS CLI, to be pasted one after the other.
    pub commands: Vec<String>,
    /// What they have to say; anything else is a reason to stop.
    pub expect: String,
    /// What is gone or goes on no more after it.
    pub destroys: Vec<String>,
    /// Does the same and checks more.
    pub instead: Option<String>,
}

/// How everything is undone, the last first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undo {
    pub title: String,
    pub commands: Vec<String>,
}

/// The name of the file in which a bucket's lifecycle configuration is saved.
pub fn saved_in(record: &BucketRecord) -> String {
    format!("lifecycle-{}-{}.json", record.account, file_name(&record.bucket))
}

pub struct Commands<'a> {
    pub record: &'a BucketRecord,
    /// The Region for those whose own is not known.
    pub home_region: &'a str,
}

impl Commands<'_> {
    fn region(&self) -> &str {
        match self.record.region.as_str() {
            "unknown" => self.home_region,
            region => region,
        }
    }

    pub fn call(&self, operation: &str, more: &str) -> String {
        let bucket = shell(&self.record.bucket);
        let space = if more.is_empty() { "" } else { " " };
        let region = shell(self.region());
        format!(
            "aws s3api {operation} --bucket {bucket} --expected-bucket-owner {} --region {region}{space}{more}",
            self.record.account
        )
    }

    fn read_state(&self) -> String {
        self.call("get-bucket-versioning", "--query '[Status,MFADelete]' --output text")
    }

    fn read_whole(&self) -> String {
        self.call("get-bucket-lifecycle-configuration", "--query '{Rules: Rules}' --output json")
    }

    fn read_rules(&self) -> String {
        self.call("get-bucket-lifecycle-configuration", "--query 'length(Rules)'")
    }

    fn read_lock(&self) -> String {
        self.call("get-object-lock-configuration", "")
    }

    /// Asks for the code, so that no history of a shell has it.
    fn put(&self, status: &str, mfa_delete: &str) -> String {
        let state = format!("--versioning-configuration Status={status},MFADelete={mfa_delete}");
        let put = self.call("put-bucket-versioning", &format!("{state} --mfa \"$MFA_SERIAL $CODE\""));
        format!("printf 'Code: ' && read -r CODE && {put}")
    }

    /// Switches MFA delete off, with a prompt for the code.
    pub fn disable(&self) -> String {
        let bucket = shell(&self.record.bucket);
        format!("bucketlens mfa-delete disable {bucket} --mfa-serial \"$MFA_SERIAL\" --apply")
    }

    /// What to read first where something is unknown. Nothing for a name that S3 cannot have: the AWS CLI takes a value
    /// that begins with `-`, `file://` or `http://` for something else, however well it is quoted.
    pub fn reading(&self) -> Vec<String> {
        if !is_bucket_name(&self.record.bucket) {
            return Vec::new();
        }
        vec![self.read_state(), self.call("get-bucket-lifecycle-configuration", ""), self.read_lock()]
    }

    pub fn steps(&self, work: &Work) -> Vec<Step> {
        let mut steps = vec![self.check(work)];
        if let Some(effects) = &work.lifecycle {
            steps.extend([self.save(effects.rules), self.remove(&effects.ends)]);
        }
        if (work.state.versioning, work.state.mfa_delete) != (Versioning::Enabled, MfaDelete::Enabled) {
            steps.push(self.enable(work));
        }
        steps.push(Step {
            kind: Kind::Verify,
            title: "See that MFA delete is in force".to_owned(),
            commands: vec![self.read_state()],
            expect: "`Enabled Enabled`. It may take 15 minutes to be seen: read again before you send another code"
                .to_owned(),
            destroys: Vec::new(),
            instead: None,
        });
        steps
    }

    fn check(&self, work: &Work) -> Step {
        let rules = match &work.lifecycle {
            None => "then `NoSuchLifecycleConfiguration`".to_owned(),
            Some(effects) => format!("then `{}` (lifecycle rules)", effects.rules),
        };
        let lock = match work.object_lock {
            Lock::None | Lock::Unread => {
                "then `ObjectLockConfigurationNotFoundError`: with Object Lock stop here, \
                                          because MFA delete beside it is not documented"
            }
            Lock::Enabled(_) => "then its Object Lock configuration",
        };
        Step {
            kind: Kind::Check,
            title: "See that nothing has changed since the scan".to_owned(),
            commands: vec![self.read_state(), self.read_rules(), self.read_lock()],
            expect: format!("`{} {}`, {rules}, {lock}", status(work.state.versioning), mfa(work.state.mfa_delete)),
            destroys: Vec::new(),
            instead: None,
        }
    }

    fn save(&self, rules: usize) -> Step {
        let file = shell(&saved_in(self.record)).into_owned();
        let smallest =
            self.call("get-bucket-lifecycle-configuration", "--query TransitionDefaultMinimumObjectSize --output text");
        Step {
            kind: Kind::SaveLifecycle,
            title: format!("Save its lifecycle configuration ({})", counted(rules, "rule")),
            commands: vec![
                saved_once(&file, &self.read_whole()),
                saved_once(&format!("{file}.minimum-size"), &smallest),
                format!("bucketlens lifecycle check {file}"),
            ],
            expect:
                "a file with all the rules, and what they do: the same as above, or they were changed since the scan, \
                     so stop. Keep both files. `NOT SAVED`: stop; what was saved before is as it was"
                    .to_owned(),
            destroys: Vec::new(),
            instead: None,
        }
    }

    fn remove(&self, ends: &[&'static str]) -> Step {
        let file = shell(&saved_in(self.record)).into_owned();
        let (whole, delete) = (self.read_whole(), self.call("delete-bucket-lifecycle", ""));
        Step {
            kind: Kind::RemoveLifecycle,
            title: "Remove the lifecycle configuration".to_owned(),
            commands: vec![
                // Only what was saved is removed. A pipe would hide that the reading failed.
                format!(
                    "if test ! -s {file}; then echo 'NOT REMOVED: nothing is saved'; false; \
                     elif ! {whole} > {file}.now || test ! -s {file}.now; \
                     then rm -f {file}.now; echo 'NOT REMOVED: it could not be read again'; false; \
                     elif ! cmp {file} {file}.now; then echo 'NOT REMOVED: it is not what was saved'; false; \
                     else rm {file}.now; {delete}; fi"
                ),
                self.read_rules(),
            ],
            expect: "`NoSuchLifecycleConfiguration`, maybe not at once. `NOT REMOVED`: stop, nothing was sent"
                .to_owned(),
            destroys: ends.iter().map(|end| (*end).to_owned()).collect(),
            instead: None,
        }
    }

    fn enable(&self, work: &Work) -> Step {
        let bucket = shell(&self.record.bucket);
        let is_versioned = status(work.state.versioning) == "Enabled";
        let option = if is_versioned { "" } else { " --enable-versioning" };
        let mut destroys = Vec::new();
        if !is_versioned {
            destroys.push(
                "versioning is enabled with it: from now on every version is kept and paid for, and versioning can be \
                 suspended, never removed"
                    .to_owned(),
            );
        }
        destroys.push(
            "from now on only the root user, with a code for each request, can delete versions or change versioning: \
             what deletes versions today (jobs, lifecycle, people) stops working"
                .to_owned(),
        );
        Step {
            kind: Kind::EnableMfaDelete,
            title: "Enable MFA delete: when it asks, type the six digits that the device shows then".to_owned(),
            commands: vec![self.put("Enabled", "Enabled")],
            expect: "nothing; each code works once, so read the state before you send another".to_owned(),
            destroys,
            instead: Some(format!(
                "bucketlens mfa-delete enable {bucket} --region {} --mfa-serial \"$MFA_SERIAL\"{option} --apply",
                shell(self.region())
            )),
        }
    }

    pub fn undo(&self, work: &Work) -> Vec<Undo> {
        let old_status = if status(work.state.versioning) == "Enabled" { "Enabled" } else { "Suspended" };
        let old_mfa = if work.state.mfa_delete == MfaDelete::Enabled { "Enabled" } else { "Disabled" };
        let mut undo = Vec::new();
        if (old_status, old_mfa) != ("Enabled", "Enabled") {
            let title = match (work.state.versioning, work.state.mfa_delete) {
                (_, MfaDelete::Enabled) => "versioning suspended again, with a code",
                (Versioning::Never, _) => {
                    "MFA delete disabled and versioning suspended, with a code: never configured cannot be had back"
                }
                (_, MfaDelete::Never) => "MFA delete disabled, with a code: never configured cannot be had back",
                (_, MfaDelete::Disabled) => "MFA delete as it was, with a code",
            };
            undo.push(Undo { title: title.to_owned(), commands: vec![self.put(old_status, old_mfa)] });
        }
        if work.lifecycle.is_some() {
            let file = shell(&saved_in(self.record)).into_owned();
            let put = format!("--lifecycle-configuration file://{file}");
            undo.push(Undo {
                title: format!(
                    "only while MFA delete is off: the lifecycle configuration; where {file}.minimum-size says anything \
                     but None, add --transition-default-minimum-object-size with it"
                ),
                commands: vec![self.call("put-bucket-lifecycle-configuration", &put)],
            });
        }
        undo
    }
}

/// A line for any POSIX shell that saves what a command says, all of it or nothing, and over no other file.
fn saved_once(file: &str, command: &str) -> String {
    format!(
        "if test -e {file}; then echo 'NOT SAVED: an old file is there: move it away first'; false; \
         elif {command} > {file}.new && test -s {file}.new; then mv {file}.new {file}; \
         else rm -f {file}.new; echo 'NOT SAVED: it could not be read'; false; fi"
    )
}

/// As the AWS CLI writes it.
pub fn status(versioning: Versioning) -> &'static str {
    match versioning {
        Versioning::Never => "None",
        Versioning::Enabled | Versioning::Partial(_) => "Enabled",
        Versioning::Suspended => "Suspended",
    }
}

/// As the AWS CLI writes it.
pub fn mfa(mfa_delete: MfaDelete) -> &'static str {
    match mfa_delete {
        MfaDelete::Never => "None",
        MfaDelete::Disabled => "Disabled",
        MfaDelete::Enabled => "Enabled",
    }
}
