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

    /// The words of `--help`; `None` for one that the command does not have.
    pub fn meaning(self, of: Of) -> Option<&'static str> {
        const UNKNOWN: &str =
            "something stayed unknown or an account failed (0 with --allow-unknown), or the run was interrupted";
        Some(match (of, self) {
            (Of::Scan | Of::Report, Self::Ok) => "no finding at or above --fail-on, and nothing stayed unknown",
            (Of::Scan | Of::Report, Self::Findings) => "a finding is at or above --fail-on",
            (Of::Scan, Self::CouldNotRun) => "it could not run: usage, configuration or credentials",
            (Of::Report, Self::CouldNotRun) => "the run cannot be read, or no report be written",
            (Of::Scan | Of::Report, Self::Unknown) => UNKNOWN,
            (Of::Scan, Self::Stopped) => {
                "it was told to stop a second time: there is no report, and --resume DIR goes on"
            }
            (Of::Diff, Self::Ok) => "no regression",
            (Of::Diff, Self::Findings) => {
                "a regression: MFA delete or versioning was enabled and is not any more, or a bucket passed and fails"
            }
            (Of::Diff, Self::CouldNotRun) => "the runs cannot be read or compared",
            (Of::Diff, Self::Unknown) => {
                "no regression is known, and the newer run does not know all (0 with --allow-unknown)"
            }
            (Of::Trend, Self::Ok) => "shown, whatever the values are, and what was left out is told",
            (Of::Trend, Self::CouldNotRun) => "there is no run, or one cannot be read (left out with --allow-partial)",
            (Of::ExportRead, Self::Ok) => "read to its end, and it says of every bucket whether MFA delete is enabled",
            (Of::ExportRead, Self::CouldNotRun) => "the export cannot be read, or is not whole",
            (Of::ExportRead, Self::Unknown) => {
                "of some bucket it does not say it, something is missing (--allow-partial), or it contradicts itself"
            }
            (Of::ExportCompared, Self::Ok) => "nothing differs but by lag of either, new and gone buckets",
            (Of::ExportCompared, Self::Findings) => "the export and the scan disagree about a setting or a Region",
            (Of::ExportCompared, Self::CouldNotRun) => "the export or the run cannot be read, or is not whole",
            (Of::ExportCompared, Self::Unknown) => {
                "one of them does not know something, or the export is partial (--allow-partial) or contradicts itself"
            }
            (Of::Report | Of::Diff | Of::Trend | Of::ExportRead | Of::ExportCompared, Self::Stopped)
            | (Of::Trend, Self::Findings | Self::Unknown)
            | (Of::ExportRead, Self::Findings) => return None,
        })
    }
}

/// The commands whose exit codes are told here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Scan,
    Report,
    Diff,
    Trend,
    /// `storage-lens read`.
    ExportRead,
    /// `storage-lens compare`.
    ExportCompared,
}

impl Of {
    /// The end of its `--help`.
    pub fn told(self) -> String {
        let codes = Exit::ALL.into_iter().filter_map(|exit| Some((exit.code(), exit.meaning(self)?)));
        codes.fold("Exit codes:".to_owned(), |text, (code, meaning)| format!("{text}\n  {code}  {meaning}"))
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

    #[test]
    fn a_command_tells_the_codes_that_it_has() {
        let codes = |of: Of| -> Vec<u8> {
            let text = of.told();
            text.lines().skip(1).filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
        };
        for (of, has) in [
            (Of::Scan, [0, 1, 2, 3, 130].as_slice()),
            (Of::Report, &[0, 1, 2, 3]),
            (Of::Diff, &[0, 1, 2, 3]),
            (Of::Trend, &[0, 2]),
            (Of::ExportRead, &[0, 2, 3]),
            (Of::ExportCompared, &[0, 1, 2, 3]),
        ] {
            assert_eq!(codes(of), has, "{of:?}");
        }
    }
}
