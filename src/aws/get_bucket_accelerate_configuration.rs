//! `GetBucketAccelerateConfiguration`. Source: Amazon S3 API reference, `GetBucketAccelerateConfiguration`.

use super::body::Kept;
use super::document::{self, Element, Undocumented};
use super::failure::Failure;
use super::route::Route;
use super::session::Session;
use crate::model::{Acceleration, Operation};

pub async fn get(session: &Session, route: &Route, bucket: &str) -> Result<Acceleration, Failure> {
    let operation = Operation::GetBucketAccelerateConfiguration;
    let s3 = session.s3(route);
    let kept = session
        .call(operation, || async {
            let kept = Kept::default();
            s3.get_bucket_accelerate_configuration()
                .bucket(bucket)
                .set_expected_bucket_owner(session.expected_owner())
                .customize()
                .interceptor(kept.clone())
                .send()
                .await
                .map(|_| kept)
                .map_err(|error| Failure::from_sdk(operation, &error))
        })
        .await?;
    document::read(operation, &kept, read)
}

fn read(root: &Element) -> Result<Acceleration, Undocumented> {
    // An absent element is an answer: never configured.
    let Some(status) = root.one("Status")? else { return Ok(Acceleration::Never) };
    status.word(|word| match word {
        "Enabled" => Some(Acceleration::Enabled),
        "Suspended" => Some(Acceleration::Suspended),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_status_is_never_configured_and_a_strange_one_is_nothing() {
        let read_of = |inside: &str| {
            let body = format!("<AccelerateConfiguration>{inside}</AccelerateConfiguration>");
            document::parse(body.as_bytes()).and_then(|root| read(&root))
        };
        assert_eq!(read_of(""), Ok(Acceleration::Never));
        assert_eq!(read_of("<Status>Enabled</Status>"), Ok(Acceleration::Enabled));
        assert_eq!(read_of("<Status>Suspended</Status>"), Ok(Acceleration::Suspended));
        for odd in
            ["<Status/>", "<status>Enabled</status>", "<Status>Disabled</Status>", "<Status>Enabled</Status><Status/>"]
        {
            assert!(read_of(odd).is_err(), "{odd}");
        }
    }
}
