//! A plan for people: what to know first, then account by account, each step with commands to paste.

use std::io::{self, Write};

use super::course::{Course, Tally, Unread, Why, Work};
use super::quote::{code, line, shell};
use super::steps::{Commands, Step};
use super::words::{
    CHINA, CONFLICT, NO_BUCKET, POLICY_KEEPS_ROOT_OUT, ROOT, ROOT_OF_CHINA, better, counted, filtered, lock,
    lock_unread, state, why_not,
};
use super::{Entry, Head, Section, Sink};
use crate::model::{AccountRecord, Outcome};

const NO_NAME: &str = "No bucket of Amazon S3 can have this name, so the plan puts it into no command";

pub struct Document<'a> {
    out: &'a mut dyn Write,
    home_region: &'static str,
    partition: String,
}

impl<'a> Document<'a> {
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, home_region: "", partition: String::new() }
    }

    /// A list of paragraphs, each a point.
    fn points(&mut self, points: impl IntoIterator<Item = String>) -> io::Result<()> {
        points.into_iter().try_for_each(|point| writeln!(self.out, "- {point}"))
    }

    fn commands(&mut self, indent: &str, commands: &[String]) -> io::Result<()> {
        writeln!(self.out, "{indent}```sh")?;
        commands.iter().try_for_each(|command| writeln!(self.out, "{indent}{command}"))?;
        writeln!(self.out, "{indent}```")
    }

    fn work(&mut self, entry: &Entry<'_>, work: &Work, why: &[Why]) -> io::Result<()> {
        let is_conflict = matches!(entry.course, Course::Conflict(..));
        let rules = work.lifecycle.as_ref().map_or(", no lifecycle configuration".to_owned(), |effects| {
            format!(", a lifecycle configuration with {}", counted(effects.rules, "rule"))
        });
        let lock = lock(work.object_lock).map_or_else(String::new, |words| format!(", {words}"));
        let (state, at) = (state(work.state), entry.record.observed_at());
        writeln!(self.out, "Read at {at}: {state}{rules}{lock}.")?;
        if work.policy_lets_root == Some(false) {
            writeln!(self.out, "\n**Mind:** {POLICY_KEEPS_ROOT_OUT}.")?;
        }
        if is_conflict {
            writeln!(self.out, "\n**Both are in force:** {CONFLICT}.")?;
        }
        if !why.is_empty() {
            writeln!(self.out, "\n**MFA delete is the wrong tool here:**\n")?;
            self.points(why.iter().map(|why| text(&why_not(why))))?;
            writeln!(self.out, "\nBetter, the best first:\n")?;
            self.points(better(why, work))?;
            if !is_conflict {
                writeln!(self.out, "\nIf it is to have MFA delete all the same:")?;
            }
        }
        if let Some(effects) = &work.lifecycle {
            writeln!(self.out, "\nWhat its lifecycle configuration does today:\n")?;
            self.points(effects.today.iter().map(|line| code(line)))?;
        }
        let commands = Commands { record: entry.record, home_region: self.home_region };
        writeln!(self.out)?;
        if is_conflict {
            writeln!(self.out, "To keep the lifecycle configuration and give up MFA delete:\n")?;
            self.commands("", &[commands.disable()])?;
            writeln!(self.out, "\nTo keep MFA delete and give up the lifecycle configuration:\n")?;
        }
        for (number, step) in commands.steps(work).iter().enumerate() {
            self.step(number + 1, step)?;
        }
        let undo = commands.undo(work);
        if !undo.is_empty() {
            writeln!(self.out, "To undo it, in this order:\n")?;
        }
        for (number, undo) in undo.iter().enumerate() {
            writeln!(self.out, "{}. {}\n", number + 1, undo.title)?;
            self.commands("   ", &undo.commands)?;
        }
        writeln!(self.out)
    }

    fn step(&mut self, number: usize, step: &Step) -> io::Result<()> {
        writeln!(self.out, "{number}. {}.\n", step.title)?;
        self.commands("   ", &step.commands)?;
        writeln!(self.out, "\n   Expected: {}.", step.expect)?;
        for loss in &step.destroys {
            writeln!(self.out, "   - **After it** {loss}.")?;
        }
        if let Some(instead) = &step.instead {
            writeln!(self.out, "\n   The same with a prompt for the code and the state read before and after:\n")?;
            self.commands("   ", std::slice::from_ref(instead))?;
        }
        writeln!(self.out)
    }

    fn unknown(&mut self, entry: &Entry<'_>, reasons: &[std::rc::Rc<Unread>]) -> io::Result<()> {
        writeln!(self.out, "The plan cannot know what to do here, because this could not be read:\n")?;
        self.points(reasons.iter().map(|unread| {
            let needs = unread.action.map_or_else(String::new, |action| format!(" (needs `{action}`)"));
            format!("{}{needs}", code(&unread.reason))
        }))?;
        let commands = Commands { record: entry.record, home_region: self.home_region };
        let reading = commands.reading();
        if reading.is_empty() {
            return writeln!(self.out, "\n{NO_NAME}: read it there by hand, with the tools of that server.\n");
        }
        writeln!(
            self.out,
            "\nRead this first, with credentials of the account that owns the bucket; then scan again:\n"
        )?;
        self.commands("", &reading)?;
        writeln!(self.out)
    }
}

impl Sink for Document<'_> {
    fn begin(&mut self, head: &Head<'_>) -> io::Result<()> {
        (self.home_region, self.partition) = (head.home_region(), head.partition().to_owned());
        let Head { run, standard, tally, .. } = head;
        writeln!(self.out, "# Plan for MFA delete\n")?;
        writeln!(
            self.out,
            "Made by bucketlens {} from run {} of {}, standard {}. It is as old as that run: each step looks first.\n",
            code(&run.version),
            code(&run.id),
            run.start,
            standard.as_str()
        )?;
        self.points(summary(*tally))?;
        let mut doubts: Vec<String> = filtered(run).map(|words| text(&words)).into_iter().collect();
        if run.interrupted {
            doubts.push("the run was interrupted: what it did not read is unknown here too".to_owned());
        }
        if head.incomplete > 0 {
            doubts.push(format!(
                "{} could not be read to the end: there may be buckets that this plan does not know, see there",
                counted(usize::try_from(head.incomplete).unwrap_or(usize::MAX), "account")
            ));
        }
        doubts.extend(head.target_doubts.iter().cloned());
        if tally.object_lock_unread > 0 {
            doubts.push(lock_unread(tally.object_lock_unread));
        }
        self.points(doubts)?;
        writeln!(
            self.out,
            "\nCommands are for the AWS CLI. It takes the code as an argument: other users of the machine can see it \
             while the command runs. Paste the command as it is: it asks for the code, so that no shell keeps it. With \
             `cli_history` enabled the AWS CLI would write it to a file: switch that off first. `bucketlens mfa-delete` \
             gives the code to no other program."
        )
    }

    fn account(&mut self, section: &Section<'_>) -> io::Result<()> {
        let record = section.account;
        let name = if record.name.is_empty() { String::new() } else { format!(" {}", code(&record.name)) };
        writeln!(self.out, "\n## Account {}{name}\n", section.id())?;
        if let Some(doubt) = doubt(record) {
            writeln!(self.out, "{doubt}\n")?;
        }
        if section.tally.is_empty() && section.account.listing.has_listed() {
            writeln!(self.out, "There is {NO_BUCKET}.")?;
        }
        if !section.tally.has_something() {
            return Ok(());
        }
        self.points(summary(section.tally))?;
        if !section.tally.has_steps() {
            return Ok(());
        }
        let (partition, id, region) = (self.partition.clone(), section.id().to_owned(), self.home_region);
        if self.partition == CHINA {
            writeln!(self.out, "\n### Before the first bucket\n\n{ROOT_OF_CHINA}\n")?;
            let caller = format!("aws sts get-caller-identity --region {region} --query Arn --output text");
            return self.commands("", &[caller, format!("MFA_SERIAL=arn:{partition}:iam::{id}:mfa/NAME")]);
        }
        writeln!(self.out, "\n### Before the first bucket\n\n{ROOT}\n")?;
        self.commands(
            "",
            &[
                format!("aws sts get-caller-identity --region {region} --query Arn --output text"),
                format!(
                    "aws iam get-account-summary --region {region} --query \
                     'SummaryMap.[AccountMFAEnabled,AccountAccessKeysPresent]' --output text"
                ),
                format!("MFA_SERIAL={}", shell(&format!("arn:{partition}:iam::{id}:mfa/root-account-mfa-device"))),
            ],
        )?;
        writeln!(
            self.out,
            "\nExpected: {}; then `1` (the root user has an MFA device) and at least `1` \
             (its access keys). The ARN is that of a virtual device; of a hardware token it is the serial number. \
             Anything else: stop.\n",
            code(&format!("arn:{partition}:iam::{id}:root"))
        )
    }

    fn bucket(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        writeln!(self.out, "### {} in {}\n", code(&entry.record.bucket), code(entry.record.region.as_str()))?;
        match entry.course {
            Course::Nothing | Course::NotOffered => Ok(()),
            Course::Enable(work) => self.work(entry, work, &[]),
            Course::Conflict(work, why) | Course::WrongTool(work, why) => self.work(entry, work, why),
            Course::Unknown(reasons) => self.unknown(entry, reasons),
            Course::NoName => {
                writeln!(self.out, "{NO_NAME}: enable MFA delete there by hand, with the tools of that server.\n")
            }
        }
    }

    fn account_end(&mut self, section: &Section<'_>) -> io::Result<()> {
        if !section.tally.has_steps() {
            return Ok(());
        }
        if self.partition == CHINA {
            return Ok(());
        }
        writeln!(
            self.out,
            "### After the last bucket\n\nDelete the access key of the root user and see that it has none (Security Hub \
             IAM.4):\n"
        )?;
        let region = self.home_region;
        self.commands(
            "",
            &[
                format!("aws iam delete-access-key --region {region} --access-key-id \"$AWS_ACCESS_KEY_ID\""),
                format!(
                    "aws iam get-account-summary --region {region} --query SummaryMap.AccountAccessKeysPresent \
                     --output text"
                ),
            ],
        )?;
        writeln!(
            self.out,
            "\nExpected: the second, asked by somebody else, says `0`. Without the key nobody can delete a version, undo \
             this or suspend versioning there until the root user has a new one.\n"
        )
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Words with names of others in them, as one line of plain text.
fn text(words: &str) -> String {
    let special = |c: char| "\\`*_{}[]<>#|!&~".contains(c);
    line(words).chars().fold(String::new(), |mut text, c| {
        if special(c) {
            text.push('\\');
        }
        text.push(c);
        text
    })
}

fn summary(tally: Tally) -> Vec<String> {
    let count = |number: u64| counted(usize::try_from(number).unwrap_or(usize::MAX), "bucket");
    let lines = [
        (tally.conflict, "MFA delete and a lifecycle configuration are both in force, and one of the two has to go"),
        (tally.enable, "MFA delete is to be enabled"),
        (tally.wrong_tool, "MFA delete is the wrong tool, and a better control is named"),
        (tally.unknown, "unknown: something could not be read, so the plan cannot know"),
        (tally.no_name, "with a name that is put into no command"),
        (tally.not_offered, "AWS does not offer MFA delete in the AWS GovCloud (US) Regions, where they are"),
        (tally.nothing, "nothing to do: as the standard wants it, excused, or gone"),
    ];
    lines
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| format!("{}: {words}", count(number)))
        .collect()
}

/// What the account's outcome leaves open.
fn doubt(account: &AccountRecord) -> Option<String> {
    let reason = code(account.listing.reason());
    match &account.listing {
        Outcome::Complete => None,
        Outcome::Incomplete(_) => Some(format!(
            "**There may be buckets that this plan does not know:** the account was not read to the end: {reason}"
        )),
        Outcome::Failed(_) => Some(format!("**Unknown:** no bucket of this account could be listed: {reason}")),
        Outcome::Skipped(_) => Some(format!("**Unknown:** this account was not read: {reason}")),
    }
}
