//! Creating a client: once, and its secret is known whatever happens.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::api::{clients, request};
use crate::config::files;
use crate::crypt::{Recipient, recipient};
use crate::error::{Error, Kind, Result};
use crate::model::client::{Client, ClientId, ClientSpec};
use crate::model::fields::{FIELDS, Field};
use crate::model::{compare, lint};
use crate::ops::guard::{self, Deed};
use crate::ops::keep::Kept;
use crate::ops::look;
use crate::ops::settle::{self, Fate};
use crate::ops::update::FieldChange;
use crate::ops::{deliver, dry_run};
use crate::secret::{Secret, concealed};
use crate::session::Session;
use crate::session::hook::{self, Done, Moment, Planned};
use crate::session::written::Write;
use crate::text::shell_word;

/// How a client is to be created.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// An existing client of that id is no failure.
    pub if_absent: bool,
    /// Send what lint finds wrong, too.
    pub no_lint: bool,
    /// A new file that the secret is written to as well, before anything is sent.
    pub secret_out: Option<PathBuf>,
    /// Whom the secret is encrypted for, if anybody.
    pub recipients: Vec<Recipient>,
}

/// A client that is ready to be sent: checked, with defaults, id and secret.
#[derive(Clone, Debug)]
pub struct Plan {
    spec: ClientSpec,
    id: ClientId,
    id_is_ours: bool,
    secret_is_ours: bool,
    recipients: Vec<Recipient>,
    /// The secret encrypted for them.
    sealed: Option<Secret>,
    /// Whether no hook was asked, as there is a client of that id: it is not to be made.
    is_unasked: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Created {
    /// The client, with its secret where it is known.
    pub client: Client,
    /// The file that keeps the secret until the result has reached its reader.
    pub kept: Option<Kept>,
    /// What went wrong as it was delivered.
    pub undelivered: Option<Error>,
}

/// A client that was checked, with defaults and id, and without a secret that is to be chosen.
#[derive(Debug)]
pub struct Checked {
    spec: ClientSpec,
    id: ClientId,
    id_is_ours: bool,
    secret_is_ours: bool,
    is_unasked: bool,
}

impl Checked {
    /// Its id.
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// Whether that was chosen here.
    pub fn id_is_ours(&self) -> bool {
        self.id_is_ours
    }

    /// Whether its secret is to be chosen here.
    pub fn secret_is_ours(&self) -> bool {
        self.secret_is_ours
    }

    /// Whether it has a secret, which can be encrypted for somebody.
    pub fn has_secret(&self) -> bool {
        has_secret(&self.spec)
    }

    /// Whom its secret is encrypted for, of those that secrets are for.
    pub fn recipients_of(&self, recipients: &[Recipient]) -> Vec<Recipient> {
        recipients_of(&self.spec, recipients)
    }

    /// What is asked for, its id, and whether that was chosen here.
    pub fn into_parts(self) -> (ClientSpec, ClientId, bool) {
        (self.spec, self.id, self.id_is_ours)
    }

    /// With the secret (192 bits), encrypted if it is for somebody.
    pub fn plan(self, how: &How) -> Result<Plan> {
        let Checked { mut spec, id, id_is_ours, secret_is_ours, is_unasked } = self;
        if secret_is_ours {
            spec.set_secret(Secret::generate()?);
        }
        if how.secret_out.is_some() && spec.secret().is_none() {
            return Err(Error::usage(format!("a client with `{}` has no secret to write", spec.auth_method()))
                .hint("leave --secret-out out"));
        }
        let sealed = seal(&spec, &how.recipients)?;
        Ok(Plan { spec, id, id_is_ours, secret_is_ours, recipients: how.recipients.clone(), sealed, is_unasked })
    }
}

/// Checks a specification and chooses what it leaves open: defaults, id (`UUIDv4`), secret (192 bits).
///
/// Warnings are told. Errors: what lint finds wrong, unless it is switched off.
pub fn plan(session: &Session, spec: ClientSpec, how: &How) -> Result<Plan> {
    check(session, spec, how)?.plan(how)
}

/// The same but for the secret.
pub fn check(session: &Session, spec: ClientSpec, how: &How) -> Result<Checked> {
    let mut spec = spec.with_defaults();
    if how.if_absent {
        // What is there already is given as it is.
        session.may_look()?;
    }
    let is_unasked = how.if_absent && is_there(session, &spec)?;
    if !is_unasked {
        hook::before_one(session, Planned::Create(&mut spec))?;
    }
    if !how.no_lint {
        let by_hooks = if is_unasked { Vec::new() } else { hook::lint(session, &spec)? };
        let findings = lint::lint(&spec).into_iter().chain(by_hooks).collect();
        for finding in hook::judged(session, spec.id().unwrap_or_default(), findings)? {
            session.ui().warn(&finding.told());
        }
    }
    let given = spec.client_id()?;
    let id_is_ours = given.is_none();
    if id_is_ours && how.if_absent {
        return Err(Error::usage("--if-absent wants the id that may be there already")
            .hint("name it with --id, or in the file"));
    }
    let id = given.unwrap_or_else(ClientId::generate);
    spec.set_id(&id);
    if !how.recipients.is_empty() && !has_secret(&spec) {
        return Err(Error::usage("a client with `none` has no secret, and there is nothing to encrypt")
            .hint("leave --pgp-key, --pgp-key-url and --keybase out, or choose another --token-endpoint-auth-method"));
    }
    let secret_is_ours = spec.uses_secret() && spec.secret().is_none();
    Ok(Checked { spec, id, id_is_ours, secret_is_ours, is_unasked })
}

/// Whether there is a client that hooks would be asked about for nothing.
fn is_there(session: &Session, spec: &ClientSpec) -> Result<bool> {
    let is_asked = hook::is_at(session, Moment::BeforeCreate) || hook::is_at(session, Moment::Lint);
    match spec.client_id()? {
        Some(id) if is_asked => Ok(session.wait(clients::get_opt(session, &id))?.is_some()),
        _ => Ok(false),
    }
}

/// Whom the secret of one of many clients is encrypted for: of one that has none, nobody.
pub fn recipients_of(spec: &ClientSpec, recipients: &[Recipient]) -> Vec<Recipient> {
    if has_secret(spec) { recipients.to_vec() } else { Vec::new() }
}

fn has_secret(spec: &ClientSpec) -> bool {
    spec.auth_method() != "none"
}

/// Encrypts the secret, if it is for somebody. One that only the server will make is tried with another.
fn seal(spec: &ClientSpec, recipients: &[Recipient]) -> Result<Option<Secret>> {
    match spec.secret() {
        _ if recipients.is_empty() => Ok(None),
        Some(secret) => recipient::encrypt(recipients, secret).map(Some),
        None => recipient::encrypt(recipients, &Secret::new("trial")).map(|_| None),
    }
}

impl Plan {
    /// A client that was checked before, with all that it needs: defaults, id, and its secret if it has one.
    ///
    /// Errors: the specification has no id; its secret cannot be encrypted.
    pub fn ready(spec: ClientSpec, id_is_ours: bool, recipients: Vec<Recipient>) -> Result<Plan> {
        let id = spec.client_id()?.ok_or_else(|| Error::usage("a client has no client_id"))?;
        let sealed = seal(&spec, &recipients)?;
        Ok(Plan { spec, id, id_is_ours, secret_is_ours: true, recipients, sealed, is_unasked: false })
    }

    /// The request that would be sent, its secret redacted; what would be chosen here stands as `[generated]`.
    pub fn shown(&self, session: &Session) -> Result<Value> {
        let mut shown = request::create_client(&self.spec).shown(&session.admin_url()?);
        if self.id_is_ours
            && let Some(body) = shown.get_mut("body")
        {
            body["client_id"] = "[generated]".into();
        }
        Ok(shown)
    }

    /// What would be set and is no default.
    pub fn changes(&self) -> Vec<FieldChange> {
        let mut asked = self.spec.redacted();
        let set = |field: &'static Field| {
            let value = asked.remove(field.json).filter(|value| field.default.value().as_ref() != Some(value))?;
            (field.json != "client_id").then_some(FieldChange { field, before: Value::Null, after: value })
        };
        FIELDS.iter().filter_map(set).collect()
    }

    /// What is asked for.
    pub fn spec(&self) -> &ClientSpec {
        &self.spec
    }

    /// The same, by itself.
    pub fn into_spec(self) -> ClientSpec {
        self.spec
    }

    /// Its id.
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// The secret encrypted for its recipients.
    pub fn sealed(&self) -> Option<&Secret> {
        self.sealed.as_ref()
    }

    /// The secret as it is kept and passed on: encrypted, where it is for somebody.
    pub fn passed_on(&self) -> Option<&Secret> {
        self.sealed.as_ref().or(self.spec.secret())
    }

    /// Whether the secret was chosen here, so that nobody has it yet.
    pub fn secret_is_ours(&self) -> bool {
        self.secret_is_ours
    }

    /// Whether its secret is encrypted for somebody.
    pub fn is_sealed(&self) -> bool {
        !self.recipients.is_empty()
    }

    /// Whether the id was chosen here, so that whoever has it is ours.
    pub fn id_is_ours(&self) -> bool {
        self.id_is_ours
    }
}

/// `POST /admin/clients`, and whatever it takes to know what became of it.
///
/// Before the first byte is sent the secret is on disk, encrypted if it is for somebody; in clear it is in memory only
/// until the request is settled. Errors name the client; where its fate is unknown
/// they name the file and the next command as well.
pub fn create(session: &Session, plan: Plan, how: &How) -> Result<Created> {
    let (id, secret) = (plan.id.clone(), plan.spec.secret().cloned());
    send(session, plan, how).map_err(|error| hook::failed(session, id.as_str(), concealed(error, secret.as_ref())))
}

fn send(session: &Session, plan: Plan, how: &How) -> Result<Created> {
    if session.dry_run().is_some() {
        return dry_run::create(session, &plan, how);
    }
    if plan.is_unasked {
        let gone = || Error::failed(format!("client `{}` was there just now, and is gone: nothing was made", plan.id));
        let client = session.wait(clients::get_opt(session, &plan.id))?.ok_or_else(gone)?;
        return Ok(existing(session, &plan, client));
    }
    guard::check(session, Deed::Write, &format!("create client `{}`", plan.id))?;
    let endpoint = session.server()?;
    let owners: Vec<_> = plan.recipients.iter().map(Recipient::fingerprint).collect();
    let kept = plan.passed_on().map(|secret| Kept::write(&plan.id, secret, &owners, &endpoint)).transpose()?;
    if let (Some(path), Some(secret)) = (&how.secret_out, plan.passed_on())
        && let Err(error) = files::write_new(path, secret.expose().as_bytes())
    {
        discard(session, kept);
        return Err(error.about("--secret-out"));
    }
    let was_sent = AtomicBool::new(false);
    let fate = match session.wait(async { Ok(settle::create(session, &plan, &was_sent).await) }) {
        Ok(fate) => fate,
        Err(error) if was_sent.load(Ordering::SeqCst) => Fate::Unknown(error),
        Err(error) => Fate::Refused(error),
    };
    match fate {
        Fate::Made { client, settled } => Ok(finish(session, plan, client, settled, kept)),
        Fate::Exists(client) => {
            withdraw(session, kept, how.secret_out.as_deref());
            if how.if_absent {
                return Ok(existing(session, &plan, client));
            }
            Err(conflict(session, &plan.id))
        }
        Fate::Refused(error) => {
            withdraw(session, kept, how.secret_out.as_deref());
            Err(error)
        }
        Fate::Unknown(error) => Err(unknown(session, error, &plan, kept.as_ref())),
    }
}

fn finish(session: &Session, plan: Plan, mut client: Client, settled: bool, kept: Option<Kept>) -> Created {
    if settled {
        session.ui().note(&format!(
            "the reply was lost, and client `{}` was found on the server: it was made once{}",
            plan.id,
            if client.secret().is_none() { "; its registration access token is not known" } else { "" },
        ));
    }
    if plan.spec.secret().is_none() && client.secret().is_some() {
        session.ui().note(&format!("the server made a secret that is of no use with `{}`", plan.spec.auth_method()));
    }
    let told = client.secret().filter(|told| plan.spec.secret() != Some(told)).cloned();
    match (told, plan.passed_on()) {
        // It is the server's own, which the owner alone may read as well.
        (Some(told), _) if !plan.recipients.is_empty() => match recipient::encrypt(&plan.recipients, &told) {
            Ok(sealed) => client.set_secret(sealed),
            Err(error) => {
                client.remove_secret();
                session.ui().warn(&error.about("the server's secret is left out").full_message());
            }
        },
        (Some(_), _) | (None, None) => {}
        // The server echoes the secret, but only in the reply that may have been lost.
        (None, Some(secret)) => client.set_secret(secret.clone()),
    }
    session.wrote(|| Write::created(&client));
    let (kept, undelivered) = deliver::deliver(session, Done::Created, &client, kept, &plan.recipients);
    Created { client, kept, undelivered }
}

/// A client that was there already, and is as good.
pub fn existing(session: &Session, plan: &Plan, client: Client) -> Created {
    session
        .ui()
        .note(&format!("client `{}` exists already: nothing was changed, and its secret is not available", plan.id));
    let differing: Vec<_> = compare::differences(&plan.spec, &client).iter().map(|field| field.json).collect();
    if !differing.is_empty() {
        session.ui().warn(&format!("client `{}` differs from what was asked for in {}", plan.id, differing.join(", ")));
    }
    deliver::remind(session, &plan.id);
    Created { client, kept: None, undelivered: None }
}

/// The code of an error that says that another's client has the id.
pub const CONFLICT: &str = "conflict";

/// Another's client has the id.
pub fn conflict(session: &Session, id: &ClientId) -> Error {
    Error::failed(format!("client `{id}` exists already: nothing was changed"))
        .with_status(409)
        .with_code(CONFLICT)
        .hint(format!("look at it: {}", look::at(session, id)))
}

/// The code of an error that says that it is not known whether a client was made.
pub const UNKNOWN: &str = "unknown_outcome";

fn unknown(session: &Session, error: Error, plan: &Plan, kept: Option<&Kept>) -> Error {
    let id = &plan.id;
    let kind = if error.kind() == Kind::Interrupted { Kind::Interrupted } else { Kind::Failed };
    let is_there = error.code() == Some(settle::UNPROVEN);
    let error = if is_there { error } else { error.about(format!("it is not known whether client `{id}` was made")) };
    let error = error.of_kind(kind).with_code(UNKNOWN);
    let error = match kept {
        Some(kept) => error.hint(format!("its id and secret are kept in {}", kept.path().display())),
        None => error,
    };
    let error = error.hint(format!(
        "see {}: {}",
        if is_there { "whose it is" } else { "whether it is there" },
        look::at(session, id)
    ));
    match kept {
        // Ciphertext is no secret that a client could be given.
        Some(kept) if is_there && !plan.is_sealed() => error.hint(format!(
            "if it is yours, this sets the kept secret: jq -r .client_secret {} | orysh update oauth2-client {} --secret-stdin{}",
            shell_word(&kept.path().display().to_string()),
            shell_word(id.as_str()),
            look::target(session)
        )),
        _ => error,
    }
}

fn withdraw(session: &Session, kept: Option<Kept>, secret_out: Option<&Path>) {
    discard(session, kept);
    if let Some(path) = secret_out
        && let Err(error) = std::fs::remove_file(path)
    {
        session.ui().warn(&format!("{} holds a secret of no client, and cannot be removed: {error}", path.display()));
    }
}

fn discard(session: &Session, kept: Option<Kept>) {
    if let Some(Err(error)) = kept.map(Kept::discard) {
        session.ui().warn(&error.full_message());
    }
}
