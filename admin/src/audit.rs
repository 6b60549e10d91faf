//! `regain audit`: prints the digests by which the audit trail names somebody.

use std::process::ExitCode;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::options::AuditCommand;
use crate::say;
use crate::stack::Stack;
use crate::throttle::index_keys;
use crate::users::parse_address;

/// Prints the digest and nothing else, so that a script can read it.
pub(crate) async fn name(
    connection: &Connection,
    stack: &Stack,
    command: &AuditCommand,
) -> Result<ExitCode, Failure> {
    let keys = index_keys(connection, stack);
    let name = match command {
        AuditCommand::Subject { address, .. } => {
            let address = parse_address(address)?;
            keys.await?.subject(&address)
        }
        AuditCommand::Caller { network, .. } => keys.await?.audited_caller(*network),
        AuditCommand::Device { device, .. } => keys.await?.audited_device(device),
    };
    say::line(name.hex());
    Ok(ExitCode::SUCCESS)
}
