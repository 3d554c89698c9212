/// Whom a deadlock spares: the setting transaction_priority.
enum TransactionPriority: Int, CaseIterable, Comparable, Sendable {
    case low, normal, high

    init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    var name: String {
        switch self {
        case .low: "low"
        case .normal: "normal"
        case .high: "high"
        }
    }

    static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
