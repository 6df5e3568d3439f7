//! The JSON that programs read follows the schemas in `reports/`, and these say what every key means. That of
//! `report.json` is in `contract.rs`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::common::{Cli, Ran, Sim, files};
use crate::saved::Runs;
use crate::scan::{MANAGEMENT, good, management, organization, with};

const SCHEMAS: [&str; 7] =
    ["coverage", "diff", "lifecycle-check", "plan", "storage-lens-compare", "storage-lens-read", "trend"];

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("reports/{name}.schema.json"));
    serde_json::from_str(&fs::read_to_string(path).expect(name)).expect("JSON")
}

fn validator(name: &str) -> jsonschema::Validator {
    let schema = schema(name);
    jsonschema::draft202012::meta::validate(&schema).expect("a schema");
    jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema")
}

/// The document must follow the schema, and must not with a key too many or one too few.
#[track_caller]
fn assert_valid(name: &str, document: &str) -> Value {
    let document: Value = serde_json::from_str(document).expect("JSON");
    let validator = validator(name);
    let errors: Vec<String> =
        validator.iter_errors(&document).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}");
    for key in document.as_object().expect("an object").keys() {
        let mut broken = document.clone();
        broken.as_object_mut().expect("an object").remove(key);
        assert!(!validator.is_valid(&broken), "{name} without {key} is accepted");
    }
    let mut broken = document.clone();
    broken["color"] = json!("red");
    assert!(!validator.is_valid(&broken), "{name} with another key is accepted");
    document
}

fn assert_described(schema: &Value, path: &str) {
    if let Some(properties) = schema["properties"].as_object() {
        assert_eq!(schema["additionalProperties"], false, "{path}");
        assert_eq!(schema["required"].as_array().map(Vec::len), Some(properties.len()), "{path}");
        for (key, property) in properties {
            let words = property["description"].as_str().unwrap_or_default();
            assert!(words.len() > 8, "{path}/{key} is not described");
            assert_described(property, &format!("{path}/{key}"));
        }
    }
    if !schema["items"].is_null() {
        assert_described(&schema["items"], &format!("{path}[]"));
    }
    for one in schema["oneOf"].as_array().into_iter().flatten() {
        assert_described(one, path);
    }
}

#[test]
fn schemas_describe_every_key() {
    for name in SCHEMAS {
        assert_described(&schema(name), name);
        assert_eq!(schema(name)["$id"], format!("urn:bucketlens:{name}:1"));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports");
    let there = files(&folder).into_iter().filter_map(|name| Some(name.strip_suffix(".schema.json")?.to_owned()));
    let mut all: Vec<&str> = SCHEMAS.into_iter().chain(["report"]).collect();
    all.sort_unstable();
    assert_eq!(there.collect::<Vec<_>>(), all, "this list is not whole");
}

/// An organization in which much is unknown, before and after much has changed.
fn two_days() -> Runs {
    let runs = Runs::new();
    let expires = json!([{"ID": "a", "Filter": {}, "Status": "Enabled", "Expiration": {"Days": 30}}]);
    let blind = json!({"deny": {"GetBucketVersioning": "no"}});
    let bare = |name: &str| json!({"name": name, "region": "eu-west-1"});
    let before = json!([
        with(bare("blind"), &blind),
        with(bare("expires"), &json!({"versioning": "Enabled", "lifecycle": expires})),
        good("lost"),
        bare("plain"),
        with(bare("gone"), &json!({"vanished": true})),
    ]);
    let after = json!([with(bare("lost"), &json!({"versioning": "Enabled"})), bare("plain"), good("new")]);
    for (name, buckets, more) in [("old", before, "--metrics=all"), ("new", after, "--bucket=*")] {
        let shut = json!({"id": "222222222222", "name": "", "ou": "r-test", "assumable": false, "buckets": []});
        let ours = management(&json!({"buckets": buckets}));
        let sim = Sim::json(&organization(&json!([ours, shut])).to_string());
        let formats = "csv,json,parquet,storage-lens-csv,storage-lens-parquet,storage-lens-tables";
        let arguments = ["--organization", "--fail-on", "none", "--allow-unknown", "--format", formats, more];
        runs.scan(name, &sim, MANAGEMENT, &arguments).expect(0);
    }
    runs
}

#[test]
fn a_check_of_lifecycle_rules_follows_its_schema() {
    let conflicts = include_str!("../../fixtures/lifecycle/conflicts.xml");
    let refused = r#"{"Rules": [{"Id": "a", "Filter": {}, "Expiration": {"Days": 0}}]}"#;
    for (text, is_refused) in [(conflicts, false), (refused, true)] {
        let ran = Cli::new(["lifecycle", "check", "x", "--format", "json"]).file("x", text).run().expect(0);
        assert_eq!(assert_valid("lifecycle-check", &ran.stdout)["refused"], is_refused);
    }
}

#[test]
fn what_programs_read_follows_its_schema() {
    let runs = two_days();
    let json = |arguments: &[&str]| -> Ran { runs.run(&[arguments, &["--format", "json"]].concat()) };
    for (old, new) in [("@old", "@new"), ("@new", "@old")] {
        let document = assert_valid("diff", &json(&["diff", old, new]).stdout);
        assert!(!document["changes"].as_array().expect("rows").is_empty());
    }
    let plan = assert_valid("plan", &json(&["plan", "@old"]).stdout);
    let courses: Vec<&Value> =
        plan["accounts"][0]["buckets"].as_array().expect("rows").iter().map(|bucket| &bucket["course"]).collect();
    assert_eq!(courses, ["unknown", "wrong_tool", "enable"]);
    for scope in ["organization", "account-region"] {
        let trend = assert_valid("trend", &json(&["trend", "@", "--scope", scope]).expect(0).stdout);
        assert!(!trend["remarks"].as_array().expect("sentences").is_empty());
    }
    let of_table = assert_valid("coverage", &runs.read("old/coverage.json"));
    assert_eq!(of_table["run"]["config_id"], "bucketlens-tables");
    for config in ["bucketlens-csv", "bucketlens-parquet"] {
        let export = format!("StorageLens/{MANAGEMENT}/{config}");
        let folder = runs.path(&format!("old/{export}"));
        let coverage = files(&folder).into_iter().find(|name| name.ends_with("coverage.json")).expect("one");
        let coverage = assert_valid("coverage", &fs::read_to_string(folder.join(coverage)).expect("text"));
        assert_eq!(
            (&coverage["buckets"][0]["bucket"], &coverage["accounts"][0]["outcome"]),
            (&json!("blind"), &json!("failed"))
        );
        let path = format!("@old/{export}");
        assert_valid("storage-lens-read", &json(&["storage-lens", "read", &path]).expect(3).stdout);
        for run in ["@old", "@new"] {
            let compared = json(&["storage-lens", "compare", &path, "--with", &runs.text(&run[1..])]);
            let compared = assert_valid("storage-lens-compare", &compared.stdout);
            assert!(!compared["differences"].as_array().expect("rows").is_empty());
        }
    }
}
