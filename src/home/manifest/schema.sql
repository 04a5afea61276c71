-- The manifest of a home: what was accepted, what was published from it, and where it is.
--
-- Paths are relative to the home. Hashes are BLAKE3 in hexadecimal. Periods are numbers YYYYMM. A
-- row is added in the transaction of the publication it belongs to, after the files that it names
-- were written durably, and stays; what may change, and what came later, is in revisions.sql.

-- One transaction of the engine: files accepted, months closed, tables published.
CREATE TABLE publications (
    publication INTEGER PRIMARY KEY,
    -- the newest vintage then; 0 before the first
    vintage     INTEGER NOT NULL
) STRICT;

-- The options that define figures, as TOML; recorded with the first publication.
CREATE TABLE settings (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    text TEXT NOT NULL
) STRICT;

-- The reference tables as they were read (cities, countries, concordances); recorded with the
-- first publication.
CREATE TABLE reference_tables (
    name TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each accepted file.
CREATE TABLE files (
    vintage        INTEGER PRIMARY KEY CHECK (vintage > 0),
    name           TEXT NOT NULL,
    -- where it was when it was read, as given
    path           TEXT NOT NULL,
    -- the month in its name
    period         INTEGER NOT NULL,
    -- of the decompressed bytes
    hash           TEXT NOT NULL,
    n_bytes        INTEGER NOT NULL,
    segment_path   TEXT NOT NULL UNIQUE,
    segment_hash   TEXT NOT NULL,
    segment_bytes  INTEGER NOT NULL,
    lines          INTEGER NOT NULL,
    accepted       INTEGER NOT NULL,
    -- the sum of |value| over its accepted records, in cents: bounds every sum of them
    absolute_cents INTEGER NOT NULL CHECK (absolute_cents >= 0),
    publication    INTEGER NOT NULL REFERENCES publications,
    -- the file that took its place; null while its records count
    superseded_by  INTEGER REFERENCES files DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- The same bytes count once; months without trade, a header and nothing else, look alike and count
-- each.
CREATE UNIQUE INDEX live_files_by_hash ON files (hash) WHERE superseded_by IS NULL AND lines > 0;
CREATE INDEX files_by_period ON files (period);

-- Lines of a file that do not count, by rule; rules with none are left out.
CREATE TABLE file_counts (
    vintage INTEGER NOT NULL REFERENCES files,
    kind    TEXT NOT NULL CHECK (kind IN ('excluded', 'rejected')),
    rule    TEXT NOT NULL,
    n       INTEGER NOT NULL CHECK (n > 0),
    PRIMARY KEY (vintage, kind, rule)
) STRICT, WITHOUT ROWID;

-- Which months a file has accepted records of, late ones included.
CREATE TABLE file_periods (
    period  INTEGER NOT NULL,
    vintage INTEGER NOT NULL REFERENCES files,
    n       INTEGER NOT NULL CHECK (n > 0),
    PRIMARY KEY (period, vintage)
) STRICT, WITHOUT ROWID;

-- Lines that could not be records.
CREATE TABLE rejects (
    vintage INTEGER NOT NULL REFERENCES files,
    line    INTEGER NOT NULL,
    "column" TEXT NOT NULL,
    rule    TEXT NOT NULL,
    raw     TEXT NOT NULL,
    PRIMARY KEY (vintage, line)
) STRICT, WITHOUT ROWID;

-- Closed months.
CREATE TABLE months (
    period                INTEGER PRIMARY KEY,
    closed_at_publication INTEGER NOT NULL REFERENCES publications
) STRICT;

-- The published tables: a year as a whole, or what changed in it since.
CREATE TABLE parts (
    "table"     TEXT NOT NULL,
    year        INTEGER NOT NULL,
    publication INTEGER NOT NULL REFERENCES publications,
    kind        TEXT NOT NULL CHECK (kind IN ('whole', 'changes')),
    -- how many months of the year the figures stand for
    months      INTEGER NOT NULL CHECK (months BETWEEN 1 AND 12),
    n_rows      INTEGER NOT NULL,
    path        TEXT NOT NULL UNIQUE,
    hash        TEXT NOT NULL,
    n_bytes     INTEGER NOT NULL,
    PRIMARY KEY ("table", year, publication)
) STRICT, WITHOUT ROWID;
