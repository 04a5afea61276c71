-- What is estimated from the published tables. All of it can be computed anew.

-- The panels of the regressions: one part for each kind and year, replaced when what it was made
-- from changed. The kind plant-to-06 has the months up to June.
CREATE TABLE IF NOT EXISTS panels (
    kind        TEXT NOT NULL
        CHECK (kind IN ('plant', 'ordinary', 'product') OR kind GLOB 'plant-to-[01][0-9]'),
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

-- Every estimate, and for what is not estimated now the reason; a row that holds figures stays.
CREATE TABLE IF NOT EXISTS estimates (
    estimate    INTEGER PRIMARY KEY,
    -- BLAKE3 of the content, and the content: all of the specification that decides figures, as
    -- JSON with a version. Null for an estimate from before layout 3, which recorded neither
    identity    TEXT,
    content     TEXT,
    -- labels: the specification and its column, as in "3" and "4"
    specification TEXT NOT NULL,
    "column"    TEXT NOT NULL,
    -- the last year of its sample; `month` has the last month of each year
    through     INTEGER NOT NULL,
    -- the newest publication and file then
    publication INTEGER NOT NULL REFERENCES publications,
    vintage     INTEGER NOT NULL,
    -- the panel it was estimated on, and BLAKE3 over the stamps of its years
    panel       TEXT NOT NULL,
    stamp       TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('estimated', 'no-data', 'failed')),
    -- the model as JSON and the version of its fields; 0 is the JSON that layout 2 kept
    "schema"    INTEGER,
    model       TEXT,
    -- why there is none
    error       TEXT,
    -- the last month of each year of its sample; 12 for closed years
    month       INTEGER NOT NULL DEFAULT 12 CHECK (month BETWEEN 1 AND 12),
    CHECK ((identity IS NULL) = (content IS NULL)),
    CHECK ((state = 'estimated') = (model IS NOT NULL)),
    CHECK ((model IS NULL) = ("schema" IS NULL)),
    CHECK ((model IS NULL) <> (error IS NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS estimates_by_identity ON estimates (identity, through, month);

-- What an estimation left for the next one to begin from, and, by keys "goods" and year, the sums
-- of product panels; losing it costs time only.
CREATE TABLE IF NOT EXISTS memories (
    -- what it is of: the content of sample, effects and variables
    "key"   TEXT NOT NULL,
    name    TEXT NOT NULL,
    path    TEXT NOT NULL UNIQUE,
    hash    TEXT NOT NULL,
    n_bytes INTEGER NOT NULL,
    -- how often the manifest had been written then: the larger, the newer
    written INTEGER NOT NULL,
    PRIMARY KEY ("key", name)
) STRICT, WITHOUT ROWID;
