-- What came with layout 5. Applied to a new home, or to one of layout 2 to 4.

-- When a publication was committed, in UTC to the second: YYYY-MM-DDTHH:MM:SSZ. Publications of
-- earlier layouts have no row, nor those committed while the system's clock was out of range.
CREATE TABLE commit_times (
    publication  INTEGER PRIMARY KEY REFERENCES publications,
    committed_at TEXT NOT NULL
) STRICT;
