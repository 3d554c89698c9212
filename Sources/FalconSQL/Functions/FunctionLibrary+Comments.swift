import FalconSchema

/// What COMMENT ON has said of objects.
extension FunctionLibrary {
    mutating func addComments() {
        binary("#1215", "#1993") { (object, catalog, context) throws(SQLError) in
            // A system relation that there is not has no objects.
            guard
                let catalog = VirtualTables.descriptor(
                    schema: "pg_catalog", name: catalog.text, searchPath: [])
            else { return .null }
            return try Self.comment(
                CommentKey(object: Self.oid(object), catalog: catalog.oid), context)
        }
        unary("#1348") { (object, context) throws(SQLError) in
            let comments = try Self.sqlSession(of: context).transaction.comments(
                on: Self.oid(object))
            return comments.first { $0.key.column == 0 }.map { .text($0.text) } ?? .null
        }
        binary("#1216") { (object, column, context) throws(SQLError) in
            try Self.comment(
                CommentKey(
                    object: Self.oid(object), catalog: CommentKey.relations,
                    column: Int32(truncatingIfNeeded: column.int)), context)
        }
    }

    private static func oid(_ value: Datum) -> OID { OID(UInt32(truncatingIfNeeded: value.int)) }

    private static func comment(
        _ key: CommentKey, _ context: FunctionContext
    ) throws(SQLError) -> Datum {
        try sqlSession(of: context).transaction.comment(key).map { .text($0) } ?? .null
    }
}
