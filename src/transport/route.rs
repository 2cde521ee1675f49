//! The first hop of a connection: the service or, if there is one, the proxy.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use ureq::Error;
use ureq::http::Uri;

use super::cancel::Cancel;
use super::deadline::Deadline;
use super::resolver::{Failure, Resolver};
use crate::options::proxy_url::ProxyUrl;

/// Determines the addresses to connect to.
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

    /// Returns the addresses of the service at `uri`, or of the proxy.
    pub(super) fn addresses(&self, uri: &Uri, deadline: Deadline) -> Result<Vec<SocketAddr>, Error> {
        let (host, port) = self.host_and_port(uri);
        let found = self.resolver.addresses(host, Instant::now(), deadline.at, &|| self.cancel.is_cancelled());
        let addresses = found.map_err(|failure| self.to_error(failure, deadline))?;
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }

    fn to_error(&self, failure: Failure, deadline: Deadline) -> Error {
        match (failure, &self.proxy) {
            (Failure::TimedOut, _) => deadline.over(),
            (Failure::Shortage(what), _) => io::Error::new(io::ErrorKind::OutOfMemory, what).into(),
            (Failure::NotFound, None) => Error::HostNotFound,
            (Failure::NotFound, Some(_)) => {
                Error::ConnectProxyFailed("the proxy's host name could not be resolved".to_owned())
            }
        }
    }
}

/// Returns the port of a URL, explicit or the default of its scheme.
pub(super) fn port_of(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 })
}
