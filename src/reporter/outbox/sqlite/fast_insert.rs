//! Inserts a report with a single statement if no other connection has inserted one since this connection last did,
//! because the next id is then known. Otherwise, a transaction first determines the id from the counters.

use std::cell::Cell;

use rusqlite::{Connection, Result};

use super::queries;
use super::queries::PutOutcome;
use super::transaction::in_transaction;
use crate::conversion::Conversion;
use crate::reporter::outbox::counters::Counters;
use crate::reporter::outbox::store::Overflow;

/// The state from which a connection derives the id of the next report.
#[derive(Debug, Default)]
pub(crate) struct FastInsert(Cell<Known>);

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// The counters that this connection last read, plus the reports that it inserted since. If no other connection
    /// has inserted a report since, at most `counters.pending()` reports are pending.
    counters: Counters,
    /// Whether no other connection inserted a report between the last two inserts of this one.
    is_sole_writer: bool,
}

impl Known {
    /// Returns the state after an insert that resulted in `counters`.
    fn after(self, counters: Counters) -> Self {
        Self { counters, is_sole_writer: counters.submitted == self.counters.submitted.saturating_add(1) }
    }
}

impl FastInsert {
    /// Like [`queries::put`], but needs no transaction if the next id is known.
    pub(crate) fn put(
        &self,
        connection: &Connection,
        conversion: &Conversion,
        max_pending: u64,
        overflow: Overflow,
    ) -> Result<PutOutcome> {
        let known = self.0.get();
        let submitted = known.counters.submitted.saturating_add(1);
        let may_be_next = known.is_sole_writer && known.counters.pending() < max_pending;
        if may_be_next && queries::put_with_id(connection, submitted, conversion)? {
            self.0.set(known.after(Counters { submitted, ..known.counters }));
            return Ok(PutOutcome::Stored { id: submitted, has_dropped: false, is_first_event: false });
        }
        let (put, counters) = in_transaction(connection, |rows| {
            let mut counters = queries::counters(rows)?;
            Ok((queries::put(rows, &mut counters, conversion, max_pending, overflow)?, counters))
        })?;
        self.0.set(known.after(counters));
        Ok(put)
    }

    /// Like [`FastInsert::put`], but stores many reports in one transaction. Calls `reports` after the transaction
    /// has begun.
    pub(crate) fn put_all<'a, I: Iterator<Item = &'a Conversion>>(
        &self,
        connection: &Connection,
        reports: impl FnOnce() -> I,
        max_pending: u64,
        overflow: Overflow,
    ) -> Result<Vec<PutOutcome>> {
        let (outcomes, known) = in_transaction(connection, |rows| {
            let mut counters = queries::counters(rows)?;
            let is_sole_writer = counters.submitted == self.0.get().counters.submitted;
            let put = |report| queries::put(rows, &mut counters, report, max_pending, overflow);
            let outcomes = reports().map(put).collect::<Result<_>>()?;
            Ok((outcomes, Known { counters, is_sole_writer }))
        })?;
        self.0.set(known);
        Ok(outcomes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversion::{Channel, MessageId};
    use crate::reporter::outbox::sqlite::wal::vfs;
    use crate::reporter::outbox::store::Disposition;

    const MAX_PENDING: u64 = 100;

    /// Opens two connections to one database, which represent two processes.
    fn two(name: &str) -> [(Connection, FastInsert); 2] {
        let path = std::path::Path::new(env!("OUT_DIR")).join(name);
        for ending in ["", "-wal", "-shm"] {
            std::fs::remove_file(format!("{}{ending}", path.display())).ok();
        }
        // Registers the VFS first: SQLite could not release a lock acquired before its locking functions were
        // replaced.
        assert!(vfs::file_system().is_some());
        let connect = || (Connection::open(&path).unwrap(), FastInsert::default());
        let [first, second] = [connect(), connect()];
        first.0.pragma_update(None, "journal_mode", "WAL").unwrap();
        first.0.execute_batch(include_str!("schema.sql")).unwrap();
        [first, second]
    }

    fn report(id: &str) -> Conversion {
        let message_id = MessageId::new(id).unwrap();
        Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None }
    }

    fn put_with(side: &(Connection, FastInsert), id: &str, max_pending: u64, overflow: Overflow) -> bool {
        matches!(side.1.put(&side.0, &report(id), max_pending, overflow).unwrap(), PutOutcome::Stored { .. })
    }

    fn put(side: &(Connection, FastInsert), id: &str) {
        assert!(put_with(side, id, MAX_PENDING, Overflow::Fail));
    }

    fn complete(side: &(Connection, FastInsert), row: u64) {
        in_transaction(&side.0, |rows| queries::complete(rows, [(row, &Disposition::Accepted)].into_iter())).unwrap();
    }

    fn counters(side: &(Connection, FastInsert)) -> Counters {
        let counters = queries::counters(&side.0).unwrap();
        let rows: i64 = side.0.query_row("SELECT count(*) FROM report", [], |row| row.get(0)).unwrap();
        assert_eq!(u64::try_from(rows), Ok(counters.pending()));
        counters
    }

    #[test]
    fn sole_writer_knows_the_next_id() {
        let [one, other] = two("next-alone");
        (0..5).for_each(|id| put(&one, &format!("alone-{id}")));
        assert!(one.1.0.get().is_sole_writer);
        (1..4).for_each(|row| complete(&other, row));
        put(&one, "after");
        assert!(one.1.0.get().is_sole_writer, "completing a report must not count as inserting one");
        assert_eq!((counters(&one).submitted, counters(&one).pending()), (6, 3));
    }

    #[test]
    fn ids_used_by_others_are_not_reused() {
        for completed in [vec![], vec![6], vec![6, 7], vec![7], vec![1, 2, 3, 4, 5, 6, 7]] {
            let [one, other] = two("next-others");
            (0..5).for_each(|id| put(&one, &format!("one-{id}")));
            (0..2).for_each(|id| put(&other, &format!("other-{id}")));
            completed.iter().for_each(|row| complete(&other, *row));
            put(&one, "after");
            assert!(!one.1.0.get().is_sole_writer);
            let accepted = u64::try_from(completed.len()).unwrap();
            assert_eq!((counters(&one).submitted, counters(&one).accepted), (8, accepted), "{completed:?}");
        }
    }

    fn put_group(side: &(Connection, FastInsert), ids: &[&str], max_pending: u64, overflow: Overflow) -> Vec<bool> {
        let reports: Vec<_> = ids.iter().map(|id| report(id)).collect();
        let outcomes = side.1.put_all(&side.0, || reports.iter(), max_pending, overflow).unwrap();
        outcomes.iter().map(|outcome| matches!(outcome, PutOutcome::Stored { .. })).collect()
    }

    #[test]
    fn group_is_stored_like_single_reports() {
        let [one, other] = two("next-group");
        put(&one, "1");
        assert_eq!(put_group(&one, &["2", "1", "3", "3"], MAX_PENDING, Overflow::Fail), [true; 4]);
        assert!(one.1.0.get().is_sole_writer);
        assert_eq!(one.1.0.get().counters, counters(&one));
        assert_eq!((counters(&one).submitted, counters(&one).replaced, counters(&one).pending()), (5, 2, 3));
        put(&one, "4");
        assert!(one.1.0.get().is_sole_writer);
        put(&other, "5");
        assert_eq!(put_group(&one, &["6"], MAX_PENDING, Overflow::Fail), [true]);
        assert!(!one.1.0.get().is_sole_writer);
        assert_eq!(put_group(&one, &["7", "6", "8", "9"], 7, Overflow::Fail), [true, true, false, false]);
        assert_eq!(put_group(&one, &["7", "8", "9"], 7, Overflow::DropOldest), [true; 3]);
        assert_eq!(one.1.0.get().counters, counters(&one));
        assert_eq!((counters(&one).dropped, counters(&one).pending()), (2, 7));
    }

    #[test]
    fn only_the_first_event_of_a_group_is_reported_as_the_first() {
        let [one, _] = two("next-first-event");
        let put_all = |ids: [&str; 4]| {
            let reports = ids.map(report);
            let outcomes = one.1.put_all(&one.0, || reports.iter(), 2, Overflow::DropOldest).unwrap();
            let is_first = |put: &PutOutcome| matches!(put, PutOutcome::Stored { is_first_event: true, .. });
            outcomes.iter().map(is_first).collect::<Vec<_>>()
        };
        assert_eq!(put_all(["1", "2", "3", "4"]), [false, false, true, false]);
        assert_eq!(put_all(["5", "5", "6", "7"]), [false; 4]);
    }

    #[test]
    fn sole_writer_continues_from_a_restored_older_file() {
        let [one, other] = two("next-older");
        (0..9).for_each(|id| put(&one, &format!("older-{id}")));
        other.0.execute("DELETE FROM report WHERE id > 4", []).unwrap();
        put(&one, "after");
        assert_eq!((counters(&one).submitted, counters(&one).pending()), (5, 5));
    }

    #[test]
    fn later_report_with_the_same_key_replaces_the_earlier_one() {
        let [one, other] = two("next-replaced");
        (0..4).for_each(|id| put(&one, &format!("same-{}", id / 2)));
        assert!(one.1.0.get().is_sole_writer);
        put(&other, "same-1");
        (0..2).for_each(|_| put(&one, "same-1"));
        assert_eq!((counters(&one).submitted, counters(&one).replaced, counters(&one).pending()), (7, 5, 2));
    }

    #[test]
    fn sole_writer_respects_the_limit() {
        let [one, other] = two("next-full");
        let put = |id: &str| put_with(&one, id, 3, Overflow::Fail);
        assert!(put("1") && put("2") && put("3") && !put("4") && !put("5") && put("3"));
        complete(&other, 1);
        assert!(put("6") && !put("7"));
        assert!(put_with(&one, "8", 3, Overflow::DropOldest));
        assert_eq!((counters(&one).submitted, counters(&one).dropped, counters(&one).pending()), (6, 1, 3));
    }
}
