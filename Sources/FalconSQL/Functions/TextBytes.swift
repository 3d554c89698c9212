import FalconSchema
import Glibc

/// String operations over UTF-8 bytes, in one pass, that stop when the statement is to stop.
enum TextBytes {
    /// Bytes between two looks at whether the statement is to stop: some milliseconds of work.
    static let interruptStride = 4 << 20

    typealias Output = UnsafeMutableBufferPointer<UInt8>

    /// Text of at most `capacity` bytes, written straight into its storage. `body` returns how many
    /// bytes it wrote, which must be UTF-8.
    static func build(
        _ capacity: Int, _ body: (Output) throws(SQLError) -> Int
    ) throws(SQLError) -> String {
        try ValueLimit.checkAllocation(capacity)
        var failure: SQLError?
        let text = String(unsafeUninitializedCapacity: capacity) { buffer in
            do throws(SQLError) {
                return try body(buffer)
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return text
    }

    /// Calls `body` with ranges that cover 0..<count, and asks in between whether to stop.
    static func inStrides(
        _ count: Int, _ context: FunctionContext, _ body: (Range<Int>) -> Void
    ) throws(SQLError) {
        var start = 0
        while start < count {
            let end = min(count, start + interruptStride)
            body(start..<end)
            start = end
            if start < count { try context.checkInterrupts() }
        }
    }

    /// The width of the character that begins with `lead`, in valid UTF-8.
    @inline(__always)
    static func width(_ lead: UInt8) -> Int {
        lead < 0x80 ? 1 : (lead < 0xE0 ? 2 : (lead < 0xF0 ? 3 : 4))
    }

    static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while offset + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if word & 0x8080_8080_8080_8080 != 0 { return false }
            offset += 8
        }
        while offset < bytes.count {
            if bytes[offset] >= 0x80 { return false }
            offset += 1
        }
        return true
    }

    /// The byte offset of character `index`, or the end.
    static func offset(ofCharacter index: Int, in bytes: UnsafeRawBufferPointer) -> Int {
        var offset = 0
        var left = index
        while left > 0, offset < bytes.count {
            offset += width(bytes[offset])
            left -= 1
        }
        return min(offset, bytes.count)
    }

    /// The bytes in `range` of text, cut at characters.
    static func slice(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> String {
        String(decoding: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    }

    static func reversed(_ text: String, _ context: FunctionContext) throws(SQLError) -> String {
        try withUTF8Bytes(of: text) { (source) throws(SQLError) in
            let count = source.count
            return try build(count) { (output) throws(SQLError) in
                var index = 0
                while index < count {
                    let stop = min(count, index + interruptStride)
                    while index < stop {
                        let length = min(width(source[index]), count - index)
                        for place in 0..<length {
                            output[count - index - length + place] = source[index + place]
                        }
                        index += length
                    }
                    try context.checkInterrupts()
                }
                return count
            }
        }
    }

    /// The letters from `first` on, 26 of them, with their case bit turned over.
    static func flippingCase(
        _ source: UnsafeRawBufferPointer, from first: UInt8, _ context: FunctionContext
    ) throws(SQLError) -> String {
        try build(source.count) { (output) throws(SQLError) in
            try inStrides(source.count, context) { range in
                for index in range {
                    let byte = source[index]
                    output[index] = byte &- first < 26 ? byte ^ 0x20 : byte
                }
            }
            return source.count
        }
    }

    /// One scalar for one, as towlower and towupper have it.
    static func mapping(
        _ text: String, _ context: FunctionContext, _ map: (Unicode.Scalar) -> Unicode.Scalar
    ) throws(SQLError) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        var next = interruptStride
        for scalar in text.unicodeScalars {
            append(map(scalar), to: &result)
            if result.count >= next {
                next = result.count + interruptStride
                try context.checkInterrupts()
            }
        }
        try ValueLimit.checkAllocation(result.count)
        return String(decoding: result, as: UTF8.self)
    }

    @inline(__always)
    static func append(_ scalar: Unicode.Scalar, to result: inout [UInt8]) {
        if scalar.isASCII {
            result.append(UInt8(truncatingIfNeeded: scalar.value))
        } else if let encoded = UTF8.encode(scalar) {
            result.append(contentsOf: encoded)
        }
    }

    /// The offset of `needle` in `text` at or after `start`; nil when there is none.
    static func find(
        _ needle: UnsafeRawBufferPointer, in text: UnsafeRawBufferPointer, from start: Int,
        _ context: FunctionContext
    ) throws(SQLError) -> Int? {
        guard let first = needle.first, let base = text.baseAddress, let wanted = needle.baseAddress
        else { return start }
        var index = start
        var candidates = 0
        while index + needle.count <= text.count {
            // Often the next one follows at once.
            if needle.count == 1, text[index] == first { return index }
            let reach = min(text.count - needle.count + 1 - index, interruptStride)
            guard let found = memchr(base + index, Int32(first), reach) else {
                index += reach
                try context.checkInterrupts()
                continue
            }
            index = UnsafeRawPointer(found) - base
            if memcmp(base + index, wanted, needle.count) == 0 { return index }
            index += 1
            candidates += 1 + needle.count >> 8
            if candidates > interruptStride >> 3 {
                candidates = 0
                try context.checkInterrupts()
            }
        }
        return nil
    }

    private static func append(
        _ source: UnsafeRawBufferPointer, _ range: Range<Int>, to result: inout [UInt8]
    ) throws(SQLError) {
        try ValueLimit.checkGrowth(result.count, by: range.count)
        result.append(contentsOf: UnsafeRawBufferPointer(rebasing: source[range]))
    }

    static func replace(
        _ text: String, _ from: String, with to: String, _ context: FunctionContext
    ) throws(SQLError) -> String {
        if from.isEmpty { return text }
        let replacement = Array(to.utf8)
        return try withUTF8Bytes(of: text) { (source) throws(SQLError) in
            try withUTF8Bytes(of: from) { (needle) throws(SQLError) in
                guard var found = try find(needle, in: source, from: 0, context) else {
                    return text
                }
                var result: [UInt8] = []
                var position = 0
                var next = interruptStride
                while true {
                    if found > position {
                        try append(source, position..<found, to: &result)
                    }
                    try ValueLimit.checkGrowth(result.count, by: replacement.count)
                    if replacement.count == 1 {
                        result.append(replacement[0])
                    } else {
                        result.append(contentsOf: replacement)
                    }
                    position = found + needle.count
                    if result.count + position >= next {
                        next = result.count + position + interruptStride
                        try context.checkInterrupts()
                    }
                    guard let another = try find(needle, in: source, from: position, context)
                    else { break }
                    found = another
                }
                try append(source, position..<source.count, to: &result)
                return String(decoding: result, as: UTF8.self)
            }
        }
    }
}
