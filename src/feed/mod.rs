//! Bytes to records or rejects: profiles, decoding, validation.

pub mod record;
