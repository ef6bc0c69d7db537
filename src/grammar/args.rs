//! From the field table to flags, and from flags back to a client specification.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};

use crate::config::read;
use crate::error::Result;
use crate::model::client::ClientSpec;
use crate::model::convert;
use crate::model::fields::{Default, FIELDS, Field, Kind};

/// The flags of the seed's examples take `-c` for a redirect URI, and `-c` is `--config` as well.
const DASH_C: &str = "dash_c";

/// A flag for each field that a caller may set.
pub fn field_args() -> Vec<Arg> {
    let mut args: Vec<Arg> = FIELDS.iter().filter_map(|field| Some(field_arg(field, field.flag?))).collect();
    args.push(
        Arg::new(DASH_C)
            .short('c')
            .action(ArgAction::Append)
            .value_name("URI")
            .help("Redirect URI, as --redirect-uri (a value without a scheme is taken for --config)")
            .help_heading("Client"),
    );
    args
}

fn field_arg(field: &'static Field, flag: &'static str) -> Arg {
    let default = match field.default {
        Default::None | Default::Object | Default::False => String::new(),
        Default::Text(text) => format!(" [default: {text}]"),
        Default::List(items) => format!(" [default: {}]", items.join(",")),
    };
    let more = match field.kind {
        _ if field.secret => " (others on this machine can see it: prefer --secret-stdin or --secret-file)",
        Kind::Json => ", or @FILE",
        _ => "",
    };
    let heading = if matches!(field.kind, Kind::Duration) { "Token lifespans" } else { "Client" };
    let arg = Arg::new(field.json)
        .long(flag)
        .value_name(field.value_name)
        .help(format!("{}{more}{default}", field.help))
        .help_heading(heading)
        // An id or a name may begin with a dash, and so may a secret that was made at random.
        .allow_hyphen_values(field.secret || matches!(field.json, "client_id" | "client_name" | "owner"));
    // `-c` is shared, and is told apart by its value.
    let arg = match field.short.filter(|short| *short != 'c') {
        Some(short) => arg.short(short),
        None => arg,
    };
    match field.kind {
        Kind::Bool => arg.num_args(0..=1).require_equals(true).default_missing_value("true").overrides_with(field.json),
        Kind::List(_) | Kind::Words => arg.action(ArgAction::Append),
        // As for the Ory CLI, the last one wins.
        _ => arg.action(ArgAction::Set).overrides_with(field.json),
    }
}

/// What `-c` meant: redirect URIs, and the Ory CLI's configuration file.
pub struct DashC {
    /// Values with a URI scheme of two letters or more.
    pub redirect_uris: Vec<String>,
    /// The last of the others.
    pub config: Option<String>,
}

/// Tells the values of `-c` apart.
pub fn dash_c(matches: &ArgMatches) -> DashC {
    let mut meant = DashC { redirect_uris: Vec::new(), config: None };
    let values = matches.try_get_many::<String>(DASH_C).ok().flatten();
    for value in values.into_iter().flatten() {
        if has_scheme(value) {
            meant.redirect_uris.push(value.clone());
        } else {
            meant.config = Some(value.clone());
        }
    }
    meant
}

/// Whether a text begins with a URI scheme (RFC 3986 §3.1) of two letters or more; one letter is a Windows drive.
fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() >= 2
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// The specification that the flags describe, without any default.
pub fn spec(matches: &ArgMatches) -> Result<ClientSpec> {
    let mut spec = ClientSpec::new();
    for field in FIELDS {
        let Some(flag) = field.flag else { continue };
        let mut texts = given(matches, field.json);
        if field.json == "redirect_uris" {
            texts.extend(dash_c(matches).redirect_uris);
        }
        if texts.is_empty() {
            continue;
        }
        let texts = texts.into_iter().map(|text| from_file(field, text)).collect::<Result<Vec<_>>>()?;
        let value = convert::from_text(field, &texts).map_err(|error| {
            let flag = format!("--{flag}");
            if error.message().contains(&flag) { error } else { error.about(flag) }
        })?;
        spec.set(field, value);
    }
    Ok(spec)
}

fn given(matches: &ArgMatches, name: &str) -> Vec<String> {
    // Not every command has a flag for every field.
    if !matches!(matches.try_contains_id(name), Ok(true))
        || matches.value_source(name) != Some(ValueSource::CommandLine)
    {
        return Vec::new();
    }
    matches.get_many::<String>(name).map(|values| values.cloned().collect()).unwrap_or_default()
}

/// JSON may be given as `@FILE`: a key set is long for a command line.
fn from_file(field: &Field, text: String) -> Result<String> {
    match text.strip_prefix('@').filter(|_| field.kind == Kind::Json) {
        // Stdin is not meant: a file may be called so.
        Some("-") => read::text("./-"),
        Some(path) => read::text(path),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_of_two_letters_makes_a_redirect_uri() {
        for (text, expected) in [
            ("http://localhost/cb", true),
            ("com.app:/cb", true),
            ("C:\\ory.json", false),
            ("ory.json", false),
            ("./a:b", false),
        ] {
            assert_eq!(has_scheme(text), expected, "{text}");
        }
    }
}
