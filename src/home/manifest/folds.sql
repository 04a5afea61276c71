-- Parts of the published tables that were put together: see `parts/fold`. The rows of `parts` stay,
-- since they say what was published when; their files are gone.

-- In place of the whole part of publication `first` and of the changes after it up to `last`.
CREATE TABLE IF NOT EXISTS folds (
    "table" TEXT NOT NULL,
    year    INTEGER NOT NULL,
    first   INTEGER NOT NULL REFERENCES publications,
    last    INTEGER NOT NULL REFERENCES publications,
    -- the rows as `last` left them; null where they are not wanted any more
    n_rows  INTEGER,
    path    TEXT UNIQUE,
    hash    TEXT,
    n_bytes INTEGER,
    PRIMARY KEY ("table", year, first)
) STRICT, WITHOUT ROWID;

-- What leads back from these rows.
CREATE TABLE IF NOT EXISTS undo_parts (
    "table" TEXT NOT NULL,
    year    INTEGER NOT NULL,
    first   INTEGER NOT NULL,
    -- the newest publication that it undoes
    newest  INTEGER NOT NULL REFERENCES publications,
    -- the publications that it leads back to, in order, with spaces between
    states  TEXT NOT NULL,
    n_rows  INTEGER NOT NULL,
    path    TEXT NOT NULL UNIQUE,
    hash    TEXT NOT NULL,
    n_bytes INTEGER NOT NULL,
    PRIMARY KEY ("table", year, first, newest),
    FOREIGN KEY ("table", year, first) REFERENCES folds
) STRICT, WITHOUT ROWID;
