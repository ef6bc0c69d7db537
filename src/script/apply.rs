//! `clients::apply(rows, options)`: clients exist as maps describe them, as with the command.

use rhai::{Array, Dynamic, Map};

use crate::batch::apply::{self as applying, Doing};
use crate::batch::carry;
use crate::error::{Error, Kind, Position, Result};
use crate::model::client::{Client, ClientSpec};
use crate::model::input::Entry;
use crate::ops::apply::{self, How};
use crate::ops::recipients;
use crate::script::clients::spec_of_row;
use crate::script::engine::Context;
use crate::script::errors::as_map;
use crate::script::held::Held;
use crate::script::missing::named;
use crate::script::{recipients as recipient_options, value};

/// The options beside those that say whom secrets are for.
pub const OPTIONS: [&str; 4] = ["set", "set_secrets", "prune", "no_lint"];

/// `[#{client_id, action, fields, changes, client_secret}]`, in the order of the rows. All rows are checked before anything is
/// sent.
///
/// Of one for which it did not go well: `#{client_id, action: "failed", error}`. Errors: a row is wrong, or has no `client_id`.
pub fn apply(context: &Context, rows: &Array, options: &Map) -> Result<Array> {
    let session = &context.session();
    let wanted = recipient_options::wanted(context, options, "clients::apply", &OPTIONS)?;
    let found = recipients::load_with_material(session, &wanted)?;
    let set = options.get("set").map(|set| set.clone().into_string());
    let how = How {
        no_lint: value::switch(options, "no_lint")?,
        recipients: found.iter().map(|(recipient, _)| recipient.clone()).collect(),
        set: set.transpose().map_err(|kind| Error::usage(format!("option `set` wants text, not {}", named(kind))))?,
        set_secrets: value::switch(options, "set_secrets")?,
        prune: value::switch(options, "prune")?,
    };
    if how.prune && how.set.as_deref().is_none_or(str::is_empty) {
        return Err(Error::usage("option `prune` goes with `set`, which names what is pruned"));
    }
    let entries = rows.iter().enumerate().map(|(at, row)| entry(at + 1, row)).collect::<Result<Vec<_>>>()?;
    let is_dry = session.dry_run().is_some();
    if !is_dry {
        carry::tell_older(session, "apply")?;
    }
    let plan = apply::plan(session, entries, &how)?;
    recipients::tell(session, &how.recipients);
    let rows = if is_dry {
        applying::rehearse(session, plan)
    } else {
        applying::confirm(session, &plan, false)?;
        applying::carry_out(session, plan, Doing { no_lint: how.no_lint, recipients: found })
    };
    let mut told = Array::new();
    for (id, row) in rows {
        match row {
            Ok(row) => {
                let body = row.body.seen(|document| session.seen(document, true));
                told.push(value::map_of(&body));
                if let Some(pending) = row.pending {
                    context.hold(Held::pending(pending));
                }
            }
            Err(error) if error.is_told() => {}
            Err(error) if error.kind() == Kind::Interrupted => return Err(error),
            Err(error) => {
                let mut failed = Map::new();
                failed.insert("client_id".into(), id.map_or(Dynamic::UNIT, |id| id.as_str().to_owned().into()));
                failed.insert("action".into(), "failed".into());
                failed.insert("error".into(), as_map(&error).into());
                told.push(failed.into());
            }
        }
    }
    Ok(told)
}

fn entry(number: usize, row: &Dynamic) -> Result<Entry> {
    let place = format!("row {number}");
    let spec = || -> Result<ClientSpec> {
        if let Some(client) = row.read_lock::<Client>() {
            return Ok(client.to_spec());
        }
        spec_of_row(row)
    };
    let spec = spec().map_err(|error| error.about(&place))?;
    Ok(Entry { spec, left_out: Vec::new(), at: Position { line: number, column: 1 }, place })
}
