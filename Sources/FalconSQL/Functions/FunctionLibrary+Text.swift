import FalconSchema
import FalconStorage

/// Strings. Positions and lengths count characters (code points), as in a UTF-8 database.
extension FunctionLibrary {
    mutating func addText() {
        binary("textcat") { (a, b, _) throws(SQLError) in
            .text(try TextMath.joined(a.text, b.text))
        }
        typed("textanycat", "anytextcat") { (a, types, context) throws(SQLError) in
            // As a cast to text has it: a boolean in full.
            @Sendable func cast(_ value: Datum, _ type: OID) -> String {
                if case .bool(let flag) = value { return flag ? "true" : "false" }
                return TypeIO.text(value, type: type, settings: context.settings)
            }
            return .text(try TextMath.joined(cast(a[0], types[0]), cast(a[1], types[1])))
        }
        unary("textlen") { (a, _) throws(SQLError) in .int(Int64(TextMath.length(a.text))) }
        unary("bpcharlen") { (a, _) throws(SQLError) in
            .int(Int64(TextMath.length(TextMath.trimmedRight(a.text))))
        }
        unary("textoctetlen", "bpcharoctetlen") { (a, _) throws(SQLError) in
            .int(Int64(a.text.utf8.count))
        }
        unary("#1811") { (a, _) throws(SQLError) in .int(Int64(a.text.utf8.count) * 8) }
        unary("#1810") { (a, _) throws(SQLError) in .int(Int64(a.bytes.count) * 8) }
        unary("lower") { (a, c) throws(SQLError) in .text(try TextMath.lower(a.text, c)) }
        unary("upper") { (a, c) throws(SQLError) in .text(try TextMath.upper(a.text, c)) }
        unary("initcap") { (a, c) throws(SQLError) in
            .text(try TextMath.capitalized(a.text, c))
        }
        ternary("text_substr") { (a, b, c, _) throws(SQLError) in
            .text(try TextMath.substring(a.text, from: b.int, count: c.int))
        }
        binary("text_substr_no_len") { (a, b, _) throws(SQLError) in
            .text(try TextMath.substring(a.text, from: b.int, count: nil))
        }
        binary("textpos") { (a, b, c) throws(SQLError) in
            .int(Int64(try TextMath.position(of: b.text, in: a.text, c)))
        }
        binary("btrim") { (a, b, _) throws(SQLError) in
            .text(TextMath.trim(a.text, b.text, left: true, right: true))
        }
        binary("ltrim") { (a, b, _) throws(SQLError) in
            .text(TextMath.trim(a.text, b.text, left: true, right: false))
        }
        binary("rtrim") { (a, b, _) throws(SQLError) in
            .text(TextMath.trim(a.text, b.text, left: false, right: true))
        }
        unary("btrim1") { (a, _) throws(SQLError) in
            .text(TextMath.trim(a.text, " ", left: true, right: true))
        }
        unary("ltrim1") { (a, _) throws(SQLError) in
            .text(TextMath.trim(a.text, " ", left: true, right: false))
        }
        unary("rtrim1") { (a, _) throws(SQLError) in .text(TextMath.trimmedRight(a.text)) }
        ternary("replace_text") { (a, b, c, context) throws(SQLError) in
            .text(try TextBytes.replace(a.text, b.text, with: c.text, context))
        }
        ternary("translate") { (a, b, c, context) throws(SQLError) in
            .text(try TextMath.translate(a.text, b.text, c.text, context))
        }
        binary("text_left") { (a, b, _) throws(SQLError) in
            .text(try TextMath.left(a.text, b.int))
        }
        binary("text_right") { (a, b, _) throws(SQLError) in
            .text(try TextMath.right(a.text, b.int))
        }
        ternary("lpad") { (a, b, c, _) throws(SQLError) in
            .text(try TextMath.pad(a.text, to: b.int, with: c.text, left: true))
        }
        ternary("rpad") { (a, b, c, _) throws(SQLError) in
            .text(try TextMath.pad(a.text, to: b.int, with: c.text, left: false))
        }
        binary("#879") { (a, b, _) throws(SQLError) in
            .text(try TextMath.pad(a.text, to: b.int, with: " ", left: true))
        }
        binary("#880") { (a, b, _) throws(SQLError) in
            .text(try TextMath.pad(a.text, to: b.int, with: " ", left: false))
        }
        ternary("split_part") { (a, b, c, context) throws(SQLError) in
            .text(try TextMath.part(a.text, b.text, c.int, context))
        }
        binary("repeat") { (a, b, _) throws(SQLError) in
            let count = max(0, b.int)
            try TextMath.checkSize(Int64(a.text.utf8.count), times: count)
            return .text(TextMath.repeated(a.text, Int(count)))
        }
        unary("text_reverse") { (a, context) throws(SQLError) in
            .text(try TextBytes.reversed(a.text, context))
        }
        many("textoverlay") { (a, _) throws(SQLError) in
            .text(try TextMath.overlay(a[0].text, a[1].text, from: a[2].int, count: a[3].int))
        }
        ternary("textoverlay_no_len") { (a, b, c, _) throws(SQLError) in
            .text(
                try TextMath.overlay(
                    a.text, b.text, from: c.int, count: Int64(TextMath.length(b.text))))
        }
        unary("ascii") { (a, _) throws(SQLError) in
            .int(Int64(a.text.unicodeScalars.first?.value ?? 0))
        }
        unary("chr") { (a, _) throws(SQLError) in
            if a.int == 0 {
                throw SQLError(SQLState("54000"), "null character not permitted")
            }
            if a.int < 0 {
                throw SQLError(.invalidParameterValue, "character number must be positive")
            }
            guard let value = UInt32(exactly: a.int), let scalar = Unicode.Scalar(value) else {
                throw SQLError(
                    SQLState("54000"), "requested character too large for encoding: \(a.int)")
            }
            return .text(String(Character(scalar)))
        }
        unary("quote_ident") { (a, _) throws(SQLError) in .text(Quoting.identifier(a.text)) }
        unary("quote_literal") { (a, _) throws(SQLError) in .text(Quoting.literal(a.text)) }
        unary("quote_nullable") { (a, _) throws(SQLError) in
            .text(a.isNull ? "NULL" : Quoting.literal(a.text))
        }
        typed("#1285") { (a, types, context) throws(SQLError) in
            .text(
                Quoting.literal(TypeIO.text(a[0], type: types[0], settings: context.settings)))
        }
        typed("#1290") { (a, types, context) throws(SQLError) in
            .text(
                a[0].isNull
                    ? "NULL"
                    : Quoting.literal(TypeIO.text(a[0], type: types[0], settings: context.settings))
            )
        }
        typed("text_concat") { (a, types, context) throws(SQLError) in
            var result = ""
            for (value, type) in zip(a, types) where !value.isNull {
                try ValueLimit.checkText(of: value)
                let text = TypeIO.text(value, type: type, settings: context.settings)
                try ValueLimit.checkGrowth(result.utf8.count, by: text.utf8.count)
                result += text
            }
            return .text(result)
        }
        typed("text_concat_ws") { (a, types, context) throws(SQLError) in
            guard let separator = a.first, !separator.isNull else { return .null }
            var result: String?
            for (value, type) in zip(a, types).dropFirst() where !value.isNull {
                try ValueLimit.checkText(of: value)
                let text = TypeIO.text(value, type: type, settings: context.settings)
                try TextMath.append(text, to: &result, after: separator.text)
            }
            return .text(result ?? "")
        }
        typed("text_format", "text_format_nv") { (a, types, context) throws(SQLError) in
            guard let pattern = a.first, !pattern.isNull else { return .null }
            return .text(
                try TextFormat.format(pattern.text, a, types, settings: context.settings))
        }
        unary("md5_text") { (a, context) throws(SQLError) in
            .text(
                try withUTF8Bytes(of: a.text) { (bytes) throws(SQLError) in
                    try MD5.hexDigest(bytes, context)
                })
        }
        unary("md5_bytea") { (a, context) throws(SQLError) in
            .text(
                try a.bytes.withUnsafeBytesThrowing { (bytes) throws(SQLError) in
                    try MD5.hexDigest(bytes, context)
                })
        }
        unary("rtrim1bpchar", "name_text", "text_name_raw") { (a, _) throws(SQLError) in a }
        unary("name_bpchar") { (a, _) throws(SQLError) in a }
        unary("text_name", "bpchar_name") { (a, _) throws(SQLError) in
            .text(TypeIO.clippedName(TextMath.trimmedRight(a.text)))
        }
        unary("text_name") { (a, _) throws(SQLError) in .text(TypeIO.clippedName(a.text)) }
        unary("text_char") { (a, _) throws(SQLError) in .int(Int64(a.text.utf8.first ?? 0)) }
        unary("char_text", "char_bpchar") { (a, context) throws(SQLError) in
            .text(TypeIO.text(a, type: .char, settings: context.settings))
        }
        ternary("bpchar") { (a, b, c, _) throws(SQLError) in
            try TypeIO.coerce(
                a, toModifierOf: SQLType(.bpchar, modifier: Int32(truncatingIfNeeded: b.int)),
                explicit: c.bool)
        }
        ternary("varchar") { (a, b, c, _) throws(SQLError) in
            try TypeIO.coerce(
                a, toModifierOf: SQLType(.varchar, modifier: Int32(truncatingIfNeeded: b.int)),
                explicit: c.bool)
        }
        unary("unistr") { (a, _) throws(SQLError) in a }
        addBytea()
    }

    private mutating func addBytea() {
        unary("byteaoctetlen") { (a, _) throws(SQLError) in .int(Int64(a.bytes.count)) }
        binary("byteacat") { (a, b, _) throws(SQLError) in
            try ValueLimit.checkAllocation(a.bytes.count + b.bytes.count)
            return .bytes(a.bytes + b.bytes)
        }
        ternary("bytea_substr") { (a, b, c, _) throws(SQLError) in
            let (lower, upper) = try TextMath.bounds(b.int, c.int, length: a.bytes.count)
            return .bytes(Array(a.bytes[lower..<upper]))
        }
        binary("bytea_substr_no_len") { (a, b, _) throws(SQLError) in
            let (lower, upper) = try TextMath.bounds(b.int, nil, length: a.bytes.count)
            return .bytes(Array(a.bytes[lower..<upper]))
        }
        binary("byteapos") { (a, b, c) throws(SQLError) in
            .int(Int64(try TextMath.bytePosition(of: b.bytes, in: a.bytes, c)))
        }
        binary("byteaGetByte") { (a, b, _) throws(SQLError) in
            guard a.bytes.indices.contains(Int(b.int)) else {
                throw SQLError(
                    SQLState("2202E"),
                    "index \(b.int) out of valid range, 0..\(a.bytes.count - 1)")
            }
            return .int(Int64(a.bytes[Int(b.int)]))
        }
        ternary("byteaSetByte") { (a, b, c, _) throws(SQLError) in
            var bytes = a.bytes
            guard bytes.indices.contains(Int(b.int)) else {
                throw SQLError(
                    SQLState("2202E"), "index \(b.int) out of valid range, 0..\(bytes.count - 1)")
            }
            bytes[Int(b.int)] = UInt8(truncatingIfNeeded: c.int)
            return .bytes(bytes)
        }
        binary("binary_encode") { (a, b, _) throws(SQLError) in
            let encoding = b.text.lowercased()
            let size = a.bytes.count * (encoding == "hex" ? 6 : (encoding == "base64" ? 4 : 3)) / 3
            if size > ValueLimit.maximumBytes - 4 {
                throw SQLError(
                    .programLimitExceeded, "result of encoding conversion is too large")
            }
            switch b.text.lowercased() {
            case "hex":
                var writer = ByteWriter()
                ByteaText.appendHex(a.bytes, to: &writer)
                return .text(String(decoding: writer.bytes.dropFirst(2), as: UTF8.self))
            case "base64": return .text(Base64.encode(a.bytes))
            case "escape":
                var writer = ByteWriter()
                for byte in a.bytes {
                    if byte == 0 || byte >= 0x80 {
                        writer.append(UInt8(ascii: "\\"))
                        writer.append(48 + (byte >> 6))
                        writer.append(48 + ((byte >> 3) & 7))
                        writer.append(48 + (byte & 7))
                    } else if byte == UInt8(ascii: "\\") {
                        writer.append(byte)
                        writer.append(byte)
                    } else {
                        writer.append(byte)
                    }
                }
                return .text(String(decoding: writer.bytes, as: UTF8.self))
            default:
                throw SQLError(
                    .invalidParameterValue, "unrecognized encoding: \"\(b.text)\"")
            }
        }
        binary("binary_decode") { (a, b, _) throws(SQLError) in
            switch b.text.lowercased() {
            case "hex":
                return .bytes(
                    try withUTF8Bytes(of: a.text) { (text) throws(SQLError) in
                        try ByteaText.parseHex(text)
                    })
            case "base64": return .bytes(try Base64.decode(a.text))
            case "escape":
                return .bytes(
                    try withUTF8Bytes(of: a.text) { (text) throws(SQLError) in
                        try ByteaText.parse(text)
                    })
            default:
                throw SQLError(
                    .invalidParameterValue, "unrecognized encoding: \"\(b.text)\"")
            }
        }
        binary("pg_convert_to") { (a, _, _) throws(SQLError) in .bytes(Array(a.text.utf8)) }
        binary("pg_convert_from") { (a, _, _) throws(SQLError) in
            .text(
                try a.bytes.withUnsafeBytesThrowing { (bytes) throws(SQLError) in
                    try TypeIO.parseText(bytes, type: .text, settings: DisplaySettings())
                }.text)
        }
        unary("sha224_bytea") { (a, c) throws(SQLError) in
            .bytes(try SHA2.sha224(a.bytes, c))
        }
        unary("sha256_bytea") { (a, c) throws(SQLError) in
            .bytes(try SHA2.sha256(a.bytes, c))
        }
    }
}

extension Array where Element == UInt8 {
    func withUnsafeBytesThrowing<R>(
        _ body: (UnsafeRawBufferPointer) throws(SQLError) -> R
    ) throws(SQLError) -> R {
        let result: Result<R, SQLError> = withUnsafeBytes { bytes in
            do throws(SQLError) {
                return .success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
