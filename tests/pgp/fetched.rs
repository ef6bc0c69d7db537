//! Keys from https addresses and from Keybase, and what is not fetched.

use super::{assert_opens, create};
use crate::support::{Gpg, Orysh, Sandbox, Stub, orysh, tls_pages};

fn page(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn redirect(to: &str) -> String {
    page("302 Found", &format!("Location: {to}\r\n"), "")
}

/// A server with these pages, the clients' server, and the program with `ca.pem` in its folder.
fn ready(pages: &[(&str, String)]) -> (Stub, Sandbox, Orysh) {
    let (stub, pem) = tls_pages(pages);
    let server = Sandbox::start();
    let program = orysh(&server).with("ORYSH_KEYBASE_URL", &stub.url.replace("127.0.0.1", "localhost"));
    program.file("ca.pem", &pem);
    (stub, server, program)
}

#[test]
fn a_key_is_fetched() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.armored(&gpg.key("owner", "ed25519", "cv25519"));
    let pages = [
        ("/key.asc", page("200 OK", "Content-Type: text/plain\r\n", &key)),
        ("/alice_1/pgp_keys.asc", page("200 OK", "", &key)),
        ("/1", redirect("/2")),
        ("/2", redirect("{origin}/3")),
        ("/3", redirect("key.asc")),
        ("/0", redirect("1")),
    ];
    let (stub, server, program) = ready(&pages);
    let allowed = "--ca-file ca.pem --allow-private-key-host";
    let url = &stub.url;
    assert_opens(&gpg, &server, &create(&program, &format!("--pgp-key-url {url}/key.asc {allowed} 127.0.0.1")));
    assert_opens(&gpg, &server, &create(&program, &format!("--keybase alice_1 {allowed} localhost")));
    let host = url.strip_prefix("https://").unwrap();
    assert_opens(&gpg, &server, &create(&program, &format!("--pgp-key-url {url}/1 {allowed} {host}")));
    let made = server.clients().len();
    let line = format!("create client --pgp-key-url {url}/0 {allowed} {host}");
    program.run(&line).fails(2, "redirects more than 3 times");
    assert_eq!(server.clients().len(), made);
    program.run(&format!("inspect key --keybase alice_1 {allowed} localhost")).ok().tells("");
}

#[test]
fn what_is_not_fetched() {
    let endless = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "A".repeat(10 * 1024 * 1024));
    let pages = [
        ("/plain", redirect("http://example.org/key.asc")),
        ("/metadata", redirect("https://169.254.169.254/latest")),
        ("/private", redirect("https://10.1.2.3/key.asc")),
        ("/nowhere", page("302 Found", "", "")),
        ("/user", redirect("https://me:canary@127.0.0.1/")),
        ("/large", page("200 OK", "", &"A".repeat(10 * 1024 * 1024))),
        ("/endless", endless),
        ("/html", page("200 OK", "Content-Type: text/html; charset=utf-8\r\n", "hello")),
        ("/page", page("200 OK", "", "\n<!doctype html><title>x</title>")),
        ("/error", page("500 Internal Server Error", "", "")),
        ("/partial", page("206 Partial Content", "", "x")),
        ("/empty", page("200 OK", "", "")),
        ("/nothing/pgp_keys.asc", page("200 OK", "", "")),
    ];
    let (stub, server, program) = ready(&pages);
    let url = &stub.url;
    let refused = |flags: &str, code: i32, why: &str| {
        let line = format!("create client --name x --ca-file ca.pem --allow-private-key-host 127.0.0.1 {flags}");
        let ran = program.run(&line).fails(code, why);
        assert!(!ran.stderr.contains("canary"), "{ran}");
    };
    for (path, why) in [
        ("plain", "its scheme is http, not https"),
        ("metadata", "169.254.169.254 is a private one"),
        ("private", "10.1.2.3 is a private one"),
        ("nowhere", "redirects to nowhere"),
        ("user", "user name or password"),
        ("large", "larger than 256 KiB"),
        ("endless", "larger than 256 KiB"),
        ("html", "is a page of HTML"),
        ("page", "is a page of HTML"),
        ("partial", "HTTP 206"),
        ("absent", "HTTP 404"),
        ("empty", "is empty"),
    ] {
        refused(&format!("--pgp-key-url {url}/{path}"), 2, why);
    }
    refused(&format!("--pgp-key-url {url}/error"), 1, "HTTP 500");
    refused("--pgp-key-url http://example.org/key.asc", 2, "its scheme is http, not https");
    refused("--pgp-key-url example.org/key.asc", 2, "no address");
    refused("--pgp-key-url https://me:canary@example.org/", 2, "user name or password");
    refused("--pgp-key-url https://[::1]/", 2, "::1 is a private one");
    refused("--pgp-key-url https://127.0.0.1:1/", 1, "cannot connect");
    refused("--pgp-key-url https://localhost./ --allow-private-key-host https://x/", 2, "is no host");
    refused("--pgp-key-url https://0x7f000001:1/ --allow-private-key-host 10.0.0.1", 1, "cannot connect");
    let asked = stub.asked();
    for user in ["a/b", "../etc", "a", "seventeen_letters", "a b", "ä_ö"] {
        refused(&format!("--keybase '{user}'"), 2, "is no Keybase user name");
    }
    assert_eq!(stub.asked(), asked, "a wrong name was asked for");
    refused("--keybase nobody --allow-private-key-host localhost", 2, "no Keybase user `nobody`");
    refused("--keybase nothing --allow-private-key-host localhost", 2, "no Keybase user `nothing`");
    // Without the exception loopback is as private as any other address, by number and by name.
    let asked = stub.asked();
    program
        .run(&format!("create client --ca-file ca.pem --pgp-key-url {url}/key.asc"))
        .fails(2, "127.0.0.1 is a private");
    let ran = program.run("create client --ca-file ca.pem --keybase alice").fails(2, "is a private one");
    ran.tells("--allow-private-key-host localhost");
    assert_eq!(stub.asked(), asked, "a private address was connected to");
    // No certificate is believed unseen.
    let line = format!("create client --allow-private-key-host 127.0.0.1 --pgp-key-url {url}/key.asc");
    program.run(&line).fails(1, "the certificate is not trusted");
    program.run(&format!("{line} --skip-tls-verify")).fails(1, "the certificate is not trusted");
    assert_eq!(server.clients().len(), 0, "something was sent");
    assert_eq!(program.pending().len(), 0);
}

#[test]
fn a_slow_server_is_not_waited_for() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let server = Sandbox::start();
    let line =
        format!("create client --timeout 1s --allow-private-key-host 127.0.0.1 --pgp-key-url https://{address}/");
    orysh(&server).run(&line).fails(1, "did not come within 1 s");
    assert_eq!(server.clients().len(), 0);
}

#[test]
fn behind_a_proxy_the_address_cannot_be_checked_and_that_is_told() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.armored(&gpg.key("owner", "ed25519", "cv25519"));
    let (stub, pem) = tls_pages(&[("/key.asc", page("200 OK", "", &key))]);
    let proxy = Stub::tunnel(&stub);
    let server = Sandbox::start();
    let program = orysh(&server).with("HTTPS_PROXY", &proxy.url);
    program.file("ca.pem", &pem);
    // The certificate is for localhost, and loopback is never asked for through a proxy: another name stands for it.
    let line = "create client --ca-file ca.pem --format json --pgp-key-url https://keys.test/key.asc";
    let ran = program.run(line).tells("keys.test was reached through a proxy");
    assert_opens(&gpg, &server, &ran.json());
    assert_eq!(proxy.asked(), 1);
    program.run("create client --pgp-key-url https://169.254.169.254/x").fails(2, "169.254.169.254 is a private one");
    let line = format!("create client --ca-file ca.pem --pgp-key-url {}/key.asc", stub.url);
    program.run(&line).fails(2, "127.0.0.1 is a private one");
    assert_eq!(proxy.asked(), 1, "a refused address was asked for");
}
