//! What functions of the API give: clients, maps that always have the same members, and lists of these.

/// What a value is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Known {
    /// What it is, or what each of it is.
    pub one: One,
    /// Whether it is a list.
    pub is_list: bool,
}

/// What one value is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum One {
    /// A client.
    Client,
    /// A map, or what has members as one.
    Map(&'static Members),
}

/// The members that a map has.
#[derive(Debug, Eq, PartialEq)]
pub struct Members {
    /// As a person calls it.
    pub of: &'static str,
    /// What they are called.
    pub names: &'static [&'static str],
    /// Those in which something is that is known in turn.
    pub within: &'static [(&'static str, One)],
    /// Whether it may have more of them.
    pub is_open: bool,
}

const fn members(of: &'static str, names: &'static [&'static str]) -> Members {
    Members { of, names, within: &[], is_open: false }
}

static ERROR: Members = members("an error", &["message", "status", "code", "hint", "position"]);
static MADE: Members = Members {
    within: &[("client", One::Client), ("error", One::Map(&ERROR))],
    ..members("a row of `clients::create_all`", &["row", "outcome", "client", "error"])
};
static APPLIED: Members = Members {
    within: &[("error", One::Map(&ERROR))],
    ..members("a row of `clients::apply`", &["client_id", "action", "fields", "changes", "client_secret", "error"])
};
static FINDING: Members = members("a finding of `clients::lint`", &["field", "message", "is_wrong"]);
static RUN: Members = Members {
    is_open: true,
    ..members(
        "a run",
        &[
            "begun",
            "conflict",
            "delivery_failed",
            "done",
            "failed",
            "input",
            "invalid",
            "kind",
            "out",
            "planned",
            "rows",
            "run",
            "seconds",
            "server",
            "undelivered",
            "undone",
            "unproven",
            "unsettled",
        ],
    )
};
// A server may say more (RFC 6749 §5.1).
static TOKEN: Members = Members {
    is_open: true,
    ..members(
        "the answer to `tokens::client_credentials`",
        &["access_token", "expires_in", "scope", "token_type", "refresh_token", "id_token"],
    )
};
static TARGET: Members = members("a target", &["place", "named_by", "subject", "profile", "is_production"]);
static PROJECT: Members = members("a project", &["id", "slug", "name"]);
static WORKSPACE: Members = members("a workspace", &["id", "name"]);
static TIME: Members = members("a time", &["seconds"]);
static SPAN: Members = members("a length of time", &["seconds", "days"]);
static URL: Members = members("an address", &["scheme", "host", "port", "path", "segments", "query", "fragment"]);
static ANSWER: Members = members("an answer", &["status", "headers", "body", "json"]);

/// A client.
pub const CLIENT: Known = Known { one: One::Client, is_list: false };

/// What gives a client, of the functions of `clients::`.
const OF_CLIENTS: [&str; 6] = ["create", "get", "find", "update", "replace", "rotate_secret"];

/// A module, functions of it, and what they give.
type Gives = (&'static str, &'static [&'static str], Known);

const fn map(members: &'static Members) -> Known {
    Known { one: One::Map(members), is_list: false }
}

const fn list(one: One) -> Known {
    Known { one, is_list: true }
}

static GIVES: [Gives; 15] = [
    ("clients", &OF_CLIENTS, CLIENT),
    ("clients", &["list"], list(One::Client)),
    ("clients", &["create_all"], list(One::Map(&MADE))),
    ("clients", &["apply"], list(One::Map(&APPLIED))),
    ("clients", &["lint"], list(One::Map(&FINDING))),
    ("batch", &["create"], map(&RUN)),
    ("batch", &["list"], list(One::Map(&RUN))),
    ("tokens", &["client_credentials"], map(&TOKEN)),
    ("session", &["target"], map(&TARGET)),
    ("session", &["project"], map(&PROJECT)),
    ("session", &["workspace"], map(&WORKSPACE)),
    ("time", &["now", "parse"], map(&TIME)),
    ("time", &["duration"], map(&SPAN)),
    ("url", &["parse"], map(&URL)),
    ("http", &["get", "delete", "post", "put"], map(&ANSWER)),
];

/// What a function of a module gives.
pub fn given_by(module: &str, function: &str) -> Option<Known> {
    let gives = GIVES.iter().find(|(of, names, _)| *of == module && names.contains(&function));
    gives.map(|(.., known)| *known)
}

/// What comes of an operator between two.
pub fn worked_out(operator: &str, a: Known, b: Known) -> Option<Known> {
    let (time, span) = (map(&TIME), map(&SPAN));
    match (operator, a, b) {
        ("-", a, b) if a == time && b == time => Some(span),
        ("+" | "-", a, b) if a == time && b == span => Some(time),
        _ => None,
    }
}

impl Known {
    /// One of a list.
    pub fn entry(self) -> Option<Known> {
        self.is_list.then_some(Known { is_list: false, ..self })
    }

    /// What is in a member.
    pub fn member(self, name: &str) -> Option<Known> {
        let One::Map(members) = self.one else { return None };
        let (_, one) = members.within.iter().find(|(within, _)| *within == name && !self.is_list)?;
        Some(Known { one: *one, is_list: false })
    }
}
