//! A drop-in for `ory` and `hydra`: what they printed against a live Hydra, orysh prints under their name.

use std::os::unix::fs::symlink;

use serde_json::{Map, Value, json};

use crate::support::{Orysh, PROGRAM, Ran, Sandbox, anywhere};

/// What orysh does otherwise on purpose.
enum Otherwise {
    /// It does what was refused.
    Succeeds,
    /// It prints this in the place of that.
    Prints(&'static str, &'static str),
}

/// Where orysh does otherwise, and why.
const DIFFERENCES: &[(&str, Otherwise, &str)] = &[
    ("import stdin", Otherwise::Succeeds, "one object on stdin is imported, not refused"),
    (
        "list",
        Otherwise::Prints("\t\t\t\t\t\t\t\ta b\t", "\tauthorization_code\tcode\ta b\t"),
        "a client made from a file gets the same defaults as one made by flags",
    ),
    (
        "list json",
        Otherwise::Prints(
            "\"client_name\":\"from file\",\"client_secret_expires_at\":0,\"client_uri\":\"\",\"contacts\":[],\"created_at\":\"2026-11-23T18:05:23Z\",\"grant_types\":[]",
            "\"client_name\":\"from file\",\"grant_types\":[\"authorization_code\"]",
        ),
        "the same",
    ),
    (
        "list json",
        Otherwise::Prints("\"response_types\":[],\"scope\":\"a b\"", "\"response_types\":[\"code\"],\"scope\":\"a b\""),
        "the same",
    ),
];

fn under(name: &str, program: &Orysh, args: &[String]) -> Ran {
    let link = program.home().join(name);
    if !link.exists() {
        symlink(PROGRAM, &link).unwrap();
    }
    let mut command = program.command(link.to_str().unwrap());
    command.args(args);
    program.start(&mut command).end()
}

/// What stands for values that a server makes.
fn is_made(member: &str) -> bool {
    matches!(
        member,
        "created_at"
            | "updated_at"
            | "registration_access_token"
            | "registration_client_uri"
            | "access_token"
            | "expiry"
            | "next_page_token"
    )
}

/// Whether everything that was recorded is printed; orysh may print more members.
fn holds(recorded: &Value, printed: &Value, path: &str) -> Result<(), String> {
    match (recorded, printed) {
        (Value::Object(recorded), Value::Object(printed)) => {
            let wanted = recorded.iter().filter(|(name, _)| *name != "AdditionalProperties");
            for (name, value) in wanted {
                let found = printed.get(name).ok_or(format!("{path}.{name} is missing"))?;
                if !is_made(name) {
                    holds(value, found, &format!("{path}.{name}"))?;
                }
            }
            Ok(())
        }
        (Value::Array(recorded), Value::Array(printed)) if recorded.len() == printed.len() => {
            recorded.iter().zip(printed).try_for_each(|(a, b)| holds(a, b, path))
        }
        (Value::String(a), Value::String(b)) if is_uuid(a) && is_uuid(b) => Ok(()),
        (a, b) if a == b => Ok(()),
        (a, b) => Err(format!("{path}: {a} was recorded, {b} is printed")),
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// The filled cells of each row of a table, without what the server made.
fn rows(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let filled = line.split('\t').map(str::trim).filter(|cell| !cell.is_empty());
        filled.map(|cell| if is_uuid(cell) { "UUID".into() } else { cell.to_owned() }).collect()
    };
    let rows = text.lines().map(cells).filter(|row: &Vec<String>| !row.is_empty());
    rows.map(|row| if row[0] == "NEXT PAGE TOKEN" { vec![row[0].clone()] } else { row }).collect()
}

#[test]
fn the_recorded_lines_of_ory() {
    let recorded: Vec<Map<String, Value>> = serde_json::from_str(include_str!("data/ory-cli-recorded.json")).unwrap();
    let cc = json!({"client_id": "cc", "client_secret": "secret-cc", "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_post"});
    let server = Sandbox::holding(&[cc], "");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut wrong = Vec::new();
    let mut met = Vec::new();
    for line in &recorded {
        let name = text(&line["name"]);
        let mut program = anywhere().with("ORY_SDK_URL", &server.admin).with("HYDRA_PUBLIC_URL", &server.public);
        for (file, content) in line["files"].as_object().into_iter().flatten() {
            program.file(file, &content.to_string());
        }
        if let Some(input) = line["stdin"].as_str() {
            program = program.input(input);
        }
        let args: Vec<String> = line["args"].as_array().unwrap().iter().map(text).collect();
        let mut ran = under("ory", &program, &args);
        // The id that the server made stands in the lists that follow, behind `cc`.
        while name == "file" && made_id(&ran).as_str() < "cc" {
            anywhere().run(&format!("delete client {} -e {}", made_id(&ran), server.admin)).ok();
            ran = under("ory", &program, &args);
        }
        let (expected, mut stdout) = (line["exit"] == 0, text(&line["stdout"]));
        let mut is_refused = !expected;
        for (_, otherwise, why) in DIFFERENCES.iter().filter(|(differs, _, _)| *differs == name) {
            met.push(name.clone());
            match otherwise {
                Otherwise::Succeeds => is_refused = false,
                Otherwise::Prints(recorded, instead) => {
                    assert!(stdout.contains(recorded), "{name}: {why}");
                    stdout = stdout.replace(recorded, instead);
                }
            }
        }
        if (ran.code == Some(0)) == is_refused {
            wrong.push(format!("{name}: {ran}"));
        } else if is_refused || !expected {
            // What is said of it is orysh's own.
        } else if let Ok(value) = serde_json::from_str::<Value>(&stdout) {
            match serde_json::from_str(&ran.stdout).map_err(|error| error.to_string()) {
                Ok(printed) => wrong.extend(holds(&value, &printed, "").err().map(|why| format!("{name}: {why}"))),
                Err(error) => wrong.push(format!("{name}: {error}\n{ran}")),
            }
        } else if rows(&stdout) != rows(&ran.stdout) {
            wrong.push(format!("{name}: {:#?}\nis not\n{:#?}", rows(&ran.stdout), rows(&stdout)));
        }
    }
    assert_eq!(met.len(), DIFFERENCES.len(), "a difference that is none");
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), recorded.len(), wrong.join("\n\n"));
}

fn made_id(ran: &Ran) -> String {
    serde_json::from_str::<Value>(&ran.stdout).unwrap()["client_id"].as_str().unwrap().to_owned()
}

#[test]
fn hydra_s_spellings_work_under_its_name() {
    let server = Sandbox::start();
    let program = anywhere();
    let run = |line: &str| under("hydra", &program, &shlex::split(line).unwrap());
    let made = run(&format!("create client -e {} --name x --format json", server.admin)).json();
    assert!(server.accepts(&made["client_id"], &made["client_secret"]));
    let id = made["client_id"].as_str().unwrap();
    let ran = run(&format!("get client {id} -e {} --format jsonpath=client_name", server.admin)).ok();
    assert_eq!(ran.stdout, "\"x\"\n", "a text keeps its quotes");
    run(&format!("delete client {id} -e {}", server.admin)).ok();
    run("serve all").fails(2, "unknown command `serve`").tells("orysh under the name `hydra`");
    let ran = anywhere().run("serve all").fails(2, "unknown command `serve`");
    assert!(!ran.stderr.contains("under the name"), "{ran}");
}

#[test]
fn ids_come_from_stdin() {
    let server = Sandbox::of_many(600, "");
    let program = anywhere().with("ORY_SDK_URL", &server.admin);
    let ran = program.sh("orysh list clients --all -q | orysh delete client - --format jsonl");
    assert_eq!(ran.ok().tells("600 of 600 deleted; JWT").stdout.lines().count(), 600);
    let program = program.input("\n");
    program.run("delete client -").ok().tells("names no client");
    let program = program.input("a\na\n\nb\n");
    program.run("delete client - -q").tells("cannot delete client `a`").tells("cannot delete client `b`");
}

#[test]
fn every_spelling_of_ory_and_hydra_is_taken() {
    let client = json!({"client_id": "job", "client_secret": "job-secret", "grant_types": ["client_credentials"]});
    let server = Sandbox::holding(&[client], "");
    let (admin, public) = (&server.admin, &server.public);
    let lines: &[(&str, &str)] = &[
        ("ory", "list oauth2-clients"),
        ("ory", "list clients"),
        ("ory", "get oauth2-client job"),
        ("ory", "get client job"),
        ("ory", "update oauth2-client job --name y"),
        ("hydra", "update client job --name z --http-header 'X-A: b'"),
        ("hydra", "list clients --page-size 10"),
        ("hydra", "introspect token nothing"),
        ("hydra", "delete access-tokens job"),
        ("hydra", "import clients c.json"),
        ("ory", "import oauth2-clients d.json"),
    ];
    let program = anywhere();
    program.file("c.json", "[{\"client_id\": \"c\"}]");
    program.file("d.json", "[{\"client_id\": \"d\"}]");
    for (name, line) in lines {
        let args = shlex::split(&format!("{line} -e {admin}")).unwrap();
        under(name, &program, &args).ok();
    }
    // The endpoint of these is the public one, and the client comes from the environment as well.
    let program = anywhere().with("OAUTH2_CLIENT_ID", "job").with("OAUTH2_CLIENT_SECRET", "job-secret");
    let run = |line: &str| under("hydra", &program, &shlex::split(&format!("{line} -e {public}")).unwrap());
    let token = run("perform client-credentials --format jsonpath=access_token").ok().stdout;
    run(&format!("revoke token {}", token.trim().trim_matches('"'))).ok();
}

#[test]
fn a_path_to_what_is_not_there_gives_null() {
    let server = Sandbox::holding(&[json!({"client_id": "a"})], "");
    let program = anywhere().with("ORY_SDK_URL", &server.admin);
    for format in ["jsonpath=nope", "jsonpointer=/jwks_uri/nope"] {
        let args = ["get", "client", "a", "--format", format].map(str::to_owned);
        assert_eq!(under("ory", &program, &args).quiet().stdout, "null\n", "{format}");
        program.args(&args).fails(1, "matches nothing");
    }
}
