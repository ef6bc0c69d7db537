use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;

const OPENAPI: &str = include_str!("../../../tests/data/openapi-admin-clients.json");

/// The field flags of `ory create oauth2-client`, with its defaults.
const ORY_FLAGS: &[(&str, Option<&str>)] = &[
    ("access-token-strategy", None),
    ("allowed-cors-origin", None),
    ("audience", None),
    ("backchannel-logout-callback", None),
    ("backchannel-logout-session-required", Some("false")),
    ("client-uri", None),
    ("contact", None),
    ("frontchannel-logout-callback", None),
    ("frontchannel-logout-session-required", Some("false")),
    ("grant-type", Some(r#"["authorization_code"]"#)),
    ("id", None),
    ("jwks-uri", None),
    ("logo-uri", None),
    ("metadata", Some("{}")),
    ("name", None),
    ("owner", None),
    ("policy-uri", None),
    ("post-logout-callback", None),
    ("redirect-uri", None),
    ("request-object-signing-alg", Some(r#""RS256""#)),
    ("request-uri", None),
    ("response-type", Some(r#"["code"]"#)),
    ("scope", None),
    ("secret", None),
    ("sector-identifier-uri", None),
    ("skip-consent", Some("false")),
    ("skip-logout-consent", Some("false")),
    ("subject-type", Some(r#""public""#)),
    ("token-endpoint-auth-method", Some(r#""client_secret_basic""#)),
    ("tos-uri", None),
];

fn openapi_properties() -> serde_json::Map<String, Value> {
    let openapi: Value = serde_json::from_str(OPENAPI).unwrap();
    openapi["components"]["schemas"]["oAuth2Client"]["properties"].as_object().unwrap().clone()
}

#[test]
fn the_table_is_the_documented_client_no_more_no_less() {
    let documented: BTreeSet<String> = openapi_properties().keys().cloned().collect();
    let ours: BTreeSet<String> = FIELDS.iter().map(|field| field.json.to_owned()).collect();
    assert_eq!(ours, documented);
    assert_eq!(FIELDS.len(), ours.len(), "a JSON name is there twice");
}

#[test]
fn kinds_are_the_documented_types() {
    for (name, schema) in openapi_properties() {
        let kind = field(&name).unwrap().kind;
        let documented = schema["type"].as_str().or_else(|| schema["$ref"].as_str()).unwrap();
        let fits = match documented.rsplit('/').next().unwrap() {
            "string" if schema["format"] == "date-time" => kind == Kind::Time,
            "string" => matches!(kind, Kind::Text | Kind::Uri | Kind::Choice(_) | Kind::Words),
            "array" => matches!(kind, Kind::List(_)),
            "boolean" => kind == Kind::Bool,
            "integer" => kind == Kind::Integer,
            "NullDuration" => kind == Kind::Duration,
            "jsonWebKeySet" | "JSONRawMessage" => kind == Kind::Json,
            other => panic!("{name} has the type {other}"),
        };
        assert!(fits, "{name}: {kind:?} is not {schema}");
    }
}

#[test]
fn flags_are_unique_and_every_caller_field_has_one() {
    let mut flags = BTreeMap::new();
    let mut shorts = BTreeMap::new();
    for field in FIELDS {
        assert_eq!(field.flag.is_some(), field.set_by == SetBy::Caller, "{}", field.json);
        if let Some(flag) = field.flag {
            assert!(flag.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{flag}");
            assert_eq!(flags.insert(flag, field.json), None, "--{flag}");
            assert_eq!(by_flag(flag).unwrap().json, field.json);
        }
        if let Some(short) = field.short {
            assert_eq!(shorts.insert(short, field.json), None, "-{short}");
        }
    }
    let shorts: String = shorts.into_keys().collect();
    assert_eq!(shorts, "acgnr");
}

#[test]
fn the_flags_of_ory_are_all_there_with_their_defaults() {
    for (flag, default) in ORY_FLAGS {
        let field = by_flag(flag).unwrap_or_else(|| panic!("--{flag} is missing"));
        let default = default.map(|text| serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(field.default.value(), default, "--{flag}");
    }
}

#[test]
fn other_flags_are_json_names_with_dashes() {
    for field in FIELDS {
        let Some(flag) = field.flag else { continue };
        if !ORY_FLAGS.iter().any(|(name, _)| *name == flag) {
            assert_eq!(flag, field.json.replace('_', "-"));
        }
    }
}

#[test]
fn help_is_one_sentence_in_one_mood() {
    for field in FIELDS {
        let help = field.help;
        assert!(help.starts_with(|c: char| c.is_ascii_uppercase()), "{help}");
        assert!(!help.ends_with('.') && !help.contains('\n') && !help.contains("  "), "{help}");
        assert_eq!(help.ends_with("(can be repeated)"), field.kind.is_repeatable(), "{help}");
        assert_eq!(
            help.starts_with("Whether to ") || help.starts_with("Whether "),
            match field.kind {
                Kind::Bool => true,
                _ => help.starts_with("Whether people"),
            }
        );
        assert!(help.len() <= 115, "{help}");
        assert!(!field.source.is_empty() && !field.value_name.is_empty(), "{}", field.json);
        assert!(field.value_name.bytes().all(|b| b.is_ascii_uppercase()), "{}", field.value_name);
    }
}

#[test]
fn defaults_are_of_their_fields_kinds() {
    for field in FIELDS {
        let Some(default) = field.default.value() else { continue };
        assert_eq!(field.set_by, SetBy::Caller);
        assert_eq!(crate::model::convert::check(field, default.clone()).unwrap(), default);
        for text in default.as_array().into_iter().flatten().chain([&default]).filter_map(Value::as_str) {
            assert!(field.kind.choices().contains(&text), "{}: {text}", field.json);
        }
    }
    assert_eq!(Default::None.value(), None);
    assert_eq!(Default::Object.value(), Some(json!({})));
}

#[test]
fn lifespans_are_thirteen() {
    assert_eq!(FIELDS.iter().filter(|field| field.kind == Kind::Duration).count(), 13);
}

#[test]
fn secrets_are_marked() {
    let secrets: Vec<&str> = FIELDS.iter().filter(|field| field.secret).map(|field| field.json).collect();
    assert_eq!(secrets, ["client_secret", "registration_access_token"]);
    assert!(is_secret("client_secret") && !is_secret("client_id") && !is_secret("unknown"));
}

#[test]
fn nearest_knows_names_and_flags() {
    for (given, meant) in [
        ("redirect_uri", "redirect_uris"),
        ("redirect-uri", "redirect_uris"),
        ("redirectUris", "redirect_uris"),
        ("client_nmae", "client_name"),
        ("name", "client_name"),
        ("--nmae", "client_name"),
        ("id", "client_id"),
        ("secret", "client_secret"),
        ("post-logout-callbak", "post_logout_redirect_uris"),
        ("scopes", "scope"),
        ("grant_type", "grant_types"),
    ] {
        assert_eq!(nearest(given), Some(meant), "{given}");
    }
    assert_eq!(nearest("wholly_other_thing"), None);
}
