//! AWS's hosts, and any others, on loopback: a proxy for HTTPS leads every name to one server, which has a certificate for
//! all of them, and remembers which names were wanted.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use bucketlens::simulator::SECRET_KEY;

use crate::common::Cli;
use crate::connections::{Tls, in_front_of_as};

/// An attack that reaches one of these hosts succeeds: nothing but the program keeps requests from them.
const NAMES: [&str; 16] = [
    "*.us-east-1.api.aws",
    "*.us-east-1.amazonaws.com",
    "*.eu-west-1.amazonaws.com",
    "*.us-gov-west-1.amazonaws.com",
    "*.cn-north-1.amazonaws.com.cn",
    "*.s3-fips.us-east-1.amazonaws.com",
    "*.s3-fips.eu-west-1.amazonaws.com",
    "*.dualstack.us-east-1.amazonaws.com",
    "*.dualstack.eu-west-1.amazonaws.com",
    "s3.amazonaws.com",
    "*.example.com",
    "*.us-west-1.example.com",
    "*.s3.example.com",
    "other.example",
    "*.other.example",
    "other.example.co.uk",
];

pub struct AwsHosts {
    proxy: String,
    tls: Tls,
    wanted: Arc<Mutex<Vec<String>>>,
}

impl AwsHosts {
    /// `endpoint`: the server that answers for all of them.
    pub fn lead_to(endpoint: &str) -> Self {
        let tls = in_front_of_as(endpoint, &NAMES);
        let behind = tls.endpoint.replace("https://", "");
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let proxy = format!("http://{}", listener.local_addr().expect("bound"));
        let wanted = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&wanted);
        std::thread::spawn(move || {
            for mut front in listener.incoming().flatten() {
                let (behind, seen) = (behind.clone(), Arc::clone(&seen));
                std::thread::spawn(move || {
                    let mut head = Vec::new();
                    let mut byte = [0];
                    while !head.ends_with(b"\r\n\r\n") && front.read(&mut byte).is_ok_and(|read| read > 0) {
                        head.push(byte[0]);
                    }
                    let head = String::from_utf8(head).expect("text");
                    let target = head.strip_prefix("CONNECT ").expect("a tunnel").split(' ').next().expect("a host");
                    seen.lock().expect("no panic").push(target.trim_end_matches(":443").to_owned());
                    let mut back = TcpStream::connect(&behind).expect("it listens");
                    let _ = front.write_all(b"HTTP/1.1 200 Connected\r\n\r\n");
                    let (mut from, mut to) =
                        (front.try_clone().expect("a socket"), back.try_clone().expect("a socket"));
                    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                    let _ = std::io::copy(&mut back, &mut front);
                });
            }
        });
        Self { proxy, tls, wanted }
    }

    /// The hosts to which a connection was wanted.
    pub fn wanted(&self) -> BTreeSet<String> {
        self.wanted.lock().expect("no panic").iter().cloned().collect()
    }

    /// Without any endpoint in the settings.
    pub fn run_as(&self, cli: Cli, key: &str) -> Cli {
        let bundle = cli.home().join("ca.pem").display().to_string();
        cli.file("ca.pem", &self.tls.certificate)
            .env("AWS_CA_BUNDLE", &bundle)
            .env("HTTPS_PROXY", &self.proxy)
            .env("AWS_ACCESS_KEY_ID", key)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("AWS_REGION", "us-east-1")
    }
}
