-- The schema of an outbox, version 1. Each later version needs a migration step in `file/mod.rs`.

-- The account, in one row. The URL is normalized.
CREATE TABLE account (
    api_key TEXT NOT NULL,
    base_url TEXT NOT NULL
) STRICT;

-- Pending reports. `id` numbers all reports ever submitted, starting at 1. `timestamp` is in seconds since 1970.
-- `wall`, `uptime` and `boot` are the time of the submit (see `clock.rs`). `checksum` covers the other columns (see
-- `rows.rs`).
CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    channel INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    timestamp INTEGER,
    wall INTEGER NOT NULL,
    uptime INTEGER NOT NULL,
    boot INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    UNIQUE (message_id, channel)
) STRICT;

-- Events: reports that were rejected, that expired or that were dropped. They stay until they are acknowledged or
-- discarded. Ids are not reused. The columns from `message_id` to `timestamp` are the same as in `report`; `created`
-- is in milliseconds since 1970.
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    channel INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    timestamp INTEGER,
    kind INTEGER NOT NULL,
    http_status INTEGER,
    message TEXT NOT NULL,
    created INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;

-- Counters of the events and of the reports that are no longer pending, in one row. `last` is at least the highest id
-- deleted from `report`. The number of submitted reports is `last` or the highest id in `report`, whichever is
-- larger, so a submit that neither replaces nor drops a report does not write this row. `last_event` is the highest
-- event id used.
CREATE TABLE counters (
    last INTEGER NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0,
    expired INTEGER NOT NULL DEFAULT 0,
    replaced INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0,
    damaged INTEGER NOT NULL DEFAULT 0,
    events INTEGER NOT NULL DEFAULT 0,
    events_discarded INTEGER NOT NULL DEFAULT 0,
    last_event INTEGER NOT NULL DEFAULT 0
) STRICT;

INSERT INTO counters DEFAULT VALUES;
