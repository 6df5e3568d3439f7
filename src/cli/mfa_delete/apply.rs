//! Asks for a code, sends, and reads what came of it: one bucket after the other, until one of which it is not
//! known that the server took the request.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::code::{Code, Codes, NoCode, Source};
use super::decide::{self, Answer, Decision, Outcome, decide, is_as};
use super::explain;
use super::options::Change;
use super::record::{Record, Who};
use super::show::Row;
use super::{Looked, Run, read, read_again};
use crate::aws::put_bucket_versioning::{self as put, Mfa};
use crate::cli::{Problem, console};
use crate::collect::Way;
use crate::model::{BucketRecord, Facts};

pub struct Applying<'a> {
    run: &'a Run<'a>,
    change: &'a Change,
    codes: Codes,
    record: Record,
    to_send: usize,
}

impl<'a> Applying<'a> {
    /// Opens the record: what cannot be written down is not done.
    pub fn start(
        run: &'a Run<'a>,
        change: &'a Change,
        codes: Source,
        record: &Path,
        to_send: usize,
    ) -> Result<Self, Problem> {
        let who = Who {
            command: run.head.command,
            account: run.head.account.clone(),
            caller_arn: run.head.caller_arn.clone(),
            mfa_serial: change.serial.as_str().to_owned(),
        };
        Ok(Self { run, change, codes: Codes::new(codes), record: Record::open(record, who)?, to_send })
    }

    pub async fn all(mut self, looked: Vec<Looked<'_>>) -> Result<Vec<Row>, Problem> {
        let (mut rows, mut sent, mut ended, mut problem) = (Vec::new(), 0, false, None);
        for Looked { mut way, mut row } in looked {
            // What was done is told in any case; a record that breaks is the worse problem.
            problem = problem.or(self.run.show_plan(&row).err());
            if let Some(wanted) = row.change {
                row.outcome = Outcome::NotSent;
                if ended || problem.is_some() {
                    row.reasons = vec!["the command ended at another bucket".to_owned()];
                } else {
                    sent += 1;
                    if let Some(code) = self.code(&mut way, &mut row, wanted, sent).await {
                        problem = self.send(&mut way, &mut row, wanted, &code).await.err();
                    }
                    ended = !matches!(row.outcome, Outcome::Confirmed | Outcome::NotVisible);
                }
            }
            problem = problem.or(self.run.show_outcome(&row).err());
            rows.push(row);
        }
        problem = problem.or(self.run.show_end(&rows, None).err());
        problem.map_or(Ok(rows), Err)
    }

    /// A code, and the bucket as it is now: a person has looked for a device in between. `None` where nothing is to be
    /// sent.
    async fn code(&mut self, way: &mut Way<'_>, row: &mut Row, wanted: put::Change, number: usize) -> Option<Code> {
        let question = format!(
            "To {} MFA delete of {} ({number} of {}), type a code of {}; Ctrl-C sends nothing: ",
            self.run.head.command,
            row.before.bucket,
            self.to_send,
            self.change.serial.as_str(),
        );
        let asked = unless_interrupted(async {
            let code = self.codes.next(&question).await?;
            Ok::<_, NoCode>((code, read(way).await))
        });
        let reason = match asked.await {
            Some(Ok((code, facts))) => {
                row.before.facts = facts;
                if decide(self.change.wish, &row.before.facts) == Decision::Send(wanted) {
                    return Some(code);
                }
                row.outcome = Outcome::Refused;
                "the bucket is not as it was when the code was asked for: run the command again".to_owned()
            }
            Some(Err(no_code)) => no_code.to_string(),
            None => {
                // Behind what was typed.
                eprintln!();
                "interrupted before anything was sent".to_owned()
            }
        };
        row.reasons = vec![reason];
        None
    }

    async fn send(
        &mut self,
        way: &mut Way<'_>,
        row: &mut Row,
        wanted: put::Change,
        code: &Code,
    ) -> Result<(), Problem> {
        self.record.sending(row)?;
        let mfa = Mfa { serial: self.change.serial.as_str(), code: code.expose() };
        let session = &self.run.identity.session;
        let answer = Answer::from(put::put(session, way.route(), &row.before.bucket, wanted, &mfa).await);
        let after = self.settle(way, row, wanted, &answer).await;
        row.outcome = decide::outcome(&answer, wanted, &after);
        let said = explain::answer(&answer, decide::server(self.run.endpoint.as_deref()));
        row.reasons = said;
        row.after = Some(BucketRecord { facts: after, ..row.before.clone() });
        row.request_id = match answer {
            Answer::Accepted(id) => id,
            Answer::Refused(failure) | Answer::Unclear(failure) => failure.reason.request_id.clone(),
        };
        self.record.outcome(row)
    }

    /// Reads until it is as wanted, which may take minutes on AWS. What was refused is read once, and Ctrl-C ends the
    /// waiting.
    async fn settle(&self, way: &mut Way<'_>, row: &Row, wanted: put::Change, answer: &Answer) -> Facts {
        const LONGEST_PAUSE: Duration = Duration::from_secs(5);
        let Facts::Read { lifecycle, .. } = &row.before.facts else {
            unreachable!("nothing is sent to a bucket that was not read");
        };
        let mut seen = read_again(way, lifecycle).await;
        if matches!(answer, Answer::Refused(_)) || is_as(wanted, &seen) {
            return seen;
        }
        let seconds = self.change.wait.as_secs();
        let bucket = &row.before.bucket;
        console::tell(&format!("sent; waiting up to {seconds} s until {bucket} is seen to be so (Ctrl-C ends it)"));
        let end = Instant::now() + self.change.wait;
        let mut pause = Duration::from_millis(500);
        while !is_as(wanted, &seen) && Instant::now() + pause <= end {
            let again = unless_interrupted(async {
                tokio::time::sleep(pause).await;
                read_again(way, lifecycle).await
            });
            match again.await {
                Some(facts) => seen = facts,
                None => break,
            }
            pause = LONGEST_PAUSE.min(pause * 2);
        }
        seen
    }
}

/// `None` after Ctrl-C, which from the first use on no longer ends the program by itself.
async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        // Listened for before a question is on the terminal.
        biased;
        Ok(()) = tokio::signal::ctrl_c() => None,
        done = work => Some(done),
    }
}
