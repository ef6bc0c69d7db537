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
use crate::script::errors::{self, Source, named, settled};
use crate::session::hook::STACK_BYTES;
use crate::session::interrupt::Interrupt;

/// How long an answer is waited for before an interruption is looked for.
const PATIENCE: Duration = Duration::from_millis(100);

/// What errors call it.
const NAME: &str = "--where";

/// A condition, ready to be asked about one client after the other. It runs on a thread with a big stack of its own,
/// and an interruption ends it like any script.
pub struct Condition {
    ask: SyncSender<Client>,
    answer: Receiver<Result<bool>>,
    interrupt: Interrupt,
}

impl Condition {
    /// Reads an expression. Errors: it is none, with its position.
    pub fn parse(host: &Host, text: &str) -> Result<Self> {
        let mut engine = looking_only(&Context::new(host.clone()));
        // What one client has in its metadata, another has not.
        engine.set_fail_on_invalid_map_property(false);
        // Not a constant, which would be put into the expression as it is compiled.
        let mut scope = Scope::new();
        scope.push("c", ());
        let ast = engine
            .compile_expression_with_scope(&scope, text)
            .map_err(|error| errors::unreadable(&error, Source { name: NAME, text }))?;
        let (ask, asked) = sync_channel::<Client>(0);
        let (tell, answer) = sync_channel(0);
        thread::Builder::new()
            .name("where".into())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                for client in asked {
                    // Nobody listens any more: there is no one left to tell.
                    if tell.send(evaluate(&engine, &ast, client)).is_err() {
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
        self.ask.send(client.clone()).map_err(|_| gone())?;
        let answer = loop {
            match self.answer.recv_timeout(PATIENCE) {
                Ok(answer) => break answer,
                Err(RecvTimeoutError::Timeout) if self.interrupt.has_arrived() => return Err(Error::interrupted()),
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
