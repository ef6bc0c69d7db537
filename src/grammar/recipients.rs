//! The flags that say whom a secret is encrypted for.

use clap::{Arg, ArgAction};

use crate::crypt::{Fingerprint, Source};
use crate::error::Result;
use crate::grammar::Args;
use crate::net::fetch;
use crate::ops::recipients::Wanted;

const HEADING: &str = "Encrypt the secret for";

/// Where keys come from: `--pgp-key`, `--pgp-key-url`, `--keybase`, and which hosts are allowed.
pub fn key_args() -> Vec<Arg> {
    vec![
        several("pgp-key", "KEY", "OpenPGP key: base64 of it, armored text, @FILE, or @- for stdin (can be repeated)")
            // Armored text begins with dashes.
            .allow_hyphen_values(true),
        several("pgp-key-url", "URL", "OpenPGP key at this https address (can be repeated)"),
        several("keybase", "USER", "OpenPGP key of this Keybase user (can be repeated)"),
        several(
            "allow-private-key-host",
            "HOST",
            "Fetch keys from this host though its address is a private one (can be repeated)",
        ),
    ]
}

/// The keys that a secret is encrypted for, and those that are none other.
pub fn recipient_args() -> Vec<Arg> {
    let mut args = key_args();
    args.push(several(
        "pgp-fingerprint",
        "FINGERPRINT",
        "Take no key but those with this fingerprint, of the key or its subkey (can be repeated)",
    ));
    args
}

fn several(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help).help_heading(HEADING).action(ArgAction::Append)
}

/// Whom the flags of [`recipient_args`] name.
pub fn wanted(args: &Args) -> Result<Wanted> {
    let fingerprints = args.texts("pgp-fingerprint");
    Ok(Wanted {
        sources: sources(args),
        fingerprints: fingerprints.iter().map(|text| Fingerprint::parse(text)).collect::<Result<_>>()?,
        allowed_private: allowed_private(args)?,
    })
}

/// The keys that the flags of [`key_args`] name.
pub fn sources(args: &Args) -> Vec<Source> {
    let of = |name: &str, make: fn(String) -> Source| args.texts(name).into_iter().map(make).collect::<Vec<_>>();
    [of("pgp-key", Source::Word), of("pgp-key-url", Source::Url), of("keybase", Source::Keybase)].concat()
}

/// The hosts that `--allow-private-key-host` names.
pub fn allowed_private(args: &Args) -> Result<Vec<String>> {
    let hosts = args.texts("allow-private-key-host").into_iter();
    hosts.map(|host| fetch::host("--allow-private-key-host", host)).collect()
}
