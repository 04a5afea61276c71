-- What is estimated from the published tables. All of it can be computed anew.

-- The panels of the regressions: one part for each kind and closed year, replaced when what it was
-- made from changed.
CREATE TABLE IF NOT EXISTS panels (
    kind        TEXT NOT NULL CHECK (kind IN ('plant', 'ordinary', 'product')),
    year        INTEGER NOT NULL,
    -- BLAKE3 over the hashes of all that it was made from
    stamp       TEXT NOT NULL,
    -- the newest publication then
    publication INTEGER NOT NULL REFERENCES publications,
    n_rows      INTEGER NOT NULL,
    path        TEXT NOT NULL UNIQUE,
    hash        TEXT NOT NULL,
    n_bytes     INTEGER NOT NULL,
    PRIMARY KEY (kind, year)
) STRICT, WITHOUT ROWID;

-- Every estimate, also those that failed; a row stays.
CREATE TABLE IF NOT EXISTS estimates (
    estimate    INTEGER PRIMARY KEY,
    -- the specification and its column, as in "3" and "4"
    specification TEXT NOT NULL,
    "column"    TEXT NOT NULL,
    -- the last closed year of its sample
    through     INTEGER NOT NULL,
    -- the newest publication and file then
    publication INTEGER NOT NULL REFERENCES publications,
    vintage     INTEGER NOT NULL,
    -- the panel it was estimated on, and BLAKE3 over the stamps of its years
    panel       TEXT NOT NULL,
    stamp       TEXT NOT NULL,
    -- JSON of one model as `estimate --format json` prints it; null where it failed
    model       TEXT,
    -- why it failed
    error       TEXT,
    CHECK ((model IS NULL) <> (error IS NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS estimates_by_column ON estimates (specification, "column", through);

-- What an estimation left for the next one to begin from, and, by keys "goods" and year, the sums
-- of product panels; losing it costs time only.
CREATE TABLE IF NOT EXISTS memories (
    -- what it is of: specification, panel, sample, effects
    "key"   TEXT NOT NULL,
    name    TEXT NOT NULL,
    path    TEXT NOT NULL UNIQUE,
    hash    TEXT NOT NULL,
    n_bytes INTEGER NOT NULL,
    PRIMARY KEY ("key", name)
) STRICT, WITHOUT ROWID;
