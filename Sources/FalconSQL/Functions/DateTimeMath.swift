import FalconSchema

/// Calendar arithmetic of timestamps, intervals and dates.
enum DateTimeMath {
    static let timestampOutOfRange = SQLError(.datetimeFieldOverflow, "timestamp out of range")
    static let dateOutOfRange = SQLError(.datetimeFieldOverflow, "date out of range")
    static let intervalOutOfRange = SQLError(.datetimeFieldOverflow, "interval out of range")

    /// A date as a timestamp for comparison: beyond the range means infinity.
    static func widen(date: Int64) -> Int64 {
        if date == Calendar.dateInfinity { return Calendar.infinity }
        if date == Calendar.dateNegativeInfinity { return Calendar.negativeInfinity }
        return Calendar.timestamp(days: date, time: 0)
            ?? (date > 0 ? Calendar.infinity : Calendar.negativeInfinity)
    }

    static func timestamp(date: Int64) throws(SQLError) -> Int64 {
        if date == Calendar.dateInfinity { return Calendar.infinity }
        if date == Calendar.dateNegativeInfinity { return Calendar.negativeInfinity }
        guard let value = Calendar.timestamp(days: date, time: 0) else {
            throw SQLError(.datetimeFieldOverflow, "date out of range for timestamp")
        }
        return value
    }

    static func date(timestamp: Int64) -> Int64 {
        if timestamp == Calendar.infinity { return Calendar.dateInfinity }
        if timestamp == Calendar.negativeInfinity { return Calendar.dateNegativeInfinity }
        return Calendar.split(timestamp).days
    }

    /// The instant of a local reading.
    static func instant(ofLocal local: Int64, _ zone: TimeZoneRules) -> Int64 {
        if Calendar.isInfinite(local) { return local }
        let offset = Int64(zone.offset(atLocal: local)) * 1_000_000
        return local.subtractingReportingOverflow(offset).partialValue
    }

    static func checkedInstant(
        ofLocal local: Int64, _ zone: TimeZoneRules
    ) throws(SQLError) -> Int64 {
        let value = instant(ofLocal: local, zone)
        if !Calendar.isInfinite(value), !Calendar.isValidTimestamp(value) {
            throw timestampOutOfRange
        }
        return value
    }

    /// The local reading at an instant.
    static func local(_ instant: Int64, _ zone: TimeZoneRules) -> Int64 {
        if Calendar.isInfinite(instant) { return instant }
        return instant &+ Int64(zone.offset(atUTC: instant)) * 1_000_000
    }

    /// timestamp + interval: months (day clipped to the month's end), then days, then µs.
    static func add(_ timestamp: Int64, _ interval: Interval) throws(SQLError) -> Int64 {
        if Calendar.isInfinite(timestamp) { return timestamp }
        var (days, time) = Calendar.split(timestamp)
        if interval.months != 0 { days = try addMonths(days, Int(interval.months)) }
        days += Int64(interval.days)
        let (sum, overflow) = time.addingReportingOverflow(interval.micros)
        guard !overflow else { throw timestampOutOfRange }
        let carry = Calendar.split(sum)
        days += carry.days
        time = carry.time
        guard let result = Calendar.timestamp(days: days, time: time) else {
            throw timestampOutOfRange
        }
        return result
    }

    static func addMonths(_ days: Int64, _ months: Int) throws(SQLError) -> Int64 {
        var (year, month, day) = Calendar.date(days)
        let total = month - 1 + months
        year += total >= 0 ? total / 12 : -((11 - total) / 12)
        month = ((total % 12) + 12) % 12 + 1
        guard abs(year) < 6_000_000 else { throw timestampOutOfRange }
        day = min(day, Calendar.daysInMonth(month, year: year))
        return Calendar.days(year: year, month: month, day: day)
    }

    /// timestamptz + interval: months and days in local time, µs in absolute time.
    static func add(
        _ instant: Int64, _ interval: Interval, zone: TimeZoneRules
    ) throws(SQLError) -> Int64 {
        if Calendar.isInfinite(instant) { return instant }
        var value = instant
        if interval.months != 0 || interval.days != 0 {
            let local = try add(
                local(value, zone),
                Interval(months: interval.months, days: interval.days, micros: 0))
            value = Self.instant(ofLocal: local, zone)
        }
        let (sum, overflow) = value.addingReportingOverflow(interval.micros)
        guard !overflow, Calendar.isValidTimestamp(sum) else { throw timestampOutOfRange }
        return sum
    }

    static func negated(_ interval: Interval) throws(SQLError) -> Interval {
        guard interval.months != .min, interval.days != .min, interval.micros != .min else {
            throw intervalOutOfRange
        }
        return Interval(
            months: -interval.months, days: -interval.days, micros: -interval.micros)
    }

    static func sum(_ a: Interval, _ b: Interval) throws(SQLError) -> Interval {
        let (months, over1) = a.months.addingReportingOverflow(b.months)
        let (days, over2) = a.days.addingReportingOverflow(b.days)
        let (micros, over3) = a.micros.addingReportingOverflow(b.micros)
        if over1 || over2 || over3 { throw intervalOutOfRange }
        return Interval(months: months, days: days, micros: micros)
    }

    /// interval × factor; fractions of months spill into days, of days into µs.
    static func scaled(_ interval: Interval, by factor: Double) throws(SQLError) -> Interval {
        let monthProduct = Double(interval.months) * factor
        let dayProduct = Double(interval.days) * factor
        guard let months = Int32(exactly: monthProduct.rounded(.towardZero)),
            let wholeDays = Int32(exactly: dayProduct.rounded(.towardZero))
        else { throw intervalOutOfRange }
        func tidy(_ value: Double) -> Double {
            (value * 1_000_000).rounded(.toNearestOrEven) / 1_000_000
        }
        var monthDays = tidy((monthProduct - Double(months)) * 30)
        // Rounding may have made a whole day of it.
        var secondsOfDay = tidy(
            (dayProduct - Double(wholeDays) + monthDays - monthDays.rounded(.towardZero)) * 86_400)
        var extraDays = Int32(monthDays.rounded(.towardZero))
        if abs(secondsOfDay) >= 86_400 {
            let carried = (secondsOfDay / 86_400).rounded(.towardZero)
            extraDays += Int32(carried)
            secondsOfDay -= carried * 86_400
        }
        monthDays = 0
        let (days, overflow) = wholeDays.addingReportingOverflow(extraDays)
        let micros =
            (Double(interval.micros) * factor + secondsOfDay * 1_000_000).rounded(.toNearestOrEven)
        guard !overflow, let exact = Int64(exactly: micros) else { throw intervalOutOfRange }
        return Interval(months: months, days: days, micros: exact)
    }

    /// The difference of two readings as days and µs.
    static func difference(_ a: Int64, _ b: Int64) throws(SQLError) -> Interval {
        if Calendar.isInfinite(a) || Calendar.isInfinite(b) {
            throw SQLError(.datetimeFieldOverflow, "cannot subtract infinite timestamps")
        }
        let (micros, overflow) = a.subtractingReportingOverflow(b)
        if overflow { throw intervalOutOfRange }
        return justifyHours(Interval(months: 0, days: 0, micros: micros))
    }

    static func justifyHours(_ value: Interval) -> Interval {
        var days = value.days &+ Int32(truncatingIfNeeded: value.micros / Calendar.microsPerDay)
        var micros = value.micros % Calendar.microsPerDay
        if days > 0, micros < 0 {
            micros += Calendar.microsPerDay
            days -= 1
        } else if days < 0, micros > 0 {
            micros -= Calendar.microsPerDay
            days += 1
        }
        return Interval(months: value.months, days: days, micros: micros)
    }

    static func justifyDays(_ value: Interval) -> Interval {
        var months = value.months &+ value.days / 30
        var days = value.days % 30
        if months > 0, days < 0 {
            days += 30
            months -= 1
        } else if months < 0, days > 0 {
            days -= 30
            months += 1
        }
        return Interval(months: months, days: days, micros: value.micros)
    }

    static func justify(_ value: Interval) -> Interval {
        var result = justifyDays(justifyHours(value))
        if result.months > 0,
            result.days < 0 || (result.days == 0 && result.micros < 0)
        {
            result.days += 30
            result.months -= 1
        } else if result.months < 0,
            result.days > 0 || (result.days == 0 && result.micros > 0)
        {
            result.days -= 30
            result.months += 1
        }
        if result.days > 0, result.micros < 0 {
            result.micros += Calendar.microsPerDay
            result.days -= 1
        } else if result.days < 0, result.micros > 0 {
            result.micros -= Calendar.microsPerDay
            result.days += 1
        }
        return result
    }

    /// age(a, b): years, months, days and time between two readings, by the calendar.
    static func age(_ a: Int64, _ b: Int64) throws(SQLError) -> Interval {
        if Calendar.isInfinite(a) || Calendar.isInfinite(b) {
            throw SQLError(.datetimeFieldOverflow, "cannot subtract infinite timestamps")
        }
        let isNegative = a < b
        let (late, early) = isNegative ? (b, a) : (a, b)
        let (lateDays, lateTime) = Calendar.split(late)
        let (earlyDays, earlyTime) = Calendar.split(early)
        let x = Calendar.date(lateDays)
        let y = Calendar.date(earlyDays)
        var micros = lateTime - earlyTime
        var days = x.day - y.day
        var months = (x.year - y.year) * 12 + x.month - y.month
        if micros < 0 {
            micros += Calendar.microsPerDay
            days -= 1
        }
        while days < 0 {
            // Days of the month that the earlier reading is in.
            days += Calendar.daysInMonth(y.month, year: y.year)
            months -= 1
        }
        let sign = isNegative ? -1 : 1
        return Interval(
            months: Int32(truncatingIfNeeded: sign * months),
            days: Int32(truncatingIfNeeded: sign * days), micros: Int64(sign) * micros)
    }
}
