//! Panels from files: whole numbers are stored in the narrowest type and keep their values.

use std::fs::File;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use spillover::estimate::panel::Column;
use spillover::panel::{ReadOptions, Table, Wanted};

#[test]
fn whole_numbers_take_the_room_that_they_need() {
    let columns: [(&str, [Option<i64>; 3]); 4] = [
        ("year", [Some(2001), Some(-5), Some(32_767)]),
        ("plant", [Some(1), Some(32_768), Some(-2_147_483_648)]),
        ("firm", [Some(1), Some(3_205_000_055), Some(2)]),
        ("group", [Some(1), None, Some(2)]),
    ];
    let arrays = columns.iter().map(|(name, values)| {
        let array: ArrayRef = Arc::new(Int64Array::from(values.to_vec()));
        (*name, array, true)
    });
    let batch = RecordBatch::try_from_iter_with_nullable(arrays).expect("columns of one length");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("panel.parquet");
    let file = File::create(&path).expect("a file");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("a panel");
    let wanted = Wanted::default().levels(columns.map(|(name, _)| name));
    let table = Table::read(&path, &wanted, &ReadOptions::default()).expect("a panel");
    let panel = table.panel().expect("a panel");
    let column = |name: &str| panel.column(name).expect("a column");
    assert!(matches!(column("year"), Column::Short([2001, -5, 32_767])));
    assert!(matches!(column("plant"), Column::Integer([1, 32_768, i32::MIN])));
    assert!(matches!(column("firm"), Column::Real([1.0, 3_205_000_055.0, 2.0])));
    let Column::Real([one, missing, two]) = column("group") else { panic!("numbers") };
    assert_eq!([one, two].map(|number| number.to_bits()), [1.0_f64, 2.0].map(f64::to_bits));
    assert!(missing.is_nan());
    assert_eq!(table.text("year", 1), "-5");
    assert_eq!(table.text("group", 1), "");
}
