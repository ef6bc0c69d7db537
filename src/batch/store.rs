//! What the journal holds, in terms of rows: every question and every change, in one place.

use std::collections::{BTreeMap, HashSet};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use super::key::RunKey;
use super::state::State;
use crate::session::hook::Past;

/// What the run is, by name.
pub type Facts = BTreeMap<String, String>;

/// A row that was checked.
#[derive(Debug)]
pub struct New {
    /// Its number.
    pub n: u64,
    /// The line that it begins on.
    pub line: usize,
    /// Its id: its own, or one that was chosen for it.
    pub id: String,
    /// Whether it is its own.
    pub given: bool,
    /// What it asks for, without its secret, as JSON.
    pub body: String,
    /// The secret that it gave, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Whom the secret is for.
    pub keys: Option<i64>,
    /// When its client was changed last as it was planned.
    pub planned: Option<String>,
}

/// A row that is due.
#[derive(Debug)]
pub struct Due {
    /// Its number.
    pub n: u64,
    /// Its id.
    pub id: String,
    /// Whether it is its own.
    pub given: bool,
    /// How far it was when it was read.
    pub state: State,
    /// When its id was looked up and was free.
    pub absent: Option<i64>,
    /// What its client was before.
    pub before: Option<String>,
    /// When its client was changed last as it was planned.
    pub planned: Option<String>,
    /// The same, as it was done.
    pub made: Option<String>,
    /// Its secret, encrypted for its owners.
    pub secret: Option<String>,
    /// Who has heard of it, and who has not.
    pub past: Past,
    /// What it asks for.
    pub body: String,
    /// The secret that it gave, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Whom the secret is for.
    pub keys: Option<i64>,
}

/// A row as results tell it.
#[derive(Debug)]
pub struct Told {
    /// Its number.
    pub n: u64,
    /// The line that it begins on.
    pub line: usize,
    /// How far it is.
    pub state: State,
    /// Its id.
    pub id: String,
    /// Whether it named that itself.
    pub given: bool,
    /// What its client was before.
    pub before: Option<String>,
    /// When it was changed last as the row was done.
    pub made: Option<String>,
    /// Its secret, encrypted for its owners.
    pub secret: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
    /// What it asks for; absent for one that was passed over.
    pub body: Option<String>,
    /// The secret that it gave, sealed.
    pub sealed: Option<Vec<u8>>,
}

impl Told {
    /// Whether the row's client has its secret, or may have it.
    pub fn may_have_secret(&self) -> bool {
        match self.state {
            State::Sent | State::Unproven => true,
            State::Conflict => self.before.as_deref() == Some("disputed"),
            state => state.is_made(),
        }
    }
}

/// How many rows are how far.
pub type Counts = BTreeMap<&'static str, u64>;

/// Sets facts.
pub fn set_facts(connection: &Connection, facts: &Facts) -> rusqlite::Result<()> {
    let mut statement = connection
        .prepare_cached("INSERT INTO run (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2")?;
    for (name, value) in facts {
        statement.execute(params![name, value])?;
    }
    Ok(())
}

/// All facts.
pub fn facts(connection: &Connection) -> rusqlite::Result<Facts> {
    let mut statement = connection.prepare_cached("SELECT name, value FROM run")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Adds rows. Gives those whose id another row has, each with the number of that.
pub fn add(connection: &Connection, rows: Vec<New>) -> rusqlite::Result<Vec<(New, u64)>> {
    let mut row = connection.prepare_cached(
        "INSERT OR IGNORE INTO row (n, line, id, given, state, keys, planned) VALUES (?, ?, ?, ?, 0, ?, ?)",
    )?;
    let mut asked = connection.prepare_cached("INSERT INTO asked (n, body, sealed) VALUES (?, ?, ?)")?;
    let mut first = connection.prepare_cached("SELECT n FROM row WHERE id = ? AND given")?;
    let mut twice = Vec::new();
    for new in rows {
        if row.execute(params![number(new.n), number(new.line as u64), new.id, new.given, new.keys, new.planned])? == 0
        {
            let other = first.query_row([&new.id], |row| row.get(0)).map(unsigned)?;
            twice.push((new, other));
            continue;
        }
        asked.execute(params![number(new.n), new.body, new.sealed])?;
    }
    Ok(twice)
}

/// Notes rows that are passed over: number, line, why.
pub fn skip(connection: &Connection, rows: Vec<(u64, usize, String)>) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare_cached("INSERT INTO row (n, line, id, given, state, error) VALUES (?, ?, '', 0, ?, ?)")?;
    for (n, line, error) in rows {
        statement.execute(params![number(n), number(line as u64), State::Skipped as i64, error])?;
    }
    Ok(())
}

/// The number of the keys that came from a source, if they are there.
pub fn keys_of(connection: &Connection, source: &str) -> rusqlite::Result<Option<i64>> {
    connection.prepare_cached("SELECT id FROM keys WHERE source = ?")?.query_row([source], |row| row.get(0)).optional()
}

/// Keeps keys with the source that they came from, and when the first of them ends. Gives their number.
pub fn keep_keys(connection: &Connection, source: &str, material: &str, expires: Option<i64>) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("INSERT INTO keys (source, material, expires) VALUES (?, ?, ?)")?
        .execute(params![source, material, expires])?;
    Ok(connection.last_insert_rowid())
}

/// The keys of that number.
pub fn keys(connection: &Connection, id: i64) -> rusqlite::Result<String> {
    connection.prepare_cached("SELECT material FROM keys WHERE id = ?")?.query_row([id], |row| row.get(0))
}

/// The first row whose key ends before a time: its number, its line, and when that is.
pub fn expiring(connection: &Connection, before: i64) -> rusqlite::Result<Option<(u64, u64, i64)>> {
    connection
        .prepare_cached(
            "SELECT n, line, expires FROM row JOIN keys ON keys.id = row.keys WHERE expires < ? AND state < 2 ORDER BY n",
        )?
        .query_row([before], |row| Ok((unsigned(row.get(0)?), unsigned(row.get(1)?), row.get(2)?)))
        .optional()
}

/// The next rows that are due after that one. Those that `begins` says so of are noted as sent, as they are from here on.
pub fn due(
    connection: &Connection,
    after: u64,
    limit: usize,
    begins: impl Fn(&Due) -> bool,
) -> rusqlite::Result<Vec<Due>> {
    let mut statement = connection.prepare_cached(
        // The numbers of State::DUE.
        "SELECT n, id, given, state, absent, body, sealed, keys, before, secret, planned, made, heard FROM row JOIN asked USING (n)
         WHERE n > ? AND state IN (0, 1, 8) ORDER BY n LIMIT ?",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        let state: i64 = row.get(3)?;
        Ok(Due {
            n: unsigned(row.get(0)?),
            id: row.get(1)?,
            given: row.get(2)?,
            state: State::of(state).unwrap_or(State::Sent),
            absent: row.get(4)?,
            body: row.get(5)?,
            sealed: row.get(6)?,
            keys: row.get(7)?,
            before: row.get(8)?,
            secret: row.get(9)?,
            planned: row.get(10)?,
            made: row.get(11)?,
            past: row.get::<_, Option<String>>(12)?.map(|text| Past::from_lines(&text)).unwrap_or_default(),
        })
    };
    let rows: Vec<Due> =
        statement.query_map(params![number(after), number(limit as u64)], read)?.collect::<rusqlite::Result<_>>()?;
    let mut sent = connection.prepare_cached("UPDATE row SET state = 1 WHERE n = ?")?;
    for row in rows.iter().filter(|row| row.state == State::Planned && begins(row)) {
        sent.execute([number(row.n)])?;
    }
    Ok(rows)
}

/// Notes that a row's id was looked up and was free at a time, and that it is sent from here on.
pub fn looked_up(connection: &Connection, n: u64, absent: Option<i64>) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE row SET state = 1, absent = ? WHERE n = ?")?
        .execute(params![absent, number(n)])
        .map(drop)
}

/// Notes what a row's client was before, and that it is sent from here on.
pub fn begun(connection: &Connection, n: u64, before: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE row SET state = 1, before = ? WHERE n = ?")?
        .execute(params![before, number(n)])
        .map(drop)
}

/// Keeps a secret that a row got, sealed.
pub fn keep_secret(connection: &Connection, n: u64, sealed: &[u8]) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE asked SET sealed = ? WHERE n = ?")?.execute(params![sealed, number(n)]).map(drop)
}

/// Whether a row got a secret that is encrypted for nobody.
pub fn has_sealed(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            // The numbers of State::MADE.
            "SELECT EXISTS (SELECT 1 FROM row JOIN asked USING (n) WHERE state IN (2, 8, 9) AND secret IS NULL AND sealed IS NOT NULL)",
        )?
        .query_row([], |row| row.get(0))
}

/// Notes that rows were not sent after all.
pub fn unsent(connection: &Connection, rows: &[u64]) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare_cached("UPDATE row SET state = 0 WHERE n = ? AND state = 1 AND before IS NULL")?;
    rows.iter().try_for_each(|n| statement.execute([number(*n)]).map(drop))
}

/// What a row came to.
#[derive(Debug)]
pub struct End {
    /// How far it is.
    pub state: State,
    /// Its secret, encrypted for its owners.
    pub secret: Option<String>,
    /// When its client was changed last.
    pub made: Option<String>,
    /// Whether a client that another seems to have may be ours.
    pub is_disputed: bool,
    /// What went wrong.
    pub error: Option<String>,
}

/// Notes what a row came to.
pub fn end(connection: &Connection, n: u64, end: &End) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE row SET state = ?, secret = ?, made = ?, error = ?, before = iif(?, 'disputed', before) WHERE n = ?")?
        .execute(params![end.state as i64, end.secret, end.made, end.error, end.is_disputed, number(n)])
        .map(drop)
}

/// Notes what became of handing a row's client over, and who has heard of it where others have not.
pub fn delivered(
    connection: &Connection,
    n: u64,
    state: State,
    past: &Past,
    error: Option<&str>,
) -> rusqlite::Result<()> {
    let heard = Some(past.to_lines()).filter(|lines| !lines.is_empty());
    connection
        .prepare_cached("UPDATE row SET state = ?, error = ?, heard = ? WHERE n = ?")?
        .execute(params![state as i64, error, heard, number(n)])
        .map(drop)
}

/// Notes who has heard of a row's client, where others have not yet.
pub fn heard(connection: &Connection, n: u64, past: &Past) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE row SET heard = ? WHERE n = ?")?
        .execute(params![past.to_lines(), number(n)])
        .map(drop)
}

/// Makes clients due to be handed over again for which that failed.
pub fn deliver_again(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE row SET state = ?, error = NULL WHERE state = ?")?
        .execute([State::Undelivered as i64, State::DeliveryFailed as i64])
        .map(drop)
}

/// Makes rows that failed due again, and those to be settled again of which it could not be told whose they are.
pub fn again(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("UPDATE row SET state = ?, error = NULL WHERE state = ?")?;
    statement.execute([State::Planned as i64, State::Failed as i64])?;
    statement.execute([State::Sent as i64, State::Unproven as i64]).map(drop)
}

/// How many rows are how far.
pub fn counts(connection: &Connection) -> rusqlite::Result<Counts> {
    // One look at each row: to group them would take memory for all of them.
    let sums: Vec<String> = State::ALL.iter().map(|state| format!("total(state = {})", *state as i64)).collect();
    let mut statement = connection.prepare_cached(&format!("SELECT {} FROM row", sums.join(", ")))?;
    statement.query_row([], |row| {
        let mut counts = Counts::new();
        for (at, state) in State::ALL.into_iter().enumerate() {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a count")]
            let count = row.get::<_, f64>(at)? as u64;
            if count > 0 {
                counts.insert(state.name(), count);
            }
        }
        Ok(counts)
    })
}

/// What tells rows from others.
#[derive(Debug, Default)]
pub struct Wishes {
    /// By their ids where they name one, and what they ask for, secrets too.
    pub rows: HashSet<[u8; 32]>,
    /// By the names of their clients, where they have one, and whether they name their ids.
    pub names: HashSet<(bool, String)>,
    /// Whether there are some whose own secrets nobody can read any more.
    pub is_vague: bool,
}

/// Which rows of a run.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Which {
    All,
    /// Those whose clients may be there.
    There,
    /// Those of them that leave their ids to us: others cannot be made twice.
    Ours,
}

/// What rows ask for. `key`: that of the run, by which the secrets that rows gave are told from others; rows that gave one are told
/// by their names alone without it.
pub fn wishes(connection: &Connection, key: Option<&RunKey>, which: Which) -> rusqlite::Result<Wishes> {
    let mut statement = connection.prepare(
        "SELECT state, iif(given, id, ''), body, body ->> 'client_name', n, sealed FROM row JOIN asked USING (n)",
    )?;
    let mut rows = statement.query([])?;
    let mut wishes = Wishes::default();
    while let Some(row) = rows.next()? {
        let Some(state) = State::of(row.get(0)?) else { continue };
        let is_there = state.is_made() || matches!(state, State::Sent | State::Unproven);
        if which != Which::All && !is_there {
            continue;
        }
        let (id, body, name): (String, String, Option<String>) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let (n, sealed): (i64, Option<Vec<u8>>) = (row.get(4)?, row.get(5)?);
        if which == Which::Ours && !id.is_empty() {
            continue;
        }
        let mut digest = Sha256::new_with_prefix(format!("{id} {body}"));
        // What differs in a secret alone is something else.
        let secret = sealed.map(|sealed| key.and_then(|key| key.open(unsigned(n), &sealed).ok()));
        if let Some(Some(secret)) = &secret {
            digest.update(secret.expose());
        }
        if secret.is_none_or(|secret| secret.is_some()) {
            wishes.rows.insert(digest.finalize().into());
        } else {
            wishes.is_vague = true;
        }
        // One that names its id is none of those that leave that to us.
        let is_named = !id.is_empty();
        wishes.names.extend(name.filter(|name| !name.is_empty()).map(|name| (is_named, name)));
    }
    Ok(wishes)
}

/// The commonest errors: what, how often, and the first row.
pub fn errors(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<(String, u64, u64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT error, count(*), min(n) FROM row WHERE error IS NOT NULL GROUP BY error ORDER BY 2 DESC, 3 LIMIT ?",
    )?;
    statement
        .query_map([number(limit as u64)], |row| Ok((row.get(0)?, unsigned(row.get(1)?), unsigned(row.get(2)?))))?
        .collect()
}

/// The next rows after that one as results tell them.
pub fn told(connection: &Connection, after: u64, limit: usize) -> rusqlite::Result<Vec<Told>> {
    let mut statement = connection.prepare_cached(
        "SELECT n, line, state, id, secret, error, body, sealed, given, before, made FROM row LEFT JOIN asked USING (n)
         WHERE n > ? ORDER BY n LIMIT ?",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        let (line, state): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok(Told {
            n: unsigned(row.get(0)?),
            line: usize::try_from(line).unwrap_or_default(),
            state: State::of(state).unwrap_or(State::Sent),
            id: row.get(3)?,
            secret: row.get(4)?,
            error: row.get(5)?,
            body: row.get(6)?,
            sealed: row.get(7)?,
            given: row.get(8)?,
            before: row.get(9)?,
            made: row.get(10)?,
        })
    };
    statement.query_map(params![number(after), number(limit as u64)], read)?.collect()
}

/// SQLite's integers have a sign.
fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

/// A time as the journal has it: seconds since 1970.
pub fn seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_questions_name_the_states_that_are_meant() {
        assert_eq!(State::DUE.map(|state| state as i64), [0, 1, 8]);
        assert_eq!(State::MADE.map(|state| state as i64), [2, 8, 9]);
    }
}
