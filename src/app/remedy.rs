//! What to do about an address or a socket that cannot be had, in words for who starts the process.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

/// Ports below are not everybody's.
const FIRST_FREE_PORT: u16 = 1024;

/// Of an address that cannot be listened on.
pub(super) fn address(address: SocketAddr, error: &io::Error) -> String {
    let port = address.port();
    match error.kind() {
        ErrorKind::AddrInUse => format!(
            "another process listens there, and shares with nobody or runs as another user; \
             `ss -ltnp 'sport = :{port}'` names it: stop it, or choose another port"
        ),
        ErrorKind::AddrNotAvailable => "this machine has no such address, `ip -brief address` \
             lists those it has; 0.0.0.0 and [::] are all of them"
            .to_owned(),
        ErrorKind::PermissionDenied if port < FIRST_FREE_PORT => format!(
            "a port below {FIRST_FREE_PORT} needs root or CAP_NET_BIND_SERVICE \
             (AmbientCapabilities= in systemd): choose a higher one, which needs neither"
        ),
        ErrorKind::PermissionDenied => {
            "a policy of this machine forbids it (SELinux, AppArmor, SocketBindDeny= in systemd)"
                .to_owned()
        }
        _ if address.is_ipv6() => "perhaps this machine has no IPv6: choose an IPv4 address".into(),
        _ => "the system's own words are all there is to say of it".to_owned(),
    }
}

/// Of a unix socket that cannot be made.
pub(super) fn socket(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "its folder does not exist: make it (RuntimeDirectory= in systemd, \
             an emptyDir in a pod), or choose another path"
            .to_owned(),
        ErrorKind::AddrInUse => {
            "a file is there that is no socket: move it away, or choose another path".to_owned()
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => format!(
            "user {} may not write in its folder: let it, or choose another path",
            rustix::process::geteuid().as_raw()
        ),
        _ => "its folder has to exist and be writable".to_owned(),
    }
}
