import FalconSchema
import FalconStorage

/// An entry in the index of a DEFERRABLE unique constraint: columns, then the row's part.
struct DeferrableEntry: Sendable {
    let bytes: [UInt8]
    private let columnBytes: Int

    init(_ bytes: [UInt8], columnBytes: Int) {
        self.bytes = bytes
        self.columnBytes = columnBytes
    }

    /// The key that is to be unique; its lock is what transactions with such rows meet at.
    var columns: [UInt8] { Array(bytes.prefix(columnBytes)) }
    var rowSuffix: [UInt8] { Array(bytes.dropFirst(columnBytes)) }

    /// The row's part of another entry with the same columns, by the newest commits and own writes.
    func otherRow(_ transaction: Transaction) throws(SQLError) -> [UInt8]? {
        let columns = columns
        let snapshot = transaction.engine.makeSnapshot(owner: transaction.snapshotOwner)
        defer { snapshot.release() }
        var options = ReadOptions()
        options.mayWait = transaction.mayWait
        let range = KeyRange(lower: columns, upper: KeyOrder.prefixSuccessor(columns))
        let iterator = try transaction.iterate(range, at: snapshot.timestamp, options)
        while iterator.isValid {
            let isOwn = bytes.withRaw { $0.elementsEqual(iterator.key) }
            if !isOwn { return Array(iterator.key.dropFirst(columnBytes)) }
            try storage { () throws(StorageError) in try iterator.next() }
        }
        return nil
    }
}
