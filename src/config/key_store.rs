//! The key store of the user's desktop: the Secret Service of freedesktop.org, by D-Bus.

#[cfg(feature = "key-store")]
mod secret_service;

#[cfg(feature = "key-store")]
pub use self::secret_service::{forget, keep, of_profile};

#[cfg(not(feature = "key-store"))]
pub use self::left_out::{forget, keep, of_profile};

use crate::error::Error;

/// What to do without one; nothing is done instead.
fn absent(why: &str) -> Error {
    Error::denied(format!("there is no key store here: {why}"))
        .hint("keep the key in a file that you alone can read: orysh auth key set --in file")
        .hint("or name a variable of the environment: orysh profile add NAME --credential env:NAME")
}

#[cfg(not(feature = "key-store"))]
mod left_out {
    use super::absent;
    use crate::config::credentials::{Found, Tell};
    use crate::error::{Error, Result};
    use crate::secret::Secret;

    fn refused() -> Error {
        absent("this program was built without")
    }

    /// Refused.
    pub async fn of_profile(_name: &str, _origin: &str, _tell: Tell<'_>) -> Result<Found> {
        Err(refused())
    }

    /// Refused.
    pub async fn keep(_label: &str, _name: &str, _origin: &str, _key: &Secret, _tell: Tell<'_>) -> Result<()> {
        Err(refused())
    }

    /// Refused.
    pub async fn forget(_name: &str, _tell: Tell<'_>) -> Result<bool> {
        Err(refused())
    }
}
