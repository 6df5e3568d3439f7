//! For whom a statement is.
//!
//! Source: IAM user guide, "JSON policy elements: Principal", "JSON policy elements: `NotPrincipal`".

use std::collections::BTreeSet;
use std::fmt;

use super::classes::{Class, distinct};
use super::document::{Element, Principal, PrincipalKind, Principals, Statement};
use super::truth::Truth;

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Whom the policy names; an account stands for itself.
    Named(Principal),
    /// Somebody of an account, whom the policy does not name.
    OfAccount(String),
    /// Somebody whom the policy does not name, of an account that it does not name.
    Other,
}

impl Who {
    /// The principal with this ARN.
    pub fn arn(arn: &str) -> Self {
        Self::Named(Principal { kind: PrincipalKind::Aws, value: arn.to_owned() })
    }

    /// Whether it is a role, or a session of one.
    pub(super) fn is_role(&self) -> bool {
        match self {
            Self::Named(named) => is_role(named),
            Self::OfAccount(_) | Self::Other => false,
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(principal) => f.write_str(&principal.value),
            Self::OfAccount(account) => write!(f, "another principal of account {account}"),
            Self::Other => f.write_str("anybody whom the policy does not name"),
        }
    }
}

/// One of everyone whom these statements can tell from others.
pub(super) fn of_everybody(statements: &[&Statement]) -> Vec<Class<Who>> {
    let mut everybody = BTreeSet::new();
    for statement in statements {
        if let Principals::Listed(listed) = statement.principal.listed() {
            for principal in listed.iter().filter(|principal| !principal.value.contains('*')) {
                everybody.insert(Who::Named(principal.clone()));
                everybody.extend(account(principal).map(|account| Who::OfAccount(account.to_owned())));
                everybody.extend(session_of(principal));
            }
        }
    }
    // Who is not named comes first: the shortest explanation. Of those alike who are roles and who are not, one stays who can
    // have MFA.
    let (roles, others): (Vec<Who>, Vec<Who>) = everybody.into_iter().partition(Who::is_role);
    let everybody = [Who::Other].into_iter().chain(others).chain(roles);
    distinct(everybody.map(|who| Class { truths: truths(statements, &who), example: who }))
}

pub(super) fn truths(statements: &[&Statement], who: &Who) -> Vec<Truth> {
    statements.iter().map(|statement| truth(&statement.principal, who)).collect()
}

pub(super) fn is_everybody(principals: &Principals) -> bool {
    match principals {
        Principals::Everybody => true,
        Principals::Listed(listed) => {
            listed.iter().any(|principal| principal.kind == PrincipalKind::Aws && principal.value == "*")
        }
    }
}

fn truth(principals: &Element<Principals>, who: &Who) -> Truth {
    let listed = match principals.listed() {
        everybody if is_everybody(everybody) => Truth::True,
        Principals::Everybody => Truth::True,
        Principals::Listed(listed) => match principals {
            Element::Only(_) => Truth::any(listed.iter().map(|principal| is_meant(principal, who))),
            Element::AllBut(_) => Truth::any(listed.iter().map(|principal| is_excepted(principal, who))),
        },
    };
    listed.negated_if(matches!(principals, Element::AllBut(_)))
}

/// Whether who is named so is this one.
fn is_meant(principal: &Principal, who: &Who) -> Truth {
    if is_unclear(principal) {
        return Truth::Unknown;
    }
    match who {
        Who::Other => Truth::False,
        Who::OfAccount(of) => match principal.kind {
            // It is the canonical id of some account.
            PrincipalKind::CanonicalUser => Truth::Unknown,
            _ => Truth::from(whole_account(principal) == Some(of)),
        },
        Who::Named(named) if named == principal => Truth::True,
        Who::Named(named) if PrincipalKind::CanonicalUser == principal.kind || is_canonical(named) => Truth::Unknown,
        Who::Named(named) => {
            let of_account = whole_account(principal).is_some() && whole_account(principal) == account(named);
            Truth::from(of_account || is_session_of(named, principal))
        }
    }
}

/// Whether a `NotPrincipal` that names so leaves this one out. What becomes of those whose account or role it names, and
/// not themselves, the documentation leaves open.
fn is_excepted(principal: &Principal, who: &Who) -> Truth {
    match (is_meant(principal, who), who) {
        (Truth::True, Who::Named(named)) if is_same(named, principal) => Truth::True,
        (Truth::True, _) => Truth::Unknown,
        (meant, _) => meant,
    }
}

/// An account has two names.
fn is_same(a: &Principal, b: &Principal) -> bool {
    a == b || whole_account(a).is_some() && whole_account(a) == whole_account(b)
}

/// A type that is not known, or a `*` that stands for more than everybody.
fn is_unclear(principal: &Principal) -> bool {
    matches!(principal.kind, PrincipalKind::Other(_)) || principal.value.contains(['*', '?'])
}

pub(super) fn unclear(principals: &Principals) -> impl Iterator<Item = &Principal> {
    let listed = match principals {
        Principals::Everybody => &[][..],
        Principals::Listed(listed) => listed,
    };
    listed.iter().filter(|principal| is_unclear(principal) || is_canonical(principal))
}

fn is_canonical(principal: &Principal) -> bool {
    principal.kind == PrincipalKind::CanonicalUser
}

/// `111122223333` or `arn:aws:iam::111122223333:root`.
fn whole_account(principal: &Principal) -> Option<&str> {
    let account = account(principal)?;
    (principal.value == account || principal.value.ends_with(":root")).then_some(account)
}

pub(super) fn account(principal: &Principal) -> Option<&str> {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let account = match principal.kind {
        PrincipalKind::Aws => match principal.value.split(':').collect::<Vec<_>>()[..] {
            [account] | ["arn", _, "iam" | "sts", "", account, _] => account,
            _ => return None,
        },
        _ => return None,
    };
    is_account(account).then_some(account)
}

/// Credentials of roles never carry MFA. Source: IAM user guide, "Secure API access with MFA".
fn is_role(principal: &Principal) -> bool {
    let is_of = |word| principal.value.starts_with("arn:") && principal.value.contains(word);
    principal.kind == PrincipalKind::Aws && (is_of(":role/") || is_of(":assumed-role/"))
}

/// Whether all whom a statement is for are roles.
pub(super) fn is_for_roles(statement: &Statement) -> bool {
    match &statement.principal {
        Element::Only(Principals::Listed(listed)) => !listed.is_empty() && listed.iter().all(is_role),
        Element::Only(Principals::Everybody) | Element::AllBut(_) => false,
    }
}

/// Some session of a role: a Principal that names the role means it, a `NotPrincipal` may or may not.
fn session_of(role: &Principal) -> Option<Who> {
    let ["arn", partition, "iam", "", account, resource] = role.value.split(':').collect::<Vec<_>>()[..] else {
        return None;
    };
    let name = resource.strip_prefix("role/")?.rsplit('/').next()?;
    Some(Who::arn(&format!("arn:{partition}:sts::{account}:assumed-role/{name}/any-session")))
}

/// `arn:aws:sts::A:assumed-role/NAME/SESSION` is a session of `arn:aws:iam::A:role/PATH/NAME`.
fn is_session_of(session: &Principal, role: &Principal) -> bool {
    let parts = |principal: &Principal, kind: &str| {
        let (_, name) = principal.value.split_once(kind)?;
        Some((account(principal)?.to_owned(), name.to_owned()))
    };
    let (Some((of, session)), Some((own, path))) = (parts(session, ":assumed-role/"), parts(role, ":role/")) else {
        return false;
    };
    of == own && session.split('/').next() == path.rsplit('/').next()
}
