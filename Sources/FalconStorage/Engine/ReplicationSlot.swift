/// A named consumer of changes, and how far it has come.
public struct ReplicationSlot: Sendable, Hashable {
    /// Why a slot gives no changes any more.
    public enum Loss: UInt8, Sendable, Hashable {
        /// It held more of the log than ``ReplicationSlotOptions/maximumBytes``.
        case bytes = 1
        /// Nobody used it for ``ReplicationSlotOptions/maximumAgeMicros``.
        case age = 2
        /// The log that it needs is not there: the directory was restored from a backup, or segments were removed.
        case logMissing = 3

        /// For people.
        public var reason: String {
            switch self {
            case .bytes: "it held more of the log than it may"
            case .age: "nobody used it for longer than it may rest"
            case .logMissing: "the log it needs is not there"
            }
        }
    }

    /// Lower-case letters, digits and underscores, 63 at the most.
    public var name: String
    /// The form of its changes, as whoever made it named it.
    public var format: String
    /// The database whose changes it gives.
    public var database: DatabaseID
    /// Transactions that end at or before it are done with.
    public var confirmedLSN: LSN
    /// The log is held from here on: with the schema as of ``confirmedLSN``.
    public var restartLSN: LSN
    /// When it was made, in microseconds since 1970.
    public var createdMicros: UInt64
    /// When it was last moved.
    public var confirmedMicros: UInt64
    /// Set: it is lost.
    public var loss: Loss?
}

/// The row of a slot.
///
///     key    system space 42, the slot's name
///     value  format u8 (1) | loss u8 (0: none) | database u32 | confirmed LSN u64 | restart LSN u64
///            | created u64 | confirmed u64, both in microseconds since 1970 | output format: length varint, UTF-8
///
/// Damage is found by the checksums of the log and the tables that the row lies in.
extension ReplicationSlot {
    private static let rowFormat: UInt8 = 1

    static func key(_ name: String) -> [UInt8] {
        SystemKey.make(.replicationSlots, Array(name.utf8))
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 48 + format.utf8.count)
        writer.append(Self.rowFormat)
        writer.append(loss?.rawValue ?? 0)
        writer.appendFixed(database.rawValue)
        writer.appendFixed(confirmedLSN.rawValue)
        writer.appendFixed(restartLSN.rawValue)
        writer.appendFixed(createdMicros)
        writer.appendFixed(confirmedMicros)
        writer.appendLengthPrefixed(format)
        return writer.bytes
    }

    /// Nil when the row makes no sense.
    init?(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        guard key.count > SystemKey.prefixBytes else { return nil }
        var reader = ByteReader(value)
        guard reader.readByte() == Self.rowFormat, let loss = reader.readByte(),
            let database = reader.readFixed(UInt32.self),
            let confirmed = reader.readFixed(UInt64.self),
            let restart = reader.readFixed(UInt64.self),
            let created = reader.readFixed(UInt64.self),
            let moved = reader.readFixed(UInt64.self), let format = reader.readString(),
            loss == 0 || Loss(rawValue: loss) != nil
        else { return nil }
        name = String(decoding: key[SystemKey.prefixBytes...], as: UTF8.self)
        self.format = format
        self.database = DatabaseID(database)
        confirmedLSN = LSN(confirmed)
        restartLSN = LSN(restart)
        createdMicros = created
        confirmedMicros = moved
        self.loss = Loss(rawValue: loss)
    }
}
