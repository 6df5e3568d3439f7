//! `ListObjectsV2`, one level of a bucket. Source: Amazon S3 API reference, `ListObjectsV2`.

use std::collections::BTreeSet;

use super::body::Kept;
use super::failure::Failure;
use super::listing::{Behind, Most, PageEnd, Position, Seen};
use super::route::Route;
use super::session::Session;
use crate::model::Operation;

/// Bytes of a key.
///
/// Source: S3 user guide, "Naming Amazon S3 objects".
pub const LONGEST_KEY: usize = 1024;

/// What stands directly below a prefix, without it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Level {
    pub folders: BTreeSet<String>,
    pub objects: BTreeSet<String>,
}

/// `prefix`: empty, or with `/` at its end.
pub async fn level(session: &Session, route: &Route, bucket: &str, prefix: &str) -> Result<Level, Failure> {
    let operation = Operation::ListObjectsV2;
    if prefix.len() > LONGEST_KEY {
        return Err(too_long(operation, prefix));
    }
    let s3 = session.s3(route);
    let mut level = Level::default();
    let mut seen = Seen::new(Most::OBJECTS);
    let mut position: Option<Position> = None;
    loop {
        let token = position.as_ref().and_then(Position::token);
        let (answer, body) = session
            .call(operation, || async {
                let kept = Kept::default();
                s3.list_objects_v2()
                    .bucket(bucket)
                    .prefix(prefix)
                    .delimiter("/")
                    .set_continuation_token(token.map(str::to_owned))
                    .customize()
                    .interceptor(kept.clone())
                    .send()
                    .await
                    .map(|answer| (answer, kept.take()))
                    .map_err(|error| Failure::from_sdk(operation, &error))
            })
            .await?;
        let folders = answer.common_prefixes().iter().filter_map(|it| Some((true, it.prefix()?)));
        let objects = answer.contents().iter().filter_map(|it| Some((false, it.key()?)));
        for (is_folder, key) in seen.new_of(folders.chain(objects).collect(), |(_, key)| key) {
            let Some(name) = key.strip_prefix(prefix).filter(|name| !name.is_empty()) else { continue };
            if is_folder {
                level.folders.insert(name.trim_end_matches('/').to_owned());
            } else {
                level.objects.insert(name.to_owned());
            }
        }
        let end = PageEnd::read(&body).map_err(|why| Failure::malformed(operation, why))?;
        match end.of_objects().behind(position.as_ref(), &mut seen) {
            Behind::Page(next) => position = Some(next),
            Behind::Nothing => return Ok(level),
            Behind::Broken(why) => return Err(Failure::malformed(operation, why)),
        }
    }
}

/// A key that no object has, which would make an address that no client can send.
pub(super) fn too_long(operation: Operation, key: &str) -> Failure {
    let bytes = key.len();
    Failure::not_asked(operation, format!("a key of {bytes} bytes, and S3 has none of more than {LONGEST_KEY}"))
}
