//! Every way in which a server and a process can fail together, up to a bound: rows are sent by the real engine with a real
//! journal to a server that does, request by request, what a schedule says.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use orysh::batch::job::Job;
use orysh::batch::journal::Journal;
use orysh::batch::key::RunKey;
use orysh::batch::pace::Pace;
use orysh::batch::run::{Ended, PATIENCE, Sender, Sending, Tally};
use orysh::batch::store::{self, New};
use orysh::error::Error;
use orysh::session::Session;
use orysh::session::handle::Settings;
use orysh::session::target::Given;
use orysh::ui::Ui;
use serde_json::Value;
use tokio::sync::Notify;

/// What happens to one request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    /// It is carried out and answered.
    Served,
    /// It is carried out, and the answer is lost.
    ReplyLost,
    /// The connection breaks before it is carried out.
    Dropped,
    /// The server says that it cannot.
    Busy,
    /// The process dies before it is carried out.
    KilledBefore,
    /// The process dies once it was carried out.
    KilledAfter,
}

const FATES: [Fate; 6] =
    [Fate::Served, Fate::ReplyLost, Fate::Dropped, Fate::Busy, Fate::KilledBefore, Fate::KilledAfter];

/// So many requests have a fate; those after them are served.
const DEPTH: usize = 4;

const ROWS: u64 = 2;

/// A server with its clients, and what happens to its next requests.
struct Server {
    url: String,
    clients: Arc<Mutex<HashMap<String, Vec<Value>>>>,
    killed: Arc<Notify>,
}

impl Server {
    fn start(schedule: Vec<Fate>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Server { url, clients: Arc::default(), killed: Arc::default() };
        let (clients, killed) = (Arc::clone(&server.clients), Arc::clone(&server.killed));
        let next = Arc::new(AtomicUsize::new(0));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (clients, killed, next) = (Arc::clone(&clients), Arc::clone(&killed), Arc::clone(&next));
                let schedule = schedule.clone();
                thread::spawn(move || serve(stream, &schedule, &next, &clients, &killed));
            }
        });
        server
    }
}

fn serve(
    stream: TcpStream,
    schedule: &[Fate],
    next: &AtomicUsize,
    clients: &Mutex<HashMap<String, Vec<Value>>>,
    killed: &Notify,
) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    while let Some((line, body)) = request(&mut reader) {
        let fate = schedule.get(next.fetch_add(1, Ordering::SeqCst)).copied().unwrap_or(Fate::Served);
        match fate {
            Fate::Dropped => return,
            Fate::KilledBefore => return killed.notify_one(),
            Fate::Busy => {
                let _ = writer.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}");
                continue;
            }
            Fate::Served | Fate::ReplyLost | Fate::KilledAfter => {}
        }
        let answer = carried_out(&line, &body, &mut clients.lock().unwrap());
        match fate {
            Fate::ReplyLost => return,
            Fate::KilledAfter => return killed.notify_one(),
            _ => {
                if writer.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        }
    }
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first, body))
}

fn carried_out(line: &str, body: &[u8], clients: &mut HashMap<String, Vec<Value>>) -> String {
    let answer = |status: &str, body: &Value| {
        let body = body.to_string();
        format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    if line.starts_with("POST /admin/clients ") {
        let made: Value = serde_json::from_slice(body).unwrap();
        let id = made["client_id"].as_str().unwrap().to_owned();
        if clients.contains_key(&id) {
            return answer(
                "409 Conflict",
                &serde_json::json!({"error": "conflict", "error_description": "there is one"}),
            );
        }
        clients.entry(id).or_default().push(made.clone());
        return answer("201 Created", &made);
    }
    let id = line.split(' ').nth(1).unwrap().rsplit('/').next().unwrap();
    match clients.get(id) {
        Some(found) => answer("200 OK", &found[0]),
        None => {
            answer("404 Not Found", &serde_json::json!({"error": "Not Found", "error_description": "there is none"}))
        }
    }
}

fn session(url: &str) -> Session {
    let given = Given { endpoint: Some(url.to_owned()), ..Given::default() };
    let mut settings = Settings { given, ..Settings::default() };
    settings.policy.timeout = std::time::Duration::from_secs(5);
    let none = Arc::new(|| Box::pin(async { Err(Error::failed("no sandbox")) }) as orysh::api::Wait<'static, _>);
    Session::new(Ui { quiet: true, ..Ui::default() }, settings, 0, none)
}

/// Sends, is killed as the schedule says, and goes on with what is on disk, until it is done.
fn is_whole_after(schedule: &[Fate]) {
    let server = Server::start(schedule.to_vec());
    let folder = tempfile::tempdir().unwrap();
    let key = RunKey::generate().unwrap();
    let session = session(&server.url);
    let journal = Journal::create(folder.path()).unwrap();
    let rows: Vec<New> = (1..=ROWS)
        .map(|n| New {
            n,
            line: 1,
            id: format!("00000000-0000-4000-8000-00000000000{n}"),
            given: false,
            body: serde_json::json!({"client_id": format!("00000000-0000-4000-8000-00000000000{n}")}).to_string(),
            sealed: None,
            keys: None,
            planned: None,
        })
        .collect();
    session.finish(journal.write(move |connection| store::add(connection, rows))).unwrap().unwrap();
    drop(journal);
    for _ in 0..=schedule.len() {
        let journal = Journal::open(folder.path()).unwrap();
        let tally = Tally::default();
        // One after the other: which request has which fate is then the same each time.
        let pace = Arc::new(Pace::new(1, Vec::new(), None));
        let how = Sending { job: Job::Create, no_lint: true, claims: false, patience: PATIENCE, heard: None };
        let sender = Sender::new(&session, &journal, &key, how, pace, &tally);
        let ended = session
            .finish(async {
                tokio::select! {
                    ended = sender.send() => Some(ended),
                    () = server.killed.notified() => None,
                }
            })
            .unwrap();
        if let Some(Ended { stopped, .. }) = ended {
            assert!(stopped.is_none(), "{schedule:?}: {stopped:?}");
            break;
        }
    }
    let journal = Journal::open(folder.path()).unwrap();
    let counts = session.finish(journal.write(store::counts)).unwrap().unwrap();
    assert_eq!(counts.get("done"), Some(&ROWS), "{schedule:?}: {counts:?}");
    let clients = server.clients.lock().unwrap();
    assert_eq!(clients.len() as u64, ROWS, "{schedule:?}");
    for n in 1..=ROWS {
        let made = &clients[&format!("00000000-0000-4000-8000-00000000000{n}")];
        assert_eq!(made.len(), 1, "{schedule:?}");
        assert_eq!(made[0]["client_secret"], key.secret_of(n).expose(), "{schedule:?}");
    }
}

#[test]
fn each_row_has_one_client_and_a_known_secret_whatever_fails_in_which_order() {
    let schedules: Vec<Vec<Fate>> = (0..FATES.len().pow(u32::try_from(DEPTH).unwrap()))
        .map(|number| {
            (0..DEPTH)
                .scan(number, |rest, _| {
                    let fate = FATES[*rest % FATES.len()];
                    *rest /= FATES.len();
                    Some(fate)
                })
                .collect()
        })
        .collect();
    let next = AtomicUsize::new(0);
    // They wait most of the time.
    thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                while let Some(schedule) = schedules.get(next.fetch_add(1, Ordering::SeqCst)) {
                    is_whole_after(schedule);
                }
            });
        }
    });
}
