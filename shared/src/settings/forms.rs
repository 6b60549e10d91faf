//! Checks how names, senders, origins and the page's settings are written.

use super::SettingsError;
use super::source::whole_number;

/// The longest service name, in characters.
const LONGEST_SERVICE_NAME: usize = 64;
/// The longest sender, sender's name and address for replies. SES allows 254 characters for an address, but the template
/// has to fit all of them and other settings into 256.
pub(super) const LONGEST_SENDER: usize = 64;
pub(super) const LONGEST_SENDER_NAME: usize = 24;
pub(super) const LONGEST_REPLY_TO: usize = 32;

/// The longest address of a page, and the longest list of those that may frame it: with other settings they have
/// to fit into 256 characters, too.
pub(super) const LONGEST_URL: usize = 80;
pub(super) const LONGEST_ANCESTORS: usize = 60;
/// The longest address of the page that mails link to. That of a stack's own page has a domain name of up to 253
/// characters in it. The template takes shorter ones, because they have to fit into a version's description.
pub(super) const LONGEST_PAGE_URL: usize = 300;

/// The longest address in a mail. No function knows it, so it is not counted among others.
pub(super) const LONGEST_IN_MAIL: usize = 200;

/// The longest name or ARN of a function: more than one has whose name and alias have 64 characters each.
pub(super) const LONGEST_FUNCTION: usize = 210;

/// Whether a text is the name or the ARN of a Lambda function, with or without a version or an alias.
pub(super) fn is_function(function: &str) -> bool {
    let is_word = |text: &str, others: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || others.contains(c))
    };
    let is_name = |name: &str| {
        let is_in_name = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        (1..=64).contains(&name.len()) && name.chars().all(is_in_name)
    };
    let parts: Vec<&str> = function.split(':').collect();
    let named = match parts.as_slice() {
        [
            "arn",
            partition,
            "lambda",
            region,
            account,
            "function",
            named @ ..,
        ] => {
            let is_whole = partition.starts_with("aws")
                && is_word(partition, "-")
                && is_word(region, "-0123456789")
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit());
            if !is_whole {
                return false;
            }
            named
        }
        named => named,
    };
    match named {
        [name] => is_name(name),
        [name, version] => is_name(name) && (is_name(version) || *version == "$LATEST"),
        _ => false,
    }
}

/// The longest name or ARN of an event bus, which has to fit into a version's description.
pub(super) const LONGEST_EVENT_BUS: usize = 200;

/// Whether a text is the name or the ARN of an event bus.
pub(super) fn is_event_bus(bus: &str) -> bool {
    let is_name = |name: &str| {
        let is_in_name = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
        !name.is_empty() && name.chars().all(is_in_name)
    };
    let parts: Vec<&str> = bus.split(':').collect();
    let is_bus = match parts.as_slice() {
        [name] => is_name(name),
        ["arn", partition, "events", region, account, resource] => {
            let is_word = |text: &str| {
                text.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            };
            let is_region = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            partition.strip_prefix("aws").is_some_and(is_word)
                && !region.is_empty()
                && region.chars().all(is_region)
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && resource.strip_prefix("event-bus/").is_some_and(is_name)
        }
        _ => false,
    };
    bus.len() <= LONGEST_EVENT_BUS && is_bus
}

/// Whether a service name fits into mails and cannot be taken for a code.
pub(super) fn is_service_name(name: &str) -> bool {
    is_name(name, LONGEST_SERVICE_NAME)
}

/// Whether the sender's name fits into mails and cannot be taken for a code.
pub(super) fn is_sender_name(name: &str) -> bool {
    is_name(name, LONGEST_SENDER_NAME)
}

/// Whether four digits or more follow each other.
fn looks_like_a_code(text: &str) -> bool {
    let mut digits = 0;
    text.chars().any(|c| {
        digits = if c.is_numeric() { digits + 1 } else { 0 };
        digits >= 4
    })
}

fn is_name(name: &str, longest: usize) -> bool {
    let breaks_the_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    !looks_like_a_code(name)
        && (1..=longest).contains(&name.chars().count())
        && !name.contains(breaks_the_line)
        && name.trim() == name
}

/// Whether SES can send from an address.
pub(super) fn is_sender(address: &str) -> bool {
    address.len() <= LONGEST_SENDER && is_plain_address(address)
}

/// Whether mail can be answered to an address.
pub(super) fn is_reply_to(address: &str) -> bool {
    address.len() <= LONGEST_REPLY_TO && is_plain_address(address)
}

/// Whether a text is an address of a dot-atom (RFC 5322) and a domain name, in ASCII.
fn is_plain_address(address: &str) -> bool {
    let is_atom = |atom: &str| {
        let is_text = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
        !atom.is_empty() && atom.chars().all(is_text)
    };
    let Some((local, domain)) = address.split_once('@') else {
        return false;
    };
    // An IP address is not a domain. Its last part is a number.
    let is_top = |top: &str| top.len() >= 2 && top.starts_with(|c: char| c.is_ascii_alphabetic());
    local.len() <= 64
        && local.split('.').all(is_atom)
        && domain.split('.').all(is_label)
        && domain.rsplit_once('.').is_some_and(|(_, top)| is_top(top))
}

/// Whether a text is a label of a host name (RFC 1123).
fn is_label(label: &str) -> bool {
    let has_hyphen_outside = label.starts_with('-') || label.ends_with('-');
    (1..=63).contains(&label.len())
        && !has_hyphen_outside
        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Whether a text is the address of a page that a person can be sent to.
pub(super) fn is_url(url: &str) -> bool {
    url.len() <= LONGEST_URL && has_form_of_url(url)
}

fn has_form_of_url(url: &str) -> bool {
    let Some(rest) = after_scheme(url) else {
        return false;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    is_host_and_port(authority) && path.chars().all(|c| c.is_ascii_graphic())
}

/// Whether a text is the URL of a page that a mail may link to: it has no fragment, because the link adds its own,
/// and nothing that HTML would have to escape.
pub(super) fn is_page_url(url: &str) -> bool {
    url.len() <= LONGEST_PAGE_URL
        && has_form_of_url(url)
        && !url.contains(['#', '&', '<', '>', '"', '\'', '`'])
}

/// Whether a text is the address of a page that mails can link to and show. It stands in them as it is, so it has no
/// character that means something in HTML or Handlebars, and no digits that could be taken for a code.
pub(super) fn is_url_in_mail(url: &str) -> bool {
    is_safe_url(url) && !looks_like_a_code(url)
}

/// Whether a text is the address of a picture that mails can show.
pub(super) fn is_picture(url: &str) -> bool {
    url.starts_with("https://") && is_safe_url(url)
}

/// Whether a text is where mails can send people for support: an address, or the address of a page.
pub(super) fn is_contact(contact: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._+-@".contains(c);
    let is_address = contact.len() <= LONGEST_IN_MAIL
        && contact.chars().all(is_plain)
        && is_plain_address(contact);
    is_url_in_mail(contact) || is_address && !looks_like_a_code(contact)
}

fn is_safe_url(url: &str) -> bool {
    let Some(rest) = after_scheme(url) else {
        return false;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#!()*+,;=%".contains(c);
    url.len() <= LONGEST_IN_MAIL && is_host_and_port(authority) && path.chars().all(is_safe)
}

/// Whether a text is a color as `#rrggbb`.
pub(super) fn is_color(color: &str) -> bool {
    let digits = color.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit())
}

/// Whether a text is a list of sources for `frame-ancestors` (Content Security Policy, 6.4.2).
pub(super) fn are_ancestors(list: &str) -> bool {
    let is_source = |it: &str| it == "'self'" || after_scheme(it).is_some_and(is_host_and_port);
    list.len() <= LONGEST_ANCESTORS && list.split(' ').all(is_source)
}

fn after_scheme(url: &str) -> Option<&str> {
    url.strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
}

/// Whether a text is a host, and perhaps a port.
fn is_host_and_port(authority: &str) -> bool {
    let (host, port) = authority.split_once(':').unwrap_or((authority, "0"));
    !host.is_empty()
        && host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
        && (1..=5).contains(&port.len())
        && port.chars().all(|c| c.is_ascii_digit())
}

/// Checks one entry of `CORS_ORIGINS`, which the gateway compares with what browsers send as `Origin`
/// (RFC 6454): a scheme, a host in lower case, and a port unless it is the scheme's own. The functions
/// never see it.
///
/// # Errors
/// When no browser sends such an origin, and it is not `*`, `https://*` or `http://*` either.
pub fn check_origin(origin: &str) -> Result<(), SettingsError> {
    let is_authority = |authority: &str, own_port: u16| {
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, whole_number(port)),
            None => (authority, None),
        };
        let is_port = |port: u64| (1..=65_535).contains(&port) && port != u64::from(own_port);
        host.split('.').all(is_label)
            && !host.contains(|c: char| c.is_ascii_uppercase())
            && (host == authority || port.is_some_and(is_port))
    };
    let is_origin = match origin.split_once("://") {
        None => origin == "*",
        Some(("https" | "http", "*")) => true,
        Some(("https", authority)) => is_authority(authority, 443),
        Some(("http", authority)) => is_authority(authority, 80),
        Some(_) => false,
    };
    if is_origin {
        Ok(())
    } else {
        let value = origin.to_owned();
        Err(SettingsError::NoOrigin { value })
    }
}
