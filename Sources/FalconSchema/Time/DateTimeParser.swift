/// Reads dates and times as PostgreSQL's input functions do: ISO first and fast, then any mixture of
/// date, time, zone and keyword fields.
struct DateTimeParser {
    enum Failure: Error {
        case badFormat
        case fieldOverflow
        /// A month or day field: the hint speaks of DateStyle.
        case monthDayOverflow
        case zoneDisplacement
        case unknownZone(String)
    }
    enum Special { case epoch, infinity, negativeInfinity, now, today, tomorrow, yesterday }

    var year = 0
    var month = 0
    var day = 0
    /// Microseconds of the day.
    var time: Int64 = 0
    var special: Special?
    var hasYear = false
    var hasMonth = false
    var hasDay = false
    var hasTime = false
    var monthIsText = false
    private var yearIsShort = false
    private var isBC = false
    private var isAD = false
    private var isPM: Bool?
    private var hour = 0
    private var minute = 0
    private var secondMicros: Int64 = 0
    private var julianDay: Int64?
    private var dayOfYear: Int?
    private var expectsISOTime = false
    /// Seconds east of UTC when the input named a fixed offset.
    var offset: Int32?
    var zone: TimeZoneRules?
    private var order: DisplaySettings.DateOrder

    var hasDate: Bool { hasYear && hasMonth && hasDay }
    var hasAnyDate: Bool { hasYear || hasMonth || hasDay || julianDay != nil }

    /// `timeOnly`: plain digits are a time of day, as for the type time.
    init(
        _ text: UnsafeRawBufferPointer, order: DisplaySettings.DateOrder, timeOnly: Bool = false
    ) throws(Failure) {
        self.order = order
        if parseISO(text) {
            try finish()
            return
        }
        self = DateTimeParser(order: order)
        expectsISOTime = timeOnly
        try parseFields(text)
        try finish()
    }

    private init(order: DisplaySettings.DateOrder) { self.order = order }

    /// Days since 2000-01-01 of the date fields.
    var days: Int64 { julianDay ?? Calendar.days(year: year, month: month, day: day) }

    // MARK: ISO

    /// `YYYY-MM-DD[( |T)HH:MM:SS[.ffffff][Z|±HH[:MM[:SS]]]]` and nothing else.
    private mutating func parseISO(_ text: UnsafeRawBufferPointer) -> Bool {
        func two(_ index: Int) -> Int? {
            guard index + 1 < text.count, text[index].isDigit, text[index + 1].isDigit else {
                return nil
            }
            return Int(text[index] - 48) * 10 + Int(text[index + 1] - 48)
        }
        guard text.count >= 10, let century = two(0), let low = two(2), text[4] == 0x2D,
            let monthField = two(5), text[7] == 0x2D, let dayField = two(8)
        else { return false }
        year = century * 100 + low
        month = monthField
        day = dayField
        hasYear = true
        hasMonth = true
        hasDay = true
        if text.count == 10 { return true }
        guard text[10] == 0x20 || text[10] == 0x54, let hourField = two(11), text.count >= 19,
            text[13] == 0x3A, let minuteField = two(14), text[16] == 0x3A, let second = two(17)
        else { return false }
        hour = hourField
        minute = minuteField
        secondMicros = Int64(second) * 1_000_000
        hasTime = true
        var index = 19
        if index < text.count, text[index] == 0x2E {
            index += 1
            var unit: Int64 = 100_000
            let first = index
            while index < text.count, text[index].isDigit {
                if unit == 0 { return false }
                secondMicros += Int64(text[index] - 48) * unit
                unit /= 10
                index += 1
            }
            if index == first { return false }
        }
        if index == text.count { return true }
        if text[index] == 0x5A, index + 1 == text.count {
            offset = 0
            return true
        }
        guard text[index] == 0x2B || text[index] == 0x2D, let hours = two(index + 1) else {
            return false
        }
        let sign: Int32 = text[index] == 0x2D ? -1 : 1
        var seconds = Int32(hours) * 3600
        index += 3
        if index < text.count {
            guard text[index] == 0x3A, let minutes = two(index + 1), index + 3 == text.count,
                minutes < 60
            else { return false }
            seconds += Int32(minutes) * 60
        }
        guard hours <= 15 else { return false }
        offset = sign * seconds
        return true
    }

    // MARK: Fields

    private mutating func parseFields(_ text: UnsafeRawBufferPointer) throws(Failure) {
        var index = 0
        func at(_ position: Int) -> UInt8 { position < text.count ? text[position] : 0 }
        var fields = 0
        while index < text.count {
            let byte = text[index]
            if byte.isSpace {
                index += 1
                continue
            }
            fields += 1
            if fields > 25 { throw .badFormat }
            let start = index
            if byte.isDigit {
                while at(index).isDigit { index += 1 }
                if at(index) == 0x3A {
                    while at(index).isDigit || at(index) == 0x3A || at(index) == 0x2E { index += 1 }
                    try timeField(text, start..<index)
                } else if at(index) == 0x2D || at(index) == 0x2F || at(index) == 0x2E {
                    let delimiter = at(index)
                    index += 1
                    if at(index).isDigit {
                        var isNumber = delimiter == 0x2E
                        while at(index).isDigit { index += 1 }
                        if at(index) == delimiter {
                            isNumber = false
                            while at(index).isDigit || at(index) == delimiter { index += 1 }
                        }
                        if isNumber {
                            try numberField(text, start..<index)
                        } else {
                            try dateField(text, start..<index)
                        }
                    } else if at(index).isLetter {
                        while at(index).isLetter || at(index).isDigit || at(index) == delimiter {
                            index += 1
                        }
                        try dateField(text, start..<index)
                    } else {
                        throw .badFormat
                    }
                } else {
                    try numberField(text, start..<index)
                }
            } else if byte == 0x2E {
                index += 1
                while at(index).isDigit { index += 1 }
                try numberField(text, start..<index)
            } else if byte.isLetter {
                while at(index).isLetter { index += 1 }
                let next = at(index)
                let word = String(decoding: text[start..<index], as: UTF8.self).lowercased()
                if word == "j", next.isDigit {
                    let numberStart = index
                    while at(index).isDigit { index += 1 }
                    guard
                        let value = Int64(
                            String(decoding: text[numberStart..<index], as: UTF8.self)),
                        value < 1 << 40
                    else { throw .fieldOverflow }
                    julianDay = value - Int64(Calendar.postgresEpochJulian)
                    hasYear = true
                    hasMonth = true
                    hasDay = true
                    continue
                }
                let isMonth = Self.month(word) != nil
                if next == 0x2D || next == 0x2F || next == 0x2E,
                    isMonth || !Self.isKeyword(word)
                {
                    while at(index).isLetter || at(index).isDigit || at(index) == 0x2D
                        || at(index) == 0x2F || at(index) == 0x2E || at(index) == 0x5F
                        || at(index) == 0x2B || at(index) == 0x3A
                    { index += 1 }
                    if isMonth {
                        try dateField(text, start..<index)
                    } else {
                        try zoneName(String(decoding: text[start..<index], as: UTF8.self))
                    }
                } else if next == 0x2B || next == 0x5F || next.isDigit, !Self.isKeyword(word),
                    !isMonth
                {
                    while at(index).isLetter || at(index).isDigit || at(index) == 0x2D
                        || at(index) == 0x2F || at(index) == 0x5F || at(index) == 0x2B
                    { index += 1 }
                    try zoneName(String(decoding: text[start..<index], as: UTF8.self))
                } else {
                    try wordField(word)
                }
            } else if byte == 0x2B || byte == 0x2D {
                index += 1
                while at(index).isSpace { index += 1 }
                if at(index).isDigit {
                    let digits = index
                    while at(index).isDigit || at(index) == 0x3A || at(index) == 0x2E { index += 1 }
                    try offsetField(text, digits..<index, negative: byte == 0x2D)
                } else if at(index).isLetter {
                    let wordStart = index
                    while at(index).isLetter { index += 1 }
                    let word = String(decoding: text[wordStart..<index], as: UTF8.self).lowercased()
                    guard word == "infinity" || word == "inf", special == nil else {
                        throw .badFormat
                    }
                    special = byte == 0x2D ? .negativeInfinity : .infinity
                } else {
                    throw .badFormat
                }
            } else if byte == 0x2C || byte == 0x2F || byte == 0x5C || byte == 0x28 || byte == 0x29 {
                // Stray punctuation is ignored.
                fields -= 1
                index += 1
            } else {
                throw .badFormat
            }
        }
        if fields == 0 { throw .badFormat }
    }

    private func number(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(Failure) -> Int {
        guard !range.isEmpty, range.count <= 10 else { throw .fieldOverflow }
        var value = 0
        for index in range {
            guard text[index].isDigit else { throw .badFormat }
            value = value * 10 + Int(text[index] - 48)
        }
        guard value <= Int(Int32.max) else { throw .fieldOverflow }
        return value
    }

    private mutating func timeField(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(Failure) {
        guard !hasTime else { throw .badFormat }
        let parts = Self.split(text, range, at: 0x3A)
        guard parts.count == 2 || parts.count == 3 else { throw .badFormat }
        hour = try number(text, parts[0])
        if parts.count == 2, text[parts[1]].contains(0x2E) {
            // mm:ss.f
            minute = hour
            hour = 0
            try secondField(text, parts[1])
        } else {
            minute = try number(text, parts[1])
            if parts.count == 3 { try secondField(text, parts[2]) } else { secondMicros = 0 }
        }
        hasTime = true
        guard hour < 1 << 20, minute < 60, secondMicros <= 60_000_000 else { throw .fieldOverflow }
    }

    private mutating func secondField(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(Failure) {
        let point = text[range].firstIndex(of: 0x2E) ?? range.upperBound
        secondMicros = Int64(try number(text, range.lowerBound..<point)) * 1_000_000
        if point < range.upperBound {
            secondMicros += try Self.fraction(text, (point + 1)..<range.upperBound)
        }
    }

    /// Fractional digits to µs, rounded.
    static func fraction(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(Failure) -> Int64 {
        var value: Int64 = 0
        var digits = 0
        var roundUp = false
        for index in range {
            guard text[index].isDigit else { throw .badFormat }
            if digits < 6 {
                value = value * 10 + Int64(text[index] - 48)
            } else if digits == 6 {
                roundUp = text[index] >= 0x35
            }
            digits += 1
        }
        while digits < 6 {
            value *= 10
            digits += 1
        }
        return value + (roundUp ? 1 : 0)
    }

    private static func split(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>, at delimiter: UInt8
    ) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var start = range.lowerBound
        for index in range where text[index] == delimiter {
            parts.append(start..<index)
            start = index + 1
        }
        parts.append(start..<range.upperBound)
        return parts
    }

    private mutating func dateField(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(Failure) {
        guard !hasDate else {
            throw .badFormat
        }
        guard
            let delimiterIndex = text[range].firstIndex(where: {
                $0 == 0x2D || $0 == 0x2F || $0 == 0x2E
            })
        else { throw .badFormat }
        let parts = Self.split(text, range, at: text[delimiterIndex])
        guard parts.count <= 3, parts.count >= 2 else { throw .badFormat }
        var numbers: [Range<Int>] = []
        for part in parts {
            guard let first = part.first else { throw .badFormat }
            if text[first].isLetter {
                let word = String(decoding: text[part], as: UTF8.self).lowercased()
                guard let value = Self.month(word), !hasMonth else { throw .badFormat }
                month = value
                hasMonth = true
                monthIsText = true
            } else {
                numbers.append(part)
            }
        }
        if parts.count == 2, !monthIsText {
            // YYYY.DDD
            if numbers[0].count >= 4, numbers[1].count == 3, !hasYear {
                try setYear(text, numbers[0])
                dayOfYear = try number(text, numbers[1])
                hasMonth = true
                hasDay = true
                return
            }
            throw .badFormat
        }
        for part in numbers { try dateNumber(text, part) }
    }

    /// One number of a date whose role follows from its length, what is known and DateStyle's order.
    private mutating func dateNumber(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(Failure) {
        let value = try number(text, range)
        let isLong = range.count >= 3
        if range.count == 3, hasYear, !hasMonth, !hasDay, value >= 1, value <= 366 {
            dayOfYear = value
            hasMonth = true
            hasDay = true
            return
        }
        switch (hasYear, hasMonth, hasDay) {
        case (false, false, false):
            if isLong || order == .ymd {
                try setYear(text, range)
            } else if order == .dmy {
                setDay(value)
            } else {
                setMonth(value)
            }
        case (true, false, false): setMonth(value)
        case (true, true, false): setDay(value)
        case (false, true, false):
            if monthIsText {
                if isLong || order == .ymd { try setYear(text, range) } else { setDay(value) }
            } else {
                setDay(value)
            }
        case (false, true, true): try setYear(text, range)
        case (false, false, true): setMonth(value)
        case (true, false, true): setMonth(value)
        case (true, true, true): throw .badFormat
        }
    }

    private mutating func setMonth(_ value: Int) {
        month = value
        hasMonth = true
    }
    private mutating func setDay(_ value: Int) {
        day = value
        hasDay = true
    }
    private mutating func setYear(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(Failure) {
        year = try number(text, range)
        yearIsShort = range.count <= 2
        hasYear = true
    }

    private mutating func numberField(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>
    ) throws(Failure) {
        let point = text[range].firstIndex(of: 0x2E)
        let whole = range.lowerBound..<(point ?? range.upperBound)
        let fractionRange = point.map { ($0 + 1)..<range.upperBound }
        if expectsISOTime || hasDate, !hasTime {
            // HHMMSS, HHMM or HH after the date.
            switch whole.count {
            case 6:
                hour = try number(text, whole.lowerBound..<(whole.lowerBound + 2))
                minute = try number(text, (whole.lowerBound + 2)..<(whole.lowerBound + 4))
                secondMicros =
                    Int64(try number(text, (whole.lowerBound + 4)..<whole.upperBound)) * 1_000_000
                if let fractionRange { secondMicros += try Self.fraction(text, fractionRange) }
            case 4 where fractionRange == nil:
                hour = try number(text, whole.lowerBound..<(whole.lowerBound + 2))
                minute = try number(text, (whole.lowerBound + 2)..<whole.upperBound)
            case 1...2 where fractionRange == nil && expectsISOTime:
                hour = try number(text, whole)
            default:
                throw .badFormat
            }
            hasTime = true
            guard minute < 60, secondMicros <= 60_000_000 else { throw .fieldOverflow }
            return
        }
        if let fractionRange {
            // YYYY.DDD and YYYYMMDD.fraction are all PostgreSQL takes here; the first is a date field.
            if whole.count >= 4, fractionRange.count == 3, !hasAnyDate {
                try setYear(text, whole)
                dayOfYear = try number(text, fractionRange)
                hasMonth = true
                hasDay = true
                return
            }
            throw .badFormat
        }
        if !hasYear, !hasMonth, !hasDay, whole.count == 8 || whole.count == 6 {
            let yearEnd = whole.upperBound - 4
            try setYear(text, whole.lowerBound..<yearEnd)
            setMonth(try number(text, yearEnd..<(yearEnd + 2)))
            setDay(try number(text, (yearEnd + 2)..<whole.upperBound))
            return
        }
        if whole.count > 8 { throw .fieldOverflow }
        try dateNumber(text, whole)
    }

    private mutating func offsetField(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>, negative: Bool
    ) throws(Failure) {
        guard offset == nil, zone == nil else { throw .badFormat }
        let parts = Self.split(text, range, at: 0x3A)
        var hours = 0
        var minutes = 0
        var seconds = 0
        if parts.count == 1 {
            let value = try number(text, parts[0])
            if parts[0].count > 4 {
                hours = value / 10000
                minutes = value / 100 % 100
                seconds = value % 100
            } else if parts[0].count > 2 {
                hours = value / 100
                minutes = value % 100
            } else {
                hours = value
            }
        } else {
            guard parts.count <= 3 else { throw .badFormat }
            hours = try number(text, parts[0])
            minutes = try number(text, parts[1])
            if parts.count == 3 { seconds = try number(text, parts[2]) }
        }
        guard hours <= 15, minutes < 60, seconds < 60 else { throw .zoneDisplacement }
        let total = Int32(hours * 3600 + minutes * 60 + seconds)
        offset = negative ? -total : total
    }

    private mutating func zoneName(_ name: String) throws(Failure) {
        guard offset == nil, zone == nil else { throw .badFormat }
        guard let found = TimeZoneRules.named(name) else { throw .unknownZone(name.lowercased()) }
        zone = found
    }

    private mutating func wordField(_ word: String) throws(Failure) {
        if let value = Self.month(word) {
            if hasMonth, !monthIsText, !hasDay, !hasYear {
                // "2 Jan 1999": the number taken for a month was the day.
                day = month
                hasDay = true
            } else if hasMonth {
                throw .badFormat
            }
            month = value
            hasMonth = true
            monthIsText = true
            return
        }
        switch word {
        case "am": isPM = false
        case "pm": isPM = true
        case "bc", "ad":
            if isBC || isAD { throw .badFormat }
            isBC = word == "bc"
            isAD = word == "ad"
        case "t":
            expectsISOTime = true
        case "z", "zulu", "utc", "gmt", "ut", "uct":
            guard offset == nil, zone == nil else { throw .badFormat }
            offset = 0
        case "epoch": try setSpecial(.epoch)
        case "infinity", "inf": try setSpecial(.infinity)
        case "now": try setSpecial(.now)
        case "today": try setSpecial(.today)
        case "tomorrow": try setSpecial(.tomorrow)
        case "yesterday": try setSpecial(.yesterday)
        case "allballs":
            hasTime = true
            offset = 0
        case "on", "at": break
        default:
            if Self.isWeekday(word) { return }
            if let value = TimeZoneAbbreviations.offset(word.uppercased()) {
                guard offset == nil, zone == nil else { throw .badFormat }
                offset = value
                return
            }
            if word.utf8.count >= 3, let found = TimeZoneRules.named(word) {
                guard offset == nil, zone == nil else { throw .badFormat }
                zone = found
                return
            }
            throw .badFormat
        }
    }

    private mutating func setSpecial(_ value: Special) throws(Failure) {
        guard special == nil else { throw .badFormat }
        special = value
    }

    private static let keywords: Set<String> = [
        "am", "pm", "bc", "ad", "t", "z", "zulu", "utc", "epoch", "infinity", "now", "today",
        "tomorrow", "yesterday", "allballs", "on", "at",
    ]
    private static func isKeyword(_ word: String) -> Bool {
        keywords.contains(word) || isWeekday(word)
    }

    static func month(_ word: String) -> Int? {
        switch word {
        case "jan", "january": 1
        case "feb", "february": 2
        case "mar", "march": 3
        case "apr", "april": 4
        case "may": 5
        case "jun", "june": 6
        case "jul", "july": 7
        case "aug", "august": 8
        case "sep", "sept", "september": 9
        case "oct", "october": 10
        case "nov", "november": 11
        case "dec", "december": 12
        default: nil
        }
    }

    private static func isWeekday(_ word: String) -> Bool {
        switch word {
        case "sun", "sunday", "mon", "monday", "tue", "tues", "tuesday", "wed", "weds",
            "wednesday", "thu", "thur", "thurs", "thursday", "fri", "friday", "sat", "saturday":
            true
        default: false
        }
    }

    // MARK: Validation

    private mutating func finish() throws(Failure) {
        if special != nil {
            if hasAnyDate { throw .badFormat }
        }
        if hasTime {
            if let isPM {
                guard hour <= 12 else { throw .fieldOverflow }
                if isPM { if hour != 12 { hour += 12 } } else if hour == 12 { hour = 0 }
            }
            guard hour <= 24, minute < 60, secondMicros <= 60_000_000 else { throw .fieldOverflow }
            time = Int64(hour) * 3_600_000_000 + Int64(minute) * 60_000_000 + secondMicros
            guard time <= 86_400_000_000 else { throw .fieldOverflow }
        }
        guard hasAnyDate else { return }
        if julianDay != nil { return }
        guard hasDate else { throw .badFormat }
        if isBC {
            guard year > 0 else { throw .fieldOverflow }
            year = 1 - year
        } else if yearIsShort {
            if year < 70 { year += 2000 } else if year < 100 { year += 1900 }
        } else if year <= 0 {
            throw .fieldOverflow
        }
        guard year < 10_000_000 else { throw .fieldOverflow }
        if let dayOfYear {
            // Day 366 of a common year is the next year's first, as PostgreSQL has it.
            guard dayOfYear >= 1, dayOfYear <= 366 else { throw .fieldOverflow }
            (year, month, day) = Calendar.date(
                Calendar.days(year: year, month: 1, day: 1) + Int64(dayOfYear - 1))
        }
        guard month >= 1, month <= 12 else { throw .monthDayOverflow }
        guard day >= 1, day <= 31 else { throw .monthDayOverflow }
        guard day <= Calendar.daysInMonth(month, year: year) else { throw .fieldOverflow }
    }
}
