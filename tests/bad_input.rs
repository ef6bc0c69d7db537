//! What is used wrongly, and servers that are none: each its own error, and nothing sent that should not be.

use serde_json::Value;

use crate::support::{Sandbox, Stub, anywhere, orysh, tls_stub};

/// Arguments, exit code, and a part of what is told.
type Case = (&'static str, i32, &'static str);

const CASES: &[Case] = &[
    ("create client --nmae x", 2, "did you mean `--name`?"),
    ("craete client", 2, "did you mean `create`?"),
    ("create oauth2-cleint", 2, "did you mean `oauth2-client`?"),
    ("create jwk", 2, "out of scope"),
    ("create", 2, "`create` of what?"),
    ("get client", 2, "wants <ID>"),
    ("create client -f misspelt.yaml", 2, "misspelt.yaml, line 1, column 1: unknown field `client_nmae`"),
    ("create client -f misspelt.yaml", 2, "did you mean `client_name`?"),
    ("create client -f broken.json", 2, "broken.json, line 2, column 1"),
    ("create client -f broken.yaml", 2, "broken.yaml, line 1, column"),
    ("create client -f kind.json", 2, "kind.json, line 1, column 17: `client_name` wants text, not a list"),
    ("create client -f list.yaml", 2, "one client is due here, but there are 2"),
    ("create client -f empty.json", 2, "empty.json"),
    ("create client -f absent.yaml", 2, "cannot open absent.yaml"),
    ("create client -f latin1.yaml", 2, "latin1.yaml is not UTF-8: byte 14"),
    ("create client --secret-file absent", 2, "absent"),
    ("create client --metadata nonsense", 2, "--metadata"),
    ("create client --metadata '[1]'", 2, "metadata"),
    ("create client --skip-consent=perhaps", 2, "perhaps"),
    ("create client --id .", 2, "`.` cannot be a client id"),
    ("create client --id ..", 2, "`..` cannot be a client id"),
    ("create client --id 'a\r\nb'", 2, "holds a control character"),
    ("get client .", 2, "`.` cannot be a client id"),
    ("get client ..", 2, "`..` cannot be a client id"),
    ("get client 'a\r\nb'", 2, "holds a control character"),
    ("delete client fine ..", 2, "`..` cannot be a client id"),
    ("delete client 'x\nX-Header: y'", 2, "holds a control character"),
    ("get client ''", 2, "this one is empty"),
    ("create client --redirect-uri /relative", 2, "/relative"),
    ("create client --redirect-uri javascript:alert(1)", 2, "javascript"),
    ("create client --token-endpoint-auth-method weird", 2, "weird"),
    ("create client --token-endpoint-auth-method private_key_jwt", 2, "jwks"),
    ("create client --secret short", 2, "6"),
    ("create client --format yml", 2, "did you mean `yaml`?"),
    ("create client --format jsonpath=$[", 2, "the path `$[` is broken"),
    ("create client --format jsonpath=a.#(", 2, "the path `a.#(` is broken"),
    ("create client --format jsonpointer=x", 2, "a pointer begins with `/`"),
    ("create client --timeout soon", 2, "--timeout `soon` is no duration"),
    ("create client --header nonsense", 2, "--header wants a name, a colon and a value"),
    ("create client --header 'X: a\nY: b'", 2, "holds characters that no header takes"),
    ("list clients --page-size few", 2, "--page-size"),
    ("create client --endpoint nonsense", 2, "did you mean `http://nonsense`?"),
    ("create client --endpoint ftp://127.0.0.1", 2, "its scheme is `ftp`, not http or https"),
    ("create client --endpoint http://me:pw@127.0.0.1", 2, "holds a user name or password"),
    ("create client --endpoint http://127.0.0.1:1 --sandbox", 2, "two targets are named"),
    ("create client --public-endpoint nonsense", 2, "--public-endpoint"),
    ("help nonsense", 2, "there is no help on `nonsense`"),
    ("version --endpoint http://127.0.0.1:1", 2, "`version` acts on no server"),
];

#[test]
fn what_is_used_wrongly_is_told_and_nothing_is_sent() {
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("misspelt.yaml", "client_nmae: x\n");
    program.file("broken.json", "{\"client_name\": \"x\"\n");
    program.file("broken.yaml", "client_name: \"x\n");
    program.file("kind.json", "{\"client_name\": [\"x\"]}");
    program.file("list.yaml", "- client_name: x\n- client_name: y\n");
    program.file("empty.json", "");
    std::fs::write(program.home().join("latin1.yaml"), b"client_name: \xfcx\n").unwrap();
    for (line, code, told) in CASES {
        let ran = program.run(line);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(*code), ""), "{line:?}\n{ran}");
        assert!(ran.stderr.contains(told), "{line:?} does not tell {told:?}\n{ran}");
        assert!(!ran.stderr.contains("panicked"), "{line:?}\n{ran}");
    }
    assert_eq!(server.clients(), Vec::<Value>::new());
    assert_eq!(program.pending().len(), 0);
}

#[test]
fn a_password_in_an_address_is_not_repeated() {
    let ran = anywhere().run("list clients -e http://me:hunter22@127.0.0.1:1").fails(2, "user name or password");
    assert!(!ran.stderr.contains("hunter22"), "{ran}");
}

#[test]
fn without_a_server_it_is_told_how_to_name_one() {
    let program = anywhere();
    program.run("create oauth2-client --name x").fails(2, "no server is named").tells("--endpoint").tells("--sandbox");
    assert_eq!(program.pending().len(), 0);
}

#[test]
fn errors_are_json_where_json_is_asked_for() {
    let server = Sandbox::start();
    let program = orysh(&server);
    for (line, code) in [
        ("get client absent --format json", 1),
        ("get client .. --format=json-pretty", 2),
        ("create client --nmae x --format jsonl", 2),
    ] {
        let ran = program.run(line);
        let told: Value = serde_json::from_str(&ran.stderr).unwrap_or_else(|error| panic!("{error}\n{ran}"));
        assert_eq!((ran.code, &told["error"]["exit_code"]), (Some(code), &code.into()), "{line}");
        assert!(!told["error"]["message"].as_str().unwrap().is_empty(), "{line}");
    }
    let told: Value = serde_json::from_str(&program.run("get client absent --format json").stderr).unwrap();
    assert_eq!(told["error"]["status"], 404);
}

#[test]
fn some_of_several_failed() {
    let server = Sandbox::of_many(2, "");
    let ran = orysh(&server).run("get client c0000 absent c0001 -q").tells("cannot get client `absent`");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), "c0000\nc0001\n"), "{ran}");
}

#[test]
fn a_dead_server_is_told_at_once() {
    let server = Sandbox::start();
    let program = orysh(&server);
    drop(server);
    let began = std::time::Instant::now();
    program.run("list clients").fails(1, "cannot connect to http://127.0.0.1:").tells("is the server running");
    program.run("create client").fails(1, "cannot connect to http://127.0.0.1:");
    assert_eq!(program.pending().len(), 0);
    assert!(began.elapsed() < std::time::Duration::from_secs(5));
}

#[test]
fn the_public_side_is_no_admin_api() {
    let server = Sandbox::start();
    let line = format!("create client --endpoint {}", server.public);
    let ran = orysh(&server).run(&line).fails(1, "a page of HTML (HTTP 404)").tells("admin port is 4445");
    assert!(!ran.stderr.contains('<'), "HTML is told\n{ran}");
    assert_eq!(server.clients(), Vec::<Value>::new());
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

#[test]
fn answers_that_no_admin_api_gives_are_told() {
    let html = answer("200 OK", "text/html", "<html><title>Welcome</title></html>");
    let cases: [(String, i32, &str); 8] = [
        (html, 1, "a page of HTML"),
        (answer("200 OK", "application/json", ""), 1, "the server answered with no words"),
        (answer("200 OK", "text/plain", "hello"), 1, "something that is not JSON"),
        (answer("200 OK", "application/json", "{\"client_id\": 1"), 1, "HTTP 200"),
        (answer("302 Found", "text/html", ""), 1, "redirects are not followed"),
        (answer("401 Unauthorized", "application/json", "{\"error\":\"who?\"}"), 4, "not signed in there"),
        (answer("403 Forbidden", "application/json", "{\"error\":\"no\"}"), 4, "not allowed"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".into(), 1, "the answer is larger than 16 MiB"),
    ];
    for (bytes, code, told) in cases {
        let stub = Stub::answering(&bytes);
        let ran = anywhere().run(&format!("list clients -e {}", stub.url));
        assert_eq!(ran.code, Some(code), "{bytes}\n{ran}");
        assert!(ran.stderr.contains(told), "{told:?} is not told\n{bytes}\n{ran}");
        assert!(!ran.stderr.contains('<'), "HTML is told\n{ran}");
        assert!(stub.asked() > 0);
    }
}

#[test]
fn a_server_s_words_cannot_harm_the_terminal() {
    let body = r#"{"error":"\u001b[2Jgone\u0007","error_description":"\u001b]0;title\u0007 said"}"#;
    let stub = Stub::answering(&answer("400 Bad Request", "application/json", body));
    let ran = anywhere().run(&format!("list clients -e {}", stub.url)).fails(1, "said");
    assert!(!ran.stderr.contains(['\u{1b}', '\u{7}']), "{ran:?}");
}

#[test]
fn a_certificate_that_is_not_trusted_is_refused_unless_it_is_named() {
    let (stub, pem) = tls_stub(&answer("200 OK", "application/json", "[]"));
    let program = anywhere();
    program.file("ca.pem", &pem);
    program.file("empty.pem", "");
    let list = format!("list clients -q -e {}", stub.url);
    program.run(&list).fails(1, "the certificate is not trusted").tells("--ca-file");
    assert_eq!(program.run(&format!("{list} --ca-file ca.pem")).quiet().stdout, "");
    program.run(&format!("{list} --skip-tls-verify")).ok();
    program.run(&format!("{list} --ca-file empty.pem")).fails(2, "empty.pem");
    program.run(&format!("{list} --ca-file absent.pem")).fails(2, "absent.pem");
    program.run(&format!("create client -e {}", stub.url)).fails(1, "the certificate is not trusted");
    assert_eq!(program.pending().len(), 0);
}

#[test]
fn plain_http_is_told_from_tls() {
    let server = Sandbox::start();
    let url = server.admin.replace("http://", "https://");
    orysh(&server).run(&format!("list clients -e {url}")).fails(1, "no TLS is spoken");
}

#[test]
fn a_delete_can_be_looked_at_first() {
    let server = Sandbox::of_many(2, "");
    let program = orysh(&server);
    let ran = program.run("delete client c0000 c0001 c0000 --dry-run --format jsonl").quiet();
    assert_eq!(ran.stdout.matches("\"method\":\"DELETE\"").count(), 2, "{ran}");
    assert_eq!(server.clients().len(), 2);
}
