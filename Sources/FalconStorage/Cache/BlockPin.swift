import CFalconPlatform

/// Keeps one block's bytes in place while borrowed. Reusable: the next pin releases the last.
/// Must not outlive the cache.
struct BlockPin: ~Copyable {
    /// The cache slot's state word, or nil: `bytes` is this pin's own and freed with it.
    private var slot: UnsafeMutableRawPointer?
    private(set) var bytes: UnsafeRawBufferPointer
    /// False: reads for this pin throw `would-block` where they would wait for the device.
    let mayWait: Bool

    static var none: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    @inline(__always) init(mayWait: Bool = true) {
        self.mayWait = mayWait
        slot = nil
        bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    @inline(__always) deinit { BlockPin.drop(slot, bytes) }

    @inline(__always)
    private static func drop(_ slot: UnsafeMutableRawPointer?, _ bytes: UnsafeRawBufferPointer) {
        if let slot {
            dropHold(slot)
        } else if let own = bytes.baseAddress {
            UnsafeMutableRawPointer(mutating: own).deallocate()
        }
    }

    @inline(__always)
    mutating func release() {
        BlockPin.drop(slot, bytes)
        slot = nil
        bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// Takes over one reference that the caller holds on `slot`.
    @inline(__always)
    mutating func hold(slot: UnsafeMutableRawPointer, bytes: UnsafeRawBufferPointer) {
        release()
        self.slot = slot
        self.bytes = bytes
    }

    /// Takes over memory from `allocate`.
    mutating func own(_ bytes: UnsafeRawBufferPointer) {
        release()
        self.bytes = bytes
    }

    var isCached: Bool { slot != nil }

    /// One more reference on the cache's slot, for the caller to give back with ``dropHold(_:)``; nil
    /// when the bytes are the pin's own.
    func shareHold() -> UnsafeMutableRawPointer? {
        if let slot { _ = falcon_fetch_add_u64(slot, 1) }
        return slot
    }

    static func dropHold(_ slot: UnsafeMutableRawPointer) {
        _ = falcon_fetch_add_u64(slot, UInt64.max)
    }

    /// Gives up memory that is this pin's own, to be freed by the caller; nil when it has none.
    mutating func takeOwn() -> UnsafeRawBufferPointer? {
        guard slot == nil, bytes.baseAddress != nil else { return nil }
        let own = bytes
        bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        return own
    }
}
