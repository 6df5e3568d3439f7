//! `bucketlens mfa-delete`: says whether MFA delete is enabled, and enables or disables it where the user asked for it
//! by name, with `--apply` and a code of the MFA device. The only command that changes anything.
//!
//! Every bucket is read and decided on before the first code is asked for; where one is refused, nothing is sent for
//! any. A request goes out once, and what came of it is read, not believed.
//!
//! - [`decide`]: what is to be done, and what came of it; pure;
//! - [`explain`]: the words for it; pure;
//! - [`apply`]: asks for codes and sends;
//! - [`code`], [`record`], [`show`]: where codes come from, what is written down, what is printed.

mod apply;
pub(super) mod code;
mod decide;
mod explain;
pub mod options;
mod record;
mod show;

use std::sync::Arc;

use self::apply::Applying;
use self::decide::{Decision, Outcome, Wish, decide};
use self::options::{Change, Mode, Order, Task};
use self::show::{Head, Row};
use super::Problem;
use super::lifecycle::{Format, print};
use super::mfa_codes::Terminal;
use super::progress::Progress;
use crate::aws::addressing::Styles;
use crate::aws::http::{self, Network};
use crate::aws::pace::Pace;
use crate::aws::route::{Pointer, Route};
use crate::aws::session::{Aws, Source, Surroundings};
use crate::collect::Way;
use crate::discover::{Identity, identify};
use crate::exit::Exit;
use crate::model::{BucketRecord, Extra, Extras, Fact, Facts, Lifecycle, Region};

pub async fn run(order: &Order, network: &Network) -> Result<Exit, Problem> {
    if let Task::Change(Change { mode: Mode::Apply { codes, .. }, .. }) = &order.task
        && !codes.can_ask()
    {
        return Err(Problem::new("there is no terminal on which the code could be asked for")
            .with_help("run it on a terminal, or give one code a line on stdin with --code-from-stdin"));
    }
    let identity = meet(order, network).await?;
    let run = Run::new(order, &identity)?;
    let rows = match &order.task {
        Task::Status => run.status().await?,
        Task::Change(change) => run.change(change).await?,
    };
    Ok(decide::exit(rows.iter().map(|row| row.outcome)))
}

async fn meet(order: &Order, network: &Network) -> Result<Identity, Problem> {
    let profile = order.profile.as_deref();
    let mut aws = connect(order, network)?;
    // Loopback may do without TLS because nothing leaves this machine: so no proxy either.
    let endpoint = aws.s3_endpoint(profile).await?;
    if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
        aws = connect(order, &network.direct())?;
    }
    Ok(identify(&aws, profile, order.account_id.as_ref()).await?)
}

fn connect(order: &Order, network: &Network) -> Result<Aws, Problem> {
    // No connection is used twice: the request that must go out once never meets one that is dead already.
    const KEPT_CONNECTIONS: usize = 0;
    let reading = &order.reading;
    Ok(Aws {
        source: Source::Environment(Box::new(Surroundings::new(
            network,
            KEPT_CONNECTIONS,
            Arc::new(Terminal::new(Progress::silent())),
            None,
        )?)),
        http: http::client(network, KEPT_CONNECTIONS)?,
        pace: Arc::new(Pace::new(reading.concurrency, reading.max_attempts)),
        clock: Arc::default(),
        addressing: Styles::new(reading.addressing),
        timeouts: reading.timeouts,
    })
}

struct Run<'a> {
    order: &'a Order,
    identity: &'a Identity,
    endpoint: Option<String>,
    route: Route,
    head: Head,
}

/// A bucket and the way to it.
struct Looked<'a> {
    way: Way<'a>,
    row: Row,
}

impl<'a> Run<'a> {
    fn new(order: &'a Order, identity: &'a Identity) -> Result<Self, Problem> {
        let session = &identity.session;
        let route = match &order.region {
            None => session.home(),
            Some(region) => session
                .route(region)
                .map_err(|why| Problem::new(format!("no bucket is asked in the Region {region} (--region): {why}")))?,
        };
        let (command, dry_run, mfa_serial) = match &order.task {
            Task::Status => ("status", false, None),
            Task::Change(change) => {
                let dry_run = matches!(change.mode, Mode::DryRun);
                (change.wish.as_str(), dry_run, Some(change.serial.as_str().to_owned()))
            }
        };
        let head = Head {
            command,
            dry_run,
            account: identity.account.to_string(),
            caller_arn: identity.caller.as_ref().map(|caller| caller.arn.to_string()),
            mfa_serial,
            expected_owner: identity.session.owner.as_ref().map(ToString::to_string),
        };
        Ok(Self { order, identity, endpoint: session.s3_endpoint(), route, head })
    }

    async fn status(&self) -> Result<Vec<Row>, Problem> {
        let mut rows = Vec::new();
        for bucket in &self.order.buckets {
            let Looked { way, mut row } = self.look(bucket).await;
            (row.outcome, row.reasons) = match &row.before.facts {
                Facts::Vanished { .. } | Facts::Directory { .. } => (Outcome::Unknown, Vec::new()),
                Facts::Read { versioning, lifecycle, .. } => {
                    let outcome = if versioning.known().is_some() { Outcome::Read } else { Outcome::Unknown };
                    let reasons = [versioning.reason(), lifecycle.reason()].into_iter().flatten();
                    let elsewhere = way.pointer().map(explain::pointer).unwrap_or_default();
                    (outcome, elsewhere.into_iter().chain(reasons.map(|reason| reason.sentence())).collect())
                }
            };
            self.show(&row)?;
            rows.push(row);
        }
        self.show_end(&rows, None)?;
        Ok(rows)
    }

    async fn change(&self, change: &Change) -> Result<Vec<Row>, Problem> {
        if let Some(endpoint) = self.endpoint.as_deref().filter(|it| !decide::is_protected(it)) {
            return Err(Problem::new(format!("{endpoint} is without TLS, and no code is sent so to another machine"))
                .with_help("use an endpoint that begins with https://"));
        }
        let mut looked = Vec::new();
        for bucket in &self.order.buckets {
            let Looked { mut way, mut row } = self.look(bucket).await;
            self.decide(change, way.pointer(), &mut row);
            if change.wish != Wish::Disable && row.change.is_some() {
                row.notes = object_lock(&mut way).await;
            }
            looked.push(Looked { way, row });
        }
        let refused = looked.iter().any(|it| it.row.outcome == Outcome::Refused);
        let to_send = looked.iter().filter(|it| it.row.change.is_some()).count();
        if let Mode::Apply { codes, record } = &change.mode
            && !refused
            && to_send > 0
        {
            return Applying::start(self, change, *codes, record, to_send)?.all(looked).await;
        }
        let mut rows = Vec::new();
        for Looked { mut row, .. } in looked {
            if refused && row.outcome == Outcome::DryRun {
                row.outcome = Outcome::NotSent;
                row.reasons = vec!["another bucket of this command is refused, see there".to_owned()];
            }
            self.show(&row)?;
            rows.push(row);
        }
        let end = match (refused, to_send) {
            (true, _) => "Nothing was sent.",
            (false, 0) => "Nothing is to be sent.",
            (false, _) => "Nothing was sent. With --apply the same command asks for a code and sends it.",
        };
        self.show_end(&rows, Some(end))?;
        Ok(rows)
    }

    /// Reads a bucket in the Region of the settings, wherever its answers point to.
    async fn look(&self, bucket: &'a str) -> Looked<'a> {
        let session = &self.identity.session;
        let mut way = Way::fixed(session, bucket, self.route.clone());
        let facts = read(&mut way).await;
        let region = if facts.some_known() { self.route.region().clone() } else { Region::unknown() };
        let row = Row {
            place: explain::place(session.endpoint_of(&self.route).as_deref(), &region),
            before: BucketRecord { account: self.identity.account.clone(), region, bucket: bucket.to_owned(), facts },
            change: None,
            after: None,
            outcome: Outcome::NotSent,
            notes: Vec::new(),
            reasons: Vec::new(),
            request_id: None,
        };
        Looked { way, row }
    }

    /// Whether a request is to be sent, and which, or what stands in the way.
    fn decide(&self, change: &Change, pointer: Option<&Pointer>, row: &mut Row) {
        let Identity { caller, account, .. } = self.identity;
        let server = decide::server(self.endpoint.as_deref());
        let mut refusals = decide::caller_refusals(server, caller.as_ref(), account, &change.serial);
        match decide(change.wish, &row.before.facts) {
            Decision::Already => row.outcome = Outcome::Already,
            Decision::Send(wanted) => (row.outcome, row.change) = (Outcome::DryRun, Some(wanted)),
            Decision::Refuse(more) => {
                row.outcome = Outcome::Refused;
                refusals.extend(more);
            }
        }
        // What is as it should be needs nobody's permission.
        if row.outcome != Outcome::Already && !refusals.is_empty() {
            (row.outcome, row.change) = (Outcome::Refused, None);
            let elsewhere = pointer.map(explain::pointer).unwrap_or_default();
            let refusals = refusals.iter().map(|refusal| explain::refusal(refusal, &row.before.bucket));
            row.reasons = elsewhere.into_iter().chain(refusals).collect();
        }
    }

    /// The page is printed bucket by bucket, as they are done.
    fn show(&self, row: &Row) -> Result<(), Problem> {
        self.show_plan(row)?;
        self.show_outcome(row)
    }

    fn show_plan(&self, row: &Row) -> Result<(), Problem> {
        match self.order.format {
            Format::Table => print_out(&show::plan(&self.head, row)),
            Format::Json => Ok(()),
        }
    }

    fn show_outcome(&self, row: &Row) -> Result<(), Problem> {
        match self.order.format {
            Format::Table => print_out(&show::end(row)),
            Format::Json => Ok(()),
        }
    }

    fn show_end(&self, rows: &[Row], words: Option<&str>) -> Result<(), Problem> {
        match (self.order.format, words) {
            (Format::Table, Some(words)) => print_out(&format!("\n{words}\n")),
            (Format::Table, None) => Ok(()),
            (Format::Json, _) => print_out(&show::json(&self.head, rows)),
        }
    }
}

fn print_out(text: &str) -> Result<(), Problem> {
    print(text).map_err(|error| Problem::new(format!("failed to print what was found and done: {error}")))
}

async fn read(way: &mut Way<'_>) -> Facts {
    match way.versioning().await {
        Err(vanished) => vanished.into(),
        Ok(versioning) => match way.lifecycle().await {
            Err(vanished) => vanished.into(),
            Ok(lifecycle) => Facts::Read { versioning, lifecycle, extras: Box::default() },
        },
    }
}

/// What there is to say of Object Lock before MFA delete is enabled.
async fn object_lock(way: &mut Way<'_>) -> Vec<String> {
    let mut extras = Extras::default();
    match way.extra(Extra::ObjectLock, &mut extras).await {
        // The bucket is read once more before anything is sent.
        Err(_vanished) => Vec::new(),
        Ok(()) => extras.object_lock.as_ref().and_then(explain::object_lock).into_iter().collect(),
    }
}

/// Reads again what a request has changed, and leaves what it has not.
async fn read_again(way: &mut Way<'_>, lifecycle: &Fact<Lifecycle>) -> Facts {
    match way.versioning().await {
        Err(vanished) => vanished.into(),
        Ok(versioning) => Facts::Read { versioning, lifecycle: lifecycle.clone(), extras: Box::default() },
    }
}
