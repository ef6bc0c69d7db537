//! The rows. A new field is a new row, and nothing else.

use super::{Default, Field, Item, Kind, SetBy};

/// Grant types that Hydra knows (RFC 7591 §2, RFC 7523, RFC 8628).
const GRANT_TYPES: &[&str] = &[
    "authorization_code",
    "client_credentials",
    "refresh_token",
    "implicit",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
];
/// OAuth 2.0 Multiple Response Type Encoding Practices.
const RESPONSE_TYPES: &[&str] =
    &["code", "token", "id_token", "token id_token", "code token", "code id_token", "code token id_token"];
/// Asymmetric signatures of RFC 7518 §3.1.
const SIGNING_ALGS: &[&str] = &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];
/// The same, and unsigned request objects.
const REQUEST_OBJECT_ALGS: &[&str] =
    &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "none"];

const RFC7591: &str = "RFC 7591 §2";
const REGISTRATION: &str = "OpenID Connect Registration §2";
const BACKCHANNEL: &str = "OpenID Connect Back-Channel Logout §2.2";
const FRONTCHANNEL: &str = "OpenID Connect Front-Channel Logout §2";
const RP_LOGOUT: &str = "OpenID Connect RP-Initiated Logout §3.1";
const HYDRA: &str = "Ory Hydra";

/// A field that the caller sets.
const fn row(
    json: &'static str,
    flag: &'static str,
    kind: Kind,
    value_name: &'static str,
    help: &'static str,
    source: &'static str,
) -> Field {
    Field {
        json,
        flag: Some(flag),
        short: None,
        kind,
        default: Default::None,
        set_by: SetBy::Caller,
        secret: false,
        value_name,
        help,
        source,
    }
}

/// A switch, off where it is not given.
const fn switch(json: &'static str, flag: &'static str, help: &'static str, source: &'static str) -> Field {
    Field { default: Default::False, ..row(json, flag, Kind::Bool, "BOOL", help, source) }
}

/// A token's lifespan; where it is not given, the server's setting counts.
const fn lifespan(json: &'static str, flag: &'static str, help: &'static str) -> Field {
    row(json, flag, Kind::Duration, "DURATION", help, HYDRA)
}

/// A field that the server sets.
const fn server(
    json: &'static str,
    kind: Kind,
    value_name: &'static str,
    help: &'static str,
    source: &'static str,
) -> Field {
    Field { flag: None, set_by: SetBy::Server, ..row(json, "", kind, value_name, help, source) }
}

impl Field {
    const fn short(self, short: char) -> Field {
        Field { short: Some(short), ..self }
    }

    const fn default(self, default: Default) -> Field {
        Field { default, ..self }
    }

    const fn secret(self) -> Field {
        Field { secret: true, ..self }
    }
}

/// Every property of the client document of Hydra's admin API, in the order that people look for them.
#[rustfmt::skip]
pub static FIELDS: &[Field] = &[
    row("client_id", "id", Kind::Text, "ID",
        "Id of the client, unchangeable later; one is made if none is given", RFC7591),
    row("client_name", "name", Kind::Text, "NAME",
        "Name of the client that people see when they authorize it", RFC7591).short('n'),
    row("client_secret", "secret", Kind::Text, "SECRET",
        "Secret of the client, of at least 6 characters; one is made if the client needs one and none is given",
        RFC7591).secret(),
    row("redirect_uris", "redirect-uri", Kind::List(Item::Uri), "URI",
        "URI that an authorization response may be sent to (can be repeated)", RFC7591).short('c'),
    row("grant_types", "grant-type", Kind::List(Item::Choice(GRANT_TYPES)), "TYPE",
        "Grant type that the client may use (can be repeated)", RFC7591)
        .short('g').default(Default::List(&["authorization_code"])),
    row("response_types", "response-type", Kind::List(Item::Choice(RESPONSE_TYPES)), "TYPE",
        "Response type that the client may use at the authorization endpoint (can be repeated)", RFC7591)
        .short('r').default(Default::List(&["code"])),
    row("scope", "scope", Kind::Words, "SCOPE",
        "Scope that the client may ask for (can be repeated)", RFC7591).short('a'),
    row("audience", "audience", Kind::List(Item::Text), "AUDIENCE",
        "Audience that the client may ask for (can be repeated)", HYDRA),
    row("owner", "owner", Kind::Text, "OWNER",
        "Owner of the client, such as an email address or a user's id", HYDRA),
    row("contacts", "contact", Kind::List(Item::Text), "CONTACT",
        "Way to reach someone responsible for the client, such as an email address (can be repeated)", RFC7591),
    row("metadata", "metadata", Kind::Json, "JSON",
        "Data of your own as a JSON object, kept with the client", HYDRA).default(Default::Object),
    row("token_endpoint_auth_method", "token-endpoint-auth-method",
        Kind::Choice(&["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]), "METHOD",
        "How the client authenticates at the token endpoint", RFC7591)
        .default(Default::Text("client_secret_basic")),
    row("token_endpoint_auth_signing_alg", "token-endpoint-auth-signing-alg", Kind::Choice(SIGNING_ALGS), "ALG",
        "Algorithm that the client signs its private_key_jwt assertions with", REGISTRATION),
    row("jwks", "jwks", Kind::Json, "JSON",
        "JSON Web Key Set with the client's public keys; excludes a JWKS URI", RFC7591),
    row("jwks_uri", "jwks-uri", Kind::Uri, "URI",
        "URI that the client's JSON Web Key Set is fetched from; excludes an inline JWKS", RFC7591),
    row("access_token_strategy", "access-token-strategy", Kind::Choice(&["opaque", "jwt"]), "STRATEGY",
        "Form of the client's access tokens, in place of the server's setting", HYDRA),
    switch("skip_consent", "skip-consent",
        "Whether to skip the consent screen for the client", HYDRA),
    switch("skip_logout_consent", "skip-logout-consent",
        "Whether to skip the logout consent screen for the client", HYDRA),
    row("allowed_cors_origins", "allowed-cors-origin", Kind::List(Item::Uri), "ORIGIN",
        "Origin (scheme://host[:port]) that may make CORS requests, where the server has CORS enabled (can be repeated)",
        HYDRA),
    row("client_uri", "client-uri", Kind::Uri, "URI",
        "Web page about the client", RFC7591),
    row("logo_uri", "logo-uri", Kind::Uri, "URI",
        "Logo of the client", RFC7591),
    row("policy_uri", "policy-uri", Kind::Uri, "URI",
        "Web page that says how the client's organization handles personal data", RFC7591),
    row("tos_uri", "tos-uri", Kind::Uri, "URI",
        "Web page with the client's terms of service", RFC7591),
    row("post_logout_redirect_uris", "post-logout-callback", Kind::List(Item::Uri), "URI",
        "URI that a browser may be sent to after a logout (can be repeated)", RP_LOGOUT),
    row("backchannel_logout_uri", "backchannel-logout-callback", Kind::Uri, "URI",
        "URI of the client that the server posts a Logout Token to", BACKCHANNEL),
    switch("backchannel_logout_session_required", "backchannel-logout-session-required",
        "Whether Logout Tokens must carry the session id (sid) claim", BACKCHANNEL),
    row("frontchannel_logout_uri", "frontchannel-logout-callback", Kind::Uri, "URI",
        "URI of the client that logs it out when shown in an iframe", FRONTCHANNEL),
    switch("frontchannel_logout_session_required", "frontchannel-logout-session-required",
        "Whether the front-channel logout URI must be given the issuer (iss) and session id (sid)", FRONTCHANNEL),
    row("subject_type", "subject-type", Kind::Choice(&["public", "pairwise"]), "TYPE",
        "Whether people have the same subject id for all clients (public) or one for each (pairwise)", REGISTRATION)
        .default(Default::Text("public")),
    row("sector_identifier_uri", "sector-identifier-uri", Kind::Uri, "URI",
        "HTTPS URI of a JSON list of redirect URIs, from which pairwise subject ids are computed", REGISTRATION),
    row("request_object_signing_alg", "request-object-signing-alg", Kind::Choice(REQUEST_OBJECT_ALGS), "ALG",
        "Algorithm that the client must sign its request objects with", REGISTRATION)
        .default(Default::Text("RS256")),
    row("request_uris", "request-uri", Kind::List(Item::Uri), "URI",
        "URI that a request object may be fetched from (can be repeated)", REGISTRATION),
    row("userinfo_signed_response_alg", "userinfo-signed-response-alg", Kind::Choice(&["none", "RS256"]), "ALG",
        "Algorithm that UserInfo responses are signed with; none gives plain JSON", REGISTRATION),
    lifespan("authorization_code_grant_access_token_lifespan", "authorization-code-grant-access-token-lifespan",
        "Lifespan of access tokens from the authorization code grant, such as 1h30m"),
    lifespan("authorization_code_grant_id_token_lifespan", "authorization-code-grant-id-token-lifespan",
        "Lifespan of ID tokens from the authorization code grant, such as 1h30m"),
    lifespan("authorization_code_grant_refresh_token_lifespan", "authorization-code-grant-refresh-token-lifespan",
        "Lifespan of refresh tokens from the authorization code grant, such as 720h"),
    lifespan("client_credentials_grant_access_token_lifespan", "client-credentials-grant-access-token-lifespan",
        "Lifespan of access tokens from the client credentials grant, such as 1h30m"),
    lifespan("implicit_grant_access_token_lifespan", "implicit-grant-access-token-lifespan",
        "Lifespan of access tokens from the implicit grant, such as 30m"),
    lifespan("implicit_grant_id_token_lifespan", "implicit-grant-id-token-lifespan",
        "Lifespan of ID tokens from the implicit grant, such as 30m"),
    lifespan("jwt_bearer_grant_access_token_lifespan", "jwt-bearer-grant-access-token-lifespan",
        "Lifespan of access tokens from the JWT bearer grant, such as 1h30m"),
    lifespan("refresh_token_grant_access_token_lifespan", "refresh-token-grant-access-token-lifespan",
        "Lifespan of access tokens from the refresh token grant, such as 1h30m"),
    lifespan("refresh_token_grant_id_token_lifespan", "refresh-token-grant-id-token-lifespan",
        "Lifespan of ID tokens from the refresh token grant, such as 1h30m"),
    lifespan("refresh_token_grant_refresh_token_lifespan", "refresh-token-grant-refresh-token-lifespan",
        "Lifespan of refresh tokens from the refresh token grant, such as 720h"),
    lifespan("device_authorization_grant_access_token_lifespan", "device-authorization-grant-access-token-lifespan",
        "Lifespan of access tokens from the device authorization grant, such as 1h30m"),
    lifespan("device_authorization_grant_id_token_lifespan", "device-authorization-grant-id-token-lifespan",
        "Lifespan of ID tokens from the device authorization grant, such as 1h30m"),
    lifespan("device_authorization_grant_refresh_token_lifespan", "device-authorization-grant-refresh-token-lifespan",
        "Lifespan of refresh tokens from the device authorization grant, such as 720h"),
    server("created_at", Kind::Time, "TIME", "Time at which the client was made", HYDRA),
    server("updated_at", Kind::Time, "TIME", "Time at which the client was last changed", HYDRA),
    server("client_secret_expires_at", Kind::Integer, "SECONDS", "Always 0: secrets do not expire", RFC7591),
    server("registration_access_token", Kind::Text, "TOKEN",
        "Token with which the client can manage itself", "RFC 7592 §3").secret(),
    server("registration_client_uri", Kind::Uri, "URI",
        "URI at which the client can manage itself", "RFC 7592 §3"),
];
