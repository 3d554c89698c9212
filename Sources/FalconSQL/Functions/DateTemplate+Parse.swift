import FalconSchema

extension DateTemplate {
    /// What to_timestamp and to_date found.
    struct Parsed {
        var year: Int?
        var month = 1
        var day = 1
        var dayOfYear: Int?
        var julian: Int64?
        var hour = 0
        var minute = 0
        var second = 0
        var micros: Int64 = 0
        var isPM: Bool?
        var usesHour12 = false
        var isBC = false
        var offset: Int32?

        func timestamp(_ text: String) throws(SQLError) -> Int64 {
            func outOfRange() -> SQLError {
                SQLError(
                    .datetimeFieldOverflow, "date/time field value out of range: \"\(text)\"")
            }
            var hour = hour
            if usesHour12 {
                guard hour >= 1, hour <= 12 else {
                    throw SQLError(
                        .invalidDatetimeFormat,
                        "hour \"\(hour)\" is invalid for the 12-hour clock",
                        hint: "Use the 24-hour clock, or give an hour between 1 and 12.")
                }
                if isPM == true, hour < 12 {
                    hour += 12
                } else if isPM == false, hour == 12 {
                    hour = 0
                }
            }
            var days: Int64
            if let julian {
                days = julian - 2_451_545
            } else {
                // Without a year: 1 BC, as PostgreSQL has it.
                var year = year ?? 0
                if isBC { year = 1 - year }
                guard abs(year) < 6_000_000 else { throw outOfRange() }
                if let dayOfYear {
                    guard dayOfYear >= 1, dayOfYear <= (Calendar.isLeap(year) ? 366 : 365) else {
                        throw outOfRange()
                    }
                    days = Calendar.days(year: year, month: 1, day: 1) + Int64(dayOfYear - 1)
                } else {
                    guard month >= 1, month <= 12, day >= 1,
                        day <= Calendar.daysInMonth(month, year: year)
                    else { throw outOfRange() }
                    days = Calendar.days(year: year, month: month, day: day)
                }
            }
            guard hour >= 0, hour < 24, minute < 60, second < 60 else { throw outOfRange() }
            let time =
                Int64(hour * 3600 + minute * 60 + second) * 1_000_000 + micros
            guard let value = Calendar.timestamp(days: days, time: time) else {
                throw DateTimeMath.timestampOutOfRange
            }
            days = value
            return value
        }
    }

    func parse(_ text: String) throws(SQLError) -> Parsed {
        let bytes = Array(text.utf8)
        var index = 0
        var result = Parsed()
        func skipSpaces() {
            while index < bytes.count, bytes[index] == 0x20 { index += 1 }
        }
        func word(_ names: [String], _ full: Bool) -> Int? {
            for (number, name) in names.enumerated() {
                let wanted = full ? name : String(name.prefix(3))
                let count = wanted.utf8.count
                if bytes.count - index >= count,
                    zip(bytes[index..<(index + count)], wanted.utf8).allSatisfy({
                        $0 | 0x20 == $1 | 0x20
                    })
                {
                    index += count
                    return number
                }
            }
            return nil
        }
        skipSpaces()
        for (place, item) in items.enumerated() {
            guard let field = item.field else {
                if item.literal.utf8.allSatisfy({
                    !$0.isDigit && !($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A)
                }) {
                    // Separators match any separator, or nothing.
                    if item.literal == " " {
                        skipSpaces()
                    } else if index < bytes.count, !bytes[index].isDigit,
                        !(bytes[index] | 0x20 >= 0x61 && bytes[index] | 0x20 <= 0x7A),
                        !(bytes[index] == 0x2D && bytes[index] != item.literal.utf8.first)
                    {
                        index += 1
                    }
                } else {
                    index = min(bytes.count, index + item.literal.utf8.count)
                }
                continue
            }
            skipSpaces()
            // A numeric field right before another takes only its own width.
            let nextIsNumber = place + 1 < items.count && items[place + 1].field != nil
            func number(_ width: Int) throws(SQLError) -> Int {
                var value = 0
                var count = 0
                var sign = 1
                if index < bytes.count, bytes[index] == 0x2D {
                    sign = -1
                    index += 1
                }
                let limit = nextIsNumber ? width : 12
                while index < bytes.count, count < limit, bytes[index].isDigit {
                    value = value * 10 + Int(bytes[index] - 48)
                    count += 1
                    index += 1
                }
                if count == 0 {
                    let rest = String(decoding: bytes[index...].prefix(width), as: UTF8.self)
                    throw SQLError(
                        .invalidDatetimeFormat,
                        "invalid value \"\(rest)\" for \"\(field.rawValue)\"",
                        detail: "Value must be an integer.")
                }
                return sign * value
            }
            func fraction(_ width: Int) throws(SQLError) {
                var value: Int64 = 0
                var count = 0
                while index < bytes.count, bytes[index].isDigit, count < width {
                    value = value * 10 + Int64(bytes[index] - 48)
                    count += 1
                    index += 1
                }
                while count < 6 {
                    value *= 10
                    count += 1
                }
                result.micros += value
            }
            if index >= bytes.count { break }
            switch field {
            case .YYYY, .IYYY: result.year = try number(4)
            case .YCommaYYY:
                let thousands = try number(3)
                if index < bytes.count, bytes[index] == 0x2C { index += 1 }
                result.year = thousands * 1000 + (try number(3))
            case .YYY, .IYY: result.year = Self.century(try number(3), 3)
            case .YY, .IY: result.year = Self.century(try number(2), 2)
            case .Y, .I: result.year = Self.century(try number(1), 1)
            case .MM: result.month = try number(2)
            case .DD: result.day = try number(2)
            case .DDD, .IDDD: result.dayOfYear = try number(3)
            case .J: result.julian = Int64(try number(9))
            case .HH24: result.hour = try number(2)
            case .HH, .HH12:
                result.hour = try number(2)
                result.usesHour12 = true
            case .MI: result.minute = try number(2)
            case .SS: result.second = try number(2)
            case .SSSS, .SSSSS:
                let seconds = try number(5)
                result.hour = seconds / 3600
                result.minute = seconds / 60 % 60
                result.second = seconds % 60
            case .MS, .FF3: try fraction(3)
            case .US, .FF6: try fraction(6)
            case .FF1: try fraction(1)
            case .FF2: try fraction(2)
            case .FF4: try fraction(4)
            case .FF5: try fraction(5)
            case .MONTH, .Month, .month, .TMMonth, .MON, .Mon, .mon, .TMMon:
                guard let found = word(Self.monthNames, true) ?? word(Self.monthNames, false) else {
                    throw Self.invalid(bytes, index, field)
                }
                result.month = found + 1
            case .DAY, .Day, .day, .TMDay, .DY, .Dy, .dy, .TMDy:
                guard word(Self.dayNames, true) ?? word(Self.dayNames, false) != nil else {
                    throw Self.invalid(bytes, index, field)
                }
            case .AM, .PM, .am, .pm, .AM_, .PM_, .am_, .pm_:
                guard let found = word(["A.M.", "P.M.", "AM", "PM"], true) else {
                    throw Self.invalid(bytes, index, field)
                }
                result.isPM = found % 2 == 1
                result.usesHour12 = true
            case .AD, .BC, .ad, .bc, .AD_, .BC_, .ad_, .bc_:
                guard let found = word(["A.D.", "B.C.", "AD", "BC"], true) else {
                    throw Self.invalid(bytes, index, field)
                }
                result.isBC = found % 2 == 1
            case .TZH, .OF:
                var sign: Int32 = 1
                if bytes[index] == 0x2B || bytes[index] == 0x2D {
                    sign = bytes[index] == 0x2D ? -1 : 1
                    index += 1
                }
                result.offset = sign * Int32(clamping: try number(2)) * 3600
            case .TZM:
                let minutes = Int32(clamping: try number(2)) * 60
                let base = result.offset ?? 0
                result.offset = base < 0 ? base - minutes : base + minutes
            case .D, .ID, .W, .WW, .IW, .Q, .CC: _ = try number(2)
            case .RM, .rm:
                var letters = ""
                while index < bytes.count, "IVXivx".utf8.contains(bytes[index]) {
                    letters.append(Character(Unicode.Scalar(bytes[index])))
                    index += 1
                }
                guard let found = Self.roman.firstIndex(of: letters.uppercased()) else {
                    throw Self.invalid(bytes, index, field)
                }
                result.month = found + 1
            case .TZ, .tz:
                throw SQLError(
                    .featureNotSupported,
                    "formatting field \"\(field.rawValue)\" is only supported in to_char")
            }
        }
        return result
    }

    private static func invalid(_ bytes: [UInt8], _ index: Int, _ field: Field) -> SQLError {
        SQLError(
            .invalidDatetimeFormat,
            "invalid value \"\(String(decoding: bytes[min(index, bytes.count)...].prefix(field.rawValue.utf8.count), as: UTF8.self))\" for \"\(field.rawValue)\"",
            detail: "The given value did not match any of the allowed values for this field.")
    }

    /// Short years mean the one nearest to 2020.
    private static func century(_ year: Int, _ digits: Int) -> Int {
        switch digits {
        case 1: return 2020 + year
        case 2: return year < 70 ? 2000 + year : 1900 + year
        default: return year < 520 ? 2000 + year : 1000 + year
        }
    }
}
