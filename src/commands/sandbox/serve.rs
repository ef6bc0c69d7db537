//! `sandbox serve`: the server inside this program, on addresses of its own, until it is stopped.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Arg, ArgAction, value_parser};
use serde_json::{Map, Value};

use crate::commands::sandbox::default_store;
use crate::error::{Error, Kind, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::format::Format;
use crate::output::outcome::Outcome;
use crate::sandbox::trouble::{Fail, Rate, Trouble};
use crate::sandbox::{self, Location, Options, Seed};

const EXAMPLES: &str = "\
Examples:
  orysh sandbox serve
  orysh sandbox serve --memory --admin 127.0.0.1:0 --public 127.0.0.1:0 --format json
  orysh sandbox serve --fail lose-reply:1 --latency 20ms --rate 300/min,15/s
  orysh sandbox serve --network 127.0.0.1:4000

With --network, these lead `orysh` and `ory` there; other projects and keys are printed at the start:
  HTTP_PROXY=http://127.0.0.1:4000 ORY_CONSOLE_URL=http://console.test ORY_ORYAPIS_URL=http://oryapis.test
  ORY_PROJECT_API_KEY=ory_pat_sandbox_happy-hill";

/// The command.
pub fn command() -> Command {
    Command::new(["sandbox", "serve"], "Run a server like Hydra on this machine, until it is stopped", run)
        .offline()
        .long_running()
        .args(serve_args)
        .after(EXAMPLES)
}

fn serve_args() -> Vec<Arg> {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    vec![
        text("db", "FILE", "SQLite file of the clients [default: sandbox.sqlite in the data folder]")
            .conflicts_with("memory"),
        Arg::new("memory").long("memory").action(ArgAction::SetTrue).help("Keep the clients in memory only"),
        text("seed", "FILE", "JSON array of clients to make where they are absent"),
        text("admin", "ADDRESS", "Where the admin API listens, on loopback; port 0 takes a free one")
            .default_value("127.0.0.1:4445"),
        text("public", "ADDRESS", "Where the public API listens, on loopback; port 0 takes a free one")
            .default_value("127.0.0.1:4444"),
        text(
            "network",
            "ADDRESS",
            "Where a small Ory Network listens: console API and projects on one loopback address",
        ),
        text("fail", "KIND:COUNT|KIND:PROBABILITY", "Trouble to rehearse: lose-reply:1, 5xx:0.2, … (can be repeated)")
            .action(ArgAction::Append),
        text("latency", "DURATION", "Wait so long before each answer"),
        text("rate", "LIMITS", "Limit the rate of writes: 300/min,15/s").conflicts_with("tier"),
        text("tier", "TIER", "Limit the rate as Ory Network does: developer, dev, production, growth, enterprise"),
        text("hash-iterations", "N", "PBKDF2 iterations of each secret; Hydra takes 25000 [default: 100]")
            .value_parser(value_parser!(u32).range(1..=10_000_000)),
    ]
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let ui = host.session.ui();
    let session = &host.session;
    let running = session.wait(sandbox::start(options(args)?))?;
    let listeners = [
        ("admin", Some(running.admin_url())),
        ("public", Some(running.public_url())),
        ("network", running.network_url()),
    ];
    let listeners = listeners.into_iter().filter_map(|(name, url)| Some((name, url?)));
    match args.format {
        Format::Table => {
            listeners.for_each(|(name, url)| ui.print(&format!("{name} {url}\n")));
            if running.network.is_some() {
                ui.print(&sandbox::network_help());
            }
        }
        Format::Json | Format::JsonPretty | Format::Jsonl => {
            let object: Map<String, Value> = listeners.map(|(name, url)| (name.into(), url.into())).collect();
            ui.print(&format!("{}\n", Value::Object(object)));
        }
        _ => {
            return Err(
                Error::usage("`sandbox serve` prints its addresses as a table or as JSON").hint("--format json")
            );
        }
    }
    match session.wait(std::future::pending::<Result<()>>()) {
        Err(error) if error.kind() != Kind::Interrupted => Err(error),
        _ => {
            session.finish(running.stop())?;
            Ok(Outcome::nothing())
        }
    }
}

fn options(args: &Args) -> Result<Options> {
    let store = match (args.flag("memory"), args.text("db")) {
        (true, _) => Location::Memory,
        (false, Some(file)) => Location::File(PathBuf::from(file)),
        (false, None) => default_store()?,
    };
    let defaults = Options::default();
    Ok(Options {
        store,
        admin: address(args, "admin")?.unwrap_or(defaults.admin),
        public: address(args, "public")?.unwrap_or(defaults.public),
        network: address(args, "network")?,
        seed: args.text("seed").map(|file| Seed::File(PathBuf::from(file))),
        hash_iterations: args.matches.get_one("hash-iterations").copied().unwrap_or(defaults.hash_iterations),
        trouble: trouble(args)?,
    })
}

fn trouble(args: &Args) -> Result<Trouble> {
    let rate = args.text("rate").map(Rate::parse).or_else(|| args.text("tier").map(Rate::tier));
    Ok(Trouble {
        fail: args.texts("fail").iter().map(|text| Fail::parse(text)).collect::<Result<_>>()?,
        latency: args.text("latency").map(Trouble::parse_latency).transpose()?,
        rate: rate.transpose()?,
    })
}

fn address(args: &Args, flag: &str) -> Result<Option<SocketAddr>> {
    let Some(text) = args.text(flag) else { return Ok(None) };
    let wrong = |source| {
        Error::usage(format!("--{flag} `{text}` is no address"))
            .caused_by(source)
            .hint("an address looks like 127.0.0.1:4445")
    };
    // Before any of them is listened on.
    text.parse().map_err(wrong).and_then(sandbox::demand_loopback).map(Some)
}
