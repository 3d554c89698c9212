/// Named consumers of an engine's changes, each with its durable place in the log.
///
/// A slot holds the log from its place on, through restarts and crashes, until it is moved or dropped, or until it
/// is lost: see ``ReplicationSlotOptions``. A lost slot stays listed and gives an error, never a stream with a gap.
/// What a slot has given is given again until its place is confirmed. Thread-safe; all stores over one engine see
/// the same slots.
public final class ReplicationSlotStore: Sendable {
    let engine: StorageEngine
    private let user: Int32

    /// A store over `engine`, which it keeps alive.
    /// - Parameter user: a number for ``activeUser(_:)`` to name; 0: nobody's.
    public init(_ engine: StorageEngine, user: Int32 = 0) {
        self.engine = engine
        self.user = user
    }

    // MARK: - Slots

    /// Makes a slot that gives every transaction of `database` that commits from now on.
    ///
    /// Throws `invalid-argument` for a name that is none, `already-exists`, `out-of-memory` when there are
    /// ``ReplicationSlotOptions/maximumSlots``, and what the commit throws.
    /// - Parameter format: the form of its changes, for whoever reads it; at most 63 bytes.
    @discardableResult
    public func create(
        _ name: String, format: String = "", database: DatabaseID
    ) throws(StorageError) -> ReplicationSlot {
        guard Self.isName(name) else {
            throw .invalidArgument(
                "'\(name)' is no name of a replication slot.",
                hint: "Use 1 to 63 lower-case letters, digits and underscores.")
        }
        guard format.utf8.count < 64 else {
            throw .invalidArgument("The name of a slot's format has 63 bytes at most.")
        }
        return try using(name) { table throws(StorageError) in
            if table.slot(name) != nil { throw Self.exists(name) }
            guard table.all.count < table.options.maximumSlots else {
                throw Self.full(table.options)
            }
            do throws(StorageError) {
                let slot = try begin(name, format, database, table)
                try write(slot, table)
                return slot
            } catch {
                // After an outcome that is unknown the engine takes no more writes, and the next open looks.
                table.note(nil, as: name)
                throw error
            }
        }
    }

    /// The slot's place: a schema as of now in the log, and all that follows it.
    private func begin(
        _ name: String, _ format: String, _ database: DatabaseID, _ table: SlotTable
    ) throws(StorageError) -> ReplicationSlot {
        let side = try engine.writable()
        var restart = side.wal.nextLSN
        table.begin(name, at: restart)
        var confirmed = side.pipeline.publishedEnd
        if let end = try engine.logSchema() {
            confirmed = end
        } else {
            restart = max(restart, confirmed)
            confirmed = restart
        }
        let now = engine.storeMicros
        // The commit of its row is published after all that was logged before: who reads the tables once the slot is
        // made finds what its changes follow on.
        return ReplicationSlot(
            name: name, format: format, database: database, confirmedLSN: confirmed,
            restartLSN: restart, createdMicros: now, confirmedMicros: now)
    }

    /// Drops a slot; the log that it alone needed goes. Throws `not-found`, and `in-use` while another call reads it.
    public func drop(_ name: String) throws(StorageError) {
        try using(name) { table throws(StorageError) in
            guard table.slot(name) != nil else { throw Self.missing(name) }
            let batch = WriteBatch()
            try batch.deleteSystem(ReplicationSlot.key(name))
            try engine.commitAndWait(batch)
            table.note(nil, as: name)
        }
    }

    /// Every slot by name, lost ones included. Of an engine opened read-only: as the rows have them.
    public func list() throws(StorageError) -> [ReplicationSlot] {
        guard let side = engine.writeSide else { return try engine.storedSlots() }
        try side.slots.load(engine)
        return side.slots.all
    }

    /// The slot of that name; nil: there is none.
    public func slot(_ name: String) throws(StorageError) -> ReplicationSlot? {
        try list().first { $0.name == name }
    }

    /// A call reads, moves or drops the slot just now.
    public func isActive(_ name: String) -> Bool {
        engine.writeSide?.slots.user(of: name) != nil
    }

    /// The number of the store whose call uses the slot just now; nil: none does, or one that has no number.
    public func activeUser(_ name: String) -> Int32? {
        guard let user = engine.writeSide?.slots.user(of: name), user != 0 else { return nil }
        return user
    }

    /// The bytes of ended log segments that the slot holds; nothing else may hold them, or something may.
    public func heldBytes(_ slot: ReplicationSlot) -> UInt64 {
        engine.writeSide?.slots.heldBytes(slot) ?? 0
    }

    /// Bytes of log behind the slot's confirmed place: without what a crash leaves unused.
    public func behindBytes(_ slot: ReplicationSlot) throws(StorageError) -> UInt64 {
        let wal = try engine.writable().wal
        return wal.recordBytes(from: slot.confirmedLSN, to: wal.nextLSN)
    }

    /// The limits that the engine was opened with.
    public var options: ReplicationSlotOptions { engine.options.slots }

    /// What names the engine's log, and so its changes, among all others.
    public func logIdentity() throws(StorageError) -> UID {
        try ChangeReader.identity(root: engine.path, engine.environment.fileSystem) ?? .zero
    }

    // MARK: - Upkeep

    /// Gives up slots that nobody used for too long, and makes durable which are lost; to be called now and then.
    /// The cap of bytes holds without it.
    /// - Returns: the slots found lost by this call.
    @discardableResult
    public func maintain() throws(StorageError) -> [ReplicationSlot] {
        guard let side = engine.writeSide else { return [] }
        let table = side.slots
        var told = try noteLosses()
        var lost: [ReplicationSlot] = []
        let age = table.options.maximumAgeMicros
        let now = engine.storeMicros
        if age > 0 {
            for var slot in table.all where slot.loss == nil {
                guard now &- min(now, table.usedMicros(slot)) > age else { continue }
                slot.loss = .age
                lost.append(slot)
            }
        }
        told += try giveUp(lost, table)
        return told
    }

    /// Makes durable which slots lost their log, so that it can be told; ``maintain()`` does so, too.
    /// - Returns: the slots noted by this call.
    @discardableResult
    public func noteLosses() throws(StorageError) -> [ReplicationSlot] {
        guard let table = engine.writeSide?.slots else { return [] }
        try table.load(engine)
        return try giveUp(table.newlyLost, table)
    }

    private func giveUp(
        _ lost: [ReplicationSlot], _ table: SlotTable
    ) throws(StorageError) -> [ReplicationSlot] {
        var told: [ReplicationSlot] = []
        // One in use is looked at again the next time.
        for slot in lost where table.claim(slot.name, by: user) {
            defer { table.release(slot.name, at: engine.storeMicros) }
            guard var current = table.slot(slot.name), current.createdMicros == slot.createdMicros
            else { continue }
            current.loss = slot.loss
            try write(current, table)
            told.append(current)
        }
        return told
    }

    // MARK: - Parts

    func using<R>(
        _ name: String, _ body: (SlotTable) throws(StorageError) -> R
    ) throws(StorageError) -> R {
        let table = try engine.writable().slots
        try table.load(engine)
        guard table.claim(name, by: user) else {
            throw StorageError(
                .inUse, kind: .retryable, "The replication slot '\(name)' is in use.",
                hint: "Another call reads or moves it just now.")
        }
        defer { table.release(name, at: engine.storeMicros) }
        return try body(table)
    }

    func write(_ slot: ReplicationSlot, _ table: SlotTable) throws(StorageError) {
        let batch = WriteBatch()
        try batch.putSystem(ReplicationSlot.key(slot.name), slot.encoded())
        try engine.commitAndWait(batch)
        table.note(slot, as: slot.name)
    }

    private static func isName(_ name: String) -> Bool {
        (1...63).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
            }
    }

    static func missing(_ name: String) -> StorageError {
        StorageError(.notFound, kind: .user, "There is no replication slot '\(name)'.")
    }

    private static func exists(_ name: String) -> StorageError {
        StorageError(
            .alreadyExists, kind: .user, "There is a replication slot '\(name)' already.")
    }

    private static func full(_ options: ReplicationSlotOptions) -> StorageError {
        StorageError(
            .outOfMemory, kind: .user,
            "There are \(options.maximumSlots) replication slots, and no more are possible.",
            hint: "Drop one, or raise the maximum number of slots.")
    }
}
