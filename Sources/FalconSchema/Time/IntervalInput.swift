/// Text to intervals: PostgreSQL's verbose form, SQL-standard year-month and day-time, ISO 8601.
public enum IntervalInput {
    private enum Failure: Error { case badFormat, overflow }

    /// What INTERVAL's field restriction (`INTERVAL '1' DAY`) leaves in a modifier: bits of the kept
    /// fields in 30...16, precision below.
    enum Field {
        static let month: Int32 = 1 << 1
        static let year: Int32 = 1 << 2
        static let day: Int32 = 1 << 3
        static let hour: Int32 = 1 << 10
        static let minute: Int32 = 1 << 11
        static let second: Int32 = 1 << 12
        static let full: Int32 = 0x7FFF
    }

    public static func interval(
        _ text: UnsafeRawBufferPointer, modifier: Int32
    ) throws(SQLError) -> Interval {
        let range = modifier < 0 ? Field.full : (modifier >> 16) & 0x7FFF
        do throws(Failure) {
            var builder = Builder()
            if !(try parseISO8601(text, &builder)) {
                try parseFields(text, range: range, &builder)
            }
            return adjust(builder.value, modifier: modifier)
        } catch {
            switch error {
            case .badFormat: throw DateTimeInput.badFormat(text, "interval")
            case .overflow:
                throw SQLError(
                    SQLState("22015"),
                    "interval field value out of range: \"\(DateTimeInput.string(text))\"")
            }
        }
    }

    /// Drops the fields below the restriction and rounds to the precision.
    public static func adjust(_ interval: Interval, modifier: Int32) -> Interval {
        guard modifier >= 0 else { return interval }
        var result = interval
        let range = (modifier >> 16) & 0x7FFF
        let precision = modifier & 0xFFFF
        let hourOn = Field.hour
        switch range {
        case Field.full: break
        case Field.year:
            result.months = result.months / 12 * 12
            result.days = 0
            result.micros = 0
        case Field.month, Field.year | Field.month:
            result.days = 0
            result.micros = 0
        case Field.day: result.micros = 0
        case hourOn, Field.day | hourOn:
            result.micros = result.micros / 3_600_000_000 * 3_600_000_000
        case Field.minute, Field.day | hourOn | Field.minute, hourOn | Field.minute:
            result.micros = result.micros / 60_000_000 * 60_000_000
        default: break
        }
        if precision < 6 {
            var unit: Int64 = 1
            for _ in 0..<(6 - precision) { unit *= 10 }
            let half = result.micros < 0 ? -(unit / 2) : unit / 2
            let (shifted, overflow) = result.micros.addingReportingOverflow(half)
            if !overflow { result.micros = shifted / unit * unit }
        }
        return result
    }

    private struct Builder {
        var value = Interval(months: 0, days: 0, micros: 0)

        /// Units given so far: none may come twice.
        private var given: UInt32 = 0
        mutating func claim(_ units: Unit...) throws(Failure) {
            for unit in units {
                let bit = UInt32(1) << unit.rawValue
                if given & bit != 0 { throw .badFormat }
                given |= bit
            }
        }

        mutating func addMonths(_ count: Int64, times factor: Int64) throws(Failure) {
            let (product, overflow) = count.multipliedReportingOverflow(by: factor)
            guard !overflow, let small = Int32(exactly: product) else { throw .overflow }
            let (sum, over) = value.months.addingReportingOverflow(small)
            if over { throw .overflow }
            value.months = sum
        }
        mutating func addDays(_ count: Int64, times factor: Int64 = 1) throws(Failure) {
            let (product, overflow) = count.multipliedReportingOverflow(by: factor)
            guard !overflow, let small = Int32(exactly: product) else { throw .overflow }
            let (sum, over) = value.days.addingReportingOverflow(small)
            if over { throw .overflow }
            value.days = sum
        }
        mutating func addMicros(_ count: Int64, times factor: Int64 = 1) throws(Failure) {
            let (product, overflow) = count.multipliedReportingOverflow(by: factor)
            let (sum, over) = value.micros.addingReportingOverflow(product)
            if overflow || over { throw .overflow }
            value.micros = sum
        }
        mutating func addFractionMicros(_ fraction: Double, times factor: Double) throws(Failure) {
            let micros = (fraction * factor).rounded(.toNearestOrEven)
            guard let exact = Int64(exactly: micros) else { throw .overflow }
            try addMicros(exact)
        }
        mutating func addFractionDays(_ fraction: Double, times factor: Double) throws(Failure) {
            let days = fraction * factor
            let whole = days.rounded(.towardZero)
            guard let exact = Int64(exactly: whole) else { throw .overflow }
            try addDays(exact)
            try addFractionMicros(days - whole, times: 86_400_000_000)
        }
        mutating func addFractionYears(_ fraction: Double, times factor: Double) throws(Failure) {
            let months = (fraction * factor * 12).rounded(.toNearestOrEven)
            guard let exact = Int64(exactly: months) else { throw .overflow }
            try addMonths(exact, times: 1)
        }

        /// `whole` and `fraction` (same sign) of `unit`.
        mutating func add(_ whole: Int64, _ fraction: Double, _ unit: Unit) throws(Failure) {
            switch unit {
            case .microsecond:
                try addMicros(whole)
                try addFractionMicros(fraction, times: 1)
            case .millisecond:
                try addMicros(whole, times: 1000)
                try addFractionMicros(fraction, times: 1000)
            case .second:
                try addMicros(whole, times: 1_000_000)
                try addFractionMicros(fraction, times: 1_000_000)
            case .minute:
                try addMicros(whole, times: 60_000_000)
                try addFractionMicros(fraction, times: 60_000_000)
            case .hour:
                try addMicros(whole, times: 3_600_000_000)
                try addFractionMicros(fraction, times: 3_600_000_000)
            case .day:
                try addDays(whole)
                try addFractionMicros(fraction, times: 86_400_000_000)
            case .week:
                try addDays(whole, times: 7)
                try addFractionDays(fraction, times: 7)
            case .month:
                try addMonths(whole, times: 1)
                try addFractionDays(fraction, times: 30)
            case .year:
                try addMonths(whole, times: 12)
                try addFractionYears(fraction, times: 1)
            case .decade:
                try addMonths(whole, times: 120)
                try addFractionYears(fraction, times: 10)
            case .century:
                try addMonths(whole, times: 1200)
                try addFractionYears(fraction, times: 100)
            case .millennium:
                try addMonths(whole, times: 12000)
                try addFractionYears(fraction, times: 1000)
            }
        }
    }

    private enum Unit: UInt32 {
        case microsecond, millisecond, second, minute, hour, day, week, month, year
        case decade, century, millennium
    }

    private static func unit(_ word: String) -> Unit? {
        switch word {
        case "us", "usec", "usecs", "usecond", "useconds", "microsecond", "microseconds",
            "microsecon":
            .microsecond
        case "ms", "msec", "msecs", "msecond", "mseconds", "millisecond", "milliseconds",
            "millisecon":
            .millisecond
        case "s", "sec", "secs", "second", "seconds": .second
        case "m", "min", "mins", "minute", "minutes": .minute
        case "h", "hr", "hrs", "hour", "hours": .hour
        case "d", "day", "days": .day
        case "w", "week", "weeks": .week
        case "mon", "mons", "month", "months": .month
        case "y", "yr", "yrs", "year", "years": .year
        case "dec", "decs", "decade", "decades": .decade
        case "c", "cent", "century", "centuries": .century
        case "mil", "mils", "millennia", "millennium": .millennium
        default: nil
        }
    }

    private static func defaultUnit(_ range: Int32) -> Unit {
        switch range {
        case Field.year: .year
        case Field.month, Field.year | Field.month: .month
        case Field.day: .day
        case Field.hour, Field.day | Field.hour: .hour
        case Field.minute, Field.hour | Field.minute, Field.day | Field.hour | Field.minute:
            .minute
        default: .second
        }
    }

    private struct Number {
        var whole: Int64
        var fraction: Double
        var isNegative: Bool
    }

    /// Digits with an optional fraction at `index`.
    private static func number(
        _ text: UnsafeRawBufferPointer, _ index: inout Int, negative: Bool
    ) throws(Failure) -> Number {
        var whole: Int64 = 0
        var digits = 0
        while index < text.count, text[index].isDigit {
            let (times, over1) = whole.multipliedReportingOverflow(by: 10)
            let digit = Int64(text[index] - 48)
            let (sum, over2) =
                negative
                ? times.subtractingReportingOverflow(digit) : times.addingReportingOverflow(digit)
            if over1 || over2 { throw .overflow }
            whole = sum
            digits += 1
            index += 1
        }
        var fraction = 0.0
        if index < text.count, text[index] == 0x2E {
            let start = index
            index += 1
            while index < text.count, text[index].isDigit {
                digits += 1
                index += 1
            }
            if index - start > 1 {
                guard index - start < 64,
                    let value = Double("0" + String(decoding: text[start..<index], as: UTF8.self))
                else { throw .badFormat }
                fraction = negative ? -value : value
            }
        }
        if digits == 0 { throw .badFormat }
        return Number(whole: whole, fraction: fraction, isNegative: negative)
    }

    private static func parseFields(
        _ text: UnsafeRawBufferPointer, range: Int32, _ builder: inout Builder
    ) throws(Failure) {
        var index = 0
        var pending: Number?
        var isAgo = false
        var fields = 0
        func at(_ position: Int) -> UInt8 { position < text.count ? text[position] : 0 }
        while index < text.count {
            let byte = text[index]
            if byte.isSpace || byte == 0x40 {
                index += 1
                continue
            }
            if byte == 0x2C {
                index += 1
                continue
            }
            fields += 1
            var negative = false
            if byte == 0x2B || byte == 0x2D {
                negative = byte == 0x2D
                index += 1
                while at(index).isSpace { index += 1 }
                guard at(index).isDigit || at(index) == 0x2E else { throw .badFormat }
            }
            if at(index).isDigit || at(index) == 0x2E {
                let start = index
                var end = index
                while at(end).isDigit { end += 1 }
                if at(end) == 0x3A {
                    // A clock: a number before it counts days.
                    try builder.claim(.hour, .minute, .second)
                    if let days = pending {
                        try builder.claim(.day)
                        try builder.add(days.whole, days.fraction, .day)
                        pending = nil
                    }
                    while at(end).isDigit || at(end) == 0x3A || at(end) == 0x2E { end += 1 }
                    try clock(text, start..<end, negative: negative, range: range, &builder)
                    index = end
                    continue
                }
                if at(end) == 0x2D, at(end + 1).isDigit, end > start {
                    // SQL-standard years-months.
                    if pending != nil { throw .badFormat }
                    let years = try number(text, &index, negative: negative)
                    index += 1
                    let months = try number(text, &index, negative: negative)
                    guard months.whole.magnitude < 12 else { throw .overflow }
                    try builder.addMonths(years.whole, times: 12)
                    try builder.addMonths(months.whole, times: 1)
                    continue
                }
                if pending != nil { throw .badFormat }
                pending = try number(text, &index, negative: negative)
                continue
            }
            guard byte.isLetter else { throw .badFormat }
            let start = index
            while at(index).isLetter { index += 1 }
            let word = String(decoding: text[start..<index], as: UTF8.self).lowercased()
            if word == "ago" {
                if let seconds = pending {
                    try builder.add(seconds.whole, seconds.fraction, defaultUnit(range))
                    pending = nil
                }
                isAgo = true
                continue
            }
            guard let unit = unit(word), let value = pending else { throw .badFormat }
            try builder.claim(unit)
            try builder.add(value.whole, value.fraction, unit)
            pending = nil
        }
        if let value = pending { try builder.add(value.whole, value.fraction, defaultUnit(range)) }
        if fields == 0 { throw .badFormat }
        if isAgo {
            let value = builder.value
            guard value.months != .min, value.days != .min, value.micros != .min else {
                throw .overflow
            }
            builder.value = Interval(
                months: -value.months, days: -value.days, micros: -value.micros)
        }
    }

    private static func clock(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>, negative: Bool, range field: Int32,
        _ builder: inout Builder
    ) throws(Failure) {
        var parts: [(whole: Int64, fraction: Double)] = []
        var index = range.lowerBound
        while index < range.upperBound {
            let part = try number(text, &index, negative: false)
            parts.append((part.whole, part.fraction))
            if index < range.upperBound {
                guard text[index] == 0x3A, parts.count < 3, part.fraction == 0 else {
                    throw .badFormat
                }
                index += 1
                if index == range.upperBound { throw .badFormat }
            }
        }
        guard parts.count >= 2 else { throw .badFormat }
        var hour: Int64 = 0
        var minute: Int64 = 0
        var second: (whole: Int64, fraction: Double) = (0, 0)
        if parts.count == 3 {
            (hour, minute, second) = (parts[0].whole, parts[1].whole, parts[2])
        } else if parts[1].fraction != 0 || field == (Field.minute | Field.second) {
            (minute, second) = (parts[0].whole, parts[1])
        } else {
            (hour, minute) = (parts[0].whole, parts[1].whole)
        }
        guard minute < 60, second.whole < 60 || (second.whole == 60 && second.fraction == 0) else {
            throw .overflow
        }
        let sign: Int64 = negative ? -1 : 1
        try builder.addMicros(hour, times: sign * 3_600_000_000)
        try builder.addMicros(minute, times: sign * 60_000_000)
        try builder.addMicros(second.whole, times: sign * 1_000_000)
        try builder.addFractionMicros(second.fraction * Double(sign), times: 1_000_000)
    }

    /// `P1Y2M3W4DT5H6M7S` and the alternative `P0001-02-03T04:05:06`; false when it is not one.
    private static func parseISO8601(
        _ text: UnsafeRawBufferPointer, _ builder: inout Builder
    ) throws(Failure) -> Bool {
        guard text.count >= 2, text[0] == 0x50 else { return false }
        var index = 1
        var inTime = false
        var fields = 0
        func at(_ position: Int) -> UInt8 { position < text.count ? text[position] : 0 }
        while index < text.count {
            if text[index] == 0x54 {
                guard !inTime else { throw .badFormat }
                inTime = true
                index += 1
                continue
            }
            var negative = false
            if text[index] == 0x2D || text[index] == 0x2B {
                negative = text[index] == 0x2D
                index += 1
            }
            let value = try number(text, &index, negative: negative)
            fields += 1
            let unit = at(index)
            index += 1
            switch (inTime, unit) {
            case (false, 0x59): try builder.add(value.whole, value.fraction, .year)
            case (false, 0x4D): try builder.add(value.whole, value.fraction, .month)
            case (false, 0x57): try builder.add(value.whole, value.fraction, .week)
            case (false, 0x44): try builder.add(value.whole, value.fraction, .day)
            case (true, 0x48): try builder.add(value.whole, value.fraction, .hour)
            case (true, 0x4D): try builder.add(value.whole, value.fraction, .minute)
            case (true, 0x53): try builder.add(value.whole, value.fraction, .second)
            case (false, 0x2D):
                // P[YYYY]-[MM]-[DD]
                try builder.add(value.whole, 0, .year)
                let months = try number(text, &index, negative: false)
                try builder.add(months.whole, 0, .month)
                guard at(index) == 0x2D else { throw .badFormat }
                index += 1
                let days = try number(text, &index, negative: false)
                try builder.add(days.whole, 0, .day)
            case (true, 0x3A):
                try builder.add(value.whole, 0, .hour)
                let minutes = try number(text, &index, negative: false)
                try builder.add(minutes.whole, 0, .minute)
                if at(index) == 0x3A {
                    index += 1
                    let seconds = try number(text, &index, negative: false)
                    try builder.add(seconds.whole, seconds.fraction, .second)
                }
            default: throw .badFormat
            }
        }
        if fields == 0 { throw .badFormat }
        return true
    }
}
