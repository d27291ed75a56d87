//! What systemd is told: that we serve, what we wait for, that we end, that we are alive.
//!
//! The protocol of sd_notify(3): datagrams of `NAME=value` lines to the socket that `NOTIFY_SOCKET`
//! names. Without that variable nobody is told anything, and nobody ever waits for who does not
//! listen.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Where to send it: a path, or after `@` an abstract name.
const SOCKET: &str = "NOTIFY_SOCKET";
/// How many microseconds may pass without a sign of life, and in whose life.
const WATCHDOG: [&str; 2] = ["WATCHDOG_USEC", "WATCHDOG_PID"];
/// A full socket is not waited for any longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells systemd, if it has asked for it. Cloning gives another handle on the same socket.
#[derive(Clone, Debug, Default)]
pub struct Notifier(Option<Arc<UnixDatagram>>);

impl Notifier {
    /// Tells whoever started this process, if it wants to know.
    ///
    /// # Errors
    ///
    /// Fails if `NOTIFY_SOCKET` names no socket: who set it would wait for ever.
    pub fn of_this_process() -> io::Result<Self> {
        match std::env::var_os(SOCKET) {
            Some(name) if !name.is_empty() => Self::at(&name),
            _ => Ok(Self::default()),
        }
    }

    fn at(name: &OsStr) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&address(name)?)?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self(Some(Arc::new(socket))))
    }

    /// What `systemctl status` shows from now on.
    pub fn status(&self, text: &str) {
        self.tell(&format!("STATUS={}", one_line(text)));
    }

    /// Reviews are answered: the start is over, or the reload that was.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={}", one_line(status)));
    }

    /// A reload begins, which [`ready`](Self::ready) ends.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}"));
    }

    /// The end has begun.
    pub fn stopping(&self, status: &str) {
        self.tell(&format!("STOPPING=1\nSTATUS={}", one_line(status)));
    }

    /// Gives signs of life, twice as often as they are asked for, until it is dropped. They come from
    /// the runtime that it is polled by, and end with it.
    pub async fn live(self) {
        let [limit, id] = WATCHDOG.map(std::env::var_os);
        let Some(interval) = beat(limit, id, std::process::id()) else { return };
        loop {
            self.tell("WATCHDOG=1");
            tokio::time::sleep(interval).await;
        }
    }

    /// Nothing here depends on whether somebody listens.
    fn tell(&self, lines: &str) {
        if let Some(socket) = &self.0
            && let Err(error) = socket.send(lines.as_bytes())
        {
            tracing::warn!(%error, "systemd could not be told");
        }
    }
}

fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes() {
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] => {
            use std::os::linux::net::SocketAddrExt;
            SocketAddr::from_abstract_name(name)
        }
        _ => SocketAddr::from_pathname(name),
    }
}

/// A newline would begin another variable.
fn one_line(text: &str) -> String {
    text.replace('\n', "; ")
}

/// How often process `own` has to give a sign of life, if anybody waits for one of it.
fn beat(limit: Option<OsString>, id: Option<OsString>, own: u32) -> Option<Duration> {
    let number = |text: OsString| text.to_str()?.parse::<u64>().ok();
    if id.is_some_and(|id| number(id) != Some(own.into())) {
        return None;
    }
    let limit = number(limit?).filter(|limit| *limit > 0)?;
    Some(Duration::from_micros(limit) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(name: &OsStr) -> UnixDatagram {
        let socket = UnixDatagram::bind_addr(&address(name).unwrap()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        socket
    }

    fn next(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 4096];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    #[test]
    fn each_word_is_one_datagram_also_to_an_abstract_name() {
        let path = std::env::temp_dir().join(format!("countersign-notify-{}", std::process::id()));
        let abstract_name = format!("@countersign-notify-{}", std::process::id());
        for name in [path.as_os_str(), abstract_name.as_ref()] {
            let socket = listener(name);
            let notifier = Notifier::at(name).unwrap();
            notifier.status("waits\nfor two");
            assert_eq!(next(&socket), "STATUS=waits; for two");
            notifier.ready("serves");
            assert_eq!(next(&socket), "READY=1\nSTATUS=serves");
            notifier.reloading();
            let said = next(&socket);
            let time = said.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
            assert!(time.parse::<u64>().unwrap() > 0, "{said}");
            notifier.stopping("drains");
            assert_eq!(next(&socket), "STOPPING=1\nSTATUS=drains");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(Notifier::at(path.as_os_str()).is_err(), "who set it would wait for ever");
    }

    #[test]
    fn without_a_socket_nobody_is_told() {
        Notifier::default().ready("serves");
    }

    #[test]
    fn who_listens_no_more_holds_up_nobody() {
        let name = format!("@countersign-deaf-{}", std::process::id());
        let socket = listener(name.as_ref());
        let notifier = Notifier::at(name.as_ref()).unwrap();
        drop(socket);
        notifier.stopping("drains");
    }

    #[test]
    fn life_is_shown_twice_as_often_as_it_must_be() {
        let text = |text: &str| Some(OsString::from(text));
        let second = Some(Duration::from_secs(1));
        assert_eq!(beat(text("2000000"), text("7"), 7), second);
        assert_eq!(beat(text("2000000"), None, 7), second);
        assert_eq!(beat(text("2000000"), text("8"), 7), None, "it is another's");
        for none in [None, text(""), text("0"), text("-1"), text("soon")] {
            assert_eq!(beat(none, None, 7), None);
        }
    }
}
