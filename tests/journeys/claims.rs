//! The claim on a session of a process that died.
//!
//! Tests begin in the order of their names. This one waits longest, and here it begins early.

use serde_json::json;
use testkit::client::{Mobile, RESET};
use testkit::eventually;
use testkit::fake_user_store::StoreFault;
use testkit::mailbox::Mailbox;
use testkit::stack::{children, send};

use crate::user_store::{PASSWORD, open, post};

#[tokio::test]
async fn a_function_that_dies_between_the_store_and_the_table_sets_no_password_twice() {
    let (stack, store, email) = open().await;
    let mobile = Mobile::of(&stack);
    let mut mailbox = Mailbox::at(&stack, &email);
    let session = mobile.begin(&email).await;
    let code = mailbox.next_code().await;
    let token = mobile.verify(&session, &code).await.word();
    store.fail(StoreFault::Hang, 2, 1);
    let body = json!({"token": token, "password": PASSWORD});
    let (setting, ()) = tokio::join!(post(&mobile.0, RESET, &body), async {
        eventually("the store has set it", async || {
            (store.user(&email).times_set == 1).then_some(())
        })
        .await;
        for (pid, name) in children(stack.pid()) {
            if name == "forgot-password-set-password" {
                send("KILL", pid);
            }
        }
    });
    assert_eq!(setting.status, 500, "the gateway's answer: {setting:?}");
    store.reset();
    // The claim of the process that died lasts for a while.
    let set = eventually("the password can be set again", async || {
        let set = mobile.set_password(&token, PASSWORD).await;
        (set.status != 503).then_some(set)
    })
    .await;
    assert_eq!(set.word(), format!("id of {email}"));
    assert_eq!(store.user(&email).times_set, 1, "the same use");
    mailbox.next_notice().await;
}
