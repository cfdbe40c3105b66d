//! `--verbose`: a line on stderr for each request and what came of it. Without bodies, headers and queries: there may be secrets in those.
//! Requests for tokens go another way, and are not told.

use std::{sync::Arc, time::Duration};

use akson_azure::{Transport, TransportError};
use akson_diagnostics::{SafeText, render::json};
use bytes::Bytes;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    arguments::{Global, LogFormat},
    output,
};

/// The same transport, whose requests are told if that is asked for.
pub(crate) fn told(transport: Arc<dyn Transport>, global: &Global) -> Arc<dyn Transport> {
    if global.verbose { Arc::new(Told { transport, format: global.log_format }) } else { transport }
}

struct Told {
    transport: Arc<dyn Transport>,
    format: LogFormat,
}

#[async_trait::async_trait]
impl Transport for Told {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let method = request.method().as_str().to_owned();
        let (host, path) = (request.uri().host().unwrap_or_default().to_owned(), request.uri().path().to_owned());
        let begun = Instant::now();
        let answer = self.transport.send(request).await;
        let status = answer.as_ref().map(|answer| answer.status().as_u16()).map_err(ToString::to_string);
        output::aside(&line(self.format, (&method, &host, &path), &status, begun.elapsed()));
        answer
    }
}

fn line(
    format: LogFormat,
    (method, host, path): (&str, &str, &str),
    status: &Result<u16, String>,
    took: Duration,
) -> String {
    if format == LogFormat::Json {
        return json::line(&json!({
            "event": "request",
            "at": jiff::Timestamp::now().to_string(),
            "method": method,
            "host": host,
            "path": path,
            "status": status.as_ref().ok(),
            "error": status.as_ref().err(),
            "seconds": (took.as_secs_f64() * 1000.0).round() / 1000.0,
        }));
    }
    let what = match status {
        Ok(status) => status.to_string(),
        Err(error) => SafeText(error).to_string(),
    };
    format!("{what} {:.2}s  {method} {}{}", took.as_secs_f64(), SafeText(host), SafeText(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: (&str, &str, &str) = ("GET", "management.azure.com", "/subscriptions/s/resourceGroups/rg\u{1b}");

    #[test]
    fn a_request_is_a_line() {
        let took = Duration::from_millis(123);
        assert_eq!(
            line(LogFormat::Text, REQUEST, &Ok(200), took),
            "200 0.12s  GET management.azure.com/subscriptions/s/resourceGroups/rg\\u{1b}"
        );
        let broken = Err("connection reset".to_owned());
        assert!(line(LogFormat::Text, REQUEST, &broken, took).starts_with("connection reset 0.12s  GET "));
        let text = line(LogFormat::Json, REQUEST, &broken, took);
        let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!((&value["status"], &value["error"]), (&serde_json::Value::Null, &"connection reset".into()));
        assert_eq!((&value["event"], &value["seconds"]), (&"request".into(), &0.123.into()));
        assert!(!text.trim_end().contains(['\n', '\u{1b}']), "{text}");
    }
}
