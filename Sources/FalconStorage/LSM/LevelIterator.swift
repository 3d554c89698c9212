/// A cursor over one sorted level: one table open at a time.
final class LevelIterator: InternalIterator {
    private let level: LevelFiles
    private let files: Range<Int>
    private let scan: TableScan
    @exclusivity(unchecked) private var position: Int
    private var table: InternalIterator? {
        didSet { current = table.map { .passUnretained($0) } }
    }
    /// ``table`` once more: reading it costs no retain.
    @exclusivity(unchecked) private var current: Unmanaged<InternalIterator>?

    /// - Parameter files: positions within `level`; all by default.
    init(_ level: LevelFiles, files: Range<Int>? = nil, _ scan: TableScan = TableScan()) {
        self.level = level
        self.files = files ?? 0..<level.count
        self.scan = scan
        position = -1
    }

    @exclusivity(unchecked) private var valid = false
    override var isValid: Bool { valid }
    override var userKey: UnsafeRawBufferPointer {
        current?._withUnsafeGuaranteedRef { $0.userKey }
            ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }
    override var timestamp: Timestamp {
        current?._withUnsafeGuaranteedRef { $0.timestamp } ?? .zero
    }
    override var kind: OperationKind { current?._withUnsafeGuaranteedRef { $0.kind } ?? .put }
    override var value: UnsafeRawBufferPointer {
        current?._withUnsafeGuaranteedRef { $0.value }
            ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }

    private func enter(_ index: Int) throws(StorageError) -> InternalIterator {
        if index == position, let table { return table }
        position = -1
        let iterator = try level.files[index].reader(mayWait: scan.mayWait).makeIterator(scan)
        table = iterator
        position = index
        return iterator
    }

    override func seekToFirst() throws(StorageError) {
        valid = false
        guard !files.isEmpty else { return }
        try enter(files.lowerBound).seekToFirst()
        try skipForward()
    }

    override func seekToLast() throws(StorageError) {
        valid = false
        guard !files.isEmpty else { return }
        try enter(files.upperBound - 1).seekToLast()
        try skipBackward()
    }

    override func seek(
        _ key: UnsafeRawBufferPointer, _ timestamp: Timestamp
    ) throws(StorageError) {
        valid = false
        let index = max(level.firstEndingAtOrAfter(key), files.lowerBound)
        guard index < files.upperBound else { return }
        try enter(index).seek(key, timestamp)
        try skipForward()
    }

    override func seekBefore(_ key: UnsafeRawBufferPointer) throws(StorageError) {
        valid = false
        guard !files.isEmpty else { return }
        let index = min(level.firstEndingAtOrAfter(key), files.upperBound - 1)
        guard index >= files.lowerBound else { return }
        try enter(index).seekBefore(key)
        try skipBackward()
    }

    override func next() throws(StorageError) {
        guard valid, let current else { return }
        valid = false
        if let failure = current._withUnsafeGuaranteedRef({ $0.attemptNext() }) { throw failure }
        if current._withUnsafeGuaranteedRef({ $0.isValid }) {
            valid = true
        } else {
            try skipForward()
        }
    }

    override func previous() throws(StorageError) {
        guard valid, let current else { return }
        valid = false
        if let failure = current._withUnsafeGuaranteedRef({ $0.attemptPrevious() }) {
            throw failure
        }
        if current._withUnsafeGuaranteedRef({ $0.isValid }) {
            valid = true
        } else {
            try skipBackward()
        }
    }

    private func skipForward() throws(StorageError) {
        while let table, !table.isValid {
            guard position + 1 < files.upperBound else { return }
            try enter(position + 1).seekToFirst()
        }
        valid = table != nil
    }

    private func skipBackward() throws(StorageError) {
        while let table, !table.isValid {
            guard position > files.lowerBound else { return }
            try enter(position - 1).seekToLast()
        }
        valid = table != nil
    }
}
