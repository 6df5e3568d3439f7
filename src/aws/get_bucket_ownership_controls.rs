//! `GetBucketOwnershipControls`. Source: Amazon S3 API reference, `GetBucketOwnershipControls`.

use super::body::Kept;
use super::document::{self, Element, Undocumented};
use super::failure::Failure;
use super::route::Route;
use super::session::Session;
use crate::model::{ObjectOwnership, Operation};

pub async fn get(session: &Session, route: &Route, bucket: &str) -> Result<ObjectOwnership, Failure> {
    let operation = Operation::GetBucketOwnershipControls;
    let s3 = session.s3(route);
    let answer = session
        .call(operation, || async {
            let kept = Kept::default();
            s3.get_bucket_ownership_controls()
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
        Err(failure) if failure.code() == Some("OwnershipControlsNotFoundError") => Ok(ObjectOwnership::None),
        Err(failure) => Err(failure),
    }
}

fn read(root: &Element) -> Result<ObjectOwnership, Undocumented> {
    root.required("Rule")?.required("ObjectOwnership")?.word(|word| match word {
        "BucketOwnerEnforced" => Some(ObjectOwnership::BucketOwnerEnforced),
        "BucketOwnerPreferred" => Some(ObjectOwnership::BucketOwnerPreferred),
        "ObjectWriter" => Some(ObjectOwnership::ObjectWriter),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(rules: &str) -> Result<ObjectOwnership, Undocumented> {
        let body = format!("<OwnershipControls>{rules}</OwnershipControls>");
        document::parse(body.as_bytes()).and_then(|root| read(&root))
    }

    #[test]
    fn there_is_one_rule_with_a_documented_word() {
        let rule = |word: &str| format!("<Rule><ObjectOwnership>{word}</ObjectOwnership></Rule>");
        for (word, ownership) in [
            ("BucketOwnerEnforced", ObjectOwnership::BucketOwnerEnforced),
            ("BucketOwnerPreferred", ObjectOwnership::BucketOwnerPreferred),
            ("ObjectWriter", ObjectOwnership::ObjectWriter),
        ] {
            assert_eq!(read_of(&rule(word)), Ok(ownership));
        }
        for odd in ["", "<Rule/>", &rule(""), &rule("objectWriter"), &rule("ObjectWriter").repeat(2)] {
            assert!(read_of(odd).is_err(), "{odd}");
        }
    }
}
