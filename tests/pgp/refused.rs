//! Keys that no secret may be encrypted for: refused with exit code 2 and the reason, and no client is made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::{Gpg, Orysh, Sandbox, orysh};

/// The key in `key.asc` is refused for this reason, by its fingerprint, and `inspect` tells the same.
fn assert_refused(program: &Orysh, gpg: &Gpg, key: &str, why: &str) {
    program.file("key.asc", &gpg.armored(key));
    program.run("create client --name x --pgp-key @key.asc").fails(2, why).tells(key);
    program.run("inspect key @key.asc").ok().tells(why).tells(key);
}

#[test]
fn keys_that_cannot_be_used() {
    let Some(gpg) = Gpg::new() else { return };
    let server = Sandbox::start();
    let program = orysh(&server);
    let refused = |key: &str, why: &str| assert_refused(&program, &gpg, key, why);
    refused(&gpg.key_of("20200101T000000", "expired", "2020-06-01"), "it expired on 2020-06-01");
    refused(&gpg.key_of("20900101T000000", "future", "never"), "from the future: it was made on 2090-01-01");
    refused(&gpg.bare_key("signer", "rsa2048", "cert,sign", "never"), "for signing only");
    let key = gpg.bare_key("elgamal", "dsa2048", "cert,sign", "never");
    gpg.subkey(&key, "elg2048", &[]);
    refused(&key, "ElGamal");
    let key = gpg.bare_key("brainpool", "ed25519", "cert,sign", "never");
    gpg.subkey(&key, "brainpoolP256r1", &[]);
    refused(&key, "brainpoolP256r1");
    refused(&gpg.bare_key("pool", "brainpoolP384r1", "cert,sign", "never"), "brainpoolP384r1");
    let key = gpg.key("revoked", "ed25519", "cv25519");
    gpg.edit(&key, "revkey\ny\n1\n\ny\nsave\n");
    refused(&key, "it was revoked on");
    let key = gpg.key("subrevoked", "ed25519", "cv25519");
    gpg.edit(&key, "key 1\nrevkey\ny\n0\n\ny\nsave\n");
    let subkey = gpg.fingerprints(&key)[1].clone();
    refused(&key, &format!("its subkey {subkey}: it was revoked on"));
    let key = gpg.key("nobody", "ed25519", "cv25519");
    gpg.run(&["--quick-add-uid", &key, "Other"]);
    // By its name: which one comes first hangs on the second that each was made in.
    gpg.run(&["--quick-revoke-uid", &key, "nobody <nobody@example.org>"]);
    program.file("key.asc", &gpg.armored(&key));
    program.run("create client --pgp-key @key.asc").ok().tells("(Other)");
    assert_eq!(server.clients().len(), 1, "something was sent for a refused key");
}

#[test]
fn what_is_no_single_public_key() {
    let Some(gpg) = Gpg::new() else { return };
    let server = Sandbox::start();
    let program = orysh(&server);
    let (one, two) = (gpg.key("one", "ed25519", "cv25519"), gpg.key("two", "ed25519", "cv25519"));
    let armored = gpg.armored(&one);
    let create = "create client --name x --pgp-key";
    let private = gpg.run(&["--armor", "--export-secret-keys", &one]);
    program.file("private.asc", &private);
    std::fs::write(program.home().join("private.gpg"), gpg.feed(&["--export-secret-keys", &one], b"")).unwrap();
    for file in ["private.asc", "private.gpg"] {
        program.run(&format!("{create} @{file}")).fails(2, "is a private key").tells(file).tells(&one);
    }
    program.run(&format!("{create} {}", STANDARD.encode(&private))).fails(2, "is a private key");
    // Blocks one after the other, and several keys in one block.
    program.file("blocks.asc", &format!("{armored}{}", gpg.armored(&two)));
    program.file("several.asc", &gpg.run(&["--armor", "--export"]));
    for file in ["blocks.asc", "several.asc"] {
        program.run(&format!("{create} @{file}")).fails(2, "2 keys").tells(&one).tells(&two).tells("two@example.org");
    }
    let shown = program.run("inspect key @several.asc -q").ok();
    assert_eq!(shown.stdout.lines().count(), 4, "{shown}");
    program.file("broken.asc", &armored.replacen("\n\n", "\n\n?", 1));
    program.run(&format!("{create} @broken.asc")).fails(2, "line 3 of broken.asc: `?`");
    program.run(&format!("{create} {}", STANDARD.encode(armored.replacen("\n\n", "\n\n?", 1)))).fails(2, "line 3 of");
    let cut: Vec<&str> = armored.lines().take(4).collect();
    program.file("cut.asc", &cut.join("\n"));
    program.run(&format!("{create} @cut.asc")).fails(2, "END PGP PUBLIC KEY BLOCK");
    program.file("large.asc", &"A".repeat(10 * 1024 * 1024));
    program.run(&format!("{create} @large.asc")).fails(2, "larger than a key");
    program.file("page.html", "<!doctype html><title>Not Found</title>");
    program.run(&format!("{create} @page.html")).fails(2, "page of HTML");
    program.file("empty.asc", "");
    program.run(&format!("{create} @empty.asc")).fails(2, "empty.asc is empty");
    program.run(&format!("{create} ''")).fails(2, "is empty");
    program.run(&format!("{create} ====")).fails(2, "no OpenPGP key");
    program.run(&format!("{create} {}", STANDARD.encode("hello"))).fails(2, "no OpenPGP key");
    program.run(&format!("{create} @absent.asc")).fails(2, "absent.asc");
    program.run(&format!("{create} @.")).fails(2, "cannot read");
    program.file("key.asc", &armored);
    program.run(&format!("{create} key.asc")).fails(2, "@key.asc");
    program.run(&format!("{create} @- --secret-stdin")).fails(2, "stdin");
    assert_eq!(server.clients().len(), 0, "something was sent");
    assert_eq!(program.pending().len(), 0);
}

#[test]
fn a_client_without_a_secret_takes_no_recipient() {
    let Some(gpg) = Gpg::new() else { return };
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("key.asc", &gpg.armored(&gpg.key("owner", "ed25519", "cv25519")));
    let create = "create client --pgp-key @key.asc --format json --token-endpoint-auth-method";
    program.run(&format!("{create} none")).fails(2, "has no secret");
    assert_eq!(server.clients().len(), 0);
    // The server makes one for these that is of no use; nobody but the owner reads even that.
    let made = program.run(&format!("{create} private_key_jwt --jwks-uri https://example.org/jwks")).tells("of no use");
    assert_eq!(gpg.decrypt(&super::message(&made.json())).len(), 26);
}

#[test]
fn where_there_is_nobody_to_encrypt_for() {
    let Some(gpg) = Gpg::new() else { return };
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("key.asc", &gpg.armored(&gpg.key("owner", "ed25519", "cv25519")));
    let script = "let keys = []; clients::create(#{client_name: \"x\"}, #{pgp_key: keys})";
    program.args(&["eval", script]).fails(1, "`pgp_key` is an empty list");
    let script = "clients::create(#{}, #{keybase: \"alice\", allow_private_key_host: \"https://localhost\"})";
    program.args(&["eval", script]).fails(1, "is no host");
    program.file("none.json", "[{\"token_endpoint_auth_method\": \"none\"}]");
    program.run("import clients none.json --pgp-key @key.asc").fails(2, "nothing to encrypt");
    program.run("import clients none.json --pgp-key @- --pgp-key @-").fails(2, "both read stdin");
    program.run("import clients --pgp-key @-").fails(2, "both read stdin");
    assert_eq!(server.clients().len(), 0);
    program.file("none.yaml", "client_id: n\ntoken_endpoint_auth_method: none\n");
    program.run("apply -f none.yaml --pgp-key @key.asc").fails(2, "nothing to encrypt");
    program.file("a.yaml", "client_id: a\n");
    program.run("apply -f a.yaml --pgp-key @key.asc").ok().tells("is encrypted for key");
    let ran = program.run("apply -f a.yaml --pgp-key @key.asc").ok();
    assert!(!ran.stderr.contains("encrypted"), "nothing is\n{ran}");
}

#[test]
fn damaged_keys_are_told_of_in_few_words() {
    let Some(gpg) = Gpg::new() else { return };
    let program = orysh(&Sandbox::start());
    let armored = gpg.armored(&gpg.key("owner", "ed25519", "cv25519"));
    program.args(&["inspect", "key", &armored]).ok();
    let binary = STANDARD
        .decode(armored.lines().skip(2).take_while(|line| !line.starts_with(['=', '-'])).collect::<String>())
        .unwrap();
    std::fs::write(program.home().join("cut.bin"), &binary[..200]).unwrap();
    let ran = program.run("inspect key @cut.bin").fails(2, "cut off or damaged");
    assert!(ran.stderr.len() < 300, "{ran}");
    let lines: Vec<&str> = armored.lines().collect();
    let third = lines[3];
    for (text, why) in [
        (armored.replacen(third, &format!("{}={}", &third[..10], &third[11..]), 1), "line 4"),
        (
            armored.replacen(third, &format!("{}==", &third[..third.len() - 2]), 1),
            "line 5 of key.asc: the data goes on",
        ),
        (armored.replacen(third, &third[1..], 1), "line 4 of key.asc: the data is cut off"),
        (armored.replacen("BEGIN PGP", "BEGN PGP", 1), "line 1 of key.asc: this is no beginning"),
        (armored.split_once('\n').unwrap().1.to_owned(), "ends here that has not begun"),
        (armored.replace('\n', " "), "line ends were lost"),
        (armored.replacen("-----BEGIN", "----BEGIN", 1), "line 1 of key.asc: this is no beginning"),
    ] {
        program.file("key.asc", &text);
        program.run("inspect key @key.asc").fails(2, why);
    }
}
