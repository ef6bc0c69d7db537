//! What every kind of rows can do that a `for` fetches one at a time.

use rhai::{Array, Dynamic, Engine, FnPtr, NativeCallContext as Call, Variant};

use crate::script::asking::Asked;
use crate::script::errors::ScriptResult;
use crate::script::value::within_budget;

/// Rows that are fetched as they are gone through.
pub trait Fetched: Variant + Clone {
    /// As scripts call the type.
    const NAME: &'static str;

    /// As it is shown.
    fn shown(&self) -> String;

    /// The rows, from the first on.
    fn rows(&self) -> impl Iterator<Item = ScriptResult<Dynamic>>;
}

/// All of them. Errors: they take more than a script may.
pub fn all(rows: impl Iterator<Item = ScriptResult<Dynamic>>) -> ScriptResult<Array> {
    rows.map(|row| within_budget().and(row)).collect()
}

/// Makes a type something that `for` goes through, and `map`, `filter` and `to_array`.
pub fn register<T>(engine: &mut Engine)
where
    T: Fetched + IntoIterator<Item = ScriptResult<Dynamic>>,
{
    engine
        .register_type_with_name::<T>(T::NAME)
        .register_fn("to_string", |rows: &mut T| rows.shown())
        .register_fn("to_debug", |rows: &mut T| rows.shown())
        .register_fn("to_array", |rows: &mut T| all(rows.rows()))
        .register_fn("map", |call: Call<'_>, rows: &mut T, closure: FnPtr| {
            let of = |row: ScriptResult<Dynamic>| closure.call_within_context::<Dynamic>(&call, (row?,));
            rows.rows().map(of).collect::<ScriptResult<Array>>()
        })
        .register_fn("filter", |call: Call<'_>, rows: &mut T, closure: FnPtr| {
            let (mut kept, mut asked) = (Array::new(), Asked::of(&call, &closure));
            for (at, row) in rows.rows().enumerate() {
                let mut row = row?;
                if asked.about(&mut row, at)? {
                    kept.push(row);
                }
            }
            ScriptResult::Ok(kept)
        });
    // What is chosen of them is a list already.
    engine.register_fn("to_array", |list: &mut Array| list.clone());
    engine.register_iterator_result::<T, Dynamic>();
}
