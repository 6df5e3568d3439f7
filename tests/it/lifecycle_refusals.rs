//! `bucketlens lifecycle check`: what S3 refuses, what it does not, and the formats that people have.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::common::{Cli, Ran};

fn check(text: &str, arguments: &[&str]) -> Ran {
    let arguments = ["lifecycle", "check", "lifecycle.file", "--versioning", "enabled", "--today", "2026-11-29"]
        .iter()
        .chain(arguments);
    Cli::new(arguments.copied()).file("lifecycle.file", text).run()
}

#[track_caller]
fn answer(text: &str) -> Value {
    serde_json::from_str(&check(text, &["--format", "json"]).expect(0).stdout).expect("JSON")
}

/// Code and message of each refusal. The configuration counts as refused where there is one.
#[track_caller]
fn refusals(text: &str) -> Vec<(String, String)> {
    let answer = answer(text);
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let problems = answer["problems"].as_array().expect("a list").iter();
    let refused: Vec<&Value> = problems.filter(|problem| problem["refused"] == true).collect();
    assert_eq!(answer["refused"], !refused.is_empty(), "{answer:#}");
    assert!(refused.iter().all(|problem| problem["severity"] == "high"), "{answer:#}");
    refused.into_iter().map(|problem| (word(&problem["code"]), word(&problem["message"]))).collect()
}

/// One refusal, with this code and these words.
#[track_caller]
fn refused(text: &str, code: &str, words: &str) {
    let found = refusals(text);
    let is_it = |(its, message): &(String, String)| its == code && message.contains(words);
    assert!(found.len() == 1 && is_it(&found[0]), "{text}\n{found:#?}");
}

#[track_caller]
fn taken(text: &str) -> Value {
    assert_eq!(refusals(text), [], "{text}");
    answer(text)
}

/// A configuration of the AWS CLI with one rule, which has these members too.
fn rule(members: &Value) -> String {
    let mut rule = json!({"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "x/"}});
    rule.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    json!({"Rules": [rule]}).to_string()
}

const LADDER: [&str; 6] = ["STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"];

#[test]
fn a_cheaper_class_must_come_later_than_a_dearer_one() {
    let days = |(class, days): (&str, u32)| json!({"Days": days, "StorageClass": class});
    let noncurrent = |(class, days): (&str, u32)| json!({"NoncurrentDays": days, "StorageClass": class});
    let date =
        |(class, days): (&str, u32)| json!({"Date": format!("2031-{:02}-01", days / 30 + 1), "StorageClass": class});
    let pairs = (0..LADDER.len()).flat_map(|cheap| (0..cheap).map(move |dear| (LADDER[dear], LADDER[cheap])));
    // One file with a rule for each case: whether S3 takes it, and the words of the refusal.
    let (mut rules, mut wanted) = (Vec::new(), Vec::new());
    for (dear, cheap) in pairs {
        for (of_dear, of_cheap, is_taken) in [(200, 30, false), (200, 200, false), (0, 0, false), (30, 230, true)] {
            let (one, other) = ((dear, of_dear), (cheap, of_cheap));
            for (field, member, moves) in [
                // In any order of the file.
                ("'Days'", "Transitions", json!([days(one), days(other)])),
                ("'Days'", "Transitions", json!([days(other), days(one)])),
                ("'Date'", "Transitions", json!([date(other), date(one)])),
                ("'NoncurrentDays'", "NoncurrentVersionTransitions", json!([noncurrent(other), noncurrent(one)])),
            ] {
                let id = rules.len().to_string();
                rules.push(json!({"ID": id, "Status": "Disabled", "Filter": {}, member: moves}));
                let words = format!("{field} in the .* StorageClass '{cheap}' must be greater than {field}");
                wanted.push((!is_taken).then_some(words));
            }
        }
    }
    let answer = answer(&json!({"Rules": rules}).to_string());
    let mut found: Vec<Option<String>> = vec![None; rules.len()];
    for problem in answer["problems"].as_array().expect("a list").iter().filter(|problem| problem["refused"] == true) {
        let rule: usize = problem["rule"].as_str().expect("an ID").parse().expect("a number");
        assert_eq!((&problem["code"], &found[rule]), (&json!("InvalidArgument"), &None), "{problem}");
        found[rule] = Some(problem["message"].as_str().expect("a text").to_owned());
    }
    for (rule, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
        let is_right = match (found, wanted) {
            (Some(found), Some(wanted)) => wanted.split(".*").all(|words| found.contains(words)),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        assert!(is_right, "{found:?}, not {wanted:?}: {}", rules[rule]);
    }
}

#[test]
fn a_class_is_kept_for_its_minimum_within_one_rule() {
    let moves = |days: u32, from: &str, later: u32, to: &str| {
        let moves = json!([{"Days": days, "StorageClass": from}, {"Days": later, "StorageClass": to}]);
        rule(&json!({"Transitions": moves}))
    };
    refused(&moves(30, "GLACIER", 119, "DEEP_ARCHIVE"), "InvalidArgument", "'DEEP_ARCHIVE' must be 90 days more");
    refused(&moves(4, "GLACIER_IR", 93, "GLACIER"), "InvalidArgument", "'GLACIER' must be 90 days more");
    refused(&moves(30, "STANDARD_IA", 59, "GLACIER"), "InvalidArgument", "'GLACIER' must be 30 days more");
    taken(&moves(30, "GLACIER", 120, "DEEP_ARCHIVE"));
    taken(&moves(30, "INTELLIGENT_TIERING", 31, "GLACIER"));
}

#[test]
fn an_expiration_is_the_last_action_of_its_rule() {
    let current = |end: Value, moves: Value| rule(&json!({"Expiration": end, "Transitions": [moves]}));
    let days = |days: u32| json!({"Days": days, "StorageClass": "GLACIER"});
    let date = |date: &str| json!({"Date": date, "StorageClass": "GLACIER"});
    for text in [
        current(json!({"Days": 180}), days(180)),
        current(json!({"Days": 10}), days(180)),
        current(json!({"Date": "2031-01-01"}), date("2031-01-01")),
        current(json!({"Date": "2031-01-01"}), date("2031-01-02")),
    ] {
        refused(&text, "InvalidArgument", "in the Expiration action must be greater than");
    }
    let noncurrent = |end: u32, moves: u32| {
        rule(&json!({
            "NoncurrentVersionExpiration": {"NoncurrentDays": end},
            "NoncurrentVersionTransitions": [{"NoncurrentDays": moves, "StorageClass": "GLACIER"}],
        }))
    };
    for (end, moves) in [(10, 15), (15, 15), (1, 0), (1, 1)] {
        let text = noncurrent(end, moves);
        if end > moves {
            taken(&text);
        } else {
            refused(&text, "InvalidArgument", "'NoncurrentDays' in the NoncurrentVersionExpiration action");
        }
    }
    taken(&current(json!({"Days": 181}), days(180)));
}

#[test]
fn numbers_and_words_have_bounds() {
    for action in ["NoncurrentVersionExpiration", "NoncurrentVersionTransitions"] {
        let newer = |newer: Value| {
            let mut members = json!({action: {"NoncurrentDays": 40, "NewerNoncurrentVersions": newer}});
            if action == "NoncurrentVersionTransitions" {
                members[action]["StorageClass"] = json!("GLACIER");
            }
            rule(&members)
        };
        for wrong in [json!(0), json!("0"), json!(-1), json!(-0)] {
            refused(&newer(wrong), "InvalidArgument", "NewerNoncurrentVersions");
        }
        // AWS documents 100 and was seen to take 500.
        for right in [1, 100, 101, 500] {
            taken(&newer(json!(right)));
        }
    }
    let with_size = |word: &str| {
        let mut text: Value = serde_json::from_str(&rule(&json!({"Expiration": {"Days": 1}}))).expect("JSON");
        text["TransitionDefaultMinimumObjectSize"] = json!(word);
        text.to_string()
    };
    for wrong in ["value", "", "ALL_STORAGE_CLASSES_128K", "all_storage_classes_128k", "varies-by-storage-class"] {
        refused(&with_size(wrong), "InvalidRequest", "TransitionDefaultMinimumObjectSize");
    }
    taken(&with_size("all_storage_classes_128K"));
    taken(&with_size("varies_by_storage_class"));
    let expire = |filter: Value| rule(&json!({"Filter": filter, "Expiration": {"Days": 1}}));
    let long = |length: usize| "k".repeat(length);
    let tag = |key: &str, value: &str| expire(json!({"Tag": {"Key": key, "Value": value}}));
    refused(&tag("", "v"), "InvalidRequest", "A Tag's Key must be a length between 1 and 128");
    refused(&tag(&long(129), "v"), "InvalidRequest", "A Tag's Key must be a length between 1 and 128");
    refused(&tag("k", &long(257)), "InvalidRequest", "A Tag's Value must be a length between 0 and 256");
    taken(&tag(&long(128), &long(256)));
    refused(&expire(json!({"Prefix": long(1025)})), "InvalidRequest", "The maximum size of a prefix is 1024");
    taken(&expire(json!({"Prefix": long(1024)})));
    refused(&expire(json!({"ObjectSizeLessThan": 0})), "InvalidRequest", "'ObjectSizeLessThan' should be between 1");
    refused(&expire(json!({"ObjectSizeLessThan": -1})), "InvalidRequest", "must not be negative");
    refused(
        &expire(json!({"ObjectSizeGreaterThan": 1_099_511_627_776_001_u64})),
        "InvalidRequest",
        "'ObjectSizeGreaterThan' should be between 0",
    );
    let abort = |days: i32| rule(&json!({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days}}));
    refused(&abort(0), "InvalidArgument", "DaysAfterInitiation");
    refused(&abort(-3), "InvalidArgument", "DaysAfterInitiation");
    refused(&rule(&json!({"Expiration": {"Days": 0}})), "InvalidArgument", "'Days' for Expiration action");
    let marker =
        json!({"Filter": {"Tag": {"Key": "k", "Value": "v"}}, "Expiration": {"ExpiredObjectDeleteMarker": true}});
    refused(&rule(&marker), "InvalidRequest", "ExpiredObjectDeleteMarker cannot be specified with Tags.");
}

#[test]
fn more_tags_than_an_object_has_match_nothing() {
    let tags = |count: usize| -> Vec<Value> {
        (0..count).map(|tag| json!({"Key": format!("k{tag}"), "Value": "v"})).collect()
    };
    let asks = |count: usize| rule(&json!({"Filter": {"And": {"Tags": tags(count)}}, "Expiration": {"Days": 1}}));
    assert_eq!(taken(&asks(10))["actions"][0]["verdict"], "effective");
    for count in [11, 50] {
        let answer = taken(&asks(count));
        let action = &answer["actions"][0];
        assert_eq!((&action["verdict"], &action["by"]), (&json!("never_applies"), &json!([])), "{answer:#}");
        assert!(action["why"].as_str().expect("a text").contains("at most 10 tags"), "{action}");
        let page = check(&asks(count), &[]).expect(0).stdout;
        assert!(page.contains("NEVER APPLIES") && page.contains("at most 10"), "{page}");
    }
    // It takes nothing from another rule.
    let mut both: Value = serde_json::from_str(&asks(11)).expect("JSON");
    let all = json!({"ID": "all", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 9}});
    both["Rules"].as_array_mut().expect("a list").push(all);
    assert_eq!(taken(&both.to_string())["actions"][1]["verdict"], "effective");
}

#[test]
fn all_refusals_are_printed_at_once_and_fail_only_on_demand() {
    let text = json!({"Rules": [
        {"Status": "Enabled", "ID": "a", "Expiration": {"Days": 1}},
        {"ID": "b", "Status": "enabled", "Filter": {}, "Expiration": {"Days": 3},
            "Transitions": [{"Days": 3, "StorageClass": "GLACIER"}, {"Days": 1, "StorageClass": "ICE"}]},
        {"ID": "b", "Status": "Enabled", "Filter": {}, "NoncurrentVersionExpiration": {"NewerNoncurrentVersions": 1}},
        {"ID": "d", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 30}},
        17,
    ]})
    .to_string();
    let found = refusals(&text);
    let found = found.iter().fold(String::new(), |mut all, (code, message)| {
        writeln!(all, "{code} {message}").expect("written");
        all
    });
    insta::assert_snapshot!(found);
    let answer = answer(&text);
    let verdicts: Vec<&str> =
        answer["actions"].as_array().expect("rows").iter().map(|it| it["verdict"].as_str().expect("a word")).collect();
    assert_eq!(verdicts, ["not_analysed", "not_analysed", "not_analysed", "effective"]);
    let page = check(&text, &[]).expect(0).stdout;
    assert!(page.contains("S3 REFUSES IT") && page.contains("a (not read)"), "{page}");
    check(&text, &["--fail-on", "high"]).expect(1);
    check(&text, &["--fail-on", "critical"]).expect(0);
    for unreadable in ["", "<LifecycleConfiguration>", "{\"Rules\": 1}", "{\"Resources\": {}}", "Rules: [", "<Error/>"]
    {
        check(unreadable, &[]).expect(2);
    }
}

#[test]
fn what_stands_around_a_configuration_is_not_refused() {
    let rules = json!([{"Status": "Enabled", "ID": "a", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 60}}]);
    let of_template = json!([{"Status": "Enabled", "Id": "a", "Prefix": "x/", "ExpirationInDays": 60}]);
    let metadata = json!({"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0});
    let around = [
        json!({"ResponseMetadata": metadata, "Rules": rules, "TransitionDefaultMinimumObjectSize": "all_storage_classes_128K"}),
        json!({"$metadata": metadata, "Rules": rules}),
        json!({"Rules": rules, "ResultMetadata": {}}),
        json!({"Rules": rules, "SomethingNew": [1, 2]}),
        json!({"Bucket": "b", "ExpectedBucketOwner": "111111111111", "LifecycleConfiguration": {"Rules": rules}}),
        json!({"VersioningConfiguration": {"Status": "Enabled"}, "BucketName": {"Ref": "Name"},
            "LifecycleConfiguration": {"Rules": of_template}}),
        json!({"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain",
            "Properties": {"Tags": [], "LifecycleConfiguration": {"Rules": of_template}}}),
        json!([rules[0]]),
    ];
    for text in around {
        let answer = taken(&text.to_string());
        assert_eq!(answer["actions"][0]["verdict"], "effective", "{answer:#}");
        let problems = answer["problems"].as_array().expect("a list");
        assert!(problems.iter().all(|problem| !problem["message"].as_str().expect("words").contains("HTTP")));
    }
}

#[test]
fn what_s3_takes_is_taken() {
    let xml = |expiration: &str| {
        format!(
            "<LifecycleConfiguration><Rule><ID>a</ID><Filter><Prefix>x/</Prefix></Filter><Status>Enabled</Status>\
             {expiration}</Rule></LifecycleConfiguration>"
        )
    };
    for text in [
        xml("<Expiration/>"),
        xml("<Expiration>\n</Expiration>"),
        rule(&json!({"Expiration": {}})),
        rule(&json!({"Expiration": {"Days": null, "Date": null, "ExpiredObjectDeleteMarker": null}})),
    ] {
        let answer = taken(&text);
        assert_eq!(answer["actions"], json!([]));
        let words = answer["problems"][0]["message"].as_str().expect("a text");
        assert!(words.contains("does nothing") && answer["problems"][0]["severity"] == "info", "{answer:#}");
    }
    // What SDKs print of what is not set.
    let dump = json!({"Prefix": null, "NoncurrentVersionExpiration": null, "Transitions": [],
        "Expiration": {"Days": 30, "Date": null, "ExpiredObjectDeleteMarker": null}});
    assert_eq!(taken(&rule(&dump))["actions"][0]["verdict"], "effective");
    let dumped = json!({"Expiration": {"Date": "2031-01-01 00:00:00+00:00"}});
    assert_eq!(taken(&rule(&dumped))["actions"][0]["verdict"], "effective");
    let glacier = json!({"LifecycleConfiguration": {"Rules": [{"Id": "a", "Status": "Enabled", "Prefix": "x/",
        "Transitions": [{"TransitionInDays": 60, "StorageClass": "Glacier"}]}]}});
    assert_eq!(taken(&glacier.to_string())["actions"][0]["storage_class"], "GLACIER");
    // That is CloudFormation's word alone.
    let of_cli = rule(&json!({"Transitions": [{"Days": 60, "StorageClass": "Glacier"}]}));
    refused(&of_cli, "MalformedXML", "S3 writes it GLACIER");
}

#[test]
fn a_name_of_another_dialect_is_reported_and_read() {
    let one = |rule: Value| json!({"Rules": [rule]}).to_string();
    let small = one(json!({"Id": "a", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 30}}));
    refused(&small, "-", "`Id` is CloudFormation's name; the AWS CLI calls it `ID`");
    assert_eq!((&answer(&small)["dialect"], &answer(&small)["actions"][0]["rule"]), (&json!("aws-cli"), &json!("a")));
    let mixed = one(json!({"ID": "a", "Status": "Enabled", "Filter": {}, "ExpirationInDays": 30}));
    refused(&mixed, "-", "`ExpirationInDays` is CloudFormation's name; the AWS CLI calls it `Days` in `Expiration`");
    assert_eq!(answer(&mixed)["actions"][0]["action"], "Expiration");
    let mixed = one(json!({"Id": "a", "Status": "Enabled", "ExpirationInDays": 3, "TagFilters": [],
        "Filter": {"Prefix": "x/"}}));
    refused(&mixed, "-", "`Filter` is the AWS CLI's name; CloudFormation calls it `Prefix`");
    assert_eq!(answer(&mixed)["dialect"], "cloudformation");
    let inside = one(json!({"ID": "a", "Status": "Enabled", "Filter": {},
        "NoncurrentVersionTransitions": [{"TransitionInDays": 3, "StorageClass": "GLACIER"}]}));
    refused(&inside, "-", "the AWS CLI calls it `NoncurrentDays`");
    let small = one(json!({"ID": "a", "Status": "Enabled", "Filter": {"prefix": "x/"}, "Expiration": {"Days": 30}}));
    refused(
        &small,
        "MalformedXML",
        "unknown element \"prefix\" in Filter: it is left out; the name is written \"Prefix\"",
    );
    let ran = check("{\"rules\": []}", &[]).expect(2);
    assert!(ran.stderr.contains("the key \"rules\" must be written \"Rules\""), "{}", ran.stderr);
    for (text, words) in [(small.as_str(), "names of the AWS CLI"), ("<LifecycleConfiguration/>", "S3's XML")] {
        let page = check(text, &[]).expect(0).stdout;
        assert!(page.contains(words), "{page}");
    }
}

const CLI_YAML: &str = "\
Rules:
- Expiration:
    Days: 365
  Filter:
    And:
      Prefix: logs/ä/
      Tags:
      - Key: team
        Value: 'on'
  ID: archive
  Status: Enabled
  Transitions:
  - Days: 30
    StorageClass: STANDARD_IA
- Expiration:
    Date: '2031-01-01T00:00:00+00:00'
  Filter: {}
  ID: once
  Status: Disabled
- Filter:
    Prefix: ''
  ID: 030
  Status: Enabled
  Expiration: {ExpiredObjectDeleteMarker: true}
TransitionDefaultMinimumObjectSize: all_storage_classes_128K
";

#[test]
fn the_yaml_of_the_aws_cli_is_read_like_its_json() {
    let json = json!({"TransitionDefaultMinimumObjectSize": "all_storage_classes_128K", "Rules": [
        {"ID": "archive", "Status": "Enabled", "Expiration": {"Days": 365},
            "Filter": {"And": {"Prefix": "logs/ä/", "Tags": [{"Key": "team", "Value": "on"}]}},
            "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}]},
        {"ID": "once", "Status": "Disabled", "Filter": {}, "Expiration": {"Date": "2031-01-01T00:00:00+00:00"}},
        {"ID": "030", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"ExpiredObjectDeleteMarker": true}},
    ]});
    assert_eq!(taken(CLI_YAML), answer(&json.to_string()));
    let bare = "- ID: a\n  Status: Enabled\n  Filter: {}\n  Expiration:\n    Days: 3\n";
    assert_eq!(taken(bare)["actions"][0]["verdict"], "effective");
    assert_eq!(taken(&format!("---\n# mine\n{bare}...\n"))["actions"], taken(bare)["actions"]);
    let template = "LifecycleConfiguration:\n  Rules:\n    - Id: a\n      Status: Enabled\n      \
        NoncurrentVersionExpirationInDays: 90\n";
    let answer = taken(template);
    assert_eq!((&answer["dialect"], &answer["actions"][0]["verdict"]), (&json!("cloudformation"), &json!("effective")));
    let shared = "Rules:\n- &one\n  Status: &on Enabled\n  Filter: {}\n  Expiration: {Days: 3}\n- ID: b\n  Status: *on\n  \
        Filter: {Prefix: b}\n  Expiration: {Days: 2}\n";
    assert_eq!(taken(shared)["actions"].as_array().map(Vec::len), Some(2));
}

#[test]
fn errors_of_yaml_tell_line_and_column() {
    let error = |text: &str| check(text, &[]).expect(2).stderr;
    let errors: Vec<String> = [
        "hello",
        "Rules:\n- ID: ä\n\t- x",
        "Rules: []\n---\nRules: []",
        "Rules: []\nRules: []",
        "? [a]\n: 1",
        "Rules:\n- <<: {ID: a}",
        "Rules: *nobody",
        "Rules: &a [*a]",
        "Rules:\n- Status: Enabled\n  ExpirationInDays: !Ref Days",
        "Rules: !If [A, [], []]",
        "AWSTemplateFormatVersion: '2010-09-09'\nResources: {}",
    ]
    .into_iter()
    .map(error)
    .collect();
    insta::assert_snapshot!(errors.concat());
}

/// A few lines that stand for more than fits into the memory of any machine, and nesting without an end.
#[test]
fn yaml_cannot_grow_without_bounds() {
    let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..40 {
        let again = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(laughs, "a{level}: &a{level} [{again}]").expect("written");
    }
    let ran = check(&laughs, &[]).expect(2);
    assert!(ran.stderr.contains("more than 1000000 values"), "{}", ran.stderr);
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 1000].join(", "));
    let ran = check(&long, &[]).expect(2);
    assert!(ran.stderr.contains("too much text"), "{}", ran.stderr);
    for deep in ["[".repeat(5000), "- ".repeat(5000), "a: {".repeat(5000)] {
        let deep = format!("Rules: \n  {deep}");
        check(&deep, &[]).expect(2);
    }
}

/// Severity and message of the problems of one rule.
#[track_caller]
fn problems_of(text: &str, id: &str, versioning: &str) -> Vec<String> {
    let arguments =
        ["lifecycle", "check", "x", "--versioning", versioning, "--today", "2026-11-29", "--format", "json"];
    let ran = Cli::new(arguments).file("x", text).run().expect(0);
    let answer: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let problems = answer["problems"].as_array().expect("a list").iter().filter(|problem| problem["rule"] == id);
    let words = |problem: &Value| {
        format!("{} {}", problem["severity"].as_str().expect("a word"), problem["message"].as_str().expect("a text"))
    };
    problems.map(words).collect()
}

#[track_caller]
fn told(text: &str, versioning: &str, severity: &str, words: &str) {
    let found = problems_of(text, "a", versioning);
    assert!(found.iter().any(|it| it.starts_with(severity) && it.contains(words)), "{words}: {found:#?}");
}

#[track_caller]
fn not_told(text: &str, versioning: &str, words: &str) {
    let found = problems_of(text, "a", versioning);
    assert!(!found.iter().any(|it| it.contains(words)), "{words}: {found:#?}");
}

#[test]
fn the_advice_names_the_rule_and_the_action_that_can_go() {
    let rule = |id: &str, prefix: &str, more: &Value| {
        let mut rule = json!({"ID": id, "Status": "Enabled", "Filter": {"Prefix": prefix}, "Expiration": {"Days": 7}});
        rule.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        rule
    };
    let abort = json!({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}});
    let nothing = json!({});
    let text = json!({"Rules": [rule("narrow", "testobject", &nothing), rule("wide", "test", &nothing)]}).to_string();
    assert_eq!(
        problems_of(&text, "narrow", "unversioned"),
        ["info the rule can go: once is enough, and rule wide does the same for all of its objects, no later"]
    );
    assert_eq!(problems_of(&text, "wide", "unversioned"), Vec::<String>::new());
    let text = json!({"Rules": [rule("narrow", "testobject", &abort), rule("wide", "test", &nothing)]}).to_string();
    let found = problems_of(&text, "narrow", "unversioned");
    assert!(found[0].starts_with("info its Expiration at 7 days can go: once is enough, and rule wide"), "{found:#?}");
    let tagged = |id: &str, key: &str| {
        let filter = json!({"Tag": {"Key": key, "Value": "v"}});
        rule(id, "", &json!({"Filter": filter}))
    };
    let text = json!({"Rules": [tagged("one", "k"), tagged("two", "l")]}).to_string();
    let found = problems_of(&text, "two", "unversioned");
    assert!(found.len() == 1 && found[0].contains("keep them all") && !found[0].contains("can go"), "{found:#?}");
}

#[test]
fn a_suspended_bucket_has_a_statement_for_each_kind_of_version() {
    let text = rule(&json!({"Expiration": {"Days": 30}}));
    let found = problems_of(&text, "a", "suspended");
    let about = |words: &str| found.iter().filter(|it| it.contains(words)).collect::<Vec<_>>();
    let (null, older) = (about("null versions"), about("versions from before the suspension"));
    assert!(null.len() == 1 && null[0].starts_with("high") && null[0].contains("for good"), "{found:#?}");
    assert!(older.len() == 1 && older[0].starts_with("low") && older[0].contains("keeps the version"), "{found:#?}");
    assert!(found.iter().all(|it| !(it.contains("for good") && it.contains("keeps"))), "{found:#?}");
    let both = rule(&json!({"Expiration": {"Days": 30}, "NoncurrentVersionExpiration": {"NoncurrentDays": 60}}));
    told(&both, "suspended", "info", "NoncurrentVersionExpiration deletes the version later");
    not_told(&text, "enabled", "null versions");
}

#[test]
fn traps_that_many_share_are_told() {
    let abort = json!({"DaysAfterInitiation": 7});
    let prefix = |prefix: &str| rule(&json!({"Filter": {"Prefix": prefix}, "AbortIncompleteMultipartUpload": abort}));
    told(&prefix("/logs/"), "enabled", "low", "the prefix \"/logs/\" begins with /");
    told(&prefix("logs/*"), "enabled", "low", "the prefix \"logs/*\" contains *");
    not_told(&prefix("logs/"), "enabled", "literally");

    let noncurrent = json!({"NoncurrentDays": 40});
    let markers = rule(&json!({"Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": noncurrent}));
    told(&markers, "enabled", "low", "delete markers stay for ever");
    told(&markers, "suspended", "low", "delete markers stay for ever");
    not_told(&markers, "unversioned", "delete markers");
    let removed = json!({"NoncurrentVersionExpiration": noncurrent, "Expiration": {"ExpiredObjectDeleteMarker": true}});
    not_told(&rule(&removed), "enabled", "delete markers stay");

    let moves = |class: &str, days: u32, size: Option<&str>| {
        let text = rule(&json!({"Transitions": [{"Days": days, "StorageClass": class}]}));
        let mut text: Value = serde_json::from_str(&text).expect("JSON");
        if let Some(size) = size {
            text["TransitionDefaultMinimumObjectSize"] = json!(size);
        }
        text.to_string()
    };
    let (varies, all) = (Some("varies_by_storage_class"), Some("all_storage_classes_128K"));
    told(&moves("STANDARD_IA", 60, None), "enabled", "info", "objects below 128 KB do not move to STANDARD_IA");
    told(&moves("GLACIER", 60, all), "enabled", "info", "objects below 128 KB do not move to GLACIER");
    told(&moves("GLACIER_IR", 60, varies), "enabled", "info", "objects below 128 KB do not move to GLACIER_IR");
    not_told(&moves("GLACIER", 60, varies), "enabled", "128 KB");
    not_told(&moves("DEEP_ARCHIVE", 60, varies), "enabled", "128 KB");

    told(&moves("STANDARD_IA", 7, None), "enabled", "info", "AWS's texts disagree");
    told(&moves("ONEZONE_IA", 0, None), "unversioned", "info", "AWS's texts disagree");
    not_told(&moves("STANDARD_IA", 30, None), "enabled", "disagree");
    taken(&moves("STANDARD_IA", 7, None));

    let onezone = json!({"Transitions": [{"Days": 30, "StorageClass": "ONEZONE_IA"},
        {"Days": 90, "StorageClass": "GLACIER_IR"}]});
    told(&rule(&onezone), "enabled", "low", "does not move what is in ONEZONE_IA by then");
    taken(&rule(&onezone));
}
