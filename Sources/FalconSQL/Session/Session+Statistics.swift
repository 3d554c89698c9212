import FalconSchema
import FalconStorage

extension Session {
    /// Enters the transaction, which is about to be forgotten, into its database's statistics.
    func noteTransaction(_ outcome: TransactionSummary.Outcome, _ receipt: CommitReceipt? = nil) {
        guard transaction.isActive else { return }
        stopTransactionTimer()
        var summary = TransactionSummary(
            number: transactionNumber, processID: processID, user: settings.user,
            application: activity.applicationName, isolation: transaction.isolation,
            isReadOnly: transaction.isReadOnly, start: transaction.startMicros,
            end: Self.nowMicros(), outcome: outcome, state: outcome == .aborted ? failure : nil,
            work: transaction.progress.work, receipt: receipt)
        failure = nil
        let isSlow =
            settings.slowTransactionMS >= 0
            && summary.micros >= Int64(settings.slowTransactionMS) &* 1000
        if isSlow { summary.query = TransactionSummary.shortened(lastStatement) }
        state.statistics.add(
            summary,
            isListed: isSlow || receipt != nil || block != .implicit || outcome != .committed,
            isSlow: isSlow)
    }

    /// A statement is complete.
    func noteStatement(_ run: StatementRun) {
        // It may just have been set.
        startTransactionTimer()
        if case .transaction = run.prepared.statement { return }
        transaction.progress.endedStatement(writtenBytes: transaction.batch.byteCount)
    }
}
