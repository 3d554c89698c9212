import FalconSchema
import FalconStorage

/// What ANALYZE and VACUUM found: how many rows a table has, or an index entries.
///
/// Stored form, little-endian; the last two are missing in what an older FalconDB stored:
///
///     rows f64 | versions f64 | pages i32 | n u8 | n × distinct f64
struct TableStatistics: Sendable, Equatable {
    var rows: Double
    /// PostgreSQL's, of 8 KiB.
    var pages: Int32
    /// How many keys the engine took it to have then: old versions count, too.
    var versions: Double
    /// How many values an index's first column has, its first two together, and so on.
    var distinct: [Double]

    static let pageBytes = 8192.0

    /// How many rows there are when the engine takes it to have `now` keys. As in PostgreSQL, what has come since is
    /// as dense as what was there; what has gone may have been old versions only.
    func rows(of now: Double) -> Double {
        if now <= versions { return min(rows, now) }
        return rows < 1 || versions < 1 ? now - versions : rows * (now / versions)
    }

    /// How many of `rows` rows have the same values in an index's first `columns` columns; nil: nobody counted.
    /// Where values were often new, further rows bring further values; otherwise the same ones, as PostgreSQL has it.
    func rowsPerValue(_ columns: Int, of rows: Double) -> Double? {
        guard columns > 0, columns <= distinct.count, self.rows >= 1 else { return nil }
        let values = max(1, distinct[columns - 1])
        return max(1, values > self.rows * Self.newShare ? self.rows / values : rows / values)
    }

    private static let newShare = 0.1

    // MARK: Stored form

    static func key(_ database: DatabaseID, _ storage: StorageID) -> [UInt8] {
        CatalogKeys.key(database, CatalogKeys.statistics, OID(storage.rawValue))
    }

    func put(
        into batch: WriteBatch, database: DatabaseID, _ storage: StorageID
    ) throws(StorageError) {
        try Self.key(database, storage).withRaw { key throws(StorageError) in
            try encoded.withRaw { value throws(StorageError) in
                try batch.put(key: key, value: value, class: .system)
            }
        }
    }

    private var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 21 + distinct.count * 8)
        writer.appendFixed(rows.bitPattern)
        writer.appendFixed(versions.bitPattern)
        writer.appendFixed(pages)
        writer.appendFixed(UInt8(clamping: distinct.count))
        for values in distinct.prefix(Int(UInt8.max)) { writer.appendFixed(values.bitPattern) }
        return writer.bytes
    }

    init(rows: Double, pages: Int32, versions: Double, distinct: [Double] = []) {
        self.rows = rows
        self.pages = pages
        self.versions = versions
        self.distinct = distinct
    }

    /// Nil for what is no such thing: statistics are never worth a failure.
    init?(decoding value: UnsafeRawBufferPointer) {
        var reader = ByteReader(value)
        guard let rows = reader.readFixed(UInt64.self),
            let versions = reader.readFixed(UInt64.self),
            let pages = reader.readFixed(Int32.self)
        else { return nil }
        self.init(
            rows: Double(bitPattern: rows), pages: pages, versions: Double(bitPattern: versions))
        guard self.rows.isFinite, self.rows >= 0, self.versions.isFinite, self.versions >= 0,
            pages >= 0
        else { return nil }
        for _ in 0..<(reader.readByte() ?? 0) {
            guard let bits = reader.readFixed(UInt64.self) else { return nil }
            let values = Double(bitPattern: bits)
            guard values.isFinite, values >= 0 else { return nil }
            distinct.append(values)
        }
    }
}
