//! Access tokens: kept as digests, and gone with their client.

use rusqlite::{OptionalExtension as _, params};

use super::Store;

/// What is known of an access token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Token {
    /// The client it was issued to.
    pub client: String,
    /// The scopes, separated by spaces.
    pub scope: String,
    /// The audiences, as a JSON list.
    pub audience: String,
    /// When it was issued, in seconds since 1970.
    pub issued: i64,
    /// When it stops to count, in seconds since 1970.
    pub expires: i64,
}

impl Store {
    /// Keeps a token under its digest. False if its client is gone.
    pub fn issue(&self, digest: &[u8], token: &Token) -> rusqlite::Result<bool> {
        self.write(|transaction| {
            let kept = transaction
                .prepare_cached(
                    "INSERT INTO tokens (hash, client, scope, audience, issued, expires)
                     SELECT ?1, id, ?3, ?4, ?5, ?6 FROM clients WHERE id = ?2",
                )?
                .execute(params![digest, token.client, token.scope, token.audience, token.issued, token.expires])?;
            Ok(kept == 1)
        })
    }

    /// The token of that digest, unless it has expired by `now` (seconds since 1970).
    pub fn token(&self, digest: &[u8], now: i64) -> rusqlite::Result<Option<Token>> {
        self.lock()
            .prepare_cached(
                "SELECT client, scope, audience, issued, expires FROM tokens WHERE hash = ?1 AND expires > ?2",
            )?
            .query_row(params![digest, now], |row| {
                Ok(Token {
                    client: row.get(0)?,
                    scope: row.get(1)?,
                    audience: row.get(2)?,
                    issued: row.get(3)?,
                    expires: row.get(4)?,
                })
            })
            .optional()
    }

    /// Ends a token if it is this client's.
    pub fn revoke(&self, digest: &[u8], client: &str) -> rusqlite::Result<()> {
        self.write(|transaction| {
            transaction
                .prepare_cached("DELETE FROM tokens WHERE hash = ?1 AND client = ?2")?
                .execute(params![digest, client])?;
            Ok(())
        })
    }

    /// Ends every token of a client.
    pub fn revoke_all(&self, client: &str) -> rusqlite::Result<()> {
        self.write(|transaction| {
            transaction.prepare_cached("DELETE FROM tokens WHERE client = ?1")?.execute([client])?;
            Ok(())
        })
    }
}
