/// How far the audit log has come, and what it keeps: one row, written with the entries.
struct AuditCursor: Equatable {
    /// Everything before it in the log has its entry.
    var lsn: LSN
    var entryCount: UInt64 = 0
    var byteCount: UInt64 = 0

    static let format: UInt8 = 1

    /// `format u8, LSN fixed64, entries fixed64, bytes fixed64`
    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 25)
        writer.append(Self.format)
        writer.appendFixed(lsn.rawValue)
        writer.appendFixed(entryCount)
        writer.appendFixed(byteCount)
        return writer.bytes
    }

    init(lsn: LSN) { self.lsn = lsn }

    init?(_ value: [UInt8]) {
        let numbers = value.withUnsafeBytes { bytes -> (UInt64, UInt64, UInt64)? in
            var reader = ByteReader(bytes)
            guard reader.readByte() == Self.format, let lsn = reader.readFixed(UInt64.self),
                let entries = reader.readFixed(UInt64.self),
                let bytes = reader.readFixed(UInt64.self)
            else { return nil }
            return (lsn, entries, bytes)
        }
        guard let numbers else { return nil }
        lsn = LSN(numbers.0)
        entryCount = numbers.1
        byteCount = numbers.2
    }
}
