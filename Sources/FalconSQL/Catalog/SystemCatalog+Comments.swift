import FalconSchema

/// Comments as pg_description and pg_shdescription show them.
extension SystemCatalog {
    @Sendable static func descriptions(_ source: VirtualSource) throws(SQLError) -> [[Datum]] {
        try comments(source, isShared: false).map { comment in
            [
                oid(comment.key.object), oid(comment.key.catalog),
                .int(Int64(comment.key.column)), .text(comment.text),
            ]
        }
    }

    @Sendable static func sharedDescriptions(
        _ source: VirtualSource
    ) throws(SQLError) -> [[Datum]] {
        try comments(source, isShared: true).map { comment in
            [oid(comment.key.object), oid(comment.key.catalog), .text(comment.text)]
        }
    }

    private static func comments(
        _ source: VirtualSource, isShared: Bool
    ) throws(SQLError) -> [(key: CommentKey, text: String)] {
        let session = (source.session as? SessionBridge)?.session
        return try session?.transaction.comments(isShared: isShared) ?? []
    }
}
