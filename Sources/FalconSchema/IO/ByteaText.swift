import FalconStorage

/// bytea's two text forms: `\x` hex, and escape.
public enum ByteaText {
    static let hexDigits: StaticString = "0123456789abcdef"

    public static func parse(_ text: UnsafeRawBufferPointer) throws(SQLError) -> [UInt8] {
        if text.count >= 2, text[0] == UInt8(ascii: "\\"), text[1] == UInt8(ascii: "x") {
            return try parseHex(UnsafeRawBufferPointer(rebasing: text[2...]))
        }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte != UInt8(ascii: "\\") {
                result.append(byte)
                index += 1
            } else if index + 1 < text.count, text[index + 1] == UInt8(ascii: "\\") {
                result.append(byte)
                index += 2
            } else if index + 3 < text.count, text[index + 1] >= 48, text[index + 1] <= 51,
                text[index + 2] >= 48, text[index + 2] <= 55, text[index + 3] >= 48,
                text[index + 3] <= 55
            {
                result.append(
                    (text[index + 1] - 48) << 6 | (text[index + 2] - 48) << 3
                        | (text[index + 3] - 48))
                index += 4
            } else {
                throw SQLError(
                    .invalidTextRepresentation, "invalid input syntax for type bytea")
            }
        }
        return result
    }

    /// Hex digits in pairs, white space between pairs allowed.
    public static func parseHex(_ text: UnsafeRawBufferPointer) throws(SQLError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count / 2)
        var index = 0
        while index < text.count {
            if text[index].isSpace {
                index += 1
                continue
            }
            let high = try hexValue(text, index)
            index += 1
            guard index < text.count else {
                throw SQLError(
                    .invalidParameterValue, "invalid hexadecimal data: odd number of digits")
            }
            let low = try hexValue(text, index)
            index += 1
            result.append(high << 4 | low)
        }
        return result
    }

    private static func hexValue(
        _ text: UnsafeRawBufferPointer, _ index: Int
    ) throws(SQLError) -> UInt8 {
        if let value = text[index].hexValue { return value }
        let lead = text[index]
        let length = lead < 0xC0 ? 1 : (lead >= 0xF0 ? 4 : (lead >= 0xE0 ? 3 : 2))
        let shown = String(decoding: text[index..<min(index + length, text.count)], as: UTF8.self)
        throw SQLError(.invalidParameterValue, "invalid hexadecimal digit: \"\(shown)\"")
    }

    public static func appendHex(_ bytes: [UInt8], to writer: inout ByteWriter) {
        writer.append(ascii: "\\x")
        for byte in bytes {
            writer.append(hexDigits.utf8Start[Int(byte >> 4)])
            writer.append(hexDigits.utf8Start[Int(byte & 15)])
        }
    }

    public static func appendEscaped(_ bytes: [UInt8], to writer: inout ByteWriter) {
        for byte in bytes {
            if byte == UInt8(ascii: "\\") {
                writer.append(ascii: "\\\\")
            } else if byte < 0x20 || byte > 0x7E {
                writer.append(UInt8(ascii: "\\"))
                writer.append(48 + (byte >> 6))
                writer.append(48 + ((byte >> 3) & 7))
                writer.append(48 + (byte & 7))
            } else {
                writer.append(byte)
            }
        }
    }
}

/// uuid's text: 32 hex digits, hyphens allowed after every fourth, braces around it all.
enum UUIDText {
    static func parse(_ text: UnsafeRawBufferPointer) throws(SQLError) -> [UInt8] {
        var cursor = TextCursor(text)
        let braces = cursor.take(UInt8(ascii: "{"))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        while bytes.count < 16 {
            guard let high = cursor.peek?.hexValue, let low = cursor.peek(1)?.hexValue else {
                throw .invalidInput(text, typeName: "uuid")
            }
            cursor.advance(2)
            bytes.append(high << 4 | low)
            if bytes.count % 2 == 0, bytes.count < 16 { _ = cursor.take(UInt8(ascii: "-")) }
        }
        if braces, !cursor.take(UInt8(ascii: "}")) { throw .invalidInput(text, typeName: "uuid") }
        guard cursor.isAtEnd else { throw .invalidInput(text, typeName: "uuid") }
        return bytes
    }

    static func append(_ bytes: [UInt8], to writer: inout ByteWriter) {
        for (index, byte) in bytes.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 {
                writer.append(UInt8(ascii: "-"))
            }
            writer.append(ByteaText.hexDigits.utf8Start[Int(byte >> 4)])
            writer.append(ByteaText.hexDigits.utf8Start[Int(byte & 15)])
        }
    }
}
