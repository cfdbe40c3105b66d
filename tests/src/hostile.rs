//! A server between the binary and its emulator that spoils answers, byte for byte as it likes. Not a proxy for anything else: one request a
//! connection, no TLS.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

/// Changes the bytes of an answer, given the request's first line.
pub type Spoil = Arc<dyn Fn(&str, Vec<u8>) -> Vec<u8> + Send + Sync>;

/// Starts one in front of an emulator at `url`; its own URL. It goes with the process.
pub fn start(url: &str, spoil: Spoil) -> String {
    let upstream = url.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let own = format!("http://{}", listener.local_addr().expect("it is bound"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (upstream, spoil) = (upstream.clone(), Arc::clone(&spoil));
            // A client that goes away in the middle is its own affair.
            thread::spawn(move || drop(serve(stream, &upstream, &spoil)));
        }
    });
    own
}

fn serve(mut client: TcpStream, upstream: &str, spoil: &Spoil) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut chunk = [0; 8192];
    let (head, length) = loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            break (head, end + 4 + length.unwrap_or(0_usize));
        }
        match client.read(&mut chunk)? {
            0 => return Ok(()),
            read => request.extend_from_slice(&chunk[..read]),
        }
    };
    while request.len() < length {
        match client.read(&mut chunk)? {
            0 => return Ok(()),
            read => request.extend_from_slice(&chunk[..read]),
        }
    }
    let body = request.split_off(head.len() + 4);
    let kept = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let head: String = kept.map(|line| format!("{line}\r\n")).collect();
    let mut server = TcpStream::connect(upstream)?;
    server.write_all(format!("{head}connection: close\r\n\r\n").as_bytes())?;
    server.write_all(&body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    client.write_all(&spoil(head.lines().next().unwrap_or_default(), answer))
}

/// An answer in place of another.
pub fn answer(status: u16, kind: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 {status} Spoilt\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}
