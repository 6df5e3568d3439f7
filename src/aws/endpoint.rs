//! The address of a bucket and how its requests are signed: the SDK's rules are worked through once for each client, not
//! twice for each request.

use std::sync::OnceLock;

use aws_sdk_s3::config::auth::{Params as AuthParams, ResolveAuthScheme};
use aws_sdk_s3::config::endpoint::{DefaultResolver, Endpoint, EndpointFuture, Params, ResolveEndpoint};
use aws_smithy_runtime_api::client::auth::{AuthSchemeId, AuthSchemeOption, AuthSchemeOptionsFuture};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// The endpoints of one client, whose settings do not change: of two buckets with plain names only the names differ.
#[derive(Debug, Default)]
pub struct Endpoints {
    rules: DefaultResolver,
    found: OnceLock<Found>,
}

#[derive(Debug)]
struct Found {
    /// What stands before the bucket's name.
    base: String,
    endpoint: Endpoint,
}

impl ResolveEndpoint for Endpoints {
    fn resolve_endpoint<'a>(&'a self, params: &'a Params) -> EndpointFuture<'a> {
        let by_the_rules = || ResolveEndpoint::resolve_endpoint(&self.rules, params);
        let Some(bucket) = params.bucket().filter(|bucket| is_plain(bucket)) else { return by_the_rules() };
        if let Some(Found { base, endpoint }) = self.found.get() {
            let url = [base, bucket].concat();
            return EndpointFuture::ready(Ok(endpoint.clone().into_builder().url(url).build()));
        }
        EndpointFuture::new(async move {
            let endpoint = by_the_rules().await?;
            // Virtual-hosted addresses begin with the name.
            if let Some(base) = endpoint.url().strip_suffix(bucket).filter(|base| base.ends_with('/')) {
                let _ = self.found.set(Found { base: base.to_owned(), endpoint: endpoint.clone() });
            }
            Ok(endpoint)
        })
    }
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
    !bucket.is_empty() && bucket.bytes().all(allowed) && !bucket.contains("--")
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

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
            let found = resolve(&Endpoints::default(), &params.build().expect("good parameters")).expect("an endpoint");
            assert_eq!(found.url(), url);
            let [scheme] = found.auth_schemes() else { panic!("{found:?}") };
            let service = scheme.get("signingName").and_then(|name| name.as_string());
            assert_eq!((scheme.name(), service), ("sigv4", Some("s3express")));
        }
    }

    #[test]
    fn every_address_is_the_one_of_the_rules() {
        // Region, path-style, dual-stack, the user's own endpoint; and whether the rules are needed only once.
        let settings: [(&str, bool, bool, Option<&str>, bool); 7] = [
            ("us-east-1", true, false, None, true),
            ("eu-west-1", true, true, None, true),
            ("cn-north-1", true, false, None, true),
            ("us-gov-west-1", true, false, None, true),
            ("us-east-1", true, false, Some("http://127.0.0.1:9000"), true),
            ("us-east-1", true, false, Some("https://example.com/with/a/path"), false),
            ("ap-southeast-2", false, false, None, false),
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
        ];
        for (region, path_style, dual_stack, endpoint, once) in settings {
            let endpoints = Endpoints::default();
            for name in names.into_iter().map(Some).chain([None]) {
                let params = Params::builder()
                    .region(region)
                    .force_path_style(path_style)
                    .use_dual_stack(dual_stack)
                    .use_fips(false)
                    .accelerate(false)
                    .set_endpoint(endpoint.map(str::to_owned))
                    .set_bucket(name.map(str::to_owned))
                    .build()
                    .expect("good parameters");
                let expected = resolve(&DefaultResolver::new(), &params);
                assert_eq!(resolve(&endpoints, &params), expected, "{name:?} in {region}");
            }
            assert_eq!(endpoints.found.get().is_some(), once, "{region}, {endpoint:?}");
        }
    }
}
