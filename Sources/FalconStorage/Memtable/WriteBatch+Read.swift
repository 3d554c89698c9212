extension WriteBatch {
    /// What the batch says of a key. The value is borrowed until the batch is emptied, spilled or dies; of a
    /// batch that has spilled, until the next lookup.
    public enum Lookup {
        /// Nothing: the committed state shows.
        case absent
        /// The key is deleted here, whatever is committed.
        case deleted
        /// What the key was last put with.
        case value(UnsafeRawBufferPointer)
    }

    /// One operation, borrowed until the batch is emptied, spilled or dies; of a batch that has spilled, until
    /// the next one is asked for. For a range delete `key` is the
    /// lower bound and `value` the upper.
    public struct Operation {
        /// Its place in the batch, from 0.
        public var ordinal: UInt32
        /// Put, delete or range delete.
        public var kind: OperationKind
        /// Which layer the key belongs to.
        public var `class`: OperationClass
        /// The statement behind it, for change capture.
        public var sql: SQLOperation
        /// The version of the table's descriptor that ``value`` was encoded with; 0: none.
        public var descriptorVersion: UInt32
        /// The key, or a range delete's lower bound.
        public var key: UnsafeRawBufferPointer
        /// The value; empty for a delete, a range delete's upper bound.
        public var value: UnsafeRawBufferPointer
        /// The row before the operation, where the writer gave it: for change capture.
        public var before: UnsafeRawBufferPointer?
    }

    /// The newest operation on `key` with an ordinal less than `below`, range deletes applied. Throws only
    /// when the batch has spilled and its files cannot be read.
    /// - Parameter mayWait: See ``ReadOptions/mayWait``.
    public func lookup(
        _ key: UnsafeRawBufferPointer, below ordinal: UInt32 = .max, mayWait: Bool = true
    ) throws(StorageError) -> Lookup {
        if operationCount == 0 || ordinal == 0 { return .absent }
        if spilled != nil { return try spilledLookup(key, below: ordinal, mayWait: mayWait) }
        return memoryLookup(key, below: ordinal)
    }

    /// The same of a batch that has not spilled.
    func memoryLookup(_ key: UnsafeRawBufferPointer, below ordinal: UInt32 = .max) -> Lookup {
        if operationCount == 0 || ordinal == 0 { return .absent }
        var cover: UInt32?
        if !rangeOrdinals.isEmpty { cover = newestRangeDelete(over: key, below: ordinal) }
        guard let entry = newestEntry(key, below: ordinal),
            cover.map({ UInt64($0) < entry.version }) ?? true
        else { return cover == nil ? .absent : .deleted }
        return entry.kind == .delete ? .deleted : .value(entry.value)
    }

    /// The ordinal of the put that ``lookup(_:below:)`` finds; nil where it finds none. Two lookups have found
    /// the same version of a key when this is the same.
    public func ordinalOfValue(
        _ key: UnsafeRawBufferPointer, below ordinal: UInt32 = .max, mayWait: Bool = true
    ) throws(StorageError) -> UInt32? {
        if operationCount == 0 || ordinal == 0 { return nil }
        if let entry = newestEntry(key, below: ordinal) {
            guard entry.kind != .delete, !isCovered(entry, below: ordinal) else { return nil }
            return UInt32(truncatingIfNeeded: entry.version)
        }
        guard let spilled,
            let found = try spilled.newest(key, below: ordinal, mayWait: mayWait),
            found.kind != .delete
        else { return nil }
        let cover = newestRangeDelete(over: key, below: ordinal)
        return cover.map { $0 > found.ordinal } ?? false ? nil : found.ordinal
    }

    private func isCovered(_ entry: ArenaEntry, below ordinal: UInt32) -> Bool {
        guard rangeDeleteCount > 0 else { return false }
        return newestRangeDelete(over: entry.key, below: ordinal).map { UInt64($0) > entry.version }
            ?? false
    }

    func newestEntry(_ key: UnsafeRawBufferPointer, below ordinal: UInt32) -> ArenaEntry? {
        let version = UInt64(ordinal) &- 1
        if let tree {
            var cursor = tree.lowerBound(key, version)
            while cursor.isValid {
                let entry = cursor.entry
                if KeyOrder.compare(entry.key, key) != 0 { return nil }
                if !entry.isDead { return entry }
                cursor.moveNext()
            }
            return nil
        }
        let position = smallLowerBound(key, version)
        guard position < indexCount else { return nil }
        let entry = smallEntry(position)
        return KeyOrder.compare(entry.key, key) == 0 ? entry : nil
    }

    /// The operation of that ordinal; nil when it was rolled back. Looping over
    /// `0..<nextOrdinal` visits the surviving operations in the WAL's order. Throws only when the batch has
    /// spilled and its files cannot be read.
    @inline(__always)
    public func operation(at ordinal: UInt32) throws(StorageError) -> Operation? {
        if ordinal < firstOrdinal { return try spilled?.operation(at: ordinal) }
        return memoryOperation(at: ordinal)
    }

    /// The same of an operation in memory; nil for any other.
    public func memoryOperation(at ordinal: UInt32) -> Operation? {
        guard ordinal < nextOrdinal, ordinal >= firstOrdinal else { return nil }
        let ref = refs[Int(ordinal &- firstOrdinal)]
        if ref == 0 { return nil }
        let entry = ArenaEntry(base + Int(ref))
        let value = entry.value
        let trailer = entry.keyStart + (entry.keyLength &+ value.count)
        var before: UnsafeRawBufferPointer?
        if trailer.load(fromByteOffset: 2, as: UInt8.self) != 0 {
            let length = trailer.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
            before = UnsafeRawBufferPointer(start: trailer + 12, count: Int(length))
        }
        return Operation(
            ordinal: ordinal, kind: entry.kind,
            class: OperationClass(rawValue: trailer.load(as: UInt8.self)) ?? .row,
            sql: SQLOperation(rawValue: trailer.load(fromByteOffset: 1, as: UInt8.self)) ?? .none,
            descriptorVersion: trailer.loadUnaligned(fromByteOffset: 4, as: UInt32.self),
            key: entry.key, value: value, before: before)
    }

    /// Bytes that the batch takes in memory: rolled back operations, tree nodes and offsets included. It
    /// only grows until the batch is emptied or spilled.
    public var memoryBytes: Int {
        let offsets = refCapacity > WriteBatch.smallLimit ? refCapacity &* 4 : 0
        return (tree?.arena.used ?? capacity) &+ offsets &+ (spilled?.memoryBytes ?? 0)
    }

    // MARK: - Range deletes

    /// Range deletes of the whole batch that were not rolled back.
    public var rangeDeleteCount: Int { rangeOrdinals.count &+ spilledRangeDeletes.count }

    /// Range deletes in memory with an ordinal less than `below`, oldest first: all of them unless the batch
    /// has spilled.
    public func rangeDeletes(below ordinal: UInt32 = .max) -> [Operation] {
        rangeOrdinals.compactMap { $0 < ordinal ? memoryOperation(at: $0) : nil }
    }

    /// All range deletes with an ordinal less than `below`, oldest first.
    func copiedRangeDeletes(below ordinal: UInt32 = .max) -> [BatchRangeDelete] {
        spilledRangeDeletes.filter { $0.ordinal < ordinal }
            + rangeDeletes(below: ordinal).map(BatchRangeDelete.init)
    }

    func newestRangeDelete(over key: UnsafeRawBufferPointer, below ordinal: UInt32) -> UInt32? {
        for candidate in rangeOrdinals.reversed() where candidate < ordinal {
            let entry = ArenaEntry(base + Int(refs[Int(candidate &- firstOrdinal)]))
            if KeyOrder.compare(entry.key, key) <= 0, KeyOrder.compare(key, entry.value) < 0 {
                return candidate
            }
        }
        return spilledRangeDeletes.isEmpty
            ? nil : spilledRangeDeletes.newest(over: key, below: ordinal)
    }

    // MARK: - Newest per key

    func newest(below ordinal: UInt32) -> NewestCursor { NewestCursor(self, below: ordinal) }

    /// Each key's newest operation with an ordinal less than `below`, in key order, kinds put and
    /// delete (a put under a later range delete shows as delete); timestamp is `.max`. Stays valid
    /// while the batch grows or spills; operations below the ordinal must not be rolled back meanwhile. Only of
    /// what is in memory: ``makeSpilledIterators(below:)`` are to be merged behind it.
    func makeIterator(below ordinal: UInt32 = .max) -> InternalIterator {
        WriteBatchIterator(self, below: ordinal)
    }
}
