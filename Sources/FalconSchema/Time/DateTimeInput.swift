/// Text to date, time, timestamp and timestamptz values.
public enum DateTimeInput {
    public static func date(
        _ text: UnsafeRawBufferPointer, settings: DisplaySettings
    ) throws(SQLError) -> Int64 {
        let parser = try parse(text, "date", settings)
        switch parser.special {
        case .infinity: return Calendar.dateInfinity
        case .negativeInfinity: return Calendar.dateNegativeInfinity
        case .epoch: return -10957
        case .now, .today, .tomorrow, .yesterday:
            return try today(parser, settings)
        case nil: break
        }
        guard parser.hasAnyDate else { throw badFormat(text, "date") }
        let days = parser.days
        guard Calendar.isValidDate(days) else {
            throw SQLError(.datetimeFieldOverflow, "date out of range: \"\(string(text))\"")
        }
        return days
    }

    public static func time(
        _ text: UnsafeRawBufferPointer, modifier: Int32, settings: DisplaySettings
    ) throws(SQLError) -> Int64 {
        let parser = try parse(text, "time", settings, timeOnly: true)
        switch parser.special {
        case .now:
            let now = settings.transactionTimestamp
            let local = now + Int64(settings.timeZone.offset(atUTC: now)) * 1_000_000
            return try round(Calendar.split(local).time, modifier)
        case nil: break
        default:
            guard parser.hasTime else { throw badFormat(text, "time") }
        }
        guard parser.hasTime else { throw badFormat(text, "time") }
        // A zone name needs a date to mean an offset.
        if parser.zone != nil, !parser.hasAnyDate { throw badFormat(text, "time") }
        return try round(parser.time, modifier)
    }

    public static func timestamp(
        _ text: UnsafeRawBufferPointer, modifier: Int32, settings: DisplaySettings
    ) throws(SQLError) -> Int64 {
        let parser = try parse(text, "timestamp", settings)
        switch parser.special {
        case .infinity: return Calendar.infinity
        case .negativeInfinity: return Calendar.negativeInfinity
        case .epoch: return -Calendar.epochSeconds * 1_000_000
        case .now:
            let now = settings.transactionTimestamp
            return try round(
                now + Int64(settings.timeZone.offset(atUTC: now)) * 1_000_000, modifier)
        case .today, .tomorrow, .yesterday:
            let days = try today(parser, settings)
            return try checked(
                Calendar.timestamp(days: days, time: parser.time), text, modifier)
        case nil: break
        }
        guard parser.hasAnyDate else { throw badFormat(text, "timestamp") }
        return try checked(
            Calendar.timestamp(days: parser.days, time: parser.time), text, modifier)
    }

    public static func timestamptz(
        _ text: UnsafeRawBufferPointer, modifier: Int32, settings: DisplaySettings
    ) throws(SQLError) -> Int64 {
        let typeName = "timestamp with time zone"
        let parser = try parse(text, typeName, settings)
        let days: Int64
        switch parser.special {
        case .infinity: return Calendar.infinity
        case .negativeInfinity: return Calendar.negativeInfinity
        case .epoch: return -Calendar.epochSeconds * 1_000_000
        case .now: return try round(settings.transactionTimestamp, modifier)
        case .today, .tomorrow, .yesterday: days = try today(parser, settings)
        case nil:
            guard parser.hasAnyDate else { throw badFormat(text, typeName) }
            days = parser.days
        }
        // The offset may bring a local reading just outside the range back into it.
        let (whole, overflow1) = days.multipliedReportingOverflow(by: Calendar.microsPerDay)
        let (local, overflow2) = whole.addingReportingOverflow(parser.time)
        guard !overflow1, !overflow2 else { throw outOfRange(text) }
        let offset: Int32
        if let fixed = parser.offset {
            offset = fixed
        } else {
            offset = (parser.zone ?? settings.timeZone).offset(atLocal: local)
        }
        let (instant, overflow) = local.subtractingReportingOverflow(Int64(offset) * 1_000_000)
        return try checked(overflow ? nil : instant, text, modifier)
    }

    /// Rounds to the fractional digits of a modifier (-1 keeps all six).
    public static func round(_ micros: Int64, _ modifier: Int32) throws(SQLError) -> Int64 {
        guard modifier >= 0, modifier < 6, !Calendar.isInfinite(micros) else { return micros }
        var unit: Int64 = 1
        for _ in 0..<(6 - modifier) { unit *= 10 }
        let half = unit / 2
        let (shifted, overflow) =
            micros >= 0
            ? micros.addingReportingOverflow(half) : micros.subtractingReportingOverflow(half)
        if overflow { return micros }
        return shifted / unit * unit
    }

    private static func today(
        _ parser: DateTimeParser, _ settings: DisplaySettings
    ) throws(SQLError) -> Int64 {
        let now = settings.transactionTimestamp
        let zone = parser.zone ?? settings.timeZone
        let local = now + Int64(parser.offset ?? zone.offset(atUTC: now)) * 1_000_000
        let days = Calendar.split(local).days
        switch parser.special {
        case .tomorrow: return days + 1
        case .yesterday: return days - 1
        default: return days
        }
    }

    private static func checked(
        _ micros: Int64?, _ text: UnsafeRawBufferPointer, _ modifier: Int32
    ) throws(SQLError) -> Int64 {
        guard let micros, Calendar.isValidTimestamp(micros) else { throw outOfRange(text) }
        return try round(micros, modifier)
    }

    private static func outOfRange(_ text: UnsafeRawBufferPointer) -> SQLError {
        SQLError(.datetimeFieldOverflow, "timestamp out of range: \"\(string(text))\"")
    }

    private static func parse(
        _ text: UnsafeRawBufferPointer, _ typeName: String, _ settings: DisplaySettings,
        timeOnly: Bool = false
    ) throws(SQLError) -> DateTimeParser {
        do throws(DateTimeParser.Failure) {
            return try DateTimeParser(text, order: settings.dateOrder, timeOnly: timeOnly)
        } catch {
            switch error {
            case .badFormat: throw badFormat(text, typeName)
            case .fieldOverflow:
                throw SQLError(
                    .datetimeFieldOverflow,
                    "date/time field value out of range: \"\(string(text))\"")
            case .monthDayOverflow:
                throw SQLError(
                    .datetimeFieldOverflow,
                    "date/time field value out of range: \"\(string(text))\"",
                    hint: "Perhaps you need a different \"datestyle\" setting.")
            case .zoneDisplacement:
                throw SQLError(
                    SQLState("22009"),
                    "time zone displacement out of range: \"\(string(text))\"")
            case .unknownZone(let name):
                throw SQLError(
                    .invalidParameterValue, "time zone \"\(name)\" not recognized")
            }
        }
    }

    static func badFormat(_ text: UnsafeRawBufferPointer, _ typeName: String) -> SQLError {
        SQLError(
            .invalidDatetimeFormat,
            "invalid input syntax for type \(typeName): \"\(string(text))\"")
    }

    static func string(_ text: UnsafeRawBufferPointer) -> String {
        String(decoding: text, as: UTF8.self)
    }
}
