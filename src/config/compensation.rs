//! The controls that are accepted in place of MFA delete.

use std::collections::BTreeSet;

use super::options::JudgingArgs;
use super::{Check, Config, Mistake, More, With};
use crate::model::{AcceptedControl, ControlError, Standard};

pub(super) const ACCEPT_CONTROL: &str = "accept-control";

impl Check<'_> {
    /// Each mistake is reported.
    pub(super) fn accepted(&mut self, args: &JudgingArgs, more: &More) -> BTreeSet<AcceptedControl> {
        let read = |text: &str| text.parse().map_err(|error: ControlError| error.to_string());
        let accepted = self.values(ACCEPT_CONTROL, &args.accept_control, read);
        // What is read, and the standard and the controls where none are given, are those of the run that is to go on.
        let goes_on = self.given.contains("resume");
        match args.standard {
            Standard::CisWithCompensation => {
                if !goes_on && args.accept_control.is_empty() && !self.given.is_broken() {
                    self.mistake("standard", 0, NEEDS_CONTROLS);
                }
                if !goes_on && !self.given.is_broken() && !more.with.contains(&With::Protection) {
                    self.mistake("standard", 0, NEEDS_PROTECTION);
                }
            }
            Standard::Cis | Standard::SecurityHub if goes_on && !self.given.contains("standard") => {}
            Standard::Cis | Standard::SecurityHub => {
                if !args.accept_control.is_empty() {
                    self.mistake(ACCEPT_CONTROL, 0, ONLY_THEN);
                }
            }
        }
        accepted
    }
}

impl Config {
    /// The same checks for a run that goes on, once it is known what it was begun with.
    pub fn check_compensation(&self) -> Result<(), Mistake> {
        let what = match self.standard {
            Standard::CisWithCompensation if self.accepted.is_empty() => NEEDS_CONTROLS,
            Standard::CisWithCompensation if !self.more.with.contains(&With::Protection) => NEEDS_PROTECTION,
            Standard::Cis | Standard::SecurityHub if !self.accepted.is_empty() => {
                return Err(Mistake::new(format!("--{ACCEPT_CONTROL}: {ONLY_THEN}")));
            }
            Standard::Cis | Standard::SecurityHub | Standard::CisWithCompensation => return Ok(()),
        };
        Err(Mistake::new(format!("--standard: {what}")))
    }
}

const NEEDS_PROTECTION: &str = "cis-with-compensation needs --with protection, which reads the controls";
const ONLY_THEN: &str = "this has a meaning only with --standard cis-with-compensation";

pub const NEEDS_CONTROLS: &str =
    "cis-with-compensation needs --accept-control: the controls that may stand in for MFA delete";
