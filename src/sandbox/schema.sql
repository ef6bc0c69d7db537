-- Everything the sandbox keeps. Secrets and tokens are kept as hashes only.

CREATE TABLE IF NOT EXISTS settings (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS clients (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    -- When it was created; no update changes it.
    created TEXT NOT NULL,
    -- The document as a GET answers it.
    document TEXT NOT NULL,
    -- The hash of the secret, and a JSON list of those it replaced, newest first.
    secret TEXT NOT NULL,
    rotated TEXT NOT NULL DEFAULT '[]',
    -- The SHA-256 of the registration access token; null once it no longer counts.
    registration BLOB
);
CREATE INDEX IF NOT EXISTS clients_by_name ON clients (name, id);
CREATE INDEX IF NOT EXISTS clients_by_owner ON clients (owner, id);

CREATE TABLE IF NOT EXISTS tokens (
    -- The SHA-256 of the token.
    hash BLOB PRIMARY KEY,
    client TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    audience TEXT NOT NULL,
    -- Seconds since 1970.
    issued INTEGER NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tokens_by_client ON tokens (client);
