import FalconSQL

/// Metrics of transactions.
extension AdminSource {
    func appendTransactions(_ database: SQLDatabase, _ out: inout MetricsText) {
        let counts = database.transactionCounts
        out.counter(
            "falcon_sql_transactions_committed_total", "Transactions that committed.",
            counts.committed)
        out.counter(
            "falcon_sql_transactions_aborted_total",
            "Transactions that were rolled back or failed.",
            counts.aborted)
        out.counter(
            "falcon_serialization_failures_total", "Transactions that failed with 40001.",
            counts.serializationFailures)
        out.counter(
            "falcon_deadlocks_total", "Transactions that failed with 40P01.", counts.deadlocks)
        out.gauge(
            "falcon_serializable_tracked",
            "Serializable transactions that are remembered, ended ones included.",
            counts.serializableTracked)
        let prepared = database.preparedTransactions
        out.gauge(
            "falcon_prepared_transactions",
            "Transactions that wait for COMMIT PREPARED or ROLLBACK PREPARED.", prepared.count)
        out.gauge(
            "falcon_prepared_transaction_oldest_seconds",
            "How long the oldest of them has waited.", prepared.oldestSeconds)
    }

    func appendInDoubt(_ counts: InDoubtCounts, _ out: inout MetricsText) {
        out.counter(
            "falcon_in_doubt_questions_total", "Times that in_doubt_command was run.",
            counts.questions)
        out.counter(
            "falcon_in_doubt_committed_total", "Prepared transactions committed as it said.",
            counts.committed)
        out.counter(
            "falcon_in_doubt_rolled_back_total", "Prepared transactions rolled back as it said.",
            counts.rolledBack)
        out.counter(
            "falcon_in_doubt_undecided_total", "Answers that said to ask later.",
            counts.undecided)
        out.counter(
            "falcon_in_doubt_failures_total",
            "Times that it failed, or its decision could not be carried out.", counts.failures)
    }
}
