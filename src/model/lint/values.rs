//! Rules for single values: ids, choices, durations, scopes, and what stands in a list twice.

use serde_json::Value;

use super::{Finding, list_fields, shown};
use crate::error::nearest;
use crate::model::duration;
use crate::model::fields::{self, FIELDS, Kind};
use crate::model::id::ClientId;
use crate::model::spec::ClientSpec;

/// The longest id that Hydra takes on `PostgreSQL`, in characters.
const LONGEST_ID: usize = 255;

/// An id must be able to stand in a path, and to be stored.
pub fn id(spec: &ClientSpec) -> Option<Finding> {
    const FIELD: &str = "client_id";
    let id = spec.id()?;
    if id.is_empty() {
        return Some(Finding::error(FIELD, "`client_id` is empty").hint("leave it out to have one made"));
    }
    if let Err(error) = ClientId::parse(id) {
        return Some(Finding::error(FIELD, error.message()));
    }
    if id.trim() != id {
        let message = format!("`client_id` begins or ends with a space: {}", shown(id));
        return Some(Finding::error(FIELD, message).hint("in CSV, no space stands behind a comma"));
    }
    (id.chars().count() > LONGEST_ID)
        .then(|| Finding::error(FIELD, format!("`client_id` has more than {LONGEST_ID} characters")))
}

/// A choice that the server refuses if it is not one that we know.
pub fn wrong_choice(field: &'static str, text: &str) -> Option<Finding> {
    unknown_choice(field, text).map(|message| {
        let choices = choices(field);
        match nearest(text, choices.iter().copied()) {
            Some(name) => Finding::error(field, message).did_you_mean(Some(name)),
            None => Finding::error(field, message).hint(format!("one of {}", choices.join(", "))),
        }
    })
}

/// A choice that a newer server, or a flow of its own, may know.
pub fn unusual_choice(field: &'static str, text: &str) -> Option<Finding> {
    let near = || nearest(text, choices(field).iter().copied());
    unknown_choice(field, text).map(|message| Finding::warning(field, message).did_you_mean(near()))
}

fn unknown_choice(field: &'static str, text: &str) -> Option<String> {
    let is_known = choices(field).iter().any(|choice| same_words(choice, text));
    (!is_known).then(|| format!("{} in `{field}` is not known", shown(text)))
}

/// The words of a response type may stand in any order (OAuth 2.0 Multiple Response Type Encoding Practices §3).
fn same_words(a: &str, b: &str) -> bool {
    let words = |text: &str| {
        let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        words.sort();
        words
    };
    words(a) == words(b)
}

/// Lifespans in Go's syntax; only a refresh token's may be negative, which stands for one without an end.
pub fn lifespans(spec: &ClientSpec) -> Vec<Finding> {
    let fields = FIELDS.iter().filter(|field| field.kind == Kind::Duration);
    fields.filter_map(|field| lifespan(field.json, spec.text(field.json)?)).collect()
}

fn lifespan(field: &'static str, text: &str) -> Option<Finding> {
    match duration::parse(text) {
        Err(error) => {
            let finding = Finding::error(field, format!("`{field}`: {}", error.message()));
            Some(match error.hints().first() {
                Some(hint) => finding.hint(hint.clone()),
                None => finding,
            })
        }
        Ok(nanoseconds) if nanoseconds == 0 || (nanoseconds < 0 && !field.ends_with("refresh_token_lifespan")) => {
            let message = format!("`{field}` is {}: such tokens have ended before they are used", shown(text));
            Some(Finding::warning(field, message))
        }
        Ok(_) => None,
    }
}

/// An entry that stands in a list twice, which servers keep twice.
pub fn duplicates(spec: &ClientSpec) -> Vec<Finding> {
    let lists = list_fields().map(|(field, _)| (field, spec.list(field)));
    let scope = ("scope", spec.text("scope").unwrap_or("").split(' ').filter(|word| !word.is_empty()).collect());
    lists
        .chain([scope])
        .flat_map(|(field, texts)| {
            let message = move |text| format!("{} stands in `{field}` more than once", shown(text));
            repeated(texts).into_iter().map(move |text| Finding::warning(field, message(text)))
        })
        .collect()
}

fn repeated(mut texts: Vec<&str>) -> Vec<&str> {
    texts.sort_unstable();
    let mut repeated: Vec<&str> = texts.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    repeated.dedup();
    repeated
}

/// RFC 6749 §3.3: `%x21 / %x23-5B / %x5D-7E`, with single spaces in between.
pub fn scope(spec: &ClientSpec) -> Vec<Finding> {
    const FIELD: &str = "scope";
    let is_bad = |c: char| !matches!(c, '!' | '#'..='[' | ']'..='~');
    let words = spec.text(FIELD).unwrap_or("").split(' ');
    let message = |word| format!("the scope {} holds a character that RFC 6749 does not allow in one", shown(word));
    words.filter(|word| word.contains(is_bad)).map(|word| Finding::warning(FIELD, message(word))).collect()
}

/// An audience with a space cannot be asked for: a request separates them by spaces.
pub fn audience(field: &'static str, text: &str) -> Option<Finding> {
    let message = || format!("{} in `{field}` is empty or holds a space, so no request can ask for it", shown(text));
    (text.is_empty() || text.contains(char::is_whitespace)).then(|| Finding::warning(field, message()))
}

/// Hydra takes any JSON; programs that read metadata look for names in it.
pub fn metadata(spec: &ClientSpec) -> Option<Finding> {
    let is_object = spec.get("metadata").is_none_or(Value::is_object);
    (!is_object)
        .then(|| Finding::error("metadata", "`metadata` is not a JSON object").hint("write `{\"name\": value}`"))
}

fn choices(json: &str) -> &'static [&'static str] {
    fields::field(json).map_or(&[], |field| field.kind.choices())
}
