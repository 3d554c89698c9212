import FalconChanges
import FalconStorage

/// Moments as tools write and read them: ISO 8601, microseconds, UTC unless a zone is given.
public enum ToolTime {
    private static let dayMicros: Int64 = 86_400_000_000

    /// `2026-01-31T23:59:59.500000Z`; `micros` since 1970.
    public static func format(_ micros: UInt64) -> String {
        MomentText.utc(micros)
    }

    /// A commit timestamp's moment; its counter is left out.
    public static func format(_ timestamp: Timestamp) -> String {
        format(timestamp.microsSince2000 &+ Timestamp.epochMicrosSince1970)
    }

    /// Microseconds since 1970 of `YYYY-MM-DD[(T| )hh:mm[:ss[.ffffff]]][Z|±hh[[:]mm]]`; nil when it
    /// is not that, or before 1970.
    public static func parse(_ text: String) -> UInt64? {
        var rest = Substring(text)
        guard let year = number(&rest, 4), eat(&rest, "-"), let month = number(&rest, 2),
            eat(&rest, "-"), let day = number(&rest, 2), (1...12).contains(month),
            day >= 1, day <= daysIn(month: month, year: year), year >= 1970
        else { return nil }
        var micros = days(year, month, day) * dayMicros
        if eat(&rest, "T") || eat(&rest, "t") || (rest.first == " " && eat(&rest, " ")) {
            guard let hour = number(&rest, 2), eat(&rest, ":"), let minute = number(&rest, 2),
                hour < 24, minute < 60
            else { return nil }
            micros += (hour * 3600 + minute * 60) * 1_000_000
            if eat(&rest, ":") {
                guard let second = number(&rest, 2), second < 60 else { return nil }
                micros += second * 1_000_000
                if eat(&rest, ".") {
                    let digits = rest.prefix { $0.isASCII && $0.isNumber }
                    guard (1...6).contains(digits.count), let value = Int64(digits) else {
                        return nil
                    }
                    rest = rest.dropFirst(digits.count)
                    var scaled = value
                    for _ in digits.count..<6 { scaled *= 10 }
                    micros += scaled
                }
            }
        }
        if rest.first == " " { rest = rest.dropFirst() }
        guard let zone = zoneSeconds(&rest), rest.isEmpty else { return nil }
        return UInt64(exactly: micros - zone * 1_000_000)
    }

    private static func zoneSeconds(_ rest: inout Substring) -> Int64? {
        if rest.isEmpty || eat(&rest, "Z") || eat(&rest, "z") || eat(&rest, "UTC") { return 0 }
        let sign: Int64
        if eat(&rest, "+") { sign = 1 } else if eat(&rest, "-") { sign = -1 } else { return nil }
        guard let hours = number(&rest, 2), hours <= 15 else { return nil }
        if rest.isEmpty { return sign * hours * 3600 }
        _ = eat(&rest, ":")
        guard let minutes = number(&rest, 2), minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }

    private static func eat(_ rest: inout Substring, _ prefix: String) -> Bool {
        guard rest.hasPrefix(prefix) else { return false }
        rest = rest.dropFirst(prefix.count)
        return true
    }

    private static func number(_ rest: inout Substring, _ digits: Int) -> Int64? {
        let head = rest.prefix(digits)
        guard head.count == digits, head.utf8.allSatisfy({ (48...57).contains($0) }) else {
            return nil
        }
        rest = rest.dropFirst(digits)
        return Int64(head)
    }

    private static func daysIn(month: Int64, year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        default: 31
        }
    }

    // Days since 1970-01-01 in the proleptic Gregorian calendar, years counted from March.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = y / 400
        let ofEra = y - era * 400
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    }
}
