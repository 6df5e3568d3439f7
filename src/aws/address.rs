//! Addresses of servers. What is read here may come from a server: only plain URLs pass.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::partition;

/// Where a server is asked: scheme, host, port, and the path before a bucket's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    scheme: Scheme,
    host: Host,
    /// `None` for the scheme's own.
    port: Option<u16>,
    /// Empty, or it begins with `/` and does not end with it.
    path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    Http,
    Https,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Host {
    /// In lower case, without a dot at its end.
    Name(String),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

/// Why a text is no address that a request could go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// Another scheme than HTTP or HTTPS.
    Scheme,
    /// A user name or a password.
    Userinfo,
    Other,
}

impl Scheme {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn parse(text: &str) -> Result<Self, Unreadable> {
        match text.to_ascii_lowercase().as_str() {
            "http" => Ok(Self::Http),
            "https" => Ok(Self::Https),
            _ => Err(Unreadable::Scheme),
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self, Unreadable> {
        if let Some(address) = text.strip_prefix('[') {
            let address = address.strip_suffix(']').and_then(|address| address.parse().ok());
            return address.map(Self::V6).ok_or(Unreadable::Other);
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if !is_name(&name) {
            return Err(Unreadable::Other);
        }
        // Resolvers take numbers such as 0x7f.1 for addresses.
        let last = name.rsplit('.').next().unwrap_or_default();
        if last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit()) {
            return name.parse().map(Self::V4).map_err(|_| Unreadable::Other);
        }
        Ok(Self::Name(name))
    }

    /// The registrable domain by the public suffix list; `None` for addresses, names of one label and public suffixes.
    fn domain(&self) -> Option<&str> {
        match self {
            Self::Name(name) => psl::domain_str(name),
            Self::V4(_) | Self::V6(_) => None,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// Also with `_`, which names of containers have.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len()) && label.bytes().all(allowed))
}

impl Address {
    /// An absolute URL of HTTP or HTTPS. Query and fragment are left out.
    pub fn parse(url: &str) -> Result<Self, Unreadable> {
        let (scheme, rest) = split_scheme(url)?.ok_or(Unreadable::Other)?;
        Self::after_scheme(scheme, rest)
    }

    /// Where a `Location` leads from here: an absolute URL, `//host/path` or `/path`.
    pub fn resolve(&self, location: &str) -> Result<Self, Unreadable> {
        if let Some((scheme, rest)) = split_scheme(location)? {
            return Self::after_scheme(scheme, rest);
        }
        if location.starts_with("//") {
            return Self::after_scheme(self.scheme, location);
        }
        if !location.starts_with('/') {
            return Err(Unreadable::Other);
        }
        Ok(Self { path: path(location)?, ..self.clone() })
    }

    /// `rest` begins with `//`.
    fn after_scheme(scheme: Scheme, rest: &str) -> Result<Self, Unreadable> {
        let rest = rest.strip_prefix("//").ok_or(Unreadable::Other)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if authority.contains('@') {
            return Err(Unreadable::Userinfo);
        }
        let digits = authority.rfind(':').filter(|colon| !authority[*colon..].contains(']'));
        let (host, port) = match digits {
            Some(colon) => (&authority[..colon], &authority[colon + 1..]),
            None => (authority, ""),
        };
        let port = match port {
            "" => None,
            port if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(port.parse().ok().filter(|port| *port > 0).ok_or(Unreadable::Other)?)
            }
            _ => return Err(Unreadable::Other),
        };
        let port = port.filter(|port| *port != scheme.port());
        Ok(Self { scheme, host: Host::parse(host)?, port, path: path(rest)? })
    }

    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// As it appears in a URL, in lower case.
    pub fn host(&self) -> String {
        self.host.to_string()
    }

    /// Whether it is one of AWS's own endpoints.
    pub fn is_aws(&self) -> bool {
        matches!(&self.host, Host::Name(name) if partition::is_aws_host(name))
    }

    /// Whether it is a FIPS endpoint of S3 on AWS.
    pub fn is_fips(&self) -> bool {
        matches!(&self.host, Host::Name(name) if partition::is_fips_host(name))
    }

    /// The same kind of endpoint of AWS in another Region.
    pub fn in_region(&self, region: &str) -> Option<Self> {
        let Host::Name(name) = &self.host else { return None };
        let host = Host::Name(partition::in_region(name, region)?);
        Some(Self { host, ..self.clone() })
    }

    /// The domain within which a redirect may lead; `None` where it may lead to other ports of the same host only.
    pub fn domain(&self) -> Option<&str> {
        self.host.domain()
    }

    /// Whether both belong to one operator: to the same registrable domain, or the same host where there is none.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.host == other.host || self.domain().is_some_and(|domain| other.domain() == Some(domain))
    }

    /// Of an address that a request about a bucket was sent to, the endpoint: without the bucket in the path or before the
    /// host. `None` where the address is of something else.
    pub fn endpoint_of(&self, bucket: &str) -> Option<Self> {
        let segments: Vec<&str> = self.path.split('/').collect();
        if let Some(at) = segments.iter().position(|segment| *segment == bucket) {
            return Some(Self { path: segments[..at].join("/"), ..self.clone() });
        }
        if let Host::Name(name) = &self.host
            && let Some(host) = name.strip_prefix(bucket).and_then(|rest| rest.strip_prefix('.'))
        {
            return Some(Self { host: Host::parse(host).ok()?, ..self.clone() });
        }
        self.path.is_empty().then(|| self.clone())
    }
}

/// With a `/` behind a path.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if self.path.is_empty() { Ok(()) } else { write!(f, "{}/", self.path) }
    }
}

/// The scheme of an absolute URL and what follows its colon; `None` for a relative one.
fn split_scheme(url: &str) -> Result<Option<(Scheme, &str)>, Unreadable> {
    // Clients disagree on what these mean.
    if url.is_empty() || url.contains('\\') || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Unreadable::Other);
    }
    match url.find([':', '/', '?', '#']) {
        Some(at) if url.as_bytes()[at] == b':' => Ok(Some((Scheme::parse(&url[..at])?, &url[at + 1..]))),
        Some(_) | None => Ok(None),
    }
}

/// The path of a URL without query, fragment and slashes at its end.
fn path(rest: &str) -> Result<String, Unreadable> {
    let path = rest.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    if path.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(Unreadable::Other);
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Address {
        Address::parse(url).unwrap_or_else(|error| panic!("{url}: {error:?}"))
    }

    #[test]
    fn an_address_is_read_and_written() {
        for (url, written) in [
            ("http://127.0.0.1:7481/b?versioning", "http://127.0.0.1:7481/b/"),
            ("HTTPS://S3.Example.COM.:443", "https://s3.example.com"),
            ("https://s3.example.com:8443/storage/v1/s3//", "https://s3.example.com:8443/storage/v1/s3/"),
            ("http://[::1]:9000/x#y", "http://[::1]:9000/x/"),
            ("http://my_minio:80/", "http://my_minio"),
        ] {
            assert_eq!(address(url).to_string(), written, "{url}");
        }
    }

    #[test]
    fn what_clients_read_differently_is_no_address() {
        let others = [
            "",
            "/b",
            "s3.example.com",
            "http:///b",
            "http:/b",
            "http:s3.example.com",
            "http://",
            "http://:80",
            "http://a..b",
            "http://.a",
            "http://a../",
            "http://h:0",
            "http://h:99999",
            "http://h:8a",
            "http://h\\.evil.example",
            "http://h\t",
            "http://h /",
            "http://a%2eb",
            "http://b\u{fc}cher.example",
            "http://2130706433.",
            "http://2130706433",
            "http://127.1",
            "http://0x7f.0.0.1",
            "http://0x7f000001",
            "http://[::1",
            "http://[fe80::1%25eth0]",
            "http://::1",
            "http://h/a/../b",
            "http://a,b",
            "http://\u{1b}[2J",
        ];
        for url in others {
            assert_eq!(Address::parse(url), Err(Unreadable::Other), "{url:?}");
        }
        for url in ["ftp://h/", "javascript:alert(1)", "file:///etc/passwd", "h:9000/b", "localhost:80"] {
            assert_eq!(Address::parse(url), Err(Unreadable::Scheme), "{url}");
        }
        for url in ["http://user@h/", "http://user:password@h/", "http://h@evil.example", "https://@h"] {
            assert_eq!(Address::parse(url), Err(Unreadable::Userinfo), "{url}");
        }
    }

    #[test]
    fn a_location_is_resolved_against_the_endpoint() {
        let base = address("https://s3.example.com:8443/base");
        for (location, resolved) in [
            ("http://other.example/b", "http://other.example/b/"),
            ("//other.example/b?x", "https://other.example/b/"),
            ("/b?versioning", "https://s3.example.com:8443/b/"),
            ("/", "https://s3.example.com:8443"),
        ] {
            assert_eq!(base.resolve(location).map(|it| it.to_string()), Ok(resolved.to_owned()), "{location}");
        }
        for location in ["", "b", "?versioning", "#x", "/\\evil.example", "\\\\evil.example", "///evil.example"] {
            assert_eq!(base.resolve(location), Err(Unreadable::Other), "{location}");
        }
    }

    #[test]
    fn one_operator_has_one_registrable_domain() {
        let together = [
            ("https://s3.wasabisys.com", "https://s3.us-west-1.wasabisys.com"),
            ("https://s3.example.co.uk", "https://other.example.co.uk:8443"),
            ("https://s3.corp.internal", "https://s4.corp.internal"),
            ("http://127.0.0.1:1", "http://127.0.0.1:2"),
            ("http://[::1]:1", "http://[0:0::1]:2"),
            ("http://minio:1", "http://MINIO.:2"),
            ("https://a.example.xn--55qx5d.cn", "https://b.example.xn--55qx5d.cn"),
        ];
        for (one, other) in together {
            assert!(address(one).is_beside(&address(other)), "{one} {other}");
        }
        let apart = [
            ("https://s3.example.com", "https://s3.example.org"),
            ("https://s3.example.com", "https://example.com.evil.example"),
            ("https://s3.example.com", "https://notexample.com"),
            ("https://one.co.uk", "https://two.co.uk"),
            ("https://co.uk", "https://two.co.uk"),
            // The providers' customers have the names below these.
            ("https://one.github.io", "https://two.github.io"),
            ("https://nyc3.digitaloceanspaces.com", "https://ams3.digitaloceanspaces.com"),
            ("https://one.xn--55qx5d.cn", "https://two.xn--55qx5d.cn"),
            ("http://127.0.0.1", "http://127.0.0.2"),
            ("http://127.0.0.1", "http://[::ffff:127.0.0.1]"),
            ("http://127.0.0.1", "http://localhost"),
            ("http://minio", "http://minio.evil.example"),
            ("http://minio", "http://minio2"),
        ];
        for (one, other) in apart {
            assert!(!address(one).is_beside(&address(other)), "{one} {other}");
            assert!(!address(other).is_beside(&address(one)), "{other} {one}");
        }
    }

    #[test]
    fn the_endpoint_is_what_is_left_without_the_bucket() {
        for (url, endpoint) in [
            ("https://s3.eu.example.com/one?versioning", Some("https://s3.eu.example.com")),
            ("https://s3.eu.example.com/storage/v1/s3/one/key/one", Some("https://s3.eu.example.com/storage/v1/s3/")),
            ("https://one.s3.eu.example.com/?versioning", Some("https://s3.eu.example.com")),
            ("https://one.s3.eu.example.com/base/", Some("https://s3.eu.example.com/base/")),
            ("https://s3.eu.example.com", Some("https://s3.eu.example.com")),
            ("https://sso.example.com/login", None),
            ("https://s3.example.com/oneself", None),
        ] {
            assert_eq!(address(url).endpoint_of("one").map(|it| it.to_string()).as_deref(), endpoint, "{url}");
        }
    }
}
