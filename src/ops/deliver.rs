//! Handing a client to its owner, by a program that a person names: `--deliver 'vault-put --mount apps'`.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStderr, Command};
use zeroize::Zeroizing;

use crate::api::clients;
use crate::api::tokens::{self, Verdict};
use crate::config::profile;
use crate::crypt::{Fingerprint, Recipient};
use crate::env;
use crate::error::{Error, Kind, Result};
use crate::model::client::{Client, ClientId};
use crate::ops::delete;
use crate::ops::keep::{self, Held, Kept, Undelivered, Untold};
use crate::ops::look;
use crate::ops::newest::{self, Known, Turn};
use crate::secret::{REDACTED, Secret};
use crate::session::Session;
use crate::session::hook::{self, Done, Event, Fired, Hook, Past};
use crate::session::interrupt::LastWords;
use crate::text::{hex, safe, shell_word};

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// So many characters of what it says on stderr are told.
const MOST_TOLD: usize = 2_000;

/// So many bytes of it are read: a secret that begins in what is told ends in what is read, however it is written.
const MOST_READ: usize = 512 * 1024;

/// How long what a program said last is waited for, once it has ended.
const BREATH: Duration = Duration::from_millis(100);

/// How long another delivery of the same client is waited for: several hooks may take their time.
const LONGEST_TURN: Duration = Duration::from_secs(300);

/// What this program reads itself to sign in is no business of another.
const WITHHELD: [env::Var; 3] = [env::ORY_PROJECT_API_KEY, env::ORY_WORKSPACE_API_KEY, env::OAUTH2_CLIENT_SECRET];

/// A program that is given each client that was made, or got a new secret.
///
/// It reads one line from stdin, `{"event": "created", "server": …, "client": {…, "client_secret": …}}`, and has
/// `ORYSH_CLIENT_ID` in its environment; that it ends with 0 says that the client was delivered.
#[derive(Debug)]
pub struct Program {
    words: Vec<String>,
    /// Variables in which profiles have their credentials.
    withheld: Vec<String>,
}

impl Program {
    /// From its words: the program and its arguments; no shell reads them. Errors are of usage: it is not there.
    pub fn find(words: Vec<String>) -> Result<Self> {
        let Some((program, args)) = words.split_first() else { return Err(Error::usage("--deliver names no program")) };
        let here = std::env::current_dir().unwrap_or_default();
        let found = which::which_in(program, env::PATH.get(), here).map_err(|_| {
            Error::usage(format!("--deliver: there is no program `{}`", safe(program)))
                .hint("no shell reads it: for more than a program and its arguments name `sh -c '…'`")
        })?;
        // It is the same one wherever a run is gone on with.
        let found = std::path::absolute(&found).unwrap_or(found).display().to_string();
        let words = std::iter::once(found).chain(args.iter().cloned()).collect();
        Ok(Program { words, withheld: profile::credential_variables() })
    }

    /// As a hook of a session.
    pub fn hook(self) -> Arc<dyn Hook> {
        Arc::new(self)
    }

    async fn run(&self, event: &Event, server: &str) -> Result<()> {
        let failed = |source: std::io::Error| Error::failed("it cannot be run").caused_by(source);
        let input = Zeroizing::new(format!("{}\n", told(event, server)));
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).env("ORYSH_CLIENT_ID", event.client.id());
        for name in WITHHELD.iter().map(|var| var.name).chain(self.withheld.iter().map(String::as_str)) {
            command.env_remove(name);
        }
        // Ctrl-C at the terminal is for this program, which lets the other come to its end.
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
        let said = RefCell::new(Zeroizing::new(Vec::new()));
        let mut side = std::pin::pin!(async {
            // One that does not read all of it says by its end whether that was right.
            let write = async {
                if let Some(mut stdin) = stdin {
                    let _ = stdin.write_all(input.as_bytes()).await;
                }
            };
            tokio::join!(write, read(stderr, &said));
        });
        let mut is_silent = false;
        let ended = tokio::time::timeout(PATIENCE, async {
            loop {
                tokio::select! {
                    status = child.wait() => return status,
                    () = &mut side, if !is_silent => is_silent = true,
                }
            }
        });
        let Ok(status) = ended.await else {
            if let Some(group) = group {
                // It may have ended just now.
                let _ = kill_process_group(group, Signal::KILL);
            }
            return Err(Error::failed(format!("it took more than {} s, and was ended", PATIENCE.as_secs())));
        };
        if status.as_ref().is_ok_and(ExitStatus::success) {
            return Ok(());
        }
        if !is_silent {
            // What it left behind may have its stderr open.
            let _ = tokio::time::timeout(BREATH, side).await;
        }
        let status = status.map_err(failed)?;
        let said = redacted(&said.borrow(), event);
        let error = Error::failed(status.to_string());
        Err(if said.is_empty() { error } else { error.hint(format!("it said: {}", safe(&said))) })
    }
}

/// Takes down what a program says on stderr, as far as it may be told. What it says beyond that does not wait for a reader.
async fn read(stderr: Option<ChildStderr>, said: &RefCell<Zeroizing<Vec<u8>>>) {
    let Some(mut stderr) = stderr else { return };
    let mut piece = Zeroizing::new([0; 4096]);
    while let Ok(count @ 1..) = stderr.read(piece.as_mut()).await {
        let room = MOST_READ.saturating_sub(said.borrow().len());
        said.borrow_mut().extend_from_slice(&piece[..count.min(room)]);
    }
}

/// The same without the client's secret: it may have said what it was given, as it is or as JSON has it.
fn redacted(said: &[u8], event: &Event) -> String {
    let mut text = Zeroizing::new(String::from_utf8_lossy(said).into_owned());
    if let Some(secret) = event.client.secret().map(Secret::expose).filter(|secret| !secret.is_empty()) {
        let escaped = Zeroizing::new(Value::from(secret).to_string());
        for form in [&escaped[1..escaped.len() - 1], secret] {
            *text = text.replace(form, REDACTED);
        }
    }
    // More was read than is told, so that no secret is cut in two before it is found.
    text.trim().chars().take(MOST_TOLD).collect()
}

impl Hook for Program {
    fn name(&self) -> String {
        let name = Path::new(&self.words[0]).file_name().unwrap_or_default().to_string_lossy();
        format!("`{}`", safe(&name))
    }

    fn key(&self) -> String {
        // Its arguments are nobody's business.
        format!("{}{}", hook::PROGRAM, hex(&Sha256::digest(self.words.join("\0"))))
    }

    fn wants(&self, event: &Event) -> bool {
        match event.done {
            Done::Created | Done::Rotated => true,
            Done::Updated => event.client.secret().is_some(),
            Done::Deleted => false,
        }
    }

    fn delivers(&self) -> bool {
        true
    }

    fn words(&self) -> Option<&[String]> {
        Some(&self.words)
    }

    fn after(&self, session: &Session, event: &Event) -> Result<()> {
        let server = session.server()?;
        session.finish(self.run(event, &server))?
    }
}

/// An event as a program reads it, the client's secret in clear.
fn told(event: &Event, server: &str) -> Value {
    let mut client = event.client.document().redacted();
    // Whoever has this can change the client.
    client.shift_remove("registration_access_token");
    if let Some(secret) = event.client.secret() {
        client.insert("client_secret".into(), secret.expose().into());
    }
    json!({"event": event.done.name(), "server": server, "client": client})
}

/// Tells the session's hooks of a client that was written, and lets go of its kept secret once they have it.
///
/// Gives what is kept still for whoever shows the client, and what went wrong: then the secret stays on disk.
pub fn deliver(
    session: &Session,
    done: Done,
    client: &Client,
    kept: Option<Kept>,
    owners: &[Recipient],
) -> (Option<Kept>, Option<Error>) {
    let sent = session.sent();
    if done != Done::Created && client.secret().is_some() {
        warn(session, session.server().and_then(|server| newest::note(&server, client)));
    }
    let event = Event { done, client: client.clone() };
    if !hook::is_wanted(session, &event) {
        // A client that was just made has no past, but for one that another had of that name.
        if done != Done::Created {
            warn(session, hand_down(session, client, &[], owners, sent));
        }
        return (kept, None);
    }
    let kept = keep(session, client, kept, owners).unwrap_or_else(|failed| {
        session.ui().warn(&failed.about("the secret is not kept to be delivered").full_message());
        None
    });
    let Some(kept) = kept else { return (None, tell(session, event)) };
    // Where it cannot be held it is told of all the same.
    let _held = keep::hold(kept.path()).map_err(|error| warn(session, Err(error)));
    // From here on it says that it was not delivered: whatever ends this, it can be tried again.
    let note = |past: &Past| warn(session, kept.undelivered(done, past));
    let past = Past::of(session, &event);
    note(&past);
    warn(session, kept.made(client.text("updated_at")));
    let place = kept.path().display().to_string();
    let id = safe(client.id());
    let last = LastWords::are(format!("client `{id}` was {}, and its secret is kept in {place}", done.name()));
    let is_delivered = hook::delivers(session, &event);
    let (turn, over) = in_turn(session, client);
    let fired = if let Some(error) = over {
        Fired { past, error: Some(error) }
    } else {
        // One that was set later may have had its turn before.
        let (server, made) = (session.server().unwrap_or_default(), client.text("updated_at"));
        let is_old = Known::default().is_set_since(&server, client.id(), made);
        let why = client.client_id().ok().filter(|_| is_old).map(|id| wrong(session, &id, kept.path()));
        hook::fire_and_wait(session, event, past, |past| note(&past), why)
    };
    let Fired { past, error } = fired;
    drop((turn, last));
    let Some(error) = error else {
        // Nobody has taken the secret to its owner: it is for whoever shows the client.
        if !is_delivered {
            warn(session, kept.told());
            warn(session, hand_down(session, client, &[], owners, sent));
            return (Some(kept), None);
        }
        warn(session, kept.discard().and_then(|()| hand_down(session, client, &past.heard, owners, sent)));
        return (None, None);
    };
    note(&past);
    let error = error.about(format!("client `{id}` was {}, but was not delivered", done.name()));
    let error = error.of_kind(Kind::Partial).with_code(UNDELIVERED).hint(format!("its secret is kept in {place}"));
    (None, Some(error.hint(again_by(session, client.id()))))
}

/// Tells the session's hooks of what was done to a client for which no secret is kept. Gives what went wrong: it can be tried again.
pub fn tell(session: &Session, event: Event) -> Option<Error> {
    let (done, id) = (event.done, event.client.id().to_owned());
    let past = Past::of(session, &event);
    let written = || Untold::write(&ClientId::parse(&id)?, done, past.clone(), &session.server()?);
    let kept = written().map_err(|error| warn(session, Err(error))).ok();
    let note = |past: &Past| warn(session, kept.as_ref().map_or(Ok(()), |untold| untold.note(past)));
    let last = LastWords::are(format!("client `{}` was {}, and not everybody was told", safe(&id), done.name()));
    let fired = hook::fire_and_wait(session, event, past.clone(), |past| note(&past), None);
    drop(last);
    let Some(error) = fired.error else {
        warn(session, kept.map_or(Ok(()), Untold::discard));
        return None;
    };
    note(&fired.past);
    let error = error.about(format!("client `{}` was {}, and not everybody was told", safe(&id), done.name()));
    let error = error.of_kind(Kind::Partial).with_code(UNDELIVERED);
    Some(match kept {
        Some(_) => error.hint(again_by(session, &id)),
        None => error.hint("it is not told again: what was to be done then is to be done by hand"),
    })
}

/// What goes wrong with a note changes nothing about what was done.
fn warn(session: &Session, noted: Result<()>) {
    if let Err(error) = noted {
        session.ui().warn(&error.full_message());
    }
}

/// How to try again.
pub fn again_by(session: &Session, id: &str) -> String {
    let program = if session.hooks().iter().any(|hook| hook.words().is_some()) { " --deliver '…'" } else { "" };
    format!("try again: orysh deliver oauth2-client {}{program}{}", shell_word(id), look::target(session))
}

/// A secret that was kept of a client before counts for nothing any more now that it has another: what was done then stays due, with
/// the new secret where somebody is to see one. `heard`: who has heard of the new one; those of them that deliver are due nothing older.
/// `sent`: when it was asked for.
fn hand_down(
    session: &Session,
    client: &Client,
    heard: &[String],
    owners: &[Recipient],
    sent: SystemTime,
) -> Result<()> {
    let Some(secret) = client.secret() else { return Ok(()) };
    let (id, server) = (client.client_id()?, session.server()?);
    let is_settled = settled_by(session, heard);
    let unseeing = session.hooks().iter().filter(|hook| !hook.sees_secrets());
    let blind: Vec<String> = unseeing.map(|hook| hook.key()).collect();
    let owners: Vec<Fingerprint> = owners.iter().map(Recipient::fingerprint).collect();
    let mut left = None;
    let made = client.text("updated_at");
    for older in Kept::of_undelivered(&id, &server)?.into_iter().filter(|kept| kept.is_before(made, sent)) {
        // What another process tells of just now is its own to note.
        let Some(_held) = keep::hold(older.kept.path())? else { continue };
        let mut past = older.past;
        past.due.retain(|key| !is_settled(key));
        if past.due.is_empty() {
            older.kept.discard()?;
            continue;
        }
        left = Some(older.done);
        if past.due.iter().all(|key| blind.contains(key)) {
            Untold::write_of(&id, older.done, past, &server, older.since).map(drop)?;
            older.kept.discard()?;
        } else {
            older.kept.undelivered(older.done, &past)?;
            older.kept.replace_secret(secret, &owners)?;
            older.kept.made(made)?;
        }
    }
    if let Some(done) = left {
        let told = format!("that client `{id}` was {} before, not everybody has heard yet", done.name());
        session.ui().warn(&format!("{told}: {}", again_by(session, id.as_str())));
    }
    Ok(())
}

/// Waits until nobody else hands a secret of the client over, so that what was set first comes first; or why it is not waited any
/// longer, and nothing handed over now.
fn in_turn(session: &Session, client: &Client) -> (Option<Turn>, Option<Error>) {
    let began = Instant::now();
    let is_over = || session.interrupt().has_arrived() || began.elapsed() > LONGEST_TURN;
    let turn = session.server().and_then(|server| session.finish(newest::turn(&server, client.id(), is_over))?);
    match turn {
        Ok(Some(turn)) => (Some(turn), None),
        Ok(None) if session.interrupt().has_arrived() => (None, Some(Error::interrupted())),
        Ok(None) => {
            (None, Some(Error::failed("another process hands an older secret over, and does not come to its end")))
        }
        Err(error) => {
            warn(session, Err(error));
            (None, None)
        }
    }
}

/// Who is due nothing older once these have heard of a secret: those of them that deliver; a program is as good as another.
fn settled_by(session: &Session, heard: &[String]) -> impl Fn(&str) -> bool {
    let keys = session.hooks().iter().filter(|hook| hook.delivers()).map(|hook| hook.key());
    let delivering: Vec<String> = keys.filter(|key| heard.contains(key)).collect();
    let has_program = delivering.iter().any(|key| key.starts_with(hook::PROGRAM));
    move |key| delivering.iter().any(|one| one == key) || has_program && key.starts_with(hook::PROGRAM)
}

/// The same as [`hand_down`] for a row of a batch: what only those are due who have the newer secret is dropped. `made`: the server's
/// time of that; `sent`: when it was asked for, or some time before.
pub fn settle_older(
    session: &Session,
    (server, id): (&str, &ClientId),
    heard: &[String],
    (made, sent): (Option<&str>, SystemTime),
) -> Result<()> {
    let is_settled = settled_by(session, heard);
    for older in Kept::of_undelivered(id, server)?.into_iter().filter(|kept| kept.is_before(made, sent)) {
        let Some(_held) = keep::hold(older.kept.path())? else { continue };
        let mut past = older.past;
        past.due.retain(|key| !is_settled(key));
        if past.due.is_empty() { older.kept.discard()? } else { older.kept.undelivered(older.done, &past)? }
    }
    Ok(())
}

/// A client is gone: what was not delivered of it is dropped, with its secrets. What goes wrong with that is warned of.
pub fn let_go(session: &Session, id: &ClientId) {
    match session.server() {
        Ok(server) => let_go_at(session, &server, id),
        Err(error) => warn(session, Err(error)),
    }
}

/// The same at a server that is known already.
pub fn let_go_at(session: &Session, server: &str, id: &ClientId) {
    match Again::of(id, server).and_then(dropped) {
        Ok(0) => {}
        Ok(_) => session.ui().note(&format!("client `{id}` is gone, and what was not delivered of it is dropped")),
        Err(error) => warn(session, Err(error)),
    }
}

/// Warns of what of a client was not delivered, where somebody counts on its being there.
pub fn remind(session: &Session, id: &ClientId) {
    let all = session.server().and_then(|server| Again::of(id, &server));
    if let Some(done) = all.ok().and_then(|all| all.first().map(Again::done)) {
        let told = format!("client `{id}` was {} before, and not delivered", done.name());
        session.ui().warn(&format!("{told}: {}", again_by(session, id.as_str())));
    }
}

/// Drops what is kept, but for what another process tells of just now, and counts it.
fn dropped(all: Vec<Again>) -> Result<usize> {
    let mut count = 0;
    for again in all {
        if keep::hold(again.path())?.is_some() {
            again.discard()?;
            count += 1;
        }
    }
    Ok(count)
}

/// The file that keeps the client's secret: one that a person named has none yet.
fn keep(session: &Session, client: &Client, kept: Option<Kept>, owners: &[Recipient]) -> Result<Option<Kept>> {
    let owners: Vec<Fingerprint> = owners.iter().map(Recipient::fingerprint).collect();
    match (kept, client.secret()) {
        (None, Some(secret)) => Kept::write(&client.client_id()?, secret, &owners, &session.server()?).map(Some),
        (kept, _) => Ok(kept),
    }
}

/// The code of an error that says that a client was written, and not delivered.
pub const UNDELIVERED: &str = "undelivered";

/// What is to be told again.
enum Again {
    Kept(Undelivered),
    Untold(Untold),
}

impl Again {
    /// All of a client, the oldest first.
    fn of(id: &ClientId, server: &str) -> Result<Vec<Again>> {
        let kept = Kept::of_undelivered(id, server)?.into_iter().map(|kept| (kept.since, Again::Kept(kept)));
        let untold = Untold::of(id, server)?.into_iter().map(|untold| (untold.since, Again::Untold(untold)));
        let mut all: Vec<(u64, Again)> = kept.chain(untold).collect();
        all.sort_by_key(|(since, _)| *since);
        Ok(all.into_iter().map(|(_, again)| again).collect())
    }

    fn done(&self) -> Done {
        match self {
            Again::Kept(kept) => kept.done,
            Again::Untold(untold) => untold.done,
        }
    }

    fn past(&self) -> &Past {
        match self {
            Again::Kept(kept) => &kept.past,
            Again::Untold(untold) => &untold.past,
        }
    }

    fn path(&self) -> &Path {
        match self {
            Again::Kept(kept) => kept.kept.path(),
            Again::Untold(untold) => untold.path(),
        }
    }

    fn discard(self) -> Result<()> {
        match self {
            Again::Kept(kept) => kept.kept.discard(),
            Again::Untold(untold) => untold.discard(),
        }
    }

    fn note(&self, past: &Past) -> Result<()> {
        match self {
            Again::Kept(kept) => kept.kept.undelivered(kept.done, past),
            Again::Untold(untold) => untold.note(past),
        }
    }
}

/// Tells the session's hooks once more of what was done to a client, in its order, and lets go of what is kept of it.
///
/// Errors: no such client, or one that is gone; one of which nothing is kept; one that is handed over just now; what went wrong with
/// handing it over.
pub fn again(session: &Session, id: &ClientId) -> Result<Client> {
    let server = session.server()?;
    let _turn = keep::turn()?;
    let held = held(&Again::of(id, &server)?, id)?;
    // Read once nobody else changes it; what came since is told of by whoever writes it.
    let mut all = Again::of(id, &server)?;
    all.retain(|again| held.iter().any(|(path, _)| path == again.path()));
    let is_deleted = all.iter().any(|again| again.done() == Done::Deleted);
    let mut client = match session.wait(clients::get_opt(session, id))? {
        Some(client) => client,
        // Of one that is no more there is its id to tell of.
        None if is_deleted => delete::gone(id).client,
        None if all.is_empty() => session.wait(clients::get(session, id))?,
        None => {
            all.into_iter().try_for_each(Again::discard)?;
            return Err(Error::failed(format!(
                "client `{id}` is gone: there is nobody to hand it over for, and what was kept of it is dropped"
            )));
        }
    };
    if all.is_empty() {
        to_program(session, &client)?;
    }
    let (_client_turn, over) = in_turn(session, &client);
    if let Some(error) = over {
        return Err(undelivered(error, id));
    }
    // Secrets before the newest count for nothing any more.
    let newest = all.iter().rev().find_map(|again| match again {
        Again::Kept(kept) => {
            let is_old = Known::default().is_set_since(&server, id.as_str(), kept.made.as_deref());
            Some((kept.kept.secret().clone(), kept.is_sealed, kept.kept.path().to_owned(), is_old))
        }
        Again::Untold(_) => None,
    });
    let outdated = newest.as_ref().is_some_and(|(secret, is_sealed, _, is_old)| {
        let proved = || session.wait(tokens::prove(session, id, secret, client.auth_method()));
        *is_old || !is_sealed && matches!(proved(), Ok(Verdict::Wrong))
    });
    let mut is_left = None;
    for again in all {
        let mut event = match again.done() {
            Done::Deleted => delete::gone(id),
            done => Event { done, client: client.clone() },
        };
        let mut why = None;
        if let (Again::Kept(_), Some((secret, _, path, _))) = (&again, &newest) {
            event.client.set_secret(secret.clone());
            why = outdated.then(|| wrong(session, id, path));
        }
        let is_delivered = hook::delivers(session, &event);
        let note = |past: &Past| warn(session, again.note(past));
        let fired = hook::fire_and_wait(session, event, again.past().clone(), |past| note(&past), why);
        if let Some(error) = fired.error {
            note(&fired.past);
            if error.code() != Some(OUTDATED) {
                return Err(undelivered(error, id));
            }
            // Who needs no secret hears of what came after that as well.
            is_left = Some(error);
            continue;
        }
        match again {
            // Everybody has heard of it, and nobody has taken the secret to its owner.
            Again::Kept(kept) if !is_delivered && !outdated => {
                kept.kept.told()?;
                let place = kept.kept.path().display().to_string();
                session.ui().note(&format!("nobody delivers its secret here: it is kept in {place}"));
            }
            told => told.discard()?,
        }
    }
    client.remove_secret();
    is_left.map_or(Ok(client), Err)
}

fn undelivered(error: Error, id: &ClientId) -> Error {
    error.about(format!("client `{id}` was not delivered"))
}

/// Holds all that is kept of a client. Errors: another process tells of it just now.
fn held(all: &[Again], id: &ClientId) -> Result<Vec<(PathBuf, Held)>> {
    let busy = || Error::failed(format!("client `{id}` is being handed over just now, by another process"));
    let each = all.iter().map(|again| {
        let held = keep::hold(again.path())?.ok_or_else(busy)?;
        Ok((again.path().to_owned(), held))
    });
    each.collect()
}

/// Hands a client of which nothing is kept to the program that a person names; nobody else is to hear of it again.
fn to_program(session: &Session, client: &Client) -> Result<()> {
    let id = client.client_id()?;
    let is_named = session.hooks().iter().any(|hook| hook.words().is_some());
    if client.uses_secret() || !is_named {
        let what = if client.uses_secret() { "no secret" } else { "nothing" };
        let error = Error::usage(format!("{what} of client `{id}` is kept that was not delivered"));
        return Err(if client.uses_secret() { error.hint(another(session, &id)) } else { error });
    }
    let others = session.hooks().iter().filter(|hook| hook.words().is_none());
    let past = Past { heard: others.map(|hook| hook.key()).collect(), due: Vec::new() };
    let event = Event { done: Done::Created, client: client.clone() };
    let fired = hook::fire_and_wait(session, event, past, drop, None);
    fired.error.map_or(Ok(()), |error| Err(undelivered(error, &id)))
}

/// The code of an error that says that a kept secret is a client's no more, or may be.
pub const OUTDATED: &str = "outdated_secret";

fn wrong(session: &Session, id: &ClientId, path: &Path) -> Error {
    let wrong = format!("the secret of client `{id}` that is kept in {} is not its secret any more", path.display());
    Error::failed(wrong).with_code(OUTDATED).hint(another(session, id))
}

fn another(session: &Session, id: &ClientId) -> String {
    format!("another one: orysh rotate secret {} --deliver '…'{}", shell_word(id.as_str()), look::target(session))
}
