import FalconSchema

/// to_char, to_number, to_date, to_timestamp.
extension FunctionLibrary {
    mutating func addConversions() {
        binary("int4_to_char", "int8_to_char") { (a, b, _) throws(SQLError) in
            .text(try NumberTemplate(b.text).format(NumericValue(a.int)))
        }
        binary("numeric_to_char") { (a, b, _) throws(SQLError) in
            .text(try NumberTemplate(b.text).format(a.numeric))
        }
        binary("float8_to_char") { (a, b, _) throws(SQLError) in
            .text(try NumberTemplate(b.text).format(NumericValue(rounding: a.float)))
        }
        binary("float4_to_char") { (a, b, _) throws(SQLError) in
            .text(try NumberTemplate(b.text).format(NumericValue(rounding: Float(a.float))))
        }
        binary("numeric_to_number") { (a, b, _) throws(SQLError) in
            .numeric(try NumberTemplate.parse(a.text, b.text))
        }
        binary("timestamp_to_char") { (a, b, _) throws(SQLError) in
            if b.text.isEmpty || Calendar.isInfinite(a.int) { return .null }
            return .text(try DateTemplate(b.text).format(DateTemplate.Reading(timestamp: a.int)))
        }
        binary("timestamptz_to_char") { (a, b, context) throws(SQLError) in
            if b.text.isEmpty || Calendar.isInfinite(a.int) { return .null }
            let zone = context.settings.timeZone
            var reading = DateTemplate.Reading(timestamp: DateTimeMath.local(a.int, zone))
            reading.zone = zone.abbreviation(atUTC: a.int)
            reading.offset = zone.offset(atUTC: a.int)
            return .text(try DateTemplate(b.text).format(reading))
        }
        binary("interval_to_char") { (a, b, _) throws(SQLError) in
            if b.text.isEmpty { return .null }
            return .text(
                try DateTemplate(b.text).format(DateTemplate.Reading(interval: a.interval)))
        }
        binary("to_timestamp") { (a, b, context) throws(SQLError) in
            let parsed = try DateTemplate(b.text).parse(a.text)
            let local = try parsed.timestamp(a.text)
            if let offset = parsed.offset { return .int(local &- Int64(offset) * 1_000_000) }
            return .int(
                try DateTimeMath.checkedInstant(ofLocal: local, context.settings.timeZone))
        }
        binary("to_date") { (a, b, _) throws(SQLError) in
            .int(
                DateTimeMath.date(
                    timestamp: try DateTemplate(b.text).parse(a.text).timestamp(a.text)))
        }
    }
}
