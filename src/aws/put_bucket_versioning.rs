//! `PutBucketVersioning` with MFA delete: the only request of bucketlens that changes anything. Source: Amazon S3 API
//! reference, `PutBucketVersioning`.

use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::types::{BucketVersioningStatus, MfaDelete as SdkMfaDelete, VersioningConfiguration};

use super::failure::Failure;
use super::route::Route;
use super::secrets;
use super::session::Session;
use crate::model::{MfaDelete, Operation, Versioning, VersioningState};

/// What the bucket is to be set to. Enabling MFA delete needs both elements, so both are always sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub status: Status,
    pub mfa_delete: Switch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Enabled,
    Suspended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    On,
    Off,
}

impl Change {
    /// Whether this state is what the change asks for. Servers may show MFA delete that is off as never configured.
    pub fn holds_in(self, state: VersioningState) -> bool {
        let versioning = match self.status {
            Status::Enabled => Versioning::Enabled,
            Status::Suspended => Versioning::Suspended,
        };
        let is_on = state.mfa_delete == MfaDelete::Enabled;
        state.versioning == versioning && is_on == (self.mfa_delete == Switch::On)
    }
}

/// `x-amz-mfa`. Nothing of it is ever shown.
pub struct Mfa<'a> {
    /// Serial number or ARN of the device.
    pub serial: &'a str,
    /// Six digits.
    pub code: &'a str,
}

/// Sends it once: a code works once, so a second try would say nothing of the first. Returns the id of the request.
pub async fn put(
    session: &Session,
    route: &Route,
    bucket: &str,
    change: Change,
    mfa: &Mfa<'_>,
) -> Result<Option<String>, Failure> {
    const ONCE: u32 = 1;
    secrets::hold_mfa_code(mfa.code);
    let s3 = session.s3(route);
    let configuration = VersioningConfiguration::builder()
        .status(match change.status {
            Status::Enabled => BucketVersioningStatus::Enabled,
            Status::Suspended => BucketVersioningStatus::Suspended,
        })
        .mfa_delete(match change.mfa_delete {
            Switch::On => SdkMfaDelete::Enabled,
            Switch::Off => SdkMfaDelete::Disabled,
        })
        .build();
    let asked = session.lane.call_at_most(Operation::PutBucketVersioning, ONCE, || async {
        s3.put_bucket_versioning()
            .bucket(bucket)
            .set_expected_bucket_owner(session.expected_owner())
            .mfa(format!("{} {}", mfa.serial, mfa.code))
            .versioning_configuration(configuration.clone())
            .send()
            .await
            .map_err(|error| Failure::from_sdk(Operation::PutBucketVersioning, &error))
    });
    Ok(asked.await?.request_id().map(|id| secrets::blank(id).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_holds_only_in_the_state_it_asks_for() {
        let change = |status, mfa_delete| Change { status, mfa_delete };
        let enable = change(Status::Enabled, Switch::On);
        let disable = change(Status::Enabled, Switch::Off);
        let disable_suspended = change(Status::Suspended, Switch::Off);
        let table = [
            (Versioning::Never, MfaDelete::Never, [false, false, false]),
            (Versioning::Never, MfaDelete::Enabled, [false, false, false]),
            (Versioning::Enabled, MfaDelete::Never, [false, true, false]),
            (Versioning::Enabled, MfaDelete::Disabled, [false, true, false]),
            (Versioning::Enabled, MfaDelete::Enabled, [true, false, false]),
            (Versioning::Suspended, MfaDelete::Never, [false, false, true]),
            (Versioning::Suspended, MfaDelete::Disabled, [false, false, true]),
            (Versioning::Suspended, MfaDelete::Enabled, [false, false, false]),
        ];
        for (versioning, mfa_delete, holds) in table {
            let state = VersioningState { versioning, mfa_delete };
            let found = [enable, disable, disable_suspended].map(|change| change.holds_in(state));
            assert_eq!(found, holds, "{state:?}");
        }
    }
}
