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
}

impl Exit {
    pub const ALL: [Self; 4] = [Self::Ok, Self::Findings, Self::CouldNotRun, Self::Unknown];

    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Findings => 1,
            Self::CouldNotRun => 2,
            Self::Unknown => 3,
        }
    }

    /// The words of `--help`.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "no finding at or above --fail-on, and nothing stayed unknown",
            Self::Findings => "a finding is at or above --fail-on",
            Self::CouldNotRun => "it could not run: usage, configuration or credentials",
            Self::Unknown => {
                "something stayed unknown, an account failed or the run is incomplete (0 with --allow-unknown)"
            }
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The exit code of a run that came to a report. What is known to be bad goes before what is not known.
///
/// - `worst`: the worst severity among all failed findings, requirements and advisories;
/// - `fail_on`: the severity from which findings matter, `None` when they never do;
/// - `complete`: nothing stayed unknown, see [`crate::model::Coverage::is_complete`].
pub fn decide(worst: Option<Severity>, fail_on: Option<Severity>, complete: bool, allow_unknown: bool) -> Exit {
    let matters = worst.zip(fail_on).is_some_and(|(worst, fail_on)| worst >= fail_on);
    if matters {
        Exit::Findings
    } else if complete || allow_unknown {
        Exit::Ok
    } else {
        Exit::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_follows_from_this_table() {
        use Severity::{Critical, High, Info, Low, Medium};
        const COMPLETE: bool = true;
        const ALLOW: bool = true;
        let table = [
            // worst, fail on, complete, allow unknown -> exit
            (None, Some(Medium), COMPLETE, !ALLOW, Exit::Ok),
            (None, Some(Medium), COMPLETE, ALLOW, Exit::Ok),
            (None, Some(Medium), !COMPLETE, !ALLOW, Exit::Unknown),
            (None, Some(Medium), !COMPLETE, ALLOW, Exit::Ok),
            (Some(Low), Some(Medium), COMPLETE, !ALLOW, Exit::Ok),
            (Some(Low), Some(Medium), !COMPLETE, !ALLOW, Exit::Unknown),
            (Some(Low), Some(Medium), !COMPLETE, ALLOW, Exit::Ok),
            (Some(Medium), Some(Medium), COMPLETE, !ALLOW, Exit::Findings),
            (Some(Medium), Some(Medium), !COMPLETE, !ALLOW, Exit::Findings),
            (Some(Medium), Some(Medium), !COMPLETE, ALLOW, Exit::Findings),
            (Some(Critical), Some(High), COMPLETE, ALLOW, Exit::Findings),
            (Some(Info), Some(Info), COMPLETE, !ALLOW, Exit::Findings),
            (Some(Critical), None, COMPLETE, !ALLOW, Exit::Ok),
            (Some(Critical), None, !COMPLETE, !ALLOW, Exit::Unknown),
            (Some(Critical), None, !COMPLETE, ALLOW, Exit::Ok),
            (None, None, COMPLETE, !ALLOW, Exit::Ok),
        ];
        for (worst, fail_on, complete, allow_unknown, exit) in table {
            let row = format!("{worst:?} {fail_on:?} {complete} {allow_unknown}");
            assert_eq!(decide(worst, fail_on, complete, allow_unknown), exit, "{row}");
        }
    }

    #[test]
    fn the_numbers_are_the_documented_ones() {
        assert_eq!(Exit::ALL.map(Exit::code), [0, 1, 2, 3]);
    }
}
