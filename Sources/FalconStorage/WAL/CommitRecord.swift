/// What a COMMIT says about its transaction, besides the operations.
public struct CommitHeader: Sendable, Hashable {
    public var transaction: TransactionID
    public var timestamp: Timestamp
    /// True wall time in microseconds since 1970.
    public var wallMicros: UInt64
    public var database: DatabaseID
    public var origin: UInt32
    public var epoch: UInt64
    /// BATCH_PARTs of this transaction before the COMMIT.
    public var partCount: UInt32
    /// Operations inside this record, those of BATCH_PARTs not counted.
    public var operationCount: UInt32
    public var idempotencyKey: [UInt8]?

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
}

/// One operation of a COMMIT or BATCH_PART, borrowed from the record.
public struct WALOperation {
    public var kind: OperationKind
    public var operationClass: OperationClass
    public var sql: SQLOperation
    public var descriptorVersion: UInt32
    public var key: UnsafeRawBufferPointer
    /// The value of a put, the upper bound of a range delete, else empty.
    public var value: UnsafeRawBufferPointer
    /// What the key held before, where the writer logged it.
    public var before: UnsafeRawBufferPointer?
}
