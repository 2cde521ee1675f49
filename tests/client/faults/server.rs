//! A local server that plays a script on each connection.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::connection::Connection;
use crate::observations::Observations;
use crate::script::Script;

/// A server that plays one script on each connection, in order, and the last script on all later connections.
pub(crate) struct Server {
    address: SocketAddr,
    observations: Arc<Observations>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server that accepts the connections of `listener`.
    pub(crate) fn start(listener: TcpListener, scripts: Vec<Script>, observations: Arc<Observations>) -> Self {
        let address = listener.local_addr().unwrap();
        let for_thread = observations.clone();
        let thread = thread::spawn(move || serve(&listener, &scripts, &for_thread));
        Self { address, observations, thread: Some(thread) }
    }
}

impl Drop for Server {
    /// Waits until every connection has ended.
    fn drop(&mut self) {
        self.observations.change(|seen| seen.is_over = true);
        // Wakes the server, which waits for the next connection.
        drop(TcpStream::connect(self.address));
        self.thread.take().map(JoinHandle::join);
    }
}

fn serve(listener: &TcpListener, scripts: &[Script], observations: &Arc<Observations>) {
    let mut stages = Vec::new();
    for (index, stream) in listener.incoming().map_while(io::Result::ok).enumerate() {
        if observations.seen().is_over {
            break;
        }
        let script = scripts.get(index).or(scripts.last()).cloned().unwrap_or_default();
        let observations = observations.clone();
        stages.push(thread::spawn(move || Connection::new(stream, observations).play(script)));
    }
    stages.into_iter().for_each(|stage| drop(stage.join()));
}
