import FalconSchema
import FalconStorage

/// Comments on objects: rows of the catalog that nothing but their readers looks at.
extension Transaction {
    /// The comment as the transaction has it, or as it is committed.
    func comment(_ key: CommentKey) throws(SQLError) -> String? {
        let key = key.encoded(in: database.id)
        let text = try key.withRaw { key throws(SQLError) in try self.newestValue(key) }
        return text.map { String(decoding: $0, as: UTF8.self) }
    }

    /// All comments in the database, or of databases and roles.
    func comments(isShared: Bool) throws(SQLError) -> [(key: CommentKey, text: String)] {
        let id = isShared ? CatalogKeys.shared : database.id
        return try comments(CatalogKeys.prefix(id, CatalogKeys.comments))
    }

    /// Those on an object and its columns.
    func comments(
        on object: OID, isShared: Bool = false
    ) throws(SQLError) -> [(key: CommentKey, text: String)] {
        try comments(
            CommentKey.prefix(of: object, in: isShared ? CatalogKeys.shared : database.id))
    }

    private func comments(
        _ prefix: [UInt8]
    ) throws(SQLError) -> [(key: CommentKey, text: String)] {
        var found: [(key: CommentKey, text: String)] = []
        let overlay = batch.isEmpty ? nil : batch
        var options = ReadOptions()
        options.mayWait = mayWait
        try CommentKey.forEach(prefix, in: engine, overlay: overlay, options: options) {
            found.append(($0, String(decoding: $1, as: UTF8.self)))
        }
        return found
    }

    /// Nil removes it.
    func setComment(_ key: CommentKey, _ text: String?) throws(SQLError) {
        let key = key.encoded(in: database.id)
        let batch = batch
        try storage { () throws(StorageError) in
            try key.withRaw { key throws(StorageError) in
                guard let text else { return try batch.delete(key: key, class: .catalog) }
                try Array(text.utf8).withRaw { text throws(StorageError) in
                    try batch.put(key: key, value: text, class: .catalog)
                }
            }
        }
        try chargeWrites()
    }

    /// An object that is dropped has no comments any more, neither have its columns.
    func dropComments(on object: OID, isShared: Bool = false) throws(SQLError) {
        for comment in try comments(on: object, isShared: isShared) {
            try setComment(comment.key, nil)
        }
    }

    /// Removes the comments on what `change`, not yet recorded, drops.
    func dropComments(by change: CatalogChange) throws(SQLError) {
        switch change {
        case .dropTable, .dropView, .dropSequence, .dropSchema:
            for object in change.droppedObjects(in: catalog) { try dropComments(on: object) }
        case .putTable(let table):
            guard let old = catalog.tables[table.oid] else { return }
            for part in old.parts.subtracting(table.parts) { try dropComments(on: part) }
            for (before, now) in zip(old.columns, table.columns)
            where now.isDropped && !before.isDropped {
                let key = CommentKey(
                    object: table.oid, catalog: CommentKey.relations, column: Int32(now.attribute))
                if try comment(key) != nil { try setComment(key, nil) }
            }
        case .putSchema, .putView, .putSequence: return
        }
    }
}

extension CommentKey {
    /// Calls `body` with each comment whose key begins with `prefix`.
    static func forEach(
        _ prefix: [UInt8], in engine: StorageEngine, overlay: WriteBatch? = nil,
        options: ReadOptions = ReadOptions(), _ body: (CommentKey, UnsafeRawBufferPointer) -> Void
    ) throws(SQLError) {
        try storage { () throws(StorageError) in
            let iterator = try engine.makeIterator(
                KeyRange(prefix: prefix), at: engine.publishedTimestamp, overlay: overlay,
                options: options)
            try iterator.seekToFirst()
            while iterator.isValid {
                if let key = CommentKey(iterator.key) { body(key, iterator.value) }
                try iterator.next()
            }
        }
    }
}

extension TableDescriptor {
    /// The OIDs of what goes with the table and may have comments of its own.
    fileprivate var parts: Set<OID> {
        Set(indexes.map(\.oid) + checks.map(\.oid) + foreignKeys.map(\.oid))
    }
}

extension CatalogChange {
    /// What a DROP takes from `catalog` and may have comments.
    func droppedObjects(in catalog: CatalogSnapshot) -> [OID] {
        switch self {
        case .dropTable(let oid): [oid] + (catalog.tables[oid]?.parts ?? [])
        case .dropView(let oid), .dropSequence(let oid), .dropSchema(let oid): [oid]
        case .putTable, .putSchema, .putView, .putSequence: []
        }
    }
}
