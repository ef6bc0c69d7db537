//! The flags that all commands take: target, connection, output.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, Result};
use crate::grammar::args;
use crate::output::format::Format;
use crate::session::handle::{Assent, Settings};
use crate::session::target::Given;
use crate::ui::{Color, Telling, Ui};

const OUTPUT: &str = "Output";
const PLUGINS: &str = "Plugins";
const TARGET: &str = "Target";
const CONNECTION: &str = "Connection";

/// The flags of every command.
pub fn output_args() -> Vec<Arg> {
    vec![
        text(
            "format",
            "FORMAT",
            OUTPUT,
            "How to show the result: table, json, json-pretty, yaml, csv, jsonl, env, jsonpath=PATH, jsonpointer=/POINTER [default: table]",
        ),
        switch("quiet", OUTPUT, "Print ids only, and no notes").short('q'),
        switch("verbose", OUTPUT, "Tell each request, of scripts each call of the API, with its time").short('v'),
        text("color", "WHEN", OUTPUT, "When to colour: auto, always, never [default: auto]")
            .value_parser(["auto", "always", "never"]),
        switch("yes", OUTPUT, "Answer every question with yes").short('y'),
        switch("no-plugins", PLUGINS, "Go without any plugin"),
        Arg::new("no-hook")
            .long("no-hook")
            .value_name("NAME")
            .action(ArgAction::Append)
            .help("Go without the hooks of this plugin, or without this hook of all of them (can be repeated)")
            .help_heading(PLUGINS),
    ]
}

/// The flags of commands that act on a server. `config_short`: whether `-c` is free for `--config`.
pub fn server_args(config_short: bool) -> Vec<Arg> {
    let config = text("config", "FILE", TARGET, "The Ory CLI's configuration file [default: ~/.ory-cloud.json]");
    let mut args = vec![
        text("profile", "PROFILE", TARGET, "Act where this profile says: see `orysh profile list`"),
        text("trust", "HASH", TARGET, "Trust the orysh.toml of this repository, if this is its hash"),
        text("confirm", "PROFILE", TARGET, "Agree to changing the production profile of this name"),
        text("endpoint", "URL", TARGET, "Address of the admin API, as http://127.0.0.1:4445").short('e'),
        text("public-endpoint", "URL", TARGET, "Address of the public API, as http://127.0.0.1:4444"),
        switch("sandbox", TARGET, "Act on the server inside this program, whose clients are kept in the data folder"),
        text("project", "PROJECT", TARGET, "Project of Ory Network: id, or slug, or the beginning of either"),
        text("workspace", "WORKSPACE", TARGET, "Workspace of Ory Network: id, or name, or the beginning of either"),
        if config_short { config.short('c') } else { config },
        Arg::new("header")
            .long("header")
            .alias("http-header")
            .short('H')
            .value_name("NAME: VALUE")
            .action(ArgAction::Append)
            .help("Header to send to the admin API (can be repeated)")
            .help_heading(CONNECTION),
        text("client-cert", "FILE", CONNECTION, "PEM file of the TLS client certificate"),
        text(
            "client-key",
            "FILE",
            CONNECTION,
            "PEM file of that certificate's key, where the certificate's file does not hold it",
        ),
        switch(
            "skip-tls-verify",
            CONNECTION,
            "Believe any TLS certificate: whoever is on the way can read and change everything",
        ),
    ];
    args.extend(transport_args());
    args
}

/// The flags of every connection, to whichever server.
pub fn transport_args() -> Vec<Arg> {
    vec![
        text("timeout", "DURATION", CONNECTION, "The longest that one request may take [default: 30s]"),
        text("proxy", "URL", CONNECTION, "Proxy, instead of those of the environment"),
        text("ca-file", "FILE", CONNECTION, "PEM file of the authorities to trust instead of the system's"),
    ]
}

fn text(name: &'static str, value: &'static str, heading: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help).help_heading(heading).overrides_with(name)
}

fn switch(name: &'static str, heading: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help).help_heading(heading).overrides_with(name)
}

/// What the output flags say.
pub struct Output {
    /// How to show the result.
    pub format: Format,
    /// Whether to print ids only.
    pub quiet: bool,
    /// What writes.
    pub ui: Ui,
}

/// Reads the output flags; `default` is the format where none is asked for. Errors: an unknown format, a broken path.
pub fn output(matches: &ArgMatches, default: &str) -> Result<Output> {
    let named = matches.get_one::<String>("format").map_or(default, String::as_str);
    let format = Format::parse(named)?;
    let quiet = matches.get_flag("quiet");
    Ok(Output { quiet, ui: ui(matches, named, quiet), format })
}

fn ui(matches: &ArgMatches, format: &str, quiet: bool) -> Ui {
    let color = color(matches.get_one::<String>("color").map_or("", String::as_str));
    let telling = if matches.get_flag("verbose") { Telling::Requests } else { Telling::Usual };
    Ui { color, quiet, json_errors: is_json(format), telling }
}

/// What a value of `--color` says.
pub fn color(value: &str) -> Color {
    match value {
        "always" => Color::Always,
        "never" => Color::Never,
        _ => Color::Auto,
    }
}

/// Whether errors are told as JSON with this format.
pub fn is_json(format: &str) -> bool {
    matches!(format, "json" | "json-pretty" | "jsonl")
}

/// What the flags say of target and connection, on top of `base`.
///
/// Flags that name a target put all of `base` aside: nothing of one server goes to another.
pub fn settings(matches: &ArgMatches, base: &Settings) -> Result<Settings> {
    let text = |name: &str| matches.try_get_one::<String>(name).ok().flatten().cloned();
    let path = |name: &str| text(name).map(PathBuf::from);
    let switch = |name: &str| matches.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or(false);
    let given = Given {
        profile: text("profile"),
        trust: text("trust").or_else(|| base.given.trust.clone()),
        in_use: None,
        used: None,
        named_by: None,
        endpoint: text("endpoint"),
        public_endpoint: text("public-endpoint"),
        // No flag: what the program's name and the command say.
        endpoint_is_public: base.given.endpoint_is_public,
        variable_is_public: base.given.variable_is_public,
        sandbox: switch("sandbox"),
        project: text("project"),
        workspace: text("workspace"),
        config: path("config").or_else(|| args::dash_c(matches).config.map(PathBuf::from)),
    };
    let names_target = given.names_target();
    let mut settings = if names_target { Settings::default() } else { base.clone() };
    if names_target {
        settings.given = given;
    } else {
        settings.given.trust = given.trust;
        settings.given.public_endpoint = given.public_endpoint.or(settings.given.public_endpoint);
    }
    settings.assent = Assent { yes: switch("yes"), confirm: text("confirm"), ..Assent::default() };
    let policy = &mut settings.policy;
    if let Some(timeout) = text("timeout") {
        policy.timeout = duration(&timeout)?;
    }
    policy.ca_file = path("ca-file").or(policy.ca_file.take());
    policy.client_cert = path("client-cert").or(policy.client_cert.take());
    policy.client_key = path("client-key").or(policy.client_key.take());
    policy.proxy = text("proxy").or(policy.proxy.take());
    policy.skip_tls_verify |= switch("skip-tls-verify");
    for header in matches.try_get_many::<String>("header").ok().flatten().into_iter().flatten() {
        add_header(&mut settings.headers, header)?;
    }
    Ok(settings)
}

fn duration(text: &str) -> Result<Duration> {
    let parsed = if text.chars().all(|c| c.is_ascii_digit()) { format!("{text}s") } else { text.to_owned() };
    match humantime::parse_duration(&parsed) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) => Err(Error::usage("--timeout is zero: no request could be answered")),
        Err(source) => Err(Error::usage(format!("--timeout `{text}` is no duration"))
            .caused_by(source)
            .hint("a duration looks like 500ms, 30s or 2m")),
    }
}

/// `Name: value`, as for curl: the name and the value.
pub fn split_header(text: &str) -> Result<(&str, &str)> {
    // The value may be a credential: errors show the name only.
    let (name, value) = text.split_once(':').ok_or_else(|| {
        Error::usage("--header wants a name, a colon and a value")
            .hint("for example --header 'X-Forwarded-Proto: https'")
    })?;
    Ok((name.trim(), value.trim()))
}

fn add_header(headers: &mut HeaderMap, text: &str) -> Result<()> {
    let (name, value) = split_header(text)?;
    let header = HeaderName::try_from(name)
        .map_err(|source| Error::usage(format!("--header: `{name}` is no name of a header")).caused_by(source))?;
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| Error::usage(format!("--header: the value of `{name}` holds characters that no header takes")))?;
    value.set_sensitive(true);
    headers.append(header, value);
    Ok(())
}
