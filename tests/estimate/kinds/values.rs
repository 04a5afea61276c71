//! Missing values and numbers.

use spillover::estimate::panel::Column;

use super::*;

#[test]
fn a_null_is_the_only_missing_value_of_parquet() {
    let folder = folder();
    let path = folder.path().join("panel.parquet");
    let codes = ["NA", "", ".", "nan", "null", "NULL", "NaN", "US", "CN", "na"];
    let firm = firms::<_, StringArray>(|f| Some(of(&codes, f)));
    parquet(&path, &[batch(NAMES, firm, years())], Compression::SNAPPY);
    is_right(&path);
    // Arrays with a null for whole numbers, texts and dates, a NaN for reals, and -0 next to 0.
    let real = [0.0, -0.0, f64::NAN, 2.0, 2.0];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("y", Arc::new(Float64Array::from(vec![1.0, 2.0, 4.0, 3.0, 7.0]))),
        ("x", Arc::new(Int32Array::from(vec![Some(1), Some(3), Some(2), None, Some(5)]))),
        ("f", Arc::new(Float64Array::from(real.to_vec()))),
        ("t", Arc::new(StringArray::from(vec![Some("a"), Some("a"), Some("b"), Some("b"), None]))),
        ("d", Arc::new(Date32Array::from(vec![Some(1), Some(1), None, Some(2), Some(2)]))),
    ];
    parquet(&path, &[RecordBatch::try_from_iter(columns).expect("columns")], Compression::SNAPPY);
    let left_out = |formula: &str| {
        let found = tried(&path, formula, None, &ReadOptions::default());
        found.map(|(estimate, _)| (estimate.n_missing, estimate.n_obs))
    };
    assert_eq!(left_out("y ~ 1 | f"), Ok((1, 4)));
    assert_eq!(left_out("y ~ x"), Ok((1, 4)));
    assert_eq!(left_out("y ~ 1 | t"), Ok((1, 4)));
    assert_eq!(left_out("y ~ 1 | d"), Ok((1, 4)));
}

#[test]
fn numbers_of_every_type_are_the_numbers_that_they_are() {
    let folder = folder();
    let path = folder.path().join("panel.parquet");
    let numbers = |array: ArrayRef| -> Vec<f64> {
        let batch = RecordBatch::try_from_iter([("x", array)]).expect("a column");
        parquet(&path, &[batch], Compression::SNAPPY);
        let wanted = Wanted::default().numbers(["x"]);
        let table = Table::read(&path, &wanted, &ReadOptions::default()).expect("a panel");
        let panel = table.panel().expect("a panel");
        match panel.column("x").expect("a column") {
            Column::Real(numbers) => numbers.to_vec(),
            Column::Integer(numbers) => numbers.iter().map(|&x| x.into()).collect(),
            Column::Short(numbers) => numbers.iter().map(|&x| x.into()).collect(),
            Column::Code(_) => panic!("numbers"),
        }
    };
    let decimal = |digits: &[i128], scale| -> ArrayRef {
        let array: Decimal128Array = digits.iter().map(|&d| Some(d)).collect();
        Arc::new(array.with_precision_and_scale(38, scale).expect("a type"))
    };
    // Past 2^53, the nearest real; of two equally near ones the even one.
    let past = 9_007_199_254_740_993;
    let cases: Vec<(ArrayRef, Vec<f64>)> = vec![
        (Arc::new(BooleanArray::from(vec![true, false])), vec![1.0, 0.0]),
        (
            Arc::new(Int64Array::from(vec![past, -past])),
            vec![9_007_199_254_740_992.0, -9_007_199_254_740_992.0],
        ),
        (Arc::new(UInt64Array::from(vec![u64::MAX, 1])), vec![18_446_744_073_709_551_615.0, 1.0]),
        (decimal(&[12_345, -5], 2), vec![123.45, -0.05]),
        (decimal(&[past.into(), 10_i128.pow(30)], 3), vec![9_007_199_254_740.993, 1e27]),
        (decimal(&[past.into(), 3], 0), vec![9_007_199_254_740_992.0, 3.0]),
        (Arc::new(Float32Array::from(vec![0.1])), vec![f64::from(0.1_f32)]),
        (Arc::new(Float16Array::from(vec![half(0.5)])), vec![0.5]),
        (
            Arc::new(DictionaryArray::<Int8Type>::new(
                Int8Array::from(vec![1, 0, 1]),
                Arc::new(Float64Array::from(vec![2.5, 7.5])),
            )),
            vec![7.5, 2.5, 7.5],
        ),
    ];
    for (array, expected) in cases {
        let kind = array.data_type().clone();
        assert_eq!(numbers(array), expected, "{kind}");
    }
}

#[test]
fn what_is_no_number_is_refused_as_one_by_what_it_holds() {
    let folder = folder();
    let path = folder.path().join("panel.parquet");
    let cases: [(ArrayRef, &str); 4] = [
        (firms::<_, StringArray>(|f| Some(f.to_string())), "holds texts, not numbers"),
        (firms::<_, Date32Array>(|f| i32::try_from(f).ok()), "holds dates, not numbers"),
        (firms::<_, Time64NanosecondArray>(Some), "holds times of day in units of ns"),
        (firms::<_, TimestampSecondArray>(Some), "holds dates with times in units of s"),
    ];
    for (firm, expected) in cases {
        parquet(&path, &[batch(NAMES, firm, years())], Compression::SNAPPY);
        let said = refused(&path, "y ~ x + firm | year");
        assert!(said.contains("column \"firm\"") && said.contains(expected), "{said}");
    }
}

#[test]
fn a_column_that_is_decimals_and_levels_at_once_is_both() {
    let folder = folder();
    let path = folder.path().join("panel.parquet");
    let array: Decimal128Array =
        base().firm.iter().map(|&f| Some(i128::from(f) * 10 + 5)).collect();
    let firm = Arc::new(array.with_precision_and_scale(10, 1).expect("a type"));
    parquet(&path, &[batch(NAMES, firm, years())], Compression::SNAPPY);
    // A product with the level itself: its coefficient shows whether the numbers are right.
    let slope = |formula: &str| {
        let found = tried(&path, formula, None, &ReadOptions::default()).expect("an estimate").0;
        found.terms[0].estimate
    };
    let with_levels = slope("y ~ x:firm | firm + year");
    let csv = written(folder.path(), "p.csv", text(NAMES, &|firm| format!("{firm}.5"), ","));
    let (found, table) =
        tried(&csv, "y ~ x:firm | firm + year", None, &ReadOptions::default()).expect("one");
    assert!((found.terms[0].estimate - with_levels).abs() < TOLERANCE);
    assert_eq!(table.text("firm", 0), "0.5");
}
