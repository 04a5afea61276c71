//! The format of an output file, from `--format` and the file's extension. A contradiction between
//! them is an error.

use std::fmt::Write as _;
use std::path::Path;

use clap::ValueEnum;

use super::ending::UsageError;

/// The output formats of a command.
pub trait OutputFormat: ValueEnum + PartialEq {
    /// The file extensions of the format in lower case, the usual one first.
    fn extensions(&self) -> &'static [&'static str];
}

/// Extensions that name a kind of data, supported or not. Under another extension, such as `.dat`,
/// `--format` decides.
const KINDS: [&str; 38] = [
    "arrow", "avro", "bz2", "csv", "db", "docx", "dta", "feather", "gz", "htm", "html", "json",
    "jsonl", "markdown", "md", "ndjson", "ods", "orc", "parquet", "pdf", "png", "pq", "rda", "rds",
    "sas7bdat", "sav", "sqlite", "svg", "tex", "tsv", "xls", "xlsb", "xlsm", "xlsx", "xml", "xz",
    "zip", "zst",
];

/// The format of an output: the requested one, else that of the file's extension, else the first.
///
/// # Errors
/// [`UsageError`] if the extension contradicts the requested format, or if no format is requested
/// and none has the extension.
pub fn format_of<F: OutputFormat>(asked: Option<F>, file: Option<&Path>) -> Result<F, UsageError> {
    let first = || F::value_variants()[0].clone();
    let Some((file, extension)) = file.and_then(|file| Some((file, extension(file)?))) else {
        return Ok(asked.unwrap_or_else(first));
    };
    let has_it = |format: &F| format.extensions().contains(&extension.as_str());
    let by_extension = F::value_variants().iter().find(|format| has_it(format));
    let file = file.display();
    match (asked, by_extension) {
        (Some(asked), _) if has_it(&asked) => Ok(asked),
        (Some(asked), None) if !KINDS.contains(&extension.as_str()) => Ok(asked),
        (Some(asked), _) => Err(UsageError(format!(
            "{file} would not be what its extension says: --format is {}, whose files are called \
             {}; rename the file or give another --format",
            name(&asked),
            listed(asked.extensions())
        ))),
        (None, Some(format)) => Ok(format.clone()),
        (None, None) => {
            let mut all: Vec<&str> = Vec::new();
            for extension in F::value_variants().iter().flat_map(F::extensions) {
                if !all.contains(extension) {
                    all.push(extension);
                }
            }
            Err(UsageError(format!(
                "no format for {file}: no format has the extension .{extension}; call the file {}, \
                 or give --format",
                listed(&all)
            )))
        }
    }
}

/// Checks the name of a file that is always CSV.
///
/// # Errors
/// [`UsageError`] if the file's extension is that of another format.
pub fn check_csv(flag: &str, file: &Path) -> Result<(), UsageError> {
    match extension(file) {
        Some(extension) if extension != "csv" && KINDS.contains(&extension.as_str()) => {
            let file = file.display();
            Err(UsageError(format!(
                "{flag} writes CSV, and {file} is called .{extension}; rename it"
            )))
        }
        _ => Ok(()),
    }
}

/// A file's extension in lower case, if it has one.
fn extension(file: &Path) -> Option<String> {
    let extension = file.extension()?.to_string_lossy().to_lowercase();
    (!extension.is_empty()).then_some(extension)
}

/// A format's name on the command line.
pub fn name<F: ValueEnum>(format: &F) -> String {
    format.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn listed(extensions: &[&str]) -> String {
    let mut text = String::new();
    for (at, extension) in extensions.iter().enumerate() {
        let between = match extensions.len() - at {
            _ if at == 0 => "",
            1 => " or ",
            _ => ", ",
        };
        let _ = write!(text, "{between}.{extension}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::estimate::FormatName as Regression;
    use crate::cli::table_output::FormatName as Table;

    fn of<F: OutputFormat>(asked: Option<F>, file: &str) -> Result<String, String> {
        let format = format_of(asked, Some(Path::new(file)));
        format.map(|format| name(&format)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_extension_says_what_is_written() {
        let tables = [
            ("x.csv", "csv"),
            ("x.PARQUET", "parquet"),
            ("a.csv/x.pq", "parquet"),
            ("x.xlsx", "xlsx"),
            ("x.dta", "dta"),
            ("x.ndjson", "jsonl"),
            ("x", "csv"),
            ("/dev/stdout", "csv"),
            (".csv", "csv"),
        ];
        for (file, format) in tables {
            assert_eq!(of(None::<Table>, file).as_deref(), Ok(format), "{file}");
        }
        for (file, format) in
            [("x.tex", "latex"), ("x.htm", "html"), ("x", "text"), ("x.svg", "svg")]
        {
            assert_eq!(of(None::<Regression>, file).as_deref(), Ok(format), "{file}");
        }
        assert_eq!(of(Some(Table::SdmxCsv), "x.csv").as_deref(), Ok("sdmx-csv"));
        assert_eq!(of(Some(Table::Jsonl), "x.dat").as_deref(), Ok("jsonl"));
        assert_eq!(
            format_of(None::<Table>, None).map(|format| name(&format)).ok(),
            Some("csv".into())
        );
    }

    #[test]
    fn an_extension_that_names_something_else_is_an_error() {
        let unknown = of(None::<Table>, "x.sav").expect_err("SPSS's");
        assert_eq!(
            unknown,
            "no format for x.sav: no format has the extension .sav; call the file .csv, .parquet, \
             .pq, .xlsx, .dta, .arrow, .feather, .jsonl or .ndjson, or give --format"
        );
        for file in ["x.xls", "x.ods", "x.txt", "x.csv.gz", "x.json", "x.odd"] {
            of(None::<Table>, file).expect_err(file);
        }
        let against = of(Some(Table::Csv), "x.parquet").expect_err("a contradiction");
        assert!(against.contains("--format is csv, whose files are called .csv; "), "{against}");
        for (format, file) in
            [(Table::Parquet, "x.csv"), (Table::Csv, "x.dta"), (Table::Jsonl, "x.json")]
        {
            of(Some(format), file).expect_err(file);
        }
        of(Some(Regression::Csv), "x.txt").expect_err("the extension of text");
        assert!(check_csv("--fixed-effects", Path::new("x.parquet")).is_err());
        assert!(check_csv("--fixed-effects", Path::new("x.CSV")).is_ok());
        assert!(check_csv("--fixed-effects", Path::new("x.effects")).is_ok());
    }
}
