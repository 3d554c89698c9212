@testable import FalconStorage

/// A family of decoders that is fed arbitrary bytes: the first byte of an input picks the decoder, the
/// rest is what it decodes. A decoder may refuse; it must not trap, hang, or read outside.
///
/// Whole files get their checksums made right first (``FuzzRepair``): a fuzzer cannot guess them, and
/// behind them lies what is to be tried.
enum FuzzTarget: String, CaseIterable, Sendable {
    case wal, table, manifest

    /// The decoders by the input's first byte.
    var decoders: [(name: String, run: @Sendable (UnsafeRawBufferPointer) -> Void)] {
        switch self {
        case .wal: FuzzWAL.decoders
        case .table: FuzzTable.decoders
        case .manifest: FuzzManifest.decoders
        }
    }

    func run(_ input: UnsafeRawBufferPointer) {
        guard let first = input.first else { return }
        let decoders = decoders
        // A copy of its own, so that a read beyond its end is seen, and aligned like a block.
        let rest = input.dropFirst()
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: rest.count, alignment: 16)
        defer { copy.deallocate() }
        copy.copyBytes(from: rest)
        decoders[Int(first) % decoders.count].run(UnsafeRawBufferPointer(copy))
    }
}
