//! The mail templates of the stack.

use serde::{Deserialize, Serialize};

use crate::locale::Locale;

/// A mail template. Callers name it by its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Template {
    /// The code of a session of the Directory API.
    #[serde(rename = "directory|session-forgot")]
    DirectorySessionForgot,
    /// The code of a session of the auth/v1 API.
    #[serde(rename = "auth-v1|forgot-password")]
    AuthV1ForgotPassword,
    /// The notice that the password was changed.
    #[serde(rename = "password-changed")]
    PasswordChanged,
}

impl Template {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::DirectorySessionForgot,
        Self::AuthV1ForgotPassword,
        Self::PasswordChanged,
    ];

    /// The template of that code, if a caller may choose it for a mail with a code.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|template| template.carries_code() && template.code() == code)
    }

    /// Whether its mails carry a code.
    #[must_use]
    pub const fn carries_code(self) -> bool {
        !matches!(self, Self::PasswordChanged)
    }

    /// The code by which callers and the mailbox name it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::DirectorySessionForgot => "directory|session-forgot",
            Self::AuthV1ForgotPassword => "auth-v1|forgot-password",
            Self::PasswordChanged => "password-changed",
        }
    }

    /// The name of its SES template. SES allows no `|` in names, and all stacks of an account share one list
    /// of names, so the name begins with the stack's prefix.
    #[must_use]
    pub fn ses_name(self, prefix: &str, locale: Locale) -> String {
        format!(
            "{prefix}-{}-{}",
            self.code().replace('|', "-"),
            locale.tag()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_can_choose_only_templates_with_codes() {
        assert_eq!(
            Template::of_code("directory|session-forgot"),
            Some(Template::DirectorySessionForgot)
        );
        assert_eq!(Template::of_code("password-changed"), None);
        assert_eq!(Template::of_code("directory-session-forgot"), None);
    }

    #[test]
    fn a_template_is_stored_under_its_code() {
        for template in Template::ALL {
            assert_eq!(serde_json::to_value(template).unwrap(), template.code());
        }
    }

    #[test]
    fn a_ses_name_has_only_what_ses_allows() {
        for template in Template::ALL {
            let name = template.ses_name("regain", Locale::Id);
            assert!(
                name.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            );
        }
    }
}
