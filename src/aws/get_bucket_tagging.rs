//! `GetBucketTagging`. Source: Amazon S3 API reference, `GetBucketTagging`.

use super::body::Kept;
use super::document::{self, Element, Undocumented};
use super::failure::Failure;
use super::route::Route;
use super::session::Session;
use crate::model::{Operation, Tags};

pub async fn get(session: &Session, route: &Route, bucket: &str) -> Result<Tags, Failure> {
    let operation = Operation::GetBucketTagging;
    let s3 = session.s3(route);
    let answer = session
        .call(operation, || async {
            let kept = Kept::default();
            s3.get_bucket_tagging()
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
        Err(failure) if failure.code() == Some("NoSuchTagSet") => Ok(Tags::default()),
        Err(failure) => Err(failure),
    }
}

fn read(root: &Element) -> Result<Tags, Undocumented> {
    let tags = root.required("TagSet")?.all("Tag")?;
    let mut tags: Vec<(String, String)> = tags.into_iter().map(document::tag).collect::<Result<_, _>>()?;
    tags.sort_unstable();
    match tags.windows(2).find(|two| two[0].0 == two[1].0) {
        Some(two) => Err(Undocumented::new(format!("the tag {:?} stands there twice", two[0].0))),
        None => Ok(Tags(tags)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(tags: &[(&str, &str)]) -> Result<Tags, Undocumented> {
        let tags = tags.iter().map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>"));
        let body = format!("<Tagging><TagSet>{}</TagSet></Tagging>", tags.collect::<String>());
        document::parse(body.as_bytes()).and_then(|root| read(&root))
    }

    #[test]
    fn tags_are_sorted_and_a_key_stands_once() {
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(read_of(&[]), Ok(Tags::default()));
        let sorted = Tags(vec![tag("Team", "a&b"), tag("team", "")]);
        assert_eq!(read_of(&[("team", ""), ("Team", "a&amp;b")]), Ok(sorted));
        assert!(read_of(&[("team", "a"), ("team", "b")]).is_err());
        for odd in ["<Tagging/>", "<Tagging><TagSet><tag/></TagSet></Tagging>", "<Tagging><TagSet/><TagSet/></Tagging>"]
        {
            assert!(document::parse(odd.as_bytes()).and_then(|root| read(&root)).is_err(), "{odd}");
        }
    }
}
