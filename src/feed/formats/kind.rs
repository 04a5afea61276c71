//! The kind of a file, by its first bytes; names and extensions do not matter.

use crate::feed::layout::FileFormat;

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Packed by gzip, Zstandard, bzip2 or xz.
    Packed,
    /// A zip archive.
    Zip,
    /// Parquet.
    Parquet,
    /// Arrow's file format, which is also Feather version 2.
    ArrowFile,
    /// Arrow's stream format.
    ArrowStream,
    /// A compound document, the format of Excel before 2007.
    Compound,
    /// A dataset of Stata.
    Stata,
    /// A database of Access.
    Access,
    /// A table of dBase or FoxPro.
    Dbase,
    /// An unsupported kind.
    Foreign(&'static Foreign),
}

impl Kind {
    /// The name of the kind in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Packed => "packed twice",
            Self::Zip => "an Excel or OpenDocument workbook",
            Self::Parquet => "a Parquet file",
            Self::ArrowFile | Self::ArrowStream => "an Arrow file",
            Self::Compound => "an Excel workbook (.xls)",
            Self::Stata => "a Stata dataset",
            Self::Access => "an Access database",
            Self::Dbase => "a dBase table",
            Self::Foreign(foreign) => foreign.name,
        }
    }

    /// The profile's name of the kind.
    #[must_use]
    pub fn format(self) -> FileFormat {
        match self {
            Self::Text | Self::Packed | Self::Foreign(_) => FileFormat::Text,
            Self::Zip | Self::Compound => FileFormat::Excel,
            Self::Parquet => FileFormat::Parquet,
            Self::ArrowFile | Self::ArrowStream => FileFormat::Arrow,
            Self::Stata => FileFormat::Stata,
            Self::Access => FileFormat::Access,
            Self::Dbase => FileFormat::Dbase,
        }
    }
}

/// An unsupported kind of file.
#[derive(Debug, PartialEq, Eq)]
pub struct Foreign {
    at: usize,
    magic: &'static [u8],
    /// The name of the kind in messages.
    pub name: &'static str,
    /// The remedy.
    pub instead: &'static str,
}

impl Foreign {
    /// A kind that is not recognised by its first bytes.
    #[must_use]
    pub const fn named(name: &'static str, instead: &'static str) -> Self {
        Self { at: 0, magic: b"", name, instead }
    }
}

const fn foreign(
    at: usize,
    magic: &'static [u8],
    name: &'static str,
    instead: &'static str,
) -> Foreign {
    Foreign { at, magic, name, instead }
}

const WRITE_TABLE: &str = "write the table as CSV or Parquet";
const WRITE_PLAIN: &str = "write it as CSV or Parquet";
const WRITE_R: &str = "write it by write.csv or arrow::write_parquet";
const UNPACK: &str = "unpack it, or pack it as gzip or Zstandard";

static JSON: Foreign = Foreign::named("JSON", WRITE_TABLE);
/// A packed file in a packed file.
pub static PACKED: Foreign = Foreign::named("packed twice", "unpack it once");
static MARKUP: Foreign = Foreign::named("XML or HTML", WRITE_TABLE);

/// Kinds whose first bytes could also begin a header; these files contain binary bytes further on.
static BINARY: [Foreign; 5] = [
    foreign(0, b"PARE", "an encrypted Parquet file", "write it without encryption"),
    foreign(0, b"FEA1", "a Feather file of version 1", "write it as Feather version 2 or Parquet"),
    foreign(0, b"ORC", "an ORC file", WRITE_PLAIN),
    foreign(257, b"ustar", "an archive of tar", "unpack it and name the file with the table"),
    foreign(8, b"DUCK", "a DuckDB database", "write the table by COPY … TO 'table.parquet'"),
];

/// Kinds with their first bytes.
static FOREIGN: [Foreign; 21] = [
    foreign(12, b"\xC2\xEA\x81\x60\xB3\x14\x11\xCF", "a SAS dataset", "write it by proc export"),
    foreign(0, b"HEADER RECORD*******LIB", "a SAS transport file", "write it by proc export"),
    foreign(0, b"$FL2", "an SPSS dataset", "save it as CSV"),
    foreign(0, b"$FL3", "an SPSS dataset", "save it as CSV"),
    foreign(0, b"RDX2\nX\n", "R data", WRITE_R),
    foreign(0, b"RDX3\nX\n", "R data", WRITE_R),
    foreign(0, b"X\n\0\0\0", "R data", WRITE_R),
    foreign(0, b"SQLite format 3\0", "an SQLite database", WRITE_TABLE),
    foreign(0, b"\x89HDF\r\n\x1A\n", "an HDF5 file", WRITE_TABLE),
    foreign(0, b"Obj\x01", "an Avro file", WRITE_PLAIN),
    foreign(0, b"\x93NUMPY", "an array of NumPy", WRITE_PLAIN),
    foreign(0, b"\x80\x02", "a pickle of Python", WRITE_PLAIN),
    foreign(0, b"\x80\x03", "a pickle of Python", WRITE_PLAIN),
    foreign(0, b"\x80\x04", "a pickle of Python", WRITE_PLAIN),
    foreign(0, b"\x80\x05", "a pickle of Python", WRITE_PLAIN),
    foreign(0, b"%PDF-", "a PDF document", WRITE_TABLE),
    foreign(0, b"\x04\x22\x4D\x18", "packed by lz4", UNPACK),
    foreign(0, b"\x1F\x9D", "packed by compress", UNPACK),
    foreign(0, b"7z\xBC\xAF\x27\x1C", "an archive of 7-Zip", UNPACK),
    foreign(0, b"Rar!\x1A\x07", "an archive of RAR", UNPACK),
    foreign(0, b"\x7FELF", "a program", "name a file with a table"),
];

/// The kind of a file that begins with these bytes.
#[must_use]
pub fn of(head: &[u8]) -> Kind {
    let is_binary = head.iter().any(|byte| matches!(byte, 0..=8 | 14..=31));
    match head {
        [b'P', b'A', b'R', b'1', ..] if is_binary => return Kind::Parquet,
        [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, ..] => return Kind::ArrowFile,
        [0xFF, 0xFF, 0xFF, 0xFF, _, _, _, 0, ..] => return Kind::ArrowStream,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => return Kind::Zip,
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, ..] => return Kind::Compound,
        // Before version 117: version, byte order, type, zero.
        [102..=116, 1 | 2, 1, 0, ..] => return Kind::Stata,
        [0x1F, 0x8B, ..]
        | [0x28, 0xB5, 0x2F, 0xFD, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..]
        | [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => return Kind::Packed,
        _ if head.starts_with(b"<stata_dta>") => return Kind::Stata,
        [0, 1, 0, 0, rest @ ..]
            if rest.starts_with(b"Standard Jet DB") || rest.starts_with(b"Standard ACE DB") =>
        {
            return Kind::Access;
        }
        _ if is_dbase(head) => return Kind::Dbase,
        _ => {}
    }
    let is = |foreign: &&Foreign| {
        head.get(foreign.at..).is_some_and(|rest| rest.starts_with(foreign.magic))
    };
    let found = FOREIGN.iter().find(is).or_else(|| BINARY.iter().find(is).filter(|_| is_binary));
    if let Some(foreign) = found {
        return Kind::Foreign(foreign);
    }
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let begins = |with: &str| {
        let start = text.get(..with.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
    };
    if begins("{\"") || begins("[{") {
        Kind::Foreign(&JSON)
    } else if ["<?xml", "<!doctype", "<html", "<table"].into_iter().any(begins) {
        Kind::Foreign(&MARKUP)
    } else {
        Kind::Text
    }
}

/// A header of dBase: a version, a date, and lengths that fit each other.
fn is_dbase(head: &[u8]) -> bool {
    let Some(&[version, _, month, day, _, _, _, _, h0, h1, r0, r1]) = head.first_chunk() else {
        return false;
    };
    let versions = [
        0x02, 0x03, 0x04, 0x05, 0x30, 0x31, 0x32, 0x43, 0x63, 0x7B, 0x83, 0x87, 0x8B, 0x8E, 0xB3,
        0xCB, 0xE5, 0xF5, 0xFB,
    ];
    let header = u16::from_le_bytes([h0, h1]);
    versions.contains(&version)
        && month <= 12
        && day <= 31
        && header > 32
        && u16::from_le_bytes([r0, r1]) > 0
        // Without a month, the date is empty.
        && (month > 0 || day == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_a_text_is_text_whatever_it_is_called() {
        let headers = [
            "period,flow\n",
            "PAR1,b\n",
            "ORC;x\n",
            "BZhou,b\n",
            "\"a\"\n",
            "1,2,3\n",
            "Year\n",
            "0\t1\t2\n",
            "BZh1,\n",
            "{a}\n",
            "colour\n",
            "\u{FEFF}period\n",
            "",
            "X\nY\n",
            "PKW,b\n",
        ];
        for header in headers {
            assert_eq!(of(header.as_bytes()), Kind::Text, "{header:?}");
        }
    }

    #[test]
    fn a_kind_is_told_by_the_first_bytes() {
        assert_eq!(of(b"<stata_dta><header>"), Kind::Stata);
        assert_eq!(of(b"\x72\x02\x01\0"), Kind::Stata);
        assert_eq!(of(b"\0\x01\0\0Standard Jet DB\0"), Kind::Access);
        assert_eq!(of(b"\0\x01\0\0Standard ACE DB\0"), Kind::Access);
        assert_eq!(of(b"\x03\x08\x05\x01\x02\0\0\0\x41\0\x0B\0"), Kind::Dbase);
        assert_eq!(of(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), Kind::Compound);
        let foreign = |head: &[u8]| match of(head) {
            Kind::Foreign(foreign) => foreign.name,
            other => panic!("{other:?}"),
        };
        assert_eq!(foreign(b"  <HTML>"), "XML or HTML");
        assert_eq!(foreign(b"7z\xBC\xAF\x27\x1C"), "an archive of 7-Zip");
        assert_eq!(foreign(b"[{\"a\":1}]"), "JSON");
    }
}
