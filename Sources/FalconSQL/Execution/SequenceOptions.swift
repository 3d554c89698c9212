import FalconSchema

/// The options of CREATE and ALTER SEQUENCE: what they make of a sequence.
struct SequenceOptions {
    private var given: [String: AST.Option] = [:]

    /// - Throws: 42601 for an option that is given twice or has no place here.
    init(_ options: [AST.Option]) throws(SQLError) {
        for option in options {
            let place = option.location >= 0 ? option.location : nil
            if option.name == "sequence_name" {
                throw SQLError(
                    .syntaxError, "invalid sequence option SEQUENCE NAME", byteOffset: place)
            }
            if given[option.name] != nil {
                throw SQLError(
                    .syntaxError, "conflicting or redundant options", byteOffset: place)
            }
            given[option.name] = option
        }
    }

    /// Table and column of OWNED BY, or `none`; nil when it is not given.
    var ownedBy: [String]? {
        switch given["owned_by"]?.value {
        case .names(let names): names
        case .string(let name): [name]
        default: nil
        }
    }

    /// Something besides OWNED BY is given.
    var changesValues: Bool { given.keys.contains { $0 != "owned_by" } }

    private func integer(_ name: String) throws(SQLError) -> Int64? {
        guard let option = given[name], let value = option.value else { return nil }
        switch value {
        case .integer(let number): return number
        case .number(let text), .string(let text):
            if let number = Int64(text) { return number }
            if text.contains(where: { $0 == "." || $0 == "e" || $0 == "E" }) {
                throw SQLError(
                    .invalidTextRepresentation,
                    "invalid input syntax for type bigint: \"\(text)\"")
            }
            throw SQLError(
                .numericValueOutOfRange, "value \"\(text)\" is out of range for type bigint")
        default: throw SQLError(.syntaxError, "\(name) requires a numeric value")
        }
    }

    private static func range(_ type: OID) -> ClosedRange<Int64> {
        switch type {
        case .int2: Int64(Int16.min)...Int64(Int16.max)
        case .int4: Int64(Int32.min)...Int64(Int32.max)
        default: Int64.min...Int64.max
        }
    }

    /// The definition of `entry` as the options change it, and where it stands then. `isNew`: what is
    /// not given gets its default.
    func apply(
        to entry: inout SequenceEntry, at position: inout SequencePosition, isNew: Bool
    ) throws(SQLError) {
        let resets = try applyType(to: &entry, isNew: isNew)
        if let increment = try integer("increment") {
            if increment == 0 {
                throw SQLError(.invalidParameterValue, "INCREMENT must not be zero")
            }
            entry.increment = increment
        }
        if let cycle = given["cycle"] { entry.isCycled = cycle.boolValue ?? true }
        try applyBounds(to: &entry, isNew: isNew, resets)
        if let start = try integer("start") {
            entry.start = start
        } else if isNew {
            entry.start = entry.increment > 0 ? entry.minimum : entry.maximum
        }
        try check("START", entry.start, entry)
        if isNew { position = SequencePosition(last: entry.start, isCalled: false) }
        if given["restart"] != nil {
            position = SequencePosition(
                last: try integer("restart") ?? entry.start, isCalled: false)
        }
        try check("RESTART", position.last, entry)
        if let cache = try integer("cache") {
            if cache <= 0 {
                throw SQLError(
                    .invalidParameterValue, "CACHE (\(cache)) must be greater than zero")
            }
            entry.cache = cache
        }
    }

    /// Whether the bounds were the old type's and become the new one's.
    private func applyType(
        to entry: inout SequenceEntry, isNew: Bool
    ) throws(SQLError) -> (minimum: Bool, maximum: Bool) {
        guard case .type(let name)? = given["as"]?.value else { return (false, false) }
        let type = try TypeNames.resolve(name).oid
        guard [.int2, .int4, .int8].contains(type) else {
            throw SQLError(
                .invalidParameterValue, "sequence type must be smallint, integer, or bigint")
        }
        let old = Self.range(entry.type)
        entry.type = type
        if isNew { return (false, false) }
        return (entry.minimum == old.lowerBound, entry.maximum == old.upperBound)
    }

    private func applyBounds(
        to entry: inout SequenceEntry, isNew: Bool, _ resets: (minimum: Bool, maximum: Bool)
    ) throws(SQLError) {
        let range = Self.range(entry.type)
        let isAscending = entry.increment > 0
        if let maximum = try integer("maxvalue") {
            entry.maximum = maximum
        } else if isNew || given["maxvalue"] != nil || resets.maximum {
            entry.maximum = isAscending || resets.maximum ? range.upperBound : -1
        }
        if let minimum = try integer("minvalue") {
            entry.minimum = minimum
        } else if isNew || given["minvalue"] != nil || resets.minimum {
            entry.minimum = !isAscending || resets.minimum ? range.lowerBound : 1
        }
        for (what, bound) in [("MAXVALUE", entry.maximum), ("MINVALUE", entry.minimum)]
        where !range.contains(bound) {
            throw SQLError(
                .invalidParameterValue,
                "\(what) (\(bound)) is out of range for sequence data type "
                    + TypeNames.text(entry.type))
        }
        if entry.minimum >= entry.maximum {
            throw SQLError(
                .invalidParameterValue,
                "MINVALUE (\(entry.minimum)) must be less than MAXVALUE (\(entry.maximum))")
        }
    }

    private func check(
        _ what: String, _ value: Int64, _ entry: SequenceEntry
    ) throws(SQLError) {
        if value < entry.minimum {
            throw SQLError(
                .invalidParameterValue,
                "\(what) value (\(value)) cannot be less than MINVALUE (\(entry.minimum))")
        }
        if value > entry.maximum {
            throw SQLError(
                .invalidParameterValue,
                "\(what) value (\(value)) cannot be greater than MAXVALUE (\(entry.maximum))")
        }
    }
}
