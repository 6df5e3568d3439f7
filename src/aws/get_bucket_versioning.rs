//! `GetBucketVersioning`: versioning and MFA delete. Sources: Amazon S3 API reference, `GetBucketVersioning`; `MinIO`
//! documentation, "Bucket Versioning".

use aws_sdk_s3::types::{BucketVersioningStatus, MfaDeleteStatus};

use super::body::Kept;
use super::document::{self, Element, Undocumented};
use super::failure::Failure;
use super::route::Route;
use super::session::Session;
use crate::model::{Exclusions, MfaDelete, Operation, Versioning, VersioningState};

pub async fn get(session: &Session, route: &Route, bucket: &str) -> Result<VersioningState, Failure> {
    let operation = Operation::GetBucketVersioning;
    let s3 = session.s3(route);
    let (answer, body) = session
        .call(operation, || async {
            let kept = Kept::default();
            s3.get_bucket_versioning()
                .bucket(bucket)
                .set_expected_bucket_owner(session.expected_owner())
                .customize()
                .interceptor(kept.clone())
                .send()
                .await
                .map(|answer| (answer, kept.take()))
                .map_err(|error| Failure::from_sdk(operation, &error))
        })
        .await?;
    let undocumented = |element: &str, word: &str| {
        Failure::malformed(operation, format!("{element} is {word:?}, which is not documented"))
    };
    // An absent element is an answer: never configured. A word that is not documented is none.
    let versioning = match answer.status() {
        None => Versioning::Never,
        Some(BucketVersioningStatus::Enabled) => Versioning::Enabled,
        Some(BucketVersioningStatus::Suspended) => Versioning::Suspended,
        Some(other) => return Err(undocumented("Status", other.as_str())),
    };
    let mfa_delete = match answer.mfa_delete() {
        None => MfaDelete::Never,
        Some(MfaDeleteStatus::Disabled) => MfaDelete::Disabled,
        Some(MfaDeleteStatus::Enabled) => MfaDelete::Enabled,
        Some(other) => return Err(undocumented("MfaDelete", other.as_str())),
    };
    let exclusions = exclusions(&body).map_err(|why| Failure::malformed(operation, why.to_string()))?;
    let versioning = match (versioning, exclusions) {
        (Versioning::Enabled, Some(exclusions)) => Versioning::Partial(exclusions),
        // Where nothing is versioned, nothing is left out of it.
        (versioning, _) => versioning,
    };
    Ok(VersioningState { versioning, mfa_delete })
}

/// What versioning leaves out; `None` for nothing. S3 has no such setting.
fn exclusions(body: &[u8]) -> Result<Option<Exclusions>, Undocumented> {
    const PREFIXES: &str = "ExcludedPrefixes";
    const FOLDERS: &str = "ExcludeFolders";
    // Nearly every answer: to see that there is none is cheaper than to read it.
    if !body.windows(6).any(|letters| letters.eq_ignore_ascii_case(b"xclude")) {
        return Ok(None);
    }
    let root = document::parse(body)?;
    let known = |element: &&Element| [PREFIXES, FOLDERS].iter().any(|name| element.name().eq_ignore_ascii_case(name));
    let alike = |element: &&Element| element.name().to_ascii_lowercase().contains("exclude");
    if let Some(other) = root.children().iter().find(|element| alike(element) && !known(element)) {
        return Err(Undocumented::new(format!("{:?} is not documented, and may leave out objects", other.name())));
    }
    let folders = root.one(FOLDERS)?.map(|folders| {
        folders.word(|word| match word.trim().to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })
    });
    let mut prefixes = 0;
    for element in root.all(PREFIXES)? {
        // An element without a prefix excludes nothing; an empty prefix is one of every key.
        prefixes += element.all("Prefix")?.len();
        if let Some(other) = element.children().iter().find(|child| child.name() != "Prefix") {
            return Err(Undocumented::new(format!("{:?} in {PREFIXES} is not documented", other.name())));
        }
    }
    let exclusions = Exclusions {
        prefixes: u32::try_from(prefixes).unwrap_or(u32::MAX),
        folders: folders.transpose()?.unwrap_or(false),
    };
    Ok((exclusions.prefixes > 0 || exclusions.folders).then_some(exclusions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_versioning_leaves_out_is_read() {
        let read = |inside: &str| {
            exclusions(
                format!("<VersioningConfiguration><Status>Enabled</Status>{inside}</VersioningConfiguration>")
                    .as_bytes(),
            )
        };
        let left_out = |prefixes, folders| Ok(Some(Exclusions { prefixes, folders }));
        let one = "<ExcludedPrefixes><Prefix>tmp/</Prefix></ExcludedPrefixes>";
        for nothing in [
            "",
            "<ExcludeFolders>false</ExcludeFolders>",
            "<ExcludedPrefixes/>",
            "<ExcludedPrefixes></ExcludedPrefixes><ExcludeFolders>False</ExcludeFolders>",
        ] {
            assert_eq!(read(nothing), Ok(None), "{nothing}");
        }
        assert_eq!(read(one), left_out(1, false));
        assert_eq!(read(&one.repeat(3)), left_out(3, false));
        assert_eq!(read("<ExcludedPrefixes><Prefix>a</Prefix><Prefix/></ExcludedPrefixes>"), left_out(2, false));
        assert_eq!(read("<ExcludeFolders>true</ExcludeFolders>"), left_out(0, true));
        assert_eq!(read(&format!("{one}<ExcludeFolders>TRUE</ExcludeFolders>")), left_out(1, true));
        for odd in [
            "<ExcludeFolders/>",
            "<ExcludeFolders>perhaps</ExcludeFolders>",
            "<excludeFolders>true</excludeFolders>",
            "<ExcludedPrefix>tmp/</ExcludedPrefix>",
            "<ExcludedPrefixes><prefix>tmp/</prefix></ExcludedPrefixes>",
            "<ExcludedPrefixes><Pattern>tmp/</Pattern></ExcludedPrefixes>",
            "<ExcludeFolders>true</ExcludeFolders><ExcludeFolders>false</ExcludeFolders>",
        ] {
            assert!(read(odd).is_err(), "{odd}");
        }
    }
}
