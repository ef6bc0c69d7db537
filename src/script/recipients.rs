//! The options that say whom a secret is encrypted for, named as the flags are.

use rhai::{Array, Dynamic, Map};

use crate::crypt::{Fingerprint, Source};
use crate::error::{Error, Result, nearest};
use crate::net::fetch;
use crate::ops::recipients::Wanted;
use crate::script::engine::Context;

type Take = fn(&mut Wanted, String) -> Result<()>;

const OPTIONS: &[(&str, Take)] = &[
    ("pgp_key", |wanted, key| {
        wanted.sources.push(Source::Word(key));
        Ok(())
    }),
    ("pgp_key_url", |wanted, url| {
        wanted.sources.push(Source::Url(url));
        Ok(())
    }),
    ("keybase", |wanted, user| {
        wanted.sources.push(Source::Keybase(user));
        Ok(())
    }),
    ("pgp_fingerprint", |wanted, text| {
        wanted.fingerprints.push(Fingerprint::parse(&text)?);
        Ok(())
    }),
    ("allow_private_key_host", |wanted, host| {
        wanted.allowed_private.push(fetch::host("option `allow_private_key_host`", host)?);
        Ok(())
    }),
];

/// What the options are called.
pub fn names() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|(name, _)| *name)
}

/// Reads `#{pgp_key, pgp_key_url, keybase, pgp_fingerprint, allow_private_key_host}`: text, or an array of texts, each.
/// `of` is the function whose options they are, beside `others` that it has.
pub fn wanted(context: &Context, options: &Map, of: &str, others: &[&str]) -> Result<Wanted> {
    let mut wanted = Wanted::default();
    let is_plugin = context.session().grant().is_some();
    for (name, value) in options.iter().filter(|(name, _)| !others.contains(&name.as_str())) {
        let Some((_, take)) = OPTIONS.iter().find(|(option, _)| option == name) else {
            let known = OPTIONS.iter().map(|(option, _)| *option).chain(others.iter().copied());
            return Err(Error::usage(format!("`{of}` has no option `{name}`")).did_you_mean(nearest(name, known)));
        };
        let values = value.clone().try_cast::<Array>().unwrap_or_else(|| vec![value.clone()]);
        // A list that came out empty must not mean that everybody may read the secret.
        if values.is_empty() {
            return Err(Error::usage(format!("option `{name}` is an empty list")).hint("leave it out for none"));
        }
        for value in values {
            let text = Dynamic::into_string(value)
                .map_err(|found| Error::usage(format!("option `{name}` wants text, not {found}")))?;
            if is_plugin && !(name == "pgp_fingerprint" || name == "pgp_key" && text.contains("BEGIN PGP")) {
                return Err(Error::usage(format!("option `{name}`: a plugin names keys by their armored text")));
            }
            take(&mut wanted, text)?;
        }
    }
    Ok(wanted)
}
