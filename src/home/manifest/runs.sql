-- What came with layout 9. Made when it is not there.

-- The month sums of a file. A file without a row has none: they are computed from its segment.
CREATE TABLE IF NOT EXISTS runs (
    vintage INTEGER PRIMARY KEY REFERENCES files,
    path    TEXT NOT NULL UNIQUE,
    hash    TEXT NOT NULL,
    n_bytes INTEGER NOT NULL
) STRICT;
