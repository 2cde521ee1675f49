-- The outbox, version 1. A later version adds a step of its own to `file.rs`, from this one to it.

-- Whose reports these are. One row.
CREATE TABLE account (
    api_key TEXT NOT NULL,
    base_url TEXT NOT NULL
) STRICT;

-- What is pending. An id is the number of the report among all that were ever accepted.
CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    channel INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    timestamp INTEGER,
    wall INTEGER NOT NULL,
    uptime INTEGER NOT NULL,
    boot INTEGER NOT NULL,
    UNIQUE (message_id, channel)
) STRICT;

-- What was set aside and waits to be fetched, the oldest first. Up to `timestamp` its columns are those of `report`.
CREATE TABLE aside (
    id INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    channel INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    timestamp INTEGER,
    reason INTEGER NOT NULL,
    http_status INTEGER,
    message TEXT NOT NULL
) STRICT;

-- What became of all others. One row. `last` is the highest id that is not to be found in `report` any more: as many were
-- accepted as the higher of it and the highest there. So a report that is accepted writes no row but its own.
CREATE TABLE tally (
    last INTEGER NOT NULL DEFAULT 0,
    sent INTEGER NOT NULL DEFAULT 0,
    refused INTEGER NOT NULL DEFAULT 0,
    expired INTEGER NOT NULL DEFAULT 0,
    replaced INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0,
    forgotten INTEGER NOT NULL DEFAULT 0
) STRICT;

INSERT INTO tally DEFAULT VALUES;
