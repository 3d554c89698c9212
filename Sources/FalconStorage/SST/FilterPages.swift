/// Where the pages of a large table's filter lie: one after the other, each with its trailer.
///
/// A page holds a run of lines, so a key's hash tells its page: asking the filter needs no search in
/// the index. Pages of a filter cut by key would keep a hot range together, and cost each absent key
/// that search (docs/design/partitioned-tables.md has the measurement).
struct FilterPages: Equatable {
    /// 2^12 lines are 256 KiB: larger pages serve nobody.
    static let largestShift = 12

    /// Of the first page.
    let handle: BlockHandle
    let lines: UInt32
    let shift: UInt8
    /// What encryption adds to each page.
    var sealBytes: UInt8 = 0

    /// No pages: the filter is one block, or there is none.
    static let none = FilterPages(handle: .absent, lines: 0, shift: 0)

    var count: Int { (Int(lines) + (1 << Int(shift)) - 1) >> Int(shift) }

    /// The page and the line in it of a key.
    @inline(__always)
    func place(_ hash: UInt64) -> (page: Int, line: Int) {
        let line = BloomFilter.line(hash, lines)
        return (line &>> Int(shift), line & (1 &<< Int(shift) &- 1))
    }

    func lineCount(_ page: Int) -> Int {
        min(1 << Int(shift), Int(lines) - page << Int(shift))
    }

    func handle(_ page: Int) -> BlockHandle {
        let stride = handle.end &- handle.offset
        return BlockHandle(
            offset: handle.offset &+ UInt64(page) &* stride,
            payloadBytes: UInt32(BloomFilter.headerBytes + 64 * lineCount(page) + Int(sealBytes)))
    }

    /// Why a footer's numbers make no pages; nil: they do.
    var problem: String? {
        if lines == 0 { return shift == 0 ? nil : "names filter pages of no lines" }
        guard shift <= FilterPages.largestShift, lineCount(0) > 0,
            Int(handle.payloadBytes) == BloomFilter.headerBytes + 64 * lineCount(0) + Int(sealBytes)
        else { return "names filter pages of a wrong size" }
        return nil
    }
}
