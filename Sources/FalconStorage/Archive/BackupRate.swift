/// What base backups may copy in a second, as people write it: pg_basebackup's `--max-rate`.
public enum BackupRate {
    /// Bytes a second that a limit may have.
    public static let range: ClosedRange<UInt64> = (32 << 10)...(1 << 30)

    /// Bytes a second of `32768` (kilobytes of 1024 bytes), `32768k` or `32M`; 0: no limit.
    public static func parse(_ text: String) throws(StorageError) -> UInt64 {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit: UInt64? =
            switch text.dropFirst(digits.count) {
            case "", "k": 1 << 10
            case "M": 1 << 20
            default: nil
            }
        guard let unit, let count = UInt64(digits) else {
            throw .invalidArgument(
                "'\(text)' is not a transfer rate; write it like 32M, or 32768k (kilobytes a second)."
            )
        }
        let (rate, overflow) = count.multipliedReportingOverflow(by: unit)
        guard !overflow, rate == 0 || range.contains(rate) else {
            throw .invalidArgument(
                "The transfer rate '\(text)' is not between 32k and 1024M; 0 is no limit.")
        }
        return rate
    }
}
