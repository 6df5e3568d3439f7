use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use hyper::Request;
use hyper::body::Bytes;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::wire::Answer;
use super::world::World;
use super::{Options, Organization, Simulator, access_key, answer, root_access_key};

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
const MANAGEMENT: &str = "100000000001";
const MEMBER: &str = "100000000002";
const OUTSIDER: &str = "100000000009";

/// An organization with one interesting member account.
fn organization(member: &Value) -> Value {
    let mut account = json!({"id": MEMBER, "name": "Member", "ou": "ou-1"});
    for (name, value) in member.as_object().unwrap() {
        account[name] = value.clone();
    }
    json!({
        "organization_id": "o-1", "management_account": MANAGEMENT, "root": "r-1",
        "ous": [{"id": "ou-0", "name": "Upper", "parent": "r-1"}, {"id": "ou-1", "name": "Lower", "parent": "ou-0"}],
        "accounts": [
            {"id": MANAGEMENT, "name": "Management", "ou": "r-1"},
            account,
            {"id": "100000000003", "name": "Closed", "ou": "r-1", "state": "CLOSED"},
            {"id": OUTSIDER, "name": "Outsider"},
        ],
    })
}

fn world_of(organization: &Value, rate: Option<u32>) -> World {
    World::new(Organization::from_json(&organization.to_string()).unwrap(), rate)
}

fn world(member: &Value, rate: Option<u32>) -> World {
    world_of(&organization(member), rate)
}

fn bucket(more: &Value) -> World {
    let mut bucket = json!({"name": "b", "region": "eu-west-1"});
    for (name, value) in more.as_object().unwrap() {
        bucket[name] = value.clone();
    }
    world(&json!({"buckets": [bucket]}), None)
}

fn signed(key: &str, region: &str, service: &str) -> hyper::http::request::Builder {
    let scope = format!("Credential={key}/20260101/{region}/{service}/aws4_request");
    let value = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0");
    Request::builder().header("authorization", value)
}

fn s3(world: &World, method: &str, uri: &str) -> Answer {
    s3_at(world, NOW, method, uri)
}

fn s3_at(world: &World, now: OffsetDateTime, method: &str, uri: &str) -> Answer {
    let request = signed(&access_key(MEMBER), "eu-west-1", "s3").method(method).uri(uri).body(Bytes::new()).unwrap();
    answer(world, &request, now)
}

fn organizations(world: &World, account: &str, call: &str, parameters: &Value) -> (u16, Value) {
    let request = signed(&access_key(account), "us-east-1", "organizations")
        .method("POST")
        .header("x-amz-target", format!("AWSOrganizationsV20161128.{call}"))
        .body(Bytes::from(parameters.to_string()))
        .unwrap();
    let answer = answer(world, &request, NOW);
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

fn sts(world: &World, key: &str, token: Option<&str>, form: &'static str) -> Answer {
    let mut request = signed(key, "eu-west-1", "sts").method("POST");
    if let Some(token) = token {
        request = request.header("x-amz-security-token", token);
    }
    answer(world, &request.body(Bytes::from(form)).unwrap(), NOW)
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let mut headers = answer.headers.iter();
    headers.find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
}

/// The text of the first element of this name.
fn text<'a>(body: &'a str, name: &str) -> &'a str {
    let (_, rest) = body.split_once(&format!("<{name}>")).unwrap();
    rest.split_once(&format!("</{name}>")).unwrap().0
}

fn inside(answer: &Answer, root: &str) -> String {
    let open = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
    );
    assert_eq!((answer.status, answer.content_type), (200, "application/xml"));
    let rest = answer.body.strip_prefix(&open).unwrap();
    let inner = rest.strip_suffix(&format!("</{root}>"));
    inner.map_or(rest, |inner| inner.strip_prefix('>').unwrap()).to_owned()
}

fn mistake(edit: impl FnOnce(&mut Value)) -> String {
    let mut organization = serde_json::from_str(include_str!("../../fixtures/orgs/minimal.json")).unwrap();
    edit(&mut organization);
    Organization::from_json(&organization.to_string()).unwrap_err().to_string()
}

#[test]
fn the_demo_holds_what_it_promises() {
    let demo = Organization::demo();
    let buckets: usize = demo.accounts.iter().map(|account| account.buckets.len()).sum();
    assert_eq!((demo.accounts.len(), buckets), (9, 42));
    assert_eq!(demo.management_account(), "104217683095");
    assert!(demo.accounts.iter().any(|account| account.name.starts_with('=')));
}

#[test]
fn generated_organizations_are_repeatable_and_of_the_size_asked_for() {
    let (one, two) = (Organization::generate(7, 100), Organization::generate(7, 100));
    assert_eq!(format!("{one:?}"), format!("{two:?}"));
    one.check().unwrap();
    let buckets: Vec<usize> = one.accounts.iter().map(|account| account.buckets.len()).collect();
    assert_eq!(buckets, [15, 15, 14, 14, 14, 14, 14]);
    assert_eq!(Organization::generate(0, 0).account_ids().len(), 1);
}

#[test]
fn mistakes_in_a_fixture_are_named() {
    let twice = |organization: &mut Value| {
        let account = organization["accounts"][0].clone();
        organization["accounts"].as_array_mut().unwrap().push(account);
    };
    assert_eq!(mistake(twice), "account `111122223333` is given twice");
    assert_eq!(
        mistake(|organization| organization["accounts"][0]["id"] = "11112222333".into()),
        "`11112222333` is no account id: twelve digits expected"
    );
    assert_eq!(
        mistake(|organization| organization["accounts"][0]["ou"] = "ou-x".into()),
        "account 111122223333 is in ou-x, which is neither the root nor a unit"
    );
    assert_eq!(
        mistake(|organization| organization["accounts"][0]["buckets"][1]["lifecycle"][0]["Expires"] = 1.into()),
        "bucket `only-lifecycle`: `Expires` is no element of a lifecycle rule"
    );
    assert!(mistake(|organization| organization["polite"] = true.into()).contains("unknown field"));
    let other = json!([{"name": "plain", "region": "us-east-1"}]);
    assert_eq!(
        mistake(|organization| organization["accounts"][0]["directory_buckets"] = other),
        "directory bucket `plain`: its name does not end with --x-s3"
    );
    let deny = json!({"ListBuckets": ""});
    let message = mistake(|organization| organization["accounts"][0]["buckets"][0]["deny"] = deny);
    assert!(message.contains("unknown variant `ListBuckets`"), "{message}");
}

#[test]
fn every_versioning_state_has_its_wire_text() {
    for (state, expected) in [
        (json!({}), "/>"),
        (json!({"versioning": "Suspended"}), "<Status>Suspended</Status>"),
        (
            json!({"versioning": "Enabled", "mfa_delete": "Disabled"}),
            "<Status>Enabled</Status><MfaDelete>Disabled</MfaDelete>",
        ),
        (
            json!({"versioning": "Suspended", "mfa_delete": "Enabled"}),
            "<Status>Suspended</Status><MfaDelete>Enabled</MfaDelete>",
        ),
    ] {
        let answer = s3(&bucket(&state), "GET", "/b?versioning");
        assert_eq!(inside(&answer, "VersioningConfiguration"), expected);
    }
}

#[test]
fn lifecycle_rules_become_xml() {
    let rules = json!([{
        "ID": "a<b\u{1}", "Status": "Enabled",
        "Filter": {"And": {"Tags": [{"Value": "v", "Key": "k"}], "Prefix": ""}},
        "Transitions": [{"StorageClass": "GLACIER", "Days": 0}, {"StorageClass": "DEEP_ARCHIVE", "Days": 90}],
        "NoncurrentVersionExpiration": {"NewerNoncurrentVersions": 3, "NoncurrentDays": 9}
    }, {"ID": "2", "Status": "Disabled", "Filter": {}, "Expiration": {"ExpiredObjectDeleteMarker": true}}]);
    let answer = s3(&bucket(&json!({"lifecycle": rules})), "GET", "/b?lifecycle");
    assert_eq!(
        inside(&answer, "LifecycleConfiguration"),
        "<Rule><ID>a&lt;b&#x1;</ID><Filter><And><Prefix/><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>\
         <Status>Enabled</Status><Transition><Days>0</Days><StorageClass>GLACIER</StorageClass></Transition>\
         <Transition><Days>90</Days><StorageClass>DEEP_ARCHIVE</StorageClass></Transition>\
         <NoncurrentVersionExpiration><NoncurrentDays>9</NoncurrentDays>\
         <NewerNoncurrentVersions>3</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule>\
         <Rule><ID>2</ID><Filter/><Status>Disabled</Status>\
         <Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule>"
    );
    let minimum = header(&answer, "x-amz-transition-default-minimum-object-size");
    assert_eq!(minimum, Some("all_storage_classes_128K"));
}

#[test]
fn an_error_is_told_as_s3_tells_it_and_always_with_the_same_ids() {
    let answer = s3(&bucket(&json!({})), "GET", "/b?lifecycle");
    let request_id = header(&answer, "x-amz-request-id").unwrap();
    let host_id = header(&answer, "x-amz-id-2").unwrap();
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.body,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchLifecycleConfiguration</Code>\
             <Message>The lifecycle configuration does not exist</Message><BucketName>b</BucketName>\
             <RequestId>{request_id}</RequestId><HostId>{host_id}</HostId></Error>"
        )
    );
    assert_eq!(request_id, "GY9WKAKJ4VX4NN8V");
    let other = s3(&bucket(&json!({})), "GET", "/b?versioning");
    assert_ne!(header(&other, "x-amz-request-id"), Some(request_id));
}

#[test]
fn what_cannot_be_had_is_refused_in_the_words_of_s3() {
    let world = world(
        &json!({"buckets": [
            {"name": "scp", "region": "eu-west-1", "deny": {"GetBucketVersioning": "with an explicit deny in a service control policy"}},
            {"name": "plain", "region": "eu-west-1", "deny": {"GetBucketLifecycleConfiguration": ""}},
            {"name": "gone", "region": "eu-west-1", "vanished": true},
            {"name": "twice", "region": "eu-west-1", "fail": {"GetBucketVersioning": {"status": 503, "code": "SlowDown", "times": 2}}},
        ]}),
        None,
    );
    let told = |uri: &str| {
        let answer = s3(&world, "GET", uri);
        let code = text(&answer.body, "Code").to_owned();
        (answer.status, code, text(&answer.body, "Message").to_owned())
    };
    let scp = "User: arn:aws:iam::100000000002:user/scanner is not authorized to perform: s3:GetBucketVersioning \
               on resource: &quot;arn:aws:s3:::scp&quot; with an explicit deny in a service control policy";
    assert_eq!(told("/scp?versioning"), (403, "AccessDenied".into(), scp.into()));
    assert_eq!(told("/plain?lifecycle"), (403, "AccessDenied".into(), "Access Denied".into()));
    assert_eq!(told("/gone?versioning").1, "NoSuchBucket");
    assert_eq!(told("/scp/key").0, 501);
    let statuses = [0; 3].map(|_| s3(&world, "GET", "/twice?versioning").status);
    assert_eq!(statuses, [503, 503, 200]);
    let listed = s3(&world, "GET", "/").body;
    assert!(listed.contains("<Name>gone</Name>"), "{listed}");
    assert_eq!(told("/gone?versioning").1, "NoSuchBucket");
    let listed = [0; 2].map(|_| s3(&world, "GET", "/").body.contains("<Name>gone</Name>"));
    assert_eq!(listed, [false, true], "the list after the answer lacks it, and the next run begins anew");
}

#[test]
fn only_the_owner_named_as_such_reads_a_bucket() {
    let world = bucket(&json!({}));
    let read = |account: &str, owner: &str| {
        let request = signed(&access_key(account), "eu-west-1", "s3")
            .uri("/?versioning")
            .header("host", "b.localhost:1234")
            .header("x-amz-expected-bucket-owner", owner);
        answer(&world, &request.body(Bytes::new()).unwrap(), NOW).status
    };
    assert_eq!(read(MEMBER, MEMBER), 200);
    assert_eq!(read(MEMBER, MANAGEMENT), 403);
    assert_eq!(read(MANAGEMENT, MEMBER), 403);
    assert_eq!(read("999999999999", MEMBER), 403);
}

#[test]
fn the_wrong_region_is_refused_in_three_ways_and_head_always_tells_the_right_one() {
    for (style, status, code, told) in [
        ("301-permanent-redirect", 301, "PermanentRedirect", "<Endpoint>b.s3.af-south-1.amazonaws.com</Endpoint>"),
        ("400-header-malformed", 400, "AuthorizationHeaderMalformed", "<Region>af-south-1</Region>"),
        ("illegal-location", 400, "IllegalLocationConstraintException", "The af-south-1 location constraint"),
    ] {
        let world = bucket(&json!({"region": "af-south-1", "redirect": style}));
        let refused = s3(&world, "GET", "/b?versioning");
        assert_eq!((refused.status, text(&refused.body, "Code")), (status, code));
        assert!(refused.body.contains(told), "{}", refused.body);
        let region = (status == 301).then_some("af-south-1");
        assert_eq!(header(&refused, "x-amz-bucket-region"), region);
        let head = s3(&world, "HEAD", "/b");
        assert_eq!((head.status, head.body.as_str()), (status, ""));
        assert_eq!(header(&head, "x-amz-bucket-region"), Some("af-south-1"));
        let location = s3(&world, "GET", "/b?location");
        assert_eq!(inside(&location, "LocationConstraint"), "af-south-1");
    }
}

#[test]
fn buckets_come_in_pages_with_regions_only_if_asked_for() {
    let buckets: Vec<Value> = ["c&\"", "a", "b"]
        .map(|name| json!({"name": name, "region": "us-east-1", "listed_region": "eu-west-1"}))
        .into();
    let world = world(&json!({"buckets": buckets}), None);
    let all = s3(&world, "GET", "/?x-id=ListBuckets").body;
    assert!(all.contains("<Name>c&amp;&quot;</Name>") && !all.contains("BucketRegion"), "{all}");
    let first = s3(&world, "GET", "/?max-buckets=2").body;
    assert_eq!(first.matches("<BucketRegion>eu-west-1</BucketRegion>").count(), 2);
    assert!(first.contains("<Name>a</Name>") && first.contains("<Name>b</Name>"), "{first}");
    let token = text(&first, "ContinuationToken");
    let last = s3(&world, "GET", &format!("/?max-buckets=2&continuation-token={token}")).body;
    assert_eq!(text(&last, "Name"), "c&amp;&quot;");
    assert!(!last.contains("ContinuationToken"));
    let some = s3(&world, "GET", "/?prefix=c%26").body;
    assert_eq!(some.matches("<Bucket>").count(), 1);
    assert_eq!(s3(&world, "GET", "/?max-buckets=0").status, 400);
    assert_eq!(s3(&world, "GET", "/?bucket-region=us-east-1").status, 400);
}

#[test]
fn directory_buckets_come_in_pages_and_only_from_their_region() {
    let named = |name: &str, region: &str| json!({"name": format!("{name}--x-s3"), "region": region});
    let buckets = [named("a", "us-east-1"), named("b", "eu-west-1"), named("c", "us-east-1"), named("d", "us-east-1")];
    let failure = json!({"eu-west-1": {"status": 500, "code": "InternalError", "times": 1}});
    let some = world(&json!({"directory_buckets": buckets, "directory_buckets_fail": failure}), None);
    let ask = |world: &World, region: &str, uri: &str| {
        let request = signed(&access_key(MEMBER), region, "s3express").uri(uri);
        answer(world, &request.body(Bytes::new()).expect("a request"), NOW)
    };
    let first = ask(&some, "us-east-1", "/?x-id=ListDirectoryBuckets&max-directory-buckets=2").body;
    assert!(first.contains("<Name>a--x-s3</Name>") && first.contains("<Name>c--x-s3</Name>"), "{first}");
    let next = format!("/?max-directory-buckets=2&continuation-token={}", text(&first, "ContinuationToken"));
    let last = ask(&some, "us-east-1", &next).body;
    assert!(text(&last, "Name") == "d--x-s3" && !last.contains("ContinuationToken"), "{last}");
    assert_eq!([0; 2].map(|_| ask(&some, "eu-west-1", "/").status), [500, 200]);
    for wrong in ["/?max-directory-buckets=1001", "/?continuation-token=x"] {
        assert_eq!(ask(&some, "us-east-1", wrong).status, 400, "{wrong}");
    }
    // Nothing else of that service is there, and nothing of S3 knows these buckets.
    assert_eq!(ask(&some, "us-east-1", "/a--x-s3?lifecycle").status, 501);
    assert_eq!(s3(&some, "GET", "/a--x-s3?versioning").status, 404);
    let denied = ask(&world(&json!({"deny": ["ListDirectoryBuckets"]}), None), "us-east-1", "/");
    assert_eq!((denied.status, text(&denied.body, "Message")), (403, "Access Denied"));
}

#[test]
fn a_listing_can_break_on_a_later_page_or_be_denied() {
    let buckets: Vec<Value> = ["a", "b", "c"].map(|name| json!({"name": name, "region": "us-east-1"})).into();
    let breaks = world(&json!({"buckets": buckets, "list_breaks_after": 2}), None);
    let first = s3(&breaks, "GET", "/?max-buckets=1000").body;
    assert_eq!(first.matches("<Bucket>").count(), 2);
    let next = format!("/?continuation-token={}", text(&first, "ContinuationToken"));
    assert_eq!([0; 2].map(|_| s3(&breaks, "GET", &next).status), [500, 500]);
    let denied = s3(&world(&json!({"deny": ["ListBuckets"]}), None), "GET", "/");
    assert_eq!(denied.status, 403);
    assert!(
        text(&denied.body, "Message")
            .ends_with("s3:ListAllMyBuckets because no identity-based policy allows the s3:ListAllMyBuckets action")
    );
}

#[test]
fn requests_over_the_rate_are_throttled_until_time_passes() {
    let world = world(&json!({}), Some(2));
    let at = |seconds| s3_at(&world, NOW + Duration::seconds_f64(seconds), "GET", "/").status;
    assert_eq!([at(0.0), at(0.0), at(0.0)], [200, 200, 503]);
    assert_eq!([at(0.6), at(0.6)], [200, 503]);
    assert_eq!([at(9.0), at(9.0), at(9.0)], [200, 200, 503]);
    let counts = world.counts();
    assert_eq!((counts["ListBuckets"], counts["Throttled"]), (8, 3));
}

#[test]
fn unsigned_and_unknown_callers_are_turned_away() {
    let world = bucket(&json!({}));
    let unsigned = Request::builder().uri("/b?versioning").body(Bytes::new()).unwrap();
    let refused = answer(&world, &unsigned, NOW);
    assert_eq!((refused.status, text(&refused.body, "Code")), (403, "AccessDenied"));
    let stranger = signed("AKIA0000999999999999", "eu-west-1", "s3").uri("/").body(Bytes::new()).unwrap();
    let refused = answer(&world, &stranger, NOW);
    assert_eq!((refused.status, text(&refused.body, "Code")), (403, "InvalidAccessKeyId"));
    let refused = sts(&world, "AKIA0000999999999999", None, "Action=GetCallerIdentity");
    assert_eq!((refused.status, text(&refused.body, "Code")), (403, "InvalidClientTokenId"));
}

#[test]
fn accounts_come_in_pages_of_which_one_is_empty() {
    let world = world(&json!({}), None);
    let (mut token, mut pages) = (Value::Null, Vec::new());
    loop {
        let parameters = match &token {
            Value::Null => json!({"MaxResults": 20}),
            token => json!({"NextToken": token}),
        };
        let (status, mut page) = organizations(&world, MANAGEMENT, "ListAccounts", &parameters);
        assert_eq!(status, 200);
        let accounts = page["Accounts"].as_array().unwrap().clone();
        pages.push(accounts.iter().map(|account| account["Id"].clone()).collect::<Vec<_>>());
        token = page["NextToken"].take();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(json!(pages), json!([[MANAGEMENT, MEMBER], [], ["100000000003"]]));
    let (status, error) = organizations(&world, MANAGEMENT, "ListAccounts", &json!({"MaxResults": 21}));
    assert_eq!((status, error["__type"].as_str()), (400, Some("InvalidInputException")));
}

#[test]
fn an_account_is_told_with_its_state_and_its_place_in_the_tree() {
    let world = world(&json!({}), None);
    let parent = json!({"ParentId": "ou-1"});
    let (_, page) = organizations(&world, MANAGEMENT, "ListAccountsForParent", &parent);
    let account = &page["Accounts"][0];
    assert_eq!((&account["State"], &account["Status"]), (&json!("ACTIVE"), &json!("ACTIVE")));
    assert_eq!(account["Paths"], json!(["o-1/r-1/ou-0/ou-1/100000000002/"]));
    assert_eq!(account["Arn"], "arn:aws:organizations::100000000001:account/o-1/100000000002");
    let root = json!({"ParentId": "r-1"});
    let (_, page) = organizations(&world, MANAGEMENT, "ListOrganizationalUnitsForParent", &root);
    assert_eq!(page["OrganizationalUnits"].as_array().unwrap().len(), 1);
    assert_eq!(page["OrganizationalUnits"][0]["Name"], "Upper");
    let (_, page) =
        organizations(&world, MANAGEMENT, "ListAccountsForParent", &json!({"ParentId": "r-1", "NextToken": "items-1"}));
    assert_eq!(
        (&page["Accounts"][0]["State"], &page["Accounts"][0]["Status"]),
        (&json!("CLOSED"), &json!("SUSPENDED"))
    );
}

#[test]
fn only_administrators_see_the_organization() {
    let world = world(&json!({}), None);
    let told = |account: &str, call: &str| {
        let (status, body) = organizations(&world, account, call, &json!({}));
        (status, body["__type"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(told(MEMBER, "DescribeOrganization").0, 200);
    assert_eq!(told(MEMBER, "ListAccounts"), (400, "AccessDeniedException".into()));
    assert_eq!(told(OUTSIDER, "ListAccounts"), (400, "AWSOrganizationsNotInUseException".into()));
    assert_eq!(told(MANAGEMENT, "CloseAccount"), (400, "UnknownOperationException".into()));
}

#[test]
fn an_organization_can_be_older_or_more_closed() {
    let mut organization = organization(&json!({}));
    for option in ["omit_state", "omit_paths", "deny_tree"] {
        organization[option] = true.into();
    }
    organization["delegated_administrators"] = json!([MEMBER]);
    let world = world_of(&organization, None);
    let (status, page) = organizations(&world, MEMBER, "ListAccounts", &json!({}));
    let account = &page["Accounts"][0];
    assert_eq!((status, account["Status"].as_str()), (200, Some("ACTIVE")));
    assert!(account.get("State").is_none() && account.get("Paths").is_none(), "{account}");
    let (status, error) = organizations(&world, MANAGEMENT, "ListRoots", &json!({}));
    assert_eq!((status, error["__type"].as_str()), (400, Some("AccessDeniedException")));
}

#[test]
fn a_role_is_entered_once_more_for_an_hour_at_most() {
    let world = world(&json!({"external_id": "secret"}), None);
    let key = access_key(MANAGEMENT);
    let denied = sts(
        &world,
        &key,
        None,
        "Action=AssumeRole&RoleSessionName=scan&RoleArn=arn:aws:iam::100000000002:role/OrganizationAccountAccessRole",
    );
    assert_eq!(denied.status, 403);
    assert_eq!(
        text(&denied.body, "Message"),
        "User: arn:aws:iam::100000000001:user/scanner is not authorized to perform: sts:AssumeRole on resource: \
         arn:aws:iam::100000000002:role/OrganizationAccountAccessRole"
    );
    let entered = sts(
        &world,
        &key,
        None,
        "Action=AssumeRole&RoleSessionName=scan&ExternalId=secret&DurationSeconds=7200&RoleArn=arn:aws:iam::100000000002:role%2FOrganizationAccountAccessRole",
    );
    assert!(
        entered.body.starts_with("<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"),
        "{}",
        entered.body
    );
    assert_eq!(text(&entered.body, "Expiration"), "1970-01-01T02:00:00Z");
    assert_eq!(text(&entered.body, "AccessKeyId"), "ASIA0000100000000002");
    let (role, token) = ("ASIA0000100000000002", text(&entered.body, "SessionToken"));
    let identity = sts(&world, role, Some(token), "Action=GetCallerIdentity").body;
    let arn = "arn:aws:sts::100000000002:assumed-role/OrganizationAccountAccessRole/scan";
    assert_eq!(text(&identity, "Arn"), arn);
    let chained = sts(
        &world,
        role,
        Some(token),
        "Action=AssumeRole&RoleSessionName=scan&DurationSeconds=3601&RoleArn=arn:aws:iam::100000000001:role/OrganizationAccountAccessRole",
    );
    assert_eq!((chained.status, text(&chained.body, "Code")), (400, "ValidationError"));
    let request = signed(role, "eu-west-1", "s3").uri("/").header("x-amz-security-token", token);
    let late = answer(&world, &request.body(Bytes::new()).unwrap(), NOW + Duration::hours(2));
    assert_eq!((late.status, text(&late.body, "Code")), (400, "ExpiredToken"));
}

/// Sends requests one after the other over one connection.
fn talk(endpoint: &str, requests: &str) -> String {
    let mut stream = TcpStream::connect(endpoint.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(requests.as_bytes()).unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).unwrap();
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn it_serves_on_loopback_until_dropped() {
    let organization = Organization::from_json(include_str!("../../fixtures/orgs/minimal.json")).unwrap();
    let simulator = Simulator::start(organization, Options::default()).await.unwrap();
    let (endpoint, world) = (simulator.endpoint(), Arc::downgrade(&simulator.world));
    let key = access_key("111122223333");
    let told = talk(
        &endpoint,
        &format!(
            "GET /only-good?versioning HTTP/1.1\r\nHost: localhost\r\nAuthorization: AWS4-HMAC-SHA256 \
         Credential={key}/20260101/us-east-1/s3/aws4_request\r\n\r\n\
         GET /-/requests HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ),
    );
    assert!(told.contains("<MfaDelete>Enabled</MfaDelete>") && told.contains("server: AmazonS3\r\n"), "{told}");
    assert!(told.ends_with("{\"GetBucketVersioning\":1,\"Throttled\":0}"), "{told}");
    assert_eq!(simulator.counts()["GetBucketVersioning"], 1);
    drop(simulator);
    let ended = async {
        // The listener goes with the same task, a moment before or after.
        while world.upgrade().is_some() || TcpStream::connect(endpoint.strip_prefix("http://").unwrap()).is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), ended).await.unwrap();
}

/// `PutBucketVersioning` by a key, with a body and perhaps a serial and code; the status and the code of the error.
fn put_versioning(world: &World, key: &str, inner: &str, mfa: Option<&str>) -> (u16, String) {
    let mut request = signed(key, "eu-west-1", "s3").method("PUT").uri("/b?versioning");
    if let Some(mfa) = mfa {
        request = request.header("x-amz-mfa", mfa);
    }
    let body = format!("<VersioningConfiguration>{inner}</VersioningConfiguration>");
    let answer = answer(world, &request.body(Bytes::from(body)).unwrap(), NOW);
    let said = if answer.status == 200 { answer.body.clone() } else { text(&answer.body, "Code").to_owned() };
    (answer.status, said)
}

#[test]
fn mfa_delete_takes_root_its_device_and_a_fresh_code_and_no_lifecycle() {
    const ENABLE: &str = "<MfaDelete>Enabled</MfaDelete><Status>Enabled</Status>";
    let member = |bucket: &Value| {
        let device = json!({"serial": "OWN", "codes": ["000001", "000002", "000003"]});
        world(&json!({"mfa_device": device, "buckets": [bucket]}), None)
    };
    let root = root_access_key(MEMBER);
    let plain = member(&json!({"name": "b", "region": "eu-west-1"}));
    let refused = |status, code: &str| (status, code.to_owned());
    let put = |key: &str, inner, mfa| put_versioning(&plain, key, inner, mfa);
    assert_eq!(put(&root, ENABLE, None), refused(403, "AccessDenied"));
    assert_eq!(put(&access_key(MEMBER), ENABLE, Some("OWN 000001")), refused(403, "AccessDenied"));
    assert_eq!(put(&root, ENABLE, Some("OTHER 000001")), refused(400, "TokenCodeInvalidError"));
    assert_eq!(put(&root, ENABLE, Some("OWN 999999")), refused(400, "TokenCodeInvalidError"));
    assert_eq!(put(&root, "<MfaDelete>Enabled</MfaDelete>", None).1, "IllegalVersioningConfigurationException");
    assert_eq!(inside(&s3(&plain, "GET", "/b?versioning"), "VersioningConfiguration"), "/>");

    // Versioning alone needs no code, until MFA delete is on.
    assert_eq!(put(&access_key(MEMBER), "<Status>Suspended</Status>", None), (200, String::new()));
    assert_eq!(put(&root, ENABLE, Some("OWN 000001")), (200, String::new()));
    assert_eq!(text(&s3(&plain, "GET", "/b?versioning").body, "MfaDelete"), "Enabled");
    assert_eq!(put(&root, "<Status>Suspended</Status>", None), refused(403, "AccessDenied"));
    assert_eq!(put(&root, ENABLE, Some("OWN 000001")), refused(400, "TokenCodeInvalidError"));

    let lifecycle = json!([{"ID": "x", "Filter": {}, "Status": "Disabled", "Expiration": {"Days": 1}}]);
    let with_rules = member(&json!({"name": "b", "region": "eu-west-1", "lifecycle": lifecycle}));
    assert_eq!(put_versioning(&with_rules, &root, ENABLE, Some("OWN 000001")), refused(409, "InvalidBucketState"));
}
