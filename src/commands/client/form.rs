//! `create oauth2-client` by hand: what kind of application it is, then what matters for that, each answer looked at as it is given.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::model::client::ClientSpec;
use crate::model::lint::{self, Level};
use crate::model::{compare, convert, fields};
use crate::ops::look;
use crate::session::Session;
use crate::text::{safe, shell_word};
use crate::ui::{Ui, YES_OR_NO};

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

impl Kind {
    /// What is asked about it, in this order.
    fn questions(&self) -> Vec<&'static str> {
        let redirects = self.redirect.map(|_| "redirect_uris");
        let audience = self.has_audience.then_some("audience");
        [Some("client_name"), redirects, Some("scope"), audience, Some("owner")].into_iter().flatten().collect()
    }

    /// What an answer is where nothing is typed.
    fn otherwise(&self, json: &str) -> &'static str {
        if json == "scope" { self.scope } else { "" }
    }

    /// What follows from it.
    fn given(&self) -> [(&'static str, Vec<String>); 3] {
        let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let responses = if self.response_types.is_empty() { &[""] } else { self.response_types };
        [
            ("grant_types", texts(self.grant_types)),
            ("response_types", texts(responses)),
            ("token_endpoint_auth_method", texts(&[self.auth_method])),
        ]
    }
}

/// The words of a command that makes a client.
pub struct Filled {
    /// Without the flags that name its place, which is that of the session.
    pub words: Vec<String>,
    /// The line that makes the same.
    pub line: String,
}

impl Filled {
    /// As it is told where no client has come of it, so that nothing has to be typed again.
    pub fn again(&self) -> String {
        format!("the same again: orysh {}", self.line)
    }
}

/// Asks what the client is to be. Its line is in the history of a shell, whatever comes of it. Errors: Ctrl-C, or nobody wants it after
/// all.
pub fn filled_in(session: &Session) -> Result<Filled> {
    let ui = session.ui();
    let place = session.described()?;
    let what = format!(
        "A new client at {place}. Enter takes what stands in brackets, `-` takes nothing; nothing is sent before the end."
    );
    ui.paragraph(&what, "");
    let (target, answers) = (look::target(session), Answers::new());
    let mut form = Form { ui, target, kind: kind(ui, 0)?, answers };
    let filled = form.fill().and_then(|()| form.agree());
    let made = form.filled();
    if !form.answers.is_empty() {
        session.leave_line(made.line.clone());
    }
    match filled {
        Err(error) if form.answers.is_empty() => Err(error),
        Ok(()) => Ok(made),
        Err(error) => Err(error.hint(made.again())),
    }
}

/// Asks for the kind; nothing is the one that it is so far.
fn kind(ui: Ui, so_far: usize) -> Result<&'static Kind> {
    ui.line("What is it?");
    for (at, kind) in KINDS.iter().enumerate() {
        ui.paragraph(&format!("{}  {}: {}", at + 1, kind.name, kind.about), "  ");
    }
    let kind = loop {
        let typed = ui.answer(&format!("Which one? [{}] ", so_far + 1))?;
        let number = if typed.is_empty() { Some(so_far + 1) } else { typed.parse::<usize>().ok() };
        let by_number = number.and_then(|number| KINDS.get(number.checked_sub(1)?));
        let mut by_name = KINDS.iter().filter(|kind| kind.name.starts_with(typed.to_lowercase().as_str()));
        match by_number.or_else(|| by_name.next().filter(|_| !typed.is_empty())) {
            Some(kind) => break kind,
            None => ui.paragraph(&format!("`{typed}` is none of them: a number from 1 to {}", KINDS.len()), "  "),
        }
    };
    let grants = kind.grant_types.join(", ");
    ui.paragraph(&format!("grant types: {grants}; authenticates by {}: {}", kind.auth_method, kind.why), "  ");
    Ok(kind)
}

/// What was answered, by field; nothing: it is left to the server.
type Answers = BTreeMap<&'static str, Vec<String>>;

struct Form {
    ui: Ui,
    /// The flags that name the place.
    target: String,
    kind: &'static Kind,
    answers: Answers,
}

impl Form {
    /// Asks what has no answer yet.
    fn fill(&mut self) -> Result<()> {
        for json in self.kind.questions() {
            if !self.answers.contains_key(json) {
                self.ask(json)?;
            }
        }
        Ok(())
    }

    /// Shows what it comes to until it is right. Errors: nobody wants it.
    fn agree(&mut self) -> Result<()> {
        let [yes, no] = YES_OR_NO;
        loop {
            self.preview()?;
            // What was pasted is no answer to what nobody had seen by then.
            self.ui.forget_typed();
            match self.ui.choose("Create it? [Y/n/e] ", &[yes, no, EDIT], yes)? {
                EDIT => self.edit()?,
                answer if answer == no => return Err(Error::usage("nothing was created")),
                _ => return Ok(()),
            }
        }
    }

    /// Asks for one answer again.
    fn edit(&mut self) -> Result<()> {
        let words: Vec<&str> = [KIND].into_iter().chain(self.kind.questions()).collect();
        let question = format!("Which one: {}? ", words.join(", "));
        match self.ui.choose(&question, &words, "")? {
            "" => Ok(()),
            KIND => {
                let before = self.kind;
                self.kind = kind(self.ui, KINDS.iter().position(|kind| kind.name == before.name).unwrap_or_default())?;
                // What was only taken over of one kind is asked for again where it is another of the other.
                let (old, new) = (before, self.kind);
                self.answers.retain(|json, texts| {
                    old.otherwise(json) == new.otherwise(json) || texts.concat() != old.otherwise(json)
                });
                self.fill()
            }
            json => match fields::field(json) {
                Some(field) => self.ask(field.json),
                None => Ok(()),
            },
        }
    }

    fn ask(&mut self, json: &'static str) -> Result<()> {
        let Some(field) = fields::field(json) else { return Ok(()) };
        if matches!(field.kind, fields::Kind::List(_)) {
            self.ui.paragraph(field.help, "  ");
            return self.ask_several(json);
        }
        // It is asked for once: scopes stand in one text.
        self.ui.paragraph(field.help.trim_end_matches(" (can be repeated)"), "  ");
        let otherwise = match self.answers.get(json) {
            Some(texts) => texts.concat(),
            None => self.kind.otherwise(json).to_owned(),
        };
        loop {
            let shown = if otherwise.is_empty() { String::new() } else { format!(" [{otherwise}]") };
            let typed = self.ui.answer(&format!("{json}{shown}: "))?;
            let text = match typed.as_str() {
                "" => otherwise.clone(),
                NOTHING => String::new(),
                _ => typed,
            };
            if self.takes(json, Some(text).filter(|text| !text.is_empty()).into_iter().collect())? {
                break;
            }
        }
        if let Some(told) = self.left_to_server(json) {
            self.ui.paragraph(&told, "  ");
        }
        Ok(())
    }

    /// Asks for the entries of a list, one after the other, until there are no more of them.
    fn ask_several(&mut self, json: &'static str) -> Result<()> {
        let before = self.answers.get(json).cloned().unwrap_or_default();
        let mut all: Vec<String> = Vec::new();
        loop {
            let shown = match self.kind.redirect.filter(|_| json == "redirect_uris") {
                _ if !all.is_empty() => " [no more]".to_owned(),
                _ if !before.is_empty() => format!(" [{}]", before.join(", ")),
                Some(example) => format!(" (as {example})"),
                None => String::new(),
            };
            let typed = self.ui.answer(&format!("{json}{shown}: "))?;
            if typed.is_empty() && all.is_empty() {
                all.clone_from(&before);
            }
            if typed.is_empty() || typed == NOTHING {
                if json == "redirect_uris" && all.is_empty() {
                    self.ui.paragraph("one is needed: where users come back to with the code", "  ");
                    continue;
                }
                self.answers.insert(json, all);
                return Ok(());
            }
            if all.contains(&typed) {
                self.ui.paragraph(&format!("`{typed}` is there already"), "  ");
                continue;
            }
            // All of them together, so that what is in the list is looked at as a whole.
            let with: Vec<String> = all.iter().cloned().chain([typed]).collect();
            if self.takes(json, with.clone())? {
                all = with;
            }
        }
    }

    /// Takes an answer over, unless it is wrong, or doubtful and not meant: that is told.
    fn takes(&mut self, json: &'static str, texts: Vec<String>) -> Result<bool> {
        let known = self.spec(&self.answers).map(|spec| lint::lint(&spec)).unwrap_or_default();
        let mut answers = self.answers.clone();
        answers.insert(json, texts);
        let spec = match self.spec(&answers) {
            Ok(spec) => spec,
            Err(error) => {
                self.ui.paragraph(&error.full_message(), "  ");
                return Ok(false);
            }
        };
        let is_new = |finding: &lint::Finding| finding.field == json && !known.contains(finding);
        let findings: Vec<_> = lint::lint(&spec).into_iter().filter(is_new).collect();
        for finding in &findings {
            self.ui.paragraph(&finding.told(), "  ");
        }
        let [yes, no] = YES_OR_NO;
        let is_wrong = findings.iter().any(|finding| finding.level == Level::Error);
        if is_wrong || !findings.is_empty() && self.ui.choose("  Keep it? [y/N] ", &YES_OR_NO, no)? != yes {
            return Ok(false);
        }
        self.answers = answers;
        Ok(true)
    }

    /// The fields with their texts, as answered.
    fn given(&self, answers: &Answers) -> Vec<(&'static str, Vec<String>)> {
        let answered = self.kind.questions().into_iter().filter_map(|json| Some((json, answers.get(json)?.clone())));
        self.kind.given().into_iter().chain(answered).filter(|(_, texts)| !texts.is_empty()).collect()
    }

    fn spec(&self, answers: &Answers) -> Result<ClientSpec> {
        let mut spec = ClientSpec::new();
        for (json, texts) in self.given(answers) {
            if let Some(field) = fields::field(json) {
                spec.set(field, convert::from_text(field, &texts)?);
            }
        }
        Ok(spec)
    }

    /// The command that makes it.
    fn filled(&self) -> Filled {
        let mut words = vec!["create".to_owned(), "oauth2-client".to_owned()];
        for (json, texts) in self.given(&self.answers) {
            if let Some(flag) = fields::field(json).and_then(|field| field.flag) {
                words.extend(texts.into_iter().flat_map(|text| [format!("--{flag}"), text]));
            }
        }
        let line: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
        Filled { words, line: format!("{}{}", line.join(" "), self.target) }
    }

    /// What the server puts in the place of an answer that is none.
    fn left_to_server(&self, json: &str) -> Option<String> {
        let own = fields::field(json).and_then(compare::filled_in)?;
        let is_none = self.answers.get(json).is_some_and(Vec::is_empty);
        is_none.then(|| format!("without one the server puts its own there: {own}"))
    }

    /// What would be made, and what makes the same.
    fn preview(&self) -> Result<()> {
        let spec = self.spec(&self.answers)?;
        let given: Vec<_> = spec.given().filter_map(|field| Some((field, spec.get(field.json)?))).collect();
        let mut rows: Vec<(&str, String)> =
            given.iter().map(|(field, value)| (field.json, convert::to_text(field, value))).collect();
        let questions = self.kind.questions();
        rows.extend(questions.iter().filter_map(|json| Some((*json, self.left_to_server(json)?))));
        let widest = rows.iter().map(|(json, _)| json.len()).max().unwrap_or_default();
        self.ui.line("This is it:");
        for (json, text) in &rows {
            self.ui.line(&format!("  {json:widest$}  {}", safe(text)));
        }
        for finding in lint::lint(&spec) {
            self.ui.warn(&finding.told());
        }
        self.ui.line(&format!("The same as a command:\n  orysh {}", self.filled().line));
        let members: Vec<String> = given.iter().map(|(field, value)| format!("{}: {value}", field.json)).collect();
        let place = if self.target.is_empty() { String::new() } else { format!(" that is run with{}", self.target) };
        self.ui.line(&format!("In a script{place}:\n  clients::create(#{{{}}})", members.join(", ")));
        Ok(())
    }
}

/// What is answered where an answer that has one by default is to have none.
const NOTHING: &str = "-";

/// The answer that asks for one of the others again, and what is none of the fields.
const EDIT: &str = "edit";
const KIND: &str = "kind";
