//! Lines with several values: one for each month, or one for each flow.

use std::borrow::Cow;

use super::{Checker, Known, NoRecord, text_of};
use crate::domain::record::{Exclusion, Record};
use crate::feed::frame::Line;
use crate::feed::header::{Cell, TextLine};
use crate::feed::text::trimmed;

impl Checker<'_> {
    /// The ends of a line with one value or several.
    pub fn ends(&mut self, number: u32, line: &Line<'_>) -> Vec<Result<Record, NoRecord>> {
        if self.header.cells().is_empty() {
            return vec![self.record(number, line)];
        }
        self.records(number, line)
    }

    /// The ends of a line with several values: one for each value, or one for the line if it is
    /// excluded or one of its values breaks a rule.
    pub fn records(&mut self, number: u32, line: &Line<'_>) -> Vec<Result<Record, NoRecord>> {
        let header = self.header;
        let known = Known { before: None, n_fields: 0 };
        let mut ends = Vec::with_capacity(header.cells().len());
        for cell in header.cells() {
            self.cell = Some(*cell);
            match self.checked(number, line, &known) {
                end @ (Ok(_) | Err(NoRecord::Excluded(Exclusion::Missing))) => ends.push(end),
                Err(NoRecord::Rejected(fault)) => {
                    ends = vec![Err(self.rejected(line, fault))];
                    break;
                }
                Err(other) => {
                    ends = vec![Err(other)];
                    break;
                }
            }
        }
        self.cell = None;
        ends
    }

    /// The text of a value; a blank text is a missing value.
    #[cold]
    pub(super) fn cell_value<'l>(
        cell: Cell,
        line: &TextLine<'l>,
    ) -> Result<Cow<'l, [u8]>, NoRecord> {
        let text = line.field(cell.at);
        let is_blank = trimmed(text_of(&text)).is_empty();
        if is_blank { Err(NoRecord::Excluded(Exclusion::Missing)) } else { Ok(text) }
    }
}
