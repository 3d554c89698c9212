/// The proleptic Gregorian calendar and PostgreSQL's bounds.
public enum Calendar {
    /// Julian day of 2000-01-01.
    static let postgresEpochJulian = 2_451_545
    static let unixEpochJulian = 2_440_588
    public static let microsPerDay: Int64 = 86_400_000_000
    public static let microsPerHour: Int64 = 3_600_000_000
    public static let microsPerMinute: Int64 = 60_000_000
    public static let microsPerSecond: Int64 = 1_000_000
    /// Seconds between 1970-01-01 and 2000-01-01.
    public static let epochSeconds: Int64 = 946_684_800

    /// Finite dates: 4714-11-24 BC ... 5874897-12-31.
    public static let minDate: Int64 = -2_451_545
    public static let endDate: Int64 = 2_145_031_949
    /// Finite timestamps: 4714-11-24 BC ... 294276-12-31 24:00 (exclusive).
    public static let minTimestamp: Int64 = -211_813_488_000_000_000
    public static let endTimestamp: Int64 = 9_223_371_331_200_000_000
    public static let dateInfinity = Int64(Int32.max)
    public static let dateNegativeInfinity = Int64(Int32.min)
    public static let infinity = Int64.max
    public static let negativeInfinity = Int64.min

    @inlinable public static func isValidTimestamp(_ micros: Int64) -> Bool {
        micros >= minTimestamp && micros < endTimestamp
    }
    @inlinable public static func isInfinite(_ micros: Int64) -> Bool {
        micros == .max || micros == .min
    }
    @inlinable public static func isInfiniteDate(_ days: Int64) -> Bool {
        days == dateInfinity || days == dateNegativeInfinity
    }
    @inlinable public static func isValidDate(_ days: Int64) -> Bool {
        days >= minDate && days < endDate
    }

    public static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }
    public static func daysInMonth(_ month: Int, year: Int) -> Int {
        switch month {
        case 2: return isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: return 30
        default: return 31
        }
    }

    /// Days since 2000-01-01 of a date; `year` is astronomical (0 is 1 BC). The fields must be small
    /// enough not to overflow (|year| < 10 million).
    public static func days(year: Int, month: Int, day: Int) -> Int64 {
        // Days from civil, era by era of 400 years, March first.
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int64(era * 146_097 + dayOfEra - 730_425)
    }

    /// Year (astronomical), month and day of a day number since 2000-01-01.
    public static func date(_ days: Int64) -> (year: Int, month: Int, day: Int) {
        let z = Int(days) + 730_425
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let mp = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * mp + 2) / 5 + 1
        let month = mp < 10 ? mp + 3 : mp - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, day)
    }

    /// 0 for Sunday.
    public static func dayOfWeek(_ days: Int64) -> Int {
        let value = Int((days + 6) % 7)
        return value < 0 ? value + 7 : value
    }

    /// Splits µs since 2000-01-01 into whole days and the rest of the day.
    @inlinable
    public static func split(_ micros: Int64) -> (days: Int64, time: Int64) {
        var days = micros / 86_400_000_000
        var time = micros - days * 86_400_000_000
        if time < 0 {
            time += 86_400_000_000
            days -= 1
        }
        return (days, time)
    }

    /// Days and time of day to µs; nil when out of the range of timestamps.
    @inlinable
    public static func timestamp(days: Int64, time: Int64) -> Int64? {
        let (whole, overflow1) = days.multipliedReportingOverflow(by: 86_400_000_000)
        let (sum, overflow2) = whole.addingReportingOverflow(time)
        // One of them may overflow and the other bring it back only beyond the range.
        guard !overflow1, !overflow2, isValidTimestamp(sum) else { return nil }
        return sum
    }

    public static func isoWeek(_ days: Int64) -> (year: Int, week: Int) {
        let (year, _, _) = date(days)
        var isoYear = year
        var start = isoYearStart(year)
        if days < start {
            isoYear -= 1
            start = isoYearStart(isoYear)
        } else if days >= isoYearStart(year + 1) {
            isoYear += 1
            start = isoYearStart(isoYear)
        }
        return (isoYear, Int((days - start) / 7) + 1)
    }

    /// The Monday of ISO week 1.
    public static func isoYearStart(_ year: Int) -> Int64 {
        let fourth = days(year: year, month: 1, day: 4)
        let weekday = (dayOfWeek(fourth) + 6) % 7
        return fourth - Int64(weekday)
    }
}
