use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What keeps the versions of a bucket where MFA delete does not. None of them is MFA delete: each leaves something open,
/// and what it leaves open is said with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// Default retention in mode COMPLIANCE.
    ObjectLockCompliance,
    /// Default retention in mode GOVERNANCE.
    ObjectLockGovernance,
    /// Enabled replication rules whose destination names another account.
    ReplicationOtherAccount,
    /// Noncurrent versions stay for a while, or for ever.
    VersionsKept,
    /// The bucket policy denies the deletion of versions, with MFA or without.
    DenyVersionDeletion,
    /// The bucket policy demands MFA to delete versions.
    MfaByPolicy,
}

impl Control {
    pub const ALL: [Self; 6] = [
        Self::ObjectLockCompliance,
        Self::ObjectLockGovernance,
        Self::ReplicationOtherAccount,
        Self::VersionsKept,
        Self::DenyVersionDeletion,
        Self::MfaByPolicy,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::ObjectLockCompliance => "object-lock-compliance",
            Self::ObjectLockGovernance => "object-lock-governance",
            Self::ReplicationOtherAccount => "replication-other-account",
            Self::VersionsKept => "versions-kept",
            Self::DenyVersionDeletion => "deny-version-deletion",
            Self::MfaByPolicy => "mfa-by-policy",
        }
    }

    /// Whether it lasts for a number of days.
    pub fn has_days(self) -> bool {
        match self {
            Self::ObjectLockCompliance | Self::ObjectLockGovernance | Self::VersionsKept => true,
            Self::ReplicationOtherAccount | Self::DenyVersionDeletion | Self::MfaByPolicy => false,
        }
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A control that excuses a bucket from MFA delete: `versions-kept:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AcceptedControl {
    pub control: Control,
    /// For how many days it has to last at least, where it lasts for days.
    pub days: u32,
}

impl fmt::Display for AcceptedControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.control)?;
        if self.control.has_days() { write!(f, ":{}", self.days) } else { Ok(()) }
    }
}

impl From<AcceptedControl> for String {
    fn from(control: AcceptedControl) -> Self {
        control.to_string()
    }
}

impl TryFrom<String> for AcceptedControl {
    type Error = ControlError;

    fn try_from(text: String) -> Result<Self, ControlError> {
        text.parse()
    }
}

/// Why a text names no control that can be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    #[error("{0:?} is no control: there are {all}", all = Control::ALL.map(Control::as_str).join(", "))]
    Unknown(String),
    #[error("{0} needs the days that it has to last at least, for example {0}:30")]
    WithoutDays(Control),
    #[error("{0} does not last for days: write it without {1:?}")]
    WithDays(Control, String),
    #[error("the days of {0} are a number from 1 to 36500, not {1:?}")]
    BadDays(Control, String),
}

impl FromStr for AcceptedControl {
    type Err = ControlError;

    fn from_str(text: &str) -> Result<Self, ControlError> {
        let (name, days) = text.split_once(':').map_or((text, None), |(name, days)| (name, Some(days)));
        let control = Control::ALL.into_iter().find(|control| control.as_str() == name);
        let control = control.ok_or_else(|| ControlError::Unknown(name.to_owned()))?;
        match (control.has_days(), days) {
            (true, None) => Err(ControlError::WithoutDays(control)),
            (false, Some(days)) => Err(ControlError::WithDays(control, format!(":{days}"))),
            (false, None) => Ok(Self { control, days: 0 }),
            (true, Some(days)) => {
                let number = days.bytes().all(|byte| byte.is_ascii_digit()).then(|| days.parse().ok()).flatten();
                match number {
                    Some(number @ 1..=36_500) => Ok(Self { control, days: number }),
                    _ => Err(ControlError::BadDays(control, days.to_owned())),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_controls_are_read_as_they_are_written() {
        for text in ["versions-kept:30", "object-lock-compliance:365", "replication-other-account", "mfa-by-policy"] {
            let control: AcceptedControl = text.parse().expect("a control");
            assert_eq!(control.to_string(), text);
        }
        let error = |text: &str| text.parse::<AcceptedControl>().expect_err("no control").to_string();
        assert!(error("mfa-delete").starts_with("\"mfa-delete\" is no control: there are object-lock-compliance, "));
        assert_eq!(
            error("versions-kept"),
            "versions-kept needs the days that it has to last at least, for example versions-kept:30"
        );
        assert_eq!(error("mfa-by-policy:3"), "mfa-by-policy does not last for days: write it without \":3\"");
        for bad in ["0", "", "-1", "+1", "1.5", "36501", "99999999999"] {
            let expected = format!("the days of versions-kept are a number from 1 to 36500, not {bad:?}");
            assert_eq!(error(&format!("versions-kept:{bad}")), expected);
        }
    }
}
