//! `GetObjectLockConfiguration`: whether versions can be locked, and for how long new ones are. Source: Amazon S3 API reference, `GetObjectLockConfiguration`.

use super::body::Kept;
use super::document::{self, Element, Undocumented};
use super::failure::Failure;
use super::session::{Route, Session};
use crate::model::{DefaultRetention, ObjectLock, Operation, RetentionMode, RetentionPeriod};

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
    Ok(ObjectLock::Enabled { default_retention: default.map(retention).transpose()? })
}

fn retention(default: &Element) -> Result<DefaultRetention, Undocumented> {
    let mode = default.required("Mode")?.word(|word| match word {
        "GOVERNANCE" => Some(RetentionMode::Governance),
        "COMPLIANCE" => Some(RetentionMode::Compliance),
        _ => None,
    })?;
    let period = match (default.one("Days")?, default.one("Years")?) {
        (Some(days), None) => RetentionPeriod::Days(days.number()?),
        (None, Some(years)) => RetentionPeriod::Years(years.number()?),
        (Some(_), Some(_)) => return Err(Undocumented::new("DefaultRetention has both Days and Years")),
        (None, None) => return Err(Undocumented::new("DefaultRetention has neither Days nor Years")),
    };
    match period {
        RetentionPeriod::Days(0) | RetentionPeriod::Years(0) => {
            Err(Undocumented::new("a default retention of no time"))
        }
        RetentionPeriod::Days(_) | RetentionPeriod::Years(_) => Ok(DefaultRetention { mode, period }),
    }
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
        let locked =
            |mode, period| Ok(ObjectLock::Enabled { default_retention: Some(DefaultRetention { mode, period }) });
        assert_eq!(read_of(ENABLED), Ok(ObjectLock::Enabled { default_retention: None }));
        assert_eq!(read_of(&format!("{ENABLED}<Rule/>")), Ok(ObjectLock::Enabled { default_retention: None }));
        let days = "<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>30</Days></DefaultRetention></Rule>";
        assert_eq!(read_of(&format!("{ENABLED}{days}")), locked(RetentionMode::Governance, RetentionPeriod::Days(30)));
        let years = "<Rule><DefaultRetention><Years>7</Years><Mode>COMPLIANCE</Mode></DefaultRetention></Rule>";
        assert_eq!(read_of(&format!("{ENABLED}{years}")), locked(RetentionMode::Compliance, RetentionPeriod::Years(7)));
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
        ] {
            assert!(read_of(odd).is_err(), "{odd}");
        }
    }
}
