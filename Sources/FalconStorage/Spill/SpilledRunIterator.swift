/// Walks a run's newest operation per key below an ordinal, all at timestamp `.max`: those of an overlay.
///
/// Backward, a key's newest operation is only known once the run's cursor stands before the key: it is copied.
final class SpilledRunIterator: InternalIterator {
    /// Holds the file.
    private let run: SpilledRun
    private let source: InternalIterator
    private let below: UInt32
    private let hiding: [BatchRangeDelete]
    @exclusivity(unchecked) private var isForward = true
    @exclusivity(unchecked) private var valid = false
    @exclusivity(unchecked) private var shownKind = OperationKind.put
    @exclusivity(unchecked) private var key = RawBuffer()
    @exclusivity(unchecked) private var copiedValue = RawBuffer()

    init(_ run: SpilledRun, below: UInt32, hiding: [BatchRangeDelete], keepsBlocks: Bool) {
        self.run = run
        self.below = below
        self.hiding = hiding
        source = run.makeIterator(keepsBlocks: keepsBlocks)
    }

    deinit {
        key.deallocate()
        copiedValue.deallocate()
    }

    override var isValid: Bool { valid }
    override var userKey: UnsafeRawBufferPointer { valid ? key.bytes : BlockPin.none }
    override var timestamp: Timestamp { .max }
    override var kind: OperationKind { shownKind }
    override var value: UnsafeRawBufferPointer {
        guard valid, shownKind != .delete else { return BlockPin.none }
        return isForward ? source.value : copiedValue.bytes
    }

    override func seekToFirst() throws(StorageError) {
        begin(forward: true)
        try source.seekToFirst()
        try settleForward()
    }

    override func seekToLast() throws(StorageError) {
        begin(forward: false)
        try source.seekToLast()
        try settleBackward()
    }

    override func seek(
        _ key: UnsafeRawBufferPointer, _ timestamp: Timestamp
    ) throws(StorageError) {
        begin(forward: true)
        try source.seek(key, .max)
        try settleForward()
    }

    override func seekBefore(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        begin(forward: false)
        try source.seekBefore(key)
        try settleBackward()
    }

    override func next() throws(StorageError) {
        guard valid else { return }
        if !isForward {
            // The cursor stands before the key.
            try source.seek(key.bytes, .max)
        }
        begin(forward: true)
        while source.isValid, KeyOrder.compare(source.userKey, key.bytes) == 0 {
            try source.next()
        }
        try settleForward()
    }

    override func previous() throws(StorageError) {
        guard valid else { return }
        if isForward { try source.seekBefore(key.bytes) }
        begin(forward: false)
        try settleBackward()
    }

    private func begin(forward: Bool) {
        isForward = forward
        valid = false
    }

    private func settleForward() throws(StorageError) {
        while source.isValid {
            let ordinal = SpilledRun.ordinal(of: source.timestamp)
            if ordinal < below {
                key.assign(source.userKey)
                return show(ordinal, source.kind)
            }
            try source.next()
        }
    }

    private func settleBackward() throws(StorageError) {
        while source.isValid {
            key.assign(source.userKey)
            var newest: (ordinal: UInt32, kind: OperationKind)?
            repeat {
                let ordinal = SpilledRun.ordinal(of: source.timestamp)
                if ordinal < below {
                    newest = (ordinal, source.kind)
                    copiedValue.assign(source.value)
                }
                try source.previous()
            } while source.isValid && KeyOrder.compare(source.userKey, key.bytes) == 0
            if let newest { return show(newest.ordinal, newest.kind) }
        }
    }

    private func show(_ ordinal: UInt32, _ kind: OperationKind) {
        valid = true
        shownKind = kind
        if !hiding.isEmpty, let cover = hiding.newest(over: key.bytes, below: .max),
            cover > ordinal
        {
            shownKind = .delete
        }
    }
}
