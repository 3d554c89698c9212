/// How a table's block is encrypted: where it lies, and what of its clear trailer has to be true.
enum TableSeal {
    static func place(
        _ uid: UID, _ kind: TableFormat.BlockKind, _ offset: UInt64, _ shape: UInt64
    ) -> SealPlace {
        SealPlace(
            uid: uid, kind: SealPlace.Kind.tableBlock + UInt32(kind.rawValue), counter: offset,
            head: (shape, 0))
    }

    /// Codec, dictionary and uncompressed size, as the trailer has them.
    static func shape(codec: BlockCodec, usesDictionary: Bool, rawBytes: UInt32) -> UInt64 {
        UInt64(codec.rawValue) | (usesDictionary ? 1 << 24 : 0) | UInt64(rawBytes) << 32
    }

    /// The first half of a block's trailer, kept while the payload before it shrinks.
    struct Trailer {
        private let word: UInt64

        init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
            word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        }

        func store(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) {
            bytes.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
        }

        /// Without the kind and the flag that the block is encrypted.
        var shape: UInt64 { UInt64(littleEndian: word) & 0xFFFF_FFFF_FF00_00FF }
    }
}
