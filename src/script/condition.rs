//! A condition over clients: a Rhai expression in which `c` is the client.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use rhai::{AST, Dynamic, Engine, Scope};

use crate::error::{Error, Result};
use crate::grammar::Host;
use crate::model::client::Client;
use crate::script::ending;
use crate::script::engine::{Context, looking_only};
use crate::script::errors::{Source, settled};
use crate::script::limits::{self, Bounds};
use crate::script::missing::named;
use crate::script::unreadable;
use crate::session::interrupt::Interrupt;
use crate::session::stack::STACK_BYTES;

/// How long an answer is waited for before an interruption is looked for.
const PATIENCE: Duration = Duration::from_millis(100);

/// What errors call it.
const NAME: &str = "--where";

/// A condition, ready to be asked about one client after the other. It runs on a thread with a big stack of its own,
/// and an interruption ends it like any script.
pub struct Condition {
    ask: SyncSender<(Client, Bounds)>,
    answer: Receiver<Result<bool>>,
    interrupt: Interrupt,
}

impl Condition {
    /// Reads an expression. Errors: it is none, with its position.
    pub fn parse(host: &Host, text: &str) -> Result<Self> {
        let context = Context::new(host.clone());
        // One that a plugin asks has no more memory than that.
        let is_of_plugin = host.session.grant().is_some();
        let context = if is_of_plugin { context.with_memory(limits::MOST_MEMORY) } else { context };
        let mut engine = looking_only(&context);
        // What one client has in its metadata, another has not.
        engine.set_fail_on_invalid_map_property(false);
        // Not a constant, which would be put into the expression as it is compiled.
        let mut scope = Scope::new();
        scope.push("c", ());
        let ast = engine
            .compile_expression_with_scope(&scope, text)
            .map_err(|error| unreadable::unreadable(&error, Source { name: NAME, text }))?;
        let (ask, asked) = sync_channel::<(Client, Bounds)>(0);
        let (tell, answer) = sync_channel(0);
        thread::Builder::new()
            .name("where".into())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                for (client, bounds) in asked {
                    // Nobody listens any more: there is no one left to tell.
                    if tell.send(bounds.within(|| evaluate(&engine, &ast, client))).is_err() {
                        return;
                    }
                }
            })
            .map_err(|source| Error::failed("cannot start a thread for the condition").caused_by(source))?;
        Ok(Condition { ask, answer, interrupt: host.session.interrupt().clone() })
    }

    /// Whether it holds for a client. Errors name the client: what Rhai says, or a value that is neither true nor false.
    pub fn holds(&self, client: &Client) -> Result<bool> {
        let gone = || Error::failed("the condition's thread broke down");
        self.ask.send((client.clone(), limits::bounds())).map_err(|_| gone())?;
        let answer = loop {
            match self.answer.recv_timeout(PATIENCE) {
                Ok(answer) => break answer,
                Err(RecvTimeoutError::Timeout) if self.interrupt.has_arrived() => return Err(Error::interrupted()),
                Err(RecvTimeoutError::Timeout) if limits::is_over() => {
                    return Err(Error::failed("the condition takes longer than it may"));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
            }
        };
        answer.map_err(|error| error.about(format!("client `{}`", client.id())))
    }
}

fn evaluate(engine: &Engine, ast: &AST, client: Client) -> Result<bool> {
    let mut scope = Scope::new();
    scope.push("c", client);
    let ended = ending::to_its_end(|| engine.eval_ast_with_scope::<Dynamic>(&mut scope, ast));
    let value = settled(ended, Source { name: NAME, text: "" })?;
    let kind = named(value.type_name());
    value.as_bool().map_err(|_| {
        Error::failed(format!("{NAME} is {kind} there, neither true nor false"))
            .hint("compare with ==, or ask with .contains(…)")
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;
    use crate::commands;
    use crate::commands::sandbox::starter;
    use crate::session::Session;
    use crate::session::handle::Settings;
    use crate::ui::Ui;

    #[test]
    fn a_condition_ends_with_the_call_that_asks_it() {
        let session = Session::new(Ui::default(), Settings::default(), 0, starter());
        let host = Host { session, registry: Arc::new(commands::registry()) };
        let deep = (0..9).fold("true".to_owned(), |inner, n| format!("[0,1,2,3,4,5,6,7,8,9].all(|x{n}| {inner})"));
        let condition = Condition::parse(&host, &deep).unwrap();
        let began = Instant::now();
        let answer = limits::within(Duration::from_millis(300), true, || condition.holds(&Client::default()));
        assert!(answer.unwrap_err().full_message().contains("longer than it may"));
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        let fine = Condition::parse(&host, "1 < 2").unwrap();
        assert!(limits::within(Duration::from_secs(5), true, || fine.holds(&Client::default())).unwrap());
    }
}
