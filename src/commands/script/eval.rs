//! `eval CODE`: runs a line of Rhai and shows its value.

use clap::Arg;

use crate::commands::script::{alarm, carry_out, running_args};
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::Outcome;
use crate::script::engine::EVAL;
use crate::script::run::{Script, for_rhai};

const EXAMPLES: &str = "\
Examples:
  orysh eval 'clients::get(\"app-1\").redirect_uris'
  orysh eval 'for c in clients::list() { if c.owner == \"\" { print(c.client_id) } }'";

/// The command.
pub fn command() -> Command {
    Command::new(["eval"], "Run a line of Rhai and show its value", run)
        .args(|| {
            let mut args = running_args();
            args.push(Arg::new("code").value_name("CODE").required(true).allow_hyphen_values(true).help("Rhai code"));
            args
        })
        .after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let code = for_rhai(args.text("code").unwrap_or_default().to_owned());
    if code.trim().is_empty() {
        return Err(Error::usage("the code is empty").about(EVAL));
    }
    let script = Script { text: &code, name: EVAL, args: rhai::Array::new().into(), alarm: alarm(host, args, EVAL)? };
    carry_out(host, args, &script)
}
