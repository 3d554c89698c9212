import FalconSchema

/// How many of a query's rows are asked for, by its LIMIT and OFFSET.
struct RowLimit {
    private var count = 0.0
    /// Of all rows, where the statement does not say how many.
    private var share = 0.0

    /// PostgreSQL's guess of a LIMIT or OFFSET that is known only when the statement runs.
    private static let unknownShare = 0.1

    /// Nil when all rows are.
    init?(_ query: LogicalQuery) { self.init(query.limit, offset: query.offset) }

    init?(_ limit: BoundExpression?, offset: BoundExpression? = nil) {
        guard let limit else { return nil }
        if (limit as? ConstantExpression)?.value.isNull ?? false { return nil }
        add(limit)
        if let offset { add(offset) }
    }

    private mutating func add(_ number: BoundExpression) {
        guard let constant = number as? ConstantExpression else {
            share += Self.unknownShare
            return
        }
        if case .int(let value) = constant.value { count += max(0, Double(value)) }
    }

    /// How many of so many rows that is.
    func count(of rows: Double) -> Double { min(rows, max(1, count + share * rows)) }
}
