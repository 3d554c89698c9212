import CFalconPlatform

/// What a read looks at: the memtables and the version of one moment. Immutable.
///
/// Counted by hand where it is borrowed (see ``ReadStateCell``), by ARC where an iterator keeps it.
final class ReadState: @unchecked Sendable {
    let active: MemtableLayer
    /// Newest first.
    let immutables: [MemtableLayer]
    let version: Version
    private let activeTable: Unmanaged<MemTable>
    private let immutableTables: UnsafeMutablePointer<Unmanaged<MemTable>>
    private let immutableCount: Int
    /// Not all immutable layers are memtables.
    private let hasOthers: Bool
    /// Borrowers not counted in a cell any more, plus ``ReadStateCell/shardBias`` for each shard
    /// that still has it. A word for the C atomics.
    fileprivate let count: UnsafeMutablePointer<UInt64>

    init(active: MemtableLayer, immutables: [MemtableLayer], version: Version) {
        self.active = active
        self.immutables = immutables
        self.version = version
        activeTable = .passUnretained(active.table)
        immutableCount = immutables.count
        hasOthers = immutables.contains { $0.adopted != nil || !$0.ingested.isEmpty }
        immutableTables = .allocate(capacity: max(immutables.count, 1))
        for (index, layer) in immutables.enumerated() {
            (immutableTables + index).initialize(to: .passUnretained(layer.table))
        }
        count = .allocate(capacity: 1)
        count.initialize(to: 0)
        active.table.tree.recycler?.countState(1)
    }

    deinit {
        active.table.tree.recycler?.countState(-1)
        immutableTables.deallocate()
        count.deallocate()
    }

    /// The newest version of `key` not above `timestamp`, in any layer.
    @inline(__always)
    func get(
        _ key: UnsafeRawBufferPointer, at timestamp: Timestamp, pin: inout BlockPin
    ) throws(StorageError) -> PointLookup {
        let found = activeTable._withUnsafeGuaranteedRef { $0.get(key, at: timestamp) }
        if case .absent = found {} else { return found }
        if hasOthers { return try getThroughLayers(key, at: timestamp, pin: &pin) }
        var index = 0
        while index < immutableCount {
            let found = immutableTables[index]._withUnsafeGuaranteedRef {
                $0.get(key, at: timestamp)
            }
            if case .absent = found {} else { return found }
            index &+= 1
        }
        return try version.get(key, at: timestamp, pin: &pin)
    }

    /// The same below the active memtable while a large batch or ingested files wait for MANIFEST.
    @inline(never)
    private func getThroughLayers(
        _ key: UnsafeRawBufferPointer, at timestamp: Timestamp, pin: inout BlockPin
    ) throws(StorageError) -> PointLookup {
        for layer in immutables {
            let found = layer.get(key, at: timestamp)
            if case .absent = found {} else { return found }
            for file in layer.ingested where file.mayContain(key) {
                let found = try file.reader(mayWait: pin.mayWait)
                    .get(key, at: timestamp, pin: &pin)
                if case .absent = found {} else { return found }
            }
        }
        return try version.get(key, at: timestamp, pin: &pin)
    }
}

/// Hands out the current ``ReadState`` without a lock, two atomic operations per read.
///
/// Split reference counting: a shard's word holds the state's address (48 bits) and how many borrowed
/// it there (16 bits), so that one fetch-add both finds and holds the state. A replaced state is
/// credited with what its words counted; a borrower that finds its word replaced settles with the
/// state itself. The bias keeps a state above zero until every shard's count has been credited.
///
/// A borrow lasts one point read; an iterator takes an ARC reference instead, so 65535 borrows per
/// shard, one per thread, are never reached.
final class ReadStateCell: @unchecked Sendable {
    fileprivate static let shardBias: UInt64 = 1 << 32
    private static let pointerMask: UInt64 = (1 << 48) - 1
    private static let one: UInt64 = 1 << 48

    let shards: ReaderShards
    /// Guarded by the engine's state lock: the same state, for those who hold the lock.
    private(set) var current: ReadState

    /// - Parameter shards: those the memtables of `state` and of all later ones were made with.
    init(_ state: ReadState, shards: ReaderShards = ReaderShards()) {
        self.shards = shards
        current = state
        publish(state, replacing: false)
    }

    deinit {
        for shard in 0..<ReaderShards.count {
            settle(falcon_exchange_u64(shards.word(shard), 0))
        }
    }

    /// Makes `state` the current one. Callers serialise among themselves.
    func replace(with state: ReadState) {
        current = state
        publish(state, replacing: true)
    }

    private func publish(_ state: ReadState, replacing: Bool) {
        let address = UInt64(UInt(bitPattern: Unmanaged.passRetained(state).toOpaque()))
        falcon_store_release_u64(state.count, Self.shardBias &* UInt64(ReaderShards.count))
        for shard in 0..<ReaderShards.count {
            let word = shards.word(shard)
            if replacing {
                settle(falcon_exchange_u64(word, address))
            } else {
                falcon_store_release_u64(word, address)
            }
        }
    }

    /// Credits a replaced word's borrows to its state and takes the shard's bias away.
    private func settle(_ word: UInt64) {
        guard word != 0 else { return }
        let state = Self.state(word)
        let borrowed = word >> 48
        let change = borrowed &- Self.shardBias
        let before = state._withUnsafeGuaranteedRef { falcon_fetch_add_u64($0.count, change) }
        if before &+ change == 0 { state.release() }
    }

    @inline(__always)
    private static func state(_ word: UInt64) -> Unmanaged<ReadState> {
        // The word came from `publish`, so the address is a live state's.
        Unmanaged.fromOpaque(
            // trap-ok: a published word is not zero
            UnsafeRawPointer(bitPattern: UInt(word & pointerMask)).unsafelyUnwrapped)
    }

    /// A borrowed state; give it back with ``release(_:)``.
    struct Borrow {
        let state: Unmanaged<ReadState>
        fileprivate let word: UnsafeMutableRawPointer
    }

    @inline(__always)
    func borrow() -> Borrow {
        let word = shards.word(Int(falcon_thread_ordinal()) & (ReaderShards.count - 1))
        let found = falcon_fetch_add_u64(word, Self.one)
        return Borrow(state: Self.state(found), word: word)
    }

    @inline(__always)
    func release(_ borrow: Borrow) {
        let address = UInt64(UInt(bitPattern: borrow.state.toOpaque()))
        var expected = falcon_load_relaxed_u64(borrow.word)
        while expected & Self.pointerMask == address {
            if falcon_cas_u64(borrow.word, &expected, expected &- Self.one) { return }
        }
        let before = borrow.state._withUnsafeGuaranteedRef {
            falcon_fetch_add_u64($0.count, UInt64.max)
        }
        if before == 1 { borrow.state.release() }
    }

    /// The current state, kept by ARC.
    func retained() -> ReadState {
        let borrow = borrow()
        defer { release(borrow) }
        return borrow.state.takeUnretainedValue()
    }
}
