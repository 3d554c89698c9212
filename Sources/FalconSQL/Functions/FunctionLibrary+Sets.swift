import FalconSchema

/// Set-returning functions.
extension FunctionLibrary {
    mutating func addSets() {
        for (names, isWide) in [
            (["generate_series_int4", "generate_series_step_int4"], false),
            (["generate_series_int8", "generate_series_step_int8"], true),
        ] {
            for name in names {
                rows(name) { (a, _, _) throws(SQLError) in
                    let step = a.count > 2 ? a[2].int : 1
                    if step == 0 { throw SeriesError.zeroStep }
                    return IntegerSeries(a[0].int, a[1].int, step, isWide: isWide)
                }
            }
        }
        rows("generate_series_numeric", "generate_series_step_numeric") {
            (a, _, _) throws(SQLError) in
            for (index, name) in [(0, "start"), (1, "stop")] {
                if a[index].numeric.isNaN {
                    throw SQLError(.invalidParameterValue, "\(name) value cannot be NaN")
                }
                if a[index].numeric.isInfinite {
                    throw SQLError(.invalidParameterValue, "\(name) value cannot be infinity")
                }
            }
            let step = a.count > 2 ? a[2].numeric : .one
            if step.isNaN {
                throw SQLError(.invalidParameterValue, "step size cannot be NaN")
            }
            if step.isInfinite {
                throw SQLError(.invalidParameterValue, "step size cannot be infinity")
            }
            if step.isZero { throw SeriesError.zeroStep }
            return NumericSeries(a[0].numeric, a[1].numeric, step)
        }
        rows("generate_series_timestamp") { (a, _, _) throws(SQLError) in
            try TimestampSeries(a[0].int, a[1].int, a[2].interval, zone: nil)
        }
        rows("generate_series_timestamptz") { (a, _, context) throws(SQLError) in
            try TimestampSeries(
                a[0].int, a[1].int, a[2].interval, zone: context.settings.timeZone)
        }
        rows("array_unnest") { (a, _, _) throws(SQLError) in ListSource(a[0].array.elements) }
        rows("generate_subscripts", "generate_subscripts_nodir") { (a, _, _) throws(SQLError) in
            let dimensions = a[0].array.dimensions
            guard a[1].int >= 1, a[1].int <= Int64(dimensions.count) else { return ListSource([]) }
            let dimension = dimensions[Int(a[1].int) - 1]
            let lower = Int64(dimension.lowerBound)
            let upper = lower + Int64(dimension.length) - 1
            let isReverse = a.count > 2 && a[2].bool
            return isReverse
                ? IntegerSeries(upper, lower, -1, isWide: false)
                : IntegerSeries(lower, upper, 1, isWide: false)
        }
        rows("pg_get_keywords") { (_, _, _) throws(SQLError) in
            RecordSource(
                ReservedWords.needQuotes.sorted().map { word in
                    [
                        .text(word), .int(Int64(UInt8(ascii: "R"))), .bool(false),
                        .text("reserved"), .text("requires AS"),
                    ]
                })
        }
        rows(
            "pg_options_to_table", "pg_available_extensions",
            "pg_available_extension_versions",
            "pg_stat_get_activity"
        ) { (_, _, _) throws(SQLError) in ListSource([]) }
        rows("pg_listening_channels") { (_, _, context) throws(SQLError) in
            let session = (context.session as? SessionBridge)?.session
            return ListSource((session?.listeningChannels ?? []).map { .text($0) })
        }
        rows("pg_cursor") { (_, _, context) throws(SQLError) in
            let session = (context.session as? SessionBridge)?.session
            return RecordSource(session.map(SystemCatalog.cursorRows) ?? [])
        }
        rows("pg_prepared_xact") { (_, _, context) throws(SQLError) in
            guard let session = (context.session as? SessionBridge)?.session else {
                return ListSource([])
            }
            return RecordSource(
                SystemCatalog.preparedTransactions(session.database, byName: false))
        }
        rows("pg_lock_status") { (_, _, context) throws(SQLError) in
            guard let session = (context.session as? SessionBridge)?.session else {
                return ListSource([])
            }
            return RecordSource(SystemCatalog.lockRows(session.database))
        }
        rows("pg_timezone_names", "pg_timezone_abbrevs") { (_, _, _) throws(SQLError) in
            ListSource([])
        }
        rows("pg_partition_tree", "pg_partition_ancestors") { (a, _, _) throws(SQLError) in
            ListSource([])
        }
    }
}

enum SeriesError {
    static let zeroStep = SQLError(.invalidParameterValue, "step size cannot equal zero")
}

/// Rows of several columns from a list.
final class RecordSource: RowSource {
    private let records: [[Datum]]
    private var next = 0
    init(_ records: [[Datum]]) { self.records = records }
    override func next(into columns: inout [Datum]) throws(SQLError) -> Bool {
        guard next < records.count else { return false }
        for (index, value) in records[next].enumerated() where index < columns.count {
            columns[index] = value
        }
        next += 1
        return true
    }
}

private final class IntegerSeries: RowSource {
    private var current: Int64
    private let stop: Int64
    private let step: Int64
    private let isWide: Bool
    private var isDone = false
    init(_ start: Int64, _ stop: Int64, _ step: Int64, isWide: Bool) {
        current = start
        self.stop = stop
        self.step = step
        self.isWide = isWide
    }
    override func next(into columns: inout [Datum]) throws(SQLError) -> Bool {
        if isDone || (step > 0 ? current > stop : current < stop) { return false }
        columns[0] = .int(current)
        let (value, overflow) = current.addingReportingOverflow(step)
        // Overflow ends the series, as int4's bounds do.
        if overflow || (!isWide && Int32(exactly: value) == nil) { isDone = true }
        current = value
        return true
    }
}

private final class NumericSeries: RowSource {
    private var current: NumericValue
    private let stop: NumericValue
    private let step: NumericValue
    init(_ start: NumericValue, _ stop: NumericValue, _ step: NumericValue) {
        current = start
        self.stop = stop
        self.step = step
    }
    override func next(into columns: inout [Datum]) throws(SQLError) -> Bool {
        if step.signum > 0 ? current > stop : current < stop { return false }
        columns[0] = .numeric(current)
        current = try NumericValue.add(current, step)
        return true
    }
}

private final class TimestampSeries: RowSource {
    private var current: Int64
    private let stop: Int64
    private let step: Interval
    private let zone: TimeZoneRules?
    private let isDescending: Bool
    init(_ start: Int64, _ stop: Int64, _ step: Interval, zone: TimeZoneRules?) throws(SQLError) {
        if step.span == 0 { throw SeriesError.zeroStep }
        current = start
        self.stop = stop
        self.step = step
        self.zone = zone
        isDescending = step.span < 0
    }
    override func next(into columns: inout [Datum]) throws(SQLError) -> Bool {
        if isDescending ? current < stop : current > stop { return false }
        columns[0] = .int(current)
        if let zone {
            current = try DateTimeMath.add(current, step, zone: zone)
        } else {
            current = try DateTimeMath.add(current, step)
        }
        return true
    }
}
