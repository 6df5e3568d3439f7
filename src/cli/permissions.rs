//! `bucketlens policy`: the least permissions for a scan.

use super::Problem;
use super::lifecycle::print;
use crate::exit::Exit;
use crate::permissions::{Role, policy};

pub fn run(role: &Role) -> Result<Exit, Problem> {
    print(&policy(role)).map_err(|error| Problem::new(format!("failed to print the policy: {error}")))?;
    Ok(Exit::Ok)
}
