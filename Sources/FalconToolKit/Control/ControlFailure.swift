/// Why a command of falconctl did not do what was asked.
public enum ControlFailure: Error, Sendable, Equatable {
    /// The server refused the statement, or the connection for another reason than who asks.
    case refused(ControlRefusal)
    /// The server does not admit this user.
    case authentication(ControlRefusal)
    /// There is no connection: the text says why.
    case unreachable(String)
    /// The connection ended while a statement ran.
    case lost(String)
    /// The user ended it.
    case interrupted(String)

    /// A statement's refusal: a server that shuts down ends the connection, it does not refuse.
    public init(statement refusal: ControlRefusal) {
        if Self.isShutdown(refusal.sqlState) {
            self = .lost("\(refusal.sqlState): \(refusal.message)")
        } else {
            self = .refused(refusal)
        }
    }

    /// A connection that came to nothing.
    /// - Parameters:
    ///   - text: what libpq says with PQERRORS_VERBOSE, which names the server's SQLSTATE where the server answered.
    ///   - needsPassword: the server asked for a password and none was given.
    public init(connection text: String, needsPassword: Bool = false) {
        let refusal = Self.refusal(in: text)
        if needsPassword {
            let message = refusal?.message ?? "The server asks for a password and none was given."
            self = .authentication(
                ControlRefusal(sqlState: refusal?.sqlState ?? "28P01", message: message))
        } else if let refusal, !Self.isShutdown(refusal.sqlState) {
            self = refusal.sqlState.hasPrefix("28") ? .authentication(refusal) : .refused(refusal)
        } else {
            self = .unreachable(refusal?.message ?? Self.joined(text))
        }
    }

    /// The server starts or stops, or gave the connection up.
    private static func isShutdown(_ sqlState: String) -> Bool {
        sqlState.hasPrefix("57P0") || sqlState.hasPrefix("08")
    }

    /// The last "FATAL:  28P01: message" of `text`, with its DETAIL and HINT. The word before the SQLSTATE is in the
    /// server's language, so that only the form counts.
    private static func refusal(in text: String) -> ControlRefusal? {
        var found: ControlRefusal?
        for line in text.split(whereSeparator: \.isNewline) {
            if let (state, message) = sqlState(in: line) {
                found = ControlRefusal(sqlState: state, message: message)
            } else if let rest = line.after("DETAIL:  ") {
                found?.detail = rest
            } else if let rest = line.after("HINT:  ") {
                found?.hint = rest
            }
        }
        return found
    }

    private static func sqlState(in line: Substring) -> (String, String)? {
        var rest = line
        while let colon = rest.firstIndex(of: ":") {
            rest = rest[rest.index(after: colon)...]
            guard rest.hasPrefix("  ") else { continue }
            let state = rest.dropFirst(2).prefix(5)
            let message = rest.dropFirst(7)
            let isState =
                state.count == 5
                && state.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) }
            if isState, message.hasPrefix(": ") {
                return (String(state), String(message.dropFirst(2)))
            }
        }
        return nil
    }

    /// On one line.
    private static func joined(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " || $0 == "\t" } }
            .joined(separator: " ")
    }
}

extension Substring {
    /// What follows `prefix`.
    fileprivate func after(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
