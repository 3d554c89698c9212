import FalconStorage

/// Numbers as text straight into the buffer.
extension ByteWriter {
    @inlinable
    public mutating func append(ascii text: StaticString) {
        bytes.append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inlinable
    public mutating func append(utf8 text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    @inlinable
    public mutating func appendDecimal(_ value: Int64) {
        if value < 0 { bytes.append(0x2D) }
        appendDecimal(value.magnitude)
    }

    @inlinable
    public mutating func appendDecimal(_ value: UInt64) {
        if value < 10 {
            bytes.append(UInt8(truncatingIfNeeded: value) &+ 48)
            return
        }
        // Digits from the right into a word array on the stack, then one append.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = value
            var index = 20
            while rest >= 10 {
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                index &-= 1
                digits[index] = UInt8(truncatingIfNeeded: digit) &+ 48
                rest = quotient
            }
            index &-= 1
            digits[index] = UInt8(truncatingIfNeeded: rest) &+ 48
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[index..<20]))
        }
    }

    /// Zero-padded on the left to at least `width` digits.
    public mutating func appendDecimal(_ value: UInt64, paddedTo width: Int) {
        var count = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        while count < width {
            bytes.append(48)
            count += 1
        }
        appendDecimal(value)
    }
}
