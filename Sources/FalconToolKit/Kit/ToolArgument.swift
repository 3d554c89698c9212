import ArgumentParser
import FalconStorage

/// Readers of argument values, for `@Option(transform:)`.
public enum ToolArgument {
    /// An LSN: `X/XXXXXXXX`, or a decimal count of bytes.
    @Sendable public static func lsn(_ text: String) throws -> LSN {
        guard let lsn = LSN(text: text) else {
            throw ValidationError(
                "'\(text)' is not an LSN; write it as the tools print it, like 0/1A2B3C4D.")
        }
        return lsn
    }

    /// A moment in microseconds since 1970 UTC; see ``ToolTime``.
    @Sendable public static func time(_ text: String) throws -> UInt64 {
        guard let micros = ToolTime.parse(text) else {
            throw ValidationError(
                "'\(text)' is not a time; write it like 2026-01-31T23:59:59.5+02:00 "
                    + "(without a zone it is UTC).")
        }
        return micros
    }

    /// A length of time in microseconds: a whole number with a unit.
    @Sendable public static func duration(_ text: String) throws -> UInt64 {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units: [String: UInt64] = [
            "s": 1, "min": 60, "m": 60, "h": 3600, "d": 86_400, "w": 604_800,
        ]
        let name = text.dropFirst(digits.count).drop { $0 == " " }
        // In small letters only: M might mean months.
        guard let count = UInt64(digits), count > 0, let seconds = units[String(name)] else {
            throw ValidationError(
                "'\(text)' is not a length of time; write it like 7d, 36h, 90min or 2w.")
        }
        let (total, overflow) = count.multipliedReportingOverflow(by: seconds)
        guard !overflow, total <= 36_500 * 86_400 else {
            throw ValidationError("'\(text)' is too long; 36500d is the longest.")
        }
        return total * 1_000_000
    }

    /// Bytes in hex.
    @Sendable public static func hex(_ text: String) throws -> [UInt8] {
        let digits = text.utf8.map { Int(Character(UnicodeScalar($0)).hexDigitValue ?? -1) }
        guard digits.count % 2 == 0, digits.allSatisfy({ $0 >= 0 }) else {
            throw ValidationError("'\(text)' is not bytes in hex; write two digits for each.")
        }
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }
}
