import FalconSchema
import FalconStorage

/// Writes a column's value as JSON, in the way of one dialect.
package struct ValueWriter {
    package enum Style {
        case falcon, debezium, wal2json
    }

    let style: Style
    /// Falcon: integers beyond 2^53 and every numeric as strings; wal2json: every number.
    let numbersAsStrings: Bool
    private let settings = DisplaySettings()

    package init(_ style: Style, numbersAsStrings: Bool) {
        self.style = style
        self.numbersAsStrings = numbersAsStrings
    }

    func append(_ value: Datum, type: OID, to line: inout JSONLineWriter) {
        switch value {
        case .null: line.raw("null")
        case .bool(let value): value ? line.raw("true") : line.raw("false")
        case .int(let number): append(number, type, to: &line)
        case .float(let number): append(number, type, to: &line)
        case .numeric(let number): append(number, to: &line)
        case .text(let text): line.quoted(text)
        case .bytes(let bytes): append(bytes, type, to: &line)
        case .interval(let interval) where style == .debezium:
            line.out.appendDecimal(Self.micros(interval))
        case .array(let array) where style == .debezium && array.dimensions.count < 2:
            line.raw("[")
            for (index, element) in array.elements.enumerated() {
                if index > 0 { line.raw(",") }
                append(element, type: array.elementType, to: &line)
            }
            line.raw("]")
        default: line.quoted(TypeIO.text(value, type: type, settings: settings))
        }
    }

    // MARK: Numbers

    @inline(__always)
    private func append(_ number: Int64, _ type: OID, to line: inout JSONLineWriter) {
        switch type {
        case .int2, .int4, .int8, .oid:
            let isString =
                numbersAsStrings && (style == .wal2json || number.magnitude > 1 << 53)
            if isString { line.raw("\"") }
            line.out.appendDecimal(number)
            if isString { line.raw("\"") }
        case .char: line.quoted(TypeIO.text(.int(number), type: type, settings: settings))
        case _ where style == .debezium: appendMoment(number, type, to: &line)
        default: appendText(.int(number), type, to: &line)
        }
    }

    private func append(_ number: Double, _ type: OID, to line: inout JSONLineWriter) {
        guard number.isFinite else {
            if style == .wal2json, !numbersAsStrings { return line.raw("null") }
            return appendText(.float(number), type, to: &line)
        }
        if style == .falcon, type == .float8 { return line.plain(number.description) }
        if style == .wal2json, numbersAsStrings {
            return appendText(.float(number), type, to: &line)
        }
        TypeIO.appendText(.float(number), type: type, settings: settings, to: &line.out)
    }

    private func append(_ number: NumericValue, to line: inout JSONLineWriter) {
        if !number.isFinite, style == .wal2json, !numbersAsStrings { return line.raw("null") }
        let isString = numbersAsStrings || style == .debezium || !number.isFinite
        if isString { line.raw("\"") }
        number.append(to: &line.out)
        if isString { line.raw("\"") }
    }

    // MARK: The rest

    /// In quotes; for text forms that hold nothing to escape.
    private func appendText(_ value: Datum, _ type: OID, to line: inout JSONLineWriter) {
        line.raw("\"")
        TypeIO.appendText(value, type: type, settings: settings, to: &line.out)
        line.raw("\"")
    }

    private func append(_ bytes: [UInt8], _ type: OID, to line: inout JSONLineWriter) {
        if type == .uuid { return appendText(.bytes(bytes), type, to: &line) }
        switch style {
        case .falcon:
            line.raw("\"\\\\x")
            for byte in bytes {
                line.out.append(JSONLineWriter.digit(byte >> 4))
                line.out.append(JSONLineWriter.digit(byte & 15))
            }
            line.raw("\"")
        case .wal2json: bytes.withUnsafeBytes { line.hex($0) }
        case .debezium:
            line.raw("\"")
            Base64.append(bytes, to: &line.out)
            line.raw("\"")
        }
    }

    /// Dates and times as Debezium's connector for PostgreSQL has them by default.
    private func appendMoment(_ value: Int64, _ type: OID, to line: inout JSONLineWriter) {
        switch type {
        case .date:
            if Calendar.isInfiniteDate(value) { return line.raw("null") }
            line.out.appendDecimal(value &+ Calendar.epochSeconds / 86_400)
        case .time: line.out.appendDecimal(value)
        case .timestamp:
            // The connector's own stand-ins for the infinities.
            if value == Calendar.infinity { return line.raw("9223372036825200000") }
            if value == Calendar.negativeInfinity { return line.raw("-9223372036832400000") }
            line.out.appendDecimal(value &+ Calendar.epochSeconds * Calendar.microsPerSecond)
        case .timestamptz where !Calendar.isInfinite(value):
            line.raw("\"")
            let start = line.out.count
            TypeIO.appendText(.int(value), type: .timestamp, settings: settings, to: &line.out)
            if let space = line.out.bytes[start...].firstIndex(of: UInt8(ascii: " ")) {
                line.out.bytes[space] = UInt8(ascii: "T")
            }
            line.raw("Z\"")
        default: appendText(.int(value), type, to: &line)
        }
    }

    /// A month is a twelfth of 365.25 days.
    private static func micros(_ interval: Interval) -> Int64 {
        let months = Int64(interval.months).multipliedReportingOverflow(by: 2_629_800_000_000)
        let days = Int64(interval.days).multipliedReportingOverflow(by: Calendar.microsPerDay)
        return months.partialValue &+ days.partialValue &+ interval.micros
    }
}

/// RFC 4648, with padding.
enum Base64 {
    private static let digits = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func append(_ bytes: some Collection<UInt8>, to writer: inout ByteWriter) {
        var bits: UInt32 = 0
        var held = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            held += 1
            if held == 3 {
                append(bits, digits: 4, to: &writer)
                (bits, held) = (0, 0)
            }
        }
        guard held > 0 else { return }
        append(bits << UInt32(8 * (3 - held)), digits: held + 1, to: &writer)
        for _ in held..<3 { writer.append(UInt8(ascii: "=")) }
    }

    private static func append(_ bits: UInt32, digits count: Int, to writer: inout ByteWriter) {
        for place in 0..<count {
            writer.append(digits[Int(bits >> UInt32(18 - 6 * place) & 63)])
        }
    }
}
