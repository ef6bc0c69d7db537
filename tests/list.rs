//! Finding clients: conditions, order, columns, limits.

use serde_json::{Value, json};

use crate::support::{Orysh, Sandbox, Stub, anywhere, orysh};

fn ready() -> (Sandbox, Orysh) {
    let client = |n: usize| {
        let grants = if n.is_multiple_of(3) { json!(["implicit"]) } else { json!(["client_credentials"]) };
        json!({"client_id": format!("c{n:04}"), "client_name": format!("name {}", 700 - n), "grant_types": grants,
            "owner": if n < 5 { "few@example.org" } else { "" }})
    };
    let server = Sandbox::holding(&(0..700).map(client).collect::<Vec<_>>(), "--hash-iterations 1");
    let program = orysh(&server);
    (server, program)
}

fn lines(program: &Orysh, flags: &str) -> Vec<String> {
    program.run(&format!("list oauth2-clients {flags}")).quiet().stdout.lines().map(str::to_owned).collect()
}

#[test]
fn a_condition_goes_through_all_pages() {
    let (_server, program) = ready();
    let found = lines(&program, "-q --where 'c.grant_types.contains(\"implicit\")'");
    assert_eq!((found.len(), found[0].as_str(), found[233].as_str()), (234, "c0000", "c0699"));
    assert_eq!(lines(&program, "-q --where 'c.owner != \"\" && c.client_id > \"c0002\"'"), ["c0003", "c0004"]);
    assert_eq!(lines(&program, "-q --where false"), Vec::<String>::new());
    let ran = program.run("list clients --where false --format json").json();
    assert_eq!(ran["items"], json!([]));
}

#[test]
fn order_limit_and_columns() {
    let (_server, program) = ready();
    assert_eq!(lines(&program, "-q --limit 3"), ["c0000", "c0001", "c0002"]);
    assert_eq!(lines(&program, "-q --limit 3 --sort client_name"), ["c0699", "c0690", "c0600"]);
    assert_eq!(lines(&program, "-q --limit 2 --sort -client_id"), ["c0699", "c0698"]);
    assert_eq!(lines(&program, "-q --limit 600").len(), 600);
    // What has no value comes last, whichever way it is ordered.
    assert_eq!(lines(&program, "-q --sort -owner --limit 5 --where 'c.client_id < \"c0100\"'")[0], "c0000");
    let rows = lines(&program, "--limit 2 --columns client_name,client_id --format jsonl");
    assert_eq!(rows[0], "{\"client_name\":\"name 700\",\"client_id\":\"c0000\"}");
    let table = lines(&program, "--limit 1 --columns name --columns owner --format csv");
    assert_eq!(table, ["client_name,owner", "name 700,few@example.org"]);
    let json: Value = program.run("list clients --sort client_id --limit 1 --format json").json();
    assert_eq!(json["items"][0]["client_id"], "c0000");
}

#[test]
fn a_condition_that_is_none_or_fails_is_told() {
    let (_server, program) = ready();
    let list = "list clients -q --where";
    program.run(&format!("{list} 'c.owner =='")).fails(2, "--where");
    program.run(&format!("{list} 'let x = 1; x'")).fails(2, "--where");
    program.run(&format!("{list} 'c.ownr == 1'")).fails(1, "client `c0000`").tells("did you mean `owner`?");
    program.run(&format!("{list} 'c.owner'")).fails(1, "client `c0000`").tells("neither true nor false");
    let ran = program.run(&format!("{list} 'c.client_id != \"c0002\" || c.nope'"));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), "c0000\nc0001\n"), "{ran}");
    ran.tells("client `c0002`");
    program.run("list clients --columns client_nmae").fails(2, "did you mean `client_name`?");
    program.run("list clients --sort client_secret").fails(2, "a list has no `client_secret`");
    program.run("list clients --limit 0").fails(2, "--limit");
}

#[test]
fn numbers_and_durations_are_ordered_by_their_size() {
    let client = |(id, lifespan): (&str, &str)| match lifespan {
        "-" => json!({"client_id": id}),
        lifespan => json!({"client_id": id, "implicit_grant_id_token_lifespan": lifespan}),
    };
    let clients = [("a", "100h"), ("b", "90m"), ("c", "1h"), ("d", "2h"), ("e", "-")].map(client);
    let server = Sandbox::holding(&clients, "");
    let program = orysh(&server);
    assert_eq!(lines(&program, "-q --sort implicit_grant_id_token_lifespan"), ["c", "b", "d", "a", "e"]);
    assert_eq!(lines(&program, "-q --sort -implicit_grant_id_token_lifespan"), ["a", "d", "b", "c", "e"]);
}

#[test]
fn a_list_says_truly_whether_it_is_the_last_page() {
    let (_server, program) = ready();
    let trailer = |flags: &str| {
        let ran = program.run(&format!("list clients --format json {flags}")).json();
        (ran["is_last_page"].clone(), ran["next_page_token"].clone())
    };
    assert_eq!(trailer("--all").0, true);
    assert_eq!(trailer("--limit 3").0, false);
    assert_eq!(trailer("--limit 700 --all").0, true);
    let (is_last, token) = trailer("--page-size 100");
    assert_eq!(is_last, false);
    let rest = program.run(&format!("list clients --all -q --page-token {}", token.as_str().unwrap())).quiet().stdout;
    assert_eq!(rest.lines().count(), 600);
    assert_eq!(lines(&program, "--page-size 501 -q").len(), 500);
}

#[test]
fn a_list_that_breaks_off_says_where_and_how_to_go_on() {
    let first: Vec<Value> = (0..2).map(|n| json!({"client_id": format!("c{n}")})).collect();
    let page = Value::from(first).to_string();
    let first = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\
        Link: </admin/clients?page_size=2&page_token=second>; rel=\"next\"\r\n\r\n{page}",
        page.len()
    );
    let error = r#"{"error":"The page token is invalid","error_description":"expired"}"#;
    let expired = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{error}",
        error.len()
    );
    let broken =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\nConnection: close\r\n\r\n[{";
    for (second, how) in [(expired.as_str(), "--where 'c.client_id > \"c1\"'"), (broken, "--page-token second")] {
        let server = Stub::pages(&[("page_token=second", second), ("", &first)]);
        let ran = anywhere().run(&format!("list clients --all -q -e {} --timeout 3s", server.url));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), "c0\nc1\n"), "{ran}");
        ran.tells("stopped after 2 clients, the last of them `c1`").tells(how);
    }
}

#[test]
fn a_server_that_leads_round_in_a_circle_is_not_followed() {
    let page = "[{\"client_id\":\"a\"}]";
    let again = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\
        Link: </admin/clients?page_size=2&page_token=again>; rel=\"next\"\r\n\r\n{page}",
        page.len()
    );
    let server = Stub::answering(&again);
    let ran = anywhere().run(&format!("list clients --all -q -e {}", server.url));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), "a\n"), "{ran}");
    ran.tells("back to it");
}

#[test]
fn odd_ids_go_through_a_pipe() {
    let ids = [" a", "b ", "\"c\"", "\u{feff}f", "g", "-", "h\u{202e}i", "j\\k"];
    let clients: Vec<Value> = ids.iter().map(|id| json!({"client_id": id})).collect();
    let server = Sandbox::holding(&clients, "");
    let program = orysh(&server);
    let ran = program.sh("orysh list clients --all -q | orysh delete client - -q").ok();
    assert_eq!(ran.stdout.lines().count(), ids.len(), "{ran}");
    assert_eq!(server.clients(), Vec::<Value>::new());
}

#[test]
fn ten_thousand_ids_come_from_stdin() {
    let server = Sandbox::of_many(20, "");
    let ids: Vec<String> = (0..10_000).map(|n| format!("c{n:04}")).collect();
    let program = orysh(&server).input(&ids.join("\r\n"));
    let ran = program.run("get client - -q");
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(3), 20));
    assert_eq!(ran.stderr.matches("error: cannot get client").count(), 9_980);
}

#[test]
fn a_client_without_metadata_is_no_error_in_a_condition() {
    let clients = [json!({"client_id": "a", "metadata": {"tier": "gold"}}), json!({"client_id": "b"})];
    let server = Sandbox::holding(&clients, "");
    let program = orysh(&server);
    assert_eq!(lines(&program, "-q --where 'c.metadata.tier == \"gold\"'"), ["a"]);
}

#[test]
fn more_than_one_document_of_many_megabytes_is_read() {
    let server = Sandbox::start();
    let program = orysh(&server);
    let row = |n: usize| format!("{{\"client_id\":\"c{n}\",\"metadata\":{{\"x\":\"{}\"}}}}\n", "y".repeat(50_000));
    program.file("large.jsonl", &(0..120).map(row).collect::<String>());
    program.run("apply -f large.jsonl --dry-run -q").ok();
}

#[test]
fn a_condition_changes_nothing() {
    let server = Sandbox::of_many(2, "");
    let program = orysh(&server);
    for condition in [
        "clients::delete(c.client_id) == ()",
        "clients::create(#{client_name: c.client_id}).client_id != \"\"",
        "eval(\"true\")",
        "print(\"x\") == ()",
        "sleep(1) == ()",
        "c.reveal() == ()",
    ] {
        for command in ["list clients -q", "export clients"] {
            let ran = program.run(&format!("{command} --where '{condition}'"));
            assert!(ran.code != Some(0) && ran.stdout.is_empty(), "{condition}\n{ran}");
        }
    }
    assert_eq!((server.clients().len(), program.pending().len()), (2, 0));
}

#[test]
fn pages_that_are_too_large_are_asked_for_in_parts() {
    let client = |n: usize| json!({"client_id": format!("c{n:03}"), "metadata": {"x": "y".repeat(60_000)}});
    let server = Sandbox::holding(&(0..400).map(client).collect::<Vec<_>>(), "--hash-iterations 1");
    let program = orysh(&server);
    assert_eq!(lines(&program, "--all -q").len(), 400);
    assert_eq!(lines(&program, "-q --sort -client_id --limit 1"), ["c399"]);
    assert_eq!(program.run("export clients -q").quiet().stdout.lines().count(), 400);
}

#[test]
fn a_limit_ends_with_the_token_of_what_follows() {
    let (_server, program) = ready();
    let mut token = String::new();
    let mut found = 0;
    loop {
        let page = program.run(&format!("list clients --limit 300 --format json --page-token '{token}'")).json();
        found += page["items"].as_array().unwrap().len();
        if page["is_last_page"] == true {
            break;
        }
        token = page["next_page_token"].as_str().unwrap().to_owned();
    }
    assert_eq!(found, 700);
    let sorted = program.run("list clients --sort client_name --limit 2 --format json").json();
    assert_eq!(sorted["is_last_page"], false, "there are more");
}

#[test]
fn a_condition_that_takes_for_ever_is_interrupted() {
    let server = Sandbox::of_many(2, "");
    let program = orysh(&server);
    program.run("list clients -q --where '\"a\".pad(1000000000, \"b\") == ()'").fails(1, "client `c0000`");
    let running = program.begin("list clients -q --where '{ let x = 0; while x >= 0 { x += 1 } true }'");
    // What is no expression is refused at once.
    running.end().fails(2, "--where");
}
