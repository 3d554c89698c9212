import CCrypto
import CFalconPlatform
import Synchronization

/// Where a sealed piece lies: makes its nonce, and is authenticated with it.
///
/// The nonce is kind and counter: unique within a file, and each file has a key of its own
/// (docs/design/encryption.md says why neither ever comes again with other bytes).
struct SealPlace {
    var uid: UID
    /// What the piece is, distinct in all formats.
    var kind: UInt32
    /// The piece's offset where nothing is written twice; else a count of the writes.
    var counter: UInt64
    /// What of the piece's clear head has to be true.
    var head: (UInt64, UInt64) = (0, 0)

    /// Of everything that is sealed; values live on disk.
    enum Kind {
        static let logChunk: UInt32 = 0x10
        static let manifestEdit: UInt32 = 0x4D
        static let spilledChunk: UInt32 = 0x50
        /// Of a table's blocks: with the block's kind added.
        static let tableBlock: UInt32 = 0x100
        static let blobRecord: UInt32 = 0x200
    }
}

/// Seals and opens the pieces of one file under its data key. ``seal(_:count:at:)`` is for one thread at a time,
/// ``open(_:into:at:)`` for any number.
final class FileCipher: @unchecked Sendable {
    static let tagBytes = AESGCM.tagBytes
    private static let serials = Atomic<UInt64>(1)

    /// Tells the ciphers of a process apart.
    let serial: UInt64
    /// How the file's header holds the key; nil: it lives in memory alone.
    let envelope: KeyEnvelope?
    private let key: UnsafeMutablePointer<UInt8>
    private var sealing: OpaquePointer?

    /// - Parameter key: ``AESGCM/keyBytes`` bytes.
    init(key: [UInt8], envelope: KeyEnvelope?) {
        serial = Self.serials.wrappingAdd(1, ordering: .relaxed).oldValue
        self.envelope = envelope
        self.key = .allocate(capacity: AESGCM.keyBytes)
        for index in 0..<AESGCM.keyBytes {
            (self.key + index).initialize(to: index < key.count ? key[index] : 0)
        }
    }

    /// A key that nobody else will ever have, for a file that means nothing to a later process.
    static func ephemeral() throws(StorageError) -> FileCipher {
        FileCipher(key: try AESGCM.random(AESGCM.keyBytes), envelope: nil)
    }

    deinit {
        EVP_CIPHER_CTX_free(sealing)
        OPENSSL_cleanse(key, AESGCM.keyBytes)
        key.deallocate()
    }

    /// Encrypts `count` bytes where they are; the tag goes into the ``tagBytes`` bytes behind them.
    func seal(
        _ bytes: UnsafeMutableRawPointer, count: Int, at place: SealPlace
    ) throws(StorageError) {
        let context: OpaquePointer
        if let sealing {
            context = sealing
        } else {
            guard let fresh = EVP_CIPHER_CTX_new() else { throw AESGCM.failure }
            guard EVP_EncryptInit_ex(fresh, EVP_aes_256_gcm(), nil, key, nil) == 1 else {
                EVP_CIPHER_CTX_free(fresh)
                throw AESGCM.failure
            }
            sealing = fresh
            context = fresh
        }
        let text = bytes.assumingMemoryBound(to: UInt8.self)
        let isDone = Self.with(place) { nonce, additional in
            var written: Int32 = 0
            return EVP_EncryptInit_ex(context, nil, nil, nil, nonce) == 1
                && EVP_EncryptUpdate(context, nil, &written, additional, Self.additionalBytes) == 1
                && Self.inSteps(count) { from, length in
                    EVP_EncryptUpdate(context, text + from, &written, text + from, length) == 1
                }
                && EVP_EncryptFinal_ex(context, text + count, &written) == 1
                && EVP_CIPHER_CTX_ctrl(
                    context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagBytes), text + count) == 1
        }
        if !isDone { throw AESGCM.failure }
    }

    /// Decrypts `sealed`, ciphertext and tag, into `target`, which may be the same bytes and has room for those
    /// before the tag. False: they are not what was sealed at that place with this key.
    func open(
        _ sealed: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer,
        at place: SealPlace
    ) -> Bool {
        guard sealed.count >= Self.tagBytes, let base = sealed.baseAddress else { return false }
        let count = sealed.count - Self.tagBytes
        return OpeningContexts.with(serial, key) { context in
            Self.with(place) { nonce, additional in
                let source = base.assumingMemoryBound(to: UInt8.self)
                let text = target.assumingMemoryBound(to: UInt8.self)
                var written: Int32 = 0
                let tag = UnsafeMutableRawPointer(mutating: base + count)
                return EVP_DecryptInit_ex(context, nil, nil, nil, nonce) == 1
                    && EVP_CIPHER_CTX_ctrl(
                        context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagBytes), tag) == 1
                    && EVP_DecryptUpdate(
                        context, nil, &written, additional, Self.additionalBytes) == 1
                    && Self.inSteps(count) { from, length in
                        EVP_DecryptUpdate(context, text + from, &written, source + from, length)
                            == 1
                    }
                    && EVP_DecryptFinal_ex(context, text + count, &written) == 1
            }
        }
    }

    private static let stepBytes = 1 << 30

    /// libcrypto counts bytes in 32 bits.
    @inline(__always)
    private static func inSteps(_ count: Int, _ body: (Int, Int32) -> Bool) -> Bool {
        var from = 0
        while from < count {
            let step = min(count - from, stepBytes)
            if !body(from, Int32(step)) { return false }
            from += step
        }
        return true
    }

    private static let additionalBytes: Int32 = 48

    /// Nonce and additional data of a place.
    @inline(__always)
    private static func with(
        _ place: SealPlace,
        _ body: (UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> Bool
    ) -> Bool {
        let additional = (
            place.uid.high.littleEndian, place.uid.low.littleEndian,
            UInt64(place.kind).littleEndian, place.counter.littleEndian,
            place.head.0.littleEndian, place.head.1.littleEndian
        )
        let counter = place.counter.littleEndian
        let nonce = (
            place.kind.littleEndian, UInt32(truncatingIfNeeded: counter),
            UInt32(truncatingIfNeeded: counter >> 32)
        )
        return withUnsafeBytes(of: nonce) { nonce in
            withUnsafeBytes(of: additional) { additional in
                guard let a = nonce.baseAddress, let b = additional.baseAddress else {
                    return false
                }
                return body(
                    a.assumingMemoryBound(to: UInt8.self), b.assumingMemoryBound(to: UInt8.self))
            }
        }
    }
}

/// Decryption contexts that wait for their next use, one place per group of threads: to make one, and to expand
/// a key, costs more than a block.
private enum OpeningContexts {
    private static let places = 16
    private static let placeBytes = 64
    nonisolated(unsafe) private static let slots: UnsafeMutableRawPointer = {
        let bytes = places * placeBytes
        let slots = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: placeBytes)
        slots.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        return slots
    }()

    /// A context and whose key it has expanded.
    private struct Kept {
        var context: OpaquePointer
        var serial: UInt64
    }

    /// Runs `body` with a context that has the key; false when there is none.
    static func with(
        _ serial: UInt64, _ key: UnsafePointer<UInt8>, _ body: (OpaquePointer) -> Bool
    ) -> Bool {
        let slot = slots + (Int(falcon_thread_ordinal()) & (places - 1)) * placeBytes
        let taken = UnsafeMutablePointer<Kept>(
            bitPattern: UInt(falcon_exchange_u64(slot, 0)))
        guard let kept = taken ?? fresh() else { return false }
        if kept.pointee.serial != serial {
            kept.pointee.serial = 0
            guard EVP_DecryptInit_ex(kept.pointee.context, nil, nil, key, nil) == 1 else {
                free(kept)
                return false
            }
            kept.pointee.serial = serial
        }
        let isDone = body(kept.pointee.context)
        var expected: UInt64 = 0
        if !falcon_cas_u64(slot, &expected, UInt64(UInt(bitPattern: kept))) { free(kept) }
        return isDone
    }

    private static func fresh() -> UnsafeMutablePointer<Kept>? {
        guard let context = EVP_CIPHER_CTX_new() else { return nil }
        guard EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, nil, nil) == 1 else {
            EVP_CIPHER_CTX_free(context)
            return nil
        }
        let kept = UnsafeMutablePointer<Kept>.allocate(capacity: 1)
        kept.initialize(to: Kept(context: context, serial: 0))
        return kept
    }

    private static func free(_ kept: UnsafeMutablePointer<Kept>) {
        EVP_CIPHER_CTX_free(kept.pointee.context)
        kept.deallocate()
    }
}
