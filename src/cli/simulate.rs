//! `bucketlens simulate`: the simulator by itself, for any S3 client.

use std::io::Write;

use super::Problem;
use super::options::{Simulate, Simulated};
use crate::exit::Exit;
use crate::simulator::{self, Options, Organization, Simulator};

pub async fn run(simulate: Simulate) -> Result<Exit, Problem> {
    let organization = match simulate.organization {
        Simulated::Demo => Organization::demo(),
        Simulated::Generated(size) => Organization::generate(size.accounts, size.buckets),
        Simulated::File(path) => {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| Problem::new(format!("failed to read {}: {error}", path.display())))?;
            Organization::from_json(&text)
                .map_err(|error| Problem::new(format!("failed to use {}: {error}", path.display())))?
        }
    };
    let management = organization.management_account().to_owned();
    let options = Options { port: simulate.port, latency: simulate.latency, rate: simulate.rate };
    let simulator = Simulator::start(organization, options).await.map_err(|error| {
        Problem::new(format!("failed to listen on 127.0.0.1, port {}: {error}", simulate.port))
            .with_help("choose another port with --port N, or 0 for any free one")
    })?;
    let settings = format!(
        "export AWS_ENDPOINT_URL={}\nexport AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\nexport AWS_REGION=us-east-1\n",
        simulator.endpoint(),
        simulator::access_key(&management),
        simulator::SECRET_KEY,
    );
    // A reader may take what it needs and close the pipe: the simulator goes on.
    let _ = std::io::stdout().write_all(settings.as_bytes());
    eprintln!("serving a simulated organization on loopback until Ctrl-C; these are the settings of its clients");
    tokio::signal::ctrl_c().await.map_err(|error| Problem::new(format!("failed to wait for Ctrl-C: {error}")))?;
    Ok(Exit::Ok)
}
