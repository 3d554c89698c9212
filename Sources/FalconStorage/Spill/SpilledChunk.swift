/// Some hundred KiB of operations in their order, as read from a ``SpilledOperations``.
///
/// `count u32, that many ordinals u32, the operations in the log's encoding`
final class SpilledChunk {
    static let targetBytes = 256 << 10

    /// Those that are in it, rising.
    let ordinals: [UInt32]
    private let operations: [WALOperation]
    private let bytes: UnsafeMutableRawBufferPointer

    /// Takes over `bytes`, from `allocate`. Nil when they make no sense.
    init?(_ bytes: UnsafeMutableRawBufferPointer) {
        self.bytes = bytes
        var reader = ByteReader(UnsafeRawBufferPointer(bytes))
        var ordinals: [UInt32] = []
        var operations: [WALOperation] = []
        if let count = reader.readFixed(UInt32.self) {
            for _ in 0..<min(Int(count), bytes.count / 4) {
                if let ordinal = reader.readFixed(UInt32.self) { ordinals.append(ordinal) }
            }
            var iterator = WALOperationIterator(reader, count: count)
            while let operation = iterator.next() { operations.append(operation) }
            if iterator.isDamaged { operations = [] }
        }
        self.ordinals = ordinals
        self.operations = operations
        if operations.isEmpty || operations.count != ordinals.count { return nil }
    }

    deinit { bytes.deallocate() }

    /// The operation of that ordinal, borrowed from the chunk.
    func operation(at ordinal: UInt32) -> WriteBatch.Operation? {
        var low = 0
        var high = ordinals.count
        while low < high {
            let middle = (low &+ high) / 2
            if ordinals[middle] < ordinal { low = middle &+ 1 } else { high = middle }
        }
        guard low < ordinals.count, ordinals[low] == ordinal else { return nil }
        let operation = operations[low]
        return WriteBatch.Operation(
            ordinal: ordinal, kind: operation.kind, class: operation.operationClass,
            sql: operation.sql, descriptorVersion: operation.descriptorVersion,
            key: operation.key, value: operation.value, before: operation.before)
    }

    /// Bytes of the operation of that ordinal, as a batch counts them.
    static func byteCount(_ operation: WriteBatch.Operation) -> Int {
        WriteBatch.operationBytes(
            key: operation.key.count, value: operation.value.count,
            before: operation.before?.count)
    }
}
