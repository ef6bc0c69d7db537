//! Signing in to Ory Network: authorization code with PKCE (RFC 6749 §4.1, RFC 7636), refresh, revocation, userinfo.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use crate::api::console::Console;
use crate::api::send::{Answer, ask};
use crate::api::{refusal, request};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// The public client that the Ory CLI is.
const CLIENT: &str = "ory-cli";

const SCOPE: &str = "offline_access email profile";

/// What begins a sign-in: it is kept until the answer comes, and goes nowhere before.
#[derive(Debug)]
pub struct Begun {
    /// Ties the answer to this request (RFC 6749 §10.12).
    pub state: Secret,
    /// Proves that whoever exchanges the code has asked for it (RFC 7636 §4.1).
    pub verifier: Secret,
    /// Where the answer comes to.
    pub redirect_uri: String,
}

/// Tokens as they were issued, with the seconds that the access token counts.
#[derive(Debug)]
pub struct Issued {
    /// The access token.
    pub access: Secret,
    /// What renews it.
    pub refresh: Option<Secret>,
    /// In seconds.
    pub expires_in: u64,
}

/// Who has signed in (OpenID Connect Core §5.3).
#[derive(Debug)]
pub struct Person {
    /// The subject.
    pub id: String,
    /// The address, if it was told.
    pub email: String,
    /// The name, if it was told.
    pub name: String,
}

impl Begun {
    /// With fresh state and verifier.
    pub fn new(redirect_uri: String) -> Result<Self> {
        // 43 characters at least (RFC 7636 §4.1): two secrets of 32.
        let verifier = format!("{}{}", Secret::generate()?.expose(), Secret::generate()?.expose());
        Ok(Begun { state: Secret::generate()?, verifier: Secret::new(verifier), redirect_uri })
    }

    /// The address that a person opens (RFC 6749 §4.1.1).
    pub fn url(&self, sign_in: &Url, audience: &Url) -> Url {
        let mut url = sign_in.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["oauth2", "auth"]);
        }
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.expose()));
        url.query_pairs_mut().extend_pairs([
            ("client_id", CLIENT),
            ("response_type", "code"),
            ("redirect_uri", &self.redirect_uri),
            ("scope", SCOPE),
            ("state", self.state.expose()),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("prompt", "login consent"),
            ("audience", audience.as_str().trim_end_matches('/')),
        ]);
        url
    }
}

/// Exchanges a code for tokens (RFC 6749 §4.1.3).
pub async fn exchange(server: &Console, begun: &Begun, code: &str) -> Result<Issued> {
    let members = vec![
        ("grant_type", Secret::new("authorization_code")),
        ("client_id", Secret::new(CLIENT)),
        ("code", Secret::new(code)),
        ("redirect_uri", Secret::new(begun.redirect_uri.as_str())),
        ("code_verifier", begun.verifier.clone()),
    ];
    let about = "the sign-in was not completed";
    issued(&ask(server, &request::as_public_client("token", members), about).await?, about)
}

/// Renews tokens (RFC 6749 §6): the old ones do not count any more.
pub async fn refresh(server: &Console, token: &Secret) -> Result<Issued> {
    let members = vec![
        ("grant_type", Secret::new("refresh_token")),
        ("client_id", Secret::new(CLIENT)),
        ("refresh_token", token.clone()),
    ];
    let about = "the sign-in cannot be renewed";
    issued(&ask(server, &request::as_public_client("token", members), about).await?, about)
}

/// Revokes a sign-in by its refresh token (RFC 7009).
pub async fn revoke(server: &Console, token: &Secret) -> Result<()> {
    let members = vec![("client_id", Secret::new(CLIENT)), ("token", token.clone())];
    ask(server, &request::as_public_client("revoke", members), "the sign-in cannot be revoked").await.map(drop)
}

/// Who signed in: the server is asked as them.
pub async fn person(server: &Console) -> Result<Person> {
    let about = "it is not known who signed in";
    let answer = ask(server, &request::console_get(&["userinfo"]), about).await?;
    let body: Value =
        serde_json::from_slice(&answer.body).map_err(|_| refusal::not_understood(&answer, about, "userinfo"))?;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    Ok(Person { id: text("sub"), email: text("email"), name: text("name") })
}

fn issued(answer: &Answer, about: &str) -> Result<Issued> {
    let body: Value =
        serde_json::from_slice(&answer.body).map_err(|_| refusal::not_understood(answer, about, "a token"))?;
    let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty()).map(Secret::new);
    let access = text("access_token").ok_or_else(|| Error::failed(format!("{about}: the server gave no token")))?;
    Ok(Issued { access, refresh: text("refresh_token"), expires_in: body["expires_in"].as_u64().unwrap_or(3600) })
}
