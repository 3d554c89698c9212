/// Which transactions committed, for clients that knew a transaction's number and lost the answer to
/// their commit. The row is part of the commit itself, so it is there exactly when the commit is.
///
///     status   key: transaction number u64 BE; value: format u8 (1), microseconds since 1970 u64
///     limit    key: empty; value: format u8 (1), the largest number whose row was dropped, u64
///
/// Only numbers from ``StorageEngine/allocateTransactionID()`` are noted: the engine numbers all other
/// commits itself, from numbers that this never gives (``TransactionID/isGiven``). Hence a given number
/// above the limit that has no row and is not under way belongs to no commit. Thread-safe.
public final class TransactionStatusStore: Sendable {
    /// What is known of a number.
    public enum Status: Sendable, Equatable {
        /// It committed; its row was noted then, in microseconds since 1970 by the wall clock.
        case committed(wallMicros: UInt64)
        /// No commit has it: it was rolled back, lost in a crash, or is still under way.
        case absent
        /// What committed up to this number has been dropped.
        case forgotten(upTo: TransactionID)
    }

    private static let format: UInt8 = 1
    private static let valueBytes = 9
    private let engine: StorageEngine

    /// A store over `engine`, which it keeps alive. Reads nothing yet.
    public init(_ engine: StorageEngine) { self.engine = engine }

    /// Adds the row to `batch`, the transaction's own, which is then committed under the same number. Its time is not
    /// before the newest commit's, whatever the clock says: it decides when the row goes.
    public func note(_ number: TransactionID, in batch: WriteBatch) throws(StorageError) {
        try batch.putSystem(
            SystemKey.make(.transactionStatus, number.rawValue),
            Self.encoded(
                max(
                    engine.environment.clock.wallMicros(),
                    engine.publishedTimestamp.microsSince1970)))
    }

    /// What the newest commits tell about a transaction.
    public func status(of number: TransactionID) throws(StorageError) -> Status {
        let key = SystemKey.make(.transactionStatus, number.rawValue)
        if let value = try engine.get(key) {
            return .committed(wallMicros: try Self.decoded(value))
        }
        let limit = try limit()
        return number <= limit ? .forgotten(upTo: limit) : .absent
    }

    /// The largest number that may have been dropped.
    public func limit() throws(StorageError) -> TransactionID {
        guard let value = try engine.get(SystemKey.prefix(.transactionStatusLimit)) else {
            return TransactionID(0)
        }
        return TransactionID(try Self.decoded(value))
    }

    /// Drops the rows of the lowest numbers: those that are too many, and those before the first that
    /// is young enough. To be called now and then, by one thread; reads every row's key and time.
    /// - Returns: how many rows went.
    @discardableResult
    public func collect(olderThanMicros age: UInt64, keeping most: Int) throws(StorageError) -> Int
    {
        var total = 0
        let rows = SystemKey.range(.transactionStatus)
        try engine.forEach(in: rows) { _, _ throws(StorageError) in
            total += 1
            return true
        }
        let moment = engine.storeMicros
        let excess = max(0, total - max(0, most))
        var dropped = 0
        var last: UInt64?
        try engine.forEach(in: rows) { key, value throws(StorageError) in
            let isOld = moment &- min(moment, try Self.decoded(Array(value))) > age
            guard isOld || dropped < excess else { return false }
            guard let (number, _) = SystemKey.parse(key) else { throw Self.damaged }
            last = number
            dropped += 1
            return true
        }
        guard let last else { return 0 }
        let batch = WriteBatch()
        try batch.putSystem(SystemKey.prefix(.transactionStatusLimit), Self.encoded(last))
        let upper = SystemKey.make(.transactionStatus, last &+ 1)
        try SystemKey.prefix(.transactionStatus).withStorageBytes { lower throws(StorageError) in
            try upper.withStorageBytes { upper throws(StorageError) in
                try batch.deleteRange(lower: lower, upper: upper, class: .system)
            }
        }
        try engine.commitAndWait(batch, CommitOptions(durability: .written))
        return dropped
    }

    private static func encoded(_ number: UInt64) -> [UInt8] {
        var writer = ByteWriter(capacity: valueBytes)
        writer.append(format)
        writer.appendFixed(number)
        return writer.bytes
    }

    private static func decoded(_ value: [UInt8]) throws(StorageError) -> UInt64 {
        let number = value.withUnsafeBytes { bytes -> UInt64? in
            var reader = ByteReader(bytes)
            guard bytes.count == valueBytes, reader.readByte() == format else { return nil }
            return reader.readFixed(UInt64.self)
        }
        guard let number else { throw damaged }
        return number
    }

    private static var damaged: StorageError {
        StorageError(
            .corruption, kind: .bug, "A row of the transaction status store makes no sense.",
            hint: "Its own keys must be left to it: storage ids 40 and 41 of database 0.")
    }
}
