use serde_json::{Value, json};

use super::*;
use crate::model::fields::{FIELDS, field};

fn spec(value: Value) -> ClientSpec {
    let mut spec = ClientSpec::new();
    for (name, value) in value.as_object().unwrap() {
        spec.set(field(name).unwrap(), value.clone());
    }
    spec
}

fn found(value: Value) -> Vec<Finding> {
    let given = spec(value);
    let findings = lint(&given);
    assert_eq!(findings, lint(&given.with_defaults()), "the defaults make a difference");
    findings
}

#[test]
fn nothing_is_found_in_good_clients() {
    let key = json!({"kty": "EC", "crv": "P-256", "x": "f83O", "y": "x_FE", "alg": "ES256"});
    for good in [
        json!({}),
        json!({"client_name": "x"}),
        json!({"client_name": "my app", "redirect_uris": ["http://localhost/cb"], "grant_types": ["authorization_code"],
               "response_types": ["code"], "scope": "core foobar"}),
        json!({"client_name": "my app", "grant_types": ["client_credentials"], "response_types": ["token"],
               "scope": "core foobar"}),
        json!({"grant_types": ["client_credentials"]}),
        json!({"token_endpoint_auth_method": "none", "redirect_uris": ["http://localhost/cb"]}),
        json!({"client_id": "te am/ü#1", "client_secret": "123456"}),
        json!({"client_secret": "x".repeat(72), "client_id": "ü".repeat(255)}),
        json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key]},
               "token_endpoint_auth_signing_alg": "ES256"}),
        json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://a/jwks.json"}),
        json!({"token_endpoint_auth_method": "client_secret_post", "jwks": {}, "jwks_uri": "https://a/jwks.json"}),
        json!({"redirect_uris": ["com.example.app:/cb", "https://a:8443/cb?x=1", "http://127.0.0.1:9/cb", "http://[::1]/"]}),
        json!({"redirect_uris": ["https://a/cb"], "post_logout_redirect_uris": ["https://a/out?x"]}),
        json!({"redirect_uris": ["com.app:/cb"], "post_logout_redirect_uris": ["com.app:/out"]}),
        json!({"allowed_cors_origins": ["https://a", "http://localhost:3000", "https://*.example.org"]}),
        json!({"tos_uri": "http://a/tos", "policy_uri": "https://a", "logo_uri": "https://a/b.png", "client_uri": "https://a",
               "backchannel_logout_uri": "https://a/b", "frontchannel_logout_uri": "https://a/f",
               "request_uris": ["https://a/r#sha256"]}),
        json!({"sector_identifier_uri": "https://a/s.json", "subject_type": "pairwise",
               "redirect_uris": ["https://a/cb", "https://b/cb"]}),
        json!({"grant_types": ["authorization_code", "implicit", "refresh_token"], "redirect_uris": ["https://a/cb"],
               "response_types": ["code", "id_token token", "code id_token"]}),
        json!({"grant_types": ["urn:ietf:params:oauth:grant-type:device_code"]}),
        json!({"access_token_strategy": "jwt", "userinfo_signed_response_alg": "RS256", "subject_type": "public",
               "request_object_signing_alg": "none"}),
        json!({"refresh_token_grant_refresh_token_lifespan": "-1ns", "implicit_grant_id_token_lifespan": "1h30m"}),
        json!({"tos_uri": "", "owner": "", "access_token_strategy": "", "token_endpoint_auth_method": "", "scope": "",
               "grant_types": [], "response_types": [], "metadata": {"a": [1]}, "contacts": ["Bob in the next room"]}),
    ] {
        assert_eq!(found(good.clone()), [], "{good}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn each_rule_finds_its_fault_and_that_alone() {
    use Level::{Error, Warning};
    let redirect = |uri: &str| json!({"redirect_uris": [uri]});
    for (bad, level, field, message, hint) in [
        (json!({"client_id": ""}), Error, "client_id", "is empty", "leave it out"),
        (json!({"client_id": ".."}), Error, "client_id", "names a folder", ""),
        (json!({"client_id": "a\0b"}), Error, "client_id", "control character", ""),
        (json!({"client_id": "x".repeat(256)}), Error, "client_id", "more than 255 characters", ""),
        (json!({"client_secret": "abc"}), Error, "client_secret", "fewer than 6", ""),
        (json!({"client_secret": ""}), Error, "client_secret", "is empty", "leave it out"),
        (json!({"client_secret": "x".repeat(73)}), Warning, "client_secret", "over 72 bytes", ""),
        (
            json!({"client_secret": "123456", "token_endpoint_auth_method": "none"}),
            Error,
            "client_secret",
            "has no secret",
            "leave",
        ),
        (
            json!({"client_secret": "123456", "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://a/j"}),
            Warning,
            "client_secret",
            "never uses it",
            "",
        ),
        (
            json!({"token_endpoint_auth_method": "weird"}),
            Error,
            "token_endpoint_auth_method",
            "`weird`",
            "one of client_secret_basic",
        ),
        (
            json!({"token_endpoint_auth_method": "client_secret_basik"}),
            Error,
            "token_endpoint_auth_method",
            "",
            "did you mean `client_secret_basic`?",
        ),
        (json!({"jwks": {"keys": []}, "jwks_uri": "https://a/j"}), Error, "jwks", "exclude each other", ""),
        (
            json!({"token_endpoint_auth_method": "private_key_jwt"}),
            Error,
            "token_endpoint_auth_method",
            "needs `jwks`",
            "",
        ),
        (
            json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {}}),
            Error,
            "token_endpoint_auth_method",
            "needs `jwks`",
            "",
        ),
        (json!({"jwks": {"kty": "EC"}}), Error, "jwks", "is not a JSON Web Key Set", "keys"),
        (json!({"jwks": []}), Error, "jwks", "is not a JSON Web Key Set", "keys"),
        (json!({"jwks": {"keys": [{}]}}), Error, "jwks", "without a key type", ""),
        (json!({"jwks": {"keys": [{"kty": "EC", "d": "x"}]}}), Error, "jwks", "holds a private key", "public keys"),
        (json!({"jwks": {"keys": [{"kty": "RSA", "p": "x"}]}}), Error, "jwks", "holds a private key", "public keys"),
        (
            json!({"token_endpoint_auth_signing_alg": "HS256"}),
            Error,
            "token_endpoint_auth_signing_alg",
            "`HS256`",
            "RS256",
        ),
        (redirect("/cb"), Error, "redirect_uris", "not an absolute URI", "scheme"),
        (redirect("*"), Error, "redirect_uris", "not an absolute URI", ""),
        (redirect("//host/x"), Error, "redirect_uris", "not an absolute URI", ""),
        (redirect("foo"), Error, "redirect_uris", "not an absolute URI", ""),
        (redirect(""), Error, "redirect_uris", "an empty text", ""),
        (redirect("http://a b/c"), Error, "redirect_uris", "a space", "%20"),
        (redirect("javascript:alert(1)"), Error, "redirect_uris", "dangerous", ""),
        (redirect("DATA:text/html,x"), Error, "redirect_uris", "dangerous", ""),
        (redirect("vbscript:x"), Error, "redirect_uris", "dangerous", ""),
        (redirect("file:///etc/passwd"), Error, "redirect_uris", "dangerous", ""),
        (redirect("http://localhost/cb#f"), Error, "redirect_uris", "fragment", ""),
        (redirect("https:///cb"), Error, "redirect_uris", "with a host", ""),
        (redirect("https:/cb"), Error, "redirect_uris", "with a host", ""),
        (redirect("https://a:99999/cb"), Error, "redirect_uris", "with a host", ""),
        (redirect("https://*.example.org/cb"), Warning, "redirect_uris", "holds a `*`", "each"),
        (redirect("http://example.org/cb"), Warning, "redirect_uris", "over http", "https"),
        (json!({"tos_uri": "ftp://x"}), Error, "tos_uri", "http or https", ""),
        (json!({"policy_uri": "/policy"}), Error, "policy_uri", "http or https", ""),
        (json!({"logo_uri": "data:image/png,x"}), Error, "logo_uri", "http or https", ""),
        (json!({"client_uri": "https://"}), Error, "client_uri", "http or https", ""),
        (json!({"jwks_uri": "jwks.json"}), Error, "jwks_uri", "http or https", ""),
        (json!({"backchannel_logout_uri": "x y"}), Error, "backchannel_logout_uri", "a space", ""),
        (json!({"frontchannel_logout_uri": "com.app:/x"}), Error, "frontchannel_logout_uri", "http or https", ""),
        (json!({"request_uris": ["/r"]}), Error, "request_uris", "http or https", ""),
        (
            json!({"redirect_uris": ["https://a/cb"], "post_logout_redirect_uris": ["https://b/out"]}),
            Error,
            "post_logout_redirect_uris",
            "no redirect URI",
            "same host",
        ),
        (
            json!({"redirect_uris": ["https://a/cb"], "post_logout_redirect_uris": ["https://a:8443/out"]}),
            Error,
            "post_logout_redirect_uris",
            "no redirect URI",
            "",
        ),
        (json!({"post_logout_redirect_uris": ["/out"]}), Error, "post_logout_redirect_uris", "not an absolute URI", ""),
        (
            json!({"allowed_cors_origins": ["http://a:1/path"]}),
            Error,
            "allowed_cors_origins",
            "is not an origin",
            "write `http://a:1`",
        ),
        (
            json!({"allowed_cors_origins": ["https://[::1]/a/"]}),
            Error,
            "allowed_cors_origins",
            "is not an origin",
            "write `https://[::1]`",
        ),
        (
            json!({"allowed_cors_origins": ["https://u@a"]}),
            Error,
            "allowed_cors_origins",
            "is not an origin",
            "write `https://a`",
        ),
        (json!({"allowed_cors_origins": ["*"]}), Error, "allowed_cors_origins", "is not an origin", "such as"),
        (json!({"sector_identifier_uri": "http://a/x.json"}), Error, "sector_identifier_uri", "not an https URI", ""),
        (
            json!({"subject_type": "pairwise", "redirect_uris": ["https://a/cb", "https://b/cb"]}),
            Warning,
            "sector_identifier_uri",
            "is missing",
            "",
        ),
        (
            json!({"grant_types": ["implicit"], "redirect_uris": ["https://a/cb"]}),
            Warning,
            "response_types",
            "holds `implicit`",
            "",
        ),
        (json!({"response_types": ["token", "code"]}), Warning, "grant_types", "needs the grant type `implicit`", ""),
        (
            json!({"response_types": ["code", "id_token"]}),
            Warning,
            "grant_types",
            "needs the grant type `implicit`",
            "",
        ),
        (
            json!({"grant_types": ["authorization_code", "client_credentials"], "response_types": ["token"]}),
            Warning,
            "response_types",
            "no response type holds `code`",
            "",
        ),
        (
            json!({"grant_types": ["implicit"], "response_types": ["token"]}),
            Warning,
            "redirect_uris",
            "no redirect URI",
            "",
        ),
        (
            json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"}),
            Warning,
            "grant_types",
            "refused to a client",
            "",
        ),
        (
            json!({"grant_types": ["client_credential"]}),
            Warning,
            "grant_types",
            "not known",
            "did you mean `client_credentials`?",
        ),
        (json!({"response_types": ["code", "cod"]}), Warning, "response_types", "not known", "did you mean `code`?"),
        (json!({"request_object_signing_alg": "HS256"}), Warning, "request_object_signing_alg", "not known", ""),
        (json!({"subject_type": "weird"}), Error, "subject_type", "not known", "one of public, pairwise"),
        (json!({"access_token_strategy": "opaqe"}), Error, "access_token_strategy", "not known", "`opaque`"),
        (json!({"userinfo_signed_response_alg": "ES256"}), Error, "userinfo_signed_response_alg", "not known", ""),
        (
            json!({"implicit_grant_id_token_lifespan": "1d"}),
            Error,
            "implicit_grant_id_token_lifespan",
            "not a duration",
            "`24h`",
        ),
        (
            json!({"implicit_grant_id_token_lifespan": "0"}),
            Warning,
            "implicit_grant_id_token_lifespan",
            "have ended",
            "",
        ),
        (
            json!({"implicit_grant_id_token_lifespan": "-1h"}),
            Warning,
            "implicit_grant_id_token_lifespan",
            "have ended",
            "",
        ),
        (json!({"contacts": ["a", "b", "a", "a"]}), Warning, "contacts", "`a` stands in `contacts` more than once", ""),
        (json!({"scope": "a b a"}), Warning, "scope", "`a` stands in `scope` more than once", ""),
        (json!({"scope": "ok say\"hi\""}), Warning, "scope", "does not allow", ""),
        (json!({"scope": "grün"}), Warning, "scope", "does not allow", ""),
        (json!({"scope": "a\\b"}), Warning, "scope", "does not allow", ""),
        (json!({"audience": ["a b"]}), Warning, "audience", "holds a space", ""),
        (json!({"metadata": [1]}), Error, "metadata", "not a JSON object", ""),
    ] {
        let findings = found(bad.clone());
        let [finding] = &findings[..] else { panic!("{bad}: {findings:#?}") };
        assert_eq!((finding.level, finding.field), (level, field), "{bad}: {finding:?}");
        assert!(finding.message.contains(message), "{bad}: {finding:?}");
        assert!(finding.hint.as_deref().unwrap_or("").contains(hint), "{bad}: {finding:?}");
    }
}

#[test]
fn every_rule_names_fields_of_the_table() {
    for rule in RULES {
        if let Rule::Each(names, _) = rule {
            assert!(names.iter().all(|name| field(name).is_some()), "{names:?}");
        }
    }
    let unlinted: Vec<&str> = FIELDS
        .iter()
        .filter(|field| matches!(field.kind, Kind::Uri) && field.flag.is_some())
        .map(|field| field.json)
        .filter(|name| !WEB_URIS.contains(name))
        .collect();
    assert_eq!(unlinted, ["sector_identifier_uri"]);
}

#[test]
fn a_judgement_tells_every_error_and_each_hint_once() {
    let both = found(json!({"redirect_uris": ["/a", "/b", "http://example.org/cb"], "subject_type": "weird"}));
    let error = judge(both).unwrap_err();
    assert_eq!(error.kind().exit_code(), 2);
    for part in ["`/a` in", "`/b` in", "`weird` in"] {
        assert!(error.message().contains(part), "{}", error.message());
    }
    assert_eq!(error.hints().len(), 2);
    let warnings = judge(found(json!({"redirect_uris": ["http://example.org/cb"]}))).unwrap();
    assert_eq!(warnings.len(), 1);
}

#[test]
fn no_finding_shows_a_secret_or_an_escape() {
    for secret in ["cnry", "", "canary-that-is-long-enough"] {
        for method in ["none", "private_key_jwt", "weird"] {
            let findings = found(json!({"client_secret": secret, "token_endpoint_auth_method": method}));
            assert!(secret.is_empty() || !format!("{findings:?}").contains(secret));
        }
    }
    let findings = found(json!({"redirect_uris": [format!("/\u{1b}[31m{}", "x".repeat(500))]}));
    assert!(findings[0].message.len() < 300 && !findings[0].message.contains('\u{1b}'));
}
