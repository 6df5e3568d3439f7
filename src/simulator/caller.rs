//! Who is calling: keys, credential scopes and session tokens. Signatures are not verified.

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use time::OffsetDateTime;

use super::fixture::Account;
use super::wire::{LETTERS, draw};
use super::world::World;

/// Long-term keys are those of a user or of root, short-term keys those of a role.
const USER_KEY: &str = "AKIA0000";
const ROOT_KEY: &str = "AKIA0001";
const ROLE_KEY: &str = "ASIA0000";

/// The access key of a user with all permissions in `account`, an id of twelve digits.
pub fn access_key(account: &str) -> String {
    format!("{USER_KEY}{account}")
}

/// The access key of the root user of `account`, who alone can change MFA delete.
pub fn root_access_key(account: &str) -> String {
    format!("{ROOT_KEY}{account}")
}

pub(super) fn session_key(account: &str) -> String {
    format!("{ROLE_KEY}{account}")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    S3,
    /// The lists of directory buckets.
    S3Express,
    Sts,
    Organizations,
}

/// The credential scope of a signed request: it names the service, and the Region the request was sent to.
pub(super) struct Scope<'a> {
    pub(super) key: &'a str,
    pub(super) region: &'a str,
    /// `None` for a service that is not simulated.
    pub(super) service: Option<Service>,
}

impl<'a> Scope<'a> {
    /// `None` for a request that is not signed, or not with signature version 4.
    pub(super) fn read(headers: &'a HeaderMap) -> Option<Self> {
        let signed = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (_, credential) = signed.strip_prefix("AWS4-HMAC-SHA256 ")?.split_once("Credential=")?;
        let mut parts = credential.split([',', ' ']).next()?.split('/');
        let (key, _date, region) = (parts.next()?, parts.next()?, parts.next()?);
        let service = match parts.next()? {
            "s3" => Some(Service::S3),
            "s3express" => Some(Service::S3Express),
            "sts" => Some(Service::Sts),
            "organizations" => Some(Service::Organizations),
            _ => None,
        };
        Some(Self { key, region, service })
    }

    /// The account the key names, which need not exist; empty for a key of no known form.
    pub(super) fn account(&self) -> &'a str {
        let key = self.key;
        [USER_KEY, ROOT_KEY, ROLE_KEY].iter().find_map(|kind| key.strip_prefix(kind)).unwrap_or_default()
    }
}

/// What is told in a session token, which the simulator therefore need not remember.
pub(super) struct Session<'a> {
    pub(super) account: &'a str,
    pub(super) role: &'a str,
    pub(super) name: &'a str,
    /// Unix seconds.
    pub(super) expires: i64,
}

impl<'a> Session<'a> {
    pub(super) fn token(&self) -> String {
        let Self { account, role, name, expires } = self;
        format!("simulated:{account}:{expires}:{name}:{role}")
    }

    fn from_token(token: &'a str) -> Option<Self> {
        let mut parts = token.strip_prefix("simulated:")?.splitn(4, ':');
        Some(Self {
            account: parts.next()?,
            expires: parts.next()?.parse().ok()?,
            name: parts.next()?,
            role: parts.next()?,
        })
    }

    pub(super) fn arn(&self, partition: &str) -> String {
        let Self { account, role, name, .. } = self;
        format!("arn:{partition}:sts::{account}:assumed-role/{role}/{name}")
    }

    pub(super) fn user_id(&self) -> String {
        let role = draw(&["role", self.account, self.role], 17, LETTERS);
        format!("AROA{role}:{}", self.name)
    }
}

/// An authenticated caller.
pub(super) struct Caller<'w> {
    pub(super) account: &'w Account,
    pub(super) arn: String,
    pub(super) user_id: String,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Root,
    User,
    /// One more role is then a chain.
    Role,
}

/// Why there is no caller; each service has its own words.
pub(super) enum Refusal {
    UnknownKey,
    BadToken,
    ExpiredToken,
}

impl World {
    pub(super) fn caller(
        &self,
        scope: &Scope,
        headers: &HeaderMap,
        now: OffsetDateTime,
    ) -> Result<Caller<'_>, Refusal> {
        let account = self.account(scope.account()).ok_or(Refusal::UnknownKey)?;
        let partition = self.organization.partition.id();
        if scope.key.starts_with(ROOT_KEY) {
            return Ok(Caller {
                account,
                arn: format!("arn:{partition}:iam::{}:root", account.id),
                user_id: account.id.clone(),
                kind: Kind::Root,
            });
        }
        if scope.key.starts_with(USER_KEY) {
            return Ok(Caller {
                account,
                arn: format!("arn:{partition}:iam::{}:user/scanner", account.id),
                user_id: format!("AIDA{}", draw(&["user", &account.id], 17, LETTERS)),
                kind: Kind::User,
            });
        }
        // S3 says of a short-term key without its token that it does not know the key.
        let token = headers.get("x-amz-security-token").ok_or(Refusal::UnknownKey)?;
        let session = token
            .to_str()
            .ok()
            .and_then(Session::from_token)
            .filter(|session| session.account == account.id)
            .ok_or(Refusal::BadToken)?;
        if session.expires <= now.unix_timestamp() {
            return Err(Refusal::ExpiredToken);
        }
        Ok(Caller { account, arn: session.arn(partition), user_id: session.user_id(), kind: Kind::Role })
    }
}
