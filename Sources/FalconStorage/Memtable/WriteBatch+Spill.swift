/// A batch whose older operations lie in files.
extension WriteBatch {
    /// Part of the batch, or all that it held, is in files. Its reads may wait for the disk, and fail.
    public var hasSpilled: Bool { spilled != nil }

    /// Where the operations in memory begin: those before it are in files.
    public var firstOrdinalInMemory: UInt32 { firstOrdinal }

    func spilledLookup(
        _ key: UnsafeRawBufferPointer, below ordinal: UInt32, mayWait: Bool
    ) throws(StorageError) -> Lookup {
        var cover: UInt32?
        if rangeDeleteCount > 0 { cover = newestRangeDelete(over: key, below: ordinal) }
        if let entry = newestEntry(key, below: ordinal) {
            if let cover, UInt64(cover) > entry.version { return .deleted }
            return entry.kind == .delete ? .deleted : .value(entry.value)
        }
        guard let found = try spilled?.newest(key, below: ordinal, mayWait: mayWait),
            cover.map({ $0 < found.ordinal }) ?? true
        else { return cover == nil ? .absent : .deleted }
        return found.kind == .delete ? .deleted : .value(found.value)
    }

    /// Cursors over what has spilled, as ``makeIterator(below:)`` makes one over the memory, newest first: where
    /// several stand on a key, the first has its newest operation.
    func makeSpilledIterators(
        below ordinal: UInt32 = .max, keepsBlocks: Bool = true
    ) throws(StorageError) -> [InternalIterator] {
        guard let spilled else { return [] }
        return try spilled.makeIterators(
            below: ordinal, hiding: copiedRangeDeletes(below: ordinal), keepsBlocks: keepsBlocks)
    }

    /// Makes the memory empty, after its operations went to `spilled`, and goes on in `tree`. The old tree lives
    /// as long as cursors over it; what was borrowed from it otherwise dies.
    func goOn(in tree: EntryTree, after spilled: SpilledWrites) {
        spilledRangeDeletes = copiedRangeDeletes()
        rangeOrdinals = []
        self.spilled = spilled
        self.tree = tree
        base = tree.arena.base
        firstOrdinal = nextOrdinal
    }

    func rollbackSpilled(toOrdinal ordinal: UInt32) {
        guard let spilled else { return }
        let dropped = spilled.rollback(toOrdinal: ordinal)
        operationCount &-= dropped.operations
        byteCount &-= dropped.bytes
        spilledRangeDeletes.removeAll { $0.ordinal >= ordinal }
    }
}
