import FalconStorage

/// Intervals to text, in the four IntervalStyles.
public enum IntervalOutput {
    public static func append(
        _ interval: Interval, style: DisplaySettings.IntervalStyle, to writer: inout ByteWriter
    ) {
        let year = Int(interval.months) / 12
        let month = Int(interval.months) % 12
        let day = Int(interval.days)
        let hour = Int(interval.micros / 3_600_000_000)
        let minute = Int(interval.micros / 60_000_000 % 60)
        let seconds = interval.micros % 60_000_000
        switch style {
        case .postgres: postgres(year, month, day, interval.micros, &writer)
        case .postgresVerbose: verbose(year, month, day, hour, minute, seconds, &writer)
        case .iso8601: iso(year, month, day, hour, minute, seconds, &writer)
        case .sqlStandard: sql(year, month, day, hour, minute, seconds, &writer)
        }
    }

    private static func postgres(
        _ year: Int, _ month: Int, _ day: Int, _ micros: Int64, _ writer: inout ByteWriter
    ) {
        var isFirst = true
        var isBefore = false
        func part(_ value: Int, _ unit: StaticString) {
            guard value != 0 else { return }
            if !isFirst { writer.append(UInt8(ascii: " ")) }
            if isBefore, value > 0 { writer.append(UInt8(ascii: "+")) }
            writer.appendDecimal(Int64(value))
            writer.append(UInt8(ascii: " "))
            writer.append(ascii: unit)
            if value != 1 { writer.append(UInt8(ascii: "s")) }
            isBefore = value < 0
            isFirst = false
        }
        part(year, "year")
        part(month, "mon")
        part(day, "day")
        guard isFirst || micros != 0 else { return }
        if !isFirst { writer.append(UInt8(ascii: " ")) }
        if micros < 0 {
            writer.append(UInt8(ascii: "-"))
        } else if isBefore {
            writer.append(UInt8(ascii: "+"))
        }
        appendClock(micros.magnitude, to: &writer)
    }

    /// HH:MM:SS[.f] with as many hour digits as needed.
    private static func appendClock(_ micros: UInt64, to writer: inout ByteWriter) {
        writer.appendDecimal(micros / 3_600_000_000, paddedTo: 2)
        writer.append(UInt8(ascii: ":"))
        writer.appendTwoDigits(Int(micros / 60_000_000 % 60))
        writer.append(UInt8(ascii: ":"))
        writer.appendTwoDigits(Int(micros / 1_000_000 % 60))
        DateTimeOutput.appendFraction(Int64(micros % 1_000_000), to: &writer)
    }

    private static func verbose(
        _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ seconds: Int64,
        _ writer: inout ByteWriter
    ) {
        writer.append(UInt8(ascii: "@"))
        var isFirst = true
        var isBefore = false
        func part(_ value: Int, _ unit: StaticString) {
            guard value != 0 else { return }
            var shown = value
            if isFirst {
                isBefore = value < 0
                shown = abs(value)
                isFirst = false
            } else if isBefore {
                shown = -value
            }
            writer.append(UInt8(ascii: " "))
            writer.appendDecimal(Int64(shown))
            writer.append(UInt8(ascii: " "))
            writer.append(ascii: unit)
            if shown != 1 { writer.append(UInt8(ascii: "s")) }
        }
        part(year, "year")
        part(month, "mon")
        part(day, "day")
        part(hour, "hour")
        part(minute, "min")
        if seconds != 0 {
            writer.append(UInt8(ascii: " "))
            if seconds < 0 || (isBefore && !isFirst) {
                if isFirst {
                    isBefore = true
                } else if !(isBefore && seconds < 0) {
                    writer.append(UInt8(ascii: "-"))
                }
            }
            appendSeconds(seconds.magnitude, to: &writer)
            writer.append(ascii: " sec")
            if seconds.magnitude != 1_000_000 { writer.append(UInt8(ascii: "s")) }
            isFirst = false
        }
        if isFirst { writer.append(ascii: " 0") }
        if isBefore { writer.append(ascii: " ago") }
    }

    private static func appendSeconds(_ micros: UInt64, to writer: inout ByteWriter) {
        writer.appendDecimal(micros / 1_000_000)
        DateTimeOutput.appendFraction(Int64(micros % 1_000_000), to: &writer)
    }

    private static func iso(
        _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ seconds: Int64,
        _ writer: inout ByteWriter
    ) {
        if year == 0, month == 0, day == 0, hour == 0, minute == 0, seconds == 0 {
            return writer.append(ascii: "PT0S")
        }
        func part(_ value: Int, _ unit: StaticString) {
            guard value != 0 else { return }
            writer.appendDecimal(Int64(value))
            writer.append(ascii: unit)
        }
        writer.append(UInt8(ascii: "P"))
        part(year, "Y")
        part(month, "M")
        part(day, "D")
        guard hour != 0 || minute != 0 || seconds != 0 else { return }
        writer.append(UInt8(ascii: "T"))
        part(hour, "H")
        part(minute, "M")
        if seconds != 0 {
            if seconds < 0 { writer.append(UInt8(ascii: "-")) }
            appendSeconds(seconds.magnitude, to: &writer)
            writer.append(UInt8(ascii: "S"))
        }
    }

    private static func sql(
        _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ seconds: Int64,
        _ writer: inout ByteWriter
    ) {
        let hasNegative =
            year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || seconds < 0
        let hasPositive =
            year > 0 || month > 0 || day > 0 || hour > 0 || minute > 0 || seconds > 0
        let hasYearMonth = year != 0 || month != 0
        let hasDay = day != 0
        let hasDayTime = day != 0 || hour != 0 || minute != 0 || seconds != 0
        let isStandard = !(hasNegative && hasPositive) && !(hasYearMonth && hasDayTime)
        func clock(_ hour: Int, _ minute: Int, _ seconds: UInt64) {
            writer.appendDecimal(Int64(hour))
            writer.append(UInt8(ascii: ":"))
            writer.appendTwoDigits(minute)
            writer.append(UInt8(ascii: ":"))
            writer.appendTwoDigits(Int(seconds / 1_000_000))
            DateTimeOutput.appendFraction(Int64(seconds % 1_000_000), to: &writer)
        }
        if !hasNegative, !hasPositive {
            return writer.append(UInt8(ascii: "0"))
        }
        if isStandard {
            if hasNegative { writer.append(UInt8(ascii: "-")) }
            if hasYearMonth {
                writer.appendDecimal(Int64(abs(year)))
                writer.append(UInt8(ascii: "-"))
                writer.appendDecimal(Int64(abs(month)))
            } else {
                if hasDay {
                    writer.appendDecimal(Int64(abs(day)))
                    writer.append(UInt8(ascii: " "))
                }
                clock(abs(hour), abs(minute), seconds.magnitude)
            }
            return
        }
        writer.append(year < 0 || month < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        writer.appendDecimal(Int64(abs(year)))
        writer.append(UInt8(ascii: "-"))
        writer.appendDecimal(Int64(abs(month)))
        writer.append(UInt8(ascii: " "))
        writer.append(day < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        writer.appendDecimal(Int64(abs(day)))
        writer.append(UInt8(ascii: " "))
        writer.append(
            hour < 0 || minute < 0 || seconds < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        clock(abs(hour), abs(minute), seconds.magnitude)
    }
}
