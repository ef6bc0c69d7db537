//! The scripts of scripts/, each doing its job.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::{Gpg, Orysh, Sandbox, orysh};

fn path(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name).display().to_string()
}

fn ready(server: &Sandbox) -> Orysh {
    orysh(server).with("HYDRA_PUBLIC_URL", &server.public)
}

#[test]
fn every_script_says_what_it_does() {
    let server = Sandbox::start();
    let program = ready(&server);
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.display().to_string();
        program.run(&format!("script check {file}")).ok().tells("nothing is wrong");
        if path.is_dir() {
            continue;
        }
        let help = program.run(&format!("run {file} --help")).quiet().stdout;
        assert!(help.contains("Usage: orysh run"), "{file}: {help}");
        assert!(!help.lines().next().unwrap().is_empty(), "{file}: {help}");
    }
}

#[test]
fn onboard_makes_a_client_a_row_and_encrypts_for_its_owner() {
    let Some(gpg) = Gpg::new() else { return };
    for name in ["alice", "bob"] {
        gpg.key(name, "ed25519", "cv25519");
    }
    let server = Sandbox::with("--hash-iterations 1");
    let program = ready(&server);
    for name in ["alice", "bob"] {
        program.file(&format!("{name}.asc"), &gpg.armored(&format!("{name}@example.org")));
    }
    program.file("s.csv", "name,owner,key\nshop,alice@example.org,alice.asc\nmail,bob@example.org,bob.asc\nnews,alice@example.org,alice.asc\n");
    let onboard = path("onboard.rhai");
    program.run(&format!("run {onboard} s.csv --scope read --out made.csv")).ok();
    let made = fs::read_to_string(program.home().join("made.csv")).unwrap();
    let mut rows = csv::Reader::from_reader(made.as_bytes());
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!((rows.len(), server.clients().len()), (3, 3), "{made}");
    for row in rows {
        // client_id, client_secret, error, name, outcome, owner
        let secret = gpg.decrypt(&STANDARD.decode(&row[1]).unwrap());
        assert!(server.accepts(&json!(row[0]), &json!(secret)), "{row:?}");
        assert_eq!(server.client(&row[0])["scope"], "read");
    }
    assert_eq!(program.run("batch list -q").ok().stdout, "", "all secrets are in the results");
    program.run(&format!("run {onboard} s.csv --out made.csv")).fails(1, "is there already");
    program.file("t.csv", "name,owner\nshop,a\n");
    program.run(&format!("run {onboard} t.csv --out t-made.csv")).fails(1, "row 1 (shop) has no key");
    program.run(&format!("run {onboard} t.csv --out t-made.csv --plain")).ok();
    let count = server.clients().len();
    program.file("blank.csv", "name,owner\na,b\n,\n");
    program.run(&format!("run {onboard} blank.csv --out blank-made.csv --plain")).fails(1, "row 2 has no name");
    assert_eq!(server.clients().len(), count);
    assert_eq!(server.clients().len(), 4);
}

#[test]
fn redirect_changes_a_fleet_and_back() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = ready(&server);
    for id in ["a", "b"] {
        server.make(&json!({"client_id": id, "redirect_uris": ["https://old.example/cb", "https://other.example/cb"]}));
    }
    server.make(&json!({"client_id": "c", "redirect_uris": ["https://third.example/cb"]}));
    let redirect = path("redirect.rhai");
    let line = format!("run {redirect} https://old.example/cb https://new.example/cb");
    program.run(&line).ok().tells("nothing was changed");
    assert_eq!(server.client("a")["redirect_uris"][0], "https://old.example/cb");
    program.run(&format!("{line} --yes")).ok();
    assert_eq!(server.client("a")["redirect_uris"], json!(["https://new.example/cb", "https://other.example/cb"]));
    assert_eq!(server.client("c")["redirect_uris"], json!(["https://third.example/cb"]));
    program.run(&format!("{line} --yes --back")).ok();
    assert_eq!(server.client("b")["redirect_uris"][0], "https://old.example/cb");
    program
        .run(&format!("run {redirect} https://old.example/cb nowhere"))
        .fails(1, "`nowhere` in `redirect_uris` is not an absolute URI");
}

#[test]
fn smoke_tells_which_clients_get_no_token() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = ready(&server);
    program.file("s.csv", "client_name,grant_types\na,client_credentials\nb,client_credentials\n");
    program.run("batch create s.csv --out made.csv --secrets plain").ok();
    let smoke = path("smoke.rhai");
    program.run(&format!("run {smoke} made.csv")).ok().tells("2 of 2 clients get a token");
    let id = server.clients()[0]["client_id"].as_str().unwrap().to_owned();
    program.run(&format!("update client {id} --secret another-secret")).ok();
    let ran = program.run(&format!("run {smoke} made.csv"));
    assert_eq!(ran.code, Some(3), "{ran}");
    program.file("none.csv", "client_id,client_secret\n");
    program.run(&format!("run {smoke} none.csv")).fails(1, "nothing was tried");
    program.file("none.csv", "id,secret\n");
    program.run(&format!("run {smoke} none.csv")).fails(1, "none.csv has no column client_id");
    assert!(format!("{ran}").contains("1 of 2 clients") && ran.stdout.contains(&id), "{ran}");
}

#[test]
fn terraform_writes_a_resource_a_client() {
    let server = Sandbox::with("--hash-iterations 1");
    let program = ready(&server);
    server.make(
        &json!({"client_id": "a", "client_name": "say \"a\" ${b}", "redirect_uris": ["https://a.example/cb"], "owner": "x"}),
    );
    server.make(&json!({"client_id": "b", "owner": "y"}));
    program.run(&format!("run {} --owner x", path("terraform.rhai"))).ok();
    let text = fs::read_to_string(program.home().join("clients.tf")).unwrap();
    assert_eq!(text.matches("resource \"ory_oauth2_client\"").count(), 1, "{text}");
    for part in [
        "id = \"a\"",
        "client_name                = \"say \\\"a\\\" $${b}\"",
        "redirect_uris              = [\"https://a.example/cb\"]",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn mistakes_are_found_without_running_anything() {
    let server = Sandbox::start();
    let program = ready(&server);
    let text = "fn make(name, owner) {\n    clients::create(#{client_nmae: name, owner: owner});\n}\nmake(\"a\");\nclients::craete(#{});\nclients::get(\"a\", 1);\nclients::create_all([#{}, #{ownre: 1}]);\nclients::list(#{name: \"x\"});\ncsv::raed(\"x\");\nclients::update(\"a\", #{scpoe: \"x\"});\n";
    program.file("wrong.rhai", text);
    let ran = program.run("script check wrong.rhai");
    assert_eq!(ran.code, Some(1), "{ran}");
    for told in [
        "a client has no field `client_nmae` (line 2, column 23)",
        "`make` takes 2 arguments, and is called with 1 (line 4, column 1)",
        "there is no function `clients::craete`",
        "`clients::get` is called with 2 arguments",
        "it takes clients::get(id: string) -> Client",
        "a client has no field `ownre`",
        "a list has no filter `name`",
        "there is no function `csv::raed`",
        "a client has no field `scpoe`",
    ] {
        assert!(ran.stderr.contains(told), "{told} is not in {ran}");
    }
    assert_eq!(ran.stderr.matches("error:").count(), 8, "{ran}");
    assert_eq!(server.clients().len(), 0);
    program.file("broken.rhai", "let x = ;");
    program.run("script check broken.rhai").fails(1, "line 1, column 9");
    program.file("undefined.rhai", "fn f() { y }\nf()");
    program.run("script check undefined.rhai").fails(1, "Undefined variable: y");
    program.run("script check none.rhai").fails(2, "cannot read the script none.rhai");
    program.run("script check nowhere/").fails(2, "cannot read the script nowhere/");
    fs::write(program.home().join("latin.rhai"), b"let x = \"\xe4\";").unwrap();
    program.run("script check latin.rhai").fails(2, "not UTF-8");
}

#[test]
fn each_test_of_a_script_has_a_sandbox_of_its_own() {
    let program = crate::support::anywhere();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").display().to_string();
    let ran = program.run(&format!("script test {folder} --format jsonl")).ok().tells("tests passed");
    assert!(ran.stdout.lines().count() >= 2 && !ran.stdout.contains("failed"), "{ran}");
    program.file(
        "t.rhai",
        "throw \"never run\";\nfn make() { clients::create(#{client_id: \"same\"}) }\nfn test_one() { make(); assert_eq(count(), 1); }\nfn test_two() { make(); assert_eq(count(), 1); }\nfn count() { let n = 0; for c in clients::list() { n += 1; } n }\nfn test_wrong() { print(\"here\"); assert_eq(make().client_id, \"other\"); }\nfn test_said() { assert(1 == 2, \"one is not two\"); }\n",
    );
    let ran = program.run("script test t.rhai");
    assert_eq!(ran.stdout.matches("passed").count(), 2, "{ran}");
    assert_eq!(ran.stdout.matches("failed").count(), 2, "{ran}");
    assert!(ran.code == Some(3) || ran.code == Some(1), "{ran}");
    for told in [
        "2 of 4 tests passed",
        "it is \"same\", and \"other\" is due",
        "it printed: here",
        "one is not two",
        "(line 6, column",
    ] {
        assert!(ran.stderr.contains(told), "{told} is not in {ran}");
    }
    assert_eq!((program.pending().len(), program.run("batch list -q").ok().stdout), (0, String::new()));
    program.file("none.rhai", "1");
    program.run("script test none.rhai").fails(2, "there is no test");
}

#[test]
fn a_new_script_runs_and_its_test_passes() {
    let server = Sandbox::start();
    let program = ready(&server);
    program.run("script new owners").ok().tells("orysh run owners.rhai --help");
    program.run("script new owners").fails(2, "cannot write owners.rhai");
    program.run("script check owners.rhai").ok();
    program.run("script test owners.rhai").ok().tells("1 of 1 tests passed");
    server.make(&json!({"client_id": "a", "owner": "me"}));
    server.make(&json!({"client_id": "b", "owner": "other"}));
    let shown = program.run("run --format json owners.rhai me").ok().json();
    assert_eq!(shown[0]["client_id"], "a");
    assert_eq!(shown.as_array().unwrap().len(), 1);
    program.run("run owners.rhai").fails(2, "OWNER");
}

#[test]
fn a_script_says_the_same_however_it_is_run() {
    let server = Sandbox::start();
    let code = "let n = 0; for i in 0..10 { n += i; } print(n); #{a: [1, 2.5, ()], b: \"x\"}";
    let program = ready(&server).input(code);
    program.file("s.rhai", code);
    let by_file = program.run("run s.rhai --format json").quiet().stdout;
    let by_stdin = program.run("- --format json").quiet().stdout;
    let by_eval = program.args(&["eval", code, "--format", "json"]).quiet().stdout;
    assert_eq!((&by_file, &by_file), (&by_stdin, &by_eval));
    assert_eq!(by_file, "45\n{\"a\":[1,2.5,null],\"b\":\"x\"}\n");
}

#[test]
fn names_imports_and_fields_are_looked_up_without_running_anything() {
    let program = crate::support::anywhere();
    program.file("lib/names.rhai", "fn short(a) { a }\n");
    let code = r#"import "lib/names" as names;
import "lib/none" as none;
prnt(names::short("a"));
names::shrot("a");
names::short();
let c = clients::get("a");
print(c.clientname);
for d in clients::list() { print(d.ownre + d.client_name); }
let e = #{run: |x| x};
e.run(1);
fn f(
    it,
    other) { it.anything }
let both = clients::get("a");
both = e;
both.anything;
[1].pussh(2);
e["later"] = |x| x;
e.later(1);
try { f(1, 2) } catch (both) { both.msg }
print(clients::get("b").feild);
print(c["bogus"]);
sh("a", "b");
clients::create(#{}, #{pgp_kye: "x"});
http::get("http://x", #{timout: 1});
c.to_fields();
for g in clients::list() { let n = [1].map(|g| g + 1); print(g.scpe); }
clients::list().filter(|c| c.owmer == e).map(|c| c.ownar);
let alias = c; alias.nmae;
let fields = #{client_nmae: 1}; clients::create(fields);
clients::create_all([1].map(|r| #{ownor: r}));
let rows = []; rows.push(#{clint_id: 1}); clients::create_all(rows);
batch::create("x", #{outt: 1, rate: 1, profile: 1});
fn reveal(a, b) { a + b }
reveal(1, 2);
clients::list().map(|c| c.scope).filter(|s| s.len() > 1);
print();
let all = clients::list(); for h in all { print(h.clientname); }
clients::list().to_array().sort(|a, b| a.crated_at < b.created_at);
let data = #{name: 1}; print(data.name); let data = #{client_name: 2}; clients::create(data);
let list = [#{line: 1}]; list = list.map(|r| #{client_name: r.line}); clients::create_all(list);
let m = #{name: 1}; m.client_name = m.remove("name"); clients::create(m);
clients::list().to_array().zip([1], |c, row| row.line);
{ let inner = []; inner.push(#{line: 1}); } let inner = []; inner.push(#{client_name: 1}); clients::create_all(inner);
"#;
    program.file("s.rhai", code);
    let told = program.run("script check s.rhai").fails(1, "").stderr;
    for wrong in [
        "cannot import `lib/none`: No such file or directory (os error 2) (line 2,",
        "there is no function `prnt` (line 3, column 1)",
        "there is no function `names::shrot` (line 4, column 8)",
        "`names::short` takes 1 argument, and is called with 0 (line 5,",
        "a client has no field `clientname` (line 7,",
        "a client has no field `ownre` (line 8,",
        "there is no function `pussh` (line 17,",
        "a client has no field `feild` (line 21,",
        "a client has no field `bogus` (line 22,",
        "`sh` is called with 2 arguments (line 23,",
        "`clients::create` has no option `pgp_kye` (line 24,",
        "`http::get` has no option `timout` (line 25,",
        "a client has no field `scpe` (line 27,",
        "a client has no field `owmer` (line 28,",
        "a client has no field `ownar` (line 28,",
        "a client has no field `nmae` (line 29,",
        "a client has no field `client_nmae` (line 30,",
        "a client has no field `ownor` (line 31,",
        "a client has no field `clint_id` (line 32,",
        "`batch::create` has no option `outt` (line 33,",
        "a client has no field `clientname` (line 38,",
        "a client has no field `crated_at` (line 39,",
    ] {
        assert!(told.contains(wrong), "{wrong} is not in {told}");
    }
    assert_eq!(told.matches("error: s.rhai").count(), 22, "{told}");
    program.run("script check lib").ok().tells("nothing is wrong");
}

#[test]
fn mistakes_are_found_through_functions_variables_and_imports() {
    let program = crate::support::anywhere();
    program.file("lib/broken.rhai", "// two lines\nlet x = ;\n");
    let code = r#"import "lib/broken" as broken;
fn one() { clients::get("a") }
fn two(x) { if x { return clients::get("b"); } one() }
fn len(x, y) { x + y + this.len() }
print("a".len(5, 6) + "a".len(1, 2) + "a".len(1));
[1].map();
print(one().clientname);
print(two(true).owneer);
time::now().second;
let t = session::target(); print(t.nope);
let f = #{}; f.clientname = "x"; f["ownr"] = 1; clients::create(f);
[1].filter(|x| x = 1);
let m = #{pad: |x| x}; m.pad(1); m.pad();
let g = #{}; g.name = 1; g.client_name = g.remove("name"); clients::create(g);
let n = session::target(); n.note = 1; print(n.note);
print(1, 2); assert(true, "a", 2);
clients::create(#{}).redirect_uris.push();
fn shown(c) { print(c.onwer); if c.scope == "" { shown(c); } more(c) } fn more(x) { x.cliend_id } fn free(m) { m.anything }
for c in clients::list() { shown(c); } more(one()); free(#{anything: 1}); free(one()); print(args.nope);
import "lib/broken" as again;
fn mk() { #{client_nmea: 1} } clients::create(mk()); clients::create(#{owner: "x"} + #{ownerr: 1});
"#;
    program.file("s.rhai", code);
    let told = program.run("script check s.rhai").fails(1, "").stderr;
    for wrong in [
        "lib/broken.rhai: Unexpected ';' (line 2, column 9)",
        "imported at s.rhai, line 1, column 1",
        "`len` is called on something with 1 argument (line 5,",
        "`map` is called on something with 0 arguments (line 6,",
        "a client has no field `clientname` (line 7,",
        "a client has no field `owneer` (line 8,",
        "a time has no `second` (line 9,",
        "a target has no `nope` (line 10,",
        "a client has no field `clientname` (line 11, column 16)",
        "a client has no field `ownr` (line 11, column 36)",
        "the closure of `filter` gives nothing, neither true nor false (line 12,",
        "`print` is called with 2 arguments (line 16,",
        "`assert` is called with 3 arguments (line 16,",
        "`push` is called on something with 0 arguments (line 17,",
        "a client has no field `onwer` (line 18,",
        "a client has no field `cliend_id` (line 18,",
        "the script declares no argument `nope`: `args` is a list of words (line 19,",
        "a client has no field `client_nmea` (line 21,",
        "a client has no field `ownerr` (line 21,",
    ] {
        assert!(told.contains(wrong), "{wrong} is not in {told}");
    }
    assert_eq!(told.matches("error: ").count(), 18, "{told}");
    program.file("d.rhai", "//! @arg --n: number = abc How many\n1");
    program.run("script check d.rhai").fails(1, "the default `abc`, which is no whole number (line 1, column 1)");
    program.run("run d.rhai").fails(2, "no whole number");
}

#[test]
fn what_is_right_is_not_found_wrong_and_what_hides_is_found() {
    let program = crate::support::anywhere();
    let right = r"//! @arg --owner: text = x  Owner
fn f(args) { args.foo + 1 }
fn g() { let args = #{foo: 2}; args.foo }
print(f(#{foo: 1}) + g());
let o = #{find: |f| f.call(2)}; let hit = 0; o.find(|x| hit = x); print(hit);
let all = [#{clientname: 1}]; print(all[0].clientname);
let fields = #{client_name: 1, team: 2}; [3].for_each(|| { fields.remove(`team`); }); if false { clients::create(fields); }
let other = #{client_name: 1, note: 2}; remove(other, `note`); if false { clients::create(other); }
let key = `act`; let acts = #{}; acts[key] = |x| x; acts.act(3);
clients::list().type_of();
";
    program.file("right.rhai", right);
    program.run("run right.rhai").ok();
    program.run("script check right.rhai").ok();
    program.file("lib/a.rhai", r#"import "b" as b; private fn hid() { 1 } fn open() { 2 }"#);
    program.file("lib/b.rhai", r#"import "c" as c;"#);
    program.file("lib/c.rhai", "let x = ;");
    program.file("lib/round.rhai", r#"import "round" as r;"#);
    let wrong = r#"import "lib/a" as a;
import "lib/round" as round;
print("frobnicate"); frobnicate(1);
let row = #{total: 1}; total(row);
clients::list().len();
let all = clients::list().to_array(); print(all[0].clientname);
"#;
    program.file("wrong.rhai", wrong);
    let told = program.run("script check wrong.rhai").fails(1, "").stderr;
    for wrong in [
        "lib/c.rhai: Unexpected ';' (line 1, column 9)",
        "`round` imports itself",
        "there is no function `frobnicate` (line 3,",
        "there is no function `total` (line 4,",
        "the rows of `clients::list` have no function `len` (line 5,",
        "a client has no field `clientname` (line 6,",
    ] {
        assert!(told.contains(wrong), "{wrong} is not in {told}");
    }
    program.file("lib/a.rhai", "private fn hid() { 1 } fn open() { 2 }");
    program.file("p.rhai", r#"import "lib/a" as a; a::open(); a::hid();"#);
    program.run("script check p.rhai").fails(1, "`a::hid` is private there (line 1, column 36)");
    // Tests see the defaults of what is declared.
    program.file(
        "t.rhai",
        "//! @arg f: file\n//! @arg --n: number = 3\nfn test_n() { assert_eq([args.n, args.f], [3, ()]); }",
    );
    program.run("script test t.rhai").ok();
}

#[test]
fn what_is_changed_in_any_way_is_not_followed_any_more() {
    let program = crate::support::anywhere();
    let right = r#"clients::create(#{client_id: "a"});
let a = clients::list().to_array(); for i in 0..a.len() { a[i] = #{id: a[i].client_id}; } for row in a { print(row.id); }
let b = clients::list().to_array(); b.push(#{client_id: "TOTAL", clients: 1}); print(b[-1].clients);
let c = clients::list().to_array(); c.insert(0, #{title: 1}); print(c[0].title);
let d = clients::list().to_array(); d[0] = #{title: 1}; print(d[0].title);
let e = clients::list().to_array(); e.clear(); e.push(#{title: 1}); for x in e { print(x.title); }
let f = clients::list().to_array(); f.append([#{title: 1}]); print(f[-1].title);
let g = clients::list().to_array(); g.splice(0..g.len(), [#{title: 1}]); print(g[0].title);
let h = clients::list().to_array(); let refill = || { h.clear(); h.push(#{title: 1}); }; refill.call(); print(h[0].title);
let i = clients::find("a"); let other = || i = #{title: 1}; other.call(); print(i.title);
let j = clients::list().to_array(); clear(j); push(j, #{title: 1}); print(j.map(|x| x.title));
let k = clients::list().to_array(); k.for_each(|| this = #{title: 1}); print(k[0].title);
let l = clients::create_all([#{client_id: "b"}]); for n in 0..l.len() { l[n].when = 1; } for x in l { print(x.when); }
let m = clients::create_all([#{client_id: "c"}]); for n in 0..m.len() { m[n] = #{id: n}; } for x in m { print(x.id); }
let n = clients::create_all([#{client_id: "d"}]); n.push(#{sum: 1}); print(n[-1].sum);
let o = url::parse("http://a/"); let key = `more`; o[key] = 1; print(o.more);
fn first(c) { if type_of(c) != "map" { return c.client_id; } c.alias }
fn second(c) { switch type_of(c) { "map" => c.alias, _ => c.client_id } }
fn third(c) { if "alias" in c { c.alias } else { c.client_id } }
fn count() { 1 }
for c in clients::list() { print(first(c)); print(second(c)); print(third(c)); }
fn fourth(c) { c.alias } if false { fourth(clients::get("a")); } print(1.fourth(#{alias: 1}));
print(clients::list().count());
print(clients::list().filter(|c| c.client_id == "a").to_array()[0].client_id);
let p = clients::get("a"); p.client_id = p.client_id;
"#;
    let other = r#"let rows = clients::list().to_array();
rows = rows.map(|c| #{title: c.client_id});
for r in rows { print(r.title); }
let groups = #{}; for c in clients::list() { let k = c.owner; if k in groups { groups[k].push(c); } else { groups[k] = [c]; } }
for k in groups.keys() { for c in groups[k] { print(c.client_id); } }
let seen = []; for c in clients::list() { seen.push(c); } for s in seen { print(s.client_id); }
let r = clients::create_all([#{client_id: "v1"}]); let ok = r.filter(|x| x.error == ()); print(ok.len()); for x in ok { print(x.client.client_id); }
let m = r.map(|x| #{id: x.row}); print(m[0].id);
let by = r[0]; by.note = 1; print(by.note);
let e = r[0].error; if e != () { print(e.message); }
let t = time::now(); let d = t - time::duration("1d"); print(d.seconds); print((t - d).days);
let u = url::parse("http://a/?x=1"); print(u.query); u.host = "b"; print(u.host);
let opts = #{}; opts.no_lint = true; clients::create(#{client_id: "v2"}, opts);
fn f(o) { clients::create(#{client_id: "v3"}, o) } f(#{no_lint: true});
let p = clients::find("nope"); if p == () { p = #{title: 1}; } print(p.title);
let q = if true { clients::get("v2") } else { #{a: 1} }; print(q.client_id);
let w = session::target(); let ww = w; ww.extra = 1; print(ww.extra); print(w.place);
let lint = clients::lint(#{}); lint.push(#{field: "x", extra: 1}); for l in lint { if l.field == "x" { print(l.extra); } }
let z = clients::list().to_array(); z[0].metadata = #{a: 1}; print(z[0].metadata.a); z[0].owner = "q"; for c in z { print(c.owner); }
let last = z.pop(); print(last.client_id); let sh = z.shift(); 
switch type_of(last) { "Client" => print(last.client_id), _ => print(last.foo) }
let a1 = clients::apply([#{client_id: "v9"}]); for a in a1 { print(a.action); a.more = 1; print(a.more); }
for c in clients::list() { let c = #{inner: 1}; print(c.inner); }
for c in clients::list() { print(c.client_id); } for c in [#{a: 1}] { print(c.a); }
"#;
    for right in [right, other] {
        program.file("right.rhai", right);
        program.run("script check right.rhai").ok().tells("nothing is wrong");
        program.run("--sandbox run right.rhai").ok();
    }
}

#[test]
fn what_the_api_gives_is_followed() {
    let program = crate::support::anywhere();
    let wrong = r#"let c = clients::list(#{owner: "x"}).to_array()[0]; c.nmae;
for r in clients::create_all([#{}]) { r.client.client_idd; r.error.mesage; r.client.owner; }
let b = batch::create("x"); b.don;
for x in batch::list() { x.runn; x.run; }
for f in clients::lint(#{}) { f.fieldd; }
let t = tokens::client_credentials("a", "b".to_secret()); t.acces_token; t.more;
let w = session::with_project("x", || clients::get("a")); w.nmae;
(time::now() - time::now()).day;
let o = #{pgp_kye: "x"}; clients::create(#{}, o);
let base = #{ownr: 1}; clients::create(base + #{owner: "x"});
clients::create(#{created_at: "x"});
c.client_id = "x"; c.owner = "y";
clients::list().filter(|c| true).to_array()[0].nmae;
"#;
    program.file("s.rhai", wrong);
    let told = program.run("script check s.rhai").fails(1, "").stderr;
    for wrong in [
        "a client has no field `nmae` (line 1,",
        "a client has no field `client_idd` (line 2,",
        "an error has no `mesage` (line 2,",
        "a run has no `don` (line 3,",
        "a run has no `runn` (line 4,",
        "a finding of `clients::lint` has no `fieldd` (line 5,",
        "has no `acces_token` (line 6,",
        "a client has no field `nmae` (line 7,",
        "a length of time has no `day` (line 8,",
        "`clients::create` has no option `pgp_kye` (line 9,",
        "a client has no field `ownr` (line 10,",
        "only the server sets created_at (line 11,",
        "`client_id` cannot be changed (line 12,",
        "a client has no field `nmae` (line 13,",
    ] {
        assert!(told.contains(wrong), "{wrong} is not in {told}");
    }
    assert_eq!(told.matches("error: s.rhai").count(), 14, "{told}");
}

#[test]
fn what_scripts_check_is_what_the_api_gives() {
    let program = crate::support::anywhere();
    program.file("in.json", "[{}]");
    let eval = |code: &str| program.args(&["--sandbox", "eval", "--format", "json", code]).ok().stdout;
    for (code, keys) in [
        ("session::target().keys()", r#"["is_production","named_by","place","profile","subject"]"#),
        ("url::parse(\"http://a/\").keys()", r#"["fragment","host","path","port","query","scheme","segments"]"#),
        (
            "clients::lint(#{redirect_uris: [\"x\"]})[0].keys() + batch::create(\"in.json\").keys()",
            r#"["field","is_wrong","message","begun","conflict","delivery_failed","done","failed","input","invalid","kind","out","planned","rows","run","seconds","server","undelivered","undone","unproven","unsettled"]"#,
        ),
        ("[time::now().seconds > 0, time::duration(\"2d\").days, time::duration(\"2s\").seconds]", "[true,2,2]"),
    ] {
        assert_eq!(eval(code).trim_end(), keys, "{code}");
    }
}

#[test]
fn a_test_acts_on_its_own_sandbox_and_nowhere_else() {
    let server = Sandbox::start();
    let program = ready(&server);
    program.run(&format!("profile add there --endpoint {}", server.admin)).ok();
    let config = fs::read_to_string(program.home().join("config/config.toml")).unwrap();
    program.file("lib/x.rhai", "fn v() { 1 }\n");
    program.file(
        "t.rhai",
        r#"import "lib/x" as x;
const K = 5;
clients::create(#{client_id: "by the script"});
fn k() { global::K }
fn test_profile() { session::with_profile("there", || clients::create(#{client_id: "a"})); }
fn test_project() { session::with_project("there", || clients::create(#{client_id: "a"})); }
fn test_flags() { sh("--profile there create client --id b"); }
fn test_endpoint() { sh("-e $ADMIN create client --id c"); }
fn test_sign_in() { sh("auth login"); }
fn test_home() { sh("profile add z --endpoint http://127.0.0.1:1"); csv::write(fs::temp() + "/s.csv", []); assert_eq!(batch::list(), []); }
fn test_kept() { sh("profile add y --endpoint http://127.0.0.1:1"); assert_eq(batch::list(), []); assert_eq(clients::list().to_array(), []); }
fn test_script() { assert_eq(k(), 5); assert_eq(x::v(), 1); }
fn test_exit() { exit(0) }
fn test_exit_code() { exit(3) }
fn test_arguments(c) { assert(true) }
fn test_hang() { loop { } }
fn test_sleep() { sleep(100) }
"#
        .replace("$ADMIN", &server.admin)
        .replace("csv::write(fs::temp() + \"/s.csv\", []); assert_eq!(batch::list(), []);", "")
        .as_str(),
    );
    program.file("broken.rhai", "let x = ;");
    let ran = program.run("script test --deadline 1s t.rhai broken.rhai --format csv");
    assert_eq!(ran.code, Some(3), "{ran}");
    for passed in ["test_home", "test_kept", "test_script"] {
        assert!(ran.stdout.lines().any(|line| line.contains(passed) && line.contains("passed")), "{passed}: {ran}");
    }
    for failed in [
        "test_profile",
        "test_project",
        "test_flags",
        "test_endpoint",
        "test_sign_in",
        "test_exit,",
        "test_exit_code",
        "test_arguments",
    ] {
        assert!(ran.stdout.lines().any(|line| line.contains(failed) && line.contains("failed")), "{failed}: {ran}");
    }
    for told in [
        "test_hang: t.rhai: the script was ended: it took more than 1s",
        "test_sleep: t.rhai: the script was ended: it took more than 1s (line 17, column 19)",
        "test_arguments: t.rhai: a test takes no arguments",
        "test_exit_code: t.rhai: it ended with exit(3)",
        "broken.rhai",
    ] {
        assert!(ran.stderr.contains(told), "{told}: {ran}");
    }
    assert!(server.clients().is_empty());
    assert_eq!(fs::read_to_string(program.home().join("config/config.toml")).unwrap(), config);
}
