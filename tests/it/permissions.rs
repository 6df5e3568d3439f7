//! `bucketlens policy`: what it prints is enough for a scan, and nothing of it can be left out.

use std::collections::BTreeSet;

use bucketlens::model::Extra;
use serde_json::{Value, json};

use crate::common::{Cli, Ran, Sim};

const HUB: &str = "111111111111";
const MEMBER: &str = "222222222222";
const UNIT: &str = "ou-ab12-11111111";
const ROLE: &str = "BucketlensAudit";

/// A hub and a member in an organization that sends no paths, each of which may do only this.
fn organization(hub: &BTreeSet<String>, member: &BTreeSet<String>) -> Sim {
    let buckets =
        |name: &str| json!([{"name": name, "region": "us-east-1", "versioning": "Enabled", "mfa_delete": "Enabled"}]);
    Sim::json(
        &json!({
            "organization_id": "o-least", "management_account": HUB, "root": "r-ab12", "omit_paths": true,
            "ous": [{"id": UNIT, "name": "All", "parent": "r-ab12"}],
            "accounts": [
                {"id": HUB, "name": "Hub", "ou": UNIT, "assumable": false, "allow": hub, "buckets": buckets("of-the-hub")},
                {"id": MEMBER, "name": "Member", "ou": UNIT, "role_names": [ROLE], "allow": member,
                 "buckets": buckets("of-the-member")},
            ]
        })
        .to_string(),
    )
}

/// The statements of what is printed.
fn statements(words: &str) -> Vec<Value> {
    let ran = Cli::new(["policy"].into_iter().chain(words.split_whitespace())).run().expect(0);
    let policy: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(policy["Version"], "2012-10-17");
    let statements = policy["Statement"].as_array().expect("a list").clone();
    assert!(statements.iter().all(|statement| statement["Effect"] == "Allow"), "{policy:#}");
    statements
}

fn actions(words: &str) -> BTreeSet<String> {
    let statements = statements(words);
    let actions = statements.iter().flat_map(|statement| match &statement["Action"] {
        Value::String(action) => vec![action.clone()],
        actions => serde_json::from_value(actions.clone()).expect("texts"),
    });
    actions.collect()
}

fn scan(sim: &Sim, more: &str) -> Ran {
    let words = format!(
        "scan --organization --role-name {ROLE} --ou {UNIT} --out out --fail-on none --max-attempts 1 --quiet {more}"
    );
    Cli::new(words.split_whitespace()).at(&sim.endpoint, HUB).run()
}

/// What the run says of what went wrong.
fn said(ran: &Ran) -> String {
    let files = ["accounts.csv", "findings.csv", "buckets.csv"].map(|name| ran.path("out").join(name));
    let files = files.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    files.chain([ran.stdout.clone(), ran.stderr.clone()]).collect()
}

/// The policy of a choice is enough for a scan with it, and without any one of its actions something is unknown, or
/// cannot run, and the action is named.
#[track_caller]
fn assert_least(choice: &str) {
    let (of_hub, of_member) = (actions(&format!("--role hub --role-name {ROLE} {choice}")), actions(choice));
    let hub: BTreeSet<String> = of_hub.union(&of_member).cloned().collect();
    scan(&organization(&hub, &of_member), choice).expect(0);
    for action in &hub {
        let less = |from: &BTreeSet<String>| from.iter().filter(|it| *it != action).cloned().collect();
        let ran = scan(&organization(&less(&hub), &of_member), choice);
        assert!([2, 3].contains(&ran.code) && said(&ran).contains(action.as_str()), "hub, {action}: {}", said(&ran));
    }
    for action in &of_member {
        let less = of_member.iter().filter(|it| *it != action).cloned().collect();
        let ran = scan(&organization(&hub, &less), choice);
        assert!(ran.code == 3 && said(&ran).contains(action.as_str()), "member, {action}: {}", said(&ran));
    }
}

#[test]
fn the_policy_of_a_plain_scan_is_enough_and_nothing_of_it_can_be_left_out() {
    assert_least("");
}

#[test]
fn so_is_the_policy_of_every_choice() {
    for choice in ["--with policy", "--with protection", "--metrics all", "--group-by-tag team", "--directory-buckets"]
    {
        assert_least(choice);
    }
}

#[test]
fn every_choice_together_asks_for_every_extra() {
    let all = actions("--with protection --metrics all --group-by-tag team --directory-buckets");
    let extras = Extra::ALL.iter().filter_map(|extra| extra.operation().action());
    assert!(all.contains("s3express:ListAllMyDirectoryBuckets"), "{all:?}");
    assert_eq!(all.len(), 3 + 1 + extras.clone().count());
    assert!(extras.into_iter().all(|action| all.contains(action)), "{all:?}");
}

#[test]
fn the_hub_enters_the_named_role_in_its_partition_and_no_other() {
    for (words, arn) in [
        ("--role hub", "arn:aws:iam::*:role/OrganizationAccountAccessRole"),
        ("--role hub --partition aws-cn --role-name audit/Lens", "arn:aws-cn:iam::*:role/audit/Lens"),
    ] {
        let entering = statements(words).into_iter().find(|statement| statement["Action"] == "sts:AssumeRole");
        assert_eq!(entering.expect("a statement")["Resource"], arn);
    }
    for wrong in ["--role-name *", "--role-name ?", "--role-name a/", "--partition aws-xx", "--role nobody"] {
        let words = format!("policy --role hub {wrong}");
        let ran = Cli::new(words.split_whitespace()).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{wrong}");
    }
}
