/// What can be a key or a value: bytes that lie in one piece, or a text's UTF-8.
///
/// Arrays, slices of arrays, strings and raw buffers conform. A `Span` goes through
/// `withUnsafeBytes`, which gives a raw buffer.
public protocol StorageBytes {
    /// Calls `body` with the bytes, borrowed for the call.
    func withStorageBytes<R>(
        _ body: (UnsafeRawBufferPointer) throws(StorageError) -> R
    ) throws(StorageError) -> R
}

extension UnsafeRawBufferPointer: StorageBytes {
    @inlinable
    public func withStorageBytes<R>(
        _ body: (UnsafeRawBufferPointer) throws(StorageError) -> R
    ) throws(StorageError) -> R { try body(self) }
}

extension Array: StorageBytes where Element == UInt8 {
    @inlinable
    public func withStorageBytes<R>(
        _ body: (UnsafeRawBufferPointer) throws(StorageError) -> R
    ) throws(StorageError) -> R { try span.bytes.withUnsafeBytes(body) }
}

extension ArraySlice: StorageBytes where Element == UInt8 {
    @inlinable
    public func withStorageBytes<R>(
        _ body: (UnsafeRawBufferPointer) throws(StorageError) -> R
    ) throws(StorageError) -> R { try span.bytes.withUnsafeBytes(body) }
}

extension String: StorageBytes {
    @inlinable
    public func withStorageBytes<R>(
        _ body: (UnsafeRawBufferPointer) throws(StorageError) -> R
    ) throws(StorageError) -> R { try utf8.span.bytes.withUnsafeBytes(body) }
}

extension Substring: StorageBytes {
    @inlinable
    public func withStorageBytes<R>(
        _ body: (UnsafeRawBufferPointer) throws(StorageError) -> R
    ) throws(StorageError) -> R { try utf8.span.bytes.withUnsafeBytes(body) }
}

extension KeyRange {
    /// All keys that begin with `prefix`.
    public init(prefix: some StorageBytes) throws(StorageError) {
        self.init(
            prefix: try prefix.withStorageBytes { bytes throws(StorageError) in Array(bytes) })
    }

    /// The keys at or after `lower` and before `upper`.
    public init(
        from lower: some StorageBytes, to upper: some StorageBytes
    ) throws(StorageError) {
        self.init(
            lower: try lower.withStorageBytes { bytes throws(StorageError) in Array(bytes) },
            upper: try upper.withStorageBytes { bytes throws(StorageError) in Array(bytes) })
    }
}
