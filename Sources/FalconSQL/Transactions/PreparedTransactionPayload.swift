import FalconSchema
import FalconStorage

/// What a prepared transaction must have again after a restart: the *payload* of its outcome, which
/// goes with the decision.
///
///     locks        varint, each: key u64 | modes u16 | kind u8 (0 plain, 1 relation, 2 advisory)
///                  | advisory: database u32 | first u32 | second u32 | numbers u16, as pg_locks has them
///     moved rows   varint, each: from, to: length-prefixed | ordinal u32
///     operations   varint, each: kind u8 | class u8 | SQL operation u8 | 1: with before image, u8
///                  | descriptor version u32 | key, value (before image): length-prefixed
///
/// Operations are in the order of their ordinals. The bytes are cut into parts of 64 KiB.
struct PreparedTransactionPayload {
    var locks: [LockOwner.Kept]
    var moves: [MovedRows.Move]
    var batch: WriteBatch

    private static let partBytes = 64 << 10

    func encoded() -> [[UInt8]] {
        var parts: [[UInt8]] = []
        var writer = ByteWriter(capacity: 1024)
        writer.appendVarint(UInt64(locks.count))
        for lock in locks {
            writer.appendFixed(lock.key)
            writer.appendFixed(lock.mask)
            writer.append(lock.advisory != nil ? 2 : lock.isRelation ? 1 : 0)
            if let advisory = lock.advisory {
                writer.appendFixed(advisory.database)
                writer.appendFixed(advisory.high)
                writer.appendFixed(advisory.low)
                writer.appendFixed(advisory.count)
            }
            Self.cut(&writer, into: &parts)
        }
        writer.appendVarint(UInt64(moves.count))
        for move in moves {
            writer.appendLengthPrefixed(move.from)
            writer.appendLengthPrefixed(move.to)
            writer.appendFixed(move.ordinal)
            Self.cut(&writer, into: &parts)
        }
        writer.appendVarint(UInt64(batch.operationCount))
        for ordinal in 0..<batch.nextOrdinal {
            guard let operation = batch.memoryOperation(at: ordinal) else { continue }
            Self.append(operation, to: &writer)
            Self.cut(&writer, into: &parts)
        }
        parts.append(writer.bytes)
        return parts
    }

    private static func append(_ operation: WriteBatch.Operation, to writer: inout ByteWriter) {
        writer.append(operation.kind.rawValue)
        writer.append(operation.class.rawValue)
        writer.append(operation.sql.rawValue)
        writer.append(operation.before == nil ? 0 : 1)
        writer.appendFixed(operation.descriptorVersion)
        writer.appendLengthPrefixed(operation.key)
        writer.appendLengthPrefixed(operation.value)
        if let before = operation.before { writer.appendLengthPrefixed(before) }
    }

    private static func cut(_ writer: inout ByteWriter, into parts: inout [[UInt8]]) {
        guard writer.count >= partBytes else { return }
        var start = 0
        while writer.count - start >= partBytes {
            parts.append(Array(writer.bytes[start..<(start + partBytes)]))
            start += partBytes
        }
        writer = ByteWriter(capacity: 1024, rest: writer.bytes[start...])
    }
}

extension ByteWriter {
    fileprivate init(capacity: Int, rest: ArraySlice<UInt8>) {
        self.init(capacity: max(capacity, rest.count))
        bytes.append(contentsOf: rest)
    }
}

extension PreparedTransactionPayload {
    /// Throws XX001 when the bytes make no sense.
    init(decoding bytes: [UInt8]) throws(SQLError) {
        locks = []
        moves = []
        batch = WriteBatch()
        let isWhole = try bytes.withRaw { raw throws(SQLError) -> Bool in
            var reader = ByteReader(raw)
            guard readLocks(&reader), readMoves(&reader), try readOperations(&reader) else {
                return false
            }
            return reader.isAtEnd
        }
        if !isWhole {
            throw SQLError(.dataCorrupted, "the record of a prepared transaction is damaged")
        }
    }

    private mutating func readLocks(_ reader: inout ByteReader) -> Bool {
        guard let count = reader.readVarint() else { return false }
        for _ in 0..<count {
            guard let key = reader.readFixed(UInt64.self), let mask = reader.readFixed(UInt16.self),
                let kind = reader.readByte(), kind <= 2
            else { return false }
            var lock = LockOwner.Kept(key: key, mask: mask, isRelation: kind == 1)
            if kind == 2 {
                guard let database = reader.readFixed(UInt32.self),
                    let high = reader.readFixed(UInt32.self),
                    let low = reader.readFixed(UInt32.self),
                    let count = reader.readFixed(UInt16.self)
                else { return false }
                lock.advisory = AdvisoryKey(
                    database: database, high: high, low: low, count: count)
            }
            locks.append(lock)
        }
        return true
    }

    private mutating func readMoves(_ reader: inout ByteReader) -> Bool {
        guard let count = reader.readVarint() else { return false }
        for _ in 0..<count {
            guard let from = reader.readLengthPrefixed(), let to = reader.readLengthPrefixed(),
                let ordinal = reader.readFixed(UInt32.self)
            else { return false }
            moves.append(MovedRows.Move(from: Array(from), to: Array(to), ordinal: ordinal))
        }
        return true
    }

    private func readOperations(_ reader: inout ByteReader) throws(SQLError) -> Bool {
        guard let count = reader.readVarint() else { return false }
        for _ in 0..<count {
            guard let kind = reader.readByte().flatMap(OperationKind.init(rawValue:)),
                let owner = reader.readByte().flatMap(OperationClass.init(rawValue:)),
                let sql = reader.readByte().flatMap(SQLOperation.init(rawValue:)),
                let hasBefore = reader.readByte(), let version = reader.readFixed(UInt32.self),
                let key = reader.readLengthPrefixed(), let value = reader.readLengthPrefixed()
            else { return false }
            var before: UnsafeRawBufferPointer?
            if hasBefore != 0 {
                before = reader.readLengthPrefixed()
                if before == nil { return false }
            }
            let batch = batch
            let isKnown = try storage { () throws(StorageError) -> Bool in
                switch kind {
                case .put:
                    try batch.put(
                        key: key, value: value, class: owner, sql: sql,
                        descriptorVersion: version, before: before)
                case .delete:
                    try batch.delete(
                        key: key, class: owner, sql: sql, descriptorVersion: version,
                        before: before)
                case .rangeDelete:
                    try batch.deleteRange(
                        lower: key, upper: value, class: owner, sql: sql,
                        descriptorVersion: version)
                case .valueReference, .intent, .merge: return false
                }
                return true
            }
            if !isKnown { return false }
        }
        return true
    }
}
