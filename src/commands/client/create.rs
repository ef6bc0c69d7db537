//! `create oauth2-client`: creates one client, once, and prints its secret.

use std::io::Read;
use std::path::PathBuf;

use clap::{Arg, ArgAction};
use serde_json::Value;

use crate::commands::client::{ALIASES, COLUMNS, with_members};
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host, args as flags, recipients as recipient_flags};
use crate::model::client::ClientSpec;
use crate::model::input;
use crate::ops::create::{self, Created, How};
use crate::ops::recipients;
use crate::output::Format;
use crate::output::outcome::{Outcome, Row};
use crate::secret::Secret;
use crate::ui::Ui;

/// The most bytes of a file that are taken for one client document.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  orysh create oauth2-client -n \"my app\" -c http://localhost/cb -g authorization_code -r code -a core,foobar
  orysh create oauth2-client --name job --grant-type client_credentials --format env
  orysh create oauth2-client --file client.yaml --secret-out client.secret --format json
  orysh create oauth2-client --id app-1 --name \"app one\" --if-absent
  orysh create oauth2-client --name job --pgp-key @alice.asc --format jsonpath=client_secret | base64 -d | gpg -d

Id and secret are chosen here where none is given, and the secret is on disk before anything
is sent, until it has been printed: a lost reply makes no second client and loses no secret.";

/// The command.
pub fn command() -> Command {
    Command::new(["create", "oauth2-client"], "Create an OAuth 2.0 client", run)
        .aliases(ALIASES)
        .args(create_args)
        .after(EXAMPLES)
}

fn create_args() -> Vec<Arg> {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).help_heading("Create")
    };
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help).help_heading("Create")
    };
    let mut args = vec![
        text("file", "FILE", "Read the client from a JSON or YAML file, - for stdin; flags win over it").short('f'),
        switch("secret-stdin", "Read the secret from stdin").conflicts_with_all(["client_secret", "secret-file"]),
        text("secret-file", "FILE", "Read the secret from a file").conflicts_with("client_secret"),
        text("secret-out", "FILE", "Write the secret to a new file as well (0600), before anything is sent"),
        switch("if-absent", "Take an existing client of that id for a success, and change nothing"),
        switch("dry-run", "Show the request that would be sent, its secret redacted, and send nothing"),
        switch("no-lint", "Send what the check of the values refuses, too"),
    ];
    args.extend(recipient_flags::recipient_args());
    args.extend(flags::field_args());
    args
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let wanted = recipient_flags::wanted(args)?;
    check_stdin(args)?;
    let spec = spec(args, session.ui())?;
    let how = How {
        if_absent: args.flag("if-absent"),
        no_lint: args.flag("no-lint"),
        secret_out: args.text("secret-out").map(PathBuf::from),
        recipients: recipients::load(session, &wanted)?,
    };
    if args.text("secret-out") == Some("-") {
        return Err(Error::usage("--secret-out wants a file: stdout has the result already"));
    }
    let plan = create::plan(session, spec, &how)?;
    if args.flag("dry-run") {
        if args.flag("quiet") || args.format == Format::Env {
            return Err(Error::usage("--dry-run shows a request, which --quiet and the format `env` cannot")
                .hint("leave them out, or use --format json"));
        }
        return Ok(Outcome::one(Row::value(plan.shown(session)?), &[]));
    }
    let secret_is_ours = plan.secret_is_ours();
    let mut created = create::create(session, plan, &how)?;
    if secret_is_ours
        && how.secret_out.is_none()
        && !shows_secret(args, &created)
        && let Some(kept) = created.kept.take()
    {
        session.ui().warn(&format!("the secret is not shown: it is kept in {}", kept.path().display()));
    }
    Ok(with_members(Outcome::one(shown(created), COLUMNS)))
}

/// Whether the chosen output shows the secret: ids and picked members may leave it out.
fn shows_secret(args: &Args, created: &Created) -> bool {
    match (&args.format, created.client.secret()) {
        (_, Some(_)) if args.flag("quiet") => false,
        (Format::Path(query), Some(secret)) => {
            query.shows(&Value::Object(created.client.document().reveal()), secret.expose())
        }
        _ => true,
    }
}

/// A created client as a row that lets go of the kept secret once it has been written.
fn shown(Created { client, kept }: Created) -> Row {
    let row = Row::client(client);
    match kept {
        Some(kept) => {
            let otherwise = format!("the client was made, and its id and secret are kept in {}", kept.path().display());
            row.afterwards(Box::new(move || kept.discard()), otherwise)
        }
        None => row,
    }
}

/// Stdin can be read once.
fn check_stdin(args: &Args) -> Result<()> {
    let readers: Vec<&str> =
        [(args.text("file") == Some("-"), "--file -"), (args.flag("secret-stdin"), "--secret-stdin")]
            .into_iter()
            .filter_map(|(reads, flag)| reads.then_some(flag))
            .chain(args.texts("pgp-key").iter().filter(|key| *key == "@-").map(|_| "--pgp-key @-"))
            .collect();
    match readers.as_slice() {
        [] | [_] => Ok(()),
        several => {
            Err(Error::usage(format!("{} all read stdin", several.join(" and "))).hint("give all but one a file"))
        }
    }
}

fn spec(args: &Args, ui: Ui) -> Result<ClientSpec> {
    let mut from_flags = flags::spec(&args.matches)?;
    if args.text("client_secret").is_some() {
        ui.warn("other users of this machine can read --secret in the list of processes: --secret-stdin and --secret-file keep it to yourself");
    }
    if args.flag("secret-stdin") {
        from_flags.set_secret(Secret::read(std::io::stdin().lock(), "stdin")?);
    }
    if let Some(path) = args.text("secret-file") {
        from_flags.set_secret(Secret::read_file(&PathBuf::from(path))?);
    }
    let Some(file) = args.text("file") else { return Ok(from_flags) };
    let (mut spec, left_out) = input::parse_document(&read(file)?, file)?;
    if !left_out.is_empty() {
        ui.note(&format!("left out of {file}, as only the server sets it: {}", left_out.join(", ")));
    }
    spec.merge(from_flags);
    Ok(spec)
}

fn read(file: &str) -> Result<String> {
    let opened: Result<Box<dyn Read>> = if file == "-" {
        Ok(Box::new(std::io::stdin().lock()))
    } else {
        std::fs::File::open(file)
            .map(|file| Box::new(file) as Box<dyn Read>)
            .map_err(|source| Error::usage(format!("cannot open {file}")).caused_by(source))
    };
    let mut bytes = Vec::new();
    opened?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| Error::usage(format!("cannot read {file}")).caused_by(source))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Error::usage(format!("{file} is larger than one client can be (4 MiB)")));
    }
    String::from_utf8(bytes).map_err(|source| {
        let at = source.utf8_error().valid_up_to();
        Error::usage(format!("{file} is not UTF-8: byte {}", at + 1))
    })
}
