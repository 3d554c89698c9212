import Glibc

/// Chunks that wait to be written: each begins with room for its header, so that the flusher fills
/// headers in place and hands the whole to one `pwrite`. Guarded by the writer's monitor while it is
/// the active one, then owned by whoever writes it.
struct WALBuffer: @unchecked Sendable {
    private(set) var base: UnsafeMutableRawPointer
    private(set) var capacity: Int
    /// Bytes in use, closed chunks and the open one.
    private(set) var used = 0
    /// Where the open chunk begins; -1 without one.
    private var chunkStart = -1
    /// The first byte not yet written to a segment.
    var position = 0
    /// Chunks before this are sealed for the place they are to be written to.
    var sealed = 0
    /// The end of the last record.
    private(set) var endLSN: LSN
    /// Room behind each chunk's records for the tag, where they are encrypted.
    let sealBytes: Int

    static let initialCapacity = 256 << 10
    /// A buffer that a burst or a large value made larger than this is not kept.
    static let keptCapacity = 16 << 20

    init(endLSN: LSN, sealBytes: Int = 0) {
        self.sealBytes = sealBytes
        capacity = Self.initialCapacity
        base = .allocate(byteCount: capacity, alignment: 16)
        self.endLSN = endLSN
    }

    func deallocate() { base.deallocate() }
    var isEmpty: Bool { used == 0 }
    var remaining: Int { used - position }

    /// Room for a record of `count` bytes after the log's end; opens and closes chunks as needed.
    @inline(__always)
    mutating func reserve(_ count: Int, chunkBytes: Int) -> UnsafeMutableRawPointer {
        if chunkStart >= 0, used &- chunkStart &+ count > chunkBytes { closeChunk() }
        let needed = used &+ count &+ WALFormat.chunkHeaderBytes &+ 8 &+ sealBytes
        if needed > capacity { grow(needed) }
        if chunkStart < 0 {
            chunkStart = used
            (base + used).storeBytes(of: endLSN.rawValue, toByteOffset: 24, as: UInt64.self)
            used &+= WALFormat.chunkHeaderBytes
        }
        let place = base + used
        used &+= count
        endLSN = LSN(endLSN.rawValue &+ UInt64(count))
        return place
    }

    private mutating func grow(_ needed: Int) {
        let larger = max(needed, capacity &* 2)
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        fresh.copyMemory(from: base, byteCount: used)
        base.deallocate()
        base = fresh
        capacity = larger
    }

    /// Fixes the open chunk's lengths and pads it.
    mutating func closeChunk() {
        guard chunkStart >= 0 else { return }
        let length = used - chunkStart - WALFormat.chunkHeaderBytes
        let padding = WALFormat.padded(length + sealBytes) - length
        memset(base + used, 0, padding)
        used += padding
        (base + chunkStart).storeBytes(of: UInt32(length), toByteOffset: 12, as: UInt32.self)
        chunkStart = -1
    }

    /// The payload length and first LSN of the closed chunk at `offset`.
    func chunk(at offset: Int) -> (length: Int, firstLSN: LSN, totalBytes: Int) {
        let length = Int((base + offset).load(fromByteOffset: 12, as: UInt32.self))
        let first = LSN((base + offset).load(fromByteOffset: 24, as: UInt64.self))
        return (length, first, WALFormat.chunkHeaderBytes + WALFormat.padded(length + sealBytes))
    }

    /// Empties the buffer for records after `endLSN`; gives back memory after a burst.
    mutating func reset(endLSN: LSN) {
        used = 0
        chunkStart = -1
        position = 0
        sealed = 0
        self.endLSN = endLSN
        if capacity > Self.keptCapacity {
            base.deallocate()
            capacity = Self.initialCapacity
            base = .allocate(byteCount: capacity, alignment: 16)
        }
    }
}
