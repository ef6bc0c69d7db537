//! What is wrong with a client before it is sent: what a server refuses, and what it takes without a word and
//! should not. Each rule is a row of a table and a small function.

mod auth;
mod flows;
#[cfg(test)]
mod tests;
mod uris;
mod values;

use super::fields::{FIELDS, Item, Kind};
use super::spec::ClientSpec;
use crate::error::{Error, Result};
use crate::text::safe;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// The server refuses it, or nobody can want it.
    Error,
    /// It may be meant.
    Warning,
}

/// One thing that is wrong with a client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The JSON name of the field.
    pub field: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What is wrong, as a sentence that names the field. Safe to show; holds no secret.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Finding {
    fn error(field: &'static str, message: impl Into<String>) -> Self {
        Finding { field, level: Level::Error, message: message.into(), hint: None }
    }

    fn warning(field: &'static str, message: impl Into<String>) -> Self {
        Finding { field, level: Level::Warning, message: message.into(), hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Finding { hint: Some(hint.into()), ..self }
    }

    /// The message with what to do about it, as a warning tells it.
    pub fn told(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{} ({hint})", self.message),
            None => self.message.clone(),
        }
    }

    fn did_you_mean(self, nearest: Option<&str>) -> Self {
        match nearest {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }
}

/// A rule: what it looks at, and what it finds there.
enum Rule {
    /// Looks at the texts of these fields one by one, of a list at each entry.
    Each(&'static [&'static str], fn(&'static str, &str) -> Option<Finding>),
    /// Looks at the client as a whole.
    Whole(fn(&ClientSpec) -> Option<Finding>),
    /// Looks at the client as a whole, and may find several things.
    Many(fn(&ClientSpec) -> Vec<Finding>),
}

/// Every rule. Where several rules find the same text wrong, the first one counts.
static RULES: &[Rule] = &[
    Rule::Whole(values::id),
    Rule::Whole(auth::secret_length),
    Rule::Whole(auth::secret_without_use),
    Rule::Whole(auth::method),
    Rule::Whole(auth::both_key_sets),
    Rule::Whole(auth::no_keys),
    Rule::Whole(auth::key_set),
    Rule::Whole(auth::signing_alg),
    Rule::Each(&["redirect_uris"], uris::not_plain),
    Rule::Each(&["redirect_uris"], uris::relative),
    Rule::Each(&["redirect_uris"], uris::forgotten_scheme),
    Rule::Each(&["redirect_uris"], uris::dangerous_scheme),
    Rule::Each(&["redirect_uris"], uris::fragment),
    Rule::Each(&["redirect_uris"], uris::no_host),
    Rule::Each(&["redirect_uris"], uris::wildcard),
    Rule::Each(&["redirect_uris"], uris::unprotected),
    Rule::Each(WEB_URIS, uris::not_plain),
    Rule::Each(WEB_URIS, uris::not_web),
    Rule::Each(&["post_logout_redirect_uris"], uris::not_plain),
    Rule::Each(&["post_logout_redirect_uris"], uris::relative),
    Rule::Each(&["post_logout_redirect_uris"], uris::forgotten_scheme),
    Rule::Each(&["post_logout_redirect_uris"], uris::dangerous_scheme),
    Rule::Each(&["allowed_cors_origins"], uris::not_an_origin),
    Rule::Each(&["sector_identifier_uri"], uris::not_https),
    Rule::Many(uris::logout_elsewhere),
    Rule::Whole(uris::several_sectors),
    Rule::Whole(flows::nothing_implicit),
    Rule::Many(flows::implicit_types),
    Rule::Whole(flows::code_missing),
    Rule::Whole(flows::implicit_without_redirect),
    Rule::Whole(flows::public_credentials),
    Rule::Each(&["grant_types", "response_types", "request_object_signing_alg"], values::unusual_choice),
    Rule::Each(&["subject_type", "access_token_strategy", "userinfo_signed_response_alg"], values::wrong_choice),
    Rule::Many(values::lifespans),
    Rule::Many(values::duplicates),
    Rule::Many(values::scope),
    Rule::Each(&["audience"], values::audience),
    Rule::Whole(values::metadata),
];

/// Fields that hold absolute `http` or `https` URIs.
const WEB_URIS: &[&str] = &[
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "jwks_uri",
    "backchannel_logout_uri",
    "frontchannel_logout_uri",
    "request_uris",
];

/// All that is wrong with a client, taken as the whole of what it will be: for a change, merge it first.
///
/// A field that is not given counts as its default, so the result is the same with and without the defaults.
pub fn lint(spec: &ClientSpec) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for rule in RULES {
        match rule {
            Rule::Whole(find) => findings.extend(find(spec)),
            Rule::Many(find) => findings.extend(find(spec)),
            Rule::Each(fields, find) => {
                for field in *fields {
                    for text in texts(spec, field) {
                        if let (false, Some(finding)) = (seen.contains(&(*field, text)), find(field, text)) {
                            seen.insert((*field, text));
                            findings.push(finding);
                        }
                    }
                }
            }
        }
    }
    findings
}

pub use auth::PRIVATE;

/// What is wrong with the keys themselves, which may be private ones.
pub fn key_set(spec: &ClientSpec) -> Option<Finding> {
    auth::key_set(spec)
}

/// The warnings, or one error of use that tells all that must not be.
pub fn judge(findings: Vec<Finding>) -> Result<Vec<Finding>> {
    let (errors, warnings): (Vec<_>, Vec<_>) = findings.into_iter().partition(|finding| finding.level == Level::Error);
    if errors.is_empty() {
        return Ok(warnings);
    }
    let messages: Vec<&str> = errors.iter().map(|finding| finding.message.as_str()).collect();
    let mut hints: Vec<String> = Vec::new();
    for hint in errors.iter().filter_map(|finding| finding.hint.clone()) {
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    Err(hints.into_iter().fold(Error::usage(messages.join("; ")), Error::hint))
}

/// The texts of a field: its own, unless it is empty, or the entries of its list.
fn texts<'a>(spec: &'a ClientSpec, field: &'static str) -> Vec<&'a str> {
    match spec.text(field) {
        Some(text) => vec![text],
        None => spec.list(field),
    }
}

/// The names of the fields that hold lists.
fn list_fields() -> impl Iterator<Item = (&'static str, Item)> {
    FIELDS.iter().filter_map(|field| match field.kind {
        Kind::List(item) => Some((field.json, item)),
        _ => None,
    })
}

/// A text of the client as a message shows it: safe, and not endless.
fn shown(text: &str) -> String {
    const MOST: usize = 100;
    let mut start: String = text.chars().take(MOST).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    format!("`{}`", safe(&start))
}
