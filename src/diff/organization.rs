//! What changed in the organization itself: names and places of accounts, and names of organizational units. Either moves
//! metrics from one unit to another, or changes under which name people look for them.

use std::collections::BTreeMap;

use super::change::{Change, Kind, Weight, What};
use super::{Course, DiffError, Side};
use crate::model::{AccountRecord, AccountState, OuPath};

/// Names of organizational units by id; only of those whose names were read.
type Names = BTreeMap<String, String>;

fn names<'a>(side: &'a Side<'_>) -> Option<&'a Names> {
    side.found.as_ref().map(|found| &found.unit_names)
}

/// Tells which units have another name.
pub(super) fn units(course: &mut Course<'_, '_>) -> Result<(), DiffError> {
    let (Some(old), Some(new)) = (names(course.old), names(course.new)) else { return Ok(()) };
    for (id, was) in old {
        let Some(is) = new.get(id).filter(|is| *is != was) else { continue };
        course.tell(&Change {
            account: None,
            unit: Some(id),
            bucket: None,
            kind: Kind::Changed,
            what: Some(What::UnitName),
            old: Some(was),
            new: Some(is),
            weight: Weight::Plain,
            words: "",
        })?;
    }
    Ok(())
}

/// Tells what is different of an account that both runs found. Only an organization says anything about an account.
pub(super) fn account(course: &mut Course<'_, '_>, old: &AccountRecord, new: &AccountRecord) -> Result<(), DiffError> {
    let moved = moved(&old.ou_path, names(course.old), &new.ou_path, names(course.new));
    let is_of_organization = |side: &Side<'_>| side.inventory.closing.run.organization_id.is_some();
    if !is_of_organization(course.old) || !is_of_organization(course.new) {
        return Ok(());
    }
    let mut tell = |kind, what, was: Option<&str>, is: Option<&str>, words: &str| {
        course.tell(&Change {
            account: Some(new),
            unit: None,
            bucket: None,
            kind,
            what: Some(what),
            old: was,
            new: is,
            weight: Weight::Plain,
            words,
        })
    };
    if old.name != new.name {
        tell(Kind::Changed, What::AccountName, Some(&old.name), Some(&new.name), "")?;
    }
    let state = |account: &AccountRecord| account.state.as_ref().map(|state| AccountState::as_str(state).to_owned());
    match (state(old), state(new)) {
        (Some(was), Some(is)) if was != is => tell(Kind::Changed, What::AccountState, Some(&was), Some(&is), "")?,
        (Some(_) | None, Some(_) | None) => {}
    }
    let path = |account: &AccountRecord| Some(account.ou_path.to_string()).filter(|path| !path.is_empty());
    let unread = "the organization's tree could not be read";
    match (path(old), path(new)) {
        (Some(was), Some(is)) if was != is => tell(Kind::Changed, What::AccountPlace, Some(&was), Some(&is), &moved),
        (Some(was), None) => tell(Kind::BecameUnknown, What::AccountPlace, Some(&was), None, unread),
        (None, Some(is)) => {
            let words = format!("it was unknown: {unread}");
            tell(Kind::BecameKnown, What::AccountPlace, None, Some(&is), &words)
        }
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

/// `moved from Workloads/Production to Sandbox`.
fn moved(old: &OuPath, old_names: Option<&Names>, new: &OuPath, new_names: Option<&Names>) -> String {
    let place = |path: &OuPath, names: Option<&Names>| {
        let name = |id: &str| names.and_then(|names| names.get(id)).cloned().unwrap_or_else(|| id.to_owned());
        let units: Vec<String> = path.ous().map(name).collect();
        if units.is_empty() { "the organization's root".to_owned() } else { units.join("/") }
    };
    format!("moved from {} to {}", place(old, old_names), place(new, new_names))
}
