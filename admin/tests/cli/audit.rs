//! `regain audit`: the digests by which the audit trail names somebody.

use std::net::IpAddr;

use regain::keys::IndexKeys;

use crate::kit::{INDEX_SECRET, Kit, address};

#[tokio::test]
async fn the_subject_is_printed_alone_and_as_the_functions_write_it() {
    let kit = Kit::new().await;
    let keys = IndexKeys::new(INDEX_SECRET.as_bytes());
    let network: IpAddr = "2001:db8:1:2::1".parse().unwrap();
    let ann = keys.subject(&address("ann@example.com")).hex();
    let caller = keys.audited_caller(network).hex();
    for (kind, named, expected) in [
        ("subject", "Ann@EXAMPLE.com", ann),
        ("caller", "2001:db8:1:2:ffff::9", caller),
        (
            "device",
            "Ann's phone",
            keys.audited_device("Ann's phone").hex(),
        ),
    ] {
        let ran = kit.local(&["audit", kind, named]).await;
        assert_eq!(ran.well(), [expected]);
        assert_eq!(ran.err, "");
    }
}
