import FalconStorage

/// A value of pg_snapshot or txid_snapshot: which transactions, by number, had not ended at some moment.
///
///     text     xmin:xmax:xip,xip,…
///     binary   count i32, xmin i64, xmax i64, count × i64; big-endian
public struct TransactionSnapshot: Hashable, Sendable {
    /// All below have ended.
    public let lowest: UInt64
    /// None from here on has.
    public let next: UInt64
    /// Those between that have not, ascending.
    public let underWay: [UInt64]

    /// Nil when the numbers make no sense: 0, or not in order. Repeated ones count once.
    public init?(lowest: UInt64, next: UInt64, underWay: [UInt64]) {
        guard lowest > 0, lowest <= next else { return nil }
        var kept: [UInt64] = []
        for number in underWay where number != kept.last {
            guard number >= max(lowest, kept.last ?? 0), number < next else { return nil }
            kept.append(number)
        }
        self.lowest = lowest
        self.next = next
        self.underWay = kept
    }

    /// Reads the text form; nil when it is none.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let lowest = UInt64(parts[0]), let next = UInt64(parts[1])
        else { return nil }
        var numbers: [UInt64] = []
        var list = parts[2]
        // PostgreSQL takes one comma too many at the end.
        if list.last == "," { list.removeLast() }
        for part in list.isEmpty ? [] : list.split(separator: ",", omittingEmptySubsequences: false)
        {
            guard let number = UInt64(part) else { return nil }
            numbers.append(number)
        }
        self.init(lowest: lowest, next: next, underWay: numbers)
    }

    /// Reads the binary form; nil when it is none.
    public init?(binary bytes: UnsafeRawBufferPointer) {
        var reader = ByteReader(bytes)
        guard let count = reader.readFixed(UInt32.self).map(UInt32.init(bigEndian:)),
            UInt64(count) * 8 + 20 == UInt64(bytes.count)
        else { return nil }
        var numbers: [UInt64] = []
        for _ in 0..<(UInt64(count) + 2) {
            guard let number = reader.readFixed(UInt64.self) else { return nil }
            numbers.append(UInt64(bigEndian: number))
        }
        self.init(lowest: numbers[0], next: numbers[1], underWay: Array(numbers[2...]))
    }

    /// The text form.
    public var text: String {
        "\(lowest):\(next):" + underWay.map(String.init).joined(separator: ",")
    }

    func appendBinary(to writer: inout ByteWriter) {
        writer.appendFixed(UInt32(truncatingIfNeeded: underWay.count).bigEndian)
        for number in [lowest, next] + underWay { writer.appendFixed(number.bigEndian) }
    }

    /// Whether the transaction of this number had ended.
    public func shows(_ number: UInt64) -> Bool {
        if number < lowest { return true }
        return number < next && !underWay.contains(number)
    }
}
