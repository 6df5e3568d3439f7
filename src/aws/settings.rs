//! AWS's own settings, as the environment and the AWS configuration files give them: which profile, which Region, which
//! addresses. A setting that cannot hold is told before anything is asked.

use aws_config::SdkConfig;
use aws_types::os_shim_internal::Env;
use aws_types::service_config::ServiceConfigKey;

use super::http::CaBundleError;
use super::profile::Files;
use crate::model::Region;

/// A setting with which nothing can be asked.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("the AWS configuration has no profile {name:?}; it has {}{}", .known.join(", "), in_brackets(.remarks))]
    UnknownProfile { name: String, known: Vec<String>, remarks: Vec<String> },
    /// The chosen source of credentials, which cannot give any. No other is tried in its place.
    #[error("{0}")]
    Credentials(String),
    #[error("{0}")]
    Mistake(String),
    #[error("{named} needs a code of the MFA device {serial}, and there is no terminal to ask for it")]
    NoTerminal { named: String, serial: String },
    #[error(transparent)]
    CaBundle(#[from] CaBundleError),
}

impl SettingsError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::UnknownProfile { .. } => "name one of these with --profile, or add it to ~/.aws/config",
            Self::Credentials(_) => {
                "correct it, or choose other credentials: bucketlens tries no others in place of the chosen ones"
            }
            Self::Mistake(_) => "correct or remove the setting",
            Self::NoTerminal { .. } => {
                "run it on a terminal, or give it credentials of a session with MFA (`aws sts get-session-token`)"
            }
            Self::CaBundle(_) => {
                "name a file with certificates in PEM form, or unset AWS_CA_BUNDLE or ca_bundle of the profile"
            }
        }
    }
}

/// Which profile was chosen, and how.
#[derive(Debug)]
pub(super) struct Chosen {
    pub name: String,
    pub by: By,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// `--profile`: its credentials are meant, whatever the environment holds.
    Option,
    /// `AWS_PROFILE`
    Variable,
    /// Nothing: the default profile, if there is one.
    Default,
}

#[derive(Debug)]
pub(super) struct Settings {
    env: Env,
    pub files: Files,
    pub profile: Chosen,
}

impl Settings {
    /// `profile`: of `--profile`.
    pub async fn read(profile: Option<&str>) -> Result<Self, SettingsError> {
        let env = Env::real();
        let files = Files::read(&env).await.map_err(SettingsError::Credentials)?;
        let named = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].into_iter().find_map(|name| not_empty(&env, name));
        let profile = match (profile, named) {
            (Some(name), _) => Chosen { name: name.to_owned(), by: By::Option },
            (None, Some(name)) => Chosen { name, by: By::Variable },
            (None, None) => Chosen { name: "default".to_owned(), by: By::Default },
        };
        let is_optional = profile.by == By::Default || profile.name == "default" && profile.by == By::Variable;
        if files.profile(&profile.name).is_none() && !is_optional {
            let mut known = files.known();
            if known.is_empty() {
                known.push("none".to_owned());
            }
            let mut remarks = files.missing(&profile.name);
            remarks.extend((profile.by == By::Variable).then(|| "AWS_PROFILE names it".to_owned()));
            return Err(SettingsError::UnknownProfile { name: profile.name, known, remarks });
        }
        Ok(Self { env, files, profile })
    }

    pub fn env(&self) -> &Env {
        &self.env
    }

    /// A variable of the environment; an empty one counts as not set, as with the AWS CLI.
    pub fn variable(&self, name: &str) -> Option<String> {
        not_empty(&self.env, name)
    }

    /// A setting of the profile.
    pub fn of_profile(&self, key: &str) -> Option<&str> {
        self.files.setting(&self.profile.name, key)
    }

    /// The Region of the environment or the profile.
    pub fn region(&self) -> Option<String> {
        let variable = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| self.variable(name));
        variable.or_else(|| self.of_profile("region").map(str::to_owned))
    }
}

fn in_brackets(remarks: &[String]) -> String {
    if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join("; ")) }
}

fn not_empty(env: &Env, name: &str) -> Option<String> {
    env.get(name).ok().filter(|value| !value.is_empty())
}

/// A setting at which the SDK would panic, or with which it would ask another server than the user means.
pub(super) fn check(config: &SdkConfig) -> Result<(), SettingsError> {
    let region = config.region().map(AsRef::as_ref);
    if let Some(region) = region.filter(|region| !is_host_name(region) || Region::parse(region).is_err()) {
        let what = format!("{region:?} is not the name of a Region: correct AWS_REGION, or region in the profile");
        return Err(SettingsError::Mistake(what));
    }
    for endpoint in endpoints(config) {
        let setting = "correct AWS_ENDPOINT_URL, or endpoint_url in the profile";
        if !is_url(&endpoint) {
            let what = format!("{:?} is no URL (http://host:port): {setting}", without_password(&endpoint));
            return Err(SettingsError::Mistake(what));
        }
        if has_password(&endpoint) {
            let shown = without_password(&endpoint);
            let what = format!(
                "the endpoint {shown} has a user name or a password, which is never sent, since requests are signed \
                 with keys of AWS: {setting}"
            );
            return Err(SettingsError::Mistake(what));
        }
    }
    Ok(())
}

/// The addresses that are set for the services a run may ask, those that give credentials among them.
pub(super) fn endpoints(config: &SdkConfig) -> impl Iterator<Item = String> {
    let services = ["S3", "STS", "Organizations", "SSO", "SSO OIDC", "Signin"];
    services.into_iter().filter_map(|service| endpoint_of(config, service))
}

pub(super) fn endpoint_of(config: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url");
    config.service_config()?.load_config(key.build().ok()?)
}

fn is_url(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).unwrap_or_default();
    !host.is_empty() && !host.starts_with(['/', '?', '#', ':']) && host.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The SDK makes names of hosts from Regions.
fn is_host_name(text: &str) -> bool {
    text.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

fn authority(url: &str) -> (usize, &str) {
    let start = url.find("://").map_or(0, |at| at + 3);
    (start, &url[start..])
}

fn has_password(url: &str) -> bool {
    authority(url).1.contains('@')
}

/// The URL for people: a password before the host or behind `?` is never shown.
pub(super) fn without_password(url: &str) -> String {
    let (start, rest) = authority(url);
    // Whatever is before the last of them may be a part of a password.
    let behind = rest.rsplit_once('@').map_or(rest, |(_, behind)| behind);
    let shown = behind.split_once('?').map_or_else(|| behind.to_owned(), |(before, _)| format!("{before}?***"));
    let user = if rest.contains('@') { "***@" } else { "" };
    format!("{}{user}{shown}", &url[..start])
}

/// Whether what is sent there leaves this machine without TLS.
pub fn is_unprotected(url: &str) -> bool {
    !url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://")) && !is_loopback(&host(url))
}

fn is_loopback(host: &str) -> bool {
    let is_loopback_address = || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    host == "localhost" || host.ends_with(".localhost") || is_loopback_address()
}

/// The host of a URL, in lower case and without brackets.
pub fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next(),
        None => authority.split(':').next(),
    };
    host.unwrap_or_default().to_ascii_lowercase()
}

/// Whether this is the name of one of AWS's Regions, as far as names tell: `eu-central-1`, `us-gov-west-1`.
pub fn is_region_of_aws(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let word = |part: &&str| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.as_slice() {
        [words @ .., number] if words.len() >= 2 => {
            words.iter().all(word) && number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}

/// Whether an account has to enable the Region before it can be used.
///
/// Source: AWS Account Management reference guide, "Enable or disable AWS Regions in your account".
pub(super) fn is_opt_in(region: &str) -> bool {
    const ENABLED: [&str; 17] = [
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
        "ap-south-1",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "eu-north-1",
        "sa-east-1",
    ];
    let other_partition = ["cn-", "us-gov-", "eusc-", "us-iso", "eu-iso"].iter().any(|it| region.starts_with(it));
    is_region_of_aws(region) && !other_partition && !ENABLED.contains(&region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        for (url, shown) in [
            ("http://127.0.0.1:9000/s3", "http://127.0.0.1:9000/s3"),
            ("http://me:hunter2@h:9000/s3", "http://***@h:9000/s3"),
            ("https://hunter2@h", "https://***@h"),
            ("me:hunter2@h", "***@h"),
            ("http://me:hun@ter2@h/", "http://***@h/"),
            ("http://me:hun/ter2@h/", "http://***@h/"),
            ("http://h/?password=hunter2", "http://h/?***"),
        ] {
            assert_eq!(without_password(url), shown);
            assert_eq!(has_password(url), url.contains('@'), "{url}");
        }
    }

    #[test]
    fn regions_that_an_account_enables_itself() {
        for region in ["af-south-1", "ap-southeast-7", "il-central-1", "mx-central-1", "eu-south-2"] {
            assert!(is_opt_in(region), "{region}");
        }
        for region in ["us-east-1", "eu-west-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "garage", "auto", ""]
        {
            assert!(!is_opt_in(region), "{region}");
        }
        assert!(is_region_of_aws("us-gov-west-1") && !is_region_of_aws("us-east") && !is_region_of_aws("default-1"));
    }

    #[test]
    fn what_leaves_the_machine_without_tls() {
        for url in
            ["http://s3.example.com", "http://192.0.2.1:9000", "HTTP://s3.example.com", "http://localhost.example"]
        {
            assert!(is_unprotected(url), "{url}");
        }
        for url in [
            "https://s3.example.com",
            "HTTPS://s3.example.com",
            "http://127.0.0.9:1",
            "http://[::1]:9000",
            "http://a.localhost/",
        ] {
            assert!(!is_unprotected(url), "{url}");
        }
    }
}
