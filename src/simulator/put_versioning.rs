//! `PutBucketVersioning`, as far as MFA delete is concerned: only root, with a code of root's device, and not beside a
//! lifecycle configuration.

use hyper::Request;
use hyper::body::Bytes;

use super::caller::{Caller, Kind};
use super::fixture::{Bucket, MfaDelete, MfaDevice, Versioning};
use super::wire::Fault;
use super::world::{State, World};

pub(super) fn put(world: &World, request: &Request<Bytes>, caller: &Caller, bucket: &Bucket) -> Result<(), Fault> {
    let body = String::from_utf8_lossy(request.body());
    let versioning = match text(&body, "Status") {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => {
            let message = "The Versioning element must be specified";
            return Err(Fault::new(400, "IllegalVersioningConfigurationException", message));
        }
    };
    let mfa_delete = match text(&body, "MfaDelete") {
        Some("Enabled") => Some(MfaDelete::Enabled),
        Some("Disabled") => Some(MfaDelete::Disabled),
        _ => None,
    };
    let before = world.state(bucket);
    if mfa_delete.is_some() || matches!(before.mfa_delete, Some(MfaDelete::Enabled)) {
        authenticate(world, request, caller)?;
    }
    if matches!(mfa_delete, Some(MfaDelete::Enabled)) && bucket.lifecycle.is_some() {
        let message = "Mfa Authentication is not supported on a bucket with lifecycle configuration. Delete lifecycle \
                       configuration before enabling Mfa Authentication.";
        return Err(Fault::new(409, "InvalidBucketState", message));
    }
    world.set(bucket, State { versioning: Some(versioning), mfa_delete: mfa_delete.or(before.mfa_delete) });
    Ok(())
}

fn authenticate(world: &World, request: &Request<Bytes>, caller: &Caller) -> Result<(), Fault> {
    let denied = |message: &str| Fault::new(403, "AccessDenied", message);
    let invalid = || {
        let message = "The serial number and/or token code you provided is not valid.";
        Fault::new(400, "TokenCodeInvalidError", message)
    };
    let header = request.headers().get("x-amz-mfa").and_then(|header| header.to_str().ok());
    let Some(header) = header else {
        return Err(denied("Mfa Authentication must be used for this request"));
    };
    if caller.kind != Kind::Root {
        return Err(denied("This operation may only be performed by the bucket owner"));
    }
    let (serial, code) = header.split_once(' ').ok_or_else(invalid)?;
    let is_its = |device: &MfaDevice| device.serial == serial;
    let Some(device) = caller.account.mfa_device.as_ref().filter(|device| is_its(device)) else {
        let mut devices = world.organization.accounts.iter().filter_map(|account| account.mfa_device.as_ref());
        let is_others = devices.any(is_its);
        let message = "The device that generated the token is not owned by the authenticated user.";
        return Err(if is_others { Fault::new(400, "NotDeviceOwnerError", message) } else { invalid() });
    };
    let is_good = device.codes.iter().any(|good| good == code) && world.use_code(serial, code);
    if is_good { Ok(()) } else { Err(invalid()) }
}

/// The text of the first element of this name, which has neither attributes nor children.
fn text<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    rest.split_once("</").map(|(text, _)| text)
}
