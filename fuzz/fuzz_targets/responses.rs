//! Sends a report to a local server, which responds with any bytes. The call must return, and an error message must
//! contain neither control characters nor the secret.
#![no_main]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use nexmo_conversion::{Channel, Client, Conversion, Credentials, MessageId, Options};

/// A server that accepts a connection for each element of `responses`, sends the element and closes the connection.
struct Server {
    base_url: String,
    responses: Mutex<Sender<Vec<u8>>>,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, responses) = channel::<Vec<u8>>();
        thread::spawn(move || {
            for response in responses {
                let (mut stream, _) = listener.accept().unwrap();
                stream.read(&mut [0; 4096]).ok();
                stream.write_all(&response).ok();
            }
        });
        Server { base_url, responses: Mutex::new(sender) }
    })
}

fuzz_target!(|response: &[u8]| {
    let server = server();
    server.responses.lock().unwrap().send(response.to_vec()).unwrap();
    let timeout = Some(Duration::from_secs(5));
    let options = Options { base_url: Some(&server.base_url), timeout, ..Options::default() };
    let client = Client::new(Credentials::query("key", "hush-hush").unwrap(), &options).unwrap();
    let message_id = MessageId::new("id").unwrap();
    let outcome = client.report(&Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None });
    assert_eq!(outcome.result.is_ok(), outcome.http_status.is_some_and(|status| (200..300).contains(&status)));
    if let Err(error) = outcome.result {
        assert!(!error.message().chars().any(char::is_control) && !error.message().contains("hush-hush"), "{error}");
    }
});
