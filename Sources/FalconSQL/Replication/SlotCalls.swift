import FalconSchema
import FalconStorage

/// What a session may do with replication slots, with PostgreSQL's refusals.
struct SlotCalls {
    let session: Session
    private let context: FunctionContext

    /// Throws 42501 for whoever may not use slots.
    init(_ context: FunctionContext) throws(SQLError) {
        session = try FunctionLibrary.bridged(context)
        self.context = context
        guard session.database.mayReplicate(session.settings.user) else {
            throw SQLError(
                .insufficientPrivilege,
                "must be superuser or replication role to use replication slots")
        }
    }

    /// In the session's name, for whoever meets its slots in use.
    private var store: ReplicationSlotStore {
        ReplicationSlotStore(session.database.engine, user: session.processID)
    }

    func create(_ name: String, plugin: String) throws(SQLError) -> ReplicationSlot {
        try Self.check(name: name)
        let database = session.state.id
        if let slot = try find(name) { throw Self.exists(slot.name) }
        _ = try SlotPlugin(plugin)
        guard session.transaction.batch.isEmpty else {
            throw SQLError(
                .activeSQLTransaction,
                "cannot create logical replication slot in transaction that has performed writes")
        }
        let slot = try translated(name) { () throws(StorageError) in
            try store.create(name, format: plugin, database: database)
        }
        session.database.slotStatistics.forget(name)
        session.database.keepSlotsUp()
        return slot
    }

    func drop(_ name: String) throws(SQLError) {
        try translated(name) { () throws(StorageError) in try store.drop(name) }
        session.database.slotStatistics.forget(name)
    }

    /// - Returns: where the slot is now.
    func advance(_ name: String, to lsn: LSN) throws(SQLError) -> LSN {
        guard lsn > .zero else { throw SQLError(.internalError, "invalid target WAL LSN") }
        let slot = try usable(name)
        let end = try translated(name) { () throws(StorageError) in
            try session.database.engine.currentLSN()
        }
        let target = min(lsn, end)
        guard target >= slot.confirmedLSN else {
            throw SQLError(
                .objectNotInPrerequisiteState,
                "cannot advance replication slot to \(Self.text(target)), "
                    + "minimum is \(Self.text(slot.confirmedLSN))")
        }
        return try translated(name) { () throws(StorageError) in
            try store.advance(name, to: target)
        }
    }

    /// The next lines of a slot.
    /// - Parameters:
    ///   - limit: no transaction that ends after it; nil: all there are.
    ///   - rowLimit: ends behind the transaction that reaches so many lines; 0: does not; below: there are none.
    func changes(
        _ name: String, upTo limit: LSN?, rowLimit: Int, options words: [String], confirms: Bool
    ) throws(SQLError) -> SlotReading? {
        let slot = try usable(name)
        let plugin = try SlotPlugin(slot.format)
        let options = try plugin.options(words, slot: name)
        if rowLimit < 0 { return nil }
        let functions = context.session
        return try translated(name) { () throws(StorageError) in
            let reading = SlotReading(
                plugin, options, session.database.engine, log: try store.logIdentity(),
                database: slot.database
            ) { functions?.isCanceled ?? false }
            defer { session.database.slotStatistics.add(reading.decoded, to: name) }
            try store.read(name, upTo: limit, confirms: confirms) {
                slot, found throws(StorageError) in
                if functions?.isCanceled ?? false {
                    throw StorageError(.cancelled, kind: .retryable, "The reading was cancelled.")
                }
                return try reading.take(
                    found, of: slot, rowLimit: rowLimit == 0 ? .max : rowLimit)
            }
            return reading
        }
    }

    private func find(_ name: String) throws(SQLError) -> ReplicationSlot? {
        session.database.noteLostSlots()
        return try translated(name) { () throws(StorageError) in try store.slot(name) }
    }

    private func usable(_ name: String) throws(SQLError) -> ReplicationSlot {
        guard let slot = try find(name) else { throw Self.missing(name) }
        guard slot.database == session.state.id else {
            throw SQLError(
                .objectNotInPrerequisiteState,
                "replication slot \"\(name)\" was not created in this database")
        }
        return slot
    }

    /// As PostgreSQL writes it.
    private static func text(_ lsn: LSN) -> String {
        String(lsn.rawValue >> 32, radix: 16, uppercase: true) + "/"
            + String(lsn.rawValue & 0xFFFF_FFFF, radix: 16, uppercase: true)
    }

    // MARK: - Errors

    private func translated<R>(
        _ name: String, _ body: () throws(StorageError) -> R
    ) throws(SQLError) -> R {
        do throws(StorageError) {
            return try body()
        } catch {
            switch error.code {
            case .cancelled:
                try context.session?.checkInterrupts()
                throw SQLError(storage: error)
            case .notFound: throw Self.missing(name)
            case .alreadyExists: throw Self.exists(name)
            case .inUse:
                // It may be free by now, or be in use by the server itself.
                let user = store.activeUser(name).map { " for PID \($0)" } ?? ""
                throw SQLError(.objectInUse, "replication slot \"\(name)\" is active\(user)")
            case .outOfMemory where error.kind == .user:
                throw SQLError(
                    SQLState("53400"), "all replication slots are in use",
                    hint: "Free one or increase replication.max_slots.")
            case .targetUnreachable:
                throw SQLError(
                    .objectNotInPrerequisiteState,
                    "cannot read from logical replication slot \"\(name)\"",
                    detail: "This slot is lost: \(error.cause ?? error.message)",
                    hint: error.hint)
            default: throw SQLError(storage: error)
            }
        }
    }

    private static func missing(_ name: String) -> SQLError {
        SQLError(.undefinedObject, "replication slot \"\(name)\" does not exist")
    }

    private static func exists(_ name: String) -> SQLError {
        SQLError(.duplicateObject, "replication slot \"\(name)\" already exists")
    }

    private static func check(name: String) throws(SQLError) {
        if name.isEmpty {
            throw SQLError(SQLState("42602"), "replication slot name \"\" is too short")
        }
        if name.utf8.count > 63 {
            throw SQLError(SQLState("42622"), "replication slot name \"\(name)\" is too long")
        }
        let isValid = name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
        }
        if !isValid {
            throw SQLError(
                SQLState("42602"), "replication slot name \"\(name)\" contains invalid character",
                hint:
                    "Replication slot names may only contain lower case letters, numbers, and the "
                    + "underscore character.")
        }
    }
}
