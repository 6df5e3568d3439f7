//! By what runs are judged that are read again.

use std::collections::BTreeSet;

use super::Problem;
use crate::config::{NEEDS_CONTROLS, With};
use crate::model::{AcceptedControl, ControlError, Run, Standard};

/// What is asked for in place of what a run was judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judging {
    /// `None`: that of the run.
    pub standard: Option<Standard>,
    /// Controls that stand in for MFA delete, as they were written; empty: those of the run.
    pub accepted: Vec<String>,
}

impl Judging {
    /// The standard for a run, and the controls that it takes for MFA delete.
    pub fn of(&self, run: &Run) -> Result<(Standard, BTreeSet<AcceptedControl>), Problem> {
        let standard = self.standard.unwrap_or(run.standard);
        let given: Result<BTreeSet<AcceptedControl>, ControlError> =
            self.accepted.iter().map(|text| text.parse()).collect();
        let given = given.map_err(|error| Problem::new(format!("--accept-control: {error}")))?;
        let accepted = match standard {
            Standard::CisWithCompensation if given.is_empty() => run.accepted_controls.clone(),
            Standard::CisWithCompensation => given,
            Standard::Cis | Standard::SecurityHub if given.is_empty() => given,
            Standard::Cis | Standard::SecurityHub => {
                return Err(Problem::new("--accept-control has a meaning only with --standard cis-with-compensation"));
            }
        };
        if standard == Standard::CisWithCompensation && accepted.is_empty() {
            return Err(Problem::new(format!("--standard: {NEEDS_CONTROLS}"))
                .with_help("name them: --accept-control object-lock-compliance:30"));
        }
        Ok((standard, accepted))
    }
}

/// Whether a run read what a standard judges by. `which`: what the run is called.
pub fn check_read(run: &Run, standard: Standard, which: &str, help: &'static str) -> Result<(), Problem> {
    match standard {
        Standard::CisWithCompensation if !With::Protection.is_in(&run.extras) => {
            let what = format!("{which} did not read the controls by which cis-with-compensation judges");
            Err(Problem::new(what).with_help(help))
        }
        Standard::Cis | Standard::SecurityHub | Standard::CisWithCompensation => Ok(()),
    }
}
