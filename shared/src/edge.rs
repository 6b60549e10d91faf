//! The edge: a CDN of the operator's that stands in front of the API, and names the caller.
//!
//! Behind a CDN, all calls come from the CDN's own addresses. It names its caller in a header, but so can anybody
//! who calls the API directly. A header is therefore read only in a request that carries the secret that the
//! operator has given to the CDN.

use std::fmt;
use std::net::IpAddr;

use lambda_http::http::HeaderMap;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

/// The headers in which an edge sends its secret. `CloudFront` adds no header that begins with `X-Edge-`.
const SECRETS: [&str; 2] = ["x-edge-secret", "x-origin-secret"];
/// `CloudFront`'s header: the caller's address, a colon, and a port.
const VIEWER_ADDRESS: &str = "cloudfront-viewer-address";
/// The addresses that a request came through. Each hop appends that of its own peer.
const FORWARDED_FOR: &str = "x-forwarded-for";

const SHORTEST_SECRET: usize = 32;
const LONGEST_SECRET: usize = 256;

/// The settings of the edge. By default there is none.
#[derive(Clone, Default)]
pub struct Edge {
    /// The SHA-256 of each secret: nothing needs the secret itself, and digests of one length compare in constant
    /// time.
    secrets: Vec<[u8; 32]>,
    is_only_way: bool,
}

impl Edge {
    /// An edge that sends this secret, or one of two with a comma between them. `is_only_way` refuses all
    /// requests that come from elsewhere. `None` if it is not one or two secrets of 32 to 256 visible ASCII
    /// characters.
    #[must_use]
    pub fn new(secrets: &str, is_only_way: bool) -> Option<Self> {
        let secrets: Vec<_> = secrets.split(',').collect();
        let are_secrets = secrets.len() <= 2 && secrets.iter().all(|secret| is_secret(secret));
        are_secrets.then(|| Self {
            secrets: secrets.into_iter().map(digest).collect(),
            is_only_way,
        })
    }

    /// Whether a request may be answered whose headers `header` finds by name.
    #[must_use]
    pub fn admits<'a>(&self, header: impl Fn(&str) -> Option<&'a str>) -> bool {
        !self.is_only_way || self.is_sender(header)
    }

    /// The address that a request with these headers comes from. `peer` is the address of the connection to the
    /// gateway.
    #[must_use]
    pub fn caller(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        if !self.is_sender(text) {
            return peer;
        }
        let viewer = text(VIEWER_ADDRESS).and_then(viewer);
        let forwarded = || text(FORWARDED_FOR).and_then(|list| forwarded(list, peer));
        viewer.or_else(forwarded).unwrap_or(peer)
    }

    /// Whether one of the headers holds a secret of the edge's. Takes the same time whichever character differs.
    fn is_sender<'a>(&self, header: impl Fn(&str) -> Option<&'a str>) -> bool {
        let mut found = Choice::from(0);
        for name in SECRETS {
            let given = digest(header(name).unwrap_or_default());
            for known in &self.secrets {
                found |= known.ct_eq(&given);
            }
        }
        found.into()
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edge")
            .field("is_only_way", &self.is_only_way)
            .finish_non_exhaustive()
    }
}

fn is_secret(text: &str) -> bool {
    (SHORTEST_SECRET..=LONGEST_SECRET).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// The address in `CloudFront-Viewer-Address`. That of IPv6 has colons too, and no brackets.
fn viewer(header: &str) -> Option<IpAddr> {
    let (address, port) = header.trim().rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    address.parse().ok()
}

/// The last address in `X-Forwarded-For` but the gateway's own peer, which the gateway appends.
fn forwarded(header: &str, peer: IpAddr) -> Option<IpAddr> {
    let mut entries = header.rsplit(',').map(|entry| entry.trim().parse().ok());
    match entries.next()? {
        Some(last) if last == peer => entries.next()?,
        last => last,
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::http::{HeaderName, HeaderValue};

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789ABCDEF";
    const NEXT: &str = "~next-secret-of-the-edge-in-front!";

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        let all = all.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        all.collect()
    }

    fn caller(secret: &'static str, name: &'static str, value: &'static str) -> String {
        let edge = Edge::new(KEY, false).unwrap();
        let peer = "192.0.2.1".parse().unwrap();
        let [one, other] = SECRETS.map(|header| {
            let headers = headers(&[(header, secret), (name, value)]);
            edge.caller(&headers, peer).to_string()
        });
        assert_eq!(one, other);
        one
    }

    #[test]
    fn a_header_counts_only_beside_the_secret() {
        for (secret, from) in [
            (KEY, "198.51.100.7"),
            ("", "192.0.2.1"),
            ("0123456789abcdef0123456789abcdef", "192.0.2.1"),
            ("0123456789abcdef0123456789ABCDE", "192.0.2.1"),
            ("0123456789abcdef0123456789ABCDEF0", "192.0.2.1"),
            ("0123456789abcdef0123456789ABCDEF,x", "192.0.2.1"),
        ] {
            assert_eq!(caller(secret, VIEWER_ADDRESS, "198.51.100.7:443"), from);
            assert_eq!(
                caller(secret, FORWARDED_FOR, "198.51.100.7, 192.0.2.1"),
                from
            );
        }
    }

    #[test]
    fn the_address_of_cloudfront_stands_before_the_last_colon() {
        for (header, address) in [
            ("198.51.100.7:46532", "198.51.100.7"),
            ("2001:db8::7:46532", "2001:db8::7"),
            (
                "2001:0db8:0000:0000:0000:0000:0000:0007:46532",
                "2001:db8::7",
            ),
            (" 198.51.100.7:1 ", "198.51.100.7"),
            // Anything else is none.
            ("198.51.100.7", "192.0.2.1"),
            ("198.51.100.7:", "192.0.2.1"),
            ("198.51.100.7:https", "192.0.2.1"),
            ("198.51.100.7:65536", "192.0.2.1"),
            ("198.51.100.7:1,198.51.100.8:1", "192.0.2.1"),
            ("[2001:db8::7]:1", "192.0.2.1"),
            ("example.com:443", "192.0.2.1"),
            (":443", "192.0.2.1"),
            ("", "192.0.2.1"),
        ] {
            assert_eq!(caller(KEY, VIEWER_ADDRESS, header), address, "{header}");
        }
    }

    #[test]
    fn the_last_forwarded_address_counts_but_the_gateways_own_peer() {
        for (header, address) in [
            ("198.51.100.7, 192.0.2.1", "198.51.100.7"),
            ("203.0.113.9, 198.51.100.7, 192.0.2.1", "198.51.100.7"),
            ("198.51.100.7,192.0.2.1", "198.51.100.7"),
            ("2001:db8::7, 192.0.2.1", "2001:db8::7"),
            ("198.51.100.7", "198.51.100.7"),
            ("192.0.2.1, 192.0.2.1", "192.0.2.1"),
            // The caller can choose all entries before the last.
            ("203.0.113.9, unknown, 192.0.2.1", "192.0.2.1"),
            ("203.0.113.9, , 192.0.2.1", "192.0.2.1"),
            ("198.51.100.7, unknown", "192.0.2.1"),
            ("192.0.2.1", "192.0.2.1"),
            ("", "192.0.2.1"),
        ] {
            assert_eq!(caller(KEY, FORWARDED_FOR, header), address, "{header}");
        }
    }

    #[test]
    fn cloudfronts_header_comes_before_the_forwarded_one() {
        let edge = Edge::new(KEY, false).unwrap();
        for (viewer, address) in [("198.51.100.7:1", "198.51.100.7"), ("?", "203.0.113.9")] {
            let headers = headers(&[
                (SECRETS[0], KEY),
                (VIEWER_ADDRESS, viewer),
                (FORWARDED_FOR, "203.0.113.9, 192.0.2.1"),
            ]);
            let caller = edge.caller(&headers, "192.0.2.1".parse().unwrap());
            assert_eq!(caller.to_string(), address);
        }
    }

    #[test]
    fn both_secrets_are_accepted_while_one_is_rotated() {
        let both = format!("{KEY},{NEXT}");
        let edge = Edge::new(&both, true).unwrap();
        for (secret, is_admitted) in [
            (Some(KEY), true),
            (Some(NEXT), true),
            (Some(both.as_str()), false),
            (Some(""), false),
            (None, false),
        ] {
            for name in SECRETS {
                let header = |asked: &str| secret.filter(|_| asked == name);
                assert_eq!(edge.admits(header), is_admitted, "{name}: {secret:?}");
            }
        }
    }

    #[test]
    fn a_callers_own_header_does_not_hide_the_secret() {
        let edge = Edge::new(KEY, true).unwrap();
        for (name, other) in [
            ("x-edge-secret", "x-origin-secret"),
            ("x-origin-secret", "x-edge-secret"),
        ] {
            let headers = headers(&[
                (name, KEY),
                (other, "junk"),
                (VIEWER_ADDRESS, "198.51.100.7:1"),
            ]);
            let caller = edge.caller(&headers, "192.0.2.1".parse().unwrap());
            assert_eq!(caller.to_string(), "198.51.100.7");
        }
    }

    #[test]
    fn without_an_edge_nobody_is_refused_and_no_header_counts() {
        let edge = Edge::default();
        assert!(edge.admits(|_| None) && edge.admits(|_| Some("")));
        let headers = headers(&[(SECRETS[0], ""), (VIEWER_ADDRESS, "198.51.100.7:1")]);
        let peer = "192.0.2.1".parse().unwrap();
        assert_eq!(edge.caller(&headers, peer), peer);
    }

    #[test]
    fn a_secret_has_32_to_256_visible_characters() {
        let long = "x".repeat(256);
        for (secrets, is_good) in [
            (KEY.to_owned(), true),
            (format!("{KEY},{NEXT}"), true),
            (format!("{long},{long}"), true),
            (long.clone() + "x", false),
            (KEY[1..].to_owned(), false),
            (format!("{KEY},{}", &KEY[1..]), false),
            (format!("{KEY},{NEXT},{KEY}"), false),
            (format!("{KEY}, {NEXT}"), false),
            (format!("{KEY},"), false),
            (KEY.replace('0', " "), false),
            (KEY.replace('0', "\t"), false),
            (KEY.replace('0', "\u{e9}"), false),
            (String::new(), false),
        ] {
            assert_eq!(Edge::new(&secrets, false).is_some(), is_good, "{secrets}");
        }
    }

    #[test]
    fn an_edge_is_printed_without_its_secrets() {
        let printed = format!("{:?}", Edge::new(KEY, true).unwrap());
        assert_eq!(printed, "Edge { is_only_way: true, .. }");
    }
}
