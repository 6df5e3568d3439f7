//! The documented exit codes: what a scheduled job reads before anything else.

use std::process::ExitCode;

use crate::model::Severity;

/// How a run ended. The numbers are part of the contract; [`decide`] is the only place that chooses between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Ok,
    Findings,
    CouldNotRun,
    Unknown,
    Stopped,
}

/// How much of what exists a run has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing stayed unknown, see [`crate::model::Coverage::is_complete`].
    All,
    InPart,
    /// It was told to stop before it had seen the rest.
    Interrupted,
}

impl Exit {
    pub const ALL: [Self; 5] = [Self::Ok, Self::Findings, Self::CouldNotRun, Self::Unknown, Self::Stopped];

    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Findings => 1,
            Self::CouldNotRun => 2,
            Self::Unknown => 3,
            // What a shell says of a program that Ctrl-C ended.
            Self::Stopped => 130,
        }
    }

    /// The words of `--help`.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "no finding at or above --fail-on, and nothing stayed unknown",
            Self::Findings => "a finding is at or above --fail-on",
            Self::CouldNotRun => "it could not run: usage, configuration or credentials",
            Self::Unknown => {
                "something stayed unknown or an account failed (0 with --allow-unknown), or the run was interrupted"
            }
            Self::Stopped => "it was told to stop a second time: there is no report, and --resume DIR goes on",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The exit code of a run that came to a report. What is known to be bad goes before what is not known; a run that was
/// interrupted decides nothing.
///
/// - `worst`: the worst severity among all failed findings, requirements and advisories;
/// - `fail_on`: the severity from which findings matter, `None` when they never do;
pub fn decide(worst: Option<Severity>, fail_on: Option<Severity>, seen: Seen, allow_unknown: bool) -> Exit {
    let matters = worst.zip(fail_on).is_some_and(|(worst, fail_on)| worst >= fail_on);
    match seen {
        Seen::Interrupted => Exit::Unknown,
        Seen::All | Seen::InPart if matters => Exit::Findings,
        Seen::InPart if !allow_unknown => Exit::Unknown,
        Seen::All | Seen::InPart => Exit::Ok,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_follows_from_this_table() {
        use Seen::{All, InPart, Interrupted};
        use Severity::{Critical, High, Info, Low, Medium};
        const ALLOW: bool = true;
        let table = [
            // worst, fail on, seen, allow unknown -> exit
            (None, Some(Medium), All, !ALLOW, Exit::Ok),
            (None, Some(Medium), All, ALLOW, Exit::Ok),
            (None, Some(Medium), InPart, !ALLOW, Exit::Unknown),
            (None, Some(Medium), InPart, ALLOW, Exit::Ok),
            (Some(Low), Some(Medium), All, !ALLOW, Exit::Ok),
            (Some(Low), Some(Medium), InPart, !ALLOW, Exit::Unknown),
            (Some(Low), Some(Medium), InPart, ALLOW, Exit::Ok),
            (Some(Medium), Some(Medium), All, !ALLOW, Exit::Findings),
            (Some(Medium), Some(Medium), InPart, !ALLOW, Exit::Findings),
            (Some(Medium), Some(Medium), InPart, ALLOW, Exit::Findings),
            (Some(Critical), Some(High), All, ALLOW, Exit::Findings),
            (Some(Info), Some(Info), All, !ALLOW, Exit::Findings),
            (Some(Critical), None, All, !ALLOW, Exit::Ok),
            (Some(Critical), None, InPart, !ALLOW, Exit::Unknown),
            (Some(Critical), None, InPart, ALLOW, Exit::Ok),
            (None, None, All, !ALLOW, Exit::Ok),
            (None, None, Interrupted, ALLOW, Exit::Unknown),
            (Some(Critical), Some(Info), Interrupted, !ALLOW, Exit::Unknown),
        ];
        for (worst, fail_on, seen, allow_unknown, exit) in table {
            let row = format!("{worst:?} {fail_on:?} {seen:?} {allow_unknown}");
            assert_eq!(decide(worst, fail_on, seen, allow_unknown), exit, "{row}");
        }
    }

    #[test]
    fn the_numbers_are_the_documented_ones() {
        assert_eq!(Exit::ALL.map(Exit::code), [0, 1, 2, 3, 130]);
    }
}
