//! Signing in to Ory Network, renewing and ending it, choosing a project, and the keys of profiles.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::contract::wire;
use crate::support::tools::package;
use crate::support::{Orysh, PROGRAM, Sandbox, Stub, Terminal, anywhere, eventually};

fn network() -> (Sandbox, Orysh) {
    let server = Sandbox::with("--network 127.0.0.1:0");
    let program = led_to(&server);
    (server, program)
}

pub fn led_to(server: &Sandbox) -> Orysh {
    anywhere()
        .with("HTTP_PROXY", server.network.as_ref().unwrap())
        .with("ORY_CONSOLE_URL", "http://console.test")
        .with("ORY_ORYAPIS_URL", "http://oryapis.test")
}

fn file(program: &Orysh) -> PathBuf {
    program.home().join(".ory-cloud.json")
}

pub fn kept(program: &Orysh) -> Value {
    serde_json::from_slice(&fs::read(file(program)).unwrap()).unwrap()
}

/// The address that is printed, asked for as a browser does; gives where it leads.
fn granted(server: &Sandbox, address: &str) -> String {
    // As a proxy is asked.
    let answer = wire::send(server.network.as_ref().unwrap(), "GET", address, &[], "");
    assert_eq!(answer.status, 302, "{answer:?}");
    answer.header("Location").unwrap().to_owned()
}

/// Begins to sign in, and gives what was printed to the browser's part.
fn sign_in(server: &Sandbox, program: &Orysh, browser: impl FnOnce(String)) -> (Option<i32>, String) {
    let told = program.home().join("told");
    let mut command = program.command(PROGRAM);
    command.args(["auth", "login", "--no-browser"]).stderr(fs::File::create(&told).unwrap()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let address = eventually("the address is printed", || {
        let text = fs::read_to_string(&told).unwrap();
        text.lines().find(|line| line.starts_with("http://project.")).map(str::to_owned)
    });
    browser(granted(server, &address));
    let code = eventually("the sign-in ends", || child.try_wait().unwrap()).code();
    (code, fs::read_to_string(told).unwrap())
}

fn visit(address: &str) -> wire::Answer {
    let (origin, path) = address.split_at(address.find("/callback").unwrap());
    wire::send(origin, "GET", path, &[], "")
}

/// A console, and somebody who is signed in to it.
pub fn signed_in() -> (Sandbox, Orysh) {
    let (server, program) = network();
    let (code, told) = sign_in(&server, &program, |address| assert_eq!(visit(&address).status, 200));
    assert_eq!(code, Some(0), "{told}");
    (server, program)
}

/// Makes the access token one that has expired.
fn age(program: &Orysh) {
    let mut now = kept(program);
    now["access_token"]["expiry"] = "2020-01-01T00:00:00Z".into();
    fs::write(file(program), now.to_string()).unwrap();
}

#[test]
fn the_prompt_says_where_nobody_is_signed_in_any_more() {
    let (_server, program) = signed_in();
    let profile = "[profile.acme]\nproject = \"happy-hill\"\nconsole-url = \"http://console.test\"\napis-url = \"http://oryapis.test\"\n";
    program.file("config/config.toml", profile);
    program.run("use profile acme").ok();
    let path = file(&program);
    let shell = Terminal::of(program);
    shell.shows("orysh acme happy-hill>");
    let mut now: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    now["access_token"]["expiry"] = "2020-01-01T00:00:00Z".into();
    fs::write(&path, now.to_string()).unwrap();
    // It is renewed, so that nobody has to know.
    assert!(!shell.types("6 * 111", "666").contains("(signed out)"));
    now["access_token"]["refresh_token"] = "".into();
    now["access_token"].as_object_mut().unwrap().remove("refresh_token");
    fs::write(&path, now.to_string()).unwrap();
    shell.types("6 * 112", "672");
    shell.shows("orysh acme (signed out)>");
    shell.types("6 * 113", "678");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn whoever_is_not_signed_in_is_asked_to_at_the_prompt_and_the_line_is_done_then() {
    let (server, program) = network();
    program.run("profile add acme --project happy-hill --console-url http://console.test --apis-url http://oryapis.test --use").ok();
    program.run("list clients").fails(4, "nobody is signed in");
    program.run_with("", "list clients\n").fails(4, "nobody is signed in");
    program.run("list clients --config none.json").fails(2, "none.json");
    // On one line, an address can be copied from the screen.
    let shell = Terminal::sized(program, &[], (40, 1000));
    shell.shows("orysh acme (signed out)>");
    let screen = shell.types("create oauth2-client --id a -q", "Sign in now? [Y/n]");
    assert!(screen.contains("nobody is signed in"), "{screen}");
    shell.answers("n", "orysh acme (signed out)>");
    let before = shell.types("create oauth2-client --no-input --id b -q", "(signed out)>");
    assert_eq!(before.matches("Sign in now?").count(), 1, "{before}");
    shell.types("create oauth2-client --id ${\"c\"} -q > made.txt", "Sign in now? [Y/n]");
    shell.press("\r");
    let is_address = |line: &&str| line.starts_with("http://project.");
    let screen = shell.until("an address", |screen| screen.lines().any(|line| is_address(&line)));
    let address = screen.lines().find(is_address).unwrap().trim().to_owned();
    assert_eq!(visit(&granted(&server, &address)).status, 200);
    let screen = shell.until("a prompt", |screen| screen.trim_end().ends_with("orysh acme happy-hill>"));
    assert!(screen.contains("signed in as dev@sandbox.test"), "{screen}");
    assert_eq!(fs::read_to_string(shell.home().join("made.txt")).unwrap(), "c\n");
    shell.types("list clients -q | tr c z", "z");
    // What is typed while the browser is waited for deletes nothing.
    shell.types("auth logout --yes", "(signed out)>");
    shell.types("delete oauth2-client c", "Sign in now? [Y/n]");
    let before = shell.contents();
    let new = |screen: &str| {
        let mut addresses = screen.lines().filter(|line| is_address(line) && !before.contains(line.trim()));
        addresses.next().map(|line| line.trim().to_owned())
    };
    shell.press("\r");
    let address = new(&shell.until("an address", |screen| new(screen).is_some())).unwrap();
    shell.press("y\r");
    assert_eq!(visit(&granted(&server, &address)).status, 200);
    shell.shows("[y/N]");
    shell.answers("", ">");
    shell.types("list clients -q | tr c q", "q");
    assert_eq!(shell.leaves().code(), Some(0));
}

#[test]
fn a_prompt_names_the_project_that_is_selected_and_a_sign_in_leads_there_only() {
    let (server, program) = signed_in();
    let selected = |slug: &str| {
        program.run(&format!("use project {slug}")).ok();
        kept(&program)["selected_project"].as_str().unwrap().to_owned()
    };
    let (other, id) = (selected("quiet-lake"), selected("happy-hill"));
    let path = file(&program);
    let change = |change: &dyn Fn(&mut Value)| {
        let mut now: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut now);
        fs::write(&path, now.to_string()).unwrap();
    };
    let expires = || {
        change(&|now| {
            now["access_token"]["expiry"] = "2020-01-01T00:00:00Z".into();
            now["access_token"].as_object_mut().unwrap().remove("refresh_token");
        });
    };
    expires();
    let shell = Terminal::sized(program.same_home(), &[], (40, 1000));
    let ends = |with: &str| {
        shell.until(with, |screen| screen.trim_end().ends_with(with));
    };
    let signs_in = |line: &str, meanwhile: &dyn Fn()| {
        ends(&format!("orysh Ory Network {id} (signed out)>"));
        shell.press("\u{c}");
        shell.types(line, "Sign in now? [Y/n]");
        shell.press("\r");
        let is_address = |line: &&str| line.starts_with("http://project.");
        let screen = shell.until("an address", |screen| screen.lines().any(|line| is_address(&line)));
        meanwhile();
        let address = screen.lines().find(is_address).unwrap().trim();
        assert_eq!(visit(&granted(&server, address)).status, 200);
    };
    signs_in("create oauth2-client --id a -q", &|| ());
    ends(&format!("orysh Ory Network {id}>"));
    shell.types("list clients -q | tr a z", "z");
    expires();
    shell.types("6 * 111", "666");
    signs_in("create oauth2-client --id b -q", &|| change(&|now| now["selected_project"] = other.clone().into()));
    shell.shows("it was not done");
    ends(&format!("orysh Ory Network {other}>"));
    assert_eq!(shell.leaves().code(), Some(0));
    for (project, made) in [("happy-hill", "a\n"), ("quiet-lake", "")] {
        assert_eq!(program.run(&format!("list clients --project {project} -q")).ok().stdout, made);
    }
}

#[test]
fn a_person_signs_in_chooses_a_project_works_and_signs_out() {
    let (_server, program) = signed_in();
    assert_eq!(kept(&program)["session_identity_traits"]["email"], "dev@sandbox.test");
    let status = program.run("auth status --format json").json();
    assert_eq!(
        (&status["subject"], &status["kind"], &status["is_renewed"]),
        (&json!("dev@sandbox.test"), &json!("sign-in"), &json!(true))
    );
    assert_eq!(program.run("list projects -q").ok().stdout.lines().count(), 5);
    program.run("list clients").fails(2, "5 projects").tells("orysh use project");
    program.run("use project happ").ok().tells("happy-hill is in use");
    program.run("create oauth2-client --name x --id made").ok();
    assert_eq!(program.run("list clients -q").ok().stdout, "made\n");
    assert_eq!(
        program.run("list clients --project quiet-lake -q").ok().stdout,
        "",
        "an exact slug wins over what it begins"
    );
    program.run("use project quiet").fails(2, "2 projects");
    program.run("use project old-mill").ok().tells("is halted");
    program.run("list clients").fails(4, "is halted");
    program.run("use workspace Acme").ok().tells("in another workspace");
    assert_eq!(program.run("get workspace --format jsonpath=name").ok().stdout, "Acme\n");
    let tokens = kept(&program)["access_token"].clone();
    for path in [program.home().join("state"), program.home().join("config")] {
        for found in fs::read_dir(path).into_iter().flatten().flatten().filter(|found| found.path().is_file()) {
            let text = fs::read_to_string(found.path()).unwrap();
            assert!(!text.contains(tokens["refresh_token"].as_str().unwrap()), "{}", found.path().display());
        }
    }
    program.run("auth logout").ok().tells("signed out");
    assert_eq!(kept(&program).get("access_token"), None);
    assert_eq!(kept(&program)["selected_workspace"], "5b0c1f6e-0001-4a7e-9c1d-000000000001");
    program.run("auth status").fails(2, "no server is named");
    program.run("auth logout").ok().tells("nobody is signed in");
    // The token was revoked at the server as well.
    let mut stolen = kept(&program);
    stolen["access_token"] = tokens;
    fs::write(file(&program), stolen.to_string()).unwrap();
    program.run("list projects").fails(4, "authorized");
}

#[test]
fn what_is_no_answer_to_this_sign_in_is_passed_over() {
    let (server, program) = network();
    let (code, told) = sign_in(&server, &program, |address| {
        let (before, state) = address.split_once("state=").unwrap();
        assert_eq!(visit(&format!("{before}state=not{state}")).status, 400);
        assert_eq!(visit(&address.replace("/callback", "/callback/other")).status, 404);
        assert_eq!(visit(&address).status, 200);
    });
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("state does not match"), "{told}");
    let (server, program) = network();
    let (code, told) = sign_in(&server, &program, |address| {
        let denied = address.split("code=").next().unwrap().to_owned();
        let state = address.split("state=").nth(1).unwrap();
        visit(&format!("{denied}error=access_denied&error_description=no&state={state}"));
    });
    assert_eq!((code, file(&program).exists()), (Some(4), false));
    assert!(told.contains("denied: access_denied: no"), "{told}");
    // A code counts once.
    let (code, told) = sign_in(&server, &program, |address| {
        let used = address.split("code=").nth(1).unwrap().split('&').next().unwrap();
        visit(&address.replace(used, "ory_ac_of_another"));
    });
    assert_eq!((code, file(&program).exists()), (Some(1), false), "{told}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    program.run(&format!("auth login --no-browser --port {port}")).fails(2, "cannot listen");
}

#[test]
fn a_sign_in_is_renewed_once_whoever_comes_first() {
    let (server, program) = signed_in();
    program.run("use project happy-hill").ok();
    let before = kept(&program);
    age(&program);
    let running: Vec<_> = (0..4).map(|_| program.begin("list clients -q")).collect();
    for one in running {
        one.end().ok();
    }
    let after = kept(&program);
    assert_ne!(after["access_token"]["refresh_token"], before["access_token"]["refresh_token"]);
    assert_eq!(after["selected_project"], before["selected_project"]);
    assert_eq!(after["session_identity_traits"], before["session_identity_traits"]);
    // A used refresh token ends the sign-in.
    age(&program);
    let mut old = kept(&program);
    old["access_token"]["refresh_token"] = before["access_token"]["refresh_token"].clone();
    fs::write(file(&program), old.to_string()).unwrap();
    program.run("list clients").fails(4, "cannot be renewed").tells("orysh auth login");
    drop(server);
}

#[test]
fn a_sign_in_is_renewed_in_the_middle_of_a_command() {
    let server = Sandbox::with("--network 127.0.0.1:0 --latency 100ms");
    let program = led_to(&server);
    sign_in(&server, &program, |address| assert_eq!(visit(&address).status, 200));
    program.run("use project happy-hill").ok();
    // It is renewed a minute before it ends: that is two seconds from now.
    let mut before = kept(&program);
    let soon = std::time::SystemTime::now() + std::time::Duration::from_secs(62);
    before["access_token"]["expiry"] = humantime::format_rfc3339_seconds(soon).to_string().into();
    fs::write(file(&program), before.to_string()).unwrap();
    let rows: Vec<String> = (0..300).map(|n| format!("job-{n}")).collect();
    program.file("jobs.csv", &format!("client_id\n{}\n", rows.join("\n")));
    let import = program.begin("import clients jobs.csv --format jsonl");
    let at_first = eventually("a client is made", || server.clients().first().cloned());
    assert!(at_first["client_id"].as_str().unwrap().starts_with("job-"));
    assert_eq!(kept(&program), before, "it was not renewed at the start");
    assert_eq!(import.end().ok().stdout.lines().count(), 300);
    let after = kept(&program);
    assert_ne!(after["access_token"]["refresh_token"], before["access_token"]["refresh_token"]);
    assert_eq!(server.clients().len(), 300);
}

#[test]
fn a_sign_in_that_cannot_be_renewed_now_is_kept() {
    let (server, program) = signed_in();
    program.run("use project happy-hill").ok();
    age(&program);
    let before = kept(&program);
    let html = Stub::answering(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>",
    );
    let dead = Stub::answering("");
    for url in [&html.url, &dead.url, "http://127.0.0.1:1"] {
        let mut command = program.command(PROGRAM);
        command.args(["list", "clients", "--timeout", "2s"]).env("HTTP_PROXY", url);
        let ran = program.start(&mut command).end();
        assert_eq!(ran.code, Some(1), "{ran}");
        let ran = ran.tells("cannot").tells("is kept as it was");
        assert!(!ran.stderr.contains('<'), "{ran}");
        assert_eq!(kept(&program), before);
    }
    drop(server);
    fs::write(file(&program), "{\"access_token\": ").unwrap();
    program.run("list clients").fails(2, "line 1, column");
    program.run("auth logout").fails(2, "line 1, column");
    assert_eq!(fs::read_to_string(file(&program)).unwrap(), "{\"access_token\": ");
}

#[test]
fn the_real_ory_and_orysh_share_one_sign_in() {
    let Some(ory) = package("@ory/cli-linux-x64/bin/ory") else { return };
    let (_server, program) = signed_in();
    program.run("use project wild-wood").ok();
    let run = |args: &[&str]| {
        let mut command = program.command(ory.to_str().unwrap());
        command.args(args);
        program.start(&mut command).end()
    };
    run(&["create", "oauth2-client", "--name", "theirs", "--yes"]).ok();
    assert!(program.run("list clients --format jsonl").ok().stdout.contains("theirs"));
    age(&program);
    program.run("create client --name ours -q").ok();
    assert!(run(&["list", "oauth2-clients", "--format", "json", "--yes"]).ok().stdout.contains("ours"));
    run(&["use", "project", "happy-hill", "--yes"]).ok();
    assert_eq!(
        program.run("context --format json").json()["target"],
        "Ory Network, 7d3a52c0-0001-4f0b-8e55-000000000001"
    );
}

#[test]
fn a_project_s_key_costs_one_request_more_at_first_only() {
    let server = Sandbox::with("--network 127.0.0.1:0");
    let counting = Stub::slow_proxy(server.network.as_ref().unwrap(), std::time::Duration::ZERO);
    let at = |proxy: &Stub| {
        let program = anywhere().with("HTTP_PROXY", &proxy.url).with("ORY_CONSOLE_URL", "http://console.test");
        program.with("ORY_ORYAPIS_URL", "http://oryapis.test").with("ORY_RATE_LIMIT_HEADER", "let me")
    };
    let program = at(&counting).with("ORY_PROJECT_API_KEY", "ory_pat_sandbox_happy-hill");
    program.run("create oauth2-client --name x").ok();
    assert_eq!(counting.asked(), 2);
    program.run("create oauth2-client --name x").ok();
    assert_eq!(counting.asked(), 3);
    let projects = json!([{"id": "1", "slug": "happy-hill", "name": "x", "state": "running"}]).to_string();
    let length = projects.len();
    let noting = Stub::noting(&format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{projects}"
    ));
    at(&noting).with("ORY_PROJECT_API_KEY", "key").run("list clients");
    assert_eq!(noting.asked(), 2);
    assert!(noting.heads().iter().all(|head| head.contains("ory-ratelimit-action: let me")), "{:?}", noting.heads());
}

#[test]
fn a_project_s_key_is_looked_up_once() {
    let (server, program) = network();
    let program = program.with("ORY_PROJECT_API_KEY", "ory_pat_sandbox_quiet-lake");
    program.run("create client --id a").ok();
    // With the console out of reach the project is known all the same.
    let known = led_to(&server);
    fs::create_dir_all(known.home().join("state")).unwrap();
    fs::copy(program.home().join("state/projects.toml"), known.home().join("state/projects.toml")).unwrap();
    let text = fs::read_to_string(program.home().join("state/projects.toml")).unwrap();
    assert!(text.contains("quiet-lake") && !text.contains("ory_pat"), "{text}");
    program.run("list projects -q").ok();
    program.run("use project happy-hill").fails(2, "there is no project");
    program.run("use project quiet-lake").fails(2, "a key is at work");
}

#[test]
fn a_workspace_s_key_makes_one_for_the_session() {
    let (server, program) = network();
    let program = program.with("ORY_WORKSPACE_API_KEY", "ory_wak_sandbox_acme");
    program.run("create client --id a --project happy-hill").ok();
    assert_eq!(server.client("a")["client_id"], "a");
    program.run("list clients --project wild-wood").fails(2, "there is no project");
    let made = program.run("create project-key --project happy-hill --expires-in 15m --format json").json();
    let key = made["value"].as_str().unwrap();
    assert_eq!(led_to(&server).with("ORY_PROJECT_API_KEY", key).run("list clients -q").ok().stdout, "a\n");
    program.run(&format!("delete project-key {} --project happy-hill --yes", made["id"].as_str().unwrap())).ok();
    led_to(&server).with("ORY_PROJECT_API_KEY", key).run("list clients -q").fails(4, "authorized");
    program.run("create project-key --project happy-hill --expires-in soon").fails(2, "no duration");
    let again = || program.run("create project-key --project happy-hill --expires-in 15m");
    (0..25).for_each(|_| drop(again()));
    again().fails(4, "quota of 25 API keys");
}

#[test]
fn the_key_of_a_profile_goes_to_its_own_address_only() {
    let answer =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]";
    let (own, other) = (Stub::noting(answer), Stub::noting(answer));
    let program = anywhere().input("canary-key\n");
    program.run(&format!("profile add own --endpoint {}", own.url)).ok();
    program.run("auth key set").fails(2, "--stdin");
    let ran = program.run("auth key set --stdin --in file").ok();
    assert!(!format!("{ran}").contains("canary"), "{ran}");
    program.run("list clients").ok();
    assert!(own.heads()[0].contains("authorization: Bearer canary-key"), "{:?}", own.heads());
    let config = program.home().join("config/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains("credential = \"file\"") && !text.contains("canary"), "{text}");
    fs::write(&config, text.replace(&own.url, &other.url)).unwrap();
    program.run("list clients").fails(4, "it is sent nowhere");
    assert_eq!(other.asked(), 0);
    let credentials = program.home().join("config/credentials.toml");
    let mode = |mode| fs::set_permissions(&credentials, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    mode(0o640);
    program.run("list clients").fails(2, "others can read").tells("chmod 600");
    mode(0o600);
    program.run("auth key remove").ok().tells("is forgotten");
    program.run("list clients").fails(4, "no key is kept");
}

#[test]
fn a_project_has_the_limits_of_its_tier() {
    let server = Sandbox::with("--network 127.0.0.1:0 --tier developer");
    let key = ("Authorization", "Bearer ory_pat_sandbox_quiet-lake");
    let listed = || {
        let address = "http://quiet-lake.projects.oryapis.test/admin/clients";
        wire::send(server.network.as_ref().unwrap(), "GET", address, &[key], "").status
    };
    assert!((0..15).all(|_| listed() == 200));
    assert_eq!(listed(), 429);
}
