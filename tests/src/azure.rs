//! Azure as a run against a real cloud meets it: the emulator over TLS under Azure's own names, behind a proxy that leads every name to
//! it. The binary gets nothing that a user could not have, too: `HTTPS_PROXY` and `SSL_CERT_FILE`.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use akson_emulator::{Emulator, Options};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use crate::{Folder, Ran};

/// The hosts that were asked for.
#[derive(Default)]
struct Asked {
    hosts: Mutex<BTreeSet<String>>,
    more: Condvar,
}

impl Asked {
    fn note(&self, host: String) {
        self.hosts.lock().unwrap().insert(host);
        self.more.notify_all();
    }
}

/// Longer than a run needs to ask for anything.
const LONGEST: Duration = Duration::from_secs(60);
/// How much faster time passes in it.
const TIME_SCALE: f64 = 200.0;

/// An Azure that runs until it is dropped.
pub struct Azure {
    /// What it is.
    pub emulator: Arc<Emulator>,
    /// Where the emulator itself listens.
    pub url: String,
    proxy: String,
    asked: Arc<Asked>,
    ca: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Default for Azure {
    fn default() -> Self {
        Self::start()
    }
}

impl Azure {
    /// A new one.
    pub fn start() -> Self {
        Self::serve(Emulator::open(Options { time_scale: TIME_SCALE, ..Options::default() }).unwrap())
    }

    /// One that is given.
    pub fn serve(emulator: Arc<Emulator>) -> Self {
        Self::beside(emulator, None)
    }

    /// One that is given, with storage accounts that are served elsewhere: at an address, vouched for by an authority.
    pub fn beside(emulator: Arc<Emulator>, storage: Option<(SocketAddr, &str)>) -> Self {
        let ca = tempfile::tempdir().unwrap();
        let authorities = [emulator.ca_pem().as_str(), storage.map_or("", |(_, pem)| pem)].join("\n");
        std::fs::write(ca.path().join("ca.pem"), authorities).unwrap();
        let storage = storage.map(|(address, _)| address);
        let asked = Arc::<Asked>::default();
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let (served, log) = (Arc::clone(&emulator), Arc::clone(&asked));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let there = listener.local_addr().unwrap();
                let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send((there, proxy.local_addr().unwrap())).unwrap();
                let stopped = async {
                    let _ = stopped.await;
                };
                tokio::select! {
                    served = akson_emulator::serve(served, listener, stopped) => served.unwrap(),
                    () = lead(proxy, there, storage, log) => {}
                }
            });
        });
        let (there, proxy) = told.recv().unwrap();
        let (url, proxy) = (format!("http://{there}"), format!("http://{proxy}"));
        Self { emulator, url, proxy, asked, ca, stop: Some(stop), thread: Some(thread) }
    }

    /// The command `akson ARGUMENTS` against the public cloud, in an environment that has nobody signed in.
    pub fn command(&self, folder: &Folder, arguments: &[&str]) -> Command {
        let mut command = folder.command(arguments);
        command.env("AKSON_CLOUD", "public").env("HTTPS_PROXY", &self.proxy).env("SSL_CERT_FILE", self.certificates());
        command
    }

    /// Runs it, with more in its environment.
    pub fn akson(&self, folder: &Folder, environment: &[(&str, &str)], arguments: &[&str]) -> Ran {
        Ran::of(self.command(folder, arguments).envs(environment.iter().copied()))
    }

    /// The variables that sign the emulator's user in by its secret.
    pub fn secret(&self) -> [(&'static str, String); 4] {
        let signed_in = self.emulator.identity();
        [
            ("AZURE_TENANT_ID", signed_in.tenant),
            ("AZURE_CLIENT_ID", signed_in.client_id),
            ("AZURE_CLIENT_SECRET", signed_in.client_secret),
            ("AZURE_SUBSCRIPTION_ID", signed_in.subscription),
        ]
    }

    /// The file with the authority that vouches for it.
    pub fn certificates(&self) -> PathBuf {
        self.ca.path().join("ca.pem")
    }

    /// The hosts that were asked for since the last time.
    pub fn hosts(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.hosts.lock().unwrap()).into_iter().collect()
    }

    /// The host that a run asks for first. It is then ended: nothing more is to be learned from it.
    #[must_use]
    pub fn first_host(&self, mut run: Command) -> String {
        let mut child = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("akson starts");
        let nobody_yet = |hosts: &mut BTreeSet<String>| hosts.is_empty();
        let hosts = self.asked.hosts.lock().unwrap();
        let (mut hosts, _) = self.asked.more.wait_timeout_while(hosts, LONGEST, nobody_yet).unwrap();
        let host = hosts.pop_first().unwrap_or_default();
        child.kill().unwrap();
        child.wait().unwrap();
        host
    }
}

impl Drop for Azure {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Opens tunnels, each to the same address whatever it was asked for (but for storage accounts, if they have their own), and notes
/// what that was.
async fn lead(proxy: TcpListener, there: SocketAddr, storage: Option<SocketAddr>, asked: Arc<Asked>) {
    while let Ok((mut stream, _)) = proxy.accept().await {
        let asked = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && head.len() < 8192 {
                let Ok(byte) = stream.read_u8().await else { return };
                head.push(byte);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let host = head.strip_prefix("CONNECT ").and_then(|rest| rest.split([':', ' ']).next());
            let Some(host) = host.map(str::to_owned) else {
                asked.note(format!("not a tunnel: {head}"));
                return;
            };
            let address = storage.filter(|_| host.ends_with(".blob.core.windows.net")).unwrap_or(there);
            asked.note(host);
            let Ok(mut other) = TcpStream::connect(address).await else { return };
            if stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_ok() {
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut other).await;
            }
        });
    }
}
