//! The address of a bucket and how its requests are signed: the SDK's rules are worked through once for each client, not
//! twice for each request.

use std::sync::{Arc, OnceLock};

use aws_sdk_s3::config::auth::{Params as AuthParams, ResolveAuthScheme};
use aws_sdk_s3::config::endpoint::{DefaultResolver, Endpoint, EndpointFuture, Params, ResolveEndpoint};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::{AuthSchemeId, AuthSchemeOption, AuthSchemeOptionsFuture};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::addressing::Style;

/// The endpoints of one client, whose settings do not change: of two buckets with plain names only the names differ.
#[derive(Debug)]
pub struct Endpoints {
    rules: DefaultResolver,
    style: Arc<Style>,
    paths: OnceLock<Found>,
    hosts: OnceLock<Found>,
}

#[derive(Debug)]
struct Found {
    before_bucket: String,
    after_bucket: String,
    endpoint: Endpoint,
}

/// Where the name of one bucket goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Host,
}

impl Endpoints {
    pub fn new(style: Arc<Style>) -> Self {
        Self { rules: DefaultResolver::new(), style, paths: OnceLock::new(), hosts: OnceLock::new() }
    }

    /// A name with dots fits no wildcard certificate, so it stays in the path.
    fn place(&self, bucket: &str) -> Place {
        if self.style.is_virtual_hosted() && !bucket.contains('.') { Place::Host } else { Place::Path }
    }
}

impl ResolveEndpoint for Endpoints {
    fn resolve_endpoint<'a>(&'a self, params: &'a Params) -> EndpointFuture<'a> {
        let Some(bucket) = params.bucket() else { return ResolveEndpoint::resolve_endpoint(&self.rules, params) };
        let place = self.place(bucket);
        let cache = match place {
            Place::Path => &self.paths,
            Place::Host => &self.hosts,
        };
        if !is_plain(bucket) {
            return EndpointFuture::new(self.by_the_rules(params, place));
        }
        if let Some(Found { before_bucket, after_bucket, endpoint }) = cache.get() {
            let url = [before_bucket, bucket, after_bucket].concat();
            return EndpointFuture::ready(Ok(endpoint.clone().into_builder().url(url).build()));
        }
        EndpointFuture::new(async move {
            let endpoint = self.by_the_rules(params, place).await?;
            if let Some((before, after)) = split(endpoint.url(), bucket, place) {
                let (before_bucket, after_bucket) = (before.to_owned(), after.to_owned());
                let _ = cache.set(Found { before_bucket, after_bucket, endpoint: endpoint.clone() });
            }
            Ok(endpoint)
        })
    }
}

impl Endpoints {
    async fn by_the_rules(&self, params: &Params, place: Place) -> Result<Endpoint, BoxError> {
        let in_path = place == Place::Path;
        if params.force_path_style() == Some(in_path) {
            return ResolveEndpoint::resolve_endpoint(&self.rules, params).await;
        }
        let params = with_style(params, in_path)?;
        ResolveEndpoint::resolve_endpoint(&self.rules, &params).await
    }
}

/// What stands before and behind the bucket's name.
fn split<'a>(url: &'a str, bucket: &str, place: Place) -> Option<(&'a str, &'a str)> {
    match place {
        Place::Path => url.strip_suffix(bucket).filter(|before| before.ends_with('/')).map(|before| (before, "")),
        Place::Host => {
            let scheme = url.find("://")? + 3;
            let after = url[scheme..].strip_prefix(bucket).filter(|after| after.starts_with('.'))?;
            Some((&url[..scheme], after))
        }
    }
}

/// The same parameters with the bucket's name in the path or not.
fn with_style(params: &Params, in_path: bool) -> Result<Params, BoxError> {
    let text = |value: Option<&str>| value.map(str::to_owned);
    let built = Params::builder()
        .force_path_style(in_path)
        .set_bucket(text(params.bucket()))
        .set_region(text(params.region()))
        .set_endpoint(text(params.endpoint()))
        .set_key(text(params.key()))
        .set_prefix(text(params.prefix()))
        .set_copy_source(text(params.copy_source()))
        .set_use_fips(params.use_fips())
        .set_use_dual_stack(params.use_dual_stack())
        .set_accelerate(params.accelerate())
        .set_use_global_endpoint(params.use_global_endpoint())
        .set_use_object_lambda_endpoint(params.use_object_lambda_endpoint())
        .set_disable_access_points(params.disable_access_points())
        .set_disable_multi_region_access_points(params.disable_multi_region_access_points())
        .set_use_arn_region(params.use_arn_region())
        .set_use_s3_express_control_endpoint(params.use_s3_express_control_endpoint())
        .set_disable_s3_express_session_auth(params.disable_s3_express_session_auth())
        .build()?;
    Ok(built)
}

/// An endpoint of the settings as the rules need it: they put a bucket's name right behind a path.
pub fn with_slash(endpoint: &str) -> String {
    let host = endpoint.find("://").map_or(0, |scheme| scheme + 3);
    let needs_one = endpoint[host..].contains('/') && !endpoint.ends_with('/') && !endpoint.contains(['?', '#']);
    if needs_one { format!("{endpoint}/") } else { endpoint.to_owned() }
}

/// Signature version 4 for everything: other schemes belong to access points over several Regions and to what is inside
/// directory buckets. Their list is signed like everything else, for the service that the endpoint names.
#[derive(Debug)]
pub struct Signature;

impl ResolveAuthScheme for Signature {
    fn resolve_auth_scheme<'a>(
        &'a self,
        _: &'a AuthParams,
        _: &'a ConfigBag,
        _: &'a RuntimeComponents,
    ) -> AuthSchemeOptionsFuture<'a> {
        AuthSchemeOptionsFuture::ready(Ok(vec![AuthSchemeOption::from(AuthSchemeId::new("sigv4"))]))
    }
}

/// Whether the name has no meaning of its own in the rules, as ARNs and the suffixes `--x-s3` and `--op-s3` have, and
/// stands in a URL as it is.
fn is_plain(bucket: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (3..=63).contains(&bucket.len())
        && bucket.bytes().all(allowed)
        && !bucket.starts_with('-')
        && !bucket.ends_with('-')
        && !bucket.contains("--")
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::aws::addressing::{Addressing, Service, Styles};

    fn endpoints(wanted: Addressing) -> Endpoints {
        Endpoints::new(Styles::new(wanted).of(Service { endpoint: None, fips: false }))
    }

    fn resolve(resolver: &impl ResolveEndpoint, params: &Params) -> Result<Endpoint, String> {
        let endpoint = resolver.resolve_endpoint(params).now_or_never().expect("nothing is waited for");
        endpoint.map_err(|error| error.to_string())
    }

    #[test]
    fn the_list_of_directory_buckets_has_an_address_and_a_signature_of_its_own() {
        for (endpoint, url) in [
            (None, "https://s3express-control.eu-west-1.amazonaws.com"),
            (Some("http://127.0.0.1:9000"), "http://127.0.0.1:9000"),
        ] {
            let params = Params::builder()
                .region("eu-west-1")
                .force_path_style(true)
                .use_dual_stack(false)
                .use_fips(false)
                .accelerate(false)
                .use_s3_express_control_endpoint(true)
                .disable_s3_express_session_auth(true)
                .set_endpoint(endpoint.map(str::to_owned));
            let found =
                resolve(&endpoints(Addressing::Auto), &params.build().expect("good parameters")).expect("an endpoint");
            assert_eq!(found.url(), url);
            let [scheme] = found.auth_schemes() else { panic!("{found:?}") };
            let service = scheme.get("signingName").and_then(|name| name.as_string());
            assert_eq!((scheme.name(), service), ("sigv4", Some("s3express")));
        }
    }

    /// How every request is made: path-style, which the style may change.
    fn params(region: &str, dual_stack: bool, endpoint: Option<&str>, bucket: Option<&str>, in_path: bool) -> Params {
        let params = Params::builder()
            .region(region)
            .force_path_style(in_path)
            .use_dual_stack(dual_stack)
            .use_fips(false)
            .accelerate(false)
            .set_endpoint(endpoint.map(str::to_owned))
            .set_bucket(bucket.map(str::to_owned));
        params.build().expect("good parameters")
    }

    #[test]
    fn every_address_is_the_one_of_the_rules() {
        let settings: [(&str, bool, Option<&str>); 6] = [
            ("us-east-1", false, None),
            ("eu-west-1", true, None),
            ("cn-north-1", false, None),
            ("us-gov-west-1", false, None),
            ("us-east-1", false, Some("http://127.0.0.1:9000")),
            ("us-east-1", false, Some("https://example.com/with/a/path/")),
        ];
        let names = [
            "a-bucket",
            "another-1",
            "with.dots",
            "Upper_Case",
            "zone--use1-az4--x-s3",
            "arn:aws:s3:::x",
            "third",
            "a--b",
            "-edge",
            "ab",
        ];
        for (region, dual_stack, endpoint) in settings {
            for wanted in [Addressing::Path, Addressing::Virtual] {
                let endpoints = endpoints(wanted);
                for name in names.into_iter().map(Some).chain([None]) {
                    let dotted = name.is_some_and(|name| name.contains('.'));
                    let in_path = wanted == Addressing::Path || dotted;
                    let expected =
                        resolve(&DefaultResolver::new(), &params(region, dual_stack, endpoint, name, in_path));
                    let found = resolve(&endpoints, &params(region, dual_stack, endpoint, name, true));
                    assert_eq!(found, expected, "{name:?} in {region}, {wanted:?}");
                }
                // An IP address takes no name before it.
                let by_host = wanted == Addressing::Virtual && !endpoint.is_some_and(|it| it.contains("127"));
                let once = [endpoints.paths.get().is_some(), endpoints.hosts.get().is_some()];
                assert_eq!(once, [wanted == Addressing::Path, by_host], "{region}, {endpoint:?}, {wanted:?}");
            }
        }
    }

    #[test]
    fn a_bucket_stands_behind_the_path_of_an_endpoint() {
        for (endpoint, url) in [
            ("http://h", "http://h/one"),
            ("http://h/", "http://h/one"),
            ("http://h/storage/v1/s3", "http://h/storage/v1/s3/one"),
            ("http://h/storage/v1/s3/", "http://h/storage/v1/s3/one"),
            ("http://127.0.0.1:9000/s3", "http://127.0.0.1:9000/s3/one"),
        ] {
            let slashed = with_slash(endpoint);
            let params = params("us-east-1", false, Some(&slashed), Some("one"), true);
            assert_eq!(resolve(&endpoints(Addressing::Path), &params).expect("an endpoint").url(), url, "{endpoint}");
        }
        assert_eq!(with_slash("http://h/x?y"), "http://h/x?y", "the rules refuse it");
    }
}
