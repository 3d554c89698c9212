import FalconSchema

extension ForeignKeyProbe {
    private func shown(
        _ table: TableDescriptor, _ attributes: [Int16], _ values: [Datum],
        _ settings: DisplaySettings
    ) -> String {
        let names = attributes.map { table.column($0).name }
        let texts = zip(attributes, values).map {
            $1.isNull
                ? "null" : TypeIO.text($1, type: table.column($0).type.oid, settings: settings)
        }
        return "Key (\(names.joined(separator: ", ")))=(\(texts.joined(separator: ", ")))"
    }

    private func violation(_ message: String, _ detail: String) -> SQLError {
        var error = SQLError(.foreignKeyViolation, message, detail: detail)
        error.schema = child.schema
        error.table = child.name
        error.constraint = key.name
        return error
    }

    private func unnamed(_ detail: String) -> SQLError {
        violation(
            "insert or update on table \"\(child.name)\" violates foreign key constraint "
                + "\"\(key.name)\"", detail)
    }

    /// A referencing row names none.
    func missing(_ values: [Datum], _ settings: DisplaySettings) -> SQLError {
        unnamed(
            shown(child, key.columns, values, settings)
                + " is not present in table \"\(parent.name)\".")
    }

    var mixedNulls: SQLError {
        unnamed("MATCH FULL does not allow mixing of null and nonnull key values.")
    }

    /// A referenced row may not go. `values` are of the referenced columns.
    func stillReferenced(_ values: [Datum], _ settings: DisplaySettings) -> SQLError {
        violation(
            "update or delete on table \"\(parent.name)\" violates foreign key constraint "
                + "\"\(key.name)\" on table \"\(child.name)\"",
            shown(parent, key.referencedColumns, values, settings)
                + " is still referenced from table \"\(child.name)\".")
    }
}
