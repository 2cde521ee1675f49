//! The configuration of a transport.

use super::connector::Endpoint;
use crate::error::Error;
use crate::options::ClientSettings;
use crate::options::base_url::BaseUrl;
use crate::options::proxy_url::ProxyUrl;

/// The configuration of connections, with certificates that have been read and checked. A forked child can also use it.
#[derive(Debug, Clone)]
pub(crate) struct TransportConfig {
    pub(super) endpoint: Endpoint,
    pub(super) base_url: BaseUrl,
    pub(super) proxy: Option<ProxyUrl>,
    pub(super) max_idle_connections: u32,
}

impl TransportConfig {
    /// Reads the certificates that `settings` select.
    pub(crate) fn new(settings: &ClientSettings) -> Result<Self, Error> {
        Ok(Self {
            endpoint: Endpoint::new(settings)?,
            base_url: settings.base_url.clone(),
            proxy: settings.proxy.clone(),
            max_idle_connections: settings.max_idle_connections,
        })
    }
}
