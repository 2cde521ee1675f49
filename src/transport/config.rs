//! The configuration of a transport: files that the options name, read once.

use ureq::http::Uri;
use ureq::tls::{ClientCert, RootCerts};

use super::certificates;
use crate::error::Error;
use crate::options::proxy_url::ProxyUrl;
use crate::options::{ClientSettings, Trust};

/// The configuration for connections, read and checked. It contains nothing that a forked child could not use.
#[derive(Debug, Clone)]
pub(crate) struct TransportConfig {
    pub(super) uri: Uri,
    pub(super) roots: RootCerts,
    pub(super) client_cert: Option<ClientCert>,
    pub(super) proxy: Option<ProxyUrl>,
    pub(super) max_idle_connections: u32,
}

impl TransportConfig {
    /// Reads the files that `settings` name.
    pub(crate) fn new(settings: &ClientSettings) -> Result<Self, Error> {
        let no_uri = |_| Error::argument("base_url", "is no URL");
        Ok(Self {
            uri: settings.base_url.as_str().parse().map_err(no_uri)?,
            // Plain HTTP does not use them, but an error in them is reported nevertheless.
            roots: match (settings.base_url.scheme(), &settings.trust) {
                ("http", Trust::Platform) => RootCerts::WebPki,
                (_, trust) => certificates::roots(trust)?,
            },
            client_cert: settings.identity.as_ref().map(certificates::client_cert).transpose()?,
            proxy: settings.proxy.clone(),
            max_idle_connections: settings.max_idle_connections,
        })
    }
}
