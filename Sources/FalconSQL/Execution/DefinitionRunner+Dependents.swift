import FalconSchema

/// Views that read what is being dropped.
extension DefinitionRunner {
    private struct Dependent {
        var view: ViewEntry
        /// What it is called, and what it reads.
        var text: String
        var source: String
    }

    /// Drops the views that depend on a relation with CASCADE, and else fails when there is one that is
    /// not among `dropped`, those that the statement drops itself.
    func dropDependentViews(
        of oid: OID, _ kind: String, _ schema: String, _ name: String, _ drop: AST.Drop,
        except dropped: Set<OID>
    ) throws(SQLError) {
        guard !transaction.catalog.views.isEmpty else { return }
        let text = kind + " " + shown(schema, name)
        let found = dependents(of: oid, text, except: dropped)
        if found.isEmpty { return }
        guard drop.isCascade else {
            throw SQLError(
                SQLState("2BP01"), "cannot drop \(text) because other objects depend on it",
                detail: found.map { "\($0.text) depends on \($0.source)" }.joined(separator: "\n"),
                hint: "Use DROP ... CASCADE to drop the dependent objects too.")
        }
        noticeCascade(found.map(\.text))
        for dependent in found { try transaction.record(.dropView(dependent.view.oid)) }
    }

    private func shown(_ schema: String, _ name: String) -> String {
        let quoted = Identifier.quoted(name)
        return catalog.searchPath.contains(schema)
            ? quoted : Identifier.quoted(schema) + "." + quoted
    }

    /// The views that name the relation, each followed by those that name it.
    private func dependents(
        of oid: OID, _ text: String, except dropped: Set<OID>
    ) -> [Dependent] {
        let catalog = transaction.catalog
        let planner = planner
        var sources: [(view: ViewEntry, names: Set<OID>)] = []
        for view in catalog.views.values.sorted(by: { $0.oid < $1.oid }) {
            do throws(SQLError) {
                let statements = try SQLParser.parse(view.query)
                guard case .select(let query)? = statements.first?.statement else { continue }
                sources.append((view, try planner.relations(namedBy: query)))
            } catch {
                // What it reads is gone already: nothing else can be said to be read by it.
                continue
            }
        }
        var result: [Dependent] = []
        var seen = dropped
        var pending = [(oid: oid, text: text)]
        while !pending.isEmpty {
            let source = pending.removeFirst()
            for (view, names) in sources
            where names.contains(source.oid) && seen.insert(view.oid).inserted {
                let schema = catalog.schemas[view.schemaOID]?.name ?? ""
                let text = "view " + shown(schema, view.name)
                result.append(Dependent(view: view, text: text, source: source.text))
                pending.append((view.oid, text))
            }
        }
        return result
    }
}
