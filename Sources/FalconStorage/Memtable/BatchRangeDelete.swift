/// A range delete of a batch, copied out of it.
struct BatchRangeDelete: Sendable {
    var ordinal: UInt32
    var lower: [UInt8]
    var upper: [UInt8]

    init(_ operation: WriteBatch.Operation) {
        ordinal = operation.ordinal
        lower = Array(operation.key)
        upper = Array(operation.value)
    }

    func covers(_ key: UnsafeRawBufferPointer) -> Bool {
        lower.withUnsafeBytes { KeyOrder.compare($0, key) <= 0 }
            && upper.withUnsafeBytes { KeyOrder.compare(key, $0) < 0 }
    }
}

extension Array where Element == BatchRangeDelete {
    /// The ordinal of the newest over `key` that is less than `below`; they lie oldest first.
    func newest(over key: UnsafeRawBufferPointer, below ordinal: UInt32) -> UInt32? {
        last { $0.ordinal < ordinal && $0.covers(key) }?.ordinal
    }
}
