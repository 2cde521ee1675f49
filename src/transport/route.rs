//! Where a connection goes first: to the service or, if there is one, to the proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver as UreqResolver};
use ureq::unversioned::transport::NextTimeout;

use super::cancel::Cancel;
use super::resolver::{Failure, Resolver};
use crate::proxy_url::ProxyUrl;

/// Tells the HTTP library which addresses to connect to.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) resolver: Resolver,
    pub(super) proxy: Option<ProxyUrl>,
    pub(super) cancel: Arc<Cancel>,
}

impl Route {
    fn host_and_port<'a>(&'a self, uri: &'a Uri) -> (&'a str, u16) {
        match &self.proxy {
            Some(proxy) => (&proxy.host, proxy.port),
            None => (uri.host().unwrap_or_default(), port_of(uri)),
        }
    }

    fn told(&self, failure: Failure, limit: NextTimeout) -> ureq::Error {
        match (failure, &self.proxy) {
            (Failure::TimedOut, _) => ureq::Error::Timeout(limit.reason),
            (Failure::NotFound, None) => ureq::Error::HostNotFound,
            (Failure::NotFound, Some(_)) => {
                ureq::Error::ConnectProxyFailed("the proxy's name could not be looked up".to_owned())
            }
        }
    }
}

/// The port of a URL, be it written or that of its scheme.
pub(super) fn port_of(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 })
}

impl UreqResolver for Route {
    fn resolve(&self, uri: &Uri, _: &Config, limit: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let (host, port) = self.host_and_port(uri);
        let now = Instant::now();
        let addresses = self.resolver.addresses(host, now, now.checked_add(*limit.after), &|| self.cancel.is_thrown());
        let mut resolved = self.empty();
        for address in addresses.map_err(|failure| self.told(failure, limit))? {
            resolved.push(SocketAddr::new(address, port));
        }
        Ok(resolved)
    }
}
