use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::{Map, json};

use super::*;
use crate::error::Kind;
use crate::model::document::Document;
use crate::output::outcome::{Column, Row, Rows};
use crate::text::is_unsafe;

const COLUMNS: &[Column] = &[
    Column { title: "CLIENT ID", member: "client_id" },
    Column { title: "CLIENT SECRET", member: "client_secret" },
    Column { title: "GRANT TYPES", member: "grant_types" },
    Column { title: "SCOPE", member: "scope" },
    Column { title: "AUDIENCE", member: "audience" },
    Column { title: "REDIRECT URIS", member: "redirect_uris" },
];
const MEMBERS: &[&str] = &["client_id", "client_secret", "grant_types", "scope", "skip_consent", "metadata"];
const ID: &[Column] = &[Column { title: "ID", member: "" }];
const FORMATS: [&str; 10] = [
    "table",
    "json",
    "json-pretty",
    "yaml",
    "csv",
    "jsonl",
    "env",
    "jsonpath=@this",
    "jsonpath=$",
    "jsonpointer=/client_id",
];

fn client(id: &str, more: Value) -> Row {
    let mut object = Map::new();
    object.insert("client_id".into(), id.into());
    if let Value::Object(more) = more {
        object.extend(more);
    }
    Row::document(Document::new(object, |name| name == "client_secret"), "client_id")
}

fn created() -> Row {
    client(
        "g-1",
        json!({"client_secret": "it's canary", "grant_types": ["authorization_code", "refresh_token"], "scope": "core foobar",
            "redirect_uris": ["http://localhost/cb"], "skip_consent": false, "metadata": {"a": "x,\"y\""}}),
    )
}

fn uuid_client(last: char) -> Row {
    client(
        &format!("3f2a9c1e-5b7d-4e8f-9a0b-1c2d3e4f5a6{last}"),
        json!({"grant_types": ["authorization_code", "refresh_token"], "scope": "openid offline_access profile email",
            "audience": [], "redirect_uris": ["https://app.example.com/callback"]}),
    )
}

/// A list that records when it is pulled.
struct Paged {
    rows: VecDeque<Result<Row>>,
    trailer: Option<Trailer>,
    page: usize,
    before: Box<dyn FnMut(usize) + Send>,
    pulled: usize,
}

impl Paged {
    fn of(rows: impl IntoIterator<Item = Row>) -> Self {
        let rows = rows.into_iter().map(Ok).collect();
        Paged { rows, trailer: None, page: usize::MAX, before: Box::new(|_| {}), pulled: 0 }
    }
}

impl Rows for Paged {
    fn next(&mut self) -> Option<Result<Row>> {
        (self.before)(self.pulled);
        self.pulled += 1;
        self.rows.pop_front()
    }

    fn is_ready(&self) -> bool {
        self.pulled == 0 || !self.pulled.is_multiple_of(self.page)
    }

    fn trailer(&self) -> Option<Trailer> {
        self.trailer.clone()
    }
}

fn page(token: &str, rows: impl IntoIterator<Item = Row>) -> Outcome {
    let trailer = Some(Trailer::before(Some(token.into())));
    Outcome::list(Paged { trailer, ..Paged::of(rows) }, COLUMNS).with_members(MEMBERS.iter().copied())
}

fn many(rows: Vec<Result<Row>>) -> Outcome {
    Outcome::each(2, rows.into_iter(), COLUMNS).with_members(MEMBERS.iter().copied())
}

fn show_on(screen: Screen, format: &str, outcome: Outcome) -> String {
    let mut out = Vec::new();
    let format = Format::parse(format).unwrap();
    render(outcome, &format, false, &screen, &mut out, &mut |_| {}).unwrap();
    String::from_utf8(out).unwrap()
}

fn show(format: &str, outcome: Outcome) -> String {
    show_on(Screen::default(), format, outcome)
}

/// The same in each of several formats, one below the other.
fn shown_in(formats: &[&str], outcome: impl Fn() -> Outcome) -> String {
    let shown: Vec<_> = formats.iter().map(|format| format!("# {format}\n{}", show(format, outcome()))).collect();
    shown.concat()
}

fn terminal(width: usize) -> Screen {
    Screen { width: Some(width), is_terminal: true, all_by: "--format json", ..Screen::default() }
}

fn one(row: Row) -> Outcome {
    Outcome::one(row, COLUMNS).with_members(MEMBERS.iter().copied())
}

#[test]
fn one_row_in_every_format() {
    let all = shown_in(&FORMATS[..9], || one(created()));
    insta::assert_snapshot!(all, @r#"
    # table
    CLIENT ID	g-1
    CLIENT SECRET	it's canary
    GRANT TYPES	authorization_code, refresh_token
    SCOPE	core foobar
    AUDIENCE	
    REDIRECT URIS	http://localhost/cb
    # json
    {"client_id":"g-1","grant_types":["authorization_code","refresh_token"],"scope":"core foobar","redirect_uris":["http://localhost/cb"],"skip_consent":false,"metadata":{"a":"x,\"y\""},"client_secret":"it's canary"}
    # json-pretty
    {
      "client_id": "g-1",
      "grant_types": [
        "authorization_code",
        "refresh_token"
      ],
      "scope": "core foobar",
      "redirect_uris": [
        "http://localhost/cb"
      ],
      "skip_consent": false,
      "metadata": {
        "a": "x,\"y\""
      },
      "client_secret": "it's canary"
    }
    # yaml
    client_id: g-1
    grant_types:
    - authorization_code
    - refresh_token
    scope: core foobar
    redirect_uris:
    - http://localhost/cb
    skip_consent: false
    metadata:
      a: "x,\"y\""
    client_secret: "it's canary"
    # csv
    client_id,client_secret,grant_types,scope,skip_consent,metadata
    g-1,it's canary,"[""authorization_code"",""refresh_token""]",core foobar,false,"{""a"":""x,\""y\""""}"
    # jsonl
    {"client_id":"g-1","grant_types":["authorization_code","refresh_token"],"scope":"core foobar","redirect_uris":["http://localhost/cb"],"skip_consent":false,"metadata":{"a":"x,\"y\""},"client_secret":"it's canary"}
    # env
    CLIENT_ID=g-1
    CLIENT_SECRET='it'\''s canary'
    # jsonpath=@this
    {"client_id":"g-1","grant_types":["authorization_code","refresh_token"],"scope":"core foobar","redirect_uris":["http://localhost/cb"],"skip_consent":false,"metadata":{"a":"x,\"y\""},"client_secret":"it's canary"}
    # jsonpath=$
    {"client_id":"g-1","grant_types":["authorization_code","refresh_token"],"scope":"core foobar","redirect_uris":["http://localhost/cb"],"skip_consent":false,"metadata":{"a":"x,\"y\""},"client_secret":"it's canary"}
    "#);
    assert_eq!(show("jsonpath=client_id", one(created())), "g-1\n");
}

#[test]
fn several_rows_in_every_format() {
    let rows = || many(vec![Ok(created()), Err(Error::failed("gone")), Ok(client("g-2", Value::Null))]);
    let all = shown_in(
        &["table", "json", "json-pretty", "yaml", "csv", "jsonl", "jsonpath=#", "jsonpath=$[*].client_id"],
        rows,
    );
    insta::assert_snapshot!(all, @r#"
    # table
    CLIENT ID	CLIENT SECRET	GRANT TYPES	SCOPE	AUDIENCE	REDIRECT URIS
    g-1	it's canary	authorization_code, refresh_token	core foobar		http://localhost/cb
    g-2					
    # json
    [{"client_id":"g-1","grant_types":["authorization_code","refresh_token"],"scope":"core foobar","redirect_uris":["http://localhost/cb"],"skip_consent":false,"metadata":{"a":"x,\"y\""},"client_secret":"it's canary"},{"client_id":"g-2"}]
    # json-pretty
    [
      {
        "client_id": "g-1",
        "grant_types": [
          "authorization_code",
          "refresh_token"
        ],
        "scope": "core foobar",
        "redirect_uris": [
          "http://localhost/cb"
        ],
        "skip_consent": false,
        "metadata": {
          "a": "x,\"y\""
        },
        "client_secret": "it's canary"
      },
      {
        "client_id": "g-2"
      }
    ]
    # yaml
    - client_id: g-1
      grant_types:
      - authorization_code
      - refresh_token
      scope: core foobar
      redirect_uris:
      - http://localhost/cb
      skip_consent: false
      metadata:
        a: "x,\"y\""
      client_secret: "it's canary"
    - client_id: g-2
    # csv
    client_id,client_secret,grant_types,scope,skip_consent,metadata
    g-1,it's canary,"[""authorization_code"",""refresh_token""]",core foobar,false,"{""a"":""x,\""y\""""}"
    g-2,,,,,
    # jsonl
    {"client_id":"g-1","grant_types":["authorization_code","refresh_token"],"scope":"core foobar","redirect_uris":["http://localhost/cb"],"skip_consent":false,"metadata":{"a":"x,\"y\""},"client_secret":"it's canary"}
    {"client_id":"g-2"}
    # jsonpath=#
    2
    # jsonpath=$[*].client_id
    g-1
    g-2
    "#);
}

#[test]
fn a_page_in_every_format() {
    let rows = || page("tok", [client("g-1", json!({"scope": "a b"})), client("g-2", Value::Null)]);
    let all = shown_in(
        &[
            "table",
            "json",
            "json-pretty",
            "yaml",
            "csv",
            "jsonl",
            "jsonpath=items.#.client_id",
            "jsonpointer=/is_last_page",
        ],
        rows,
    );
    insta::assert_snapshot!(all, @r#"
    # table
    CLIENT ID	CLIENT SECRET	GRANT TYPES	SCOPE	AUDIENCE	REDIRECT URIS
    g-1			a b		
    g-2					

    NEXT PAGE TOKEN	tok
    IS LAST PAGE	false
    # json
    {"items":[{"client_id":"g-1","scope":"a b"},{"client_id":"g-2"}],"next_page_token":"tok","is_last_page":false}
    # json-pretty
    {
      "items": [
        {
          "client_id": "g-1",
          "scope": "a b"
        },
        {
          "client_id": "g-2"
        }
      ],
      "next_page_token": "tok",
      "is_last_page": false
    }
    # yaml
    items:
    - client_id: g-1
      scope: a b
    - client_id: g-2
    next_page_token: tok
    is_last_page: false
    # csv
    client_id,client_secret,grant_types,scope,skip_consent,metadata
    g-1,,,a b,,
    g-2,,,,,
    # jsonl
    {"client_id":"g-1","scope":"a b"}
    {"client_id":"g-2"}
    # jsonpath=items.#.client_id
    ["g-1","g-2"]
    # jsonpointer=/is_last_page
    false
    "#);
}

#[test]
fn nothing_in_every_format() {
    let empty = |format: &str| {
        (
            show(format, Outcome::list(Paged::of([]), COLUMNS).with_members(MEMBERS.iter().copied())),
            show(format, many(vec![])),
        )
    };
    assert_eq!(
        empty("json"),
        ("{\"items\":[],\"next_page_token\":\"\",\"is_last_page\":true}\n".into(), "[]\n".into())
    );
    assert_eq!(empty("yaml"), ("items: []\nnext_page_token: \"\"\nis_last_page: true\n".into(), "[]\n".into()));
    assert_eq!(empty("jsonl"), (String::new(), String::new()));
    assert_eq!(empty("csv").0, "client_id,client_secret,grant_types,scope,skip_consent,metadata\n");
    for format in ["json", "json-pretty"] {
        let (list, several) = empty(format);
        assert_eq!(serde_json::from_str::<Value>(&list).unwrap()["items"], json!([]));
        assert_eq!(serde_json::from_str::<Value>(&several).unwrap(), json!([]));
    }
    assert_eq!(show_on(terminal(80), "table", Outcome::list(Paged::of([]), COLUMNS)), "(no rows)\n");
    for format in FORMATS {
        let failed = Outcome::each(1, std::iter::once(Err(Error::failed("gone"))), COLUMNS);
        let printed = show(format, failed);
        assert_eq!(printed, "", "{format}");
        assert_eq!(show(format, Outcome::nothing()), "", "{format}");
    }
}

#[test]
fn a_row_that_is_an_id_shows_itself() {
    let ids = || Outcome::one(Row::id("g-3"), ID);
    assert_eq!(show("table", ids()), "ID\tg-3\n");
    assert_eq!(show("json", ids()), "\"g-3\"\n");
    assert_eq!(show("yaml", ids()), "g-3\n");
    assert_eq!(show("csv", ids()), "id\ng-3\n");
    assert_eq!(show("env", ids()), "ID=g-3\n");
    let both = Outcome::each(2, [Row::id("g-5"), Row::id("g-6")].into_iter().map(Ok), ID);
    assert_eq!(show("json", both), "[\"g-5\",\"g-6\"]\n");
}

#[test]
fn without_columns_every_member_is_shown() {
    let row = || Row::value(json!({"active": false, "expires_at": 1, "ext": {"a": [1]}}));
    assert_eq!(show("table", Outcome::one(row(), &[])), "ACTIVE\tfalse\nEXPIRES AT\t1\nEXT\t{\"a\":[1]}\n");
    assert_eq!(show("csv", Outcome::one(row(), &[])), "active,expires_at,ext\nfalse,1,\"{\"\"a\"\":[1]}\"\n");
    assert_eq!(show("env", Outcome::one(row(), &[])), "ACTIVE=false\nEXPIRES_AT=1\n");
}

#[test]
fn a_terminal_of_80_and_of_40_columns_and_without_end() {
    let rows = || page("tok", [uuid_client('0'), client("short", json!({"scope": "日本語 x"}))]);
    insta::assert_snapshot!(show_on(terminal(80), "table", rows()), @"
    CLIENT ID                             GRANT TYPES           SCOPE
    3f2a9c1e-5b7d-4e8f-9a0b-1c2d3e4f5a60  authorization_code,   openid
                                          refresh_token         offline_access
                                                                profile email
    short                                                       日本語 x
    (2 columns hidden: AUDIENCE, REDIRECT URIS; --format json shows all)

    NEXT PAGE TOKEN  tok
    IS LAST PAGE     false
    ");
    insta::assert_snapshot!(show_on(terminal(40), "table", rows()), @"
    CLIENT ID
    3f2a9c1e-5b7d-4e8f-9a0b-1c2d3e4f5a60
    short
    (4 columns hidden: GRANT TYPES, SCOPE,
    AUDIENCE, REDIRECT URIS; --format json
    shows all)

    NEXT PAGE TOKEN  tok
    IS LAST PAGE     false
    ");
    insta::assert_snapshot!(show_on(Screen { width: None, ..terminal(0) }, "table", rows()), @"
    CLIENT ID                             GRANT TYPES                        SCOPE                                AUDIENCE  REDIRECT URIS
    3f2a9c1e-5b7d-4e8f-9a0b-1c2d3e4f5a60  authorization_code, refresh_token  openid offline_access profile email            https://app.example.com/callback
    short                                                                    日本語 x

    NEXT PAGE TOKEN  tok
    IS LAST PAGE     false
    ");
    insta::assert_snapshot!(show_on(terminal(120), "table", many(vec![Ok(created())])), @"
    CLIENT ID  CLIENT SECRET  GRANT TYPES                        SCOPE        AUDIENCE  REDIRECT URIS
    g-1        it's canary    authorization_code, refresh_token  core foobar            http://localhost/cb
    ");
}

#[test]
fn one_row_on_a_terminal_wraps_under_its_column() {
    insta::assert_snapshot!(show_on(terminal(40), "table", one(uuid_client('0'))), @"
    CLIENT ID      3f2a9c1e-5b7d-4e8f-9a0b-1c2d3e4f5a60
    GRANT TYPES    authorization_code,
                   refresh_token
    SCOPE          openid offline_access
                   profile email
    AUDIENCE
    REDIRECT URIS  https://app.example.com/callback
    ");
    let colored = show_on(Screen { color: true, ..terminal(80) }, "table", one(created()));
    assert!(colored.starts_with("\u{1b}[1mCLIENT ID\u{1b}[0m"), "{colored}");
}

#[test]
fn what_a_server_sends_moves_no_cursor_and_ends_no_cell() {
    let evil =
        || client("\u{1b}]0;x\u{7}\u{9b}2J\t\n\u{202e}", json!({"scope": "\u{1b}[31m", "\u{1b}[2J": ["\u{9b}"]}));
    for format in FORMATS {
        for outcome in [one(evil()), Outcome::one(evil(), &[]), page("\u{1b}c", [evil()])] {
            if Format::parse(format).unwrap().fits(outcome.shape).is_err() {
                continue;
            }
            let mut out = Vec::new();
            let _ = render(outcome, &Format::parse(format).unwrap(), false, &terminal(40), &mut out, &mut |_| {});
            let text = String::from_utf8(out).unwrap();
            assert!(!text.contains(|c| c != '\n' && is_unsafe(c)), "{format}: {text:?}");
        }
    }
    let tabbed = show("table", many(vec![Ok(evil())]));
    assert!(tabbed.lines().all(|line| line.matches('\t').count() == COLUMNS.len() - 1), "{tabbed}");
    let mut out = Vec::new();
    render(one(evil()), &Format::Json, true, &Screen::default(), &mut out, &mut |_| {}).unwrap();
    assert_eq!(String::from_utf8(out).unwrap().lines().count(), 1);
}

#[test]
fn big_integers_stay() {
    let row = || Row::value(serde_json::from_str(r#"{"n":123456789012345678901234567890}"#).unwrap());
    for format in
        ["table", "json", "json-pretty", "yaml", "csv", "jsonl", "env", "jsonpath=n", "jsonpath=$.n", "jsonpointer=/n"]
    {
        let printed = show(format, Outcome::one(row(), &[]));
        assert!(printed.contains("123456789012345678901234567890"), "{format}: {printed}");
    }
}

/// What happened, in order.
type Log = Arc<Mutex<Vec<String>>>;

/// A writer that logs what arrives and when it is flushed, and breaks after `left` bytes.
struct Recorder {
    log: Log,
    left: usize,
    kind: io::ErrorKind,
}

impl Recorder {
    fn new(log: &Log) -> Self {
        Recorder { log: log.clone(), left: usize::MAX, kind: io::ErrorKind::BrokenPipe }
    }
}

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left < bytes.len() {
            return Err(self.kind.into());
        }
        self.left -= bytes.len();
        self.log.lock().unwrap().push(format!("write {}", String::from_utf8_lossy(bytes).trim_end()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.log.lock().unwrap().push("flush".into());
        Ok(())
    }
}

fn logged(log: &Log, id: &str) -> Row {
    let (log, name) = (log.clone(), id.to_owned());
    let after = Box::new(move || {
        log.lock().unwrap().push(format!("after {name}"));
        Ok(())
    });
    client(id, Value::Null).pending(Pending {
        afterwards: after,
        secret: None,
        what: id.to_owned(),
        place: "a file".into(),
    })
}

fn afters(log: &Log) -> Vec<String> {
    log.lock().unwrap().iter().filter(|entry| entry.starts_with("after")).cloned().collect()
}

#[test]
fn afterwards_comes_after_write_and_flush_of_its_row() {
    let log = Log::default();
    let rows = vec![Ok(logged(&log, "a")), Ok(logged(&log, "b"))];
    render(many(rows), &Format::Json, true, &Screen::default(), &mut Recorder::new(&log), &mut |_| {}).unwrap();
    assert_eq!(*log.lock().unwrap(), ["write a", "flush", "after a", "write b", "flush", "after b"]);
    for format in FORMATS {
        for screen in [Screen::default(), terminal(80)] {
            let log = Log::default();
            let format = Format::parse(format).unwrap();
            render(one(logged(&log, "a")), &format, false, &screen, &mut Recorder::new(&log), &mut |_| {}).unwrap();
            let log = log.lock().unwrap();
            assert!(log[0].contains('a') && log[1] == "flush" && log[2] == "after a", "{format:?} {log:?}");
        }
    }
}

#[test]
fn a_row_that_could_not_be_written_keeps_its_secret_s_file() {
    for format in FORMATS {
        for (kind, screen) in
            [(io::ErrorKind::BrokenPipe, Screen::default()), (io::ErrorKind::StorageFull, terminal(80))]
        {
            let log = Log::default();
            let mut out = Recorder { left: 0, kind, ..Recorder::new(&log) };
            let format = Format::parse(format).unwrap();
            let error = render(one(logged(&log, "a")), &format, false, &screen, &mut out, &mut |_| {}).unwrap_err();
            let source = std::error::Error::source(&error).unwrap().downcast_ref::<io::Error>().unwrap();
            assert_eq!((error.kind(), source.kind()), (Kind::Failed, kind));
            assert_eq!(afters(&log), [""; 0], "{format:?}");
        }
    }
}

#[test]
fn a_path_that_matches_nothing_fails_and_keeps_the_secret_s_file() {
    let log = Log::default();
    let format = Format::parse("jsonpath=nothing").unwrap();
    let mut out = Vec::new();
    let error = render(one(logged(&log, "a")), &format, false, &Screen::default(), &mut out, &mut |_| {}).unwrap_err();
    assert_eq!(error.kind(), Kind::Failed);
    assert!(error.message().contains("`nothing`"));
    assert_eq!((afters(&log).len(), out.len()), (0, 0));
}

#[test]
fn a_closed_pipe_ends_a_list_quietly() {
    let log = Log::default();
    let mut out = Recorder { left: 3, ..Recorder::new(&log) };
    let rows = page("tok", (0..5).map(|at| client(&format!("a{at}"), Value::Null)));
    let rendered = render(rows, &Format::Json, true, &Screen::default(), &mut out, &mut |_| {}).unwrap();
    assert!(rendered.rows >= 1);
    let rows = vec![Ok(logged(&log, "a0")), Ok(logged(&log, "a1"))];
    let mut out = Recorder { left: 3, ..Recorder::new(&log) };
    assert!(render(many(rows), &Format::Jsonl, true, &Screen::default(), &mut out, &mut |_| {}).is_err());
    assert_eq!(afters(&log), ["after a0"]);
}

#[test]
fn what_is_there_is_shown_before_a_wait() {
    for format in ["table", "json", "json-pretty", "yaml", "csv", "jsonl"] {
        for screen in [Screen::default(), terminal(80)] {
            let log = Log::default();
            let seen = log.clone();
            let mut rows = Paged::of((0..6).map(|at| client(&format!("id-{at}"), Value::Null)));
            rows.page = 2;
            rows.before = Box::new(move |pulled| {
                let text = seen.lock().unwrap().concat();
                // The first row at once where a row streams; a page at the latest before the next one is fetched.
                let due = if pulled == 1 && !screen.is_terminal { 1 } else { pulled / 2 * 2 };
                (0..due).for_each(|at| assert!(text.contains(&format!("id-{at}")), "{pulled}: {text}"));
            });
            let outcome = Outcome::list(rows, COLUMNS).with_members(MEMBERS.iter().copied());
            let format = Format::parse(format).unwrap();
            let rendered = render(outcome, &format, false, &screen, &mut Recorder::new(&log), &mut |_| {}).unwrap();
            assert_eq!(rendered.rows, 6);
        }
    }
}

#[test]
fn a_terminal_s_table_takes_its_widths_from_the_first_hundred_rows() {
    let text = show_on(terminal(80), "table", page("tok", (0..250).map(|at| client(&format!("id-{at}"), Value::Null))));
    assert_eq!(text.lines().filter(|line| line.starts_with("id-")).count(), 250);
    assert_eq!(text.matches("CLIENT ID").count(), 1);
}

#[test]
fn an_error_ends_a_list_and_stands_for_a_row_elsewhere() {
    let rows = || vec![Ok(client("a", Value::Null)), Err(Error::denied("no")), Ok(client("b", Value::Null))];
    let mut told = Vec::new();
    let mut out = Vec::new();
    let mut tell = |error: &Error| told.push(error.message().to_owned());
    let rendered = render(many(rows()), &Format::Jsonl, false, &Screen::default(), &mut out, &mut tell).unwrap();
    assert_eq!((rendered.rows, rendered.failures.len(), told), (2, 1, vec!["no".to_owned()]));
    for screen in [Screen::default(), terminal(80)] {
        let list = Outcome::list(Paged { rows: rows().into(), ..Paged::of([]) }, COLUMNS);
        let mut out = Vec::new();
        let error = render(list, &Format::Table, false, &screen, &mut out, &mut |_| {}).unwrap_err();
        assert_eq!(error.kind(), Kind::Denied);
        assert!(String::from_utf8(out).unwrap().contains("\na"));
    }
}

#[test]
fn env_refuses_several_before_anything_is_pulled() {
    let mut rows = Paged::of([]);
    rows.before = Box::new(|_| panic!("pulled"));
    let mut out = Vec::new();
    let error =
        render(Outcome::list(rows, &[]), &Format::Env, false, &Screen::default(), &mut out, &mut |_| {}).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
}

/// A new client, whose secret nobody has seen.
fn new(log: &Log, id: &str, secret: &str) -> Row {
    let row = client(id, json!({"client_secret": secret}));
    let Row { pending: Some(pending), .. } = logged(log, id) else { panic!("nothing is kept") };
    row.pending(Pending { secret: Some(crate::secret::Secret::new(secret)), ..pending })
}

#[test]
fn a_secret_that_is_not_in_the_output_stays_on_disk() {
    let secret = "s".repeat(40);
    for (format, quiet, is_seen) in [
        ("table", false, true),
        ("json", false, true),
        ("env", false, true),
        ("csv", false, true),
        ("table", true, false),
        ("jsonpath=client_id", false, false),
        ("jsonpath=client_secret", false, true),
    ] {
        for screen in [Screen::default(), terminal(200), terminal(20)] {
            let log = Log::default();
            let format = Format::parse(format).unwrap();
            let outcome = one(new(&log, "a", &secret));
            let rendered = render(outcome, &format, quiet, &screen, &mut Vec::new(), &mut |_| {}).unwrap();
            assert_eq!(afters(&log).len(), usize::from(is_seen), "{format:?}");
            assert_eq!(rendered.unseen.len(), usize::from(!is_seen), "{format:?}");
        }
    }
}

#[test]
fn a_terminal_s_table_shows_every_secret_whole() {
    let secret = "s".repeat(40);
    for (width, others) in [(200, 0), (40, 0), (20, 0), (200, 120), (40, 120)] {
        let log = Log::default();
        let plain = (0..others).map(|at| Ok(client(&format!("id-{at}"), Value::Null)));
        let rows = plain.chain([Ok(new(&log, "last", &secret))]).collect();
        let mut out = Vec::new();
        let rendered = render(many(rows), &Format::Table, false, &terminal(width), &mut out, &mut |_| {}).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(&secret) && !text.contains("hidden: CLIENT SECRET"), "{text}");
        assert_eq!((afters(&log).len(), rendered.unseen.len()), (1, 0), "{width} {others}");
    }
}

#[test]
fn rows_that_wait_for_a_server_are_shown_one_by_one() {
    for format in ["table", "json", "yaml", "csv", "jsonl"] {
        for screen in [Screen::default(), terminal(80)] {
            let log = Log::default();
            let seen = log.clone();
            let rows = (0..3).map(move |at| {
                let text = seen.lock().unwrap().concat();
                (0..at).for_each(|before| assert!(text.contains(&format!("id-{before}")), "{at}: {text}"));
                Ok(client(&format!("id-{at}"), Value::Null))
            });
            let outcome = Outcome::many(rows, COLUMNS).slow();
            let format = Format::parse(format).unwrap();
            render(outcome, &format, false, &screen, &mut Recorder::new(&log), &mut |_| {}).unwrap();
        }
    }
}
