import FalconSchema
import FalconStorage

/// One contiguous key range of a scan; empty `upper` means no upper bound is known.
struct KeyInterval {
    var lower: [UInt8]
    var upper: [UInt8]?
}

/// Turns a scan's index condition into key ranges, at each (re)start of the scan.
struct BoundsEncoder {
    struct Column {
        var type: OID
        var kind: PhysicalKind
        var isDescending: Bool
        var nullsFirst: Bool
    }
    let prefix: [UInt8]
    let columns: [Column]
    let bounds: IndexBounds

    init(table: TableDescriptor, index: IndexDescriptor, bounds: IndexBounds) {
        prefix = CatalogKeys.prefix(
            table.database, index.isPrimary ? table.storageID : index.storageID)
        columns = table.entryColumns(of: index).map { key in
            let type = table.columns[Int(key.attribute) - 1].type.oid
            return Column(
                type: type, kind: TypeRegistry.physical(type), isDescending: key.isDescending,
                nullsFirst: key.nullsFirst)
        }
        self.bounds = bounds
    }

    /// Compares an integer with the range of its column's type: -1 below, 0 inside, 1 above.
    static func place(_ value: Datum, _ kind: PhysicalKind) -> Int {
        guard case .int(let number) = value else { return 0 }
        let low: Int64
        let high: Int64
        switch kind {
        case .int2:
            low = Int64(Int16.min)
            high = Int64(Int16.max)
        case .int4:
            low = Int64(Int32.min)
            high = Int64(Int32.max)
        case .oid:
            low = 0
            high = Int64(UInt32.max)
        case .byte:
            low = 0
            high = 255
        default: return 0
        }
        return number < low ? -1 : number > high ? 1 : 0
    }

    /// Appends the key of a point access; false when it matches nothing.
    func appendPoint(_ row: RowContext, to key: inout ByteWriter) throws(SQLError) -> Bool {
        key.append(contentsOf: prefix)
        for (place, match) in bounds.equalities.enumerated() {
            guard case .equal(let expression) = match else { return false }
            let value = try expression.evaluate(row)
            let column = columns[place]
            if value.isNull || Self.place(value, column.kind) != 0 { return false }
            try append(value, column, &key)
        }
        return true
    }

    private func append(
        _ value: Datum, _ column: Column, _ key: inout ByteWriter
    ) throws(SQLError) {
        try KeyCodec.append(
            value, type: column.type, descending: column.isDescending,
            nullsFirst: column.nullsFirst, to: &key)
    }

    /// The ranges to read, in key order and disjoint.
    func intervals(_ row: RowContext) throws(SQLError) -> [KeyInterval] {
        var prefixes = [prefix]
        for (place, match) in bounds.equalities.enumerated() {
            let column = columns[place]
            var values: [Datum] = []
            switch match {
            case .equal(let expression): values = [try expression.evaluate(row)]
            case .anyOf(let expressions):
                for expression in expressions { values.append(try expression.evaluate(row)) }
            case .anyElement(let expression):
                if case .array(let array) = try expression.evaluate(row) {
                    values = array.elements
                }
            case .isNull:
                for index in prefixes.indices {
                    var writer = ByteWriter()
                    writer.bytes = prefixes[index]
                    try append(.null, column, &writer)
                    prefixes[index] = writer.bytes
                }
                continue
            }
            var encoded: [[UInt8]] = []
            for value in values where !value.isNull && Self.place(value, column.kind) == 0 {
                var writer = ByteWriter()
                try append(value, column, &writer)
                encoded.append(writer.bytes)
            }
            if encoded.count > 1 {
                encoded.sort { $0.lexicographicallyPrecedes($1) }
                var last: [UInt8]?
                encoded.removeAll { bytes in
                    defer { last = bytes }
                    return bytes == last
                }
            }
            if encoded.isEmpty { return [] }
            if encoded.count == 1 {
                for index in prefixes.indices { prefixes[index] += encoded[0] }
            } else {
                prefixes = prefixes.flatMap { prefix in encoded.map { prefix + $0 } }
            }
        }
        if bounds.lower == nil, bounds.upper == nil {
            return prefixes.map { KeyInterval(lower: $0, upper: KeyOrder.prefixSuccessor($0)) }
        }
        guard bounds.equalities.count < columns.count else { return [] }
        let column = columns[bounds.equalities.count]

        // Everything is relative to a prefix: nil start means at the first (or past the NULLs).
        var low: (bytes: [UInt8], isInclusive: Bool)?
        var high: (bytes: [UInt8], isInclusive: Bool)?
        if let bound = bounds.lower {
            let value = try bound.value.evaluate(row)
            if value.isNull { return [] }
            switch Self.place(value, column.kind) {
            case 1: return []
            case 0:
                var writer = ByteWriter()
                try append(value, column, &writer)
                low = (writer.bytes, bound.isInclusive)
            default: break
            }
        }
        if let bound = bounds.upper {
            let value = try bound.value.evaluate(row)
            if value.isNull { return [] }
            switch Self.place(value, column.kind) {
            case -1: return []
            case 0:
                var writer = ByteWriter()
                try append(value, column, &writer)
                high = (writer.bytes, bound.isInclusive)
            default: break
            }
        }
        if column.isDescending { swap(&low, &high) }
        var null = ByteWriter()
        try append(.null, column, &null)
        var result: [KeyInterval] = []
        for prefix in prefixes {
            var lower = prefix
            var upper = KeyOrder.prefixSuccessor(prefix)
            if let low {
                lower = prefix + low.bytes
                if !low.isInclusive {
                    guard let next = KeyOrder.prefixSuccessor(lower) else { continue }
                    lower = next
                }
            } else if column.nullsFirst {
                guard let next = KeyOrder.prefixSuccessor(prefix + null.bytes) else { continue }
                lower = next
            }
            if let high {
                let end = prefix + high.bytes
                upper = high.isInclusive ? KeyOrder.prefixSuccessor(end) : end
            } else if !column.nullsFirst {
                upper = prefix + null.bytes
            }
            if let upper, !lower.lexicographicallyPrecedes(upper) { continue }
            result.append(KeyInterval(lower: lower, upper: upper))
        }
        return result
    }
}
