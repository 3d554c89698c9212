/// The large values of one table that is being salvaged: those of damaged blob files go into the table
/// itself, and a version whose value cannot be read becomes a deletion.
struct ValueSalvage {
    /// Rows next to each other, in the order of keys, whose values are lost.
    struct Lost {
        var blob: FileNumber
        /// Of the first of them.
        var offset: UInt64
        var keys: KeyRange
        var count: UInt64
    }

    private let damaged: [FileNumber: BlobReader?]
    private(set) var lost: [Lost] = []
    /// The last version that was added is in the last of `lost`.
    private var isInRun = false

    init(_ damaged: [FileNumber: BlobReader?]) { self.damaged = damaged }

    mutating func endRun() { isInRun = false }

    mutating func add(
        _ key: UnsafeRawBufferPointer, _ timestamp: Timestamp, _ value: UnsafeRawBufferPointer,
        to output: TableOutput
    ) throws(StorageError) {
        guard let reference = BlobReference(value),
            let reader = damaged[FileNumber(reference.file)]
        else {
            isInRun = false
            return try output.add(
                key: key, timestamp: timestamp, kind: .valueReference, value: value)
        }
        var pin = BlockPin()
        defer { pin.release() }
        var bytes: UnsafeRawBufferPointer?
        if let reader {
            do throws(StorageError) {
                bytes = try reader.value(reference, of: key, &pin, fillCache: false)
            } catch  where error.isLoss {}
        }
        if let bytes {
            isInRun = false
            return try output.add(key: key, timestamp: timestamp, kind: .put, value: bytes)
        }
        note(key, reference)
        try output.add(
            key: key, timestamp: timestamp, kind: .delete,
            value: UnsafeRawBufferPointer(start: nil, count: 0))
    }

    private mutating func note(_ key: UnsafeRawBufferPointer, _ reference: BlobReference) {
        let blob = FileNumber(reference.file)
        let upper = Array(key) + [0]
        if isInRun, let last = lost.indices.last, lost[last].blob == blob {
            // An older version of the same row is no other row.
            if lost[last].keys.upper != upper { lost[last].count += 1 }
            lost[last].keys.upper = upper
        } else {
            lost.append(
                Lost(
                    blob: blob, offset: reference.offset,
                    keys: KeyRange(lower: Array(key), upper: upper), count: 1))
        }
        isInRun = true
    }
}
