//! The first hop of a connection: the service or, if there is one, the proxy.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::cancel::Cancel;
use super::deadline::Deadline;
use super::error::{Failure, Limit};
use super::resolver;
use super::resolver::Resolver;
use crate::options::base_url::BaseUrl;
use crate::options::proxy_url::ProxyUrl;

/// Determines the addresses to connect to.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) service: BaseUrl,
    pub(super) proxy: Option<ProxyUrl>,
    pub(super) resolver: Resolver,
    pub(super) cancel: Arc<Cancel>,
}

impl Route {
    /// Returns the addresses of the proxy or, if there is none, of the service. The preferred address comes first.
    pub(super) fn addresses(&self, deadline: Deadline) -> Result<Vec<SocketAddr>, Failure> {
        let (host, port) = self.host_and_port();
        let found = self.resolver.addresses(host, Instant::now(), deadline.at, &|| self.cancel.is_cancelled());
        let mut addresses = found.map_err(|failure| self.to_failure(failure, deadline.limit))?;
        if addresses.len() > 1 {
            self.resolver.put_preferred_first(host, port, &mut addresses);
        }
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }

    /// Makes later connections try `address` first.
    pub(super) fn prefer(&self, address: SocketAddr) {
        let (host, port) = self.host_and_port();
        self.resolver.prefer(host, port, address.ip());
    }

    /// Makes later connections try another address before `address`, which accepted a connection that then failed.
    pub(super) fn avoid(&self, address: SocketAddr) {
        let (host, port) = self.host_and_port();
        self.resolver.avoid(host, port, address.ip());
    }

    fn host_and_port(&self) -> (&str, u16) {
        match &self.proxy {
            Some(proxy) => (&proxy.host, proxy.port),
            None => (self.service.host(), self.service.port()),
        }
    }

    fn to_failure(&self, failure: resolver::Failure, limit: Limit) -> Failure {
        match (failure, &self.proxy) {
            // The time limit for connecting includes the time for resolving the name.
            (resolver::Failure::TimedOut, _) if limit == Limit::Connect => Failure::TimedOut(Limit::Resolve),
            (resolver::Failure::TimedOut, _) => Failure::TimedOut(limit),
            (resolver::Failure::Shortage(what), _) => io::Error::new(io::ErrorKind::OutOfMemory, what).into(),
            (resolver::Failure::NotFound, None) => Failure::HostNotFound,
            (resolver::Failure::NotFound, Some(_)) => {
                Failure::Proxy("the proxy's host name could not be resolved".to_owned())
            }
        }
    }
}
