//! Which answers that point elsewhere are followed. Pure.
//!
//! Every request carries credentials, so a server decides little about where the next one goes:
//!
//! - AWS never sends a `Location`, so none is followed from its endpoints. A Region is, within the run's partition.
//! - From an endpoint of the settings a `Location` is followed with the same scheme within the same registrable domain, or
//!   to other ports of the same host where there is none. A Region changes the signature only.

use super::address::{Address, Scheme, Unreadable};
use super::partition::Partition;
use crate::model::Region;

/// S3 as a session asks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// AWS, at an endpoint of the settings or at the endpoint of each Region. No partition: the Region of the settings is
    /// not one of AWS.
    Aws { partition: Option<Partition>, endpoint: Option<Address> },
    /// Another server, at an endpoint of the settings; `None` where its URL is one that the SDK may read differently.
    Other(Option<Address>),
}

/// Where a wrong-Region answer points to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elsewhere {
    pub region: Option<Region>,
    /// The `Location` header as it came: AWS sends none, Ceph RGW sends nothing else.
    pub location: Option<String>,
    /// What the server says besides.
    pub(super) said: String,
}

impl Elsewhere {
    pub(super) fn of_region(region: Option<Region>) -> Self {
        Self { region, ..Self::default() }
    }

    /// What the server says, and what of it is not followed and why.
    pub(super) fn words(&self, region: Option<&NotFollowed>, location: Option<&NotFollowed>) -> String {
        let why = |why: Option<&NotFollowed>| why.map(|why| format!(": {why}")).unwrap_or_default();
        let region = self
            .region
            .as_ref()
            .map(|it| format!("it names the Region {:?} (not followed{})", it.as_str(), why(region)));
        let location =
            self.location.as_ref().map(|it| format!("it redirects to {} (not followed{})", quoted(it), why(location)));
        let said = (!self.said.is_empty()).then(|| self.said.clone());
        [said, region, location].into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

/// Why an answer that points elsewhere is not followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowed {
    #[error("AWS does not redirect so, and something between this machine and AWS may have answered")]
    Aws,
    #[error("only {}:// is, as in the endpoint", .0.as_str())]
    Scheme(Scheme),
    #[error("it contains a user name")]
    Userinfo,
    #[error("it is not a plain URL")]
    Unreadable,
    #[error("it is outside the endpoint's domain {0:?}")]
    OtherDomain(String),
    #[error("it is another host than the endpoint's {0:?}")]
    OtherHost(String),
    #[error("it does not lead to the bucket")]
    OtherPath,
    #[error("it is not in the partition {0} of this run")]
    OtherPartition(Partition),
    #[error("it is not a Region of AWS")]
    NoRegion,
    #[error("the bucket was asked there already")]
    Asked,
    #[error("the bucket led through too many places already")]
    TooMany,
    /// Nothing is followed by this command or in this request.
    #[error("no answer leads this request elsewhere")]
    Never,
}

impl Service {
    /// `endpoint`: of the settings.
    pub fn new(endpoint: Option<&str>, region: &Region) -> Self {
        let endpoint = endpoint.map(|url| Address::parse(url).ok());
        let partition = Partition::of_region(region.as_str());
        match endpoint {
            None => Self::Aws { partition, endpoint: None },
            Some(Some(address)) if address.is_aws() => Self::Aws { partition, endpoint: Some(address) },
            Some(address) => Self::Other(address),
        }
    }

    /// Whether a request may be sent to a Region, or signed for it.
    pub fn admits_region(&self, region: &Region) -> Result<(), NotFollowed> {
        match self {
            Self::Other(_) => Ok(()),
            Self::Aws { partition, .. } => match (partition, Partition::of_region(region.as_str())) {
                (Some(ours), Some(theirs)) if *ours == theirs => Ok(()),
                (Some(ours), Some(_)) => Err(NotFollowed::OtherPartition(*ours)),
                (_, _) => Err(NotFollowed::NoRegion),
            },
        }
    }

    /// The endpoint of AWS in a Region, where the settings have one of another Region.
    pub fn endpoint_in(&self, region: &Region) -> Option<Address> {
        match self {
            Self::Aws { endpoint: Some(endpoint), .. } => endpoint.in_region(region.as_str()),
            Self::Aws { endpoint: None, .. } | Self::Other(_) => None,
        }
    }

    /// The endpoint to which the `Location` of an answer about a bucket leads.
    pub fn follow(&self, location: &str, bucket: &str) -> Result<Address, NotFollowed> {
        let endpoint = match self {
            Self::Aws { .. } => return Err(NotFollowed::Aws),
            Self::Other(None) => return Err(NotFollowed::Unreadable),
            Self::Other(Some(endpoint)) => endpoint,
        };
        let to = endpoint.resolve(location).map_err(|unreadable| match unreadable {
            Unreadable::Scheme => NotFollowed::Scheme(endpoint.scheme()),
            Unreadable::Userinfo => NotFollowed::Userinfo,
            Unreadable::Other => NotFollowed::Unreadable,
        })?;
        if to.scheme() != endpoint.scheme() {
            return Err(NotFollowed::Scheme(endpoint.scheme()));
        }
        let other = |to: &Address| match endpoint.domain() {
            _ if to.is_beside(endpoint) => Ok(()),
            Some(domain) => Err(NotFollowed::OtherDomain(domain.to_owned())),
            None => Err(NotFollowed::OtherHost(endpoint.host())),
        };
        other(&to)?;
        let to = to.endpoint_of(bucket).ok_or(NotFollowed::OtherPath)?;
        // Without the bucket's name it is another host.
        other(&to)?;
        Ok(to)
    }
}

/// What a server calls a place, for a sentence: quoted and short, without what only the server can need. Of a URL it is the
/// host.
pub fn quoted(place: &str) -> String {
    const LONGEST: usize = 100;
    let host = match place.split_once("//") {
        Some((_, rest)) => {
            let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
            authority.rsplit('@').next().unwrap_or_default()
        }
        None => place.split(['?', '#']).next().unwrap_or_default(),
    };
    let short: String = host.chars().take(LONGEST).collect();
    let more = if short.len() < host.len() { "…" } else { "" };
    format!("{short:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(endpoint: Option<&str>, region: &str) -> Service {
        Service::new(endpoint, &Region::new(region))
    }

    #[test]
    fn no_location_leads_away_from_aws() {
        let endpoints = [
            None,
            Some("https://s3.us-east-1.amazonaws.com"),
            Some("https://S3.US-EAST-1.AMAZONAWS.COM.:443/"),
            Some("https://bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com"),
            Some("https://s3.dualstack.us-east-1.api.aws"),
        ];
        for endpoint in endpoints {
            let aws = service(endpoint, "us-east-1");
            for location in ["https://other.example/one", "/one", "https://s3.us-west-2.amazonaws.com/one"] {
                assert_eq!(aws.follow(location, "one"), Err(NotFollowed::Aws), "{endpoint:?} {location}");
            }
        }
    }

    #[test]
    fn a_region_never_leads_into_another_partition() {
        let table = [
            ("us-east-1", "eu-west-1", Ok(())),
            ("us-gov-west-1", "us-gov-east-1", Ok(())),
            ("us-east-1", "cn-north-1", Err(NotFollowed::OtherPartition(Partition::Aws))),
            ("us-gov-west-1", "us-east-1", Err(NotFollowed::OtherPartition(Partition::GovCloud))),
            ("us-east-1", "us-iso-east-1", Err(NotFollowed::OtherPartition(Partition::Aws))),
            ("us-east-1", "evil", Err(NotFollowed::NoRegion)),
            ("garage", "us-east-1", Err(NotFollowed::NoRegion)),
        ];
        for (ours, named, admitted) in table {
            for endpoint in [None, Some("https://s3.us-east-1.amazonaws.com")] {
                assert_eq!(service(endpoint, ours).admits_region(&Region::new(named)), admitted, "{ours} {named}");
            }
        }
        let other = service(Some("http://127.0.0.1:9000"), "us-east-1");
        assert_eq!(other.admits_region(&Region::new("cn-north-1")), Ok(()), "the host stays");
    }

    #[test]
    fn a_location_is_followed_within_one_operators_domain() {
        let other = service(Some("https://s3.example.com/base"), "us-east-1");
        for (location, endpoint) in [
            ("https://s3.us-west-1.example.com/one/?versioning", "https://s3.us-west-1.example.com"),
            ("HTTPS://S3.US-WEST-1.EXAMPLE.COM.:8443/base/one", "https://s3.us-west-1.example.com:8443/base/"),
            ("//s3.us-west-1.example.com/one", "https://s3.us-west-1.example.com"),
            ("/west/one?versioning", "https://s3.example.com/west/"),
            ("https://one.s3.us-west-1.example.com/?versioning", "https://s3.us-west-1.example.com"),
        ] {
            assert_eq!(other.follow(location, "one").map(|it| it.to_string()), Ok(endpoint.to_owned()), "{location}");
        }
        let domain = || NotFollowed::OtherDomain("example.com".to_owned());
        for (location, why) in [
            ("https://other.example/one", domain()),
            ("https://example.com.evil.example/one", domain()),
            ("https://xn--exmple-cua.com/one", domain()),
            ("https://127.0.0.1/one", domain()),
            ("http://s3.us-west-1.example.com/one", NotFollowed::Scheme(Scheme::Https)),
            ("ftp://s3.us-west-1.example.com/one", NotFollowed::Scheme(Scheme::Https)),
            ("https://s3.example.com@other.example/one", NotFollowed::Userinfo),
            ("https://key:secret@s3.example.com/one", NotFollowed::Userinfo),
            ("https://ex\u{e4}mple.com/one", NotFollowed::Unreadable),
            ("https:\\\\other.example/one", NotFollowed::Unreadable),
            ("https://sso.example.com/login?to=/one", NotFollowed::OtherPath),
            ("https://one.com/?versioning", domain()),
            ("https://one.example.com.:0/one", NotFollowed::Unreadable),
        ] {
            assert_eq!(other.follow(location, "one"), Err(why), "{location}");
        }
        // The bucket is called as the endpoint's domain begins.
        let short = service(Some("https://one.example.com"), "us-east-1");
        assert_eq!(
            short.follow("https://other.example.com/", "other.example"),
            Err(NotFollowed::OtherDomain("example.com".to_owned()))
        );
    }

    #[test]
    fn without_a_registrable_domain_the_host_stays() {
        let address = service(Some("http://127.0.0.1:9000"), "us-east-1");
        assert!(address.follow("http://127.0.0.1:9001/one", "one").is_ok());
        let other = Err(NotFollowed::OtherHost("127.0.0.1".to_owned()));
        for location in ["http://127.0.0.2:9000/one", "http://localhost:9000/one", "http://s3.example.com/one"] {
            assert_eq!(address.follow(location, "one"), other, "{location}");
        }
        let label = service(Some("http://minio:9000"), "us-east-1");
        assert!(label.follow("http://minio:9001/one", "one").is_ok());
        assert!(label.follow("http://one.minio:9001/", "one").is_err());
        let odd = service(Some("http://user:password@minio:9000"), "us-east-1");
        assert_eq!(odd.follow("http://minio:9001/one", "one"), Err(NotFollowed::Unreadable));
    }

    #[test]
    fn places_are_quoted_and_short() {
        assert_eq!(quoted("https://user:password@other.example:8443/one?X-Amz-Signature=x"), "\"other.example:8443\"");
        assert_eq!(quoted("//other.example\\@x"), "\"other.example\"");
        assert_eq!(quoted("/one?secret"), "\"/one\"");
        assert_eq!(quoted("https://\u{1b}[2J\"/"), "\"\\u{1b}[2J\\\"\"");
        let long = quoted(&format!("https://{}/", "a".repeat(5000)));
        assert!(long.ends_with("a\"…") && long.len() < 120, "{long}");
    }
}
