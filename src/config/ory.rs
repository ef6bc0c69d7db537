//! The Ory CLI's configuration file (`~/.ory-cloud.json`): shared with it, and written in its own format.

use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::config::{edit, files};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// What the Ory CLI knows: who is signed in, and what was selected.
#[derive(Debug)]
pub struct OryConfig {
    /// The access token; it may have expired where there is a refresh token.
    pub access_token: Secret,
    /// When it expires, if that is known.
    pub expires: Option<SystemTime>,
    /// What renews it.
    pub refresh_token: Option<Secret>,
    /// Who is signed in, as a person would say it.
    pub subject: String,
    /// The project's id, if one is selected.
    pub selected_project: Option<String>,
    /// The workspace's id, if one is selected.
    pub selected_workspace: Option<String>,
}

/// Tokens as an authorization server issues them (RFC 6749 §5.1).
#[derive(Debug)]
pub struct Tokens {
    /// The access token.
    pub access: Secret,
    /// What renews it, if anything does.
    pub refresh: Option<Secret>,
    /// When it expires.
    pub expires: SystemTime,
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
    refresh_token: Option<String>,
    expiry: Option<String>,
}

/// The codes of errors that say that nobody is signed in, and that nobody is any more.
pub const SIGNED_OUT: &str = "signed_out";
pub const EXPIRED: &str = "sign_in_expired";

/// Reads the file. Errors: it cannot be read, is broken, nobody is signed in, the sign-in has expired for good.
pub fn read(path: &Path) -> Result<OryConfig> {
    let name = path.display();
    let raw = raw(path)?;
    let token = raw.access_token.filter(|token| !token.access_token.is_empty()).ok_or_else(|| signed_out(path))?;
    // No program can show a later time.
    let latest = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    let expires = token.expiry.as_deref().and_then(time).map(|expires| expires.min(latest));
    let expires = expires.filter(|expires| *expires > SystemTime::UNIX_EPOCH);
    let refresh_token = token.refresh_token.filter(|token| !token.is_empty()).map(Secret::new);
    if refresh_token.is_none() && expires.is_some_and(|expires| expires <= SystemTime::now()) {
        return Err(Error::denied(format!("the sign-in to Ory Network in {name} has expired"))
            .with_code(EXPIRED)
            .hint("sign in again with `orysh auth login`"));
    }
    let email = raw.session_identity_traits.and_then(|traits| traits.email).filter(|email| !email.is_empty());
    Ok(OryConfig {
        subject: email.unwrap_or_else(|| "somebody who is signed in".into()),
        access_token: Secret::new(token.access_token),
        expires,
        refresh_token,
        selected_project: raw.selected_project.and_then(not_nil),
        selected_workspace: raw.selected_workspace.and_then(not_nil),
    })
}

fn raw(path: &Path) -> Result<Raw> {
    let bytes = std::fs::read(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => signed_out(path),
        _ => unreadable(path).caused_by(source),
    })?;
    edit::private(path)?;
    serde_json::from_slice(&bytes).map_err(|source| broken(path, &source))
}

/// The project and the workspace that are selected in the file, whether the sign-in counts or not.
pub fn selected(path: &Path) -> Result<(Option<String>, Option<String>)> {
    let raw = raw(path)?;
    Ok((raw.selected_project.and_then(not_nil), raw.selected_workspace.and_then(not_nil)))
}

/// As [`read`] of a file that somebody names, which is to be there.
pub fn read_named(path: &Path) -> Result<OryConfig> {
    if path.exists() {
        return read(path);
    }
    Err(unreadable(path)
        .hint("`orysh auth login` signs in to Ory Network, and makes it")
        .hint("--config (-c) names that file; a redirect URI needs a scheme, such as http://localhost/cb"))
}

fn signed_out(path: &Path) -> Error {
    Error::denied(format!("nobody is signed in to Ory Network in {}", path.display()))
        .with_code(SIGNED_OUT)
        .hint("sign in with `orysh auth login`")
}

fn unreadable(path: &Path) -> Error {
    Error::usage(format!("cannot read the Ory CLI's configuration {}", path.display()))
}

fn broken(path: &Path, source: &serde_json::Error) -> Error {
    // serde_json's own words may quote the file, which holds tokens.
    let (line, column) = (source.line(), source.column());
    Error::usage(format!("{} is not the Ory CLI's configuration: line {line}, column {column}", path.display()))
}

/// Changes the file in its own format, alone among processes of this program; what `change` leaves alone stays.
///
/// Errors: it is broken (then nothing is written), or cannot be written.
pub fn change(path: &Path, change: impl FnOnce(&mut Map<String, Value>)) -> Result<()> {
    let _lock = edit::lock(path)?;
    change_locked(path, change)
}

/// The same for whoever holds the lock.
pub fn change_locked(path: &Path, change: impl FnOnce(&mut Map<String, Value>)) -> Result<()> {
    files::sweep(&files::real(path));
    let mut members = match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|source| broken(path, &source))?,
        Err(source) if source.kind() == ErrorKind::NotFound => Map::new(),
        Err(source) => return Err(Error::usage(format!("cannot read {}", path.display())).caused_by(source)),
    };
    change(&mut members);
    members.entry("version").or_insert_with(|| "v1".into());
    let text = Zeroizing::new(Value::Object(members).to_string());
    files::replace(&files::real(path), text.as_bytes())
}

/// Forgets whoever was signed in.
pub fn forget(members: &mut Map<String, Value>) {
    members.shift_remove("access_token");
    members.shift_remove("session_identity_traits");
}

/// Puts tokens in the place of those before; where no new refresh token comes, the one before stays.
pub fn set_tokens(members: &mut Map<String, Value>, tokens: &Tokens) {
    let token = members.entry("access_token").or_insert_with(|| json!({}));
    if !token.is_object() {
        *token = json!({});
    }
    token["access_token"] = tokens.access.expose().into();
    token["token_type"] = "bearer".into();
    if let Some(refresh) = &tokens.refresh {
        token["refresh_token"] = refresh.expose().into();
    }
    token["expiry"] = humantime::format_rfc3339_seconds(tokens.expires).to_string().into();
}

/// Go writes a nil UUID where nothing is selected.
fn not_nil(id: String) -> Option<String> {
    (!id.is_empty() && id.chars().any(|c| c != '0' && c != '-')).then_some(id)
}

/// A time as Go writes it (RFC 3339), with its distance from UTC.
fn time(text: &str) -> Option<SystemTime> {
    let Some((at, sign)) = text.char_indices().skip(19).find(|(_, c)| matches!(c, '+' | '-')) else {
        return humantime::parse_rfc3339_weak(text).ok();
    };
    let (hours, minutes) = text[at + 1..].split_once(':')?;
    let ahead = Duration::from_secs(hours.parse::<u64>().ok()? * 3600 + minutes.parse::<u64>().ok()? * 60);
    let there = humantime::parse_rfc3339_weak(&format!("{}Z", &text[..at])).ok()?;
    if sign == '+' { there.checked_sub(ahead) } else { there.checked_add(ahead) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<OryConfig> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ory.json");
        files::replace(&path, text.as_bytes()).unwrap();
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
    fn times_count_with_their_zones() {
        let utc = time("2026-01-02T03:04:05Z").unwrap();
        assert_eq!(time("2026-01-02T04:04:05+01:00"), Some(utc));
        assert_eq!(time("2026-01-01T22:04:05.000-05:00"), Some(utc));
        assert_eq!(time("soon"), None);
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
