//! `GetBucketNotificationConfiguration`: how many configurations there are of each kind. Source: Amazon S3 API reference, `GetBucketNotificationConfiguration`.

use super::body::Kept;
use super::document::{self, Element, Undocumented};
use super::failure::Failure;
use super::route::Route;
use super::session::Session;
use crate::model::{Notification, Operation};

pub async fn get(session: &Session, route: &Route, bucket: &str) -> Result<Notification, Failure> {
    let operation = Operation::GetBucketNotificationConfiguration;
    let s3 = session.s3(route);
    let kept = session
        .call(operation, || async {
            let kept = Kept::default();
            s3.get_bucket_notification_configuration()
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

/// An empty document is an answer: there are none.
fn read(root: &Element) -> Result<Notification, Undocumented> {
    let mut notification = Notification::default();
    for child in root.children() {
        // S3's name of the element for Lambda functions is older than theirs.
        match child.name() {
            "TopicConfiguration" => notification.topics += 1,
            "QueueConfiguration" => notification.queues += 1,
            "CloudFunctionConfiguration" => notification.functions += 1,
            "EventBridgeConfiguration" => notification.event_bridge = true,
            // It may be a notification too.
            other => return Err(Undocumented::new(format!("{other:?} is not documented"))),
        }
    }
    Ok(notification)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_counted_and_a_strange_one_is_nothing() {
        let read_of = |inside: &str| {
            let body = format!("<NotificationConfiguration>{inside}</NotificationConfiguration>");
            document::parse(body.as_bytes()).and_then(|root| read(&root))
        };
        assert_eq!(read_of(""), Ok(Notification::default()));
        let all = "<QueueConfiguration><Queue>q</Queue></QueueConfiguration><TopicConfiguration/><QueueConfiguration/>\
                   <EventBridgeConfiguration/><CloudFunctionConfiguration/>";
        assert_eq!(read_of(all), Ok(Notification { topics: 1, queues: 2, functions: 1, event_bridge: true }));
        for odd in ["<topicConfiguration/>", "<WebhookConfiguration/>"] {
            assert!(read_of(odd).is_err(), "{odd}");
        }
    }
}
