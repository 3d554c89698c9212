/// A file that waits to become a segment.
struct WALSpare: Sendable {
    var path: String
    var bytes: UInt64
    /// Holds an older life's bytes instead of zeros.
    var isRecycled: Bool
}

/// A segment the writer knows.
struct WALSegmentInfo: Sendable {
    var number: WALSegmentNumber
    var firstLSN: LSN
    var path: String
    var bytes: UInt64
    /// Where its predecessor's records end; from there to ``firstLSN`` there are none. Nil: it has none.
    var previousEnd: LSN?
    /// The wrapping key over the segment's data key; 0: its records are plain.
    var keyID: UInt64 = 0
}

/// A segment ready for chunks.
struct WALOpenedSegment {
    var file: any File
    var header: WALSegmentHeader
    var cipher: FileCipher?
    var bytes: UInt64
}

/// The steps that change the WAL directory, each in the order that a crash in the middle forgives.
enum WALDirectory {
    /// Segments and spares on disk when a writer opens.
    struct Inventory {
        var segments: [WALSegmentInfo] = []
        var spares: [WALSpare] = []
        var nextSpareNumber: UInt64 = 1
    }

    /// Lists segments, adopts whole spares and removes left-overs of an unfinished pre-write.
    static func inventory(
        _ directory: String, _ fileSystem: any FileSystem, _ options: WALOptions
    ) throws(StorageError) -> Inventory {
        var result = Inventory()
        for name in try fileSystem.list(directory).sorted() {
            let path = directory + "/" + name
            switch FileNames.parse(name) {
            case .walSegment(let number):
                let bytes = try fileSystem.fileSize(path)
                guard case .header(let header) = try readHeader(path, fileSystem) else { continue }
                result.segments.append(
                    WALSegmentInfo(
                        number: number, firstLSN: header.firstLSN, path: path, bytes: bytes,
                        previousEnd: header.predecessor?.lastLSN, keyID: header.keyID))
            case .walSpare(let number):
                result.nextSpareNumber = max(result.nextSpareNumber, number &+ 1)
                let bytes = try fileSystem.fileSize(path)
                if bytes == UInt64(options.segmentBytes), result.spares.count < 2,
                    try fileSystem.linkCount(path) == 1
                {
                    result.spares.append(WALSpare(path: path, bytes: bytes, isRecycled: true))
                } else {
                    try fileSystem.remove(path)
                }
            default: continue
            }
        }
        return result
    }

    /// Where the log is to be encrypted: removes spares that hold records of a plain life.
    static func dropPlainSpares(
        _ found: inout Inventory, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        guard fileSystem.keys?.ring.isSealing == true else { return }
        var kept: [WALSpare] = []
        for spare in found.spares {
            switch try readHeader(spare.path, fileSystem) {
            case .blank: kept.append(spare)
            case .header(let header) where header.envelope != nil: kept.append(spare)
            default: try fileSystem.remove(spare.path)
            }
        }
        found.spares = kept
    }

    static func readHeader(
        _ path: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> WALSegmentHeader.Decoded {
        let file = try fileSystem.open(path, .read)
        let count = min(try file.size(), UInt64(WALFormat.headerBytes))
        let bytes = try file.readExactly(Int(count), at: 0)
        try file.close()
        return WALSegmentHeader.decode(bytes)
    }

    /// Makes what recovery has read of the last segment durable, before a new header vouches for it.
    ///
    /// `unvouched` is written once more as it is: where an earlier life's sync failed, the pages count as
    /// clean although the device never got them, and a sync alone would do nothing.
    static func secure(
        _ path: String, _ unvouched: Range<UInt64>, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        let file = try fileSystem.open(path, unvouched.isEmpty ? .read : .readWrite)
        do throws(StorageError) {
            var offset = unvouched.lowerBound
            while offset < unvouched.upperBound {
                let count = Int(min(unvouched.upperBound - offset, 1 << 20))
                try file.write(try file.readExactly(count, at: offset), at: offset)
                offset += UInt64(count)
            }
            try file.syncData()
        } catch {
            try? file.close()
            throw error
        }
        try file.close()
    }

    /// Room that a segment's file keeps behind what was written, for whoever looks for traces there.
    private static let tailBytes: UInt64 = 256 << 10

    /// Gives back what a killed life had reserved in its last segment and not written, or it would count
    /// against what the log keeps for the tools. Not of a file that a checkpoint shares.
    static func cutReserve(
        _ path: String, behind end: UInt64, _ fileSystem: any FileSystem
    ) throws(StorageError) {
        let (length, overflows) = end.addingReportingOverflow(tailBytes)
        guard !overflows, try fileSystem.fileSize(path) > length,
            try fileSystem.linkCount(path) == 1
        else { return }
        let file = try fileSystem.open(path, .readWrite)
        do throws(StorageError) {
            try file.truncate(to: length)
        } catch {
            try? file.close()
            throw error
        }
        try file.close()
    }

    /// Makes a file of `bytes` zeros: written through when `prewrites`, so that syncs into it change
    /// no metadata (measured: 138 µs against 384), else only reserved. `offer` is called every few
    /// microseconds of that, `between` when nothing of it is under way to the device.
    static func makeSpare(
        _ directory: String, _ fileSystem: any FileSystem, number: UInt64, bytes: Int,
        prewrites: Bool, offer: () -> Void = {}, between: () -> Void = {}
    ) throws(StorageError) -> WALSpare {
        let path = directory + "/" + FileNames.walSpareName(number)
        let file = try fileSystem.open(path, .create)
        do throws(StorageError) {
            try file.allocate(to: UInt64(bytes))
            if prewrites {
                // Small writes make small folios in the page cache. A commit's pwrite walks the
                // whole folio it lands in: 2.0-2.4 µs into ones made by 1 MiB writes, 0.5-0.6 into
                // those of 64 KiB (ext4, Linux 6.18); and the pre-writing itself is 15 times faster.
                let step = min(bytes, 64 << 10)
                let zeros = [UInt8](repeating: 0, count: step)
                var offset = 0
                while offset < bytes {
                    let count = min(step, bytes - offset)
                    try file.write(
                        count == step ? zeros : [UInt8](repeating: 0, count: count),
                        at: UInt64(offset))
                    offset += count
                    offer()
                    // In steps: one large sync would hold up the commits of the live segment.
                    if offset % (2 << 20) == 0 {
                        try file.syncData()
                        between()
                    }
                }
            }
            try file.syncData()
            try file.close()
        } catch {
            try? file.close()
            try? fileSystem.remove(path)
            throw error
        }
        return WALSpare(path: path, bytes: UInt64(bytes), isRecycled: false)
    }

    /// Turns a spare into the segment that `header` describes. The header is durable before the name: a
    /// `.wal` file has a valid header at all times. The caller syncs the directory before it vouches for
    /// a chunk.
    static func activate(
        _ spare: WALSpare, as header: WALSegmentHeader, _ cipher: FileCipher?,
        _ directory: String, _ fileSystem: any FileSystem
    ) throws(StorageError) -> WALOpenedSegment {
        var header = header
        header.isRecycled = spare.isRecycled
        let path = directory + "/" + FileNames.walSegmentName(header.segment)
        do throws(StorageError) {
            let early = try fileSystem.open(spare.path, .readWrite)
            try early.write(header.encoded(), at: 0)
            try early.syncData()
            try early.close()
            try fileSystem.rename(spare.path, to: path)
            let file = try fileSystem.open(path, .readWrite)
            return WALOpenedSegment(
                file: file, header: header, cipher: cipher, bytes: spare.bytes)
        } catch {
            try? fileSystem.remove(spare.path)
            throw error
        }
    }

    /// Takes a segment out of service: a spare when it may be recycled, else removed. The new name is
    /// durable before the bytes may change. Failures leave an old segment behind, which harms nobody.
    static func retire(
        _ segment: WALSegmentInfo, recycles: Bool, number: UInt64, _ directory: String,
        _ fileSystem: any FileSystem
    ) -> WALSpare? {
        do throws(StorageError) {
            if recycles, try fileSystem.linkCount(segment.path) == 1 {
                let path = directory + "/" + FileNames.walSpareName(number)
                try fileSystem.rename(segment.path, to: path)
                try fileSystem.syncDirectory(directory)
                return WALSpare(path: path, bytes: segment.bytes, isRecycled: true)
            }
            try fileSystem.remove(segment.path)
            try fileSystem.syncDirectory(directory)
        } catch {}
        return nil
    }
}
