//! Requests as data: built by pure functions, so that they can be tested, shown and repeated.

use reqwest::Method;
use serde_json::{Map, Value, json};
use url::Url;

use crate::api::Side;
use crate::model::client::{ClientId, ClientSpec};
use crate::model::document::Document;
use crate::model::patch::Patch;
use crate::secret::{REDACTED, Secret};

/// What a request carries.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Nothing.
    None,
    /// A JSON object.
    Json(Document),
    /// A JSON Patch (RFC 6902).
    Patch(Patch),
    /// A form (`application/x-www-form-urlencoded`) whose members may be secrets.
    Form(Vec<(&'static str, Secret)>),
}

/// Whether the same request may be sent again after a failure that leaves its fate unknown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Repeat {
    /// Sending it twice does no more than sending it once.
    Allowed,
    /// Each sending has an effect of its own.
    Never,
}

/// A request that has not been sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Which address it goes to.
    pub side: Side,
    /// The path below the address, a segment each, not yet percent-encoded.
    pub path: Vec<String>,
    /// Query parameters.
    pub query: Vec<(&'static str, String)>,
    /// What it carries.
    pub payload: Payload,
    /// Client authentication by Basic (RFC 6749 §2.3.1), id and secret.
    pub basic: Option<(ClientId, Secret)>,
    /// Whether it may be sent again.
    pub repeat: Repeat,
    /// Whether it changes anything.
    pub writes: bool,
}

impl Request {
    /// Whether it gives a client a secret.
    pub fn sets_secret(&self) -> bool {
        match &self.payload {
            Payload::Patch(patch) => patch.secret().is_some(),
            Payload::Json(document) => document.secret("client_secret").is_some(),
            _ => false,
        }
    }

    /// Whether it asks for no token, and only whether a secret is right: [`probe_secret`].
    pub fn is_probe(&self) -> bool {
        let is_it = |(name, value): &(&str, Secret)| *name == "refresh_token" && value.expose() == PROBE;
        matches!(&self.payload, Payload::Form(members) if members.iter().any(is_it))
    }

    fn new(method: Method, side: Side, path: &[&str]) -> Self {
        Request {
            writes: method != Method::GET,
            method,
            side,
            path: path.iter().map(|segment| (*segment).to_owned()).collect(),
            query: Vec::new(),
            payload: Payload::None,
            basic: None,
            repeat: Repeat::Allowed,
        }
    }

    /// The whole address of the request.
    pub fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(&self.path);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }

    /// The request as `--dry-run` shows it: method, address, body with its secrets redacted.
    pub fn shown(&self, base: &Url) -> Value {
        let mut shown = Map::new();
        shown.insert("method".into(), self.method.as_str().into());
        shown.insert("url".into(), self.url(base).as_str().into());
        match &self.payload {
            Payload::None => {}
            Payload::Json(document) => {
                shown.insert("body".into(), Value::Object(document.redacted()));
            }
            Payload::Patch(patch) => {
                shown.insert("body".into(), patch.redacted());
            }
            Payload::Form(members) => {
                shown.insert("form".into(), members.iter().map(|(k, _)| ((*k).to_owned(), json!(REDACTED))).collect());
            }
        }
        Value::Object(shown)
    }
}

/// `POST /admin/clients`. May be repeated where the specification names an id: a second one then is a 409.
pub fn create_client(spec: &ClientSpec) -> Request {
    let repeat = if spec.id().is_some() { Repeat::Allowed } else { Repeat::Never };
    let payload = Payload::Json(spec.document().clone());
    Request { payload, repeat, ..Request::new(Method::POST, Side::Admin, &["admin", "clients"]) }
}

/// `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0 §4).
pub fn discovery() -> Request {
    Request::new(Method::GET, Side::Public, &[".well-known", "openid-configuration"])
}

/// `GET /admin/clients/{id}`.
pub fn get_client(id: &ClientId) -> Request {
    Request::new(Method::GET, Side::Admin, &["admin", "clients", id.as_str()])
}

/// `PATCH /admin/clients/{id}`. Operations on whole fields may be repeated; inserting into a list may not.
pub fn patch_client(id: &ClientId, patch: &Patch) -> Request {
    let repeat = if patch.is_repeatable() { Repeat::Allowed } else { Repeat::Never };
    let payload = Payload::Patch(patch.clone());
    Request { payload, repeat, ..Request::new(Method::PATCH, Side::Admin, &["admin", "clients", id.as_str()]) }
}

/// `POST /admin/clients/{id}/secrets/rotate`: never repeated blindly, as each takes one of five places for old secrets.
pub fn rotate_secret(id: &ClientId) -> Request {
    let path = ["admin", "clients", id.as_str(), "secrets", "rotate"];
    Request { repeat: Repeat::Never, ..Request::new(Method::POST, Side::Admin, &path) }
}

/// `DELETE /admin/clients/{id}/secrets/rotate`: the secrets that were rotated out end.
pub fn drop_rotated(id: &ClientId) -> Request {
    Request::new(Method::DELETE, Side::Admin, &["admin", "clients", id.as_str(), "secrets", "rotate"])
}

/// `PUT /admin/clients/{id}`: replaces everything; without a secret the current one stays.
pub fn replace_client(id: &ClientId, spec: &ClientSpec) -> Request {
    let payload = Payload::Json(spec.document().clone());
    Request { payload, ..Request::new(Method::PUT, Side::Admin, &["admin", "clients", id.as_str()]) }
}

/// `DELETE /admin/clients/{id}`. After a lost reply a 404 means that it is done.
pub fn delete_client(id: &ClientId) -> Request {
    Request::new(Method::DELETE, Side::Admin, &["admin", "clients", id.as_str()])
}

/// What `GET /admin/clients` is asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ListQuery {
    /// Clients a page, 1 to 500; the server's default is 100.
    pub page_size: Option<u32>,
    /// Where to go on: opaque, from an earlier page, good for about an hour.
    pub page_token: Option<String>,
    /// Exactly this `client_name`.
    pub name: Option<String>,
    /// Exactly this `owner`.
    pub owner: Option<String>,
}

/// `GET /admin/clients?page_size=&page_token=&client_name=&owner=`.
pub fn list_clients(query: &ListQuery) -> Request {
    let members = [
        ("page_size", query.page_size.map(|size| size.to_string())),
        ("page_token", query.page_token.clone()),
        ("client_name", query.name.clone()),
        ("owner", query.owner.clone()),
    ];
    let query = members.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    Request { query, ..Request::new(Method::GET, Side::Admin, &["admin", "clients"]) }
}

/// A list of the console API: `GET /projects`, `GET /workspaces`, `GET /workspaces/{id}/projects`.
pub fn console_list(path: &[&str], page_token: Option<&str>) -> Request {
    let query = page_token.map(|token| ("page_token", token.to_owned())).into_iter().collect();
    Request { query, ..Request::new(Method::GET, Side::Admin, path) }
}

/// `GET /projects/{id}` and the like on the console.
pub fn console_get(path: &[&str]) -> Request {
    Request::new(Method::GET, Side::Admin, path)
}

/// `POST /projects/{id}/tokens`: `{"name", "expires_at"}`. Each makes a key of its own.
pub fn make_project_key(project: &str, name: &str, expires_at: &str) -> Request {
    let members = [("name", name), ("expires_at", expires_at)].map(|(key, value)| (key.to_owned(), value.into()));
    let payload = Payload::Json(Document::new(Map::from_iter(members), |_| false));
    Request {
        payload,
        repeat: Repeat::Never,
        ..Request::new(Method::POST, Side::Admin, &["projects", project, "tokens"])
    }
}

/// `DELETE /projects/{id}/tokens/{key}`.
pub fn delete_project_key(project: &str, key: &str) -> Request {
    Request::new(Method::DELETE, Side::Admin, &["projects", project, "tokens", key])
}

/// A public client at the token or revocation endpoint (RFC 6749 §2.1): what counts once is never sent twice.
pub fn as_public_client(endpoint: &str, members: Vec<(&'static str, Secret)>) -> Request {
    let payload = Payload::Form(members);
    Request { payload, repeat: Repeat::Never, ..Request::new(Method::POST, Side::Admin, &["oauth2", endpoint]) }
}

/// The client credentials grant (RFC 6749 §4.4): `POST /oauth2/token`.
pub fn client_credentials(id: &ClientId, secret: &Secret, in_body: bool, scope: &str, audience: &str) -> Request {
    let mut members = vec![("grant_type", "client_credentials")];
    members.extend([("scope", scope), ("audience", audience)].into_iter().filter(|(_, value)| !value.is_empty()));
    authenticated(&["oauth2", "token"], &members, id, secret, in_body)
}

/// `POST /oauth2/revoke` (RFC 7009), as the client that the token was issued to.
pub fn revoke_token(token: &Secret, id: &ClientId, secret: &Secret, in_body: bool) -> Request {
    authenticated(&["oauth2", "revoke"], &[("token", token.expose())], id, secret, in_body)
}

/// `POST /admin/oauth2/introspect` (RFC 7662).
pub fn introspect_token(token: &Secret, scope: &str) -> Request {
    let mut members = vec![("token", token.clone())];
    if !scope.is_empty() {
        members.push(("scope", Secret::new(scope)));
    }
    let payload = Payload::Form(members);
    Request { payload, writes: false, ..Request::new(Method::POST, Side::Admin, &["admin", "oauth2", "introspect"]) }
}

/// `DELETE /admin/oauth2/tokens?client_id=`: every token of a client.
pub fn delete_tokens(id: &ClientId) -> Request {
    let query = vec![("client_id", id.as_str().to_owned())];
    Request { query, ..Request::new(Method::DELETE, Side::Admin, &["admin", "oauth2", "tokens"]) }
}

/// `DELETE /admin/oauth2/auth/sessions/consent?subject=&client=|all=true`: what a person has consented to.
pub fn revoke_consent(subject: &str, client: Option<&ClientId>) -> Request {
    let which = match client {
        Some(id) => ("client", id.as_str().to_owned()),
        None => ("all", "true".to_owned()),
    };
    let query = vec![("subject", subject.to_owned()), which];
    Request { query, ..Request::new(Method::DELETE, Side::Admin, &["admin", "oauth2", "auth", "sessions", "consent"]) }
}

/// A form that a client signs in for by itself (RFC 6749 §2.3.1): by Basic, or in the body.
fn authenticated(
    path: &[&str],
    members: &[(&'static str, &str)],
    id: &ClientId,
    secret: &Secret,
    in_body: bool,
) -> Request {
    let mut members: Vec<_> = members.iter().map(|(name, value)| (*name, Secret::new(*value))).collect();
    let mut request = Request::new(Method::POST, Side::Public, path);
    if in_body {
        members.push(("client_id", Secret::new(id.as_str())));
        members.push(("client_secret", secret.clone()));
    } else {
        request.basic = Some((id.clone(), secret.clone()));
    }
    request.payload = Payload::Form(members);
    request
}

/// A refresh token that nobody has.
const PROBE: &str = "probe";

/// The probe whether a secret is right: `POST /oauth2/token` with a refresh token that cannot exist.
///
/// The client authenticates by its own method; the answer tells whether that worked before the token is looked at.
pub fn probe_secret(id: &ClientId, secret: &Secret, auth_method: &str) -> Request {
    let members = [("grant_type", "refresh_token"), ("refresh_token", PROBE)];
    let in_body = auth_method == "client_secret_post";
    Request { writes: false, ..authenticated(&["oauth2", "token"], &members, id, secret, in_body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(request: &Request) -> String {
        request.url(&Url::parse("http://h:1/base/").unwrap()).to_string()
    }

    #[test]
    fn an_id_cannot_leave_its_segment() {
        let id = ClientId::parse("te am/ü#1?x=%2e").unwrap();
        assert_eq!(url(&get_client(&id)), "http://h:1/base/admin/clients/te%20am%2F%C3%BC%231%3Fx=%252e");
    }

    #[test]
    fn a_list_asks_for_what_it_was_given() {
        let query = ListQuery { page_size: Some(3), name: Some("a b".into()), ..ListQuery::default() };
        assert_eq!(url(&list_clients(&query)), "http://h:1/base/admin/clients?page_size=3&client_name=a+b");
    }

    #[test]
    fn what_is_shown_holds_no_secret() {
        let id = ClientId::parse("a").unwrap();
        let request = probe_secret(&id, &Secret::new("canary"), "client_secret_post");
        let shown = request.shown(&Url::parse("http://h").unwrap());
        assert!(!format!("{shown} {request:?}").contains("canary"));
    }
}
