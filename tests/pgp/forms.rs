//! Every algorithm in every form in which a key may be given.

use std::fs;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{assert_opens, create, message};
use crate::support::tools::{package, tool};
use crate::support::{Gpg, Orysh, Sandbox, orysh};

/// The flags that give a key in each form that is taken.
fn forms(program: &Orysh, armored: &str, binary: &[u8]) -> [String; 7] {
    program.file("armored.asc", armored);
    fs::write(program.home().join("binary.gpg"), binary).unwrap();
    program.file("base64.txt", &STANDARD.encode(armored));
    program.file("binary.txt", &STANDARD.encode(binary));
    [
        format!("--pgp-key '{armored}'"),
        format!("--pgp-key {}", STANDARD.encode(armored)),
        format!("--pgp-key {}", STANDARD.encode(binary)),
        "--pgp-key @armored.asc".into(),
        "--pgp-key @binary.gpg".into(),
        "--pgp-key @base64.txt".into(),
        "--pgp-key @binary.txt".into(),
    ]
}

/// A key is read in every form, and gpg decrypts what was encrypted for it.
fn assert_opens_in_every_form(gpg: &Gpg, key: &str) {
    let server = Sandbox::start();
    let program = orysh(&server);
    for form in forms(&program, &gpg.armored(key), &gpg.export(key, false)) {
        assert_opens(gpg, &server, &create(&program, &form));
    }
    assert_eq!(program.pending().len(), 0);
}

fn opens(signs: &str, encrypts: &str) {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.key("owner", signs, encrypts);
    assert_opens_in_every_form(&gpg, &key);
}

macro_rules! algorithms {
    ($($name:ident: $signs:literal, $encrypts:literal;)*) => {
        $(#[test] fn $name() { opens($signs, $encrypts); })*
    };
}

algorithms! {
    rsa_2048: "rsa2048", "rsa2048";
    rsa_3072: "rsa3072", "rsa3072";
    rsa_4096: "rsa4096", "rsa4096";
    curve25519: "ed25519", "cv25519";
    nist_p256: "nistp256", "nistp256";
    nist_p384: "nistp384", "nistp384";
    nist_p521: "nistp521", "nistp521";
}

#[test]
fn several_subkeys_of_which_one_is_revoked_and_one_has_expired() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.key_of("20200101T000000", "owner", "never");
    let expired = ["--faked-system-time", "20220101T000000", "--quick-add-key", &key, "cv25519", "encr", "2022-06-01"];
    gpg.run(&expired);
    gpg.subkey(&key, "rsa2048", &["--faked-system-time", "20210101T000000"]);
    gpg.subkey(&key, "cv25519", &["--faked-system-time", "20230101T000000"]);
    gpg.edit(&key, "key 4\nrevkey\ny\n0\n\ny\nsave\n");
    assert_opens_in_every_form(&gpg, &key);
}

#[test]
fn certified_by_others() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.key("owner", "ed25519", "cv25519");
    let friend = gpg.bare_key("friend", "rsa2048", "cert,sign", "never");
    gpg.run(&["--local-user", &friend, "--quick-sign-key", &key]);
    assert_opens_in_every_form(&gpg, &key);
}

#[test]
fn the_message_goes_through_base64_and_gpg_in_a_pipe() {
    let Some(gpg) = Gpg::new() else { return };
    let key = gpg.key("owner", "ed25519", "cv25519");
    let server = Sandbox::start();
    let program = orysh(&server);
    program.file("key.asc", &gpg.armored(&key));
    let ran = program
        .with("GNUPGHOME", gpg.home().to_str().unwrap())
        .sh("orysh create oauth2-client --name x --pgp-key \"$(base64 -w0 key.asc)\" --format jsonpath=client_secret |
         base64 -d | gpg --quiet --batch -d");
    let made = &server.clients()[0];
    assert!(server.accepts(&made["client_id"], &ran.ok().stdout.into()));
}

/// gpg 2.2 does not know version 6 keys: OpenPGP.js makes one and decrypts.
#[test]
fn version_6() {
    let (Some(node), Some(library)) = (tool("node"), package("openpgp/dist/node/openpgp.mjs")) else { return };
    let server = Sandbox::start();
    let program = orysh(&server);
    let library = format!("const openpgp = await import('{}'); const fs = await import('node:fs');", library.display());
    let script = |body: &str| {
        let output = Command::new(&node)
            .args(["--input-type=module", "-e", &format!("{library}{body}")])
            .current_dir(program.home())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    script(
        "const made = await openpgp.generateKey({type: 'curve25519', userIDs: [{name: 'Six'}], config: {v6Keys: true}});
         fs.writeFileSync('public.asc', made.publicKey); fs.writeFileSync('private.asc', made.privateKey);
         const key = await openpgp.readKey({armoredKey: made.publicKey}); fs.writeFileSync('public.gpg', key.write());",
    );
    let file = |name: &str| fs::read(program.home().join(name)).unwrap();
    let shown = program.run("inspect key @public.asc --format json").json();
    assert_eq!(shown[0]["fingerprint"].as_str().unwrap().len(), 64, "{shown}");
    let armored = String::from_utf8(file("public.asc")).unwrap();
    for form in forms(&program, &armored, &file("public.gpg")) {
        let made = create(&program, &form);
        fs::write(program.home().join("message.asc"), message(&made)).unwrap();
        let secret = script(
            "const decryptionKeys = await openpgp.readPrivateKey({armoredKey: fs.readFileSync('private.asc', 'utf8')});
             const message = await openpgp.readMessage({armoredMessage: fs.readFileSync('message.asc', 'utf8')});
             process.stdout.write((await openpgp.decrypt({message, decryptionKeys})).data);",
        );
        assert!(server.accepts(&made["client_id"], &secret.into()));
    }
}
