//! `inventory.parquet`, read back with `DuckDB` and pyarrow: what the file itself says of its columns, and what it holds.

use std::fs;

use bucketlens::dataset::inventory::schema;
use bucketlens::simulator::Organization;
use serde_json::{Value, json};

use crate::common::{Row, Sim};
use crate::saved::Runs;
use crate::scan::{good, with};
use crate::servers::python_lines as python;

const DEMO: &str = "104217683095";

/// Name, type and nullability of every column, from the file's own schema, and the rows with `DuckDB`.
const SCHEMA: &str = "
import json, sys, pyarrow.parquet as parquet
file = parquet.ParquetFile(sys.argv[1])
columns = [file.schema.column(place) for place in range(len(file.schema))]
kinds = {'BYTE_ARRAY': 'string', 'INT32': 'int32', 'INT64': 'timestamp', 'BOOLEAN': 'boolean'}
for column in columns:
    if column.physical_type == 'BYTE_ARRAY': assert column.logical_type.type == 'STRING', column
    if column.physical_type == 'INT64':
        told = json.loads(column.logical_type.to_json())
        assert told['isAdjustedToUTC'] and told['timeUnit'] == 'microseconds', told
arrow = file.schema_arrow
print(json.dumps({
    'columns': [[column.name, kinds[column.physical_type], column.max_definition_level == 0] for column in columns],
    'arrow': sorted({str(field.type) for field in arrow}),
    'rows': file.metadata.num_rows,
    'groups': file.metadata.num_row_groups,
    'about': json.loads(file.metadata.metadata[b'bucketlens']),
}))
";

const ROWS: &str = "
import duckdb, json, sys
rows = duckdb.sql(sys.argv[2].replace('FILE', \"'\" + sys.argv[1] + \"'\"))
print(json.dumps([dict(zip(rows.columns, row)) for row in rows.fetchall()], default=str))
";

fn query(runs: &Runs, name: &str, sql: &str) -> Option<Vec<Value>> {
    let path = runs.text(&format!("{name}/inventory.parquet"));
    Some(serde_json::from_str(&python(ROWS, &[&path, sql])?).expect("JSON"))
}

#[test]
fn the_file_says_itself_what_its_columns_are() {
    let runs = Runs::new();
    runs.scan("run", &Sim::start(Organization::demo()), DEMO, &["--organization"]).expect(1);
    let Some(told) = python(SCHEMA, &[&runs.text("run/inventory.parquet")]) else { return };
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let expected: Vec<Value> =
        schema().into_iter().map(|(name, kind, is_required)| json!([name, kind, is_required])).collect();
    assert_eq!(told["columns"], json!(expected));
    let required: Vec<&str> = expected.iter().filter(|it| it[2] == true).filter_map(|it| it[0].as_str()).collect();
    let always = [
        "run_id",
        "run_start",
        "standard",
        "account_id",
        "bucket",
        "vanished",
        "status",
        "observed_at",
        "directory_bucket",
    ];
    assert_eq!(required, always);
    assert_eq!(told["arrow"], json!(["bool", "int32", "string", "timestamp[us, tz=UTC]"]));
    assert_eq!((&told["rows"], &told["groups"]), (&json!(38), &json!(1)));
    let report = runs.json("run/report.json");
    assert_eq!(told["about"]["run"]["id"], report["run"]["id"]);
    assert_eq!(told["about"]["coverage"], report["coverage"]);
    assert_eq!(told["about"]["accounts"].as_array().map(Vec::len), Some(9));
}

#[test]
fn the_readme_has_a_row_for_every_column() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("README.md");
    let further =
        ["policy", "object_lock", "replication", "encryption", "ownership", "acceleration", "notification", "tags"];
    for (name, kind, is_required) in schema() {
        let is_further = further.contains(&name.trim_end_matches("_unknown"));
        // Metrics have AWS's way of writing.
        if name.starts_with(char::is_lowercase) && !is_further {
            let required = if is_required { "required" } else { "" };
            let row = format!("| `{name}` | {kind} | {required}").trim_end().to_owned() + " |";
            assert!(readme.contains(&row), "{row}");
        }
    }
    assert!(further.iter().all(|name| readme.contains(&format!("`{name}`"))));
}

#[test]
fn the_rows_are_those_of_the_tables_and_what_is_unknown_is_null() {
    let runs = Runs::new();
    let ran = runs.scan("run", &Sim::start(Organization::demo()), DEMO, &["--organization"]).expect(1);
    let sql = "select account_id, coalesce(account_name, '') as account_name, coalesce(ou_path, '') as ou_path, \
               coalesce(region, 'unknown') as region, bucket, \
               case when vanished then 'not_applicable' else coalesce(versioning, 'unknown') end as versioning, \
               case when vanished then 'not_applicable' else coalesce(mfa_delete, 'unknown') end as mfa_delete, \
               case when vanished then 'not_applicable' else coalesce(lifecycle, 'unknown') end as lifecycle, \
               coalesce(lifecycle_rules::varchar, '') as lifecycle_rules, status, coalesce(severity, '') as severity, \
               coalesce(failed_rules, '') as failed_rules, coalesce(advisories, '') as advisories, \
               coalesce(accepted_controls, '') as accepted_controls, \
               strftime(timezone('UTC', observed_at), '%Y-%m-%dT%H:%M:%SZ') as observed_at from FILE";
    let Some(rows) = query(&runs, "run", sql) else { return };
    let table = runs.read("run/buckets.csv");
    let mut table: Vec<Row> =
        csv::Reader::from_reader(table.as_bytes()).deserialize().collect::<Result<_, _>>().expect("rows");
    for row in &mut table {
        row.remove("unknown_reasons");
        // In the table a name that a spreadsheet would take for a formula has an apostrophe.
        if row["account_name"] == "'=Data Platform" {
            row.insert("account_name".to_owned(), "=Data Platform".to_owned());
        }
    }
    let expected: Vec<Value> = table.iter().map(|row| json!(row)).collect();
    assert_eq!(expected.len(), 38);
    for (expected, found) in expected.iter().zip(&rows) {
        assert_eq!(expected, found);
    }
    assert_eq!(rows.len(), expected.len());

    // Nothing that is unknown has a value, and everything unknown has a reason; what was not asked for has neither.
    let wrong = query(
        &runs,
        "run",
        "select bucket from FILE where (versioning is null) <> (mfa_delete is null) \
         or (not vanished and (versioning is null) <> (versioning_unknown is not null)) \
         or (not vanished and (lifecycle is null) <> (lifecycle_unknown is not null)) \
         or (versioning is null) <> (VersioningEnabledBucketCount is null) \
         or (mfa_delete is null) <> (MFADeleteEnabledBucketCount is null) \
         or (lifecycle is null) <> (TotalLifecycleRuleCount is null) \
         or vanished <> (versioning_observed_at is null) \
         or policy is not null or policy_unknown is not null or tags is not null or tags_unknown is not null",
    );
    assert_eq!(wrong, Some(Vec::new()));
    let sql = "select versioning_unknown as why from FILE where versioning_unknown is not null";
    let why = query(&runs, "run", sql).expect("installed");
    assert!(
        why.len() == 1 && why[0]["why"].as_str().expect("text").starts_with("GetBucketVersioning denied"),
        "{why:?}"
    );
    let rules =
        query(&runs, "run", "select lifecycle_rules_json as rules from FILE where bucket = 'shop-catalog-images'");
    let rules: Value =
        serde_json::from_str(rules.expect("installed")[0]["rules"].as_str().expect("text")).expect("JSON");
    assert_eq!((&rules[0]["id"], &rules[0]["status"]), (&json!("old-images"), &json!("disabled")));

    // The metrics of the report are the sums of the columns.
    let metrics = ran_metrics(&runs);
    let columns: Vec<String> = metrics.iter().map(|(name, _)| format!("sum({name})::bigint as {name}")).collect();
    let sums = query(&runs, "run", &format!("select {} from FILE", columns.join(", "))).expect("installed");
    for (name, value) in metrics {
        assert_eq!(sums[0][&name], json!(value), "{name}");
    }
    assert!(ran.stdout.contains("inventory.parquet"));
}

/// The counts of the whole organization that are made of buckets.
fn ran_metrics(runs: &Runs) -> Vec<(String, u64)> {
    let report = runs.json("run/report.json");
    let rows = report["metrics"].as_array().expect("metrics").iter().filter(|row| row["scope"] == "organization");
    let counts = rows.filter_map(|row| Some((row["metric"].as_str()?.to_owned(), row["value"].as_u64()?)));
    counts.filter(|(name, _)| !name.ends_with("AccountCount") && !name.ends_with("Percent")).collect()
}

#[test]
fn many_buckets_are_written_in_several_groups_and_few_in_none() {
    let runs = Runs::new();
    runs.scan(
        "none",
        &Sim::json(&crate::scan::organization(&json!([crate::scan::management(&json!({}))])).to_string()),
        crate::scan::MANAGEMENT,
        &[],
    )
    .expect(0);
    let sim = Sim::start(Organization::generate(3, 12_000));
    let account = sim_account();
    runs.scan("many", &sim, &account, &["--organization", "--fail-on", "none", "--allow-unknown"]).expect(0);
    let told = |name: &str| -> Option<Value> {
        Some(serde_json::from_str(&python(SCHEMA, &[&runs.text(&format!("{name}/inventory.parquet"))])?).expect("JSON"))
    };
    let Some(none) = told("none") else { return };
    assert_eq!((&none["rows"], &none["groups"]), (&json!(0), &json!(0)));
    let many = told("many").expect("installed");
    assert_eq!((&many["rows"], &many["groups"]), (&json!(12_000), &json!(2)));
    let order =
        query(&runs, "many", "select count(*) as rows, count(distinct (account_id, bucket)) as different from FILE");
    assert_eq!(order, Some(vec![json!({"rows": 12_000, "different": 12_000})]));
}

#[test]
fn what_is_made_of_a_missing_column_has_no_value() {
    const WITHOUT: &str = "
import sys, pyarrow.parquet as pq
table = pq.read_table(sys.argv[1])
pq.write_table(table.drop_columns(sys.argv[3].split(',')), sys.argv[2])
print('{}')
";
    let runs = Runs::new();
    let sim = Sim::json(
        &crate::scan::organization(&json!([crate::scan::management(&json!({"buckets": [good("one")]}))])).to_string(),
    );
    runs.scan("run", &sim, crate::scan::MANAGEMENT, &["--metrics", "encryption"]).expect(0);
    fs::create_dir(runs.path("days")).expect("writable");
    let (from, to) = (runs.text("run/inventory.parquet"), runs.text("days/day.parquet"));
    let trend = |folder: &str| runs.run(&["trend", folder, "--format", "csv"]).expect(0).stdout;
    assert!(trend("@run").contains("SSEKMSEnabledBucketPercent"));
    // An older version read settings, and had no columns for what they come to.
    let settings = bucketlens::aggregate::counters().filter(|name| !bucketlens::aggregate::asks(name).is_empty());
    if python(WITHOUT, &[&from, &to, &settings.collect::<Vec<_>>().join(",")]).is_none() {
        return;
    }
    let trend = trend("@days");
    assert!(trend.contains("VersioningEnabledBucketPercent") && !trend.contains("SSEKMSEnabled"), "{trend}");
}

fn sim_account() -> String {
    Organization::generate(3, 0).management_account().to_owned()
}

#[test]
fn names_that_need_care_stay_what_they_are() {
    let runs = Runs::new();
    let strange =
        json!({"ID": "\"quoted\", 'and' \u{202e}more\n", "Filter": {}, "Status": "Enabled", "Expiration": {"Days": 1}});
    runs.buckets("run", &json!([with(good("one"), &json!({"mfa_delete": null, "lifecycle": [strange]}))]));
    let Some(rows) = query(&runs, "run", "select lifecycle_rules_json as rules from FILE") else { return };
    let rules: Value = serde_json::from_str(rows[0]["rules"].as_str().expect("text")).expect("JSON");
    assert_eq!(rules[0]["id"], "\"quoted\", 'and' \u{202e}more\n");
    // Made again it is the same, to the last byte.
    runs.run(&["report", "@run", "--out", "@again", "--format", "parquet", "--fail-on", "none", "--allow-unknown"])
        .expect(0);
    let bytes = |name: &str| fs::read(runs.path(name).join("inventory.parquet")).expect("there");
    assert_eq!(bytes("run"), bytes("again"));
}
