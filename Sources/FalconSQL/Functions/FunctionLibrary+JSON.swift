import FalconSchema

/// json and jsonb.
extension FunctionLibrary {
    mutating func addJSON() {
        addJSONAccess()
        addJSONBAccess()
        addJSONBuilders()
        addJSONSets()
        addJSONAggregates()
    }

    private mutating func addJSONAccess() {
        @Sendable func text(_ slice: JSONSlice?) -> Datum { slice.map { .text($0.text) } ?? .null }
        @Sendable func plain(_ slice: JSONSlice?) throws(SQLError) -> Datum {
            guard let slice else { return .null }
            return try slice.plain()
        }
        binary("json_object_field") { (a, b, _) throws(SQLError) in
            text(try JSONSlice(a.text).member(b.text))
        }
        binary("json_object_field_text") { (a, b, _) throws(SQLError) in
            try plain(try JSONSlice(a.text).member(b.text))
        }
        binary("json_array_element") { (a, b, _) throws(SQLError) in
            text(JSONSlice(a.text).element(b.int))
        }
        binary("json_array_element_text") { (a, b, _) throws(SQLError) in
            try plain(JSONSlice(a.text).element(b.int))
        }
        binary("json_extract_path") { (a, b, _) throws(SQLError) in
            text(try JSONSlice(a.text).path(b.array.elements))
        }
        binary("json_extract_path_text") { (a, b, _) throws(SQLError) in
            try plain(try JSONSlice(a.text).path(b.array.elements))
        }
        unary("json_typeof") { (a, _) throws(SQLError) in
            switch JSONSlice(a.text).kind {
            case .null: return .text("null")
            case .bool: return .text("boolean")
            case .number: return .text("number")
            case .string: return .text("string")
            case .array: return .text("array")
            case .object: return .text("object")
            }
        }
        unary("json_array_length") { (a, _) throws(SQLError) in
            let slice = JSONSlice(a.text)
            switch slice.kind {
            case .array: return .int(Int64(slice.elements.count))
            case .object:
                throw SQLError(
                    .invalidParameterValue, "cannot get array length of a non-array")
            default:
                throw SQLError(.invalidParameterValue, "cannot get array length of a scalar")
            }
        }
        unary("json_strip_nulls") { (a, _) throws(SQLError) in
            @Sendable func strip(_ slice: JSONSlice) throws(SQLError) -> String {
                switch slice.kind {
                case .object:
                    var parts: [String] = []
                    for member in try slice.members() where member.value.kind != .null {
                        parts.append(
                            JSONValue.string(member.key).text + ":" + (try strip(member.value)))
                    }
                    return "{" + parts.joined(separator: ",") + "}"
                case .array:
                    var parts: [String] = []
                    for element in slice.elements { parts.append(try strip(element)) }
                    return "[" + parts.joined(separator: ",") + "]"
                default: return slice.text
                }
            }
            return .text(try strip(JSONSlice(a.text)))
        }
    }

    private mutating func addJSONBAccess() {
        @Sendable func text(_ value: JSONValue?) -> Datum { value.map { .text($0.text) } ?? .null }
        @Sendable func plain(_ value: JSONValue?) -> Datum { value.map(JSONMath.plain) ?? .null }
        binary("jsonb_object_field") { (a, b, _) throws(SQLError) in
            text(JSONMath.member(try JSONMath.value(a), b.text))
        }
        binary("jsonb_object_field_text") { (a, b, _) throws(SQLError) in
            plain(JSONMath.member(try JSONMath.value(a), b.text))
        }
        binary("jsonb_array_element") { (a, b, _) throws(SQLError) in
            text(JSONMath.element(try JSONMath.value(a), b.int))
        }
        binary("jsonb_array_element_text") { (a, b, _) throws(SQLError) in
            plain(JSONMath.element(try JSONMath.value(a), b.int))
        }
        binary("jsonb_extract_path") { (a, b, _) throws(SQLError) in
            text(JSONMath.path(try JSONMath.value(a), b.array.elements))
        }
        binary("jsonb_extract_path_text") { (a, b, _) throws(SQLError) in
            plain(JSONMath.path(try JSONMath.value(a), b.array.elements))
        }
        unary("jsonb_typeof") { (a, _) throws(SQLError) in
            .text(JSONMath.typeName(try JSONMath.value(a)))
        }
        unary("jsonb_array_length") { (a, _) throws(SQLError) in
            switch try JSONMath.value(a) {
            case .array(let values): return .int(Int64(values.count))
            case .object:
                throw SQLError(
                    .invalidParameterValue, "cannot get array length of a non-array")
            default:
                throw SQLError(.invalidParameterValue, "cannot get array length of a scalar")
            }
        }
        binary("jsonb_contains") { (a, b, _) throws(SQLError) in
            .bool(JSONMath.contains(try JSONMath.value(a), try JSONMath.value(b)))
        }
        binary("jsonb_contained") { (a, b, _) throws(SQLError) in
            .bool(JSONMath.contains(try JSONMath.value(b), try JSONMath.value(a)))
        }
        binary("jsonb_exists") { (a, b, _) throws(SQLError) in
            .bool(JSONMath.exists(try JSONMath.value(a), b.text))
        }
        binary("jsonb_exists_any") { (a, b, _) throws(SQLError) in
            let value = try JSONMath.value(a)
            return .bool(
                b.array.elements.contains { !$0.isNull && JSONMath.exists(value, $0.text) })
        }
        binary("jsonb_exists_all") { (a, b, _) throws(SQLError) in
            let value = try JSONMath.value(a)
            return .bool(
                b.array.elements.allSatisfy { $0.isNull || JSONMath.exists(value, $0.text) })
        }
        binary("jsonb_concat") { (a, b, _) throws(SQLError) in
            .text(JSONMath.concatenate(try JSONMath.value(a), try JSONMath.value(b)).text)
        }
        binary("jsonb_delete") { (a, b, _) throws(SQLError) in
            .text(try JSONMath.delete(try JSONMath.value(a), key: b.text).text)
        }
        binary("jsonb_delete_idx") { (a, b, _) throws(SQLError) in
            .text(try JSONMath.delete(try JSONMath.value(a), at: b.int).text)
        }
        binary("jsonb_delete_array") { (a, b, _) throws(SQLError) in
            var value = try JSONMath.value(a)
            for key in b.array.elements where !key.isNull {
                value = try JSONMath.delete(value, key: key.text)
            }
            return .text(value.text)
        }
        binary("jsonb_delete_path") { (a, b, _) throws(SQLError) in
            let value = try JSONMath.value(a)
            switch value {
            case .object, .array: break
            default: throw SQLError(.invalidParameterValue, "cannot delete path in scalar")
            }
            return .text(try JSONMath.changed(value, b.array.elements[...], .delete).text)
        }
        many("jsonb_set") { (a, _) throws(SQLError) in
            .text(
                try JSONMath.changed(
                    try JSONMath.value(a[0]), a[1].array.elements[...],
                    .set(try JSONMath.value(a[2]), creates: a[3].bool)
                ).text)
        }
        many("jsonb_insert") { (a, _) throws(SQLError) in
            .text(
                try JSONMath.changed(
                    try JSONMath.value(a[0]), a[1].array.elements[...],
                    .insert(try JSONMath.value(a[2]), after: a[3].bool)
                ).text)
        }
        unary("jsonb_strip_nulls") { (a, _) throws(SQLError) in
            .text(JSONMath.stripNulls(try JSONMath.value(a)).text)
        }
        unary("jsonb_pretty") { (a, _) throws(SQLError) in
            .text(JSONMath.pretty(try JSONMath.value(a)))
        }
        jsonbComparison("jsonb_eq") { $0 == 0 }
        jsonbComparison("jsonb_ne") { $0 != 0 }
        jsonbComparison("jsonb_lt") { $0 < 0 }
        jsonbComparison("jsonb_le") { $0 <= 0 }
        jsonbComparison("jsonb_gt") { $0 > 0 }
        jsonbComparison("jsonb_ge") { $0 >= 0 }
        binary("jsonb_cmp") { (a, b, _) throws(SQLError) in
            .int(
                Int64(
                    JSONMath.compare(try JSONMath.value(a), try JSONMath.value(b)).signum()))
        }
    }

    private mutating func jsonbComparison(
        _ name: String, _ test: @escaping @Sendable (Int) -> Bool
    ) {
        binary(name) { (a, b, _) throws(SQLError) in
            .bool(test(JSONMath.compare(try JSONMath.value(a), try JSONMath.value(b))))
        }
    }

    private mutating func addJSONBuilders() {
        typed("to_json", "array_to_json") { (a, types, context) throws(SQLError) in
            a[0].isNull ? .null : .text(JSONMath.json(a[0], types[0], context.settings))
        }
        typed("to_jsonb") { (a, types, context) throws(SQLError) in
            a[0].isNull
                ? .null : .text(try JSONMath.jsonb(a[0], types[0], context.settings).text)
        }
        @Sendable func object(
            _ a: [Datum], _ types: [OID], _ context: FunctionContext, isBinary: Bool
        ) throws(SQLError) -> Datum {
            if a.count % 2 != 0 {
                throw SQLError(
                    .invalidParameterValue, "argument list must have even number of elements",
                    hint:
                        "The arguments of \(isBinary ? "jsonb" : "json")_build_object() must consist of alternating keys and values."
                )
            }
            var parts: [String] = []
            var index = 0
            while index < a.count {
                if a[index].isNull {
                    throw SQLError(
                        .invalidParameterValue,
                        isBinary
                            ? "argument \(index + 1): key must not be null"
                            : "argument \(index + 1) cannot be null",
                        hint: isBinary ? nil : "Object keys should be text.")
                }
                let key = TypeIO.text(a[index], type: types[index], settings: context.settings)
                parts.append(
                    JSONValue.string(key).text + " : "
                        + JSONMath.json(a[index + 1], types[index + 1], context.settings))
                index += 2
            }
            let text = "{" + parts.joined(separator: ", ") + "}"
            return .text(isBinary ? try JSONText.parse(text).text : text)
        }
        typed("json_build_object", "json_build_object_noargs") { (a, types, c) throws(SQLError) in
            try object(a, types, c, isBinary: false)
        }
        typed("jsonb_build_object", "jsonb_build_object_noargs") { (a, types, c) throws(SQLError) in
            try object(a, types, c, isBinary: true)
        }
        @Sendable func array(
            _ a: [Datum], _ types: [OID], _ context: FunctionContext, isBinary: Bool
        ) throws(SQLError) -> Datum {
            let parts = zip(a, types).map { JSONMath.json($0, $1, context.settings) }
            let text = "[" + parts.joined(separator: ", ") + "]"
            return .text(isBinary ? try JSONText.parse(text).text : text)
        }
        typed("json_build_array", "json_build_array_noargs") { (a, types, c) throws(SQLError) in
            try array(a, types, c, isBinary: false)
        }
        typed("jsonb_build_array", "jsonb_build_array_noargs") { (a, types, c) throws(SQLError) in
            try array(a, types, c, isBinary: true)
        }
        @Sendable func pairs(_ a: [Datum], isBinary: Bool) throws(SQLError) -> Datum {
            var keys = a[0].array.elements
            var values: [Datum] = []
            if a.count == 2 {
                values = a[1].array.elements
                if keys.count != values.count {
                    throw SQLError(SQLState("2202E"), "mismatched array dimensions")
                }
            } else {
                let all = keys
                if all.count % 2 != 0 {
                    throw SQLError(
                        SQLState("2202E"), "array must have even number of elements")
                }
                keys = stride(from: 0, to: all.count, by: 2).map { all[$0] }
                values = stride(from: 1, to: all.count, by: 2).map { all[$0] }
            }
            var parts: [String] = []
            for (key, value) in zip(keys, values) {
                if key.isNull {
                    throw SQLError(SQLState("22004"), "null value not allowed for object key")
                }
                parts.append(
                    JSONValue.string(key.text).text + " : "
                        + (value.isNull ? "null" : JSONValue.string(value.text).text))
            }
            let text = "{" + parts.joined(separator: ", ") + "}"
            return .text(isBinary ? try JSONText.parse(text).text : text)
        }
        many("json_object", "json_object_two_arg") { (a, _) throws(SQLError) in
            try pairs(a, isBinary: false)
        }
        many("jsonb_object", "jsonb_object_two_arg") { (a, _) throws(SQLError) in
            try pairs(a, isBinary: true)
        }
    }

    private mutating func addJSONSets() {
        for (name, isText) in [("json_array_elements", false), ("json_array_elements_text", true)] {
            rows(name) { (a, _, _) throws(SQLError) in
                let slice = JSONSlice(a[0].text)
                if slice.kind != .array {
                    throw SQLError(
                        .invalidParameterValue,
                        "cannot call \(name) on a "
                            + (slice.kind == .object ? "non-array" : "scalar"))
                }
                var values: [Datum] = []
                for element in slice.elements {
                    values.append(isText ? try element.plain() : .text(element.text))
                }
                return ListSource(values)
            }
        }
        for (name, isText) in [
            ("jsonb_array_elements", false), ("jsonb_array_elements_text", true),
        ] {
            rows(name) { (a, _, _) throws(SQLError) in
                let value = try JSONMath.value(a[0])
                guard case .array(let values) = value else {
                    throw SQLError(
                        .invalidParameterValue,
                        "cannot extract elements from "
                            + (JSONMath.typeName(value) == "object" ? "an object" : "a scalar"))
                }
                return ListSource(values.map { isText ? JSONMath.plain($0) : .text($0.text) })
            }
        }
        rows("json_object_keys") { (a, _, _) throws(SQLError) in
            let slice = JSONSlice(a[0].text)
            try Self.checkObject(slice.kind == .object, "json_object_keys", slice.kind == .array)
            return ListSource(try slice.members().map { .text($0.key) })
        }
        rows("jsonb_object_keys") { (a, _, _) throws(SQLError) in
            let value = try JSONMath.value(a[0])
            guard case .object(let members) = value else {
                try Self.checkObject(
                    false, "jsonb_object_keys", JSONMath.typeName(value) == "array")
                return ListSource([])
            }
            return ListSource(members.map { .text($0.key) })
        }
        for (name, isText) in [("json_each", false), ("json_each_text", true)] {
            rows(name) { (a, _, _) throws(SQLError) in
                let slice = JSONSlice(a[0].text)
                guard slice.kind == .object else {
                    throw SQLError(
                        .invalidParameterValue,
                        slice.kind == .array
                            ? "cannot deconstruct an array as an object"
                            : "cannot deconstruct a scalar")
                }
                var records: [[Datum]] = []
                for member in try slice.members() {
                    records.append([
                        .text(member.key),
                        isText ? try member.value.plain() : .text(member.value.text),
                    ])
                }
                return RecordSource(records)
            }
        }
        for (name, isText) in [("jsonb_each", false), ("jsonb_each_text", true)] {
            rows(name) { (a, _, _) throws(SQLError) in
                guard case .object(let members) = try JSONMath.value(a[0]) else {
                    throw SQLError(
                        .invalidParameterValue, "cannot call \(name) on a non-object")
                }
                return RecordSource(
                    members.map {
                        [.text($0.key), isText ? JSONMath.plain($0.value) : .text($0.value.text)]
                    })
            }
        }
    }

    private static func checkObject(
        _ isObject: Bool, _ name: String, _ isArray: Bool
    ) throws(SQLError) {
        if isObject { return }
        throw SQLError(
            .invalidParameterValue,
            "cannot call \(name) on \(isArray ? "an array" : "a scalar")")
    }

    private mutating func addJSONAggregates() {
        aggregate("agg:json_agg") { types in
            JSONArrayState(types.first ?? .text, isBinary: false)
        }
        aggregate("agg:jsonb_agg") { types in
            JSONArrayState(types.first ?? .text, isBinary: true)
        }
        aggregate("agg:json_object_agg") { types in JSONObjectState(types, isBinary: false) }
        aggregate("agg:jsonb_object_agg") { types in JSONObjectState(types, isBinary: true) }
    }
}

private final class JSONArrayState: AggregateState {
    override var keepsValues: Bool { true }
    private let type: OID
    private let isBinary: Bool
    private var parts: [String] = []
    init(_ type: OID, isBinary: Bool) {
        self.type = type
        self.isBinary = isBinary
    }
    override func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {
        parts.append(JSONMath.json(arguments[0], type, context.settings))
    }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum {
        if parts.isEmpty { return .null }
        let text = "[" + parts.joined(separator: ", ") + "]"
        return .text(isBinary ? try JSONText.parse(text).text : text)
    }
}

private final class JSONObjectState: AggregateState {
    override var keepsValues: Bool { true }
    private let types: [OID]
    private let isBinary: Bool
    private var parts: [String] = []
    init(_ types: [OID], isBinary: Bool) {
        self.types = types.count == 2 ? types : [.text, .text]
        self.isBinary = isBinary
    }
    override func add(_ arguments: [Datum], _ context: FunctionContext) throws(SQLError) {
        if arguments[0].isNull {
            throw SQLError(
                .invalidParameterValue,
                isBinary ? "field name must not be null" : "field name must not be null")
        }
        let key = TypeIO.text(arguments[0], type: types[0], settings: context.settings)
        parts.append(
            JSONValue.string(key).text + " : "
                + JSONMath.json(arguments[1], types[1], context.settings))
    }
    override func result(_ context: FunctionContext) throws(SQLError) -> Datum {
        if parts.isEmpty { return .null }
        let text =
            isBinary
            ? "{" + parts.joined(separator: ", ") + "}"
            : "{ " + parts.joined(separator: ", ") + " }"
        return .text(isBinary ? try JSONText.parse(text).text : text)
    }
}
