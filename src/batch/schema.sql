PRAGMA user_version = 3;

CREATE TABLE run (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- How far each row is. Kept apart from what it asks for, so that it stays small.
CREATE TABLE row (
    n INTEGER PRIMARY KEY,
    line INTEGER NOT NULL,
    id TEXT NOT NULL,
    -- Whether the row names its id itself.
    given INTEGER NOT NULL,
    state INTEGER NOT NULL,
    -- Whom its secret is for.
    keys INTEGER REFERENCES keys (id),
    -- When the id was looked up and was free, by the server's clock.
    absent INTEGER,
    -- What the client was before it was changed, or when it was changed last before it was rotated; of one that was to be made
    -- `disputed`, where it may be ours after all.
    before TEXT,
    -- When the client was changed last as the row was planned: it is not sent where another came between.
    planned TEXT,
    -- When the client was changed last as the row was done.
    made TEXT,
    -- The secret, encrypted for its owners.
    secret TEXT,
    -- Who has heard of it and who has not, a line a hook, where not everybody has.
    heard TEXT,
    error TEXT
);

-- Two rows of one id are found by this, however many there are.
CREATE UNIQUE INDEX given_ids ON row (id) WHERE given;

-- What each row asks for, without its secret, which is sealed with the run's key where the row gave one.
CREATE TABLE asked (n INTEGER PRIMARY KEY, body TEXT NOT NULL, sealed BLOB);

-- Keys of OpenPGP that secrets are encrypted for: each once.
CREATE TABLE keys (id INTEGER PRIMARY KEY, source TEXT NOT NULL UNIQUE, material TEXT NOT NULL, expires INTEGER);
