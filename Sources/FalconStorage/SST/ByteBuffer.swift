#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Growing raw memory: the writers' and cursors' scratch.
final class ByteBuffer {
    @exclusivity(unchecked) private(set) var pointer: UnsafeMutableRawPointer
    @exclusivity(unchecked) private(set) var capacity: Int
    @exclusivity(unchecked) var count = 0

    init(capacity: Int) {
        self.capacity = max(capacity, 16)
        pointer = .allocate(byteCount: self.capacity, alignment: 16)
    }
    deinit { pointer.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: count) }

    /// Makes room for `extra` bytes beyond `count`.
    @inline(__always)
    func reserve(_ extra: Int) {
        if count &+ extra > capacity { grow(count &+ extra) }
    }

    private func grow(_ needed: Int) {
        let fresh = max(needed, capacity &* 2)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: fresh, alignment: 16)
        memcpy(moved, pointer, count)
        pointer.deallocate()
        pointer = moved
        capacity = fresh
    }

    @inline(__always)
    func append(_ source: UnsafeRawBufferPointer) {
        guard let start = source.baseAddress else { return }
        reserve(source.count)
        memcpy(pointer + count, start, source.count)
        count &+= source.count
    }

    @inline(__always)
    func appendFixed<T: FixedWidthInteger>(_ value: T) {
        reserve(MemoryLayout<T>.size)
        pointer.storeBytes(of: value.littleEndian, toByteOffset: count, as: T.self)
        count &+= MemoryLayout<T>.size
    }

    /// Appends a varint; the caller has reserved 5 bytes.
    @inline(__always)
    func appendReservedVarint(_ value: UInt32) {
        var rest = value
        while rest >= 0x80 {
            pointer.storeBytes(
                of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: count, as: UInt8.self)
            count &+= 1
            rest >>= 7
        }
        pointer.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    /// Replaces everything beyond `keep` by `source`.
    @inline(__always)
    func replaceTail(keeping keep: Int, with source: UnsafeRawPointer, _ length: Int) {
        count = keep
        reserve(length)
        memcpy(pointer + keep, source, length)
        count = keep &+ length
    }
}
