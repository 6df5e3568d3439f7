//! Where the bucket's name goes in a URL: in the path, or before the host. Decided once for each S3 service of a run.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::failure::Failure;

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// Path-style, but for FIPS endpoints and services that refuse it. Virtual-hosted style needs a DNS look-up and a TLS
    /// connection for each bucket.
    Auto,
    Path,
    Virtual,
}

/// The styles of all services of a run.
#[derive(Debug, Clone)]
pub struct Styles {
    wanted: Addressing,
    services: Arc<Mutex<HashMap<Service, Arc<Style>>>>,
}

/// What makes a service another one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Service {
    /// Of the settings; `None` for AWS.
    pub endpoint: Option<String>,
    /// Whether its endpoints are FIPS endpoints of AWS.
    pub fips: bool,
}

/// The style of one service, shared by all sessions that ask it.
#[derive(Debug)]
pub struct Style {
    may_change: bool,
    virtual_hosted: AtomicBool,
}

impl Styles {
    pub fn new(wanted: Addressing) -> Self {
        Self { wanted, services: Arc::default() }
    }

    pub(super) fn of(&self, service: Service) -> Arc<Style> {
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let style = services.entry(service).or_insert_with_key(|service| Arc::new(Style::first(self.wanted, service)));
        Arc::clone(style)
    }
}

impl Style {
    /// Source: AWS's page on FIPS endpoints, which offers virtual-hosted style only.
    fn first(wanted: Addressing, service: &Service) -> Self {
        let service_name = service.endpoint.as_deref().unwrap_or("Amazon S3");
        let (may_change, virtual_hosted) = match wanted {
            Addressing::Auto => (true, service.fips),
            Addressing::Path => (false, false),
            Addressing::Virtual => (false, true),
        };
        let style = if virtual_hosted { "virtual-hosted" } else { "path" };
        let why = match wanted {
            Addressing::Auto if service.fips => "FIPS endpoints take no other",
            Addressing::Auto => "the default",
            Addressing::Path | Addressing::Virtual => "--addressing",
        };
        if wanted == Addressing::Auto && service.fips {
            tracing::info!(service = service_name, "S3 is asked with {style}-style URLs: {why}");
        } else {
            tracing::debug!(service = service_name, "S3 is asked with {style}-style URLs: {why}");
        }
        Self { may_change, virtual_hosted: AtomicBool::new(virtual_hosted) }
    }

    pub fn is_virtual_hosted(&self) -> bool {
        self.virtual_hosted.load(Ordering::Relaxed)
    }

    /// The service refused a request with a path-style URL. Whether it is worth while to ask again: from now on names go
    /// before the host. `before`: the style when the request was made.
    pub(super) fn leave_path_style(&self, was_virtual_hosted: bool, failure: &Failure) -> bool {
        if !self.may_change || was_virtual_hosted {
            return false;
        }
        if !self.virtual_hosted.swap(true, Ordering::Relaxed) {
            let reason = &failure.reason;
            tracing::info!(%reason, "the service refuses path-style URLs: S3 is asked with virtual-hosted-style URLs");
        }
        true
    }
}

/// Whether the words of an error say that a bucket's name belongs before the host.
///
/// Sources: the error codes of Alibaba Cloud OSS, Tencent Cloud COS, Volcengine TOS and Huawei Cloud OBS, in this order. AWS
/// has announced none yet.
pub(super) fn refuses_path_style(code: &str, message: &str) -> bool {
    const CODES: [&str; 4] =
        ["SecondLevelDomainForbidden", "PathStyleDomainForbidden", "InvalidPathAccess", "VirtualHostDomainRequired"];
    const WORDS: [&str; 6] =
        ["virtual host", "virtual-host", "virtual style", "virtual-style", "path-style", "path style"];
    let message = message.to_ascii_lowercase();
    // A denial repeats names of users and roles.
    CODES.contains(&code) || code != "AccessDenied" && WORDS.iter().any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Operation;

    #[test]
    fn a_service_is_decided_on_once() {
        let styles = Styles::new(Addressing::Auto);
        let service = |endpoint: Option<&str>, fips| Service { endpoint: endpoint.map(str::to_owned), fips };
        let style = styles.of(service(Some("https://oss.example"), false));
        let refused = Failure::malformed(Operation::GetBucketVersioning, "");
        assert!(!style.is_virtual_hosted());
        assert!(style.leave_path_style(false, &refused));
        assert!(style.leave_path_style(false, &refused), "it was asked before");
        assert!(!style.leave_path_style(true, &refused), "a name with dots, which stays in the path");
        assert!(styles.of(service(Some("https://oss.example"), false)).is_virtual_hosted());
        assert!(!styles.of(service(Some("https://other.example"), false)).is_virtual_hosted());
        assert!(!styles.of(service(None, false)).is_virtual_hosted());
        assert!(styles.of(service(None, true)).is_virtual_hosted());
        for (wanted, virtual_hosted) in [(Addressing::Path, false), (Addressing::Virtual, true)] {
            let style = Styles::new(wanted).of(service(None, true));
            assert_eq!(style.is_virtual_hosted(), virtual_hosted);
            assert!(!style.leave_path_style(false, &refused), "the user wants it");
        }
    }

    #[test]
    fn refusals_of_path_style_are_known() {
        for (code, message) in [
            ("SecondLevelDomainForbidden", ""),
            ("PathStyleDomainForbidden", "must be addressed using COS virtual-styled domain."),
            ("InvalidPathAccess", "Forbidden path to access server"),
            ("VirtualHostDomainRequired", ""),
            ("InvalidRequest", "Please use virtual hosted style to access."),
            ("NotImplemented", "Path-style requests are not supported"),
        ] {
            assert!(refuses_path_style(code, message), "{code} {message}");
        }
        for (code, message) in [
            ("AccessDenied", "User: arn:aws:iam::111111111111:user/path-style is not authorized"),
            ("NoSuchBucket", "The specified bucket does not exist"),
            ("InvalidRequest", "a bad path"),
        ] {
            assert!(!refuses_path_style(code, message), "{code} {message}");
        }
    }
}
