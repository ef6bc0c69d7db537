//! A new secret, shown once to a person, with what is done with one at hand: copy it, encrypt it for somebody, save it.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::config::files;
use crate::crypt::recipient;
use crate::crypt::source::Source;
use crate::error::{Error, Result};
use crate::ops::recipients::{self, Wanted};
use crate::output::outcome::{Body, Outcome, Row};
use crate::secret::Secret;
use crate::session::Session;
use crate::text::{self, safe};

/// The same outcome, whose secret is shown in a box instead of among the fields.
pub fn boxed(session: &Session, outcome: Outcome) -> Outcome {
    let session = session.clone();
    outcome.through(move |rows| {
        let row = rows.next()?;
        Some(row.and_then(|row| without_its_secret(&session, row)))
    })
}

fn without_its_secret(session: &Session, row: Row) -> Result<Row> {
    let Row { body: Body::Document(document), id, pending } = row else { return Ok(row) };
    let Some(secret) = document.secret("client_secret").cloned() else {
        return Ok(Row { body: Body::Document(document), id, pending });
    };
    show(session, document.text("client_id").unwrap_or_default(), &secret);
    let kept = match pending {
        // A person has seen it.
        Some(pending) => (pending.afterwards)(),
        None => Ok(()),
    };
    offer(session, &secret);
    kept?;
    Ok(Row { body: Body::Document(document.without_secrets()), id, pending: None })
}

/// In a frame that a narrow terminal has room for.
fn show(session: &Session, id: &str, secret: &Secret) {
    let ui = session.ui();
    let title = format!(" the secret of {} ", safe(id));
    let below = " it is shown once ";
    let widest = ui.width().map_or(usize::MAX, |width| width.saturating_sub(2));
    let width = (text::width(secret.expose()) + 2).max(text::width(&title)).max(below.len()).min(widest);
    let line = |label: &str| format!("{label}{}", "─".repeat(width.saturating_sub(text::width(label))));
    ui.line(&format!("┌{}┐", line(&text::fit(&title, width))));
    let shown = safe(secret.expose());
    ui.line(&format!("│ {shown}{}│", " ".repeat(width.saturating_sub(text::width(&shown) + 1))));
    ui.line(&format!("└{}┘", line(below)));
}

/// Asks what is to be done with it, until nothing more is. What goes wrong is told, and asked again.
fn offer(session: &Session, secret: &Secret) {
    let ui = session.ui();
    loop {
        let question = "copy, encrypt for somebody, save to a file, or Enter to go on [c/e/s] ";
        let Ok(answer) = ui.answer(question) else { return };
        let done = match answer.to_lowercase().chars().next() {
            None => return,
            Some('c') => ui.copy(secret.expose()).map(|()| "the terminal was given it for its clipboard".to_owned()),
            Some('e') => encrypt(session, secret),
            Some('s') => save(session, secret),
            Some(_) => Err(Error::usage("c, e or s, or nothing")),
        };
        match done {
            Ok(told) => ui.line(&format!("  {told}")),
            Err(error) => ui.line(&format!("  {}", safe(&error.full_message()))),
        }
    }
}

fn encrypt(session: &Session, secret: &Secret) -> Result<String> {
    let whom = answer(session, "for whom: the file of a key, its https address, or keybase:NAME? ")?;
    let source = match whom.split_once(':') {
        Some(("keybase", name)) => Source::Keybase(name.to_owned()),
        Some(("https", _)) => Source::Url(whom),
        _ if Path::new(&whom).is_file() => Source::Word(format!("@{whom}")),
        _ => Source::Word(whom),
    };
    let wanted = Wanted { sources: vec![source], ..Wanted::default() };
    let found = recipients::load(session, &wanted)?;
    let sealed = recipient::encrypt(&found, secret)?;
    let broken = || Error::failed("the message cannot be shown");
    let message = STANDARD.decode(sealed.expose()).map_err(|_| broken())?;
    let message = String::from_utf8(message).map_err(|_| broken())?;
    let whom: Vec<String> = found.iter().map(recipient::Recipient::described).collect();
    Ok(format!("for {}:\n{}", safe(&whom.join(", ")), message.trim_end()))
}

fn save(session: &Session, secret: &Secret) -> Result<String> {
    let file = answer(session, "to which file? ")?;
    files::write_new(Path::new(&file), format!("{}\n", secret.expose()).as_bytes())?;
    Ok(format!("it is in {}, which only you can read", safe(&file)))
}

fn answer(session: &Session, question: &str) -> Result<String> {
    let typed = session.ui().answer(question)?;
    if typed.is_empty() { Err(Error::usage("nothing was done")) } else { Ok(typed) }
}
