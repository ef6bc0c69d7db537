//! Finding clients: conditions, order, columns, limits.

use serde_json::{Value, json};

use crate::support::{Orysh, Sandbox, orysh};

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
