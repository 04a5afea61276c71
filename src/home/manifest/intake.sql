-- What layout 6 says of files beside their records. Made when it is not there.

-- What else is counted in a file: values 'rounded' to cents, and 'footers' between its lines.
CREATE TABLE IF NOT EXISTS file_notes (
    vintage INTEGER NOT NULL REFERENCES files,
    note    TEXT NOT NULL,
    n       INTEGER NOT NULL CHECK (n > 0),
    PRIMARY KEY (vintage, note)
) STRICT, WITHOUT ROWID;
