import FalconSchema

/// extract(), date_part() and date_trunc().
enum DateTimeFields {
    /// µs scaled to a numeric of seconds etc.; the exact value.
    private static func number(_ value: Int64) -> NumericValue { NumericValue(value) }
    private static func decimal(_ value: Int64, scale: Int) -> NumericValue {
        NumericValue(mantissa: value, scale: scale)
    }

    static func unsupported(_ unit: String, _ type: OID) -> SQLError {
        SQLError(
            .featureNotSupported,
            "unit \"\(unit)\" not supported for type \(FalconSchema.TypeNames.format(type))")
    }
    static func unrecognized(_ unit: String, _ type: OID) -> SQLError {
        SQLError(
            .invalidParameterValue,
            "unit \"\(unit)\" not recognized for type \(FalconSchema.TypeNames.format(type))")
    }

    /// Plural and short spellings to one name.
    static func canonical(_ unit: String) -> String? {
        switch TextMath.lower(unit) {
        case "us", "usec", "usecs", "usecond", "useconds", "microsecond", "microseconds",
            "microsecon":
            "microseconds"
        case "ms", "msec", "msecs", "msecond", "mseconds", "millisecond", "milliseconds",
            "millisecon":
            "milliseconds"
        case "s", "sec", "secs", "second", "seconds": "second"
        case "m", "min", "mins", "minute", "minutes": "minute"
        case "h", "hr", "hrs", "hour", "hours": "hour"
        case "d", "day", "days": "day"
        case "w", "week", "weeks": "week"
        case "mon", "mons", "month", "months": "month"
        case "qtr", "quarter": "quarter"
        case "y", "yr", "yrs", "year", "years": "year"
        case "dec", "decs", "decade", "decades": "decade"
        case "c", "cent", "century", "centuries": "century"
        case "mil", "mils", "millennia", "millennium": "millennium"
        case "dow": "dow"
        case "isodow": "isodow"
        case "doy": "doy"
        case "isoyear": "isoyear"
        case "epoch": "epoch"
        case "julian", "j": "julian"
        case "timezone": "timezone"
        case "timezone_h", "timezone_hour": "timezone_hour"
        case "timezone_m", "timezone_minute": "timezone_minute"
        default: nil
        }
    }

    /// A field of a reading; `offset` seconds east when it is a timestamptz's. `type` names it in
    /// errors. Nil: NULL (infinity, for fields that have no infinite value).
    static func field(
        _ unit: String, _ micros: Int64, instant: Int64, offset: Int32?, type: OID
    ) throws(SQLError) -> NumericValue? {
        guard let name = canonical(unit) else { throw unrecognized(unit, type) }
        if Calendar.isInfinite(micros) {
            switch name {
            case "year", "decade", "century", "millennium", "julian", "isoyear", "epoch":
                return micros > 0 ? .infinity : .negativeInfinity
            case "timezone", "timezone_hour", "timezone_minute":
                if offset == nil { throw unsupported(unit, type) }
                return nil
            default: return nil
            }
        }
        let (days, time) = Calendar.split(micros)
        let (year, month, day) = Calendar.date(days)
        if type == .date {
            switch name {
            case "hour", "minute", "second", "milliseconds", "microseconds", "timezone",
                "timezone_hour", "timezone_minute":
                throw unsupported(unit, type)
            default: break
            }
        }
        switch name {
        case "microseconds": return number(time % 60_000_000)
        case "milliseconds": return decimal(time % 60_000_000, scale: 3)
        case "second": return decimal(time % 60_000_000, scale: 6)
        case "minute": return number(time / 60_000_000 % 60)
        case "hour": return number(time / 3_600_000_000)
        case "day": return number(Int64(day))
        case "month": return number(Int64(month))
        case "quarter": return number(Int64((month - 1) / 3 + 1))
        case "week": return number(Int64(Calendar.isoWeek(days).week))
        case "year": return number(Int64(year > 0 ? year : year - 1))
        case "decade": return number(Int64(floorDivide(year, 10)))
        case "century":
            return number(Int64(year > 0 ? (year + 99) / 100 : -((99 - (year - 1)) / 100)))
        case "millennium":
            return number(Int64(year > 0 ? (year + 999) / 1000 : -((999 - (year - 1)) / 1000)))
        case "dow": return number(Int64(Calendar.dayOfWeek(days)))
        case "isodow":
            let weekday = Calendar.dayOfWeek(days)
            return number(Int64(weekday == 0 ? 7 : weekday))
        case "doy": return number(days - Calendar.days(year: year, month: 1, day: 1) + 1)
        case "isoyear":
            let value = Calendar.isoWeek(days).year
            return number(Int64(value > 0 ? value : value - 1))
        case "julian":
            let whole = NumericValue(days + 2_451_545)
            if type == .date { return whole }
            let fraction = try NumericValue.divide(
                NumericValue(time), NumericValue(Calendar.microsPerDay))
            return try NumericValue.add(whole, fraction)
        case "epoch":
            let seconds = NumericValue(mantissa: instant, scale: 6)
            let epoch = NumericValue(Calendar.epochSeconds)
            let sum = try NumericValue.add(seconds, epoch)
            return type == .date ? try sum.rounded(to: 0) : sum
        case "timezone", "timezone_hour", "timezone_minute":
            guard let offset else { throw unsupported(unit, type) }
            if name == "timezone" { return number(Int64(offset)) }
            return number(
                Int64(name == "timezone_hour" ? offset / 3600 : offset / 60 % 60))
        default: throw unsupported(unit, type)
        }
    }

    private static func floorDivide(_ a: Int, _ b: Int) -> Int {
        let quotient = a / b
        return a % b < 0 ? quotient - 1 : quotient
    }

    static func timeField(_ unit: String, _ time: Int64) throws(SQLError) -> NumericValue {
        guard let name = canonical(unit) else { throw unrecognized(unit, .time) }
        switch name {
        case "microseconds": return number(time % 60_000_000)
        case "milliseconds": return decimal(time % 60_000_000, scale: 3)
        case "second": return decimal(time % 60_000_000, scale: 6)
        case "minute": return number(time / 60_000_000 % 60)
        case "hour": return number(time / 3_600_000_000)
        case "epoch": return decimal(time, scale: 6)
        default: throw unsupported(unit, .time)
        }
    }

    static func intervalField(_ unit: String, _ value: Interval) throws(SQLError) -> NumericValue {
        guard let name = canonical(unit) else { throw unrecognized(unit, .interval) }
        let years = Int64(value.months) / 12
        let months = Int64(value.months) % 12
        switch name {
        case "microseconds": return number(value.micros % 60_000_000)
        case "milliseconds": return decimal(value.micros % 60_000_000, scale: 3)
        case "second": return decimal(value.micros % 60_000_000, scale: 6)
        case "minute": return number(value.micros / 60_000_000 % 60)
        case "hour": return number(value.micros / 3_600_000_000)
        case "day": return number(Int64(value.days))
        case "month": return number(months)
        case "quarter": return number(months / 3 + 1)
        case "year": return number(years)
        case "decade": return number(years / 10)
        case "century": return number(years / 100)
        case "millennium": return number(years / 1000)
        case "epoch":
            // A year is 365.25 days, a month 30.
            let days =
                Int128(years) * 1461 * 6 + Int128(months) * 720 + Int128(value.days) * 24
            // In quarter days' hours: (1461 / 4 days) × 24 hours = 8766 hours a year.
            let micros = days * 3_600_000_000 + Int128(value.micros)
            guard let small = Int64(exactly: micros) else {
                return try NumericValue.divide(
                    NumericValue(wide: micros), NumericValue(Int64(1_000_000))
                ).rounded(to: 6)
            }
            return decimal(small, scale: 6)
        default: throw unsupported(unit, .interval)
        }
    }

    /// date_trunc of a local reading.
    static func truncate(_ unit: String, _ micros: Int64, type: OID) throws(SQLError) -> Int64 {
        guard let name = canonical(unit) else { throw unrecognized(unit, type) }
        if Calendar.isInfinite(micros) { return micros }
        let (days, time) = Calendar.split(micros)
        let (year, month, _) = Calendar.date(days)
        func day(_ year: Int, _ month: Int) throws(SQLError) -> Int64 {
            let first = Calendar.days(year: year, month: month, day: 1)
            guard let value = Calendar.timestamp(days: first, time: 0) else {
                throw DateTimeMath.timestampOutOfRange
            }
            return value
        }
        switch name {
        case "microseconds": return micros
        case "milliseconds": return micros - time % 1000
        case "second": return micros - time % 1_000_000
        case "minute": return micros - time % 60_000_000
        case "hour": return micros - time % 3_600_000_000
        case "day": return micros - time
        case "week":
            let monday = days - Int64((Calendar.dayOfWeek(days) + 6) % 7)
            guard let value = Calendar.timestamp(days: monday, time: 0) else {
                throw DateTimeMath.timestampOutOfRange
            }
            return value
        case "month": return try day(year, month)
        case "quarter": return try day(year, (month - 1) / 3 * 3 + 1)
        case "year": return try day(year, 1)
        case "decade": return try day(floorDivide(year, 10) * 10, 1)
        case "century":
            return try day(
                year > 0 ? (year + 99) / 100 * 100 - 99 : -((99 - (year - 1)) / 100) * 100 + 1, 1)
        case "millennium":
            return try day(
                year > 0
                    ? (year + 999) / 1000 * 1000 - 999
                    : -((999 - (year - 1)) / 1000) * 1000 + 1, 1)
        case "timezone", "timezone_hour", "timezone_minute": throw unsupported(unit, type)
        default: throw unrecognized(unit, type)
        }
    }

    static func truncate(_ unit: String, _ value: Interval) throws(SQLError) -> Interval {
        guard let name = canonical(unit) else { throw unrecognized(unit, .interval) }
        var result = value
        func keep(micros unit: Int64) { result.micros -= result.micros % unit }
        switch name {
        case "microseconds": break
        case "milliseconds": keep(micros: 1000)
        case "second": keep(micros: 1_000_000)
        case "minute": keep(micros: 60_000_000)
        case "hour": keep(micros: 3_600_000_000)
        case "day": result.micros = 0
        case "month", "quarter", "year", "decade", "century", "millennium":
            let unit: Int32 =
                switch name {
                case "month": 1
                case "quarter": 3
                case "year": 12
                case "decade": 120
                case "century": 1200
                default: 12000
                }
            result = Interval(months: result.months - result.months % unit, days: 0, micros: 0)
        case "week":
            throw SQLError(
                .featureNotSupported, "unit \"\(unit)\" not supported for type interval",
                detail: "Months usually have fractional weeks.")
        case "timezone", "timezone_hour", "timezone_minute": throw unsupported(unit, .interval)
        default: throw unrecognized(unit, .interval)
        }
        return result
    }
}
