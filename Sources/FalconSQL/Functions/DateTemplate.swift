import FalconSchema

/// to_char, to_timestamp and to_date templates for dates and times.
struct DateTemplate {
    enum Field: String, CaseIterable {
        // Longest first: the first that matches is taken.
        case TMMonth, TMMon, TMDay, TMDy
        case YCommaYYY = "Y,YYY"
        case SSSSS, MONTH, Month, month, IYYY, YYYY, SSSS, HH24, HH12
        case AD_ = "A.D.", ad_ = "a.d.", BC_ = "B.C.", bc_ = "b.c."
        case AM_ = "A.M.", am_ = "a.m.", PM_ = "P.M.", pm_ = "p.m."
        case MON, Mon, mon, DAY, Day, day, DDD, IDDD, IYY, YYY, FF1, FF2, FF3, FF4, FF5, FF6, TZH,
            TZM
        case AD, ad, BC, bc, AM, am, PM, pm, DY, Dy, dy, DD, ID, IW, IY, YY, HH, MI, MM, MS, US, SS
        case WW, CC, RM, rm, TZ, tz, OF, Y, I, D, W, J, Q
    }
    struct Item {
        var field: Field?
        var literal = ""
        var isFilled = true
        var ordinal: String?
    }
    let items: [Item]

    private static let fields: [(Field, [UInt8])] = Field.allCases
        .map { ($0, Array($0.rawValue.utf8)) }
        .sorted { $0.1.count > $1.1.count }

    init(_ template: String) {
        let bytes = Array(template.utf8)
        var items: [Item] = []
        var index = 0
        var isFilled = true
        while index < bytes.count {
            if bytes.count - index >= 2, bytes[index] == UInt8(ascii: "F"),
                bytes[index + 1] == UInt8(ascii: "M")
            {
                isFilled = false
                index += 2
                continue
            }
            if bytes.count - index >= 2, bytes[index] == UInt8(ascii: "F"),
                bytes[index + 1] == UInt8(ascii: "X")
            {
                index += 2
                continue
            }
            if bytes[index] == UInt8(ascii: "\"") {
                index += 1
                var text: [UInt8] = []
                while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                    if bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count { index += 1 }
                    text.append(bytes[index])
                    index += 1
                }
                index += 1
                items.append(Item(literal: String(decoding: text, as: UTF8.self)))
                continue
            }
            if let (field, width) = Self.field(bytes, index) {
                index += width
                var item = Item(field: field, isFilled: isFilled)
                isFilled = true
                if bytes.count - index >= 2 {
                    let pair = String(decoding: bytes[index..<(index + 2)], as: UTF8.self)
                    if pair == "TH" || pair == "th" {
                        item.ordinal = pair
                        index += 2
                    }
                }
                items.append(item)
                continue
            }
            var end = index + 1
            while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
            if bytes[index] == UInt8(ascii: "\\"), end < bytes.count,
                bytes[end] == UInt8(ascii: "\"")
            {
                index = end
                end += 1
            }
            items.append(Item(literal: String(decoding: bytes[index..<end], as: UTF8.self)))
            index = end
        }
        self.items = items
    }

    private static func field(_ bytes: [UInt8], _ index: Int) -> (Field, Int)? {
        for (field, name) in fields where bytes.count - index >= name.count {
            if bytes[index..<(index + name.count)].elementsEqual(name) {
                return (field, name.count)
            }
        }
        // Numeric fields are the same in lower case.
        for (field, name) in fields where bytes.count - index >= name.count {
            guard !spelled.contains(field.rawValue.lowercased()) else { continue }
            if zip(bytes[index...], name).allSatisfy({ $0 & ~0x20 == $1 & ~0x20 }) {
                return (field, name.count)
            }
        }
        return nil
    }
    /// Fields whose letters' case says how the result is spelled.
    private static let spelled: Set<String> = [
        "month", "mon", "day", "dy", "ad", "bc", "am", "pm", "rm", "tz", "a.d.", "b.c.", "a.m.",
        "p.m.", "tmmonth", "tmmon", "tmday", "tmdy",
    ]

    static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ]
    static let dayNames = [
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    ]
    static let roman = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]

    /// What a template is filled from.
    struct Reading {
        var days: Int64 = 0
        var year = 0
        var month = 0
        var day = 0
        /// Not reduced to a day: intervals count on.
        var hour = 0
        var minute = 0
        var second = 0
        var micros = 0
        var isInterval = false
        var zone = ""
        var offset: Int32 = 0

        init(timestamp: Int64) {
            let (days, time) = Calendar.split(timestamp)
            self.days = days
            (year, month, day) = Calendar.date(days)
            setTime(time)
        }
        init(interval: Interval) {
            isInterval = true
            year = Int(interval.months) / 12
            month = Int(interval.months) % 12
            day = Int(interval.days)
            setTime(interval.micros)
        }
        private mutating func setTime(_ time: Int64) {
            hour = Int(time / 3_600_000_000)
            minute = Int(time / 60_000_000 % 60)
            second = Int(time / 1_000_000 % 60)
            micros = Int(time % 1_000_000)
        }
    }

    func format(_ r: Reading) throws(SQLError) -> String {
        var result = ""
        for item in items {
            guard let field = item.field else {
                result += item.literal
                continue
            }
            let (text, number) = try Self.text(field, r, item.isFilled)
            result += text
            if let ordinal = item.ordinal, number {
                let suffix = NumberTemplate.ordinal(Array(text.utf8))
                result += ordinal == "TH" ? suffix.uppercased() : suffix
            }
        }
        return result
    }

    private static func padded(_ value: Int, _ width: Int, _ isFilled: Bool) -> String {
        let digits = String(value.magnitude)
        let zeros = isFilled ? String(repeating: "0", count: max(0, width - digits.utf8.count)) : ""
        return (value < 0 ? "-" : "") + zeros + digits
    }

    private static func name(_ text: String, _ width: Int, _ isFilled: Bool) -> String {
        isFilled ? text + String(repeating: " ", count: max(0, width - text.utf8.count)) : text
    }

    private static func text(
        _ field: Field, _ r: Reading, _ isFilled: Bool
    ) throws(SQLError) -> (String, Bool) {
        func number(_ value: Int, _ width: Int) -> (String, Bool) {
            (padded(value, width, isFilled), true)
        }
        func plain(_ text: String) -> (String, Bool) { (text, false) }
        func needsDate() throws(SQLError) {
            if r.isInterval {
                throw SQLError(
                    .invalidDatetimeFormat, "invalid format specification for an interval value",
                    hint: "Intervals are not tied to specific calendar dates.")
            }
        }
        let shownYear = r.isInterval ? r.year : (r.year > 0 ? r.year : 1 - r.year)
        let hour12 = r.hour % 12 == 0 ? 12 : abs(r.hour % 12)
        let isPM = r.hour % 24 >= 12
        func monthName(_ index: Int) -> String {
            index >= 1 && index <= 12 ? monthNames[index - 1] : ""
        }
        switch field {
        case .HH24: return number(r.hour, r.hour < 0 ? 2 : 2)
        case .HH12, .HH: return number(r.isInterval && r.hour == 0 ? 12 : hour12, 2)
        case .MI: return number(r.minute, 2)
        case .SS: return number(r.second, 2)
        case .MS, .FF3: return number(r.micros / 1000, 3)
        case .US, .FF6: return number(r.micros, 6)
        case .FF1: return number(r.micros / 100_000, 1)
        case .FF2: return number(r.micros / 10_000, 2)
        case .FF4: return number(r.micros / 100, 4)
        case .FF5: return number(r.micros / 10, 5)
        case .SSSS, .SSSSS: return (String(r.hour * 3600 + r.minute * 60 + r.second), true)
        case .AM, .PM: return plain(isPM ? "PM" : "AM")
        case .am, .pm: return plain(isPM ? "pm" : "am")
        case .AM_, .PM_: return plain(isPM ? "P.M." : "A.M.")
        case .am_, .pm_: return plain(isPM ? "p.m." : "a.m.")
        case .AD, .BC: return plain(r.year <= 0 ? "BC" : "AD")
        case .ad, .bc: return plain(r.year <= 0 ? "bc" : "ad")
        case .AD_, .BC_: return plain(r.year <= 0 ? "B.C." : "A.D.")
        case .ad_, .bc_: return plain(r.year <= 0 ? "b.c." : "a.d.")
        case .YCommaYYY:
            let thousands = shownYear / 1000
            return (
                String(thousands) + "," + padded(abs(shownYear) % 1000, 3, true), true
            )
        case .YYYY: return number(shownYear, 4)
        case .YYY: return number(shownYear % 1000, 3)
        case .YY: return number(shownYear % 100, 2)
        case .Y: return number(shownYear % 10, 1)
        case .IYYY, .IYY, .IY, .I:
            try needsDate()
            let year = Calendar.isoWeek(r.days).year
            switch field {
            case .IYYY: return number(year, 4)
            case .IYY: return number(year % 1000, 3)
            case .IY: return number(year % 100, 2)
            default: return number(year % 10, 1)
            }
        case .MONTH: return plain(name(monthName(r.month).uppercased(), 9, isFilled))
        case .Month: return plain(name(monthName(r.month), 9, isFilled))
        case .month: return plain(name(monthName(r.month).lowercased(), 9, isFilled))
        case .TMMonth: return plain(monthName(r.month))
        case .MON: return plain(String(monthName(r.month).uppercased().prefix(3)))
        case .Mon, .TMMon: return plain(String(monthName(r.month).prefix(3)))
        case .mon: return plain(String(monthName(r.month).lowercased().prefix(3)))
        case .MM: return number(r.month, 2)
        case .DAY, .Day, .day, .TMDay, .DY, .Dy, .dy, .TMDy:
            try needsDate()
            let day = dayNames[Calendar.dayOfWeek(r.days)]
            switch field {
            case .DAY: return plain(name(day.uppercased(), 9, isFilled))
            case .Day: return plain(name(day, 9, isFilled))
            case .day: return plain(name(day.lowercased(), 9, isFilled))
            case .TMDay: return plain(day)
            case .DY: return plain(String(day.uppercased().prefix(3)))
            case .dy: return plain(String(day.lowercased().prefix(3)))
            default: return plain(String(day.prefix(3)))
            }
        case .DDD:
            if r.isInterval { return number(r.day + r.month * 30 + r.year * 360, 3) }
            return number(
                Int(r.days - Calendar.days(year: r.year, month: 1, day: 1)) + 1, 3)
        case .IDDD:
            try needsDate()
            let start = Calendar.isoYearStart(Calendar.isoWeek(r.days).year)
            return number(Int(r.days - start) + 1, 3)
        case .DD: return number(r.day, 2)
        case .D:
            try needsDate()
            return number(Calendar.dayOfWeek(r.days) + 1, 1)
        case .ID:
            try needsDate()
            let day = Calendar.dayOfWeek(r.days)
            return number(day == 0 ? 7 : day, 1)
        case .WW:
            let day = Int(r.days - Calendar.days(year: r.year, month: 1, day: 1))
            return number(day / 7 + 1, 2)
        case .IW:
            try needsDate()
            return number(Calendar.isoWeek(r.days).week, 2)
        case .W: return number((r.day - 1) / 7 + 1, 1)
        case .Q: return number(max(0, r.month - 1) / 3 + 1, 1)
        case .CC:
            let century =
                r.isInterval
                ? r.year / 100 : (r.year > 0 ? (r.year + 99) / 100 : -((100 - r.year) / 100))
            return number(century, 2)
        case .J: return (String(r.days + 2_451_545), true)
        case .RM, .rm:
            guard r.month >= 1, r.month <= 12 else { return plain("") }
            let text = name(roman[r.month - 1], 4, isFilled)
            return plain(field == .rm ? text.lowercased() : text)
        case .TZ: return plain(r.zone.uppercased())
        case .tz: return plain(r.zone.lowercased())
        case .TZH:
            return plain((r.offset < 0 ? "-" : "+") + padded(Int(abs(r.offset) / 3600), 2, true))
        case .TZM: return plain(padded(Int(abs(r.offset) / 60 % 60), 2, true))
        case .OF:
            let minutes = Int(abs(r.offset) / 60 % 60)
            return plain(
                (r.offset < 0 ? "-" : "+") + padded(Int(abs(r.offset) / 3600), 2, true)
                    + (minutes == 0 ? "" : ":" + padded(minutes, 2, true)))
        }
    }
}
