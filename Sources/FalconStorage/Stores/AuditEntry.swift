/// One entry of a ``TransactionAuditLog``.
public struct AuditEntry: Sendable, Hashable {
    /// What was committed. Raw values live on disk.
    public enum Kind: UInt8, Sendable {
        /// A transaction.
        case commit = 1
        /// Files that came in from outside; their keys are not listed.
        case ingest = 2
        /// The log was released before it was read: what was committed in it is not known here.
        case gap = 3
    }

    /// What the entry stands for; decides which other fields mean something.
    public var kind: Kind
    /// Where its record begins in the log; of a gap, what was missed.
    public var lsn: LSN
    /// One beyond its record's last byte; of a gap, where the log goes on.
    public var endLSN: LSN
    /// Zero for an ingestion and a gap.
    public var transaction = TransactionID(0)
    /// Its version number; zero for a gap.
    public var timestamp = Timestamp.zero
    /// When it was committed, in microseconds since 1970; of a gap, when it was noticed.
    public var wallMicros: UInt64 = 0
    /// The database it was committed to; 0: the shared keyspace, or no transaction.
    public var database = DatabaseID(0)
    /// The leader's term; 0 on a single node.
    public var epoch: UInt64 = 0
    /// Operations that it made; of an ingestion, entries of its files.
    public var operationCount: UInt64 = 0
    /// The first keys that it wrote, each cut off at ``TransactionAuditLog/keyBytes``.
    public var keys: [[UInt8]] = []

    static let format: UInt8 = 1

    /// The time by which its age counts: a commit's timestamp, which never runs back as the wall clock may.
    var ageMicros: UInt64 { timestamp == .zero ? wallMicros : timestamp.microsSince1970 }

    /// `format u8, kind u8, end LSN fixed64, timestamp fixed64, wall micros fixed64, transaction,
    /// database, epoch, operations, keys varints, then each key length-prefixed`; the LSN is in the key.
    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 64)
        writer.append(Self.format)
        writer.append(kind.rawValue)
        writer.appendFixed(endLSN.rawValue)
        writer.appendFixed(timestamp.rawValue)
        writer.appendFixed(wallMicros)
        writer.appendVarint(transaction.rawValue)
        writer.appendVarint(UInt64(database.rawValue))
        writer.appendVarint(epoch)
        writer.appendVarint(operationCount)
        writer.appendVarint(UInt64(keys.count))
        for key in keys { writer.appendLengthPrefixed(key) }
        return writer.bytes
    }
}

extension AuditEntry {
    init?(lsn: LSN, _ value: UnsafeRawBufferPointer) {
        var reader = ByteReader(value)
        guard reader.readByte() == Self.format, let code = reader.readByte(),
            let kind = Kind(rawValue: code), let end = reader.readFixed(UInt64.self),
            let timestamp = reader.readFixed(UInt64.self),
            let wall = reader.readFixed(UInt64.self), let transaction = reader.readVarint(),
            let database = reader.readVarint().flatMap({ UInt32(exactly: $0) }),
            let epoch = reader.readVarint(), let operations = reader.readVarint(),
            let count = reader.readVarint(), count <= UInt64(value.count)
        else { return nil }
        self.init(
            kind: kind, lsn: lsn, endLSN: LSN(end), transaction: TransactionID(transaction),
            timestamp: Timestamp(timestamp), wallMicros: wall, database: DatabaseID(database),
            epoch: epoch, operationCount: operations)
        for _ in 0..<count {
            guard let key = reader.readLengthPrefixed() else { return nil }
            keys.append(Array(key))
        }
    }
}
