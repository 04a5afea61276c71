#!/usr/bin/env python3
"""Writes tests/formats/data: one table in each format that no crate of the tests writes.

Needs msaccessdb, openpyxl, xlwt, odfpy, dbf and pandas of PyPI. Reading them back: Debian's mdb-export.
"""

import datetime
import gzip
import tempfile
from pathlib import Path

import dbf
import msaccessdb
import openpyxl
import pandas
import xlwt

import make_access as access

HERE = Path(__file__).resolve().parent / "data"
NAMES = "period flow firm_id firm_name region country hs8 trade_mode value_usd".split()
MAY = datetime.date(2008, 5, 1)
ROWS = [
    (MAY, "E", "0101234567", "某某有限公司", 11019, "502", "84713000", 10, 1234.5),
    (MAY, "I", "F2", "ACME", 31229, "601", "01012100", None, 7.0),
    (MAY, "E", "4101234567", "甲, \"乙\" 公司", 11019, "502", "84713000", 10, -2.25),
]


def packed(path, data):
    with gzip.GzipFile(path, "wb", 9, mtime=0) as out:
        out.write(data)


def xlsx():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "五月"
    sheet.append(NAMES)
    for row in ROWS:
        sheet.append(row)
    book.create_sheet("Sheet2")
    book.save(HERE / "table.xlsx")


def xls():
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("五月")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for at, row in enumerate([NAMES] + ROWS):
        for column, value in enumerate(row):
            if value is not None:
                is_day = isinstance(value, datetime.date)
                sheet.write(at, column, value, *([day] if is_day else []))
    book.save(HERE / "table.xls")


def ods():
    frame = pandas.DataFrame(ROWS, columns=NAMES)
    frame["trade_mode"] = frame["trade_mode"].astype("Int64")
    frame.to_excel(HERE / "table.ods", engine="odf", index=False, sheet_name="五月")


def dbase():
    fields = ("period D; flow C(1); firm_id C(12); firm_name C(40); region N(6,0); country C(3); "
              "hs8 C(8); trade_mode N(2,0); value_usd N(12,2)")
    table = dbf.Table(str(HERE / "table.dbf"), fields, codepage="cp936", dbf_type="db3")
    table.open(dbf.READ_WRITE)
    for row in ROWS:
        table.append(row)
    table.append(ROWS[0])
    dbf.delete(table[-1])
    table.close()
    # The names as the other formats have them; programs write capitals.
    path = HERE / "table.dbf"
    head, rest = path.read_bytes()[:32 * 10], path.read_bytes()[32 * 10:]
    for name in NAMES:
        head = head.replace(name.upper().encode().ljust(11, b"\0"), name.encode().ljust(11, b"\0"))
    path.write_bytes(head + rest)


def stata():
    frame = pandas.DataFrame(ROWS, columns=NAMES)
    frame["period"] = pandas.to_datetime(frame["period"])
    frame["trade_mode"] = frame["trade_mode"].astype("float64")
    frame.to_stata(HERE / "table.dta", version=118, write_index=False,
                   convert_dates={"period": "td"})
    frame["flow"] = frame["flow"].astype("category")
    frame["firm_name"] = frame["firm_name"].astype(object)
    frame.to_stata(HERE / "labels.dta", version=118, write_index=False,
                   convert_dates={"period": "td"}, convert_strl=["firm_name"])


def jet():
    columns = [("period", access.DATE, 8), ("flow", access.TEXT, 2), ("firm_id", access.TEXT, 40),
               ("firm_name", access.TEXT, 200), ("region", access.LONG, 4),
               ("country", access.TEXT, 20), ("hs8", access.TEXT, 20),
               ("trade_mode", access.INT, 2), ("value_usd", access.MONEY, 8)]

    def stored(row):
        name = b"\xFF\xFEACME" if row[3] == "ACME" else row[3]
        day = float((row[0] - datetime.date(1899, 12, 30)).days)
        return (day, *row[1:3], name, *row[4:8], round(row[8] * 10_000))

    rows = [stored(row) for row in ROWS]
    with tempfile.TemporaryDirectory() as folder:
        for ending in ("mdb", "accdb"):
            empty, path = f"{folder}/empty.{ending}", f"{folder}/table.{ending}"
            msaccessdb.create(empty)

            def write(name, *args):
                access.write(empty, path, "200805", columns, *args)
                packed(HERE / f"{name}.{ending}.gz", Path(path).read_bytes())

            write("table", rows)
            if ending == "mdb":
                # A letter that is half of a pair, and a row of which nearly all is missing.
                half = (*rows[0][:3], b"\x00\xD8", *rows[0][4:])
                write("broken", [rows[0], half, b"\x09\x00", rows[1]])
                write("short", rows, len(rows) + 1)


def ccts():
    """Months of the customs' records as copies of them circulate, in each layout of their columns.

    A line each of two firms and an import, one without a firm, one without a value, one from China
    to China.
    """
    text = lambda name, size=40: (name, access.TEXT, size)
    lines = [("export", "3101234567", "某某有限公司", "11019", "美国", "1012100", 1000.5, "10"),
             ("export", "4403123456", "ACME", "31229", "日本", "84713000", 7.0, "14"),
             ("import", "4403123456", "ACME", "31229", "日本", "84713000", 20.0, "10"),
             ("export", None, "某厂", "31229", "日本", "84713000", 5.0, "10"),
             ("export", "4403123456", "ACME", "31229", "日本", "84713000", None, "10"),
             ("import", "4403123456", "ACME", "31229", "中华人民共和国", "84713000", 9.0, "10")]

    def table(name, month, columns, flows, codes=str, values=float):
        def row(line):
            flow, firm, firm_name, place, country, product, value, mode = line
            of = {"flow": flows[flow], "firm": firm, "name": firm_name, "place": place,
                  "country": country, "hs": codes(product), "mode": mode,
                  "value": None if value is None else values(value), "": "x"}
            return tuple(of[what] for what, _ in columns)

        with tempfile.TemporaryDirectory() as folder:
            empty, path = f"{folder}/empty.mdb", f"{folder}/table.mdb"
            msaccessdb.create(empty)
            access.write(empty, path, month, [column for _, column in columns],
                         [row(line) for line in lines])
            packed(HERE / f"{name}.mdb.gz", Path(path).read_bytes())

    number, words = {"export": 0, "import": 1}, {"export": "出口", "import": "进口"}
    value = lambda name: ("value", (name, access.DOUBLE, 8))
    table("2000-01", "2000-01", [
        ("", text("shipment_date")), ("flow", ("exp_imp", access.INT, 2)),
        ("firm", text("party_id")), ("name", text("company", 120)), ("place", text("city")),
        ("country", text("country")), ("hs", text("hs_id")), value("value"),
        ("mode", text("shipment"))], number)
    table("2002-01", "2002-01", [
        ("", text("shipment_date")), ("flow", text("进出口_C")), ("firm", text("party_id")),
        ("name", text("pname", 120)), ("place", text("city")), ("country", text("国家名称_C")),
        ("hs", text("hs_id")), value("value"), ("mode", text("贸易类型_C"))], words)
    new = lambda product: [
        ("", text("日期")), ("flow", text("进口或出口")),
        ("firm", text("企业编码")), ("name", text("经营单位", 120)),
        ("place", text("消费地或生产地")), ("country", text("起运国或目的国")),
        ("hs", product), value("金额"), ("mode", text("贸易方式"))]
    table("data200301", "data200301", new(("税号编码", access.LONG, 4)), words, codes=int)
    table("data200501", "200501", [
        ("", text("shipment_date")), ("flow", text("exp_or_imp")), ("firm", text("party_id")),
        ("name", text("company", 120)), ("place", text("city")), ("country", text("country")),
        ("hs", text("hs_id")), value("value"), ("mode", text("shipment"))], words)
    table("data200512", "200512", new(text("HS编码")), words)
    table("200601cn", "200601", [
        ("flow", text("进出口")), ("firm", text("企业代码")), ("name", text("企业名称", 120)),
        ("place", text("消费地或生产地")), ("hs", text("商品代码")), ("value", text("金额")),
        ("mode", text("贸易方式")), *[("", text(f"列{n}")) for n in range(8, 18)],
        ("country", text(""))], words, values=str)


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for make in (xlsx, xls, ods, dbase, stata, jet, ccts):
        make()
