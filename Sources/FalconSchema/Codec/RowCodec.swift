import FalconStorage

/// Which columns a reader wants and where each goes.
public struct RowProjection: Sendable {
    /// Per column (attribute - 1): the output slot, or -1.
    public let slots: [Int32]
    /// The number of leading columns that must be walked to reach the last wanted one.
    public let prefixCount: Int
    public let outputCount: Int

    /// Each wanted column (attribute - 1) goes to the slot of its place in `columns`.
    public init(columns: [Int], of descriptor: TableDescriptor) {
        self.init(columns.enumerated().map { ($1, $0) }, outputCount: columns.count, descriptor)
    }

    /// Every wanted column stays at its own index: a full-width row with holes.
    public init(inPlace columns: [Int], of descriptor: TableDescriptor) {
        self.init(
            columns.map { ($0, $0) }, outputCount: descriptor.columns.count, descriptor)
    }

    /// Each wanted column goes to a slot of the caller's choice (a plan's registers).
    public init(
        columnsToSlots pairs: [(column: Int, slot: Int)], of descriptor: TableDescriptor
    ) {
        self.init(pairs, outputCount: (pairs.map(\.slot).max() ?? -1) + 1, descriptor)
    }

    /// Every one of `count` columns at its own index.
    public init(allOf count: Int) {
        slots = (0..<count).map { Int32($0) }
        prefixCount = count
        outputCount = count
    }

    private init(
        _ pairs: [(column: Int, slot: Int)], outputCount: Int, _ descriptor: TableDescriptor
    ) {
        var slots = [Int32](repeating: -1, count: descriptor.columns.count)
        var prefixCount = 0
        for (column, slot) in pairs where slots.indices.contains(column) {
            slots[column] = Int32(slot)
            prefixCount = max(prefixCount, column + 1)
        }
        self.slots = slots
        self.prefixCount = prefixCount
        self.outputCount = outputCount
    }
}

/// Row values of one table.
///
///     descriptor version varint | column count varint | null bitmap | values of the others
///
/// One bit per column, low first, set for NULL; dropped columns are NULL. Values as ``ValueCodec``
/// draws them, in attribute order. A row written before a column existed has a smaller count, and the
/// column reads as its descriptor's missing value.
public struct RowCodec: Sendable {
    private let version: UInt32
    private let kinds: [PhysicalKind]
    private let missing: [Datum]

    public init(_ descriptor: TableDescriptor) {
        version = descriptor.version
        kinds = descriptor.columns.map { TypeRegistry.physical($0.type.oid) }
        missing = descriptor.columns.map { $0.missingValue }
    }

    /// Appends a row; `values` by attribute number - 1, dropped columns NULL.
    public func encode(_ values: [Datum], to writer: inout ByteWriter) throws(SQLError) {
        guard values.count == kinds.count else {
            throw SQLError(.internalError, "a row has \(values.count) values, not \(kinds.count)")
        }
        writer.appendVarint(UInt64(version))
        writer.appendVarint(UInt64(kinds.count))
        let bitmapAt = writer.count
        for _ in 0..<((kinds.count + 7) / 8) { writer.append(0) }
        for index in 0..<kinds.count {
            if values[index].isNull {
                writer.bytes[bitmapAt + index / 8] |= 1 << UInt8(index % 8)
            } else {
                try ValueCodec.append(values[index], kind: kinds[index], to: &writer)
            }
        }
    }

    static var damaged: SQLError { SQLError(.dataCorrupted, "stored row is damaged") }

    /// Decodes the columns that `projection` wants into `row` (which must have its output count;
    /// slots nobody wants are left alone).
    public func decode(
        _ bytes: UnsafeRawBufferPointer, _ projection: RowProjection, into row: inout [Datum]
    ) throws(SQLError) {
        guard row.count >= projection.outputCount else {
            throw SQLError(.internalError, "a row buffer is too short")
        }
        let isDone = row.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { read(bytes, projection, $0) } ?? true
        }
        guard isDone else { throw Self.damaged }
    }

    /// The same into raw slots: what plan execution uses, per row, without an array.
    public func decode(
        _ bytes: UnsafeRawBufferPointer, _ projection: RowProjection,
        into slots: UnsafeMutablePointer<Datum>
    ) throws(SQLError) {
        guard read(bytes, projection, slots) else { throw Self.damaged }
    }

    private func read(
        _ bytes: UnsafeRawBufferPointer, _ projection: RowProjection,
        _ row: UnsafeMutablePointer<Datum>
    ) -> Bool {
        var reader = ByteReader(bytes)
        guard reader.readVarint() != nil, let stored = reader.readVarint(),
            stored <= UInt64(bytes.count) * 8, let bitmap = reader.readBytes((Int(stored) + 7) / 8)
        else { return false }
        let storedCount = Int(stored)
        for index in 0..<min(projection.prefixCount, kinds.count) {
            let slot = Int(projection.slots[index])
            if index >= storedCount {
                if slot >= 0 { row[slot] = missing[index] }
                continue
            }
            if bitmap[index >> 3] & (1 << UInt8(index & 7)) != 0 {
                if slot >= 0 { row[slot] = .null }
            } else if slot >= 0 {
                guard let value = ValueCodec.decode(&reader, kind: kinds[index]) else {
                    return false
                }
                row[slot] = value
            } else {
                guard ValueCodec.skip(&reader, kind: kinds[index]) else { return false }
            }
        }
        return true
    }

    /// Every column, by attribute number - 1.
    public func decodeAll(_ bytes: UnsafeRawBufferPointer) throws(SQLError) -> [Datum] {
        var row = [Datum](repeating: .null, count: kinds.count)
        try decode(bytes, RowProjection(allOf: kinds.count), into: &row)
        return row
    }

    /// The descriptor version a row was written under.
    public static func descriptorVersion(of bytes: UnsafeRawBufferPointer) -> UInt32? {
        var reader = ByteReader(bytes)
        return reader.readVarint().flatMap { UInt32(exactly: $0) }
    }
}
