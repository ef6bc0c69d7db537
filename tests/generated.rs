//! Properties over generated clients and over the whole field table.

use orysh::model::fields::{FIELDS, Field, Item, Kind, SetBy};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::support::{Sandbox, orysh};

/// The fields that a caller may set one by one, without the others that each goes with.
fn free_fields() -> Vec<&'static Field> {
    let tied =
        ["client_id", "token_endpoint_auth_method", "jwks", "sector_identifier_uri", "response_types", "grant_types"];
    let is_free = |field: &&Field| field.set_by == SetBy::Caller && !field.secret && !tied.contains(&field.json);
    FIELDS.iter().filter(is_free).collect()
}

/// A value of the field that servers take; different for each `n`.
fn value(field: &Field, n: u64) -> Value {
    let uri = |path: &str| json!(format!("https://app.example.org/{path}{n}"));
    match field.kind {
        Kind::Uri => uri(field.json),
        Kind::List(Item::Uri) if field.json == "allowed_cors_origins" => json!([format!("https://app{n}.example.org")]),
        Kind::List(Item::Uri) => json!([uri("a"), uri("b")]),
        Kind::List(_) => json!([format!("entry-{n}"), "entry"]),
        Kind::Words => json!(format!("openid scope{n}")),
        Kind::Bool => json!(true),
        Kind::Json => json!({"n": n, "nested": {"list": [n, null, "x"]}}),
        Kind::Duration => json!(format!("{}m", 61 + n)),
        Kind::Choice(choices) => json!(choices[0]),
        _ => json!(format!("text {n} – \"ü\" \\")),
    }
}

/// A client with some of the fields set.
fn client(id: &str, chosen: &[(usize, u64)]) -> Map<String, Value> {
    let fields = free_fields();
    let mut client = Map::from_iter([("client_id".to_owned(), json!(id))]);
    for (at, n) in chosen {
        let field = fields[at % fields.len()];
        client.insert(field.json.to_owned(), value(field, *n));
    }
    // Where one logs out to has to be where one comes back to.
    client.insert("redirect_uris".into(), json!(["https://app.example.org/cb"]));
    client
}

fn without_server_fields(clients: Vec<Value>) -> Vec<Value> {
    let strip = |mut client: Value| {
        for field in FIELDS.iter().filter(|field| field.set_by == SetBy::Server) {
            client.as_object_mut().unwrap().remove(field.json);
        }
        client
    };
    clients.into_iter().map(strip).collect()
}

#[test]
fn each_field_is_changed_by_itself() {
    let server = Sandbox::start();
    let program = orysh(&server);
    let all: Vec<(usize, u64)> = (0..free_fields().len()).map(|at| (at, 1)).collect();
    assert_eq!(server.make(&Value::Object(client("full", &all))).status, 201);
    for field in free_fields() {
        let before = server.client("full");
        for content in [json!({field.json: value(field, 2)}), json!({field.json: value(field, 1)})] {
            program.file("change.json", &content.to_string());
            program.run("update client full --file change.json --no-lint").ok();
            let after = server.client("full");
            for other in FIELDS.iter().filter(|other| other.json != field.json && other.json != "updated_at") {
                assert_eq!(before.get(other.json), after.get(other.json), "{} changed {}", field.json, other.json);
            }
        }
        // Where one logs out to has to be where one comes back to.
        if field.json != "redirect_uris" {
            program.run(&format!("patch client full '{{\"{}\": null}}'", field.json)).ok();
        }
        program.file("change.json", &json!({field.json: before[field.json]}).to_string());
        program.run("update client full --file change.json --no-lint").ok();
        let (mut before, mut after) = (before, server.client("full"));
        for state in [&mut before, &mut after] {
            state.as_object_mut().unwrap().remove("updated_at");
        }
        assert_eq!(before, after, "{} does not come back", field.json);
    }
}

/// Sets of up to five clients: for each the places of its fields and the values there.
fn sets() -> impl Strategy<Value = Vec<Vec<(usize, u64)>>> {
    prop::collection::vec(prop::collection::vec((0..100usize, 0..50u64), 0..8), 1..5)
}

#[test]
fn a_second_apply_writes_nothing_and_an_export_makes_equal_clients() {
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let result = runner.run(&sets(), |set| {
        let clients: Vec<Value> =
            set.iter().enumerate().map(|(at, chosen)| Value::Object(client(&format!("c{at}"), chosen))).collect();
        let server = Sandbox::start();
        let program = orysh(&server);
        program.file("set.json", &json!(clients).to_string());
        program.run("apply -f set.json --no-lint").ok().tells(&format!("{} created", clients.len()));
        let made = server.clients();
        program.run("apply -f set.json --no-lint").ok().tells("0 created, 0 changed");
        prop_assert_eq!(server.clients(), made.clone());
        for (format, command) in [("jsonl", "import clients exported.jsonl"), ("yaml", "apply -f exported.yaml")] {
            let again = Sandbox::start();
            let other = orysh(&again);
            let exported = program.run(&format!("export clients --format {format}")).quiet().stdout;
            other.file(&format!("exported.{format}"), &exported);
            let format = if command.starts_with("import") { "--format jsonl" } else { "" };
            other.run(&format!("{command} --no-lint {format}")).ok();
            prop_assert_eq!(without_server_fields(again.clients()), without_server_fields(made.clone()));
        }
        Ok(())
    });
    result.unwrap();
}
