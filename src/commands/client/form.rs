//! `create oauth2-client` by hand: what kind of application it is, then what matters for that, each answer looked at as it is given.

use crate::error::{Error, Result};
use crate::model::client::ClientSpec;
use crate::model::convert;
use crate::model::fields::{self, Field};
use crate::model::lint::{self, Level};
use crate::session::Session;
use crate::text::{safe, shell_word};
use crate::ui::Ui;

/// A kind of application.
struct Kind {
    name: &'static str,
    about: &'static str,
    grant_types: &'static [&'static str],
    response_types: &'static [&'static str],
    auth_method: &'static str,
    /// Why it is so.
    why: &'static str,
    /// What an address to come back to looks like; none: nobody comes back.
    redirect: Option<&'static str>,
    scope: &'static str,
    /// Whether it asks for what a service of its own takes.
    has_audience: bool,
}

const CODE: &str = "authorization_code";
const REFRESH: &str = "refresh_token";

/// OAuth 2.0 for Browser-Based Apps; RFC 8252 (native); RFC 6749 §4.4; RFC 8628 (device).
const KINDS: [Kind; 5] = [
    Kind {
        name: "web server",
        about: "an application with a server of its own",
        grant_types: &[CODE, REFRESH],
        response_types: &["code"],
        auth_method: "client_secret_basic",
        why: "users come back to it with a code; its server can keep a secret, and sends it to the token endpoint",
        redirect: Some("https://app.example.org/callback"),
        scope: "openid offline_access",
        has_audience: false,
    },
    Kind {
        name: "single-page",
        about: "JavaScript in a browser",
        grant_types: &[CODE, REFRESH],
        response_types: &["code"],
        auth_method: "none",
        why: "whoever opens it reads all of it, so that it has no secret: PKCE (RFC 7636) protects the code",
        redirect: Some("https://app.example.org/callback"),
        scope: "openid offline_access",
        has_audience: false,
    },
    Kind {
        name: "native",
        about: "an app on a phone or a desktop",
        grant_types: &[CODE, REFRESH],
        response_types: &["code"],
        auth_method: "none",
        why: "what is handed out to everybody keeps no secret: PKCE protects the code (RFC 8252)",
        redirect: Some("http://127.0.0.1/callback"),
        scope: "openid offline_access",
        has_audience: false,
    },
    Kind {
        name: "machine",
        about: "a service that acts for itself, without a user",
        grant_types: &["client_credentials"],
        response_types: &[],
        auth_method: "client_secret_basic",
        why: "nobody signs in: its own secret is all that it shows, and no browser is sent anywhere",
        redirect: None,
        scope: "",
        has_audience: true,
    },
    Kind {
        name: "device",
        about: "a TV or a tool in a terminal, where one signs in on another screen",
        grant_types: &["urn:ietf:params:oauth:grant-type:device_code", REFRESH],
        response_types: &[],
        auth_method: "none",
        why: "it shows a code that is typed on another screen (RFC 8628), and can keep no secret",
        redirect: None,
        scope: "openid offline_access",
        has_audience: false,
    },
];

/// Asks what the client is to be, and gives the words of the command that makes it. Errors: Ctrl-C, or nobody wants it after all.
pub fn filled_in(session: &Session) -> Result<Vec<String>> {
    let ui = session.ui();
    let place = session.described()?;
    let what = format!("A new client at {place}. Enter takes what stands in brackets; nothing is sent before the end.");
    ui.paragraph(&what, "");
    let mut form = Form { ui, spec: ClientSpec::new(), words: vec!["create".into(), "oauth2-client".into()] };
    let kind = form.kind()?;
    form.set("grant_types", &kind.grant_types.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())?;
    let none = [String::new()];
    let responses: Vec<String> = kind.response_types.iter().map(|one| (*one).to_owned()).collect();
    form.set("response_types", if responses.is_empty() { &none } else { &responses })?;
    form.set("token_endpoint_auth_method", &[kind.auth_method.to_owned()])?;
    let grants = kind.grant_types.join(", ");
    ui.paragraph(&format!("grant types: {grants}; authenticates by {}: {}", kind.auth_method, kind.why), "  ");
    form.ask("client_name", "")?;
    if let Some(example) = kind.redirect {
        form.ask_several("redirect_uris", example)?;
    }
    form.ask("scope", kind.scope)?;
    if kind.has_audience {
        form.ask("audience", "")?;
    }
    form.ask("owner", "")?;
    form.preview();
    let answer = ui.answer("Create it? [Y/n] ")?;
    if answer.to_lowercase().starts_with('n') {
        return Err(Error::usage("nothing was created"));
    }
    Ok(form.words)
}

struct Form {
    ui: Ui,
    spec: ClientSpec,
    /// The command that makes it.
    words: Vec<String>,
}

impl Form {
    fn kind(&self) -> Result<&'static Kind> {
        self.ui.line("What is it?");
        for (at, kind) in KINDS.iter().enumerate() {
            self.ui.paragraph(&format!("{}  {}: {}", at + 1, kind.name, kind.about), "  ");
        }
        loop {
            let typed = self.ui.answer("Which one? [1] ")?;
            let number = if typed.is_empty() { Some(1) } else { typed.parse::<usize>().ok() };
            let by_number = number.and_then(|number| KINDS.get(number.checked_sub(1)?));
            let mut by_name = KINDS.iter().filter(|kind| kind.name.starts_with(typed.to_lowercase().as_str()));
            match by_number.or_else(|| by_name.next().filter(|_| !typed.is_empty())) {
                Some(kind) => return Ok(kind),
                None => {
                    self.ui.paragraph(&format!("`{typed}` is none of them: a number from 1 to {}", KINDS.len()), "  ");
                }
            }
        }
    }

    /// Takes an answer over. Errors: it is wrong.
    fn set(&mut self, json: &str, texts: &[String]) -> Result<()> {
        let Some((field, flag)) = fields::field(json).and_then(|field| Some((field, field.flag?))) else {
            return Ok(());
        };
        let mut spec = self.spec.clone();
        spec.set(field, convert::from_text(field, texts)?);
        let wrong =
            lint::lint(&spec).into_iter().find(|finding| finding.field == json && finding.level == Level::Error);
        if let Some(finding) = wrong {
            return Err(finding.hint.iter().fold(Error::usage(finding.message.clone()), Error::hint));
        }
        self.spec = spec;
        for text in texts {
            self.words.extend([format!("--{flag}"), text.clone()]);
        }
        Ok(())
    }

    /// Asks for a field until the answer is right; nothing leaves it as it is by default.
    fn ask(&mut self, json: &'static str, otherwise: &str) -> Result<()> {
        let Some(field) = fields::field(json) else { return Ok(()) };
        self.explain(field);
        loop {
            let shown = if otherwise.is_empty() { String::new() } else { format!(" [{otherwise}]") };
            let typed = self.ui.answer(&format!("{json}{shown}: "))?;
            let text = if typed.is_empty() { otherwise.to_owned() } else { typed };
            if text.is_empty() {
                return Ok(());
            }
            match self.set(json, &[text]) {
                Ok(()) => return Ok(()),
                Err(error) => self.refuse(&error),
            }
        }
    }

    /// Asks for the entries of a list, one after the other, until there are no more of them; one at least.
    fn ask_several(&mut self, json: &'static str, example: &str) -> Result<()> {
        let Some(field) = fields::field(json) else { return Ok(()) };
        self.explain(field);
        let (mut all, before) = (Vec::new(), self.words.clone());
        loop {
            let hint = if all.is_empty() { format!(" (as {example})") } else { " [no more]".to_owned() };
            let typed = self.ui.answer(&format!("{json}{hint}: "))?;
            if typed.is_empty() && !all.is_empty() {
                return Ok(());
            }
            if typed.is_empty() {
                self.ui.paragraph("one is needed: where users come back to with the code", "  ");
                continue;
            }
            // All of them together, so that what is in the list is looked at as a whole.
            self.words.clone_from(&before);
            let with: Vec<String> = all.iter().cloned().chain([typed]).collect();
            match self.set(json, &with) {
                Ok(()) => all = with,
                Err(error) => {
                    self.refuse(&error);
                    if !all.is_empty() {
                        self.set(json, &all)?;
                    }
                }
            }
        }
    }

    fn explain(&self, field: &Field) {
        self.ui.paragraph(field.help, "  ");
    }

    fn refuse(&self, error: &Error) {
        let hints = error.hints().iter().fold(String::new(), |told, hint| format!("{told}; {hint}"));
        self.ui.paragraph(&format!("{}{hints}", error.full_message()), "  ");
    }

    /// What would be made, and what makes the same.
    fn preview(&self) {
        let given: Vec<_> = self.spec.given().filter_map(|field| Some((field, self.spec.get(field.json)?))).collect();
        let widest = given.iter().map(|(field, _)| field.json.len()).max().unwrap_or_default();
        self.ui.line("This is it:");
        for (field, value) in &given {
            self.ui.line(&format!("  {:widest$}  {}", field.json, safe(&convert::to_text(field, value))));
        }
        let words: Vec<String> = self.words.iter().map(|word| shell_word(word)).collect();
        self.ui.line(&format!("The same as a command:\n  orysh {}", words.join(" ")));
        let members: Vec<String> = given.iter().map(|(field, value)| format!("{}: {value}", field.json)).collect();
        self.ui.line(&format!("In a script:\n  clients::create(#{{{}}})", members.join(", ")));
    }
}
