/// A statement's answer: every value in PostgreSQL's text form, nil for NULL.
public struct ControlRows: Sendable {
    public let columns: [String]
    public let rows: [[String?]]

    public init(columns: [String], rows: [[String?]]) {
        self.columns = columns
        self.rows = rows
    }

    /// The rows by the names of their columns.
    var records: [ControlRecord] { rows.map { ControlRecord(columns: columns, values: $0) } }

    /// The first row; the server answers with one, or something other than FalconDB answers.
    func first() throws(ControlFailure) -> ControlRecord {
        guard let row = records.first else {
            throw .refused(
                ControlRefusal(sqlState: "02000", message: "The server answered with no row."))
        }
        return row
    }
}

/// One row of an answer.
struct ControlRecord {
    let columns: [String]
    let values: [String?]

    subscript(_ name: String) -> String? {
        zip(columns, values).first { $0.0 == name }?.1
    }

    /// A column for people: "-" for NULL.
    func shown(_ name: String) -> String { self[name] ?? "-" }

    /// A moment that the server gave in ISO form and UTC, as the tools write it.
    func moment(_ name: String) -> String? {
        guard let text = self[name] else { return nil }
        return ToolTime.parse(text).map { ToolTime.format($0) } ?? text
    }

    func integer(_ name: String) -> Int64? { self[name].flatMap { Int64($0) } }

    /// The JSON form of a column of text, of whole numbers, of truth values, of a moment.
    func json(_ name: String) -> JSONValue { .text(self[name]) }
    func number(_ name: String) -> JSONValue { integer(name).map { .int($0) } ?? .null }
    func flag(_ name: String) -> JSONValue { self[name].map { .bool($0 == "t") } ?? .null }
    func time(_ name: String) -> JSONValue { .text(moment(name)) }
}
