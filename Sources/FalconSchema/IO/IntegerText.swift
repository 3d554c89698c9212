/// Integers from text, with PostgreSQL's two errors: not a number, or out of range.
enum IntegerText {
    static func parse<T: FixedWidthInteger & SignedInteger>(
        _ text: UnsafeRawBufferPointer, _ typeName: String, _ type: T.Type
    ) throws(SQLError) -> Int64 {
        var index = 0
        let end = text.count
        while index < end, text[index].isSpace { index += 1 }
        var negative = false
        if index < end, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
            negative = text[index] == UInt8(ascii: "-")
            index += 1
        }
        let first = index
        var value: Int64 = 0
        var overflowed = false
        // Collected negative: the range is larger on that side.
        while index < end, text[index].isDigit {
            let (times, over1) = value.multipliedReportingOverflow(by: 10)
            let (next, over2) = times.subtractingReportingOverflow(Int64(text[index] &- 48))
            overflowed = overflowed || over1 || over2
            value = next
            index += 1
        }
        guard index > first else { throw .invalidInput(text, typeName: typeName) }
        while index < end, text[index].isSpace { index += 1 }
        guard index == end else { throw .invalidInput(text, typeName: typeName) }
        if !negative {
            if value == .min { overflowed = true } else { value = -value }
        }
        if overflowed || T(exactly: value) == nil {
            throw SQLError(
                .numericValueOutOfRange,
                "value \"\(String(decoding: text, as: UTF8.self))\" is out of range for type \(typeName)"
            )
        }
        return value
    }

    /// oid input takes negative numbers too, as their unsigned 32 bits.
    static func parseOID(_ text: UnsafeRawBufferPointer) throws(SQLError) -> Int64 {
        let value: Int64
        do throws(SQLError) {
            value = try parse(text, "oid", Int64.self)
        } catch {
            throw error
        }
        if let exact = UInt32(exactly: value) { return Int64(exact) }
        if let negative = Int32(exactly: value) { return Int64(UInt32(bitPattern: negative)) }
        throw SQLError(
            .numericValueOutOfRange,
            "value \"\(String(decoding: text, as: UTF8.self))\" is out of range for type oid")
    }

    static func parseUnsigned64(
        _ text: UnsafeRawBufferPointer, _ typeName: String
    ) throws(SQLError) -> UInt64 {
        guard let value = UInt64(String(decoding: text, as: UTF8.self)) else {
            throw .invalidInput(text, typeName: typeName)
        }
        return value
    }
}
