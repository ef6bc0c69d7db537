use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::fields::{FIELDS, field};

fn convert(name: &str, texts: &[&str]) -> Result<Value> {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    from_text(field(name).unwrap(), &texts)
}

#[test]
fn flags_become_json() {
    for (name, texts, value) in [
        ("client_name", &["my app"][..], json!("my app")),
        ("client_name", &["first", "last"], json!("last")),
        ("contacts", &["a, b", "c"], json!(["a", "b", "c"])),
        ("contacts", &[r#""a,b",c"#], json!(["a,b", "c"])),
        ("contacts", &[r#""say ""hi""", d"#], json!([r#"say "hi""#, "d"])),
        ("contacts", &[r#"a "b",c"#], json!([r#"a "b""#, "c"])),
        ("contacts", &[r#""a"b,c"#], json!([r#""a"b"#, "c"])),
        ("contacts", &[""], json!([])),
        ("contacts", &["a,,b,"], json!(["a", "b"])),
        ("contacts", &[], json!([])),
        ("response_types", &["code token,code"], json!(["code token", "code"])),
        ("redirect_uris", &["http://a/x,y"], json!(["http://a/x,y"])),
        ("redirect_uris", &["http://a,http://b"], json!(["http://a", "http://b"])),
        ("redirect_uris", &["com.app:/cb,http://x"], json!(["com.app:/cb", "http://x"])),
        ("redirect_uris", &["http://a/x,y:1, http://b"], json!(["http://a/x,y:1", "http://b"])),
        ("redirect_uris", &[r#""http://a,http://b""#], json!(["http://a,http://b"])),
        ("redirect_uris", &[""], json!([])),
        ("scope", &["core,foobar"], json!("core foobar")),
        ("scope", &["core  foobar", "a,\tb"], json!("core foobar a b")),
        ("scope", &[""], json!("")),
        ("skip_consent", &["T"], json!(true)),
        ("skip_consent", &["0"], json!(false)),
        ("skip_consent", &[], json!(true)),
        ("metadata", &[r#"{"a":[1,2.50]}"#], serde_json::from_str(r#"{"a":[1,2.50]}"#).unwrap()),
        ("implicit_grant_id_token_lifespan", &["1h30m"], json!("1h30m")),
        ("subject_type", &["weird"], json!("weird")),
        ("client_secret_expires_at", &["0"], json!(0)),
    ] {
        assert_eq!(convert(name, texts).unwrap(), value, "{name} {texts:?}");
    }
}

#[test]
fn what_a_flag_cannot_be_is_told() {
    for (name, text, message) in [
        ("skip_consent", "yes", "`--skip-consent` wants true or false, not `yes`"),
        ("metadata", "{\n  \"ä\": oops}", "`--metadata` is not JSON: expected value at line 2, column 8"),
        ("jwks", "[1]", "`jwks` wants an object, not a list"),
        (
            "metadata",
            r#"{"a":1,"a":2}"#,
            "`--metadata` is not JSON: `a` is given twice (first at line 1, column 2) at line 1, column 8",
        ),
        ("implicit_grant_id_token_lifespan", "1d", "`--implicit-grant-id-token-lifespan`: `1d` is not a duration"),
        ("client_secret_expires_at", "x", "`client_secret_expires_at` wants a whole number"),
    ] {
        let error = convert(name, &[text]).unwrap_err();
        assert!(error.message().starts_with(message), "{}", error.message());
    }
    assert_eq!(convert("client_name", &[]).unwrap_err().message(), "`--name` needs a value");
}

#[test]
fn values_of_the_right_kind_pass_and_scopes_join() {
    let check = |name: &str, value: Value| check(field(name).unwrap(), value);
    assert_eq!(check("scope", json!(["a", "b c"])).unwrap(), json!("a b c"));
    assert_eq!(check("scope", json!("a b")).unwrap(), json!("a b"));
    for (name, value) in [
        ("redirect_uris", json!([])),
        ("redirect_uris", json!(null)),
        ("metadata", json!({"a": null})),
        ("implicit_grant_id_token_lifespan", json!("1h")),
        ("client_secret_expires_at", json!(0)),
    ] {
        assert_eq!(check(name, value.clone()).unwrap(), value);
    }
    for (name, value, message, hint) in [
        (
            "redirect_uris",
            json!("http://a"),
            "`redirect_uris` wants a list of URIs, not the text \"http://a\"",
            "write `[\"http://a\"]`",
        ),
        (
            "redirect_uris",
            json!(["http://a", 5]),
            "`redirect_uris` wants text in its list, but entry 2 is the number 5",
            "",
        ),
        ("client_name", json!(5), "`client_name` wants text, not the number 5", "put it in quotes"),
        ("client_secret", json!(517), "`client_secret` wants text, not a number", "put it in quotes"),
        ("skip_consent", json!("true"), "`skip_consent` wants true or false, not the text \"true\"", ""),
        ("jwks", json!([]), "`jwks` wants an object, not a list", ""),
        ("implicit_grant_id_token_lifespan", json!(60), "wants a duration as text", "with a unit"),
        ("implicit_grant_id_token_lifespan", json!("1d"), "`1d` is not a duration", "`24h`"),
    ] {
        let error = check(name, value).unwrap_err();
        assert!(error.message().contains(message), "{}", error.message());
        assert!(error.hints().first().map_or("", String::as_str).contains(hint), "{:?}", error.hints());
    }
}

#[test]
fn people_read_lists_with_commas() {
    assert_eq!(to_text(field("contacts").unwrap(), &json!(["a", "b"])), "a, b");
    assert_eq!(to_text(field("contacts").unwrap(), &json!(null)), "");
    assert_eq!(to_text(field("skip_consent").unwrap(), &json!(true)), "true");
    assert_eq!(to_text(field("metadata").unwrap(), &json!({"a": 1})), r#"{"a":1}"#);
    assert_eq!(to_text(field("metadata").unwrap(), &json!("a")), r#""a""#);
}

proptest! {
    #[test]
    fn any_entry_survives_in_quotes(entries in proptest::collection::vec("\\PC{1,12}", 1..5)) {
        let quoted: Vec<String> = entries.iter().map(|entry| format!("\"{}\"", entry.replace('"', "\"\""))).collect();
        for name in ["contacts", "redirect_uris"] {
            prop_assert_eq!(convert(name, &[&quoted.join(",")]).unwrap(), json!(entries));
        }
    }

    #[test]
    fn uris_survive_joined_with_commas(entries in proptest::collection::vec("(https?|com\\.app)://[a-z]{1,5}/[a-z,=/]{0,8}[a-z]", 1..5)) {
        let list = field("redirect_uris").unwrap();
        let value = json!(entries);
        prop_assert_eq!(&convert("redirect_uris", &[&entries.join(",")]).unwrap(), &value);
        prop_assert_eq!(&convert("redirect_uris", &[&to_text(list, &value)]).unwrap(), &value);
    }

    #[test]
    fn what_a_flag_gives_passes_the_check_and_reads_the_same(text in "\\PC{0,30}") {
        for field in FIELDS {
            let Ok(value) = from_text(field, std::slice::from_ref(&text)) else { continue };
            prop_assert_eq!(&check(field, value.clone()).unwrap(), &value);
            if !matches!(field.kind, Kind::List(_)) {
                prop_assert_eq!(&from_text(field, &[to_text(field, &value)]).unwrap(), &value);
            }
        }
    }

    #[test]
    fn scopes_stay_words(words in proptest::collection::vec("[!#-+\\--\\[\\]-~]{1,8}", 1..6)) {
        prop_assert_eq!(convert("scope", &[&words.join(",")]).unwrap(), json!(words.join(" ")));
    }
}
