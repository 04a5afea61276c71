//! `spillover serve`, the real binary on a free port: what each route answers, to whom, in which
//! format, and what it refuses.

#[path = "../common/mod.rs"]
mod common;

mod alerts;
mod answers;
mod client;
mod contract;
mod estimates;
mod feed;
mod following;
mod limits;
mod matrix;
mod release;
mod sdmx;
mod service;
