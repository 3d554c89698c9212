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
            return .text(kept + String(repeating: " ", count: length - count))
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
