/// Damaged bytes of a table, and what is lost with them.
public struct TableLoss: Sendable, Hashable {
    /// Where they begin in the file.
    public var offset: UInt64
    /// How many there are.
    public var byteCount: UInt64
    /// No other keys are lost; nil: none is, only the filter.
    public var keys: KeyRange?

    /// A loss of `byteCount` bytes at `offset`, and of rows when `keys` are given.
    public init(offset: UInt64, byteCount: UInt64, keys: KeyRange? = nil) {
        self.offset = offset
        self.byteCount = byteCount
        self.keys = keys
    }

    /// More are told as one with all that lies between.
    static let limit = 64

    /// Adds a loss behind all of `losses`: to the last of them where it goes on.
    static func append(_ loss: TableLoss, to losses: inout [TableLoss]) {
        guard var last = losses.last, let keys = last.keys, let more = loss.keys,
            last.offset &+ last.byteCount == loss.offset || losses.count >= limit
        else {
            if losses.count < limit { losses.append(loss) }
            return
        }
        // Not in the order of offsets: a partition of the index may lie behind blocks of later keys.
        let end = max(last.offset &+ last.byteCount, loss.offset &+ loss.byteCount)
        last.offset = min(last.offset, loss.offset)
        last.byteCount = end &- last.offset
        last.keys = KeyRange(lower: keys.lower, upper: more.upper)
        losses[losses.count - 1] = last
    }
}
