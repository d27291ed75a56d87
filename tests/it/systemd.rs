//! What the process tells who started it (sd_notify): systemd, by the socket that it names.

use std::time::Duration;

use serde_json::json;
use tokio::net::UnixDatagram;

use crate::support::issuer::KEYS;
use crate::support::process::Process;
use crate::support::service::Setup;
use crate::support::{Gate, Issuer, Manner, within};

/// The next datagram that is no sign of life, and how many were before it.
async fn next(socket: &UnixDatagram) -> (String, usize) {
    let mut beats = 0;
    let reading = async {
        loop {
            let mut bytes = [0; 4096];
            let length = socket.recv(&mut bytes).await.unwrap();
            match std::str::from_utf8(&bytes[..length]).unwrap() {
                "WATCHDOG=1" => beats += 1,
                said => return said.to_owned(),
            }
        }
    };
    let said = within(reading).await.expect("nothing is said");
    (said, beats)
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_learns_what_is_waited_for_and_when_reviews_are_answered_and_of_the_end() {
    let (issuer, gate) = (Issuer::start().await, Gate::closed());
    issuer.answers(KEYS, Manner::Held(gate.clone()));
    let (directory, file) = Setup::new(json!({"jwt": [issuer.entry(json!({}))]})).write();
    let path = file.with_file_name("notify").display().to_string();
    let socket = UnixDatagram::bind(&path).unwrap();
    let starting = tokio::spawn(async move {
        let beat = Duration::from_millis(20).as_micros().to_string();
        let variables = [("NOTIFY_SOCKET", &*path), ("WATCHDOG_USEC", &beat)];
        Process::serving(&file, &variables).await
    });

    let (said, _) = next(&socket).await;
    assert!(said.starts_with("STATUS=not yet: "), "{said}");
    assert!(!starting.is_finished());
    gate.open();
    let process = starting.await.unwrap();
    // What was waited for may have changed before it was over.
    let mut said = String::new();
    while !said.starts_with("READY=1") {
        said = next(&socket).await.0;
    }
    assert_eq!(said, format!("READY=1\nSTATUS=serving on {}", process.webhook));

    let mut sign = [0; 4096];
    let length = within(socket.recv(&mut sign)).await.expect("a sign of life").unwrap();
    assert_eq!(&sign[..length], b"WATCHDOG=1");
    process.signal("HUP");
    assert!(next(&socket).await.0.starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert!(next(&socket).await.0.starts_with("READY=1\n"));
    process.signal("TERM");
    let (said, _) = next(&socket).await;
    assert_eq!(said, "STOPPING=1\nSTATUS=draining");
    assert_eq!(process.ended().await.code(), Some(0));
    drop(directory);
}

/// Nobody is told, and nobody is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_is_gone_keeps_nobody_from_serving() {
    let (_directory, file) = Setup::new(json!({})).write();
    let process = Process::serving(&file, &[("NOTIFY_SOCKET", "/nowhere/notify")]).await;
    process.signal("TERM");
    assert_eq!(process.ended().await.code(), Some(0));
}
