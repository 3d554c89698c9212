import FalconSchema
import FalconStorage

/// Reads the wanted columns from a row's key, where all of them are columns of the primary key, or none is
/// wanted: the row itself, which may be large, is not read.
struct KeyProjection {
    private struct Column {
        var type: OID
        var isDescending: Bool
        var nullsFirst: Bool
        var slot: Int?
    }
    private let prefixCount: Int
    private let columns: [Column]

    /// Nil: a wanted column is not in the key, or not exactly as it is in the row.
    init?(_ wanted: [ScanColumn], of table: TableDescriptor) {
        prefixCount = CatalogKeys.prefix(table.database, table.storageID).count
        let keys = table.hasHiddenRowID ? [] : table.primaryKey
        var slots: [Int16: Int] = [:]
        for column in wanted {
            let place = Int(column.attribute) - 1
            guard keys.contains(where: { $0.attribute == column.attribute }),
                table.columns.indices.contains(place),
                KeyCodec.isLossless(table.columns[place].type.oid)
            else { return nil }
            slots[column.attribute] = column.slot
        }
        var columns: [Column] = []
        for key in keys {
            let place = Int(key.attribute) - 1
            guard table.columns.indices.contains(place) else { return nil }
            columns.append(
                Column(
                    type: table.columns[place].type.oid, isDescending: key.isDescending,
                    nullsFirst: key.nullsFirst, slot: slots[key.attribute]))
        }
        // What follows the last wanted column is not walked through.
        let end = columns.lastIndex { $0.slot != nil }.map { $0 + 1 } ?? 0
        self.columns = Array(columns[..<end])
    }

    func decode(
        _ key: UnsafeRawBufferPointer, into slots: UnsafeMutablePointer<Datum>
    ) throws(SQLError) {
        var reader = ByteReader(key)
        guard reader.skip(prefixCount) else {
            throw SQLError(.dataCorrupted, "row key is damaged")
        }
        for column in columns {
            let value = try KeyCodec.decode(
                &reader, type: column.type, descending: column.isDescending,
                nullsFirst: column.nullsFirst)
            if let slot = column.slot { slots[slot] = value }
        }
    }
}
