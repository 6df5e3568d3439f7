use std::collections::BTreeMap;

use proptest::prelude::*;
use time::macros::date;

use super::*;
use crate::lifecycle::analyse;
use crate::lifecycle::configuration::{Action, Filter, Rule, StorageClass, Versions, When};
use crate::lifecycle::problems::{Bucket, problems};

/// Fixtures that every reader must understand, and that the properties start from.
const GOOD: [&str; 9] = [
    include_str!("../../../fixtures/lifecycle/everything.xml"),
    include_str!("../../../fixtures/lifecycle/old-schema.xml"),
    include_str!("../../../fixtures/lifecycle/aws-cli.json"),
    include_str!("../../../fixtures/lifecycle/cloudformation.json"),
    include_str!("../../../fixtures/wire/rgw/lifecycle.xml"),
    include_str!("../../../fixtures/wire/moto/lifecycle.xml"),
    include_str!("../../../fixtures/wire/seaweedfs/lifecycle.xml"),
    r#"{"Rules":[{"Status":"Enabled","ID":"a\u00e9\ud83d\ude00","Filter":{},"Expiration":{"Date":1924992000}}]}"#,
    include_str!("../../../fixtures/lifecycle/aws-cli.yaml"),
];

#[track_caller]
fn good(text: &str) -> Document {
    read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[track_caller]
fn clean(text: &str) -> Vec<Rule> {
    let document = good(text);
    assert_eq!(document.remarks, [], "{text}");
    document.configuration.rules
}

/// The error as a person sees it, with S3's code; or else every remark.
#[track_caller]
fn bad(text: &str) -> String {
    match read(text.as_bytes()) {
        Err(error) => shown(Err(error)),
        Ok(document) => {
            assert!(!document.remarks.is_empty(), "nothing is wrong: {text}");
            let remark = |it: &Remark| {
                let code = it.code.map_or("-", Code::as_str);
                format!("{:?} {}: {} [{code}]", it.kind, it.place, it.message)
            };
            document.remarks.iter().map(remark).collect::<Vec<_>>().join("\n  ")
        }
    }
}

fn shown(read: Result<Document, ReadError>) -> String {
    let error = read.expect_err("an error");
    format!("{error} [{}]", error.code.map_or("-", Code::as_str))
}

fn xml(rule: &str) -> String {
    format!("<LifecycleConfiguration>\n<Rule>{rule}</Rule>\n</LifecycleConfiguration>")
}

/// A rule with these elements beside Status and Filter.
fn rule(elements: &str) -> String {
    xml(&format!("<Status>Enabled</Status><Filter/>{elements}"))
}

fn cli(rule: &str) -> String {
    format!("{{\"Rules\": [\n{{\"Status\": \"Enabled\", {rule}}}\n]}}")
}

fn tags<const N: usize>(tags: [(&str, &str); N]) -> BTreeMap<String, String> {
    tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn prefix(prefix: &str) -> Filter {
    Filter { prefix: prefix.to_owned(), ..Filter::default() }
}

/// What `everything.xml`, `aws-cli.json` and `cloudformation.json` say.
fn everything() -> Vec<Rule> {
    let transition = |days, to| Action::Transition { when: When::Days(days), to };
    vec![
        Rule {
            id: "archive".to_owned(),
            enabled: true,
            filter: prefix("logs/"),
            actions: vec![
                transition(30, StorageClass::StandardIa),
                transition(90, StorageClass::Glacier),
                Action::Expiration(When::Days(365)),
            ],
        },
        Rule {
            id: "versions".to_owned(),
            enabled: true,
            filter: Filter {
                prefix: "data/".to_owned(),
                tags: tags([("stage", "dev"), ("team", "a & b")]),
                size_greater_than: Some(500),
                size_less_than: Some(64000),
            },
            actions: vec![
                Action::NoncurrentVersionTransition { days: 30, newer: 2, to: StorageClass::GlacierIr },
                Action::NoncurrentVersionExpiration { days: 180, newer: 5 },
            ],
        },
        Rule {
            id: "once".to_owned(),
            enabled: false,
            filter: Filter { tags: tags([("once", "yes")]), ..Filter::default() },
            actions: vec![Action::Expiration(When::Date(date!(2031 - 01 - 01)))],
        },
        Rule {
            id: "rest".to_owned(),
            enabled: true,
            filter: Filter::default(),
            actions: vec![Action::ExpiredObjectDeleteMarker(true), Action::AbortIncompleteMultipartUpload { days: 7 }],
        },
    ]
}

#[test]
fn every_format_says_the_same() {
    for text in [GOOD[0], GOOD[2], GOOD[3], GOOD[8]] {
        assert_eq!(clean(text), everything());
    }
}

#[test]
fn what_real_servers_answer_is_read() {
    for text in &GOOD[4..7] {
        let document = good(text);
        let rules = &document.configuration.rules;
        let ids: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(ids, ["and", "date", "everything", "marker"]);
        assert_eq!(rules[0].filter, Filter { tags: tags([("a", "b")]), ..prefix("logs/") });
        assert_eq!(rules[1].actions, [Action::Expiration(When::Date(date!(2031 - 01 - 01)))]);
    }
    // RGW has several predicates beside each other.
    let remarks = good(GOOD[4]).remarks;
    assert_eq!((remarks.len(), remarks[0].rule, remarks[0].code), (1, Some(0), Some(Code::MalformedXml)));
    assert!(GOOD[5..7].iter().all(|text| good(text).remarks.is_empty()));
    let aws = include_str!("../../../fixtures/wire/aws/GetBucketLifecycleConfiguration-rules.http");
    let (_, body) = aws.split_once("<?xml").expect("a body");
    assert_eq!(clean(&format!("<?xml{body}"))[0].id, "expire & move");
}

#[test]
fn namespaces_prefixes_comments_cdata_and_the_byte_order_mark_change_nothing() {
    let text = "\u{FEFF}<?xml version='1.0' encoding='UTF-8'?>\r\n<!-- mine -->\
        <s3:LifecycleConfiguration xmlns:s3=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <s3:TransitionDefaultMinimumObjectSize>varies_by_storage_class</s3:TransitionDefaultMinimumObjectSize>\
        <s3:Rule><s3:Status> Enabled\n</s3:Status><s3:Filter><s3:Prefix><![CDATA[a&]]>b&#x21;&lt;</s3:Prefix></s3:Filter>\
        <s3:Expiration><!-- x --><s3:Days> 0030 </s3:Days></s3:Expiration></s3:Rule></s3:LifecycleConfiguration>";
    let rules = clean(text);
    assert_eq!(
        rules,
        [Rule {
            id: "#1".to_owned(),
            enabled: true,
            filter: prefix("a&b!<"),
            actions: vec![Action::Expiration(When::Days(30))]
        }]
    );
}

#[test]
fn the_old_schema_is_known() {
    let document = good(GOOD[1]);
    assert_eq!((document.forms.as_slice(), document.remarks.len()), ([Form::Prefix, Form::Prefix].as_slice(), 0));
    assert_eq!(document.configuration.rules[1].filter, Filter::default());
    assert_eq!(good(GOOD[3]).forms, [Form::Filter; 4]);
}

#[test]
fn rules_without_an_id_are_numbered_and_5000_are_no_problem() {
    let one = "<Rule><ID/><Prefix>a</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>";
    let rules = clean(&format!("<LifecycleConfiguration>{}</LifecycleConfiguration>", one.repeat(5000)));
    assert_eq!((rules.len(), rules[4999].id.as_str()), (5000, "#5000"));
    assert_eq!(clean("<LifecycleConfiguration/>"), []);
    assert_eq!(clean(r#"{"Rules": []}"#), []);
}

#[test]
fn more_actions_than_any_rule_has_are_refused() {
    let moves = |count: usize| {
        let one = "<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>";
        rule(&one.repeat(count))
    };
    assert_eq!(clean(&moves(MAX_ACTIONS))[0].actions.len(), MAX_ACTIONS);
    assert_eq!(bad(&moves(MAX_ACTIONS + 1)), "2:1: the rule has more than 100 actions [-]");
}

/// The first once took the stack, the second the time of a coffee.
#[test]
fn monstrous_documents_are_judged_all_the_same() {
    let numbered = |count: usize, of: &dyn Fn(usize) -> String| (0..count).map(of).collect::<String>();
    let of_rules = |rules: String| format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
    let tags = numbered(20_000, &|at| format!("<Tag><Key>{at}</Key><Value>v</Value></Tag>"));
    let many_tags = xml(&format!(
        "<Status>Enabled</Status><Filter><And>{tags}</And></Filter><Expiration><Days>1</Days></Expiration>"
    ));
    let many_rules = of_rules(numbered(1500, &|at| {
        format!(
            "<Rule><Status>Enabled</Status><Filter/><NoncurrentVersionExpiration><NoncurrentDays>{at}</NoncurrentDays>\
             <NewerNoncurrentVersions>{at}</NewerNoncurrentVersions></NoncurrentVersionExpiration><Transition>\
             <Days>{at}</Days><StorageClass>GLACIER</StorageClass></Transition></Rule>"
        )
    }));
    for (text, count) in [(many_tags, 1), (many_rules, 3000)] {
        let document = good(&text);
        let today = date!(2026 - 11 - 22);
        let verdicts = analyse(&document.configuration, Versions::Suspended, today);
        assert_eq!(verdicts.len(), count);
        let bucket = Bucket { versions: Versions::Suspended, mfa_delete: None, today };
        assert!(!problems(&document, &verdicts, bucket).is_empty());
    }
}

#[test]
fn dates_are_days_in_utc() {
    let day = date!(2031 - 01 - 01);
    for written in [
        "2031-01-01",
        "2031-01-01T00:00:00Z",
        "2031-01-01T00:00:00",
        "2031-01-01T00:00:00.000Z",
        "2031-01-01T00:00:00+00:00",
        "2031-01-01T02:00:00+02:00",
    ] {
        let rules = clean(&rule(&format!("<Expiration><Date>{written}</Date></Expiration>")));
        assert_eq!(rules[0].actions, [Action::Expiration(When::Date(day))], "{written}");
    }
    for written in ["1924992000", "1924992000.0", "\"2031-01-01T00:00:00+00:00\""] {
        let rules = clean(&cli(&format!("\"Prefix\": \"\", \"Expiration\": {{\"Date\": {written}}}")));
        assert_eq!(rules[0].actions, [Action::Expiration(When::Date(day))], "{written}");
    }
    let document = good(&rule("<Expiration><Date>2031-01-01T12:00:00Z</Date></Expiration>"));
    assert_eq!(document.remarks[0].code, Some(Code::InvalidArgument));
    assert_eq!(document.remarks[0].place, Place { line: 2, column: 52 });
    for written in ["2031-02-30", "tomorrow", "", "9999-12-31T23:59:59-01:00", "2031-01-01T00:00:0é"] {
        let document = good(&rule(&format!("<Expiration><Date>{written}</Date></Expiration>")));
        assert_eq!(document.forms, [Form::Unread], "{written}");
        assert_eq!(document.remarks[0].code, Some(Code::MalformedXml), "{written}");
    }
    for written in ["1e9", "0.5", "99999999999999999999", "-99999999999999"] {
        let document = good(&cli(&format!("\"Prefix\": \"\", \"Expiration\": {{\"Date\": {written}}}")));
        assert_eq!(document.forms, [Form::Unread], "{written}");
    }
}

#[test]
fn cloudformation_may_do_without_the_outer_key_and_has_several_names_for_one_thing() {
    let rules = clean(
        r#"{"Rules": [{"Id": "a", "Status": "Enabled", "Prefix": "p/", "TagFilters": [{"Key": "k", "Value": "v"}],
        "ObjectSizeGreaterThan": "10", "NoncurrentVersionExpirationInDays": 3,
        "Transition": {"TransitionInDays": 1, "StorageClass": "GLACIER"},
        "NoncurrentVersionTransition": {"TransitionInDays": 2, "StorageClass": "DEEP_ARCHIVE"}},
        {"Status": "Disabled", "ExpirationDate": "2031-01-01T00:00:00.000Z"}]}"#,
    );
    assert_eq!(rules[0].filter, Filter { size_greater_than: Some(10), tags: tags([("k", "v")]), ..prefix("p/") });
    assert_eq!(
        rules[0].actions,
        [
            Action::NoncurrentVersionExpiration { days: 3, newer: 0 },
            Action::Transition { when: When::Days(1), to: StorageClass::Glacier },
            Action::NoncurrentVersionTransition { days: 2, newer: 0, to: StorageClass::DeepArchive },
        ]
    );
    assert_eq!((rules[1].id.as_str(), &rules[1].filter), ("#2", &Filter::default()));
    // The outer key alone says whose it is where no name does; with the CLI's names it is the CLI's.
    let shared = r#"{"Rules": [{"Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}]}"#;
    assert_eq!(clean(&format!(r#"{{"LifecycleConfiguration": {shared}}}"#))[0].filter, Filter::default());
    assert_eq!(good(shared).forms, [Form::Unread]);
    let input = r#"{"Bucket": "b", "LifecycleConfiguration": {"Rules": [{"ID": "x", "Status": "Enabled", "Filter": {},
        "Expiration": {"Days": 1}}]}}"#;
    assert_eq!(clean(input)[0].id, "x");
}

#[test]
fn what_is_not_known_is_kept_by_name() {
    let document = good(&xml(
        "<Status>Enabled</Status><Filter><Prefix>a</Prefix><Color>red</Color></Filter><Fly>high</Fly><Expiration>\
         <Days>1</Days><Hours>2</Hours></Expiration>",
    ));
    let messages: Vec<&str> = document.remarks.iter().map(|remark| remark.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            r#"unknown element "Color" in Filter: it is left out"#,
            r#"unknown element "Fly" in Rule: it is left out"#,
            r#"unknown element "Hours" in Expiration: it is left out"#,
        ]
    );
    assert!(document.remarks.iter().all(|remark| remark.rule == Some(0) && remark.code == Some(Code::MalformedXml)));
    // A name of S3's in a place where the format has none is not taken for it.
    let document = good(r#"{"Days": 1, "Rules": [{"Id": "a", "Status": "Enabled", "Days": 3, "Rule": {}}]}"#);
    assert_eq!(document.configuration.rules[0].actions, []);
    let kinds: Vec<(Option<usize>, RemarkKind)> = document.remarks.iter().map(|it| (it.rule, it.kind)).collect();
    let (left_out, passed_over) = (RemarkKind::LeftOut, RemarkKind::PassedOver);
    let no_action = (Some(0), RemarkKind::Refused);
    assert_eq!(kinds, [(None, passed_over), no_action, (Some(0), left_out), (Some(0), left_out)]);
}

#[test]
fn what_s3_would_refuse_and_can_be_read_is_remarked() {
    let remarks = |filter: &str| -> Vec<String> {
        let expiration = "<Expiration><Days>1</Days></Expiration>";
        let document = good(&xml(&format!("<Status>Enabled</Status><Filter>{filter}</Filter>{expiration}")));
        let shown = |remark: &Remark| format!("{} {}", remark.code.expect("known"), remark.message);
        document.remarks.iter().map(shown).collect()
    };
    assert_eq!(remarks("<And><Prefix>a</Prefix></And>"), ["MalformedXML And holds fewer than two predicates"]);
    assert_eq!(
        remarks("<Prefix>a</Prefix><ObjectSizeLessThan>1</ObjectSizeLessThan>"),
        ["MalformedXML Filter holds several predicates without And: they are read as if they stood in And"]
    );
}

#[test]
fn what_could_mean_two_things_is_not_read() {
    let filter = "<And><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>a</Key></Tag></And>";
    let twice = bad(&format!(
        "<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter>{filter}</Filter><Expiration><Days>1</Days>\
         </Expiration></Rule></LifecycleConfiguration>"
    ));
    assert!(twice.contains("Duplicate Tag Keys are not allowed. The key is \"a\" [InvalidRequest]"), "{twice}");
    let rule = r#"{"Filter": {}, "Status": "Enabled", "Expiration": {"Days": 1}}"#;
    let named = rule.replacen('{', "{\"ID\": \"#2\", ", 1);
    let collides = clean(&format!("{{\"Rules\": [{named}, {rule}]}}"));
    assert_eq!([&collides[0].id, &collides[1].id], ["#2", "#2'"]);
}

#[test]
fn errors_of_xml_name_line_column_and_code() {
    let deep = format!("<LifecycleConfiguration>{}", "<a>".repeat(70));
    let twice = "<LifecycleConfiguration>\n<Rule><ID>a</ID><Status>Enabled</Status><Filter/></Rule>\n  \
        <Rule><Filter/><ID>a</ID><Status>Enabled</Status></Rule></LifecycleConfiguration>";
    let errors: Vec<String> = [
        "",
        " \n hello",
        "<LifecycleConfiguration>\n<Rule>",
        "<LifecycleConfiguration>\n<Rule></Rul></LifecycleConfiguration>",
        "<LifecycleConfiguration>\n<a\u{1B}\u{202E}></b></LifecycleConfiguration>",
        "<LifecycleConfiguration/>\n<x/>",
        "<LifecycleConfiguration/>x",
        "<Error><Code>NoSuchKey</Code></Error>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]>\n<LifecycleConfiguration/>",
        &xml("<ID>&b;</ID>"),
        &xml("<ID>&#0;</ID>"),
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?><LifecycleConfiguration/>",
        &deep,
        twice,
        &xml("<Filter/>"),
        &xml("<Filter/><Status>enabled</Status>"),
        &xml("<Status>Enabled</Status>"),
        &xml("<Status>Enabled</Status><Filter/><Prefix/>"),
        &xml("<Status>Enabled</Status><Status>Disabled</Status><Filter/>"),
        &rule("<Transition><Days>1</Days><StorageClass>REDUCED_REDUNDANCY</StorageClass></Transition>"),
        &rule("<Transition><Days>1</Days></Transition>"),
        &rule("<Transition><StorageClass>GLACIER</StorageClass></Transition>"),
        &rule("<Expiration><Days>1</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"),
        &rule("<Expiration><Days>1</Days><Date>2031-01-01</Date></Expiration>"),
        &rule("<Expiration/>"),
        &rule("<Expiration><Days>-1</Days></Expiration>"),
        &rule("<Expiration><Days>1.5</Days></Expiration>"),
        &rule("<Expiration><Days>\u{1B}[2J\u{202E}</Days></Expiration>"),
        &rule("<Expiration><Days>2147483648</Days></Expiration>"),
        &rule("<Expiration>1</Expiration>"),
        &rule("<Expiration><Days><a/></Days></Expiration>"),
        &rule("<NoncurrentVersionExpiration><NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration>"),
        &rule("<AbortIncompleteMultipartUpload/>"),
    ]
    .into_iter()
    .map(bad)
    .collect();
    insta::assert_snapshot!(errors.join("\n"));
    assert_eq!(shown(read(b"<a>\n \xC3\x28")), "2:2: it is not UTF-8 text [-]");
    for utf16 in [b"\xFF\xFE<\0", b"\xFE\xFF\0<"] {
        assert_eq!(shown(read(utf16)), "1:1: it is UTF-16, and only UTF-8 is read: save it as UTF-8 [-]");
    }
    assert_eq!(shown(read(&vec![b' '; MAX_BYTES + 1])), "1:1: it is larger than 16 MiB [-]");
    assert_eq!(shown(read(&vec![b' '; MAX_BYTES])), "1:1: it is empty [-]");
}

#[test]
fn errors_of_json_name_line_column_and_code() {
    let deep = format!("{{\"Rules\": {}", "[".repeat(70));
    let errors: Vec<String> = [
        "{",
        "{\"Rules\": [\n1,]}",
        "{\"Rules\": []} x",
        "{\"Rules\": [],\n \"Rules\": []}",
        "{\"Rules\": \"\\ud800\"}",
        "{\"Rules\": \"a\nb\"}",
        "{\"Rules\": 01}",
        &deep,
        "{\"Resources\": {}}",
        "{\"Rules\": {}}",
        "{\"Rules\": [1]}",
        &cli("\"ID\": \"a\""),
        &cli("\"Filter\": {}, \"Prefix\": \"\""),
        &cli("\"Filter\": {}, \"Expiration\": {\"Days\": 1.0}"),
        &cli("\"Filter\": {}, \"Expiration\": {\"Days\": -1}"),
        &cli("\"Filter\": {}, \"Expiration\": {\"Days\": null}"),
        &cli("\"Filter\": {}, \"Expiration\": {\"Days\": 1, \"ExpiredObjectDeleteMarker\": true}"),
        &cli("\"Filter\": {}, \"Transitions\": [{\"Days\": 1, \"StorageClass\": \"ICE\"}]"),
        &cli("\"Filter\": [], \"Expiration\": {\"Days\": 1}"),
        &cli("\"ExpirationInDays\": {\"Ref\": \"Days\"}"),
        &cli("\"ExpirationInDays\": 1, \"ExpiredObjectDeleteMarker\": true"),
        &cli("\"ExpirationInDays\": 0.5"),
        &cli("\"ExpirationInDays\": 1, \"Filter\": {}"),
        &cli("\"Id\": \"a\", \"NoncurrentVersionExpirationInDays\": 1, \"NoncurrentVersionExpiration\": {\"NoncurrentDays\": 1}"),
    ]
    .into_iter()
    .map(bad)
    .collect();
    insta::assert_snapshot!(errors.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn random_bytes_make_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn random_text_makes_no_panic(start in "[<{]", text in "(?s).{0,80}") {
        let _ = read(format!("{start}{text}").as_bytes());
    }

    /// Bytes replaced, taken out, doubled and moved.
    #[test]
    fn mutated_documents_make_no_panic(
        of in 0..GOOD.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..8_usize, 0..4_u8, any::<u8>()), 1..6),
    ) {
        let mut bytes = GOOD[of].as_bytes().to_vec();
        for (at, length, kind, byte) in changes {
            let at = at.index(bytes.len() + 1).min(bytes.len());
            let end = (at + length).min(bytes.len());
            match kind {
                0 => drop(bytes.splice(at..end, [byte])),
                1 => drop(bytes.drain(at..end)),
                2 => { let piece = bytes[at..end].to_vec(); bytes.splice(at..at, piece); }
                _ => bytes.insert(at, b"<>{}[]\",:&;/-\\"[usize::from(byte) % 14]),
            }
        }
        match read(&bytes) {
            Ok(document) => {
                let today = date!(2026 - 11 - 22);
                for versions in [Versions::Unversioned, Versions::Enabled, Versions::Suspended] {
                    let verdicts = analyse(&document.configuration, versions, today);
                    let bucket = Bucket { versions, mfa_delete: Some(true), today };
                    prop_assert!(!problems(&document, &verdicts, bucket).is_empty());
                }
            }
            Err(error) => {
                prop_assert!(error.place.line >= 1 && error.place.column >= 1 && !error.message.is_empty());
            }
        }
    }

    /// The grammar is serde_json's, but for keys that stand twice and deep nesting.
    #[test]
    fn json_is_json(text in r#"[{}\[\]",:0-9eE.+\-tfnu\\ a]{0,12}"#) {
        let theirs = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        let ours = json::parse(&text);
        let double_key = matches!(&ours, Err(fault) if fault.message.contains("twice"));
        // Numbers that no f64 can hold are serde_json's own limit.
        let overflow = !theirs && text.contains(['e', 'E']);
        prop_assert!(double_key || overflow || ours.is_ok() == theirs, "{text:?} {ours:?}");
    }
}
