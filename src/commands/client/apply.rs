//! `apply -f FILE…`: makes clients exist as files describe them; a second run changes nothing.

use std::collections::HashSet;

use clap::{Arg, ArgAction};

use crate::batch::apply::{self as applying, Doing};
use crate::batch::carry;
use crate::commands::client::described::{described, with_folders};
use crate::error::{self, Error, Result};
use crate::grammar::deliver::deliver_arg;
use crate::grammar::{Args, Command, Host, recipients as recipient_flags};
use crate::model::input::Entry;
use crate::ops::apply::{self, Due, How};
use crate::ops::recipients;
use crate::output::outcome::{Column, Outcome};
use crate::text::safe;

const COLUMNS: &[Column] = &[
    Column { title: "CLIENT ID", member: "client_id" },
    Column { title: "ACTION", member: "action" },
    Column { title: "FIELDS", member: "fields" },
    Column { title: "CLIENT SECRET", member: "client_secret" },
];

const EXAMPLES: &str = "\
Examples:
  orysh apply -f clients.yaml
  orysh apply -f clients/ --diff
  orysh apply -f clients.yaml --dry-run --detailed-exitcode
  orysh apply -f clients.yaml --overlay staging.yaml --set shop --prune --yes

By client_id: what is absent is created, what differs in the fields that the files name is changed, and for the rest
nothing is sent. An existing secret is touched only where a file names one, and then only if it is another. With --set,
the clients that are created are marked in their metadata (orysh_set), and --prune deletes no others.";

/// The command.
pub fn command() -> Command {
    Command::new(["apply"], "Make clients exist as files describe them", run)
        .runs_dry()
        .args(apply_args)
        .after(EXAMPLES)
}

fn apply_args() -> Vec<Arg> {
    let mut args = own_args();
    args.extend(recipient_flags::recipient_args());
    args.push(deliver_arg());
    args
}

fn own_args() -> Vec<Arg> {
    let switch =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    vec![
        Arg::new("file")
            .long("file")
            .short('f')
            .value_name("FILE|DIR")
            .action(ArgAction::Append)
            .required(true)
            .help("JSON, JSON Lines, YAML or CSV, a folder of such files, or - for stdin (can be repeated)"),
        switch("dry-run", "Show what is due, field by field, and send nothing"),
        switch("diff", "The same as --dry-run"),
        Arg::new("overlay")
            .long("overlay")
            .value_name("FILE")
            .action(ArgAction::Append)
            .help("Fields of the same clients that are otherwise here, by client_id (can be repeated)"),
        Arg::new("set").long("set").value_name("NAME").help("Mark the clients that are created as made by this set"),
        switch(
            "set-secrets",
            "Set the secrets that files name, where it cannot be told whether they are right already",
        ),
        switch("prune", "Delete the clients that the set made and the files do not describe any more").requires("set"),
        switch("detailed-exitcode", "With --dry-run or --diff: exit code 5 where changes are due"),
        switch("no-lint", "Send what the check of the values refuses, too"),
    ]
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let ui = session.ui();
    let only_shows = args.only_shows(session) || args.flag("diff");
    if args.flag("detailed-exitcode") && !only_shows {
        return Err(Error::usage("--detailed-exitcode goes with --dry-run or --diff"));
    }
    if args.text("set") == Some("") {
        return Err(Error::usage("--set wants a name, and this one is empty"));
    }
    let files = args.texts("file");
    let mut entries = described(ui, &with_folders(ui, &files)?)?;
    lay_over(&mut entries, described(ui, &args.texts("overlay"))?)?;
    let found = recipients::load_with_material(session, &recipient_flags::wanted(args)?)?;
    let how = How {
        no_lint: args.flag("no-lint"),
        recipients: found.iter().map(|(recipient, _)| recipient.clone()).collect(),
        set: args.text("set").map(str::to_owned),
        set_secrets: args.flag("set-secrets"),
        prune: args.flag("prune"),
    };
    if !only_shows {
        carry::tell_older(session, "apply")?;
    }
    let plan = apply::plan(session, entries, &how)?;
    if plan.iter().any(Due::is_sealed) {
        recipients::tell(session, &how.recipients);
    } else if !how.recipients.is_empty() && plan.iter().any(|due| matches!(due, Due::Create(_))) {
        return Err(Error::usage("none of the new clients has a secret, and there is nothing to encrypt")
            .hint("leave --pgp-key, --pgp-key-url and --keybase out"));
    }
    let asks = plan.iter().any(|due| matches!(due, Due::Delete(_))) && !args.yes;
    if only_shows || asks {
        applying::tell(ui, &plan);
    }
    if !only_shows {
        applying::confirm(session, &plan, files.iter().any(|file| file == "-"))?;
    }
    let (session, detailed) = (session.clone(), args.flag("detailed-exitcode"));
    let doing = Doing { no_lint: how.no_lint, recipients: found };
    let rows = std::iter::once_with(move || {
        if only_shows {
            applying::would_be(&session, &plan, detailed)
        } else {
            applying::carry_out(&session, plan, doing).into_iter().map(|(_, row)| row).collect()
        }
    });
    Ok(Outcome::many(rows.flatten(), COLUMNS).writing())
}

/// Puts the fields of `overlays` over the clients of the same ids.
fn lay_over(entries: &mut [Entry], overlays: Vec<Entry>) -> Result<()> {
    let mut seen = HashSet::new();
    for Entry { spec: overlay, place, at, .. } in overlays {
        let Some(id) = overlay.id().map(str::to_owned) else {
            let what = format!("{place}: the overlay has no client_id: it is not known which client it is of");
            return Err(Error::usage(what).at(at));
        };
        if !seen.insert(id.clone()) {
            let what = format!("{place}: there is another overlay of client `{}` before this one", safe(&id));
            return Err(Error::usage(what).at(at));
        }
        let Some(entry) = entries.iter_mut().find(|entry| entry.spec.id() == Some(&id)) else {
            let near = error::nearest(&id, entries.iter().filter_map(|entry| entry.spec.id()));
            let what = format!("{place}: the overlay is of client `{}`, which no file describes", safe(&id));
            return Err(Error::usage(what).did_you_mean(near).at(at));
        };
        entry.spec.merge(overlay);
    }
    Ok(())
}
