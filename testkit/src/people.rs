//! People: each test brings its own, with an address nobody else uses.

use std::sync::atomic::{AtomicUsize, Ordering};

use regain::ids::UserIdFormat;
use regain::settings::Settings;
use regain::store::Store;
use regain::users::ImportRules;
use regain_password::{Address, Candidate, Cost, PasswordHash, Verified, verify};
use serde_json::{Value, json};

use crate::stack::Stack;
use crate::table::{Table, text};

/// A user of the directory.
#[derive(Clone, Debug)]
pub struct Person {
    /// The id.
    pub id: String,
    /// The address.
    pub email: String,
}

/// An address that no user of any stack has, unless a test makes one of it.
pub fn new_address() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    format!(
        "person-{}@example.com",
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

impl Person {
    /// A new user of a stack, with nothing but an address.
    pub async fn of(stack: &Stack) -> Self {
        Self::with(stack, json!({})).await
    }

    /// A new user of a stack, with fields as in a users file.
    pub async fn with(stack: &Stack, fields: Value) -> Self {
        Self::in_form(stack, fields, UserIdFormat::ObjectId).await
    }

    /// A new user of a stack whose ids have the given form.
    pub async fn in_form(stack: &Stack, mut fields: Value, form: UserIdFormat) -> Self {
        let line = fields.as_object_mut().unwrap();
        line.entry("email").or_insert_with(|| new_address().into());
        let email = line["email"].as_str().unwrap().to_owned();
        let table = Table::of(stack);
        let store = Store::new(table.client, table.name);
        let mut rules = ImportRules::of(&Settings::read(&|_| None).unwrap());
        rules.id_format = form;
        // The directory may change what it likes.
        rules.overwrite_passwords = true;
        let mut rng = regain::ambient::rng().unwrap();
        let now = regain::ambient::now();
        let line = fields.to_string();
        regain::users::import(&store, &rules, &line, now, &mut rng)
            .await
            .unwrap();
        let id = store
            .user_id_of(&Address::parse(&email).unwrap())
            .await
            .unwrap()
            .unwrap();
        Self {
            id: id.as_str().to_owned(),
            email,
        }
    }

    /// Changes the user, as the directory does.
    pub async fn change(&self, stack: &Stack, mut fields: Value) {
        let line = fields.as_object_mut().unwrap();
        line.insert("id".to_owned(), self.id.clone().into());
        line.entry("email")
            .or_insert_with(|| self.email.clone().into());
        Self::with(stack, fields).await;
    }

    /// Whether a password opens the user's account now, by the hash that is stored.
    pub async fn has_password(&self, stack: &Stack, password: &str) -> bool {
        let user = Table::of(stack).user(&self.id).await;
        if !user.contains_key("passwordHash") {
            return false;
        }
        let hash = PasswordHash::parse(text(&user, "passwordHash")).unwrap();
        let candidate = Candidate::new(password.to_owned().into());
        let today = Cost::new(19_456, 2, 1).unwrap();
        match verify(&candidate, &hash, &today) {
            Verified::Yes => true,
            Verified::No => false,
            Verified::YesButRehash => panic!("hashed more cheaply than the settings ask"),
        }
    }
}
