//! What can be called beside the API's functions, with its forms: Rhai tells them itself only where scripts may not have comments.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The types of the parameters of a function, as one of its forms takes them; `...`: any number of anything.
pub type Form = Vec<&'static str>;

/// Rhai's standard functions (of 1.27) and the methods of the API's types: a line each, its forms with `|` between them.
static FUNCTIONS: LazyLock<BTreeMap<&'static str, Vec<Form>>> = LazyLock::new(|| {
    let forms = |forms: &'static str| {
        let form = |form: &'static str| form.split(',').map(str::trim).filter(|of| !of.is_empty()).collect();
        forms.split('|').map(form).collect()
    };
    let lines = include_str!("standard.txt").lines();
    lines.filter_map(|line| line.split_once(':')).map(|(name, all)| (name, forms(all))).collect()
});

/// The names of all of them.
pub fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.keys().copied()
}

/// The forms of one; none: there is no such function. What a method is called on is its first parameter.
pub fn forms(name: &str) -> &'static [Form] {
    FUNCTIONS.get(name).map_or(&[], Vec::as_slice)
}

/// Whether a form takes so many arguments.
pub fn takes(form: &Form, count: usize) -> bool {
    form.len() == count || form.first() == Some(&"...")
}

/// The forms of a function as hints: those for what it is called on, where there are any, else all.
pub fn hints(name: &str, on: Option<&str>) -> Vec<String> {
    let all = forms(name);
    let is_for = |form: &&Form| on.is_some_and(|on| form.first() == Some(&on));
    let of_it: Vec<&Form> = all.iter().filter(is_for).collect();
    let shown = if of_it.is_empty() { all.iter().collect() } else { of_it };
    let told: Vec<String> = shown.iter().map(|form| format!("{name}({})", form.join(", "))).collect();
    if told.is_empty() { Vec::new() } else { vec![format!("it takes {}", told.join(", "))] }
}

#[cfg(test)]
mod tests {
    use rhai::Engine;

    use super::*;

    #[test]
    fn each_form_is_one_that_the_language_takes() {
        let mut engine = Engine::new();
        engine.set_max_operations(1000);
        let sample = |of: &str| match of {
            "array" => "[1, 2, 3]",
            "blob" => "blob(8)",
            "bool" => "true",
            "char" => "'a'",
            "float" => "1.5",
            "Fn" => "|a| a",
            "map" => "#{a: 1}",
            "range" => "(0..1)",
            "string" => "\"a\"",
            "timestamp" => "timestamp()",
            _ => "1",
        };
        // What lists have beside that.
        engine.register_fn("to_array", |list: &mut rhai::Array| list.clone());
        let own = ["Fn", "call", "curry", "is_def_fn", "is_def_var", "is_shared"];
        for (name, forms) in FUNCTIONS.iter().filter(|(name, _)| !own.contains(name)) {
            let is_own = |of: &&str| of.starts_with(char::is_uppercase) && *of != "Fn";
            for form in forms.iter().filter(|form| !form.iter().any(is_own)) {
                let arguments: Vec<String> = (0..form.len()).map(|at| format!("a{at}")).collect();
                let values: Vec<String> =
                    form.iter().enumerate().map(|(at, of)| format!("let a{at} = {};", sample(of))).collect();
                let lets = values.concat();
                let code = format!("{lets} {name}({})", arguments.join(", "));
                let said =
                    engine.eval::<rhai::Dynamic>(&code).map_or_else(|error| error.to_string(), |_| String::new());
                assert!(!said.contains(&format!("not found: {name} (")), "{code}: {said}");
            }
        }
    }
}
