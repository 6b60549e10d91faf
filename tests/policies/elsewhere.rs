//! Recoveries of people who live elsewhere, on the stack of the events tests: by both APIs, by link, with their mails.

use serde_json::{Value as Json, json};

use testkit::fake_user_store::{ElsewhereUser, FakeUserStore, StoreFault};
use testkit::fixture::Fixture;
use testkit::fixture_stack::FixtureStack;
use testkit::table::text;

const PASSWORD: &str = "a lantern over the river";

/// A person's way through a recovery.
struct Flow<'a> {
    running: &'a FixtureStack,
    store: &'a FakeUserStore,
    email: String,
    /// Whether the user changes whenever a function has found them, so that it has to look again.
    is_overtaken: bool,
}

/// Has one person each recover by code and token, by link, and by the Directory in one call and in two. One of them
/// had not proven the mailbox before, and two are changed meanwhile.
pub(crate) async fn recover_in_every_way(running: &FixtureStack, store: &FakeUserStore) {
    let flow = |name: &str, is_verified: bool, is_overtaken: bool| {
        let email = format!("{name}@elsewhere.example.com");
        store.put(ElsewhereUser {
            email_verified: Some(is_verified),
            ..ElsewhereUser::of(&email)
        });
        Flow {
            running,
            store,
            email,
            is_overtaken,
        }
    };
    let flows = [
        flow("token", true, false),
        flow("unproven", false, true),
        flow("link", true, false),
        flow("two-calls", true, false),
        flow("one-call", true, true),
    ];
    flows[0].by_token().await;
    flows[1].by_token().await;
    flows[2].by_link().await;
    flows[3].by_directory(&["otp", "password"]).await;
    flows[4].by_directory(&["both"]).await;
    for Flow { email, .. } in flows {
        let user = store.user(&email);
        assert_eq!(user.times_set, 1, "{email}");
        assert_eq!(user.email_verified, Some(true), "{email}");
    }
}

impl Flow<'_> {
    async fn by_token(&self) {
        let session = self.begin().await;
        let code = self.code().await;
        let guess = json!({ "session_id": session, "otp": code });
        let token = self.post("forgot-password-verify-otp/good", &guess).await;
        let set = json!({ "token": token["data"], "password": PASSWORD });
        self.post("forgot-password-set-password/by-token", &set)
            .await;
        self.deliver().await;
    }

    async fn by_link(&self) {
        self.begin().await;
        self.deliver().await;
        let mail = &self.running.mail_to(&self.email)[0].text;
        let (_, token) = mail.split_once("#t=").unwrap();
        let token = token.split_whitespace().next().unwrap();
        let set = json!({ "token": token, "password": PASSWORD });
        self.post("forgot-password-set-password/by-link", &set)
            .await;
        self.deliver().await;
    }

    async fn by_directory(&self, calls: &[&str]) {
        let asked = json!({ "email": self.email });
        let started = self.post("users-resend/known-address", &asked).await;
        let (id, session) = (&started["data"]["id"], &started["data"]["session"]["id"]);
        let code = self.code().await;
        for call in calls {
            let mut body = json!({ "id": id, "session": session });
            if *call != "password" {
                body["otp"] = json!(code);
            }
            if *call != "otp" {
                body["password"] = json!(PASSWORD);
            }
            self.post("users-set-password/code", &body).await;
        }
        self.deliver().await;
    }

    async fn begin(&self) -> Json {
        let asked = json!({ "email": self.email });
        let started = self.post("forgot-password/known-address", &asked).await;
        started["data"].clone()
    }

    /// Has the mail with the code delivered, and reads the code.
    async fn code(&self) -> String {
        self.deliver().await;
        let mail = &self.running.mail_to(&self.email)[0].text;
        let code = mail
            .lines()
            .find(|line| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit()));
        code.unwrap().to_owned()
    }

    /// Posts a body as a fixture does, and expects a 200.
    async fn post(&self, fixture: &str, body: &Json) -> Json {
        let mut event = event_of(fixture);
        event["body"] = json!(body.to_string());
        let (function, _) = fixture.split_once('/').unwrap();
        if self.is_overtaken {
            // The first question finds the user, the second one changes them.
            let changed = StoreFault::Nonsense(r#"{"outcome": "changed"}"#);
            self.store.fail(changed, 2, 1);
        }
        let answer = self.running.invoke(function, &event).await.unwrap();
        self.store.reset();
        assert_eq!(answer["statusCode"], 200, "{}: {answer}", self.email);
        serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
    }

    /// Gives the person's mail requests that have no outcome yet to the functions that the table's stream feeds.
    async fn deliver(&self) {
        let items = self.running.table.all().await;
        let due = items.iter().filter(|item| {
            let is_mail = text(item, "pk").starts_with("MAIL#");
            is_mail && text(item, "address") == self.email && !item.contains_key("outcome")
        });
        let due: Vec<_> = due.map(|item| text(item, "pk")).collect();
        assert_eq!(due.len(), 1, "{}", self.email);
        for function in ["deliver-mail", "announce"] {
            let mut event = event_of("deliver-mail/code-auth-v1");
            event["Records"][0]["dynamodb"]["Keys"]["pk"]["S"] = json!(due[0]);
            self.running.invoke(function, &event).await.unwrap();
        }
    }
}

/// The event of a fixture.
fn event_of(name: &str) -> Json {
    let mut fixtures = Fixture::all().into_iter();
    fixtures.find(|it| it.name() == name).unwrap().event
}
