//! Which accounts are found, how each is entered, and what becomes of those that are not.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::common::{Cli, Ran, Sim};
use crate::scan::{Answer, MANAGEMENT, Proxy, counts, coverage, good, management, organization, scan, with};

const UPPER: &str = "222222222222";
const NESTED: &str = "333333333333";
const OTHER: &str = "444444444444";

const ORGANIZATIONS: [&str; 6] = [
    "DescribeOrganization",
    "ListAccounts",
    "ListRoots",
    "ListOrganizationalUnitsForParent",
    "ListAccountsForParent",
    // what the simulator does not know, ListParents for one
    "NotImplemented",
];

/// An account that can be entered, with one bucket named after it.
fn member(id: &str, ou: &str, members: &Value) -> Value {
    let name = format!("Account {}", &id[..1]);
    with(json!({"id": id, "name": name, "ou": ou, "buckets": [good(&format!("bucket-of-{id}"))]}), members)
}

/// The management account and one account in each unit.
fn four() -> Value {
    let ours = management(&json!({"buckets": [good("bucket-of-management")]}));
    organization(&json!([
        ours,
        member(UPPER, "ou-test-upper000", &json!({})),
        member(NESTED, "ou-test-nested00", &json!({})),
        member(OTHER, "ou-test-other000", &json!({})),
    ]))
}

fn start(organization: &Value) -> Sim {
    Sim::json(&organization.to_string())
}

/// Sets members of an account of the organization.
fn change(mut organization: Value, id: &str, members: &Value) -> Value {
    let accounts = organization["accounts"].as_array_mut().expect("accounts");
    let account = accounts.iter_mut().find(|account| account["id"] == id).expect("such an account");
    *account = with(account.take(), members);
    organization
}

fn scan_organization(sim: &Sim, arguments: &[&str]) -> Ran {
    scan(["--organization"].into_iter().chain(arguments.iter().copied())).at(&sim.endpoint, MANAGEMENT).run()
}

/// Columns of `accounts.csv`, a line an account.
fn accounts(ran: &Ran, columns: &[&str]) -> Vec<String> {
    let rows = ran.rows("out/accounts.csv");
    rows.iter().map(|row| columns.iter().map(|column| row[*column].as_str()).collect::<Vec<_>>().join(" ")).collect()
}

fn scanned(ran: &Ran) -> Vec<String> {
    accounts(ran, &["account_id", "outcome"])
}

/// It could not run: this is all it says, and it leaves nothing.
#[track_caller]
fn refused(ran: Ran, says: &str) {
    let ran = ran.expect(2);
    assert_eq!(ran.stderr, says);
    assert_eq!(ran.stdout, "");
    assert!(!ran.path("out").exists() && !ran.path("reports").exists());
}

#[test]
fn by_default_the_account_of_the_credentials_is_scanned() {
    let sim = start(&four());
    let ran = scan([]).at(&sim.endpoint, UPPER).run().expect(0);
    let columns = ["account_id", "account_name", "ou_path", "state", "outcome", "reason", "buckets"];
    assert_eq!(accounts(&ran, &columns), [format!("{UPPER}    complete  1")]);
    assert_eq!(counts(&sim, ["GetCallerIdentity", "AssumeRole", "ListBuckets"]), [1, 0, 1]);
    assert_eq!(counts(&sim, ORGANIZATIONS), [0; 6], "outside --organization Organizations is not asked");
    let run = &ran.json("out/report.json")["run"];
    assert_eq!(run["caller_arn"], format!("arn:aws:iam::{UPPER}:user/scanner"));
    assert_eq!((&run["partition"], &run["organization_id"], &run["scope"]), (&json!("aws"), &Value::Null, &json!([])));
}

/// Profiles with the keys of these accounts.
fn with_profiles(cli: Cli, endpoint: &str, profiles: &[(&str, &str)]) -> Cli {
    let mut file = String::new();
    for (name, account) in profiles {
        let key = bucketlens::simulator::access_key(account);
        let _ = writeln!(file, "[{name}]\naws_access_key_id = {key}\naws_secret_access_key = secret\n");
    }
    cli.file(".aws/credentials", &file).env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "us-east-1")
}

const PROFILES: [(&str, &str); 4] =
    [("one", UPPER), ("one-again", UPPER), ("two", MANAGEMENT), ("stale", "999999999999")];

#[test]
fn every_profile_is_scanned_an_account_once_and_one_that_fails_is_told() {
    let sim = start(&four());
    let names = ["one", "stale", "two", "one-again", "one"];
    let arguments = names.iter().flat_map(|name| ["--profile", name]);
    let ran = with_profiles(scan(arguments), &sim.endpoint, &PROFILES).run().expect(3);
    let stale = &accounts(&ran, &["account_id", "account_name", "outcome", "reason", "buckets"])[0];
    let reason = "GetCallerIdentity credentials (InvalidClientTokenId, HTTP 403, request ";
    assert!(stale.starts_with(&format!(" profile stale failed {reason}")), "{stale}");
    assert_eq!(scanned(&ran), [" failed".to_owned(), format!("{MANAGEMENT} complete"), format!("{UPPER} complete")]);
    let buckets: Vec<String> =
        ran.rows("out/buckets.csv").into_iter().map(|mut row| row.remove("bucket").expect("a column")).collect();
    assert_eq!(buckets, ["bucket-of-management".to_owned(), format!("bucket-of-{UPPER}")]);
    assert_eq!(counts(&sim, ["GetCallerIdentity", "ListBuckets", "AssumeRole"]), [4, 2, 0]);
    assert_eq!(counts(&sim, ORGANIZATIONS), [0; 6]);
    assert!(ran.stderr.contains("another profile has this account already") && ran.stderr.contains("one-again"));
    assert_eq!((coverage(&ran, "accounts"), coverage(&ran, "accounts_failed")), (3, 1));
    let run = &ran.json("out/report.json")["run"];
    assert_eq!(run["caller_arn"], Value::Null, "several callers are none");
    assert_eq!(run["scope"], json!(["--profile=one", "--profile=stale", "--profile=two", "--profile=one-again"]));
}

#[test]
fn profiles_of_which_none_can_be_used_or_is_known_are_told() {
    let sim = start(&four());
    let ran = with_profiles(scan(["--profile", "stale"]), &sim.endpoint, &PROFILES).run().expect(2);
    let says = "error: none of the profiles can be used: profile stale: GetCallerIdentity credentials \
                (InvalidClientTokenId, HTTP 403, request ";
    assert!(ran.stderr.starts_with(says), "{}", ran.stderr);
    assert!(!ran.path("out").exists());
    let before = sim.count("GetCallerIdentity");
    let unknown = with_profiles(scan(["--profile", "one", "--profile", "three"]), &sim.endpoint, &PROFILES).run();
    let says = "error: the AWS configuration has no profile \"three\"; it has one, one-again, stale, two\n  \
                help: name one of these with --profile, or add it to ~/.aws/config\n";
    refused(unknown, says);
    assert_eq!(sim.count("GetCallerIdentity"), before, "told before anything is asked");
}

#[test]
fn an_organization_is_scanned_from_its_management_account() {
    let sim = start(&four());
    let ran = scan_organization(&sim, &[]).expect(0);
    let expected = [
        format!("{MANAGEMENT} Management o-test000000/r-test ACTIVE complete  1"),
        format!("{UPPER} Account 2 o-test000000/r-test/ou-test-upper000 ACTIVE complete  1"),
        format!("{NESTED} Account 3 o-test000000/r-test/ou-test-upper000/ou-test-nested00 ACTIVE complete  1"),
        format!("{OTHER} Account 4 o-test000000/r-test/ou-test-other000 ACTIVE complete  1"),
    ];
    let columns = ["account_id", "account_name", "ou_path", "state", "outcome", "reason", "buckets"];
    assert_eq!(accounts(&ran, &columns), expected);
    // Its own account with its own credentials, which the simulator refuses to be assumed.
    assert_eq!(counts(&sim, ["GetCallerIdentity", "AssumeRole", "ListBuckets"]), [1, 3, 4]);
    let row = ran.bucket(&format!("bucket-of-{NESTED}"));
    assert_eq!((row["account_name"].as_str(), row["status"].as_str()), ("Account 3", "pass"));
    assert_eq!(row["ou_path"], "o-test000000/r-test/ou-test-upper000/ou-test-nested00");
    let run = &ran.json("out/report.json")["run"];
    assert_eq!(run["organization_id"], "o-test000000");
    assert_eq!(run["scope"], json!(["--organization", "--role-name=OrganizationAccountAccessRole"]));
    let metrics = ran.rows("out/metrics.csv");
    let count = |ou: &str| {
        let row = metrics.iter().find(|row| row["scope_id"] == ou && row["metric"] == "BucketCount");
        row.map(|row| row["value"].as_str())
    };
    // With the nested one.
    assert_eq!(
        (count("ou-test-upper000"), count("ou-test-nested00"), count("ou-test-other000")),
        (Some("2"), Some("1"), Some("1"))
    );
}

#[test]
fn an_organization_is_scanned_by_a_delegated_administrator() {
    let sim = start(&with(four(), &json!({"delegated_administrators": [OTHER]})));
    let ran = scan(["--organization"]).at(&sim.endpoint, OTHER).run().expect(3);
    // Nobody can enter the management account from there.
    let outcomes = [(MANAGEMENT, "failed"), (UPPER, "complete"), (NESTED, "complete"), (OTHER, "complete")];
    assert_eq!(scanned(&ran), outcomes.map(|(id, outcome)| format!("{id} {outcome}")));
    assert_eq!(counts(&sim, ["AssumeRole", "ListBuckets"]), [3, 3]);
}

#[test]
fn a_member_account_is_told_who_may_list_the_organization() {
    let sim = start(&four());
    let ran = scan(["--organization"]).at(&sim.endpoint, OTHER).run();
    let says = "error: failed to list the accounts of the organization: ListAccounts denied (AccessDeniedException, \
                HTTP 400, request 887f5d39-23ee-3663-8155-612aa37e19df): You don't have permissions to access this \
                resource.\n  help: --organization needs organizations:ListAccounts in the management account or a \
                delegated administrator account; --accounts-file FILE names the accounts instead\n";
    refused(ran, says);
    assert_eq!(counts(&sim, ["ListAccounts", "AssumeRole", "ListBuckets"]), [1, 0, 0], "a denial is asked once");
}

#[test]
fn an_account_in_no_organization_is_told_so() {
    let mut lonely = four();
    lonely["accounts"].as_array_mut().expect("accounts").push(json!({"id": "555555555555", "name": "Lonely"}));
    let sim = start(&lonely);
    let ran = scan(["--organization"]).at(&sim.endpoint, "555555555555").run();
    let says = "error: failed to list the accounts of the organization: ListAccounts rejected \
                (AWSOrganizationsNotInUseException, HTTP 400, request 68759a40-0b5e-9997-7289-64372df80473): Your \
                account is not a member of an organization.\n  help: this account is in no organization: leave out \
                --organization to scan it alone\n";
    refused(ran, says);
}

/// State and, where it matters, the retired Status of accounts 20… to 27….
const STATES: [(&str, Option<&str>); 8] = [
    ("ACTIVE", None),
    ("PENDING_CLOSURE", None),
    ("SUSPENDED", None),
    ("CLOSED", None),
    ("PENDING_ACTIVATION", None),
    ("UNDER_REVIEW", None),
    ("ACTIVE", Some("SUSPENDED")),
    ("SUSPENDED", Some("ACTIVE")),
];

fn in_states(members: &Value) -> Sim {
    let mut all = vec![management(&json!({}))];
    for (number, (state, status)) in STATES.iter().enumerate() {
        let mut account = member(&format!("2{number}0000000000"), "r-test", &json!({"state": state}));
        if let Some(status) = status {
            account["status"] = json!(status);
        }
        all.push(account);
    }
    start(&with(organization(&json!(all)), members))
}

#[test]
fn state_decides_and_not_status() {
    let sim = in_states(&json!({}));
    // Skipping is no failure.
    let ran = scan_organization(&sim, &[]).expect(0);
    let expected = [
        "111111111111 ACTIVE complete ",
        "200000000000 ACTIVE complete ",
        "210000000000 PENDING_CLOSURE complete ",
        "220000000000 SUSPENDED skipped the account is suspended by AWS (SUSPENDED)",
        "230000000000 CLOSED skipped the account is closed (CLOSED)",
        "240000000000 PENDING_ACTIVATION skipped the account is not activated yet (PENDING_ACTIVATION)",
        "250000000000 UNDER_REVIEW complete ",
        "260000000000 ACTIVE complete ",
        "270000000000 SUSPENDED skipped the account is suspended by AWS (SUSPENDED)",
    ];
    assert_eq!(accounts(&ran, &["account_id", "state", "outcome", "reason"]), expected);
    assert_eq!(counts(&sim, ["AssumeRole", "ListBuckets"]), [4, 5], "what is skipped is not tried");
    assert_eq!((coverage(&ran, "accounts_skipped"), coverage(&ran, "accounts_complete")), (4, 5));
    assert_eq!(accounts(&ran, &["buckets"])[3], "", "nobody counted them");
}

#[test]
fn where_there_is_no_state_status_decides() {
    let sim = in_states(&json!({"omit_state": true}));
    let ran = scan_organization(&sim, &[]).expect(0);
    let expected = [
        "111111111111 ACTIVE complete",
        "200000000000 ACTIVE complete",
        "210000000000 PENDING_CLOSURE complete",
        "220000000000 SUSPENDED skipped",
        "230000000000 SUSPENDED skipped",
        "240000000000 PENDING_ACTIVATION skipped",
        "250000000000 UNDER_REVIEW complete",
        "260000000000 SUSPENDED skipped",
        "270000000000 ACTIVE complete",
    ];
    assert_eq!(accounts(&ran, &["account_id", "state", "outcome"]), expected);
}

/// `count` accounts, dealt out over the units.
fn large(count: usize, units: usize, members: &Value) -> Sim {
    let unit = |number: usize| format!("ou-test-{number:08}");
    let ous: Vec<Value> =
        (0..units).map(|number| json!({"id": unit(number), "name": unit(number), "parent": "r-test"})).collect();
    let accounts = (0..count).map(|number| {
        let id = format!("{:012}", 200_000_000_000_usize + number);
        json!({"id": id, "name": id, "ou": unit(number % units)})
    });
    let accounts: Vec<Value> = [management(&json!({}))].into_iter().chain(accounts).collect();
    start(&with(with(organization(&json!(accounts)), &json!({"ous": ous})), members))
}

#[test]
fn an_empty_page_is_not_the_end_of_the_list() {
    let sim = large(45, 3, &json!({}));
    let ran = scan_organization(&sim, &[]).expect(0);
    assert_eq!(coverage(&ran, "accounts_complete"), 46);
    // 20, none, 20, 6
    assert_eq!(counts(&sim, ["ListAccounts", "AssumeRole"]), [4, 45]);
    assert_eq!(counts(&sim, ["ListRoots", "ListAccountsForParent"]), [0, 0], "Paths say where the accounts are");
}

#[test]
fn without_paths_the_tree_is_walked_by_unit_and_never_by_account() {
    let calls = |count, units| {
        let sim = large(count, units, &json!({"omit_paths": true}));
        let ran = scan_organization(&sim, &[]).expect(0);
        let paths = accounts(&ran, &["account_id", "ou_path"]);
        assert_eq!(paths[0], "111111111111 o-test000000/r-test");
        assert_eq!(paths[1], "200000000000 o-test000000/r-test/ou-test-00000000");
        assert_eq!(
            paths[units],
            format!("{} o-test000000/r-test/ou-test-{:08}", 199_999_999_999_usize + units, units - 1)
        );
        assert_eq!(sim.count("NotImplemented"), 0, "ListParents is no call of ours");
        counts(&sim, ["ListRoots", "ListOrganizationalUnitsForParent", "ListAccountsForParent"])
    };
    // Of the simulator's pages one in three is empty; the root's own account fits one, and so does every unit's
    // list of units.
    assert_eq!(calls(20, 10), [1, 3 + 10, 1 + 3 * 10]);
    assert_eq!(calls(40, 10), [1, 3 + 10, 1 + 3 * 10], "the same for twice the accounts");
    assert_eq!(calls(40, 20), [1, 3 + 20, 1 + 3 * 20], "and more for more units");
}

#[test]
fn nested_units_are_found_in_the_tree() {
    let sim = start(&with(four(), &json!({"omit_paths": true})));
    let ran = scan_organization(&sim, &["--ou", "ou-test-upper000"]).expect(0);
    let expected = [
        format!("{UPPER} o-test000000/r-test/ou-test-upper000"),
        format!("{NESTED} o-test000000/r-test/ou-test-upper000/ou-test-nested00"),
    ];
    assert_eq!(accounts(&ran, &["account_id", "ou_path"]), expected);
}

#[test]
fn a_tree_that_is_refused_leaves_the_paths_empty() {
    let closed = with(four(), &json!({"omit_paths": true, "deny_tree": true}));
    let sim = start(&closed);
    let ran = scan_organization(&sim, &[]).expect(0);
    assert_eq!(accounts(&ran, &["account_id", "ou_path", "outcome"])[1], format!("{UPPER}  complete"));
    assert_eq!(coverage(&ran, "accounts_complete"), 4);
    assert_eq!(ran.json("out/report.json")["run"]["organization_id"], "o-test000000");
    assert!(ran.stderr.contains("the organization's tree cannot be read; ou_path stays empty"), "{}", ran.stderr);
    assert!(ran.stderr.contains("ListRoots denied (AccessDeniedException"), "{}", ran.stderr);
    assert_eq!(sim.count("ListRoots"), 1);
    for filter in ["--ou", "--exclude-ou"] {
        let ran = scan_organization(&sim, &[filter, "ou-test-upper000"]).expect(2);
        let says = "error: the organization's tree cannot be read, so nobody knows which accounts --ou and \
                    --exclude-ou mean: ListRoots denied (AccessDeniedException, HTTP 400, request ";
        assert!(ran.stderr.starts_with(says), "{}", ran.stderr);
        assert!(ran.stderr.contains("\n  help: allow organizations:ListRoots, "), "{}", ran.stderr);
        assert!(!ran.path("out").exists());
    }
    // Where the accounts come with their paths, nobody needs the tree.
    let sim = start(&with(four(), &json!({"deny_tree": true})));
    assert_eq!(
        scanned(&scan_organization(&sim, &["--ou", "ou-test-other000"]).expect(0)),
        [format!("{OTHER} complete")]
    );
}

#[test]
fn an_account_that_cannot_be_entered_is_told_and_stops_nothing() {
    let sim = start(&change(four(), NESTED, &json!({"assumable": false})));
    let ran = scan_organization(&sim, &[]).expect(3);
    let outcomes = [(MANAGEMENT, "complete"), (UPPER, "complete"), (NESTED, "failed"), (OTHER, "complete")];
    assert_eq!(scanned(&ran), outcomes.map(|(id, outcome)| format!("{id} {outcome}")));
    let reason = accounts(&ran, &["reason"]).remove(2);
    assert!(reason.starts_with("AssumeRole denied (AccessDenied, HTTP 403, request "), "{reason}");
    let resource = format!("on resource: arn:aws:iam::{NESTED}:role/OrganizationAccountAccessRole");
    assert!(reason.ends_with(&resource), "{reason}");
    assert_eq!(sim.count("AssumeRole"), 3, "a denial is asked once");
    assert_eq!((coverage(&ran, "accounts_failed"), coverage(&ran, "retries")), (1, 0));
    scan_organization(&sim, &["--allow-unknown"]).expect(0);
    // What is known to be bad goes before what is not known.
    let bad = json!({"buckets": [{"name": "bad", "region": "us-east-1"}]});
    let sim = start(&change(change(four(), UPPER, &bad), OTHER, &json!({"assumable": false})));
    let cli = Cli::new(["scan", "--organization", "--out", "out"]).at(&sim.endpoint, MANAGEMENT);
    cli.run().expect(1);
}

#[test]
fn a_single_account_that_cannot_be_entered_does_not_take_the_others_with_it() {
    let sim = start(&change(four(), OTHER, &json!({"assumable": false})));
    let ran = scan_organization(&sim, &["--account", MANAGEMENT, "--account", OTHER]).expect(3);
    assert_eq!(scanned(&ran), [format!("{MANAGEMENT} complete"), format!("{OTHER} failed")]);
    assert_eq!(ran.bucket("bucket-of-management")["status"], "pass");
    // Alone there is nothing to report.
    let ran = scan_organization(&sim, &["--account", OTHER]).expect(2);
    assert!(ran.stderr.starts_with("error: the role could be assumed in none of the accounts (1): "), "{}", ran.stderr);
    assert!(!ran.path("out").exists());
}

#[test]
fn a_role_that_exists_nowhere_is_a_mistake() {
    let sim = start(&four());
    let ran = scan_organization(&sim, &["--role-name", "Nowhere"]).expect(2);
    let says = "error: the role could be assumed in none of the accounts (3): AssumeRole denied (AccessDenied, HTTP 403, request ";
    assert!(ran.stderr.starts_with(says), "{}", ran.stderr);
    assert!(ran.stderr.contains(":role/Nowhere\n  help: check --role-name, "), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    assert!(!ran.path("out").exists(), "nothing half-written");
    assert_eq!(sim.count("AssumeRole"), 3, "a denial is asked once");
    // Somewhere is enough.
    let sim = start(&change(four(), OTHER, &json!({"role_names": ["Audit"]})));
    let ran = scan_organization(&sim, &["--role-name", "Audit"]).expect(3);
    let outcomes = [(MANAGEMENT, "complete"), (UPPER, "failed"), (NESTED, "failed"), (OTHER, "complete")];
    assert_eq!(scanned(&ran), outcomes.map(|(id, outcome)| format!("{id} {outcome}")));
    assert_eq!(sim.count("AssumeRole"), 3, "each is asked once");
}

#[test]
fn the_external_id_is_sent_and_shown_nowhere() {
    let sim = start(&change(four(), OTHER, &json!({"external_id": "sesame-0815"})));
    let ran = scan_organization(&sim, &[]).expect(3);
    assert_eq!(scanned(&ran)[3], format!("{OTHER} failed"));
    let ran = scan_organization(&sim, &["--external-id", "sesame-0815", "--log-level", "trace"]).expect(0);
    assert_eq!(scanned(&ran)[3], format!("{OTHER} complete"));
    let mut texts = vec![ran.stdout.clone(), ran.stderr.clone()];
    texts.extend(["accounts.csv", "report.json", "inventory/run.json"].map(|file| ran.read(&format!("out/{file}"))));
    assert!(texts.iter().all(|text| !text.contains("sesame")));
}

/// What STS was told of the role in an account.
fn assumed(proxy: &Proxy, account: &str) -> [Option<String>; 3] {
    let seen = proxy.seen();
    let arn = |it: &&crate::scan::Request| it.parameter("RoleArn").is_some_and(|arn| arn.contains(account));
    let request = seen.iter().find(arn).expect("assumed");
    ["RoleArn", "RoleSessionName", "DurationSeconds"].map(|name| request.parameter(name).map(str::to_owned))
}

fn some<const N: usize>(texts: [&str; N]) -> [Option<String>; N] {
    texts.map(|text| Some(text.to_owned()))
}

#[test]
fn a_role_assumed_from_a_role_lasts_an_hour_at_most() {
    let sim = start(&four());
    let proxy = Proxy::before(&sim, |_, forward| forward());
    let long = ["--organization", "--session-duration", "43200"];
    let chained = scan(long).keys(&proxy.endpoint, &format!("ASIA0000{MANAGEMENT}"), "secret");
    let token = format!("simulated:{MANAGEMENT}:4000000000:pipeline:Deployer");
    let ran = chained.env("AWS_SESSION_TOKEN", &token).run().expect(0);
    let arn = format!("arn%3Aaws%3Aiam%3A%3A{UPPER}%3Arole%2FOrganizationAccountAccessRole");
    assert_eq!(assumed(&proxy, UPPER), some([&arn, "bucketlens", "3600"]));
    let caller = format!("arn:aws:sts::{MANAGEMENT}:assumed-role/Deployer/pipeline");
    assert_eq!(ran.json("out/report.json")["run"]["caller_arn"], caller);
    assert_eq!(coverage(&ran, "accounts_complete"), 4);
    // From a user it lasts as long as was asked for.
    let proxy = Proxy::before(&sim, |_, forward| forward());
    let name = ["--session-name", "nightly@audit"];
    scan(long.into_iter().chain(name)).at(&proxy.endpoint, MANAGEMENT).run().expect(0);
    assert_eq!(assumed(&proxy, UPPER), some([&arn, "nightly%40audit", "43200"]));
}

#[test]
fn the_accounts_of_a_file_are_scanned_through_the_roles_it_names() {
    let roles = json!({"role_names": ["OrganizationAccountAccessRole", "Audit"]});
    let sim = start(&change(four(), OTHER, &roles));
    let proxy = Proxy::before(&sim, |_, forward| forward());
    let file = format!(
        "# all but the nested one\n{OTHER}, arn:aws:iam::{OTHER}:role/security/Audit # theirs\n\n{MANAGEMENT}\n{UPPER}\n"
    );
    let cli = scan(["--accounts-file", "accounts.txt"]).file("accounts.txt", &file);
    let ran = cli.at(&proxy.endpoint, MANAGEMENT).run().expect(0);
    let columns = ["account_id", "account_name", "ou_path", "state", "outcome"];
    assert_eq!(accounts(&ran, &columns), [MANAGEMENT, UPPER, OTHER].map(|id| format!("{id}    complete")));
    let arn = format!("arn%3Aaws%3Aiam%3A%3A{OTHER}%3Arole%2Fsecurity%2FAudit");
    assert_eq!(assumed(&proxy, OTHER), some([&arn, "bucketlens", "3600"]));
    let arn = format!("arn%3Aaws%3Aiam%3A%3A{UPPER}%3Arole%2FOrganizationAccountAccessRole");
    assert_eq!(assumed(&proxy, UPPER), some([&arn, "bucketlens", "3600"]));
    assert_eq!(counts(&sim, ["AssumeRole", "GetCallerIdentity"]), [2, 1], "the own account is not assumed");
    assert_eq!(counts(&sim, ORGANIZATIONS), [0; 6]);
    let scope = &ran.json("out/report.json")["run"]["scope"];
    assert_eq!(*scope, json!(["--accounts-file (3 accounts)", "--role-name=OrganizationAccountAccessRole"]));
}

#[test]
fn arns_are_those_of_the_callers_partition() {
    let sim = start(&with(four(), &json!({"partition": "aws-cn"})));
    let proxy = Proxy::before(&sim, |_, forward| forward());
    let ran = scan(["--organization"]).at(&proxy.endpoint, MANAGEMENT).env("AWS_REGION", "cn-north-1").run().expect(0);
    let arn = format!("arn%3Aaws-cn%3Aiam%3A%3A{UPPER}%3Arole%2FOrganizationAccountAccessRole");
    assert_eq!(assumed(&proxy, UPPER), some([&arn, "bucketlens", "3600"]));
    assert_eq!(ran.json("out/report.json")["run"]["partition"], "aws-cn");
    let seen = proxy.seen();
    let region = |operation: &str| {
        let request = seen.iter().find(|request| request.operation() == operation).expect("asked");
        request.header("authorization").and_then(|signed| signed.split('/').nth(2)).map(str::to_owned)
    };
    // Organizations has one endpoint in a partition, STS one in every Region.
    assert_eq!(region("ListAccounts").as_deref(), Some("cn-northwest-1"));
    assert_eq!(
        (region("GetCallerIdentity").as_deref(), region("AssumeRole").as_deref()),
        (Some("cn-north-1"), Some("cn-north-1"))
    );
}

/// S3 answers, STS does not.
fn without_sts(sim: &Sim) -> Proxy {
    Proxy::before(sim, |request, forward| match request.operation() {
        "GetCallerIdentity" => Answer::xml(405, "<Error><Code>MethodNotAllowed</Code></Error>"),
        _ => forward(),
    })
}

#[test]
fn where_sts_does_not_answer_the_account_can_be_named() {
    let sim = start(&four());
    let proxy = without_sts(&sim);
    let ran = scan(["--account-id", UPPER]).at(&proxy.endpoint, UPPER).run().expect(0);
    assert_eq!(scanned(&ran), [format!("{UPPER} complete")]);
    assert_eq!(ran.bucket(&format!("bucket-of-{UPPER}"))["status"], "pass");
    let run = &ran.json("out/report.json")["run"];
    assert_eq!((&run["caller_arn"], &run["scope"]), (&Value::Null, &json!([format!("--account-id={UPPER}")])));
    // The id is only what the user says: it is not sent as if STS had confirmed it.
    assert!(proxy.seen().iter().all(|request| request.header("x-amz-expected-bucket-owner").is_none()));
    assert_eq!((proxy.count("GetCallerIdentity"), proxy.count("GetBucketVersioning")), (1, 1));

    // Nobody listens where STS should be.
    let cli = scan(["--account-id", UPPER, "--max-attempts", "1"]).at(&sim.endpoint, UPPER);
    cli.env("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1").run().expect(0);

    let unnamed = scan([]).at(&proxy.endpoint, UPPER).run();
    let says = "error: failed to find out whose credentials these are: GetCallerIdentity unsupported \
                (MethodNotAllowed, HTTP 405, request MADEUPREQUEST000)\n  help: check the network, AWS_REGION and \
                AWS_ENDPOINT_URL; for an S3-compatible server without STS name the account with --account-id\n";
    refused(unnamed, says);
}

#[test]
fn an_account_id_is_checked_where_sts_answers() {
    let sim = start(&four());
    let ran = scan(["--account-id", UPPER]).at(&sim.endpoint, UPPER).run().expect(0);
    assert_eq!(scanned(&ran), [format!("{UPPER} complete")]);
    assert_eq!(ran.json("out/report.json")["run"]["caller_arn"], format!("arn:aws:iam::{UPPER}:user/scanner"));
    let ran = scan(["--account-id", UPPER]).at(&sim.endpoint, OTHER).run();
    let says = format!(
        "error: the credentials belong to account {OTHER}, not to {UPPER} (--account-id)\n  help: leave out \
         --account-id: STS answers, so the account is known\n"
    );
    refused(ran, &says);
    assert_eq!(sim.count("ListBuckets"), 1);
}

#[test]
fn an_account_id_is_no_substitute_for_credentials() {
    let sim = start(&four());
    let cli = scan(["--account-id", UPPER]).env("AWS_ENDPOINT_URL", &sim.endpoint).env("AWS_REGION", "us-east-1");
    let ran = cli.run().expect(2);
    let says = "error: failed to find out whose credentials these are: GetCallerIdentity credentials: ";
    assert!(ran.stderr.starts_with(says), "{}", ran.stderr);
    assert!(ran.stderr.contains("\n  help: give credentials as for the AWS CLI"), "{}", ran.stderr);
    assert!(!ran.path("out").exists());
}

#[test]
fn filters_choose_accounts() {
    let everything = [MANAGEMENT, UPPER, NESTED, OTHER];
    let table: [(&[&str], &[&str]); 9] = [
        (&["--account", NESTED], &[NESTED]),
        (&["--account", MANAGEMENT, "--account", OTHER], &[MANAGEMENT, OTHER]),
        (&["--exclude-account", MANAGEMENT, "--exclude-account", "999999999999"], &[UPPER, NESTED, OTHER]),
        (&["--ou", "ou-test-upper000"], &[UPPER, NESTED]),
        (&["--ou", "ou-test-nested00", "--ou", "ou-test-other000"], &[NESTED, OTHER]),
        (&["--ou", "r-test"], &everything),
        (&["--exclude-ou", "ou-test-upper000"], &[MANAGEMENT, OTHER]),
        (&["--ou", "ou-test-upper000", "--exclude-ou", "ou-test-nested00"], &[UPPER]),
        (&["--ou", "ou-test-upper000", "--account", NESTED], &[NESTED]),
    ];
    for (filters, chosen) in table {
        let sim = start(&four());
        let ran = scan_organization(&sim, filters).expect(0);
        assert_eq!(accounts(&ran, &["account_id"]), chosen, "{filters:?}");
        let owners: Vec<String> =
            ran.rows("out/buckets.csv").into_iter().map(|row| row["account_id"].clone()).collect();
        assert_eq!(owners, chosen, "{filters:?}");
        let others = chosen.iter().filter(|id| **id != MANAGEMENT).count() as u64;
        assert_eq!(counts(&sim, ["AssumeRole", "ListBuckets"]), [others, chosen.len() as u64], "{filters:?}");
    }
}

#[test]
fn filters_choose_buckets() {
    let buckets = json!([
        good("logs-eu"),
        with(good("logs-us"), &json!({"region": "us-west-2"})),
        with(good("data-us"), &json!({"region": "us-west-2"})),
        // listed where it is not
        with(good("data-moved"), &json!({"region": "eu-west-1", "listed_region": "us-west-2"})),
    ]);
    let table: [(&[&str], &[&str], u64); 6] = [
        (&[], &["data-moved", "data-us", "logs-eu", "logs-us"], 5),
        (&["--bucket", "logs-*"], &["logs-eu", "logs-us"], 2),
        (&["--bucket", "*-us", "--bucket", "logs-e?"], &["data-us", "logs-eu", "logs-us"], 3),
        (&["--bucket", "none-*"], &[], 0),
        (&["--region", "us-east-1"], &["logs-eu"], 1),
        // The list says us-west-2 of the bucket that moved, and only asking tells that it is not.
        (&["--region", "us-west-2"], &["data-us", "logs-us"], 4),
    ];
    for (filters, chosen, asked) in table {
        let sim = start(&organization(&json!([management(&json!({"buckets": buckets}))])));
        let ran = scan(filters.iter().copied()).at(&sim.endpoint, MANAGEMENT).run().expect(0);
        let names: Vec<String> = ran.rows("out/buckets.csv").into_iter().map(|row| row["bucket"].clone()).collect();
        assert_eq!(names, chosen, "{filters:?}");
        assert_eq!(coverage(&ran, "buckets"), chosen.len() as u64, "{filters:?}");
        assert_eq!(accounts(&ran, &["buckets"]), [chosen.len().to_string()], "{filters:?}");
        assert_eq!(counts(&sim, ["ListBuckets", "GetBucketVersioning"]), [1, asked], "{filters:?}");
        let scope: Vec<String> = filters.chunks(2).map(|pair| pair.join("=")).collect();
        let said = ran.json("out/report.json")["run"]["scope"].as_array().map(Vec::len);
        assert_eq!(said, Some(scope.len()), "the report says what was left out");
    }
}

#[test]
fn filters_that_mean_nothing_are_mistakes() {
    let sim = start(&four());
    let says = "error: not among the accounts that were found: 888888888888, 999999999999 (--account)\n  \
                help: check the id\n";
    refused(scan_organization(&sim, &["--account", "999999999999", "--account", "888888888888"]), says);
    let says = "error: not among the organizational units of the accounts that were found: ou-test-nowhere0 (--ou)\n  \
                help: check the id\n";
    refused(scan_organization(&sim, &["--ou", "ou-test-nowhere0", "--ou", "ou-test-upper000"]), says);
    let says = "error: no account is left to scan: the filters exclude all that were found\n";
    refused(scan_organization(&sim, &["--account", NESTED, "--exclude-ou", "ou-test-upper000"]), says);
    refused(scan(["--exclude-account", OTHER]).at(&sim.endpoint, OTHER).run(), says);
    assert_eq!(counts(&sim, ["AssumeRole", "ListBuckets"]), [0, 0]);
}
