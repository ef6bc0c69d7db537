//! Files of clients: applied, imported, exported, compared, checked.

use serde_json::{Value, json};

use crate::support::{Orysh, Sandbox, Stub, anywhere, orysh};

const CLIENTS: &str = "\
client_id: web
client_name: Web
redirect_uris: [https://app.example.org/cb]
scope: openid offline
---
- client_id: job
  grant_types: [client_credentials]
  response_types: []
  client_credentials_grant_access_token_lifespan: 90m
- client_id: spa
  token_endpoint_auth_method: none
  redirect_uris: [https://spa.example.org/cb]
";

fn ready() -> (Sandbox, Orysh) {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("clients.yaml", CLIENTS);
    (server, program)
}

fn actions(program: &Orysh, flags: &str) -> Vec<String> {
    let rows = program.run(&format!("apply -f clients.yaml --format json {flags}")).json();
    let rows = rows.as_array().unwrap();
    rows.iter()
        .map(|row| format!("{} {}", row["client_id"].as_str().unwrap(), row["action"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_second_run_sends_nothing() {
    let (server, program) = ready();
    let made = program.run("apply -f clients.yaml --format json").tells("3 created, 0 changed, 0 unchanged").json();
    assert!(server.accepts(&json!("job"), &made[1]["client_secret"]));
    assert_eq!((made[2].get("client_secret"), program.pending().len()), (None, 0));
    let before = server.clients();
    program.run("apply -f clients.yaml").ok().tells("0 created, 0 changed, 3 unchanged");
    assert_eq!(server.clients(), before);
    program.run("apply -f clients.yaml --diff --detailed-exitcode").ok();
}

#[test]
fn what_differs_is_changed_and_shown() {
    let (server, program) = ready();
    actions(&program, "");
    let before = server.clients();
    program.file("clients.yaml", &CLIENTS.replace("client_name: Web", "client_name: Shop").replace("90m", "1h30m"));
    let ran = program.run("apply -f clients.yaml --diff --detailed-exitcode");
    assert_eq!(ran.code, Some(5), "{ran}");
    ran.tells("-     client_name: \"Web\"\n+     client_name: \"Shop\"\n").tells("0 created, 1 changed");
    assert_eq!(program.run("apply -f clients.yaml --dry-run --detailed-exitcode -q").code, Some(5));
    assert_eq!(server.clients(), before, "a plan writes nothing");
    assert_eq!(actions(&program, ""), ["web changed", "job unchanged", "spa unchanged"]);
    assert_eq!(server.client("web")["client_name"], "Shop");
    assert_eq!(server.client("web")["scope"], "openid offline");
}

#[test]
fn a_secret_is_touched_only_where_it_is_another() {
    let server = Sandbox::start();
    let program = orysh(&server).with("HYDRA_PUBLIC_URL", &server.public);
    program.file("clients.yaml", "client_id: a\nclient_secret: first-secret\n");
    assert_eq!(actions(&program, ""), ["a created"]);
    assert_eq!(actions(&program, ""), ["a unchanged"]);
    program.file("clients.yaml", "client_id: a\nclient_name: x\n");
    assert_eq!(actions(&program, ""), ["a changed"]);
    assert!(server.accepts(&json!("a"), &json!("first-secret")));
    program.file("clients.yaml", "client_id: a\nclient_secret: second-secret\n");
    assert_eq!(actions(&program, ""), ["a changed"]);
    assert!(server.accepts(&json!("a"), &json!("second-secret")));
}

#[test]
fn many_clients_are_found_by_listing() {
    let server = Sandbox::of_many(1200, "");
    let program = orysh(&server);
    let rows: Vec<String> =
        (1100..1250).map(|n| format!("{{\"client_id\": \"c{n:04}\", \"client_name\": \"client {n}\"}}")).collect();
    program.file("clients.jsonl", &rows.join("\n"));
    program.run("apply -f clients.jsonl").ok().tells("50 created, 0 changed, 100 unchanged");
    program.run("apply -f clients.jsonl").ok().tells("0 created, 0 changed, 150 unchanged");
}

#[test]
fn only_what_the_set_made_is_pruned() {
    let (server, program) = ready();
    server.make(&json!({"client_id": "theirs", "metadata": {"orysh_set": "other"}}));
    server.make(&json!({"client_id": "web", "client_name": "Web", "metadata": {"kept": true}}));
    program.run("apply -f clients.yaml --set shop").ok().tells("2 created, 1 changed");
    program.run("apply -f clients.yaml --set shop").ok().tells("0 created, 0 changed, 3 unchanged");
    assert_eq!(server.client("job")["metadata"], json!({"orysh_set": "shop"}));
    assert_eq!(server.client("web")["metadata"], json!({"kept": true}), "it was there before");
    program.file("clients.yaml", "client_id: spa\nmetadata: {tier: gold}\n");
    program.run("apply -f clients.yaml --set shop --prune --diff").ok().tells("- client `job` is deleted");
    program.run("apply -f clients.yaml --set shop --prune").fails(2, "would delete `job`");
    let ran = program.run("apply -f clients.yaml --set shop --prune --yes --format json");
    assert_eq!(ran.tells("0 created, 1 changed, 0 unchanged, 1 deleted").json()[1]["action"], "deleted");
    let ids: Vec<Value> = server.clients().iter().map(|client| client["client_id"].clone()).collect();
    assert_eq!(ids, ["spa", "theirs", "web"]);
    assert_eq!(server.client("spa")["metadata"], json!({"orysh_set": "shop", "tier": "gold"}), "the mark stays");
    program.run("apply -f clients.yaml --prune").fails(2, "--set");
}

#[test]
fn an_overlay_says_what_is_otherwise_here() {
    let (server, program) = ready();
    program.file("staging.yaml", "client_id: web\nredirect_uris: [https://staging.example.org/cb]\n");
    program.run("apply -f clients.yaml --overlay staging.yaml").ok().tells("3 created");
    let web = server.client("web");
    assert_eq!(
        (&web["client_name"], &web["redirect_uris"]),
        (&json!("Web"), &json!(["https://staging.example.org/cb"]))
    );
    program.file("wrong.yaml", "client_id: wbe\n");
    program.run("apply -f clients.yaml --overlay wrong.yaml").fails(2, "did you mean `web`?");
}

#[test]
fn a_folder_and_mistakes() {
    let (server, program) = ready();
    std::fs::create_dir(program.home().join("clients")).unwrap();
    program.file("clients/b.json", "[{\"client_id\": \"b\"}]");
    program.file("clients/a.yaml", "client_id: a\n");
    program.file("clients/README.md", "no client");
    program.run("apply -f clients --dry-run").ok().tells("2 created");
    for (content, why) in [
        ("client_name: x\n", "clients.yaml, line 1, column 1: the client `x` has no client_id"),
        ("client_id: a\n---\nclient_id: a\n", "`a` is described twice"),
        ("client_id: a\nclient_nmae: x\n", "clients.yaml, line 2, column 1: unknown field"),
        ("- client_id: a\n  redirect_uris: ['#']\n", "redirect"),
        ("", "there is no client in it"),
    ] {
        program.file("clients.yaml", content);
        program.run("apply -f clients.yaml").fails(2, why);
    }
    program.run("apply").fails(2, "--file");
    program.run("apply -f absent.yaml").fails(2, "absent.yaml");
    program.run("apply -f clients --detailed-exitcode").fails(2, "goes with");
    assert_eq!(server.clients().len(), 0, "something was sent");
}

#[test]
fn what_is_exported_can_be_imported_and_applied() {
    let (server, program) = ready();
    actions(&program, "");
    let exported = program.run("export oauth2-clients").quiet().stdout;
    assert!(!exported.contains("created_at"), "{exported}");
    let plain = |clients: Vec<Value>| -> Vec<Value> {
        let strip = |mut client: Value| {
            for name in ["created_at", "updated_at"] {
                client.as_object_mut().unwrap().remove(name);
            }
            client
        };
        clients.into_iter().map(strip).collect()
    };
    for format in ["jsonl", "json", "yaml", "csv"] {
        let (again, file) = (Sandbox::start(), format!("exported.{format}"));
        let text = program.run(&format!("export clients --format {format}")).quiet().stdout;
        let other = orysh(&again);
        other.file(&file, &text);
        other.run(&format!("import oauth2-clients {file} --format jsonl")).ok();
        assert_eq!(plain(again.clients()), plain(server.clients()), "{format}");
        other.run(&format!("apply -f {file}")).ok().tells("0 created, 0 changed, 3 unchanged");
        let third = Sandbox::start();
        let other = orysh(&third);
        other.file(&file, &text);
        other.run(&format!("apply -f {file}")).ok().tells("3 created");
        assert_eq!(plain(third.clients()), plain(server.clients()), "{format}");
    }
}

#[test]
fn an_import_reports_what_exists_and_goes_on() {
    let (server, program) = ready();
    server.make(&json!({"client_id": "job", "client_name": "theirs"}));
    let ran = program.run("import oauth2-clients clients.yaml --format jsonl");
    assert_eq!(ran.code, Some(3), "{ran}");
    let ran = ran.tells("client `job` exists already");
    let ids: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["client_id"].clone()).collect();
    assert_eq!(ids, ["web", "spa"]);
    assert_eq!(server.client("job")["client_name"], "theirs");
    assert_eq!(program.pending().len(), 0);
    // One object, and stdin.
    let program = program.input("{\"client_name\": \"one\", \"client_secret\": \"one-secret\"}");
    let made = program.run("import oauth2-client - --format json").json();
    assert!(server.accepts(&made[0]["client_id"], &json!("one-secret")));
    program.file("twice.jsonl", "{\"client_id\": \"x\"}\n\n{\"client_id\": \"x\"}\n");
    program.run("import clients twice.jsonl").fails(2, "twice.jsonl, line 3, column 1: client `x` is there twice");
    program.file("broken.jsonl", "{\"client_id\": \"x\"}\n{\"client_nmae\": \"x\"}\n");
    program.run("import clients broken.jsonl").fails(2, "broken.jsonl, line 2, column 2: unknown field");
}

#[test]
fn a_spreadsheet_is_imported() {
    let (server, program) = ready();
    program.file("services.csv", "client_id,client_name,grant_types\r\na,\"A, Inc\",client_credentials\r\nb,B,\r\n");
    let ran = program.run("import clients services.csv --format csv").ok();
    assert_eq!(ran.stdout.lines().count(), 3, "{ran}");
    assert_eq!(server.client("a")["client_name"], "A, Inc");
    assert_eq!(server.client("b")["grant_types"], json!(["authorization_code"]));
    let program = program.input("client_id,owner\nc,me\n");
    program.run("import clients --format jsonl").ok();
    assert_eq!(server.client("c")["owner"], "me");
    program.file("bad.csv", "client_id,owner\nd,me\ne,me,too\n");
    program.run("import clients bad.csv").fails(2, "bad.csv, row 2 (line 3): column 3");
    assert_eq!(server.clients().len(), 3, "a row of a bad file was sent");
}

#[test]
fn a_client_is_compared_with_a_file() {
    let (_server, program) = ready();
    actions(&program, "");
    program.file("job.yaml", "client_id: job\nclient_credentials_grant_access_token_lifespan: 1h30m\nowner: me\n");
    let ran = program.run("diff oauth2-client job job.yaml --format json");
    assert_eq!(ran.json(), json!([{"field": "owner", "found": "", "wanted": "me"}]));
    assert_eq!(program.run("diff client job job.yaml --detailed-exitcode").code, Some(5));
    program.file("same.yaml", "client_id: job\n");
    program.run("diff client job same.yaml --detailed-exitcode").ok().tells("is as same.yaml describes it");
    program.run("diff client web job.yaml").fails(2, "another client");
}

#[test]
fn clients_are_checked_in_files_and_on_the_server() {
    let (server, program) = ready();
    program.run("lint oauth2-client --file clients.yaml").ok();
    program.file("bad.yaml", "client_id: bad\nredirect_uris: [/relative]\n");
    let ran = program.run("lint client --file bad.yaml --format jsonl");
    assert_eq!(ran.code, Some(3), "{ran}");
    assert!(ran.stdout.contains("redirect_uris"), "{ran}");
    server.make(&json!({"client_id": "odd", "redirect_uris": ["/relative"]}));
    assert!(program.run("lint client odd --format jsonl").stdout.contains("redirect_uris"));
    program.run("lint client").fails(2, "no client is named");
}

#[test]
fn secrets_that_are_made_are_shown_or_kept() {
    for line in [
        "apply -f clients.yaml -q",
        "import clients clients.yaml -q",
        "apply -f clients.yaml --format jsonpath=#.client_id",
    ] {
        let (server, program) = ready();
        program
            .run(line)
            .ok()
            .tells("the output leaves a secret out: the secret of client `web` is kept in")
            .tells("1 more");
        let kept = program.secrets_of_runs();
        for (id, secret) in &kept {
            assert!(server.accepts(&json!(id), &json!(secret)), "{line}");
        }
        assert_eq!(kept.len(), 2, "{line}: `none` has no secret");
    }
}

#[test]
fn a_secret_that_cannot_be_tried_stays_unless_it_is_to_be_set() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("clients.yaml", "client_id: a\nclient_secret: first-secret\n");
    assert_eq!(actions(&program, ""), ["a created"]);
    let before = server.client("a");
    program.run("apply -f clients.yaml").ok().tells("cannot be told").tells("--set-secrets").tells("1 unchanged");
    assert_eq!(server.client("a"), before);
    program.file("clients.yaml", "client_id: a\nclient_secret: second-secret\n");
    program.run("apply -f clients.yaml --set-secrets").ok().tells("1 changed");
    assert!(server.accepts(&json!("a"), &json!("second-secret")));
}

#[test]
fn what_is_empty_in_a_file_is_emptied() {
    let server = Sandbox::start();
    server.make(&json!({"client_id": "a", "contacts": ["x"], "owner": "me", "scope": "read", "skip_consent": true,
        "implicit_grant_id_token_lifespan": "1h", "metadata": {"a": 1}}));
    let program = orysh(&server);
    let empty = "client_id: a\ncontacts: []\nowner: null\nscope: null\nskip_consent: null\n\
        implicit_grant_id_token_lifespan: null\nmetadata: null\n";
    program.file("clients.yaml", empty);
    program.run("apply -f clients.yaml").ok().tells("1 changed");
    let now = server.client("a");
    assert_eq!((&now["contacts"], &now["owner"], &now["metadata"]), (&json!([]), &json!(""), &json!({})));
    assert_eq!(now["implicit_grant_id_token_lifespan"], Value::Null);
    program.run("apply -f clients.yaml").ok().tells("0 created, 0 changed, 1 unchanged");
    assert_eq!(server.client("a"), now);
}

#[test]
fn an_origin_with_a_slash_is_no_difference() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("clients.yaml", "client_id: a\nallowed_cors_origins: [https://app.example.org/]\n");
    program.run("apply -f clients.yaml").ok().tells("1 created");
    program.run("apply -f clients.yaml").ok().tells("1 unchanged");
}

#[test]
fn folders_are_read_to_their_depth() {
    let (_server, program) = ready();
    for folder in ["set/deep/deeper", "set/.hidden"] {
        std::fs::create_dir_all(program.home().join(folder)).unwrap();
    }
    program.file("set/deep/deeper/a.YAML", "client_id: a\n");
    program.file("set/b.Json", "{\"client_id\": \"b\"}");
    program.file("set/.hidden/c.yaml", "client_id: c\n");
    program.file("set/notes.txt", "nothing");
    let ran = program.run("apply -f set --dry-run -q");
    assert_eq!(ran.stdout, "b\na\n", "{ran}");
    program.run("apply -f set --dry-run").ok().tells("notes.txt");
}

#[test]
fn ids_are_found_in_whatever_order_a_server_lists_them() {
    // A database that orders by a language's rules puts `a` before `B`; the ids below are asked for in a list.
    let clients: Vec<Value> =
        (0..40).map(|n| json!({"client_id": format!("{}{n:02}", if n % 2 == 0 { "B" } else { "a" })})).collect();
    let server = Sandbox::holding(&clients, "--hash-iterations 1");
    let program = orysh(&server);
    program.file("clients.json", &Value::from(clients).to_string());
    program.run("apply -f clients.json").ok().tells("0 created, 0 changed, 40 unchanged");
}

#[test]
fn mistakes_in_files_name_their_place() {
    let (server, program) = ready();
    for (name, content, place) in [
        ("a.yaml", "- client_id: a\n- client_id: b\n  redirect_uris: ['#']\n", "a.yaml, line 2"),
        ("a.jsonl", "{\"client_id\": \"a\"}\n{\"client_id\": \"b\", \"redirect_uris\": [\"#\"]}\n", "a.jsonl, line 2"),
        ("a.csv", "client_id,redirect_uris\na,\nb,#\n", "a.csv, row 2"),
        ("twice.csv", "client_id,owner\na,\na,\n", "twice.csv, row 2"),
        ("short.csv", "client_id,owner\na\n", "short.csv, row 1 (line 2): column 2"),
        ("header.csv", "client_id,owner,client_id\na,b,c\n", "column 3: `client_id` is there twice"),
        ("quote.csv", "client_id,owner\n\"a,b\nc,d\n", "quote.csv"),
        ("list.csv", "client_id,contacts\na,\"Ann <x@example.org>\"\n", "list.csv, row 1 (line 2)"),
    ] {
        program.file(name, content);
        program.run(&format!("apply -f {name}")).fails(2, place);
        program.run(&format!("import clients {name}")).fails(2, place);
    }
    std::fs::write(program.home().join("latin1.csv"), b"client_id,owner\na,\xfc\n").unwrap();
    program.run("apply -f latin1.csv").fails(2, "byte 19");
    program.file("unnamed.csv", "owner\nme\n");
    program.run("apply -f unnamed.csv").fails(2, "unnamed.csv, row 1 (line 2)").tells("client_id");
    assert_eq!(server.clients().len(), 0);
}

#[test]
fn lists_in_a_spreadsheet() {
    let server = Sandbox::start();
    let program = orysh(&server);
    let rows = [
        "a,x@example.org y@example.org,https://a.example/?x=1,read write",
        "b,x@example.org; y@example.org,,read",
        "c,\"x@example.org\ny@example.org\",,read",
        "d,\"[\"\"x@example.org\"\", \"\"y@example.org\"\"]\",,read",
    ];
    program.file("lists.csv", &format!("\u{feff}client_id,contacts,redirect_uris,scope\r\n{}\r\n", rows.join("\r\n")));
    program.run("import clients lists.csv").ok();
    for id in ["a", "b", "c", "d"] {
        assert_eq!(server.client(id)["contacts"], json!(["x@example.org", "y@example.org"]), "{id}");
    }
    assert_eq!(server.client("a")["redirect_uris"], json!(["https://a.example/?x=1"]));
    assert_eq!(server.client("a")["scope"], "read write");
}

#[test]
fn what_cannot_be_taken_over_is_told() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("a.json", "{\"client_id\": \"a\", \"created_at\": \"2020-01-01T00:00:00Z\"}");
    program.run("import client a.json").ok().tells("created_at");
    let program = program.input("# a comment\nclient_id: b\n");
    program.run("apply -f -").ok().tells("1 created");
}

#[test]
fn what_is_exported_can_replace() {
    let (server, program) = ready();
    actions(&program, "");
    let exported = program.run("export clients --name Web --format json").quiet().stdout;
    program.file("web.json", &exported);
    let before = server.client("web");
    program.run("replace client web -f web.json").ok();
    let mut now = server.client("web");
    now["updated_at"] = before["updated_at"].clone();
    assert_eq!(now, before);
}

#[test]
fn an_import_of_several_files_keeps_their_order() {
    let (_server, program) = ready();
    program.file("a.json", "{\"client_id\": \"z\"}");
    program.file("b.csv", "client_id\ny\n");
    program.file(
        "large.jsonl",
        &format!("{{\"client_id\": \"x\", \"client_name\": \"{}\"}}\n", "n".repeat(200)).repeat(1),
    );
    assert_eq!(program.run("import clients a.json b.csv large.jsonl -q").stdout, "z\ny\nx\n");
    program.run("import clients a.json a.json").fails(2, "`z` is there twice");
}

#[test]
fn what_no_later_client_can_pass_ends_the_run() {
    let server = Stub::answering(
        "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    );
    let program = anywhere();
    program.file("clients.yaml", CLIENTS);
    for line in ["import clients clients.yaml", "get client a b c", "delete client a b c -y"] {
        let ran = program.run(&format!("{line} -e {}", server.url)).fails(4, "not tried");
        assert_eq!(ran.stderr.matches("error:").count(), 1, "{ran}");
    }
}

#[test]
fn null_asks_for_what_a_new_client_gets() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("clients.yaml", "client_id: a\ngrant_types:\nresponse_types:\nrequest_object_signing_alg:\n");
    program.run("apply -f clients.yaml").ok().tells("1 created");
    program.run("apply -f clients.yaml").ok().tells("1 unchanged");
    program.run("diff client a clients.yaml --detailed-exitcode").ok();
    assert_eq!(server.client("a")["grant_types"], json!(["authorization_code"]));
}

#[test]
fn nothing_is_pruned_where_something_failed() {
    let (server, program) = ready();
    program.file("clients.yaml", "client_id: old\n");
    program.run("apply -f clients.yaml --set s").ok();
    program
        .file("clients.yaml", "client_id: new\nsector_identifier_uri: https://a.example/s\nsubject_type: pairwise\n");
    let ran = program.run("apply -f clients.yaml --set s --prune --yes").tells("not deleted");
    assert_eq!(server.client("old")["client_id"], "old", "{ran}");
}

#[test]
fn what_set_made_a_client_is_not_for_files_to_say() {
    let (server, program) = ready();
    program.run("apply -f clients.yaml --set shop").ok();
    let exported = program.run("export clients").quiet().stdout;
    assert!(!exported.contains("orysh_set"), "{exported}");
    let other = Sandbox::start();
    let there = orysh(&other);
    there.file("dump.jsonl", &program.run("export clients --with-server-fields").ok().stdout);
    there.run("import clients dump.jsonl").ok().tells("metadata.orysh_set");
    there.file("only.yaml", "client_id: only\n");
    let ran = there.run("apply -f only.yaml --set shop --prune --diff").ok();
    assert!(!ran.stderr.contains("deleted"), "{ran}");
    assert_eq!(server.clients().len(), 3);
}

#[test]
fn empty_documents_are_passed_over() {
    let (_server, program) = ready();
    for content in ["---\n---\nclient_id: a\n", "client_id: a\n---\n", "client_id: a\n---\n# c\n---\nclient_id: b\n"] {
        program.file("clients.yaml", content);
        program.run("apply -f clients.yaml --dry-run").ok();
    }
}

#[test]
fn overlays_are_of_one_client_each() {
    let (_server, program) = ready();
    program.file("twice.yaml", "client_id: web\nowner: x\n---\nclient_id: web\nowner: y\n");
    program.run("apply -f clients.yaml --overlay twice.yaml").fails(2, "another overlay of client `web`");
    program.file("unnamed.yaml", "owner: x\n");
    program.run("apply -f clients.yaml --overlay unnamed.yaml").fails(2, "no client_id");
    program.run("apply -f - --overlay -").fails(2, "both read stdin");
}

#[test]
fn a_path_that_can_match_nothing_is_refused_before_anything_is_sent() {
    let (server, program) = ready();
    for line in [
        "apply -f clients.yaml --format jsonpath=client_id",
        "import clients clients.yaml --format jsonpointer=/client_id",
        "import clients clients.yaml --format 'jsonpath=$.client_id'",
        "create client --format jsonpath=client_idd",
        "create client --format jsonpointer=/nope",
        "create client --format jsonpath=client_secret.x",
        "create client --format jsonpath=client_name.#",
        "create client --format jsonpointer=/client_id/0",
        "create client --format 'jsonpath=$.client_id[0]'",
    ] {
        program.run(line).fails(2, "matches nothing");
    }
    assert_eq!((server.clients().len(), program.pending().len()), (0, 0));
    program.run("create client --format jsonpath=registration_access_token").ok();
    program.run("create client --format 'jsonpath={client_id,client_secret}'").ok();
    program.run("create client --format 'jsonpath=$.client_secret'").quiet();
    program.run("create client --format \"jsonpath=\\$['client_id','client_secret']\"").quiet();
}

#[test]
fn a_secret_that_nobody_reads_is_kept() {
    let (server, program) = ready();
    for end in ["> /dev/null", ">&-"] {
        let ran = program.sh(&format!("orysh create client --name x --format json {end}")).ok();
        ran.tells("the output leaves a secret out");
    }
    assert_eq!(program.pending().len(), 2);
    assert_eq!(server.clients().len(), 2);
}

#[test]
fn the_plan_of_a_new_client_stands_in_the_result() {
    let (_server, program) = ready();
    let plan = program.run("apply -f clients.yaml --diff --format json").json();
    assert_eq!(plan[0]["changes"]["client_name"], json!({"before": null, "after": "Web"}));
    let ran = program.run("apply -f clients.yaml --diff -q").quiet();
    assert_eq!(ran.stdout, "web\njob\nspa\n");
}

#[test]
fn a_page_is_not_taken_for_the_whole() {
    let server = Sandbox::of_many(5, "");
    let program = orysh(&server);
    for (flags, format) in [
        ("--page-size 2", "json"),
        ("--page-size 2", "yaml"),
        ("--page-size 2", "json-pretty"),
        ("--limit 2 --sort client_id", "json"),
        ("--limit 2 --where true", "yaml"),
    ] {
        let page = program.run(&format!("list clients {flags} --format {format}")).ok().stdout;
        program.file("page.yaml", &page);
        program.run("apply -f page.yaml --set s --prune --diff").fails(2, "one page of a longer list");
        let all = program.run(&format!("list clients --all --format {format}")).ok().stdout;
        program.file("page.yaml", &all);
        program.run("apply -f page.yaml").ok().tells("5 unchanged");
    }
}

#[test]
fn the_mark_of_a_set_stays_through_changes_and_comes_by_no_file() {
    let (server, program) = ready();
    program.run("apply -f clients.yaml --set shop").ok();
    let exported = program.run("export clients --where 'c.client_id == \"job\"'").ok().stdout;
    program.file("job.jsonl", &exported);
    program.run("replace client job -f job.jsonl --yes").ok();
    assert_eq!(server.client("job")["metadata"]["orysh_set"], "shop");
    program.run("update client job --metadata '{\"a\": 1}'").ok();
    assert_eq!(server.client("job")["metadata"], json!({"a": 1, "orysh_set": "shop"}));
    program.file("marked.yaml", "client_id: new\nmetadata: {orysh_set: shop, b: 2}\n");
    program.run("create client -f marked.yaml").ok().tells("metadata.orysh_set");
    assert_eq!(server.client("new")["metadata"], json!({"b": 2}));
}
