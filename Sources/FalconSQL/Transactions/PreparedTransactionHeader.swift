import FalconSchema
import FalconStorage

/// Who prepared a transaction, when and as what: the *participants* of its outcome, kept with it after
/// the decision too.
///
///     "2PC"   | format u8 1 | flags u8 (1: serializable) | transaction number u64 | database u32
///             | prepared i64, µs since 2000 | user, identifier: length-prefixed
struct PreparedTransactionHeader: Sendable, Equatable {
    var gid: String
    var user: String
    /// The transaction's number: xid.
    var number: UInt64
    var database: DatabaseID
    /// µs since 2000.
    var preparedMicros: Int64
    var isSerializable: Bool

    private static let mark = Array("2PC".utf8)
    private static let format: UInt8 = 1

    /// False for outcomes that others than SQL have written.
    static func isMarked(_ bytes: [UInt8]) -> Bool { bytes.starts(with: mark) }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 64)
        writer.append(contentsOf: Self.mark)
        writer.append(Self.format)
        writer.append(isSerializable ? 1 : 0)
        writer.appendFixed(number)
        writer.appendFixed(database.rawValue)
        writer.appendFixed(preparedMicros)
        writer.appendLengthPrefixed(user)
        writer.appendLengthPrefixed(gid)
        return writer.bytes
    }
}

extension PreparedTransactionHeader {
    init?(decoding bytes: [UInt8]) {
        let decoded = bytes.withRaw { raw -> PreparedTransactionHeader? in
            var reader = ByteReader(raw)
            guard reader.skip(Self.mark.count), reader.readByte() == Self.format,
                let flags = reader.readByte(), let number = reader.readFixed(UInt64.self),
                let database = reader.readFixed(UInt32.self),
                let prepared = reader.readFixed(Int64.self), let user = reader.readString(),
                let gid = reader.readString()
            else { return nil }
            return PreparedTransactionHeader(
                gid: gid, user: user, number: number, database: DatabaseID(database),
                preparedMicros: prepared, isSerializable: flags & 1 != 0)
        }
        guard let decoded else { return nil }
        self = decoded
    }
}
