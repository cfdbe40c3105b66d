//! What the services beside ARM are asked: requests as values, a file a service. Not when they are sent.

pub mod graph;
pub mod kubernetes;
pub mod vault;
