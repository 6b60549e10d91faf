//! A part of a mail whose parameters are not known yet.
//!
//! A text has `${Name}` where the stack's parameter of that name goes, and a condition of template.yaml chooses between two
//! texts. `CloudFormation` decides both when the stack is deployed, so they cost the functions nothing.

use serde_yaml_ng::{Mapping, Value as Yaml};

/// A piece of a part.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// A text, perhaps with parameters.
    Text(String),
    /// One of two texts.
    If {
        /// A condition of template.yaml.
        condition: Condition,
        /// The content if the condition holds.
        yes: Vec<Piece>,
        /// The content if it does not.
        no: Vec<Piece>,
    },
}

/// The values of the stack's parameters that mails have.
#[derive(Clone, Debug, Default)]
pub(super) struct Brand {
    pub(super) color: String,
    pub(super) logo_url: Option<String>,
    pub(super) product_url: Option<String>,
    pub(super) support_contact: Option<String>,
    pub(super) is_website: bool,
    pub(super) has_reply_to: bool,
}

/// The conditions of template.yaml that mails may ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Condition {
    HasLogoUrl,
    HasProductUrl,
    HasSupportContact,
    SupportContactIsAddress,
    HasMailReplyTo,
    IsWebsite,
}

impl Condition {
    const ALL: [Self; 6] = [
        Self::HasLogoUrl,
        Self::HasProductUrl,
        Self::HasSupportContact,
        Self::SupportContactIsAddress,
        Self::HasMailReplyTo,
        Self::IsWebsite,
    ];

    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::HasLogoUrl => "HasLogoUrl",
            Self::HasProductUrl => "HasProductUrl",
            Self::HasSupportContact => "HasSupportContact",
            Self::SupportContactIsAddress => "SupportContactIsAddress",
            Self::HasMailReplyTo => "HasMailReplyTo",
            Self::IsWebsite => "IsWebsite",
        }
    }

    fn holds(self, brand: &Brand) -> bool {
        match self {
            Self::HasLogoUrl => brand.logo_url.is_some(),
            Self::HasProductUrl => brand.product_url.is_some(),
            Self::HasSupportContact => brand.support_contact.is_some(),
            Self::SupportContactIsAddress => {
                let contact = brand.support_contact.as_deref();
                contact.is_some_and(|it| it.contains('@'))
            }
            Self::HasMailReplyTo => brand.has_reply_to,
            Self::IsWebsite => brand.is_website,
        }
    }
}

impl Brand {
    /// The value of a parameter. `None` if no mail may have it.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        match name {
            "BrandColor" => Some(&self.color),
            "LogoUrl" => Some(self.logo_url.as_deref().unwrap_or_default()),
            "ProductUrl" => Some(self.product_url.as_deref().unwrap_or_default()),
            "SupportContact" => Some(self.support_contact.as_deref().unwrap_or_default()),
            _ => None,
        }
    }
}

/// The text that pieces are with these settings.
pub(super) fn text(pieces: &[Piece], brand: &Brand) -> String {
    let texts = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => filled(text, brand),
        Piece::If { condition, yes, no } => {
            self::text(if condition.holds(brand) { yes } else { no }, brand)
        }
    });
    texts.collect()
}

fn filled(text: &str, brand: &Brand) -> String {
    let mut parts = text.split("${");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        filled.push_str(brand.value(name).unwrap_or_default());
        filled.push_str(rest);
    }
    filled
}

/// The first parameter of a text that no mail may have.
pub(super) fn unknown_parameter(text: &str) -> Option<&str> {
    let names = text.split("${").skip(1);
    let mut names = names.map(|part| part.split_once('}').map_or(part, |(name, _)| name));
    names.find(|name| Brand::default().value(name).is_none())
}

/// Pieces in the words of `CloudFormation`. An included file may not have the short forms of functions.
pub(super) fn yaml(pieces: &[Piece]) -> Yaml {
    let mut values: Vec<Yaml> = joined(pieces)
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => substituted(text),
            Piece::If { condition, yes, no } => {
                let arguments = vec![condition.name().into(), yaml(yes), yaml(no)];
                function("Fn::If", Yaml::Sequence(arguments))
            }
        })
        .collect();
    match (values.pop(), values.is_empty()) {
        (None, _) => Yaml::String(String::new()),
        (Some(only), true) => only,
        (Some(last), false) => {
            values.push(last);
            let arguments = vec![Yaml::String(String::new()), Yaml::Sequence(values)];
            function("Fn::Join", Yaml::Sequence(arguments))
        }
    }
}

/// A text whose parameters `CloudFormation` fills in.
pub(super) fn substituted(text: &str) -> Yaml {
    if text.contains("${") {
        function("Fn::Sub", text.into())
    } else {
        text.into()
    }
}

fn function(name: &str, argument: Yaml) -> Yaml {
    let mut call = Mapping::new();
    call.insert(name.into(), argument);
    Yaml::Mapping(call)
}

/// Pieces of which no two texts follow each other.
fn joined(pieces: &[Piece]) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (joined.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(text),
            _ => joined.push(piece.clone()),
        }
    }
    joined
}
