//! Codecs, names, folders and files that are not panels.

use super::*;

#[test]
fn every_codec_is_read_whatever_the_file_is_called() {
    let folder = folder();
    let batch = batch(NAMES, dictionary::<Int32Type>(), years());
    let codecs = [
        ("panel", Compression::UNCOMPRESSED),
        ("panel.pq", Compression::SNAPPY),
        ("panel.parq", Compression::GZIP(GzipLevel::default())),
        ("panel.PARQUET", Compression::BROTLI(BrotliLevel::default())),
        ("panel.csv", Compression::ZSTD(ZstdLevel::default())),
        ("panel.txt", Compression::LZ4),
        ("panel.dat", Compression::LZ4_RAW),
    ];
    for (name, codec) in codecs {
        let path = folder.path().join(name);
        parquet(&path, std::slice::from_ref(&batch), codec);
        is_right(&path);
    }
    for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        let options = IpcWriteOptions::default();
        let options = options.try_with_compression(compression).expect("a codec");
        let path = folder.path().join("panel.feather");
        let file = File::create(&path).expect("a file");
        let mut writer =
            FileWriter::try_new_with_options(file, &batch.schema(), options).expect("a writer");
        writer.write(&batch).expect("rows");
        writer.finish().expect("a file");
        is_right(&path);
    }
    let path = folder.path().join("panel.arrows");
    let mut writer = StreamWriter::try_new(File::create(&path).expect("a file"), &batch.schema())
        .expect("a writer");
    writer.write(&batch).expect("rows");
    writer.finish().expect("a stream");
    is_right(&path);
}

#[test]
fn names_with_dots_and_columns_with_parts_are_no_paths() {
    let folder = folder();
    let path = folder.path().join("panel.parquet");
    let names = ["log.y", "gdp.pc", "firm.id", "year.of.it"];
    let plain = batch(names, firms::<_, Int64Array>(Some), years());
    // A column with parts, whose path equals the name of another column.
    let parts: ArrayRef = Arc::new(StructArray::from(vec![(
        Arc::new(Field::new("id", DataType::Int64, true)),
        firms::<_, Int64Array>(|_| Some(1)),
    )]));
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(
        (0..60).map(|_| Some(vec![Some(1)])),
    ));
    let mut fields: Vec<Arc<Field>> = plain.schema().fields().iter().cloned().collect();
    fields.insert(0, Arc::new(Field::new("firm", parts.data_type().clone(), true)));
    fields.push(Arc::new(Field::new("list", list.data_type().clone(), true)));
    let mut arrays = plain.columns().to_vec();
    arrays.insert(0, parts);
    arrays.push(list);
    let nested = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns");
    parquet(&path, &[nested], Compression::SNAPPY);
    is_right_with(&path, names, &ReadOptions::default());
    let said = refused(&path, "log.y ~ gdp.pc | firm");
    assert!(said.contains("column \"firm\" is of type Struct"), "{said}");
    let said = refused(&path, "log.y ~ list | firm.id");
    assert!(said.contains("column \"list\" is of type List"), "{said}");
}

#[test]
fn a_folder_of_parquet_files_is_one_panel_in_order_of_name() {
    let folder = folder();
    let whole = batch(NAMES, firms::<_, StringArray>(|f| Some(format!("F{f}"))), years());
    let part = |name: &str, batch: &RecordBatch| {
        parquet(&folder.path().join(name), std::slice::from_ref(batch), Compression::SNAPPY);
    };
    part("part-1", &whole.slice(20, 0));
    part("part-2.parquet", &whole.slice(20, 40));
    part("part-0.pq", &whole.slice(0, 20));
    written(folder.path(), "_SUCCESS", "");
    written(folder.path(), ".part-0.crc", "crc");
    let table = is_right(folder.path());
    assert_eq!(table.text("firm", 59), format!("F{}", base().firm[59]));
    part("part-3", &batch(NAMES, firms::<_, Int64Array>(Some), years()));
    let said = refused(folder.path(), "y ~ x | firm");
    assert!(said.contains("column \"firm\" holds texts in"), "{said}");
    assert!(said.contains("whole numbers in") && said.contains("part-3"), "{said}");
    part("part-3", &batch(["y", "x", "plant", "year"], years(), years()));
    assert!(refused(folder.path(), "y ~ x | firm").contains("part-3 has no column \"firm\""));
    written(folder.path(), "part-3", "y,x\n1,2\n");
    assert!(refused(folder.path(), "y ~ x | firm").contains("part-3 is not a Parquet file"));
    fs::remove_file(folder.path().join("part-3")).expect("removed");
    fs::create_dir(folder.path().join("year=2001")).expect("a folder");
    assert!(refused(folder.path(), "y ~ x | firm").contains("has a folder \"year=2001\""));
    let empty = tempfile::tempdir().expect("a folder");
    assert!(refused(empty.path(), "y ~ x").contains("has no Parquet files"));
}

#[test]
fn two_columns_of_a_name_no_rows_and_no_columns_are_told_by_name() {
    let folder = folder();
    let path = folder.path().join("panel");
    let twice = batch(["y", "x", "x", "year"], years(), years());
    parquet(&path, &[twice], Compression::SNAPPY);
    assert!(refused(&path, "y ~ x").contains("two columns \"x\""));
    assert!(tried(&path, "y ~ 1 | year", None, &ReadOptions::default()).is_ok());
    let empty = batch(NAMES, years(), years()).slice(0, 0);
    parquet(&path, &[empty], Compression::SNAPPY);
    assert!(refused(&path, "y ~ x | firm").contains("no rows are left of 0"));
}

#[test]
fn files_that_are_no_panels_are_named_with_what_to_do() {
    let folder = folder();
    let said = |bytes: &[u8]| refused(&written(folder.path(), "p", bytes), "y ~ x");
    let old_excel = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1rest";
    for (bytes, expected) in [
        (&old_excel[..], "an Excel workbook (.xls), which is not read as a panel; save the sheet"),
        (b"<stata_dta><header>", "a Stata dataset"),
        (b"\x72\x02\x01\x00rest", "a Stata dataset"),
        (b"RDX3\nX\n\0\0\0\x03", "R data"),
        (b"$FL2@(#) SPSS", "an SPSS dataset"),
        (b"BZh91AY&SY\x01\x02", "it may be cut short or damaged"),
        (b"\xFD7zXZ\0\0", "it may be cut short or damaged"),
        (b"\x04\x22\x4D\x18", "packed by lz4"),
        (b"ORC\x08\x03", "an ORC file"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"{\"y\": 1}", "JSON"),
        (b"<?xml version=\"1.0\"?>", "XML or HTML"),
        (b"PARE\0\0", "an encrypted Parquet file"),
    ] {
        let said = said(bytes);
        assert!(said.contains(expected), "{said}");
    }
    // These headers have the first bytes of other formats and are text.
    for header in ["ORCID,y,x", "PAR1,y,x", "PARENT,y,x", "BZh,y,x", "country,DUCKS,y,x"] {
        let line = header.split(',').map(|_| "1").collect::<Vec<_>>().join(",");
        let path = written(folder.path(), "p", format!("{header}\n{line}\n").as_bytes());
        let read = tried(&path, "y ~ x", None, &ReadOptions::default());
        assert!(read.is_ok(), "{header}: {read:?}");
    }
    let workbook = zipped(folder.path(), "p.xlsx", &["[Content_Types].xml", "xl/workbook.xml"], "");
    assert!(refused(&workbook, "y ~ x").contains("an Excel workbook"));
    let several = zipped(folder.path(), "p.zip", &["a.csv", "b.csv"], "y,x\n");
    let said = refused(&several, "y ~ x");
    assert!(said.contains("an archive of 2 files (\"a.csv\", \"b.csv\")"), "{said}");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(b"PAR1\x15\0PAR1").expect("packed");
    let packed = written(folder.path(), "p.gz", gz.finish().expect("packed"));
    assert!(refused(&packed, "y ~ x").contains("a Parquet file that is packed once more"));
    assert!(refused(&folder.path().join("nothing"), "y ~ x").contains("cannot read the panel"));
    let cut = written(folder.path(), "cut", b"PAR1\x15\0\0\0");
    assert!(refused(&cut, "y ~ x").contains("cannot be read; write it again"));
    let batch = batch(NAMES, years(), years());
    parquet(&folder.path().join("o"), &[batch], Compression::SNAPPY);
    let missing = ReadOptions { missing: Some(vec!["NA".into()]), ..ReadOptions::default() };
    let said = tried(&folder.path().join("o"), "y ~ x", None, &missing).expect_err("no text");
    assert!(said.contains("--missing is for panels of text"), "{said}");
}

#[test]
fn an_arrow_panel_that_claims_more_bytes_than_it_has_is_refused_before_they_are_reserved() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let batch = batch(NAMES, years(), years());
    let mut file = FileWriter::try_new(Vec::new(), &batch.schema()).expect("a writer");
    file.write(&batch).expect("rows");
    let mut file = file.into_inner().expect("an end");
    let (at, n_bytes) = (file.len() - 10, i32::MAX.to_le_bytes());
    file[at..at + 4].copy_from_slice(&n_bytes);
    let wanted = Wanted::of(&Formula::parse("y ~ x").expect("a formula"), &[], None);
    let path = written(folder.path(), "claim", &file);
    let read = Table::read(&path, &wanted, &ReadOptions::default());
    let error = read.expect_err("it is refused");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert!(cause.contains("its footer of 2147483647 bytes reaches past the end"), "{cause}");
}
