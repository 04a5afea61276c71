//! Errors in a line of a panel.

/// A problem of a line in a panel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvProblem {
    /// The line has more or fewer fields than the header.
    #[error(
        "{n_fields} fields where the header has {n_names}: {text:?}; quote a field that holds the \
         delimiter {delimiter:?}, or name the delimiter with --delimiter"
    )]
    Ragged {
        /// The number of fields of the line.
        n_fields: usize,
        /// The number of fields of the header.
        n_names: usize,
        /// The delimiter.
        delimiter: char,
        /// The line.
        text: String,
    },
    /// A quoted field has no end.
    #[error("a quoted field begins here and is not closed; close it, or leave out the quote")]
    OpenQuote,
    /// Text follows a quoted field.
    #[error("text follows a closing quote; double a quote that belongs to the field")]
    AfterQuote,
    /// A line exceeds any limit.
    #[error("the line has more than 64 MiB; is the file a table?")]
    TooLong,
    /// A field has bytes that are not text.
    #[error(
        "column {column:?} holds bytes that are not text in the encoding that was given or \
         detected: {text:?}; name it with --encoding, such as gb18030"
    )]
    NotText {
        /// The column.
        column: String,
        /// The field, with `�` for the bytes.
        text: String,
    },
    /// A column of numbers has a text.
    #[error(
        "column {column:?} holds {text:?}, which is not a number; use the column after | as a \
         fixed effect, or name the text with --missing if it stands for a missing value"
    )]
    NotNumber {
        /// The column.
        column: String,
        /// The field.
        text: String,
    },
    /// A number has thousands separators.
    #[error(
        "column {column:?} holds {text:?}; thousands separators are not read: write the number \
         without them"
    )]
    Thousands {
        /// The column.
        column: String,
        /// The field.
        text: String,
    },
    /// A number has another decimal mark than the given one.
    #[error(
        "column {column:?} holds {text:?}, which is not a number with the mark given by --decimal"
    )]
    Mark {
        /// The column.
        column: String,
        /// The field.
        text: String,
    },
    /// Numbers have commas that may be decimal marks or separators.
    #[error(
        "column {column:?} holds {text:?}, whose comma may be a decimal mark or separate \
         thousands; give --decimal , or write the number without separators"
    )]
    UnknownMark {
        /// The column.
        column: String,
        /// The field.
        text: String,
    },
    /// Some numbers have a comma, others a point.
    #[error(
        "column {column:?} holds {text:?} and column {other_column:?} {other:?} in line \
         {other_line}; write all numbers with one decimal mark, without thousands separators"
    )]
    MixedMarks {
        /// The column with a comma.
        column: String,
        /// The number.
        text: String,
        /// The column with a point.
        other_column: String,
        /// The number.
        other: String,
        /// The line of that number.
        other_line: u64,
    },
    /// A column mixes truth values and numbers.
    #[error(
        "column {column:?} holds {text:?}, where the lines before hold numbers or truth values: \
         write only one of them"
    )]
    MixedBooleans {
        /// The column.
        column: String,
        /// The field.
        text: String,
    },
}
