import FalconSchema

extension FunctionDescriptor {
    /// For a call outside FROM of a function with several columns that returns no set: its one row, as the text that
    /// PostgreSQL shows a record by. Nil for other functions.
    var asRecord: FunctionDescriptor? {
        guard !isDeclaredSet, resultColumns.count > 1, case .set(let make) = body else {
            return nil
        }
        let columns = resultColumns
        let types = argumentTypes
        return FunctionDescriptor(
            oid: oid, name: name, argumentTypes: argumentTypes, argumentNames: argumentNames,
            variadicElement: variadicElement, defaults: defaults, resultType: .text,
            isStrict: isStrict, volatility: volatility,
            body: .scalar(
                .many { (arguments, context) throws(SQLError) in
                    let source = try make(arguments, types, context)
                    var row = [Datum](repeating: .null, count: columns.count)
                    guard try source.next(into: &row) else { return .null }
                    let cells = zip(row, columns).map { value, column in
                        value.isNull
                            ? ""
                            : Self.recordCell(
                                TypeIO.text(value, type: column.type, settings: context.settings))
                    }
                    return .text("(" + cells.joined(separator: ",") + ")")
                }))
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
