import Synchronization

/// A time zone: a fixed offset, a POSIX rule or a named zone of the tz database.
public final class TimeZoneRules: Sendable {
    struct LocalType: Sendable {
        var offset: Int32
        var isDST: Bool
        var abbreviation: String
    }
    struct Transition: Sendable {
        /// Unix seconds.
        var at: Int64
        var type: LocalType
    }

    /// As SHOW TimeZone prints it.
    public let name: String
    private let initial: LocalType
    private let transitions: [Transition]
    /// Rules for instants after the last transition.
    private let tail: PosixTimeZone?

    public static let utc = TimeZoneRules(
        name: "UTC", initial: LocalType(offset: 0, isDST: false, abbreviation: "UTC"))

    init(
        name: String, initial: LocalType, transitions: [Transition] = [],
        tail: PosixTimeZone? = nil
    ) {
        self.name = name
        self.initial = initial
        self.transitions = transitions
        self.tail = tail
    }

    /// A zone of one offset (seconds east), named as PostgreSQL names it: `<+05:30>-05:30`.
    public static func fixed(offset: Int32) -> TimeZoneRules {
        func text(_ seconds: Int32) -> String {
            let magnitude = seconds.magnitude
            func two(_ value: UInt32) -> String { value < 10 ? "0\(value)" : "\(value)" }
            var result = (seconds < 0 ? "-" : "+") + two(magnitude / 3600)
            if magnitude % 3600 != 0 { result += ":" + two(magnitude / 60 % 60) }
            if magnitude % 60 != 0 { result += ":" + two(magnitude % 60) }
            return result
        }
        var west = text(-offset)
        if west.hasPrefix("+") { west.removeFirst() }
        return TimeZoneRules(
            name: "<\(text(offset))>\(west)",
            initial: LocalType(offset: offset, isDST: false, abbreviation: text(offset)))
    }

    private static let cache = Mutex<[String: TimeZoneRules?]>([:])

    /// A zone by name, hours or POSIX form, as SET TimeZone reads it; nil when unknown.
    public static func named(_ name: String) -> TimeZoneRules? {
        let folded = name.uppercased()
        if folded == "UTC" { return utc }
        if let known = cache.withLock({ $0[folded] }) { return known }
        let found = resolve(name)
        cache.withLock {
            // Unknown names come from clients: do not let them grow the table for ever.
            if $0.count > 4096 { $0.removeAll() }
            $0[folded] = .some(found)
        }
        return found
    }

    private static func resolve(_ name: String) -> TimeZoneRules? {
        if let hours = Double(name), abs(hours) <= 167 {
            return fixed(offset: Int32(hours * 3600))
        }
        if let zone = ZoneFile.load(name) { return zone }
        if let rule = PosixTimeZone(name) {
            return TimeZoneRules(name: name, initial: rule.standard, tail: rule)
        }
        return nil
    }

    private func localType(atUnix seconds: Int64) -> LocalType {
        if let last = transitions.last, seconds >= last.at {
            return tail.map { $0.localType(atUnix: seconds) } ?? last.type
        }
        if transitions.isEmpty { return tail?.localType(atUnix: seconds) ?? initial }
        // The last transition at or before the instant.
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at <= seconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? initial : transitions[low - 1].type
    }

    private static func unixSeconds(_ micros: Int64) -> Int64 {
        let (days, time) = Calendar.split(micros)
        return days * 86_400 + time / 1_000_000 + Calendar.epochSeconds
    }

    /// Seconds east of UTC at a UTC instant (µs since 2000-01-01).
    public func offset(atUTC micros: Int64) -> Int32 {
        if transitions.isEmpty, tail == nil { return initial.offset }
        return localType(atUnix: Self.unixSeconds(micros)).offset
    }

    public func abbreviation(atUTC micros: Int64) -> String {
        localType(atUnix: Self.unixSeconds(micros)).abbreviation
    }

    public func isDST(atUTC micros: Int64) -> Bool {
        localType(atUnix: Self.unixSeconds(micros)).isDST
    }

    /// Seconds east of UTC for a local reading (µs since 2000-01-01 local). A reading that a forward
    /// jump skips takes the offset before it; one that happens twice takes the later.
    public func offset(atLocal micros: Int64) -> Int32 {
        if transitions.isEmpty, tail == nil { return initial.offset }
        let local = Self.unixSeconds(micros)
        let before = localType(atUnix: local - 86_400)
        guard let boundary = nextTransition(afterUnix: local - 86_400) else { return before.offset }
        let beforeInstant = local - Int64(before.offset)
        let afterInstant = local - Int64(boundary.type.offset)
        if beforeInstant < boundary.at, afterInstant < boundary.at { return before.offset }
        if beforeInstant >= boundary.at, afterInstant >= boundary.at {
            // A second transition within two days does not occur in practice but costs little.
            return localType(atUnix: afterInstant).offset
        }
        return beforeInstant > afterInstant ? before.offset : boundary.type.offset
    }

    private func nextTransition(afterUnix seconds: Int64) -> Transition? {
        if let last = transitions.last, seconds < last.at {
            var low = 0
            var high = transitions.count
            while low < high {
                let middle = (low + high) / 2
                if transitions[middle].at <= seconds { low = middle + 1 } else { high = middle }
            }
            return low < transitions.count ? transitions[low] : nil
        }
        return tail?.nextTransition(afterUnix: seconds)
    }
}

extension TimeZoneRules {
    /// A zone as AT TIME ZONE and timestamp input read it: an abbreviation first, then as ``named``.
    public static func input(_ name: String) -> TimeZoneRules? {
        if let offset = TimeZoneAbbreviations.offset(name.uppercased()) {
            return fixed(offset: offset)
        }
        return named(name)
    }
}
