//! Both tables recomputed in plain loops, and compared with what is published.

pub mod oracle;
pub mod verify;
