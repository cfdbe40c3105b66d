//! Functions that read what came in from outside: files of the configuration, the environment, the stack's subscription. The reading itself is done where
//! the inputs are known.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use super::{Function, Shape, Work, parameter};
use crate::{fault::Fault, val::Val};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        work: Work::File(|text| Val::Text(std::sync::Arc::clone(text))),
        ..Function::pure(
            "file",
            &[parameter("path", Shape::Text)],
            Shape::Text,
            "The text of a file below the configuration's folder.",
            ("file(\"greeting.txt\")", "\"hello\""),
            elsewhere,
        )
    },
    Function {
        work: Work::FileExists,
        ..Function::pure(
            "fileexists",
            &[parameter("path", Shape::Text)],
            Shape::Bool,
            "Whether there is such a text file below the configuration's folder.",
            ("fileexists(\"greeting.txt\")", "true"),
            elsewhere,
        )
    },
    Function {
        work: Work::File(|text| Val::text(super::hex(&Sha256::digest(text.as_bytes())))),
        ..Function::pure(
            "filesha256",
            &[parameter("path", Shape::Text)],
            Shape::Text,
            "SHA-256 of a text file below the configuration's folder, in hex.",
            (
                "filesha256(\"greeting.txt\")",
                "\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"",
            ),
            elsewhere,
        )
    },
    Function {
        work: Work::File(|text| Val::text(STANDARD.encode(text.as_bytes()))),
        ..Function::pure(
            "filebase64",
            &[parameter("path", Shape::Text)],
            Shape::Text,
            "A text file below the configuration's folder as base64.",
            ("filebase64(\"greeting.txt\")", "\"aGVsbG8=\""),
            elsewhere,
        )
    },
    Function {
        work: Work::Try,
        ..Function::pure(
            "try",
            &[parameter("value", Shape::Any), parameter("otherwise", Shape::Any)],
            Shape::Any,
            "The first of the expressions that has a value: a missing key, element or match makes it go on to the next.",
            ("try({ a = 1 }.b, [][0], \"none of them\")", "\"none of them\""),
            elsewhere,
        )
        .variadic()
    },
    Function {
        work: Work::Can,
        ..Function::pure(
            "can",
            &[parameter("value", Shape::Any)],
            Shape::Bool,
            "Whether an expression has a value: false for a missing key, element or match.",
            ("can({ a = 1 }.b)", "false"),
            elsewhere,
        )
    },
    Function {
        work: Work::Environment,
        ..Function::pure(
            "env",
            &[parameter("name", Shape::Text)],
            Shape::Text,
            "A variable of the environment, as a sensitive value; only where a sensitive value is taken.",
            ("env(\"GREETING\")", "\"hello\""),
            elsewhere,
        )
    },
    Function {
        work: Work::Subscription,
        ..Function::pure(
            "subscription",
            &[],
            Shape::Text,
            "The stack's subscription as a scope; only where a scope is taken, such as the `on` of a `grant`.",
            ("subscription()", "\"/subscriptions/22222222-2222-2222-2222-222222222222\""),
            elsewhere,
        )
    },
];

fn elsewhere(_: &[Val]) -> Result<Val, Fault> {
    Err(Fault::Failed("this function is evaluated with the configuration only".to_owned()))
}
