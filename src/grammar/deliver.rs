//! The flag that names a program to hand clients to.

use clap::{Arg, ArgMatches};

use crate::error::Result;
use crate::grammar::words;
use crate::ops::deliver::Program;
use crate::session::Session;

/// `--deliver`.
pub fn deliver_arg() -> Arg {
    Arg::new("deliver")
        .long("deliver")
        .value_name("COMMAND")
        .help("Hand each client with its new secret to this program, as JSON on its stdin")
}

/// The session, where the program hears of clients that the flag names. Errors are of usage: it is not there.
pub fn with_program(session: Session, matches: &ArgMatches) -> Result<Session> {
    match matches.try_get_one::<String>("deliver") {
        Ok(Some(line)) => {
            let program = Program::find(words::split(line).map_err(|error| error.about("--deliver"))?)?;
            Ok(session.with_hook(program.hook()))
        }
        // Most commands have no such flag.
        Ok(None) | Err(_) => Ok(session),
    }
}
