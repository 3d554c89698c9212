import FalconSchema

/// The columns that PostgreSQL's tables have of themselves. Of them there is tableoid here: rows lie in the order
/// of their keys and move with every flush, so that they have no place to be named by, and a row's version is a
/// commit's timestamp, which is no transaction number and not known before the commit.
enum SystemColumn {
    private static let names: Set<String> = ["ctid", "xmin", "xmax", "cmin", "cmax"]

    static func isUnsupported(_ name: String) -> Bool { names.contains(name) }

    static func unsupported(_ name: String, _ offset: Int?) -> SQLError {
        SQLError(
            .featureNotSupported, "system column \"\(name)\" is not supported",
            detail: "Rows are found by their keys; they have no place, and no number of the "
                + "transaction that wrote them.",
            hint: "Name rows by their primary key, and use a version column, FOR UPDATE or "
                + "REPEATABLE READ to know that they have not changed.", byteOffset: offset)
    }

    /// Refuses a table's column of such a name.
    static func check(newName name: String) throws(SQLError) {
        guard isUnsupported(name) || name == "tableoid" else { return }
        throw SQLError(
            .duplicateColumn, "column name \"\(name)\" conflicts with a system column name")
    }
}
