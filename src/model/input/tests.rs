use serde_json::json;

use super::*;

fn body(text: &str, name: &str) -> Value {
    Value::from(parse_document(text, name).unwrap().spec.body())
}

#[test]
fn yaml_is_typed_by_the_fields() {
    let text = "\u{feff}# a client\nclient_name: no\nscope: 1.10\nclient_secret: 123456\nowner: 2026-01-01\n\
                contacts: [no, 5, 'x y']\nskip_consent: true\nredirect_uris:\n- http://localhost/cb\n\
                implicit_grant_id_token_lifespan: 90m\nlogo_uri: ~\n\
                metadata: {n: 123456789012345678901234567890, no: no, f: 1.10, t: \"5\", l: [~, 0x10]}\n";
    let expected: Value = serde_json::from_str(
        r#"{"client_name":"no","client_secret":"123456","redirect_uris":["http://localhost/cb"],"scope":"1.10",
            "owner":"2026-01-01","contacts":["no","5","x y"],
            "metadata":{"n":123456789012345678901234567890,"no":"no","f":1.10,"t":"5","l":[null,16]},
            "skip_consent":true,"logo_uri":null,"implicit_grant_id_token_lifespan":"90m"}"#,
    )
    .unwrap();
    for name in ["client.yaml", "client.YML", "stdin"] {
        assert_eq!(body(text, name).to_string(), expected.to_string());
    }
}

#[test]
fn scopes_may_be_a_list() {
    assert_eq!(body("scope:\n- a\n- b c", "c.yaml"), json!({"scope": "a b c"}));
    assert_eq!(body(r#"{"scope": ["a", "b"]}"#, "stdin"), json!({"scope": "a b"}));
}

#[test]
fn json_is_known_by_extension_or_bracket() {
    let text = "\u{feff} {\"metadata\": {\"n\": 123456789012345678901234567890, \"e\": \"\\ud83d\\ude00\"}}";
    for name in ["c.json", "stdin"] {
        assert_eq!(body(text, name)["metadata"]["n"].to_string(), "123456789012345678901234567890");
        assert_eq!(body(text, name)["metadata"]["e"], "😀");
    }
    assert_eq!(body("{client_name: x}", "c.yaml"), json!({"client_name": "x"}));
}

#[test]
fn fields_of_the_server_are_left_out_by_name() {
    let Entry { spec, left_out, .. } =
        parse_document("client_id: a\ncreated_at: 2026-01-01T00:00:00Z\nregistration_access_token: x", "c.yaml")
            .unwrap();
    assert_eq!(left_out, ["created_at", "registration_access_token"]);
    assert_eq!(spec.id(), Some("a"));
}

#[test]
fn an_alias_stands_for_its_anchor() {
    let text = "redirect_uris: &uris [http://localhost/cb]\nrequest_uris: *uris";
    assert_eq!(body(text, "c.yaml")["request_uris"], json!(["http://localhost/cb"]));
}

#[test]
fn errors_name_file_line_and_column() {
    for (name, text, message) in [
        ("c.yaml", "client_name: x\nredirect_uri: []", "c.yaml, line 2, column 1: unknown field `redirect_uri`"),
        (
            "c.json",
            "{\"client_name\": \"x\",\n  \"redirect_uri\": []}",
            "c.json, line 2, column 3: unknown field `redirect_uri`",
        ),
        (
            "c.yaml",
            "owner: a\nowner: b",
            "c.yaml, line 2, column 1: `owner` is given twice (first at line 1, column 1)",
        ),
        (
            "c.json",
            "{\"owner\": 1, \"owner\": 2}",
            "c.json, line 1, column 14: `owner` is given twice (first at line 1, column 2)",
        ),
        ("c.yaml", "redirect_uris: http://a", "c.yaml, line 1, column 16: `redirect_uris` wants a list of URIs"),
        ("c.json", "{\n\"client_name\": 5}", "c.json, line 2, column 16: `client_name` wants text, not the number 5"),
        ("c.json", "{\n\"client_name\": }", "c.json, line 2, column 16: expected value"),
        ("c.json", "{\"owner\": \"a\"", "c.json, line 1, column 13: EOF while parsing an object"),
        ("c.yaml", "jwks:\n  - 1", "c.yaml, line 2, column 3: `jwks` wants an object, not a list"),
        ("c.yaml", "metadata:\n  x: .nan", "c.yaml, line 2, column 6: `.nan` is a number that JSON does not have"),
        (
            "c.yaml",
            "skip_consent: yes",
            "c.yaml, line 1, column 15: `skip_consent` wants true or false, not the text \"yes\"",
        ),
        (
            "c.yaml",
            "contacts: [a, ~]",
            "c.yaml, line 1, column 11: `contacts` wants text in its list, but entry 2 is null",
        ),
        (
            "c.yaml",
            "implicit_grant_id_token_lifespan: 1d",
            "c.yaml, line 1, column 35: `implicit_grant_id_token_lifespan`: `1d`",
        ),
        ("c.yaml", "- owner: a\n- owner: b", "c.yaml, line 2, column 3: one client is due here, but there are 2"),
        ("c.json", "[{},{}]", "c.json, line 1, column 5: one client is due here, but there are 2"),
        ("c.json", "[[{}]]", "c.json, line 1, column 2: a client is due here, but this is a list"),
        ("c.yaml", "owner: a\n---\nowner: b", "c.yaml, line 3, column 1: one client is due here, but there are 2"),
        ("c.json", "{}\n{}", "c.json, line 2, column 1: one client is due here, but there are 2"),
        ("c.csv", "owner\na\nb\n", "c.csv, line 3, column 1: one client is due here, but there are 2"),
        ("c.json", "{}\n}", "c.json, line 2, column 1: expected value"),
        (
            "c.json",
            "{\"items\": [{}], \"next_page_token\": \"x\"}",
            "c.json, line 1, column 17: this is one page of a longer list",
        ),
        ("c.json", "{\"items\": [], \"owner\": \"x\"}", "c.json, line 1, column 15: `owner` has no place"),
        ("c.yaml", "just text", "c.yaml, line 1, column 1: a client's fields are due here"),
        ("c.yaml", "<<: {owner: a}", "c.yaml, line 1, column 1: YAML's merge key"),
        ("c.yaml", "owner:\n\tx: y", "c.yaml, line 2, column "),
        ("c.yaml", "", "c.yaml: there is no client in it: it is empty"),
        ("c.yaml", "---\n", "c.yaml: there is no client in it: it is empty"),
        ("c.json", " \n", "c.json: there is no client in it: it is empty"),
        ("stdin", "# nothing\n", "stdin: there is no client in it: it is empty"),
    ] {
        let error = parse_document(text, name).unwrap_err();
        assert!(error.message().starts_with(message), "{text}\n{}", error.message());
        assert_eq!(error.kind().exit_code(), 2);
    }
}

#[test]
fn hints_say_what_to_do() {
    for (text, hint) in [
        ("redirect_uri: []", "did you mean `redirect_uris`?"),
        ("skip_consent: no", "YAML 1.2 has only `true` and `false`"),
        ("implicit_grant_id_token_lifespan: 1d", "write `24h`"),
        ("[{owner: a}, {owner: b}]", "give each client a file of its own"),
    ] {
        assert_eq!(parse_document(text, "c.yaml").unwrap_err().hints(), [hint], "{text}");
    }
}

#[test]
fn no_error_shows_a_secret() {
    for text in ["client_secret: [canary]", "client_secret: {a: canary}", "{\"client_secret\": \"canary\""] {
        let error = parse_document(text, "stdin").unwrap_err();
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}
