-- The schema of an outbox, version 1. Later versions add a migration step to `file/mod.rs`.

-- The account, in one row. The URL is normalized.
CREATE TABLE account (
    api_key TEXT NOT NULL,
    base_url TEXT NOT NULL
) STRICT;

-- Pending reports. The checksum covers the other columns, as computed in `rows.rs`. The id is the number of the report
-- among all reports ever submitted.
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

-- Reports that left the outbox without being accepted. They stay until they are acknowledged. Ids are not reused. Up to
-- `timestamp` the columns match `report`; `created` is in milliseconds since 1970.
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

-- Counters of the reports that are no longer pending, in one row. `last` is at least the highest id deleted from
-- `report`. The number of submitted reports is `last` or the highest id in `report`, whichever is larger, so a submit
-- writes only the row of its report.
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
