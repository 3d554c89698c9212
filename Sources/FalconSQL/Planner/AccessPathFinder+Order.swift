import FalconSchema

/// What orders paths give their rows in, and what that is worth.
extension AccessPathFinder {
    /// Where the rows that pass are among those that do not nobody knows: in a queue, behind all that is done.
    private static let scatter = 4.0

    /// What a path costs, the sort that it leaves to do included, until as many rows have come as are asked for.
    func total(
        _ path: AccessPath, _ order: [SortKey], _ limit: RowLimit?, _ counted: [CountedShare]
    ) -> Double {
        if order.isEmpty { return path.cost }
        let rows = max(1, path.rows * passingShare(path, counted, guess: passingShare(of:)))
        if !path.isOrdered {
            // The value may be a rare one, whose rows all lie behind: then reading on in the order asked for reads
            // everything. To look up a common one takes no longer than its rows do.
            let part = limit == nil ? 1 : min(1, path.rareRows / path.rows)
            return path.cost * part + QueryPlanner.sortCost(rows * part)
        }
        guard let limit else { return path.cost }
        let isScattered = path.used.count < conjuncts.count
        let read = limit.count(of: rows) / rows * (isScattered ? Self.scatter : 1)
        return path.cost * min(1, read)
    }

    private func passingShare(of conjunct: Int) -> Double {
        guard let match = matches.first(where: { $0.conjunct == conjunct }) else {
            return Selectivity.of(conjuncts[conjunct])
        }
        switch match.condition {
        case .equal, .isNull: return share(match.attribute)
        case .anyOf(let values):
            return min(1, share(match.attribute) * Double(max(1, values.count)))
        case .anyElement: return min(1, share(match.attribute) * Self.arrayElements)
        case .lower, .upper: return Selectivity.inequality
        }
    }

    /// The rows that have one value in a column: half of them have a boolean's. Otherwise large tables have many
    /// values, and a lookup of one is better than reading on in the order asked for until it comes.
    func share(_ attribute: Int16) -> Double {
        let column = Int(attribute) - 1
        if table.columns.indices.contains(column), table.columns[column].type.oid == .bool {
            return 0.5
        }
        return min(0.01, 1 / tableRows.squareRoot())
    }

    /// Whether an index read forwards (false) or backwards (true) gives `order`; nil: neither. Its first `fixed`
    /// columns have one value each. `isUnique`: no rows that are read have the same values in all.
    func direction(
        _ order: [SortKey], _ index: IndexDescriptor, fixed: Int, isUnique: Bool
    ) -> Bool? {
        let columns = index.columns
        if index.isPrimary {
            return direction(order, columns, fixed: fixed, identity: columns.count)
        }
        // A unique index's entries of NULLs, too, come in the primary key's order.
        let isIdentity =
            isUnique && columns.dropFirst(fixed).allSatisfy { isNotNull($0.attribute) }
        let whole = columns + table.primaryKey
        return direction(
            order, whole, fixed: fixed,
            identity: isIdentity ? columns.count : table.primaryKey.isEmpty ? nil : whole.count)
    }

    /// The same of `columns`, of which the first `identity` tell each row from all others.
    func direction(
        _ order: [SortKey], _ columns: [KeyColumn], fixed: Int, identity: Int?
    ) -> Bool? {
        var isReverse: Bool?
        var position = fixed
        // Rows that are still to be put in order have one value of these.
        var known = Set(columns.prefix(fixed).map(\.attribute))
        for key in order {
            guard let attribute = column(key.expression) else { return nil }
            if known.contains(attribute) { continue }
            while position < columns.count, known.contains(columns[position].attribute) {
                position += 1
            }
            if let identity, position >= identity { return isReverse ?? false }
            guard position < columns.count, columns[position].attribute == attribute else {
                return nil
            }
            let part = columns[position]
            let backwards = key.isDescending != part.isDescending
            if let isReverse, isReverse != backwards { return nil }
            isReverse = backwards
            if !isNotNull(attribute), key.nullsFirst != (part.nullsFirst != backwards) {
                return nil
            }
            known.insert(attribute)
            position += 1
        }
        return isReverse ?? false
    }

    private func isNotNull(_ attribute: Int16) -> Bool {
        let column = Int(attribute) - 1
        return (table.columns.indices.contains(column) && table.columns[column].isNotNull)
            || table.primaryKey.contains { $0.attribute == attribute }
    }
}
