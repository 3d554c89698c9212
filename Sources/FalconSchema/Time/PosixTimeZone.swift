/// A POSIX TZ rule such as `EST5EDT,M3.2.0,M11.1.0` or `<+0330>-3:30`.
struct PosixTimeZone: Sendable {
    enum Day: Sendable {
        /// Month, week 1...5, weekday 0...6.
        case monthWeekDay(Int, Int, Int)
        /// 1...365, February 29 never counted.
        case julian(Int)
        /// 0...365.
        case zeroBased(Int)
    }
    struct Change: Sendable {
        var day: Day
        /// Seconds after local midnight.
        var time: Int64
    }

    var standard: TimeZoneRules.LocalType
    var daylight: TimeZoneRules.LocalType?
    var start: Change?
    var end: Change?

    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count <= 128 else { return nil }
        var index = 0
        func abbreviation() -> String? {
            if index < bytes.count, bytes[index] == UInt8(ascii: "<") {
                guard let close = bytes[index...].firstIndex(of: UInt8(ascii: ">")) else {
                    return nil
                }
                let name = String(decoding: bytes[(index + 1)..<close], as: UTF8.self)
                index = close + 1
                return name
            }
            let first = index
            while index < bytes.count, bytes[index].isLetter { index += 1 }
            return index - first >= 3 ? String(decoding: bytes[first..<index], as: UTF8.self) : nil
        }
        func number() -> Int64? {
            let first = index
            var value: Int64 = 0
            while index < bytes.count, bytes[index].isDigit, index - first < 6 {
                value = value * 10 + Int64(bytes[index] - 48)
                index += 1
            }
            return index > first ? value : nil
        }
        func duration() -> Int64? {
            var sign: Int64 = 1
            if index < bytes.count,
                bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+")
            {
                if bytes[index] == UInt8(ascii: "-") { sign = -1 }
                index += 1
            }
            guard let hours = number(), hours <= 167 else { return nil }
            var seconds = hours * 3600
            var unit: Int64 = 60
            while unit > 0, index < bytes.count, bytes[index] == UInt8(ascii: ":") {
                index += 1
                guard let part = number(), part < 60 else { return nil }
                seconds += part * unit
                unit = unit == 60 ? 1 : 0
            }
            return sign * seconds
        }
        func change() -> Change? {
            guard index < bytes.count, bytes[index] == UInt8(ascii: ",") else { return nil }
            index += 1
            guard index < bytes.count else { return nil }
            let day: Day
            if bytes[index] == UInt8(ascii: "M") {
                index += 1
                guard let month = number(), (1...12).contains(month), index < bytes.count else {
                    return nil
                }
                index += 1
                guard let week = number(), (1...5).contains(week), index < bytes.count else {
                    return nil
                }
                index += 1
                guard let weekday = number(), weekday <= 6 else { return nil }
                day = .monthWeekDay(Int(month), Int(week), Int(weekday))
            } else if bytes[index] == UInt8(ascii: "J") {
                index += 1
                guard let value = number(), (1...365).contains(value) else { return nil }
                day = .julian(Int(value))
            } else {
                guard let value = number(), value <= 365 else { return nil }
                day = .zeroBased(Int(value))
            }
            var time: Int64 = 7200
            if index < bytes.count, bytes[index] == UInt8(ascii: "/") {
                index += 1
                guard let value = duration() else { return nil }
                time = value
            }
            return Change(day: day, time: time)
        }

        guard let name = abbreviation(), let west = duration() else { return nil }
        standard = TimeZoneRules.LocalType(
            offset: Int32(-west), isDST: false, abbreviation: name)
        guard index < bytes.count else { return }
        guard let summerName = abbreviation() else { return nil }
        var summerOffset = -west + 3600
        if index < bytes.count, bytes[index] != UInt8(ascii: ",") {
            guard let value = duration() else { return nil }
            summerOffset = -value
        }
        daylight = TimeZoneRules.LocalType(
            offset: Int32(summerOffset), isDST: true, abbreviation: summerName)
        if index == bytes.count {
            start = Change(day: .monthWeekDay(3, 2, 0), time: 7200)
            end = Change(day: .monthWeekDay(11, 1, 0), time: 7200)
        } else {
            guard let first = change(), let second = change(), index == bytes.count else {
                return nil
            }
            start = first
            end = second
        }
    }

    /// The two transitions of a year, in time order.
    private func transitions(year: Int) -> [TimeZoneRules.Transition] {
        guard let daylight, let start, let end else { return [] }
        let on = instant(start, year: year, offset: standard.offset)
        let off = instant(end, year: year, offset: daylight.offset)
        let first = TimeZoneRules.Transition(at: on, type: daylight)
        let second = TimeZoneRules.Transition(at: off, type: standard)
        return on < off ? [first, second] : [second, first]
    }

    private func instant(_ change: Change, year: Int, offset: Int32) -> Int64 {
        let days: Int64
        switch change.day {
        case .monthWeekDay(let month, let week, let weekday):
            let first = Calendar.days(year: year, month: month, day: 1)
            var day = (weekday - Calendar.dayOfWeek(first) + 7) % 7 + (week - 1) * 7
            while day >= Calendar.daysInMonth(month, year: year) { day -= 7 }
            days = first + Int64(day)
        case .julian(let number):
            let leap = Calendar.isLeap(year) && number >= 60 ? 1 : 0
            days = Calendar.days(year: year, month: 1, day: 1) + Int64(number - 1 + leap)
        case .zeroBased(let number):
            days = Calendar.days(year: year, month: 1, day: 1) + Int64(number)
        }
        return days * 86_400 + Calendar.epochSeconds + change.time - Int64(offset)
    }

    private func year(ofUnix seconds: Int64) -> Int {
        let days = (seconds - Calendar.epochSeconds) / 86_400
        return Calendar.date(days).year
    }

    func localType(atUnix seconds: Int64) -> TimeZoneRules.LocalType {
        guard daylight != nil else { return standard }
        let year = year(ofUnix: seconds)
        var result = standard
        for candidate in (year - 1)...(year + 1) {
            for transition in transitions(year: candidate) where transition.at <= seconds {
                result = transition.type
            }
        }
        return result
    }

    func nextTransition(afterUnix seconds: Int64) -> TimeZoneRules.Transition? {
        guard daylight != nil else { return nil }
        let year = year(ofUnix: seconds)
        for candidate in (year - 1)...(year + 1) {
            for transition in transitions(year: candidate) where transition.at > seconds {
                return transition
            }
        }
        return nil
    }
}
