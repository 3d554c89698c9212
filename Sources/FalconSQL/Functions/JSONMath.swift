import FalconSchema
import FalconStorage

/// Operations on jsonb values.
enum JSONMath {
    static func value(_ datum: Datum) throws(SQLError) -> JSONValue {
        try JSONText.parse(datum.text)
    }

    static func plain(_ value: JSONValue) -> Datum {
        switch value {
        case .null: return .null
        case .string(let text): return .text(text)
        default: return .text(value.text)
        }
    }

    static func member(_ value: JSONValue, _ key: String) -> JSONValue? {
        guard case .object(let members) = value else { return nil }
        return members.first { DatumOrder.equalText($0.key, key) }?.value
    }

    static func element(_ value: JSONValue, _ index: Int64) -> JSONValue? {
        guard case .array(let values) = value else { return nil }
        let position = index < 0 ? Int64(values.count) + index : index
        guard position >= 0, position < Int64(values.count) else { return nil }
        return values[Int(position)]
    }

    static func path(_ value: JSONValue, _ steps: [Datum]) -> JSONValue? {
        var current: JSONValue? = value
        for step in steps {
            guard let here = current, case .text(let key) = step else { return nil }
            switch here {
            case .object: current = member(here, key)
            case .array: current = Int64(key).flatMap { element(here, $0) }
            default: return nil
            }
        }
        return current
    }

    static func typeName(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// jsonb's btree order: Object > Array > Boolean > Number > String > Null, larger containers
    /// greater.
    static func compare(_ a: JSONValue, _ b: JSONValue) -> Int {
        func rank(_ value: JSONValue) -> Int {
            switch value {
            case .null: 0
            case .string: 1
            case .number: 2
            case .bool: 3
            case .array: 4
            case .object: 5
            }
        }
        switch (a, b) {
        case (.string(let x), .string(let y)): return DatumOrder.compareText(x, y)
        case (.number(let x), .number(let y)): return NumericValue.compare(x, y)
        case (.bool(let x), .bool(let y)): return (x ? 1 : 0) - (y ? 1 : 0)
        case (.array(let x), .array(let y)):
            // An empty array sorts before everything else, as PostgreSQL's format has it.
            if x.count != y.count { return x.count - y.count }
            for (p, q) in zip(x, y) {
                let order = compare(p, q)
                if order != 0 { return order }
            }
            return 0
        case (.object(let x), .object(let y)):
            if x.count != y.count { return x.count - y.count }
            for (p, q) in zip(x, y) {
                let order = DatumOrder.compareText(p.key, q.key)
                if order != 0 { return order }
                let values = compare(p.value, q.value)
                if values != 0 { return values }
            }
            return 0
        default: return rank(a) - rank(b)
        }
    }

    /// a @> b
    static func contains(_ a: JSONValue, _ b: JSONValue, isTop: Bool = true) -> Bool {
        switch (a, b) {
        case (.object(let x), .object(let y)):
            return y.allSatisfy { wanted in
                x.contains {
                    DatumOrder.equalText($0.key, wanted.key)
                        && contains($0.value, wanted.value, isTop: false)
                }
            }
        case (.array(let x), .array(let y)):
            return y.allSatisfy { wanted in x.contains { contains($0, wanted, isTop: false) } }
        case (.array(let x), _):
            // A scalar is contained in an array that has it, at the top only.
            if !isTop { return false }
            if case .object = b { return false }
            return x.contains { compare($0, b) == 0 }
        default: return compare(a, b) == 0
        }
    }

    static func exists(_ value: JSONValue, _ key: String) -> Bool {
        switch value {
        case .object(let members):
            return members.contains { DatumOrder.equalText($0.key, key) }
        case .array(let values):
            return values.contains {
                if case .string(let text) = $0 { return DatumOrder.equalText(text, key) }
                return false
            }
        case .string(let text): return DatumOrder.equalText(text, key)
        default: return false
        }
    }

    static func concatenate(_ a: JSONValue, _ b: JSONValue) -> JSONValue {
        switch (a, b) {
        case (.object(let x), .object(let y)): return .object(unsorted: x + y)
        case (.array(let x), .array(let y)): return .array(x + y)
        case (.array(let x), _): return .array(x + [b])
        case (_, .array(let y)): return .array([a] + y)
        default: return .array([a, b])
        }
    }

    static func delete(_ value: JSONValue, key: String) throws(SQLError) -> JSONValue {
        switch value {
        case .object(let members):
            return .object(members.filter { !DatumOrder.equalText($0.key, key) })
        case .array(let values):
            return .array(
                values.filter {
                    if case .string(let text) = $0 { return !DatumOrder.equalText(text, key) }
                    return true
                })
        default: throw SQLError(.invalidParameterValue, "cannot delete from scalar")
        }
    }

    static func delete(_ value: JSONValue, at index: Int64) throws(SQLError) -> JSONValue {
        switch value {
        case .object:
            throw SQLError(
                .invalidParameterValue, "cannot delete from object using integer index")
        case .array(var values):
            let position = index < 0 ? Int64(values.count) + index : index
            if position >= 0, position < Int64(values.count) { values.remove(at: Int(position)) }
            return .array(values)
        default: throw SQLError(.invalidParameterValue, "cannot delete from scalar")
        }
    }

    enum Change { case set(JSONValue, creates: Bool), insert(JSONValue, after: Bool), delete }

    static func changed(
        _ value: JSONValue, _ path: ArraySlice<Datum>, _ change: Change, depth: Int = 1
    ) throws(SQLError) -> JSONValue {
        guard let step = path.first else { return value }
        guard case .text(let key) = step else {
            throw SQLError(
                SQLState("22004"), "path element at position \(depth) is null")
        }
        let rest = path.dropFirst()
        switch value {
        case .object(var members):
            let index = members.firstIndex { DatumOrder.equalText($0.key, key) }
            if !rest.isEmpty {
                guard let index else { return value }
                members[index].value = try changed(
                    members[index].value, rest, change, depth: depth + 1)
                return .object(members)
            }
            switch change {
            case .delete:
                if let index { members.remove(at: index) }
            case .set(let new, let creates):
                if let index {
                    members[index].value = new
                } else if creates {
                    return .object(unsorted: members + [(key, new)])
                }
            case .insert(let new, _):
                if index != nil {
                    throw SQLError(
                        .invalidParameterValue, "cannot replace existing key",
                        hint: "Try using the function jsonb_set to replace key value.")
                }
                return .object(unsorted: members + [(key, new)])
            }
            return .object(members)
        case .array(var values):
            guard let number = Int64(key) else {
                throw SQLError(
                    .invalidTextRepresentation,
                    "path element at position \(depth) is not an integer: \"\(key)\"")
            }
            let position = number < 0 ? Int64(values.count) + number : number
            let isInside = position >= 0 && position < Int64(values.count)
            if !rest.isEmpty {
                guard isInside else { return value }
                values[Int(position)] = try changed(
                    values[Int(position)], rest, change, depth: depth + 1)
                return .array(values)
            }
            switch change {
            case .delete: if isInside { values.remove(at: Int(position)) }
            case .set(let new, let creates):
                if isInside {
                    values[Int(position)] = new
                } else if creates {
                    values.insert(new, at: position < 0 ? 0 : values.count)
                }
            case .insert(let new, let after):
                let at = position + (after ? 1 : 0)
                values.insert(new, at: Int(max(0, min(at, Int64(values.count)))))
            }
            return .array(values)
        default: return value
        }
    }

    static func stripNulls(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members):
            return .object(
                members.compactMap { member in
                    if case .null = member.value { return nil }
                    return (member.key, stripNulls(member.value))
                })
        case .array(let values): return .array(values.map(stripNulls))
        default: return value
        }
    }

    static func pretty(_ value: JSONValue, _ indent: Int = 0) -> String {
        let inner = String(repeating: " ", count: (indent + 1) * 4)
        let outer = String(repeating: " ", count: indent * 4)
        switch value {
        case .object(let members):
            if members.isEmpty { return "{\n\(outer)}" }
            return "{\n"
                + members.map {
                    inner + JSONValue.string($0.key).text + ": " + pretty($0.value, indent + 1)
                }.joined(separator: ",\n") + "\n\(outer)}"
        case .array(let values):
            if values.isEmpty { return "[\n\(outer)]" }
            return "[\n" + values.map { inner + pretty($0, indent + 1) }.joined(separator: ",\n")
                + "\n\(outer)]"
        default: return value.text
        }
    }

    /// to_json: the JSON text of a SQL value.
    static func json(_ datum: Datum, _ type: OID, _ settings: DisplaySettings) -> String {
        var writer = ByteWriter(capacity: 32)
        append(datum, type, settings, to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func append(
        _ datum: Datum, _ type: OID, _ settings: DisplaySettings, to writer: inout ByteWriter
    ) {
        switch datum {
        case .null: writer.append(ascii: "null")
        case .bool(let value): writer.append(utf8: value ? "true" : "false")
        case .array(let array):
            var next = 0
            appendLevel(array, 0, &next, settings, to: &writer)
        case .int where type == .int2 || type == .int4 || type == .int8:
            TypeIO.appendText(datum, type: type, settings: settings, to: &writer)
        case .float(let value) where value.isFinite:
            TypeIO.appendText(datum, type: type, settings: settings, to: &writer)
        case .numeric(let value) where value.isFinite: value.append(to: &writer)
        case .text(let text) where type == .json || type == .jsonb: writer.append(utf8: text)
        case .int(let value) where type == .timestamp || type == .timestamptz:
            // JSON dates are ISO 8601 whatever DateStyle says.
            var iso = settings
            iso.dateOutput = .iso
            var text = TypeIO.text(.int(value), type: type, settings: iso)
            if let space = text.firstIndex(of: " "), !text.hasSuffix("BC") {
                text.replaceSubrange(space...space, with: "T")
                if type == .timestamptz, Calendar.isValidTimestamp(value),
                    let sign = text.lastIndex(where: { $0 == "+" || $0 == "-" }),
                    text.distance(from: sign, to: text.endIndex) == 3
                {
                    text += ":00"
                }
            }
            JSONText.appendQuoted(text, to: &writer)
        default:
            JSONText.appendQuoted(TypeIO.text(datum, type: type, settings: settings), to: &writer)
        }
    }

    private static func appendLevel(
        _ array: ArrayValue, _ level: Int, _ next: inout Int, _ settings: DisplaySettings,
        to writer: inout ByteWriter
    ) {
        writer.append(UInt8(ascii: "["))
        let count = level < array.dimensions.count ? Int(array.dimensions[level].length) : 0
        for index in 0..<count {
            if index > 0 { writer.append(UInt8(ascii: ",")) }
            if level + 1 < array.dimensions.count {
                appendLevel(array, level + 1, &next, settings, to: &writer)
            } else if next < array.elements.count {
                append(array.elements[next], array.elementType, settings, to: &writer)
                next += 1
            }
        }
        writer.append(UInt8(ascii: "]"))
    }

    static func jsonb(_ datum: Datum, _ type: OID, _ settings: DisplaySettings) throws(SQLError)
        -> JSONValue
    {
        try JSONText.parse(json(datum, type, settings))
    }
}
