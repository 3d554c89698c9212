import FalconStorage

/// Date and time values to text, in the four DateStyles.
public enum DateTimeOutput {
    public static func appendDate(
        _ days: Int64, settings: DisplaySettings, to writer: inout ByteWriter
    ) {
        if days == Calendar.dateInfinity { return writer.append(ascii: "infinity") }
        if days == Calendar.dateNegativeInfinity { return writer.append(ascii: "-infinity") }
        let (year, month, day) = Calendar.date(days)
        appendDateFields(year, month, day, settings: settings, to: &writer)
        if year <= 0 { writer.append(ascii: " BC") }
    }

    private static func appendDateFields(
        _ year: Int, _ month: Int, _ day: Int, settings: DisplaySettings,
        to writer: inout ByteWriter
    ) {
        let shownYear = UInt64(year > 0 ? year : 1 - year)
        switch settings.dateOutput {
        case .iso:
            writer.appendDecimal(shownYear, paddedTo: 4)
            writer.append(UInt8(ascii: "-"))
            writer.appendTwoDigits(month)
            writer.append(UInt8(ascii: "-"))
            writer.appendTwoDigits(day)
        case .sql, .postgres:
            let separator = settings.dateOutput == .sql ? UInt8(ascii: "/") : UInt8(ascii: "-")
            let dayFirst = settings.dateOrder == .dmy
            writer.appendTwoDigits(dayFirst ? day : month)
            writer.append(separator)
            writer.appendTwoDigits(dayFirst ? month : day)
            writer.append(separator)
            writer.appendDecimal(shownYear, paddedTo: 4)
        case .german:
            writer.appendTwoDigits(day)
            writer.append(UInt8(ascii: "."))
            writer.appendTwoDigits(month)
            writer.append(UInt8(ascii: "."))
            writer.appendDecimal(shownYear, paddedTo: 4)
        }
    }

    public static func appendTime(_ micros: Int64, to writer: inout ByteWriter) {
        let seconds = micros / 1_000_000
        let fraction = micros % 1_000_000
        writer.appendTwoDigits(Int(seconds / 3600))
        writer.append(UInt8(ascii: ":"))
        writer.appendTwoDigits(Int(seconds / 60 % 60))
        writer.append(UInt8(ascii: ":"))
        writer.appendTwoDigits(Int(seconds % 60))
        appendFraction(fraction, to: &writer)
    }

    /// `.ffffff` without trailing zeros; nothing for 0.
    static func appendFraction(_ micros: Int64, to writer: inout ByteWriter) {
        guard micros != 0 else { return }
        var digits = UInt64(micros.magnitude)
        var width = 6
        while digits % 10 == 0 {
            digits /= 10
            width -= 1
        }
        writer.append(UInt8(ascii: "."))
        writer.appendDecimal(digits, paddedTo: width)
    }

    public static func appendTimestamp(
        _ micros: Int64, settings: DisplaySettings, to writer: inout ByteWriter
    ) {
        append(micros, offset: nil, abbreviation: nil, settings: settings, to: &writer)
    }

    public static func appendTimestamptz(
        _ micros: Int64, settings: DisplaySettings, to writer: inout ByteWriter
    ) {
        if Calendar.isInfinite(micros) || !Calendar.isValidTimestamp(micros) {
            return append(micros, offset: nil, abbreviation: nil, settings: settings, to: &writer)
        }
        let offset = settings.timeZone.offset(atUTC: micros)
        let abbreviation =
            settings.dateOutput == .iso ? nil : settings.timeZone.abbreviation(atUTC: micros)
        append(
            micros &+ Int64(offset) * 1_000_000, offset: offset, abbreviation: abbreviation,
            settings: settings, to: &writer)
    }

    private static func append(
        _ local: Int64, offset: Int32?, abbreviation: String?, settings: DisplaySettings,
        to writer: inout ByteWriter
    ) {
        if local == Calendar.infinity { return writer.append(ascii: "infinity") }
        if local == Calendar.negativeInfinity { return writer.append(ascii: "-infinity") }
        let (days, time) = Calendar.split(local)
        let (year, month, day) = Calendar.date(days)
        if settings.dateOutput == .postgres {
            writer.append(utf8: weekdays[Calendar.dayOfWeek(days)])
            writer.append(UInt8(ascii: " "))
            if settings.dateOrder == .dmy {
                writer.appendTwoDigits(day)
                writer.append(UInt8(ascii: " "))
                writer.append(utf8: months[month - 1])
            } else {
                writer.append(utf8: months[month - 1])
                writer.append(UInt8(ascii: " "))
                writer.appendTwoDigits(day)
            }
            writer.append(UInt8(ascii: " "))
            appendTime(time, to: &writer)
            writer.append(UInt8(ascii: " "))
            writer.appendDecimal(UInt64(year > 0 ? year : 1 - year), paddedTo: 4)
        } else {
            appendDateFields(year, month, day, settings: settings, to: &writer)
            writer.append(UInt8(ascii: " "))
            appendTime(time, to: &writer)
        }
        if let offset {
            if let abbreviation, abbreviation.utf8.first?.isLetter == true {
                writer.append(UInt8(ascii: " "))
                writer.append(utf8: abbreviation)
            } else {
                if settings.dateOutput == .postgres { writer.append(UInt8(ascii: " ")) }
                appendOffset(offset, to: &writer)
            }
        }
        if year <= 0 { writer.append(ascii: " BC") }
    }

    static func appendOffset(_ offset: Int32, to writer: inout ByteWriter) {
        let magnitude = Int(offset.magnitude)
        writer.append(offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        writer.appendTwoDigits(magnitude / 3600)
        if magnitude % 3600 != 0 {
            writer.append(UInt8(ascii: ":"))
            writer.appendTwoDigits(magnitude / 60 % 60)
            if magnitude % 60 != 0 {
                writer.append(UInt8(ascii: ":"))
                writer.appendTwoDigits(magnitude % 60)
            }
        }
    }

    static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}

extension ByteWriter {
    /// 0...99 as two digits; more digits when it is larger.
    mutating func appendTwoDigits(_ value: Int) {
        guard value >= 0, value < 100 else { return appendDecimal(Int64(value)) }
        append(UInt8(truncatingIfNeeded: value / 10) &+ 48)
        append(UInt8(truncatingIfNeeded: value % 10) &+ 48)
    }
}
