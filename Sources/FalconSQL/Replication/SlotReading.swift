import FalconChanges
import FalconSchema
import FalconStorage

/// One call's reading of a slot: its transactions' lines, and where each is in the log.
final class SlotReading {
    struct Line {
        let lsn: LSN
        let transaction: UInt64
        let bytes: [UInt8]
    }

    /// Once it has so many bytes, a call returns no further transaction: the next call goes on.
    private static let maximumBytes = 256 << 20
    /// Memory is charged in pieces of this size.
    private static let chargeBytes = 1 << 20
    /// What a line takes beside its bytes: the array's head, its place in the list, the allocator's own.
    private static let lineOverhead = 128

    private(set) var lines: [Line] = []
    /// What was decoded: transactions that changed something, and the bytes of their records.
    private(set) var decoded = SlotStatistics.Totals()
    private var byteCount = 0
    private var chargedBytes = 0
    private let engine: StorageEngine
    private let formatter: ChangeFormatter
    private let written: Written
    private let budget: MemoryBudget?
    private var isSchemaKnown = false
    private var previousEnd = LSN.zero

    /// What the dialect has written of the transaction at hand.
    private final class Written {
        var lines: [[UInt8]] = []
        /// Told before a line is kept.
        var willKeep: ((Int) throws(StorageError) -> Void)?
    }

    /// - Parameter shouldStop: asked amid a transaction; true ends the reading.
    init(
        _ plugin: SlotPlugin, _ options: SlotPlugin.Options, _ engine: StorageEngine, log: UID,
        database: DatabaseID, shouldStop: @escaping () -> Bool
    ) {
        let written = Written()
        self.written = written
        self.engine = engine
        budget = engine.options.memoryBudget
        var selection = options.selection
        selection.database = database
        formatter = ChangeFormatter(
            schema: SchemaHistory(), selection: selection,
            dialect: ChangeDialect.make(plugin.dialect, options.dialect, log: log) {
                line throws(StorageError) in
                try written.willKeep?(line.count)
                written.lines.append(line)
            },
            shouldStop: shouldStop, onUnknown: { _, _ in })
        written.willKeep = { [unowned self] count throws(StorageError) in try charge(count) }
    }

    deinit {
        // First what it is charged for: with the charge the heap is trimmed of what is free.
        lines = []
        written.lines = []
        budget?.charge(.queries, -chargedBytes)
    }

    private func charge(_ count: Int) throws(StorageError) {
        byteCount += count + Self.lineOverhead
        guard let budget, byteCount > chargedBytes else { return }
        let more = max(Self.chargeBytes, byteCount - chargedBytes)
        guard budget.tryCharge(.queries, more) else {
            throw StorageError(
                .outOfMemory, kind: .retryable,
                "The slot's next transaction does not fit into the memory that is left.",
                hint:
                    "Use cdc-tail --slot, which holds none of them, and pg_replication_slot_advance; "
                    + "or raise storage.memory_budget.")
        }
        chargedBytes += more
    }

    /// Takes in what a slot's reader met. The walk ends when `rowLimit` is reached or what one call may hold, and before
    /// a transaction that finds no memory beside the earlier ones.
    func take(
        _ found: ReplicationSlotStore.Event, of slot: ReplicationSlot, rowLimit: Int
    ) throws(StorageError) -> ReplicationSlotStore.Step {
        switch found.event {
        case .checkpoint(let checkpoint):
            try formatter.schema.apply(checkpoint)
            isSchemaKnown = true
            return .goOn
        case .ingest(let record, let lsn, let end):
            defer { previousEnd = end }
            guard found.isNew else { return .goOn }
            try knowSchema()
            let head = ChangeHead(record, lsn: lsn, endLSN: end, after: previousEnd)
            try formatter.show(record, head)
            keep(lsn, end, transaction: 0)
        case .transaction(let transaction):
            defer { previousEnd = transaction.endLSN }
            guard found.isNew, transaction.header.database == slot.database else {
                try formatter.skip(transaction)
                return .goOn
            }
            try knowSchema()
            let head = ChangeHead(transaction, after: previousEnd)
            do throws(StorageError) {
                guard try formatter.show(transaction, head) else {
                    throw StorageError(.cancelled, kind: .retryable, "The reading was cancelled.")
                }
            } catch {
                guard error.code == .outOfMemory, !lines.isEmpty else { throw error }
                written.lines = []
                return .endBefore
            }
            if try ReplicationSlotStore.hasChanges(transaction) {
                decoded.add(bytes: transaction.byteCount)
            }
            keep(
                transaction.lsn, transaction.endLSN,
                transaction: transaction.header.transaction.rawValue)
        }
        return lines.count < rowLimit && byteCount < Self.maximumBytes ? .goOn : .endBehind
    }

    /// An engine that logs no schemas has the newest one only.
    private func knowSchema() throws(StorageError) {
        if isSchemaKnown { return }
        isSchemaKnown = true
        try formatter.schema.load(engine, at: engine.publishedTimestamp)
    }

    /// The last line of a transaction is its commit: its LSN is where the slot may be advanced to.
    private func keep(_ lsn: LSN, _ end: LSN, transaction: UInt64) {
        let last = written.lines.count - 1
        for (index, bytes) in written.lines.enumerated() {
            lines.append(
                Line(lsn: index == last ? end : lsn, transaction: transaction, bytes: bytes))
        }
        written.lines.removeAll(keepingCapacity: true)
    }
}
