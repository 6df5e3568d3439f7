//! `GetBucketEncryption`. Source: Amazon S3 API reference, `GetBucketEncryption`.

use super::body::Kept;
use super::document::{self, Element, Undocumented};
use super::failure::Failure;
use super::route::Route;
use super::session::Session;
use crate::model::{Encryption, Operation};

pub async fn get(session: &Session, route: &Route, bucket: &str) -> Result<Encryption, Failure> {
    let operation = Operation::GetBucketEncryption;
    let s3 = session.s3(route);
    let answer = session
        .call(operation, || async {
            let kept = Kept::default();
            s3.get_bucket_encryption()
                .bucket(bucket)
                .set_expected_bucket_owner(session.expected_owner())
                .customize()
                .interceptor(kept.clone())
                .send()
                .await
                .map(|_| kept)
                .map_err(|error| Failure::from_sdk(operation, &error))
        })
        .await;
    match answer {
        Ok(kept) => document::read(operation, &kept, read),
        // S3's way to say that there is none.
        Err(failure) if failure.code() == Some("ServerSideEncryptionConfigurationNotFoundError") => {
            Ok(Encryption::None)
        }
        Err(failure) => Err(failure),
    }
}

/// Source: Amazon S3 API reference, `ServerSideEncryptionByDefault`.
const ALGORITHMS: [&str; 5] = ["AES256", "aws:kms", "aws:kms:dsse", "aws:fsx", "aws:backup"];

fn read(root: &Element) -> Result<Encryption, Undocumented> {
    let rules = root.all("Rule")?;
    // S3 keeps no configuration without rules: such an answer is not one of S3's.
    if rules.is_empty() {
        return Err(Undocumented::new("a configuration without rules"));
    }
    let mut algorithms = Vec::new();
    for rule in rules {
        // A rule may say only something about bucket keys.
        if let Some(default) = rule.one("ApplyServerSideEncryptionByDefault")? {
            let algorithm = default.required("SSEAlgorithm")?;
            algorithms.push(algorithm.word(|word| ALGORITHMS.contains(&word).then(|| word.to_owned()))?);
        }
    }
    Ok(Encryption::Present(algorithms))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(rules: &str) -> Result<Encryption, Undocumented> {
        let name = "ServerSideEncryptionConfiguration";
        document::parse(format!("<{name}>{rules}</{name}>").as_bytes()).and_then(|root| read(&root))
    }

    fn rule(default: &str) -> String {
        format!(
            "<Rule><ApplyServerSideEncryptionByDefault>{default}</ApplyServerSideEncryptionByDefault>\
             <BucketKeyEnabled>true</BucketKeyEnabled></Rule>"
        )
    }

    #[test]
    fn the_algorithm_of_each_rule_is_read() {
        for algorithm in ALGORITHMS {
            let key = format!("<SSEAlgorithm>{algorithm}</SSEAlgorithm><KMSMasterKeyID>key</KMSMasterKeyID>");
            assert_eq!(read_of(&rule(&key)), Ok(Encryption::Present(vec![algorithm.to_owned()])));
        }
        let keys_only = "<Rule><BucketKeyEnabled>true</BucketKeyEnabled></Rule>";
        assert_eq!(read_of(keys_only), Ok(Encryption::Present(Vec::new())));
    }

    #[test]
    fn what_is_not_documented_is_no_encryption_and_no_absence_of_it() {
        for odd in [
            "",
            "<rule/>",
            &rule(""),
            &rule("<SSEAlgorithm/>"),
            &rule("<SSEAlgorithm>aes256</SSEAlgorithm>"),
            &rule("<SSEAlgorithm>AES256</SSEAlgorithm><SSEAlgorithm>aws:kms</SSEAlgorithm>"),
        ] {
            assert!(read_of(odd).is_err(), "{odd}");
        }
    }
}
