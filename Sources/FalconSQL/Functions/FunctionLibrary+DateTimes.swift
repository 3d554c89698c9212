import FalconSchema
import Glibc

/// Dates, times and intervals.
extension FunctionLibrary {
    mutating func addDateTimes() {
        nullary("now") { context throws(SQLError) in .int(context.transactionTimestamp) }
        nullary("statement_timestamp") { context throws(SQLError) in
            .int(context.statementTimestamp)
        }
        nullary("clock_timestamp", "pg_postmaster_start_time_now") { _ throws(SQLError) in
            .int(Self.clock())
        }
        nullary("timeofday") { context throws(SQLError) in
            .text(TypeIO.text(.int(Self.clock()), type: .timestamptz, settings: context.settings))
        }
        addDateArithmetic()
        addDateConversions()
        addDateFields()
        addDateMakers()
    }

    /// µs since 2000-01-01 UTC.
    static func clock() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return (Int64(now.tv_sec) - Calendar.epochSeconds) * 1_000_000 + Int64(now.tv_nsec) / 1000
    }

    private mutating func addDateArithmetic() {
        binary("date_mi") { (a, b, _) throws(SQLError) in
            if Calendar.isInfiniteDate(a.int) || Calendar.isInfiniteDate(b.int) {
                throw SQLError(.datetimeFieldOverflow, "cannot subtract infinite dates")
            }
            return .int(a.int - b.int)
        }
        @Sendable func shift(_ date: Int64, _ days: Int64) throws(SQLError) -> Datum {
            if Calendar.isInfiniteDate(date) { return .int(date) }
            let (value, overflow) = date.addingReportingOverflow(days)
            guard !overflow, Calendar.isValidDate(value) else { throw DateTimeMath.dateOutOfRange }
            return .int(value)
        }
        binary("date_pli") { (a, b, _) throws(SQLError) in try shift(a.int, b.int) }
        binary("#2550") { (a, b, _) throws(SQLError) in try shift(b.int, a.int) }
        binary("date_mii") { (a, b, _) throws(SQLError) in try shift(a.int, -b.int) }
        binary("date_pl_interval") { (a, b, _) throws(SQLError) in
            .int(try DateTimeMath.add(try DateTimeMath.timestamp(date: a.int), b.interval))
        }
        binary("#2546") { (a, b, _) throws(SQLError) in
            .int(try DateTimeMath.add(try DateTimeMath.timestamp(date: b.int), a.interval))
        }
        binary("date_mi_interval") { (a, b, _) throws(SQLError) in
            .int(
                try DateTimeMath.add(
                    try DateTimeMath.timestamp(date: a.int), try DateTimeMath.negated(b.interval)))
        }
        binary("timestamp_pl_interval") { (a, b, _) throws(SQLError) in
            .int(try DateTimeMath.add(a.int, b.interval))
        }
        binary("#2548") { (a, b, _) throws(SQLError) in
            .int(try DateTimeMath.add(b.int, a.interval))
        }
        binary("timestamp_mi_interval") { (a, b, _) throws(SQLError) in
            .int(try DateTimeMath.add(a.int, try DateTimeMath.negated(b.interval)))
        }
        binary("timestamptz_pl_interval") { (a, b, context) throws(SQLError) in
            .int(try DateTimeMath.add(a.int, b.interval, zone: context.settings.timeZone))
        }
        binary("#2549") { (a, b, context) throws(SQLError) in
            .int(try DateTimeMath.add(b.int, a.interval, zone: context.settings.timeZone))
        }
        binary("timestamptz_mi_interval") { (a, b, context) throws(SQLError) in
            .int(
                try DateTimeMath.add(
                    a.int, try DateTimeMath.negated(b.interval), zone: context.settings.timeZone))
        }
        binary("timestamp_mi") { (a, b, _) throws(SQLError) in
            .interval(try DateTimeMath.difference(a.int, b.int))
        }
        binary("datetime_timestamp") { (a, b, _) throws(SQLError) in
            .int(try DateTimeMath.timestamp(date: a.int) &+ b.int)
        }
        binary("#1296") { (a, b, _) throws(SQLError) in
            .int(try DateTimeMath.timestamp(date: b.int) &+ a.int)
        }
        binary("#1176") { (a, b, context) throws(SQLError) in
            .int(
                try DateTimeMath.checkedInstant(
                    ofLocal: try DateTimeMath.timestamp(date: a.int) &+ b.int,
                    context.settings.timeZone))
        }
        @Sendable func wrapped(_ time: Int64) -> Datum { .int(Calendar.split(time).time) }
        binary("time_pl_interval") { (a, b, _) throws(SQLError) in
            wrapped(a.int &+ b.interval.micros % Calendar.microsPerDay)
        }
        binary("#1848") { (a, b, _) throws(SQLError) in
            wrapped(b.int &+ a.interval.micros % Calendar.microsPerDay)
        }
        binary("time_mi_interval") { (a, b, _) throws(SQLError) in
            wrapped(a.int &- b.interval.micros % Calendar.microsPerDay)
        }
        binary("time_mi_time") { (a, b, _) throws(SQLError) in
            .interval(Interval(months: 0, days: 0, micros: a.int - b.int))
        }
        unary("interval_um") { (a, _) throws(SQLError) in
            .interval(try DateTimeMath.negated(a.interval))
        }
        binary("interval_pl") { (a, b, _) throws(SQLError) in
            .interval(try DateTimeMath.sum(a.interval, b.interval))
        }
        binary("interval_mi") { (a, b, _) throws(SQLError) in
            .interval(try DateTimeMath.sum(a.interval, try DateTimeMath.negated(b.interval)))
        }
        binary("interval_mul") { (a, b, _) throws(SQLError) in
            .interval(try DateTimeMath.scaled(a.interval, by: b.float))
        }
        binary("mul_d_interval") { (a, b, _) throws(SQLError) in
            .interval(try DateTimeMath.scaled(b.interval, by: a.float))
        }
        binary("interval_div") { (a, b, _) throws(SQLError) in
            if b.float == 0 { throw Self.divisionByZero }
            return .interval(try DateTimeMath.scaled(a.interval, by: 1 / b.float))
        }
        unary("interval_justify_hours") { (a, _) throws(SQLError) in
            .interval(DateTimeMath.justifyHours(a.interval))
        }
        unary("interval_justify_days") { (a, _) throws(SQLError) in
            .interval(DateTimeMath.justifyDays(a.interval))
        }
        unary("interval_justify_interval") { (a, _) throws(SQLError) in
            .interval(DateTimeMath.justify(a.interval))
        }
        binary("timestamp_age") { (a, b, _) throws(SQLError) in
            .interval(try DateTimeMath.age(a.int, b.int))
        }
        binary("timestamptz_age") { (a, b, context) throws(SQLError) in
            let zone = context.settings.timeZone
            return .interval(
                try DateTimeMath.age(
                    DateTimeMath.local(a.int, zone), DateTimeMath.local(b.int, zone)))
        }
        @Sendable func today(_ context: FunctionContext) -> Int64 {
            let local = DateTimeMath.local(context.transactionTimestamp, context.settings.timeZone)
            return local - Calendar.split(local).time
        }
        unary("#2059") { (a, context) throws(SQLError) in
            .interval(try DateTimeMath.age(today(context), a.int))
        }
        unary("#1386") { (a, context) throws(SQLError) in
            .interval(
                try DateTimeMath.age(
                    today(context), DateTimeMath.local(a.int, context.settings.timeZone)))
        }
        unary("date_finite") { (a, _) throws(SQLError) in .bool(!Calendar.isInfiniteDate(a.int)) }
        unary("timestamp_finite") { (a, _) throws(SQLError) in .bool(!Calendar.isInfinite(a.int)) }
        unary("interval_finite") { (_, _) throws(SQLError) in .bool(true) }
        addOverlaps()
    }

    private mutating func addDateConversions() {
        unary("date_timestamp") { (a, _) throws(SQLError) in
            .int(try DateTimeMath.timestamp(date: a.int))
        }
        unary("timestamp_date") { (a, _) throws(SQLError) in
            .int(DateTimeMath.date(timestamp: a.int))
        }
        unary("date_timestamptz") { (a, context) throws(SQLError) in
            .int(
                try DateTimeMath.checkedInstant(
                    ofLocal: try DateTimeMath.timestamp(date: a.int), context.settings.timeZone))
        }
        unary("timestamptz_date") { (a, context) throws(SQLError) in
            .int(DateTimeMath.date(timestamp: DateTimeMath.local(a.int, context.settings.timeZone)))
        }
        unary("timestamp_timestamptz") { (a, context) throws(SQLError) in
            .int(try DateTimeMath.checkedInstant(ofLocal: a.int, context.settings.timeZone))
        }
        unary("timestamptz_timestamp") { (a, context) throws(SQLError) in
            .int(DateTimeMath.local(a.int, context.settings.timeZone))
        }
        unary("timestamp_time") { (a, _) throws(SQLError) in
            Calendar.isInfinite(a.int) ? .null : .int(Calendar.split(a.int).time)
        }
        unary("timestamptz_time") { (a, context) throws(SQLError) in
            Calendar.isInfinite(a.int)
                ? .null
                : .int(Calendar.split(DateTimeMath.local(a.int, context.settings.timeZone)).time)
        }
        unary("time_interval") { (a, _) throws(SQLError) in
            .interval(Interval(months: 0, days: 0, micros: a.int))
        }
        unary("interval_time") { (a, _) throws(SQLError) in
            .int(Calendar.split(a.interval.micros).time)
        }
        for (name, type) in [
            ("timestamp_scale", OID.timestamp), ("timestamptz_scale", .timestamptz),
            ("time_scale", .time), ("interval_scale", .interval),
        ] {
            binary(name) { (a, b, _) throws(SQLError) in
                try TypeIO.coerce(
                    a, toModifierOf: SQLType(type, modifier: Int32(truncatingIfNeeded: b.int)),
                    explicit: true)
            }
        }
        @Sendable func zone(_ name: String) throws(SQLError) -> TimeZoneRules {
            guard let found = TimeZoneRules.input(name) else {
                throw SQLError(
                    .invalidParameterValue, "time zone \"\(name)\" not recognized")
            }
            return found
        }
        @Sendable func fixed(_ interval: Interval) throws(SQLError) -> TimeZoneRules {
            if interval.months != 0 || interval.days != 0 {
                throw SQLError(
                    .invalidParameterValue,
                    "interval time zone \"\(TypeIO.text(.interval(interval), type: .interval, settings: DisplaySettings()))\" must not include months or days"
                )
            }
            return TimeZoneRules.fixed(
                offset: Int32(truncatingIfNeeded: interval.micros / 1_000_000))
        }
        binary("timestamptz_zone") { (a, b, _) throws(SQLError) in
            .int(DateTimeMath.local(b.int, try zone(a.text)))
        }
        binary("timestamp_zone") { (a, b, _) throws(SQLError) in
            .int(try DateTimeMath.checkedInstant(ofLocal: b.int, try zone(a.text)))
        }
        binary("timestamptz_izone") { (a, b, _) throws(SQLError) in
            .int(DateTimeMath.local(b.int, try fixed(a.interval)))
        }
        binary("timestamp_izone") { (a, b, _) throws(SQLError) in
            .int(try DateTimeMath.checkedInstant(ofLocal: b.int, try fixed(a.interval)))
        }
        unary("float8_timestamptz") { (a, _) throws(SQLError) in
            if a.float.isInfinite {
                return .int(a.float > 0 ? Calendar.infinity : Calendar.negativeInfinity)
            }
            let seconds = a.float - Double(Calendar.epochSeconds)
            guard !a.float.isNaN,
                let micros = Int64(exactly: (seconds * 1_000_000).rounded(.toNearestOrEven)),
                Calendar.isValidTimestamp(micros)
            else {
                if a.float.isNaN {
                    throw SQLError(.datetimeFieldOverflow, "timestamp cannot be NaN")
                }
                let shown = TypeIO.text(a, type: .float8, settings: DisplaySettings())
                throw SQLError(
                    .datetimeFieldOverflow, "timestamp out of range: \"\(shown)\"")
            }
            return .int(micros)
        }
    }

    private mutating func addDateFields() {
        @Sendable func float(_ value: NumericValue?) -> Datum {
            value.map { .float($0.doubleValue) } ?? .null
        }
        @Sendable func exact(_ value: NumericValue?) -> Datum {
            value.map { .numeric($0) } ?? .null
        }
        @Sendable func stamp(_ a: Datum, _ b: Datum) throws(SQLError) -> NumericValue? {
            try DateTimeFields.field(
                a.text, b.int, instant: b.int, offset: nil, type: .timestamp)
        }
        @Sendable func zoned(
            _ a: Datum, _ b: Datum, _ context: FunctionContext
        ) throws(SQLError) -> NumericValue? {
            let zone = context.settings.timeZone
            return try DateTimeFields.field(
                a.text, DateTimeMath.local(b.int, zone), instant: b.int,
                offset: zone.offset(atUTC: b.int), type: .timestamptz)
        }
        @Sendable func dated(_ a: Datum, _ b: Datum, _ type: OID) throws(SQLError) -> NumericValue?
        {
            let value = DateTimeMath.widen(date: b.int)
            return try DateTimeFields.field(
                a.text, value, instant: value, offset: nil, type: type)
        }
        binary("timestamp_part") { (a, b, _) throws(SQLError) in float(try stamp(a, b)) }
        binary("extract_timestamp") { (a, b, _) throws(SQLError) in exact(try stamp(a, b)) }
        binary("timestamptz_part") { (a, b, c) throws(SQLError) in float(try zoned(a, b, c)) }
        binary("extract_timestamptz") { (a, b, c) throws(SQLError) in exact(try zoned(a, b, c)) }
        binary("#1384") { (a, b, _) throws(SQLError) in float(try dated(a, b, .timestamp)) }
        binary("extract_date") { (a, b, _) throws(SQLError) in exact(try dated(a, b, .date)) }
        binary("time_part") { (a, b, _) throws(SQLError) in
            float(try DateTimeFields.timeField(a.text, b.int))
        }
        binary("extract_time") { (a, b, _) throws(SQLError) in
            exact(try DateTimeFields.timeField(a.text, b.int))
        }
        binary("interval_part") { (a, b, _) throws(SQLError) in
            float(try DateTimeFields.intervalField(a.text, b.interval))
        }
        binary("extract_interval") { (a, b, _) throws(SQLError) in
            exact(try DateTimeFields.intervalField(a.text, b.interval))
        }
        binary("timestamp_trunc") { (a, b, _) throws(SQLError) in
            .int(try DateTimeFields.truncate(a.text, b.int, type: .timestamp))
        }
        @Sendable func truncate(
            _ unit: String, _ instant: Int64, _ zone: TimeZoneRules
        ) throws(SQLError) -> Datum {
            let local = try DateTimeFields.truncate(
                unit, DateTimeMath.local(instant, zone), type: .timestamptz)
            switch DateTimeFields.canonical(unit) {
            case "hour", "minute", "second", "milliseconds", "microseconds":
                // Within the hour the offset stays what it is at the instant.
                if Calendar.isInfinite(instant) { return .int(instant) }
                return .int(local &- Int64(zone.offset(atUTC: instant)) * 1_000_000)
            default: return .int(try DateTimeMath.checkedInstant(ofLocal: local, zone))
            }
        }
        binary("timestamptz_trunc") { (a, b, context) throws(SQLError) in
            try truncate(a.text, b.int, context.settings.timeZone)
        }
        ternary("timestamptz_trunc_zone") { (a, b, c, _) throws(SQLError) in
            guard let zone = TimeZoneRules.input(c.text) else {
                throw SQLError(
                    .invalidParameterValue, "time zone \"\(c.text)\" not recognized")
            }
            return try truncate(a.text, b.int, zone)
        }
        binary("interval_trunc") { (a, b, _) throws(SQLError) in
            .interval(try DateTimeFields.truncate(a.text, b.interval))
        }
        ternary("timestamp_bin", "timestamptz_bin") { (a, b, c, _) throws(SQLError) in
            let stride = a.interval
            if stride.months != 0 {
                throw SQLError(
                    .featureNotSupported,
                    "timestamps cannot be binned into intervals containing months or years")
            }
            let (days, overflow) = Int64(stride.days).multipliedReportingOverflow(
                by: Calendar.microsPerDay)
            let (width, over2) = days.addingReportingOverflow(stride.micros)
            guard !overflow, !over2 else { throw DateTimeMath.intervalOutOfRange }
            guard width > 0 else {
                throw SQLError(.datetimeFieldOverflow, "stride must be greater than zero")
            }
            if Calendar.isInfinite(b.int) { return b }
            let (difference, over3) = b.int.subtractingReportingOverflow(c.int)
            if over3 { throw DateTimeMath.intervalOutOfRange }
            var delta = difference - difference % width
            if difference % width < 0 { delta -= width }
            return .int(c.int &+ delta)
        }
    }

    private mutating func addDateMakers() {
        @Sendable func makeDate(_ y: Int64, _ m: Int64, _ d: Int64) throws(SQLError) -> Int64 {
            let failure = SQLError(
                .datetimeFieldOverflow, "date field value out of range: \(y)-\(two(m))-\(two(d))")
            guard y != 0, abs(y) < 6_000_000, m >= 1, m <= 12, d >= 1 else { throw failure }
            let year = Int(y < 0 ? y + 1 : y)
            guard d <= Calendar.daysInMonth(Int(m), year: year) else { throw failure }
            let days = Calendar.days(year: year, month: Int(m), day: Int(d))
            guard Calendar.isValidDate(days) else {
                throw SQLError(
                    .datetimeFieldOverflow, "date out of range: \(y)-\(two(m))-\(two(d))")
            }
            return days
        }
        @Sendable func two(_ value: Int64) -> String {
            value >= 0 && value < 10 ? "0\(value)" : "\(value)"
        }
        @Sendable func makeTime(_ h: Int64, _ m: Int64, _ s: Double) throws(SQLError) -> Int64 {
            guard h >= 0, h <= 24, m >= 0, m < 60, s >= 0, s <= 60, !s.isNaN else {
                let seconds = TypeIO.text(.float(s), type: .float8, settings: DisplaySettings())
                throw SQLError(
                    .datetimeFieldOverflow,
                    "time field value out of range: \(h):\(two(m)):\(s < 10 ? "0" : "")\(seconds)")
            }
            let micros = Int64((s * 1_000_000).rounded(.toNearestOrEven))
            let time = h * 3_600_000_000 + m * 60_000_000 + micros
            guard time <= Calendar.microsPerDay else {
                let seconds = TypeIO.text(.float(s), type: .float8, settings: DisplaySettings())
                throw SQLError(
                    .datetimeFieldOverflow,
                    "time field value out of range: \(h):\(two(m)):\(s < 10 ? "0" : "")\(seconds)")
            }
            return time
        }
        ternary("make_date") { (a, b, c, _) throws(SQLError) in
            .int(try makeDate(a.int, b.int, c.int))
        }
        ternary("make_time") { (a, b, c, _) throws(SQLError) in
            .int(try makeTime(a.int, b.int, c.float))
        }
        @Sendable func makeTimestamp(_ a: [Datum]) throws(SQLError) -> Int64 {
            let days = try makeDate(a[0].int, a[1].int, a[2].int)
            let time = try makeTime(a[3].int, a[4].int, a[5].float)
            guard let value = Calendar.timestamp(days: days, time: time) else {
                throw DateTimeMath.timestampOutOfRange
            }
            return value
        }
        many("make_timestamp") { (a, _) throws(SQLError) in .int(try makeTimestamp(a)) }
        many("make_timestamptz") { (a, context) throws(SQLError) in
            .int(
                try DateTimeMath.checkedInstant(
                    ofLocal: try makeTimestamp(a), context.settings.timeZone))
        }
        many("make_timestamptz_at_timezone") { (a, _) throws(SQLError) in
            guard let zone = TimeZoneRules.input(a[6].text) else {
                throw SQLError(
                    .invalidParameterValue, "time zone \"\(a[6].text)\" not recognized")
            }
            return .int(try DateTimeMath.checkedInstant(ofLocal: try makeTimestamp(a), zone))
        }
        many("make_interval") { (a, _) throws(SQLError) in
            let months = Int128(a[0].int) * 12 + Int128(a[1].int)
            let days = Int128(a[2].int) * 7 + Int128(a[3].int)
            let seconds = (a[6].float * 1_000_000).rounded(.toNearestOrEven)
            guard let m = Int32(exactly: months), let d = Int32(exactly: days),
                let s = Int64(exactly: seconds),
                let micros = Int64(
                    exactly: Int128(a[4].int) * 3_600_000_000 + Int128(a[5].int) * 60_000_000
                        + Int128(s))
            else { throw DateTimeMath.intervalOutOfRange }
            return .interval(Interval(months: m, days: d, micros: micros))
        }
    }
}
