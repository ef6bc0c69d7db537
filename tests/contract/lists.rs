//! Pages of clients, and odd ids in paths.

use serde_json::{Value, json};

use super::Sandbox;
use super::wire::{Answer, send, send_json};
use orysh::sandbox::{Options, Seed};

fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("Link").unwrap().split(',').find(|link| link.ends_with("rel=\"next\""))?;
    Some(link.trim_start_matches('<').split('>').next().unwrap().to_owned())
}

#[test]
fn more_clients_than_a_page_may_hold_come_in_order_and_once() {
    let documents: Vec<Value> =
        (0..1203).map(|n| json!({"client_id": format!("c{n:04}"), "owner": format!("o{}", n % 2)})).collect();
    let options = Options { seed: Some(Seed::Documents(documents)), hash_iterations: 1, ..Options::default() };
    let sandbox = Sandbox::with(options);
    for (start, pages, total) in [
        ("/admin/clients?page_size=1000", 3, 1203),
        ("/admin/clients", 13, 1203),
        ("/admin/clients?page_size=401", 3, 1203),
        ("/admin/clients?owner=o1&page_size=500", 2, 601),
        ("/admin/clients?client_name=nobody", 1, 0),
    ] {
        let (mut ids, mut answers, mut path) = (Vec::new(), 0, Some(start.to_owned()));
        while let Some(at) = path {
            let answer = send(&sandbox.admin, "GET", &at, &[], "");
            assert_eq!(answer.status, 200, "{at}");
            let page = answer.json();
            assert!(page.as_array().unwrap().len() <= 500);
            ids.extend(page.as_array().unwrap().iter().map(|c| c["client_id"].as_str().unwrap().to_owned()));
            answers += 1;
            path = next(&answer);
        }
        assert_eq!((answers, ids.len()), (pages, total), "{start}");
        assert!(ids.is_sorted_by(|a, b| a < b));
    }
}

#[test]
fn ids_may_hold_anything_that_is_escaped() {
    let sandbox = Sandbox::start();
    for (id, escaped) in
        [("a/b", "a%2Fb"), ("a b", "a%20b"), ("ü#?%", "%C3%BC%23%3F%25"), ("a+b", "a+b"), ("😀", "%F0%9F%98%80")]
    {
        assert_eq!(send_json(&sandbox.admin, "POST", "/admin/clients", &json!({"client_id": id})).status, 201);
        let path = format!("/admin/clients/{escaped}");
        assert_eq!(send(&sandbox.admin, "GET", &path, &[], "").json()["client_id"], id);
        assert_eq!(send(&sandbox.admin, "POST", &format!("{path}/secrets/rotate"), &[], "").status, 200);
        assert_eq!(send(&sandbox.admin, "DELETE", &path, &[], "").status, 204);
        assert_eq!(send(&sandbox.admin, "GET", &path, &[], "").status, 404);
    }
}
