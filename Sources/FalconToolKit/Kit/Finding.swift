import FalconStorage

/// A kind of finding: what its stable code means, for `explain` and for every finding's advice.
/// Extend it with one static constant per kind and list the constant in a catalogue of
/// ``FindingCatalogue``.
public struct FindingKind: Sendable {
    /// Stable for ever, never reused: `SST014`.
    public let code: String
    public let severity: Finding.Severity
    /// One line.
    public let title: String
    /// What it means, how it comes about, what it does not mean.
    public let explanation: String
    /// What to do next.
    public let advice: String

    public init(
        _ code: String, _ severity: Finding.Severity, _ title: String, explanation: String,
        advice: String
    ) {
        self.code = code
        self.severity = severity
        self.title = title
        self.explanation = explanation
        self.advice = advice
    }
}

/// One thing a tool found.
public struct Finding: Sendable {
    /// How bad it is; each maps to one exit code.
    public enum Severity: String, Sendable, CaseIterable {
        /// Worth knowing; changes no exit code.
        case info
        /// A benign anomaly: nothing is lost.
        case warning
        case corruption
        case io
        case usage
        case inUse = "in-use"
        case keyMissing = "key-missing"
        case unreachable
        case interrupted
        /// A server would not do what was asked.
        case refused
        /// A server would not let the user in.
        case authentication

        public var exit: ToolExit {
            switch self {
            case .info: .clean
            case .warning: .benign
            case .corruption: .corruption
            case .io: .io
            case .usage: .usage
            case .inUse: .inUse
            case .keyMissing: .keyMissing
            case .unreachable: .unreachable
            case .interrupted: .interrupted
            case .refused: .corruption
            case .authentication: .keyMissing
            }
        }
    }

    public var code: String
    public var severity: Severity
    public var message: String
    public var file: String?
    public var offset: UInt64?
    /// Bytes of the damaged object, where known.
    public var length: UInt64?
    public var expected: String?
    public var actual: String?
    /// The keys, tables or LSNs concerned.
    public var blastRadius: String?
    public var advice: String

    /// `advice` nil takes the kind's.
    public init(
        _ kind: FindingKind, _ message: String, file: String? = nil, offset: UInt64? = nil,
        length: UInt64? = nil, expected: String? = nil, actual: String? = nil,
        blastRadius: String? = nil, advice: String? = nil
    ) {
        code = kind.code
        severity = kind.severity
        self.message = message
        self.file = file
        self.offset = offset
        self.length = length
        self.expected = expected
        self.actual = actual
        self.blastRadius = blastRadius
        self.advice = advice ?? kind.advice
    }

    /// What ended a tool early.
    public init(_ error: StorageError) {
        let kind = FindingKind.ending(error.code)
        var message = error.message
        if let cause = error.cause { message += " (\(cause))" }
        self.init(
            kind, message, file: error.location?.path, offset: error.location?.offset,
            advice: error.hint)
    }

    /// Why the server refuses the directory.
    init(refusal problem: StorageError, _ given: FindingKind = .directoryFile) {
        let isLog = problem.location?.path.hasSuffix(".wal") ?? false
        let kind = isLog ? .logForeign : given
        self.init(
            problem.code == .corruption ? kind : .ending(problem.code), problem.message,
            file: problem.location?.path, offset: problem.location?.offset, advice: problem.hint)
    }

    /// Only what is there could be checked.
    static func manifestHidden(_ names: FileNames) -> Finding {
        Finding(
            .manifestHidden,
            "MANIFEST is encrypted and no key was given: whether files are missing was not checked.",
            file: names.current)
    }

    /// What of the log is not there, by what MANIFEST says.
    init(missingLog damage: WALDamage) {
        self.init(
            .logMissing,
            damage.reason.prefix(1).uppercased() + damage.reason.dropFirst() + ".",
            file: damage.path, blastRadius: "the log from \(damage.goodUntil) on")
    }

    /// The JSON form; every field is always there.
    public var json: [(String, JSONValue)] {
        [
            ("code", .string(code)), ("severity", .string(severity.rawValue)),
            ("file", .text(file)), ("offset", offset.map(JSONValue.unsigned) ?? .null),
            ("length", length.map(JSONValue.unsigned) ?? .null), ("message", .string(message)),
            ("expected", .text(expected)), ("actual", .text(actual)),
            ("blast_radius", .text(blastRadius)), ("advice", .string(advice)),
        ]
    }

    /// The form for people: one line, then an indented line per known detail.
    public var text: String {
        var text = "\(severity.rawValue.uppercased()) \(code)"
        if let file { text += " \(file)" }
        if let offset { text += " at offset \(offset)" }
        text += ": \(message)\n"
        for (label, value) in [
            ("expected", expected), ("actual", actual), ("affects", blastRadius),
            ("advice", advice.isEmpty ? nil : advice),
        ] {
            if let value { text += "    \(label): \(value)\n" }
        }
        return text
    }
}
