import FalconSchema

/// Arrays.
extension FunctionLibrary {
    mutating func addArrays() {
        unary("array_ndims") { (a, _) throws(SQLError) in
            let count = a.array.dimensions.count
            return count == 0 ? .null : .int(Int64(count))
        }
        unary("array_dims") { (a, _) throws(SQLError) in
            let dimensions = a.array.dimensions
            if dimensions.isEmpty { return .null }
            return .text(
                dimensions.map {
                    "[\($0.lowerBound):\(Int64($0.lowerBound) + Int64($0.length) - 1)]"
                }.joined())
        }
        @Sendable func dimension(
            _ a: Datum, _ b: Datum
        ) -> (length: Int32, lowerBound: Int32)? {
            let dimensions = a.array.dimensions
            guard b.int >= 1, b.int <= Int64(dimensions.count) else { return nil }
            return dimensions[Int(b.int) - 1]
        }
        binary("array_length") { (a, b, _) throws(SQLError) in
            dimension(a, b).map { .int(Int64($0.length)) } ?? .null
        }
        binary("array_lower") { (a, b, _) throws(SQLError) in
            dimension(a, b).map { .int(Int64($0.lowerBound)) } ?? .null
        }
        binary("array_upper") { (a, b, _) throws(SQLError) in
            dimension(a, b).map { .int(Int64($0.lowerBound) + Int64($0.length) - 1) } ?? .null
        }
        unary("array_cardinality") { (a, _) throws(SQLError) in
            .int(Int64(a.array.elements.count))
        }
        typed("array_append") { (a, types, _) throws(SQLError) in
            try ArrayMath.append(a[0], a[1], element: types[1], atEnd: true)
        }
        typed("array_prepend") { (a, types, _) throws(SQLError) in
            try ArrayMath.append(a[1], a[0], element: types[0], atEnd: false)
        }
        binary("array_cat") { (a, b, _) throws(SQLError) in try ArrayMath.concatenate(a, b) }
        typed("array_position", "array_position_start") { (a, types, _) throws(SQLError) in
            guard case .array(let array) = a[0] else { return .null }
            if array.dimensions.count > 1 {
                throw SQLError(
                    .featureNotSupported,
                    "searching for elements in multidimensional arrays is not supported")
            }
            let lower = Int(array.dimensions.first?.lowerBound ?? 1)
            var first = 0
            if a.count > 2 {
                if a[2].isNull {
                    throw SQLError(SQLState("22004"), "initial position must not be null")
                }
                first = max(0, Int(a[2].int) - lower)
            }
            for index in array.elements.indices.dropFirst(first)
            where DatumOrder.isNotDistinct(array.elements[index], a[1], type: types[1]) {
                return .int(Int64(index + lower))
            }
            return .null
        }
        typed("array_positions") { (a, types, _) throws(SQLError) in
            guard case .array(let array) = a[0] else { return .null }
            let lower = Int(array.dimensions.first?.lowerBound ?? 1)
            var found: [Datum] = []
            for index in array.elements.indices
            where DatumOrder.isNotDistinct(array.elements[index], a[1], type: types[1]) {
                found.append(.int(Int64(index + lower)))
            }
            return .array(ArrayValue(elementType: .int4, found))
        }
        typed("array_remove") { (a, types, _) throws(SQLError) in
            guard case .array(let array) = a[0] else { return .null }
            let kept = array.elements.filter {
                !DatumOrder.isNotDistinct($0, a[1], type: types[1])
            }
            if kept.count == array.elements.count { return a[0] }
            return .array(ArrayValue(elementType: array.elementType, kept))
        }
        typed("array_replace") { (a, types, _) throws(SQLError) in
            guard case .array(let array) = a[0] else { return .null }
            let changed = array.elements.map {
                DatumOrder.isNotDistinct($0, a[1], type: types[1]) ? a[2] : $0
            }
            return .array(
                ArrayValue(
                    elementType: array.elementType, dimensions: array.dimensions,
                    elements: changed))
        }
        binary("arraycontains") { (a, b, _) throws(SQLError) in
            .bool(ArrayMath.contains(a.array, b.array))
        }
        binary("arraycontained") { (a, b, _) throws(SQLError) in
            .bool(ArrayMath.contains(b.array, a.array))
        }
        binary("arrayoverlap") { (a, b, _) throws(SQLError) in
            let type = a.array.elementType
            for x in a.array.elements where !x.isNull {
                for y in b.array.elements
                where !y.isNull && DatumOrder.compare(x, y, type: type) == 0 {
                    return .bool(true)
                }
            }
            return .bool(false)
        }
        typed("array_fill", "array_fill_with_lower_bounds") { (a, types, _) throws(SQLError) in
            guard !a[1].isNull, a.count < 3 || !a[2].isNull else {
                throw SQLError(
                    SQLState("22004"), "dimension array or low bound array cannot be null")
            }
            let lengths = a[1].array.elements.map(\.int)
            let lowers = a.count > 2 ? a[2].array.elements.map(\.int) : lengths.map { _ in 1 }
            var total: Int64 = lengths.isEmpty ? 0 : 1
            for length in lengths {
                guard length >= 0, length < 1 << 27, lengths.count <= 6 else {
                    throw ArrayMath.tooLarge
                }
                total *= length
                if total > 134_217_727 { throw ArrayMath.tooLarge }
            }
            guard lowers.count == lengths.count else {
                throw SQLError(SQLState("2202E"), "wrong number of array subscripts")
            }
            return .array(
                ArrayValue(
                    elementType: types[0],
                    dimensions: total == 0
                        ? []
                        : zip(lengths, lowers).map {
                            (Int32(truncatingIfNeeded: $0), Int32(truncatingIfNeeded: $1))
                        },
                    elements: [Datum](repeating: a[0], count: Int(total))))
        }
        binary("trim_array") { (a, b, _) throws(SQLError) in
            let array = a.array
            guard array.dimensions.count <= 1 else { return a }
            guard b.int >= 0, b.int <= Int64(array.elements.count) else {
                throw SQLError(
                    SQLState("2202E"),
                    "number of elements to trim must be between 0 and \(array.elements.count)")
            }
            return .array(
                ArrayValue(
                    elementType: array.elementType,
                    Array(array.elements.dropLast(Int(b.int)))))
        }
        typed("array_to_text", "array_to_text_null") { (a, types, context) throws(SQLError) in
            guard case .array(let array) = a[0], case .text(let separator) = a[1] else {
                return .null
            }
            var result: String?
            for element in array.elements {
                if element.isNull {
                    if a.count > 2, case .text(let null) = a[2] {
                        try TextMath.append(null, to: &result, after: separator)
                    }
                } else {
                    try ValueLimit.checkText(of: element)
                    let text = TypeIO.text(
                        element, type: array.elementType, settings: context.settings)
                    try TextMath.append(text, to: &result, after: separator)
                }
            }
            return .text(result ?? "")
        }
        many("text_to_array", "text_to_array_null") { (a, c) throws(SQLError) in
            guard let parts = try ArrayMath.split(a, c) else { return .null }
            return .array(ArrayValue(elementType: .text, parts))
        }
        rows("text_to_table", "text_to_table_null") { (a, _, c) throws(SQLError) in
            ListSource(try ArrayMath.split(a, c) ?? [])
        }
    }
}

enum ArrayMath {
    static let tooLarge = SQLError(
        SQLState("54000"), "array size exceeds the maximum allowed (134217727)")

    static func append(
        _ array: Datum, _ value: Datum, element: OID, atEnd: Bool
    ) throws(SQLError) -> Datum {
        guard case .array(let old) = array else {
            return .array(ArrayValue(elementType: element, [value]))
        }
        if old.elements.isEmpty {
            return .array(ArrayValue(elementType: old.elementType, [value]))
        }
        guard let dimension = old.dimensions.first, old.dimensions.count == 1 else {
            throw SQLError(
                SQLState("2202E"), "argument must be empty or one-dimensional array")
        }
        let elements = atEnd ? old.elements + [value] : [value] + old.elements
        return .array(
            ArrayValue(
                elementType: old.elementType,
                dimensions: [(dimension.length &+ 1, dimension.lowerBound)], elements: elements))
    }

    static func concatenate(_ a: Datum, _ b: Datum) throws(SQLError) -> Datum {
        guard case .array(let x) = a else { return b }
        guard case .array(let y) = b else { return a }
        if y.elements.isEmpty { return a }
        if x.elements.isEmpty { return b }
        let elements = x.elements + y.elements
        func incompatible(_ detail: String) -> SQLError {
            SQLError(
                SQLState("2202E"), "cannot concatenate incompatible arrays", detail: detail)
        }
        var dimensions: [(length: Int32, lowerBound: Int32)]
        if x.dimensions.count == y.dimensions.count {
            for (p, q) in zip(x.dimensions, y.dimensions).dropFirst() where p.length != q.length {
                throw incompatible(
                    "Arrays with differing element dimensions are not compatible for concatenation."
                )
            }
            dimensions = x.dimensions
            dimensions[0].length = x.dimensions[0].length &+ y.dimensions[0].length
        } else if x.dimensions.count == y.dimensions.count + 1 {
            for (p, q) in zip(x.dimensions.dropFirst(), y.dimensions) where p.length != q.length {
                throw incompatible(
                    "Arrays with differing dimensions are not compatible for concatenation.")
            }
            dimensions = x.dimensions
            dimensions[0].length &+= 1
        } else if x.dimensions.count + 1 == y.dimensions.count {
            for (p, q) in zip(y.dimensions.dropFirst(), x.dimensions) where p.length != q.length {
                throw incompatible(
                    "Arrays with differing dimensions are not compatible for concatenation.")
            }
            dimensions = y.dimensions
            dimensions[0].length &+= 1
        } else {
            throw incompatible(
                "Arrays of \(x.dimensions.count) and \(y.dimensions.count) dimensions are not compatible for concatenation."
            )
        }
        return .array(
            ArrayValue(elementType: x.elementType, dimensions: dimensions, elements: elements))
    }

    /// Every element of `b` is in `a`; NULLs equal nothing.
    static func contains(_ a: ArrayValue, _ b: ArrayValue) -> Bool {
        for wanted in b.elements {
            if wanted.isNull { return false }
            let found = a.elements.contains {
                !$0.isNull && DatumOrder.compare($0, wanted, type: a.elementType) == 0
            }
            if !found { return false }
        }
        return true
    }

    /// string_to_array's pieces: (text, separator[, null text]).
    static func split(
        _ a: [Datum], _ context: FunctionContext
    ) throws(SQLError) -> [Datum]? {
        guard case .text(let text) = a[0] else { return nil }
        if text.isEmpty { return [] }
        let pieces: [String]
        if case .text(let separator) = a[1] {
            pieces = try TextMath.split(text, separator, context)
        } else {
            pieces = text.unicodeScalars.map { String(Character($0)) }
        }
        return pieces.map { piece in
            if a.count > 2, case .text(let null) = a[2], DatumOrder.equalText(null, piece) {
                return .null
            }
            return .text(piece)
        }
    }
}
