/// Walks the bytes of an input text, bounds-checked.
struct TextCursor {
    let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { position >= bytes.count }
    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }
    func peek(_ distance: Int) -> UInt8? {
        let index = position + distance
        return index >= 0 && index < bytes.count ? bytes[index] : nil
    }
    mutating func advance() { if position < bytes.count { position += 1 } }
    mutating func advance(_ count: Int) { position = min(position + count, bytes.count) }

    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }
    mutating func take(where matches: (UInt8) -> Bool) -> UInt8? {
        guard let byte = peek, matches(byte) else { return nil }
        position += 1
        return byte
    }
    mutating func skipSpaces() {
        while let byte = peek, byte.isSpace { position += 1 }
    }
    /// Takes `word` (given in lower case) when it stands here in any case.
    mutating func takeWord(ignoringCase word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        for index in 0..<count where bytes[position + index].asciiLowered != word.utf8Start[index] {
            return false
        }
        position += count
        return true
    }
}

extension UInt8 {
    @inlinable var isSpace: Bool { self == 0x20 || (self >= 0x09 && self <= 0x0D) }
    @inlinable var isDigit: Bool { self >= 0x30 && self <= 0x39 }
    @inlinable var isLetter: Bool {
        (self >= 0x41 && self <= 0x5A) || (self >= 0x61 && self <= 0x7A)
    }
    @inlinable var asciiLowered: UInt8 { self >= 0x41 && self <= 0x5A ? self | 0x20 : self }
    /// 0...15, or nil.
    @inlinable var hexValue: UInt8? {
        switch self {
        case 0x30...0x39: return self - 0x30
        case 0x41...0x46: return self - 0x37
        case 0x61...0x66: return self - 0x57
        default: return nil
        }
    }
}

/// The UTF-8 bytes of `text`, borrowed.
@inlinable
public func withUTF8Bytes<R>(
    of text: String, _ body: (UnsafeRawBufferPointer) throws(SQLError) -> R
) throws(SQLError) -> R {
    var text = text
    let result: Result<R, SQLError> = text.withUTF8 { utf8 in
        do throws(SQLError) {
            return .success(try body(UnsafeRawBufferPointer(utf8)))
        } catch {
            return .failure(error)
        }
    }
    return try result.get()
}

extension SQLError {
    /// 22P02 as every input function words it.
    static func invalidInput(_ text: UnsafeRawBufferPointer, typeName: String) -> SQLError {
        SQLError(
            .invalidTextRepresentation,
            "invalid input syntax for type \(typeName): \"\(String(decoding: text, as: UTF8.self))\""
        )
    }
    static var insufficientBinaryData: SQLError {
        SQLError(.protocolViolation, "insufficient data left in message")
    }
    static var badBinaryFormat: SQLError {
        SQLError(.invalidBinaryRepresentation, "incorrect binary data format")
    }
}
