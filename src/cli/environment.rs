//! The environment as AWS's own settings are read from it. The SDK reads it by itself, and takes an empty variable for
//! a value, where the AWS CLI takes it for none: an empty `AWS_PROFILE` would be a profile without a name. Safe code
//! cannot take a variable out of the environment of its own process, so the program starts again without them.

use std::ffi::{OsStr, OsString};

use super::Problem;

/// Returns where nothing has to change.
pub fn settle(arguments: &[OsString], environment: &[(OsString, OsString)]) -> Result<(), Problem> {
    let ours = environment.iter().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"AWS_"));
    // The SDK takes it for none, and so for other settings than were meant.
    if let Some((name, _)) = ours.clone().find(|(_, value)| value.to_str().is_none()) {
        let what = format!("the environment variable {} is not UTF-8 text", name.to_string_lossy());
        return Err(Problem::new(what).with_help("correct or unset it"));
    }
    let empty: Vec<&OsStr> = ours.filter(|(_, value)| value.is_empty()).map(|(name, _)| name.as_os_str()).collect();
    if empty.is_empty() { Ok(()) } else { start_without(&empty, arguments) }
}

fn problem(empty: &[&OsStr], why: &str) -> Problem {
    let names: Vec<_> = empty.iter().map(|name| name.to_string_lossy()).collect();
    Problem::new(format!("the environment variables {} are empty, and {why}", names.join(", "))).with_help("unset them")
}

#[cfg(unix)]
fn start_without(empty: &[&OsStr], arguments: &[OsString]) -> Result<(), Problem> {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    let failed = |error| problem(empty, &format!("the program failed to start again without them: {error}"));
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args(arguments.iter().skip(1));
    for name in empty {
        command.env_remove(name);
    }
    // It returns only where it fails.
    Err(failed(command.exec()))
}

#[cfg(not(unix))]
fn start_without(empty: &[&OsStr], _: &[OsString]) -> Result<(), Problem> {
    Err(problem(empty, "the AWS SDK takes an empty variable for a value"))
}
