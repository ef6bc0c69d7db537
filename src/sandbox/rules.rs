//! What the server refuses in a client document, and what it fills in; in Hydra's order and words.

use serde_json::json;

use super::document::Document;
use super::gourl;
use super::reply::Fault;

const SIGNING_ALGORITHMS: [&str; 9] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];
const SUBJECT_TYPES: [&str; 2] = ["public", "pairwise"];

/// Checks a document and fills in its defaults (`OpenID` Connect Registration §2, as Hydra sees it).
pub fn check(document: &mut Document) -> Result<(), Fault> {
    keys(document)?;
    pages(document)?;
    let secret = document.text("client_secret");
    // Bytes are counted, not characters.
    if !secret.is_empty() && secret.len() < 6 {
        return Err(Fault::metadata("Field client_secret must contain a secret that is at least 6 characters long."));
    }
    if document.text("scope").is_empty() {
        document.set("scope", "offline_access offline openid");
    }
    origins(document)?;
    document.remove("client_secret_expires_at");
    if !document.text("sector_identifier_uri").is_empty() {
        // The address has to be fetched; there is no way out of the sandbox, so it is never reached.
        return Err(Fault::metadata(""));
    }
    match document.text("userinfo_signed_response_alg") {
        "" => document.set("userinfo_signed_response_alg", "none"),
        "none" | "RS256" => {}
        _ => return Err(Fault::metadata("Field userinfo_signed_response_alg can either be 'none' or 'RS256'.")),
    }
    redirects(document)?;
    match document.text("access_token_strategy") {
        "" => {}
        strategy if strategy.eq_ignore_ascii_case("jwt") || strategy.eq_ignore_ascii_case("opaque") => {
            document.set("access_token_strategy", strategy.to_lowercase());
        }
        strategy => {
            let hint = format!("invalid access token strategy: expected one of [jwt, opaque] but got {strategy}");
            return Err(Fault::metadata(hint));
        }
    }
    Ok(())
}

/// What dynamic registration refuses besides (RFC 7591 §3.1, Hydra's `/oauth2/register`).
pub fn check_dynamic(document: &mut Document) -> Result<(), Fault> {
    if document.get("metadata").is_some() {
        return Err(Fault::metadata("\"metadata\" cannot be set for dynamic client registration"));
    }
    if !document.text("access_token_strategy").is_empty() {
        return Err(Fault::malformed("It is not allowed to choose your own access token strategy."));
    }
    for name in ["skip_consent", "skip_logout_consent"] {
        if document.is_true(name) {
            return Err(Fault::invalid_request(&format!("\"{name}\" cannot be set for dynamic client registration")));
        }
    }
    check(document)
}

fn keys(document: &mut Document) -> Result<(), Fault> {
    let by_address = !document.text("jwks_uri").is_empty();
    match document.text("token_endpoint_auth_method") {
        "" => document.set("token_endpoint_auth_method", "client_secret_basic"),
        "private_key_jwt" => {
            if !by_address && !document.has_keys() {
                let hint = "When token_endpoint_auth_method is 'private_key_jwt', either jwks or jwks_uri must be set.";
                return Err(Fault::metadata(hint));
            }
            let algorithm = document.text("token_endpoint_auth_signing_alg");
            if !algorithm.is_empty() && !SIGNING_ALGORITHMS.contains(&algorithm) {
                return Err(Fault::metadata(
                    "Only RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and ES512 are supported as algorithms \
                     for private key authentication.",
                ));
            }
        }
        _ => {}
    }
    if by_address && document.has_keys() {
        return Err(Fault::metadata("Fields jwks and jwks_uri can not both be set, you must choose one."));
    }
    Ok(())
}

/// The addresses of pages that people are shown.
fn pages(document: &Document) -> Result<(), Fault> {
    for name in ["tos_uri", "policy_uri", "logo_uri", "client_uri"] {
        let uri = document.text(name);
        if uri.is_empty() {
            continue;
        }
        let Some(url) = gourl::parse_request(uri) else {
            return Err(Fault::metadata(format!("Field {name} must be a valid URI.")));
        };
        if !is_web(url.scheme) {
            let hint = format!("{uri} must use https:// or http:// as HTTP scheme for field {name}.");
            return Err(Fault::metadata(hint));
        }
    }
    Ok(())
}

/// Origins lose a slash at their end (the Fetch standard's serialisation has none).
fn origins(document: &mut Document) -> Result<(), Fault> {
    if document.get("allowed_cors_origins").is_none() {
        return Ok(());
    }
    let mut kept = Vec::new();
    for origin in document.list("allowed_cors_origins") {
        let Some(url) = gourl::parse(origin) else {
            let hint = format!("Origin URL {origin} from allowed_cors_origins could not be parsed: invalid URL");
            return Err(Fault::metadata(hint));
        };
        if !is_web(url.scheme) {
            return Err(Fault::metadata(format!("Origin URL {origin} must use https:// or http:// as HTTP scheme.")));
        }
        if !url.user.is_empty() {
            let hint = format!("Origin URL {origin} has HTTP user and/or password set which is not allowed.");
            return Err(Fault::metadata(hint));
        }
        if !url.path.trim_end_matches('/').is_empty() || !url.query.is_empty() || !url.fragment.is_empty() {
            let hint = format!(
                "Origin URL {origin} must have an empty path, query, and fragment but one of the parts is not empty."
            );
            return Err(Fault::metadata(hint));
        }
        kept.push(json!(origin.trim_end_matches('/')));
    }
    document.set("allowed_cors_origins", kept);
    Ok(())
}

fn redirects(document: &mut Document) -> Result<(), Fault> {
    let mut registered = Vec::new();
    for uri in document.list("redirect_uris") {
        if uri.contains('#') {
            return Err(Fault::redirect_uri("Redirect URIs must not contain fragments (#)."));
        }
        let url = gourl::parse_request(uri)
            .ok_or_else(|| Fault::redirect_uri(format!("Unable to parse redirect URL: {uri}")))?;
        registered.push((url.scheme.to_lowercase(), url.host.to_owned(), url.port.to_owned()));
    }
    match document.text("subject_type") {
        "" => document.set("subject_type", SUBJECT_TYPES[0]),
        kind if SUBJECT_TYPES.contains(&kind) => {}
        kind => {
            let allowed = SUBJECT_TYPES.join(" ");
            let hint = format!("Subject type {kind} is not supported by server, only [{allowed}] are allowed.");
            return Err(Fault::metadata(hint));
        }
    }
    for uri in document.list("post_logout_redirect_uris") {
        let Some(url) = gourl::parse_request(uri) else {
            return Err(Fault::metadata(format!("Unable to parse post_logout_redirect_uri: {uri}")));
        };
        let origin = (url.scheme.to_lowercase(), url.host.to_owned(), url.port.to_owned());
        if !registered.contains(&origin) {
            let hint = format!(
                "post_logout_redirect_uri {uri:?} must match the domain, port, scheme of at least one of the \
                 registered redirect URIs but did not"
            );
            return Err(Fault::metadata(hint));
        }
    }
    Ok(())
}

fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(value: serde_json::Value) -> Result<Document, Fault> {
        let mut document = Document::from_json(value).unwrap();
        check(&mut document).map(|()| document)
    }

    #[test]
    fn defaults_are_filled_in() {
        let document = checked(json!({"allowed_cors_origins": ["http://a/"]})).unwrap();
        assert_eq!(document.text("scope"), "offline_access offline openid");
        assert_eq!(document.text("subject_type"), "public");
        assert_eq!(document.list("allowed_cors_origins"), ["http://a"]);
    }

    #[test]
    fn each_rule_refuses() {
        for refused in [
            json!({"jwks_uri": "https://a/k", "jwks": {"keys": []}}),
            json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {}}),
            json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://a/k",
                   "token_endpoint_auth_signing_alg": "HS256"}),
            json!({"logo_uri": "ftp://x"}),
            json!({"policy_uri": "x"}),
            json!({"client_secret": "12345"}),
            json!({"allowed_cors_origins": ["http://u@a"]}),
            json!({"allowed_cors_origins": ["ws://a"]}),
            json!({"userinfo_signed_response_alg": "ES256"}),
            json!({"redirect_uris": ["http://a/#"]}),
            json!({"post_logout_redirect_uris": ["http://a/out"]}),
            json!({"subject_type": "none"}),
            json!({"access_token_strategy": "weird"}),
        ] {
            assert!(checked(refused.clone()).is_err(), "{refused}");
        }
    }
}
