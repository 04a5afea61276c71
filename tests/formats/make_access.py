"""Fills an empty database of Access with a table, page by page (Jet 4 and ACE).

The layout of pages is that of mdbtools' HACKING. `write(empty, path, name, columns, rows)` appends a
page of the table's definition, one of its usage maps and its data pages, and puts the table into
MSysObjects. Debian's mdb-export reads what it writes.
"""

import struct

PAGE = 4096
TEXT, LONG, DOUBLE, MONEY, DATE, BOOL, INT, FLOAT, MEMO = 10, 4, 7, 5, 8, 1, 3, 6, 12
FIXED = {LONG: "<i", DOUBLE: "<d", MONEY: "<q", DATE: "<d", INT: "<h", FLOAT: "<f"}


def utf16(text):
    return text.encode("utf-16-le")


def definition(columns, n_rows, used, free):
    """The page that defines a table; columns are (name, type, size)."""
    n_var = sum(kind in (TEXT, MEMO) for _, kind, _ in columns)
    body = struct.pack("<I", 1625) + struct.pack("<II", n_rows, 0) + bytes(16)
    body += struct.pack("<BHHHII", 0x4E, len(columns), n_var, len(columns), 0, 0)
    body += struct.pack("<II", used, free)
    at_var = at_fixed = 0
    for number, (_, kind, size) in enumerate(columns):
        is_fixed = kind not in (TEXT, MEMO)
        flags = 0x02 | (0x01 if is_fixed else 0)
        body += struct.pack("<BIHHHIBBIHH", kind, 1625, number, at_var, number,
                            0x0409 if kind == TEXT else 0, flags, 0, 0,
                            at_fixed if is_fixed else 0, size)
        at_var += not is_fixed
        at_fixed += size if is_fixed and kind != BOOL else 0
    for name, _, _ in columns:
        body += struct.pack("<H", len(utf16(name))) + utf16(name)
    body += b"\xFF\xFF"
    page = struct.pack("<BBHI", 2, 1, PAGE - 12 - len(body) - 4, 0)
    page += struct.pack("<I", len(body) + 4) + body
    return page.ljust(PAGE, b"\0")


def row(columns, values):
    """A row; text that is bytes stands as it is, None is no value."""
    fixed, var, starts, mask = b"", b"", [], 0
    for number, ((_, kind, size), value) in enumerate(zip(columns, values)):
        if kind == BOOL:
            mask |= bool(value) << number
            continue
        mask |= (value is not None) << number
        if kind in (TEXT, MEMO):
            starts.append(len(var))
            var += b"" if value is None else value if isinstance(value, bytes) else utf16(value)
        else:
            fixed += bytes(size) if value is None else struct.pack(FIXED[kind], value)
    first = 2 + len(fixed)
    data = struct.pack("<H", len(columns)) + fixed + var
    if starts:
        data += struct.pack("<H", first + len(var))
        data += b"".join(struct.pack("<H", first + start) for start in reversed(starts))
        data += struct.pack("<H", len(starts))
    return data + mask.to_bytes((len(columns) + 7) // 8, "little")


def data_page(owner, rows):
    offsets, at, page = [], PAGE, bytearray(PAGE)
    for data in rows:
        at -= len(data)
        page[at:at + len(data)] = data
        offsets.append(at)
    head = struct.pack("<BBHIIH", 1, 1, at - 14 - 2 * len(rows), owner, 0, len(rows))
    head += b"".join(struct.pack("<H", offset) for offset in offsets)
    assert len(head) <= at
    page[:len(head)] = head
    return bytes(page)


def data_pages(owner, rows):
    pages, held, size = [], [], 14
    for data in rows:
        if size + len(data) + 2 > PAGE:
            pages.append(data_page(owner, held))
            held, size = [], 14
        held.append(data)
        size += len(data) + 2
    return pages + [data_page(owner, held)]


def usage_map(first, pages):
    bits = 0
    for page in pages:
        bits |= 1 << (page - first)
    return struct.pack("<BI", 0, first) + bits.to_bytes(64, "little")


def with_object(database, name, page):
    """MSysObjects with one more table: the row of another one, changed."""
    for at in range(len(database) // PAGE):
        start = at * PAGE
        if database[start] != 1 or struct.unpack_from("<I", database, start + 4)[0] != 2:
            continue
        n_rows = struct.unpack_from("<H", database, start + 12)[0]
        offsets = [struct.unpack_from("<H", database, start + 14 + 2 * n)[0] for n in range(n_rows)]
        for n, offset in enumerate(offsets):
            end = PAGE if n == 0 else offsets[n - 1] & 0x1FFF
            old = database[start + (offset & 0x1FFF):start + end]
            if utf16("MSysRelationships") in old and not offset & 0xC000:
                new = renamed(old, name, page)
                lowest = min(offset & 0x1FFF for offset in offsets)
                place = lowest - len(new)
                assert place > 14 + 2 * (n_rows + 1), "no room in MSysObjects"
                database[start + place:start + lowest] = new
                struct.pack_into("<H", database, start + 14 + 2 * n_rows, place)
                struct.pack_into("<H", database, start + 12, n_rows + 1)
                free = struct.unpack_from("<H", database, start + 2)[0]
                struct.pack_into("<H", database, start + 2, free - len(new) - 2)
                stated = struct.unpack_from("<I", database, 2 * PAGE + 16)[0]
                struct.pack_into("<I", database, 2 * PAGE + 16, stated + 1)
                return
    raise SystemExit("MSysObjects has no row to copy")


def renamed(old, name, page):
    """A row of MSysObjects with another name and page, and no flags: a table of the user's."""
    n_columns = struct.unpack_from("<H", old, 0)[0]
    n_mask = (n_columns + 7) // 8
    mask, rest = old[-n_mask:], old[:-n_mask]
    n_var = struct.unpack_from("<H", rest, len(rest) - 2)[0]
    table = [struct.unpack_from("<H", rest, len(rest) - 4 - 2 * n)[0] for n in range(n_var + 1)]
    parts = [rest[table[n]:table[n + 1]] for n in range(n_var)]
    at = next(n for n, part in enumerate(parts) if b"R\0e\0l\0a\0t\0i\0o\0n" in part
              or b"MSysRelationships" in part)
    parts[at] = utf16(name)
    fixed = bytearray(rest[:table[0]])
    number = struct.unpack_from("<i", fixed, 2)[0]
    assert number == 5, number
    struct.pack_into("<i", fixed, 2, page)
    flags = fixed.rindex(struct.pack("<i", -2147483648))
    struct.pack_into("<i", fixed, flags, 0)
    data, starts = bytes(fixed), []
    for part in parts:
        starts.append(len(data))
        data += part
    data += struct.pack("<H", len(data))
    data += b"".join(struct.pack("<H", start) for start in reversed(starts))
    return data + struct.pack("<H", n_var) + mask


def write(empty, path, name, columns, rows, n_stated=None):
    database = bytearray(open(empty, "rb").read())
    page = len(database) // PAGE
    first = page + 2
    as_row = lambda values: values if isinstance(values, bytes) else row(columns, values)
    pages = data_pages(page, [as_row(values) for values in rows])
    numbers = range(first, first + len(pages))
    n_rows = len(rows) if n_stated is None else n_stated
    database += definition(columns, n_rows, (page + 1) << 8, (page + 1) << 8 | 1)
    database += data_page(page, [usage_map(first, numbers), usage_map(first, [])])
    for data in pages:
        database += data
    with_object(database, name, page)
    open(path, "wb").write(database)
