//! Rules: what each reads, its condition, its limits.

use std::collections::BTreeSet;

use crate::domain::finding::FindingKind;
use crate::domain::series::Level;
use crate::domain::span::Span;
use crate::effect::{Baseline, Component};
use crate::tables::series::{self, NeedsPlants};

/// The limits below which a unit has no alert, and the rate of false discoveries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The smallest number of months of the spans `ytd` and `12m`.
    pub months_min: u8,
    /// The smallest number of continuing exporters, or of rows of an effect.
    pub n_min: u64,
    /// The smallest number of firms.
    pub firms_min: u64,
    /// The rate of false discoveries of Benjamini and Hochberg.
    pub fdr: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { months_min: 3, n_min: 10, firms_min: 3, fdr: 0.10 }
    }
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The name, unique in its file.
    pub name: String,
    /// What it watches, and when it raises.
    pub condition: Condition,
    /// The limits.
    pub limits: Limits,
}

/// What a rule watches, and when it raises an alert.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A test of a figure of each unit at a month.
    Figure(Watched, Test),
    /// The feed.
    Feed(Feed),
    /// Estimates whose data have changed since, and a home without a new publication.
    Stale {
        /// The largest number of days without a publication.
        days_max: Option<u32>,
    },
}

/// A figure of the units of a level.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// The figure.
    pub figure: Figure,
    /// The level.
    pub level: Level,
    /// The span.
    pub span: Span,
    /// The units; all of them if empty.
    pub keys: BTreeSet<String>,
}

/// A figure of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figure {
    /// A column of `series`.
    Series(&'static str, Plants),
    /// The effect of a model.
    Effect {
        /// The column of the regressions.
        model: String,
        /// The part of the effect.
        component: Component,
    },
}

/// Whether a figure is a mean over rows of `plant`.
pub type Plants = NeedsPlants;

impl Figure {
    /// The table.
    #[must_use]
    pub fn table(&self) -> &'static str {
        match self {
            Self::Series(..) => series::NAME,
            Self::Effect { .. } => "effects",
        }
    }

    /// The column.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Series(name, _) => name,
            Self::Effect { .. } => "effect",
        }
    }
}

/// The test of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Test {
    /// |figure| is at least a number, and its interval excludes 0.
    Level {
        /// The number.
        beyond: f64,
    },
    /// The same on the contrast `strict`.
    Change {
        /// The number.
        beyond: f64,
    },
    /// The interval excludes 0 on the other side than last.
    Sign,
    /// The deviation from the same months of earlier years.
    Z {
        /// The |z| at which an alert is raised.
        raise: f64,
        /// The |z| below which a month counts towards its end.
        clear: f64,
    },
    /// The share of markets that grow.
    Breadth {
        /// An alert is raised below this share.
        below: Option<f64>,
        /// An alert is raised above this share.
        above: Option<f64>,
    },
    /// A published figure moved.
    Revision {
        /// By more than this number.
        beyond: f64,
        /// In the newest months, this number of them.
        n_months: u8,
    },
}

impl Test {
    /// The baseline of the test's effects.
    #[must_use]
    pub fn baseline(self) -> Baseline {
        if matches!(self, Self::Change { .. }) { Baseline::Strict } else { Baseline::Zero }
    }
}

/// The problems of the feed that raise an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// The number of days after the end of a month at which its file is late.
    pub late_days: Option<u32>,
    /// Whether refused files raise an alert.
    pub refused: Refused,
    /// The findings.
    pub findings: Vec<FindingKind>,
}

/// Whether refused files raise an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// They do.
    Raise,
    /// They do not.
    Ignore,
}

impl Condition {
    /// The name, as in the file.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Figure(_, Test::Level { .. }) => "level",
            Self::Figure(_, Test::Change { .. }) => "change",
            Self::Figure(_, Test::Sign) => "sign",
            Self::Figure(_, Test::Z { .. }) => "z",
            Self::Figure(_, Test::Breadth { .. }) => "breadth",
            Self::Figure(_, Test::Revision { .. }) => "revision",
            Self::Feed(_) => "feed",
            Self::Stale { .. } => "stale",
        }
    }
}
