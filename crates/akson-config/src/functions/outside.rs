//! Functions that read what came in from outside: files of the configuration, the environment, the stack's subscription. The reading itself is done where
//! the inputs are known.

use super::{Function, Shape, Work, parameter};
use crate::{fault::Fault, val::Val};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        work: Work::File,
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
