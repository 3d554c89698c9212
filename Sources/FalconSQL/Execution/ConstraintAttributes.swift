import FalconSchema

/// DEFERRABLE and INITIALLY DEFERRED in a column's list of constraints: each is said of the constraint
/// before it, which must be one that can be deferred.
struct ConstraintAttributes {
    /// The constraint's place in what the column gives the table; nil: it cannot be deferred.
    private var described: Int?
    private var hasDeferrable = false
    private var hasInitially = false

    /// Notes the next item of the list, before it is added to `constraints` if it is a constraint.
    mutating func take(
        _ item: AST.Constraint, of constraints: inout [AST.Constraint]
    ) throws(SQLError) {
        switch item.kind {
        case .deferrable(let flag): try deferrable(flag, item, &constraints)
        case .initiallyDeferred(let flag): try initially(flag, item, &constraints)
        case .primaryKey, .unique, .exclusion, .foreignKey: begin(constraints.count)
        default: begin(nil)
        }
    }

    private mutating func begin(_ place: Int?) {
        described = place
        hasDeferrable = false
        hasInitially = false
    }

    private mutating func deferrable(
        _ flag: Bool, _ item: AST.Constraint, _ constraints: inout [AST.Constraint]
    ) throws(SQLError) {
        guard let described, constraints.indices.contains(described) else {
            throw Self.refused("misplaced \(flag ? "" : "NOT ")DEFERRABLE clause", item)
        }
        if hasDeferrable {
            throw Self.refused(
                "multiple DEFERRABLE/NOT DEFERRABLE clauses not allowed", item)
        }
        hasDeferrable = true
        constraints[described].isDeferrable = flag
        if !flag, constraints[described].isInitiallyDeferred { throw Self.contradiction(item) }
    }

    private mutating func initially(
        _ isDeferred: Bool, _ item: AST.Constraint, _ constraints: inout [AST.Constraint]
    ) throws(SQLError) {
        guard let described, constraints.indices.contains(described) else {
            let word = isDeferred ? "DEFERRED" : "IMMEDIATE"
            throw Self.refused("misplaced INITIALLY \(word) clause", item)
        }
        if hasInitially {
            throw Self.refused(
                "multiple INITIALLY IMMEDIATE/DEFERRED clauses not allowed", item)
        }
        hasInitially = true
        constraints[described].isInitiallyDeferred = isDeferred
        guard isDeferred else { return }
        // Alone it makes the constraint deferrable, too.
        if !hasDeferrable {
            constraints[described].isDeferrable = true
        } else if !constraints[described].isDeferrable {
            throw Self.contradiction(item)
        }
    }

    private static func refused(_ message: String, _ item: AST.Constraint) -> SQLError {
        SQLError(.syntaxError, message, byteOffset: item.place)
    }

    private static func contradiction(_ item: AST.Constraint) -> SQLError {
        refused("constraint declared INITIALLY DEFERRED must be DEFERRABLE", item)
    }
}

extension AST.Constraint {
    /// Nil: it is checked at once.
    var deferral: ConstraintDeferral? {
        if isInitiallyDeferred { return .initiallyDeferred }
        return isDeferrable ? .initiallyImmediate : nil
    }
}
