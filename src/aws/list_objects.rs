//! `ListObjectsV2`, one level of a bucket. Source: Amazon S3 API reference, `ListObjectsV2`.

use std::collections::BTreeSet;

use super::failure::Failure;
use super::session::{Route, Session};
use crate::model::Operation;

/// What stands directly below a prefix, without it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Level {
    pub folders: BTreeSet<String>,
    pub objects: BTreeSet<String>,
}

/// `prefix`: empty, or with `/` at its end.
pub async fn level(session: &Session, route: &Route, bucket: &str, prefix: &str) -> Result<Level, Failure> {
    let operation = Operation::ListObjectsV2;
    let s3 = session.s3(route);
    let mut level = Level::default();
    let mut tokens = BTreeSet::new();
    let mut next: Option<String> = None;
    loop {
        let answer = session
            .call(operation, || async {
                s3.list_objects_v2()
                    .bucket(bucket)
                    .prefix(prefix)
                    .delimiter("/")
                    .set_continuation_token(next.clone())
                    .send()
                    .await
                    .map_err(|error| Failure::from_sdk(operation, &error))
            })
            .await?;
        let below = |key: &str| key.strip_prefix(prefix).filter(|name| !name.is_empty()).map(str::to_owned);
        let folders = answer.common_prefixes().iter().filter_map(|it| below(it.prefix()?));
        level.folders.extend(folders.map(|folder| folder.trim_end_matches('/').to_owned()));
        level.objects.extend(answer.contents().iter().filter_map(|it| below(it.key()?)));
        match answer.next_continuation_token {
            Some(token) if answer.is_truncated == Some(true) => {
                if !tokens.insert(token.clone()) {
                    return Err(Failure::malformed(operation, "the list goes round in a circle"));
                }
                next = Some(token);
            }
            None if answer.is_truncated == Some(true) => {
                return Err(Failure::malformed(operation, "the list is cut and says not how it goes on"));
            }
            _ => return Ok(level),
        }
    }
}
