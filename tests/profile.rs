//! Profiles: where commands act, who decides it, and what production asks.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::{Orysh, Sandbox, Stub, anywhere};

fn config(program: &Orysh) -> String {
    fs::read_to_string(program.home().join("config/config.toml")).unwrap()
}

fn write_config(program: &Orysh, text: &str) {
    let folder = program.home().join("config");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), text).unwrap();
    fs::set_permissions(folder.join("config.toml"), fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_profile_names_the_target_and_another_takes_its_place() {
    let (one, other) = (Sandbox::start(), Sandbox::start());
    let program = anywhere();
    program.run(&format!("profile add one --endpoint {}", one.admin)).ok().tells("it is in use");
    program.run(&format!("profile add other --endpoint {} --public-endpoint {}", other.admin, other.public)).ok();
    program.run("create client --id a").ok();
    program.run("--profile other create client --id b").ok();
    program.run("profile use other").ok();
    program.run("create client --id c").ok();
    let ids = |server: &Sandbox| server.clients().iter().map(|c| c["client_id"].clone()).collect::<Vec<_>>();
    assert_eq!((ids(&one), ids(&other)), (vec![json!("a")], vec![json!("b"), json!("c")]));
    let context = program.run("context --format json").json();
    assert_eq!((&context["profile"], &context["layer"]), (&json!("other"), &json!("profile in use")));
    assert_eq!(program.run("profile list -q").quiet().stdout, "one\nother\n");
    program.run("profile remove other --yes").ok();
    program.run("list clients").fails(2, "no server is named");
    program.run("profile use one").ok();
    program.run("profile use --none").ok();
    program.run("context").fails(2, "no server is named");
}

#[test]
fn the_file_may_be_edited_by_hand() {
    let program = anywhere();
    write_config(
        &program,
        "# mine\nlater = true # who knows\n\n[profile.a] # first\nendpoint = \"http://127.0.0.1:1\" # here\nfuture = 1\n",
    );
    program.run("profile add b --project happy-hill --credential sign-in").ok();
    let text = config(&program);
    for kept in ["# mine\n", "later = true # who knows", "[profile.a] # first", "# here", "future = 1"] {
        assert!(text.contains(kept), "{kept} is gone\n{text}");
    }
    program.run("profile list").ok().tells("unknown key `later`").tells("unknown key `future`");
    assert_eq!(fs::metadata(program.home().join("config/config.toml")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_is_wrong_with_a_file_is_told_and_nothing_is_overwritten() {
    let program = anywhere();
    for (text, why) in [
        ("[profile.a]\nendpoint = \n", "config.toml, line 2, column"),
        ("[profile.a]\nendpoint = 1\n", "line 2, column 12: `endpoint` wants text"),
        ("[profile.a]\nproduction = \"yes\"\n", "`production` wants true or false"),
        ("[profile.a]\ncredential = \"abc\"\n", "no place for a credential"),
        ("current-profile = 1\n", "wants the name of a profile"),
        ("profile = 1\n", "`profile` wants"),
    ] {
        write_config(&program, text);
        program.run("profile list").fails(2, why);
        program.run("profile add x --endpoint http://127.0.0.1:1").fails(2, why);
        assert_eq!(config(&program), text);
    }
    write_config(&program, "[profile.a]\nendpoint = \"http://127.0.0.1:1\"\n");
    fs::set_permissions(program.home().join("config/config.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    program.run("profile list").fails(2, "others can read").tells("chmod 600");
    fs::set_permissions(program.home().join("config/config.toml"), fs::Permissions::from_mode(0o600)).unwrap();
    for (line, why) in [
        ("--profile b context", "there is no profile `b`"),
        ("profile add a --endpoint http://x", "there is a profile `a` already"),
        ("profile add 'b c' --endpoint http://x", "cannot be the name"),
        ("profile add b", "names no target"),
        ("profile add b --endpoint x", "--endpoint"),
        ("profile add b --endpoint http://x --project y", "names two targets"),
        ("profile add b --endpoint http://x --prompt-color pink", "none of"),
        ("profile add b --endpoint http://x -H 'Authorization: Bearer x'", "holds no credential"),
        ("profile use c", "there is no profile `c`"),
        ("profile remove c", "there is no profile `c`"),
        ("--profile a --sandbox context", "two targets"),
        ("--profile a --project x context", "two targets"),
    ] {
        program.run(line).fails(2, why);
    }
}

#[test]
fn the_highest_layer_that_names_a_target_decides_all_of_it() {
    // Each layer has a server and a credential of its own; none ever comes to another's.
    let servers: Vec<Sandbox> = (0..3).map(|_| Sandbox::start()).collect();
    let (flags, variable, profile) = (&servers[0], &servers[1], &servers[2]);
    for (line, variables, expected, layer) in [
        ("", vec![], profile, "profile in use"),
        ("", vec![("ORY_SDK_URL", &variable.admin)], variable, "environment"),
        ("flags", vec![("ORY_SDK_URL", &variable.admin)], flags, "flags"),
        ("flags", vec![], flags, "flags"),
        ("", vec![("HYDRA_ADMIN_URL", &variable.admin)], variable, "environment"),
        ("", vec![("KRATOS_ADMIN_URL", &variable.admin)], variable, "environment"),
    ] {
        let mut program = anywhere();
        program.run(&format!("profile add p --endpoint {} -H 'X-Profile: canary'", profile.admin)).ok();
        for (name, value) in variables {
            program = program.with(name, value);
        }
        let given = if line == "flags" { format!("-e {}", flags.admin) } else { String::new() };
        let context = program.run(&format!("context --format json {given}")).json();
        assert_eq!(context["layer"], layer);
        let before = expected.clients().len();
        program.run(&format!("create client {given}")).ok();
        assert_eq!(expected.clients().len(), before + 1, "{layer}");
        let rows = program.run(&format!("context --explain --format json {given}")).json();
        let decides: Vec<&Value> = rows.as_array().unwrap().iter().filter(|row| row["decides"] == true).collect();
        assert_eq!((decides.len(), &decides[0]["layer"]), (1, &json!(layer)));
    }
}

#[test]
fn a_profile_s_headers_and_credential_go_to_its_own_server_only() {
    let answer =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]";
    let (own, other) = (Stub::noting(answer), Stub::noting(answer));
    let program = anywhere().with("OWN_KEY", "canary-key");
    program.run(&format!("profile add own --endpoint {} -H 'X-Own: canary' --credential env:OWN_KEY", own.url)).ok();
    program.run("list clients").ok();
    let heads = own.heads();
    assert!(heads[0].contains("x-own: canary") && heads[0].contains("authorization: Bearer canary-key"), "{heads:?}");
    program.run(&format!("list clients -e {}", other.url)).ok();
    assert!(!other.heads()[0].contains("canary"), "{:?}", other.heads());
    let unset = anywhere();
    unset.run(&format!("profile add own --endpoint {} --credential env:OWN_KEY", own.url)).ok();
    unset.run("list clients").fails(4, "OWN_KEY, which is not set");
}

#[test]
fn production_asks_before_it_is_changed() {
    let server = Sandbox::holding(&[json!({"client_id": "a", "client_secret": "a-secret"})], "");
    let program = anywhere();
    program.run(&format!("profile add prod --endpoint {} --production", server.admin)).ok();
    program.file("clients.yaml", "client_id: b\n");
    for line in [
        "create client --id x",
        "update client a --name x",
        "delete client a",
        "rotate secret a",
        "rotate secret a --cut-over",
        "delete access-tokens a",
        "import clients clients.yaml",
        "apply -f clients.yaml",
        "eval 'clients::create(#{})'",
        "eval 'clients::delete(\"a\")'",
        // The address is that of the profile, whoever names it.
        "delete client a -e ADMIN",
    ] {
        let ran = program.run(&line.replace("ADMIN", &server.admin));
        assert!(matches!(ran.code, Some(1 | 2)) && ran.stdout.is_empty(), "{line}\n{ran}");
        ran.tells("prod is production");
    }
    assert_eq!((server.clients().len(), server.client("a")["client_name"].clone()), (1, json!("")));
    program.run("list clients").quiet();
    program.run("apply -f clients.yaml --diff").ok();
    program.run("create client --id x --confirm other").fails(2, "--confirm is for `other`");
    program.run("create client --id x --confirm prod").ok();
    program.run("apply -f clients.yaml --yes").ok();
    program.run("delete client x --yes").ok();
    // A target given wholly by flags or environment does not ask where a client is made or changed.
    program.run(&format!("create client --id y -e {}", server.admin)).ok();
    let by_variable = anywhere().with("ORY_SDK_URL", &server.admin);
    by_variable.run("update client y --name z").ok();
    assert_eq!(program.run("context --format json").json()["production"], true);
}

#[test]
fn a_repository_names_targets_once_it_is_trusted() {
    let (theirs, ours) = (Sandbox::start(), Sandbox::start());
    let program = anywhere();
    program.file(
        "orysh.toml",
        &format!("[profile.team]\nendpoint = \"{}\"\n[profile.mine]\nendpoint = \"{}\"\n", theirs.admin, theirs.admin),
    );
    program.run(&format!("profile add mine --endpoint {}", ours.admin)).ok();
    let refused = program.run("--profile team create client").fails(2, "is not trusted");
    let hash = refused.stderr.split("--trust ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    program.run("--profile team --trust 00 create client").fails(2, "is not the hash");
    program.run(&format!("--profile team --trust {hash} create client --id a")).ok();
    program.run("profile trust --yes").ok();
    program.run("--profile team create client --id b").ok();
    // It cannot redirect a profile that the user has.
    program.run("--profile mine create client --id c").ok();
    assert_eq!((theirs.clients().len(), ours.clients().len()), (2, 1));
    // From a folder below it is found as well, and a change of it is asked about again.
    fs::create_dir_all(program.home().join("deep/er")).unwrap();
    assert_eq!(
        program.sh("cd deep/er && orysh --profile team context --format jsonpath=profile").quiet().stdout,
        "team\n"
    );
    program.file("orysh.toml", &format!("[profile.team]\nendpoint = \"{}\"\n", ours.admin));
    program.run("--profile team create client").fails(2, "has changed");
    program.file("orysh.toml", "[profile.team]\nendpoint = \"http://x\"\ncredential = \"file\"\n");
    program.run("--profile team context").fails(2, "has `credential`");
    program.file("orysh.toml", "current-profile = \"team\"\n");
    program.run("--profile team context").fails(2, "for each user to say");
}

#[test]
fn the_shell_acts_where_it_was_told_to() {
    let (one, other) = (Sandbox::start(), Sandbox::start());
    let program = anywhere();
    program.run(&format!("profile add one --endpoint {}", one.admin)).ok();
    program.run(&format!("profile add other --endpoint {}", other.admin)).ok();
    let program = program.input(
        "create client --id a -q\nprofile use other\ncreate client --id b -q\ncontext --format jsonpath=layer\n",
    );
    let ran = program.run("").ok();
    assert_eq!(ran.stdout, "a\nb\nuse (in the shell)\n", "{ran}");
    assert_eq!((one.clients().len(), other.clients().len()), (1, 1));
}

#[test]
fn risks_are_named() {
    let program = anywhere();
    let ran = program.run("list clients -e http://example.invalid --timeout 1s");
    ran.tells("example.invalid is spoken to by plain http");
}

#[test]
fn rhai_in_the_shell_acts_where_it_was_told_to() {
    let (one, other) = (Sandbox::start(), Sandbox::start());
    let program = anywhere();
    program.run(&format!("profile add one --endpoint {}", one.admin)).ok();
    program.run(&format!("profile add other --endpoint {}", other.admin)).ok();
    let create = |id: &str| format!("clients::create(#{{client_id: \"{id}\"}}).client_id\n");
    let program = program.input(&format!("let x = 1;\n{}profile use other\n{}x\n", create("a"), create("b")));
    let ran = program.run("");
    let ids = |server: &Sandbox| server.clients().iter().map(|c| c["client_id"].clone()).collect::<Vec<_>>();
    assert_eq!((ids(&one), ids(&other)), (vec![json!("a")], vec![json!("b")]), "{ran}");
    assert_eq!(ran.ok().stdout, "a\nb\n1\n", "variables stay");
}
