use super::*;
use crate::lifecycle::Configuration;
use crate::model::{Arn, Fact, LifecycleConfiguration, Operation, Reading, Timestamp};

fn reason(class: ErrorClass, http_status: Option<u16>) -> Reason {
    Reason {
        operation: Operation::GetBucketVersioning,
        class,
        code: None,
        http_status,
        request_id: None,
        message: String::new(),
    }
}

fn fact<T>(observed: Option<T>) -> Fact<T> {
    let unknown = || Observed::Unknown(Arc::new(reason(ErrorClass::Denied, Some(403))));
    Fact { at: Timestamp::from_unix(0).expect("1970"), observed: observed.map_or_else(unknown, Observed::Known) }
}

fn read(state: Option<VersioningState>, lifecycle: Option<Lifecycle>) -> Facts {
    Facts::Read { versioning: fact(state), lifecycle: fact(lifecycle), extras: Box::default() }
}

fn rules() -> Lifecycle {
    Lifecycle::Present(LifecycleConfiguration {
        rules: Vec::new(),
        reading: Reading::Read(Configuration::default()),
        minimum_size: None,
    })
}

const VERSIONINGS: [Versioning; 3] = [Versioning::Never, Versioning::Enabled, Versioning::Suspended];
const MFA_DELETES: [MfaDelete; 3] = [MfaDelete::Never, MfaDelete::Disabled, MfaDelete::Enabled];

/// In a word, for tables.
fn word(decision: &Decision) -> String {
    match decision {
        Decision::Already => "already".to_owned(),
        Decision::Send(change) => format!("{:?}/{:?}", change.status, change.mfa_delete),
        Decision::Refuse(refusals) => refusals.iter().fold("no".to_owned(), |text, refusal| {
            let why = match refusal {
                Refusal::NeedsVersioning(_) => "versioning",
                Refusal::Lifecycle { .. } => "lifecycle",
                Refusal::LifecycleUnknown(_) => "lifecycle?",
                Refusal::VersioningUnknown(_) => "state?",
                Refusal::MfaDeleteWithoutVersioning => "contradiction",
                Refusal::NoSuchBucket => "bucket",
                other => panic!("not from the facts: {other:?}"),
            };
            text + " " + why
        }),
    }
}

#[test]
fn every_state_of_a_bucket_without_lifecycle_has_its_decision() {
    let table = [
        // enable, enable with versioning, disable
        (Versioning::Never, MfaDelete::Never, ["no versioning", "Enabled/On", "already"]),
        (Versioning::Never, MfaDelete::Disabled, ["no versioning", "Enabled/On", "already"]),
        (Versioning::Never, MfaDelete::Enabled, ["no versioning", "Enabled/On", "no contradiction"]),
        (Versioning::Enabled, MfaDelete::Never, ["Enabled/On", "Enabled/On", "already"]),
        (Versioning::Enabled, MfaDelete::Disabled, ["Enabled/On", "Enabled/On", "already"]),
        (Versioning::Enabled, MfaDelete::Enabled, ["already", "already", "Enabled/Off"]),
        (Versioning::Suspended, MfaDelete::Never, ["no versioning", "Enabled/On", "already"]),
        (Versioning::Suspended, MfaDelete::Disabled, ["no versioning", "Enabled/On", "already"]),
        (Versioning::Suspended, MfaDelete::Enabled, ["no versioning", "Enabled/On", "Suspended/Off"]),
    ];
    assert_eq!(table.len(), VERSIONINGS.len() * MFA_DELETES.len());
    for (versioning, mfa_delete, expected) in table {
        let facts = read(Some(VersioningState { versioning, mfa_delete }), Some(Lifecycle::None));
        let decided = [Wish::Enable, Wish::EnableWithVersioning, Wish::Disable].map(|wish| word(&decide(wish, &facts)));
        assert_eq!(decided, expected, "{versioning:?} {mfa_delete:?}");
    }
}

#[test]
fn a_lifecycle_configuration_or_one_that_is_unknown_stands_in_the_way_of_enabling_only() {
    for versioning in VERSIONINGS {
        for mfa_delete in MFA_DELETES {
            let state = VersioningState { versioning, mfa_delete };
            for (lifecycle, expected) in [(Some(rules()), "lifecycle"), (None, "lifecycle?")] {
                let facts = read(Some(state), lifecycle);
                let is_there = versioning == Versioning::Enabled && mfa_delete == MfaDelete::Enabled;
                for wish in [Wish::Enable, Wish::EnableWithVersioning] {
                    let decision = word(&decide(wish, &facts));
                    let needs = wish == Wish::Enable && versioning != Versioning::Enabled;
                    let also = if needs { " versioning" } else { "" };
                    let expected = if is_there { "already".to_owned() } else { format!("no {expected}{also}") };
                    assert_eq!(decision, expected, "{wish:?} {state:?}");
                }
                assert_eq!(
                    decide(Wish::Disable, &facts),
                    decide(Wish::Disable, &read(Some(state), Some(Lifecycle::None)))
                );
            }
        }
    }
}

#[test]
fn what_could_not_be_read_is_not_changed() {
    let gone = Facts::Vanished { at: Timestamp::from_unix(0).expect("1970") };
    for wish in [Wish::Enable, Wish::EnableWithVersioning, Wish::Disable] {
        assert_eq!(word(&decide(wish, &read(None, Some(Lifecycle::None)))), "no state?");
        assert_eq!(word(&decide(wish, &read(None, None))), "no state?");
        assert_eq!(word(&decide(wish, &gone)), "no bucket");
    }
}

fn failure(class: ErrorClass, http_status: Option<u16>) -> Failure {
    Failure::new(reason(class, http_status), false)
}

#[test]
fn an_answer_is_clear_or_it_is_not() {
    let unclear = |class, status| matches!(Answer::from(Err(failure(class, status))), Answer::Unclear(_));
    for (class, status) in [
        (ErrorClass::Unavailable, None),
        (ErrorClass::Unavailable, Some(500)),
        (ErrorClass::Unavailable, Some(503)),
        (ErrorClass::Malformed, Some(200)),
    ] {
        assert!(unclear(class, status), "{class:?} {status:?}");
    }
    for (class, status) in [
        (ErrorClass::Denied, Some(403)),
        (ErrorClass::Rejected, Some(409)),
        (ErrorClass::Rejected, Some(400)),
        (ErrorClass::Throttled, Some(503)),
        (ErrorClass::WrongRegion, Some(301)),
        (ErrorClass::Credentials, None),
        (ErrorClass::Unsupported, Some(501)),
        (ErrorClass::Unavailable, Some(409)),
    ] {
        assert!(!unclear(class, status), "{class:?} {status:?}");
    }
}

#[test]
fn what_is_read_afterwards_goes_before_what_the_server_said() {
    let change = Change { status: Status::Enabled, mfa_delete: Switch::On };
    let on = VersioningState { versioning: Versioning::Enabled, mfa_delete: MfaDelete::Enabled };
    let off = VersioningState { versioning: Versioning::Enabled, mfa_delete: MfaDelete::Never };
    let accepted = Answer::Accepted(None);
    let refused = Answer::Refused(failure(ErrorClass::Denied, Some(403)));
    let unclear = Answer::Unclear(failure(ErrorClass::Unavailable, None));
    let table = [
        (&accepted, Some(on), Outcome::Confirmed, Exit::Ok),
        (&accepted, Some(off), Outcome::NotVisible, Exit::Unknown),
        (&accepted, None, Outcome::NotVisible, Exit::Unknown),
        (&refused, Some(on), Outcome::Confirmed, Exit::Ok),
        (&refused, Some(off), Outcome::Refused, Exit::Findings),
        (&refused, None, Outcome::Refused, Exit::Findings),
        (&unclear, Some(on), Outcome::Confirmed, Exit::Ok),
        (&unclear, Some(off), Outcome::NoAnswer, Exit::Unknown),
        (&unclear, None, Outcome::NoAnswer, Exit::Unknown),
    ];
    for (answer, after, expected, exit) in table {
        let found = outcome(answer, change, &read(after, None));
        assert_eq!((found, found.exit()), (expected, exit), "{answer:?} {after:?}");
    }
    let gone = Facts::Vanished { at: Timestamp::from_unix(0).expect("1970") };
    assert_eq!(outcome(&accepted, change, &gone), Outcome::NotVisible);
}

#[test]
fn the_worst_bucket_decides_the_exit_code() {
    let exit = |outcomes: &[Outcome]| exit(outcomes.iter().copied());
    assert_eq!(exit(&[]), Exit::Ok);
    assert_eq!(exit(&[Outcome::Confirmed, Outcome::Already, Outcome::DryRun, Outcome::Read]), Exit::Ok);
    assert_eq!(exit(&[Outcome::Confirmed, Outcome::NotVisible]), Exit::Unknown);
    assert_eq!(exit(&[Outcome::NoAnswer, Outcome::NotSent]), Exit::Unknown);
    assert_eq!(exit(&[Outcome::Confirmed, Outcome::NotSent]), Exit::Findings);
    assert_eq!(exit(&[Outcome::NotVisible, Outcome::Refused, Outcome::NotSent]), Exit::Findings);
    assert_eq!(exit(&[Outcome::Refused, Outcome::Unknown]), Exit::Findings);
}

#[test]
fn a_serial_is_a_number_or_the_arn_of_a_device_that_gives_codes() {
    for good in ["GAHT12345678", "mfa-1", "arn:aws:iam::111111111111:mfa/root-account-mfa-device", &"x".repeat(256)] {
        assert_eq!(Serial::parse(good).map(|serial| serial.as_str().to_owned()), Ok(good.to_owned()));
    }
    for bad in ["", " ", "GAHT 123", "GAHT123\n", "GAHT123\r\nx-amz-acl: public-read", "säge", &"x".repeat(257)] {
        assert_eq!(Serial::parse(bad), Err(NotASerial::Characters), "{bad:?}");
    }
    let key = Serial::parse("arn:aws:iam::111111111111:u2f/root-account/key-ABC");
    assert_eq!(key, Err(NotASerial::SecurityKey));
    for other in [
        "arn:aws:iam::111111111111:user/bob",
        "arn:aws:iam::111111111111:root",
        "arn:aws:iam::111111111111:mfa/",
        "arn:aws:iam:::mfa/name",
        "arn::iam::111111111111:mfa/name",
        "arn:aws:sts::111111111111:mfa/name",
        "arn:aws:s3:::orders",
        "arn:aws:iam",
    ] {
        assert_eq!(Serial::parse(other), Err(NotASerial::NoDevice), "{other}");
    }
    for digits in ["12345", "1234567"] {
        assert!(Serial::parse(digits).is_ok(), "{digits}");
    }
    assert_eq!(Serial::parse("123456"), Err(NotASerial::Code));
}

#[test]
fn only_names_of_buckets_of_their_own_pass() {
    for good in ["abc", "a.b-c_D", "0logs", &"a".repeat(255)] {
        assert!(bucket_name(good).is_ok(), "{good}");
    }
    for (bad, words) in [
        ("orders--use1-az4--x-s3", "directory bucket"),
        ("name-abc-s3alias", "access point"),
        ("name--ol-s3", "access point"),
        ("arn:aws:s3:us-east-1:111111111111:accesspoint/x", "access point"),
        ("ab", "no bucket"),
        ("a b c", "no bucket"),
        ("a$(id)", "no bucket"),
        ("tenant:bucket", "no bucket"),
        ("a/b", "no bucket"),
        ("-rf", "no bucket"),
        ("..", "no bucket"),
        ("...", "no bucket"),
        ("bücher", "no bucket"),
    ] {
        let said = bucket_name(bad).expect_err(bad);
        assert!(said.contains(words), "{bad}: {said}");
    }
}

#[test]
fn without_tls_a_code_goes_only_to_this_machine() {
    for good in [
        "https://s3.example.org",
        "http://127.0.0.1:7480",
        "http://127.8.9.1",
        "http://localhost:9000/",
        "http://LOCALHOST",
        "http://orders.localhost:80/x",
        "http://[::1]:80",
    ] {
        assert!(is_protected(good), "{good}");
    }
    for bad in [
        "http://s3.example.org",
        "http://10.0.0.1:80",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "http://127.0.0.1@example.org",
        "http://example.org/127.0.0.1",
        "http://example.org#localhost",
        "http://[::2]",
        "http://0.0.0.0",
        "http://notlocalhost",
    ] {
        assert!(!is_protected(bad), "{bad}");
    }
}

#[test]
fn the_host_tells_whether_it_is_aws() {
    for aws in [
        None,
        Some("https://s3.amazonaws.com"),
        Some("https://bucket.vpce-1a2b3c4d.s3.us-east-1.vpce.amazonaws.com"),
        Some("https://s3.cn-north-1.amazonaws.com.cn:443/"),
        Some("https://s3.eusc-de-east-1.amazonaws.eu"),
    ] {
        assert_eq!(server(aws), Server::Aws, "{aws:?}");
    }
    for other in [
        "http://127.0.0.1:7480",
        "https://s3.example.org",
        "https://amazonaws.com.example.org",
        "https://xamazonaws.com",
    ] {
        assert_eq!(server(Some(other)), Server::Other, "{other}");
    }
}

#[test]
fn on_aws_only_root_with_a_device_of_its_own() {
    let account = AccountId::parse("111111111111").expect("an id");
    let refusals = |server, arn: Option<&str>, serial: &str| {
        let caller = arn.map(|arn| Caller { account: account.clone(), arn: Arn::parse(arn).expect("an ARN") });
        caller_refusals(server, caller.as_ref(), &account, &Serial::parse(serial).expect("a serial"))
    };
    let root = Some("arn:aws:iam::111111111111:root");
    let own = "arn:aws:iam::111111111111:mfa/root-account-mfa-device";
    for serial in [own, "GAHT12345678"] {
        assert_eq!(refusals(Server::Aws, root, serial), []);
        assert_eq!(refusals(Server::Aws, None, serial), [Refusal::CallerUnknown]);
    }
    assert_eq!(refusals(Server::Aws, Some("arn:aws-cn:iam::111111111111:root"), own), []);
    for arn in [
        "arn:aws:iam::111111111111:user/root",
        "arn:aws:iam::111111111111:user/x:root",
        "arn:aws:sts::111111111111:assumed-role/Admin/root",
        "arn:aws:sts::111111111111:root",
    ] {
        assert_eq!(refusals(Server::Aws, Some(arn), own), [Refusal::NotRoot(arn.to_owned())]);
    }
    let others = "arn:aws:iam::222222222222:mfa/root-account-mfa-device";
    assert_eq!(refusals(Server::Aws, root, others), [Refusal::OthersDevice(account.clone())]);
    assert_eq!(refusals(Server::Other, None, others), []);
}
