//! Arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    orysh::app::main(std::env::args_os())
}
