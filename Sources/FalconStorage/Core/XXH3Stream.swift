import CXXHash

/// XXH3-64 of bytes that come in pieces.
final class XXH3Stream {
    private let state: OpaquePointer?

    init() {
        state = XXH3_createState()
        if let state { XXH3_64bits_reset(state) }
    }
    deinit { XXH3_freeState(state) }

    func update(_ bytes: UnsafeRawBufferPointer) {
        guard let state, let start = bytes.baseAddress else { return }
        XXH3_64bits_update(state, start, bytes.count)
    }
    var digest: UInt64 { state.map { XXH3_64bits_digest($0) } ?? 0 }
}
