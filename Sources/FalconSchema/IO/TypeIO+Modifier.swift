import FalconStorage

extension TypeIO {
    /// Applies a type modifier: `explicit` casts truncate varchar(n), assignments raise 22001.
    public static func coerce(
        _ datum: Datum, toModifierOf type: SQLType, explicit: Bool
    ) throws(SQLError) -> Datum {
        guard type.modifier >= 0 else { return datum }
        switch (type.oid, datum) {
        case (.varchar, .text(let text)):
            return .text(
                try limited(
                    text, to: Int(type.modifier) - 4, explicit: explicit,
                    typeName: "character varying"))
        case (.bpchar, .text(let text)):
            let length = Int(type.modifier) - 4
            let kept = try limited(
                text, to: length, explicit: explicit, typeName: "character")
            let count = kept.utf8.count == length ? length : kept.unicodeScalars.count
            guard count < length else { return .text(kept) }
            return .text(padded(kept, with: length - count))
        case (.numeric, .numeric(let value)):
            return .numeric(try value.applying(modifier: type.modifier))
        case (.timestamp, .int(let value)), (.timestamptz, .int(let value)),
            (.time, .int(let value)):
            return .int(try DateTimeInput.round(value, type.modifier))
        case (.interval, .interval(let value)):
            return .interval(IntervalInput.adjust(value, modifier: type.modifier))
        case (_, .array(let array)):
            guard let element = TypeRegistry.elementType(of: type.oid) else { return datum }
            let elementType = SQLType(element, modifier: type.modifier)
            var elements: [Datum] = []
            elements.reserveCapacity(array.elements.count)
            for value in array.elements {
                elements.append(try coerce(value, toModifierOf: elementType, explicit: explicit))
            }
            return .array(
                ArrayValue(
                    elementType: array.elementType, dimensions: array.dimensions,
                    elements: elements))
        default: return datum
        }
    }

    /// `text` and `missing` spaces, made in one piece.
    private static func padded(_ text: String, with missing: Int) -> String {
        let size = text.utf8.count + missing
        return String(unsafeUninitializedCapacity: size) { buffer in
            let end = buffer.update(fromContentsOf: text.utf8)
            buffer[end...].update(repeating: 0x20)
            return size
        }
    }

    /// The char(n) value of plain text that is not too long: what loads consist of. Nil for the rest.
    static func paddedASCII(_ text: UnsafeRawBufferPointer, modifier: Int32) -> String? {
        let size = Int(modifier) - 4
        guard modifier >= 4, text.count <= size else { return nil }
        for byte in text where byte == 0 || byte >= 0x80 { return nil }
        return String(unsafeUninitializedCapacity: size) { buffer in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            raw.copyMemory(from: text)
            for index in text.count..<size { raw[index] = 0x20 }
            return size
        }
    }

    private static func limited(
        _ text: String, to length: Int, explicit: Bool, typeName: String
    ) throws(SQLError) -> String {
        // Bytes bound characters: most values pass without counting.
        if length < 0 || text.utf8.count <= length { return text }
        let scalars = text.unicodeScalars
        guard
            let end = scalars.index(
                scalars.startIndex, offsetBy: length, limitedBy: scalars.endIndex),
            end < scalars.endIndex
        else { return text }
        if !explicit, scalars[end...].contains(where: { $0 != " " }) {
            throw SQLError(
                .stringDataRightTruncation, "value too long for type \(typeName)(\(length))")
        }
        return String(scalars[..<end])
    }
}
