/// Neighbouring tables of one level, or all of level 0, that refer to many small blob files.
struct BlobMergeWindow {
    var level: Int
    var files: Range<Int>
    /// Small blob files that a rewrite of the tables leaves.
    var mergedCount: Int
}

extension Version {
    /// The windows that are worth a compaction of their own. Worked out once.
    /// - Parameter writtenBytes: what is flushed for one blob file: a rewrite may cost no more than was
    ///   written for the files that it merges.
    func blobMergeWindows(targetBytes: UInt64, writtenBytes: UInt64) -> [BlobMergeWindow] {
        if let known = blobMerges { return known }
        var found: [BlobMergeWindow] = []
        let smallCount = blobs.entries.count { blobs.isSmall($0.file, targetBytes) }
        if smallCount >= BlobMergeWindow.leastFiles {
            addBlobMergeWindow(0, 0..<levels[0].count, targetBytes, writtenBytes, &found)
            for level in 1..<Self.levelCount {
                addBlobMergeWindows(level, targetBytes, writtenBytes, &found)
            }
        }
        blobMerges = found
        return found
    }

    private func addBlobMergeWindows(
        _ level: Int, _ targetBytes: UInt64, _ writtenBytes: UInt64,
        _ found: inout [BlobMergeWindow]
    ) {
        let files = levels[level].files
        var start = 0
        while start < files.count {
            var end = start
            var (tableBytes, valueBytes): (UInt64, UInt64) = (0, 0)
            repeat {
                tableBytes &+= files[end].metadata.byteCount
                valueBytes &+= files[end].metadata.blobUses.reduce(0) { $0 &+ $1.bytes }
                end += 1
            } while end < files.count && valueBytes < targetBytes
                && tableBytes &+ files[end].metadata.byteCount <= targetBytes
            addBlobMergeWindow(level, start..<end, targetBytes, writtenBytes, &found)
            start = end
        }
    }

    private func addBlobMergeWindow(
        _ level: Int, _ range: Range<Int>, _ targetBytes: UInt64, _ writtenBytes: UInt64,
        _ found: inout [BlobMergeWindow]
    ) {
        let files = levels[level].files[range]
        let merged = blobs.merged(by: files.lazy.map(\.metadata), targetBytes: targetBytes)
        let window = BlobMergeWindow(level: level, files: range, mergedCount: merged.count)
        guard merged.count >= BlobMergeWindow.leastFiles,
            files.reduce(0, { $0 &+ $1.metadata.byteCount }) <= window.costLimit(writtenBytes)
        else { return }
        found.append(window)
    }
}

extension BlobMergeWindow {
    /// Fewer are left to the compactions that come by anyway.
    static let leastFiles = 8

    /// Bytes of tables that may be rewritten for it.
    func costLimit(_ writtenBytes: UInt64) -> UInt64 {
        writtenBytes.multipliedCapped(by: UInt64(mergedCount))
    }
}
