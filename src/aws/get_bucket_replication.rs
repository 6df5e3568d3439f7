//! `GetBucketReplication`. Source: Amazon S3 API reference, `GetBucketReplication`.

use super::body::Kept;
use super::document::{self, Element, Undocumented};
use super::failure::Failure;
use super::route::Route;
use super::session::Session;
use crate::model::{AccountId, KmsObjects, LeftOut, Operation, Replication, ReplicationRule};

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
    let Filter { prefix, tags, left_out } = filter(rule)?;
    let destination = rule.required("Destination")?;
    let bucket = destination.required("Bucket")?.text()?;
    if bucket.is_empty() {
        return Err(Undocumented::new("a destination without a bucket"));
    }
    let account = destination.one("Account")?;
    let account = account.map(|account| account.word(|id| AccountId::parse(id).ok())).transpose()?;
    let markers = rule.one("DeleteMarkerReplication")?;
    let markers = markers.map(|markers| markers.required("Status")?.word(document::enabled)).transpose()?;
    // A rule without a filter is of the first version, which copies the delete markers of users whatever else it says.
    let markers = if rule.one("Filter")?.is_some() { markers } else { Some(true) };
    let id = rule.one("ID")?.map(Element::text).transpose()?;
    Ok(ReplicationRule {
        id: id.filter(|id| !id.is_empty()).map(str::to_owned),
        enabled: rule.required("Status")?.word(document::enabled)?,
        prefix,
        tags,
        left_out,
        destination: bucket.to_owned(),
        account,
        delete_markers: markers,
        kms_objects: Some(kms_objects(rule)?),
    })
}

/// Source: S3 user guide, "Replicating encrypted objects".
fn kms_objects(rule: &Element) -> Result<KmsObjects, Undocumented> {
    let criteria = rule.one("SourceSelectionCriteria")?;
    let kms = criteria.map(|criteria| criteria.one("SseKmsEncryptedObjects")).transpose()?.flatten();
    let is_on = kms.map(|kms| kms.required("Status")?.word(document::enabled)).transpose()?;
    Ok(if is_on == Some(true) { KmsObjects::Copied } else { KmsObjects::LeftOut })
}

/// Which objects a rule is for.
#[derive(Default)]
struct Filter {
    prefix: String,
    tags: Vec<(String, String)>,
    left_out: LeftOut,
}

/// The first version of these configurations had the prefix beside the filter.
fn filter(rule: &Element) -> Result<Filter, Undocumented> {
    let prefix_of = |element: &Element| -> Result<Option<String>, Undocumented> {
        Ok(element.one("Prefix")?.map(Element::text).transpose()?.map(str::to_owned))
    };
    let Some(filter) = rule.one("Filter")? else {
        return Ok(Filter { prefix: prefix_of(rule)?.unwrap_or_default(), ..Filter::default() });
    };
    let and = filter.one("And")?;
    let within = and.unwrap_or(filter);
    if rule.one("Prefix")?.is_some() || and.is_some() && filter.children().len() > 1 {
        return Err(Undocumented::new("a rule has more than one filter"));
    }
    let left_out = within.one("Not")?.map(left_out).transpose()?.unwrap_or_default();
    // A condition that is new changes which objects are copied.
    only(filter, &["And", "Not", "Prefix", "Tag"])?;
    only(within, if and.is_some() { &["Not", "Prefix", "Tag"] } else { &["Not", "Prefix", "Tag", "And"] })?;
    Ok(Filter { prefix: prefix_of(within)?.unwrap_or_default(), tags: tags_of(within)?, left_out })
}

fn tags_of(element: &Element) -> Result<Vec<(String, String)>, Undocumented> {
    element.all("Tag")?.into_iter().map(document::tag).collect()
}

fn left_out(not: &Element) -> Result<LeftOut, Undocumented> {
    let or = not.one("Or")?;
    only(not, if or.is_some() { &["Or"] } else { &["Prefix", "Tag"] })?;
    let within = or.unwrap_or(not);
    only(within, if or.is_some() { &["Prefix", "Tag"] } else { &["Or", "Prefix", "Tag"] })?;
    let prefixes = within.all("Prefix")?.into_iter().map(|prefix| Ok(prefix.text()?.to_owned()));
    let left_out = LeftOut { prefixes: prefixes.collect::<Result<_, _>>()?, tags: tags_of(within)? };
    if left_out.is_empty() { Err(Undocumented::new("Not leaves nothing out")) } else { Ok(left_out) }
}

/// Whether all its children have these names.
fn only(element: &Element, names: &[&str]) -> Result<(), Undocumented> {
    match element.children().iter().find(|child| !names.contains(&child.name())) {
        Some(other) => Err(Undocumented::new(format!("{:?} in {} is not documented", other.name(), element.name()))),
        None => Ok(()),
    }
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
            left_out: LeftOut::default(),
            destination: "arn:aws:s3:::copy".to_owned(),
            account: None,
            // It has no filter.
            delete_markers: Some(true),
            kms_objects: Some(KmsObjects::LeftOut),
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
            let delete_markers = if written.starts_with("<Filter") { None } else { Some(true) };
            let rule = ReplicationRule { prefix: prefix.to_owned(), tags: read_tags, delete_markers, ..plain() };
            assert_eq!(
                read_of(&format!("<Rule>{written}{TO}</Rule>")),
                Ok(Replication::Present(vec![rule])),
                "{written}"
            );
        }
    }

    #[test]
    fn what_a_filter_leaves_out_is_read() {
        let tag = "<Tag><Key>k</Key><Value>v</Value></Tag>";
        let tags = vec![("k".to_owned(), "v".to_owned())];
        let left_out = |filter: &str| match read_of(&format!("<Rule><Filter>{filter}</Filter>{TO}</Rule>")) {
            Ok(Replication::Present(rules)) => rules[0].left_out.clone(),
            other => panic!("{filter}: {other:?}"),
        };
        let prefixes = |prefixes: &[&str]| prefixes.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        assert_eq!(left_out("<Prefix>a</Prefix>"), LeftOut::default());
        let one = LeftOut { prefixes: prefixes(&["tmp/"]), tags: Vec::new() };
        assert_eq!(left_out("<Not><Prefix>tmp/</Prefix></Not>"), one);
        assert_eq!(left_out("<And><Prefix>a</Prefix><Not><Prefix>tmp/</Prefix></Not></And>"), one);
        assert_eq!(left_out(&format!("<Not>{tag}</Not>")), LeftOut { prefixes: Vec::new(), tags: tags.clone() });
        let or = format!("<Not><Or><Prefix>a</Prefix><Prefix>b</Prefix>{tag}</Or></Not>");
        assert_eq!(left_out(&or), LeftOut { prefixes: prefixes(&["a", "b"]), tags });
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
    fn rules_without_a_filter_copy_delete_markers_and_kms_objects_are_left_out_unless_named() {
        let read_rule = |inside: &str| match read_of(&format!("<Rule>{inside}{TO}</Rule>")) {
            Ok(Replication::Present(rules)) => (rules[0].delete_markers, rules[0].kms_objects),
            other => panic!("{inside}: {other:?}"),
        };
        let markers =
            |status: &str| format!("<DeleteMarkerReplication><Status>{status}</Status></DeleteMarkerReplication>");
        let kms = |status: &str| {
            let status = format!("<SseKmsEncryptedObjects><Status>{status}</Status></SseKmsEncryptedObjects>");
            format!("<SourceSelectionCriteria>{status}</SourceSelectionCriteria>")
        };
        let (copied, left_out) = (Some(KmsObjects::Copied), Some(KmsObjects::LeftOut));
        assert_eq!(read_rule("<Prefix></Prefix>"), (Some(true), left_out));
        assert_eq!(read_rule(&markers("Disabled")), (Some(true), left_out));
        assert_eq!(read_rule(&format!("<Filter/>{}", markers("Disabled"))), (Some(false), left_out));
        assert_eq!(read_rule(&format!("<Filter/>{}", markers("Enabled"))), (Some(true), left_out));
        assert_eq!(read_rule(&format!("<Filter/>{}", kms("Enabled"))), (None, copied));
        assert_eq!(read_rule(&format!("<Filter/>{}", kms("Disabled"))), (None, left_out));
        assert_eq!(read_rule("<Filter/><SourceSelectionCriteria/>"), (None, left_out));
        assert!(read_of(&format!("<Rule>{}{TO}</Rule>", kms("Off"))).is_err());
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
            &rule(&format!("{TO}<Filter><Not/></Filter>")),
            &rule(&format!("{TO}<Filter><Not><Or/></Not></Filter>")),
            &rule(&format!("{TO}<Filter><Not><Age>3</Age></Not></Filter>")),
            &rule(&format!("{TO}<Filter><ObjectSizeLessThan>3</ObjectSizeLessThan></Filter>")),
            &rule(&format!("{TO}<Filter><And><Prefix>a</Prefix><Age>3</Age></And></Filter>")),
        ] {
            assert!(read_of(odd).is_err(), "{odd}");
        }
    }
}
