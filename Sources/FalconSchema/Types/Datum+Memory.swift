extension Datum {
    /// Bytes that the value keeps outside its own ``MemoryLayout``: an estimate for memory budgets, what
    /// several values share is counted with each.
    @inlinable public var heapBytes: Int {
        switch self {
        case .null, .bool, .int, .float, .interval: 0
        // Up to 15 bytes lie in the string itself.
        case .text(let text): text.utf8.count > 15 ? text.utf8.count &+ 48 : 0
        case .bytes(let bytes): bytes.isEmpty ? 0 : bytes.count &+ 48
        case .numeric(let number): number.heapBytes
        case .array(let array): array.heapBytes
        }
    }
}

extension ArrayValue {
    @usableFromInline var heapBytes: Int {
        elements.reduce(112 + elements.count * MemoryLayout<Datum>.stride) { $0 &+ $1.heapBytes }
    }
}

extension NumericValue {
    /// Decimals beyond 18 digits lie in a big integer.
    @inlinable var heapBytes: Int {
        if case .big = storage { return 96 }
        return 0
    }
}
