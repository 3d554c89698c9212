extension ReplicationSlotStore {
    /// What a slot's reader meets, in log order.
    public struct Event: Sendable {
        /// A transaction, files from outside, or the schema as of a point of the log.
        public let event: ChangeEvent
        /// False: it was confirmed before, and is shown for the schema changes in it alone.
        public let isNew: Bool
    }

    /// What becomes of a walk after an event.
    public enum Step: Sendable {
        /// The next one.
        case goOn
        /// The walk ends behind the event.
        case endBehind
        /// The walk ends before the event, as if it had not been met.
        case endBefore
    }

    /// What ``poll(_:maximumTransactions:upTo:)`` found.
    public struct Changes: Sendable {
        /// Transactions of the slot's database that changed something, and files from outside, in commit order.
        public var events: [ChangeEvent] = []
        /// What to give to ``advance(_:to:)`` once they are done with.
        public var endLSN = LSN.zero
    }

    /// The next changes of a slot, at most so many and none that ends after `limit`. They come again until
    /// ``advance(_:to:)``. Throws as ``read(_:upTo:confirms:_:)`` does.
    public func poll(
        _ name: String, maximumTransactions: Int = 1000, upTo limit: LSN? = nil
    ) throws(StorageError) -> Changes {
        var changes = Changes()
        guard maximumTransactions > 0 else {
            changes.endLSN = try usable(try slot(name), name).confirmedLSN
            return changes
        }
        changes.endLSN = try read(name, upTo: limit, confirms: false) {
            slot, found throws(StorageError) in
            guard found.isNew else { return .goOn }
            switch found.event {
            case .checkpoint: return .goOn
            case .transaction(let transaction):
                guard transaction.header.database == slot.database,
                    try Self.hasChanges(transaction)
                else { return .goOn }
            case .ingest: break
            }
            changes.events.append(found.event)
            return changes.events.count < maximumTransactions ? .goOn : .endBehind
        }
        return changes
    }

    /// False for what the engine's own stores have written.
    public static func hasChanges(
        _ transaction: ChangeTransaction
    ) throws(StorageError) -> Bool {
        var isFound = false
        try transaction.forEachOperation { operation throws(StorageError) in
            isFound = operation.operationClass != .system
            return !isFound
        }
        return isFound
    }

    /// Confirms a slot's changes up to `lsn`, or up to the last transaction that ends there or before: they are not
    /// given again, and the log that they alone needed goes. Durable on return.
    ///
    /// Throws `invalid-argument` for an LSN before the confirmed one, and as ``read(_:upTo:confirms:_:)`` does.
    /// - Returns: the slot's new place.
    @discardableResult
    public func advance(_ name: String, to lsn: LSN) throws(StorageError) -> LSN {
        let slot = try usable(try slot(name), name)
        guard lsn >= slot.confirmedLSN else {
            throw .invalidArgument(
                "The replication slot '\(name)' cannot go back to \(lsn); it is at "
                    + "\(slot.confirmedLSN).")
        }
        return try walk(name, upTo: lsn, .always) { _, _ throws(StorageError) in .goOn }
    }

    /// Walks a slot's changes: first, as not new, what lies between the schema that the slot holds and its place;
    /// then, of every database, the transactions that end after its place and at or before `limit`.
    ///
    /// Throws `not-found`, `in-use` while another call uses the slot, `target-unreachable` when it is lost,
    /// `corruption` when the log is damaged, and what `body` throws; the slot is then where it was.
    /// - Parameters:
    ///   - confirms: moves the slot behind the changes, durably, after the last call of `body`. Where there were none
    ///     it may stay: a consumer that asks all the time must not write all the time.
    ///   - body: says whether the walk goes on.
    /// - Returns: the place behind the last event, or where the log is whole up to.
    @discardableResult
    public func read(
        _ name: String, upTo limit: LSN? = nil, confirms: Bool,
        _ body: (ReplicationSlot, Event) throws(StorageError) -> Step
    ) throws(StorageError) -> LSN {
        try walk(name, upTo: limit, confirms ? .ifWorthwhile : .never, body)
    }

    private enum Confirmation {
        case never, ifWorthwhile, always
    }

    /// Without changes a slot is moved when it would hold this much more of the log.
    private static let idleBytes: UInt64 = 64 << 10

    private func walk(
        _ name: String, upTo limit: LSN?, _ confirmation: Confirmation,
        _ body: (ReplicationSlot, Event) throws(StorageError) -> Step
    ) throws(StorageError) -> LSN {
        try using(name) { table throws(StorageError) in
            let slot = try usable(table.slot(name), name)
            var hasChanged = false
            var walk = try SlotWalk(slot, engine)
            try walk.run(upTo: limit ?? .max) { event, isNew throws(StorageError) in
                if isNew, !hasChanged {
                    if case .transaction(let transaction) = event {
                        hasChanged = try Self.hasChanges(transaction)
                    } else {
                        hasChanged = true
                    }
                }
                return try body(slot, Event(event: event, isNew: isNew))
            }
            // The log may have been given up while it was read: then what was read is whole all the same, but
            // its place is worth nothing.
            var moved = try usable(table.slot(name), name)
            let isWorthwhile =
                hasChanged || walk.end.rawValue &- moved.confirmedLSN.rawValue >= Self.idleBytes
            if confirmation == .always || (confirmation == .ifWorthwhile && isWorthwhile),
                walk.end > moved.confirmedLSN
            {
                moved.confirmedLSN = walk.end
                moved.restartLSN = max(moved.restartLSN, walk.restart)
                moved.confirmedMicros = engine.storeMicros
                try write(moved, table)
            }
            return walk.end
        }
    }

    private func usable(
        _ slot: ReplicationSlot?, _ name: String
    ) throws(StorageError) -> ReplicationSlot {
        guard let slot else { throw Self.missing(name) }
        guard let loss = slot.loss else { return slot }
        throw StorageError(
            .targetUnreachable, kind: .user, "The replication slot '\(name)' is lost.",
            cause: "\(loss.reason); changes after \(slot.confirmedLSN) can no longer be given",
            hint: "Drop it, make it again, and start over from a snapshot.")
    }
}

/// One walk along a slot's log.
struct SlotWalk {
    private let slot: ReplicationSlot
    private let reader: ChangeReader
    /// The log has the schema now and then.
    private let hasSchemas: Bool
    /// The place reached.
    private(set) var end: LSN
    /// The last schema in the log at or before ``end``; ``end`` itself where there are none.
    private(set) var restart: LSN

    init(_ slot: ReplicationSlot, _ engine: StorageEngine) throws(StorageError) {
        let side = try engine.writable()
        let published = side.pipeline.publishedEnd
        self.slot = slot
        hasSchemas = engine.options.catalogReader != nil
        end = slot.confirmedLSN
        restart = slot.restartLSN
        reader = try ChangeReader(
            root: engine.path, fileSystem: engine.environment.fileSystem, from: slot.restartLSN,
            mode: .follow)
        reader.vouch(for: published)
    }

    mutating func run(
        upTo limit: LSN,
        _ body: (ChangeEvent, Bool) throws(StorageError) -> ReplicationSlotStore.Step
    ) throws(StorageError) {
        /// Schemas since the last end of a transaction.
        var schema: LSN?
        while let event = try reader.next() {
            let eventEnd: LSN
            switch event {
            case .checkpoint:
                schema = reader.eventLSN
                _ = try body(event, false)
                continue
            case .transaction(let transaction): eventEnd = transaction.endLSN
            case .ingest(_, _, let ingestEnd): eventEnd = ingestEnd
            }
            guard eventEnd <= limit else { return }
            let step = try body(event, eventEnd > slot.confirmedLSN)
            if step == .endBefore { return }
            end = max(end, eventEnd)
            settle(schema)
            schema = nil
            if step == .endBehind { return }
        }
        // Nothing that ends before what is known to be whole can follow.
        end = max(end, min(reader.resolvedLSN, limit))
        settle(schema)
    }

    /// A schema before the place reached is where a later walk may begin.
    private mutating func settle(_ schema: LSN?) {
        if !hasSchemas { restart = max(restart, end) }
        if let schema, schema <= end { restart = max(restart, schema) }
    }
}
