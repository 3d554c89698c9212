import CFalconPlatform

/// Reusable operation encoders, one per shard of threads, so that a commit allocates none.
final class EncoderPool: @unchecked Sendable {
    private static let slotCount = 16
    private static let slotBytes = 64
    private let slots: UnsafeMutableRawPointer

    init() {
        slots = .allocate(byteCount: Self.slotCount * Self.slotBytes, alignment: Self.slotBytes)
        for index in 0..<Self.slotCount {
            falcon_store_relaxed_u64(slots + index * Self.slotBytes, 0)
        }
    }

    deinit {
        for index in 0..<Self.slotCount {
            if let encoder = Self.encoder(falcon_exchange_u64(slot(index), 0)) { encoder.release() }
        }
        slots.deallocate()
    }

    private func slot(_ index: Int) -> UnsafeMutableRawPointer {
        slots + (index & (Self.slotCount - 1)) * Self.slotBytes
    }

    private static func encoder(_ word: UInt64) -> Unmanaged<WALOperationEncoder>? {
        UnsafeRawPointer(bitPattern: UInt(word)).map { Unmanaged.fromOpaque($0) }
    }

    /// An empty encoder; the thread's last one unless another took it.
    func take() -> WALOperationEncoder {
        let slot = slot(Int(falcon_thread_ordinal()))
        guard let found = Self.encoder(falcon_exchange_u64(slot, 0)) else {
            return WALOperationEncoder()
        }
        let encoder = found.takeRetainedValue()
        encoder.reset()
        return encoder
    }

    func give(back encoder: WALOperationEncoder) {
        let slot = slot(Int(falcon_thread_ordinal()))
        let word = UInt64(UInt(bitPattern: Unmanaged.passRetained(encoder).toOpaque()))
        if let displaced = Self.encoder(falcon_exchange_u64(slot, word)) { displaced.release() }
    }
}
