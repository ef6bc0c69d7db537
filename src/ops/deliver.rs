//! Handing a client to its owner, by a program that a person names: `--deliver 'vault-put --mount apps'`.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use zeroize::Zeroizing;

use crate::api::clients;
use crate::env;
use crate::error::{Error, Kind, Result};
use crate::model::client::{Client, ClientId};
use crate::ops::keep::Kept;
use crate::ops::look;
use crate::secret::REDACTED;
use crate::session::Session;
use crate::session::hook::{self, Done, Event, Hook};
use crate::text::{safe, shell_word};

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// So much of what it says on stderr is told.
const MOST_TOLD: u64 = 4096;

/// What this program reads itself to sign in is no business of another.
const WITHHELD: [env::Var; 3] = [env::ORY_PROJECT_API_KEY, env::ORY_WORKSPACE_API_KEY, env::OAUTH2_CLIENT_SECRET];

/// A program that is given each client that was made, or got a new secret.
///
/// It reads one line from stdin, `{"event": "created", "server": …, "client": {…, "client_secret": …}}`, and has
/// `ORYSH_CLIENT_ID` in its environment; that it ends with 0 says that the client was delivered.
#[derive(Debug)]
pub struct Program {
    words: Vec<String>,
}

impl Program {
    /// From its words: the program and its arguments; no shell reads them. Errors are of usage: it is not there.
    pub fn find(words: Vec<String>) -> Result<Self> {
        let Some(program) = words.first() else { return Err(Error::usage("--deliver names no program")) };
        let here = std::env::current_dir().unwrap_or_default();
        which::which_in(program, env::PATH.get(), here).map_err(|_| {
            Error::usage(format!("--deliver: there is no program `{}`", safe(program)))
                .hint("no shell reads it: for more than a program and its arguments name `sh -c '…'`")
        })?;
        Ok(Program { words })
    }

    /// As a hook of a session.
    pub fn hook(self) -> Arc<dyn Hook> {
        Arc::new(self)
    }

    async fn run(&self, event: &Event, server: &str) -> Result<()> {
        let input = Zeroizing::new(format!("{}\n", told(event, server)));
        let failed = |source: std::io::Error| Error::failed("it cannot be run").caused_by(source);
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).env("ORYSH_CLIENT_ID", event.client.id());
        for var in WITHHELD {
            command.env_remove(var.name);
        }
        // Ctrl-C at the terminal is for this program, which lets the other come to its end.
        command.process_group(0).kill_on_drop(true);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(failed)?;
        let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
        let write = async {
            if let Some(mut stdin) = stdin {
                // One that does not read all of it says by its end whether that was right.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
        };
        let read = async {
            let mut said = Zeroizing::new(Vec::new());
            if let Some(mut stderr) = stderr {
                let _ = (&mut stderr).take(MOST_TOLD).read_to_end(&mut said).await;
                // What it says beyond that does not make it wait for a reader.
                let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
            }
            said
        };
        let ended = tokio::time::timeout(PATIENCE, async {
            let ((), said, status) = tokio::join!(write, read, child.wait());
            (said, status)
        });
        let Ok((said, status)) = ended.await else {
            return Err(Error::failed(format!("it took more than {} s, and was ended", PATIENCE.as_secs())));
        };
        let status = status.map_err(failed)?;
        if status.success() {
            return Ok(());
        }
        let said = Zeroizing::new(String::from_utf8_lossy(&said).into_owned());
        // It may have said what it was given.
        let said = match event.client.secret() {
            Some(secret) => said.replace(secret.expose(), REDACTED),
            None => said.to_string(),
        };
        let said = said.trim();
        Err(Error::failed(if said.is_empty() { status.to_string() } else { format!("{status}: {}", safe(said)) }))
    }
}

impl Hook for Program {
    fn name(&self) -> String {
        format!("`{}`", safe(&self.words[0]))
    }

    fn wants(&self, event: &Event) -> bool {
        match event.done {
            Done::Created | Done::Rotated => true,
            Done::Updated => event.client.secret().is_some(),
        }
    }

    fn words(&self) -> Option<&[String]> {
        Some(&self.words)
    }

    fn after(&self, session: &Session, event: &Event) -> Result<()> {
        let server = session.admin_url()?;
        session.finish(self.run(event, server.as_str()))?
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

/// Tells the session's hooks of a client that was written. Gives what went wrong with that, and nothing else did.
pub fn deliver(session: &Session, done: Done, client: &Client, kept: Option<&Kept>) -> Option<Error> {
    let error = hook::fire_and_wait(session, Event { done, client: client.clone() }).err()?;
    let id = shell_word(client.id());
    let error = error.about(format!("client `{}` was {}, but was not delivered", safe(client.id()), done.name()));
    let error = error.of_kind(Kind::Partial).with_code(UNDELIVERED);
    let error = match kept {
        Some(kept) => error.hint(format!("its secret is kept in {}", kept.path().display())),
        None => error,
    };
    Some(error.hint(format!("try again: orysh deliver oauth2-client {id} --deliver '…'{}", look::target(session))))
}

/// The code of an error that says that a client was written, and not delivered.
pub const UNDELIVERED: &str = "undelivered";

/// Tells the session's hooks once more of a client whose secret is kept, and lets go of that once they have it.
///
/// Errors: no such client; one with a secret of which none is kept; what went wrong with handing it over.
pub fn again(session: &Session, id: &ClientId) -> Result<Client> {
    let mut client = session.wait(clients::get(session, id))?;
    let kept = Kept::find(id, session.admin_url()?.as_str())?;
    match &kept {
        Some(kept) => client.set_secret(kept.secret().clone()),
        None if client.uses_secret() => {
            return Err(Error::usage(format!("no secret of client `{id}` is kept: it was handed over, or shown"))
                .hint(format!("another one: orysh rotate secret {} --deliver '…'", shell_word(id.as_str()))));
        }
        None => {}
    }
    let event = Event { done: Done::Created, client: client.clone() };
    hook::fire_and_wait(session, event).map_err(|error| error.about(format!("client `{id}` was not delivered")))?;
    kept.map_or(Ok(()), Kept::discard)?;
    client.remove_secret();
    Ok(client)
}
