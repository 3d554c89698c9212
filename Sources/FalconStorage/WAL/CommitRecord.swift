/// What a COMMIT says about its transaction, besides the operations.
public struct CommitHeader: Sendable, Hashable {
    /// Its number.
    public var transaction: TransactionID
    /// The version number of every write.
    public var timestamp: Timestamp
    /// True wall time in microseconds since 1970.
    public var wallMicros: UInt64
    /// The database it belongs to; 0: the shared keyspace.
    public var database: DatabaseID
    /// Reserved for replication: 0.
    public var origin: UInt32
    /// The leader's term; 0 on a single node.
    public var epoch: UInt64
    /// BATCH_PARTs of this transaction before the COMMIT.
    public var partCount: UInt32
    /// Operations inside this record, those of BATCH_PARTs not counted.
    public var operationCount: UInt32
    /// Of the request that it carried out, where one was given; no writer of the engine gives any.
    public var idempotencyKey: [UInt8]?

    /// A header; for the engine's own commits the pipeline fills it.
    public init(
        transaction: TransactionID, timestamp: Timestamp, wallMicros: UInt64,
        database: DatabaseID = DatabaseID(0), origin: UInt32 = 0, epoch: UInt64 = 0,
        partCount: UInt32 = 0, operationCount: UInt32 = 0, idempotencyKey: [UInt8]? = nil
    ) {
        self.transaction = transaction
        self.timestamp = timestamp
        self.wallMicros = wallMicros
        self.database = database
        self.origin = origin
        self.epoch = epoch
        self.partCount = partCount
        self.operationCount = operationCount
        self.idempotencyKey = idempotencyKey
    }

    /// Bytes that ``encode(to:)`` may need without an idempotency key.
    static let maxEncodedBytes = 80

    /// Writes the header to `target`, which has room for `maxEncodedBytes` and the key; returns the
    /// bytes written. Runs inside the commit's critical section: no allocation.
    func encode(to target: UnsafeMutableRawPointer) -> Int {
        var cursor = RawCursor(target)
        cursor.fixed(timestamp.rawValue)
        cursor.varint(transaction.rawValue)
        cursor.varint(wallDelta)
        cursor.varint(UInt64(database.rawValue))
        cursor.varint(UInt64(origin))
        cursor.varint(epoch)
        cursor.byte(idempotencyKey == nil ? 0 : 1)
        cursor.varint(UInt64(partCount))
        cursor.varint(UInt64(operationCount))
        if let idempotencyKey {
            cursor.varint(UInt64(idempotencyKey.count))
            idempotencyKey.withUnsafeBytes { cursor.bytes($0) }
        }
        return cursor.count
    }

    /// The wall time as a zigzag difference from the timestamp: small, as the two are close.
    private var wallDelta: UInt64 {
        let base = timestamp.microsSince2000 &+ Timestamp.epochMicrosSince1970
        let delta = Int64(bitPattern: wallMicros &- base)
        return UInt64(bitPattern: (delta << 1) ^ (delta >> 63))
    }

    static func decode(_ reader: inout ByteReader) -> CommitHeader? {
        guard let timestamp = reader.readFixed(UInt64.self),
            let transaction = reader.readVarint(), let zigzag = reader.readVarint(),
            let database = reader.readVarint(), let origin = reader.readVarint(),
            let epoch = reader.readVarint(), let flags = reader.readByte(),
            let parts = reader.readVarint(), let operations = reader.readVarint(),
            let database = UInt32(exactly: database), let origin = UInt32(exactly: origin),
            let parts = UInt32(exactly: parts), let operations = UInt32(exactly: operations)
        else { return nil }
        var key: [UInt8]?
        if flags & 1 != 0 {
            guard let bytes = reader.readLengthPrefixed() else { return nil }
            key = Array(bytes)
        }
        let delta = (zigzag >> 1) ^ (0 &- (zigzag & 1))
        let stamp = Timestamp(timestamp)
        let base = stamp.microsSince2000 &+ Timestamp.epochMicrosSince1970
        return CommitHeader(
            transaction: TransactionID(transaction), timestamp: stamp,
            wallMicros: base &+ delta, database: DatabaseID(database), origin: origin,
            epoch: epoch, partCount: parts, operationCount: operations, idempotencyKey: key)
    }
}

/// Writes to memory whose room the caller has made sure of.
struct RawCursor {
    let base: UnsafeMutableRawPointer
    private(set) var count = 0
    @inline(__always) init(_ base: UnsafeMutableRawPointer) { self.base = base }

    @inline(__always) mutating func byte(_ value: UInt8) {
        base.storeBytes(of: value, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }
    @inline(__always) mutating func fixed(_ value: UInt64) {
        base.storeBytes(of: value.littleEndian, toByteOffset: count, as: UInt64.self)
        count &+= 8
    }
    @inline(__always) mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }
    @inline(__always) mutating func bytes(_ source: UnsafeRawBufferPointer) {
        guard let start = source.baseAddress else { return }
        (base + count).copyMemory(from: start, byteCount: source.count)
        count &+= source.count
    }
}

/// One operation of a COMMIT or BATCH_PART, borrowed from the record.
public struct WALOperation {
    /// What it does to its key.
    public var kind: OperationKind
    /// Which layer owns the key.
    public var operationClass: OperationClass
    /// The statement behind it.
    public var sql: SQLOperation
    /// The version of the table's descriptor that the value was encoded with; 0: none.
    public var descriptorVersion: UInt32
    /// The key, or a range delete's lower bound.
    public var key: UnsafeRawBufferPointer
    /// The value of a put, the upper bound of a range delete, else empty.
    public var value: UnsafeRawBufferPointer
    /// What the key held before, where the writer logged it.
    public var before: UnsafeRawBufferPointer?

    /// An operation over bytes that the caller keeps alive.
    public init(
        kind: OperationKind, operationClass: OperationClass, sql: SQLOperation = .none,
        descriptorVersion: UInt32 = 0, key: UnsafeRawBufferPointer,
        value: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        before: UnsafeRawBufferPointer? = nil
    ) {
        self.kind = kind
        self.operationClass = operationClass
        self.sql = sql
        self.descriptorVersion = descriptorVersion
        self.key = key
        self.value = value
        self.before = before
    }
}

/// Encodes operations to a buffer of its own, before the commit's critical section. Reusable; for
/// one thread at a time.
///
/// ```
/// COMMIT      timestamp fixed64, transaction varint, wall micros as zigzag difference from the
///             timestamp, database, origin, epoch varints, flags byte (1: idempotency key follows),
///             BATCH_PARTs varint, operations varint, [key length varint, key], operations
/// BATCH_PART  transaction varint, part number varint (from 0), operations varint, operations
/// operation   kind | class << 4, SQL operation | flags << 4 (1: descriptor version, 2: before image),
///             key length varint, value length varint, [version varint], [before length varint],
///             key, value, [before]
/// ```
final class WALOperationEncoder {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0
    private(set) var operationCount: UInt32 = 0

    init() {
        capacity = 4096
        base = .allocate(byteCount: capacity, alignment: 16)
    }
    deinit { base.deallocate() }

    /// The encoded operations, borrowed until the next `add` or `reset`.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    func reset() {
        count = 0
        operationCount = 0
        if capacity > 4 << 20 {
            base.deallocate()
            capacity = 4096
            base = .allocate(byteCount: capacity, alignment: 16)
        }
    }

    func add(_ operation: WALOperation) {
        let before = operation.before
        let needed =
            count + 48 + operation.key.count + operation.value.count + (before?.count ?? 0)
        if needed > capacity { grow(needed) }
        var cursor = RawCursor(base + count)
        cursor.byte(operation.kind.rawValue | operation.operationClass.rawValue << 4)
        let hasVersion = operation.descriptorVersion != 0
        let flags: UInt8 = (hasVersion ? 1 : 0) | (before == nil ? 0 : 2)
        cursor.byte(operation.sql.rawValue | flags << 4)
        cursor.varint(UInt64(operation.key.count))
        cursor.varint(UInt64(operation.value.count))
        if hasVersion { cursor.varint(UInt64(operation.descriptorVersion)) }
        if let before { cursor.varint(UInt64(before.count)) }
        cursor.bytes(operation.key)
        cursor.bytes(operation.value)
        if let before { cursor.bytes(before) }
        count &+= cursor.count
        operationCount &+= 1
    }

    private func grow(_ needed: Int) {
        let larger = max(needed, capacity &* 2)
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        fresh.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = fresh
        capacity = larger
    }
}

/// Walks the operations of a COMMIT or BATCH_PART. Borrowed bytes live as long as the record.
public struct WALOperationIterator {
    private var reader: ByteReader
    private var left: UInt32
    /// The bytes end before the last operation, or one makes no sense.
    public private(set) var isDamaged = false

    init(_ reader: ByteReader, count: UInt32) {
        self.reader = reader
        left = count
    }

    /// The next operation, in the transaction's order; nil at the end, and at damage: see ``isDamaged``.
    public mutating func next() -> WALOperation? {
        guard left > 0 else { return nil }
        left -= 1
        guard let operation = decode() else {
            isDamaged = true
            left = 0
            return nil
        }
        return operation
    }

    private mutating func decode() -> WALOperation? {
        guard let first = reader.readByte(), let second = reader.readByte(),
            let kind = OperationKind(rawValue: first & 0x0F),
            let operationClass = OperationClass(rawValue: first >> 4),
            let sql = SQLOperation(rawValue: second & 0x0F),
            let keyBytes = reader.readVarint(), let valueBytes = reader.readVarint()
        else { return nil }
        let flags = second >> 4
        var version: UInt32 = 0
        if flags & 1 != 0 {
            guard let value = reader.readVarint(), let exact = UInt32(exactly: value) else {
                return nil
            }
            version = exact
        }
        var beforeBytes: UInt64?
        if flags & 2 != 0 {
            guard let value = reader.readVarint() else { return nil }
            beforeBytes = value
        }
        guard let key = take(keyBytes), let value = take(valueBytes) else { return nil }
        var before: UnsafeRawBufferPointer?
        if let beforeBytes {
            guard let bytes = take(beforeBytes) else { return nil }
            before = bytes
        }
        return WALOperation(
            kind: kind, operationClass: operationClass, sql: sql, descriptorVersion: version,
            key: key, value: value, before: before)
    }

    private mutating func take(_ count: UInt64) -> UnsafeRawBufferPointer? {
        guard let count = Int(exactly: count) else { return nil }
        return reader.readBytes(count)
    }
}

/// A COMMIT record, decoded in place.
public struct CommitRecordView {
    /// All but the operations.
    public let header: CommitHeader
    private let rest: ByteReader

    /// Nil when the body is damaged.
    public init?(_ body: UnsafeRawBufferPointer) {
        var reader = ByteReader(body)
        guard let header = CommitHeader.decode(&reader) else { return nil }
        self.header = header
        rest = reader
    }
    /// Those of this record; what BATCH_PARTs before it hold is not among them.
    public func operations() -> WALOperationIterator {
        WALOperationIterator(rest, count: header.operationCount)
    }
}

/// A BATCH_PART record, decoded in place.
public struct BatchPartView {
    /// Whose operations they are; a COMMIT of the same number follows, or the transaction never was.
    public let transaction: TransactionID
    /// Its place among the transaction's parts, from 0.
    public let part: UInt32
    /// Operations in this part.
    public let operationCount: UInt32
    private let rest: ByteReader

    /// Nil when the body is damaged.
    public init?(_ body: UnsafeRawBufferPointer) {
        var reader = ByteReader(body)
        guard let transaction = reader.readVarint(), let part = reader.readVarint(),
            let part = UInt32(exactly: part), let count = reader.readVarint(),
            let count = UInt32(exactly: count)
        else { return nil }
        self.transaction = TransactionID(transaction)
        self.part = part
        operationCount = count
        rest = reader
    }
    /// Those of this part, in the transaction's order.
    public func operations() -> WALOperationIterator {
        WALOperationIterator(rest, count: operationCount)
    }
}

extension WALWriter {
    /// Appends a COMMIT with the operations in `encoder`; `header.operationCount` is filled in.
    @discardableResult
    func appendCommit(
        _ header: CommitHeader, _ encoder: WALOperationEncoder, flush: Durability = .buffered
    ) throws(StorageError) -> WALPosition {
        var header = header
        header.operationCount = encoder.operationCount
        var result: Result<WALPosition, StorageError>?
        let room = CommitHeader.maxEncodedBytes + (header.idempotencyKey?.count ?? 0)
        withUnsafeTemporaryAllocation(byteCount: room, alignment: 8) { buffer in
            guard let base = buffer.baseAddress else { return }
            let count = header.encode(to: base)
            do throws(StorageError) {
                result = .success(
                    try append(
                        .commit, UnsafeRawBufferPointer(start: base, count: count), encoder.bytes,
                        flush: flush))
            } catch { result = .failure(error) }
        }
        guard let result else {
            throw StorageError(.outOfMemory, kind: .transient, "No memory for a commit header.")
        }
        return try result.get()
    }

    /// Appends a slice of a large transaction; the COMMIT that follows carries `partCount`.
    @discardableResult
    func appendBatchPart(
        transaction: TransactionID, part: UInt32, _ encoder: WALOperationEncoder
    ) throws(StorageError) -> WALPosition {
        var head = ByteWriter(capacity: 32)
        head.appendVarint(transaction.rawValue)
        head.appendVarint(UInt64(part))
        head.appendVarint(UInt64(encoder.operationCount))
        var result: Result<WALPosition, StorageError>?
        head.bytes.withUnsafeBytes { bytes in
            do throws(StorageError) {
                result = .success(try append(.batchPart, bytes, encoder.bytes))
            } catch { result = .failure(error) }
        }
        guard let result else {
            throw StorageError(.internalError, kind: .bug, "A batch part was not appended.")
        }
        return try result.get()
    }
}
