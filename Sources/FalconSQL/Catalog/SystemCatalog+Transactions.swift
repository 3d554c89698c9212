import FalconSchema
import FalconStorage

/// The relations of schema `falcon`, which `SHOW falcon.name` also shows: what transactions do and did.
extension SystemCatalog {
    private static let workColumns =
        "statements int8,reads int8,inserts int8,updates int8,deletes int8,written_bytes int8"
    private static let summaryColumns =
        "txid int8,pid int4,username name,application_name text,isolation text,read_only bool,"
        + "xact_start timestamptz,xact_end timestamptz,duration_ms float8,outcome text,"
        + "sqlstate text,commit_lsn text," + workColumns

    static let transactionTables: [VirtualTable] = [
        VirtualTable(
            12_901, "txn", schema: "falcon",
            "txid int8,pid int4,username name,application_name text,isolation text,read_only bool,"
                + "state text,xact_start timestamptz,duration_ms float8," + workColumns
                + ",query text"
        ) { source in
            open(source).map { session, summary in
                let state = session.current
                return [
                    number(summary), .int(Int64(summary.processID)), name(summary.user),
                    .text(summary.application), .text(summary.isolation.rawValue),
                    .bool(summary.isReadOnly), .text(state.phase.rawValue),
                    .int(summary.start), milliseconds(summary.micros),
                ] + work(summary.work) + [shown(state.query, of: summary.user, to: source)]
            }
        },
        VirtualTable(12_902, "txn_history", schema: "falcon", summaryColumns) { source in
            source.database.statistics.history.reversed().map(row)
        },
        VirtualTable(
            12_903, "slow_txns", schema: "falcon", summaryColumns + ",query text"
        ) { source in
            guard let session = session(source) else { return [] }
            let threshold = session.settings.slowTransactionMS
            let running = open(source).compactMap { activity, summary -> TransactionSummary? in
                guard threshold >= 0, summary.micros >= Int64(threshold) &* 1000 else { return nil }
                var summary = summary
                summary.query = TransactionSummary.shortened(activity.current.query)
                return summary
            }
            return (running + source.database.statistics.slow.reversed()).map { summary in
                row(summary) + [shown(summary.query, of: summary.user, to: source)]
            }
        },
        VirtualTable(
            12_904, "txn_stats", schema: "falcon",
            "database name,active int8,committed int8,read_only int8,aborted int8,prepared int8,"
                + "serialization_failures int8,deadlocks int8,lock_timeouts int8,canceled int8,"
                + workColumns + ",p50_ms float8,p95_ms float8,p99_ms float8,max_ms float8,"
                + "since timestamptz"
        ) { source in
            guard let session = session(source) else { return [] }
            let activities = session.database.activities
            return session.database.databaseList.map { database in
                let active = activities.filter {
                    $0.database === database && $0.current.transactionStart != nil
                }
                return totals(
                    database, active: active.count, since: session.database.startMicros)
            }
        },
        VirtualTable(
            12_905, "gc_safepoint", schema: "falcon",
            "safepoint timestamptz,lag_ms float8,holder text,snapshots int8,pid int4,username name,"
                + "application_name text,state text,xact_start timestamptz,query text",
            rows: safepoint),
    ]

    private static func session(_ source: VirtualSource) -> Session? {
        (source.session as? SessionBridge)?.session
    }

    /// The open transactions of the database, by the process numbers of their sessions.
    private static func open(
        _ source: VirtualSource
    ) -> [(session: SessionActivity, summary: TransactionSummary)] {
        guard let session = session(source) else { return [] }
        let now = Session.nowMicros()
        return session.database.activities.compactMap { activity in
            guard activity.database === source.database,
                let start = activity.current.transactionStart
            else { return nil }
            let modes = activity.modes
            return (
                activity,
                TransactionSummary(
                    number: activity.owner.transactionNumber.withLock { $0 },
                    processID: activity.owner.processID, user: activity.user,
                    application: activity.applicationName, isolation: modes.isolation,
                    isReadOnly: modes.isReadOnly, start: start, end: now, outcome: .inProgress,
                    work: activity.progress.work)
            )
        }
    }

    private static func row(_ summary: TransactionSummary) -> [Datum] {
        [
            number(summary), .int(Int64(summary.processID)), name(summary.user),
            .text(summary.application), .text(summary.isolation.rawValue),
            .bool(summary.isReadOnly), .int(summary.start),
            summary.outcome == .inProgress ? .null : .int(summary.end),
            milliseconds(summary.micros), .text(summary.outcome.rawValue),
            summary.state.map { .text($0.rawValue) } ?? .null,
            summary.receipt.map { .text($0.lsn.description) } ?? .null,
        ] + work(summary.work)
    }

    private static func totals(
        _ database: DatabaseState, active: Int, since start: Int64
    ) -> [Datum] {
        let totals = database.statistics.totals
        let counts = [
            Int64(active), totals.committed, totals.readOnly, totals.aborted, totals.prepared,
            totals.aborted(by: .serializationFailure), totals.aborted(by: .deadlockDetected),
            totals.aborted(by: .lockNotAvailable), totals.aborted(by: .queryCanceled),
        ]
        let durations = totals.durations
        return [name(database.name)] + counts.map { .int($0) } + work(totals.work) + [
            milliseconds(durations.percentile(50)), milliseconds(durations.percentile(95)),
            milliseconds(durations.percentile(99)), milliseconds(durations.longest),
            .int(start),
        ]
    }

    /// Who keeps old versions: a session, by the name its snapshots carry, or nobody.
    @Sendable private static func safepoint(_ source: VirtualSource) throws(SQLError) -> [[Datum]] {
        guard let session = session(source) else { return [] }
        let report = session.database.engine.safepointReport()
        var holder = "none"
        var activity: SessionActivity?
        switch report.holder {
        case .none: break
        case .retention: holder = "retention"
        case .snapshot(let owner):
            holder = owner
            activity = session.database.activities.first {
                Transaction.snapshotOwner($0.owner.processID) == owner
            }
        }
        let state = activity?.current
        return [
            [
                .int(Int64(report.timestamp.microsSince2000)),
                milliseconds(Int64(report.lagMicros)),
                .text(holder), .int(Int64(report.snapshots)),
                activity.map { .int(Int64($0.owner.processID)) } ?? .null,
                activity.map { name($0.user) } ?? .null,
                activity.map { .text($0.applicationName) } ?? .null,
                state.map { .text($0.phase.rawValue) } ?? .null,
                state?.transactionStart.map { .int($0) } ?? .null,
                activity.map { shown($0.current.query, of: $0.user, to: source) } ?? .null,
            ]
        ]
    }

    private static func number(_ summary: TransactionSummary) -> Datum {
        summary.number.map { .int(Int64(bitPattern: $0)) } ?? .null
    }

    private static func milliseconds(_ micros: Int64) -> Datum { .float(Double(micros) / 1000) }

    private static func work(_ work: TransactionWork) -> [Datum] {
        [
            work.statements, work.reads, work.inserts, work.updates, work.deletes,
            work.writtenBytes,
        ].map { .int($0) }
    }
}
