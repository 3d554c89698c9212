#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Builds one data block after another.
final class DataBlockBuilder {
    private let buffer: ByteBuffer
    private let lastKey = ByteBuffer(capacity: 256)
    private let restartInterval: Int
    @exclusivity(unchecked) private var restarts: [UInt32] = []
    @exclusivity(unchecked) private var sinceRestart = 0
    @exclusivity(unchecked) private(set) var entryCount = 0

    init(restartInterval: Int, capacity: Int) {
        self.restartInterval = max(restartInterval, 1)
        buffer = ByteBuffer(capacity: capacity)
    }

    var isEmpty: Bool { entryCount == 0 }
    /// Bytes of the block if it were finished now.
    @inline(__always) var byteCount: Int {
        buffer.count &+ 8 &* restarts.count &+ DataBlock.tailBytes
    }

    @inline(__always)
    func add(
        _ key: UnsafeRawBufferPointer, _ timestamp: UInt64, _ kind: UInt8,
        _ value: UnsafeRawBufferPointer
    ) {
        var shared = 0
        if entryCount == 0 || sinceRestart == restartInterval {
            restarts.append(UInt32(truncatingIfNeeded: buffer.count))
            sinceRestart = 0
        } else if let start = key.baseAddress {
            shared = DataBlock.commonPrefix(
                start, lastKey.pointer, min(key.count, lastKey.count))
        }
        let suffixLength = key.count &- shared
        buffer.reserve(24 &+ suffixLength &+ value.count)
        buffer.appendReservedVarint(UInt32(truncatingIfNeeded: shared))
        buffer.appendReservedVarint(UInt32(truncatingIfNeeded: suffixLength))
        buffer.appendReservedVarint(UInt32(truncatingIfNeeded: value.count))
        var place = buffer.pointer + buffer.count
        place.storeBytes(of: kind, as: UInt8.self)
        place.storeBytes(
            of: DataBlock.stored(timestamp), toByteOffset: 1, as: UInt64.self)
        place += 9
        if let start = key.baseAddress {
            memcpy(place, start + shared, suffixLength)
            lastKey.replaceTail(keeping: shared, with: start + shared, suffixLength)
        } else {
            lastKey.count = 0
        }
        if let start = value.baseAddress { memcpy(place + suffixLength, start, value.count) }
        buffer.count &+= 9 &+ suffixLength &+ value.count
        sinceRestart &+= 1
        entryCount &+= 1
    }

    /// The finished block; valid until ``reset()``.
    func finish() -> UnsafeRawBufferPointer {
        // The entries are views of the buffer: no growth while they are read.
        buffer.reserve(8 &* restarts.count &+ DataBlock.tailBytes)
        let entries = DataBlock(building: buffer.pointer, end: buffer.count)
        func key(_ restart: UInt32) -> UnsafeRawBufferPointer {
            let entry = entries.entry(at: Int(restart))
            return UnsafeRawBufferPointer(start: entry.suffix, count: entry.suffixLength)
        }
        let first = key(0)
        // Sorted: what the first and the last key share, all share.
        let prefix =
            first.baseAddress.map {
                DataBlock.commonPrefix($0, lastKey.pointer, min(first.count, lastKey.count))
            } ?? 0
        for restart in restarts { buffer.appendFixed(DataBlock.head(key(restart), prefix)) }
        for restart in restarts { buffer.appendFixed(restart) }
        buffer.appendFixed(UInt32(truncatingIfNeeded: prefix))
        buffer.appendFixed(UInt32(truncatingIfNeeded: restarts.count))
        return buffer.bytes
    }

    func reset() {
        buffer.count = 0
        lastKey.count = 0
        restarts.removeAll(keepingCapacity: true)
        sinceRestart = 0
        entryCount = 0
    }
}
