//! What could lead to the wrong server, or a credential to another's: each was possible once.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::auth::{kept, led_to, signed_in};
use crate::support::{Orysh, PROGRAM, Sandbox, Stub, Terminal, anywhere};

const EMPTY: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]";

fn ids(server: &Sandbox) -> Vec<Value> {
    server.clients().iter().map(|client| client["client_id"].clone()).collect()
}

fn shell(program: &Orysh, flags: &str, lines: &str) -> crate::support::Ran {
    let mut command = program.command(PROGRAM);
    command.args(shlex::split(flags).unwrap());
    command.stdin(fs::File::open(program.file("lines", lines)).unwrap());
    program.start(&mut command).end()
}

#[test]
fn the_shell_stays_with_the_profile_that_it_was_told_to_use_or_that_was_in_use_as_it_began() {
    let (one, other) = (Sandbox::start(), Sandbox::start());
    let program = anywhere();
    program.run(&format!("profile add one --endpoint {}", one.admin)).ok();
    let lines =
        format!("list clients -q\nprofile add other --endpoint {} --use\ncreate client --id a -q\n", other.admin);
    shell(&program, "", &lines).ok();
    assert_eq!((ids(&one), ids(&other)), (vec![], vec![json!("a")]));
    // Another process changes it in the middle.
    let mut command = program.command(PROGRAM);
    command.stdin(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let mut stdin = running.stdin.take().unwrap();
    let mut stdout = std::io::BufReader::new(running.stdout.take().unwrap());
    let mut say = |line: &str| std::io::Write::write_all(&mut stdin, format!("{line}\n").as_bytes()).unwrap();
    say("create client --id b -q");
    let mut told = String::new();
    std::io::BufRead::read_line(&mut stdout, &mut told).unwrap();
    program.run("profile use one").ok();
    say("create client --id c -q");
    std::io::BufRead::read_line(&mut stdout, &mut told).unwrap();
    drop(stdin);
    assert!(running.wait().unwrap().success());
    assert_eq!((ids(&one), ids(&other)), (vec![], vec![json!("a"), json!("b"), json!("c")]));
}

#[test]
fn a_line_goes_nowhere_but_where_the_prompt_says() {
    let (one, other) = (Sandbox::start(), Sandbox::start());
    let program = anywhere();
    program.run(&format!("profile add one --endpoint {}", one.admin)).ok();
    let file = program.home().join("config/config.toml");
    let before = fs::read_to_string(&file).unwrap();
    let shell = Terminal::of(program);
    shell.shows("orysh one>");
    shell.types("create client --id a -q", "orysh one>");
    fs::write(&file, before.replace(one.admin.trim_end_matches('/'), other.admin.trim_end_matches('/'))).unwrap();
    shell.types("create client --id b -q", "it was not done");
    assert_eq!((ids(&one), ids(&other)), (vec![json!("a")], vec![]));
    shell.types("create client --id c -q", "orysh one>");
    shell.until("the client", |_| !ids(&other).is_empty());
    assert_eq!((ids(&one), ids(&other)), (vec![json!("a")], vec![json!("c")]));
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn a_prompt_at_which_nobody_is_signed_in_is_left_by_a_sign_in_only() {
    let other = Sandbox::start();
    let (_server, program) = signed_in();
    let path = program.home().join(".ory-cloud.json");
    let signed_in = fs::read_to_string(&path).unwrap();
    fs::write(&path, "{}").unwrap();
    let of_network = |project: &str| {
        format!("project = \"{project}\"\nconsole-url = \"http://console.test\"\napis-url = \"http://oryapis.test\"\n")
    };
    let said = |lines: String| format!("current-profile = \"n\"\n\n[profile.n]\n{lines}");
    let file = program.file("config/config.toml", &said(of_network("happy-hill")));
    let shell = Terminal::of(program);
    shell.shows("orysh n (signed out)>");
    for there in [format!("endpoint = \"{}\"\n", other.admin), of_network("quiet-lake")] {
        fs::write(&file, said(there)).unwrap();
        fs::write(&path, &signed_in).unwrap();
        shell.types("create client --id a -q", "it was not done");
        fs::write(&file, said(of_network("happy-hill"))).unwrap();
        fs::write(&path, "{}").unwrap();
        shell.types("6 * 111", "666");
        shell.press("\u{c}");
        shell.until("a prompt", |screen| screen.trim_end().ends_with("orysh n (signed out)>"));
    }
    assert_eq!(ids(&other), Vec::<Value>::new());
    fs::write(&path, &signed_in).unwrap();
    shell.types("create client --id a -q", "orysh n happy-hill>");
    shell.types("list clients -q | tr a z", "z");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn production_is_marked_in_the_prompt_by_whatever_name() {
    let server = Sandbox::start();
    let program = anywhere();
    program.run(&format!("profile add shop --endpoint {} --production --prompt-color green", server.admin)).ok();
    program.run("profile add sandbox --endpoint http://127.0.0.1:1").fails(2, "cannot be the name");
    let mut shell = Terminal::with(program, &["-e", &server.admin]);
    assert!(shell.shows("orysh http://").contains("!>"));
    shell.types("set setting prompt '{place} % '", "! ");
    shell.press("\u{4}");
    assert_eq!(shell.ended().code(), Some(0));
}

#[test]
fn what_the_shell_was_started_with_counts_no_more_once_it_was_told_to_use_another() {
    let (own, other) = (Stub::noting(EMPTY), Stub::noting(EMPTY));
    let program = anywhere();
    program.run(&format!("profile add other --endpoint {}", other.url)).ok();
    let flags = format!("-e {} -H 'Authorization: Bearer canary'", own.url);
    shell(&program, &flags, "list clients\nprofile use other\nlist clients\n").ok();
    assert!(own.heads()[0].contains("canary"));
    assert_eq!((own.asked(), other.asked()), (1, 1));
    assert!(!other.heads()[0].contains("canary"), "{:?}", other.heads());
}

#[test]
fn a_key_that_was_forgotten_is_not_sent_any_more() {
    let own = Stub::noting(EMPTY);
    let program = anywhere();
    program.run(&format!("profile add own --endpoint {}", own.url)).ok();
    program.sh("printf canary | orysh auth key set --stdin --in file").ok();
    let ran = shell(&program, "", "list clients\nauth key remove\nprofile list -q\nlist clients\n");
    assert_eq!((ran.code, own.asked()), (Some(4), 1), "{ran}");
}

#[test]
fn a_workspace_that_is_named_has_no_project_of_another() {
    let (server, program) = signed_in();
    program.run("use project happy-hill").ok();
    // Globex has one project, and Acme several, of which one was in use.
    program.run("--workspace Globex create client --id theirs").ok();
    program.with("ORY_WORKSPACE", "Globex").run("create client --id theirs-too").ok();
    assert_eq!(ids(&server), Vec::<Value>::new());
}

#[test]
fn a_sign_in_goes_to_its_own_console_only() {
    let (_server, program) = signed_in();
    let evil = Stub::noting(EMPTY);
    program.file("orysh.toml", "[profile.team]\nconsole-url = \"http://evil.test\"\nproject = \"p\"\n");
    program.run("profile trust --yes").ok().tells("console-url = http://evil.test");
    program.run("profile add own --apis-url http://evil.test --project happy-hill").ok();
    let program = program.with("HTTP_PROXY", &evil.url);
    for profile in ["team", "own"] {
        program.run(&format!("--profile {profile} list clients")).fails(4, "it is sent nowhere");
    }
    program.run("auth login --profile team --no-browser").fails(2, "there is no profile");
    assert_eq!(evil.asked(), 0);
}

#[test]
fn the_key_of_a_project_goes_to_its_own_hosts_only() {
    let evil = Stub::noting(EMPTY);
    let program = anywhere().with("HTTP_PROXY", &evil.url).input("canary\n");
    program.run("profile add own --console-url http://console.test --apis-url http://oryapis.test").ok();
    program.run("auth key set --stdin --in file").ok();
    let config = program.home().join("config/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("oryapis.test", "evil.test")).unwrap();
    program.run("list clients").fails(4, "it is sent nowhere");
    let program = program.with("ORY_PROJECT_API_KEY", "canary").with("ORY_ORYAPIS_URL", "http://oryapis.test");
    for url in ["http://x.projects.oryapis.test:8080", "http://x.y.projects.oryapis.test"] {
        let mut command = program.command(PROGRAM);
        command.args(["list", "clients"]).env("ORY_SDK_URL", url);
        program.start(&mut command).end().fails(2, "two targets");
    }
    assert_eq!(evil.asked(), 0);
}

#[test]
fn what_a_repository_says_is_all_shown_and_none_of_it_is_a_credential_or_misspelt() {
    let program = anywhere();
    let refused = |members: &str, why: &str| {
        program.file("orysh.toml", &format!("[profile.team]\nendpoint = \"http://127.0.0.1:1\"\n{members}\n"));
        program.run("profile trust --yes").fails(2, why);
    };
    refused("Production = true", "unknown key `Production`");
    refused("headers = {\"X-Api-Key\" = \"k\"}", "has `X-Api-Key`");
    refused("headers = {\"Proxy-Authorization\" = \"k\"}", "has `Proxy-Authorization`");
    refused("proxy = \"http://u:p@evil.test\"", "has `proxy`");
    program.file(
        "orysh.toml",
        "[profile.team]\nendpoint = \"http://127.0.0.1:1\"\nproxy = \"http://evil.test\"\nskip-tls-verify = true\n",
    );
    program.run("profile trust --yes -q").ok().tells("proxy = http://evil.test").tells("skip-tls-verify = true");
    program.file("orysh.toml", "broken");
    program.run("profile add own --endpoint http://127.0.0.1:1").ok();
    program.run("profile use own").ok();
    program.run("profile list -q").ok().tells("orysh.toml, line 1");
    program.run("auth key set --stdin --profile team").fails(2, "orysh.toml");
}

#[test]
fn a_repository_s_profile_in_use_is_that_repository_s() {
    let (theirs, others) = (Sandbox::start(), Sandbox::start());
    let program = anywhere();
    for (folder, server) in [("one", &theirs), ("two", &others)] {
        fs::create_dir(program.home().join(folder)).unwrap();
        program.file(&format!("{folder}/orysh.toml"), &format!("[profile.team]\nendpoint = \"{}\"\n", server.admin));
        program.sh(&format!("cd {folder} && orysh profile trust --yes")).ok();
    }
    program.sh("cd one && orysh profile use team").ok();
    program.sh("cd two && orysh create client --id a").ok();
    program.run("create client --id b").ok();
    assert_eq!((ids(&theirs), ids(&others)), (vec![json!("a"), json!("b")], vec![]));
    program.file("one/orysh.toml", &format!("[profile.team]\nendpoint = \"{}\"\n# changed\n", others.admin));
    let refused = program.run("create client --id c").fails(2, "is not trusted");
    let hash = refused.stderr.split("--trust ").nth(1).unwrap().split_whitespace().next().unwrap();
    program.run(&format!("create client --id c --trust {hash}")).ok();
}

#[test]
fn production_is_production_by_every_name() {
    let server = Sandbox::holding(&[json!({"client_id": "a"})], "");
    let program = anywhere();
    program.run(&format!("profile add prod --endpoint {} --production", server.admin)).ok();
    program.run(&format!("profile add alias --endpoint {}", server.admin)).ok();
    let by_name = server.admin.replace("127.0.0.1", "localhost");
    for target in [format!("-e {by_name}"), "--profile alias".into()] {
        program.run(&format!("delete client a {target}")).fails(2, "prod is production");
    }
    program.file("s.rhai", "clients::delete(\"a\")");
    program.run("run s.rhai").fails(2, "prod is production");
    let other = Sandbox::start();
    program.run(&format!("profile add other --endpoint {}", other.admin)).ok();
    program.run("--profile other create client --confirm prod").fails(2, "no production target");
    assert_eq!((ids(&server), ids(&other)), (vec![json!("a")], vec![]));
    // On Ory Network, where a key names its project by itself.
    let network = Sandbox::with("--network 127.0.0.1:0");
    let program = led_to(&network).with("ORY_PROJECT_API_KEY", "ory_pat_sandbox_wild-wood");
    program.run("create client --id a").ok();
    program.run("profile add prod --console-url http://console.test --project wild-wood --production").ok();
    program.run("delete client a").fails(2, "prod is production");
    program.run("create project-key").fails(2, "prod is production");
    program.run("delete client a --confirm prod").ok();
}

#[test]
fn a_sign_in_outlives_an_interruption_and_whatever_a_server_says() {
    let (server, program) = signed_in();
    program.run("use project happy-hill").ok();
    let age = |program: &Orysh| {
        let mut now = kept(program);
        now["access_token"]["expiry"] = "2020-01-01T00:00:00Z".into();
        program.file(".ory-cloud.json", &now.to_string());
    };
    age(&program);
    let slow = Stub::slow_proxy(server.network.as_ref().unwrap(), std::time::Duration::from_millis(1500));
    let mut command = program.command(PROGRAM);
    command.args(["list", "clients"]).env("HTTP_PROXY", &slow.url);
    let running = program.start(&mut command);
    std::thread::sleep(std::time::Duration::from_millis(700));
    running.signal(rustix::process::Signal::INT);
    assert_eq!(running.end().code, Some(130));
    program.run("list clients -q").ok();
    // One process reaches the file by a link.
    fs::create_dir(program.home().join("real")).unwrap();
    fs::rename(program.home().join(".ory-cloud.json"), program.home().join("real/o.json")).unwrap();
    std::os::unix::fs::symlink("real/o.json", program.home().join(".ory-cloud.json")).unwrap();
    for _ in 0..3 {
        let mut now: Value = serde_json::from_slice(&fs::read(program.home().join("real/o.json")).unwrap()).unwrap();
        now["access_token"]["expiry"] = "2020-01-01T00:00:00Z".into();
        program.file("real/o.json", &now.to_string());
        let running: Vec<_> = (0..6)
            .map(|at| {
                let mut command = program.command(PROGRAM);
                command.args(["list", "clients", "-q"]);
                if at % 2 == 0 {
                    command.env("ORY_CONFIG_PATH", "real/o.json");
                }
                program.start(&mut command)
            })
            .collect();
        for one in running {
            one.end().ok();
        }
    }
    let body = r#"{"access_token":"a","refresh_token":"b","token_type":"bearer","expires_in":18446744073709551615}"#;
    let length = body.len();
    let endless = Stub::noting(&format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    ));
    let mut now: Value = serde_json::from_slice(&fs::read(program.home().join("real/o.json")).unwrap()).unwrap();
    now["access_token"]["expiry"] = "2020-01-01T00:00:00Z".into();
    program.file("real/o.json", &now.to_string());
    let mut command = program.command(PROGRAM);
    command.args(["list", "clients"]).env("HTTP_PROXY", &endless.url);
    let ran = program.start(&mut command).end();
    assert_eq!(ran.code, Some(1), "{ran}");
    assert_eq!(kept(&program)["access_token"]["refresh_token"], "b", "{ran}");
}

#[test]
fn files_that_others_can_read_or_that_are_written_by_hand_are_treated_with_care() {
    let (_server, program) = signed_in();
    let path = program.home().join(".ory-cloud.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    program.run("list projects").fails(2, "chmod 600");
    let program = anywhere();
    fs::create_dir(program.home().join("config")).unwrap();
    let text = "# top\r\ncurrent-profile = \"a\" # mine\r\nprofile = {a = {endpoint = \"http://127.0.0.1:1\"}}\r\n";
    program.file("config/config.toml", text);
    program.run("profile add b --endpoint http://127.0.0.1:2").ok();
    program.run("profile use b").ok();
    let text = fs::read_to_string(program.home().join("config/config.toml")).unwrap();
    assert!(text.starts_with("# top\r\ncurrent-profile = \"b\" # mine\r\n"), "{text:?}");
    assert!(text.contains("a = {endpoint") && text.contains("b = {"), "{text:?}");
    fs::write(program.home().join("config/config.toml"), b"a = 1\nb = \"\xff\"\n").unwrap();
    program.run("profile list").fails(2, "line 2, column 6: it is not UTF-8");
    program.with("ORY_SDK_URL", "http://127.0.0.1:9").run("context --explain").ok();
    let program = anywhere();
    program.run("profile add x --endpoint http://127.0.0.1:1 -H 'Cookie: s'").fails(2, "holds no credential");
    program.run("profile add x --endpoint http://127.0.0.1:1 --proxy http://u:p@h").fails(2, "holds no credential");
    program.run("profile add .. --endpoint http://127.0.0.1:1").fails(2, "cannot be the name");
}

#[test]
fn a_profile_that_is_added_to_be_used_is_used_however_the_shell_began() {
    let (one, other) = (Sandbox::start(), Sandbox::start());
    let program = anywhere();
    program.run(&format!("profile add one --endpoint {}", one.admin)).ok();
    let add = format!("profile add other --endpoint {} --use\ncreate client --id a -q\n", other.admin);
    shell(&program, "--profile one", &format!("profile use one\n{add}")).ok();
    assert_eq!((ids(&one), ids(&other)), (vec![], vec![json!("a")]));
}

#[test]
fn what_a_shell_was_given_for_one_server_goes_to_no_other_that_a_file_names_by_now() {
    let (own, other) = (Stub::noting(EMPTY), Stub::noting(EMPTY));
    let program = anywhere();
    program.run(&format!("profile add own --endpoint {}", own.url)).ok();
    let mut command = program.command(PROGRAM);
    command.args(["-H", "Authorization: Bearer canary"]).stdin(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let mut stdin = running.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, b"list clients -q\n").unwrap();
    crate::support::eventually("the first is asked", || (own.asked() > 0).then_some(()));
    let file = program.home().join("config/config.toml");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace(&own.url, &other.url)).unwrap();
    std::io::Write::write_all(&mut stdin, b"list clients -q\n").unwrap();
    drop(stdin);
    assert!(running.wait().unwrap().success());
    assert!(own.heads()[0].contains("canary"));
    assert!(!other.heads()[0].contains("canary"), "{:?}", other.heads());
}

#[test]
fn what_is_chosen_takes_effect_or_says_that_it_does_not() {
    let (_server, program) = signed_in();
    let mine = |name: &str, rest: &str| {
        let urls = "--console-url http://console.test --apis-url http://oryapis.test";
        program.run(&format!("profile add {name} {urls} {rest}")).ok();
        program.run(&format!("profile use {name}")).ok();
    };
    mine("named", "--project happy-hill");
    program.run("use project quiet-lake").fails(2, "names its project itself");
    mine("open", "");
    program.run("use project happy-hill").ok();
    program.run("list clients -q").ok();
    program.run("profile use --none").ok();
    let mut command = program.command(PROGRAM);
    command.args(["use", "project", "quiet-lake"]).env("ORY_PROJECT", "wild-wood");
    program.start(&mut command).end().ok().tells("wild-wood all the same");
    // By another file, in the shell.
    fs::rename(program.home().join(".ory-cloud.json"), program.home().join("other.json")).unwrap();
    let ran = shell(
        &program,
        "-c other.json",
        "use project happy-hill -q\ncontext --format jsonpath=named_by\nlist clients -q\n",
    );
    assert!(ran.stdout.contains("other.json"), "{ran}");
    assert_eq!(ran.code, Some(0), "{ran}");
}

#[test]
fn this_machine_has_many_names_and_a_project_several() {
    let server = Sandbox::holding(&[json!({"client_id": "a"})], "");
    let port = server.admin.rsplit_once(':').unwrap().1;
    let program = anywhere();
    program.run(&format!("profile add prod --endpoint {} --production", server.admin)).ok();
    for host in ["0.0.0.0", "[::ffff:127.0.0.1]", "127.1", "localhost."] {
        program.run(&format!("delete client a -e http://{host}:{port}")).fails(2, "prod is production");
    }
    let network = Sandbox::with("--network 127.0.0.1:0");
    for project in ["b1e6a9de-0005-4c0f-8a55-000000000005", "wild", "Bank", "wild-wood"] {
        let program = led_to(&network).with("ORY_PROJECT_API_KEY", "ory_pat_sandbox_wild-wood");
        let id = program.run("get project --format jsonpath=id").ok().stdout.trim().to_owned();
        let project = if project.contains('-') && project.len() > 30 { id } else { project.to_owned() };
        program.run(&format!("profile add prod --console-url http://console.test --apis-url http://oryapis.test --project {project} --production")).ok();
        let mut command = program.command(PROGRAM);
        command.args(["delete", "client", "a"]).env("ORY_SDK_URL", "http://wild-wood.projects.oryapis.test");
        program.start(&mut command).end().fails(2, "prod is production");
        program.run("delete client a").fails(2, "prod is production");
        // Another project is not.
        let other = program.with("ORY_PROJECT_API_KEY", "ory_pat_sandbox_happy-hill");
        other.run("delete client a").fails(1, "HTTP 404");
    }
}

#[test]
fn comments_stay_whatever_is_changed() {
    let program = anywhere();
    fs::create_dir(program.home().join("config")).unwrap();
    let text = "# of the company\ncurrent-profile = \"a\"\n\n[profile.a]\nendpoint = \"http://127.0.0.1:1\"\n# [profile.old]\n# endpoint = \"x\"\n\n# about b\n[profile.b]\nendpoint = \"http://127.0.0.1:2\"\n";
    program.file("config/config.toml", text);
    program.run("profile use --none").ok();
    program.run("profile remove b --yes").ok();
    program.run("profile use a").ok();
    let now = fs::read_to_string(program.home().join("config/config.toml")).unwrap();
    for comment in
        ["# of the company\ncurrent-profile = \"a\"\n", "# [profile.old]\n# endpoint = \"x\"\n", "# about b\n"]
    {
        assert!(now.contains(comment), "{now}");
    }
    program.file("config/config.toml", "# only\n# comments\n");
    program.run("profile add a --endpoint http://127.0.0.1:1").ok();
    let now = fs::read_to_string(program.home().join("config/config.toml")).unwrap();
    assert!(now.starts_with("# only\n# comments\n"), "{now}");
    let mixed = "note = \"\"\"a\r\nb\nc\"\"\"\n";
    program.file("config/config.toml", mixed);
    program.run("profile add a --endpoint http://127.0.0.1:1").ok();
    let now = fs::read_to_string(program.home().join("config/config.toml")).unwrap();
    assert!(now.contains("a\r\nb\nc"), "{now:?}");
}

#[test]
fn a_comment_without_an_end_swallows_nothing() {
    let program = anywhere();
    fs::create_dir(program.home().join("config")).unwrap();
    program.file("config/config.toml", "# mine");
    program.run("profile add dev --endpoint http://127.0.0.1:1").ok();
    assert_eq!(program.run("context --format json").json()["profile"], "dev");
    program.file("config/config.toml", "[profile.a]\nendpoint = \"http://127.0.0.1:1\"\n# tail");
    program.run("profile remove a --yes").ok();
    program.run("profile add n --endpoint http://127.0.0.1:1 --use").ok();
    assert_eq!(program.run("context --format json").json()["profile"], "n");
}

#[test]
fn what_was_given_for_another_server_does_not_come_back() {
    let (_server, program) = signed_in();
    let urls = "--console-url http://console.test --apis-url http://oryapis.test";
    program.run(&format!("profile add plain {urls}")).ok();
    program.run("profile use --none").ok();
    let evil = Stub::noting(EMPTY);
    let lines = "profile use plain\nlist projects -q\nuse project happy-hill -q\nlist clients -q\n";
    shell(&program, &format!("-e http://127.0.0.1:9 --proxy {}", evil.url), lines).ok();
    assert_eq!(evil.asked(), 0, "{:?}", evil.heads());
    // A repository's profile that names its project.
    program.file(
        "orysh.toml",
        "[profile.team]\nconsole-url = \"http://console.test\"\napis-url = \"http://oryapis.test\"\nproject = \"wild-wood\"\nproduction = true\n",
    );
    program.run("profile trust --yes").ok();
    program.run("profile use team").ok();
    program.run("use project quiet-lake").fails(2, "names its project itself");
    // It is production wherever one works while it is in use.
    fs::create_dir(program.home().join("else")).unwrap();
    program.sh("mv orysh.toml else/ && cd else && orysh profile trust --yes && orysh profile use team").ok();
    program.run("delete client a --project wild-wood").fails(2, "is production");
}

#[test]
fn servers_behind_one_gateway_are_told_apart_and_a_project_by_its_address_is_not_let_through() {
    let program = anywhere();
    program.run("profile add prod --endpoint http://127.0.0.1:9/prod --production").ok();
    program.run("profile use --none").ok();
    program.run("delete client a -e http://127.0.0.1:9/staging").fails(1, "cannot connect");
    program.run("delete client a -e http://127.0.0.1:9/prod/").fails(2, "prod is production");
    let network = Sandbox::with("--network 127.0.0.1:0");
    let program = led_to(&network);
    let urls = "--console-url http://console.test --apis-url http://oryapis.test";
    program.run(&format!("profile add prod {urls} --project 7d3a52c0-0001-4f0b-8e55-000000000001 --production")).ok();
    let line = "delete client a -e http://happy-hill.projects.oryapis.test -H 'Authorization: Bearer ory_pat_sandbox_happy-hill'";
    program.run(line).fails(2, "prod is production");
}
