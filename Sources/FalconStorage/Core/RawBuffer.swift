/// A growing byte buffer outside ARC and copy-on-write, for keys that must survive a cursor's move.
/// Its owner deallocates it. What is assigned must not lie in the buffer itself.
struct RawBuffer {
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private(set) var count = 0

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    @inline(__always)
    mutating func assign(_ source: UnsafeRawBufferPointer) {
        if source.count > capacity { grow(source.count) }
        if source.count > 0, let base, let from = source.baseAddress {
            base.copyMemory(from: from, byteCount: source.count)
        }
        count = source.count
    }

    @inline(never)
    private mutating func grow(_ needed: Int) {
        base?.deallocate()
        capacity = max(64, needed &* 2)
        base = .allocate(byteCount: capacity, alignment: 8)
    }

    mutating func deallocate() {
        base?.deallocate()
        base = nil
        capacity = 0
        count = 0
    }
}
