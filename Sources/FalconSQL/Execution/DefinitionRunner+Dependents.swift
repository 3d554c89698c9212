import FalconSchema

/// Views that read what is being dropped, with the foreign keys on it.
extension DefinitionRunner {
    typealias Dependent = (object: DependentObject, on: String)

    /// A view and what its query names.
    private struct Reader {
        var view: OID
        var names: NamedReferences
    }

    /// What depends on a relation, or on one of its columns, and what depends on that, in PostgreSQL's
    /// order: by age, each view before those that read it.
    /// - Parameters:
    ///   - text: how messages name what is dropped.
    ///   - keys: foreign keys on it.
    ///   - dropped: relations that the statement drops itself.
    func dependents(
        of oid: OID, _ attribute: Int16? = nil, _ text: String,
        keys: [ForeignKeyReference] = [], except dropped: Set<OID> = []
    ) -> [Dependent] {
        var seen = dropped
        return dependents(
            of: [(oid: oid, text: text, keys: keys)], attribute, seen: &seen)
    }

    /// The same of several relations: as PostgreSQL has it, the last one's first.
    func dependents(
        of relations: [(oid: OID, text: String, keys: [ForeignKeyReference])],
        _ attribute: Int16? = nil, seen: inout Set<OID>
    ) -> [Dependent] {
        let readers = transaction.catalog.views.isEmpty ? [] : readers()
        var result: [Dependent] = []
        for relation in relations {
            visit(
                relation.oid, attribute, relation.text, relation.keys, readers, &seen, &result)
        }
        return result.reversed()
    }

    /// Adds them from the last to the first: the youngest first, and behind what depends on them.
    private func visit(
        _ oid: OID, _ attribute: Int16?, _ text: String, _ keys: [ForeignKeyReference],
        _ readers: [Reader], _ seen: inout Set<OID>, _ result: inout [Dependent]
    ) {
        var found = keys.map { (age: $0.constraint, object: DependentObject.foreignKey($0)) }
        for reader in readers {
            let reads =
                attribute.map { reader.names.reads($0, of: oid) }
                ?? reader.names.relations.contains(oid)
            if reads { found.append((age: reader.view, object: .view(reader.view))) }
        }
        for (_, object) in found.sorted(by: { $0.age > $1.age }) {
            if case .view(let view) = object {
                guard seen.insert(view).inserted else { continue }
                visit(view, nil, described(object), [], readers, &seen, &result)
            }
            result.append((object, text))
        }
    }

    /// Without those that cannot be bound: what they read is gone already.
    private func readers() -> [Reader] {
        transaction.catalog.views.values.compactMap { view in
            references(of: view).map { Reader(view: view.oid, names: $0) }
        }
    }

    /// What a view's query names; nil when it cannot be bound any more.
    func references(of view: ViewEntry) -> NamedReferences? {
        do throws(SQLError) {
            guard case .select(let query)? = try SQLParser.parse(view.query).first?.statement
            else { return nil }
            return try planner.references(in: query)
        } catch {
            return nil
        }
    }

    /// A view as PostgreSQL's dependency reports name it.
    func describedView(_ oid: OID) -> String {
        guard let view = transaction.catalog.views[oid] else { return "" }
        let schema = transaction.catalog.schemas[view.schemaOID]?.name ?? ""
        return "view " + shown(oid, schema, view.name)
    }

    /// DROP VIEW: all of its views together, so that they may read each other.
    func dropViews(_ drop: AST.Drop) throws(SQLError) {
        let views = try lockNamed(drop, .view, ("view", "a")) {
            transaction.catalog.views[$0] != nil
        }
        guard let first = views.first else { return }
        var own: TableDescriptor?
        var seen = Set(views)
        let found = dependents(of: views.map { ($0, describedView($0), []) }, seen: &seen)
        try dropDependents(
            found, of: describedView(first), isCascade: drop.isCascade,
            isSeveral: views.count > 1, in: &own)
        for oid in views { try transaction.record(.dropView(oid)) }
    }

    /// Refuses another type for a column that a view reads.
    func checkUnread(_ column: ColumnDescriptor, of table: TableDescriptor) throws(SQLError) {
        let views = transaction.catalog.views.values.sorted { $0.oid < $1.oid }
        for view in views
        where references(of: view)?.reads(column.attribute, of: table.oid) ?? false {
            throw SQLError(
                .featureNotSupported, "cannot alter type of a column used by a view or rule",
                detail: "rule _RETURN on \(describedView(view.oid)) depends on column "
                    + "\"\(column.name)\"")
        }
    }
}
