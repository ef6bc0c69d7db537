//! The client document's fields as the server knows them, in the order it writes them.
//!
//! A list of its own: what checks the rest of the program may not be built from the same table.

/// What type a field has on the server; it decides what is refused and how nothing is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Type {
    /// A string, written even when it is empty.
    Text,
    /// A string, left out when it is empty.
    OptionalText,
    /// A list of strings; one that was not sent is `null` in the answer that set it.
    List,
    /// A list of strings that the server fills in with an empty one.
    FilledList,
    /// A list of strings, left out when it is empty.
    OptionalList,
    /// A boolean, written even when it is false.
    Bool,
    /// A boolean, left out when it is false.
    OptionalBool,
    /// A boolean or null.
    NullableBool,
    /// A whole number.
    Integer,
    /// A time of RFC 3339.
    Time,
    /// A JSON Web Key Set (RFC 7517 §5).
    Keys,
    /// Any JSON.
    Json,
    /// A duration in Go's notation, or null.
    Duration,
}

/// One field: its JSON name and its type.
pub struct Field {
    /// The name in JSON; it is matched in any case.
    pub name: &'static str,
    /// The type.
    pub kind: Type,
}

const fn field(name: &'static str, kind: Type) -> Field {
    Field { name, kind }
}

/// Every field, in the order of the server's answers.
pub const FIELDS: &[Field] = &[
    field("client_id", Type::Text),
    field("client_name", Type::Text),
    field("client_secret", Type::OptionalText),
    field("redirect_uris", Type::List),
    field("grant_types", Type::List),
    field("response_types", Type::List),
    field("scope", Type::Text),
    field("audience", Type::FilledList),
    field("owner", Type::Text),
    field("policy_uri", Type::Text),
    field("allowed_cors_origins", Type::FilledList),
    field("tos_uri", Type::Text),
    field("client_uri", Type::Text),
    field("logo_uri", Type::Text),
    field("contacts", Type::List),
    field("client_secret_expires_at", Type::Integer),
    field("subject_type", Type::Text),
    field("sector_identifier_uri", Type::OptionalText),
    field("jwks_uri", Type::OptionalText),
    field("jwks", Type::Keys),
    field("token_endpoint_auth_method", Type::OptionalText),
    field("token_endpoint_auth_signing_alg", Type::OptionalText),
    field("request_uris", Type::OptionalList),
    field("request_object_signing_alg", Type::OptionalText),
    field("userinfo_signed_response_alg", Type::OptionalText),
    field("created_at", Type::Time),
    field("updated_at", Type::Time),
    field("frontchannel_logout_uri", Type::OptionalText),
    field("frontchannel_logout_session_required", Type::OptionalBool),
    field("post_logout_redirect_uris", Type::OptionalList),
    field("backchannel_logout_uri", Type::OptionalText),
    field("backchannel_logout_session_required", Type::OptionalBool),
    field("metadata", Type::Json),
    field("registration_access_token", Type::OptionalText),
    field("registration_client_uri", Type::OptionalText),
    field("access_token_strategy", Type::OptionalText),
    field("skip_consent", Type::Bool),
    field("skip_logout_consent", Type::NullableBool),
    field("authorization_code_grant_access_token_lifespan", Type::Duration),
    field("authorization_code_grant_id_token_lifespan", Type::Duration),
    field("authorization_code_grant_refresh_token_lifespan", Type::Duration),
    field("client_credentials_grant_access_token_lifespan", Type::Duration),
    field("implicit_grant_access_token_lifespan", Type::Duration),
    field("implicit_grant_id_token_lifespan", Type::Duration),
    field("jwt_bearer_grant_access_token_lifespan", Type::Duration),
    field("refresh_token_grant_id_token_lifespan", Type::Duration),
    field("refresh_token_grant_access_token_lifespan", Type::Duration),
    field("refresh_token_grant_refresh_token_lifespan", Type::Duration),
    field("device_authorization_grant_id_token_lifespan", Type::Duration),
    field("device_authorization_grant_access_token_lifespan", Type::Duration),
    field("device_authorization_grant_refresh_token_lifespan", Type::Duration),
];

/// The field of that name, in any case of its letters.
pub fn find(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_description_names_the_same_fields() {
        let text = include_str!("../../tests/data/openapi-admin-clients.json");
        let api: serde_json::Value = serde_json::from_str(text).unwrap();
        let described = api["components"]["schemas"]["oAuth2Client"]["properties"].as_object().unwrap();
        for name in described.keys() {
            assert!(find(name).is_some(), "{name} is missing");
        }
        for field in FIELDS {
            assert!(described.contains_key(field.name), "{} is not described", field.name);
        }
    }
}
