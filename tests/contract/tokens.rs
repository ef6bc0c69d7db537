//! Tokens, and the probe that tells whether a secret is right.

use serde_json::json;

use super::Sandbox;
use super::wire::{send, send_form, send_json};

const PROBE: &str = "grant_type=refresh_token&refresh_token=probe";

fn form_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn odd_secrets_pass_where_they_are_encoded() {
    let sandbox = Sandbox::start();
    for (number, secret) in [":+%#ü", "line\nbreak", "😀😀", "a b&c=d"].into_iter().enumerate() {
        let id = format!("odd:{number}");
        let body = json!({"client_id": id, "client_secret": secret, "grant_types": ["refresh_token"]});
        assert_eq!(send_json(&sandbox.admin, "POST", "/admin/clients", &body).status, 201, "{secret}");
        let right = format!("{}:{}", form_encoded(&id), form_encoded(secret));
        let answer = send_form(&sandbox.public, "/oauth2/token", Some(&right), PROBE);
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_grant")), "{secret}");
        let wrong = format!("{}:{}x", form_encoded(&id), form_encoded(secret));
        let answer = send_form(&sandbox.public, "/oauth2/token", Some(&wrong), PROBE);
        assert_eq!((answer.status, &answer.json()["error"]), (401, &json!("invalid_client")), "{secret}");
    }
}

#[test]
fn the_method_has_to_be_the_clients_own() {
    let sandbox = Sandbox::start();
    for (method, basic, post) in
        [("client_secret_basic", 400, 401), ("client_secret_post", 401, 400), ("none", 401, 401), ("weird", 401, 401)]
    {
        let body = json!({"client_id": method, "client_secret": "secret-1", "token_endpoint_auth_method": method});
        send_json(&sandbox.admin, "POST", "/admin/clients", &body);
        let credentials = format!("{method}:secret-1");
        assert_eq!(send_form(&sandbox.public, "/oauth2/token", Some(&credentials), PROBE).status, basic, "{method}");
        let form = format!("{PROBE}&client_id={method}&client_secret=secret-1");
        assert_eq!(send_form(&sandbox.public, "/oauth2/token", None, &form).status, post, "{method}");
    }
    let public = send_form(&sandbox.public, "/oauth2/token", None, &format!("{PROBE}&client_id=none"));
    assert_eq!(public.json()["error"], "unauthorized_client");
    assert_eq!(send_form(&sandbox.public, "/oauth2/token", None, PROBE).json()["error"], "invalid_request");
}

#[test]
fn tokens_live_until_they_are_revoked_or_their_client_goes() {
    let sandbox = Sandbox::start();
    let body = json!({
        "client_id": "m", "client_secret": "secret-m", "scope": "read files.*", "grant_types": ["client_credentials"],
        "audience": ["https://api"], "client_credentials_grant_access_token_lifespan": "10m",
    });
    send_json(&sandbox.admin, "POST", "/admin/clients", &body);
    let issue = || {
        let form = "grant_type=client_credentials&scope=read+files.open&audience=https://api";
        let answer = send_form(&sandbox.public, "/oauth2/token", Some("m:secret-m"), form);
        assert_eq!((answer.status, &answer.json()["expires_in"]), (200, &json!(599)));
        answer.json()["access_token"].as_str().unwrap().to_owned()
    };
    let state = |token: &str, scope: &str| {
        send_form(&sandbox.admin, "/admin/oauth2/introspect", None, &format!("token={token}&scope={scope}")).json()
    };
    let first = issue();
    assert!(first.starts_with("ory_at_"));
    let told = state(&first, "read");
    assert_eq!(
        (&told["active"], &told["scope"], &told["aud"]),
        (&json!(true), &json!("read files.open"), &json!(["https://api"]))
    );
    assert_eq!(state(&first, "other"), json!({"active": false}));
    assert_eq!(send_form(&sandbox.public, "/oauth2/revoke", Some("m:secret-m"), &format!("token={first}")).status, 200);
    assert_eq!(state(&first, ""), json!({"active": false}));
    let second = issue();
    assert_eq!(send(&sandbox.admin, "DELETE", "/admin/oauth2/tokens?client_id=m", &[], "").status, 204);
    assert_eq!(state(&second, "")["active"], false);
    assert_eq!(send(&sandbox.admin, "DELETE", "/admin/oauth2/tokens", &[], "").json()["error"], "invalid_request");
    let third = issue();
    send(&sandbox.admin, "DELETE", "/admin/clients/m", &[], "");
    send_json(&sandbox.admin, "POST", "/admin/clients", &body);
    assert_eq!(state(&third, "")["active"], false);
    let refused =
        send_form(&sandbox.public, "/oauth2/token", Some("m:secret-m"), "grant_type=client_credentials&scope=write");
    assert_eq!(refused.json()["error"], "invalid_scope");
}
