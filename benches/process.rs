//! The processes that are measured, and what the system says that they have used.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::process::{Process, status};
use crate::support::service::{Directory, Setup};
use crate::{echo, support};

/// A server under load. It is killed when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    pub id: u32,
    running: Running,
}

enum Running {
    Countersign { process: Process, directory: Directory },
    Echo { child: Child, _directory: Directory },
}

impl Server {
    /// countersign as an operator starts it, with the configuration that says `config` and these files
    /// beside it.
    pub async fn countersign(config: Value, files: &[(&str, &str)]) -> Self {
        let mut setup = Setup::new(config);
        for (name, content) in files {
            setup = setup.with_file(name, content);
        }
        let (directory, file) = setup.write();
        let process = Process::serving(&file, &[]).await;
        let (address, id) = (process.webhook, process.id());
        Self { address, id, running: Running::Countersign { process, directory } }
    }

    /// The bare server, whose answers have so many bytes.
    pub fn echo(bytes: usize) -> Self {
        // The certificate is one as countersign has it.
        let (directory, _) = Setup::new(Value::Null).write();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([echo::ROLE, &bytes.to_string()])
            .args([directory.path("tls.crt"), directory.path("tls.key")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (address, id) = (line.trim().parse().unwrap(), child.id());
        Self { address, id, running: Running::Echo { child, _directory: directory } }
    }

    /// Replaces countersign's configuration, and has it look at once.
    pub fn reconfigure(&self, config: Value) {
        let Running::Countersign { process, directory } = &self.running else { return };
        let config = support::service::configuration(config).to_string();
        directory.write("countersign.yaml", &config);
        process.signal("HUP");
    }

    /// How often countersign has logged `message`.
    pub fn logged(&self, message: &str) -> usize {
        let Running::Countersign { process, .. } = &self.running else { return 0 };
        process.log().iter().filter(|line| line.contains(message)).count()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Self::Echo { child, .. } = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// How long all threads of a process have run, ended ones included; in steps of 10 ms (proc(5):
/// `utime` and `stime`, in ticks, of which every Linux tells user space that a second has 100).
pub fn cpu(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    // The name of the program may have spaces in it; it is in brackets.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// What this is measured on.
pub fn machine() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("?");
    let number = std::thread::available_parallelism().unwrap();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    format!("\n{number} x {}, Linux {}.", model.trim_start_matches([' ', '\t', ':']), kernel.trim())
}

/// What a process has in memory, in bytes.
pub fn memory(id: u32) -> f64 {
    status(id, "VmRSS:") as f64 * 1024.0
}
