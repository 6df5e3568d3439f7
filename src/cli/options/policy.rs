//! `bucketlens policy`.

use clap::{Args, ValueEnum};

use super::{Problem, defaults};
use crate::config::options::MoreArgs;
use crate::permissions::Role;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoleArg {
    /// Who runs the scan of an organization
    Hub,
    /// The role in each account; also who scans an account with its own credentials
    Member,
}

#[derive(Args)]
pub struct PolicyArgs {
    #[command(flatten)]
    more: MoreArgs,
    /// For whom
    #[arg(long, value_name = "ROLE", default_value = "member")]
    role: RoleArg,
    /// For the hub: name of the role in each account, maybe with a path
    #[arg(long, value_name = "NAME", default_value = "OrganizationAccountAccessRole", value_parser = role_name)]
    role_name: String,
    /// For the hub: partition of the organization
    #[arg(long, value_name = "NAME", default_value = "aws", value_parser = ["aws", "aws-cn", "aws-us-gov", "aws-eusc"])]
    partition: String,
}

impl PolicyArgs {
    pub fn read(self) -> Result<Role, Problem> {
        let config = defaults(|scan| scan.more = self.more)?;
        Ok(match self.role {
            RoleArg::Hub => {
                Role::Hub { partition: self.partition, role: self.role_name, tags: config.more.group_by_tag.is_some() }
            }
            RoleArg::Member => {
                Role::Member { extras: config.more.extras(), directory_buckets: config.more.directory_buckets }
            }
        })
    }
}

/// Source: IAM API reference, `CreateRole`: `RoleName` and `Path`. A `*` would let the hub into other roles.
fn role_name(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&byte);
    let valid = !text.is_empty() && text.bytes().all(allowed) && !text.starts_with('/') && !text.ends_with('/');
    if valid {
        Ok(text.to_owned())
    } else {
        Err("a role name has letters, digits and _+=,.@- (and / in a path)".to_owned())
    }
}

pub const MORE: &str = "\
The hub needs the member's policy too where buckets of its own account are scanned. The three actions
on roots and units are used only where Organizations sends no paths with its accounts. s3:ListBucket
and s3:GetBucketLocation are not needed on AWS, where the list of buckets names each Region.";
