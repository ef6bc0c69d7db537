//! What a plugin has to be granted to call a function of the API: without it the function is refused before it begins. Where it
//! depends on what it is called with (a file, a host, a variable), the function asks itself.

use crate::error::{Error, Result};
use crate::session::grant::{Grant, Op};

/// Errors: what has to be granted and was not.
pub type Need = fn(&Grant) -> Result<()>;

/// By module, functions, and what they need.
const NEEDS: &[(&str, &[&str], Need)] = &[
    ("clients", &["get", "find", "list"], |grant| grant.client_op(Op::Read)),
    ("clients", &["create", "create_all"], |grant| grant.client_op(Op::Create)),
    ("clients", &["update", "replace"], |grant| grant.client_op(Op::Update)),
    ("clients", &["apply"], |grant| {
        [Op::Read, Op::Create, Op::Update].into_iter().try_for_each(|op| grant.client_op(op))
    }),
    ("clients", &["delete"], |grant| grant.client_op(Op::Delete)),
    ("clients", &["rotate_secret", "drop_old_secrets"], |grant| grant.client_op(Op::Rotate)),
    ("tokens", &["client_credentials", "introspect", "revoke", "test"], Grant::token),
    ("ui", &["confirm", "prompt", "password", "select"], Grant::prompt),
    ("session", &["with_project", "with_profile", "agree"], |grant| {
        Err(Error::failed(format!("plugin `{}` acts where the command acts, as far as it was granted", grant.plugin)))
    }),
];

/// What a function needs, if anything.
pub fn of(module: &str, name: &str) -> Option<Need> {
    NEEDS.iter().find(|(of, names, _)| *of == module && names.contains(&name)).map(|(_, _, need)| *need)
}
