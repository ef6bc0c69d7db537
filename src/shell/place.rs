//! Where the lines of a shell act, and the prompt that says so.

use std::time::Duration;

use nu_ansi_term::Color as Paint;

use crate::config::profile::{self, Profile};
use crate::config::shell::IN_PROMPT;
use crate::config::{ory, team};
use crate::error::Error;
use crate::grammar::Host;
use crate::ops::guard;
use crate::session::Session;
use crate::session::target::{Chosen, NO_PROJECT, Target, of_project, once_signed_in};
use crate::text;
use crate::ui::{PAINTS, Ui};

/// A terminal that is narrower has a shorter prompt.
const NARROW: usize = 60;

/// So many characters of a place are shown on such a terminal.
const MOST_SHOWN: usize = 16;

/// Where a line acts.
#[derive(Debug)]
pub struct Place {
    /// What its lines are kept under.
    pub name: String,
    /// What the prompt shows of it.
    shown: String,
    /// The server itself.
    server: String,
    /// The colour of the profile.
    paint: Option<Paint>,
    /// Whether it is production.
    is_production: bool,
    /// Whether nobody has signed in where that is how one acts there.
    is_signed_out: bool,
    /// What is said of the profile by which one would act once somebody has signed in.
    said: Said,
    /// Why it is nowhere, where that has to be told.
    pub wrong: Option<Error>,
    /// All that says how the server is reached.
    chosen: Option<Chosen>,
}

impl Place {
    /// Where the next line acts by now.
    pub fn of(host: &Host) -> Self {
        let session = host.session.for_command(host.session.ui(), host.session.base_settings());
        let chosen = match session.chosen() {
            Ok(chosen) => chosen,
            Err(error) => return Place::without_target(&session, error),
        };
        let name = match (&chosen.profile, &chosen.target) {
            (Some(profile), _) => profile.name.clone(),
            (None, Target::Sandbox) => "sandbox".into(),
            (None, _) => chosen.place(),
        };
        // What cannot be told is treated with the greater care.
        let is_production = guard::production(&chosen).map_or(true, |name| name.is_some());
        let color = chosen.profile.as_ref().and_then(|profile| profile.color.as_deref()).filter(|_| !is_production);
        let color = color.or(is_production.then_some("red"));
        let paint = color.and_then(|name| PAINTS.iter().find(|(known, _)| *known == name)).map(|(_, paint)| *paint);
        let (shown, server) = (shown(&chosen), chosen.place());
        let chosen = Some(chosen);
        Place {
            name,
            shown,
            server,
            paint,
            is_production,
            is_signed_out: false,
            said: Said::default(),
            wrong: None,
            chosen,
        }
    }

    /// Where nobody is signed in, the place that it would be; nowhere for any other reason.
    fn without_target(session: &Session, error: Error) -> Self {
        let is_signed_out = is_for_sign_in(&error);
        let named = session.settings().given.counting();
        let in_use = || if named.names_target() { None } else { profile::user().ok()?.current };
        let profile = named.profile.clone().or_else(in_use).filter(|_| is_signed_out);
        let of_file = || once_signed_in(&session.settings().given).filter(|_| is_signed_out);
        let said = profile.as_deref().map(said).unwrap_or_default();
        let (name, shown) = match (profile, of_file()) {
            (Some(profile), _) => (profile.clone(), profile),
            (None, Some((project, workspace))) => {
                let name = of_project(project.as_deref().unwrap_or(NO_PROJECT));
                let selected = of_selection(project.as_deref(), workspace.as_deref());
                let shown = selected.map_or_else(|| name.clone(), of_network);
                (name, shown)
            }
            (None, None) => ("nowhere".into(), "nowhere".into()),
        };
        Place {
            name,
            shown,
            server: String::new(),
            paint: None,
            is_production: false,
            is_signed_out,
            said,
            wrong: (!is_signed_out).then_some(error),
            chosen: None,
        }
    }

    /// Whether a line would go elsewhere by now than it would have gone here, and not nowhere: somebody has changed what a name means.
    pub fn has_moved(&self, now: &Place) -> bool {
        let Some(there) = &now.chosen else { return false };
        let says_the_same =
            || self.said == there.profile.as_ref().map(|profile| said(&profile.name)).unwrap_or_default();
        let is_there = self.name == now.name && (there.profile.is_some() || self.shown == now.shown);
        let has_signed_in = self.is_signed_out && is_there && says_the_same();
        let is_same =
            self.chosen.as_ref().is_some_and(|here| here.target == there.target && here.profile == there.profile);
        !(has_signed_in || is_same && self.is_production == now.is_production)
    }

    /// As a person is told it.
    pub fn told(&self) -> String {
        let shown = text::safe(&self.shown);
        if self.server.is_empty() || self.server == self.shown {
            shown.into_owned()
        } else {
            format!("{shown} ({})", text::safe(&self.server))
        }
    }

    /// The prompt, plain and styled: both are equally wide, so that the cursor stands where it should.
    pub fn prompt(&self, ui: Ui, has_failed: bool) -> (String, String) {
        let is_narrow = ui.width().is_some_and(|width| width < NARROW);
        let place = self.fitting(is_narrow);
        let program = if is_narrow { "" } else { "orysh " };
        let label = format!("{program}{place}{}{}", self.state(is_narrow), self.danger());
        if !ui.colors_stdout() {
            let raw = format!("{label}{} ", plain_status(has_failed));
            return (raw.clone(), raw);
        }
        let painted = self.paint.map_or(label.clone(), |paint| paint.paint(&label).to_string());
        (format!("{label}> "), format!("{painted}{} ", status(has_failed)))
    }

    fn fitting(&self, is_narrow: bool) -> String {
        let place = text::safe(&self.shown).into_owned();
        if is_narrow && place.chars().count() > MOST_SHOWN {
            return place.chars().take(MOST_SHOWN - 1).chain(['…']).collect();
        }
        place
    }

    /// Where colours are not seen it is told as well.
    fn danger(&self) -> &'static str {
        if self.is_production { "!" } else { "" }
    }

    /// Whether one is signed in, where that has to be told.
    fn state(&self, is_narrow: bool) -> &'static str {
        match (self.is_signed_out, is_narrow) {
            (false, _) => "",
            (true, false) => " (signed out)",
            (true, true) => "?",
        }
    }

    /// The prompt that a person has set, plain and styled. Production is marked whether it says so or not.
    pub fn prompt_as(&self, ui: Ui, template: &str, has_failed: bool, slow: Option<Duration>) -> (String, String) {
        let place = self.fitting(ui.width().is_some_and(|width| width < NARROW));
        let server = text::safe(&self.server).into_owned();
        let took = slow.map(|took| format!("{:.1}s", took.as_secs_f64())).unwrap_or_default();
        let template = if self.is_production && !template.contains("{danger}") {
            format!("{{danger}} {template}")
        } else {
            template.to_owned()
        };
        let filled = |values: [&str; 6]| {
            let all = IN_PROMPT.iter().zip(values);
            let filled = all.fold(template.clone(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
            text::safe_painted(&filled).into_owned()
        };
        let (state, danger) = (self.state(false), self.danger());
        if !ui.colors_stdout() {
            let raw = filled([&place, &server, state, danger, plain_status(has_failed), &took]);
            return (raw.clone(), raw);
        }
        let raw = filled([&place, &server, state, danger, ">", &took]);
        let painted = |text: &str| self.paint.map_or(text.to_owned(), |paint| paint.paint(text).to_string());
        (raw, filled([&painted(&place), &painted(&server), state, &painted(danger), &status(has_failed), &took]))
    }
}

/// Whether nobody is signed in, or not any more, where that is how one acts.
pub fn is_for_sign_in(error: &Error) -> bool {
    error.code().is_some_and(|code| [ory::SIGNED_OUT, ory::EXPIRED].contains(&code))
}

/// What one's own profile of a name says, and the repository's.
type Said = [Option<Profile>; 2];

fn said(name: &str) -> Said {
    let own = profile::user().unwrap_or_default();
    let team = own.current_from.as_ref().map_or_else(team::found, |path| team::at(path).map(Some));
    let of_team = || team.ok()??.profiles.all.get(name).cloned();
    [own.all.get(name).cloned(), of_team()]
}

/// A profile by its name; of Ory Network workspace and project as well.
fn shown(chosen: &Chosen) -> String {
    let selected = match &chosen.target {
        Target::Network(network) => of_selection(network.project.as_deref(), network.workspace.as_deref()),
        _ => None,
    };
    match (&chosen.profile, selected) {
        (Some(profile), Some(selected)) if profile.name != selected => format!("{} {selected}", profile.name),
        (Some(profile), _) => profile.name.clone(),
        (None, Some(selected)) => of_network(selected),
        (None, None) if chosen.target == Target::Sandbox => "sandbox".into(),
        (None, None) => chosen.place().trim_end_matches('/').to_owned(),
    }
}

/// Workspace and project, as far as they are named.
fn of_selection(project: Option<&str>, workspace: Option<&str>) -> Option<String> {
    match (workspace, project) {
        (Some(workspace), Some(project)) => Some(format!("{workspace}/{project}")),
        (None, Some(project)) => Some(project.to_owned()),
        (Some(workspace), None) => Some(format!("{workspace}/")),
        (None, None) => None,
    }
}

fn of_network(selected: String) -> String {
    format!("Ory Network {selected}")
}

/// The end of a prompt in colour: red where the last line failed.
fn status(has_failed: bool) -> String {
    if has_failed { Paint::Red.bold().paint(">").to_string() } else { ">".to_owned() }
}

/// The same without colours.
fn plain_status(has_failed: bool) -> &'static str {
    if has_failed { "✗>" } else { ">" }
}
