//! The file of `--accounts-file`: one account id a line, optionally a comma and the ARN of the role to assume there;
//! `#` starts a comment. Spreadsheets and Windows write it too: a BOM and CRLF are accepted.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::{Mistake, Place};
use crate::model::AccountId;

/// An account to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEntry {
    pub id: AccountId,
    /// The role to assume there; `None` for the role of `--role-name`.
    pub role_arn: Option<String>,
}

/// As a line of the file.
impl fmt::Display for AccountEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        self.role_arn.as_ref().map_or(Ok(()), |arn| write!(f, ",{arn}"))
    }
}

/// Every account of the file in its order, or everything that is wrong with it.
pub fn read(path: &Path) -> Result<Vec<AccountEntry>, Vec<Mistake>> {
    let bytes = std::fs::read(path)
        .map_err(|error| vec![Mistake::new(format!("cannot read the accounts file {}: {error}", path.display()))])?;
    let text = String::from_utf8(bytes)
        .map_err(|_| vec![Mistake::new(format!("the accounts file {} is not UTF-8 text", path.display()))])?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Vec<AccountEntry>, Vec<Mistake>> {
    let mut entries = Vec::new();
    let mut mistakes = Vec::new();
    let mut lines_by_id = BTreeMap::new();
    for (line, content) in contents(text) {
        let entry = entry(content).and_then(|entry| match lines_by_id.insert(entry.id.clone(), line) {
            None => Ok(entry),
            Some(first) => Err(format!("account {} stands in line {first} already", entry.id)),
        });
        match entry {
            Ok(entry) => entries.push(entry),
            Err(what) => mistakes.push(Mistake::in_file(Place { file: path.to_owned(), line, column: None }, what)),
        }
    }
    if entries.is_empty() && mistakes.is_empty() {
        let empty = format!("the accounts file {} names no account: write one account id a line", path.display());
        mistakes.push(Mistake::new(empty));
    }
    if mistakes.is_empty() { Ok(entries) } else { Err(mistakes) }
}

/// The lines that say something, with their numbers.
fn contents(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate();
    lines
        .map(|(index, line)| (index + 1, line.split_once('#').map_or(line, |(content, _)| content).trim()))
        .filter(|(_, content)| !content.is_empty())
}

pub(super) fn entry(content: &str) -> Result<AccountEntry, String> {
    // The name of a role may have a comma: only the first one separates.
    let (id, arn) = content.split_once(',').map_or((content, None), |(id, arn)| (id.trim(), Some(arn.trim())));
    let id = account_id(id)?;
    let role_arn = arn.map(|arn| role_arn(arn, &id)).transpose()?;
    Ok(AccountEntry { id, role_arn })
}

/// Also says what happened to an id that a spreadsheet took for a number.
pub fn account_id(text: &str) -> Result<AccountId, String> {
    AccountId::parse(text).map_err(|error| {
        let short = (1..12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if short { format!("{error}: it has {}, leading zeros belong to it", text.len()) } else { error.to_string() }
    })
}

/// Source: IAM user guide, "IAM ARNs": `arn:partition:iam::account:role/path/name`. The partition is not checked:
/// new ones appear.
fn role_arn(arn: &str, id: &AccountId) -> Result<String, String> {
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = fields[..] else { return Err(no_role(arn, id)) };
    let name = resource.strip_prefix("role/").and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    if partition.is_empty() || name.is_empty() || resource.contains(char::is_whitespace) {
        return Err(no_role(arn, id));
    }
    if account != id.as_str() {
        return Err(format!("the role {arn:?} is in account {account:?}, the line is for account {id}"));
    }
    Ok(arn.to_owned())
}

fn no_role(arn: &str, id: &AccountId) -> String {
    format!("{arn:?} is not the ARN of an IAM role: after the comma comes one like arn:aws:iam::{id}:role/NAME")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Result<Vec<AccountEntry>, Vec<Mistake>> {
        parse(Path::new("accounts.txt"), text)
    }

    fn mistakes(text: &str) -> String {
        let mistakes = entries(text).expect_err("mistakes");
        mistakes.iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn ids_roles_comments_blank_lines_bom_and_crlf_are_read() {
        let text = "\u{feff}# production\r\n111111111111\r\n\r\n  222222222222 , arn:aws-cn:iam::222222222222:role/path/Audit,or\r\n333333333333 # the third";
        let found = entries(text).expect("no mistakes");
        let found: Vec<_> = found.iter().map(|entry| (entry.id.as_str(), entry.role_arn.as_deref())).collect();
        assert_eq!(
            found,
            [
                ("111111111111", None),
                ("222222222222", Some("arn:aws-cn:iam::222222222222:role/path/Audit,or")),
                ("333333333333", None),
            ]
        );
    }

    #[test]
    fn a_partition_that_is_new_is_no_mistake() {
        for partition in ["aws", "aws-us-gov", "aws-eusc", "aws-iso-f"] {
            assert!(entries(&format!("111111111111,arn:{partition}:iam::111111111111:role/Audit")).is_ok());
        }
    }

    #[test]
    fn every_mistake_is_reported_with_its_line() {
        let text = "11111111111
111111111111
# fine
111111111111
222222222222,arn:aws:iam::333333333333:role/Audit
333333333333,arn:aws:iam::333333333333:user/Audit
444444444444,
555555555555 arn:aws:iam::555555555555:role/Audit
666666666666,arn:aws:sts::666666666666:assumed-role/Audit/session
777777777777,arn:aws:iam::777777777777:role/
";
        insta::assert_snapshot!(mistakes(text), @r#"
        accounts.txt:1: an AWS account id has 12 digits, "11111111111" has not: it has 11, leading zeros belong to it
        accounts.txt:4: account 111111111111 stands in line 2 already
        accounts.txt:5: the role "arn:aws:iam::333333333333:role/Audit" is in account "333333333333", the line is for account 222222222222
        accounts.txt:6: "arn:aws:iam::333333333333:user/Audit" is not the ARN of an IAM role: after the comma comes one like arn:aws:iam::333333333333:role/NAME
        accounts.txt:7: "" is not the ARN of an IAM role: after the comma comes one like arn:aws:iam::444444444444:role/NAME
        accounts.txt:8: an AWS account id has 12 digits, "555555555555 arn:aws:iam::555555555555:role/Audit" has not
        accounts.txt:9: "arn:aws:sts::666666666666:assumed-role/Audit/session" is not the ARN of an IAM role: after the comma comes one like arn:aws:iam::666666666666:role/NAME
        accounts.txt:10: "arn:aws:iam::777777777777:role/" is not the ARN of an IAM role: after the comma comes one like arn:aws:iam::777777777777:role/NAME
        "#);
    }

    #[test]
    fn a_file_without_accounts_is_a_mistake() {
        insta::assert_snapshot!(mistakes("\u{feff}# nothing yet\r\n\r\n"), @"the accounts file accounts.txt names no account: write one account id a line");
    }
}
