//! A new secret, shown once to a person, with what is done with one at hand: copy it, encrypt it for somebody, save it.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::config::files;
use crate::crypt::recipient;
use crate::crypt::source::Source;
use crate::env;
use crate::error::{Error, Kind, Result};
use crate::model::document::Document;
use crate::ops::recipients::{self, Wanted};
use crate::output::outcome::{Body, Column, Outcome, Row};
use crate::secret::Secret;
use crate::session::Session;
use crate::text::{self, safe};

/// What is shown of a client beside the box.
const COLUMNS: &[Column] = &[
    Column { title: "CLIENT ID", member: "client_id" },
    Column { title: "CLIENT NAME", member: "client_name" },
    Column { title: "AUTH METHOD", member: "token_endpoint_auth_method" },
    Column { title: "GRANT TYPES", member: "grant_types" },
    Column { title: "RESPONSE TYPES", member: "response_types" },
    Column { title: "SCOPE", member: "scope" },
    Column { title: "AUDIENCE", member: "audience" },
    Column { title: "REDIRECT URIS", member: "redirect_uris" },
];

/// The same outcome, whose secret is shown in a box instead of among the fields.
pub fn boxed(session: &Session, outcome: Outcome) -> Outcome {
    let session = session.clone();
    let outcome = outcome.through(move |rows| {
        let row = rows.next()?;
        Some(row.and_then(|row| with_its_secret_shown(&session, row)))
    });
    Outcome { columns: COLUMNS, ..outcome }
}

fn with_its_secret_shown(session: &Session, row: Row) -> Result<Row> {
    let Row { body: Body::Document(document), id, pending } = row else { return Ok(row) };
    let Some(secret) = document.secret("client_secret").cloned() else {
        return Ok(Row { body: Body::Document(document), id, pending });
    };
    show(session, &document, &secret);
    let kept = match pending {
        // A person has seen it.
        Some(pending) => (pending.afterwards)(),
        None => Ok(()),
    };
    offer(session, &secret);
    kept?;
    // No column shows it, and the shell remembers it as it does that of any other.
    Ok(Row { body: Body::Document(document), id, pending: None })
}

/// In a frame that a narrow terminal has room for.
fn show(session: &Session, document: &Document, secret: &Secret) {
    let ui = session.ui();
    let told = |member: &str| safe(document.text(member).unwrap_or_default()).into_owned();
    let title = format!(" the secret of {} ", told("client_id"));
    let below = " it is shown once ";
    let by = format!("authenticates by {}", told("token_endpoint_auth_method"));
    let beside: Vec<String> = [told("client_name"), by].into_iter().filter(|line| !line.is_empty()).collect();
    let widest = ui.width().map_or(usize::MAX, |width| width.saturating_sub(2));
    let inner = beside.iter().map(|line| text::width(line)).chain([text::width(secret.expose())]).max();
    let width = (inner.unwrap_or_default() + 2).max(text::width(&title)).max(below.len()).min(widest);
    let line = |label: &str| format!("{label}{}", "─".repeat(width.saturating_sub(text::width(label))));
    let row = |text: &str| ui.line(&format!("│ {text}{}│", " ".repeat(width.saturating_sub(text::width(text) + 1))));
    ui.line(&format!("┌{}┐", line(&text::fit(&title, width))));
    // The secret is never cut.
    row(&safe(secret.expose()));
    for beside in &beside {
        row(&text::fit(beside, width.saturating_sub(1)));
    }
    ui.line(&format!("└{}┘", line(below)));
}

/// What can be done with it.
const WAYS: [&str; 3] = ["copy", "encrypt", "save"];

/// Asks what is to be done with it, until nothing more is. What goes wrong is told, and asked again; whoever leaves by Ctrl-C goes on.
fn offer(session: &Session, secret: &Secret) {
    let ui = session.ui();
    ui.forget_typed();
    loop {
        let question = "copy, encrypt for somebody, save to a file, or Enter to go on [c/e/s] ";
        let chosen = ui.choose(question, &WAYS, "");
        let [copy, encrypts, _] = WAYS;
        let done = match chosen {
            Ok("") => return,
            Err(_) => return session.interrupt().forget(),
            Ok(way) if way == copy => {
                ui.copy(secret.expose()).map(|()| "the terminal was given it for its clipboard".to_owned())
            }
            Ok(way) if way == encrypts => encrypt(session, secret),
            Ok(_) => save(session, secret),
        };
        match done {
            Ok(told) => ui.line(&format!("  {told}")),
            Err(error) if error.kind() == Kind::Interrupted => {
                session.interrupt().forget();
                ui.line("  nothing was done");
            }
            Err(error) => ui.line(&format!("  {}", safe(&error.full_message()))),
        }
    }
}

fn encrypt(session: &Session, secret: &Secret) -> Result<String> {
    let whom = answer(session, "for whom: the file of a key, its https address, or keybase:NAME? ")?;
    let source = match whom.split_once(':') {
        Some(("keybase", name)) => Source::Keybase(name.to_owned()),
        Some(("https", _)) => Source::Url(whom.clone()),
        _ if at_home(&whom).is_file() => Source::Word(format!("@{}", at_home(&whom).display())),
        _ => Source::Word(whom.clone()),
    };
    let is_word = matches!(&source, Source::Word(word) if *word == whom);
    let wanted = Wanted { sources: vec![source], ..Wanted::default() };
    let found = recipients::load(session, &wanted).map_err(|error| {
        let none = format!("there is no file `{whom}`, and it is no https address, no keybase:NAME and no key itself");
        if is_word && error.kind() == Kind::Usage { Error::usage(none) } else { error }
    })?;
    let sealed = recipient::encrypt(&found, secret)?;
    let broken = || Error::failed("the message cannot be shown");
    let message = STANDARD.decode(sealed.expose()).map_err(|_| broken())?;
    let message = String::from_utf8(message).map_err(|_| broken())?;
    let whom: Vec<String> = found.iter().map(recipient::Recipient::described).collect();
    Ok(format!("for {}:\n{}", safe(&whom.join(", ")), message.trim_end()))
}

fn save(session: &Session, secret: &Secret) -> Result<String> {
    let file = answer(session, "to which file? ")?;
    files::write_new(&at_home(&file), format!("{}\n", secret.expose()).as_bytes())?;
    Ok(format!("it is in {}, which only you can read", safe(&file)))
}

/// A file as a shell would find it: `~/` is the home of whoever is there.
fn at_home(file: &str) -> PathBuf {
    match (file.strip_prefix("~/"), env::HOME.get()) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => file.into(),
    }
}

fn answer(session: &Session, question: &str) -> Result<String> {
    let typed = session.ui().answer(question)?;
    if typed.is_empty() { Err(Error::usage("nothing was done")) } else { Ok(typed) }
}
