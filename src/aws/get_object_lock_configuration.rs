//! `GetObjectLockConfiguration`: whether versions can be locked, and for how long new ones are. Source: Amazon S3 API reference, `GetObjectLockConfiguration`.

use super::body::Kept;
use super::document::{self, Element, Undocumented};
use super::failure::Failure;
use super::route::Route;
use super::session::Session;
use crate::model::{DefaultLock, DefaultRetention, EventHold, ObjectLock, Operation, RetentionMode, RetentionPeriod};

pub async fn get(session: &Session, route: &Route, bucket: &str) -> Result<ObjectLock, Failure> {
    let operation = Operation::GetObjectLockConfiguration;
    let s3 = session.s3(route);
    let answer = session
        .call(operation, || async {
            let kept = Kept::default();
            s3.get_object_lock_configuration()
                .bucket(bucket)
                .set_expected_bucket_owner(session.expected_owner())
                .customize()
                .interceptor(kept.clone())
                .send()
                .await
                .map(|_| kept)
                .map_err(|error| Failure::from_sdk(operation, &error))
        })
        .await;
    match answer {
        Ok(kept) => document::read(operation, &kept, read),
        // S3's way to say that there is none.
        Err(failure) if failure.code() == Some("ObjectLockConfigurationNotFoundError") => Ok(ObjectLock::None),
        Err(failure) => Err(failure),
    }
}

fn read(root: &Element) -> Result<ObjectLock, Undocumented> {
    // Without it the answer would be that there is no configuration.
    root.required("ObjectLockEnabled")?.word(|word| (word == "Enabled").then_some(()))?;
    let default = match root.one("Rule")? {
        Some(rule) => rule.one("DefaultRetention")?,
        None => None,
    };
    Ok(ObjectLock::Enabled(default.map(default_lock).transpose()?.unwrap_or_default()))
}

fn default_lock(default: &Element) -> Result<DefaultLock, Undocumented> {
    let mode = default.one("Mode")?.map(|mode| mode.word(mode_of)).transpose()?;
    let hold = default.one("DefaultEventHold")?;
    let hold = hold.map(|hold| period(hold)?.ok_or_else(|| without_time(hold))).transpose()?;
    let event_hold = hold.map(|period| EventHold { mode, period });
    let retention = match (mode, period(default)?) {
        (Some(mode), Some(period)) => Some(DefaultRetention { mode, period }),
        (None, Some(_)) => return Err(Undocumented::new("DefaultRetention has a period and no Mode")),
        (_, None) if event_hold.is_some() => None,
        (_, None) => return Err(without_time(default)),
    };
    Ok(DefaultLock { retention, event_hold })
}

fn mode_of(word: &str) -> Option<RetentionMode> {
    match word {
        "GOVERNANCE" => Some(RetentionMode::Governance),
        "COMPLIANCE" => Some(RetentionMode::Compliance),
        _ => None,
    }
}

/// `Days` or `Years`; `None` where the element has neither.
fn period(element: &Element) -> Result<Option<RetentionPeriod>, Undocumented> {
    let period = match (element.one("Days")?, element.one("Years")?) {
        (Some(days), None) => RetentionPeriod::Days(days.number()?),
        (None, Some(years)) => RetentionPeriod::Years(years.number()?),
        (Some(_), Some(_)) => {
            return Err(Undocumented::new(format!("{} has both Days and Years", element.name())));
        }
        (None, None) => return Ok(None),
    };
    match period {
        RetentionPeriod::Days(0) | RetentionPeriod::Years(0) => {
            Err(Undocumented::new(format!("{} lasts no time", element.name())))
        }
        RetentionPeriod::Days(_) | RetentionPeriod::Years(_) => Ok(Some(period)),
    }
}

fn without_time(element: &Element) -> Undocumented {
    Undocumented::new(format!("{} has neither Days nor Years", element.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(inside: &str) -> Result<ObjectLock, Undocumented> {
        let body = format!("<ObjectLockConfiguration>{inside}</ObjectLockConfiguration>");
        document::parse(body.as_bytes()).and_then(|root| read(&root))
    }

    const ENABLED: &str = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>";

    #[test]
    fn the_default_retention_may_be_there() {
        let locked = |mode, period| {
            let retention = Some(DefaultRetention { mode, period });
            Ok(ObjectLock::Enabled(DefaultLock { retention, event_hold: None }))
        };
        assert_eq!(read_of(ENABLED), Ok(ObjectLock::Enabled(DefaultLock::default())));
        assert_eq!(read_of(&format!("{ENABLED}<Rule/>")), Ok(ObjectLock::Enabled(DefaultLock::default())));
        let days = "<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>30</Days></DefaultRetention></Rule>";
        assert_eq!(read_of(&format!("{ENABLED}{days}")), locked(RetentionMode::Governance, RetentionPeriod::Days(30)));
        let years = "<Rule><DefaultRetention><Years>7</Years><Mode>COMPLIANCE</Mode></DefaultRetention></Rule>";
        assert_eq!(read_of(&format!("{ENABLED}{years}")), locked(RetentionMode::Compliance, RetentionPeriod::Years(7)));
    }

    #[test]
    fn an_event_hold_is_read_beside_a_retention_or_alone() {
        let read = |inside: &str| match read_of(&format!(
            "{ENABLED}<Rule><DefaultRetention>{inside}</DefaultRetention></Rule>"
        )) {
            Ok(ObjectLock::Enabled(DefaultLock { retention, event_hold })) => (retention, event_hold),
            other => panic!("{inside}: {other:?}"),
        };
        let hold = |mode, period| Some(EventHold { mode, period });
        let (days, years) = (RetentionPeriod::Days(30), RetentionPeriod::Years(7));
        let compliance = RetentionMode::Compliance;
        let thirty = "<DefaultEventHold><Days>30</Days></DefaultEventHold>";
        assert_eq!(read(thirty), (None, hold(None, days)));
        assert_eq!(read(&format!("{thirty}<Mode>COMPLIANCE</Mode>")), (None, hold(Some(compliance), days)));
        let beside = "<Mode>COMPLIANCE</Mode><Days>30</Days><DefaultEventHold><Years>7</Years></DefaultEventHold>";
        let retention = Some(DefaultRetention { mode: compliance, period: days });
        assert_eq!(read(beside), (retention, hold(Some(compliance), years)));
    }

    #[test]
    fn what_is_not_documented_is_no_lock_and_no_absence_of_one() {
        let retained = |inside: &str| format!("{ENABLED}<Rule><DefaultRetention>{inside}</DefaultRetention></Rule>");
        for odd in [
            "",
            "<ObjectLockEnabled>Disabled</ObjectLockEnabled>",
            "<ObjectLockEnabled/>",
            "<objectLockEnabled>Enabled</objectLockEnabled>",
            &retained(""),
            &retained("<Mode>GOVERNANCE</Mode>"),
            &retained("<Days>3</Days>"),
            &retained("<Mode>compliance</Mode><Days>3</Days>"),
            &retained("<Mode>COMPLIANCE</Mode><Days>3</Days><Years>1</Years>"),
            &retained("<Mode>COMPLIANCE</Mode><Days>0</Days>"),
            &retained("<Mode>COMPLIANCE</Mode><Days>-1</Days>"),
            &retained("<Mode>COMPLIANCE</Mode><Mode>GOVERNANCE</Mode><Days>1</Days>"),
            &retained("<DefaultEventHold/>"),
            &retained("<DefaultEventHold><Days>0</Days></DefaultEventHold>"),
            &retained("<DefaultEventHold><Days>1</Days><Years>1</Years></DefaultEventHold>"),
            &retained("<DefaultEventHold><Days>1</Days></DefaultEventHold><Days>3</Days>"),
            &retained("<defaultEventHold><Days>1</Days></defaultEventHold>"),
        ] {
            assert!(read_of(odd).is_err(), "{odd}");
        }
    }
}
