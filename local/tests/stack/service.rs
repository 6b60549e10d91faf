//! `cargo run` as a person or a script sees it: the program itself, with probes for functions.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

const PATH: &str = "/auth/v1/forgot-password";

/// The functions of template.yaml.
const FUNCTIONS: [&str; 13] = [
    "announce",
    "audit-trail",
    "deliver-mail",
    "forgot-password",
    "forgot-password-resend-otp",
    "forgot-password-set-password",
    "forgot-password-verify-otp",
    "mail-events",
    "recover-not-me",
    "recovery-page",
    "users",
    "users-resend",
    "users-set-password",
];

/// A running service.
struct Service {
    process: Child,
    printed: Vec<String>,
    url: String,
    _functions: TempDir,
}

fn probe() -> PathBuf {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_local"));
    program.parent().unwrap().join("examples/probe")
}

/// The program with a probe in place of every function.
fn command(arguments: &[&str]) -> (Command, TempDir) {
    let functions = tempfile::tempdir().unwrap();
    for name in FUNCTIONS {
        symlink(probe(), functions.path().join(name)).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command
        .args(arguments)
        .arg("--functions")
        .arg(functions.path())
        .stdin(Stdio::null());
    (command, functions)
}

fn refused(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let (mut command, _functions) = command(arguments);
    let Output {
        status,
        stdout,
        stderr,
    } = command.envs(environment.iter().copied()).output().unwrap();
    assert_eq!(String::from_utf8(stdout).unwrap(), "");
    (status.code(), String::from_utf8(stderr).unwrap())
}

impl Service {
    fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let (mut command, functions) = command(&[&["--port", "0"], arguments].concat());
        let mut process = command
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            // Nobody reads it, and the service must run all the same.
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut printed = Vec::new();
        let url = loop {
            let line = lines.next().unwrap().unwrap();
            if let Some(url) = line.strip_prefix("ready on ") {
                break url.to_owned();
            }
            printed.push(line);
        };
        Self {
            process,
            printed,
            url,
            _functions: functions,
        }
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> Response {
        let request = Client::new().request(method, format!("{}{path}", self.url));
        request.body(body).send().await.unwrap()
    }

    async fn ask(&self, request: Value) -> (StatusCode, Value) {
        let answer = self.request(Method::POST, PATH, request.to_string()).await;
        (answer.status(), answer.json().await.unwrap())
    }

    /// The processes of the functions. Any thread may have started one.
    fn functions(&self) -> Vec<String> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        let children = threads.map(|thread| {
            std::fs::read_to_string(thread.unwrap().path().join("children")).unwrap()
        });
        let all: String = children.collect();
        all.split_whitespace().map(str::to_owned).collect()
    }

    fn signal(&self, signal: &str) {
        let process = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status();
        assert!(sent.unwrap().success());
    }

    fn endpoint(&self, name: &str) -> String {
        let line = self.printed.iter().find(|line| line.starts_with(name));
        line.unwrap().split_whitespace().last().unwrap().to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn is_alive(process: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
}

#[tokio::test]
async fn everything_is_up_when_it_says_ready() {
    let service = Service::start(&[]);
    let health = service.request(Method::GET, "/_health", "").await;
    assert_eq!(health.status(), 200);
    assert_eq!(
        health.json::<Value>().await.unwrap(),
        json!({"status": "ok"})
    );
    let printed = service.printed.join("\n");
    for expected in [
        "demo@example.com",
        "siti@example.com",
        "blocked@example.com",
    ] {
        assert!(printed.contains(expected), "{printed}");
    }
    assert_eq!(
        service.endpoint("Mailbox"),
        format!("{}/_mail", service.url)
    );
    for name in ["DynamoDB", "SES", "Secrets"] {
        assert!(
            service.endpoint(name).starts_with("http://127.0.0.1:"),
            "{printed}"
        );
    }
    assert_eq!(service.functions().len(), FUNCTIONS.len());
}

#[tokio::test]
async fn a_request_reaches_its_function_and_only_through_its_routes() {
    let service = Service::start(&[]);
    let (status, answer) = service.ask(json!({"hello": "world"})).await;
    assert_eq!(status, 200);
    assert_eq!(answer["event"]["routeKey"], format!("POST {PATH}"));
    assert_eq!(answer["event"]["body"], r#"{"hello":"world"}"#);
    assert_eq!(
        answer["event"]["requestContext"]["http"]["sourceIp"],
        "127.0.0.1"
    );
    for (method, path) in [
        (Method::POST, "/nowhere"),
        (Method::POST, "/auth/v1/forgot-password/"),
        (Method::POST, "/"),
        (Method::TRACE, PATH),
        (Method::GET, "/recover/"),
        (Method::GET, "/recovery"),
        (Method::POST, "/recover/file.js"),
    ] {
        let answer = service.request(method, path, "").await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(
            answer.json::<Value>().await.unwrap(),
            json!({"message": "Not Found"})
        );
    }
}

#[tokio::test]
async fn a_greedy_route_takes_everything_below_its_folder() {
    let service = Service::start(&[]);
    for path in ["/recover/file.js", "/recover/a/b", "/recover/a/"] {
        let answer = service.request(Method::GET, path, "").await;
        assert_eq!(answer.status(), 200, "{path}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["event"]["routeKey"], "GET /recover/{proxy+}");
        assert_eq!(answer["event"]["rawPath"], path);
    }
    let answer = service.request(Method::GET, "/recover", "").await;
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["event"]["routeKey"], "GET /recover");
}

#[tokio::test]
async fn a_caller_cannot_choose_its_source_address_by_a_header() {
    let service = Service::start(&[]);
    let request = Client::new().post(format!("{}{PATH}", service.url));
    let request = request
        .header("x-forwarded-for", "203.0.113.9")
        .header("forwarded", "for=1.2.3.4");
    let answer: Value = request
        .body("{}")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        answer["event"]["requestContext"]["http"]["sourceIp"],
        "127.0.0.1"
    );
}

#[tokio::test]
async fn a_function_that_fails_or_times_out_is_answered_as_api_gateway_does() {
    let service = Service::start(&[]);
    for (request, status, message) in [
        (json!({"do": "exit"}), 500, "Internal Server Error"),
        (json!({"do": "error"}), 500, "Internal Server Error"),
        (
            json!({"do": "sleep", "millis": 60_000}),
            503,
            "Service Unavailable",
        ),
    ] {
        let answered = service.ask(request.clone()).await;
        assert_eq!(answered.0, status, "{request}");
        assert_eq!(answered.1, json!({"message": message}), "{request}");
    }
    assert_eq!(service.ask(json!({})).await.0, 200);
}

#[tokio::test]
async fn a_body_over_ten_megabytes_is_refused() {
    let service = Service::start(&[]);
    let most = 10 * 1024 * 1024;
    let answer = service
        .request(Method::POST, PATH, vec![b'x'; most + 1])
        .await;
    assert_eq!(answer.status(), 413);
    let body = answer.json::<Value>().await.unwrap();
    assert_eq!(body, json!({"message": "Request Entity Too Large"}));
}

#[tokio::test]
async fn head_is_answered_without_a_body() {
    let service = Service::start(&[]);
    let answer = service.request(Method::HEAD, PATH, "").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn preflight_is_answered_for_the_configured_origins() {
    let service = Service::start_with(
        &[],
        &[("CORS_ORIGINS", "https://a.example,https://b.example")],
    );
    for (origin, allowed) in [("https://b.example", true), ("https://c.example", false)] {
        let request = Client::new().request(Method::OPTIONS, format!("{}{PATH}", service.url));
        let request = request.header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 204);
        let header = answer.headers().get("access-control-allow-origin");
        assert_eq!(
            header.map(|value| value.to_str().unwrap()),
            allowed.then_some(origin)
        );
    }
}

#[tokio::test]
async fn a_function_finds_its_settings_and_nothing_of_this_machine() {
    let service = Service::start_with(&[], &[("CODE_TTL_SECONDS", "5"), ("SOMETHING_ELSE", "1")]);
    let (_, environment) = service.ask(json!({"do": "environment"})).await;
    assert_eq!(environment["CODE_TTL_SECONDS"], "5");
    assert_eq!(environment["TABLE_NAME"], "regain");
    assert_eq!(
        environment["AWS_LAMBDA_FUNCTION_NAME"],
        "regain-forgot-password"
    );
    for name in [
        "SOMETHING_ELSE",
        "PATH",
        "HOME",
        "CODE_KEY_SECRET",
        "MAIL_FROM",
    ] {
        assert_eq!(environment.get(name), None, "{name}");
    }
}

#[tokio::test]
async fn a_mail_through_ses_is_in_the_mailbox() {
    let service = Service::start(&[]);
    let data = json!({"code": "012345", "validFor": "ten minutes", "serviceName": "R & B",
        "serviceNameHtml": "R &amp; B"});
    let mail = json!({
        "FromEmailAddress": "no-reply@example.com",
        "Destination": {"ToAddresses": ["ann@example.com"]},
        "ConfigurationSetName": "regain",
        "Content": {"Template": {
            "TemplateName": "regain-directory-session-forgot-en",
            "TemplateData": data.to_string(),
        }},
    });
    let url = format!("{}/v2/email/outbound-emails", service.endpoint("SES"));
    let sent = Client::new().post(url).json(&mail).send().await.unwrap();
    assert!(sent.json::<Value>().await.unwrap()["MessageId"].is_string());

    let all = service
        .request(Method::GET, "/_mail.json?to=ANN%40example.com", "")
        .await;
    let tag = all.headers()["etag"].clone();
    let mails: Value = all.json().await.unwrap();
    assert_eq!(mails[0]["template"], "directory|session-forgot");
    assert!(
        mails[0]["text"]
            .as_str()
            .unwrap()
            .lines()
            .any(|line| line == "012345")
    );
    assert!(mails[0]["html"].as_str().unwrap().contains("R &amp; B"));
    let none = service
        .request(Method::GET, "/_mail.json?to=bob@example.com", "")
        .await;
    assert_eq!(none.json::<Value>().await.unwrap(), json!([]));
    let again = Client::new().get(format!("{}/_mail.json", service.url));
    let again = again.header("if-none-match", tag).send().await.unwrap();
    assert_eq!(again.status(), 304);
}

#[tokio::test]
async fn the_mailbox_lets_no_foreign_script_run() {
    let service = Service::start(&[]);
    let page = service.request(Method::GET, "/_mail", "").await;
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.contains("default-src 'none'; script-src 'self';"),
        "{policy}"
    );
    let html = page.text().await.unwrap();
    assert!(html.contains(r#"sandbox="""#));
    assert!(!html.contains("http://") && !html.contains("https://"));
}

#[tokio::test]
async fn a_signal_ends_it_in_order() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let mut service = Service::start(&[]);
        assert_eq!(service.ask(json!({})).await.0, 200);
        let functions = service.functions();
        service.signal(signal);
        assert_eq!(service.process.wait().unwrap().code(), Some(0), "{signal}");
        assert!(
            !functions.iter().any(|process| is_alive(process)),
            "{signal}"
        );
    }
}

#[tokio::test]
async fn functions_end_when_the_service_is_killed() {
    let mut service = Service::start(&[]);
    let functions = service.functions();
    assert!(functions.iter().all(|process| is_alive(process)));
    service.signal("-KILL");
    service.process.wait().unwrap();
    while functions.iter().any(|process| is_alive(process)) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_has_begun_is_answered_before_the_end() {
    let mut service = Service::start(&[]);
    let url = format!("{}{PATH}", service.url);
    let body = json!({"do": "sleep", "millis": 1000}).to_string();
    let request = tokio::spawn(Client::new().post(url).body(body).send());
    let said = BufReader::new(service.process.stderr.take().unwrap()).lines();
    let asleep = said
        .map_while(Result::ok)
        .find(|line| line.ends_with("asleep"));
    assert_eq!(asleep.unwrap(), "[forgot-password] asleep");
    service.signal("-TERM");
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
    assert_eq!(service.process.wait().unwrap().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_without_waiting_for_calls() {
    let mut service = Service::start(&[]);
    let url = format!("{}{PATH}", service.url);
    let body = json!({"do": "sleep", "millis": 60_000}).to_string();
    let request = tokio::spawn(Client::new().post(url).body(body).send());
    let mut said = BufReader::new(service.process.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(said.any(|line| line == "[forgot-password] asleep"));
    let functions = service.functions();
    service.signal("-INT");
    // The service stops listening once the first signal has arrived.
    let address = service.url.strip_prefix("http://").unwrap().to_owned();
    while TcpStream::connect(&address).is_ok() {
        tokio::task::yield_now().await;
    }
    service.signal("-INT");
    let error = "error: a second signal ended the service before its calls were answered";
    assert!(said.any(|line| line == error));
    assert_eq!(service.process.wait().unwrap().code(), Some(1));
    request.abort();
    while functions.iter().any(|process| is_alive(process)) {
        tokio::task::yield_now().await;
    }
}

/// The lines that the program printed for calls, until its end.
async fn said_of_calls(arguments: &[&str]) -> Vec<String> {
    let mut service = Service::start(arguments);
    for (method, path) in [
        (Method::POST, "/auth/v1/forgot-password?to=ann@example.com"),
        (Method::GET, "/nowhere%1b[2J/\u{202e}"),
        (Method::OPTIONS, PATH),
        (Method::GET, "/_mail.json"),
        (Method::GET, "/_health"),
    ] {
        let body = json!({"do": "environment", "email": "ann@example.com"});
        service.request(method, path, body.to_string()).await;
    }
    let said = BufReader::new(service.process.stderr.take().unwrap()).lines();
    service.signal("-TERM");
    let said = said.map_while(Result::ok);
    said.filter(|line| !line.starts_with('[')).collect()
}

#[tokio::test]
async fn each_api_call_prints_one_line_without_what_was_sent() {
    let said = said_of_calls(&[]).await;
    let calls: Vec<_> = said
        .iter()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .collect();
    let expected = [
        ("POST", PATH, "200"),
        ("GET", "/nowhere%1b[2J/%E2%80%AE", "404"),
        ("OPTIONS", PATH, "204"),
    ];
    assert_eq!(calls.len(), expected.len(), "{said:#?}");
    for (call, expected) in calls.iter().zip(expected) {
        let &[clock, method, path, status, took, "ms"] = call.as_slice() else {
            unreachable!("{call:?}")
        };
        assert_eq!((method, path, status), expected);
        assert_eq!((clock.len(), clock.matches(':').count()), (8, 2), "{clock}");
        assert!(took.parse::<u64>().is_ok(), "{took}");
    }
    assert!(!said.concat().contains("ann@example.com"), "{said:#?}");
}

#[tokio::test]
async fn a_quiet_service_prints_no_line_for_its_calls() {
    assert_eq!(said_of_calls(&["--quiet"]).await, [""; 0]);
}

#[test]
fn a_port_in_use_is_reported_before_anything_is_started() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for option in [
        "--port",
        "--dynamodb-port",
        "--ses-port",
        "--secrets-port",
        "--lambda-port",
    ] {
        let arguments = if option == "--port" {
            vec![option, &port]
        } else {
            vec!["--port", "0", option, &port]
        };
        let sentence = "is in use: stop what listens there, or choose another with";
        let expected = format!("error: port {port} on 127.0.0.1 {sentence} {option}\n");
        assert_eq!(refused(&arguments, &[]), (Some(1), expected));
    }
}

#[test]
fn a_data_directory_is_for_one_instance() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let data = path.to_str().unwrap();
    let service = Service::start(&["--data", data]);
    let expected = format!("error: {data} is in use by another running instance\n");
    assert_eq!(
        refused(&["--port", "0", "--data", data], &[]),
        (Some(1), expected)
    );
    drop(service);
    let again = Service::start(&["--data", data]);
    assert!(!again.printed.join("\n").contains("Demo users"));
}

#[test]
fn an_error_at_the_start_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users.jsonl");
    let path = users.to_str().unwrap();
    std::fs::write(
        &users,
        "{\"email\": \"a@example.com\"}\n{\"email\": \"nothing\"}\n\
         {\"email\": \"b@example.com\", \"meta\": {\"\": 1}}\n",
    )
    .unwrap();
    for (arguments, environment, sentence) in [
        (
            vec![],
            ("CODE_LENGTH", "3"),
            "error: CODE_LENGTH must be from 4 to 10, not 3\n".to_owned(),
        ),
        (
            vec!["--users", path],
            ("CODE_LENGTH", "6"),
            format!(
                "error: {path}: 2 of 3 lines cannot be imported, so nothing was imported:\n  \
                 line 2: \"email\" is not an e-mail address\n  \
                 line 3: \"meta\" has a field without a name, which DynamoDB does not take\n"
            ),
        ),
        (
            vec!["--users", "/nowhere"],
            ("CODE_LENGTH", "6"),
            "error: /nowhere cannot be read: No such file or directory (os error 2)\n".to_owned(),
        ),
    ] {
        let arguments = [vec!["--port", "0"], arguments].concat();
        assert_eq!(refused(&arguments, &[environment]), (Some(1), sentence));
    }
}

#[test]
fn it_runs_on_when_nobody_reads_stderr() {
    let mut service = Service::start(&[]);
    drop(service.process.stderr.take());
    assert!(is_alive(&service.process.id().to_string()));
    service.signal("-TERM");
    assert_eq!(service.process.wait().unwrap().code(), Some(0));
}
