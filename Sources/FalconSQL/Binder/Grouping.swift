import FalconSchema

/// Turns expressions of a grouped query from "over the input rows" to "over the groups".
final class Grouping {
    private let binder: Binder
    private let state: QueryState
    private let relations: LogicalSelect
    private(set) var keys: [BoundExpression]
    private(set) var slots: [Int] = []

    init(binder: Binder, state: QueryState, keys: [BoundExpression], relations: LogicalSelect) {
        self.binder = binder
        self.state = state
        self.relations = relations
        self.keys = keys
        for key in keys { slots.append(slot(for: key)) }
    }

    /// A plain column keeps its slot: the aggregate writes the group's value back there.
    private func slot(for key: BoundExpression) -> Int {
        if let plain = key as? SlotReference { return plain.slot }
        let slot = binder.newSlot(owner: state)
        return slot
    }

    func rewrite(_ expression: BoundExpression) throws(SQLError) -> BoundExpression {
        try expression.rewritten { (node) throws(SQLError) -> BoundExpression? in
            for (index, key) in self.keys.enumerated() where key.matches(node) {
                if let plain = node as? SlotReference { return plain }
                return SlotReference(
                    slot: self.slots[index], name: "key", type: node.type, location: node.location)
            }
            if let reference = node as? SlotReference {
                try self.check(reference.slot, node.location, isSubquery: false, reference)
                return reference
            }
            if let subquery = node as? SubqueryExpression {
                for slot in subquery.correlatedSlots {
                    try self.check(slot, subquery.location, isSubquery: true, nil)
                }
            }
            return nil
        }
    }

    func rewrite(_ call: SetReturningCall) throws(SQLError) -> SetReturningCall {
        var arguments: [BoundExpression] = []
        for argument in call.arguments { arguments.append(try rewrite(argument)) }
        return SetReturningCall(
            function: call.function, arguments: arguments,
            scalar: try call.scalar.map { (e) throws(SQLError) in try rewrite(e) },
            slots: call.slots, types: call.types)
    }

    private func check(
        _ slot: Int, _ location: Int, isSubquery: Bool, _ reference: SlotReference?
    ) throws(SQLError) {
        guard binder.owner(of: slot) === state, !state.aggregateSlots.contains(slot),
            !state.setReturningSlots.contains(slot), !slots.contains(slot)
        else { return }
        if let column = column(of: slot), isDetermined(column.relation) {
            // The primary key is grouped by: its table's other columns follow from it.
            keys.append(
                SlotReference(
                    slot: slot, name: binder.slotNames[slot] ?? "", type: column.type,
                    location: location, tableOID: column.tableOID, attribute: column.attribute))
            slots.append(slot)
            return
        }
        let name = binder.slotNames[slot] ?? "?"
        throw SQLError(
            .groupingError,
            isSubquery
                ? "subquery uses ungrouped column \"\(name)\" from outer query"
                : "column \"\(name)\" must appear in the GROUP BY clause or be used in an "
                    + "aggregate function",
            byteOffset: location >= 0 ? location : nil)
    }

    private func column(
        of slot: Int
    ) -> (relation: Relation, type: SQLType, tableOID: OID, attribute: Int16)? {
        for relation in relations.relations {
            for column in relation.columns where column.slot == slot {
                return (relation, column.type, column.tableOID, column.attribute)
            }
        }
        return nil
    }

    private func isDetermined(_ relation: Relation) -> Bool {
        guard let table = relation.table, !table.primaryKey.isEmpty else { return false }
        return table.primaryKey.allSatisfy { part in
            relation.columns.contains { column in
                column.attribute == part.attribute && slots.contains(column.slot)
            }
        }
    }
}
