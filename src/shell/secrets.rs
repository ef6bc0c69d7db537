//! Which lines may be written down, and shown again: those without a secret, as far as that can be told.

use clap::{Arg, ArgAction};

use crate::config::profile::Whence;
use crate::grammar::Registry;
use crate::model::fields::{FIELDS, Field, Item, Kind};
use crate::script::lexer;
use crate::shell::line::{Sort, pieces, sort};
use crate::shell::parts::{self, Piece, Step, To};
use crate::shell::rhai::is_whole;

/// Whether a line may be: it holds no secret, and does not begin with a space.
pub fn may_be_kept(line: &str, registry: &Registry) -> bool {
    !line.starts_with(char::is_whitespace) && is_fit(line, registry)
}

/// Whether a line holds no secret.
pub fn is_fit(line: &str, registry: &Registry) -> bool {
    !looks_secret(line)
        && !patches_secret(line)
        && !answers_unseen(line, registry)
        && pieces(line, registry).into_iter().all(|piece| is_fit_piece(&line[piece], registry))
}

fn is_fit_piece(line: &str, registry: &Registry) -> bool {
    let mut rest = line.trim();
    loop {
        rest = rest.strip_prefix("orysh ").map_or(rest, str::trim);
        if sort(rest, registry) != Sort::Command {
            return is_fit_rhai(rest, registry);
        }
        if parts::comment(rest).is_some_and(|comment| assigns(comment, In::Words)) {
            return false;
        }
        // What quotes stand there is not seen in its words.
        if rest.starts_with("copy ") && makes_secret(rest) {
            return false;
        }
        let Ok((step, next)) = parts::first(rest) else {
            // What cannot be read is not told apart.
            let words = || rest.split_whitespace();
            let is_flag = |word: &str| {
                let name = word.split('=').next().unwrap_or(word);
                word.starts_with("-H") || word.starts_with('-') && is_secret_flag(name, None)
            };
            return !assigns(rest, In::Words) && !words().take(2).any(is_of_secrets) && !words().any(is_flag);
        };
        if holds_secret(&step, registry) {
            return false;
        }
        match next {
            Some((_, next)) => rest = next,
            None => return true,
        }
    }
}

fn is_fit_rhai(code: &str, registry: &Registry) -> bool {
    // What cannot be read may have been meant as anything.
    let is_named = || NAMES.iter().any(|name| code.to_lowercase().contains(name));
    let lines = code.match_indices("sh(").filter_map(|(at, call)| literal(code[at + call.len()..].trim_start()));
    let is_said = IN_RHAI.iter().any(|part| code.contains(part)) && code.contains(['"', '`', '\'']);
    !makes_secret(code)
        && !is_said
        && !is_key(code)
        && !takes_secret(code)
        && !assigns(code, In::Rhai)
        && !assigns(&without_comments(code), In::Rhai)
        && !comments(code).any(|comment| assigns(comment, In::Words))
        && !sets_variable(code)
        && !sets_field(code)
        && !texts(code).any(|text| tells_field(&text))
        // As if a program came first, or a value could be handed to one.
        && !code.split('|').any(gives_secret)
        && (is_whole(code) || !is_named())
        && lines.into_iter().all(|line| is_fit_piece(line, registry))
}

fn comments(code: &str) -> impl Iterator<Item = &str> {
    lexer::pieces(code).filter(|(_, kind)| matches!(kind, lexer::Kind::Comment { .. })).map(|(place, _)| &code[place])
}

/// Whether a variable for programs is set, as in other shells: `API_KEY=x`.
fn sets_variable(code: &str) -> bool {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    code.split_once('=').is_some_and(|(name, value)| {
        name.chars().all(is_part) && is_of_secret(&name.to_lowercase()) && value.starts_with(|c| !" =$".contains(c))
    })
}

/// What in Rhai is given a secret as text, or a line with one.
const IN_RHAI: [&str; 10] = [
    "--secret",
    "--client-secret",
    "--header",
    "-H ",
    "introspect token ",
    "revoke token ",
    "auth key ",
    "tokens::",
    "hmac_",
    "${\"",
];

/// Functions whose first argument is a secret.
const TAKE_SECRETS: [&str; 1] = ["pgp::encrypt("];

/// Whether one of them is given a text that stands there.
fn takes_secret(code: &str) -> bool {
    let mut behind = TAKE_SECRETS.iter().flat_map(|call| code.split(call).skip(1));
    behind.any(|arguments| literal(arguments.trim_start()).is_some_and(|text| !text.is_empty()))
}

/// Functions whose first text is a name, a path or a question, and no value.
const TAKE_NAMES: [&str; 12] = [
    "clients::delete",
    "clients::find",
    "clients::get",
    "clients::rotate_secret",
    "clients::update",
    "csv::read",
    "env::get",
    "fs::read",
    "json::read",
    "ui::password",
    "ui::prompt",
    "yaml::read",
];

/// Whether a secret field is set where a text stands that may come to be in it, on whatever way: as `"" + "x"`, `f("x")`, or in a
/// variable.
fn sets_field(code: &str) -> bool {
    let pieces: Vec<&str> = lexer::pieces(code)
        .filter(|(_, kind)| !matches!(kind, lexer::Kind::Comment { .. }))
        .map(|(place, _)| &code[place])
        .collect();
    let (mut is_set, mut has_text, mut at) = (false, false, 0);
    while let Some(piece) = pieces.get(at) {
        let rest = &pieces[at..];
        let is_variable = at > 0 && ["let", "const"].contains(&pieces[at - 1]);
        // A variable that holds the name of one.
        is_set |= matches!(rest, ["=", name, ..] if is_text(name) && is_secret_field(name.trim_matches(['"', '`'])));
        if let Some((field, sign)) = set_field(rest).filter(|_| !is_variable) {
            is_set |= field.secret;
            // What another field is set to is no secret.
            at += if field.secret { sign } else { sign + value(&rest[sign..]) };
        } else if takes_name(rest) {
            at += NAMING;
        } else {
            has_text |= is_text(piece) && piece.contains(|c| !"\"'`#${}".contains(c));
            at += 1;
        }
    }
    is_set && has_text
}

fn is_secret_field(name: &str) -> bool {
    FIELDS.iter().any(|field| field.secret && field.json == name)
}

/// The texts in some code.
fn texts(code: &str) -> impl Iterator<Item = String> {
    let pieces = lexer::pieces(code).map(|(place, _)| &code[place]);
    pieces.filter(|piece| is_text(piece)).map(|piece| piece.replace("\\n", "\n"))
}

/// Whether a text gives a secret field a value, as YAML, a form, or a query does.
fn tells_field(text: &str) -> bool {
    FIELDS.iter().filter(|field| field.secret).any(|field| {
        text.match_indices(field.json).any(|(at, name)| {
            let behind = text[at + name.len()..].strip_prefix([':', '=']);
            behind.is_some_and(|value| {
                value.trim_start().starts_with(|c: char| c.is_alphanumeric() || "-_~.%".contains(c))
            })
        })
    })
}

/// Whether a piece is a text, or what is one behind code that stands in it.
fn is_text(piece: &str) -> bool {
    piece.contains(['"', '\'', '`']) || piece.starts_with('}') && piece.len() > 1
}

/// The field that pieces begin with where it is set, and how many of them come before its value.
fn set_field(pieces: &[&str]) -> Option<(&'static Field, usize)> {
    let name = pieces.first()?.trim_matches(['"', '\'', '`']);
    let field = FIELDS.iter().find(|field| field.json == name)?;
    let is_quoted = name.len() < pieces[0].len();
    let end = 1 + usize::from(is_quoted && pieces.get(1) == Some(&"]"));
    let sign = |at: usize| pieces.get(at).copied().unwrap_or_default();
    let length = match (sign(end), sign(end + 1)) {
        (":", ":") | ("=", "=" | ">") => return None,
        (":" | "=", _) => 1,
        // `set("client_secret", x)`.
        (",", _) if is_quoted => 1,
        ("+", "=") => 2,
        _ => return None,
    };
    Some((field, end + length))
}

/// How many pieces the value has that they begin with.
fn value(pieces: &[&str]) -> usize {
    let mut depth = 0_usize;
    let is_end = |piece: &&str| {
        match *piece {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth > 0 => depth -= 1,
            "," | ";" | ")" | "]" | "}" => return depth == 0,
            _ => {}
        }
        false
    };
    pieces.iter().position(is_end).unwrap_or(pieces.len())
}

/// How many pieces such a call has: `env`, `:`, `:`, `get`, `(`, and the text.
const NAMING: usize = 6;

/// Whether pieces begin with one of those functions and its text.
fn takes_name(pieces: &[&str]) -> bool {
    let call = pieces.get(..4).map(<[&str]>::concat);
    call.is_some_and(|call| TAKE_NAMES.contains(&call.as_str()))
        && pieces.get(4) == Some(&"(")
        && pieces.get(6).is_some_and(|behind| [",", ")"].contains(behind))
}

fn without_comments(code: &str) -> String {
    let (mut bare, mut at) = (String::new(), 0);
    for (place, kind) in lexer::pieces(code) {
        if matches!(kind, lexer::Kind::Comment { .. }) {
            bare.push_str(&code[at..place.start]);
            at = place.end;
        }
    }
    bare + &code[at..]
}

/// The text in quotes that a text begins with.
fn literal(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| ['"', '`'].contains(c))?;
    let inner = &text[1..];
    Some(&inner[..inner.find(quote).unwrap_or(inner.len())])
}

/// Flags whose value is a secret, or may hold one.
const SECRET_FLAGS: [&str; 8] =
    ["--secret", "--client-secret", "--header", "--http-header", "--proxy", "--token", "--password", "--api-key"];

/// Flags that look like them, and name where a secret is.
const HARMLESS_FLAGS: [&str; 9] = [
    "--secrets",
    "--secret-file",
    "--secret-stdin",
    "--secret-out",
    "--client-secret-file",
    "--client-secret-stdin",
    "--page-token",
    "--next-page-token",
    "--pattern",
];

/// Commands whose words are tokens.
const OF_TOKENS: [[&str; 2]; 2] = [["introspect", "token"], ["revoke", "token"]];

/// What commands are about for which a word too many may have been meant as a secret.
const OF_SECRETS: [&str; 9] = ["token", "secret", "key", "test", "perform", "introspect", "revoke", "auth", "rotate"];

/// Whether a word is one of them, or near one.
fn is_of_secrets(word: &str) -> bool {
    OF_SECRETS.contains(&word) || word.len() > 3 && OF_SECRETS.iter().any(|known| is_near(word, known))
}

fn is_near(word: &str, known: &str) -> bool {
    strsim::normalized_damerau_levenshtein(word, known) >= 0.75
}

/// Whether a word or a value of a command is a secret: by its flag, by how many words the command takes, by what it looks like.
fn holds_secret(step: &Step, registry: &Registry) -> bool {
    if let To::Program(pieces) = &step.to
        && pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Text(text) if assigns(text, In::Words) || gives_secret(text)))
    {
        return true;
    }
    let words: Vec<String> = step.words.iter().map(|word| plain(word)).collect();
    let (mut command, mut at) = (registry.tree(), 0);
    while let Some(inner) = words.get(at).and_then(|word| command.find_subcommand(word)) {
        (command, at) = (inner, at + 1);
    }
    let is_of_tokens = OF_TOKENS.iter().any(|of| words.starts_with(&of.map(str::to_owned)));
    let is_of_secrets = words.iter().take(2).any(|word| is_of_secrets(word));
    let is_code = words.first().is_some_and(|word| word == "eval");
    let most: usize = command.get_positionals().map(most_values).fold(0, usize::saturating_add);
    let mut count = 0_usize;
    let mut words = words[at..].iter().peekable();
    let (mut is_literal, mut is_named) = (false, false);
    while let Some(word) = words.next() {
        // One dash, or one that an editor has made longer.
        let bare = word.trim_start_matches(['-', '–', '—']);
        let is_dashed = bare.len() < word.len() && !word.starts_with("--") || is_literal && bare.len() < word.len();
        if is_dashed && is_secret_flag(&format!("--{}", bare.split('=').next().unwrap_or(bare)), None) {
            return true;
        }
        if !is_literal && word == "--" {
            is_literal = true;
        } else if !is_literal && word.starts_with('-') && word.len() > 1 && !is_odd(command, registry, word) {
            // `--secret:x`, too.
            let (name, value) =
                word.split_once(['=', ':']).map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
            let flag = flag(command, name).or_else(|| flag(registry.tree(), name));
            let takes_value = flag.is_none_or(|flag| flag.get_action().takes_values());
            // A secret may begin with a dash.
            let is_bundle = !word.starts_with("--") && word.chars().skip(1).any(|short| short == 'H');
            let is_secret = is_secret_flag(name, flag) || is_bundle;
            let value = value
                .or_else(|| word.split_once('H').map(|(_, rest)| rest).filter(|rest| is_bundle && !rest.is_empty()));
            let next = words.peek().filter(|next| is_secret || !next.starts_with('-') || next.len() == 1);
            let value = value.or_else(|| next.filter(|_| takes_value || is_bundle).map(|next| next.as_str()));
            if is_secret && value.is_some_and(|value| value != "-" && !value.starts_with('@')) {
                return true;
            }
            if value.is_some_and(|value| is_secret_value(value, flag)) {
                return true;
            }
            // A key itself, where a profile says whence it comes.
            if name == "--credential" && value.is_some_and(|value| Whence::parse(value).is_err()) {
                return true;
            }
            // What follows a flag that is misspelt is taken for its value.
            if takes_value && next.is_some() && !word.contains('=') && (word.starts_with("--") || word.len() == 2) {
                words.next();
            }
        } else {
            count += 1;
            if is_of_secrets && count > most
                || is_code && !is_fit_rhai(word, registry)
                || is_named
                || is_secret_value(word, None)
                || is_of_tokens && word != "-" && !word.starts_with("${")
            {
                return true;
            }
            // `client_secret x` or `secret x` for `--secret x`, `/client_secret x` in a patch that is no JSON.
            let word = word.trim_start_matches('/');
            is_named = FIELDS.iter().any(|field| field.secret && (field.json == word || field.flag == Some(word)));
        }
    }
    false
}

fn is_secret_value(value: &str, flag: Option<&Arg>) -> bool {
    let field = flag.and_then(Arg::get_long).and_then(field_of);
    let is_uri = field.is_some_and(|field| matches!(field.kind, Kind::Uri | Kind::List(Item::Uri)));
    assigns(value, if is_uri { In::Uri } else { In::Words }) || is_key(value) || makes_secret(value)
}

/// The field that a flag is for, without its dashes.
fn field_of(long: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.flag == Some(long))
}

/// Whether a text that stands in a line is made a secret.
fn makes_secret(code: &str) -> bool {
    code.contains("to_secret") && code.contains(['"', '`', '\''])
}

/// Whether a word with one dash is no flag at all.
fn is_odd(command: &clap::Command, registry: &Registry, word: &str) -> bool {
    if word.starts_with("--") || word.len() < 3 {
        return false;
    }
    let known = |name: &str| flag(command, name).or_else(|| flag(registry.tree(), name));
    known(&word[..word.chars().nth(1).map_or(1, |c| 1 + c.len_utf8())]).is_none()
}

fn plain(word: &[Piece]) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Code(code) => format!("${{{code}}}"),
    };
    word.iter().map(piece).collect()
}

fn most_values(arg: &Arg) -> usize {
    let several = matches!(arg.get_action(), ArgAction::Append) || arg.is_trailing_var_arg_set();
    if several { usize::MAX } else { arg.get_num_args().map_or(1, |range| range.max_values()) }
}

fn flag<'a>(command: &'a clap::Command, name: &str) -> Option<&'a Arg> {
    let is_long = |arg: &&Arg, long: &str| {
        arg.get_long() == Some(long) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&long))
    };
    if let Some(long) = name.strip_prefix("--") {
        return command.get_arguments().find(|arg| is_long(arg, long));
    }
    let short = name.strip_prefix('-')?.chars().next()?;
    command.get_arguments().find(|arg| arg.get_short_and_visible_aliases().is_some_and(|all| all.contains(&short)))
}

/// Whether what stands behind a flag is a secret: one of the table's, or one that is misspelt.
fn is_secret_flag(name: &str, flag: Option<&Arg>) -> bool {
    let long = flag.and_then(Arg::get_long).map(|long| format!("--{long}"));
    let name = long.as_deref().unwrap_or(name);
    if HARMLESS_FLAGS.contains(&name) {
        return false;
    }
    if let Some(field) = name.strip_prefix("--").and_then(field_of) {
        return field.secret;
    }
    let name = name.to_lowercase().replace('_', "-");
    let is_it = |known: &str| {
        known == name || flag.is_none() && (name.len() > 4 && known.starts_with(&name) || is_near(&name, known))
    };
    let of_fields = FIELDS.iter().filter(|field| !field.secret).filter_map(|field| field.flag);
    let is_slip = || {
        let mut harmless = of_fields.map(|flag| format!("--{flag}")).chain(HARMLESS_FLAGS.map(str::to_owned));
        harmless.any(|known| is_near(&name, &known))
    };
    SECRET_FLAGS.iter().any(|known| is_it(known)) || flag.is_none() && names_secret(&name) && !is_slip()
}

/// What the name of a flag ends with that says where a secret is, or something about it.
const ABOUT: [&str; 10] = ["file", "path", "stdin", "fd", "name", "id", "type", "url", "uri", "endpoint"];

/// Whether a flag is called as a secret is.
fn names_secret(flag: &str) -> bool {
    let name = flag.trim_start_matches('-').to_lowercase().replace('-', "_");
    is_of_secret(&name) && !ABOUT.iter().any(|end| name.ends_with(end))
}

/// Words that names of secrets have in them.
const NAMES: [&str; 12] = [
    "passphrase",
    "secret",
    "token",
    "passw",
    "pwd",
    "apikey",
    "api_key",
    "api-key",
    "authorization",
    "credential",
    "private_key",
    "bearer",
];

/// Names with such a word that are of no secret.
const HARMLESS: [&str; 6] =
    ["authorization_code", "authorization_endpoint", "page_token", "token_endpoint", "token_type", "token_url"];

/// What the names of passwords end with, as a word of its own.
const PASSWORDS: [&str; 2] = ["pass", "pw"];

/// Whether something that is called so is a secret.
fn is_of_secret(name: &str) -> bool {
    let is_password = || name.rsplit(['_', '-', '.']).next().is_some_and(|word| PASSWORDS.contains(&word));
    (NAMES.iter().any(|part| name.contains(part)) || is_password()) && !is_harmless(name)
}

/// Where a text stands.
#[derive(Clone, Copy, Eq, PartialEq)]
enum In {
    /// In the words of a command.
    Words,
    /// In the address of a client, which no key opens.
    Uri,
    /// In code: what a value is called or counted there is no secret itself.
    Rhai,
}

/// Texts that hold nothing.
const EMPTY: [&str; 3] = ["\"\"", "''", "``"];

/// What a value begins with that is one of several.
const CHOICES: [&str; 3] = ["if ", "if(", "switch "];

/// Whether something with the name of a secret is given a value, or compared with one: `let api_key = "x"`, `{"apikey": "x"}`, `TOKEN=x`, `?key=x`, `-H "X-Token: x"`.
fn assigns(text: &str, place: In) -> bool {
    let is_rhai = place == In::Rhai;
    let quotes = ['"', '\'', '`', '\\'];
    let lower = text.to_lowercase();
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    for (at, sign) in lower.match_indices([':', '=', ',']) {
        let (before, behind) = (&lower[..at], &lower[at + sign.len()..]);
        // `set("client_secret", "x")`.
        if sign == "," && !(before.trim_end().ends_with(['"', '`']) && behind.trim_start().starts_with(['"', '`'])) {
            continue;
        }
        let compared = behind.strip_prefix('=').filter(|_| sign == "=").or(before.ends_with('!').then_some(behind));
        // A path (`client_secret::x`), the rest of a comparison, an address.
        if compared.is_none() && behind.starts_with([':', '=', '/', '>']) || before.ends_with([':', '=', '<', '>']) {
            continue;
        }
        let behind = compared.unwrap_or(behind).trim_start();
        let behind = if is_rhai { behind.trim_start_matches(['(', ' ']) } else { behind };
        let before = before.trim_end_matches('!').trim_end().trim_end_matches(['"', '\'', '`', '\\', ']']);
        let name = &before[before
            .rfind(|c| !is_name(c))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))..];
        let value = behind.trim_start_matches(quotes);
        let stands = before[..before.len() - name.len()].trim_end();
        // The name of a host; a scope as `token:read`.
        let is_glued = !is_rhai && sign == ":" && !lower[at + 1..].starts_with(' ');
        let is_plain = is_glued && !stands.ends_with(['{', ',', '"', '\'', '`', '#', '\\']);
        if is_plain || sign == "," && !stands.trim_end_matches(['"', '`']).ends_with('(') {
            continue;
        }
        let is_query = stands.ends_with(['?', '&']);
        let is_secret = name == "auth" && !is_rhai
            || is_of_secret(name)
            || is_query && place != In::Uri && ["key", "sig"].contains(&name);
        // What is asked for elsewhere is no secret itself.
        let is_given = !value.is_empty()
            && !EMPTY.iter().any(|empty| behind.starts_with(empty))
            && !value.starts_with(['(', '$', '@', ')', ',', '}', ']', '#'])
            && (!is_rhai && compared.is_none() || behind.starts_with(quotes));
        let is_chosen = is_rhai
            && CHOICES.iter().any(|choice| behind.starts_with(choice))
            && behind.split([',', ';']).next().is_some_and(|first| first.contains(quotes));
        if is_secret && (is_given || is_chosen) {
            return true;
        }
    }
    false
}

fn is_harmless(name: &str) -> bool {
    let is_field = FIELDS.iter().any(|field| {
        !field.secret && (name == field.json || field.flag.is_some_and(|flag| name.trim_start_matches('-') == flag))
    });
    is_field || HARMLESS.iter().any(|part| name.contains(part))
}

/// Flags by which programs are given a secret, some of them with nothing between.
const OF_PROGRAMS: [(&[&str], &[&str], bool); 8] = [
    (&["sshpass"], &["-p"], true),
    (&["openssl"], &["-k", "-K"], false),
    (&["http", "https", "xh", "xhs"], &["-a", "--auth"], false),
    (&["redis-cli"], &["-a"], false),
    // Of docker and its like.
    (&["login"], &["-p"], true),
    (&["zip", "unzip"], &["-P"], true),
    (&["7z", "7za", "7zr", "7zz"], &["-p"], true),
    (&["ldapadd", "ldapdelete", "ldapmodify", "ldappasswd", "ldapsearch", "ldapwhoami"], &["-w"], true),
];

/// Flags by which programs are given a user with a password, and what stands between the two.
const OF_USERS: [(&str, &[char]); 4] =
    [("--user", &[':']), ("--proxy-user", &[':']), ("-u", &[':']), ("-U", &[':', '%'])];

/// Letters of curl with a value: what stands behind one of them is no letter.
const WITH_VALUE: &str = "AbcCdDeEFhHKmoPQrtTwxXyYz";

/// Whether a word and the next one are such a flag and a user with a password, be it among other letters of curl.
fn gives_user(program: &str, word: &str, next: Option<&str>) -> bool {
    OF_USERS.iter().any(|(flag, between)| {
        let letter = flag.strip_prefix('-').filter(|letter| letter.len() == 1);
        let glued = match letter {
            Some(letter) if program == "curl" && !word.starts_with("--") => word
                .strip_prefix('-')
                .and_then(|letters| letters.split_once(letter))
                .filter(|(letters, _)| !letters.contains(|c| WITH_VALUE.contains(c)))
                .map(|(_, user)| user),
            _ => word.strip_prefix(flag),
        };
        let user = glued.and_then(|user| if user.is_empty() { next } else { Some(user) });
        user.is_some_and(|user| user.contains(*between))
    })
}

/// Programs that take a header as `Name:value`.
const OF_HEADERS: [&str; 4] = ["http", "https", "xh", "xhs"];

/// What stands in front of a program, as variables do.
const BEFORE: [&str; 5] = ["env", "exec", "sudo", "time", "xargs"];

/// What stands between two programs.
const BETWEEN: [&str; 5] = ["|", "||", "&&", ";", "&"];

/// Whether a program is given a secret: `curl -u a:b`, `job --token x`.
fn gives_secret(text: &str) -> bool {
    let is_plain = |value: &str| {
        let value = value.trim_start_matches(['"', '\'', '`']);
        // A secret may begin with a dash.
        !value.is_empty() && value != "-" && !value.starts_with("--") && !value.starts_with(['@', '$', '<'])
    };
    let mut words = text.split_whitespace().peekable();
    let mut program = None;
    while let Some(word) = words.next() {
        let Some(name) = program else {
            let is_before = word.contains('=') || word.starts_with('-') || BEFORE.contains(&word);
            program = (!is_before).then(|| word.rsplit('/').next().unwrap_or(word));
            continue;
        };
        if BETWEEN.contains(&word) {
            program = None;
            continue;
        }
        if word == "login" {
            program = Some(word);
        }
        let next = words.peek().copied().filter(|next| is_plain(next));
        let (flag, value) = word.split_once('=').map_or((word, next), |(flag, value)| (flag, Some(value)));
        let is_of_program = OF_PROGRAMS.iter().any(|(programs, flags, is_glued)| {
            let is_it =
                |of: &&str| *of == flag && value.is_some() || *is_glued && word.len() > 2 && word.starts_with(of);
            programs.contains(&name) && flags.iter().any(&is_it)
        });
        let header = word.split_once(':').filter(|_| OF_HEADERS.contains(&name));
        if is_of_program
            || gives_user(name, word, next)
            || word.strip_prefix("pass:").is_some_and(is_plain)
            || header.is_some_and(|(header, value)| names_secret(header) && is_plain(value))
            || flag.starts_with("--") && names_secret(flag) && value.is_some_and(is_plain)
        {
            return true;
        }
    }
    false
}

/// Whether a text is a JWK with its private part (RFC 7517 §4, RFC 7518 §6).
fn is_key(text: &str) -> bool {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && !['"', '\\', '#'].contains(c)).collect();
    text.contains("kty:") && ["{k:", ",k:", "{d:", ",d:"].iter().any(|member| text.contains(member))
}

/// Whether a text is a JSON Patch with the value of a secret (RFC 6902 §4), be it written in JSON or in Rhai.
fn patches_secret(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && !"\"'`\\#".contains(*c)).collect();
    let bare = bare.to_lowercase();
    let is_secret = |path: &str| {
        let member = path.rsplit('/').next().unwrap_or(path);
        let is_of_key = path.starts_with("/jwks/") && PRIVATE.contains(&member);
        is_of_key || is_of_secret(member)
    };
    let paths = || bare.match_indices("path:/").map(|(at, found)| &bare[at + found.len() - 1..]);
    let is_named = || FIELDS.iter().any(|field| field.secret && bare.contains(&format!("/{}", field.json)));
    // A letter may be written as its number, and a path may stand in a variable.
    bare.contains("value:")
        && bare.contains("path:")
        && (text.contains("\\u")
            || is_named()
            || paths().any(|path| is_secret(path.split([',', '}', ']']).next().unwrap_or(path))))
}

/// The members of a JWK that are private (RFC 7518 §6).
const PRIVATE: [&str; 8] = ["d", "dp", "dq", "k", "oth", "p", "q", "qi"];

/// Whether a text of several lines is a secret as a whole, or none of it can be told from one.
pub fn is_one(text: &str, registry: &Registry) -> bool {
    text.contains("PRIVATE KEY") || is_key(text) || answers_unseen(text, registry)
}

/// The command that reads a key unseen without being told to.
const OF_KEYS: [&str; 3] = ["auth", "key", "set"];

/// Whether lines follow one that reads a secret unseen: they may have been meant for it.
fn answers_unseen(text: &str, registry: &Registry) -> bool {
    let mut lines = text.trim_end().lines().rev().skip(1);
    lines.any(|line| {
        let has = |is_it: &dyn Fn(&str) -> bool| line.split_whitespace().any(is_it);
        let reads_stdin = has(&|word| word == "-" || word.starts_with("--") && word.ends_with("stdin"));
        let sets_key = OF_KEYS.iter().all(|part| has(&|word| word == *part));
        line.contains("ui::password(") || (reads_stdin || sets_key) && sort(line, registry) == Sort::Command
    })
}

/// How the tokens and keys of Ory begin.
const BEGINNINGS: [&str; 6] = ["ory_at_", "ory_rt_", "ory_ac_", "ory_pat_", "ory_wak_", "ory_apikey_"];

/// Whether something in a text is a secret by what it looks like: a token, a private key, a password in an address.
fn looks_secret(text: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut words = text.split(|c: char| !is_word(c)).filter(|word| !word.is_empty());
    let is_token = |word: &str| {
        let is_jwt = word.starts_with("eyJ") && word.len() >= 20;
        is_jwt || BEGINNINGS.iter().any(|begin| word.starts_with(begin) && word.len() > begin.len())
    };
    if text.contains("PRIVATE KEY") || names_a_user(text) || words.clone().any(is_token) {
        return true;
    }
    // `Bearer x`, `Basic x` (RFC 6750, RFC 7617).
    while let Some(word) = words.next() {
        if ["bearer", "basic"].contains(&word.to_lowercase().as_str())
            && words.clone().next().is_some_and(|next| {
                next.len() >= 12 && next.chars().any(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
            })
        {
            return true;
        }
    }
    false
}

/// Whether an address in the line holds a user name or password.
fn names_a_user(line: &str) -> bool {
    line.split("://").skip(1).any(|rest| rest.split(['/', ' ', '?', '#']).next().is_some_and(|host| host.contains('@')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands;
    use crate::shell::own;

    const KEPT: &[&str] = &[
        "create oauth2-client --name inventory_api",
        "create oauth2-client --token-endpoint-auth-method client_secret_post --grant-type client_credentials",
        "rotate secret app-1",
        "rotate secret app-1 --secret-out new.txt && get oauth2-client app-1",
        "delete access-tokens app-1",
        "list oauth2-clients --page-token abc --sector-identifier-uri https://a/b",
        "create oauth2-client --secret-file s.txt",
        "create oauth2-client --nmae x --redirect-uri https://a/b",
        "introspect token -",
        "introspect token ${t}",
        "list oauth2-clients --where 'c.token_endpoint_auth_method == \"none\"' | grep token",
        "let c = clients::get(\"a\"); c.client_secret",
        "let secret = ui::password(\"which\")",
        "let x = #{secret: it.client_secret}",
        "if c.client_secret == () { 1 }",
        "copy it.client_secret",
        "clients::create(#{client_name: \"a\", token_endpoint_auth_method: \"none\"})",
        "set setting prompt '{place}> '",
        "auth key set --profile a",
        "get oauth2-client a\nget oauth2-client b",
        "lst oauth2-clients",
        "creat oauth2-client --name x",
        "list oauth2-clients foo",
        "apply ap.yaml --yes",
        "use profile a b",
        "let tokens = 3",
        "sh(\"get oauth2-client a\")",
        "list oauth2-clients -n5 -q",
        "eval 'clients::list().len()'",
        "list oauth2-clients --where 'c.grant_types == [\"refresh_token\", \"client_credentials\"]'",
        "let spec = #{client_name: \"a\", grant_types: [\"refresh_token\", \"authorization_code\"]}",
        "create oauth2-client --scope 'token:read token:write'",
        "create oauth2-client --redirect-uri http://token-service:8080/callback",
        "create oauth2-client --redirect-uri 'https://a/cb?code=1'",
        "create oauth2-client --token-endpoint-auth-metod none",
        "get oauth2-client a --profil prod",
        "list oauth2-clients --page-size 5 &&",
        "let secrets = []",
        "let token_clients = it",
        "let has_secret = false",
        "switch \"a\" { \"client_secret_post\" => 1, _ => 2 }",
        "create oauth2-client --name \"Basic Plan2024\"",
        "create oauth2-client --name secret-santa",
        "create oauth2-client --redirect-uri 'https://app/cb?key=value'",
        "it.client_secret == ()",
        "it.client_secret == other.client_secret",
        "clients::list().filter(|c| c.token_endpoint_auth_method == \"none\")",
        "clients::create(#{client_secret: (s)})",
        "clients::create(#{client_secret: if a { b } else { c }, client_name: \"d\"})",
        "let compass = \"north\"",
        "pgp::encrypt(it.client_secret, \"@a.asc\")",
        "copy \"id: \" + it.client_id",
        "list oauth2-clients --where 'c.client_secret == ()'",
        "list oauth2-clients --columns client_id,client_name",
        "update oauth2-client a --unset client_secret --name b",
        "create oauth2-client --pgp-key @a.asc",
        "profile add a --endpoint http://a --credential env:KEY",
        "profile add a --endpoint http://a --credential sign-in",
        "version | ./job.sh --secret-file x --token-file y",
        "version | sort -k 2 | grep -a token",
        "version | mkdir -p secret",
        "version | openssl enc -pass env:PASS -pass file:x",
        "version | http POST http://a Accept:application/json X-Trace:1",
        "version | grep Authorization:",
        "version | curl -H @headers http://a",
        "version | kubectl create secret generic a",
        "version | gpg --passphrase-fd 0 -c",
        "if it.client_secret == \"\" { 1 }",
        "create oauth2-client --authorization-code-grant-access-token-lifespn 1h",
        "update oauth2-client a --set client_name=b",
        "patch oauth2-client a '[{\"op\":\"replace\",\"path\":\"/client_name\",\"value\":\"secret\"}]'",
        "patch oauth2-client a '[{\"op\":\"remove\",\"path\":\"/client_secret\"}]'",
        "patch oauth2-client a '[{\"op\":\"add\",\"path\":\"/token_endpoint_auth_method\",\"value\":\"none\"}]'",
        "patch oauth2-client a '[{\"op\":\"replace\",\"path\":\"/jwks/keys/0/kid\",\"value\":\"abc\"}]'",
        "clients::create(#{client_id: \"k3\", grant_types: [\"refresh_token\"], client_secret: s})",
        "clients::update(\"a\", #{\"client_secret\": s, \"client_name\": \"b\"})",
        "clients::create(#{client_secret: env::get(\"S\")})",
        "it.client_secret = ui::password(\"which\")",
        "it.client_secret = csv::read(\"f.csv\")[0].secret; it.client_name = \"b\"",
        "it.client_secret = clients::get(\"a\").client_secret",
        "it.client_secret = ()",
        "it.client_secret = \"\"",
        "it.client_secret += `${s}`",
        "it.set(\"client_secret\", made())",
        "it.client_secret == \"\" && it.client_name == \"b\"",
        "version | curl -sSd user http://a",
        "version | curl -sSo user:x http://a",
        "version | curl -su bob http://a",
        "version | docker run -p 80:80 a",
        "version | docker login -u me --password-stdin",
        "version | date -u +%s",
        "version | zip -p a.zip b",
        "version | ldapsearch -W -x",
        "version | smbclient -U bob //a/b",
        "clients::list().filter(|c| c.client_name == \"a\")",
        "create oauth2-client --name 'a: b'",
        "print(1)\nauth key set --profile a\n",
        "let a = 3\na - 1\nauth key remove --profile b\nauth status",
        "patch oauth2-client a remove /client_secret",
        "let a = 1; // the token of a",
        "let p = \"/client_name\"; clients::patch(\"k3\", [#{op: \"replace\", path: p, value: \"b\"}])",
    ];

    const NOT_KEPT: &[&str] = &[
        "clients::create(yaml::parse(\"client_secret: Hunter000x\"))",
        "clients::create(yaml::parse(\"client_id: k9\\nclient_secret: Hunter006x\\n\"))",
        "http::post(\"http://127.0.0.1:1/oauth2/token\", \"grant_type=client_credentials&client_id=a&client_secret=Hunter004x\")",
        "let owner = \"Hunter002x\"; clients::update(\"a\", #{client_secret: owner})",
        "let c = clients::get(\"a\"); let f = \"client_secret\"; c[f] = \"Hunter003x\"; clients::update(c)",
        "create oauth2-client --secret:Hunter007x",
        " version",
        "create oauth2-client --secret abcdef",
        "create oauth2-client --secret=abcdef",
        "create oauth2-client --client-s abcdef",
        "create oauth2-client --clientsecert abcdef",
        "create oauth2-client --http-hea \"X-Api: 1\"",
        "list oauth2-clients -H 'X-Key: 1'",
        "list oauth2-clients --header 'X-Key: 1'",
        "introspect token abc",
        "introspect token --format json eyJhbGciOiJSUzI1NiJ9.e30.x",
        "introspect token -- abc",
        "introspect token -q abc",
        "revoke token --client-id x abc",
        "create oauth2-client --jwks '{\"keys\":[{\"kty\":\"oct\",\"k\":\"AyM1\"}]}'",
        "auth key set KEY",
        "rotate secret x SECRET",
        "test oauth2-client x SECRET",
        "version | curl -u admin:PW http://a",
        "version | API_KEY=abc cat",
        "version | Authorization=\"Basic YTpi\" cat",
        "create oauth2-client --metadata '{\"apikey\":\"abc\"}'",
        "list oauth2-clients -e 'http://h/?key=abc'",
        "list oauth2-clients -e http://a:b@h/",
        "let api_key = \"abc\"",
        "let SECRET = \"abc\";",
        "http::get(u, #{headers: #{Authorization: \"Basic YTpiYzEyMw==\"}})",
        "log::info(\"ory_pat_abcdefgh\")",
        "print(\"-----BEGIN PRIVATE KEY-----\")",
        "get oauth2-client a\ncreate oauth2-client --secret abcdef",
        "create oauth2-client --secret 'open",
        "update oauth2-client a --set client_secret=abc",
        "token introspect abc",
        "introspect token abc >",
        "rotate secret app S3cret &&",
        "introspect tokn abc",
        "introspect abc",
        "rotate secrt app-1 abc",
        "list oauth2-clients -HX-Key:abc",
        "list oauth2-clients -qH 'X-Key: abc'",
        "create oauth2-client -secret abcdef",
        "create oauth2-client —secret abcdef",
        "create oauth2-client -- --secret abcdef",
        "sh(\"create oauth2-client --name \\\"x y\\\" --secret abcdef\")",
        "let cmd = \"create oauth2-client --secret abcdef\"; sh(cmd)",
        "clients::create(#{jwks: #{keys: [#{kty: \"oct\", k: \"AyM1\"}]}})",
        "tokens::client_credentials(\"pc\", \"abcdef\")",
        "clients::update(\"a\", #{metadata: #{passphrase: \"abcdef\"}})",
        "version | curl -ua:b http://a",
        "version | curl --user=a:b http://a",
        "version | curl --oauth2-bearer abc http://a",
        "create oauth2-client --metadata '{\"auth\": \"abcdef\"}'",
        "create oauth2-client --secret -abcdef",
        "perform client-credentials --client-id x --client-secret -abcdef",
        "introspect token -abcdef",
        "rotate secret app-1 -Zbcdef",
        "test oauth2-client x -Zbcdef",
        "sh(\"create oauth2-client --secret abcdef\")",
        "sh(`introspect token abcdef`)",
        "sh(\"get oauth2-client x -H 'X-Key: abcdef'\")",
        "eval 'sh(\"create oauth2-client --secret abcdef\")'",
        "version | curl -d client_secret=abc.def http://a",
        "version | TOKEN=abcdef;cat",
        "version | PGPASSWORD='abc.def' cat",
        "version # secret: abcdef",
        "create oauth2-client --metadata '{\"apikey\": 4444}'",
        "create oauth2-client --metadata {\"password\":\"abcdef\"}",
        "it.set(\"client_secret\", \"abcdef\")",
        "let s = \"abc\"; s.to_secret()",
        "eval 'print(\"abc\".to_secret())'",
        "it.client_secret == \"X\"",
        "if it.client_secret != \"X\" { 1 }",
        "clients::create(#{client_secret: (\"X\")})",
        "clients::create(#{client_secret: if true {\"X\"} else {\"Y\"}})",
        "clients::create(#{client_secret /* c */ : \"X\"})",
        "let pass = \"X\"",
        "let pw = \"X\"",
        "pgp::encrypt(\"X\", \"@a.asc\")",
        "copy \"X\".to_secret()",
        "list oauth2-clients --where 'c.client_secret == \"X\"'",
        "create oauth2-client --name a client_secret X",
        "create oauth2-client --pgp-passphrase X",
        "profile add a --endpoint http://a --credential X",
        "version | ./job.sh --secret X",
        "version | ./job.sh --token X",
        "version | ./job.sh --api-token=X",
        "version | ./job.sh --db-pass X",
        "version | sort | A=1 ./job.sh --token 'X'",
        "version | sshpass -p X ssh a",
        "version | sshpass -pX ssh a",
        "version | sudo sshpass -p -X ssh a",
        "version | openssl enc -k X",
        "version | openssl enc -pass pass:X",
        "version | http -a id:X POST http://a",
        "version | http POST http://a Authorization:\"Bearer X\"",
        "patch oauth2-client a '[{\"op\":\"replace\",\"path\":\"/client_secret\",\"value\":\"abc\"}]'",
        "patch oauth2-client a '[{\"op\":\"add\",\"path\":\"/client_secret\",\"value\":\"abc\"}]' | cat",
        "patch oauth2-client a '[{\"value\": \"abc\", \"op\": \"test\", \"path\": \"/client_secret\"}]'",
        "patch oauth2-client a \"[{\\\"op\\\":\\\"replace\\\",\\\"path\\\":\\\"/client_secret\\\",\\\"value\\\":\\\"abc\\\"}]\"",
        "sh(`patch oauth2-client a '[{\"op\":\"add\",\"path\":\"/client_secret\",\"value\":\"abc\"}]'`)",
        "patch oauth2-client a '[{\"op\":\"add\",\"path\":\"/registration_access_token\",\"value\":\"abc\"}]'",
        "patch oauth2-client a '[{\"op\":\"replace\",\"path\":\"/jwks/keys/0/d\",\"value\":\"abc\"}]'",
        "patch oauth2-client a '[{\"op\":\"add\",\"path\":\"/metadata/apikey\",\"value\":\"abc\"}]'",
        "let s = \"X\"; clients::create(#{client_id: \"k3\", client_secret: s})",
        "clients::create(#{client_secret: \"\" + \"X\"})",
        "clients::create(#{client_secret: env::get(\"S\") ?? \"X\"})",
        "clients::create(#{\"client_secret\": s + 'X'})",
        "clients::create(#{client_secret: base64::encode(\"X\")})",
        "clients::create(#{client_secret: trim(\"X\")})",
        "clients::create(#{client_secret: `${s}X`})",
        "clients::create(#{client_secret: `X${s}`})",
        "clients::create(#{client_secret: /* c */ #\"X\"#})",
        "let k = [\"X\"]; clients::create(#{client_secret: k[0]})",
        "fn f() { \"X\" } clients::create(#{client_secret: f()})",
        "it.client_secret += \"X\"",
        "it.client_secret = f(\"X\")",
        "it.client_secret = [\"X\"][0]",
        "it[\"client_secret\"] = f(\"X\")",
        "it.set(\"client_secret\", trim(\"X\"))",
        "version | curl -sSu admin:X http://a",
        "version | curl -su admin:X http://a",
        "version | curl -kuadmin:X http://a",
        "version | curl -fsSLu admin:X http://a",
        "version | curl -U p:X http://a",
        "version | curl --proxy-user=p:X http://a",
        "it | curl -u admin:X http://a",
        "curl -u admin:X http://a",
        "sh(\"curl -u a:X x\")",
        "sh(\"version | curl -u a:X x\")",
        "version | redis-cli -a X",
        "version | docker login -u me -p X",
        "version | zip -P X a.zip b",
        "version | 7z a -pX a.7z b",
        "version | ldapsearch -x -w X",
        "version | smbclient -U u%X //a/b",
        "create oauth2-client secret X",
        "create oauth2-client 'client_secret: X'",
        "patch oauth2-client a replace /client_secret X",
        "patch oauth2-client a '[{\"op\":\"replace\",\"path\":\"/client_\\u0073ecret\",\"value\":\"abc\"}]'",
        "let p = \"/client_secret\"; clients::patch(\"k3\", [#{op:\"replace\",path:p,value:\"X\"}])",
        "ORY_PROJECT_API_KEY=X",
        "export ORY_PROJECT_API_KEY=X",
        "let a = 1; // token = X",
        "auth key set --profile a\nX\nprint(1)",
        "auth key --profile a set\nX",
        "create oauth2-client --secret-stdin\nX",
        "perform client-credentials --client-id a --client-secret-stdin\nX",
        "introspect token -\nX",
        "let s = ui::password(\"which\");\nX",
    ];

    #[test]
    fn what_holds_a_secret_is_told_from_what_does_not() {
        let registry = commands::registry().with(own::commands(&own::Lines::default(), &own::Requests::default()));
        let wrong = |lines: &[&'static str], expected: bool| -> Vec<&'static str> {
            lines.iter().copied().filter(|line| may_be_kept(line, &registry) != expected).collect()
        };
        assert_eq!((wrong(KEPT, true), wrong(NOT_KEPT, false)), (Vec::new(), Vec::new()));
    }
}
