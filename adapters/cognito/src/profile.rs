//! A user of the pool, and which users may recover.

use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserOutput;
use aws_sdk_cognitoidentityprovider::primitives::DateTime;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, UserStatusType, UserType};
use regain_password::Address;
use serde_json::json;
use user_store::User;

/// Attributes with names that a password must not consist of.
const NAMES: [&str; 6] = [
    "name",
    "given_name",
    "middle_name",
    "family_name",
    "nickname",
    "preferred_username",
];
/// The longest language tag that is passed on.
const LONGEST_LOCALE: usize = 35;

/// A user of the pool.
#[derive(Debug)]
pub(crate) struct Profile {
    /// What Cognito's operations take. In some pools it is chosen by people, and may be given to another
    /// person once its owner is deleted. So it is not the id.
    pub(crate) username: String,
    /// When something about the user was last changed, in milliseconds since 1970.
    pub(crate) modified: i64,
    status: UserStatusType,
    enabled: bool,
    attributes: Vec<AttributeType>,
}

impl Profile {
    /// The user's `sub`, which nobody else ever has.
    pub(crate) fn id(&self) -> &str {
        self.attribute("sub").unwrap_or_default()
    }

    /// Whether the user's address has this canonical form.
    pub(crate) fn has_address(&self, canonical: &str) -> bool {
        let address = Address::parse(self.attribute("email").unwrap_or_default());
        address.is_ok_and(|address| address.as_str() == canonical)
    }

    /// Whether Cognito counts the address as verified.
    pub(crate) fn is_verified(&self) -> bool {
        self.attribute("email_verified") == Some("true")
    }

    /// Whether an administrator switched the user off.
    pub(crate) fn is_disabled(&self) -> bool {
        !self.enabled
    }

    /// Whether the address leads to this user.
    ///
    /// An address that is not verified may be that of a stranger, by a slip or on purpose. Only where an
    /// administrator made the user, and it has never signed in, the address is the administrator's. Users of
    /// another identity provider have no password here, and must not get one.
    pub(crate) fn is_found_by_address(&self) -> bool {
        match self.status {
            UserStatusType::ExternalProvider => false,
            UserStatusType::ForceChangePassword => true,
            _ => self.is_verified(),
        }
    }

    /// `active` for users who may recover, else Cognito's word for why not, in lower case.
    fn status(&self) -> String {
        if self.is_disabled() {
            return "disabled".to_owned();
        }
        match &self.status {
            UserStatusType::Confirmed
            | UserStatusType::ForceChangePassword
            | UserStatusType::ResetRequired => "active".to_owned(),
            other => other.as_str().to_ascii_lowercase(),
        }
    }

    /// The user as Regain knows it. `sets` counts the passwords that this adapter has set.
    pub(crate) fn user(&self, sets: u64) -> User {
        let text = |name| self.attribute(name).map(str::to_owned);
        let locale = text("locale").map(|it| it.replace('_', "-"));
        User {
            id: self.id().to_owned(),
            email: text("email").unwrap_or_default(),
            status: self.status(),
            locale: locale.filter(|it| !it.is_empty() && it.len() <= LONGEST_LOCALE),
            credentials_version: self.version(sets),
            email_verified: Some(self.is_verified()),
            context: NAMES.into_iter().filter_map(text).collect(),
            directory: text("phone_number").map(|phone| json!({ "phone": phone })),
        }
    }

    /// The version of the user's password. Cognito has none. It changes with the time of the last change to
    /// the user, of whatever kind, and with each password that this adapter sets, should two changes ever
    /// have the same time.
    pub(crate) fn version(&self, sets: u64) -> String {
        format!("{}-{sets}", self.modified)
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|it| it.name == name)?;
        found.value.as_deref()
    }
}

/// Milliseconds since 1970. Cognito's times have three decimals.
fn millis(time: Option<&DateTime>) -> i64 {
    time.and_then(|it| it.to_millis().ok()).unwrap_or_default()
}

fn unknown() -> UserStatusType {
    UserStatusType::from("UNKNOWN")
}

impl From<UserType> for Profile {
    fn from(user: UserType) -> Self {
        Self {
            modified: millis(user.user_last_modified_date()),
            enabled: user.enabled,
            username: user.username.unwrap_or_default(),
            status: user.user_status.unwrap_or_else(unknown),
            attributes: user.attributes.unwrap_or_default(),
        }
    }
}

impl From<AdminGetUserOutput> for Profile {
    fn from(user: AdminGetUserOutput) -> Self {
        Self {
            modified: millis(user.user_last_modified_date()),
            enabled: user.enabled,
            username: user.username,
            status: user.user_status.unwrap_or_else(unknown),
            attributes: user.user_attributes.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(status: UserStatusType, enabled: bool, verified: bool) -> Profile {
        let attribute = |name: &str, value: &str| {
            let built = AttributeType::builder().name(name).value(value).build();
            built.unwrap()
        };
        Profile {
            username: "ana".into(),
            modified: 1_689_980_857_949,
            status,
            enabled,
            attributes: vec![
                attribute("sub", "d16b4aa8"),
                attribute("email", "Ana@Example.com"),
                attribute("email_verified", if verified { "true" } else { "false" }),
                attribute("locale", "pt_BR"),
                attribute("given_name", "Ana"),
                attribute("phone_number", "+12065551212"),
            ],
        }
    }

    #[test]
    fn each_state_of_cognito_leads_to_a_status() {
        use UserStatusType as It;
        for (status, verified, found) in [
            (It::Confirmed, true, Some("active")),
            (It::Confirmed, false, None),
            (It::ForceChangePassword, true, Some("active")),
            (It::ForceChangePassword, false, Some("active")),
            (It::ResetRequired, true, Some("active")),
            (It::Unconfirmed, false, None),
            (It::Unconfirmed, true, Some("unconfirmed")),
            (It::Archived, true, Some("archived")),
            (It::Compromised, true, Some("compromised")),
            (It::ExternalProvider, true, None),
            (unknown(), true, Some("unknown")),
        ] {
            let enabled = profile(status.clone(), true, verified);
            let answered = enabled
                .is_found_by_address()
                .then(|| enabled.user(0).status);
            assert_eq!(answered.as_deref(), found, "{status:?} {verified}");
            let disabled = profile(status, false, verified);
            assert_eq!(disabled.user(0).status, "disabled");
        }
    }

    #[test]
    fn the_user_has_what_cognito_says() {
        let user = profile(UserStatusType::Confirmed, true, true).user(3);
        assert_eq!(
            user,
            User {
                id: "d16b4aa8".into(),
                email: "Ana@Example.com".into(),
                status: "active".into(),
                locale: Some("pt-BR".into()),
                credentials_version: "1689980857949-3".into(),
                email_verified: Some(true),
                context: vec!["Ana".into()],
                directory: Some(json!({"phone": "+12065551212"})),
            }
        );
    }

    #[test]
    fn addresses_are_compared_in_their_canonical_form() {
        let profile = profile(UserStatusType::Confirmed, true, true);
        assert!(profile.has_address("ana@example.com"));
        assert!(!profile.has_address("ana@example.org"));
    }
}
