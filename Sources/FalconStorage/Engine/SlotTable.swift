import Synchronization

/// The slots of an open engine, as its rows have them, and the hold on the log that follows from them. Thread-safe.
final class SlotTable: Sendable {
    private struct State {
        /// Nil until the rows were read.
        var slots: [String: ReplicationSlot]?
        /// Slots that were found lost when the rows were read, whose rows do not say so.
        var unnoted: Set<String> = []
        /// Slots that a call reads, moves or drops just now, and whose it is; 0: nobody's that has a number.
        var busy: [String: Int32] = [:]
        /// Where slots begin whose first row is being written.
        var beginnings: [String: LSN] = [:]
        /// When each was last used; the engine's open at the earliest.
        var usedMicros: [String: UInt64] = [:]
    }

    let options: ReplicationSlotOptions
    private let wal: WALWriter
    private let openedMicros: UInt64
    private let state = Mutex(State())

    /// Holds all of the log, within the cap, until the rows are read.
    init(_ options: ReplicationSlotOptions, wal: WALWriter, openedMicros: UInt64) {
        self.options = options
        self.wal = wal
        self.openedMicros = openedMicros
        wal.holdForSlots(from: .zero, capBytes: options.maximumBytes)
    }

    /// Reads the rows, once; the log is then held for what they say.
    func load(_ engine: StorageEngine) throws(StorageError) {
        if state.withLock({ $0.slots != nil }) { return }
        let first = wal.firstKeptLSN
        var found: [String: ReplicationSlot] = [:]
        var unnoted: Set<String> = []
        for var slot in try engine.storedSlots() {
            if slot.loss == nil, slot.restartLSN < first {
                slot.loss = reason(slot)
                unnoted.insert(slot.name)
            }
            found[slot.name] = slot
        }
        state.withLock { state in
            guard state.slots == nil else { return }
            state.slots = found
            state.unnoted = unnoted
        }
        hold()
    }

    /// Why a slot's log is not there: a crash may have come between the log's going and the note of it. What was
    /// within the cap did not go for its size.
    private func reason(_ slot: ReplicationSlot) -> ReplicationSlot.Loss {
        let distance = wal.recordBytes(from: slot.restartLSN, to: wal.nextLSN)
        // The cap counts whole segments.
        let most = UInt64(wal.options.segmentBytes)
        return distance > options.maximumBytes &- min(options.maximumBytes, most)
            ? .bytes : .logMissing
    }

    /// By name; a slot whose log was given up meanwhile is lost.
    var all: [ReplicationSlot] {
        let floor = wal.slotFloor
        let known = state.withLock { Array(($0.slots ?? [:]).values) }
        return known.map { $0.bounded(by: floor) }.sorted { $0.name < $1.name }
    }

    func slot(_ name: String) -> ReplicationSlot? {
        let floor = wal.slotFloor
        return state.withLock { $0.slots?[name] }?.bounded(by: floor)
    }

    /// The row of `slot.name` says this now, or is gone.
    func note(_ slot: ReplicationSlot?, as name: String) {
        state.withLock { state in
            state.slots?[name] = slot
            state.beginnings[name] = nil
            state.unnoted.remove(name)
            if slot == nil { state.usedMicros[name] = nil }
        }
        hold()
    }

    /// False when another call uses the slot.
    func claim(_ name: String, by user: Int32) -> Bool {
        state.withLock { state in
            guard state.busy[name] == nil else { return false }
            state.busy[name] = user
            return true
        }
    }

    func release(_ name: String, at micros: UInt64) {
        state.withLock { state in
            state.busy[name] = nil
            state.usedMicros[name] = micros
        }
    }

    /// Whose call uses the slot; nil: no call does.
    func user(of name: String) -> Int32? { state.withLock { $0.busy[name] } }

    /// When the slot was last used, as far as its age counts.
    func usedMicros(_ slot: ReplicationSlot) -> UInt64 {
        let used = state.withLock { $0.usedMicros[slot.name] }
        return max(used ?? openedMicros, slot.confirmedMicros)
    }

    /// Those whose rows do not say yet that they are lost.
    var newlyLost: [ReplicationSlot] {
        let (stored, unnoted) = state.withLock { ($0.slots ?? [:], $0.unnoted) }
        return all.filter {
            $0.loss != nil && (stored[$0.name]?.loss == nil || unnoted.contains($0.name))
        }
    }

    /// What a slot holds of the log beyond the segment that is written to.
    func heldBytes(_ slot: ReplicationSlot) -> UInt64 {
        slot.loss == nil ? wal.endedBytes(from: slot.restartLSN) : 0
    }

    /// Until ``note(_:as:)``, nothing from `lsn` on may go.
    func begin(_ name: String, at lsn: LSN) {
        state.withLock { $0.beginnings[name] = lsn }
        hold()
    }

    private func hold() {
        // Under the lock: two calls must not set their holds in the other order.
        state.withLock { state in
            guard let slots = state.slots else { return }
            let floor = wal.slotFloor
            var needed = Array(state.beginnings.values)
            for slot in slots.values where slot.loss == nil && slot.restartLSN >= floor {
                needed.append(slot.restartLSN)
            }
            wal.holdForSlots(from: needed.min(), capBytes: options.maximumBytes)
        }
    }
}

extension ReplicationSlot {
    fileprivate func bounded(by floor: LSN) -> ReplicationSlot {
        var slot = self
        if slot.loss == nil, slot.restartLSN < floor { slot.loss = .bytes }
        return slot
    }
}

extension StorageEngine {
    /// The slots as their rows have them.
    func storedSlots() throws(StorageError) -> [ReplicationSlot] {
        var found: [ReplicationSlot] = []
        try forEach(in: SystemKey.range(.replicationSlots)) { key, value throws(StorageError) in
            guard let slot = ReplicationSlot(key: key, value: value) else {
                throw StorageError(
                    .corruption, kind: .bug, "The row of a replication slot makes no sense.",
                    cause: "storage id 42 of database 0, a key of \(key.count) bytes")
            }
            found.append(slot)
            return true
        }
        return found
    }
}
