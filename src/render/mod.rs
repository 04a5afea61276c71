//! Typed results to documents: tables of rows, regression tables, charts.
//!
//! ```text
//! table/       a sheet and its rows ─▶ csv │ Excel csv │ parquet │ xlsx │ jsonl │ sdmx-csv
//! regression/  models               ─▶ text │ markdown │ latex │ html │ rows │ json
//! chart/       points               ─▶ svg
//! report/      tables of the paper, coefficient paths ─▶ any of these
//! briefing     one month    ─▶ html for print
//! effect       live effects, sources, news, back-tests ─▶ any of these
//! style, words, messages, number: the choices of a reader, labels and messages in English and
//! Chinese, digits
//! ```
//! This module reads no home and computes no figure.

pub mod briefing;
pub mod chart;
pub mod effect;
mod messages;
pub mod number;
#[cfg(feature = "png")]
pub mod picture;
pub mod regression;
pub mod report;
pub mod style;
pub mod table;
mod words;
