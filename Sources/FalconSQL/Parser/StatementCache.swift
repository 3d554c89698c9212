import Synchronization

/// Parsed statements by text, for texts that come again. Two generations: a text used since the last
/// turn-over survives the next one.
final class StatementCache: Sendable {
    private struct State {
        var young: [String: [AST.ParsedStatement]] = [:]
        var old: [String: [AST.ParsedStatement]] = [:]
    }
    private let state = Mutex(State())
    private let generationSize: Int

    init(generationSize: Int) { self.generationSize = generationSize }

    func lookup(_ text: String) -> [AST.ParsedStatement]? {
        state.withLock { state in
            if let found = state.young[text] { return found }
            guard let found = state.old[text] else { return nil }
            Self.insert(text, found, into: &state, limit: generationSize)
            return found
        }
    }

    func store(_ text: String, _ statements: [AST.ParsedStatement]) {
        state.withLock { state in
            Self.insert(text, statements, into: &state, limit: generationSize)
        }
    }

    private static func insert(
        _ text: String, _ statements: [AST.ParsedStatement], into state: inout State, limit: Int
    ) {
        if state.young.count >= limit {
            state.old = state.young
            state.young = [:]
            state.young.reserveCapacity(limit)
        }
        state.young[text] = statements
    }
}
