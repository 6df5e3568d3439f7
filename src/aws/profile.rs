//! What the AWS configuration files say about a profile: where its credentials come from, step by step, or why they
//! cannot come from there.
//!
//! The SDK tries other sources where it cannot resolve a profile, skips files that it cannot read, and knows no MFA.
//! A scan would then run with another identity than the chosen one. So the files are read and resolved here, and the
//! SDK is given their text.
//!
//! Sources: AWS SDKs and Tools Reference Guide, "Assume role credential provider"; AWS CLI user guide, "Configuration
//! and credential file settings". Where these are silent, botocore decides.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

#[allow(deprecated)] // the only name under which aws-config exports the type that its own functions take
use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
use aws_config::profile::{Profile, ProfileFileLoadError, ProfileSet};
use aws_types::os_shim_internal::{Env, Fs};

use super::credentials::WebIdentity;
use super::secret::{self, Part};
use super::secrets;

/// Both files as they were when the session began.
#[derive(Debug)]
pub(super) struct Files {
    config: ConfigFile,
    credentials: ConfigFile,
    /// Both, where `credentials` wins.
    merged: ProfileSet,
}

#[derive(Debug)]
struct ConfigFile {
    path: PathBuf,
    /// A variable names it.
    is_elsewhere: bool,
    text: String,
    sections: ProfileSet,
}

/// Where the credentials of a profile come from, and the roles that are assumed with them, one after the other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chain {
    pub base: Base,
    pub roles: Vec<Step>,
}

/// What needs no other credentials.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Base {
    Keys {
        profile: String,
        keys: StaticKeys,
    },
    /// `credential_source`
    Environment,
    Container,
    Instance,
    /// The SDK resolves these itself.
    OfProfile {
        profile: String,
        kind: Kind,
    },
}

/// What the SDK does for a profile.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    WebIdentity(WebIdentity),
    Sso,
    Login,
    Process,
}

/// It has no `Debug` of its own: nothing may show it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct StaticKeys {
    pub access_key: String,
    pub secret_key: String,
    pub token: Option<String>,
}

impl std::fmt::Debug for StaticKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticKeys").finish_non_exhaustive()
    }
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub profile: String,
    pub role_arn: String,
    pub session_name: Option<String>,
    pub external_id: Option<String>,
    pub mfa_serial: Option<String>,
    pub duration: Option<i32>,
}

/// What has to do with credentials: a profile that sets one of these is meant to have some.
const KEYS: [&str; 16] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    SESSION_TOKEN,
    "role_arn",
    "source_profile",
    "credential_source",
    "external_id",
    "role_session_name",
    "mfa_serial",
    "duration_seconds",
    "web_identity_token_file",
    "credential_process",
    "login_session",
    "sso_session",
    "sso_account_id",
    "sso_role_name",
];

/// Some tools write it without a value beside long-term keys; botocore takes it as not set.
const SESSION_TOKEN: &str = "aws_session_token";

/// Longer files are none of these.
const LONGEST: u64 = 16 << 20;

impl Files {
    pub async fn read(env: &Env) -> Result<Self, String> {
        let config = ConfigFile::read(env, Which::Config).await?;
        let credentials = ConfigFile::read(env, Which::Credentials).await?;
        let merged = parse(&texts(Some(&config.text), Some(&credentials.text))).await;
        let merged = merged.map_err(|error| words(&error, Path::new("")))?;
        hold_keys(&merged);
        Ok(Self { config, credentials, merged })
    }

    /// For the SDK, which would read the files once more.
    #[allow(deprecated)]
    pub fn texts(&self) -> ProfileFiles {
        texts(Some(&self.config.text), Some(&self.credentials.text))
    }

    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.merged.get_profile(name)
    }

    /// A setting of a profile; an empty one counts as not set.
    pub fn setting(&self, profile: &str, key: &str) -> Option<&str> {
        self.profile(profile)?.get(key).filter(|value| !value.is_empty())
    }

    pub fn known(&self) -> Vec<String> {
        let mut known: Vec<String> = self.merged.profiles().map(str::to_owned).collect();
        known.sort();
        known
    }

    /// What there is to say of a profile that is not there: files in another place than the help names, and a section
    /// that was meant to be the profile.
    pub fn missing(&self, name: &str) -> Vec<String> {
        let elsewhere = [&self.config, &self.credentials].into_iter().filter(|file| file.is_elsewhere);
        let mut remarks: Vec<String> = elsewhere.map(|file| format!("in {}", file.path.display())).collect();
        let header = format!("[{name}]");
        if self.config.text.lines().any(|line| line.trim() == header) {
            remarks.push(format!("{header} in {} has to be [profile {name}]", self.config.path.display()));
        }
        remarks
    }

    /// The profile with the files that define it, for a sentence.
    pub fn named(&self, profile: &str) -> String {
        let files = [&self.config, &self.credentials];
        let files = files.into_iter().filter(|file| file.sections.get_profile(profile).is_some());
        let paths: Vec<String> = files.map(|file| file.path.display().to_string()).collect();
        let kind = if profile == "default" { "the default profile" } else { "the profile" };
        let name = if profile == "default" { String::new() } else { format!(" {profile:?}") };
        if paths.is_empty() { format!("{kind}{name}") } else { format!("{kind}{name} ({})", paths.join(", ")) }
    }

    /// How a profile gets its credentials; `None` for one that sets none, such as one with nothing but a Region.
    pub fn chain(&self, name: &str) -> Result<Option<Chain>, String> {
        let Some(profile) = self.profile(name).filter(|profile| sets_credentials(profile)) else { return Ok(None) };
        let chain = self.resolve(profile);
        chain.map(Some).map_err(|why| format!("{} cannot be used: {why}", self.named(name)))
    }

    fn resolve(&self, first: &Profile) -> Result<Chain, String> {
        let mut visited: Vec<&str> = Vec::new();
        let mut roles = Vec::new();
        let mut profile = first;
        let base = loop {
            let name = profile.name();
            visited.push(name);
            not_empty(profile).map_err(|why| self.at(first, profile, &why))?;
            // Behind the first, keys go before a role.
            let has_keys = has_keys(profile);
            if visited.len() > 1 && has_keys {
                break Self::keys(profile).map_err(|why| self.at(first, profile, &why))?;
            }
            let Some(step) = step(profile).map_err(|why| self.at(first, profile, &why))? else {
                break self.base(profile).map_err(|why| self.at(first, profile, &why))?;
            };
            let next = source(profile).map_err(|why| self.at(first, profile, &why))?;
            roles.push(step);
            match next {
                Next::Base(base) => break base,
                Next::Profile(next) if next == name && has_keys => {
                    break Self::keys(profile).map_err(|why| self.at(first, profile, &why))?;
                }
                Next::Profile(next) if visited.contains(&next) => {
                    visited.push(next);
                    return Err(format!("its source_profile leads in a circle: {}", visited.join(" -> ")));
                }
                Next::Profile(next) => {
                    let missing = || self.at(first, profile, &format!("source_profile {next:?} does not exist"));
                    profile = self.profile(next).ok_or_else(missing)?;
                }
            }
        };
        roles.reverse();
        Ok(Chain { base, roles })
    }

    /// What is wrong with a profile, seen from the one that was chosen.
    fn at(&self, chosen: &Profile, profile: &Profile, why: &str) -> String {
        if chosen.name() == profile.name() { why.to_owned() } else { format!("{}: {why}", self.named(profile.name())) }
    }

    /// In the order in which botocore looks.
    fn base(&self, profile: &Profile) -> Result<Base, String> {
        let name = || profile.name().to_owned();
        let of_profile = |kind| Ok(Base::OfProfile { profile: name(), kind });
        if let Some(token_file) = profile.get("web_identity_token_file") {
            let role_arn = profile.get("role_arn").ok_or("web_identity_token_file is set and role_arn is not")?;
            return of_profile(Kind::WebIdentity(WebIdentity {
                token_file: token_file.into(),
                role_arn: role_arn.to_owned(),
                session_name: profile.get("role_session_name").map(str::to_owned),
            }));
        }
        if ["sso_session", "sso_start_url", "sso_account_id", "sso_role_name"]
            .iter()
            .any(|key| profile.get(key).is_some())
        {
            self.sso(profile)?;
            return of_profile(Kind::Sso);
        }
        let in_credentials = self.credentials.sections.get_profile(profile.name());
        if in_credentials.is_some_and(has_keys) {
            return Self::keys(profile);
        }
        if profile.get("login_session").is_some() {
            return of_profile(Kind::Login);
        }
        if profile.get("credential_process").is_some() {
            return of_profile(Kind::Process);
        }
        if has_keys(profile) {
            return Self::keys(profile);
        }
        let set: Vec<&str> = KEYS.into_iter().filter(|key| profile.get(key).is_some()).collect();
        Err(if set.is_empty() {
            "it has no credentials".to_owned()
        } else {
            format!("it has no credentials, only {}", set.join(", "))
        })
    }

    fn sso(&self, profile: &Profile) -> Result<(), String> {
        for key in ["sso_account_id", "sso_role_name"] {
            profile.get(key).ok_or_else(|| format!("{key} is missing beside the other settings of SSO"))?;
        }
        let session = match profile.get("sso_session") {
            Some(name) => {
                let session = self.merged.sso_session(name);
                Some((name, session.ok_or_else(|| format!("the sso-session named {name:?} does not exist"))?))
            }
            None => None,
        };
        for key in ["sso_start_url", "sso_region"] {
            let (value, place) = match session {
                Some((name, session)) => (session.get(key), format!("in the sso-session named {name:?}")),
                None => (profile.get(key), "beside the other settings of SSO".to_owned()),
            };
            if value.is_none_or(str::is_empty) {
                return Err(format!("{key} is missing {place}"));
            }
        }
        Ok(())
    }

    fn keys(profile: &Profile) -> Result<Base, String> {
        let get = |key: &'static str| profile.get(key).ok_or_else(|| format!("half of the key pair is missing: {key}"));
        let keys = StaticKeys {
            access_key: get("aws_access_key_id")?.to_owned(),
            secret_key: get("aws_secret_access_key")?.to_owned(),
            token: profile.get(SESSION_TOKEN).filter(|token| !token.is_empty()).map(str::to_owned),
        };
        secret::check("aws_access_key_id", Part::AccessKey, &keys.access_key)?;
        secret::check("aws_secret_access_key", Part::SecretKey, &keys.secret_key)?;
        if let Some(token) = &keys.token {
            secret::check(SESSION_TOKEN, Part::Token, token)?;
        }
        Ok(Base::Keys { profile: profile.name().to_owned(), keys })
    }
}

fn has_keys(profile: &Profile) -> bool {
    ["aws_access_key_id", "aws_secret_access_key"].iter().any(|key| profile.get(key).is_some())
}

fn sets_credentials(profile: &Profile) -> bool {
    let set = |key: &&str| match profile.get(key) {
        Some(value) => *key != SESSION_TOKEN || !value.is_empty(),
        None => false,
    };
    KEYS.iter().any(set) || profile.get("sso_start_url").is_some()
}

fn not_empty(profile: &Profile) -> Result<(), String> {
    let keys = KEYS.into_iter().filter(|key| *key != SESSION_TOKEN);
    match keys.into_iter().find(|key| profile.get(key).is_some_and(|value| value.trim().is_empty())) {
        Some(key) => Err(format!("{key} is empty")),
        None => Ok(()),
    }
}

/// The role that the profile assumes, if it does. With a token of a web identity the SDK assumes it.
fn step(profile: &Profile) -> Result<Option<Step>, String> {
    let Some(role_arn) = profile.get("role_arn").filter(|_| profile.get("web_identity_token_file").is_none()) else {
        return Ok(None);
    };
    let text = |key| profile.get(key).map(str::to_owned);
    let duration = profile
        .get("duration_seconds")
        .map(|seconds| seconds.parse().map_err(|_| format!("duration_seconds {seconds:?} is not a whole number")));
    Ok(Some(Step {
        profile: profile.name().to_owned(),
        role_arn: role_arn.to_owned(),
        session_name: text("role_session_name"),
        external_id: text("external_id"),
        mfa_serial: text("mfa_serial"),
        duration: duration.transpose()?,
    }))
}

/// Whose credentials assume a role.
enum Next<'a> {
    Profile(&'a str),
    Base(Base),
}

fn source(profile: &Profile) -> Result<Next<'_>, String> {
    match (profile.get("source_profile"), profile.get("credential_source")) {
        (Some(_), Some(_)) => Err("source_profile and credential_source are both set: only one can hold".to_owned()),
        (None, None) => Err("role_arn is set, and neither source_profile nor credential_source is".to_owned()),
        (Some(next), None) => Ok(Next::Profile(next)),
        (None, Some(source)) => match source.to_ascii_lowercase().as_str() {
            "environment" => Ok(Next::Base(Base::Environment)),
            "ecscontainer" => Ok(Next::Base(Base::Container)),
            "ec2instancemetadata" => Ok(Next::Base(Base::Instance)),
            _ => Err(format!(
                "credential_source {source:?} is none of Environment, EcsContainer and Ec2InstanceMetadata"
            )),
        },
    }
}

#[derive(Clone, Copy)]
enum Which {
    Config,
    Credentials,
}

impl ConfigFile {
    async fn read(env: &Env, which: Which) -> Result<Self, String> {
        let (variable, default) = match which {
            Which::Config => ("AWS_CONFIG_FILE", "~/.aws/config"),
            Which::Credentials => ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        };
        let path = env.get(variable).ok().filter(|path| !path.is_empty());
        let is_elsewhere = path.is_some();
        let path = at_home(env, path.as_deref().unwrap_or(default));
        let text = text(&path)
            .map_err(|why| format!("the AWS configuration file {} cannot be read: {why}", path.display()))?;
        let files = match which {
            Which::Config => texts(Some(&text), None),
            Which::Credentials => texts(None, Some(&text)),
        };
        let sections = parse(&files).await.map_err(|error| words(&error, &path))?;
        Ok(Self { path, is_elsewhere, text, sections })
    }
}

/// Those with which roles of profiles are assumed are given to nobody else.
fn hold_keys(profiles: &ProfileSet) {
    for profile in profiles.profiles().filter_map(|name| profiles.get_profile(name)) {
        secrets::hold_access_key_id(profile.get("aws_access_key_id").unwrap_or_default());
        secrets::hold(profile.get("aws_secret_access_key").unwrap_or_default());
        secrets::hold(profile.get(SESSION_TOKEN).unwrap_or_default());
    }
}

/// A path that may begin with `~`.
pub(super) fn at_home(env: &Env, path: &str) -> PathBuf {
    let home = || env.get("HOME").or_else(|_| env.get("USERPROFILE")).ok().filter(|home| !home.is_empty());
    match path.strip_prefix("~/").and_then(|below| Some((home()?, below))) {
        Some((home, below)) => Path::new(&home).join(below),
        None => path.into(),
    }
}

/// A file that does not exist is as good as an empty one.
fn text(path: &Path) -> Result<String, String> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        opened => opened.map_err(|error| error.to_string())?,
    };
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LONGEST {
        return Err(format!("it is longer than {} MiB", LONGEST >> 20));
    }
    // What editors of Windows write.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(bytes);
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}

#[allow(deprecated)]
fn texts(config: Option<&str>, credentials: Option<&str>) -> ProfileFiles {
    let mut files = ProfileFiles::builder();
    for (kind, text) in [(ProfileFileKind::Config, config), (ProfileFileKind::Credentials, credentials)] {
        files = files.with_contents(kind, text.unwrap_or_default());
    }
    files.build()
}

#[allow(deprecated)]
async fn parse(files: &ProfileFiles) -> Result<ProfileSet, ProfileFileLoadError> {
    aws_config::profile::load(&Fs::real(), &Env::from_slice(&[]), files, None).await
}

/// With the cause, which names the line, and the file, which the SDK does not know; all in one line.
fn words(error: &ProfileFileLoadError, path: &Path) -> String {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    let cause = cause.replacen("error parsing ", &format!("error parsing {}", path.display()), 1);
    format!("{error}: {cause}").split_whitespace().collect::<Vec<_>>().join(" ")
}
