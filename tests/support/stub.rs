//! Servers that are no admin APIs: each gives the same answer to everyone.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server that ends with the test's process.
pub struct Stub {
    /// Its address.
    pub url: String,
    asked: Arc<AtomicUsize>,
}

impl Stub {
    /// Answers everything with these bytes.
    pub fn answering(answer: &str) -> Self {
        let answer = answer.to_owned();
        Self::serving("http", move |stream| reply(stream, &answer))
    }

    /// How many connections there were.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn serving(scheme: &str, serve: impl Fn(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let asked = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
                serve(stream.unwrap());
            }
        });
        Stub { url, asked }
    }
}

fn reply(mut stream: impl Read + Write, answer: &str) {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while !request.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut chunk) {
            Ok(some) if some > 0 => request.extend_from_slice(&chunk[..some]),
            _ => return,
        }
    }
    // The other side may have had enough.
    let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
}

/// A TLS server whose certificate nobody has signed, and that certificate as PEM.
pub fn tls_stub(answer: &str) -> (Stub, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let (config, answer) = (Arc::new(config), answer.to_owned());
    let stub = Stub::serving("https", move |stream| {
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        reply(StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream), &answer);
    });
    (stub, made.cert.pem())
}
