//! A secret shows as `[REDACTED]` in every way that turns a value into text, alone and inside of others.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::anywhere;

/// Values that hold `s`.
const HOLDING: &[&str] = &[
    "s",
    "[s]",
    "[[1, s], 2]",
    "#{a: s}",
    "#{a: [#{b: s}]}",
    "[s, s.to_string()]",
    "#{client_secret: s}",
    "c",
    "[c]",
    "#{c: c}",
    "c.to_map()",
    "c.client_secret",
    "[c.client_secret, s]",
];

/// Ways from a value `v` to text.
const WAYS: &[&str] = &[
    "print(v)",
    "debug(v)",
    "print(v.to_string())",
    "print(v.to_debug())",
    "print(`${v}`)",
    "print(\"\" + v)",
    "print(v + \"\")",
    "print([v].to_string())",
    "print(json::text(v))",
    "print(json::pretty(v))",
    "print(yaml::text(v))",
    "print(csv::text([#{v: v}]))",
    "log::info(`${v}`)",
    "log::warn(v.to_string())",
    "log::error(`${v}`)",
    "throw v",
    "throw `${v}`",
    "throw #{message: `${v}`}",
    "try { throw v } catch (e) { print(e); throw e }",
    "ui::table([#{v: v}])",
    "print(ui::style(`${v}`, \"bold\"))",
    "json::write(\"f\", v); print(fs::read(\"f\"))",
    "yaml::write(\"f\", v); print(fs::read(\"f\"))",
    "csv::write(\"f\", [#{v: v}]); print(fs::read(\"f\"))",
    "json::write_lines(\"f\", [v]); print(fs::read(\"f\"))",
    "print(hash::sha256(`${v}`))",
    "print(base64::decode(base64::encode(`${v}`)))",
    "v",
    "[v]",
    "#{v: v}",
    "clients::get(v)",
    "sh(v)",
    "http::get(v)",
    "http::post(\"http://127.0.0.1:1/\", v)",
    "http::get(\"http://127.0.0.1:1/\", #{headers: #{authorization: v}})",
    "clients::lint(#{client_name: v})",
    "clients::lint(#{client_nam: v})",
    "v.nothing",
    "v[\"nothing\"]",
    "v.nothing()",
    "nothing(v)",
    "v(1)",
    "1 + v",
    "v - 1",
    "if v { }",
    "for x in v { print(x) }",
    "while v { }",
    "switch v { 1 => 2, _ => print(v) }",
    "assert(v)",
    "exit(v)",
    "regex::find(v, \"a\")",
    "time::parse(v)",
    "url::parse(v)",
    "uuid::is_valid(v)",
    "env::get(v)",
    "fs::read(v)",
    "fs::list(v)",
    "json::parse(v)",
    "import v as x",
    "eval(v)",
    "parse_int(v)",
    "type_of(v)",
    "print(v.len())",
    "let f = |x| x; print(f.curry(v))",
    "print(Fn(\"f\").curry(v))",
    "v == 1",
];

#[test]
fn a_secret_shows_in_no_text() {
    let canary = "cAnArY-0f-7he-53cre7";
    let program = anywhere();
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let some = || proptest::sample::subsequence(WAYS.to_vec(), 12);
    let strategy = (some(), proptest::sample::select(HOLDING.to_vec()), any::<bool>());
    // Each of the ways once with each kind of value, and then a draw of both by how results are shown.
    let mut cases: Vec<(String, &str)> = Vec::new();
    for value in HOLDING {
        let code: Vec<String> = WAYS.iter().map(|way| format!("try {{ {way} }} catch (e) {{ print(e) }}")).collect();
        cases.push((format!("let v = {value};\n{};\n0", code.join(";\n")), "table"));
    }
    runner
        .run(&strategy, |(ways, value, is_json)| {
            let code: Vec<String> = ways.iter().map(|way| format!("try {{ {way} }} catch {{ }}")).collect();
            let format = if is_json { "json" } else { "yaml" };
            check(&program, canary, &format!("let v = {value};\n{};\n0", code.join(";\n")), format);
            Ok(())
        })
        .unwrap();
    for (code, format) in cases {
        check(&program, canary, &code, format);
    }
    // Uncaught, one at a time: what ends a script is told. (A client that is the result itself shows its secret, as the
    // command that makes one does.)
    for way in WAYS {
        check(&program, canary, &format!("let v = [s];\n{way}"), "table");
        check(&program, canary, &format!("let v = s;\n{way}"), "json");
    }
}

fn check(program: &crate::support::Orysh, canary: &str, code: &str, format: &str) {
    // The secret comes in from outside, so that no line of the script that is shown holds it.
    program.file("canary", canary);
    let code = format!(
        "let s = fs::read(\"canary\").to_secret();\nlet c = clients::create(#{{client_secret: fs::read(\"canary\").to_secret()}});\n{code}"
    );
    program.file("ways.rhai", &code);
    let ran = program.run(&format!("--sandbox --format {format} run -v ways.rhai"));
    assert!(ran.code.is_some_and(|code| code <= 3), "{code}\n{ran}");
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(canary), "{code}\n{ran}");
}
