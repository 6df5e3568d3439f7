//! AWS's partitions: which Regions and which hosts belong to them.
//!
//! Source: `partitions.json` of botocore 1.44.8, which the SDKs share.

use std::fmt;

/// A group of Regions with credentials of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Partition {
    Aws,
    China,
    GovCloud,
    EuropeanSovereign,
    Iso,
    IsoB,
    IsoE,
    IsoF,
}

/// What the names of AWS's endpoints end with, IPv4 and dual-stack.
const SUFFIXES: [&str; 14] = [
    ".amazonaws.com",
    ".api.aws",
    ".amazonaws.com.cn",
    ".api.amazonwebservices.com.cn",
    ".amazonaws.eu",
    ".api.amazonwebservices.eu",
    ".c2s.ic.gov",
    ".api.aws.ic.gov",
    ".sc2s.sgov.gov",
    ".api.aws.scloud",
    ".cloud.adc-e.uk",
    ".api.cloud-aws.adc-e.uk",
    ".csp.hci.ic.gov",
    ".api.aws.hci.ic.gov",
];

impl Partition {
    /// As it appears in ARNs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::China => "aws-cn",
            Self::GovCloud => "aws-us-gov",
            Self::EuropeanSovereign => "aws-eusc",
            Self::Iso => "aws-iso",
            Self::IsoB => "aws-iso-b",
            Self::IsoE => "aws-iso-e",
            Self::IsoF => "aws-iso-f",
        }
    }

    /// The partition of an AWS Region; `None` for a name that no Region of AWS can have. New Regions of `aws` may begin with
    /// any country or continent.
    pub fn of_region(region: &str) -> Option<Self> {
        let (area, number) = region.rsplit_once('-')?;
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        if (area, number) == ("aws", "global") {
            return Some(Self::Aws);
        }
        let words: Vec<&str> = area.split('-').collect();
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) || !words.iter().all(|it| is_word(it))
        {
            return None;
        }
        match words[..] {
            ["us", "gov", _] => Some(Self::GovCloud),
            ["us", "iso", _] => Some(Self::Iso),
            ["us", "isob", _] => Some(Self::IsoB),
            ["eu", "isoe", _] => Some(Self::IsoE),
            ["us", "isof", _] => Some(Self::IsoF),
            ["eusc", "de", _] => Some(Self::EuropeanSovereign),
            ["cn", _] => Some(Self::China),
            [place, _] if place.len() == 2 => Some(Self::Aws),
            _ => None,
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a host, in lower case, is an endpoint of AWS.
pub fn is_aws_host(host: &str) -> bool {
    SUFFIXES.iter().any(|suffix| host.ends_with(suffix))
}

/// Whether a host is one of AWS's FIPS endpoints of S3.
pub fn is_fips_host(host: &str) -> bool {
    is_aws_host(host) && host.split('.').any(|label| label == "s3-fips" || label.starts_with("s3-fips-"))
}

/// The same kind of S3 endpoint of AWS in another Region of its partition; `None` for endpoints that exist in one Region
/// only, such as those of a VPC.
pub fn in_region(host: &str, region: &str) -> Option<String> {
    let suffix = SUFFIXES.iter().find(|suffix| host.ends_with(*suffix))?;
    let labels: Vec<&str> = host[..host.len() - suffix.len()].split('.').collect();
    let is_s3 = |label: &str| label == "s3" || label == "s3-fips";
    let (kind, current) = match labels[..] {
        // The global endpoint is one of us-east-1.
        ["s3"] => ("s3", "us-east-1"),
        [s3, current] if is_s3(s3) => (s3, current),
        ["s3", "dualstack", current] => ("s3.dualstack", current),
        ["s3-fips", "dualstack", current] => ("s3-fips.dualstack", current),
        _ => return None,
    };
    let partition = Partition::of_region(current)?;
    (Partition::of_region(region) == Some(partition)).then(|| format!("{kind}.{region}{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_its_partition_and_nothing_else_has_one() {
        let table = [
            ("us-east-1", "aws"),
            ("eu-central-2", "aws"),
            ("ap-southeast-10", "aws"),
            ("mx-central-1", "aws"),
            ("nz-south-1", "aws"),
            ("aws-global", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("eusc-de-east-1", "aws-eusc"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
        ];
        for (region, partition) in table {
            assert_eq!(Partition::of_region(region).map(Partition::as_str), Some(partition), "{region}");
        }
        let others = [
            "",
            "default",
            "us-east",
            "us-east-1a",
            "US-EAST-1",
            "us_east_1",
            "us-east-1.evil",
            "-east-1",
            "a-b-1",
            "eu--1",
            "x",
        ];
        for other in others {
            assert_eq!(Partition::of_region(other), None, "{other}");
        }
    }

    #[test]
    fn an_endpoint_keeps_its_kind_in_another_region() {
        let table = [
            ("s3.us-east-1.amazonaws.com", "eu-west-1", Some("s3.eu-west-1.amazonaws.com")),
            ("s3.amazonaws.com", "eu-west-1", Some("s3.eu-west-1.amazonaws.com")),
            ("s3-fips.us-east-1.amazonaws.com", "us-west-2", Some("s3-fips.us-west-2.amazonaws.com")),
            ("s3.dualstack.us-east-1.amazonaws.com", "eu-west-1", Some("s3.dualstack.eu-west-1.amazonaws.com")),
            (
                "s3-fips.dualstack.us-east-1.amazonaws.com",
                "ca-west-1",
                Some("s3-fips.dualstack.ca-west-1.amazonaws.com"),
            ),
            ("s3.cn-north-1.amazonaws.com.cn", "cn-northwest-1", Some("s3.cn-northwest-1.amazonaws.com.cn")),
            ("s3.us-east-1.amazonaws.com", "us-gov-west-1", None),
            ("s3.us-east-1.amazonaws.com", "cn-north-1", None),
            ("bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com", "eu-west-1", None),
            ("minio.elb.us-east-1.amazonaws.com", "eu-west-1", None),
            ("s3.us-east-1.example.com", "eu-west-1", None),
        ];
        for (host, region, expected) in table {
            assert_eq!(in_region(host, region).as_deref(), expected, "{host} in {region}");
        }
        assert!(is_fips_host("s3-fips.dualstack.us-east-1.amazonaws.com"));
        assert!(!is_fips_host("s3.us-east-1.amazonaws.com") && !is_fips_host("s3-fips.example.com"));
        assert!(is_aws_host("sts.us-east-1.api.aws") && !is_aws_host("amazonaws.com.example"));
        assert!(!is_aws_host("notamazonaws.com"));
    }
}
