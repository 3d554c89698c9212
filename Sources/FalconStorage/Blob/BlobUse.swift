/// What one table refers to in one blob file. MANIFEST has a table's uses with the table, so the live
/// part of a blob file is the sum over the tables of a version, and garbage is what is left of it:
/// exact, whatever becomes of a table.
struct BlobUse: Hashable, Sendable {
    var file: FileNumber
    var records: UInt64
    /// Bytes of those records.
    var bytes: UInt64
}

/// Counts the uses of a table while it is written.
struct BlobUseCounter {
    /// By file number.
    private(set) var uses: [BlobUse] = []
    private var last = 0

    mutating func count(_ reference: BlobReference) {
        let file = FileNumber(reference.file)
        if last >= uses.count || uses[last].file != file { last = place(of: file) }
        uses[last].records &+= 1
        uses[last].bytes &+= UInt64(reference.recordBytes)
    }

    /// The uses counted so far; counting begins anew.
    mutating func take() -> [BlobUse] {
        defer {
            uses = []
            last = 0
        }
        return uses
    }

    private mutating func place(of file: FileNumber) -> Int {
        var low = 0
        var high = uses.count
        while low < high {
            let middle = (low + high) / 2
            if uses[middle].file < file { low = middle + 1 } else { high = middle }
        }
        if low == uses.count || uses[low].file != file {
            uses.insert(BlobUse(file: file, records: 0, bytes: 0), at: low)
        }
        return low
    }
}
