//! Imports point one way, and there is one place for each thing.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules in reading order: each sees those before it.
const ORDER: [&str; 21] = [
    "memory", "error", "env", "secret", "text", "ui", "net", "model", "api", "crypt", "config", "output", "session",
    "ops", "grammar", "batch", "script", "plugin", "commands", "shell", "app",
];

/// What the sandbox sees, and who sees it.
const BELOW_SANDBOX: [&str; 3] = ["error", "secret", "ui"];
const ABOVE_SANDBOX: [&str; 2] = ["commands", "app"];

struct Source {
    path: PathBuf,
    module: String,
    /// Without comments and without tests.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(source(&root, &path));
            }
        }
    }
    assert!(found.len() > 50, "only {} files were found", found.len());
    found
}

fn source(root: &Path, path: &Path) -> Source {
    let path_in = path.strip_prefix(root).unwrap().to_owned();
    let first = path_in.components().next().unwrap().as_os_str().to_str().unwrap();
    let module = first.strip_suffix(".rs").unwrap_or(first).to_owned();
    let stem = path_in.file_stem().unwrap().to_str().unwrap();
    let text =
        if stem == "tests" || stem.ends_with("_tests") { String::new() } else { fs::read_to_string(path).unwrap() };
    // A module of tests ends its file.
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    Source { path: path_in, module, code: code.join("\n") }
}

/// The modules that `crate::name` and `crate::{name, …}` name.
fn imports(code: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.push(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut begins = true;
        for (at, c) in group.char_indices() {
            match c {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                c if begins && c.is_alphabetic() => {
                    names.push(name(&group[at..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    names.retain(|name| name.starts_with(|c: char| c.is_lowercase()));
    names
}

#[test]
fn a_group_of_imports_names_its_modules() {
    let code = "use crate::{api::{self, send}, error::Error};\ncrate::net::client();\nuse crate::{\n    ops,\n};";
    assert_eq!(imports(code), ["api", "error", "net", "ops"]);
}

fn may_see(module: &str, seen: &str) -> bool {
    let place = |name: &str| ORDER.iter().position(|known| *known == name);
    match (module, seen) {
        (module, seen) if module == seen => true,
        ("sandbox", seen) => BELOW_SANDBOX.contains(&seen),
        (module, "sandbox") => ABOVE_SANDBOX.contains(&module),
        (module, seen) => place(seen) < place(module) && place(seen).is_some(),
    }
}

#[test]
fn imports_point_upwards_only() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for source in sources().iter().filter(|source| source.module != "main") {
        for seen in imports(&source.code) {
            checked += 1;
            if !may_see(&source.module, &seen) {
                wrong.push(format!("{} imports {seen}", source.path.display()));
            }
        }
    }
    assert!(checked > 200, "only {checked} imports were found");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_modules_are_declared_in_this_order() {
    let library = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let declared: Vec<&str> = library
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .filter(|name| *name != "sandbox")
        .collect();
    assert_eq!(declared, ORDER);
}

/// The files that hold one of these texts, outside of these places.
fn strays(texts: &[&str], places: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources() {
        if places.iter().any(|place| source.path.starts_with(place)) {
            continue;
        }
        for text in texts {
            let is_word = |at: usize| !source.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if source.code.match_indices(text).any(|(at, _)| is_word(at)) {
                found.push(format!("{} holds {text}", source.path.display()));
            }
        }
    }
    found
}

#[test]
fn only_ops_writes() {
    let writing =
        ["create_client(", "patch_client(", "replace_client(", "delete_client(", "delete_tokens(", "revoke_consent("];
    assert_eq!(strays(&writing, &["ops", "api/request.rs", "sandbox"]), Vec::<String>::new());
    assert_ne!(strays(&writing, &["api/request.rs", "sandbox"]), Vec::<String>::new());
}

#[test]
fn only_env_reads_the_environment() {
    let reading = ["env::var(", "env::var_os(", "env::vars(", "env::vars_os("];
    assert_eq!(strays(&reading, &["env.rs"]), Vec::<String>::new());
    assert_ne!(strays(&reading, &[]), Vec::<String>::new());
}

#[test]
fn only_ui_has_the_terminal() {
    let printing = ["println!", "print!", "eprintln!", "eprint!", "dbg!"];
    assert_eq!(strays(&printing, &[]), Vec::<String>::new());
    assert_eq!(strays(&["io::stdout(", "io::stderr("], &["ui.rs", "ui/output.rs"]), Vec::<String>::new());
    assert_ne!(strays(&["io::stdout("], &[]), Vec::<String>::new());
}
