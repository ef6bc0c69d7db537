//! The real `ory` program as a client of the network listener: it cannot tell the sandbox from Ory Network.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use serde_json::{Value, json};

use crate::contract::wire;
use crate::support::tools::package;
use crate::support::{Gpg, Sandbox, anywhere};

/// What leads `ory` and `orysh` to the sandbox's network.
fn variables(server: &Sandbox) -> [(&'static str, String); 4] {
    [
        ("HTTP_PROXY", server.network.clone().unwrap()),
        ("ORY_CONSOLE_URL", "http://console.test".into()),
        ("ORY_ORYAPIS_URL", "http://oryapis.test".into()),
        ("ORY_PROJECT_API_KEY", "ory_pat_sandbox_happy-hill".into()),
    ]
}

fn ory() -> Option<PathBuf> {
    package("@ory/cli-linux-x64/bin/ory")
}

/// Runs `ory` in a folder to its end: exit code, stdout, stderr.
fn run(ory: &Path, server: &Sandbox, folder: &Path, args: &[String], input: Option<&str>) -> (i32, String, String) {
    let stdin = folder.join("stdin");
    std::fs::write(&stdin, input.unwrap_or_default()).unwrap();
    let output = Command::new(ory)
        .args(args)
        .env_clear()
        .env("HOME", folder)
        .envs(variables(server))
        .current_dir(folder)
        .stdin(if input.is_some() { std::fs::File::open(stdin).unwrap().into() } else { Stdio::null() })
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Values that a server makes, and what stands for them.
static MADE: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        ("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?Z", "TIME"),
        ("ory_at_[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+", "TOKEN"),
        ("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
        ("\"registration_client_uri\":( ?)\"http://[^/]+/", "\"registration_client_uri\":$1\"http://HOST/"),
        ("\"next_page_token\":\"[A-Za-z0-9_-]{40,}\"", "\"next_page_token\":\"PAGE\""),
        // The columns behind are as wide as the token.
        ("NEXT PAGE TOKEN(\t+)[A-Za-z0-9_-]{40,}\t+\n", "NEXT PAGE TOKEN${1}PAGE\n"),
        ("IS LAST PAGE(\t+)(true|false)\t+\n", "IS LAST PAGE$1$2\n"),
    ]
    .map(|(pattern, stands)| (Regex::new(pattern).unwrap(), stands))
    .into()
});

fn without_made(text: &str) -> String {
    MADE.iter().fold(text.to_owned(), |text, (pattern, stands)| pattern.replace_all(&text, *stands).into_owned())
}

/// Long usage was recorded by its beginning and its length: what is printed is shortened likewise.
fn shortened(printed: &str, recorded: &str) -> String {
    let Some((beginning, _)) = recorded.split_once("\n… ") else { return printed.trim_end().to_owned() };
    let lines: Vec<&str> = printed.lines().collect();
    let shown = beginning.lines().count();
    format!("{}\n… {} lines in all", lines[..shown].join("\n"), lines.len())
}

#[test]
fn every_recorded_line_prints_what_it_printed() {
    let Some(ory) = ory() else { return };
    let recorded: Vec<Value> = serde_json::from_str(include_str!("data/ory-cli-recorded.json")).unwrap();
    let cc = json!({"client_id": "cc", "client_secret": "secret-cc", "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_post"});
    let server = Sandbox::holding(&[cc], "--network 127.0.0.1:0");
    let folder = tempfile::tempdir().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut wrong = Vec::new();
    for line in &recorded {
        for (name, content) in line["files"].as_object().into_iter().flatten() {
            std::fs::write(folder.path().join(name), content.to_string()).unwrap();
        }
        let args: Vec<String> = line["args"].as_array().unwrap().iter().map(text).collect();
        let input = line["stdin"].as_str();
        let mut ran = run(&ory, &server, folder.path(), &args, input);
        // The id that the server made stands in the lists that follow, behind `cc`.
        while line["name"] == "file" && made_id(&ran.1).as_str() < "cc" {
            wire::send(&server.admin, "DELETE", &format!("/admin/clients/{}", made_id(&ran.1)), &[], "");
            ran = run(&ory, &server, folder.path(), &args, input);
        }
        let expected = (
            line["exit"].as_i64().unwrap(),
            without_made(line["stdout"].as_str().unwrap()),
            line["stderr"].as_str().unwrap().to_owned(),
        );
        let found = (i64::from(ran.0), without_made(&ran.1), shortened(&ran.2, &expected.2));
        if found != expected {
            wrong.push(format!("{}: {args:?}\nrecorded {expected:#?}\nprinted {found:#?}", line["name"]));
        }
    }
    assert!(recorded.len() >= 30);
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), recorded.len(), wrong.join("\n\n"));
}

fn made_id(printed: &str) -> String {
    serde_json::from_str::<Value>(printed).unwrap()["client_id"].as_str().unwrap().to_owned()
}

#[test]
fn what_ory_makes_orysh_shows() {
    let Some(ory) = ory() else { return };
    let server = Sandbox::with("--network 127.0.0.1:0");
    let folder = tempfile::tempdir().unwrap();
    let args = ["create", "oauth2-client", "--name", "x", "--format", "json"].map(str::to_owned);
    let (code, printed, _) = run(&ory, &server, folder.path(), &args, None);
    assert_eq!(code, 0);
    let made: Value = serde_json::from_str(&printed).unwrap();
    assert!(server.accepts(&made["client_id"], &made["client_secret"]));
    let get = format!("get oauth2-client {} --format json", made["client_id"].as_str().unwrap());
    let at_admin = anywhere().run(&format!("{get} -e {}", server.admin)).json();
    let on_network = variables(&server).iter().fold(anywhere(), |program, (name, value)| program.with(name, value));
    let on_network = on_network.run(&get).json();
    assert_eq!(at_admin["client_name"], "x");
    assert_eq!(at_admin, on_network);
}

#[test]
fn ory_and_orysh_encrypt_for_the_same_key() {
    let (Some(ory), Some(gpg)) = (ory(), Gpg::new()) else { return };
    let key = gpg.armored(&gpg.key("owner", "rsa2048", "rsa2048"));
    let key = STANDARD.encode(key);
    let server = Sandbox::with("--network 127.0.0.1:0");
    let folder = tempfile::tempdir().unwrap();
    let args = ["create", "oauth2-client", "--name", "x", "--pgp-key", &key, "--format", "json"].map(str::to_owned);
    let (code, printed, told) = run(&ory, &server, folder.path(), &args, None);
    assert_eq!(code, 0, "{told}");
    let theirs: Value = serde_json::from_str(&printed).unwrap();
    let program = variables(&server).iter().fold(anywhere(), |program, (name, value)| program.with(name, value));
    let ours = program.args(&args).json();
    for made in [theirs, ours] {
        let message = STANDARD.decode(made["client_secret"].as_str().unwrap());
        let secret = gpg.decrypt(&message.unwrap());
        assert!(server.accepts(&made["client_id"], &secret.into()));
    }
}

#[test]
fn somebody_who_has_signed_in_works_on_the_selected_project() {
    let Some(ory) = ory() else { return };
    let server = Sandbox::with("--network 127.0.0.1:0");
    let folder = tempfile::tempdir().unwrap();
    let file = json!({"version": "v1", "access_token": {"access_token": "ory_at_sandbox", "token_type": "bearer",
        "expiry": "2999-01-01T00:00:00Z"}, "selected_project": "7d3a52c0-0005-4f0b-8e55-000000000005",
        "selected_workspace": "5b0c1f6e-0003-4a7e-9c1d-000000000003",
        "session_identity_traits": {"ID": "7d3a52c0-0009-4f0b-8e55-000000000009", "email": "a@example.org", "name": "A B"}});
    std::fs::write(folder.path().join(".ory-cloud.json"), file.to_string()).unwrap();
    let run = |line: &str| {
        let args = line.split(' ');
        let output = Command::new(&ory)
            .args(args)
            .env_clear()
            .env("HOME", folder.path())
            .envs(variables(&server).into_iter().filter(|(name, _)| *name != "ORY_PROJECT_API_KEY"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{line}\n{told}");
        String::from_utf8(output.stdout).unwrap()
    };
    let made: Value = serde_json::from_str(&run("create oauth2-client --name wild --format json --yes")).unwrap();
    assert!(run("list oauth2-clients --yes").contains(made["client_id"].as_str().unwrap()));
    assert!(!run("list oauth2-clients --project quiet-lake-st --yes").contains("wild"));
    assert!(run("get project 7d3a52c0-0005-4f0b-8e55-000000000005 --yes").contains("wild-wood"));
}
