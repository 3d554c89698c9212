/// A writable open began: recovery, start, restore or promotion.
///
/// `branch uid, parent uid, fork LSN fixed64, incarnation fixed64, epoch fixed64, wall micros fixed64,
/// transaction floor fixed64, timestamp floor fixed64`
public struct IncarnationRecord: Sendable, Hashable {
    /// The branch that is written from here on.
    public var branch: UID
    /// The branch it forks from.
    public var parent: UID
    /// Where the parent branch was left.
    public var forkLSN: LSN
    /// Counts writable opens of the directory, this one included.
    public var incarnation: UInt64
    /// The leader's term; 0 on a single node.
    public var epoch: UInt64
    /// When it began, in microseconds since 1970 by the wall clock.
    public var wallMicros: UInt64
    /// No transaction at or above this was ever numbered before.
    public var transactionFloor: TransactionID
    /// No timestamp at or above this was ever given before.
    public var timestampFloor: Timestamp

    /// The record of an open.
    public init(
        branch: UID, parent: UID, forkLSN: LSN, incarnation: UInt64, epoch: UInt64,
        wallMicros: UInt64, transactionFloor: TransactionID, timestampFloor: Timestamp
    ) {
        self.branch = branch
        self.parent = parent
        self.forkLSN = forkLSN
        self.incarnation = incarnation
        self.epoch = epoch
        self.wallMicros = wallMicros
        self.transactionFloor = transactionFloor
        self.timestampFloor = timestampFloor
    }

    /// The record's body, as above.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 80)
        writer.append(branch)
        writer.append(parent)
        writer.appendFixed(forkLSN.rawValue)
        writer.appendFixed(incarnation)
        writer.appendFixed(epoch)
        writer.appendFixed(wallMicros)
        writer.appendFixed(transactionFloor.rawValue)
        writer.appendFixed(timestampFloor.rawValue)
        return writer.bytes
    }

    /// Nil when the body is damaged.
    public init?(_ body: UnsafeRawBufferPointer) {
        var reader = ByteReader(body)
        guard let branch = reader.readUID(), let parent = reader.readUID(),
            let fork = reader.readFixed(UInt64.self),
            let incarnation = reader.readFixed(UInt64.self),
            let epoch = reader.readFixed(UInt64.self), let wall = reader.readFixed(UInt64.self),
            let transaction = reader.readFixed(UInt64.self),
            let timestamp = reader.readFixed(UInt64.self)
        else { return nil }
        self.init(
            branch: branch, parent: parent, forkLSN: LSN(fork), incarnation: incarnation,
            epoch: epoch, wallMicros: wall, transactionFloor: TransactionID(transaction),
            timestampFloor: Timestamp(timestamp))
    }
}

/// No commit at or below `timestamp` follows in the log. `timestamp fixed64, wall micros fixed64`
public struct ClosedTimestampRecord: Sendable, Hashable {
    /// Commits that follow are above it.
    public var timestamp: Timestamp
    /// When it was closed, in microseconds since 1970 by the wall clock.
    public var wallMicros: UInt64
    /// The record of a timestamp that is closed.
    public init(timestamp: Timestamp, wallMicros: UInt64) {
        self.timestamp = timestamp
        self.wallMicros = wallMicros
    }
    /// The newest moment (microseconds since 1970) all of whose timestamps are closed.
    public var closedMicros: UInt64 {
        let ended = timestamp.rawValue.addingReportingOverflow(1)
        let micros = ended.overflow ? timestamp.microsSince2000 &+ 1 : ended.partialValue >> 12
        return micros &+ Timestamp.epochMicrosSince1970 &- 1
    }
    /// The record's body, as above.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 16)
        writer.appendFixed(timestamp.rawValue)
        writer.appendFixed(wallMicros)
        return writer.bytes
    }
    /// Nil when the body is damaged.
    public init?(_ body: UnsafeRawBufferPointer) {
        var reader = ByteReader(body)
        guard let timestamp = reader.readFixed(UInt64.self),
            let wall = reader.readFixed(UInt64.self)
        else { return nil }
        self.init(timestamp: Timestamp(timestamp), wallMicros: wall)
    }
}

/// A point in mid-log from which change capture and restore can start: everything before `replayLSN`
/// is in tables, and the schema as of this record is in `catalog`.
///
/// `replay LSN fixed64, timestamp fixed64, wall micros fixed64, catalog entries varint, then per entry
/// key and value, length-prefixed`
public struct CheckpointRecord: Sendable, Hashable {
    /// A row of the catalog.
    public struct Entry: Sendable, Hashable {
        /// Its key in the store.
        public var key: [UInt8]
        /// Its value as of ``timestamp``.
        public var value: [UInt8]
        /// A row to be written.
        public init(key: [UInt8], value: [UInt8]) {
            self.key = key
            self.value = value
        }
    }
    /// What ends at or before it is in tables.
    public var replayLSN: LSN
    /// Of ``catalog``.
    public var timestamp: Timestamp
    /// When it was written, in microseconds since 1970 by the wall clock.
    public var wallMicros: UInt64
    /// Catalog keys with their values at `timestamp`; empty where the writer left them out.
    public var catalog: [Entry]

    /// The record of a checkpoint.
    public init(replayLSN: LSN, timestamp: Timestamp, wallMicros: UInt64, catalog: [Entry] = []) {
        self.replayLSN = replayLSN
        self.timestamp = timestamp
        self.wallMicros = wallMicros
        self.catalog = catalog
    }
    /// The record's body, as above.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 64)
        writer.appendFixed(replayLSN.rawValue)
        writer.appendFixed(timestamp.rawValue)
        writer.appendFixed(wallMicros)
        writer.appendVarint(UInt64(catalog.count))
        for entry in catalog {
            writer.appendLengthPrefixed(entry.key)
            writer.appendLengthPrefixed(entry.value)
        }
        return writer.bytes
    }
    /// Nil when the body is damaged.
    public init?(_ body: UnsafeRawBufferPointer) {
        var reader = ByteReader(body)
        guard let replay = reader.readFixed(UInt64.self),
            let timestamp = reader.readFixed(UInt64.self),
            let wall = reader.readFixed(UInt64.self), let count = reader.readVarint()
        else { return nil }
        var catalog: [Entry] = []
        for _ in 0..<min(count, UInt64(body.count)) {
            guard let key = reader.readLengthPrefixed(), let value = reader.readLengthPrefixed()
            else { return nil }
            catalog.append(Entry(key: Array(key), value: Array(value)))
        }
        guard UInt64(catalog.count) == count else { return nil }
        self.init(
            replayLSN: LSN(replay), timestamp: Timestamp(timestamp), wallMicros: wall,
            catalog: catalog)
    }
}

/// A named place to restore to. Reserved: no writer makes them yet. `timestamp fixed64, wall micros
/// fixed64, name length-prefixed`
public struct RestorePointRecord: Sendable, Hashable {
    /// What it is called.
    public var name: String
    /// Commits at or below it are before the record.
    public var timestamp: Timestamp
    /// When it was set, in microseconds since 1970 by the wall clock.
    public var wallMicros: UInt64
    /// The record of a named point.
    public init(name: String, timestamp: Timestamp, wallMicros: UInt64) {
        self.name = name
        self.timestamp = timestamp
        self.wallMicros = wallMicros
    }
    /// The record's body, as above.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 32)
        writer.appendFixed(timestamp.rawValue)
        writer.appendFixed(wallMicros)
        writer.appendLengthPrefixed(name)
        return writer.bytes
    }
    /// Nil when the body is damaged.
    public init?(_ body: UnsafeRawBufferPointer) {
        var reader = ByteReader(body)
        guard let timestamp = reader.readFixed(UInt64.self),
            let wall = reader.readFixed(UInt64.self), let name = reader.readString()
        else { return nil }
        self.init(name: name, timestamp: Timestamp(timestamp), wallMicros: wall)
    }
}

/// What a participant of a cross-shard transaction promised, and how it ended. Reserved: no writer
/// makes them yet; the outcome will carry the writes, so that only it makes data visible.
///
/// `transaction fixed64, global uid, timestamp fixed64, [outcome: 1 committed, 2 aborted]`
public struct PrepareRecord: Sendable, Hashable {
    /// The participant's own number.
    public var transaction: TransactionID
    /// The number that all participants share.
    public var global: UID
    /// Of the promise, or of the outcome.
    public var timestamp: Timestamp
    /// Nil in a PREPARE.
    public var isCommitted: Bool?
    /// The record of a promise, or with `isCommitted` of an outcome.
    public init(
        transaction: TransactionID, global: UID, timestamp: Timestamp, isCommitted: Bool? = nil
    ) {
        self.transaction = transaction
        self.global = global
        self.timestamp = timestamp
        self.isCommitted = isCommitted
    }
    /// The record's body, as above.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 40)
        writer.appendFixed(transaction.rawValue)
        writer.append(global)
        writer.appendFixed(timestamp.rawValue)
        if let isCommitted { writer.append(isCommitted ? 1 : 2 as UInt8) }
        return writer.bytes
    }
    /// Nil when the body is damaged.
    public init?(_ body: UnsafeRawBufferPointer) {
        var reader = ByteReader(body)
        guard let transaction = reader.readFixed(UInt64.self), let global = reader.readUID(),
            let timestamp = reader.readFixed(UInt64.self)
        else { return nil }
        self.init(
            transaction: TransactionID(transaction), global: global,
            timestamp: Timestamp(timestamp))
        if let outcome = reader.readByte() {
            guard outcome == 1 || outcome == 2 else { return nil }
            isCommitted = outcome == 1
        }
    }
}
