//! `tour`: two minutes on the sandbox, in lines that could be typed as well.

use std::path::Path;

use uuid::Uuid;

use crate::batch::engine::{self, Run};
use crate::batch::folder;
use crate::config::files::{self, Passing};
use crate::error::Result;
use crate::model::client::ClientId;
use crate::ops;
use crate::session::Session;
use crate::session::handle::Settings;
use crate::session::target::Given;
use crate::shell::interpreter::Interpreter;
use crate::ui::{self, Ui};

/// The files that the lines name.
const FILES: [(&str, &str); 3] = [
    ("ann.asc", include_str!("tour/ann.asc")),
    ("report.rhai", include_str!("tour/report.rhai")),
    ("services.csv", include_str!("tour/services.csv")),
];

/// What is said before a line, and the line; `FOLDER` stands for where the files are, `TOUR` for a name that nobody else has.
const STEPS: [(&str, &str); 8] = [
    (
        "A client is an application that may ask for tokens. This makes one for a service that acts for itself. Its secret is chosen here \
         and shown once; it is kept on disk until it has been shown.",
        "create oauth2-client --sandbox --id TOUR-shop --name \"tour shop\" --grant-type client_credentials",
    ),
    (
        "What a command has shown is `it`. A line that is no command is Rhai, a small language; `${…}` puts its values into commands.",
        "it.client_name + \" has the id \" + it.client_id",
    ),
    (
        "A secret can be encrypted at once for whoever is to have it, here for Ann, whose OpenPGP key is in a file. Nobody else can read \
         what is printed: `base64 -d | gpg -d` would.",
        "create oauth2-client --sandbox --id TOUR-job --pgp-key @FOLDER/ann.asc --format jsonpath=client_secret",
    ),
    (
        "What is done twice becomes a script. This one counts clients by what they may do.",
        "run --sandbox FOLDER/report.rhai",
    ),
    (
        "Many clients come from a file: a row each, checked as a whole before anything is sent, and kept track of in a run, so that one \
         that is interrupted goes on.",
        "batch create --sandbox FOLDER/services.csv --out FOLDER/results.csv",
    ),
    ("The name of the run is put into a variable, which stays for the lines to come.", "let tour = it.run"),
    ("There they are.", "list oauth2-clients --sandbox"),
    (
        "That was it. Tab completes commands, flags and ids; `help` lists the commands, `help create oauth2-client` tells of one. What the \
         tour has made goes again.",
        "delete oauth2-client --sandbox --yes TOUR-shop TOUR-job TOUR-mail TOUR-search TOUR-backup && batch forget ${tour} --yes",
    ),
];

/// The clients that the lines make.
const MADE: [&str; 5] = ["TOUR-shop", "TOUR-job", "TOUR-mail", "TOUR-search", "TOUR-backup"];

/// Shows the steps one after the other, each once a person has pressed Enter. Errors: Ctrl-C, or a line that fails.
pub fn go(interpreter: &mut Interpreter, ui: Ui) -> Result<()> {
    let name = format!("tour-{}", &Uuid::new_v4().to_string()[..4]);
    let folder = Passing(std::env::temp_dir().join(format!("orysh-{name}")));
    files::private_folder(&folder.0)?;
    let filled = |text: &str| text.replace("FOLDER", &folder.0.display().to_string()).replace("TOUR", &name);
    for (file, text) in FILES {
        files::write_new(&folder.0.join(file), filled(text).as_bytes())?;
    }
    for (at, (about, line)) in STEPS.iter().enumerate() {
        let line = filled(line);
        ui.line("");
        ui.paragraph(&format!("{} of {}. {about}", at + 1, STEPS.len()), "");
        ui.line(&format!("  {line}"));
        let done = match goes_on(ui) {
            Ok(true) => interpreter.line(&line).map(|_| true),
            other => other,
        };
        if !matches!(done, Ok(true)) {
            if at > 0 || done.is_err() {
                clear(interpreter.session(), &MADE.map(filled), &folder.0);
                ui.note("what the tour has made is gone again");
            }
            return done.map(drop);
        }
    }
    Ok(())
}

/// Takes away what is left of the clients and the run, whatever has come in between, Ctrl-C above all.
fn clear(session: &Session, made: &[String], folder: &Path) {
    let _undisturbed = ui::undisturbed();
    let given = Given { sandbox: true, ..Given::default() };
    let session = session.for_command(session.ui(), Settings { given, ..Settings::default() }).to_the_end();
    // What was not made, or has gone already, is as it should be.
    for id in made.iter().filter_map(|id| ClientId::parse(id).ok()) {
        let _ = ops::delete::delete(&session, &id);
    }
    for name in folder::names().unwrap_or_default() {
        let Ok(run) = Run::open(&session, &name) else { continue };
        if run.fact("input").is_some_and(|input| Path::new(input).starts_with(folder)) {
            let _ = engine::forget_key(&session, &run.folder, &run.facts);
            let _ = run.folder.remove();
        }
    }
}

/// Whether the next line is done. Errors: Ctrl-C.
fn goes_on(ui: Ui) -> Result<bool> {
    match ui.asked("Enter does it, q ends the tour ") {
        Some(answer) => Ok(!answer?.trim().eq_ignore_ascii_case("q")),
        // Nobody is there to press it.
        None => Ok(true),
    }
}
