//! One error type: what happened, to what, and what to do next.
//!
//! The kind of an error decides the exit code, and nothing else does.

use std::error::Error as StdError;
use std::fmt;

/// What sort of failure this is; each has one exit code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The server, a script or the machine failed.
    Failed,
    /// Used wrongly: nothing was sent.
    Usage,
    /// Some of several failed.
    Partial,
    /// Not signed in, or not allowed.
    Denied,
    /// Changes are due (`apply --detailed-exitcode`).
    Due,
    /// Ctrl-C or a termination signal.
    Interrupted,
    /// A script ended with this exit code.
    Exit(u8),
}

impl Kind {
    /// The exit code of a process that ends with this kind of error.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Partial => 3,
            Kind::Denied => 4,
            Kind::Due => 5,
            Kind::Interrupted => 130,
            Kind::Exit(code) => code,
        }
    }
}

/// Where in a file, a script or a line something is wrong; counted from 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// What happened, with hints for what to do next. Holds no secret.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    message: String,
    hints: Vec<String>,
    status: Option<u16>,
    code: Option<String>,
    position: Option<Position>,
    excerpt: Option<String>,
    told: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of nearly everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of any kind, with a message that needs no full stop.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            hints: Vec::new(),
            status: None,
            code: None,
            position: None,
            excerpt: None,
            told: false,
            source: None,
        }))
    }

    /// Used wrongly; nothing was sent.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// The server, a script or the machine failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// Not signed in, or not allowed.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(Kind::Denied, message)
    }

    /// Ctrl-C or a termination signal arrived.
    pub fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "interrupted")
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Says what was not tried any more after it: so many, from that one on.
    #[must_use]
    pub fn not_tried(self, left: usize, first: Option<String>) -> Self {
        match first {
            Some(first) if left == 1 => self.hint(format!("{first} was not tried")),
            Some(first) => self.hint(format!("the {left} after it were not tried, from {first} on")),
            None => self,
        }
    }

    /// The same error without its hints, where they would lead astray.
    #[must_use]
    pub fn unhinted(mut self) -> Self {
        self.0.hints.clear();
        self
    }

    /// Adds `did you mean …?` where a near name is known.
    #[must_use]
    pub fn did_you_mean(self, nearest: Option<&str>) -> Self {
        match nearest {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// The error underneath, told after the message.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The HTTP status that a server answered with.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// The error code that a server named (RFC 6749 §5.2), or a code of ours.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Where in a file, a script or a line.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.0.position = Some(position);
        self
    }

    /// The same error without a place.
    #[must_use]
    pub fn unplaced(mut self) -> Self {
        (self.0.position, self.0.excerpt) = (None, None);
        self
    }

    /// The lines of a text that show the place.
    #[must_use]
    pub fn showing(mut self, excerpt: impl Into<String>) -> Self {
        self.0.excerpt = Some(excerpt.into());
        self
    }

    /// The same error with its message put behind `prefix: `.
    #[must_use]
    pub fn about(mut self, prefix: impl fmt::Display) -> Self {
        self.0.message = format!("{prefix}: {}", self.0.message);
        self
    }

    /// The same error with another message.
    #[must_use]
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// The same error, in which `text` stands nowhere; `instead` does.
    #[must_use]
    pub fn without(mut self, text: &str, instead: &str) -> Self {
        if !text.is_empty() {
            let inner = &mut self.0;
            let all = std::iter::once(&mut inner.message).chain(&mut inner.hints).chain(&mut inner.excerpt);
            all.for_each(|told| *told = told.replace(text, instead));
        }
        self
    }

    /// The same error as another kind.
    #[must_use]
    pub fn of_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Marks an error that the person has been told already: only its exit code is left.
    #[must_use]
    pub fn already_told(mut self) -> Self {
        self.0.told = true;
        self
    }

    /// Whether the person has been told already.
    pub fn is_told(&self) -> bool {
        self.0.told
    }

    /// What sort of failure this is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What happened, without its cause.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do next.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// The HTTP status, where a server answered.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The error code, where there is one.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Where, if known.
    pub fn position(&self) -> Option<Position> {
        self.0.position
    }

    /// The lines that show the place, where it is known.
    pub fn excerpt(&self) -> Option<&str> {
        self.0.excerpt.as_deref()
    }

    /// The message and its causes, as one line.
    pub fn full_message(&self) -> String {
        let mut text = self.0.message.clone();
        let mut source = self.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            source = cause.source();
        }
        text
    }

    /// The same with the place behind it, where it does not name that itself.
    pub fn placed_message(&self) -> String {
        let message = self.full_message();
        match self.0.position.map(|at| at.to_string()).filter(|at| !message.contains(at)) {
            Some(at) => format!("{message} ({at})"),
            None => message,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// The name in `candidates` that a person most likely meant, if any is near.
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nothing that long is a name.
    if given.len() > 200 {
        return None;
    }
    let given = given.to_lowercase();
    candidates
        .into_iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&given, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_a_typo_and_no_stranger() {
        let names = ["client_name", "client_uri", "redirect_uris"];
        assert_eq!(nearest("client_nmae", names), Some("client_name"));
        assert_eq!(nearest("redirect_uri", names), Some("redirect_uris"));
        assert_eq!(nearest("wholly_other", names), None);
    }

    #[test]
    fn causes_are_told_once_each() {
        let error = Error::failed("cannot read x").caused_by(std::io::Error::other("disk on fire"));
        assert_eq!(error.full_message(), "cannot read x: disk on fire");
    }
}
