//! `import oauth2-clients FILE`: creates every client of a file; one that exists is reported, never overwritten.

use std::collections::HashSet;

use clap::{Arg, ArgAction};

use crate::batch::again::{Again, Whose};
use crate::batch::carry::{self, Clients, SCRIPT, Spending};
use crate::batch::check::{self, Ready, Recipients};
use crate::batch::engine::Going;
use crate::batch::heard::Became;
use crate::batch::job::Job;
use crate::batch::keeper::Keeper;
use crate::commands::client::described::described;
use crate::commands::client::{COLUMNS, change, with_members};
use crate::error::{Error, Result};
use crate::grammar::deliver::deliver_arg;
use crate::grammar::{Args, Command, Host, recipients as recipient_flags};
use crate::model::client::{Client, ClientId};
use crate::model::input::Entry;
use crate::ops::create::{self, How, Plan};
use crate::ops::guard;
use crate::ops::recipients;
use crate::output::outcome::{Outcome, Row};
use crate::session::Session;
use crate::session::hook::Done;
use crate::text;

const EXAMPLES: &str = "\
Examples:
  orysh import oauth2-clients clients.json --format jsonl
  orysh import oauth2-clients services.csv --format csv > made.csv
  orysh export oauth2-clients | orysh import oauth2-clients - --endpoint https://other.example.org

The whole file is checked before anything is sent, and kept in a journal until all is done and shown: after a crash
`orysh batch resume` goes on. Results are shown in the order of the file.";

/// The command.
pub fn command() -> Command {
    Command::new(["import", "oauth2-clients"], "Create every client of a file", run)
        .runs_dry()
        .aliases(&["clients", "oauth2-client", "client"])
        .args(import_args)
        .after(EXAMPLES)
}

fn import_args() -> Vec<Arg> {
    let switch =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let mut args = vec![
        Arg::new("file")
            .value_name("FILE")
            .action(ArgAction::Append)
            .help("A JSON list, one JSON object, JSON Lines, YAML or CSV; - or none for stdin (can be repeated)"),
        switch("dry-run", "Show the requests that would be sent, secrets redacted, and send nothing"),
        switch("no-lint", "Send what the check of the values refuses, too"),
    ];
    args.extend(recipient_flags::recipient_args());
    args.push(deliver_arg());
    args
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = host.session.clone();
    let mut files = args.texts("file");
    if files.is_empty() {
        if args.texts("pgp-key").iter().any(|key| key == "@-") {
            return Err(Error::usage("the clients and --pgp-key @- both read stdin").hint("give one of them a file"));
        }
        if !args.from_argv && !session.ui().stdin_is_terminal() {
            return Err(Error::usage("no file is named, and stdin holds the lines of the shell").hint("name a file"));
        }
        if session.ui().stdin_is_terminal() {
            let error = Error::usage("no file is named, and stdin is a terminal");
            return Err(error.hint("name a file, or - to type it in"));
        }
        files.push("-".to_owned());
    }
    let found = recipients::load_with_material(&session, &recipient_flags::wanted(args)?)?;
    let how = How {
        no_lint: args.flag("no-lint"),
        recipients: found.iter().map(|(recipient, _)| recipient.clone()).collect(),
        ..How::default()
    };
    let plans = plans(&session, &files, &how)?;
    if !how.recipients.is_empty() {
        if !plans.iter().any(Plan::is_sealed) {
            return Err(Error::usage("none of the clients has a secret, and there is nothing to encrypt")
                .hint("leave --pgp-key, --pgp-key-url and --keybase out"));
        }
        recipients::tell(&session, &how.recipients);
    }
    if args.only_shows(&session) {
        let shown = plans.iter().map(|plan| plan.shown(&session)).collect();
        return change::dry_runs(args, shown);
    }
    let count = plans.len();
    guard::batch(&session, &format!("create {count} clients"), files.iter().any(|file| file == "-"))?;
    let how = check::How { no_lint: how.no_lint, recipients: Recipients::Read(found), ..check::How::of(Job::Create) };
    let spending = session.is_by_script().then(Spending::default);
    let over = spending.clone();
    let rows = std::iter::once_with(move || make(&session, plans, how, spending)).flat_map(|made| match made {
        Ok(rows) => rows,
        Err(error) => vec![Err(error)],
    });
    let ended = move || over.map_or(Ok(()), |over| over.end());
    Ok(with_members(Outcome::many(rows, COLUMNS).writing()).then(ended))
}

/// Makes the clients; `spending`: for a script, which gets them once more until it has come to its end. Errors: nothing was sent.
fn make(session: &Session, plans: Vec<Plan>, how: check::How, spending: Option<Spending>) -> Result<Vec<Result<Row>>> {
    let about: Vec<(ClientId, bool)> = plans.iter().map(|plan| (plan.id().clone(), plan.secret_is_ours())).collect();
    let total = plans.len() as u64;
    let each = plans.into_iter().map(|plan| Ok(Ready::from(plan)));
    let (name, whose) = match &spending {
        // A sandbox of its own knows nothing of what was made before.
        Some(_) if !session.is_confined() => ((SCRIPT, Again::GoneOn), carry::whose(session)),
        _ => (("import", Again::Never), Whose::default()),
    };
    let mut carried =
        carry::carry_out(session, Clients { name, whose, total, each }, how, &Going::default(), || Ok(()))?;
    let (mut became, stopped) = (std::mem::take(&mut carried.became), carried.stopped.take());
    let earlier = carried.earlier.take();
    let is_earlier = earlier.is_some();
    let about = earlier.unwrap_or(about);
    let keeper = Keeper::new(session, carried, spending.filter(|_| !session.is_confined()));
    let mut rows = Vec::new();
    for (at, (id, is_new)) in about.into_iter().enumerate() {
        let Some(Became { result, is_delivered, undelivered, .. }) = became.take(at as u64 + 1) else { continue };
        let row = |client: Client| match client.secret().filter(|_| is_new && !is_delivered).cloned() {
            Some(secret) => keeper.hold(Row::client(client), &id, &secret),
            None => Row::client(client),
        };
        if let Ok(client) = &result
            && !is_earlier
        {
            session.wrote_one(Done::Created, &id, None, client.as_ref());
        }
        rows.extend(result.map(|client| client.map(row)).transpose());
        rows.extend(undelivered.map(|error| Err(keeper.undelivered(&id, error))));
    }
    rows.extend(stopped.map(Err));
    rows.extend(keeper.let_go().err().map(Err));
    Ok(rows)
}

/// Every client of the files, checked. Errors name its place.
fn plans(session: &Session, files: &[String], how: &How) -> Result<Vec<Plan>> {
    let mut seen = HashSet::new();
    let mut plans = Vec::new();
    for Entry { spec, place, at, .. } in described(session.ui(), files)? {
        if let Some(id) = spec.id().filter(|id| !seen.insert((*id).to_owned())) {
            return Err(Error::usage(format!("{place}: client `{}` is there twice", text::safe(id))).at(at));
        }
        let recipients = create::recipients_of(&spec, &how.recipients);
        let plan = create::plan(session, spec, &How { recipients, ..how.clone() });
        plans.push(plan.map_err(|error| error.about(place).at(at))?);
    }
    Ok(plans)
}
