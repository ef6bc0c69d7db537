//! `inspect key`: what an OpenPGP key is good for, and why one is refused, without creating anything.

use std::time::SystemTime;

use clap::{Arg, ArgAction};
use serde_json::{Value, json};

use crate::crypt::certificate::{Certificate, Part};
use crate::crypt::{Source, material};
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host, common, recipients as flags};
use crate::ops::recipients;
use crate::output::outcome::{Column, Outcome, Row};

const EXAMPLES: &str = "\
Examples:
  orysh inspect key @alice.asc
  gpg --export alice@example.org | orysh inspect key @-
  orysh inspect key --keybase alice --format json

A secret is encrypted to the part whose state is `used`; where there is none, the reason is told.";

/// What matters most comes first, as a narrow terminal shows no more.
const COLUMNS: &[Column] = &[
    Column { title: "PART", member: "part" },
    Column { title: "STATE", member: "state" },
    Column { title: "FINGERPRINT", member: "fingerprint" },
    Column { title: "USES", member: "uses" },
    Column { title: "EXPIRES", member: "expires_at" },
    Column { title: "ALGORITHM", member: "algorithm" },
    Column { title: "CREATED", member: "created_at" },
    Column { title: "USER IDS", member: "user_ids" },
];

/// The command.
pub fn command() -> Command {
    Command::new(["inspect", "key"], "Show what an OpenPGP key is good for", run)
        .runs_dry()
        .offline()
        .args(args)
        .after(EXAMPLES)
}

fn args() -> Vec<Arg> {
    let mut args = vec![
        Arg::new("key")
            .value_name("KEY")
            .action(ArgAction::Append)
            .help("OpenPGP key, as for --pgp-key (can be repeated)"),
    ];
    args.extend(flags::key_args());
    args.extend(common::transport_args().into_iter().map(|arg| match arg.get_id().as_str() {
        "timeout" => arg.help("Give up on a key after this long [default, and most: 10s]"),
        _ => arg,
    }));
    args
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let session = &host.session;
    let mut sources: Vec<Source> = args.texts("key").into_iter().map(Source::Word).collect();
    sources.extend(flags::sources(args));
    if sources.is_empty() {
        return Err(Error::usage("no key is named")
            .hint("give it as a word, as @FILE, or with --pgp-key, --pgp-key-url or --keybase"));
    }
    let allowed_private = flags::allowed_private(args)?;
    let now = SystemTime::now();
    let mut rows = Vec::new();
    for source in &sources {
        let read = recipients::read(session, source, &allowed_private)?;
        for key in material::read(&read.bytes, &read.from)? {
            let certificate = Certificate::read(key, now);
            if let Err(why) = &certificate.choice {
                session.ui().warn(&certificate.refusal(why, &read.from).full_message());
            }
            rows.extend(parts(&certificate));
        }
    }
    Ok(Outcome::many(rows.into_iter().map(Ok), COLUMNS))
}

/// A row for the primary key and one for each subkey.
fn parts(certificate: &Certificate) -> Vec<Row> {
    let time = |time: SystemTime| humantime::format_rfc3339_seconds(time).to_string();
    let row = |(at, part): (usize, &Part)| {
        let is_used = certificate.choice.as_ref().is_ok_and(|used| *used == at);
        let value = json!({
            "part": if at == 0 { "primary" } else { "subkey" },
            "fingerprint": part.fingerprint.as_str(),
            "key": certificate.fingerprint().as_str(),
            "algorithm": part.algorithm,
            "created_at": time(part.created),
            "expires_at": part.expires.map_or(Value::Null, |expires| time(expires).into()),
            "uses": part.uses,
            "is_used": is_used,
            "state": state(part, is_used),
            "refusal": certificate.choice.as_ref().err().filter(|_| at == 0),
            "user_ids": if at == 0 { certificate.user_ids.clone() } else { Vec::new() },
        });
        Row::value(value).with_id(part.fingerprint.as_str())
    };
    certificate.parts.iter().enumerate().map(row).collect()
}

fn state(part: &Part, is_used: bool) -> &str {
    match &part.trouble {
        Some(trouble) => trouble,
        None if is_used => "used",
        None => "valid",
    }
}
