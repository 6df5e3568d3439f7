//! `bucketlens demo`: a scan of a simulated organization on loopback. Nothing of the user's AWS settings is read and
//! nothing leaves this machine.

use std::sync::Arc;

use super::options::Demo;
use super::progress::Progress;
use super::{Problem, scan};
use crate::aws::http::Network;
use crate::aws::session::Source;
use crate::exit::Exit;
use crate::model::Region;
use crate::simulator::{self, Options, Organization, Simulator};

pub async fn run(demo: &Demo, progress: Arc<Progress>) -> Result<Exit, Problem> {
    let organization = match demo.generated {
        Some(size) => Organization::generate(size.accounts, size.buckets),
        None => Organization::demo(),
    };
    let access_key = simulator::access_key(organization.management_account());
    let simulator = Simulator::start(organization, Options::default())
        .await
        .map_err(|error| Problem::new(format!("failed to start the simulator on 127.0.0.1: {error}")))?;
    let source = Source::Fixed {
        endpoint: simulator.endpoint(),
        access_key,
        secret_key: simulator::SECRET_KEY.to_owned(),
        region: Region::new("us-east-1"),
    };
    scan::run(&demo.config, Some(source), &Network::default(), progress).await
}
