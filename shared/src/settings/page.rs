//! The settings of the recovery page.

use super::SettingsError;
use super::forms::{LONGEST_ANCESTORS, LONGEST_URL, are_ancestors, is_url};
use super::source::{Source, env};

/// The settings that only `recovery-page` needs.
#[derive(Clone, Debug)]
pub struct PageSettings {
    /// `SIGN_IN_URL`: where a person signs in afterwards, if the page is to link there.
    pub sign_in_url: Option<String>,
    /// `BRAND_COLOR`: the page's one color, as `#rrggbb`.
    pub brand_color: String,
    /// `FRAME_ANCESTORS`: the origins whose pages may frame the page, with blanks between them; none if not set.
    pub frame_ancestors: Option<String>,
}

impl PageSettings {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first setting that is not what its name says.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::read(&env)
    }

    /// Reads settings by name through `get`. An empty setting counts as not set.
    ///
    /// # Errors
    /// As [`PageSettings::from_env`].
    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let source = Source(get);
        let sign_in_url = source.text("SIGN_IN_URL");
        if let Some(value) = sign_in_url.clone().filter(|it| !is_url(it)) {
            return Err(SettingsError::NoUrl {
                value,
                max: LONGEST_URL,
            });
        }
        let brand_color = source.color()?;
        let frame_ancestors = source.text("FRAME_ANCESTORS");
        if let Some(value) = frame_ancestors.clone().filter(|it| !are_ancestors(it)) {
            return Err(SettingsError::NoAncestors {
                value,
                max: LONGEST_ANCESTORS,
            });
        }
        Ok(Self {
            sign_in_url,
            brand_color,
            frame_ancestors,
        })
    }
}
