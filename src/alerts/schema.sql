-- Alerts of a home: the state of each unit, the alerts, and their messages to sinks.
--
-- The manifest does not depend on this file. Without it, alerts begin at the newest publication.

-- The last publication whose figures were judged.
CREATE TABLE progress (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    vintage     INTEGER NOT NULL,
    -- YYYYMM; null before the first closed month
    last_closed INTEGER
) STRICT;

-- The state of each unit of each rule.
CREATE TABLE units (
    rule            TEXT NOT NULL,
    key             TEXT NOT NULL,
    month           INTEGER,
    raised          INTEGER NOT NULL CHECK (raised BETWEEN -1 AND 1),
    alert           TEXT,
    n_normal        INTEGER NOT NULL,
    n_normal_before INTEGER NOT NULL,
    sign            INTEGER NOT NULL CHECK (sign BETWEEN -1 AND 1),
    PRIMARY KEY (rule, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT NOT NULL UNIQUE,
    rule            TEXT NOT NULL,
    vintage         INTEGER NOT NULL,
    -- times are UTC, to the second
    raised_at       TEXT NOT NULL,
    cleared_at      TEXT,
    cleared_vintage INTEGER,
    acknowledged_at TEXT,
    -- the alert as JSON
    content         TEXT NOT NULL
) STRICT;

-- Messages, assembled from alerts before the first attempt, so that a repeat has the same
-- identifier. Times are milliseconds since 1970.
CREATE TABLE messages (
    id           TEXT PRIMARY KEY,
    sink         TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    n_attempts   INTEGER NOT NULL DEFAULT 0,
    attempted_at INTEGER,
    next_at      INTEGER NOT NULL,
    error        TEXT,
    delivered_at INTEGER
) STRICT;

-- The alerts that a sink gets; the message is null until it is assembled.
CREATE TABLE outbox (
    alert   TEXT NOT NULL REFERENCES alerts (id),
    sink    TEXT NOT NULL,
    message TEXT REFERENCES messages (id),
    PRIMARY KEY (alert, sink)
) STRICT, WITHOUT ROWID;
