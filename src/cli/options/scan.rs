//! What `scan --help` says beside the options, which stand in [`crate::config::options`].

use crate::exit::Of;

pub fn more() -> String {
    format!("{EXAMPLES}\n\n{CONFIGURATION}\n\n{}", Of::Scan.told())
}

const EXAMPLES: &str = "\
Examples:
  The account of the current credentials:
    bucketlens scan
  Two profiles, the report in a folder of its own:
    bucketlens scan --profile dev --profile prod --out reports/today
  Every account of the organization, through a role of yours, without the sandboxes:
    bucketlens scan --organization --role-name Audit --exclude-ou ou-ab12-11111111
  The accounts of a file, for a scheduled job: only critical findings matter, logs as JSON:
    bucketlens scan --accounts-file accounts.txt --fail-on critical --quiet --log-format json
  What a run that was killed or interrupted has not read yet; the filters are those of the run:
    bucketlens scan --organization --role-name Audit --resume reports/today
  An S3 server that is not AWS:
    AWS_ENDPOINT_URL=https://s3.example.org bucketlens scan --account-id 111111111111";

const CONFIGURATION: &str = "\
Configuration:
  Each option is also an environment variable, named beside it, and a key of the file of --config:
    organization = true
    role-name = \"Audit\"
    region = [\"eu-central-1\", \"us-east-1\"]
  The command line goes before the environment, the environment before the file; a list replaces the
  one of a lower level, and a way to find accounts replaces the lower one with the options it takes.
  In variables a comma separates the values of a list. Paths start at the working directory.
  Credentials, profiles, endpoints and proxies are AWS's own settings (AWS_PROFILE, HTTPS_PROXY, ...).";
