//! countersign as a process of its own: for what only a process has, its memory and its end.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::service::{Directory, Setup};
use super::{Kube, within};

/// A running process. It is killed when it is dropped.
pub struct Process {
    child: Child,
    /// The address of the webhook.
    pub webhook: SocketAddr,
    directory: Option<Directory>, // removed after its end
    log: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts `countersign serve` and waits until it serves.
    pub async fn start(setup: Setup) -> Self {
        let (directory, file) = setup.write();
        // Each thread may have one connection's frames in its hands: as much memory on any machine.
        let mut process = Self::serving(&file, &[("TOKIO_WORKER_THREADS", "2")]).await;
        process.directory = Some(directory);
        process
    }

    /// The same of a configuration that is there already, with these variables.
    pub async fn serving(file: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = serve(file);
        command.envs(variables.iter().copied());
        Self::begun(command).await
    }

    /// Starts it where it may have so many files open.
    pub async fn with_files(setup: Setup, most: u32) -> Self {
        let (directory, file) = setup.write();
        let serve = serve(&file);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {most} && exec \"$0\" \"$@\"")]);
        command.arg(serve.get_program()).args(serve.get_args());
        let mut process = Self::begun(command).await;
        process.directory = Some(directory);
        process
    }

    async fn begun(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()).lines(), log.clone());
        let (found, webhook) = tokio::sync::oneshot::channel();
        let mut process = Self { child, webhook: ([0; 4], 0).into(), directory: None, log };
        std::thread::spawn(move || {
            let mut found = Some(found);
            // The pipe is read to its end: a full one would stop the process.
            for line in lines.map_while(Result::ok) {
                let address = address_in(&line, "webhook.addr");
                kept.lock().unwrap().push(line);
                if let Some((found, address)) = address.and_then(|it| Some((found.take()?, it))) {
                    let _ = found.send(address);
                }
            }
        });
        process.webhook = within(webhook).await.expect("it does not start").expect("it ended");
        process
    }

    /// A connection of the API server's.
    pub async fn kube(&self) -> Kube {
        Kube::connect(self.webhook).await
    }

    /// How many lines it has logged.
    pub fn log_lines(&self) -> usize {
        self.log().len()
    }

    /// What it has logged.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Its process ID.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory it ever had, in MiB.
    pub fn peak_memory_mib(&self) -> u64 {
        status(self.id(), "VmHWM:") / 1024
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits until it has ended.
    pub async fn ended(mut self) -> ExitStatus {
        let waiting = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within(waiting).await.expect("it never ended")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the system says of a process: memory in KiB, threads (proc(5): `status`).
pub fn status(id: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    value.trim().trim_end_matches(" kB").parse().unwrap()
}

/// `countersign serve`, to be run.
pub fn serve(file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(["serve", "--config"]).arg(file);
    command
}

/// An address of its own, in the line that says where it serves (`webhook.addr`, `admin.addr`).
pub fn address_in(line: &str, field: &str) -> Option<SocketAddr> {
    let line: Value = serde_json::from_str(line).ok()?;
    line.get(field)?.as_str()?.parse().ok()
}
