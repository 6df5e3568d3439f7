//! Metric tables: what the buckets of an organization, an OU, an account, a Region add up to. The only room that
//! knows polars.
//!
//! Buckets are pushed one by one and added up by account and Region, so memory depends on the accounts and not on the
//! buckets; [`Aggregator::finish`] makes a table of these sums and groups it once for each [`Scope`], and [`Metrics`]
//! makes rows of them as they are written.
//!
//! **To add a metric** add one line to `COUNTERS` in `aggregate/metrics.rs`: its name and what one bucket adds to it.
//! A percentage or an average is one line of `QUOTIENTS`: its name, the count above the line and the count below it.
//!
//! What is unknown is a count of its own (`...UnknownBucketCount`), never inside "disabled" and never a zero: of an
//! account that could not be read only the account is counted, and a percentage of nothing, or of buckets that nobody
//! counted, has no value. Every scope counts the accounts that it is about.

mod frames;
mod metrics;
mod tags;
#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use polars::prelude::PolarsError;

use crate::evaluate::Evaluation;
use crate::model::{AccountId, AccountRecord, BucketRecord, Extra, Facts, Outcome, Region};
use frames::{Buckets, Sums};
use metrics::{ACCOUNT_COUNTERS, Accounts, COUNTERS, Counts, KNOWN_BUCKETS, QUOTIENTS, Subject, Table};
use tags::Tag;

/// What a metric's value adds up over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everything that was scanned, whether there is an organization or not.
    Organization,
    /// One organizational unit, with the OUs nested in it. The organization's root is no OU.
    Ou,
    Account,
    /// One Region, over all accounts.
    Region,
    AccountRegion,
    /// One value of the tag by which the run groups, over all accounts and Regions.
    Tag,
}

impl Scope {
    pub const ALL: [Self; 6] =
        [Self::Organization, Self::Ou, Self::Account, Self::Region, Self::AccountRegion, Self::Tag];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Ou => "ou",
            Self::Account => "account",
            Self::Region => "region",
            Self::AccountRegion => "account_region",
            Self::Tag => "tag",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Buckets, lifecycle rules or accounts.
    Count(u64),
    /// 0 to 100, rounded half up to two decimals.
    Percent(f64),
    /// Rules per bucket, rounded half up to two decimals.
    Average(f64),
    /// A percentage of a number that is not known: written as an empty cell or null, never as a number.
    Unknown,
}

/// A row of `metrics.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricRow<'a> {
    pub scope: Scope,
    /// The id of the organization (empty where there is none), the OU or the account; for [`Scope::Region`] the
    /// Region's name; for [`Scope::Tag`] the value, or `(none)`, `(empty)`, `(unknown)`, `(more values)`.
    pub scope_id: &'a str,
    /// The Region's name for [`Scope::Region`] and [`Scope::AccountRegion`], empty otherwise.
    pub region: &'a str,
    /// Storage Lens's name where it has such a metric, else ours.
    pub metric: &'static str,
    /// `None` for a percentage or an average of nothing: written as an empty cell or null, never as 0.
    pub value: Option<Value>,
    /// Of the scope.
    pub accounts: AccountCoverage,
}

/// Of how many accounts the buckets of a scope are. A scope of a Region or of a tag may hold buckets of any account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountCoverage {
    /// Those whose buckets were all listed.
    pub listed: u64,
    pub all: u64,
}

impl AccountCoverage {
    /// `6 of 9 accounts`.
    pub fn words(self) -> String {
        format!("{} of {} account{}", self.listed, self.all, if self.all == 1 { "" } else { "s" })
    }
}

/// The buckets cannot be added up. That is a fault of the program or a lack of memory; no data leads here.
#[derive(Debug, thiserror::Error)]
#[error("add up the buckets: {0}")]
pub struct AggregateError(#[from] PolarsError);

/// The name of every metric that a run can have, in the order of the rows.
pub fn metrics() -> impl Iterator<Item = &'static str> {
    let accounts = ACCOUNT_COUNTERS.iter().map(|counter| counter.name);
    accounts.chain(counters()).chain(QUOTIENTS.iter().map(|quotient| quotient.name))
}

/// The names of the metrics that count what buckets have, in their order.
pub fn counters() -> impl Iterator<Item = &'static str> {
    COUNTERS.iter().map(|counter| counter.name)
}

/// Whether a bucket adds 0 or 1 to this counter; to the others it adds its rules.
pub fn counts_buckets(counter: &str) -> bool {
    COUNTERS.iter().any(|it| it.name == counter && it.is_of_buckets())
}

/// Whether a bucket adds lifecycle rules to this counter: all of them, or those with one kind of action.
pub fn counts_lifecycle_rules(counter: &str) -> bool {
    COUNTERS.iter().any(|it| it.name == counter && it.is_of_lifecycle_rules())
}

/// What a run has to read beside versioning and lifecycle, so that it has this metric.
pub fn asks(metric: &str) -> BTreeSet<Extra> {
    let made_of: BTreeSet<&str> = made_of(metric).collect();
    COUNTERS.iter().filter(|counter| made_of.contains(counter.name)).filter_map(|counter| counter.asks).collect()
}

/// The counters that a metric is made of; none for those that count accounts.
pub fn made_of(metric: &str) -> impl Iterator<Item = &'static str> {
    let own = COUNTERS.iter().map(|counter| counter.name).filter(move |name| *name == metric);
    let quotients = QUOTIENTS.iter().filter(move |quotient| quotient.name == metric);
    own.chain(quotients.flat_map(metrics::Quotient::counters))
}

/// What a bucket adds to each of [`counters`]; `None` where that is unknown, the bucket gone, or a directory bucket.
pub fn added(record: &BucketRecord, evaluation: &Evaluation) -> Vec<Option<u32>> {
    let subject = Subject { record, evaluation };
    COUNTERS.iter().map(|counter| counter.added_by(&subject)).collect()
}

/// Adds up evaluated buckets; see the module's words.
pub struct Aggregator {
    table: Arc<Table>,
    accounts: Interned<AccountId>,
    regions: Interned<Region>,
    buckets: Buckets,
    tag: Option<Tag>,
    organization: Option<String>,
}

impl Aggregator {
    /// `asked`: what the run read beside versioning and lifecycle; metrics of the rest it has none.
    pub fn new(asked: &BTreeSet<Extra>) -> Self {
        let table = Arc::new(Table::of(asked));
        Self {
            accounts: Interned::default(),
            regions: Interned::default(),
            buckets: Buckets::new(table.clone()),
            table,
            tag: None,
            organization: None,
        }
    }

    /// The id of the organization, which the accounts do not say where its tree could not be read.
    #[must_use]
    pub fn of_organization(self, id: Option<&str>) -> Self {
        Self { organization: id.map(str::to_owned), ..self }
    }

    /// Adds up by the values of the tag with this key, too. Of more than 10,000 values those that come last are one group.
    #[must_use]
    pub fn by_tag(self, key: Option<&str>) -> Self {
        Self { tag: key.map(Tag::new), ..self }
    }

    /// Adds one bucket. The order of buckets does not matter to the result. A directory bucket is in no metric, and its
    /// Region has rows only for other buckets.
    pub fn push(&mut self, account: &AccountRecord, record: &BucketRecord, evaluation: &Evaluation) {
        if let Facts::Directory { .. } = record.facts {
            return;
        }
        debug_assert_eq!(account.id.as_ref(), Some(&record.account), "a bucket is pushed with its own account");
        let tag = self.tag.as_mut().map(|tag| tag.index(account, record));
        let account = self.accounts.index(&record.account);
        let region = self.regions.index(&record.region);
        self.buckets.push(account, region, tag, &Subject { record, evaluation });
    }

    /// Adds buckets of an account and a Region that were added up before: a sum for each of [`counters`]. Of their tags
    /// nothing is known.
    pub fn push_sums(&mut self, account: &AccountId, region: &Region, sums: &[u64]) {
        let account = self.accounts.index(account);
        let region = self.regions.index(region);
        self.buckets.push_sums(account, region, sums);
    }

    /// `accounts` are all that were found: those that were read and have no bucket get rows of zeros. In a scope in which
    /// no account was read only the accounts are counted, and how much is known of its buckets is unknown.
    pub fn finish(self, accounts: &[AccountRecord]) -> Result<Metrics, AggregateError> {
        let Self { table, accounts: ids, regions, buckets, tag, organization } = self;
        let (mut everywhere, mut by_account) = (Accounts::default(), HashMap::new());
        for account in accounts {
            everywhere.add(account);
            if let Some(id) = &account.id {
                let own: &mut Accounts = by_account.entry(id.clone()).or_default();
                own.add(account);
            }
        }
        let sums = buckets.into_sums()?;
        let added_up = AddedUp { table, accounts: ids, regions, sums, tag, everywhere, by_account };
        let mut places = Vec::new();
        let organization = organization.or_else(|| accounts.iter().find_map(organization_id)).unwrap_or_default();
        places.push(added_up.organization(&organization, accounts)?);
        added_up.ous(accounts, &mut places)?;
        added_up.single_accounts(accounts, &mut places)?;
        added_up.single_regions(&mut places)?;
        added_up.account_regions(&mut places)?;
        added_up.tags(&mut places)?;
        Ok(Metrics { table: added_up.table, places })
    }
}

/// All buckets, to be grouped by each scope.
struct AddedUp {
    table: Arc<Table>,
    accounts: Interned<AccountId>,
    regions: Interned<Region>,
    sums: Sums,
    tag: Option<Tag>,
    /// All accounts of the run.
    everywhere: Accounts,
    /// Each by itself.
    by_account: HashMap<AccountId, Accounts>,
}

impl AddedUp {
    fn organization(&self, id: &str, accounts: &[AccountRecord]) -> Result<Place, AggregateError> {
        let was_read = !self.accounts.is_empty() || accounts.iter().any(was_read);
        let counts = if was_read { Some(self.sums.total()?) } else { None };
        Ok(Place { counts, ..Place::new(Scope::Organization, id, "", self.everywhere) })
    }

    fn ous(&self, accounts: &[AccountRecord], places: &mut Vec<Place>) -> Result<(), AggregateError> {
        let mut ous: BTreeMap<&str, Vec<&AccountRecord>> = BTreeMap::new();
        let mut unplaced = 0;
        for account in accounts {
            unplaced += u64::from(account.ou_path.is_empty());
            for ou in account.ou_path.ous() {
                ous.entry(ou).or_default().push(account);
            }
        }
        let mut memberships = BTreeSet::new();
        for (ou, members) in (0_u32..).zip(ous.values()) {
            let known = members.iter().filter_map(|account| self.accounts.find(account.id.as_ref()?));
            memberships.extend(known.map(|account| (account, ou)));
        }
        let mut sums = self.sums.by_membership(&memberships)?;
        for (index, (ou, members)) in (0_u32..).zip(&ous) {
            let was_read = members.iter().any(|account| was_read(account));
            let counts = sums.remove(&index).or_else(|| was_read.then(|| self.table.nothing()));
            let mut accounts = Accounts::of_unit(unplaced);
            for account in members {
                accounts.add(account);
            }
            places.push(Place { counts, ..Place::new(Scope::Ou, ou, "", accounts) });
        }
        Ok(())
    }

    fn single_accounts(&self, accounts: &[AccountRecord], places: &mut Vec<Place>) -> Result<(), AggregateError> {
        let mut by_id: BTreeMap<&AccountId, Option<Counts>> = BTreeMap::new();
        for account in accounts {
            let Some(id) = &account.id else { continue };
            let counts = was_read(account).then(|| self.table.nothing());
            by_id.entry(id).and_modify(|known| *known = known.take().or(counts.clone())).or_insert(counts);
        }
        for (account, counts) in self.sums.by_account()? {
            by_id.insert(self.accounts.get(account), Some(counts));
        }
        places.extend(by_id.into_iter().map(|(id, counts)| {
            let accounts = self.by_account.get(id).copied().unwrap_or_default();
            Place { counts, ..Place::new(Scope::Account, id.as_str(), "", accounts) }
        }));
        Ok(())
    }

    fn single_regions(&self, places: &mut Vec<Place>) -> Result<(), AggregateError> {
        let sums = self.sums.by_region()?;
        let by_name: BTreeMap<&Region, Counts> =
            sums.into_iter().map(|(region, counts)| (self.regions.get(region), counts)).collect();
        for (region, counts) in by_name {
            let name = region.as_str();
            places.push(Place::of(Scope::Region, name, name, self.everywhere, counts));
        }
        Ok(())
    }

    fn account_regions(&self, places: &mut Vec<Place>) -> Result<(), AggregateError> {
        // They are the many: nothing is made of them twice.
        let (mut pairs, sums) = self.sums.by_account_and_region()?;
        pairs.sort_by_key(|pair| (self.accounts.get(pair.account), self.regions.get(pair.region)));
        places.reserve_exact(pairs.len());
        for pair in pairs {
            let (account, region) = (self.accounts.get(pair.account), self.regions.get(pair.region).as_str());
            let accounts = self.by_account.get(account).copied().unwrap_or_default();
            let (scope, counts) = (Scope::AccountRegion, sums.counts(pair.row));
            places.push(Place::of(scope, account.as_str(), region, accounts, counts));
        }
        Ok(())
    }

    fn tags(&self, places: &mut Vec<Place>) -> Result<(), AggregateError> {
        let Some(tag) = &self.tag else { return Ok(()) };
        let sums = self.sums.by_tag()?;
        let by_value: BTreeMap<&str, Counts> =
            sums.into_iter().map(|(value, counts)| (tag.word(value), counts)).collect();
        let place = |(value, counts)| Place::of(Scope::Tag, value, "", self.everywhere, counts);
        places.extend(by_value.into_iter().map(place));
        Ok(())
    }
}

/// Whether the account's list of buckets was read, at least in part: what it adds is then known, be it zero.
fn was_read(account: &AccountRecord) -> bool {
    match account.listing {
        Outcome::Complete | Outcome::Incomplete(_) => true,
        Outcome::Failed(_) | Outcome::Skipped(_) => false,
    }
}

fn organization_id(account: &AccountRecord) -> Option<String> {
    account.ou_path.to_string().split('/').find(|id| id.starts_with("o-")).map(str::to_owned)
}

/// Every metric of every scope. The rows of all accounts and Regions would be a hundred times as large as what they
/// are made of, so they are made one by one.
#[derive(Debug)]
pub struct Metrics {
    table: Arc<Table>,
    places: Vec<Place>,
}

impl Metrics {
    /// Sorted by scope, id and Region, in the order of the tables of metrics.
    pub fn rows(&self) -> impl Iterator<Item = MetricRow<'_>> {
        self.places.iter().flat_map(|place| place.rows(&self.table))
    }
}

/// One thing that has metrics.
#[derive(Debug)]
struct Place {
    scope: Scope,
    scope_id: String,
    region: String,
    accounts: Accounts,
    /// Where something was read.
    counts: Option<Counts>,
}

impl Place {
    fn new(scope: Scope, scope_id: &str, region: &str, accounts: Accounts) -> Self {
        Self { scope, scope_id: scope_id.to_owned(), region: region.to_owned(), accounts, counts: None }
    }

    fn of(scope: Scope, scope_id: &str, region: &str, accounts: Accounts, counts: Counts) -> Self {
        Self { counts: Some(counts), ..Self::new(scope, scope_id, region, accounts) }
    }

    fn rows<'a>(&'a self, table: &'a Table) -> impl Iterator<Item = MetricRow<'a>> {
        let accounts = ACCOUNT_COUNTERS.iter().zip(&self.accounts.counts);
        let accounts = accounts.map(|(counter, count)| (counter.name, Some(Value::Count(*count))));
        let buckets = self.counts.iter().flat_map(|counts| {
            let counters = table.counters().zip(&counts.0);
            let counters = counters.map(|(counter, count)| (counter.name, Some(Value::Count(*count))));
            counters.chain(table.quotients(counts, &self.accounts))
        });
        let unknown = (!self.accounts.has_all_buckets()).then_some(Value::Unknown);
        let unknown = self.counts.is_none().then_some((KNOWN_BUCKETS, unknown));
        let coverage = self.accounts.coverage();
        accounts.chain(buckets).chain(unknown).map(move |(metric, value)| MetricRow {
            scope: self.scope,
            scope_id: &self.scope_id,
            region: &self.region,
            metric,
            value,
            accounts: coverage,
        })
    }
}

/// Values by small numbers, so that polars groups numbers.
struct Interned<T> {
    indices: HashMap<T, u32>,
    values: Vec<T>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { indices: HashMap::new(), values: Vec::new() }
    }
}

impl<T: Clone + Eq + Hash> Interned<T> {
    fn index<Q: ToOwned<Owned = T> + Eq + Hash + ?Sized>(&mut self, value: &Q) -> u32
    where
        T: Borrow<Q>,
    {
        if let Some(index) = self.find(value) {
            return index;
        }
        let index = u32::try_from(self.values.len()).expect("fewer than 2^32 accounts and Regions");
        self.indices.insert(value.to_owned(), index);
        self.values.push(value.to_owned());
        index
    }

    fn find<Q: Eq + Hash + ?Sized>(&self, value: &Q) -> Option<u32>
    where
        T: Borrow<Q>,
    {
        self.indices.get(value).copied()
    }

    fn get(&self, index: u32) -> &T {
        &self.values[index as usize]
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}
