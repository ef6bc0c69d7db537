//! `run FILE [ARGS…]`, and `-`, which reads the script from stdin.

use clap::{Arg, ArgAction};
use rhai::{Array, Dynamic};

use crate::commands::script::{alarm, carry_out, running_args};
use crate::config::read;
use crate::error::{Error, Result};
use crate::grammar::{Args, Command, Host};
use crate::output::outcome::Outcome;
use crate::script::arguments::{self, Read};
use crate::script::errors::Source;
use crate::script::run::{Alarm, Script, for_rhai, warn};
use crate::text::safe;
use crate::ui::is_interrupted;

const EXAMPLES: &str = "\
Examples:
  orysh run scripts/onboard.rhai services.csv
  echo 'clients::list()' | orysh run - --format jsonl

What follows the first word behind FILE is the script's: flags of orysh stand before it. What a script takes it says in
the comment at its top, a line each: `//! @arg --count: number = 10 How many`; types are text, number, bool, file, output, a|b|c.";

/// The command.
pub fn command() -> Command {
    let args = || {
        let mut args = running_args();
        args.extend([
            Arg::new("file").value_name("FILE").required(true).help("The script, - for stdin"),
            Arg::new("args")
                .value_name("ARGS")
                .action(ArgAction::Append)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .help("What the script reads as `args`"),
        ]);
        args
    };
    Command::new(["run"], "Run a Rhai script and show its value", run).args(args).after(EXAMPLES)
}

fn run(host: &Host, args: &Args) -> Result<Outcome> {
    let file = args.text("file").unwrap_or_default();
    let name = read::name(file);
    let alarm = alarm(host, args, name)?;
    // Ctrl-C at a file that does not come is no fault of the file.
    let source = read(file, name).map_err(|error| if is_interrupted() { Error::interrupted() } else { error });
    let source = Alarm::settle(alarm.as_deref(), source)?;
    let words = args.texts("args");
    let declared = arguments::declared(&source).map_err(|error| error.about(safe(name)))?;
    warn(host.session.ui(), declared.overlooked(), Source { name, text: &source });
    let asks = words.first().is_some_and(|word| word == "--help" || word == "-h");
    let given = if declared.has_arguments() || asks {
        let width = host.session.ui().width().map_or(WIDEST, |width| width.min(WIDEST));
        match declared.read(name, &words, width)? {
            Read::Values(values) => values.into(),
            Read::Help(text) => {
                host.session.ui().print(&text);
                return Ok(Outcome::nothing());
            }
        }
    } else {
        words.into_iter().map(Dynamic::from).collect::<Array>().into()
    };
    let script = Script { text: &source, name, args: given, alarm };
    carry_out(host, args, &script)
}

/// How wide help is at most.
const WIDEST: usize = 100;

/// A script's text. Errors name it: it cannot be read, or is empty.
pub fn read(file: &str, name: &str) -> Result<String> {
    let text = read::text(file).map_err(|error| error.about(format!("cannot read the script {name}")))?;
    if text.trim().is_empty() {
        return Err(Error::usage(format!("the script {} is empty", safe(name))));
    }
    Ok(for_rhai(text))
}
