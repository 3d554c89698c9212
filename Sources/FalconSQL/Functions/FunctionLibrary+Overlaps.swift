import FalconSchema

/// (start, end) OVERLAPS (start, end), and the forms that give a length instead of an end.
extension FunctionLibrary {
    mutating func addOverlaps() {
        many("overlaps_timestamp", "overlaps_time") { (a, _) throws(SQLError) in Self.overlaps(a) }
        addOverlaps(both: "#1305", first: "#1307", second: "#1306") {
            (start, length, context) throws(SQLError) in
            try DateTimeMath.add(start, length, zone: context.settings.timeZone)
        }
        addOverlaps(both: "#2042", first: "#2044", second: "#2043") {
            (start, length, _) throws(SQLError) in try DateTimeMath.add(start, length)
        }
        addOverlaps(both: "#1309", first: "#1311", second: "#1310") {
            (start, length, _) throws(SQLError) in
            Calendar.split(start &+ length.micros % Calendar.microsPerDay).time
        }
    }

    private typealias EndFinder =
        @Sendable (Int64, Interval, FunctionContext) throws(SQLError) -> Int64

    /// The three forms in which a length stands for both ends, the first or the second.
    private mutating func addOverlaps(
        both: String, first: String, second: String, end: @escaping EndFinder
    ) {
        for (name, isFirst, isSecond) in [
            (both, true, true), (first, true, false), (second, false, true),
        ] {
            many(name) { (a, context) throws(SQLError) in
                var a = a
                for (start, isLength) in [(0, isFirst), (2, isSecond)] where isLength {
                    a[start + 1] =
                        a[start].isNull || a[start + 1].isNull
                        ? .null : .int(try end(a[start].int, a[start + 1].interval, context))
                }
                return Self.overlaps(a)
            }
        }
    }

    /// Half-open periods; an unknown end makes the answer unknown only where it matters.
    private static func overlaps(_ a: [Datum]) -> Datum {
        guard let first = period(a[0], a[1]), let second = period(a[2], a[3]) else { return .null }
        let (earlier, later) = first.start <= second.start ? (first, second) : (second, first)
        if first.start == second.start {
            return first.end == nil || second.end == nil ? .null : .bool(true)
        }
        guard let end = earlier.end else { return .null }
        if later.start < end { return .bool(true) }
        return later.end == nil ? .null : .bool(false)
    }

    /// The ends in order; a single known end is the start. Nil when neither is known.
    private static func period(_ a: Datum, _ b: Datum) -> (start: Int64, end: Int64?)? {
        if a.isNull { return b.isNull ? nil : (b.int, nil) }
        if b.isNull { return (a.int, nil) }
        return (min(a.int, b.int), max(a.int, b.int))
    }
}
