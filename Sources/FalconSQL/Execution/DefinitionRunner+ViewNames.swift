import FalconSchema

/// Views follow what they read when its name changes: their text does.
extension DefinitionRunner {
    /// The views that name some of `relations`, locked, each with what it names.
    func viewsNaming(
        _ relations: Set<OID>
    ) throws(SQLError) -> [(view: ViewEntry, names: NamedReferences)] {
        var locked: Set<OID> = []
        while true {
            var found: [(view: ViewEntry, names: NamedReferences)] = []
            for view in transaction.catalog.views.values.sorted(by: { $0.oid < $1.oid }) {
                guard let names = references(of: view),
                    !names.relations.isDisjoint(with: relations)
                else { continue }
                found.append((view, names))
            }
            let others = found.map(\.view.oid).filter { !locked.contains($0) }
            if others.isEmpty { return found }
            // Before its lock is ours a view may change.
            for oid in others { try transaction.lockRelation(oid, .accessExclusive) }
            locked.formUnion(others)
        }
    }

    /// Gives the views, found before the names changed, their text with the new ones.
    func rename(
        in views: [(view: ViewEntry, names: NamedReferences)],
        _ edits: (NamedReferences, [UInt8]) -> [ViewText.Edit]
    ) throws(SQLError) {
        var altered: [(view: ViewEntry, relations: Set<OID>)] = []
        for (view, names) in views {
            let bytes = Array(view.query.utf8)
            var view = view
            view.query = String(
                decoding: ViewText.applying(edits(names, bytes), to: bytes), as: UTF8.self)
            try transaction.record(.putView(view))
            altered.append((view, names.relations))
        }
        for (view, relations) in altered where references(of: view)?.relations != relations {
            throw SQLError(
                .featureNotSupported,
                "cannot change a name that \(describedView(view.oid)) uses in this form",
                detail: "The view's query cannot be written with the new name.",
                hint: "Drop the view, change the name, and create the view again.")
        }
    }

    /// Relations' new names and schemas, by OID.
    func renameInViews(
        _ views: [(view: ViewEntry, names: NamedReferences)],
        paths: [OID: (schema: String, name: String)]
    ) throws(SQLError) {
        let naming = ViewText.Naming(table: { table in
            guard let new = paths[table.oid] else { return ViewText.settled(table) }
            let (path, old) = (ViewText.path(new.schema, new.name), table.name.name)
            // Columns are qualified with the name that it had.
            return table.name.alias == nil && new.name != old
                ? path + ViewText.alias(old) : path
        })
        try rename(in: views) { names, bytes in ViewText.edits(names, naming, in: bytes) }
    }

    /// A new name of a view's column: in the views that read it, it keeps the name that it had.
    func renameInViews(
        _ views: [(view: ViewEntry, names: NamedReferences)], columnOf view: OID
    ) throws(SQLError) {
        try rename(in: views) { names, bytes in
            ViewText.keepingNames(of: view, names, in: bytes) ?? []
        }
    }

    /// The new name of a table's column; where a join looks for a name the column keeps the one that it had.
    func renameInViews(
        _ views: [(view: ViewEntry, names: NamedReferences)], _ column: ColumnDescriptor,
        of table: OID
    ) throws(SQLError) {
        try rename(in: views) { names, bytes in
            if names.joins(column.attribute, of: table),
                let edits = ViewText.keepingNames(of: table, names, in: bytes)
            {
                return edits
            }
            let naming = ViewText.Naming(
                table: ViewText.settled,
                column: { found in
                    found.tableOID == table && found.attribute == column.attribute
                        && names.isPlain(found) ? column.name : nil
                })
            return ViewText.edits(names, naming, in: bytes)
        }
    }
}
