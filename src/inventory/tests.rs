use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::*;
use crate::model::{DirectoryGap, Facts, OuPath, Outcome, Region, Sha256Sum, Version};
use crate::run_folder::Directory;

const ID: &str = "111111111111";

fn run_id() -> RunId {
    RunId::parse("run").expect("an id")
}

fn id() -> AccountId {
    AccountId::parse(ID).expect("12 digits")
}

fn account(number: u64) -> Account {
    let id = AccountId::parse(&format!("{number:012}")).expect("12 digits");
    Account { id, name: "a".to_owned(), ou_path: OuPath::default(), state: None, tag: None }
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_800_000_000 + seconds).expect("in range")
}

/// A record that differs from others of its bucket by its Region.
fn bucket_in(region: &str, name: &str) -> BucketRecord {
    let facts = Facts::Vanished { at: moment(0) };
    BucketRecord { account: id(), region: Region::new(region), bucket: name.to_owned(), facts }
}

fn bucket(name: &str) -> BucketRecord {
    bucket_in("us-east-1", name)
}

fn opening() -> Opening {
    Opening {
        run_id: run_id(),
        start: moment(0),
        resumed: Vec::new(),
        standard: Standard::Cis,
        accepted_controls: BTreeSet::new(),
        scope: ScopeOptions::from([("organization".to_owned(), Vec::new())]),
        found: None,
    }
}

fn closed(buckets: u64) -> AccountRecord {
    let account = Account { id: id(), ..account(1) };
    AccountRecord::new(&account, Outcome::Complete, buckets)
}

fn at(path: &Path) -> Directory {
    Directory::open(path).expect("there")
}

/// A journal on disk.
struct Journal {
    _space: tempfile::TempDir,
    folder: PathBuf,
}

impl Journal {
    fn new() -> (Self, Writer) {
        let space = tempfile::tempdir().expect("a folder");
        let folder = space.path().join("inventory");
        let writer = Writer::create(&at(space.path()), "inventory", opening()).expect("new");
        (Self { _space: space, folder }, writer)
    }

    /// With one whole account.
    fn of(names: &[&str]) -> Self {
        let (journal, writer) = Self::new();
        let mut segment = opened(&writer);
        for name in names {
            segment.bucket(bucket(name)).expect("written");
        }
        let buckets = segment.tally().buckets();
        segment.close(moment(0), closed(buckets)).expect("closed");
        journal
    }

    fn segment(&self) -> PathBuf {
        self.folder.join(segment_name(&id()))
    }

    fn reopen(&self, oldest: Option<Timestamp>) -> Writer {
        Writer::reopen(at(&self.folder), oldest).expect("readable").expect("a record of the run")
    }

    /// What a report sees of the account.
    fn rows(&self, buckets: u64) -> Result<Vec<BucketRecord>, InventoryError> {
        read_all(&self.close(buckets))
    }

    fn close(&self, buckets: u64) -> Inventory {
        let run = Run {
            id: run_id(),
            start: moment(0),
            end: moment(1),
            resumed: Vec::new(),
            interrupted: false,
            version: Version::parse("0.1.0").expect("a version"),
            standard: Standard::Cis,
            accepted_controls: BTreeSet::new(),
            scope: Vec::new(),
            group_by_tag: None,
            extras: BTreeSet::new(),
            directory_regions: None,
            caller_arn: None,
            organization_id: None,
            partition: None,
            clock_skew_seconds: None,
            configuration_digest: Sha256Sum::parse(&"0".repeat(64)).expect("a digest"),
        };
        let closed = self.reopen(None).close(run, Coverage::default(), vec![closed(buckets)]);
        closed.expect("closed")
    }
}

fn read_all(inventory: &Inventory) -> Result<Vec<BucketRecord>, InventoryError> {
    inventory.buckets(&inventory.accounts()[0]).and_then(Iterator::collect)
}

fn opened(writer: &Writer) -> Segment {
    match writer.segment(&id()).expect("readable") {
        Begun::Open(segment) => segment,
        Begun::Whole(..) => panic!("the account is whole"),
    }
}

#[test]
fn what_was_written_is_read_in_the_order_of_names() {
    let journal = Journal::of(&["b", "a", "ab", "c"]);
    assert_eq!(journal.rows(4).expect("whole"), ["a", "ab", "b", "c"].map(bucket));
    // The names are sorted, and the lines are not: each is looked for where it stands.
    let names: Vec<String> = (0..5000).map(|number| format!("{}-{number}", (number * 7919) % 5000)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut sorted: Vec<BucketRecord> = names.iter().map(|name| bucket(name)).collect();
    sorted.sort_by(|a, b| a.bucket.cmp(&b.bucket));
    assert!(Journal::of(&names).rows(5000).expect("whole") == sorted);
}

#[test]
fn the_last_line_of_a_bucket_counts_and_one_out_of_scope_is_none() {
    let journal = Journal::of(&["b", "a", "c"]);
    let mut segment = opened(&journal.reopen(Some(moment(0))));
    segment.bucket(bucket_in("eu-west-1", "b")).expect("written");
    segment.out_of_scope("c".to_owned()).expect("written");
    segment.out_of_scope("never-seen".to_owned()).expect("nothing to write");
    segment.bucket(bucket("d")).expect("written");
    assert_eq!(segment.tally(), Tally { complete: 0, unknown: 0, vanished: 3, directory: 0 });
    segment.close(moment(9), closed(3)).expect("closed");
    let rows = [bucket("a"), bucket_in("eu-west-1", "b"), bucket("d")];
    assert_eq!(journal.rows(3).expect("whole"), rows);
    let Ok(Begun::Whole(_, tally)) = journal.reopen(None).segment(&id()) else { panic!("nothing is missing") };
    assert_eq!(tally.buckets(), 3);
}

#[test]
fn a_whole_account_is_not_read_again_unless_it_is_too_old() {
    let journal = Journal::of(&["a", "b"]);
    let whole = |oldest| matches!(journal.reopen(oldest).segment(&id()), Ok(Begun::Whole(..)));
    assert!(whole(None) && whole(Some(moment(-1))));
    assert!(!whole(Some(moment(0))));
    // Without buckets it is the list that has an age.
    let empty = Journal::of(&[]);
    assert!(matches!(empty.reopen(Some(moment(-1))).segment(&id()), Ok(Begun::Whole(..))));
    assert!(matches!(empty.reopen(Some(moment(0))).segment(&id()), Ok(Begun::Open(_))));
}

/// Cuts the segment at every byte: what is whole is read, what is torn is dropped, and what is appended then is whole.
#[test]
fn a_torn_tail_is_cut_off_wherever_it_was_torn() {
    let journal = Journal::of(&["b", "a"]);
    let whole = fs::read(journal.segment()).expect("readable");
    let ends: Vec<usize> = whole.iter().enumerate().filter_map(|(at, b)| (*b == b'\n').then_some(at + 1)).collect();
    for length in 0..whole.len() {
        fs::write(journal.segment(), &whole[..length]).expect("writable");
        let lines = ends.iter().filter(|end| **end <= length).count();
        let expected = lines.saturating_sub(1).min(2); // the first line is the header
        assert!(journal.rows(2).is_err(), "not closed, cut at {length}");

        let mut segment = opened(&journal.reopen(None));
        let before: Vec<bool> = ["b", "a"].map(|name| segment.earlier().has(name)).into();
        assert_eq!(before, [expected > 0, expected > 1], "cut at {length}");
        assert_eq!(segment.earlier().again().count(), 0);
        for name in ["b", "a"].iter().filter(|name| !segment.earlier().has(name)).copied().collect::<Vec<_>>() {
            segment.bucket(bucket(name)).expect("written");
        }
        segment.close(moment(0), closed(2)).expect("closed");
        assert!(fs::read(journal.segment()).expect("readable") == whole, "cut at {length}");
        assert_eq!(journal.rows(2).expect("whole"), ["a", "b"].map(bucket), "cut at {length}");
    }
}

#[test]
fn what_does_not_parse_ends_what_is_believed_and_is_an_error_to_a_report() {
    let journal = Journal::of(&["b", "a"]);
    let whole = fs::read_to_string(journal.segment()).expect("readable");
    for damaged in [
        whole.replace("\"bucket\":\"a\"", "\"bucket\":a"),
        whole.replace("{\"bucket\":{", "\0\0\0\0\n{\"bucket\":{"),
        whole.replace("{\"closed\"", "{\"opened\""),
    ] {
        assert_ne!(damaged, whole);
        fs::write(journal.segment(), &damaged).expect("writable");
        let error = journal.rows(2).expect_err("damaged").to_string();
        assert!(error.contains("is damaged in line "), "{error}");
        let mut segment = opened(&journal.reopen(None));
        let known: Vec<&str> = ["b", "a"].into_iter().filter(|name| segment.earlier().has(name)).collect();
        for name in ["b", "a"].into_iter().filter(|name| !known.contains(name)) {
            segment.bucket(bucket(name)).expect("written");
        }
        segment.close(moment(0), closed(2)).expect("closed");
        assert_eq!(journal.rows(2).expect("whole"), ["a", "b"].map(bucket));
    }
}

/// Whatever byte of a closed inventory is changed: nobody reads it as if it were what the run left.
#[test]
fn no_byte_of_a_closed_inventory_can_be_changed_unnoticed() {
    let journal = Journal::of(&["b", "a"]);
    journal.close(2);
    let rows = || {
        let inventory = Inventory::open(at(&journal.folder))?;
        inventory.opening()?;
        read_all(&inventory)
    };
    assert_eq!(rows().expect("whole").len(), 2);
    for path in [journal.segment(), journal.folder.join("start.json")] {
        let whole = fs::read(&path).expect("readable");
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            // Another letter or digit where there is one.
            changed[at] = if changed[at] == b'e' { b'f' } else { b'e' };
            fs::write(&path, changed).expect("writable");
            rows().expect_err("it was changed");
        }
        fs::write(&path, &whole).expect("writable");
    }
    // Of `run.json` white space may change, and nothing that means anything.
    let path = journal.folder.join(RUN);
    let whole = fs::read_to_string(&path).expect("readable");
    fs::write(&path, whole.replace(": ", ":")).expect("writable");
    rows().expect("the same");
    for (at, byte) in whole.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        let mut changed = whole.clone().into_bytes();
        changed[at] = if byte == b'1' { b'2' } else { b'1' };
        fs::write(&path, changed).expect("writable");
        rows().expect_err("it was changed");
    }
    let other = whole.replace("\"complete\"", "\"skipped\", \"reason\": \"x\"");
    assert_ne!(other, whole);
    fs::write(&path, other).expect("writable");
    assert!(matches!(rows(), Err(InventoryError::Altered { .. })));
}

#[test]
fn an_account_with_other_buckets_than_it_says_is_damaged() {
    let journal = Journal::of(&["b", "a"]);
    let error = journal.rows(3).expect_err("one is missing").to_string();
    assert!(error.ends_with("2 buckets stand in it where 3 were read"), "{error}");
}

#[test]
fn another_version_is_refused_wherever_it_stands() {
    let journal = Journal::of(&["a"]);
    let segment = fs::read_to_string(journal.segment()).expect("readable");
    let version = format!("\"version\":{VERSION}");
    assert!(segment.contains(&version));
    fs::write(journal.segment(), segment.replace(&version, "\"version\":7")).expect("writable");
    assert!(matches!(journal.rows(1), Err(InventoryError::OtherVersion { found: 7, .. })));
    let begun = journal.reopen(None).segment(&id()).err();
    assert!(matches!(begun, Some(InventoryError::OtherVersion { found: 7, .. })));
    // What another version wrote beside its number need not be understood.
    fs::write(journal.folder.join("start.json"), "{\"version\": 7, \"else\": []}").expect("writable");
    let says = Writer::reopen(at(&journal.folder), None).expect_err("another version").to_string();
    assert!(says.ends_with(&format!("(format 7, this one reads 3 to {VERSION})")), "{says}");
}

#[test]
fn a_record_of_the_beginning_that_is_not_whole_is_none() {
    let (journal, _) = Journal::new();
    let path = journal.folder.join("start.json");
    let whole = fs::read(&path).expect("readable");
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).expect("writable");
        assert!(Writer::reopen(at(&journal.folder), None).expect("readable").is_none(), "cut at {length}");
    }
    fs::write(&path, &whole).expect("writable");
    assert_eq!(journal.reopen(None).opening(), &opening());
    fs::remove_file(&path).expect("there");
    assert!(Writer::reopen(at(&journal.folder), None).expect("readable").is_none());
}

fn found(caller: Option<&str>, organization: Option<&str>, accounts: &[u64]) -> Found {
    Found {
        caller_arn: caller
            .map(|account| Arn::parse(&format!("arn:aws:sts::{account}:assumed-role/Role/session")).expect("an ARN")),
        organization_id: organization.map(|id| OrganizationId::parse(id).expect("an id")),
        partition: None,
        unit_names: BTreeMap::new(),
        accounts: accounts.iter().map(|number| account(*number)).collect(),
    }
}

#[test]
fn a_run_goes_on_with_its_own_caller_only() {
    let (journal, mut writer) = Journal::new();
    let mut goes_on = |now: Found| writer.found(now, opening());
    goes_on(found(Some("000000000001"), Some("o-first"), &[1])).expect("the first");
    // What nobody said is no contradiction.
    goes_on(found(None, Some("o-first"), &[1])).expect("the same organization");
    goes_on(found(Some("000000000001"), None, &[1])).expect("the same account");
    let says = goes_on(found(Some("000000000002"), None, &[1])).expect_err("another account").to_string();
    assert!(
        says.ends_with("was begun in account 000000000001, and these credentials are those of account 000000000002")
    );
    drop(journal);
}

#[test]
fn accounts_that_are_found_no_more_are_told_again_and_again() {
    let (journal, mut writer) = Journal::new();
    let gone = |gone: Vec<Account>| gone.into_iter().map(|account| account.id.to_string()).collect::<Vec<_>>();
    assert!(gone(writer.found(found(None, None, &[1, 2, 3]), opening()).expect("written")).is_empty());
    for _ in 0..2 {
        let mut writer = journal.reopen(None);
        let how = writer.opening().clone();
        let now = writer.found(found(None, None, &[4, 3]), how).expect("written");
        assert_eq!(gone(now), ["000000000001", "000000000002"]);
    }
}

#[test]
fn an_inventory_of_the_format_before_is_read_and_gone_on_with() {
    for version in 3..VERSION {
        is_read_and_gone_on_with(version);
    }
}

fn is_read_and_gone_on_with(version: u32) {
    let journal = Journal::of(&["a"]);
    let newer = journal.close(1);
    let older = Closing { version, ..newer.closing.clone() };
    for name in [journal.segment(), journal.folder.join(writer::START)] {
        let text = fs::read_to_string(&name).expect("text");
        let written = |space: &str, version: u32| format!("\"version\":{space}{version}");
        let of_before = ["", " "]
            .iter()
            .fold(text.clone(), |text, space| text.replacen(&written(space, VERSION), &written(space, version), 1));
        assert_ne!(text, of_before);
        fs::write(&name, of_before).expect("written");
    }
    let segments_sha256 =
        BTreeMap::from([(id(), digest::of_file(&at(&journal.folder), &segment_name(&id())).expect("there"))]);
    let start_sha256 = digest::of_file(&at(&journal.folder), writer::START).expect("there");
    let older = Closing { start_sha256, segments_sha256, ..older }.sealed();
    let text = serde_json::to_string_pretty(&older).expect("JSON");
    assert!(!text.contains("directory_gaps"), "{text}");
    fs::write(journal.folder.join(RUN), text).expect("written");
    let read = Inventory::open(at(&journal.folder)).expect("readable");
    assert_eq!(read_all(&read).expect("rows").len(), 1);
    assert_eq!(read.opening().expect("readable").run_id, run_id());
    assert!(matches!(journal.reopen(None).segment(&id()).expect("readable"), Begun::Whole(..)));
}

#[test]
fn an_account_with_a_gap_of_directory_buckets_is_entered_again() {
    let (journal, writer) = Journal::new();
    let mut segment = opened(&writer);
    segment.bucket(bucket("a")).expect("written");
    let gap = DirectoryGap { regions: BTreeSet::from([Region::new("eu-west-1")]), reason: "denied".to_owned() };
    let record = AccountRecord { directory_gaps: vec![gap], ..closed(1) };
    segment.close(moment(0), record.clone()).expect("closed");
    assert!(matches!(journal.reopen(None).segment(&id()).expect("readable"), Begun::Open(_)));
    assert!(matches!(*record.outcome(), Outcome::Incomplete(_)) && record.listed().is_ok());
    assert_eq!(record.directories_listed(&Region::new("eu-west-1")), Err("denied"));
    assert_eq!(record.directories_listed(&Region::new("us-east-1")), Ok(()));
}
