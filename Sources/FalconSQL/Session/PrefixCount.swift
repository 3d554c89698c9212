import FalconSchema
import FalconStorage

/// Counts how many values an index's first column has, its first two together, and so on: its entries come in
/// their order, so that each other value begins where an entry differs from the one before. NULL is one value.
struct PrefixCount {
    /// Of one column more each.
    private(set) var distinct: [Double]

    private let columns: [(type: OID, isDescending: Bool)]
    /// What is the same of all keys.
    private let skipped: Int
    private var previous: [UInt8] = []

    /// - Parameter skipped: so many bytes stand before the first column.
    init(of columns: [KeyColumn], in table: TableDescriptor, skipped: Int) {
        var known: [(type: OID, isDescending: Bool)] = []
        for column in columns {
            let index = Int(column.attribute) - 1
            guard table.columns.indices.contains(index) else { break }
            known.append((table.columns[index].type.oid, column.isDescending))
        }
        self.columns = known
        self.skipped = skipped
        distinct = Array(repeating: 0, count: known.count)
    }

    /// Keys in their order.
    mutating func add(_ key: UnsafeRawBufferPointer) throws(SQLError) {
        if columns.isEmpty { return }
        let shared = zip(previous, key).prefix { $0 == $1 }.count
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: key.dropFirst(skipped)))
        let length = reader.remaining
        for (position, column) in columns.enumerated() {
            try KeyCodec.skip(&reader, type: column.type, descending: column.isDescending)
            guard previous.isEmpty || skipped + length - reader.remaining > shared else { continue }
            for longer in position..<distinct.count { distinct[longer] += 1 }
            break
        }
        previous.removeAll(keepingCapacity: true)
        previous.append(contentsOf: key)
    }

    /// What was read is only a share of all: there are as many more values as keys.
    mutating func scale(by factor: Double) {
        for position in distinct.indices { distinct[position] *= factor }
    }
}
