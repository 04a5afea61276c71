-- What can happen to a home after its files were accepted. Applied right after schema.sql.

-- A withdrawal and a rebuild are vintages too: they take the next number, so that each published
-- state has one of its own. publications.vintage is the newest number of either kind.

-- The vintage as which the file was withdrawn: its records have not counted since.
ALTER TABLE files ADD COLUMN withdrawn_at INTEGER;

DROP INDEX live_files_by_hash;
CREATE UNIQUE INDEX live_files_by_hash ON files (hash)
    WHERE superseded_by IS NULL AND withdrawn_at IS NULL AND lines > 0;

-- Annual cells as a publication left them; the newest two are kept.
CREATE TABLE snapshots (
    publication INTEGER PRIMARY KEY REFERENCES publications,
    n_cells     INTEGER NOT NULL,
    path        TEXT NOT NULL UNIQUE,
    hash        TEXT NOT NULL,
    n_bytes     INTEGER NOT NULL
) STRICT;

-- The options and tables that were recorded before a rebuild recorded others: they defined what was
-- published before the publication `until`.
CREATE TABLE former_settings (
    until INTEGER PRIMARY KEY REFERENCES publications,
    text  TEXT NOT NULL
) STRICT;
CREATE TABLE former_reference_tables (
    until INTEGER NOT NULL REFERENCES publications,
    name  TEXT NOT NULL,
    text  TEXT NOT NULL,
    PRIMARY KEY (until, name)
) STRICT, WITHOUT ROWID;
