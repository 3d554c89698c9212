@testable import FalconStorage

/// Compares what an engine holds with a ledger.
enum LedgerCheck {
    struct Found {
        var digest = RowDigest()
        /// Commits that the survivor claims to hold.
        var prefix = 0
    }

    static func read(_ engine: StorageEngine) throws -> Found {
        var found = Found()
        let iterator = try engine.makeIterator(.all, at: .max)
        try iterator.seekToFirst()
        while iterator.isValid {
            found.digest.add(RowDigest.row(iterator.key, iterator.value))
            try iterator.next()
        }
        if let last = try engine.value(CommitLedger.marker) {
            guard let number = Int(last) else { throw Mismatch("the marker holds \(last)") }
            found.prefix = number + 1
        }
        return found
    }

    /// Throws unless `engine` holds a whole prefix of `ledger` with `bounds`; returns its length.
    @discardableResult
    static func verify(
        _ engine: StorageEngine, _ ledger: CommitLedger, from floor: Int, to ceiling: Int
    ) throws -> Int {
        let found = try read(engine)
        let prefix = found.prefix
        if prefix < floor {
            throw Mismatch("\(prefix) commits survived of \(floor) acknowledged")
        }
        if prefix > ceiling { throw Mismatch("\(prefix) commits of \(ceiling) attempted") }
        guard found.digest != ledger.digest(after: prefix) else { return prefix }
        let (have, want) = (Set(try engine.rows()), Set(ledger.rows(after: prefix)))
        throw Mismatch(
            "after \(prefix) commits, \(have.subtracting(want).count) rows are wrong: "
                + "\(brief(have.subtracting(want))), missing: \(brief(want.subtracting(have)))")
    }

    private static func brief(_ rows: Set<String>) -> String {
        rows.sorted().prefix(4).map { String($0.prefix(40)) }.joined(separator: ", ")
    }
}

/// What an engine did that it must not do.
struct Mismatch: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
