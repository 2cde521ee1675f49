//! Where a connection goes first: to the service or, if there is one, to the proxy.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver as UreqResolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Error, Timeout};

use super::cancel::Cancel;
use super::resolver::{Failure, Resolver};
use super::watch::Progress;
use crate::proxy_url::ProxyUrl;

/// Tells which addresses to connect to.
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

    /// The addresses of the service or of the proxy, looked up within the time that there is for connecting.
    pub(super) fn addresses(&self, uri: &Uri) -> Result<Vec<SocketAddr>, Error> {
        let (host, port) = self.host_and_port(uri);
        let (deadline, limit) = Progress::seen().connect_limit(Timeout::Resolve);
        let found = self.resolver.addresses(host, Instant::now(), deadline, &|| self.cancel.is_thrown());
        let addresses = found.map_err(|failure| self.told(failure, limit))?;
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }

    fn told(&self, failure: Failure, limit: Timeout) -> Error {
        match (failure, &self.proxy) {
            (Failure::TimedOut, _) => Error::Timeout(limit),
            (Failure::NotFound, None) => Error::HostNotFound,
            (Failure::NotFound, Some(_)) => {
                Error::ConnectProxyFailed("the proxy's name could not be looked up".to_owned())
            }
        }
    }
}

/// The port of a URL, be it written or that of its scheme.
pub(super) fn port_of(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 })
}

/// The HTTP library asks for addresses before each request, though a pooled connection needs none. It is given one that
/// nobody uses: who connects asks [`Route`].
#[derive(Debug)]
pub(super) struct NoLookUp;

impl UreqResolver for NoLookUp {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut resolved = self.empty();
        resolved.push(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
        Ok(resolved)
    }
}
