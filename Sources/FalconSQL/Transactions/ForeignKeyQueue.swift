import FalconSchema

/// What a written row asks of a foreign key.
struct ForeignKeyEvent: Sendable {
    enum Kind: Sendable {
        /// A referencing row: the operation of the event's ordinal.
        case written
        /// A referenced row is gone; its key, in the order of the constraint's columns.
        case deleted([Datum])
        /// A referenced row has another key now.
        case changed(from: [Datum], to: [Datum])
        /// A row of a DEFERRABLE unique constraint, which `reference` names, may not be the only one.
        case unique(DeferrableEntry)
    }
    var reference: ForeignKeyReference
    var kind: Kind
    /// Of the write that asked.
    var ordinal: UInt32
    /// A deferred check that SET CONSTRAINTS … IMMEDIATE has done.
    var isDone = false

    /// Of the keys it holds.
    var valueBytes: Int {
        switch kind {
        case .written: 0
        case .deleted(let key): RowMemory.row(key)
        case .changed(let old, let new): RowMemory.row(old) &+ RowMemory.row(new)
        case .unique(let entry): entry.bytes.count &+ 48
        }
    }

    var isCheckOfRow: Bool {
        switch kind {
        case .written, .unique: true
        case .deleted, .changed: false
        }
    }
}

/// The foreign key checks and actions that a transaction still owes, as PostgreSQL's queue of constraint
/// triggers: those of the current statement, done at its end, and those deferred to the commit.
///
/// Events stand in the order of their writes, so that undoing writes is undoing a tail.
struct ForeignKeyQueue {
    /// What SET CONSTRAINTS said.
    struct Modes {
        var all: Bool?
        var named: [OID: Bool] = [:]
    }

    private(set) var immediate: [ForeignKeyEvent] = []
    /// How many of `immediate` are done.
    private(set) var next = 0
    private(set) var deferred: [ForeignKeyEvent] = []
    var modes = Modes()
    /// Of the keys that events hold.
    private var valueBytes = 0

    var isEmpty: Bool { immediate.isEmpty && deferred.isEmpty }
    var hasDeferred: Bool { !deferred.isEmpty }
    var memoryBytes: Int {
        valueBytes &+ (immediate.count &+ deferred.count) &* MemoryLayout<ForeignKeyEvent>.stride
    }

    func isDeferred(_ key: ForeignKeyDescriptor) -> Bool {
        key.isDeferrable && (modes.named[key.oid] ?? modes.all ?? key.isInitiallyDeferred)
    }

    /// Of a DEFERRABLE unique constraint.
    func isDeferred(_ index: IndexDescriptor) -> Bool {
        modes.named[index.oid] ?? modes.all ?? (index.deferral == .initiallyDeferred)
    }

    mutating func append(_ event: ForeignKeyEvent, isDeferred: Bool) {
        valueBytes &+= event.valueBytes
        if isDeferred { deferred.append(event) } else { immediate.append(event) }
    }

    /// The statement's next event; nil, and none is left, when all are done.
    mutating func nextImmediate() -> ForeignKeyEvent? {
        if next < immediate.count { return immediate[next] }
        if deferred.isEmpty {
            valueBytes = 0
        } else {
            for event in immediate { valueBytes &-= event.valueBytes }
        }
        immediate.removeAll(keepingCapacity: immediate.count <= 64)
        next = 0
        return nil
    }

    mutating func finishedImmediate() { next += 1 }

    mutating func finishedDeferred(_ index: Int) {
        if deferred.indices.contains(index) { deferred[index].isDone = true }
    }

    /// Forgets what writes from `ordinal` on asked for.
    mutating func undo(to ordinal: UInt32) {
        while let last = immediate.last, last.ordinal >= ordinal {
            valueBytes &-= last.valueBytes
            immediate.removeLast()
        }
        while let last = deferred.last, last.ordinal >= ordinal {
            valueBytes &-= last.valueBytes
            deferred.removeLast()
        }
        next = min(next, immediate.count)
    }

    /// ROLLBACK TO undoes SET CONSTRAINTS, too: what it did is to be done again.
    mutating func reopen(_ modes: Modes) {
        self.modes = modes
        for index in deferred.indices { deferred[index].isDone = false }
    }

    mutating func removeAll() {
        if isEmpty, modes.all == nil, modes.named.isEmpty { return }
        immediate.removeAll()
        deferred.removeAll()
        next = 0
        valueBytes = 0
        modes = Modes()
    }
}
