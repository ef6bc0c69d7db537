//! Scripts that would take the machine down, or never end.

use std::time::{Duration, Instant};

use crate::support::{PROGRAM, Sandbox, anywhere, orysh};

/// Scripts that would take the machine down, or never end, each with what is told.
const HOSTILE: &[(&str, &str)] = &[
    ("loop {}", "deadline"),
    ("while true { let x = 1; }", "deadline"),
    ("do { } while true", "deadline"),
    ("fn f() { f() } f()", "Stack overflow"),
    ("fn f(n) { f(n + 1) + 1 } f(0)", "Stack overflow"),
    ("fn a() { b() } fn b() { a() } a()", "Stack overflow"),
    ("let f = |f| f.call(f); f.call(f)", "Stack overflow"),
    ("let s = \"ab\"; loop { s += s; }", "memory|more than a script may|deadline"),
    ("let s = \"\"; loop { s += \"0123456789abcdef0123456789abcdef\"; }", "deadline|memory"),
    ("let s = \"a\"; s.pad(1000000000, 'x'); s.len()", "memory|more than a script may|deadline"),
    ("let a = []; a.pad(1000000000, 0)", "more than a script may|deadline"),
    ("let a = []; loop { a.push(0); }", "deadline|memory"),
    ("let a = [1]; loop { a += a; }", "memory|deadline"),
    ("let a = [[]]; loop { a.push(a); }", "memory|deadline"),
    ("let a = []; loop { a = [a, a, a, a]; }", "memory|deadline"),
    ("let m = #{}; let n = 0; loop { m[`k${n}`] = n; n += 1; }", "memory|deadline"),
    ("let m = #{}; loop { m.a = m; }", "memory|deadline"),
    ("let m = #{}; let n = 0; loop { m[`k${n}`] = \"0123456789\" + n; n += 1; }", "memory|deadline"),
    ("let a = []; loop { a.push(\"x\".to_blob()); }", "memory|deadline"),
    ("let b = blob(1000000000); b.len()", "memory|more than a script may|deadline"),
    // A copy of the list is too much, and none of it is to become text.
    ("let a = []; a.pad(3000000, \"xxxxxxxx\"); let b = blob(190000000); let s = `${a}`; s.len()", "memory"),
    ("let b = blob(100); loop { b += b; }", "memory|more than a script may|deadline"),
    ("let s = \"a\"; s.pad(10000000, \"ab\"); s.replace(\"a\", s); s.len()", "more than a script may|deadline"),
    ("let s = \"a\"; s.pad(1000000, 'a'); s.replace(\"\", s); s.len()", "more than a script may|deadline"),
    ("let s = \"a\"; s.pad(20000000, 'a'); s.to_chars().len()", "more than a script may|deadline"),
    ("let s = \"a\"; s.pad(10000000, 'a'); s.split(\"\").len()", "more than a script may|deadline"),
    ("let s = \"a\"; s.pad(10000000, 'a'); s.split('a').len()", "more than a script may|deadline"),
    ("let s = \"a\"; s.pad(1000000, 'a'); regex::replace(\"a\", s, s).len()", "more than a script may|deadline"),
    (
        "let s = \"a\"; s.pad(3000000, 'a'); let by = \"\"; by.pad(100, \"$0\"); regex::replace(\"a+\", s, by).len()",
        "deadline|more than a script may",
    ),
    ("let s = \"a\"; s.pad(4000000, 'a'); regex::find_all(\"a\", s).len()", "deadline|more than a script may"),
    ("let s = \"a\"; s.pad(4000000, 'a'); regex::split(\"a\", s).len()", "deadline|more than a script may"),
    ("let s = \"\"; s.pad(40000000, \"- 1\\n\"); yaml::parse(s).len()", "more than a script may|deadline"),
    ("let x = 9223372036854775807; x + 1", "overflow"),
    ("let x = -9223372036854775807 - 2; x", "overflow"),
    ("1 / 0", "Division by zero"),
    ("1 % 0", "zero"),
    ("2 ** 1000", "overflow"),
    ("1 << 1000; loop { }", "deadline"),
    ("let a = [1, 2]; a[5]", "out of bounds"),
    ("let a = \"abc\"; a[7]", "out of bounds"),
    ("let s = `${\"x\"}`; eval(\"loop {}\")", "'eval' is disabled"),
    ("let a = []; a.pad(4000000, 1); a.to_string().len()", "deadline"),
    ("let a = []; a.pad(4000000, 1); loop { print(a) }", "deadline"),
    ("let b = blob(30000000); loop { `${b}`.len() }", "deadline"),
    ("let m = #{}; for n in 0..100000 { m[`k${n}`] = n; } loop { m.to_debug() }", "deadline"),
    ("let s = \"\"; s.pad(10000000, '\\n'); loop { s.to_debug(); }", "deadline"),
    ("let s = \"\"; s.pad(10000000, '\"'); let m = #{}; m[s] = [s]; loop { m.to_debug(); }", "deadline"),
    ("let s = \"\"; s.pad(40000000, \"0,\"); parse_json(\"[\" + s + \"0]\").len()", "more than a script may|deadline"),
    // A character that is none is shown as five.
    ("let s = \"\"; s.pad(60000000, '\\x01'); s", "more than a script may|deadline"),
    ("let s = \"\"; s.pad(60000000, '\\x01'); ui::table([#{s: s}]); loop { }", "more than a script may|deadline"),
    ("let t = timestamp(); t + 1e300", "deadline|.*"),
    ("let n = 0; for i in 0..9223372036854775807 { n = i; }", "deadline"),
    ("for i in range(0, 9223372036854775807, 1) { }", "deadline"),
    ("for x in clients::list() { print(1) } loop { }", "deadline"),
    ("sleep(1000000)", "deadline"),
    ("sleep(9223372036854775807)", "deadline"),
    ("let a = [3, 1, 2]; a.sort(|x, y| { loop { } })", "deadline"),
    ("[1, 2].map(|x| { loop { } })", "deadline"),
    ("[1].reduce(|s, x| { loop { } })", "deadline"),
    ("try { loop { } } catch { print(\"caught\") }", "deadline"),
    ("loop { try { throw 1 } catch { } }", "deadline"),
    ("regex::is_match(\"(a{1000}){1000}\", \"a\")", "the pattern is wrong"),
    ("json::parse(\"[\".repeat(100000))", ".*"),
];

#[test]
fn hostile_scripts_end_and_take_the_machine_down_with_them_neither_time_nor_memory() {
    let server = Sandbox::start();
    let program = orysh(&server);
    assert!(HOSTILE.len() >= 40);
    let wrong = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for part in HOSTILE.chunks(HOSTILE.len().div_ceil(2)) {
            let (program, wrong) = (&program, &wrong);
            scope.spawn(move || {
                for (code, told) in part {
                    let began = Instant::now();
                    let line = format!("{PROGRAM} eval --deadline 1s --memory 256M \"$CODE\"");
                    // With twice the memory for all there is beside the script's own.
                    let mut shell = program.command("sh");
                    shell.env("CODE", code).args(["-c", &format!("ulimit -v 4000000; exec {line}")]);
                    let ran = program.start(&mut shell).end();
                    let took = began.elapsed();
                    let is_quick = took < Duration::from_secs(10);
                    let ended = ran.code.is_some_and(|code| code <= 2);
                    let is_told = told.split('|').any(|told| match told {
                        "deadline" => ran.stderr.contains("it took more than 1s"),
                        "memory" => ran.stderr.contains("MiB of memory"),
                        ".*" => true,
                        told => ran.stderr.contains(told),
                    });
                    if !(is_quick && ended && is_told) || ran.stdout.contains("caught") {
                        wrong.lock().unwrap().push(format!("{code}: {told} is due, after {took:?}\n{ran}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_text_that_would_be_too_much_is_not_made() {
    let program = anywhere();
    for code in [
        "json::text(s)",
        "json::pretty([s])",
        "json::write(\"kept\", s)",
        "json::write_lines(\"kept\", [s])",
        "#{a: s}.to_json()",
        "yaml::text(s)",
        "yaml::write(\"kept\", s)",
        "csv::text([#{a: s, b: s, c: s, d: s, e: s}])",
        "csv::write(\"kept\", [#{a: s, b: s, c: s, d: s, e: s}])",
        "url::encode(s)",
        "base64::encode(s + s + s)",
        "base64::encode_url(s + s + s)",
        "s.to_debug()",
        "debug(s)",
        "print([s, s, s, s, s])",
        "assert_eq(s, 1)",
        "`${#{a: s, b: s}}`",
    ] {
        program.file("kept", "old");
        let line = format!("{PROGRAM} eval --memory 128M \"$CODE\"");
        let mut shell = program.command("sh");
        let code = format!("let s = \"\"; s.pad(45000000, \"\\x01\"); {code}");
        // The program itself takes some, and Rhai copies what it is given.
        shell.env("CODE", &code).args(["-c", &format!("ulimit -v 450000; exec {line}")]);
        let ran = program.start(&mut shell).end();
        let is_told =
            ran.stderr.contains("it takes more memory than a script may") || ran.stderr.contains("128 MiB of memory");
        assert!(ran.code == Some(1) && is_told, "{code}: {ran}");
        assert_eq!(std::fs::read_to_string(program.home().join("kept")).unwrap(), "old", "{code}");
    }
}

#[test]
fn a_message_is_no_longer_than_somebody_reads() {
    let program = anywhere();
    for code in
        ["log::info(s)", "try { time::duration(s) } catch (e) { e.message.len() }", "try { fs::read(s) } catch { }"]
    {
        let mut shell = program.command("sh");
        let code = format!("let s = \"\"; s.pad(45000000, \"\\x01\"); {code}; 1");
        shell
            .env("CODE", &code)
            .args(["-c", &format!("ulimit -v 450000; exec {PROGRAM} eval --memory 128M \"$CODE\"")]);
        let ran = program.start(&mut shell).end();
        assert!(
            ran.code == Some(0) && ran.stderr.len() < 1024 * 1024,
            "{code}: {:?}, {} bytes",
            ran.code,
            ran.stderr.len()
        );
    }
}

#[test]
fn a_line_of_the_shell_shows_no_more_than_a_script_may_take() {
    let server = Sandbox::start();
    let program = orysh(&server);
    let many = "let s = \"x\"; s.pad(20000000, \"y\"); let a = []; for i in 0..50 { a.push(s) } ";
    let ran = program.input(&format!("{many}a\n{many}ui::table(a.map(|x| #{{x: x}}))\n40 + 2\n")).run("--keep-going");
    assert!(ran.stderr.matches("more memory than a script may").count() == 2 && ran.stdout == "42\n", "{ran}");
}
