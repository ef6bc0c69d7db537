//! `undo`: what the last line that wrote something did is taken back, where that can be done.

use serde_json::json;

use crate::api::clients;
use crate::error::{Error, Result};
use crate::grammar::Host;
use crate::model::client::{Client, ClientId};
use crate::ops::update::{self, Change};
use crate::ops::{delete, look};
use crate::output::outcome::{Column, Outcome, Row};
use crate::session::Session;
use crate::session::handle::locked;
use crate::session::hook::Done;
use crate::session::written::Write;
use crate::shell::own::{Request, Requests};
use crate::text::shell_word;
use crate::ui::Mark;

const COLUMNS: &[Column] =
    &[Column { title: "CLIENT", member: "client_id" }, Column { title: "UNDONE", member: "undone" }];

/// What takes one write back.
enum Step {
    /// The client goes.
    Delete(Box<Client>),
    /// Fields of it become what they were.
    PutBack { before: Box<Client>, after: Box<Client> },
}

/// Takes it back, having told what that does. Errors: nothing was written; it was somewhere else; it cannot be undone.
pub fn run(host: &Host, requests: &Requests) -> Result<Outcome> {
    let session = &host.session;
    let line = session.last_written().ok_or_else(|| {
        Error::usage("no line of this shell has written anything that could be undone")
            .hint("`batch undo RUN` takes a run back, `delete oauth2-client ID` deletes a client")
    })?;
    let here = session.server()?;
    if let Some((there, _)) = line.writes.iter().find(|(server, _)| *server != here) {
        return Err(Error::usage(format!("that was written to {there}, and this is {here}"))
            .hint("go back there with `use profile NAME`, or begin a shell there"));
    }
    if line.is_cut {
        return Err(Error::usage("the last line wrote more than is remembered of it").hint("see `list oauth2-clients`"));
    }
    if let [(_, Write::Run(name))] = line.writes.as_slice() {
        let assent = &session.settings().assent;
        let confirm = assent.confirm.as_ref().map(|name| format!(" --confirm {}", shell_word(name)));
        let yes = if assent.yes { " --yes" } else { "" };
        locked(requests).push(Request::Undo(format!("batch undo {name}{yes}{}", confirm.unwrap_or_default())));
        return Ok(Outcome::nothing());
    }
    let steps = steps(line.writes.into_iter().map(|(_, write)| write).collect()).map_err(|error| {
        session.pass_over();
        error.hint("`undo` once more takes back what the line before it wrote")
    })?;
    if steps.is_empty() {
        session.pass_over();
        return Err(Error::usage("nothing is left of what the last line wrote"));
    }
    for step in &steps {
        match step {
            Step::Delete(client) => session.ui().marked(Mark::Removed, &format!("{}, which was made", named(client))),
            Step::PutBack { before, after } => {
                let fields: Vec<&str> =
                    update::changes(before, after, false).iter().map(|change| change.field.json).collect();
                session.ui().marked(Mark::Changed, &format!("{}: {}", named(before), fields.join(", ")));
            }
        }
    }
    if !session.settings().assent.yes && !session.ui().agrees("Undo that?", false) {
        return Err(Error::usage("nothing was undone"));
    }
    let rows = session.taking_back(|| steps.into_iter().map(|step| take(session, step)).collect::<Result<Vec<_>>>())?;
    Ok(Outcome::each(rows.len(), rows.into_iter().map(Ok), COLUMNS))
}

fn named(client: &Client) -> String {
    let name = client.text("client_name").filter(|name| !name.is_empty());
    format!("client `{}`{}", client.id(), name.map(|name| format!(" ({name})")).unwrap_or_default())
}

/// What takes these back, the last one first: of each client one step. Errors: one of them is for good.
fn steps(writes: Vec<Write>) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    for write in writes {
        let position = |id: &str| {
            steps.iter().position(|step| match step {
                Step::Delete(client) => client.id() == id,
                Step::PutBack { before, .. } => before.id() == id,
            })
        };
        match write {
            Write::Created(client) => steps.push(Step::Delete(client)),
            Write::Updated { before, after } => match position(before.id()) {
                Some(at) => match &mut steps[at] {
                    Step::Delete(client) => *client = after,
                    Step::PutBack { after: last, .. } => *last = after,
                },
                None => steps.push(Step::PutBack { before, after }),
            },
            Write::ForGood(done, id) => match (position(id.as_str()), done) {
                // Nothing is left of it to be taken back.
                (Some(at), Done::Deleted) if matches!(steps[at], Step::Delete(_)) => drop(steps.remove(at)),
                (Some(at), Done::Rotated) if matches!(steps[at], Step::Delete(_)) => {}
                (_, Done::Rotated) => {
                    return Err(Error::usage(format!(
                        "client `{id}` got a new secret, which cannot be undone: nobody knows the old one here"
                    )));
                }
                _ => {
                    return Err(Error::usage(format!("client `{id}` was deleted, which cannot be undone"))
                        .hint("`create oauth2-client --id ID` makes another one of that id, with another secret"));
                }
            },
            Write::Run(name) => {
                return Err(Error::usage(format!("the last line did more than run {name}"))
                    .hint(format!("`batch undo {name}` takes the run back")));
            }
        }
    }
    steps.reverse();
    Ok(steps)
}

fn take(session: &Session, step: Step) -> Result<Row> {
    let (id, undone) = match step {
        Step::Delete(made) => (made.id().to_owned(), deleted(session, &made)?),
        Step::PutBack { before, after } => (before.id().to_owned(), put_back(session, &before, &after)?),
    };
    Ok(Row::value(json!({"client_id": id, "undone": undone})).with_id(id))
}

/// Deletes a client that is as it was made. Errors: somebody has changed it since.
fn deleted(session: &Session, made: &Client) -> Result<&'static str> {
    let id = ClientId::parse(made.id())?;
    let Some(now) = session.wait(clients::get_opt(session, &id))? else { return Ok("it was gone already") };
    let since = update::changes(made, &now, false);
    if !since.is_empty() {
        let fields: Vec<&str> = since.iter().map(|change| change.field.json).collect();
        return Err(update::changed_since(id.as_str(), &fields)
            .hint(look_at(session, &id))
            .hint(format!("`delete oauth2-client {id}` deletes it")));
    }
    delete::delete(session, &id)?;
    Ok("deleted")
}

fn look_at(session: &Session, id: &ClientId) -> String {
    format!("look at it: {}", look::at(session, id))
}

/// Sets the fields of a client back that are as they were left. Errors: one of them is not.
fn put_back(session: &Session, before: &Client, after: &Client) -> Result<&'static str> {
    let id = ClientId::parse(before.id())?;
    let now = session.wait(clients::get(session, &id))?;
    let changes = update::changes(before, after, false);
    let set = update::back(&now, changes.iter().map(|change| (change.field, &change.before, &change.after)))
        .map_err(|error| error.hint(look_at(session, &id)))?;
    let how = update::How { no_lint: true, ..update::How::default() };
    let planned = update::plan_from(session, now, Change { set, ..Change::default() }, &how)?;
    let updated = update::update(session, planned)?;
    updated.undelivered.map_or(Ok("put back"), Err)
}
