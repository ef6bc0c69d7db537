//! `create oauth2-client`: creates one client, once, and prints its secret.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction};

use crate::commands::client::{ALIASES, COLUMNS, change, given_secret, secret_args, with_members};
use crate::commands::client::{described, form, secret_box};
use crate::error::{Error, Result};
use crate::grammar::deliver::deliver_arg;
use crate::grammar::parse::{self, Parsed};
use crate::grammar::{Args, Command, Host, args as flags, recipients as recipient_flags};
use crate::model::client::ClientSpec;
use crate::model::input::Entry;
use crate::ops::create::{self, Created, How};
use crate::ops::recipients;
use crate::output::Format;
use crate::output::outcome::Outcome;
use crate::ui::Ui;

const EXAMPLES: &str = "\
Examples:
  orysh create oauth2-client -n \"my app\" -c http://localhost/cb -g authorization_code -r code -a core,foobar
  orysh create oauth2-client --name job --grant-type client_credentials --format env
  orysh create oauth2-client --file client.yaml --secret-out client.secret --format json
  orysh create oauth2-client --id app-1 --name \"app one\" --if-absent
  orysh create oauth2-client --name job --pgp-key @alice.asc --format jsonpath=client_secret | base64 -d | gpg -d
  orysh create oauth2-client --name job --deliver './hand-over --mount apps' -q

Id and secret are chosen here where none is given, and the secret is on disk before anything
is sent, until it has been printed: a lost reply makes no second client and loses no secret.";

/// The command.
pub fn command() -> Command {
    Command::new(["create", "oauth2-client"], "Create an OAuth 2.0 client", run)
        .runs_dry()
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
        text("secret-out", "FILE", "Write the secret to a new file as well (0600), before anything is sent"),
        switch("if-absent", "Take an existing client of that id for a success, and change nothing"),
        switch("dry-run", "Show the request that would be sent, its secret redacted, and send nothing"),
        switch("no-lint", "Send what the check of the values refuses, too"),
        switch("no-input", "Ask nothing: without it, on a terminal and with no other flag, a form is filled in"),
    ];
    args.extend(secret_args("Create"));
    args.extend(recipient_flags::recipient_args());
    args.push(deliver_arg());
    args.extend(flags::field_args());
    args
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    if !is_for_form(host.session.ui(), args) {
        return create(host, args);
    }
    let filled = form::filled_in(&host.session)?;
    let Parsed::Command(_, matches) = parse::parse(&host.registry, &filled.words, false)? else {
        return Err(Error::failed("the form makes no command"));
    };
    let again = move |error: Error| error.hint(filled.again());
    let outcome = create(host, &Args { matches, ..args.clone() }).map_err(&again)?;
    let mut is_made = false;
    let outcome = outcome.through(move |rows| {
        let row = rows.next()?;
        is_made |= row.is_ok();
        // What may have been made is not made again.
        Some(row.map_err(|error| if is_made || error.code() == Some(create::UNKNOWN) { error } else { again(error) }))
    });
    Ok(secret_box::boxed(&host.session, outcome))
}

/// Whether a person is there who says nothing of the client.
fn is_for_form(ui: Ui, args: &Args) -> bool {
    let is_given = |id: &str| args.matches.value_source(id) == Some(ValueSource::CommandLine);
    let is_bare = !create_args().iter().any(|arg| is_given(arg.get_id().as_str()));
    is_bare
        && args.by_person
        && !args.yes
        && args.format == Format::Table
        && ui.can_ask(false)
        && ui.stdout_is_terminal()
}

fn create(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let wanted = recipient_flags::wanted(args)?;
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
    recipients::tell(session, &how.recipients);
    if args.flag("dry-run") {
        return change::dry_run(args, plan.shown(session)?);
    }
    // Where it goes to a file as well, it need not be in the output.
    let is_new = plan.secret_is_ours() && how.secret_out.is_none();
    let session = session.clone();
    let work = move || {
        let Created { client, kept, undelivered } =
            create::create(&session, plan, &how).map_err(|error| match error.code() {
                Some(create::CONFLICT) => error.hint("--if-absent takes an existing client for a success"),
                _ => error,
            })?;
        Ok(change::written_row(client, kept, is_new, undelivered))
    };
    Ok(with_members(Outcome::later_but(work, COLUMNS)))
}

fn spec(args: &Args, ui: Ui) -> Result<ClientSpec> {
    let mut from_flags = flags::spec(&args.matches)?;
    if let Some(secret) = given_secret(args, ui)? {
        from_flags.set_secret(secret);
    }
    let Some(file) = args.text("file") else { return Ok(from_flags) };
    let Entry { mut spec, .. } = described::one(ui, file)?;
    spec.merge(from_flags);
    Ok(spec)
}
