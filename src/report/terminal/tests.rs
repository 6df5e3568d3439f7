use std::cell::RefCell;
use std::rc::Rc;

use insta::assert_snapshot;

use super::*;
use crate::model::{AccountId, ErrorClass, Fact, Facts, Lifecycle, Observed, Operation, Outcome};
use crate::report::example::{self, Example, account, bucket};

/// A writer whose content can be read after the sink is gone.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn page(example: &Example, width: u16, color: bool) -> String {
    let shared = Shared::default();
    let folder = "reports/20261122T144320Z".to_owned();
    let options = TerminalOptions { width, color, folder, formats: vec![Format::Csv, Format::Json] };
    example.write(Box::new(Terminal::new(Box::new(shared.clone()), options)));
    String::from_utf8(shared.0.take()).expect("text")
}

/// Without `ESC [ ... m`.
fn without_color(text: &str) -> String {
    let mut parts = text.split("\u{1B}[");
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.map(|part| part.split_once('m').map_or("", |(_, rest)| rest)).collect::<String>()
}

/// A single account outside an organization, of which everything is known.
fn single_account() -> Example {
    let mut example = example::empty();
    example.run.organization_id = None;
    example.run.scope = vec![];
    example.coverage.retries = 0;
    let buckets = vec![bucket(1, "eu-west-1", "one", "E+."), bucket(1, "eu-west-1", "two", "E..")];
    example.add(account(1, "", "", Outcome::Complete), buckets);
    example
}

#[test]
fn a_page_of_80_columns() {
    assert_snapshot!(page(&example::organization(), 80, false));
}

#[test]
fn a_page_about_what_protects_versions() {
    let page = page(&example::protected(), 100, false);
    assert_snapshot!(page.split_once("MFA BY BUCKET POLICY").expect("there").1);
}

#[test]
fn a_page_of_120_columns() {
    assert_snapshot!(page(&example::organization(), 120, false));
}

#[test]
fn a_page_of_60_columns() {
    assert_snapshot!(page(&example::organization(), 60, false));
}

#[test]
fn a_single_account_of_which_everything_is_known() {
    assert_snapshot!(page(&single_account(), 80, false));
}

#[test]
fn a_run_that_could_enter_no_account() {
    let mut example = example::empty();
    let refused = || Outcome::Failed("AssumeRole denied (AccessDenied, HTTP 403)".to_owned());
    for digit in 1..=9 {
        example.add(account(digit, "", "", refused()), vec![]);
    }
    for digit in 1..=3 {
        let mut more = account(digit, "", "", refused());
        more.id = AccountId::parse(&format!("{digit:012}")).ok();
        example.add(more, vec![]);
    }
    assert_snapshot!(page(&example, 80, false));
}

#[test]
fn ten_thousand_equal_findings_are_one_line() {
    let mut example = example::empty();
    let buckets = |digit| (0..5_000).map(|n| bucket(digit, "eu-west-1", &format!("b-{n:05}"), "E..")).collect();
    for digit in 1..=2 {
        example.add(account(digit, "Many", "", Outcome::Complete), buckets(digit));
    }
    let page = page(&example, 100, false);
    assert!(page.contains("medium  mfa-delete-enabled: 10,000 buckets in 2 accounts\n"), "{page}");
    assert!(page.contains("MFA delete was never configured\n"), "{page}");
    let places = "b-00000 in 111111111111, b-00001 in 111111111111, b-00002 in 111111111111 and 9,997 more\n";
    assert!(page.contains(places), "{page}");
}

#[test]
fn few_findings_that_differ_are_told_one_by_one() {
    let mut example = example::empty();
    let buckets = vec![bucket(1, "x", "never", "N+."), bucket(1, "x", "suspended", "S+.")];
    example.add(account(1, "", "", Outcome::Complete), buckets);
    let page = page(&example, 100, false);
    assert!(page.contains("never in 111111111111: versioning was never configured\n"), "{page}");
    assert!(page.contains("suspended in 111111111111: versioning is suspended\n"), "{page}");
}

#[test]
fn no_line_is_wider_than_the_page_or_ends_in_spaces() {
    let example = example::organization();
    for (width, taken_as) in [(20, 60), (60, 60), (77, 77), (80, 80), (100, 100), (200, 200), (u16::MAX, 200)] {
        for line in page(&example, width, false).lines() {
            assert!(line.chars().count() <= taken_as, "{width}: {line:?}");
            assert_eq!(line, line.trim_end(), "{width}");
        }
    }
}

#[test]
fn color_adds_nothing_but_color() {
    let example = example::organization();
    let (colored, plain) = (page(&example, 80, true), page(&example, 80, false));
    assert!(colored.contains("\u{1B}[") && !plain.contains('\u{1B}'));
    assert_eq!(without_color(&colored), plain);
}

#[test]
fn names_cannot_drive_the_terminal() {
    let mut example = example::empty();
    let outcome = Outcome::Failed("\u{1B}]0;title\u{7} \u{202E}reversed".to_owned());
    example.add(account(1, "a\u{1B}[2J\nb", "", outcome), vec![]);
    example.add(account(2, "x\r\u{9B}31m", "", Outcome::Complete), vec![bucket(2, "x", "b\u{1B}[1m", "N..")]);
    let page = page(&example, 100, false);
    assert!(!page.contains(|c: char| c != '\n' && c.is_control()) && !page.contains('\u{202E}'), "{page:?}");
    assert!(page.contains("a\u{FFFD}[2J\u{FFFD}b"), "{page}");
}

#[test]
fn error_codes_without_end_do_not_fill_the_memory() {
    let mut tally = Tally::default();
    for number in 0..10_000 {
        let mut record = bucket(1, "x", "b", "E..");
        let operation = Operation::GetBucketLifecycleConfiguration;
        let reason = example::reason(operation, ErrorClass::Rejected, &format!("Code{number}"), 400, "");
        if let Facts::Read { lifecycle, .. } = &mut record.facts {
            let observed: Observed<Lifecycle> = Observed::Unknown(reason.into());
            *lifecycle = Fact { at: lifecycle.at, observed };
        }
        tally.bucket(&record, &example::empty().evaluator().evaluate(&record));
    }
    assert_eq!(tally.gaps.values().map(|extent| extent.buckets).sum::<u64>(), 10_000);
    assert!(tally.gaps.len() <= 201, "{}", tally.gaps.len());
}
