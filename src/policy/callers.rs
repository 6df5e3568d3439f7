//! Who can make a request, one of each kind that the statements of a policy can tell from others.

use super::Place;
use super::classes::{Class, distinct};
use super::conditions::{State, of_mfa};
use super::denies::Denies;
use super::document::{Condition, PrincipalKind, Principals, Statement, Test};
use super::glob::{Glob, classes_of};
use super::knowledge::{Kind, Known, known, on, start};
use super::principals::{Who, account, of_everybody, truths};
use super::truth::Truth;
use super::values::{Candidate, Values, candidates, truth};

/// Whose requests are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Long-term access keys of a user of the bucket's account.
    UserKeys,
    /// What such keys get from `sts:GetSessionToken` without MFA.
    UserSession,
    /// A role of the bucket's account, whose credentials never carry MFA.
    Role,
    /// A user of the account with whatever credentials, or a role.
    Anyone,
    /// Whoever may become every user and role of the account, and make MFA devices.
    Administrator,
    /// Everybody of every account.
    Everybody,
}

/// One of those who make requests.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub kind: Kind,
    /// For every statement whether it is for this one: by its principals, and by its conditions on who it is.
    pub principal: Vec<Truth>,
    pub own: Vec<Truth>,
    /// The credentials that it can take, with the truths of the conditions on them.
    pub credentials: Vec<Credentials>,
    /// The organization that the account is taken to be in, by its position.
    pub organization: usize,
}

type Credentials = (State, Vec<Truth>);

/// The keys that conditions look at, with what is known of them, and the conditions.
pub(super) struct Keys<'a> {
    place: &'a Place,
    pub denies: &'a Denies<'a>,
    /// In lower case, each once.
    names: Vec<String>,
}

impl<'a> Keys<'a> {
    pub fn new(denies: &'a Denies<'a>, place: &'a Place) -> Self {
        let conditions = denies.statements.iter().flat_map(|statement| &statement.conditions);
        let mut names: Vec<String> = conditions.map(|condition| condition.key.to_ascii_lowercase()).collect();
        names.sort_unstable();
        names.dedup();
        Self { place, denies, names }
    }

    pub fn known(&self, key: &str, kind: Kind) -> Known {
        match (known(key, kind, self.place.account.as_str(), self.place.today), &self.place.organization) {
            (Known::Organization, Some(id)) if key == "aws:principalorgid" || key == "aws:resourceorgid" => {
                Known::Fixed(vec![id.clone()])
            }
            (known, _) => known,
        }
    }

    /// Those of which this is known.
    pub fn of(&self, kind: Kind, is: impl Fn(&Known) -> bool) -> Vec<&str> {
        self.names.iter().map(String::as_str).filter(|key| is(&self.known(key, kind))).collect()
    }

    pub fn conditions(&self, key: &str) -> Vec<&'a Condition> {
        let all = self.denies.statements.iter().flat_map(|statement| &statement.conditions);
        all.filter(|condition| condition.key.eq_ignore_ascii_case(key)).collect()
    }

    /// For every statement whether its conditions on a key are true of these values.
    pub fn truths(&self, key: &str, values: &Values) -> Vec<Truth> {
        let version = &self.denies.policy.version;
        let of = |statement: &&Statement| {
            let own = statement.conditions.iter().filter(|condition| condition.key.eq_ignore_ascii_case(key));
            Truth::all(own.map(|condition| truth(condition, values, version)))
        };
        self.denies.statements.iter().map(of).collect()
    }

    /// One of every kind of values of a key; the first is one that the statements do not list.
    pub fn candidates(&self, key: &str, kind: Kind) -> Option<Vec<Candidate>> {
        let version = &self.denies.policy.version;
        candidates(&self.conditions(key), start(key, kind), version, &self.denies.budget)
    }

    pub fn nothing(&self) -> Vec<Truth> {
        vec![Truth::True; self.denies.statements.len()]
    }

    /// All who make requests as this caller; the first of each kind is one whom the statements do not name.
    pub fn subjects(&self, caller: Caller) -> Option<Vec<Subject>> {
        let long_term = || vec![self.of_credentials(State::LongTerm)];
        let temporary = || vec![self.of_credentials(State::Temporary)];
        let with_mfa = || self.denies.with_mfa.iter().map(|(age, _)| self.of_credentials(State::Mfa { age: *age }));
        let all = || long_term().into_iter().chain(temporary()).chain(with_mfa()).collect::<Vec<_>>();
        let each = |all: Vec<Credentials>| all.into_iter().map(|one| vec![one]).collect::<Vec<_>>();
        let mut subjects = Vec::new();
        match caller {
            Caller::UserKeys => self.of_account(Kind::User, &[long_term()], &mut subjects)?,
            Caller::UserSession => self.of_account(Kind::User, &[temporary()], &mut subjects)?,
            Caller::Role => self.of_account(Kind::Role, &[temporary()], &mut subjects)?,
            Caller::Anyone => {
                self.of_account(Kind::User, &each(all()), &mut subjects)?;
                self.of_account(Kind::Role, &[temporary()], &mut subjects)?;
            }
            Caller::Administrator => {
                self.of_account(Kind::User, &[all()], &mut subjects)?;
                self.of_account(Kind::Role, &[temporary()], &mut subjects)?;
            }
            Caller::Everybody => {
                // Here a demand for MFA denies nothing.
                self.of_account(Kind::User, &[all()], &mut subjects)?;
                self.of_account(Kind::Role, &[all()], &mut subjects)?;
                self.denies.take_for_people()?;
                self.outsiders(&all(), &mut subjects);
            }
        }
        Some(subjects)
    }

    fn of_credentials(&self, state: State) -> Credentials {
        let mfa = self.denies.statements.iter().map(|statement| of_mfa(statement, state));
        // A session of today.
        let issued = match state {
            State::LongTerm => Values::new(),
            State::Temporary | State::Mfa { .. } => on(self.place.today).swap_remove(1),
        };
        (state, mfa.zip(self.truths("aws:tokenissuetime", &issued)).map(|(mfa, issued)| mfa.and(issued)).collect())
    }

    fn of_account(&self, kind: Kind, credentials: &[Vec<Credentials>], to: &mut Vec<Subject>) -> Option<()> {
        let arns = self.arns(kind)?;
        for Class { example, truths: own } in self.attributes(kind)? {
            for arn in &arns {
                self.denies.budget.take(8 * self.denies.listed())?;
                for who in self.whose(kind, arn) {
                    let principal = truths(&self.denies.statements, &who);
                    let by_name = [("aws:principalarn", arn.as_str()), ("aws:username", name(arn))];
                    let by_name = by_name.into_iter().filter(|(key, _)| self.known(key, kind) == Known::Attribute);
                    let own = by_name
                        .fold(own.clone(), |own, (key, value)| both(&own, &self.truths(key, &vec![value.to_owned()])));
                    for credentials in credentials {
                        let credentials = credentials.clone();
                        let subject = Subject {
                            kind,
                            principal: principal.clone(),
                            own: own.clone(),
                            credentials,
                            organization: example,
                        };
                        self.denies.budget.take(8 * self.denies.statements.len() + to.len())?;
                        if !to.iter().any(|known| known.is_like(&subject)) {
                            to.push(subject);
                        }
                    }
                }
            }
        }
        Some(())
    }

    /// Every kind of what belongs to a caller beside its name, by the position of its organization, unlisted ones first;
    /// what is the same for all of them, too.
    fn attributes(&self, kind: Kind) -> Option<Vec<Class<usize>>> {
        let mut found = vec![Class { example: 0, truths: self.nothing() }];
        for key in self.of(kind, |_| true) {
            let values: Vec<Class<usize>> = match self.known(key, kind) {
                Known::Fixed(values) => vec![Class { example: 0, truths: self.truths(key, &values) }],
                Known::Undecided => vec![Class { example: 0, truths: self.undecided(key, kind)? }],
                Known::Attribute if key == "aws:principalarn" || key == "aws:username" => continue,
                Known::Attribute => {
                    self.each(key, kind)?.into_iter().map(|truths| Class { example: 0, truths }).collect()
                }
                Known::Organization => self
                    .each(key, kind)?
                    .into_iter()
                    .enumerate()
                    .map(|(place, truths)| Class { example: place, truths })
                    .collect(),
                Known::OneOf(_) | Known::Chosen | Known::Surroundings | Known::Credentials => continue,
            };
            self.denies.budget.take(found.len() * values.len() * (4 + self.denies.statements.len()))?;
            // The positions of organizations are the same for users and roles, whatever else they have.
            let of_organization = self.known(key, kind) == Known::Organization;
            let pair = |a: &Class<usize>, b: &Class<usize>| Class {
                example: if of_organization { a.example * values.len() + b.example } else { a.example },
                truths: both(&a.truths, &b.truths),
            };
            found = found.iter().flat_map(|a| values.iter().map(move |b| pair(a, b))).collect();
        }
        Some(found)
    }

    fn each(&self, key: &str, kind: Kind) -> Option<Vec<Vec<Truth>>> {
        // What most callers do not have comes first.
        let mut candidates = self.candidates(key, kind)?;
        if key.starts_with("aws:principaltag/") {
            candidates.rotate_right(1);
        }
        let truths =
            candidates.iter().map(|candidate| Class { example: (), truths: self.truths(key, &candidate.values) });
        Some(distinct(truths).into_iter().map(|class| class.truths).collect())
    }

    /// What is true of every value, else unknown.
    pub fn undecided(&self, key: &str, kind: Kind) -> Option<Vec<Truth>> {
        let each = self.each(key, kind)?;
        let of = |place: usize| {
            let first = each[0][place];
            if each.iter().all(|truths| truths[place] == first) { first } else { Truth::Unknown }
        };
        Some((0..self.denies.statements.len()).map(of).collect())
    }

    /// ARNs of users or roles, one of every kind that the statements can tell from others.
    fn arns(&self, kind: Kind) -> Option<Vec<String>> {
        let word = match kind {
            Kind::User => "user",
            Kind::Role | Kind::Outsider => "role",
        };
        let Place { partition, account, .. } = self.place;
        let (account, start) = (account.as_str(), format!("arn:{partition}:iam::{account}:{word}/"));
        let mut globs: Vec<Glob> = Vec::new();
        for statement in &self.denies.statements {
            if let Principals::Listed(listed) = statement.principal.listed() {
                let named = listed.iter().filter(|principal| principal.kind == PrincipalKind::Aws);
                globs.extend(named.map(|principal| Glob::literal(&principal.value)));
                // A session names its role without the path.
                let sessions = listed.iter().filter_map(|principal| session(&principal.value, account));
                globs.extend(sessions.map(|(role, _)| Glob::literal(&format!("{start}{role}"))));
            }
        }
        for condition in self.conditions("aws:principalarn") {
            let test = condition.operator.meaning.map(|meaning| meaning.test);
            for value in &condition.values {
                let (glob, _) = Glob::of(value, &self.denies.policy.version);
                match test {
                    Some(Test::Arn) => {
                        let head = Glob::literal(&format!("arn:{partition}:iam::{account}:"));
                        globs.extend(glob.parts().get(5).map(|resource| Glob::joined([&head, resource])));
                    }
                    Some(Test::StringEquals | Test::StringEqualsIgnoreCase) => globs.push(Glob::literal(value)),
                    _ => globs.push(glob),
                }
            }
        }
        for condition in self.conditions("aws:username") {
            let names = condition.values.iter().map(|value| Glob::of(value, &self.denies.policy.version).0);
            let (head, path) = (Glob::literal(&start), Glob::new("*/"));
            globs.extend(
                names.flat_map(|name| {
                    [Glob::joined([&head, &name]), Glob::joined([&head, &Glob::joined([&path, &name])])]
                }),
            );
        }
        globs.sort_by_key(|glob| format!("{glob:?}"));
        globs.dedup();
        // Names have none of these.
        let is_allowed = |c: char| !matches!(c, ':' | '*' | '?' | '$' | '{' | '}') && !c.is_whitespace();
        let found = classes_of(&start, &globs, is_allowed, &self.denies.budget)?;
        Some(found.into_iter().map(|(arn, _)| arn).collect())
    }

    /// Who a user is; the sessions of a role, one that the statements do not name first.
    fn whose(&self, kind: Kind, arn: &str) -> Vec<Who> {
        if kind == Kind::User {
            return vec![Who::arn(arn)];
        }
        let Place { partition, account, .. } = self.place;
        let account = account.as_str();
        let mut sessions = vec!["any-session"];
        for statement in &self.denies.statements {
            if let Principals::Listed(listed) = statement.principal.listed() {
                let own = listed.iter().filter_map(|principal| session(&principal.value, account));
                sessions.extend(own.filter(|(role, _)| *role == name(arn)).map(|(_, session)| session));
            }
        }
        let role = name(arn);
        let who = |session: &str| Who::arn(&format!("arn:{partition}:sts::{account}:assumed-role/{role}/{session}"));
        sessions.into_iter().map(who).collect()
    }

    /// Those who are no users or roles of the bucket's account.
    fn outsiders(&self, credentials: &[Credentials], to: &mut Vec<Subject>) {
        let own = self.place.account.as_str();
        let is_outside = |who: &Who| match who {
            Who::Other => true,
            Who::OfAccount(account) => account != own,
            Who::Named(named) => account(named) != Some(own),
        };
        for Class { truths: principal, .. } in
            of_everybody(&self.denies.statements).into_iter().filter(|it| is_outside(&it.example))
        {
            to.push(Subject {
                kind: Kind::Outsider,
                principal,
                own: self.nothing(),
                credentials: credentials.to_vec(),
                organization: 0,
            });
        }
    }
}

impl Subject {
    fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.organization == other.organization
            && self.principal == other.principal
            && self.own == other.own
            && self.credentials == other.credentials
    }
}

pub(super) fn both(a: &[Truth], b: &[Truth]) -> Vec<Truth> {
    a.iter().zip(b).map(|(a, b)| a.and(*b)).collect()
}

/// `Bob` of `arn:aws:iam::111122223333:user/staff/Bob`.
fn name(arn: &str) -> &str {
    arn.rsplit_once('/').map_or(arn, |(_, name)| name)
}

/// Role and session of `arn:aws:sts::111122223333:assumed-role/ROLE/SESSION`, if it is of this account.
fn session<'a>(arn: &'a str, account: &str) -> Option<(&'a str, &'a str)> {
    let (head, session) = arn.split_once(":assumed-role/")?;
    head.ends_with(&format!("::{account}")).then(|| session.split_once('/')).flatten()
}
