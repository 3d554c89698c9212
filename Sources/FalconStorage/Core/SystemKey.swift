/// Where the engine's own stores keep their rows: database 0, storage ids 32 to 63, below every
/// table's. A program that keeps its keys clear of the prefix 00 00 00 00 00 00 00 20 .. 3F may use them
/// beside its own data.
///
///     key    database u32 BE (0) | storage id u32 BE | the store's own bytes
///     32     a prepared transaction                33     a decided one
///     34     decided ones by time                  35     an idempotent request's result
///     36     results by expiry                     37     an entry of the audit log
///     38     the audit log's cursor                39     a part of a prepared transaction's payload
///     40     a committed transaction's number      41     the largest number dropped from 40
///     42     a replication slot
///
/// Operations on them have class `.system`: change capture does not show them.
enum SystemKey {
    enum Space: UInt32 {
        case preparedTransactions = 32
        case decidedTransactions = 33
        case decisionsByTime = 34
        case idempotencyResults = 35
        case idempotencyExpiry = 36
        case auditEntries = 37
        case auditCursor = 38
        case preparedPayloads = 39
        case transactionStatus = 40
        case transactionStatusLimit = 41
        case replicationSlots = 42
    }

    static let prefixBytes = 8

    static func prefix(_ space: Space) -> [UInt8] {
        var writer = KeyWriter()
        writer.append(bigEndian: UInt32(0))
        writer.append(bigEndian: space.rawValue)
        return writer.bytes
    }

    static func make(_ space: Space, _ suffix: [UInt8]) -> [UInt8] { prefix(space) + suffix }

    static func make(_ space: Space, _ number: UInt64, _ suffix: [UInt8] = []) -> [UInt8] {
        var writer = KeyWriter(bytes: prefix(space))
        writer.append(bigEndian: number)
        return writer.bytes + suffix
    }

    static func range(_ space: Space) -> KeyRange { KeyRange(prefix: prefix(space)) }

    /// The number and what follows it, of a key made from both; nil when the key is too short.
    static func parse(_ key: UnsafeRawBufferPointer) -> (number: UInt64, suffix: [UInt8])? {
        guard key.count >= prefixBytes + 8 else { return nil }
        let number = UInt64(
            bigEndian: key.loadUnaligned(fromByteOffset: prefixBytes, as: UInt64.self))
        return (number, Array(key[(prefixBytes + 8)...]))
    }
}

/// Numbers that sort as bytes.
struct KeyWriter {
    var bytes: [UInt8] = []

    mutating func append<T: FixedWidthInteger>(bigEndian number: T) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
