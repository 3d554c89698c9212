import FalconSchema
import FalconStorage

/// Moments as every line has them: ISO 8601, microseconds, UTC.
package enum MomentText {
    private static let dayMicros: Int64 = 86_400_000_000

    /// `2026-01-31T23:59:59.500000Z`; `micros` since 1970.
    package static func utc(_ micros: UInt64) -> String {
        var text = ByteWriter(capacity: 27)
        append(micros, to: &text)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    /// The same behind what `text` holds: a stream has one for each transaction.
    package static func append(_ micros: UInt64, to text: inout ByteWriter) {
        let micros = Int64(clamping: micros)
        let inDay = micros % dayMicros
        let (year, month, day) = civil(days: micros / dayMicros)
        let seconds = inDay / 1_000_000
        pad(year, 4, &text)
        text.append(UInt8(ascii: "-"))
        pad(month, 2, &text)
        text.append(UInt8(ascii: "-"))
        pad(day, 2, &text)
        text.append(UInt8(ascii: "T"))
        pad(seconds / 3600, 2, &text)
        text.append(UInt8(ascii: ":"))
        pad(seconds / 60 % 60, 2, &text)
        text.append(UInt8(ascii: ":"))
        pad(seconds % 60, 2, &text)
        text.append(UInt8(ascii: "."))
        pad(inDay % 1_000_000, 6, &text)
        text.append(UInt8(ascii: "Z"))
    }

    private static func pad(_ value: Int64, _ width: Int, _ text: inout ByteWriter) {
        text.appendDecimal(value.magnitude, paddedTo: width)
    }

    private static func civil(days: Int64) -> (Int64, Int64, Int64) {
        let z = days + 719_468
        let era = z / 146_097
        let ofEra = z - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let mp = (5 * ofYear + 2) / 153
        let month = mp < 10 ? mp + 3 : mp - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, ofYear - (153 * mp + 2) / 5 + 1)
    }
}
