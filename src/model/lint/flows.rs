//! Rules for grant types and response types that do not fit together (RFC 7591 §2.1).

use super::{Finding, shown};
use crate::model::spec::ClientSpec;

const GRANTS: &str = "grant_types";
const RESPONSES: &str = "response_types";

/// The implicit grant gives nothing out without a response type that asks for a token.
pub fn nothing_implicit(spec: &ClientSpec) -> Option<Finding> {
    let is_due = has_grant(spec, "implicit") && !spec.list(RESPONSES).into_iter().any(has_token);
    is_due.then(|| {
        let message = "`grant_types` holds `implicit`, but no response type holds `token` or `id_token`";
        Finding::warning(RESPONSES, message)
    })
}

/// Response types with a token in them need the implicit grant.
///
/// Not said of clients with client credentials: `-g client_credentials -r token` is how Ory's own example makes them.
pub fn implicit_types(spec: &ClientSpec) -> Vec<Finding> {
    if has_grant(spec, "implicit") || has_grant(spec, "client_credentials") {
        return Vec::new();
    }
    let message =
        |text| format!("the response type {} needs the grant type `implicit`, which `grant_types` lacks", shown(text));
    let is_implicit = |text: &&str| has_word(text, "token") || (has_word(text, "id_token") && !has_word(text, "code"));
    spec.list(RESPONSES).into_iter().filter(is_implicit).map(|text| Finding::warning(GRANTS, message(text))).collect()
}

/// The authorization code grant starts with the response type `code`.
pub fn code_missing(spec: &ClientSpec) -> Option<Finding> {
    let has_code = spec.list(RESPONSES).into_iter().any(|text| has_word(text, "code"));
    (has_grant(spec, "authorization_code") && !has_code).then(|| {
        let message = "`grant_types` holds `authorization_code`, but no response type holds `code`";
        Finding::warning(RESPONSES, message)
    })
}

/// The implicit grant answers at a redirect URI only. The code grant too, but its type is there by default.
pub fn implicit_without_redirect(spec: &ClientSpec) -> Option<Finding> {
    (has_grant(spec, "implicit") && spec.list("redirect_uris").is_empty()).then(|| {
        Finding::warning("redirect_uris", "`grant_types` holds `implicit`, but there is no redirect URI to answer at")
    })
}

/// RFC 6749 §4.4: only for confidential clients; Hydra makes such a client and then refuses it every token.
pub fn public_credentials(spec: &ClientSpec) -> Option<Finding> {
    (has_grant(spec, "client_credentials") && spec.auth_method() == "none").then(|| {
        let message = "`grant_types` holds `client_credentials`, which is refused to a client with the authentication method `none`";
        Finding::warning(GRANTS, message)
    })
}

fn has_grant(spec: &ClientSpec, name: &str) -> bool {
    spec.list(GRANTS).contains(&name)
}

fn has_token(text: &str) -> bool {
    has_word(text, "token") || has_word(text, "id_token")
}

fn has_word(text: &str, word: &str) -> bool {
    text.split_whitespace().any(|own| own == word)
}
