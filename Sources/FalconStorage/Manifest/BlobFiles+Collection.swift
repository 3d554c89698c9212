/// Which blob files are worth collecting: a compaction that meets a reference into one of them moves
/// the value elsewhere, and the file goes when nothing refers to it any more.
extension BlobFiles {
    /// Numbers of the files whose garbage is at least `percent` of their records.
    func collected(garbagePercent percent: Int) -> [UInt64] {
        if isEmpty { return [] }
        return entries.filter { $0.isCollectable(garbagePercent: percent) }
            .map { $0.file.number.rawValue }
    }
}

extension BlobFiles.Entry {
    func isCollectable(garbagePercent percent: Int) -> Bool {
        if file.isDamaged || file.isResting { return false }
        if file.mustGo { return true }
        let garbage = Double(garbageBytes) * 100
        return garbageBytes > 0 && garbage >= Double(percent) * Double(file.recordBytes)
    }
}

extension BlobFiles {
    /// The garbage of all files together has reached the limit of one: collecting lags behind.
    func isOverdue(garbagePercent percent: Int) -> Bool {
        let garbage = garbageBytes
        return garbage > 0
            && Double(garbage) * 100 >= Double(percent) * Double(garbage &+ liveBytes)
    }
}

/// How much garbage there is, and may be: what is beyond is collected, and writers wait for it.
struct BlobGarbage: Equatable {
    /// Of files that can be collected.
    var bytes: UInt64 = 0
    /// As much may be there when collection is up to date.
    var allowedBytes: UInt64 = .max

    var excessBytes: UInt64 { bytes &- min(bytes, allowedBytes) }
}

extension BlobFiles {
    func garbage(percent: Int) -> BlobGarbage {
        // Under the commit section: only the marks, which change, are looked at.
        var garbage = BlobGarbage(bytes: garbageBytes)
        for entry in entries where entry.file.isDamaged || entry.file.isResting {
            garbage.bytes &-= min(entry.garbageBytes, garbage.bytes)
        }
        if percent < 100 {
            garbage.allowedBytes =
                liveBytes.multipliedCapped(by: UInt64(percent)) / UInt64(100 - percent)
        }
        return garbage
    }
}

extension FileMetadata {
    /// Bytes of the records that a table has in the files of `numbers`, which are sorted.
    func blobBytes(in numbers: [UInt64]) -> UInt64 {
        blobUses.reduce(0) {
            numbers.contains(sorted: $1.file.rawValue) ? $0 &+ $1.bytes : $0
        }
    }
}
