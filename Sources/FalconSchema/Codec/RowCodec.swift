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
public struct RowCodec: Sendable {
    public init(_ descriptor: TableDescriptor) {}

    /// Appends a row; `values` by attribute number - 1, dropped columns NULL.
    public func encode(_ values: [Datum], to writer: inout ByteWriter) throws(SQLError) {}

    /// Decodes the columns that `projection` wants into `row` (which must have its output count;
    /// slots nobody wants are left alone).
    public func decode(
        _ bytes: UnsafeRawBufferPointer, _ projection: RowProjection, into row: inout [Datum]
    ) throws(SQLError) {}

    /// The same into raw slots: what plan execution uses, per row, without an array.
    public func decode(
        _ bytes: UnsafeRawBufferPointer, _ projection: RowProjection,
        into slots: UnsafeMutablePointer<Datum>
    ) throws(SQLError) {}

    /// Every column, by attribute number - 1.
    public func decodeAll(_ bytes: UnsafeRawBufferPointer) throws(SQLError) -> [Datum] { [] }

    /// The descriptor version a row was written under.
    public static func descriptorVersion(of bytes: UnsafeRawBufferPointer) -> UInt32? { nil }
}
