//! Sockets that connections come to: bound at once, listening when told.
//!
//! To a socket that listens the system gives connections, whether anybody accepts them or not, and
//! with SO_REUSEPORT it takes them from the process that was there before. So to bind, which tells
//! early that an address is not to be had, and to listen are two steps.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixSocket, UnixStream};
use tokio::time::sleep;
use tracing::error;

use super::PeerAddress;

/// Connections that the system completes before they are accepted.
const BACKLOG: u16 = 1024;
/// How long to leave a socket alone that cannot do what it should.
pub(super) const PAUSE: Duration = Duration::from_millis(500);

/// An address that is ours, and to which nobody can connect yet.
#[derive(Debug)]
pub struct Bound {
    socket: Socket,
    address: SocketAddr,
}

impl Bound {
    /// Binds to `address`, port 0 for any. With SO_REUSEPORT, so that the next process can listen
    /// there before this one has ended.
    ///
    /// # Errors
    ///
    /// Fails as socket and bind do.
    pub fn to(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        let address = socket.local_addr()?.as_socket().unwrap_or(address);
        Ok(Self { socket, address })
    }

    /// Where it is, with the port that the system chose.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens from now on.
    ///
    /// # Errors
    ///
    /// Fails as listen does: because of a process that listens there and shares with nobody. Panics
    /// outside of a tokio runtime.
    pub fn listen(self) -> io::Result<Listener> {
        self.try_listen()
    }

    /// Listens as soon as it can, and says why it cannot.
    pub async fn listen_when_possible(&self) -> Listener {
        loop {
            match self.try_listen() {
                Ok(listener) => return listener,
                Err(error) => {
                    error!(%error, address = %self.address, "cannot listen; trying again")
                }
            }
            sleep(PAUSE).await;
        }
    }

    fn try_listen(&self) -> io::Result<Listener> {
        self.socket.listen(BACKLOG.into())?;
        Ok(Listener::Tcp(TcpListener::from_std(self.socket.try_clone()?.into())?))
    }
}

/// A socket that listens.
#[derive(Debug)]
pub enum Listener {
    /// For everybody who reaches its address.
    Tcp(TcpListener),
    /// For processes of this machine that may open its file.
    Unix(UnixListener),
}

impl Listener {
    /// Listens at `path`, for processes of this user only. A socket that is there already is that of
    /// a process that has ended (in a container, before it was restarted), or else of one that is
    /// replaced.
    ///
    /// # Errors
    ///
    /// Fails as unlink, bind, chmod and listen do, and if another kind of file is there. Panics
    /// outside of a tokio runtime.
    pub fn at(path: &Path) -> io::Result<Self> {
        if fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_socket()) {
            fs::remove_file(path)?;
        }
        let socket = UnixSocket::new_stream()?;
        socket.bind(path)?;
        // Before anybody can connect, that is, before it listens.
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        Ok(Self::Unix(socket.listen(BACKLOG.into())?))
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<(Stream, PeerAddress)> {
        Ok(match self {
            Self::Tcp(socket) => {
                let (stream, address) = socket.accept().await?;
                (Stream::Tcp(stream), PeerAddress::Tcp(address))
            }
            Self::Unix(socket) => (Stream::Unix(socket.accept().await?.0), PeerAddress::Unix),
        })
    }

    /// Ends listening, and gives what is queued already: those clients believe that they are
    /// connected, and closing the socket would reset them.
    ///
    /// First no more may begin ([`only_those_who_have_begun`]), and those who have are given a moment.
    /// So nobody is reset: a client that comes now tries again within a second, and meets whoever
    /// listens on this address then.
    pub(super) async fn close(self) -> io::Result<Vec<(Stream, PeerAddress)>> {
        let Self::Tcp(socket) = self else { return Ok(Vec::new()) };
        if only_those_who_have_begun(&socket).is_ok() {
            tokio::time::sleep(HANDSHAKE).await;
        }
        // The system is asked itself: the runtime knows only what it has polled for.
        let socket = socket.into_std()?;
        let mut queued = Vec::new();
        while let Ok((stream, address)) = socket.accept() {
            stream.set_nonblocking(true)?;
            queued.push((Stream::Tcp(TcpStream::from_std(stream)?), PeerAddress::Tcp(address)));
        }
        Ok(queued)
    }
}

/// How long a TCP handshake that has begun may take to be whole.
const HANDSHAKE: Duration = Duration::from_millis(50);

/// Has the system drop what would begin a connection here, and nothing else.
///
/// A classic BPF program over the TCP header: byte 13 has the flags, and 2 is SYN (RFC 9293, section
/// 3.1). Clients send a SYN that was dropped again.
#[cfg(target_os = "linux")]
fn only_those_who_have_begun(socket: &TcpListener) -> io::Result<()> {
    const LOAD_BYTE: u16 = 0x30;
    const JUMP_IF_SET: u16 = 0x45;
    const RETURN: u16 = 0x06;
    socket2::SockRef::from(socket).attach_filter(&[
        socket2::SockFilter::new(LOAD_BYTE, 0, 0, 13),
        socket2::SockFilter::new(JUMP_IF_SET, 0, 1, 2),
        socket2::SockFilter::new(RETURN, 0, 0, 0),
        socket2::SockFilter::new(RETURN, 0, 0, u32::MAX),
    ])
}

#[cfg(not(target_os = "linux"))]
fn only_those_who_have_begun(_: &TcpListener) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A connection, before anything was said on it.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream as Client;
    use std::os::unix::net::{UnixListener as Other, UnixStream as UnixClient};

    use super::*;

    #[tokio::test]
    async fn two_processes_can_share_an_address() {
        let first = Bound::to("127.0.0.1:0".parse().unwrap()).unwrap();
        assert_ne!(first.address().port(), 0);
        let second = Bound::to(first.address()).unwrap();
        assert_eq!(second.address(), first.address());
        let _listening = (first.listen().unwrap(), second.listen().unwrap());
    }

    /// Two processes in turns on one address, and clients who come all the time.
    #[tokio::test(flavor = "multi_thread")]
    async fn nobody_is_reset_when_one_of_two_listeners_ends() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        use tokio::sync::watch;
        use tokio::task::JoinSet;
        use tokio::time::{Instant, timeout_at};

        async fn greet(stream: Stream) {
            let Stream::Tcp(mut stream) = stream else { return };
            stream.write_all(b"x").await.unwrap();
        }
        /// Greets whoever comes within `time`, and then those who wait.
        async fn greet_for(listener: Listener, time: Duration) {
            let end = Instant::now() + time;
            while let Ok(accepted) = timeout_at(end, listener.accept()).await {
                greet(accepted.unwrap().0).await;
            }
            for (stream, _) in listener.close().await.unwrap() {
                greet(stream).await;
            }
        }
        let address = Bound::to("127.0.0.1:0".parse().unwrap()).unwrap();
        let listen = |address| Bound::to(address).unwrap().listen().unwrap();
        let address = address.address();
        let stays = tokio::spawn(greet_for(listen(address), Duration::from_secs(3600)));
        let greeted = watch::Sender::new(0_usize);
        let mut clients = JoinSet::new();
        for _ in 0..8 {
            let greeted = greeted.clone();
            clients.spawn(async move {
                loop {
                    let mut client = TcpStream::connect(address).await.unwrap();
                    client.read_u8().await.expect("a greeting");
                    greeted.send_modify(|greeted| *greeted += 1);
                }
            });
        }
        for _ in 0..5 {
            greet_for(listen(address), Duration::from_millis(20)).await;
            // Whoever came while it ended comes again, and is greeted by the one that stays.
            let goal = *greeted.borrow() + 200;
            let mut watching = greeted.subscribe();
            tokio::select! {
                _ = watching.wait_for(|greeted| *greeted >= goal) => {}
                Some(ended) = clients.join_next() => panic!("{ended:?}"),
            }
        }
        stays.abort();
    }

    #[tokio::test]
    async fn nobody_is_connected_to_what_is_only_bound() {
        let bound = Bound::to("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = bound.address();
        assert!(Client::connect(address).is_err());
        let _listener = bound.listen().unwrap();
        assert!(Client::connect(address).is_ok());
    }

    /// The other one came first, and shares with nobody; then it goes.
    #[tokio::test(start_paused = true)]
    async fn an_address_that_is_taken_meanwhile_is_waited_for() {
        let bound = Bound::to("127.0.0.1:0".parse().unwrap()).unwrap();
        let other = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        other.set_reuse_address(true).unwrap();
        other.bind(&bound.address().into()).unwrap();
        other.listen(1).unwrap();
        let listening = tokio::spawn(async move { bound.listen_when_possible().await });
        sleep(PAUSE * 3).await;
        assert!(!listening.is_finished());
        drop(other);
        listening.await.unwrap();
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_only_we_may_connect() {
        let folder = std::env::temp_dir().join(format!("countersign-unix-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("s");
        drop(Other::bind(&path).unwrap());
        assert!(UnixClient::connect(&path).is_err(), "its process has ended");
        let listener = Listener::at(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let _client = UnixClient::connect(&path).unwrap();
        assert!(matches!(listener.accept().await.unwrap(), (_, PeerAddress::Unix)));

        fs::remove_file(&path).unwrap();
        fs::write(&path, "a file").unwrap();
        assert!(Listener::at(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "a file", "it is nobody's to remove");
        fs::remove_dir_all(&folder).unwrap();
    }
}
