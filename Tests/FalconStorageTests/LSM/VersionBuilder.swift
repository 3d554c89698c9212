@testable import FalconStorage

/// Versions of tables that exist as metadata alone: what is picked depends on nothing else.
struct VersionBuilder {
    private let store = TableStore(
        names: FileNames(root: "/db"), fileSystem: MemoryFileSystem(), cache: nil)
    private var levels = Array(repeating: [TableFile](), count: Version.levelCount)
    private var next: UInt64 = 1

    /// Returns the table's number. In level 0 later calls are newer unless `epoch` says otherwise.
    @discardableResult
    mutating func add(
        _ level: Int, _ smallest: String, _ largest: String, epoch: UInt64? = nil,
        bytes: UInt64 = 1 << 20, entries: UInt64 = 1000, tombstones: UInt64 = 0,
        garbage: VersionGarbage = VersionGarbage()
    ) -> UInt64 {
        let number = next
        next += 1
        levels[level].append(
            TableFile(
                metadata: FileMetadata(
                    number: FileNumber(number), uid: UID(high: 0, low: number), byteCount: bytes,
                    flushEpoch: epoch ?? number, smallest: Array(smallest.utf8),
                    largest: Array(largest.utf8), minTimestamp: Timestamp(1),
                    maxTimestamp: Timestamp(number), entryCount: entries,
                    tombstoneCount: tombstones, rangeTombstoneCount: 0, garbage: garbage),
                store: store))
        return number
    }

    var version: Version {
        var sorted = levels
        sorted[0].sort {
            ($0.metadata.flushEpoch, $0.number.rawValue)
                > ($1.metadata.flushEpoch, $1.number.rawValue)
        }
        for level in 1..<sorted.count {
            sorted[level].sort { KeyOrder.less($0.metadata.smallest, $1.metadata.smallest) }
        }
        return Version(
            levels: sorted.map { LevelFiles($0) }, blobs: .none, flushedLSN: .zero,
            safepoint: .zero)
    }
}

extension Compaction {
    /// Numbers of the inputs, then of what they overlap.
    var numbers: [[UInt64]] {
        [inputs, overlapped].map { $0.map(\.number.rawValue).sorted() }
    }
}
