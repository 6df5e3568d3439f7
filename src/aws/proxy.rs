//! `NO_PROXY`: the hosts that are asked without a proxy.
//!
//! The HTTP client knows these rules only in part: for it, `*` covers names but no addresses, and an entry has no port.
//!
//! Sources: curl's manual, "Environment: `NO_PROXY`" (`*`, networks); Python's `urllib.request`, which botocore uses
//! (ports, leading dots).

use std::net::IpAddr;

use ipnet::IpNet;

/// What `NO_PROXY` and `no_proxy` say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoProxy(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// `*`
    All,
    /// `10.0.0.0/8`
    Network(IpNet),
    Host {
        host: Host,
        /// All of them, where none is given.
        port: Option<u16>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    /// In lower case, without a dot at either end. It covers the names below it.
    Name(String),
}

impl Host {
    fn parse(text: &str) -> Self {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        match bare.parse() {
            Ok(address) => Self::Address(address),
            Err(_) => Self::Name(text.trim_matches('.').to_ascii_lowercase()),
        }
    }

    fn covers(&self, host: &Self) -> bool {
        match (self, host) {
            (Self::Name(above), Self::Name(name)) => {
                name == above || name.strip_suffix(above.as_str()).is_some_and(|below| below.ends_with('.'))
            }
            (Self::Address(_), Self::Address(_)) => self == host,
            (Self::Name(_), Self::Address(_)) | (Self::Address(_), Self::Name(_)) => false,
        }
    }
}

impl Entry {
    fn parse(text: &str) -> Self {
        if text == "*" {
            return Self::All;
        }
        if let Ok(network) = text.parse() {
            return Self::Network(network);
        }
        let (host, port) = split_port(text);
        // `*.example.com` is no form of curl or botocore, and can mean only this.
        Self::Host { host: Host::parse(host.strip_prefix("*.").unwrap_or(host)), port }
    }

    fn covers(&self, host: &Host, port: u16) -> bool {
        match self {
            Self::All => true,
            Self::Network(network) => matches!(host, Host::Address(address) if network.contains(address)),
            Self::Host { host: covered, port: at } => at.is_none_or(|at| at == port) && covered.covers(host),
        }
    }
}

/// A host, and the port that may stand behind it. An IPv6 address without brackets has none.
fn split_port(text: &str) -> (&str, Option<u16>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (text, None),
        },
        Some(_) | None => (text, None),
    }
}

impl NoProxy {
    /// Entries are separated by commas or blanks.
    pub fn parse(text: &str) -> Self {
        let entries = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        Self(entries.map(Entry::parse).collect())
    }

    /// Whether this URL is asked without a proxy.
    pub fn covers(&self, url: &str) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let Some((scheme, rest)) = url.split_once("://") else { return false };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let authority = authority.rsplit('@').next().unwrap_or_default();
        let (host, port) = split_port(authority);
        let port = port.unwrap_or(if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 });
        let host = Host::parse(host);
        self.0.iter().any(|entry| entry.covers(&host, port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_covers_what_it_covers_for_curl_or_botocore() {
        let table: [(&str, &[&str], &[&str]); 14] = [
            ("", &[], &["http://127.0.0.1/", "http://s3.example.com/"]),
            ("*", &["http://127.0.0.1:9000/b?x", "https://s3.example.com/", "http://[::1]:9000/"], &[]),
            ("other.example, *", &["http://127.0.0.1/", "http://s3.example.com/"], &[]),
            (
                "example.com",
                &["http://example.com/", "https://S3.Example.COM:9000/b", "http://a.b.example.com."],
                &["http://notexample.com/", "http://example.com.evil/", "http://example.org/"],
            ),
            (".example.com", &["http://example.com/", "http://s3.example.com/"], &["http://notexample.com/"]),
            ("*.example.com", &["http://s3.example.com/"], &["http://notexample.com/"]),
            ("EXAMPLE.com.", &["http://s3.example.com/"], &["http://example.net/"]),
            (
                "s3.example.com:9000",
                &["http://s3.example.com:9000/"],
                &["http://s3.example.com/", "http://example.com:9000"],
            ),
            ("s3.example.com:443", &["https://s3.example.com/"], &["http://s3.example.com/"]),
            ("127.0.0.1", &["http://127.0.0.1:9000/"], &["http://127.0.0.2:9000/", "http://localhost/"]),
            ("127.0.0.1:9000", &["http://127.0.0.1:9000/"], &["http://127.0.0.1:9001/"]),
            ("10.0.0.0/8 , 192.0.2.0/24", &["http://10.1.2.3/", "http://192.0.2.9/"], &["http://11.0.0.1/"]),
            ("::1", &["http://[::1]:9000/"], &["http://[::2]:9000/"]),
            ("[fd00::1]:9000 fd00:1::/32", &["http://[fd00::1]:9000/", "http://[fd00:1::2]/"], &["http://[fd00::1]/"]),
        ];
        for (text, covered, others) in table {
            let rules = NoProxy::parse(text);
            for url in covered {
                assert!(rules.covers(url), "{text:?} covers {url}");
            }
            for url in others {
                assert!(!rules.covers(url), "{text:?} does not cover {url}");
            }
        }
    }
}
