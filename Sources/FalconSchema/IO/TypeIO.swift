import FalconStorage

/// Values to and from PostgreSQL's text and binary forms.
///
/// Encoders append to a ``ByteWriter``; no length prefix, the caller writes its own. NULL has no form
/// here: callers handle it first.
public enum TypeIO {
    /// Reads `text` as a value of `type`, its modifier applied as on input (varchar(n) too long is
    /// 22001, numeric(p,s) rounds).
    public static func parseText(
        _ text: UnsafeRawBufferPointer, type: SQLType, settings: DisplaySettings
    ) throws(SQLError) -> Datum {
        switch type.oid {
        case .int4: return .int(try IntegerText.parse(text, "integer", Int32.self))
        case .int8: return .int(try IntegerText.parse(text, "bigint", Int64.self))
        case .int2: return .int(try IntegerText.parse(text, "smallint", Int16.self))
        case .text, .unknown, .cstring, .refcursor, .aclitem, .pgNodeTree:
            return .text(try validated(text))
        case .bpchar:
            if let padded = paddedASCII(text, modifier: type.modifier) { return .text(padded) }
            return try coerce(.text(try validated(text)), toModifierOf: type, explicit: false)
        case .varchar:
            return try coerce(.text(try validated(text)), toModifierOf: type, explicit: false)
        case .name: return .text(clippedName(try validated(text)))
        case .bool: return .bool(try parseBool(text))
        case .numeric:
            return .numeric(try NumericValue(parsing: text).applying(modifier: type.modifier))
        case .float8: return .float(try FloatText.parse(text, isSingle: false))
        case .float4: return .float(try FloatText.parse(text, isSingle: true))
        case .date: return .int(try DateTimeInput.date(text, settings: settings))
        case .time:
            return .int(
                try DateTimeInput.time(text, modifier: type.modifier, settings: settings))
        case .timestamp:
            return .int(
                try DateTimeInput.timestamp(text, modifier: type.modifier, settings: settings))
        case .timestamptz:
            return .int(
                try DateTimeInput.timestamptz(text, modifier: type.modifier, settings: settings))
        case .interval:
            return .interval(try IntervalInput.interval(text, modifier: type.modifier))
        case .bytea: return .bytes(try ByteaText.parse(text))
        case .uuid: return .bytes(try UUIDText.parse(text))
        case .char: return .int(Int64(parseCharByte(text)))
        case .json: return .text(try JSONText.validate(text))
        case .jsonb: return .text(try JSONText.normalize(text))
        case .pgLSN: return .int(try parseLSN(text))
        case .void: return .text("")
        case .oid, .xid, .cid: return .int(try IntegerText.parseOID(text))
        case .xid8:
            return .int(Int64(bitPattern: try IntegerText.parseUnsigned64(text, "xid8")))
        case .pgSnapshot, .txidSnapshot:
            guard let snapshot = TransactionSnapshot(try validated(text)) else {
                throw .invalidInput(text, typeName: "pg_snapshot")
            }
            return .text(snapshot.text)
        default: break
        }
        switch TypeRegistry.physical(type.oid) {
        case .oid: return .int(Int64(try parseReg(text, type: type.oid, settings).rawValue))
        case .array:
            return .array(try ArrayText.parse(text, type: type, settings: settings))
        default:
            let name = TypeNames.format(type.oid)
            if let descriptor = TypeRegistry.descriptor(type.oid), descriptor.isPseudo {
                throw SQLError(
                    .featureNotSupported, "cannot accept a value of type \(name)")
            }
            throw SQLError(.featureNotSupported, "type \(name) is not supported")
        }
    }

    public static func parseText(
        _ text: String, type: SQLType, settings: DisplaySettings
    ) throws(SQLError) -> Datum {
        // Text to text needs no copy of the bytes.
        if type.oid == .text || type.oid == .unknown { return .text(text) }
        return try withUTF8Bytes(of: text) { (bytes) throws(SQLError) in
            try parseText(bytes, type: type, settings: settings)
        }
    }

    /// Appends the text form of a non-null value.
    public static func appendText(
        _ datum: Datum, type: OID, settings: DisplaySettings, to writer: inout ByteWriter
    ) {
        switch datum {
        case .null: return
        case .bool(let value): writer.append(value ? UInt8(ascii: "t") : UInt8(ascii: "f"))
        case .int(let value):
            appendInt(value, type: type, settings: settings, to: &writer)
        case .float(let value):
            FloatText.append(
                value, isSingle: type == .float4, digits: settings.extraFloatDigits, to: &writer)
        case .numeric(let value): value.append(to: &writer)
        case .text(let value): writer.append(utf8: value)
        case .bytes(let value):
            if type == .uuid, value.count == 16 {
                UUIDText.append(value, to: &writer)
            } else if settings.byteaOutputIsHex {
                ByteaText.appendHex(value, to: &writer)
            } else {
                ByteaText.appendEscaped(value, to: &writer)
            }
        case .interval(let value):
            IntervalOutput.append(value, style: settings.intervalStyle, to: &writer)
        case .array(let value):
            ArrayText.append(value, type: type, settings: settings, to: &writer)
        }
    }

    private static func appendInt(
        _ value: Int64, type: OID, settings: DisplaySettings, to writer: inout ByteWriter
    ) {
        switch type {
        case .int4, .int8, .int2: writer.appendDecimal(value)
        case .date: DateTimeOutput.appendDate(value, settings: settings, to: &writer)
        case .timestamp: DateTimeOutput.appendTimestamp(value, settings: settings, to: &writer)
        case .timestamptz:
            DateTimeOutput.appendTimestamptz(value, settings: settings, to: &writer)
        case .time: DateTimeOutput.appendTime(value, to: &writer)
        case .oid, .xid, .cid: writer.appendDecimal(UInt64(UInt32(truncatingIfNeeded: value)))
        case .xid8: writer.appendDecimal(UInt64(bitPattern: value))
        case .pgLSN:
            let bits = UInt64(bitPattern: value)
            writer.append(utf8: String(bits >> 32, radix: 16, uppercase: true))
            writer.append(UInt8(ascii: "/"))
            writer.append(
                utf8: String(UInt32(truncatingIfNeeded: bits), radix: 16, uppercase: true))
        case .char:
            let byte = UInt8(truncatingIfNeeded: value)
            if byte >= 0x80 {
                writer.append(UInt8(ascii: "\\"))
                writer.append(48 + (byte >> 6))
                writer.append(48 + ((byte >> 3) & 7))
                writer.append(48 + (byte & 7))
            } else if byte != 0 {
                writer.append(byte)
            }
        default:
            if TypeRegistry.physical(type) == .oid {
                appendReg(OID(UInt32(truncatingIfNeeded: value)), type, settings, to: &writer)
            } else {
                writer.appendDecimal(value)
            }
        }
    }

    /// The text form as a String, for messages and casts; "" for NULL.
    public static func text(_ datum: Datum, type: OID, settings: DisplaySettings) -> String {
        if case .text(let value) = datum { return value }
        var writer = ByteWriter(capacity: 32)
        appendText(datum, type: type, settings: settings, to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    // MARK: Pieces

    /// The bytes as text: 22021 when they are not UTF-8 or hold a NUL.
    static func validated(_ text: UnsafeRawBufferPointer) throws(SQLError) -> String {
        var position = 0
        if let zero = text.firstIndex(of: 0) {
            throw badSequence(text[zero...zero])
        }
        if let string = String(validating: text, as: UTF8.self) { return string }
        // Find the first bad sequence for the message.
        while position < text.count {
            let lead = text[position]
            // What PostgreSQL takes for the sequence: by the lead byte, one when it is none.
            let length: Int
            switch lead {
            case 0xC0...0xDF: length = 2
            case 0xE0...0xEF: length = 3
            case 0xF0...0xF7: length = 4
            default: length = 1
            }
            let end = min(position + length, text.count)
            let piece = UnsafeRawBufferPointer(rebasing: text[position..<end])
            if String(validating: piece, as: UTF8.self) == nil {
                throw badSequence(text[position..<end])
            }
            position = end
        }
        throw badSequence(text[0..<0])
    }

    /// 22021 when the bytes are not UTF-8 or hold a NUL.
    public static func validate(_ text: UnsafeRawBufferPointer) throws(SQLError) {
        _ = try validated(text)
    }

    private static func badSequence(_ bytes: Slice<UnsafeRawBufferPointer>) -> SQLError {
        let digits = Array("0123456789abcdef".utf8)
        let shown = bytes.map {
            "0x" + String(decoding: [digits[Int($0 >> 4)], digits[Int($0 & 15)]], as: UTF8.self)
        }
        return SQLError(
            .characterNotInRepertoire,
            "invalid byte sequence for encoding \"UTF8\": \(shown.joined(separator: " "))")
    }

    /// Names hold 63 bytes; longer ones are cut at a character.
    public static func clippedName(_ text: String) -> String {
        guard text.utf8.count > 63 else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: 63)
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return String(text[..<end])
    }

    private static func parseCharByte(_ text: UnsafeRawBufferPointer) -> UInt8 {
        if text.count == 4, text[0] == UInt8(ascii: "\\"),
            text[1...].allSatisfy({ $0 >= 48 && $0 <= 55 }), text[1] <= 51
        {
            return (text[1] - 48) << 6 | (text[2] - 48) << 3 | (text[3] - 48)
        }
        return text.first ?? 0
    }

    private static func parseBool(_ text: UnsafeRawBufferPointer) throws(SQLError) -> Bool {
        var start = 0
        var end = text.count
        while start < end, text[start].isSpace { start += 1 }
        while end > start, text[end - 1].isSpace { end -= 1 }
        if let value = boolean(UnsafeRawBufferPointer(rebasing: text[start..<end])) {
            return value
        }
        throw .invalidInput(text, typeName: "boolean")
    }

    /// A boolean spelling or an unambiguous prefix of one.
    static func boolean(_ text: UnsafeRawBufferPointer) -> Bool? {
        func isPrefix(of word: StaticString) -> Bool {
            guard text.count <= word.utf8CodeUnitCount else { return false }
            for index in 0..<text.count
            where text[index].asciiLowered != word.utf8Start[index] { return false }
            return true
        }
        guard let first = text.first?.asciiLowered else { return nil }
        switch first {
        case UInt8(ascii: "t"): return isPrefix(of: "true") ? true : nil
        case UInt8(ascii: "f"): return isPrefix(of: "false") ? false : nil
        case UInt8(ascii: "y"): return isPrefix(of: "yes") ? true : nil
        case UInt8(ascii: "n"): return isPrefix(of: "no") ? false : nil
        case UInt8(ascii: "o"):
            guard text.count >= 2 else { return nil }
            if isPrefix(of: "on") { return true }
            return isPrefix(of: "off") ? false : nil
        case UInt8(ascii: "1"): return text.count == 1 ? true : nil
        case UInt8(ascii: "0"): return text.count == 1 ? false : nil
        default: return nil
        }
    }

    /// A boolean setting's or literal's spelling; nil when it is none.
    public static func boolean(_ text: String) -> Bool? {
        var text = text
        return text.withUTF8 { boolean(UnsafeRawBufferPointer($0)) }
    }

    private static func parseLSN(_ text: UnsafeRawBufferPointer) throws(SQLError) -> Int64 {
        let string = String(decoding: text, as: UTF8.self)
        guard string.contains("/"), let lsn = LSN(text: string) else {
            throw .invalidInput(text, typeName: "pg_lsn")
        }
        return Int64(bitPattern: lsn.rawValue)
    }

    // MARK: reg*

    private static func parseReg(
        _ text: UnsafeRawBufferPointer, type: OID, _ settings: DisplaySettings
    ) throws(SQLError) -> OID {
        let name = try validated(text)
        if name == "-" { return .invalid }
        if let first = name.utf8.first, first.isDigit, let number = UInt32(name) {
            return OID(number)
        }
        if type == .regtype, let known = TypeNames.parse(name) { return known }
        if let names = settings.names { return try names.lookup(name, as: type) }
        switch type {
        case .regtype: throw SQLError(.undefinedObject, "type \"\(name)\" does not exist")
        case .regclass: throw SQLError(.undefinedTable, "relation \"\(name)\" does not exist")
        case .regnamespace:
            throw SQLError(.invalidSchemaName, "schema \"\(name)\" does not exist")
        case .regrole: throw SQLError(.undefinedObject, "role \"\(name)\" does not exist")
        case .regproc, .regprocedure:
            throw SQLError(.undefinedFunction, "function \"\(name)\" does not exist")
        default: throw SQLError(.undefinedObject, "object \"\(name)\" does not exist")
        }
    }

    private static func appendReg(
        _ oid: OID, _ type: OID, _ settings: DisplaySettings, to writer: inout ByteWriter
    ) {
        if oid == .invalid { return writer.append(UInt8(ascii: "-")) }
        if let text = settings.names?.text(of: oid, as: type) {
            return writer.append(utf8: text)
        }
        if type == .regtype, TypeRegistry.descriptor(oid) != nil {
            return writer.append(utf8: TypeNames.format(oid))
        }
        writer.appendDecimal(UInt64(oid.rawValue))
    }
}
