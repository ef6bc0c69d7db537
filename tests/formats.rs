//! What is printed, and when.

use std::io::{BufRead as _, BufReader, Read as _};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Sandbox, orysh};

#[test]
fn a_list_shows_its_first_row_before_the_last_page_is_fetched() {
    let server = Sandbox::of_many(1_200, "--latency 500ms");
    for format in ["jsonl", "csv", "table", "json"] {
        let program = orysh(&server);
        let mut running = program.begin(&format!("list clients --all --format {format}"));
        let mut output = BufReader::new(running.stdout.take().unwrap());
        let mut first = [0; 1];
        output.read_exact(&mut first).unwrap();
        let shown = Instant::now();
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        // Two more pages, half a second each.
        assert!(shown.elapsed() > Duration::from_millis(500), "{format}: {:?}", shown.elapsed());
        assert_eq!(rest.matches("client 1199").count(), usize::from(format != "table"), "{format}");
        assert!(rest.contains("c1199"), "{format}");
        running.end().ok();
    }
}

#[test]
fn a_reader_that_has_enough_ends_a_list_quietly() {
    let server = Sandbox::of_many(1_200, "");
    let program = orysh(&server);
    for format in ["jsonl", "csv", "table", "json"] {
        let mut running = program.begin(&format!("list clients --all --format {format}"));
        let mut output = BufReader::new(running.stdout.take().unwrap());
        let mut line = vec![0; 100];
        output.read_exact(&mut line).unwrap();
        drop(output);
        assert_eq!(running.end().quiet().stdout, "", "{format}");
    }
    let head = program.sh("orysh list clients --all -q | head -1").quiet();
    assert_eq!(head.stdout, "c0000\n");
}

#[test]
fn a_page_ends_with_where_to_go_on() {
    let server = Sandbox::of_many(5, "");
    let program = orysh(&server);
    let page = program.run("list clients --page-size 3 --format json").json();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["is_last_page"]), (3, &json!(false)));
    let token = page["next_page_token"].as_str().unwrap();
    let page = program.run(&format!("list clients --page-size 3 --page-token '{token}' --format json")).json();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["is_last_page"]), (2, &json!(true)));
    let ids = program.run("list clients --all --page-size 2 -q").quiet().stdout;
    assert_eq!(ids, "c0000\nc0001\nc0002\nc0003\nc0004\n");
}

#[test]
fn a_pipe_gets_a_table_without_colour_that_is_separated_by_tabs_and_not_cut() {
    let server = Sandbox::start();
    let scope = "long".repeat(50);
    let table = orysh(&server).run(&format!("create client --id c --scope {scope}")).quiet().stdout;
    let client: Vec<Vec<&str>> = table.lines().map(|line| line.split('\t').collect()).collect();
    assert!(client.contains(&vec!["CLIENT ID", "c"]), "{table:?}");
    assert!(client.contains(&vec!["SCOPE", &scope]), "{table:?}");
    assert!(!table.contains('\u{1b}'), "{table:?}");
    let list = orysh(&server).run("list clients").quiet().stdout;
    assert!(list.starts_with("CLIENT ID\t"), "{list:?}");
    assert!(list.contains(&scope));
}

#[test]
fn colour_can_be_asked_for_and_put_off() {
    let server = Sandbox::of_many(1, "");
    let program = orysh(&server);
    for (flag, is_coloured) in [("--color always", true), ("--color never", false), ("", false)] {
        let told = program.run(&format!("get client absent {flag}")).fails(1, "absent").stderr;
        assert_eq!(told.contains('\u{1b}'), is_coloured, "{flag}: {told:?}");
        let help = program.run(&format!("help {flag}")).quiet().stdout;
        assert_eq!(help.contains('\u{1b}'), is_coloured, "{flag}: {help:?}");
    }
}

#[test]
fn env_is_read_back_by_a_shell() {
    let server = Sandbox::start();
    let program = orysh(&server);
    let line =
        "eval \"$(orysh create client --id \"it's\" --format env)\"; printf '%s %s' \"$CLIENT_ID\" \"$CLIENT_SECRET\"";
    let read = program.sh(line).quiet().stdout;
    let (id, secret) = read.rsplit_once(' ').unwrap();
    assert!(server.accepts(&json!(id), &json!(secret)));
    assert_eq!(id, "it's");
}

#[test]
fn every_format_shows_the_client() {
    let server =
        Sandbox::holding(&[json!({"client_id": "c", "client_name": "name", "redirect_uris": ["http://a/"]})], "");
    let program = orysh(&server);
    for (format, expected) in [
        ("jsonpath=client_name", "name\n"),
        ("jsonpath=redirect_uris.0", "http://a/\n"),
        ("'jsonpath=$.redirect_uris[0]'", "http://a/\n"),
        ("jsonpath=redirect_uris", "[\"http://a/\"]\n"),
        ("jsonpointer=/client_name", "name\n"),
        ("jsonpointer=/redirect_uris/0", "http://a/\n"),
        ("env", "CLIENT_ID=c\n"),
    ] {
        assert_eq!(program.run(&format!("get client c --format {format}")).quiet().stdout, expected, "{format}");
    }
    assert_eq!(program.run("get client c -q").quiet().stdout, "c\n");
    let one_line = program.run("get client c --format json").quiet().stdout;
    assert_eq!(one_line.lines().count(), 1);
    let pretty = program.run("get client c --format json-pretty").quiet().stdout;
    assert!(pretty.lines().count() > 10);
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(parsed(&one_line), parsed(&pretty));
    assert!(program.run("get client c --format yaml").quiet().stdout.contains("client_name: name\n"));
}

#[test]
fn csv_has_a_header_and_quotes_what_needs_it() {
    let server = Sandbox::holding(&[json!({"client_id": "c", "client_name": "a, \"b\"\nc"})], "");
    let csv = orysh(&server).run("list clients --format csv").quiet().stdout;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let at = reader.headers().unwrap().iter().position(|name| name == "client_name").unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!((rows.len(), &rows[0][at]), (1, "a, \"b\"\nc"));
}

#[test]
fn jsonl_is_a_client_a_line() {
    let server = Sandbox::of_many(3, "");
    let lines = orysh(&server).run("list clients --format jsonl").quiet().stdout;
    let ids: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["client_id"].clone()).collect();
    assert_eq!(ids, ["c0000", "c0001", "c0002"]);
}

#[test]
fn the_sandbox_tells_its_addresses_one_a_line() {
    let program = crate::support::anywhere();
    let mut running = program.begin("sandbox serve --memory --admin 127.0.0.1:0 --public 127.0.0.1:0");
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with("admin http://127.0.0.1:"));
    assert!(lines.next().unwrap().starts_with("public http://127.0.0.1:"));
    running.signal(rustix::process::Signal::TERM);
    running.end().quiet();
}
