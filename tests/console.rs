//! The sandbox's network: console, projects and keys, as Ory Network has them.

use serde_json::{Value, json};

use crate::contract::wire::{self, Answer};
use crate::support::{Orysh, Sandbox, anywhere};

const PERSON: &str = "ory_at_sandbox";
const LABS: &str = "ory_wak_sandbox_labs";
const HILL: &str = "ory_pat_sandbox_happy-hill";
const LAKE: &str = "ory_pat_sandbox_quiet-lake";

struct Net(Sandbox);

impl Net {
    fn start() -> Self {
        Net(Sandbox::with("--network 127.0.0.1:0"))
    }

    fn url(&self) -> &str {
        self.0.network.as_deref().unwrap()
    }

    fn ask(&self, method: &str, path: &str, key: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {key}");
        wire::send(self.url(), method, path, &[("Authorization", &bearer)], body)
    }

    fn get(&self, path: &str, key: &str) -> Value {
        let answer = self.ask("GET", path, key, "");
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// The program, led here.
    fn program(&self) -> Orysh {
        anywhere()
            .with("HTTP_PROXY", self.url())
            .with("ORY_CONSOLE_URL", "http://console.test")
            .with("ORY_ORYAPIS_URL", "http://oryapis.test")
    }
}

fn slugs(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|project| project["slug"].as_str().unwrap()).collect()
}

#[test]
fn a_key_sees_its_own() {
    let net = Net::start();
    assert_eq!(slugs(&net.get("/projects", HILL)), ["happy-hill"]);
    assert_eq!(slugs(&net.get("/projects", LABS)), ["quiet-lake", "old-mill"]);
    assert_eq!(net.get("/projects", PERSON).as_array().unwrap().len(), 5);
    assert_eq!(net.get("/workspaces", LABS)["workspaces"][0]["name"], "Acme Labs");
    assert_eq!(net.get("/workspaces", HILL)["workspaces"], json!([]));
    let lake = net.get("/projects", LAKE)[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(net.get(&format!("/projects/{lake}"), LABS)["environment"], "dev");
    assert_eq!(net.ask("GET", &format!("/projects/{lake}"), HILL, "").status, 404);
    let acme = net.get("/workspaces", PERSON)["workspaces"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(net.ask("GET", &format!("/workspaces/{acme}"), LABS, "").status, 404);
    assert_eq!(net.get(&format!("/workspaces/{acme}"), PERSON)["name"], "Acme");
}

#[test]
fn without_a_key_nobody_is_let_in() {
    let net = Net::start();
    for path in ["/projects", "/workspaces", "/admin/clients", "/admin/clients/x"] {
        let answer = wire::send(net.url(), "GET", path, &[], "");
        assert_eq!((answer.status, answer.json()["error"]["code"].as_i64()), (401, Some(401)), "{path}");
        assert_eq!(net.ask("GET", path, "wrong", "").status, 401, "{path}");
    }
    // A workspace's key is for the console, a project's for its own project.
    assert_eq!(net.ask("GET", "/admin/clients", LABS, "").status, 401);
    let through = |host: &str, key: &str| proxied(net.url(), host, "/admin/clients", key);
    assert_eq!(through("quiet-lake.projects.oryapis.test", LAKE), 200);
    assert_eq!(through("quiet-lake.projects.oryapis.test", PERSON), 200);
    assert_eq!(through("quiet-lake.projects.oryapis.test", HILL), 401);
    assert_eq!(through("quiet-lake.projects.oryapis.test", LABS), 401);
    assert_eq!(through("old-mill.projects.oryapis.test", PERSON), 404);
    assert_eq!(through("no-such.projects.oryapis.test", PERSON), 404);
    assert_eq!(through("example.org", PERSON), 404);
}

/// The status of a request in absolute form, as a proxy gets it.
fn proxied(proxy: &str, host: &str, path: &str, key: &str) -> u16 {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(proxy.strip_prefix("http://").unwrap()).unwrap();
    let head = format!("Host: {host}\r\nAuthorization: Bearer {key}\r\nConnection: close");
    stream.write_all(format!("GET http://{host}{path} HTTP/1.1\r\n{head}\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn lists_come_in_pages() {
    let net = Net::start();
    let first = net.get("/workspaces?page_size=2", PERSON);
    assert_eq!((first["workspaces"].as_array().unwrap().len(), &first["has_next_page"]), (2, &json!(true)));
    let token = first["next_page_token"].as_str().unwrap();
    let last = net.get(&format!("/workspaces?page_size=2&page_token={token}"), PERSON);
    assert_eq!((&last["workspaces"][0]["name"], &last["has_next_page"]), (&json!("Globex"), &json!(false)));
    let labs = net.get("/workspaces", LABS)["workspaces"][0]["id"].as_str().unwrap().to_owned();
    let first = net.get(&format!("/workspaces/{labs}/projects?page_size=1"), LABS);
    assert_eq!(slugs(&first["projects"]), ["quiet-lake"]);
    let token = first["next_page"].as_str().unwrap();
    let last = net.get(&format!("/workspaces/{labs}/projects?page_size=1&page_token={token}"), LABS);
    assert_eq!(slugs(&last["projects"]), ["old-mill"]);
    assert_eq!(net.ask("GET", "/workspaces?page_size=0", PERSON, "").status, 400);
    assert_eq!(net.ask("GET", "/workspaces?page_token=x", PERSON, "").status, 400);
}

#[test]
fn a_project_makes_keys_that_expire_and_can_be_deleted() {
    let net = Net::start();
    let lake = net.get("/projects", LAKE)[0]["id"].as_str().unwrap().to_owned();
    let tokens = format!("/projects/{lake}/tokens");
    let post = |key: &str, body: Value| net.ask("POST", &tokens, key, &body.to_string());
    let made = post(LABS, json!({"name": "short", "expires_at": "2090-01-01T00:00:00Z"}));
    assert_eq!(made.status, 201, "{}", made.body);
    let key = made.json()["value"].as_str().unwrap().to_owned();
    assert_eq!(slugs(&net.get("/projects", &key)), ["quiet-lake"]);
    assert_eq!(net.get("/admin/clients", &key), json!([]));
    let expired = post(LABS, json!({"name": "late", "expires_at": "2020-01-01T00:00:00Z"})).json();
    assert_eq!(net.ask("GET", "/projects", expired["value"].as_str().unwrap(), "").status, 401);
    assert_eq!(post(LABS, json!({})).status, 400);
    assert_eq!(post(HILL, json!({"name": "x"})).status, 404);
    let one = format!("{tokens}/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(net.ask("DELETE", &one, LABS, "").status, 204);
    assert_eq!(net.ask("DELETE", &one, LABS, "").status, 404);
    assert_eq!(net.ask("GET", "/projects", &key, "").status, 401);
}

#[test]
fn each_project_has_its_own_clients_and_the_first_those_of_the_sandbox() {
    let net = Net::start();
    let made = |key: &str| {
        let program = net.program().with("ORY_PROJECT_API_KEY", key);
        program.run("create client --name x --format json").json()
    };
    let (hill, lake) = (made(HILL), made(LAKE));
    assert_eq!(net.0.clients().len(), 1);
    assert_eq!(net.0.clients()[0]["client_id"], hill["client_id"]);
    assert_eq!(net.get("/admin/clients", LAKE)[0]["client_id"], lake["client_id"]);
    let address = lake["registration_client_uri"].as_str().unwrap();
    assert!(address.starts_with("http://quiet-lake.projects.oryapis.test/"), "{address}");
}

#[test]
fn trouble_and_limits_are_those_of_the_sandbox() {
    let net = Net(Sandbox::with("--network 127.0.0.1:0 --fail lose-reply:1"));
    let program = net.program().with("ORY_PROJECT_API_KEY", HILL);
    program.run("create client --name x --format json").tells("the reply was lost").json();
    assert_eq!(net.0.clients().len(), 1);
    let net = Net(Sandbox::with("--network 127.0.0.1:0 --rate 1/min"));
    let create = || net.ask("POST", "/admin/clients", HILL, "{}").status;
    assert_eq!((create(), create()), (201, 429));
}

#[test]
fn the_listener_is_told_and_only_on_loopback() {
    let net = Net::start();
    assert!(net.url().starts_with("http://127.0.0.1:"));
    assert!(Sandbox::start().network.is_none());
    anywhere().run("sandbox serve --memory --network 0.0.0.0:0").fails(2, "loopback only");
    anywhere().run("sandbox serve --memory --network nonsense").fails(2, "no address");
}

#[test]
fn a_project_is_completed_with_its_name() {
    let net = Net::start();
    let names = net.get("/projects", LABS);
    let project = &names[0];
    let (slug, name) = (project["slug"].as_str().unwrap(), project["name"].as_str().unwrap());
    let program = net.program().with("ORY_WORKSPACE_API_KEY", LABS);
    let told = program.run(&format!("complete -- get oauth2-client a --project {slug}")).ok().stdout;
    assert!(told.contains(&format!("{slug}\t{name}")), "{told}");
}
