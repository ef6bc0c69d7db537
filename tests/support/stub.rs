//! Servers that are no admin APIs: each gives the same answer to everyone.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server that ends with the test's process.
pub struct Stub {
    /// Its address.
    pub url: String,
    asked: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    /// Answers everything with these bytes.
    pub fn answering(answer: &str) -> Self {
        let answer = answer.to_owned();
        Self::serving("http", move |stream| reply(stream, &answer))
    }

    /// Answers everything with these bytes, and notes the heads of the requests.
    pub fn noting(answer: &str) -> Self {
        Self::pages(&[("", answer)])
    }

    /// The heads of the requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// Answers by a part of the first line of a request, the first that fits, and notes the heads.
    pub fn pages(pages: &[(&str, &str)]) -> Self {
        let pages: Vec<(String, String)> =
            pages.iter().map(|(part, answer)| ((*part).to_owned(), (*answer).to_owned())).collect();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&heads);
        let stub = Self::serving("http", move |mut stream| {
            let request = head(&mut stream);
            let line = request.lines().next().unwrap_or_default();
            let answer = pages.iter().find(|(part, _)| line.contains(part)).map_or(NOT_FOUND, |(_, answer)| answer);
            noted.lock().unwrap().push(request.clone());
            // The other side may have had enough.
            let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
        });
        Stub { heads, ..stub }
    }

    /// How many connections there were.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A proxy that lets every `CONNECT` through, to another stub whatever was asked for.
    pub fn tunnel(to: &Stub) -> Self {
        let address = to.url.rsplit_once('/').unwrap().1.to_owned();
        Self::serving("http", move |mut stream| {
            assert!(head(&mut stream).starts_with("CONNECT "));
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
            let far = TcpStream::connect(&address).unwrap();
            let (mut up, mut down) = ((stream.try_clone().unwrap(), far.try_clone().unwrap()), (far, stream));
            let forward = thread::spawn(move || std::io::copy(&mut up.0, &mut up.1));
            // Either side may hang up first.
            let _ = std::io::copy(&mut down.0, &mut down.1);
            let _ = down.1.shutdown(std::net::Shutdown::Both);
            let _ = forward.join();
        })
    }

    /// A proxy to another server, whose answers come late; one connection is served after the other.
    pub fn slow_proxy(to: &str, delay: Duration) -> Self {
        let address = to.rsplit_once('/').unwrap().1.to_owned();
        Self::serving("http", move |mut stream| {
            let mut far = TcpStream::connect(&address).unwrap();
            let mut request = vec![0; 64 * 1024];
            let read = stream.read(&mut request).unwrap();
            let text = String::from_utf8_lossy(&request[..read]).replacen("\r\n", "\r\nconnection: close\r\n", 1);
            far.write_all(text.as_bytes()).unwrap();
            let mut answer = Vec::new();
            far.read_to_end(&mut answer).unwrap();
            thread::sleep(delay);
            // The other side may have had enough.
            let _ = stream.write_all(&answer);
        })
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
        Stub { url, asked, heads: Arc::default() }
    }
}

/// The head of a request, or as much of it as came.
fn head(stream: &mut impl Read) -> String {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while !request.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut chunk) {
            Ok(some) if some > 0 => request.extend_from_slice(&chunk[..some]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&request).into_owned()
}

fn reply(mut stream: impl Read + Write, answer: &str) {
    if !head(&mut stream).ends_with("\r\n\r\n") {
        return;
    }
    // The other side may have had enough.
    let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
}

/// A TLS server whose certificate nobody has signed, and that certificate as PEM.
pub fn tls_stub(answer: &str) -> (Stub, String) {
    let answer = answer.to_owned();
    tls_serving(move |stream| reply(stream, &answer))
}

/// A TLS server that answers by path, with 404 where none fits, and its certificate as PEM.
///
/// The certificate is for `localhost`, 127.0.0.1 and `keys.test`. A page's address stands for `{origin}` in the answers.
pub fn tls_pages(pages: &[(&str, String)]) -> (Stub, String) {
    let pages: Vec<(String, String)> =
        pages.iter().map(|(path, answer)| ((*path).to_owned(), answer.clone())).collect();
    tls_serving(move |mut stream| {
        let request = head(&mut stream);
        let path = request.split(' ').nth(1).unwrap_or_default();
        let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        let answer = pages.iter().find(|(page, _)| page == path).map_or(NOT_FOUND, |(_, answer)| answer);
        // The other side may have had enough.
        let answer = answer.replace("{origin}", &format!("https://{host}"));
        let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
    })
}

const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\nConnection: close\r\n\r\nNot Found";

fn tls_serving(serve: impl Fn(StreamOwned<ServerConnection, TcpStream>) + Send + 'static) -> (Stub, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1", "localhost", "keys.test"].map(str::to_owned)).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let stub = Stub::serving("https", move |stream| {
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        serve(StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream));
    });
    (stub, made.cert.pem())
}
