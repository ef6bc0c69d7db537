//! The Ory CLI's configuration file (`~/.ory-cloud.json`), read and never written.

use std::path::Path;
use std::time::SystemTime;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::secret::Secret;

/// What the Ory CLI knows: who is signed in, and what was selected.
#[derive(Debug)]
pub struct OryConfig {
    /// The access token; not expired.
    pub access_token: Secret,
    /// Who is signed in, as a person would say it.
    pub subject: String,
    /// The project's id, if one is selected.
    pub selected_project: Option<String>,
    /// The workspace's id, if one is selected.
    pub selected_workspace: Option<String>,
}

#[derive(Deserialize)]
struct Raw {
    access_token: Option<RawToken>,
    selected_project: Option<String>,
    selected_workspace: Option<String>,
    session_identity_traits: Option<RawTraits>,
}

#[derive(Deserialize)]
struct RawTraits {
    email: Option<String>,
}

#[derive(Deserialize)]
struct RawToken {
    access_token: String,
    expiry: Option<String>,
}

/// Reads the file. Errors: it cannot be read, is broken, nobody is signed in, the sign-in has expired.
pub fn read(path: &Path) -> Result<OryConfig> {
    let name = path.display();
    let bytes = std::fs::read(path).map_err(|source| {
        Error::usage(format!("cannot read the Ory CLI's configuration {name}"))
            .caused_by(source)
            .hint("--config (-c) names that file; a redirect URI needs a scheme, such as http://localhost/cb")
    })?;
    let raw: Raw = serde_json::from_slice(&bytes).map_err(|source| {
        // serde_json's own words may quote the file, which holds tokens.
        Error::usage(format!(
            "{name} is not the Ory CLI's configuration: line {}, column {}",
            source.line(),
            source.column()
        ))
    })?;
    let token = raw.access_token.filter(|token| !token.access_token.is_empty()).ok_or_else(|| {
        Error::denied(format!("nobody is signed in to Ory Network in {name}")).hint("sign in with `ory auth`")
    })?;
    let expiry = token.expiry.as_deref().and_then(|text| humantime::parse_rfc3339_weak(&utc(text)).ok());
    if expiry.is_some_and(|expiry| expiry <= SystemTime::now() && expiry > SystemTime::UNIX_EPOCH) {
        return Err(Error::denied(format!("the sign-in to Ory Network in {name} has expired"))
            .hint("any command of the `ory` program renews it, for example `ory list projects`"));
    }
    let email = raw.session_identity_traits.and_then(|traits| traits.email).filter(|email| !email.is_empty());
    Ok(OryConfig {
        subject: email.unwrap_or_else(|| "somebody who is signed in".into()),
        access_token: Secret::new(token.access_token),
        selected_project: raw.selected_project.and_then(not_nil),
        selected_workspace: raw.selected_workspace.and_then(not_nil),
    })
}

/// Go writes a nil UUID where nothing is selected.
fn not_nil(id: String) -> Option<String> {
    (!id.is_empty() && id.chars().any(|c| c != '0' && c != '-')).then_some(id)
}

/// Cuts a numeric zone off: it shifts an expiry by hours at most, and the server has the last word.
fn utc(text: &str) -> String {
    match text.char_indices().skip(19).find(|(_, c)| matches!(c, '+' | '-')) {
        Some((at, _)) => format!("{}Z", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<OryConfig> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ory.json");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn a_signed_in_file_gives_token_and_selection() {
        let config = read_text(
            r#"{"access_token":{"access_token":"canary","expiry":"2999-01-01T00:00:00.5+01:00"},
                "selected_project":"7e1b0d5a-0000-4000-8000-000000000001","selected_workspace":"00000000-0000-0000-0000-000000000000"}"#,
        )
        .unwrap();
        assert_eq!(config.selected_project.as_deref(), Some("7e1b0d5a-0000-4000-8000-000000000001"));
        assert_eq!(config.selected_workspace, None);
        assert!(!format!("{config:?}").contains("canary"));
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_showing_it() {
        for text in [
            "{\"access_token\": \"canary",
            r#"{"access_token":{"access_token":"canary","expiry":"2001-01-01T00:00:00Z"}}"#,
            "{}",
        ] {
            let error = read_text(text).unwrap_err();
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }
}
