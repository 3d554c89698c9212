import FalconSchema
import FalconStorage

/// Makes what the log carries of rows as they were, for a table whose REPLICA IDENTITY asks for it: whole
/// rows (FULL), or rows in which columns outside an index are NULL (USING INDEX).
///
/// Its bytes are rows under the table's present descriptor, like the values beside them.
final class BeforeImages {
    private let codec: RowCodec
    /// The columns that are carried; nil: all.
    private let places: [Int]?
    @exclusivity(unchecked) private var masked: [Datum]
    @exclusivity(unchecked) private var image = ByteWriter(capacity: 256)
    @exclusivity(unchecked) private var newImage = ByteWriter()

    /// Nil: the table asks for none.
    init?(_ table: TableDescriptor, _ codec: RowCodec) {
        switch table.replicaIdentity {
        case .primaryKey, .nothing: return nil
        case .full: places = nil
        case .index:
            guard let index = table.identityIndex else { return nil }
            places = index.columns.map { Int($0.attribute) - 1 }
        }
        self.codec = codec
        masked = Array(repeating: .null, count: table.columns.count)
    }

    /// The image for the log of `old`, which is deleted or goes to another key; borrowed for the call.
    func withImage<R>(
        of old: [Datum], _ body: (UnsafeRawBufferPointer?) throws(SQLError) -> R
    ) throws(SQLError) -> R {
        try encode(old, to: &image)
        return try image.bytes.withRaw { image throws(SQLError) in try body(image) }
    }

    /// The image for the log of `old`, which `new` replaces. As in PostgreSQL there is none while an index
    /// names both alike, byte by byte.
    func withImage<R>(
        of old: [Datum], replacedBy new: [Datum],
        _ body: (UnsafeRawBufferPointer?) throws(SQLError) -> R
    ) throws(SQLError) -> R {
        try encode(old, to: &image)
        if places != nil {
            try encode(new, to: &newImage)
            if image.bytes == newImage.bytes { return try body(nil) }
        }
        return try image.bytes.withRaw { image throws(SQLError) in try body(image) }
    }

    private func encode(_ row: [Datum], to writer: inout ByteWriter) throws(SQLError) {
        writer.bytes.removeAll(keepingCapacity: true)
        guard let places else { return try codec.encode(row, to: &writer) }
        for place in places where row.indices.contains(place) { masked[place] = row[place] }
        try codec.encode(masked, to: &writer)
    }
}
