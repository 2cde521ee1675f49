//! The number of the next report, as long as one process alone puts reports: then one statement is enough to put one, where
//! several are needed to find the number.

use std::cell::Cell;

use rusqlite::{Connection, Result};

use super::queries;
use super::queries::Put;
use super::transaction::in_transaction;
use crate::conversion::Conversion;
use crate::reporter::outbox::{Counters, Overflow};

/// What a connection knows of the next report.
#[derive(Debug, Default)]
pub(crate) struct Next(Cell<Known>);

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// The counters when the last report was put here, as far as it changed them. No more are pending by now, unless others
    /// have put reports.
    counters: Counters,
    /// Whether nobody else had put one since the one before.
    is_alone: bool,
}

impl Known {
    /// What is known after another report.
    fn after(self, counters: Counters) -> Self {
        Self { counters, is_alone: counters.submitted == self.counters.submitted.saturating_add(1) }
    }
}

impl Next {
    /// Stores a report, unless `most` are pending and none of them is to go for it.
    pub(crate) fn put(
        &self,
        connection: &Connection,
        conversion: &Conversion,
        most: u64,
        overflow: Overflow,
    ) -> Result<Put> {
        let known = self.0.get();
        let submitted = known.counters.submitted.saturating_add(1);
        let may_be_next = known.is_alone && known.counters.pending() < most;
        if may_be_next && queries::put_as(connection, submitted, conversion)? {
            self.0.set(known.after(Counters { submitted, ..known.counters }));
            return Ok(Put::Stored { has_dropped: false });
        }
        let (put, counters) = in_transaction(connection, |rows| {
            let counters = queries::counters(rows)?;
            Ok((queries::put(rows, &counters, conversion, most, overflow)?, counters))
        })?;
        let submitted = counters.submitted.saturating_add(u64::from(matches!(put, Put::Stored { .. })));
        self.0.set(known.after(Counters { submitted, ..counters }));
        Ok(put)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversion::{Channel, MessageId};
    use crate::reporter::outbox::Fate;

    const MOST: u64 = 100;

    /// Two connections to one database, as two processes have them.
    fn two(name: &str) -> [(Connection, Next); 2] {
        let path = std::path::Path::new(env!("OUT_DIR")).join(name);
        for ending in ["", "-wal", "-shm"] {
            std::fs::remove_file(format!("{}{ending}", path.display())).ok();
        }
        let connect = || (Connection::open(&path).unwrap(), Next::default());
        let [first, second] = [connect(), connect()];
        first.0.pragma_update(None, "journal_mode", "WAL").unwrap();
        first.0.execute_batch(include_str!("schema.sql")).unwrap();
        [first, second]
    }

    fn put_with(side: &(Connection, Next), id: &str, most: u64, overflow: Overflow) -> bool {
        let message_id = MessageId::new(id).unwrap();
        let report = Conversion { channel: Channel::Sms, message_id, delivered: true, timestamp: None };
        matches!(side.1.put(&side.0, &report, most, overflow).unwrap(), Put::Stored { .. })
    }

    fn put(side: &(Connection, Next), id: &str) {
        assert!(put_with(side, id, MOST, Overflow::Fail));
    }

    fn settle(side: &(Connection, Next), row: u64) {
        in_transaction(&side.0, |rows| queries::settle(rows, [(row, &Fate::Accepted)].into_iter())).unwrap();
    }

    fn counters(side: &(Connection, Next)) -> Counters {
        let counters = queries::counters(&side.0).unwrap();
        let rows: i64 = side.0.query_row("SELECT count(*) FROM report", [], |row| row.get(0)).unwrap();
        assert_eq!(u64::try_from(rows), Ok(counters.pending()));
        counters
    }

    #[test]
    fn one_who_is_alone_knows_the_next_number() {
        let [one, other] = two("next-alone");
        (0..5).for_each(|id| put(&one, &format!("alone-{id}")));
        assert!(one.1.0.get().is_alone);
        (1..4).for_each(|row| settle(&other, row));
        put(&one, "after");
        assert!(one.1.0.get().is_alone, "to settle is not to put");
        assert_eq!((counters(&one).submitted, counters(&one).pending()), (6, 3));
    }

    #[test]
    fn numbers_that_others_gave_are_not_given_again() {
        for settled in [vec![], vec![6], vec![6, 7], vec![7], vec![1, 2, 3, 4, 5, 6, 7]] {
            let [one, other] = two("next-others");
            (0..5).for_each(|id| put(&one, &format!("one-{id}")));
            (0..2).for_each(|id| put(&other, &format!("other-{id}")));
            settled.iter().for_each(|row| settle(&other, *row));
            put(&one, "after");
            assert!(!one.1.0.get().is_alone);
            let accepted = u64::try_from(settled.len()).unwrap();
            assert_eq!((counters(&one).submitted, counters(&one).accepted), (8, accepted), "{settled:?}");
        }
    }

    #[test]
    fn who_was_alone_goes_on_from_what_an_older_copy_of_the_file_holds() {
        let [one, other] = two("next-older");
        (0..9).for_each(|id| put(&one, &format!("older-{id}")));
        other.0.execute("DELETE FROM report WHERE id > 4", []).unwrap();
        put(&one, "after");
        assert_eq!((counters(&one).submitted, counters(&one).pending()), (5, 5));
    }

    #[test]
    fn a_later_report_of_the_same_key_replaces_the_earlier_one() {
        let [one, other] = two("next-replaced");
        (0..4).for_each(|id| put(&one, &format!("same-{}", id / 2)));
        assert!(one.1.0.get().is_alone);
        put(&other, "same-1");
        (0..2).for_each(|_| put(&one, "same-1"));
        assert_eq!((counters(&one).submitted, counters(&one).replaced, counters(&one).pending()), (7, 5, 2));
    }

    #[test]
    fn a_limit_is_kept_by_one_who_is_alone() {
        let [one, other] = two("next-full");
        let put = |id: &str| put_with(&one, id, 3, Overflow::Fail);
        assert!(put("1") && put("2") && put("3") && !put("4") && !put("5") && put("3"));
        settle(&other, 1);
        assert!(put("6") && !put("7"));
        assert!(put_with(&one, "8", 3, Overflow::DropOldest));
        assert_eq!((counters(&one).submitted, counters(&one).dropped, counters(&one).pending()), (6, 1, 3));
    }
}
