//! Whatever bytes come over the wire, the real binary ends with a diagnostic on the block that asked, in bounded memory, without a panic;
//! and the next run with a sound wire goes on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use akson_tests::{
    Folder,
    hostile::{self, Spoil},
};

const STACK: &str = r#"stack "app" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
}

identity "app" {
  name           = "app-id"
  resource_group = resource_group.app
}
"#;

type Bytes = fn(Vec<u8>) -> Vec<u8>;

/// What comes in place of an answer, by what it is called.
const WIRES: [(&str, Bytes); 9] = [
    ("HTML", |_| hostile::answer(200, "text/html", b"<html><body>Please sign in</body></html>")),
    ("a wrong content type", |_| hostile::answer(200, "image/png", b"\x89PNG\r\n\x1a\n\x00\x00")),
    ("cut off in the middle", |answer| answer[..answer.len() - 5].to_vec()),
    ("cut off in the head", |answer| answer[..20].to_vec()),
    ("no HTTP at all", |_| b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
    ("nothing", |_| Vec::new()),
    ("more than fits", |_| hostile::answer(200, "application/json", "[1,".repeat(6 << 20).as_bytes())),
    ("a redirect to somebody else", |_| {
        b"HTTP/1.1 307 Temporary\r\nlocation: https://evil.example/x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            .to_vec()
    }),
    ("chunks that are none", |_| {
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\nzz\r\n{\r\n".to_vec()
    }),
];

/// Spoils while it is switched on.
fn spoiling(folder: &mut Folder, url: &str, at: &'static str, wire: Bytes) -> Arc<AtomicBool> {
    let on = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&on);
    let spoil: Spoil = Arc::new(move |request, answer| {
        if switch.load(Ordering::Relaxed) && request.starts_with(at) && request.contains("/userAssignedIdentities") {
            return wire(answer);
        }
        answer
    });
    folder.use_emulator(&hostile::start(url, spoil));
    on
}

#[test]
fn a_plan_is_refused_and_nothing_is_changed() {
    let mut folder = Folder::with(STACK);
    let emulator = folder.start_emulator(&["--time-scale", "2000"]);
    for (name, wire) in WIRES {
        let _on = spoiling(&mut folder, &emulator.url, "GET ", wire);
        let ran = folder.akson(&["apply", "--auto-approve", "--format", "json"]);
        assert_eq!(ran.code, 1, "{name}: {}\n{}", ran.stdout, ran.stderr);
        let found = ran.json_lines();
        let found = &found[0]["diagnostic"];
        let code = found["code"].as_str().unwrap();
        assert!(code.starts_with("AKS05"), "{name}: {found:#}");
        assert_eq!(found["address"], "identity.app", "{name}: {found:#}");
        assert_eq!(found["labels"][0]["line"], 9, "{name}: {found:#}");
        assert!(found["help"].as_str().is_some_and(|help| !help.is_empty()), "{name}: {found:#}");
        assert!(!ran.stderr.contains("panicked") && !ran.stderr.contains("AKS0901"), "{name}: {}", ran.stderr);
    }
    assert!(!emulator.ask("GET", "/_emulator/world", "").contains("app-rg"), "nothing was made");
}

#[test]
fn an_apply_ends_on_the_block_and_goes_on_next_time() {
    for (name, wire) in WIRES {
        let mut folder = Folder::with(STACK);
        let emulator = folder.start_emulator(&["--time-scale", "2000"]);
        let on = spoiling(&mut folder, &emulator.url, "PUT ", wire);
        let ran = folder.akson(&["apply", "--auto-approve", "--format", "json"]);
        assert!(matches!(ran.code, 0 | 3), "{name}: {}\n{}", ran.stdout, ran.stderr);
        assert!(!ran.stderr.contains("panicked") && !ran.stdout.contains("AKS0901"), "{name}: {}", ran.stderr);
        for event in ran.json_lines().iter().filter(|event| event["event"] == "step_failed") {
            assert_eq!(event["address"], "identity.app", "{name}: {event:#}");
            assert!(event["diagnostic"]["code"].as_str().unwrap().starts_with("AKS05"), "{name}: {event:#}");
            assert!(event["diagnostic"]["help"].is_string(), "{name}: {event:#}");
        }
        on.store(false, Ordering::Relaxed);
        let _ = folder.apply().exits(0);
        folder.settled();
    }
}
