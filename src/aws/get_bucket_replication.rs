//! `GetBucketReplication`. Source: Amazon S3 API reference, `GetBucketReplication`.

use super::body::Kept;
use super::document::{self, Element, Undocumented};
use super::failure::Failure;
use super::session::{Route, Session};
use crate::model::{AccountId, Operation, Replication, ReplicationRule};

pub async fn get(session: &Session, route: &Route, bucket: &str) -> Result<Replication, Failure> {
    let operation = Operation::GetBucketReplication;
    let s3 = session.s3(route);
    let answer = session
        .call(operation, || async {
            let kept = Kept::default();
            s3.get_bucket_replication()
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
        Err(failure) if failure.code() == Some("ReplicationConfigurationNotFoundError") => Ok(Replication::None),
        Err(failure) => Err(failure),
    }
}

fn read(root: &Element) -> Result<Replication, Undocumented> {
    let rules = root.all("Rule")?;
    // S3 keeps no configuration without rules: such an answer is not one of S3's.
    if rules.is_empty() {
        return Err(Undocumented::new("a configuration without rules"));
    }
    rules.into_iter().map(rule).collect::<Result<_, _>>().map(Replication::Present)
}

fn rule(rule: &Element) -> Result<ReplicationRule, Undocumented> {
    let (prefix, tags) = filter(rule)?;
    let destination = rule.required("Destination")?;
    let bucket = destination.required("Bucket")?.text()?;
    if bucket.is_empty() {
        return Err(Undocumented::new("a destination without a bucket"));
    }
    let account = destination.one("Account")?;
    let account = account.map(|account| account.word(|id| AccountId::parse(id).ok())).transpose()?;
    let markers = rule.one("DeleteMarkerReplication")?;
    let markers = markers.map(|markers| markers.required("Status")?.word(document::enabled)).transpose()?;
    let id = rule.one("ID")?.map(Element::text).transpose()?;
    Ok(ReplicationRule {
        id: id.filter(|id| !id.is_empty()).map(str::to_owned),
        enabled: rule.required("Status")?.word(document::enabled)?,
        prefix,
        tags,
        destination: bucket.to_owned(),
        account,
        delete_markers: markers,
    })
}

/// Which objects it is for. The first version of these configurations had the prefix beside the filter.
fn filter(rule: &Element) -> Result<(String, Vec<(String, String)>), Undocumented> {
    let prefix_of = |element: &Element| -> Result<Option<String>, Undocumented> {
        Ok(element.one("Prefix")?.map(Element::text).transpose()?.map(str::to_owned))
    };
    let Some(filter) = rule.one("Filter")? else {
        return Ok((prefix_of(rule)?.unwrap_or_default(), Vec::new()));
    };
    let and = filter.one("And")?;
    let within = and.unwrap_or(filter);
    if rule.one("Prefix")?.is_some() || and.is_some() && filter.children().len() > 1 {
        return Err(Undocumented::new("a rule has more than one filter"));
    }
    let tags = within.all("Tag")?.into_iter().map(document::tag).collect::<Result<_, _>>()?;
    Ok((prefix_of(within)?.unwrap_or_default(), tags))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(rules: &str) -> Result<Replication, Undocumented> {
        let body = format!("<ReplicationConfiguration><Role>r</Role>{rules}</ReplicationConfiguration>");
        document::parse(body.as_bytes()).and_then(|root| read(&root))
    }

    const TO: &str = "<Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::copy</Bucket></Destination>";

    fn plain() -> ReplicationRule {
        ReplicationRule {
            id: None,
            enabled: true,
            prefix: String::new(),
            tags: Vec::new(),
            destination: "arn:aws:s3:::copy".to_owned(),
            account: None,
            delete_markers: None,
        }
    }

    #[test]
    fn filters_stand_in_three_places() {
        let tags = |tags: &[&str]| tags.iter().map(|key| ((*key).to_owned(), "v".to_owned())).collect::<Vec<_>>();
        let tag = |key: &str| format!("<Tag><Key>{key}</Key><Value>v</Value></Tag>");
        for (written, prefix, read_tags) in [
            (String::new(), "", tags(&[])),
            ("<Filter/>".to_owned(), "", tags(&[])),
            ("<Prefix>old/</Prefix>".to_owned(), "old/", tags(&[])),
            ("<Filter><Prefix>a/</Prefix></Filter>".to_owned(), "a/", tags(&[])),
            (format!("<Filter>{}</Filter>", tag("k")), "", tags(&["k"])),
            (
                format!("<Filter><And><Prefix>a/</Prefix>{}{}</And></Filter>", tag("k"), tag("l")),
                "a/",
                tags(&["k", "l"]),
            ),
        ] {
            let rule = ReplicationRule { prefix: prefix.to_owned(), tags: read_tags, ..plain() };
            assert_eq!(
                read_of(&format!("<Rule>{written}{TO}</Rule>")),
                Ok(Replication::Present(vec![rule])),
                "{written}"
            );
        }
    }

    #[test]
    fn an_account_and_delete_markers_are_read_where_they_are_named() {
        let rule = "<Rule><ID>away</ID><Priority>1</Priority><Status>Disabled</Status>\
            <DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication>\
            <Destination><Bucket>arn:aws:s3:::copy</Bucket><Account>222222222222</Account></Destination></Rule>";
        let away = ReplicationRule {
            id: Some("away".to_owned()),
            enabled: false,
            account: Some(AccountId::parse("222222222222").expect("12 digits")),
            delete_markers: Some(true),
            ..plain()
        };
        assert_eq!(read_of(&format!("{rule}<Rule>{TO}</Rule>")), Ok(Replication::Present(vec![away, plain()])));
    }

    #[test]
    fn what_is_not_documented_is_no_rule_and_no_absence_of_one() {
        let rule = |inside: &str| format!("<Rule>{inside}</Rule>");
        for odd in [
            "",
            &format!("<rule>{TO}</rule>"),
            &rule("<Status>Enabled</Status>"),
            &rule(&TO.replace("Enabled", "On")),
            &rule(&TO.replace("arn:aws:s3:::copy", "")),
            &rule(&TO.replace("</Destination>", "<Account>22</Account></Destination>")),
            &rule(&format!("{TO}<DeleteMarkerReplication/>")),
            &rule(&format!("{TO}<Prefix>a</Prefix><Filter><Prefix>b</Prefix></Filter>")),
            &rule(&format!("{TO}<Filter><Prefix>b</Prefix><And><Prefix>c</Prefix></And></Filter>")),
            &rule(&format!("{TO}<Filter><Tag><Key>k</Key></Tag></Filter>")),
        ] {
            assert!(read_of(odd).is_err(), "{odd}");
        }
    }
}
