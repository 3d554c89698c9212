import FalconSchema
import FalconStorage
import Synchronization

/// A sequence's running state, outside transactions.
///
/// Values are reserved ahead by a small commit of their own. It is not waited for: the log keeps
/// order, so whoever commits a value durably has made its reservation durable with it.
final class SequenceState: Sendable {
    private struct State {
        var last: Int64
        /// False: `last` itself is the next value.
        var isCalled: Bool
        /// How many more values the stored state covers.
        var reserved: Int
    }
    private static let reservation = 32

    private let key: [UInt8]
    private let engine: StorageEngine
    private let state: Mutex<State>
    /// A reservation failed: the next value makes one anew.
    private let isReservationLost = Atomic<Bool>(false)

    init(
        _ sequence: SequenceEntry, database: DatabaseID, engine: StorageEngine, mayWait: Bool
    ) throws(SQLError) {
        self.engine = engine
        let key = CatalogKeys.key(database, CatalogKeys.sequenceStates, sequence.state)
        self.key = key
        let stored = try storage { () throws(StorageError) in
            try key.withRaw { key throws(StorageError) in
                try engine.get(key, at: engine.publishedTimestamp, mayWait: mayWait)
            }
        }
        var initial = State(
            last: sequence.first.last, isCalled: sequence.first.isCalled, reserved: 0)
        if let stored, stored.count == 9 {
            initial = stored.withRaw { raw in
                State(
                    last: Int64(littleEndian: raw.loadUnaligned(as: Int64.self)),
                    isCalled: raw[8] != 0, reserved: 0)
            }
        }
        state = Mutex(initial)
    }

    private static func exhausted(_ sequence: SequenceEntry) -> SQLError {
        sequence.increment > 0
            ? SQLError(
                SQLState("2200H"),
                "nextval: reached maximum value of sequence \"\(sequence.name)\" "
                    + "(\(sequence.maximum))")
            : SQLError(
                SQLState("2200H"),
                "nextval: reached minimum value of sequence \"\(sequence.name)\" "
                    + "(\(sequence.minimum))")
    }

    func next(_ sequence: SequenceEntry) throws(SQLError) -> Int64 {
        try state.withLock { state throws(SQLError) in
            if isReservationLost.exchange(false, ordering: .acquiring) { state.reserved = 0 }
            var value = state.last
            if state.isCalled {
                let (sum, overflow) = value.addingReportingOverflow(sequence.increment)
                if overflow || sum > sequence.maximum || sum < sequence.minimum {
                    guard sequence.isCycled else { throw Self.exhausted(sequence) }
                    value = sequence.increment > 0 ? sequence.minimum : sequence.maximum
                    state.reserved = 0
                } else {
                    value = sum
                }
            }
            if state.reserved == 0 {
                var ahead = value
                let span = sequence.increment.multipliedReportingOverflow(
                    by: Int64(Self.reservation - 1))
                let far = value.addingReportingOverflow(span.partialValue)
                let isInside =
                    !span.overflow && !far.overflow && far.partialValue <= sequence.maximum
                    && far.partialValue >= sequence.minimum
                if isInside { ahead = far.partialValue }
                try self.store(ahead, isCalled: true)
                state.reserved = isInside ? Self.reservation : 1
            }
            state.reserved -= 1
            state.last = value
            state.isCalled = true
            return value
        }
    }

    var position: SequencePosition { standing.position }

    /// Where it stands, and how many more values are reserved.
    var standing: (position: SequencePosition, ahead: Int) {
        state.withLock {
            (SequencePosition(last: $0.last, isCalled: $0.isCalled), $0.reserved)
        }
    }

    func set(_ value: Int64, isCalled: Bool) throws(SQLError) {
        try state.withLock { state throws(SQLError) in
            try self.store(value, isCalled: isCalled)
            state = State(last: value, isCalled: isCalled, reserved: 0)
        }
    }

    /// Deletes what is stored. Nobody may use it any more. A failure leaves a few bytes that nothing reads.
    func delete() {
        let batch = WriteBatch()
        try? key.withRaw { key throws(StorageError) in
            try batch.delete(key: key, class: .system)
        }
        engine.commit(batch, CommitOptions(durability: .buffered)) { _ in }
    }

    private func store(_ value: Int64, isCalled: Bool) throws(SQLError) {
        var bytes = ByteWriter(capacity: 9)
        bytes.appendFixed(value)
        bytes.append(isCalled ? 1 : 0)
        let key = key
        let engine = engine
        try storage { () throws(StorageError) in
            let batch = WriteBatch()
            try key.withRaw { key throws(StorageError) in
                try bytes.bytes.withRaw { value throws(StorageError) in
                    try batch.put(key: key, value: value, class: .system)
                }
            }
            engine.commit(batch, CommitOptions(durability: .buffered)) { [weak self] result in
                if case .failure = result {
                    self?.isReservationLost.store(true, ordering: .releasing)
                }
            }
        }
    }
}
