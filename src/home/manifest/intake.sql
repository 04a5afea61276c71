-- What layouts 6 to 8 say of files beside their records. Made when it is not there.

-- The names of a file's columns, where a line was rejected because the tables lack its code: with a
-- table that has it, the line can be read again. Layout 7.
CREATE TABLE IF NOT EXISTS columns (
    vintage  INTEGER NOT NULL REFERENCES files,
    position INTEGER NOT NULL,
    name     TEXT NOT NULL,
    PRIMARY KEY (vintage, position)
) STRICT, WITHOUT ROWID;

-- What else is counted in a file: values 'rounded' to cents, 'footers' between its lines, lines
-- 'read again, RULE' that another file counts as rejected by the rule, findings
-- by name, and its codes, 'firms', and those of them that no earlier file has, 'new firms'.
CREATE TABLE IF NOT EXISTS file_notes (
    vintage INTEGER NOT NULL REFERENCES files,
    note    TEXT NOT NULL,
    n       INTEGER NOT NULL CHECK (n > 0),
    PRIMARY KEY (vintage, note)
) STRICT, WITHOUT ROWID;

-- The regions of the feed, each with the first file that has it.
CREATE TABLE IF NOT EXISTS seen_regions (
    region  TEXT PRIMARY KEY,
    vintage INTEGER NOT NULL REFERENCES files
) STRICT, WITHOUT ROWID;

-- The months of a file that covers several, or is a part of its months.
CREATE TABLE IF NOT EXISTS coverage (
    vintage        INTEGER PRIMARY KEY REFERENCES files,
    first          INTEGER NOT NULL,
    last           INTEGER NOT NULL,
    -- which part of its months it is: the flow and the part in its name
    part           TEXT NOT NULL,
    -- the last month that was closed when it had been taken in; null while none was
    closed_through INTEGER
) STRICT;

-- How many records of each month and flow such a file has, excluded ones included.
CREATE TABLE IF NOT EXISTS covered (
    vintage INTEGER NOT NULL REFERENCES files,
    period  INTEGER NOT NULL,
    flow    TEXT NOT NULL CHECK (flow IN ('E', 'I')),
    n       INTEGER NOT NULL CHECK (n > 0),
    PRIMARY KEY (vintage, period, flow)
) STRICT, WITHOUT ROWID;

-- Months and flows of files whose records do not count any more, since a later file replaced them.
CREATE TABLE IF NOT EXISTS replaced (
    vintage     INTEGER NOT NULL REFERENCES files,
    period      INTEGER NOT NULL,
    flow        TEXT NOT NULL CHECK (flow IN ('E', 'I')),
    replaced_by INTEGER NOT NULL REFERENCES files DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (vintage, period, flow)
) STRICT, WITHOUT ROWID;

-- Refused files with rejected lines, until a file of the same name is accepted. Layout 8.
CREATE TABLE IF NOT EXISTS refused_files (
    name       TEXT PRIMARY KEY,
    period     INTEGER NOT NULL,
    n_rejected INTEGER NOT NULL,
    -- in the order of refusals
    position   INTEGER NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;

-- The first rejected lines of these files.
CREATE TABLE IF NOT EXISTS refused_rejects (
    name    TEXT NOT NULL REFERENCES refused_files,
    line    INTEGER NOT NULL,
    "column" TEXT NOT NULL,
    rule    TEXT NOT NULL,
    raw     TEXT NOT NULL,
    PRIMARY KEY (name, line)
) STRICT, WITHOUT ROWID;
