//! Connections to SES after a freeze: the server resets a connection that is used again.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use testkit::fixture::Fixture;
use testkit::fixture_stack::FixtureStack;

/// Answers the first call of each connection, and resets it at the second. Counts both.
#[derive(Clone, Default)]
struct Forgetful {
    taken: Arc<AtomicUsize>,
    reset: Arc<AtomicUsize>,
}

impl Forgetful {
    fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = self.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let server = server.clone();
                std::thread::spawn(move || server.answer(connection));
            }
        });
        url
    }

    fn answer(&self, mut connection: TcpStream) {
        let mut reader = BufReader::new(connection.try_clone().unwrap());
        let (mut length, mut line) = (0, String::new());
        while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
            let header = line.to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        let number = self.taken.fetch_add(1, Ordering::SeqCst);
        let body = json!({"MessageId": format!("message-{number}")}).to_string();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
        write!(connection, "{head} {}\r\n\r\n{body}", body.len()).unwrap();
        // The system resets a socket that is closed with unread data.
        if connection.peek(&mut [0]).is_ok_and(|read| read > 0) {
            self.reset.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test]
async fn mail_never_waits_for_a_connection_that_ses_has_closed() {
    let ses = Forgetful::default();
    let url = ses.serve();
    let running = FixtureStack::start(|mut program| {
        let name = "AWS_ENDPOINT_URL_SESV2";
        program.environment.retain(|(set, _)| set != name);
        program.environment.push((name.to_owned(), url.clone()));
        program
    })
    .await;
    let fixtures = Fixture::all();
    for (sent, case) in ["code-auth-v1", "code-directory", "notice"]
        .into_iter()
        .enumerate()
    {
        let name = format!("deliver-mail/{case}");
        let fixture = fixtures.iter().find(|it| it.name() == name).unwrap();
        let answer = running
            .invoke("deliver-mail", &fixture.event)
            .await
            .unwrap();
        assert_eq!(answer, json!({"batchItemFailures": []}), "{name}");
        assert_eq!(ses.taken.load(Ordering::SeqCst), sent + 1, "{name}");
    }
    assert_eq!(
        ses.reset.load(Ordering::SeqCst),
        0,
        "no connection is used again"
    );
    running.finish().await;
}
