//! `edit`: the last line, or a client, in the editor of whoever is there.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::clients;
use crate::config::{files, paths};
use crate::env;
use crate::error::{Error, Result};
use crate::model::client::{Client, ClientId, ClientSpec};
use crate::model::fields::{FIELDS, Field, SetBy};
use crate::model::{compare, input, lint};
use crate::output::yaml;
use crate::session::Session;
use crate::shell::pipe::ended;
use crate::shell::secrets;
use crate::text::{safe, shell_word};
use crate::ui::{self, Ui, YES_OR_NO};

/// A file of one's own that goes again, unless it is kept.
struct Draft(PathBuf);

impl Draft {
    fn new(text: &str, extension: &str) -> Result<Self> {
        let folder = paths::state()?.join("edit");
        files::private_folder(&folder)?;
        let draft = Draft(folder.join(format!("{}.{extension}", Uuid::new_v4())));
        files::write_new(&draft.0, text.as_bytes())?;
        Ok(draft)
    }

    fn keep(self) {
        std::mem::forget(self);
    }

    fn read(&self) -> Result<String> {
        std::fs::read_to_string(&self.0).map_err(|source| Error::usage("cannot read what was edited").caused_by(source))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // An editor may have removed it.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Opens the editor and waits for it. Errors: there is none, or it ends with another exit code than 0.
fn open(draft: &Draft) -> Result<()> {
    let editor = env::VISUAL.get().or_else(|| env::EDITOR.get()).unwrap_or_else(|| "vi".into());
    let failed = |source| Error::usage(format!("cannot start the editor {}", safe(&editor))).caused_by(source);
    let _thinking = ui::thinking();
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(&draft.0);
    let status = ended(&mut command.spawn().map_err(failed)?)?;
    if status.success() {
        return Ok(());
    }
    Err(Error::usage(format!("the editor {} ended with {status}: nothing is done", safe(&editor)))
        .hint("VISUAL or EDITOR names another"))
}

/// A line as it is edited; nothing where it is empty by then.
pub fn line(text: &str) -> Result<Option<String>> {
    let draft = Draft::new(&format!("{text}\n"), "rhai")?;
    open(&draft)?;
    Ok(Some(draft.read()?.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// What changes a client as it is edited: the words behind `orysh`, and the file that they name, which goes with it.
pub struct Edited {
    /// The command.
    pub line: String,
    file: Draft,
}

impl Edited {
    fn new(id: &ClientId, file: Draft, unset: &[&'static Field]) -> Self {
        let path = file.0.display().to_string();
        let unset = unset.iter().flat_map(|field| ["--unset", field.json]);
        let words = ["update", "oauth2-client", id.as_str(), "--file", &path].into_iter().chain(unset);
        let line = words.map(shell_word).collect::<Vec<String>>().join(" ");
        Edited { line, file }
    }

    /// Of what is set and emptied, and of nothing that stays as it is.
    fn of(id: &ClientId, (set, unset): &Changes) -> Result<Self> {
        Ok(Edited::new(id, Draft::new(&yaml::text(&Value::Object(set.body())), "yaml")?, unset))
    }

    /// The file stays, for whoever gives the command again; of what was refused for what it says once that is mended.
    pub fn keep(self, ui: Ui, is_wrong: bool) {
        let Edited { line, file } = self;
        let (place, until) = match is_wrong.then(|| file.0.display()) {
            Some(path) => (format!(" in {path}"), ", once it is mended"),
            None => (String::new(), ""),
        };
        ui.warn(&format!("what was edited is kept{place}: `{line}` sends it{until}"));
        file.keep();
    }
}

/// Opens a client, and again where what came of it is wrong. Nothing where nothing was changed. Errors: no such client; nobody wants to
/// mend what is wrong. What was edited by then is kept.
pub fn client(session: &Session, id: &str) -> Result<Option<Edited>> {
    let id = ClientId::parse(id)?;
    let before = session.wait(clients::get(session, &id))?;
    let shown = described(&before, &session.described()?);
    let draft = Draft::new(&shown, "yaml")?;
    let ui = session.ui();
    let changes = match edited(session, &before, &draft) {
        Ok(Some(changes)) => changes,
        Ok(None) => return Ok(None),
        Err(error) => {
            if let Err(failed) = keep(ui, &id, &before, draft, &shown) {
                ui.error(&failed);
            }
            return Err(error);
        }
    };
    let edited = Edited::of(&id, &changes)?;
    drop(draft);
    match is_to_be_sent(session, &id, &before, &changes) {
        Ok(()) => Ok(Some(edited)),
        Err(error) => {
            edited.keep(ui, false);
            Err(error)
        }
    }
}

/// What a client's editor makes of it: what is set, and what is emptied. Errors: the editor failed; nobody wants to mend what is wrong.
fn edited(session: &Session, before: &Client, draft: &Draft) -> Result<Option<Changes>> {
    loop {
        open(draft)?;
        match changed(before, &draft.read()?) {
            Ok((set, unset)) if set.is_empty() && unset.is_empty() => return Ok(None),
            Ok(changes) => return Ok(Some(changes)),
            Err(error) => {
                let ui = session.ui();
                // It was typed for the editor.
                ui.forget_typed();
                ui.error(&error);
                let [yes, no] = YES_OR_NO;
                if !ui.can_ask(false) || ui.choose("Edit it again? [Y/n] ", &YES_OR_NO, yes)? == no {
                    return Err(error.already_told());
                }
            }
        }
    }
}

/// Errors: others have changed the same, and a person does not write over it.
fn is_to_be_sent(session: &Session, id: &ClientId, before: &Client, (set, unset): &Changes) -> Result<()> {
    let now = session.wait(clients::get(session, id))?;
    let others = changed_by_others(before, &now, set, unset);
    if others.is_empty() {
        return Ok(());
    }
    let fields = others.join(", ");
    session.ui().warn(&format!("client `{id}` was changed meanwhile in {fields}, which is changed here, too"));
    if session.ui().agrees("Write over it?", false) {
        return Ok(());
    }
    Err(Error::usage(format!("client `{id}` is left as it is")))
}

/// Keeps a draft that was changed: what it says, or all of it where that cannot be told. Errors: it cannot be kept.
fn keep(ui: Ui, id: &ClientId, before: &Client, draft: Draft, shown: &str) -> Result<()> {
    // An editor that was ended may have left none.
    let text = draft.read().unwrap_or_else(|_| shown.to_owned());
    let mut kept = Cow::Borrowed(text.as_str());
    let mut changes = changed(before, &text);
    if changes.is_err() {
        kept = without_secrets(&text, shown).into();
        changes = changed(before, &kept);
    }
    let is_less = kept != text;
    let is_there = |text: &str, field: &Field| text.lines().any(|line| begins(line, field));
    // What was left out is not emptied.
    let is_gone = |field: &&Field| !is_less || !is_there(&text, field);
    let changes = changes.map(|(set, unset)| (set, unset.into_iter().filter(is_gone).collect::<Vec<_>>()));
    let is_nothing = match &changes {
        Ok((set, unset)) => set.is_empty() && unset.is_empty(),
        Err(_) => kept == shown,
    };
    if is_less {
        let is_left = "what may be a secret is left out of what is kept";
        ui.warn(if is_nothing { "what was edited may be a secret, and is not kept" } else { is_left });
    }
    if is_nothing {
        return Ok(());
    }
    if let Ok(changes) = changes {
        let edited = Edited::of(id, &changes)?;
        drop(draft);
        edited.keep(ui, false);
        return Ok(());
    }
    if is_less {
        files::replace(&draft.0, kept.as_bytes())?;
    }
    let gone: Vec<_> = editable().filter(|field| is_there(shown, field) && !is_there(&text, field)).collect();
    Edited::new(id, draft, &gone).keep(ui, true);
    Ok(())
}

/// Whether a line of a draft begins what a field is, in whatever way YAML has for that.
fn begins(line: &str, field: &Field) -> bool {
    let quotes = ['"', '\''];
    let (line, is_asked) = line.strip_prefix('?').map_or((line, false), |name| (name.trim_start(), true));
    let rest = line.trim_start_matches(quotes).strip_prefix(field.json).map(|rest| rest.trim_start_matches(quotes));
    rest.map(str::trim_start).is_some_and(|rest| rest.starts_with(':') || is_asked && rest.is_empty())
}

/// The field that private keys are in where somebody takes them for public ones.
const KEYS: &str = "jwks";

/// A draft without the lines that may have a secret in them, up to the next field or to what was shown, and without keys that are not
/// those that were shown.
fn without_secrets(text: &str, shown: &str) -> String {
    let shown: HashSet<&str> = shown.lines().filter(|line| !line.trim().is_empty()).collect();
    let is_shown = |line: &str| shown.contains(line.trim_end_matches(['\n', '\r']));
    let begins_field = |line: &str| editable().any(|field| begins(line, field));
    let mut parts: Vec<Vec<&str>> = vec![Vec::new()];
    for line in text.split_inclusive('\n') {
        if begins_field(line) || line.starts_with('#') && is_shown(line) {
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(line);
        }
    }
    let has_others = |part: &[&str]| {
        let is_of_keys =
            part.first().is_some_and(|line| editable().any(|field| field.json == KEYS && begins(line, field)));
        is_of_keys && part.iter().any(|line| !line.trim().is_empty() && !is_shown(line))
    };
    let mut is_left_out = false;
    let lines = parts.into_iter().filter(|part| !has_others(part)).flatten().filter(|line| {
        is_left_out = !is_shown(line) && (secrets::may_set_one(line) || is_left_out && !begins_field(line));
        !is_left_out
    });
    lines.collect()
}

/// Fields that can be edited. A secret is not written into a file for that.
fn editable() -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(|field| field.set_by == SetBy::Caller && !field.secret && field.json != "client_id")
}

/// The fields that are about to be written, and are not as they were when they were shown.
fn changed_by_others(before: &Client, now: &Client, set: &ClientSpec, unset: &[&'static Field]) -> Vec<&'static str> {
    let value = |client: &Client, field: &Field| client.get(field.json).cloned().unwrap_or(Value::Null);
    let is_written = |field: &&Field| set.get(field.json).is_some() || unset.iter().any(|one| one.json == field.json);
    let is_changed = |field: &&Field| !compare::is_same(field, &value(before, field), &value(now, field));
    editable().filter(|field| is_written(field) && is_changed(field)).map(|field| field.json).collect()
}

/// A client as YAML, each field below what it is.
fn described(client: &Client, place: &str) -> String {
    let mut text = format!(
        "# Client {} at {}.\n# What is changed here is sent once this is closed; nothing is where nothing was.\n# A field that is taken out is emptied.\n",
        safe(client.id()),
        safe(place)
    );
    for field in editable() {
        text.extend(["\n# ", field.help, "\n"]);
        match client.get(field.json).filter(|value| !compare::is_empty(value)) {
            Some(value) => text.push_str(&yaml::text(&json!({field.json: value}))),
            None => text.extend(["# ", field.json, ":\n"]),
        }
    }
    text
}

/// What is set, and what is emptied.
type Changes = (ClientSpec, Vec<&'static Field>);

/// What an edited text sets, and which fields it empties. Errors: it is wrong.
fn changed(before: &Client, text: &str) -> Result<Changes> {
    let entry = input::parse_document(text, "the client")?;
    let after = entry.spec;
    if let Some(field) = entry.left_out.first() {
        return Err(Error::usage(format!("`{}` is set by the server", safe(field))));
    }
    if after.id().is_some_and(|id| id != before.id()) {
        return Err(Error::usage("a client keeps its id"));
    }
    let (mut set, mut unset) = (ClientSpec::new(), Vec::new());
    for field in editable() {
        let (old, new) =
            (before.get(field.json).unwrap_or(&Value::Null), after.get(field.json).unwrap_or(&Value::Null));
        match () {
            () if compare::is_same(field, new, old) || compare::is_empty(old) && compare::is_empty(new) => {}
            () if compare::is_empty(new) => unset.push(field),
            () => set.set(field, new.clone()),
        }
    }
    // They are for no server, and for no file.
    lint::judge(lint::key_set(&set).into_iter().collect())?;
    Ok((set, unset))
}
