import FalconSchema
import FalconStorage

/// What all table reads share: decoding a stored row into the plan's registers, and the filter.
class TableReadOperator: Operator {
    let node: ScanNode
    let codec: RowCodec
    let projection: RowProjection
    private let filter: BoundExpression?
    /// Set when nothing but the row's key is needed.
    let keyProjection: KeyProjection?
    private let progress: TransactionProgress
    /// Rows the filter refused.
    @exclusivity(unchecked) final var removedRows: Int64 = 0

    init(_ executor: PlanExecutor, _ node: ScanNode) {
        self.node = node
        codec = RowCodec(node.table)
        projection = RowProjection(
            columnsToSlots: node.columns.map { (Int($0.attribute) - 1, $0.slot) }, of: node.table)
        filter = node.filter
        progress = executor.transaction.progress
        keyProjection = KeyProjection(node.columns, of: node.table)
        super.init(executor)
    }

    @inline(__always)
    final func decode(_ value: UnsafeRawBufferPointer) throws(SQLError) {
        try codec.decode(value, projection, into: row.slots)
    }

    /// Decodes the row at `key`; false when the statement sees none.
    @inline(__always)
    final func load(_ key: UnsafeRawBufferPointer) throws(SQLError) -> Bool {
        if let keyProjection {
            guard try executor.hasRow(key) else { return false }
            try keyProjection.decode(key, into: row.slots)
            return true
        }
        return try executor.withRow(key) { value throws(SQLError) in try self.decode(value) }
    }

    /// Decodes the row at which `iterator` stands; a large one is read when more than its key is needed.
    @inline(__always)
    final func load(_ iterator: RangeIterator) throws(SQLError) {
        guard iterator.hasDeferredValue else { return try decode(iterator.value) }
        if let keyProjection { return try keyProjection.decode(iterator.key, into: row.slots) }
        try decode(try storage { () throws(StorageError) in try iterator.readValue() })
    }

    /// Whether the decoded row passes; sets the row key's slot when it does.
    @inline(__always)
    final func accept(_ key: UnsafeRawBufferPointer) throws(SQLError) -> Bool {
        progress.read()
        if let filter, try !filter.isTrue(row) {
            removedRows += 1
            return false
        }
        if let slot = node.rowKeySlot { row.slots[slot] = .bytes(Array(key)) }
        return true
    }
}

/// At most one row, by a unique index whose columns are all given.
final class PointScanOperator: TableReadOperator {
    private let encoder: BoundsEncoder
    private let isPrimary: Bool
    private let tablePrefix: [UInt8]
    private var key = ByteWriter(capacity: 64)
    private var rowKey = ByteWriter(capacity: 64)
    private var isDone = true

    init(
        _ executor: PlanExecutor, _ node: ScanNode, _ index: IndexDescriptor, _ bounds: IndexBounds
    ) {
        encoder = BoundsEncoder(table: node.table, index: index, bounds: bounds)
        isPrimary = index.isPrimary
        tablePrefix = CatalogKeys.prefix(node.table.database, node.table.storageID)
        super.init(executor, node)
    }

    override func open() throws(SQLError) { isDone = false }

    override func next() throws(SQLError) -> Bool {
        if isDone { return false }
        isDone = true
        key.bytes.removeAll(keepingCapacity: true)
        guard try encoder.appendPoint(row, to: &key) else { return false }
        if isPrimary {
            return try key.bytes.withRaw { key throws(SQLError) -> Bool in
                guard try self.load(key) else { return false }
                return try self.accept(key)
            }
        }
        rowKey.bytes.removeAll(keepingCapacity: true)
        rowKey.append(contentsOf: tablePrefix)
        let hasEntry = try key.bytes.withRaw { key throws(SQLError) -> Bool in
            try executor.withRow(key) { suffix throws(SQLError) in
                self.rowKey.append(contentsOf: suffix)
            }
        }
        guard hasEntry else { return false }
        return try rowKey.bytes.withRaw { key throws(SQLError) -> Bool in
            guard try self.load(key) else { return false }
            return try self.accept(key)
        }
    }
}

/// A table's rows in key order, all or those in the ranges of its primary key.
class RangeScanOperator: TableReadOperator {
    fileprivate let encoder: BoundsEncoder?
    fileprivate let isReverse: Bool
    fileprivate let prefix: [UInt8]
    private var intervals: [KeyInterval] = []
    private var nextInterval = 0
    fileprivate var iterator: RangeIterator?
    private var isPositioned = false

    init(
        _ executor: PlanExecutor, _ node: ScanNode, encoder: BoundsEncoder?, isReverse: Bool
    ) {
        self.encoder = encoder
        self.isReverse = isReverse
        prefix = CatalogKeys.prefix(node.table.database, node.table.storageID)
        super.init(executor, node)
    }

    override func open() throws(SQLError) {
        iterator = nil
        if let encoder {
            intervals = try encoder.intervals(row)
        } else {
            intervals = [KeyInterval(lower: prefix, upper: KeyOrder.prefixSuccessor(prefix))]
        }
        if isReverse { intervals.reverse() }
        nextInterval = 0
    }

    override func close() {
        iterator = nil
        intervals = []
    }

    /// Moves to the next entry; false at the end of the last range.
    fileprivate final func advance() throws(SQLError) -> Bool {
        while true {
            try executor.checkInterrupts()
            if let iterator {
                if isPositioned {
                    if isReverse {
                        try storage { () throws(StorageError) in try iterator.previous() }
                    } else {
                        try storage { () throws(StorageError) in try iterator.next() }
                    }
                } else {
                    isPositioned = true
                    if isReverse {
                        try storage { () throws(StorageError) in try iterator.seekToLast() }
                    } else {
                        try storage { () throws(StorageError) in try iterator.seekToFirst() }
                    }
                }
                if iterator.isValid { return true }
                self.iterator = nil
            }
            guard nextInterval < intervals.count else { return false }
            let interval = intervals[nextInterval]
            nextInterval += 1
            iterator = try executor.makeIterator(
                KeyRange(lower: interval.lower, upper: interval.upper))
            isPositioned = false
        }
    }

    override func next() throws(SQLError) -> Bool {
        while try advance() {
            guard let iterator else { return false }
            try load(iterator)
            if try accept(iterator.key) { return true }
        }
        return false
    }
}

/// Rows by ranges of a secondary index, each fetched from the table by the key in its entry.
final class IndexScanOperator: RangeScanOperator {
    private let isUnique: Bool
    private var rowKey = ByteWriter(capacity: 64)

    init(
        _ executor: PlanExecutor, _ node: ScanNode, _ index: IndexDescriptor,
        _ bounds: IndexBounds, isReverse: Bool
    ) {
        isUnique = index.isUnique
        super.init(
            executor, node,
            encoder: BoundsEncoder(table: node.table, index: index, bounds: bounds),
            isReverse: isReverse)
    }

    override func next() throws(SQLError) -> Bool {
        while try advance() {
            guard let iterator else { return false }
            rowKey.bytes.removeAll(keepingCapacity: true)
            rowKey.append(contentsOf: prefix)
            let entry = try storage { () throws(StorageError) in try iterator.readValue() }
            guard
                IndexEntry.appendRowSuffix(
                    key: iterator.key, value: entry, isUnique: isUnique, to: &rowKey)
            else { throw SQLError(.dataCorrupted, "index entry is damaged") }
            let isAccepted = try rowKey.bytes.withRaw { key throws(SQLError) -> Bool in
                guard try self.load(key) else { return false }
                return try self.accept(key)
            }
            if isAccepted { return true }
        }
        return false
    }
}

/// What index entries look like.
///
///     unique       prefix, columns [, row suffix when a column is NULL] -> row suffix
///     not unique   prefix, columns, row suffix                          -> length of the suffix, u16 LE
///
/// The row suffix is the row's table key after its prefix.
enum IndexEntry {
    static func appendRowSuffix(
        key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, isUnique: Bool,
        to writer: inout ByteWriter
    ) -> Bool {
        if isUnique {
            writer.append(contentsOf: value)
            return true
        }
        guard value.count == 2 else { return false }
        let count = Int(UInt16(littleEndian: value.loadUnaligned(as: UInt16.self)))
        guard count <= key.count else { return false }
        writer.append(contentsOf: UnsafeRawBufferPointer(rebasing: key[(key.count - count)...]))
        return true
    }
}
