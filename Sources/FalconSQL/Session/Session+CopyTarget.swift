import FalconSchema

/// What COPY does not copy.
extension Session {
    /// What is no table has no rows of its own to copy.
    func copyRefusal(
        of name: AST.TableName, isFrom: Bool
    ) throws(SQLError) -> SQLError? {
        let way = isFrom ? "to" : "from"
        switch try catalog.relation(schema: name.schema, name: name.name)?.kind {
        case .view:
            return SQLError(
                .wrongObjectType, "cannot copy \(way) view \"\(name.name)\"",
                hint: isFrom
                    ? "To enable copying to a view, provide an INSTEAD OF INSERT trigger."
                    : "Try the COPY (SELECT ...) TO variant.")
        case .sequence:
            return SQLError(.wrongObjectType, "cannot copy \(way) sequence \"\(name.name)\"")
        case .table, .index, nil: return nil
        }
    }

    /// As in PostgreSQL the client is asked for the data first: it drops what it has at hand and does not take it
    /// for statements.
    func refuseTarget(
        _ copy: AST.Copy, _ name: AST.TableName, _ options: CopyOptions, _ sink: any ResultSink
    ) throws(SQLError) {
        guard let refusal = try copyRefusal(of: name, isFrom: true),
            let found = try catalog.relation(schema: name.schema, name: name.name)
        else { return }
        try transaction.lockRelation(found.oid, .rowExclusive)
        if transaction.isReadOnly { throw readOnlyRefusal("COPY FROM") }
        let columns =
            transaction.catalog.views[found.oid].map { SystemCatalog.columns(of: $0, self) }
            ?? SystemCatalog.sequenceColumns
        for column in copy.columns where !columns.contains(where: { $0.name == column }) {
            throw SQLError(
                .undefinedColumn,
                "column \"\(column)\" of relation \"\(name.name)\" does not exist")
        }
        sink.copyInResponse(
            options.format, columnCount: copy.columns.isEmpty ? columns.count : copy.columns.count)
        throw refusal
    }
}
