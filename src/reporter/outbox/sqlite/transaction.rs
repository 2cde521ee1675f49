//! A transaction that uses cached statements. The one in rusqlite prepares its statements each time.

use rusqlite::{Connection, Result};

/// A transaction that is rolled back when dropped, unless it was committed.
struct Transaction<'a>(&'a Connection);

/// Runs `work` in a transaction that holds the write lock from the start.
pub(crate) fn in_transaction<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    run(connection, "BEGIN IMMEDIATE")?;
    let transaction = Transaction(connection);
    let result = work(transaction.0)?;
    run(transaction.0, "COMMIT")?;
    Ok(result)
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            // If this fails and the transaction stays open, the next `BEGIN` returns an error.
            run(self.0, "ROLLBACK").ok();
        }
    }
}

fn run(connection: &Connection, statement: &str) -> Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_transaction_is_rolled_back() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (x UNIQUE)").unwrap();
        let count = || connection.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap();
        let insert = |rows: &Connection| rows.execute("INSERT INTO t VALUES (1)", []);
        assert!(in_transaction(&connection, |rows| insert(rows).and_then(|_| insert(rows))).is_err());
        assert_eq!((count(), connection.is_autocommit()), (0, true));
        in_transaction(&connection, insert).unwrap();
        assert_eq!((count(), connection.is_autocommit()), (1, true));
    }
}
