//! The program under another's name: a link called `ory` or `hydra` prints as that program does.

use std::ffi::OsStr;
use std::path::Path;

use crate::error::Error;
use crate::output::Format;

/// Whose name the program was called by.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Persona {
    /// Its own.
    #[default]
    Orysh,
    /// The Ory CLI's.
    Ory,
    /// Hydra's.
    Hydra,
}

impl Persona {
    /// By the file name that the program was called by.
    pub fn of(program: &OsStr) -> Self {
        match Path::new(program).file_name().and_then(OsStr::to_str) {
            Some("ory") => Persona::Ory,
            Some("hydra") => Persona::Hydra,
            _ => Persona::Orysh,
        }
    }

    /// A format as that program prints it: what a path picks is JSON, and keeps a text's quotes.
    pub fn dressed(self, format: Format) -> Format {
        match format {
            Format::Path(query) if self != Persona::Orysh => Format::Path(query.quoted()),
            format => format,
        }
    }

    /// An error of use, with what is to be known under the other name.
    pub fn told(self, error: Error) -> Error {
        let name = match self {
            Persona::Ory => "ory",
            Persona::Hydra => "hydra",
            Persona::Orysh => return error,
        };
        if error.message().starts_with("unknown command") {
            return error.hint(format!(
                "this is orysh under the name `{name}`: it has the commands on OAuth 2.0 clients and their tokens, and no others of `{name}`'s"
            ));
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides() {
        for (program, persona) in [
            ("orysh", Persona::Orysh),
            ("/usr/local/bin/ory", Persona::Ory),
            ("./hydra", Persona::Hydra),
            ("hydra-wrapper", Persona::Orysh),
        ] {
            assert_eq!(Persona::of(OsStr::new(program)), persona, "{program}");
        }
    }
}
