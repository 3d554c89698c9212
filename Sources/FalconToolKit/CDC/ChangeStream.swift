import FalconChanges
import FalconStorage

/// One run: from where it begins, through the log, to where it ends.
final class ChangeStream {
    let report: ReportWriter
    let root: String
    let span: SpanOptions
    let isLive: Bool
    let reader: ChangeReader
    let formatter: ChangeFormatter
    let output: ChangeOutput
    /// The end of the last event that was read, and the moment of its commit.
    private var lastEnd = LSN.zero
    private var lastMicros: UInt64?
    private var lastHeartbeat: UInt64

    var context: ToolContext { report.context }
    var schema: SchemaHistory { formatter.schema }
    /// Changes from there on are shown.
    private var from: LSN = .zero
    /// The slot that the stream begins at.
    private var slot: ReplicationSlot?

    init(
        report: ReportWriter, root: String, span: SpanOptions, isLive: Bool,
        reader: ChangeReader, formatter: ChangeFormatter, output: ChangeOutput
    ) {
        self.report = report
        self.root = root
        self.span = span
        self.isLive = isLive
        self.reader = reader
        self.formatter = formatter
        self.output = output
        lastHeartbeat = report.context.environment.clock.monotonicNanos()
    }

    func run(_ condition: DirectoryCondition) throws(StorageError) {
        let isResumed = !output.cursor.isNew
        slot = try SlotPlace.find(span.slot, root: root, context.environment)
        // An embedding program's slot has no database, and its keys name none.
        if let slot, slot.database != DatabaseID(0) { formatter.limit(to: slot.database) }
        let asked = isResumed ? output.cursor.endLSN : slot?.confirmedLSN ?? span.fromLsn
        from = asked ?? .zero
        try start(asked)
        if span.snapshot, !isResumed {
            guard try takeSnapshot() else { return }
            from = output.cursor.endLSN
        }
        let isWhole = try follow()
        if context.isInterrupted, !span.follow || !isWhole {
            report.add(
                Finding(
                    .interrupted,
                    isWhole
                        ? "Interrupted; the stream is cut at a transaction."
                        : "Interrupted amid a large transaction; resume from \(output.cursor.endLSN)."
                ))
        }
        try output.settle(isLast: true)
        guard !span.follow, !context.shouldStop else { return }
        try end(condition, asked)
    }

    /// Shows what there is, and in follow mode what comes. False: broken off amid a transaction.
    private func follow() throws(StorageError) -> Bool {
        while !context.shouldStop {
            guard let event = try reader.next() else {
                if let resolved = resolvedLSN { try output.boundary(resolved) }
                guard span.follow, !isPastEnd(reader.closedTimestamp.microsSince1970) else { break }
                try output.settle(isLast: false)
                context.standardOutput.flush()
                if try !beat(isIdle: true) { context.pause(milliseconds: span.pollMs) }
                continue
            }
            switch try take(event) {
            case .goesOn: _ = try beat(isIdle: false)
            case .ended: return true
            case .brokenOff: return false
            }
        }
        return true
    }

    private enum Step {
        case goesOn, ended, brokenOff
    }

    private func isPastEnd(_ micros: UInt64) -> Bool { micros > span.untilTime ?? .max }

    private func take(_ event: ChangeEvent) throws(StorageError) -> Step {
        let previous = lastEnd
        switch event {
        case .checkpoint(let checkpoint):
            try schema.apply(checkpoint)
            return .goesOn
        case .ingest(let record, let lsn, let end):
            guard end <= span.untilLsn ?? .max,
                !isPastEnd(record.timestamp.microsSince1970)
            else { return .ended }
            try checkAbandoned()
            lastEnd = end
            lastMicros = record.wallMicros
            if isShown(lsn, record.timestamp) {
                try formatter.show(
                    record, ChangeHead(record, lsn: lsn, endLSN: end, after: previous))
            }
        case .transaction(let transaction):
            let timestamp = transaction.header.timestamp
            guard transaction.endLSN <= span.untilLsn ?? .max,
                !isPastEnd(timestamp.microsSince1970)
            else { return .ended }
            try checkAbandoned()
            if isShown(transaction.lsn, timestamp), isOfSlot(transaction) {
                let head = ChangeHead(transaction, after: previous)
                guard try formatter.show(transaction, head) else { return .brokenOff }
            } else {
                try formatter.skip(transaction)
            }
            lastEnd = transaction.endLSN
            lastMicros = transaction.header.wallMicros
        }
        try output.boundary(lastEnd)
        return .goesOn
    }

    private func isShown(_ lsn: LSN, _ timestamp: Timestamp) -> Bool {
        lsn >= from && timestamp > output.cursor.snapshot
            && timestamp.microsSince1970 >= span.fromTime ?? 0
    }

    private func isOfSlot(_ transaction: ChangeTransaction) -> Bool {
        slot.map { $0.database == transaction.header.database } ?? true
    }

    /// Throws when the stream was shown commits that the next start of the server then did not have.
    private func checkAbandoned() throws(StorageError) {
        for range in reader.abandoned where range.after < from && from < range.until {
            throw StorageError(
                .targetUnreachable, kind: .user,
                "The log was cut back to \(range.after) when the server started again, and the "
                    + "stream had come to \(from): what it showed between never took place.",
                hint: "Start over from a snapshot.")
        }
    }

    // MARK: Heartbeats

    /// What is known to be whole, beside a live server.
    private var resolvedLSN: LSN? {
        isLive && span.untilLsn == nil && span.untilTime == nil
            ? max(lastEnd, reader.resolvedLSN) : nil
    }

    /// True when it is time for a heartbeat, and one was shown.
    private func beat(isIdle: Bool) throws(StorageError) -> Bool {
        guard span.follow, span.heartbeatSeconds > 0 else { return false }
        let clock = context.environment.clock
        let now = clock.monotonicNanos()
        guard now &- lastHeartbeat >= UInt64(span.heartbeatSeconds) * 1_000_000_000 else {
            return false
        }
        lastHeartbeat = now
        let resolved = isIdle ? resolvedLSN ?? lastEnd : lastEnd
        let wall = clock.wallMicros()
        let behind = isIdle ? 0 : wall &- min(lastMicros ?? wall, wall)
        let known = max(reader.position, resolved)
        try formatter.dialect.heartbeat(
            Heartbeat(
                resolved: resolved, nowMicros: wall, lastMicros: lastMicros,
                lagBytes: isIdle ? 0 : known.rawValue - resolved.rawValue, lagMicros: behind))
        try output.boundary(resolved)
        try output.settle(isLast: false)
        context.standardOutput.flush()
        return true
    }

    // MARK: Beginning

    /// Looks where the kept log begins, and brings the schema it does not hold.
    private func start(_ asked: LSN?) throws(StorageError) {
        guard let first = try ChangeReader.firstLSN(root: root, context.fileSystem) else { return }
        if let asked, asked > .zero, asked < first {
            throw StorageError(
                .targetUnreachable, kind: .user,
                "The log begins at \(first); changes from \(asked) are no longer kept.",
                hint: "Use --from-lsn \(first), or start over from a snapshot.")
        }
        lastEnd = first
        guard first > ChangeReader.beginningLSN else { return }
        if asked == nil, !span.snapshot {
            report.add(
                Finding(
                    .cdcPartialLog, "The kept log begins at \(first).",
                    blastRadius: "changes before \(first) are not shown"))
        }
        // The schema of the log's own time lies over the newest; where the directory's tables are damaged
        // it is the only one.
        let checkpoint = try ChangeReader.firstCheckpoint(root: root, context.fileSystem)
        do throws(StorageError) {
            try schema.load(root: root, environment: context.environment)
        } catch {
            // The log's own catalog rows may do; a table they lack is reported by itself.
            if checkpoint == nil {
                report.add(
                    Finding(.cdcNoCatalog, "The directory's catalog cannot be read: \(error)"))
            }
        }
        if let checkpoint {
            schema.forgetNewest()
            try schema.apply(checkpoint)
        }
    }

    // MARK: End

    private func end(
        _ found: DirectoryCondition, _ asked: LSN?
    ) throws(StorageError) {
        var condition = found
        if lastMicros != nil, condition.problems.isEmpty {
            condition.noteCommits()
            for problem in condition.problems { report.add(Finding(refusal: problem)) }
        }
        try reportMissing(condition)
        for damage in reader.damages { report.add(Finding(.cdcDamage, damage)) }
        switch reader.verdict {
        case .clean: break
        case .tornTail(let end, let segment, let offset, let discarded):
            report.add(
                Finding(
                    .cdcTornTail,
                    "The log ends with \(discarded) bytes of an unfinished write.",
                    file: FileNames(root: root).walSegment(segment), offset: offset,
                    blastRadius:
                        "nothing that was acknowledged as durable; the log ends at \(end)"))
        case .corruption(let damage):
            if reader.damages.isEmpty { report.add(Finding(.cdcDamage, damage)) }
        }
        try checkAbandoned()
        let reached = max(reader.position, lastEnd)
        if let asked, asked > reached, !reader.verdict.isCorruption {
            throw StorageError(
                .targetUnreachable, kind: .user,
                "The log ends at \(reached), before \(asked).")
        }
    }

    /// What MANIFEST says was in the log and is not.
    private func reportMissing(_ condition: DirectoryCondition) throws(StorageError) {
        // An end that was asked for is not the log's.
        guard reader.hasEnded, let expectation = condition.expectation else { return }
        var missing = try reader.missingEnd(expectation)
        if missing == nil, !reader.verdict.isCorruption {
            missing = try LogExpectation.readIfSound(FileNames(root: root), context.fileSystem)
                .flatMap { reader.missingBeginning($0) }
        }
        if let missing { report.add(Finding(missingLog: missing)) }
    }
}
