import FalconSchema

extension FunctionDescriptor {
    /// For a call outside FROM of a function with several columns that returns no set: its one row, as the text that
    /// PostgreSQL shows a record by. Nil for other functions.
    var asRecord: FunctionDescriptor? {
        guard let row = singleRow else { return nil }
        let columns = resultColumns
        return called(name, .text, columns: columns) { (arguments, context) throws(SQLError) in
            guard let values = try row(arguments, context) else { return .null }
            return Self.record(values, types: columns.map(\.type), context)
        }
    }

    /// As ``asRecord``, one column of the row alone.
    func asColumn(_ index: Int) -> FunctionDescriptor? {
        guard let row = singleRow, resultColumns.indices.contains(index) else { return nil }
        let column = resultColumns[index]
        return called("(\(name)).\(column.name)", column.type, columns: []) {
            (arguments, context) throws(SQLError) in
            try row(arguments, context)?[index] ?? .null
        }
    }

    /// The text of a record of the arguments, NULL when all of them are: what a set that has ended gives beside one
    /// that goes on.
    static func recordText(of types: [OID]) -> FunctionDescriptor {
        FunctionDescriptor(
            oid: .invalid, name: "row", argumentTypes: types, resultType: .text, isStrict: false,
            volatility: .stable,
            body: .scalar(
                .many { (values, context) throws(SQLError) in
                    values.allSatisfy(\.isNull) ? .null : record(values, types: types, context)
                }))
    }

    /// One column of a record that has come along as its text.
    static func recordField(
        _ index: Int, of columns: [(name: String, type: OID)]
    ) -> FunctionDescriptor {
        let column = columns[index]
        return FunctionDescriptor(
            oid: .invalid, name: "(record).\(column.name)", argumentTypes: [.text],
            resultType: column.type, isStrict: true, volatility: .stable,
            body: .scalar(
                .unary { (record, context) throws(SQLError) in
                    let cells = recordCells(record.text)
                    guard cells.indices.contains(index), let text = cells[index] else {
                        return .null
                    }
                    return try TypeIO.parseText(
                        text, type: SQLType(column.type), settings: context.settings)
                }))
    }

    /// The cells of a record's text; nil: NULL.
    private static func recordCells(_ text: String) -> [String?] {
        var cells: [String?] = []
        var cell: [UInt8] = []
        var (isInside, wasQuoted, isEscaped) = (false, false, false)
        func finished() -> String? {
            cell.isEmpty && !wasQuoted ? nil : String(decoding: cell, as: UTF8.self)
        }
        for byte in text.utf8.dropFirst().dropLast() {
            if isEscaped {
                cell.append(byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                // The second of two quotes stands for one.
                if wasQuoted, !isInside { cell.append(byte) }
                isInside.toggle()
                wasQuoted = true
            } else if byte == UInt8(ascii: ","), !isInside {
                cells.append(finished())
                cell = []
                wasQuoted = false
            } else {
                cell.append(byte)
            }
        }
        return cells + [finished()]
    }

    private typealias Row = @Sendable ([Datum], FunctionContext) throws(SQLError) -> [Datum]?

    private var singleRow: Row? {
        guard !isDeclaredSet, resultColumns.count > 1, case .set(let make) = body else {
            return nil
        }
        let types = argumentTypes
        let width = resultColumns.count
        return { (arguments, context) throws(SQLError) in
            let source = try make(arguments, types, context)
            var row = [Datum](repeating: .null, count: width)
            return try source.next(into: &row) ? row : nil
        }
    }

    private func called(
        _ name: String, _ type: OID, columns: [(name: String, type: OID)],
        _ code: @escaping FunctionLibrary.Many
    ) -> FunctionDescriptor {
        FunctionDescriptor(
            oid: oid, name: name, argumentTypes: argumentTypes, argumentNames: argumentNames,
            variadicElement: variadicElement, defaults: defaults, resultType: type,
            resultColumns: columns, isStrict: isStrict, volatility: volatility,
            body: .scalar(.many(code)))
    }

    private static func record(
        _ values: [Datum], types: [OID], _ context: FunctionContext
    ) -> Datum {
        let cells = zip(values, types).map { value, type in
            value.isNull
                ? "" : recordCell(TypeIO.text(value, type: type, settings: context.settings))
        }
        return .text("(" + cells.joined(separator: ",") + ")")
    }

    /// In quotes where record_in needs them.
    private static func recordCell(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "("),
                    UInt8(ascii: ")"), UInt8(ascii: ","):
                    false
                default: byte > 0x20
                }
            }
        if isPlain { return text }
        var quoted = "\""
        for character in text {
            if character == "\"" || character == "\\" { quoted.append(character) }
            quoted.append(character)
        }
        return quoted + "\""
    }
}
